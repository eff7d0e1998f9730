/*
 * test_flaw -- the place of a flaw as an editor counts it, and what becomes of too many.
 * Knows flaw, utf8.  Does not know what a file means.
 * Called by make check.
 * Lives on its stack.
 * SPDX-License-Identifier: ISC
 */
#include "flaw.h"
#include "unit.h"
#include "utf8.h"

TEST(a_place_is_counted_in_lines_and_characters)
{
	static const char	 text[] = "ab\n\xc3\xa9\xf0\x9f\x98\x80x\r\n\n\ty";
	static const struct { size_t at, line, column; } rows[] = {
		{ 0, 1, 1 }, { 1, 1, 2 }, { 2, 1, 3 }, { 3, 2, 1 }, { 5, 2, 2 }, { 9, 2, 3 },
		{ 12, 3, 1 }, { 13, 4, 1 }, { 14, 4, 2 }, { 15, 4, 3 },
	};
	size_t			 i;

	for (i = 0; i < COUNT_OF(rows); i++) {
		struct ph_flaws	 flaws = { .text = { text, sizeof(text) - 1 } };

		ph_flaw_add(&flaws, text + rows[i].at, "x");
		assert_int_equal(flaws.all[0].line, rows[i].line);
		assert_int_equal(flaws.all[0].column, rows[i].column);
	}
}

TEST(bytes_that_are_no_character_count_one_each)
{
	static const char	 text[] = "\xff\xc3z";
	struct ph_flaws		 flaws = { .text = { text, 3 } };

	ph_flaw_add(&flaws, text + 2, "x");
	assert_int_equal(flaws.all[0].column, 3);
}

TEST(a_flaw_without_a_place_is_at_the_start_and_one_past_the_end_is_at_the_end)
{
	static const char	 text[] = "a\nb";
	struct ph_flaws		 flaws = { .text = { text, 2 } }, none = { .text = { NULL, 0 } };

	ph_flaw_add(&flaws, NULL, "x");
	ph_flaw_add(&flaws, text + 3, "x");
	ph_flaw_add(&none, NULL, "x");
	assert_int_equal(flaws.all[0].line * 100 + flaws.all[0].column, 101);
	assert_int_equal(flaws.all[1].line * 100 + flaws.all[1].column, 201);
	assert_int_equal(none.all[0].line * 100 + none.all[0].column, 101);
}

TEST(a_warning_is_kept_and_counts_no_error)
{
	struct ph_flaws	 flaws = { .text = BYTES("abc") };

	ph_flaw_warn(&flaws, NULL, "%s", "perhaps");
	ph_flaw_add(&flaws, NULL, "%d, at most %d", 4, 3);
	assert_int_equal(flaws.n, 2);
	assert_int_equal(flaws.n_errors, 1);
	assert_true(flaws.all[0].warning);
	assert_false(flaws.all[1].warning);
	assert_string_equal(flaws.all[0].text, "perhaps");
	assert_string_equal(flaws.all[1].text, "4, at most 3");
}

TEST(beyond_the_maximum_errors_are_only_counted)
{
	struct ph_flaws	 flaws = { .text = BYTES("abc") };
	int		 i;

	for (i = 0; i < PH_FLAWS_MAX + 5; i++)
		ph_flaw_add(&flaws, NULL, "%d", i);
	ph_flaw_warn(&flaws, NULL, "late");
	assert_int_equal(flaws.n, PH_FLAWS_MAX);
	assert_int_equal(flaws.n_errors, PH_FLAWS_MAX + 5);
	assert_string_equal(flaws.all[0].text, "0");
	assert_string_equal(flaws.all[PH_FLAWS_MAX - 1].text, "31");
}

TEST(warnings_never_crowd_out_an_error)
{
	struct ph_flaws	 flaws = { .text = BYTES("abc") };
	int		 i;

	ph_flaw_add(&flaws, NULL, "first");
	for (i = 1; i < PH_FLAWS_MAX; i++)
		ph_flaw_warn(&flaws, NULL, "%d", i);
	ph_flaw_add(&flaws, NULL, "second");
	ph_flaw_add(&flaws, NULL, "third");
	assert_int_equal(flaws.n, PH_FLAWS_MAX);
	assert_string_equal(flaws.all[0].text, "first");
	assert_string_equal(flaws.all[PH_FLAWS_MAX - 3].text, "29");
	assert_string_equal(flaws.all[PH_FLAWS_MAX - 2].text, "second");
	assert_string_equal(flaws.all[PH_FLAWS_MAX - 1].text, "third");
}

TEST(a_long_text_ends_before_a_character)
{
	struct ph_flaws	 flaws = { .text = BYTES("abc") };
	char		 words[401];
	size_t		 at, n;

	for (at = 0; at < 400; at += 2)
		memcpy(words + at, "\xc3\xa9", 2);
	words[400] = '\0';
	ph_flaw_add(&flaws, NULL, "%s", words);
	assert_int_equal(strlen(flaws.all[0].text), 198);
	for (at = 0; at < 198; at += n)
		assert_true((n = ph_utf8_len(flaws.all[0].text + at, 198 - at)) > 0);
}

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		cmocka_unit_test(a_place_is_counted_in_lines_and_characters),
		cmocka_unit_test(bytes_that_are_no_character_count_one_each),
		cmocka_unit_test(a_flaw_without_a_place_is_at_the_start_and_one_past_the_end_is_at_the_end),
		cmocka_unit_test(a_warning_is_kept_and_counts_no_error),
		cmocka_unit_test(beyond_the_maximum_errors_are_only_counted),
		cmocka_unit_test(warnings_never_crowd_out_an_error),
		cmocka_unit_test(a_long_text_ends_before_a_character),
	};

	return cmocka_run_group_tests_name("flaw", tests, NULL, NULL);
}
