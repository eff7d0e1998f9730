/*
 * test_message -- what the Send API takes: whole characters, whole words, one token.
 * Knows message; json reads it back.  Does not know who says what.
 * Called by make check.
 * Lives on its stack.
 * SPDX-License-Identifier: ISC
 */
#include "json.h"
#include "message.h"
#include "unit.h"

static struct ph_buffer	 text;

static void
repeat(const char *what, size_t times)
{
	while (times-- > 0)
		ph_buffer_adds(&text, what);
}

static int
begin(void **state)
{
	(void)state;
	ph_buffer_reset(&text);
	return 0;
}

static int
forget(void **state)
{
	(void)state;
	ph_buffer_clear(&text);
	return 0;
}

TEST(what_fits_is_one_message)
{
	struct ph_slice	 rest = BYTES("Hello, world"), part = ph_message_cut(&rest);

	assert_string_equal(shown(part), "Hello, world");
	assert_int_equal(rest.len, 0);
	repeat("x", 2000);
	rest = PH_SLICE(&text);
	assert_int_equal(ph_message_cut(&rest).len, 2000);
	assert_int_equal(ph_message_cut(&rest).len, 0);
}

TEST(nothing_but_blanks_is_no_message)
{
	static const char *const	 blanks[] = { "", " ", "\n\t\r ", "      " };
	size_t				 i;

	for (i = 0; i < COUNT_OF(blanks); i++) {
		struct ph_slice	 rest = slice(blanks[i]);

		assert_int_equal(ph_message_cut(&rest).len, 0);
	}
}

TEST(a_long_text_is_split_at_a_word)
{
	struct ph_slice	 rest, part;
	size_t		 words = 0;

	repeat("nine char ", 450);			/* 4500 characters, 900 words */
	rest = PH_SLICE(&text);
	while ((part = ph_message_cut(&rest)).len > 0) {
		assert_true(part.len <= PH_MESSAGE_MAX_TEXT && (part.len > 1990 || rest.len == 0));
		assert_memory_equal(part.at, part.at[0] == 'n' ? "nine" : "char", 4);
		assert_true(part.at + part.len == text.data + text.len || part.at[part.len] == ' ');
		words += (part.len + 1) / 5;
	}
	assert_int_equal(words, 900);
}

TEST(a_word_without_end_is_split_where_it_must)
{
	struct ph_slice	 rest;

	repeat("x", 4001);
	rest = PH_SLICE(&text);
	assert_int_equal(ph_message_cut(&rest).len, 2000);
	assert_int_equal(ph_message_cut(&rest).len, 2000);
	assert_int_equal(ph_message_cut(&rest).len, 1);
	assert_int_equal(ph_message_cut(&rest).len, 0);
}

TEST(no_character_is_split_and_those_of_two_units_count_twice)
{
	static const struct { const char *one; size_t units; } rows[] = {
		{ "\xc3\xa9", 1 }, { "\xe2\x82\xac", 1 }, { "\xf0\x9f\x98\x80", 2 },
	};
	struct ph_slice	 rest, part;
	size_t		 i, n;

	for (i = 0; i < COUNT_OF(rows); i++) {
		n = strlen(rows[i].one);
		ph_buffer_reset(&text);
		repeat("x", i);				/* shift the limit into the characters */
		repeat(rows[i].one, 2500);
		rest = PH_SLICE(&text);
		part = ph_message_cut(&rest);
		assert_int_equal(part.len, i + (2000 - i) / rows[i].units * n);
		assert_memory_equal(rest.at, rows[i].one, n);
		while ((part = ph_message_cut(&rest)).len > 0)
			assert_int_equal(part.len % n, 0);
	}
}

TEST(a_text_becomes_a_message_object)
{
	struct ph_buffer	 out = PH_BUFFER_INIT;

	ph_message_format_text(BYTES("say \"hi\"\n\xc3\xa9\0!"), &out);
	assert_string_equal(out.data, "{\"text\":\"say \\\"hi\\\"\\n\xc3\xa9!\"}");
	ph_buffer_clear(&out);
}

static const unsigned char	 token[PH_TOKEN_LEN] = { 0xde, 0xad, 0xbe, 0xef, 15 };

TEST(a_request_carries_recipient_type_and_token)
{
	struct ph_buffer	 out = PH_BUFFER_INIT;

	ph_message_format_send(BYTES("7001"), BYTES("{\"text\":\"hello\"}"), token, &out);
	assert_string_equal(out.data, "{\"recipient\":{\"id\":\"7001\"},\"messaging_type\":\"RESPONSE\","
	    "\"message\":{\"metadata\":\"ph1:deadbeef0f0000000000000000000000\",\"text\":\"hello\"}}");
	ph_buffer_clear(&out);
}

TEST(a_request_is_json_whatever_the_person_is_called)
{
	static const struct ph_slice	 rows[] = {
		{ "7\"},\"x\":{\"", 10 }, { "\\", 1 }, { "\0\x01", 2 }, { "", 0 },
	};
	struct ph_buffer		 out = PH_BUFFER_INIT;
	struct ph_json			*v;
	struct ph_fail			 fail = PH_FAIL_INIT;
	size_t				 i;

	for (i = 0; i < COUNT_OF(rows); i++) {
		ph_buffer_reset(&out);
		ph_message_format_send(rows[i], BYTES("{}"), token, &out);
		must(ph_json_parse(PH_SLICE(&out), &v, &fail), &fail);
		assert_string_equal(ph_json_name(v, 1), "messaging_type");
		assert_null(ph_json_name(v, 3));
		assert_non_null(ph_json_get(ph_json_get(v, "message"), "metadata"));
		ph_json_free(v);
	}
	ph_buffer_clear(&out);
}

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		cmocka_unit_test_setup(what_fits_is_one_message, begin),
		cmocka_unit_test(nothing_but_blanks_is_no_message),
		cmocka_unit_test_setup(a_long_text_is_split_at_a_word, begin),
		cmocka_unit_test_setup(a_word_without_end_is_split_where_it_must, begin),
		cmocka_unit_test_setup(no_character_is_split_and_those_of_two_units_count_twice, begin),
		cmocka_unit_test(a_text_becomes_a_message_object),
		cmocka_unit_test(a_request_carries_recipient_type_and_token),
		cmocka_unit_test(a_request_is_json_whatever_the_person_is_called),
	};

	return cmocka_run_group_tests_name("message", tests, NULL, forget);
}
