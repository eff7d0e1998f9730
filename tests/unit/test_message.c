/*
 * test_message -- what is sent of a text: whole characters, whole words, one token.
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

/* Sets out to what, every ' turned into ". */
static void
quote(const char *what, struct ph_buffer *out)
{
	char	*p;

	ph_buffer_reset(out);
	ph_buffer_adds(out, what);
	for (p = out->data; *p != '\0'; p++)
		if (*p == '\'')
			*p = '"';
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

	ph_message_format_send("", BYTES("7001"), BYTES("{\"text\":\"hello\"}"), token, &out);
	assert_string_equal(out.data, "{\"recipient\":{\"id\":\"7001\"},\"messaging_type\":\"RESPONSE\","
	    "\"message\":{\"metadata\":\"ph1:deadbeef0f0000000000000000000000\",\"text\":\"hello\"}}");
	ph_buffer_clear(&out);
}

TEST(each_kind_has_its_request_and_its_edge)
{
	static const struct { const char *kind, *person, *message, *edge, *request; } rows[] = {
		{ "", "user_ref:ab:c", "{'text':'x'}", "messages", "{'recipient':{'user_ref':'ab:c'},"
		    "'messaging_type':'RESPONSE','message':{'metadata':'TOKEN','text':'x'}}" },
		{ PH_MESSAGE_UPDATE, "7001", "{'text':'x'}", "messages", "{'recipient':{'id':'7001'},"
		    "'messaging_type':'UPDATE','message':{'metadata':'TOKEN','text':'x'}}" },
		{ PH_MESSAGE_HUMAN_AGENT, "7001", "{'text':'x'}", "messages", "{'recipient':{'id':'7001'},"
		    "'messaging_type':'MESSAGE_TAG','tag':'HUMAN_AGENT',"
		    "'message':{'metadata':'TOKEN','text':'x'}}" },
		{ PH_MESSAGE_UPDATE, "7001", "{}", "messages", "{'recipient':{'id':'7001'},"
		    "'messaging_type':'UPDATE','message':{'metadata':'TOKEN'}}" },
		{ PH_MESSAGE_PASS_THREAD, "7001", "{'target_app_id':'263902037430900'}",
		    "pass_thread_control", "{'recipient':{'id':'7001'},'target_app_id':'263902037430900'}" },
	};
	static const char	 hex[] = "ph1:deadbeef0f0000000000000000000000";
	struct ph_buffer	 out = PH_BUFFER_INIT;
	char			*at;
	size_t			 i;

	for (i = 0; i < COUNT_OF(rows); i++) {
		quote(rows[i].message, &text);
		ph_buffer_reset(&out);
		ph_message_format_send(rows[i].kind, slice(rows[i].person), PH_SLICE(&text), token, &out);
		quote(rows[i].request, &text);
		if ((at = strstr(out.data, hex)) != NULL) {
			memcpy(at, "TOKEN", 5);
			memmove(at + 5, at + sizeof(hex) - 1, strlen(at + sizeof(hex) - 1) + 1);
		}
		assert_string_equal(out.data, text.data);
		assert_string_equal(ph_message_edge(rows[i].kind), rows[i].edge);
	}
	ph_buffer_clear(&out);
}

TEST(a_request_is_json_whatever_the_person_is_called)
{
	static const struct ph_slice	 rows[] = {
		{ "7\"},\"x\":{\"", 10 }, { "\\", 1 }, { "\0\x01", 2 }, { "", 0 }, { "user_ref:", 9 },
		{ "user_ref:\"}", 11 },
	};
	struct ph_buffer		 out = PH_BUFFER_INIT;
	struct ph_json			*v;
	struct ph_fail			 fail = PH_FAIL_INIT;
	size_t				 i;

	for (i = 0; i < COUNT_OF(rows); i++) {
		ph_buffer_reset(&out);
		ph_message_format_send("", rows[i], BYTES("{}"), token, &out);
		must(ph_json_parse(PH_SLICE(&out), &v, &fail), &fail);
		assert_string_equal(ph_json_name(v, 1), "messaging_type");
		assert_null(ph_json_name(v, 3));
		assert_non_null(ph_json_get(ph_json_get(v, "message"), "metadata"));
		ph_json_free(v);
	}
	ph_buffer_clear(&out);
}

TEST(a_sender_action_says_to_whom_and_what)
{
	struct ph_buffer	 out = PH_BUFFER_INIT;

	ph_message_format_action(BYTES("7001"), "typing_on", &out);
	assert_string_equal(out.data, "{\"recipient\":{\"id\":\"7001\"},\"sender_action\":\"typing_on\"}");
	ph_buffer_reset(&out);
	ph_message_format_action(BYTES("user_ref:a\"b"), "mark_seen", &out);
	assert_string_equal(out.data,
	    "{\"recipient\":{\"user_ref\":\"a\\\"b\"},\"sender_action\":\"mark_seen\"}");
	ph_buffer_clear(&out);
}

TEST(what_another_pagehook_said_is_ours_too)
{
	static const struct { const char *metadata; bool ours, token; } rows[] = {
		{ "ph1:deadbeef0f0000000000000000000000", true, true },
		{ "ph1:deadbeef0f000000000000000000000", true, false }, { "ph1:", false, false },
		{ "ph1:zeadbeef0f0000000000000000000000", true, false },
		{ "ph2:deadbeef0f0000000000000000000000", false, false }, { "", false, false },
		{ "hello", false, false },
	};
	unsigned char	 read[PH_TOKEN_LEN];
	size_t		 i;

	for (i = 0; i < COUNT_OF(rows); i++) {
		assert_int_equal(ph_message_is_ours(slice(rows[i].metadata)), rows[i].ours);
		assert_int_equal(ph_message_parse_token(slice(rows[i].metadata), read), rows[i].token);
	}
	assert_false(ph_message_is_ours((struct ph_slice){ NULL, 0 }));
	assert_true(ph_message_parse_token(slice(rows[0].metadata), read));
	assert_memory_equal(read, token, sizeof(token));
}

TEST(a_cut_at_another_limit_counts_the_same)
{
	struct ph_slice	 rest = BYTES("one two three");

	assert_string_equal(shown(ph_message_cut_at(&rest, 8)), "one two");
	assert_string_equal(shown(ph_message_cut_at(&rest, 3)), "thr");
	assert_string_equal(shown(ph_message_cut_at(&rest, 3)), "ee");
}

#define FAMILY	"\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x91\xa7"	/* 5 units */
#define THUMB	"\xf0\x9f\x91\x8d\xf0\x9f\x8f\xbd"			/* with its colour: 4 */
#define HEART	"\xe2\x9d\xa4\xef\xb8\x8f"				/* with its form: 2 */
#define FLAG	"\xf0\x9f\x87\xa9\xf0\x9f\x87\xaa"			/* two letters: 4 */
#define ACUTE	"e\xcc\x81"						/* with its accent: 2 */

TEST(what_is_seen_as_one_is_not_split)
{
	static const struct { const char *one; size_t units; } rows[] = {
		{ FAMILY, 5 }, { THUMB, 4 }, { HEART, 2 }, { FLAG, 4 }, { ACUTE, 2 },
	};
	struct ph_slice	 rest, part;
	size_t		 i, more, n;

	for (i = 0; i < COUNT_OF(rows); i++)
		for (more = 0; more < rows[i].units; more++) {
			n = strlen(rows[i].one);
			ph_buffer_reset(&text);
			repeat(rows[i].one, 9);
			rest = PH_SLICE(&text);
			part = ph_message_cut_at(&rest, 3 * rows[i].units + more);
			assert_int_equal(part.len, 3 * n);
			part = ph_message_cut_at(&rest, 3 * rows[i].units + more);
			assert_int_equal(part.len, 3 * n);
		}
}

TEST(marks_without_end_are_split_where_they_must)
{
	struct ph_slice	 rest;

	ph_buffer_adds(&text, "e");
	repeat("\xcc\x81", 300);
	rest = PH_SLICE(&text);
	assert_int_equal(ph_message_cut_at(&rest, 100).len, 1 + 99 * 2);
	assert_int_equal(ph_message_cut_at(&rest, 20).len, 40);
	rest = BYTES(FLAG FLAG);
	assert_int_equal(ph_message_cut_at(&rest, 2).len, 4);		/* less than one flag: no way */
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
		cmocka_unit_test_setup(each_kind_has_its_request_and_its_edge, begin),
		cmocka_unit_test(a_request_is_json_whatever_the_person_is_called),
		cmocka_unit_test(a_sender_action_says_to_whom_and_what),
		cmocka_unit_test(what_another_pagehook_said_is_ours_too),
		cmocka_unit_test(a_cut_at_another_limit_counts_the_same),
		cmocka_unit_test_setup(what_is_seen_as_one_is_not_split, begin),
		cmocka_unit_test_setup(marks_without_end_are_split_where_they_must, begin),
	};

	return cmocka_run_group_tests_name("message", tests, NULL, forget);
}
