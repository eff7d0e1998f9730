/*
 * test_raw -- a value of a file that a person wrote, and the file around it: each has its place.
 * Knows raw and strict.  Does not know what values mean.
 * Called by make check.
 * Lives on its stack.
 * SPDX-License-Identifier: ISC
 */
#include <stdlib.h>

#include "raw.h"
#include "unit.h"

static struct ph_flaws	 flaws;
static struct ph_strict	 file;
static struct ph_slice	 top;

static bool
read_file(const char *text)
{
	file = (struct ph_strict){ .flaws = &flaws, .key = "key" };
	return ph_strict_begin(&file, slice(text), &top);
}

TEST(a_flaw_stands_where_the_file_has_it_not_where_its_copy_does)
{
	assert_true(read_file("\xef\xbb\xbf/* \xc3\xa9 */\n// x\n  [1, 2]"));
	assert_string_equal(shown(top), "[1, 2]");
	ph_strict_flaw(&file, top.at + 4, "%s", "here");
	ph_strict_warn(&file, top.at, "there");
	ph_strict_end(&file);
	assert_int_equal(flaws.n, 2);
	assert_int_equal(flaws.n_errors, 1);
	assert_string_equal(flaws.all[0].text, "key: there");
	assert_int_equal(flaws.all[0].line, 3);
	assert_int_equal(flaws.all[0].column, 3);
	assert_string_equal(flaws.all[1].text, "here");
	assert_int_equal(flaws.all[1].column, 7);
}

TEST(a_file_that_is_no_json_is_read_no_further)
{
	assert_false(read_file("[1,]"));
	ph_strict_end(&file);
	assert_int_equal(flaws.n_errors, 1);
	assert_int_equal(flaws.all[0].column, 3);
}

TEST(a_value_that_is_no_list_is_one_item)
{
	struct ph_raw_items	 it = ph_raw_items(BYTES("7"));
	struct ph_slice		 item;

	assert_true(ph_raw_next(&it, &item));
	assert_string_equal(shown(item), "7");
	assert_false(ph_raw_next(&it, &item));
	it = ph_raw_items(BYTES("[7, [8]]"));
	assert_true(ph_raw_next(&it, &item));
	assert_true(ph_raw_next(&it, &item));
	assert_string_equal(shown(item), "[8]");
	assert_false(ph_raw_next(&it, &item));
	assert_int_equal(it.n, 2);
}

TEST(a_byte_of_a_text_is_found_behind_escapes)
{
	static const struct { const char *raw; size_t byte, at; } rows[] = {
		{ "\"abc\"", 1, 2 }, { "\"\\nb\"", 1, 3 }, { "\"\\u0041b\"", 1, 7 },
		{ "\"\\u00e9b\"", 2, 7 }, { "\"\\u20acb\"", 3, 7 }, { "\"\\u20acb\"", 2, 1 },
		{ "\"\\ud83d\\ude00b\"", 4, 13 }, { "\"\xc3\xa9z\"", 2, 3 }, { "\"ab\"", 9, 3 },
	};
	size_t	 i;

	for (i = 0; i < COUNT_OF(rows); i++)
		assert_int_equal(ph_raw_at(slice(rows[i].raw), rows[i].byte) - rows[i].raw,
		    rows[i].at);
}

TEST(members_are_found_as_they_stand_and_no_other_is_passed_over)
{
	struct ph_raw_member	 m[] = { { .name = "one" }, { .name = "two" } };
	size_t			 order[2];

	assert_true(read_file("{\"two\":2,\"\\u006fne\":1,\"tow\":3,\"two\":4}"));
	assert_int_equal(ph_raw_members(&file, top, "x", m, 2, order), 2);
	assert_int_equal(order[0], 1);
	assert_int_equal(order[1], 0);
	assert_string_equal(shown(m[1].value), "2");
	ph_strict_end(&file);
	assert_int_equal(flaws.n_errors, 2);
	assert_string_equal(flaws.all[0].text, "unknown key 'tow'; did you mean 'two'?");
	assert_string_equal(flaws.all[1].text, "'two' is repeated");
}

TEST(a_text_is_the_callers_and_nothing_else_is_a_text)
{
	size_t	 len;
	char	*text;

	assert_true(read_file("[\"a\\u00e9\", 7, \"\\u0000\"]"));
	text = ph_raw_text(&file, (struct ph_slice){ top.at + 1, 9 }, "a text", &len);
	assert_string_equal(text, "a\xc3\xa9");
	assert_int_equal(len, 3);
	free(text);
	assert_null(ph_raw_text(&file, (struct ph_slice){ top.at + 12, 1 }, "a text", &len));
	assert_null(ph_raw_text(&file, (struct ph_slice){ top.at + 15, 8 }, "a text", &len));
	ph_strict_end(&file);
	assert_string_equal(flaws.all[0].text, "key: expected a text");
	assert_string_equal(flaws.all[1].text, "key: a text cannot have a NUL in it");
}

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		cmocka_unit_test(a_flaw_stands_where_the_file_has_it_not_where_its_copy_does),
		cmocka_unit_test(a_file_that_is_no_json_is_read_no_further),
		cmocka_unit_test(a_value_that_is_no_list_is_one_item),
		cmocka_unit_test(a_byte_of_a_text_is_found_behind_escapes),
		cmocka_unit_test(members_are_found_as_they_stand_and_no_other_is_passed_over),
		cmocka_unit_test(a_text_is_the_callers_and_nothing_else_is_a_text),
	};

	return cmocka_run_group_tests_name("raw", tests, NULL, NULL);
}
