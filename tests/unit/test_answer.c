/*
 * test_answer -- what handlers say, well and badly.
 * Knows answer.  Does not know processes.
 * Called by make check.
 * Lives on its stack.
 * SPDX-License-Identifier: ISC
 */
#include "answer.h"
#include "unit.h"

static struct ph_buffer	 out;

static int
begin(void **state)
{
	(void)state;
	ph_buffer_reset(&out);
	return 0;
}

static int
forget(void **state)
{
	(void)state;
	ph_buffer_clear(&out);
	return 0;
}

enum { OUTPUT, REPLY };

static void
becomes(int how, struct ph_slice what, const char *messages)
{
	struct ph_fail	 fail = PH_FAIL_INIT;

	begin(NULL);
	must(how == OUTPUT ? ph_answer_read_output(what, &out, &fail) :
	    ph_answer_read_reply(what, &out, &fail), &fail);
	assert_string_equal(shown(PH_SLICE(&out)), messages);
}

static void
fails(int how, struct ph_slice what, const char *says)
{
	struct ph_fail	 fail = PH_FAIL_INIT;

	ph_buffer_reset(&out);
	ph_buffer_adds(&out, "before\n");
	assert_int_equal(how == OUTPUT ? ph_answer_read_output(what, &out, &fail) :
	    ph_answer_read_reply(what, &out, &fail), PH_MALFORMED);
	assert_string_equal(fail.text, says);
	assert_string_equal(out.data, "before\n");		/* all or nothing */
	assert_int_equal(out.len, 7);
}

TEST(an_output_is_one_text)
{
	becomes(OUTPUT, BYTES("Order 7 is sent.\n"), "{\"text\":\"Order 7 is sent.\"}\n");
	becomes(OUTPUT, BYTES("\n a\r\nb\r\n\r\n"), "{\"text\":\"a\\nb\"}\n");
	becomes(OUTPUT, BYTES(" {\"text\":\"x\"}"), "{\"text\":\"{\\\"text\\\":\\\"x\\\"}\"}\n");
	becomes(OUTPUT, BYTES("\xef\xbb\xbfZo\xc3\xab"), "{\"text\":\"Zo\xc3\xab\"}\n");
	becomes(OUTPUT, BYTES("a\0b"), "{\"text\":\"ab\"}\n");
	becomes(OUTPUT, BYTES("[1]"), "{\"text\":\"[1]\"}\n");
}

TEST(a_blank_output_says_nothing)
{
	becomes(OUTPUT, (struct ph_slice){ NULL, 0 }, "");
	becomes(OUTPUT, BYTES(""), "");
	becomes(OUTPUT, BYTES(" \r\n\t\n"), "");
	becomes(OUTPUT, BYTES("\xef\xbb\xbf\n"), "");
}

TEST(a_long_text_becomes_several_messages)
{
	static char	 text[5000];
	const char	*p;
	size_t		 n = 0, i;

	for (i = 0; i < sizeof(text); i++)
		text[i] = i % 10 == 9 ? ' ' : 'x';
	begin(NULL);
	assert_int_equal(ph_answer_read_output((struct ph_slice){ text, sizeof(text) }, &out, NULL), PH_OK);
	for (p = out.data; (p = strchr(p, '\n')) != NULL; p++)
		n++;
	assert_int_equal(n, 3);
	assert_int_equal(strncmp(out.data, "{\"text\":\"xxxxxxxxx xx", 20), 0);
}

TEST(an_output_of_objects_is_a_message_a_line)
{
	becomes(OUTPUT, BYTES("{\"text\": \"a  b\" }\r\n\r\n  \n{ \"text\":\"\\\" {\\\\\" , \"x\": [1,\t2]}"),
	    "{\"text\":\"a  b\"}\n{\"text\":\"\\\" {\\\\\",\"x\":[1,2]}\n");
	becomes(OUTPUT, BYTES("\xef\xbb\xbf{\"text\":\"a\"}\n"), "{\"text\":\"a\"}\n");
}

TEST(an_output_that_is_wrong_is_refused_with_line_and_byte)
{
	fails(OUTPUT, BYTES("caf\xe9"), "not UTF-8 at byte 3");
	fails(OUTPUT, BYTES("\xef\xbb\xbfx\xff"), "not UTF-8 at byte 4");
	fails(OUTPUT, BYTES("ok\xc3"), "not UTF-8 at byte 2");
	fails(OUTPUT, BYTES("{\"text\":\"a\"}\n\nhello\n"),
	    "line 3: not JSON at byte 0: expected a value");
	fails(OUTPUT, BYTES("{\"text\":\"a\"}\n{\"text\":\"a\xff\"}"),
	    "line 2: not JSON at byte 10: expected UTF-8");
	fails(OUTPUT, BYTES("{\"text\":\n\"a\"}"), "line 1: not JSON at byte 8: expected a value");
	fails(OUTPUT, BYTES("{\"text\":\"a\"}\n[]"), "line 2: expected a message object");
	fails(OUTPUT, BYTES("{}\n"), "line 1: expected a text, an attachment or a sticker_id");
	fails(OUTPUT, BYTES("{\"text\":\"a\"}\n{\"text\":\"b\",\"quick_replies\":[]}"),
	    "line 2: quick_replies: empty");
}

TEST(a_reply_is_a_text_an_object_or_a_list_of_such)
{
	becomes(REPLY, BYTES("\"Hi \\\"you\\\" \\u00e9\""), "{\"text\":\"Hi \\\"you\\\" \xc3\xa9\"}\n");
	becomes(REPLY, BYTES(" {\"text\" : \"a\"} "), "{\"text\":\"a\"}\n");
	becomes(REPLY, BYTES("[\"a\", {\"text\":\n \"b\"}, \" \", \"c\"]"),
	    "{\"text\":\"a\"}\n{\"text\":\"b\"}\n{\"text\":\"c\"}\n");
	becomes(REPLY, BYTES("\"a\\u0000b\""), "{\"text\":\"ab\"}\n");
}

TEST(a_reply_may_say_nothing)
{
	becomes(REPLY, BYTES("null"), "");
	becomes(REPLY, BYTES("\"\""), "");
	becomes(REPLY, BYTES("\" \\n\""), "");
	becomes(REPLY, BYTES("[]"), "");
}

TEST(a_reply_that_is_wrong_is_refused)
{
	static const char	 one[] = "expected a text, a message object or a list of them";

	fails(REPLY, BYTES("7"), one);
	fails(REPLY, BYTES("true"), one);
	fails(REPLY, BYTES("[\"a\",[\"b\"]]"), "expected a text, a message object");
	fails(REPLY, BYTES("[null]"), "expected a text, a message object");
	fails(REPLY, BYTES(""), "not JSON at byte 0: expected a value");
	fails(REPLY, BYTES("[\"a\""), "not JSON at byte 4: expected a comma or a closing bracket");
	fails(REPLY, BYTES("\"a\" \"b\""), "not JSON at byte 4: expected the end");
	fails(REPLY, BYTES("{\"text\":\"\"}"), "text: blank");
	fails(REPLY, BYTES("[\"a\",{\"text\":\"b\",\"metadata\":\"x\"}]"),
	    "message 2: metadata: it is pagehook's own");
}

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		cmocka_unit_test(an_output_is_one_text),
		cmocka_unit_test(a_blank_output_says_nothing),
		cmocka_unit_test(a_long_text_becomes_several_messages),
		cmocka_unit_test(an_output_of_objects_is_a_message_a_line),
		cmocka_unit_test(an_output_that_is_wrong_is_refused_with_line_and_byte),
		cmocka_unit_test(a_reply_is_a_text_an_object_or_a_list_of_such),
		cmocka_unit_test(a_reply_may_say_nothing),
		cmocka_unit_test(a_reply_that_is_wrong_is_refused),
	};

	return cmocka_run_group_tests_name("answer", tests, NULL, forget);
}
