/*
 * test_hex -- digits in, bytes out, and nothing that is no digit.
 * Knows hex.  Does not know what the bytes are.
 * Called by make check.
 * Lives on its stack.
 * SPDX-License-Identifier: ISC
 */
#include <stdlib.h>

#include "hex.h"
#include "unit.h"

TEST(every_byte_comes_back)
{
	unsigned char	 bytes[256], back[256];
	char		 digits[513];
	size_t		 i;

	for (i = 0; i < 256; i++)
		bytes[i] = (unsigned char)i;
	ph_hex_format(bytes, 256, digits);
	assert_int_equal(strlen(digits), 512);
	assert_memory_equal(digits, "000102030405060708090a0b", 24);
	assert_true(ph_hex_parse(digits, 512, back, 256));
	assert_memory_equal(bytes, back, 256);
}

TEST(nothing_is_formatted_as_an_empty_text)
{
	char	 out[1] = "x";

	ph_hex_format((const unsigned char *)"", 0, out);
	assert_string_equal(out, "");
	assert_true(ph_hex_parse("", 0, (unsigned char *)out, 0));
}

TEST(either_case_is_read)
{
	unsigned char	 out[3];

	assert_true(ph_hex_parse("aBFf09", 6, out, 3));
	assert_memory_equal(out, "\xab\xff\x09", 3);
	assert_int_equal(ph_hex_digit('B'), 11);
}

TEST(one_digit_more_or_less_is_refused)
{
	unsigned char	 out[2];

	assert_false(ph_hex_parse("00000", 5, out, 2));
	assert_false(ph_hex_parse("000", 3, out, 2));
	assert_false(ph_hex_parse("", 0, out, 2));
}

TEST(the_neighbours_of_the_digits_are_refused)
{
	static const char	 others[] = "/:@G`g -+x\n";
	unsigned char		 out[1];
	size_t			 i;

	for (i = 0; i < sizeof(others); i++) {		/* the NUL at the end, too */
		assert_false(ph_hex_parse((char[]){ others[i], '0' }, 2, out, 1));
		assert_false(ph_hex_parse((char[]){ '0', others[i] }, 2, out, 1));
		assert_int_equal(ph_hex_digit(others[i]), -1);
	}
}

TEST(digits_need_not_end)
{
	char		*digits = malloc(4);	/* a byte read beyond shows under the sanitizer */
	unsigned char	 out[2];

	assert_non_null(digits);
	memcpy(digits, "beef", 4);
	assert_true(ph_hex_parse(digits, 4, out, 2));
	free(digits);
}

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		cmocka_unit_test(every_byte_comes_back),
		cmocka_unit_test(nothing_is_formatted_as_an_empty_text),
		cmocka_unit_test(either_case_is_read),
		cmocka_unit_test(one_digit_more_or_less_is_refused),
		cmocka_unit_test(the_neighbours_of_the_digits_are_refused),
		cmocka_unit_test(digits_need_not_end),
	};

	return cmocka_run_group_tests_name("hex", tests, NULL, NULL);
}
