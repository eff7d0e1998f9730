/*
 * test_scan -- what is JSON, to the byte.
 * Knows scan.  Does not know what a webhook looks like.
 * Called by make check.
 * Lives on its stack.
 * SPDX-License-Identifier: ISC
 */
#include <stdlib.h>

#include "events.h"
#include "scan.h"

static enum ph_error
scan_whole(struct ph_slice bytes, struct ph_fail *fail)
{
	struct ph_scan	 scan;

	*fail = (struct ph_fail)PH_FAIL_INIT;
	ph_scan_begin(&scan, bytes);
	ph_scan_skip(&scan, NULL);
	return ph_scan_end(&scan, fail);
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
	for (i = 1; i < PH_SCAN_MAX_MARKS; i++)
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
	struct ph_scan	 s;
	struct ph_slice		 key, value;
	struct ph_fail		 fail = PH_FAIL_INIT;

	ph_scan_begin(&s, BYTES(text));
	assert_false(ph_scan_enter(&s, '['));
	assert_true(ph_scan_enter(&s, '{'));
	assert_true(ph_scan_member(&s, &key));
	assert_string_equal(shown(key), "a");
	assert_true(ph_scan_enter(&s, '['));
	assert_true(ph_scan_element(&s));
	ph_scan_skip(&s, &value);
	assert_string_equal(shown(value), "1");
	assert_true(ph_scan_element(&s));
	ph_scan_skip(&s, &value);
	assert_string_equal(shown(value), "\"x\\/y\"");
	assert_false(ph_scan_element(&s));
	assert_true(ph_scan_member(&s, &key));
	assert_true(ph_scan_key_is(key, "bb"));
	ph_scan_skip(&s, &value);
	assert_string_equal(shown(value), "{ \"c\":null }");
	assert_false(ph_scan_member(&s, &key));
	must(ph_scan_end(&s, &fail), &fail);
}

TEST(a_key_is_what_it_means)
{
	assert_true(ph_scan_key_is(BYTES("entry"), "entry"));
	assert_true(ph_scan_key_is(BYTES("\\u0065ntry"), "entry"));
	assert_false(ph_scan_key_is(BYTES("entr"), "entry"));
	assert_true(ph_scan_key_is(BYTES("e\\u006etry"), "entry"));
	assert_false(ph_scan_key_is(BYTES("entry\\u0000"), "entry"));
	assert_false(ph_scan_key_is(BYTES("\\u0065"), "entry"));
	assert_true(ph_scan_key_is(BYTES("a\\/\\n\\\\\\u004A"), "a/\n\\J"));
	assert_false(ph_scan_key_is(BYTES("\\u0165ntry"), "entry"));	/* only the low byte is that of an e */
}

TEST(a_nul_can_stand_in_a_value_but_in_no_key)
{
	struct ph_fail	 fail;

	assert_int_equal(scan_whole(BYTES("{\"a\":\"\\u0000\",\"b\":{\"\\\\u0000\":1}}"), &fail), PH_OK);
	assert_int_equal(scan_whole(BYTES("[{\"a\":{\"x\\u0000\":1}}]"), &fail), PH_TOOBIG);
	assert_string_equal(fail.text, "beyond a limit at byte 16: expected no NUL in a key");
}

TEST(a_member_is_found_wherever_it_stands)
{
	static const struct { const char *object, *value; } rows[] = {
		{ "{\"mid\":\"m\",\"x\":1}", "\"m\"" }, { " { \"x\" : { \"mid\" : 2 } , \"mid\" : 17 } ", "17" },
		{ "{\"\\u006did\":[ 1 ]}", "[ 1 ]" }, { "{\"mid\":1,\"m\\u0069d\":2}", "2" },
		{ "{\"mid\":1,\"mid\":null}", "(absent)" }, { "{\"mid\":null,\"mid\":1}", "1" },
		{ "{\"x\":{\"mid\":1},\"mi\":1,\"midi\":1,\"\":1}", "(absent)" }, { "{}", "(absent)" },
		{ "[\"mid\"]", "(absent)" }, { "\"mid\"", "(absent)" }, { "null", "(absent)" },
	};
	size_t	 i;

	for (i = 0; i < COUNT_OF(rows); i++)
		assert_string_equal(shown(ph_scan_find(slice(rows[i].object), "mid")), rows[i].value);
	assert_string_equal(shown(ph_scan_find((struct ph_slice){ NULL, 0 }, "mid")), "(absent)");
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
		cmocka_unit_test(a_nul_can_stand_in_a_value_but_in_no_key),
		cmocka_unit_test(a_member_is_found_wherever_it_stands),
	};

	return cmocka_run_group_tests_name("scan", tests, NULL, NULL);
}
