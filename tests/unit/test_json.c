/*
 * test_json -- a strict scan, and values whose types never surprise.
 * Knows json.  Does not know what a webhook looks like.
 * Called by make check.
 * Lives on its stack.
 * SPDX-License-Identifier: ISC
 */
#include <stdlib.h>

#include "events.h"
#include "json.h"

static enum ph_error
scan_whole(struct ph_slice bytes, struct ph_fail *fail)
{
	struct ph_json_scan	 scan;

	*fail = (struct ph_fail)PH_FAIL_INIT;
	ph_json_begin(&scan, bytes);
	ph_json_skip(&scan, NULL);
	return ph_json_end(&scan, fail);
}

TEST(what_rfc_8259_allows_passes)
{
	static const char *const	 rows[] = {
		"{}", "[]", " \t\r\n{ } \n", "null", "true", "false", "0", "-0", "-1.5e+10", "1E400", "\"\"",
		"[1,[2,[]],{\"a\":{}}]", "{\"\":1,\"\":2}", "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\"",
		"\"\\ud83d\\ude00 \\ud800 \\u0000\"", "\"\x7f\"", "\"\xc2\x80 \xdf\xbf \xe0\xa0\x80\"",
		"\"\xed\x9f\xbf \xee\x80\x80 \xf0\x90\x80\x80 \xf4\x8f\xbf\xbf\"",
	};
	struct ph_fail			 fail;
	size_t				 i;

	for (i = 0; i < COUNT_OF(rows); i++)
		if (scan_whole(slice(rows[i]), &fail) != PH_OK)
			fail_msg("%s: %s", rows[i], fail.text);
}

/* Most of these are success for the library behind, even in its strict mode. */
TEST(what_it_does_not_allow_is_refused)
{
	static const struct ph_slice	 rows[] = {
		{ "", 0 }, { " ", 1 }, { "{", 1 }, { "[", 1 }, { "\"a", 2 }, { "{\"a\":1", 6 },
		{ "NaN", 3 }, { "Infinity", 8 }, { "-Infinity", 9 }, { "nul", 3 }, { "True", 4 },
		{ "{'a':1}", 7 }, { "'a'", 3 }, { "{a:1}", 5 }, { "{1:1}", 5 }, { "{\"a\" 1}", 7 },
		{ "{\"a\":}", 6 }, { "{\"a\":1,}", 8 }, { "{,}", 3 }, { "{\"a\":1 \"b\":2}", 13 },
		{ "[1,]", 4 }, { "[,1]", 4 }, { "[1 2]", 5 }, { "[1}", 3 }, { "{]", 2 },
		{ "01", 2 }, { "-", 1 }, { "+1", 2 }, { ".5", 2 }, { "1.", 2 }, { "1e", 2 }, { "1e+", 3 },
		{ "0x1", 3 }, { "\"a\nb\"", 5 }, { "\"a\0b\"", 5 }, { "\"\\x41\"", 6 }, { "\"\\u12\"", 6 },
		{ "\"\\u12g4\"", 8 }, { "\"\\\0\"", 4 }, { "\"\\", 2 }, { "{}{}", 4 }, { "{}x", 3 },
		{ "{}\0{}", 5 }, { "{}\0", 3 }, { "\xef\xbb\xbf{}", 5 }, { "/**/{}", 6 }, { "{}//", 4 },
		{ "\"\xff\"", 3 }, { "\"\x80\"", 3 }, { "\"\xc3\"", 3 }, { "\"\xc0\xaf\"", 4 },
		{ "\"\xe0\x80\x80\"", 5 }, { "\"\xed\xa0\x80\"", 5 }, { "\"\xf0\x80\x80\x80\"", 6 },
		{ "\"\xf4\x90\x80\x80\"", 6 }, { "\"\xf5\x80\x80\x80\"", 6 }, { "\xc2\xa0{}", 4 },
	};
	struct ph_fail			 fail;
	size_t				 i;

	for (i = 0; i < COUNT_OF(rows); i++)
		if (scan_whole(rows[i], &fail) != PH_MALFORMED)
			fail_msg("row %zu, %s, is no JSON", i, rows[i].at);
}

TEST(no_byte_beyond_the_end_is_read_and_the_wrong_one_named)
{
	static const char	 whole[] = "{\"a\":[-1.5e3,true,null,\"\\u00e9 \xf0\x9f\x98\x80\"]}";
	struct ph_fail		 fail;
	char			*bytes;
	size_t			 n;

	for (n = 1; n < sizeof(whole) - 1; n++) {
		assert_non_null(bytes = malloc(n));
		memcpy(bytes, whole, n);
		assert_int_equal(scan_whole((struct ph_slice){ bytes, n }, &fail), PH_MALFORMED);
		free(bytes);
	}
	assert_int_equal(scan_whole(BYTES(whole), &fail), PH_OK);
	assert_int_equal(scan_whole(BYTES("{\"a\":nil}"), &fail), PH_MALFORMED);
	assert_non_null(strstr(fail.text, "byte 5"));
}

TEST(thirty_two_levels_are_the_limit)
{
	char		 text[80];
	struct ph_fail	 fail;

	memset(text, '[', 33);
	memset(text + 33, ']', 33);
	assert_int_equal(scan_whole((struct ph_slice){ text + 1, 64 }, &fail), PH_OK);
	assert_int_equal(scan_whole((struct ph_slice){ text, 66 }, &fail), PH_TOOBIG);
}

TEST(two_hundred_thousand_commas_and_brackets_are_the_limit)
{
	struct ph_buffer	 b = PH_BUFFER_INIT;
	struct ph_fail		 fail;
	size_t			 i;

	ph_buffer_adds(&b, "[0");			/* one mark, and one each */
	for (i = 1; i < PH_JSON_MAX_MARKS; i++)
		ph_buffer_adds(&b, ",0");
	ph_buffer_adds(&b, "]");
	assert_int_equal(scan_whole(PH_SLICE(&b), &fail), PH_OK);
	b.data[b.len - 1] = ',';
	ph_buffer_adds(&b, "0]");
	assert_int_equal(scan_whole(PH_SLICE(&b), &fail), PH_TOOBIG);
	ph_buffer_clear(&b);
}

TEST(a_walk_gives_keys_and_raw_values)
{
	static const char	 text[] = " { \"a\" : [ 1, \"x\\/y\" ] , \"b\\u0062\":{ \"c\":null } } ";
	struct ph_json_scan	 s;
	struct ph_slice		 key, value;
	struct ph_fail		 fail = PH_FAIL_INIT;

	ph_json_begin(&s, BYTES(text));
	assert_false(ph_json_enter(&s, '['));
	assert_true(ph_json_enter(&s, '{'));
	assert_true(ph_json_member(&s, &key));
	assert_string_equal(shown(key), "a");
	assert_true(ph_json_enter(&s, '['));
	assert_true(ph_json_element(&s));
	ph_json_skip(&s, &value);
	assert_string_equal(shown(value), "1");
	assert_true(ph_json_element(&s));
	ph_json_skip(&s, &value);
	assert_string_equal(shown(value), "\"x\\/y\"");
	assert_false(ph_json_element(&s));
	assert_true(ph_json_member(&s, &key));
	assert_true(ph_json_key_is(key, "bb"));
	ph_json_skip(&s, &value);
	assert_string_equal(shown(value), "{ \"c\":null }");
	assert_false(ph_json_member(&s, &key));
	must(ph_json_end(&s, &fail), &fail);
}

TEST(a_key_is_what_it_means)
{
	assert_true(ph_json_key_is(BYTES("entry"), "entry"));
	assert_true(ph_json_key_is(BYTES("\\u0065ntry"), "entry"));
	assert_false(ph_json_key_is(BYTES("entr"), "entry"));
	assert_false(ph_json_key_is(BYTES("entry\\u0000"), "entry"));
}

/* Values. */

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
		{ "'7001'", "7001" }, { "'m_a1'", "m_a1" }, { "''", "" }, { "7001", "7001" },
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
		cmocka_unit_test(what_rfc_8259_allows_passes),
		cmocka_unit_test(what_it_does_not_allow_is_refused),
		cmocka_unit_test(no_byte_beyond_the_end_is_read_and_the_wrong_one_named),
		cmocka_unit_test(thirty_two_levels_are_the_limit),
		cmocka_unit_test(two_hundred_thousand_commas_and_brackets_are_the_limit),
		cmocka_unit_test(a_walk_gives_keys_and_raw_values),
		cmocka_unit_test(a_key_is_what_it_means),
		cmocka_unit_test(bare_words_and_numbers_are_whole_values),
		cmocka_unit_test(what_follows_a_value_is_no_part_of_it),
		cmocka_unit_test(ids_keep_every_digit_or_are_absent),
		cmocka_unit_test(a_flag_in_doubt_is_set),
		cmocka_unit_test(members_that_are_null_are_not_there),
		cmocka_unit_test(a_value_where_an_array_belongs_is_an_array_of_one),
		cmocka_unit_test(text_is_by_length_and_a_lone_surrogate_is_replaced),
		cmocka_unit_test(numbers_are_numbers_only),
	};

	return cmocka_run_group_tests_name("json", tests, NULL, NULL);
}
