/*
 * test_utf8 -- where a character ends, and what is none.
 * Knows utf8.  Does not know what is written.
 * Called by make check.
 * Lives on its stack.
 * SPDX-License-Identifier: ISC
 */
#include <stdlib.h>

#include "unit.h"
#include "utf8.h"

TEST(a_character_is_as_long_as_it_is)
{
	static const char *const	 characters[] = {
		"a", "\x7f", "\xc2\x80", "\xdf\xbf", "\xe0\xa0\x80", "\xec\xbf\xbf", "\xed\x9f\xbf",
		"\xee\x80\x80", "\xef\xbf\xbf", "\xf0\x90\x80\x80", "\xf3\xbf\xbf\xbf", "\xf4\x8f\xbf\xbf",
	};
	size_t				 i;

	for (i = 0; i < COUNT_OF(characters); i++)
		assert_int_equal(ph_utf8_len(characters[i], 4), strlen(characters[i]));
	assert_int_equal(ph_utf8_len("\0", 1), 1);
}

TEST(what_is_no_character_has_no_length)
{
	static const char *const	 others[] = {
		"\x80", "\xbf", "\xc0\x80", "\xc1\xbf", "\xc2" "a", "\xdf\xc0", "\xe0\x9f\xbf", "\xe1\x80" "a",
		"\xed\xa0\x80", "\xed\xbf\xbf", "\xf0\x8f\xbf\xbf", "\xf0\x90\x80" "a", "\xf0\x90" "aa",
		"\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xfe", "\xff",
	};
	size_t				 i;

	for (i = 0; i < COUNT_OF(others); i++)
		if (ph_utf8_len(others[i], strlen(others[i])) != 0)
			fail_msg("row %zu", i);
}

/* All 1,112,064 characters and the 2,048 surrogates between them. */
TEST(every_character_and_no_surrogate)
{
	unsigned long	 c;

	for (c = 0; c <= 0x10ffff; c++) {
		size_t	 len = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
		size_t	 expected = c >= 0xd800 && c <= 0xdfff ? 0 : len, i;
		char	 text[4];

		for (i = len; i-- > 1; )
			text[i] = (char)(0x80 | (c >> 6 * (len - 1 - i) & 0x3f));
		text[0] = (char)(len == 1 ? c : (0xf00 >> len & 0xff) | c >> 6 * (len - 1));
		if (ph_utf8_len(text, len) != expected)
			fail_msg("U+%04lX", c);
	}
}

TEST(a_character_that_ends_early_is_none_and_nothing_beyond_is_read)
{
	static const char *const	 characters[] = { "a", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x98\x80" };
	size_t				 i, n;

	for (i = 0; i < COUNT_OF(characters); i++)
		for (n = 0; n < strlen(characters[i]); n++) {
			char	*part = malloc(n + (n == 0));

			assert_non_null(part);
			memcpy(part, characters[i], n);
			assert_int_equal(ph_utf8_len(part, n), 0);
			free(part);
		}
}

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		cmocka_unit_test(a_character_is_as_long_as_it_is),
		cmocka_unit_test(what_is_no_character_has_no_length),
		cmocka_unit_test(every_character_and_no_surrogate),
		cmocka_unit_test(a_character_that_ends_early_is_none_and_nothing_beyond_is_read),
	};

	return cmocka_run_group_tests_name("utf8", tests, NULL, NULL);
}
