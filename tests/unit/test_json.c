/*
 * test_json -- values whose types never surprise.
 * Knows json.  Does not know what a webhook looks like.
 * Called by make check.
 * Lives on its stack.
 * SPDX-License-Identifier: ISC
 */
#include <stdlib.h>

#include "events.h"
#include "json.h"

static struct ph_json *
tree_of(const char *text)
{
	char		 bytes[512];
	struct ph_json	*tree;
	struct ph_fail	 fail = PH_FAIL_INIT;

	must(ph_json_parse(quoted(text, bytes, sizeof(bytes)), &tree, &fail), &fail);
	return tree;
}

TEST(bare_words_and_numbers_are_whole_values)
{
	struct ph_json	*v = tree_of("12");
	int64_t		 n;

	assert_true(ph_json_integer(v, &n) && n == 12);
	ph_json_free(v);
	assert_null(v = tree_of("null"));
	ph_json_free(v);
	v = tree_of("true");
	assert_true(ph_json_flag(v));
	ph_json_free(v);
}

TEST(what_follows_a_value_is_no_part_of_it)
{
	struct ph_json	*v;

	assert_int_equal(ph_json_parse(BYTES("{}\0{}"), &v, NULL), PH_MALFORMED);
	assert_null(v);
	assert_int_equal(ph_json_parse(BYTES("{} x"), &v, NULL), PH_MALFORMED);
	assert_int_equal(ph_json_parse(BYTES("{"), &v, NULL), PH_MALFORMED);
	assert_null(v);
}

TEST(ids_keep_every_digit_or_are_absent)
{
	static const struct { const char *json, *id; } rows[] = {
		{ "'7001'", "7001" }, { "'m_a1'", "m_a1" }, { "''", "(absent)" }, { "7001", "7001" },
		{ "9007199254740993", "9007199254740993" },		/* no double holds it */
		{ "9223372036854775808", "9223372036854775808" },
		{ "18446744073709551614", "18446744073709551614" },
		{ "18446744073709551615", "(absent)" },			/* the clamp */
		{ "99999999999999999999999", "(absent)" },
		{ "-99999999999999999999999", "(absent)" },
		{ "-7", "-7" }, { "7001.0", "(absent)" }, { "7e3", "(absent)" }, { "true", "(absent)" },
		{ "null", "(absent)" }, { "{'id':1}", "(absent)" }, { "[1]", "(absent)" },
	};
	char	 digits[PH_JSON_DIGITS];
	size_t	 i;

	for (i = 0; i < COUNT_OF(rows); i++) {
		struct ph_json	*v = tree_of(rows[i].json);

		assert_string_equal(shown(ph_json_id(v, digits)), rows[i].id);
		ph_json_free(v);
	}
}

TEST(an_id_is_read_with_or_without_the_parser)
{
	static const struct { const char *json, *id; bool parsed; } rows[] = {
		{ "'7001'", "7001", false }, { "123456789012345678", "123456789012345678", false },
		{ "'a\\u0041\\/'", "aA/", true }, { "9007199254740993000", "9007199254740993000", true },
		{ "-7", "-7", true }, { "18446744073709551615", "(absent)", true },
		{ "''", "(absent)", true }, { "{'id':1}", "(absent)", true },
		{ "null", "(absent)", false }, { "broken", "(absent)", false },
	};
	char		 bytes[64], digits[PH_JSON_DIGITS];
	struct ph_json	*tree;
	struct ph_slice	 id;
	size_t		 i;

	for (i = 0; i < COUNT_OF(rows); i++) {
		assert_int_equal(ph_json_read_id(quoted(rows[i].json, bytes, sizeof(bytes)), &tree, digits,
		    &id), PH_OK);
		assert_string_equal(shown(id), rows[i].id);
		assert_int_equal(tree != NULL, rows[i].parsed);
		ph_json_free(tree);
	}
	assert_int_equal(ph_json_read_id((struct ph_slice){ NULL, 0 }, &tree, digits, &id), PH_OK);
	assert_string_equal(shown(id), "(absent)");
	assert_null(tree);
}

/* Whatever became of the parse before: a broken one, half of one, half of a character, a very long one. */
TEST(each_parse_begins_anew)
{
	struct ph_buffer	 text = PH_BUFFER_INIT;
	struct ph_slice		 before[] = { BYTES("{\"a\":[1,{\"b\":"), BYTES("\"half \\u00"), BYTES("}"),
		BYTES("\"\\ud83d\\u"), { NULL, 0 } };
	const size_t		 last = COUNT_OF(before) - 1;
	struct ph_json		*v;
	size_t			 i;

	ph_buffer_adds(&text, "\"");
	for (i = 0; i < 100000; i++)
		ph_buffer_adds(&text, "z");
	ph_buffer_adds(&text, "\"");
	before[last] = PH_SLICE(&text);
	for (i = 0; i < COUNT_OF(before); i++) {
		assert_int_equal(ph_json_parse(before[i], &v, NULL), i < last ? PH_MALFORMED : PH_OK);
		assert_int_equal(ph_json_text(v).len, i < last ? 0 : 100000);
		ph_json_free(v);
		v = tree_of("{'a':'caf\\u00e9'}");
		assert_string_equal(shown(ph_json_text(ph_json_get(v, "a"))), "caf\xc3\xa9");
		assert_null(ph_json_name(v, 1));
		ph_json_free(v);
	}
	ph_buffer_clear(&text);
}

TEST(a_flag_in_doubt_is_set)
{
	static const struct { const char *json; bool set; } rows[] = {
		{ "{'f':true}", true }, { "{'f':1}", true }, { "{'f':0.5}", true }, { "{'f':'true'}", true },
		{ "{'f':'1'}", true }, { "{'f':{}}", true }, { "{'f':[]}", true }, { "{'f':'no'}", true },
		{ "{}", false }, { "{'f':null}", false }, { "{'f':false}", false }, { "{'f':0}", false },
		{ "{'f':0.0}", false }, { "{'f':''}", false }, { "{'f':'0'}", false },
		{ "{'f':'false'}", false },
	};
	size_t	 i;

	for (i = 0; i < COUNT_OF(rows); i++) {
		struct ph_json	*v = tree_of(rows[i].json);

		if (ph_json_flag(ph_json_get(v, "f")) != rows[i].set)
			fail_msg("%s", rows[i].json);
		ph_json_free(v);
	}
}

TEST(members_that_are_null_are_not_there)
{
	struct ph_json	*v = tree_of("{'a':null,'b':1,'c':null,'d':'x','b':2}");
	int64_t		 n;

	assert_null(ph_json_get(v, "a"));
	assert_null(ph_json_get(v, "z"));
	assert_null(ph_json_get(NULL, "a"));
	assert_null(ph_json_get(ph_json_get(v, "b"), "a"));
	assert_true(ph_json_integer(ph_json_get(v, "b"), &n) && n == 2);	/* the last wins */
	assert_string_equal(ph_json_name(v, 0), "b");
	assert_string_equal(ph_json_name(v, 1), "d");
	assert_null(ph_json_name(v, 2));
	assert_null(ph_json_name(NULL, 0));
	ph_json_free(v);
}

TEST(a_value_where_an_array_belongs_is_an_array_of_one)
{
	struct ph_json	*v = tree_of("{'list':['a','b'],'one':'c','none':[]}");

	assert_int_equal(ph_json_count(ph_json_get(v, "list")), 2);
	assert_string_equal(shown(ph_json_text(ph_json_at(ph_json_get(v, "list"), 1))), "b");
	assert_int_equal(ph_json_count(ph_json_get(v, "one")), 1);
	assert_string_equal(shown(ph_json_text(ph_json_at(ph_json_get(v, "one"), 0))), "c");
	assert_int_equal(ph_json_count(ph_json_get(v, "none")), 0);
	assert_int_equal(ph_json_count(NULL), 0);
	ph_json_free(v);
}

TEST(text_is_by_length_and_a_lone_surrogate_is_replaced)
{
	struct ph_json	*v = tree_of("'a\\u0000b \\ud83d\\ude00 \\ud800'");
	struct ph_slice	 text = ph_json_text(v);

	assert_int_equal(text.len, 12);
	assert_memory_equal(text.at, "a\0b \xf0\x9f\x98\x80 \xef\xbf\xbd", 12);
	ph_json_free(v);
}

TEST(numbers_are_numbers_only)
{
	struct ph_json	*v = tree_of("{'i':-5,'d':1.5,'s':'5','big':9223372036854775808}");
	int64_t		 n;
	double		 d;

	assert_true(ph_json_integer(ph_json_get(v, "i"), &n) && n == -5);
	assert_false(ph_json_integer(ph_json_get(v, "d"), &n));
	assert_false(ph_json_integer(ph_json_get(v, "s"), &n));
	assert_false(ph_json_integer(ph_json_get(v, "big"), &n));
	assert_false(ph_json_integer(NULL, &n));
	assert_true(ph_json_number(ph_json_get(v, "d"), &d) && d > 1.4 && d < 1.6);
	assert_true(ph_json_number(ph_json_get(v, "i"), &d));
	assert_false(ph_json_number(ph_json_get(v, "s"), &d));
	ph_json_free(v);
}

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		cmocka_unit_test(bare_words_and_numbers_are_whole_values),
		cmocka_unit_test(what_follows_a_value_is_no_part_of_it),
		cmocka_unit_test(ids_keep_every_digit_or_are_absent),
		cmocka_unit_test(an_id_is_read_with_or_without_the_parser),
		cmocka_unit_test(each_parse_begins_anew),
		cmocka_unit_test(a_flag_in_doubt_is_set),
		cmocka_unit_test(members_that_are_null_are_not_there),
		cmocka_unit_test(a_value_where_an_array_belongs_is_an_array_of_one),
		cmocka_unit_test(text_is_by_length_and_a_lone_surrogate_is_replaced),
		cmocka_unit_test(numbers_are_numbers_only),
	};

	return cmocka_run_group_tests_name("json", tests, NULL, NULL);
}
