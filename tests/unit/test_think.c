/*
 * test_think -- what a bot says whose owner has written nothing, and to whom it says nothing.
 * Knows think, event.  Does not know where replies go.
 * Called by make check.
 * Lives on its stack.
 * SPDX-License-Identifier: ISC
 */
#include "events.h"
#include "think.h"

static struct ph_buffer	 said;		/* messages, each on its line */
static size_t		 n_said, stop_at;

static enum ph_error
say(void *arg, struct ph_slice message, struct ph_fail *fail)
{
	assert_ptr_equal(arg, &said);
	if (++n_said == stop_at)
		return ph_error_set(fail, PH_BUSY, "enough");
	ph_buffer_add(&said, message.at, message.len);
	ph_buffer_adds(&said, "\n");
	return PH_OK;
}

static enum ph_error
think_of(enum ph_channel channel, const char *json, struct ph_fail *fail)
{
	struct ph_event	 ev;
	enum ph_error	 err;

	ph_buffer_reset(&said);
	n_said = 0;
	read_event(channel, json, "'9001'", NULL, &ev);
	err = ph_think(&ev, say, &said, fail);
	ph_event_clear(&ev);
	return err;
}

static const char *
answer_to(const char *json)
{
	struct ph_fail	 fail = PH_FAIL_INIT;

	must(think_of(PH_MESSAGING, json, &fail), &fail);
	return said.data != NULL ? said.data : "";
}

static int
forget(void **state)
{
	(void)state;
	ph_buffer_clear(&said);
	return 0;
}

TEST(the_built_in_replies_are_these)
{
	static const struct { const char *json, *answer; } rows[] = {
		{ "{" S ",'message':{'mid':'m','text':'hello'}}", "{\"text\":\"You said: hello\"}\n" },
		{ "{" S ",'message':{'mid':'m','text':'a \\'b\\' \\\\ \\u00e9\\n'}}",
		    "{\"text\":\"You said: a \\\"b\\\" \\\\ \xc3\xa9\\n\"}\n" },
		{ "{" S ",'message':{'mid':'m','text':'Red','quick_reply':{'payload':'RED'}}}",
		    "{\"text\":\"You said: Red\"}\n" },
		{ "{" S ",'message':{'mid':'m','attachments':[{'type':'image'}]}}",
		    "{\"text\":\"I received your attachment.\"}\n" },
		{ "{" S ",'message':{'mid':'m','attachments':[{'type':'image'},{'type':'audio'}]}}",
		    "{\"text\":\"I received your attachment.\"}\n" },
		{ "{" S ",'message':{'mid':'m','sticker_id':777}}",
		    "{\"text\":\"I received your attachment.\"}\n" },
		{ "{" S ",'postback':{'mid':'m','payload':'GET_STARTED'}}",
		    "{\"text\":\"Welcome. Tell me what you need.\"}\n" },
		{ "{" S ",'postback':{'mid':'m','payload':'HOURS'}}",
		    "{\"text\":\"Postback received: HOURS\"}\n" },
		{ "{" S ",'postback':{'mid':'m','payload':'get_started'}}",
		    "{\"text\":\"Postback received: get_started\"}\n" },
	};
	size_t	 i;

	for (i = 0; i < COUNT_OF(rows); i++)
		assert_string_equal(answer_to(rows[i].json), rows[i].answer);
}

TEST(a_postback_without_a_payload_is_answered_all_the_same)
{
	assert_non_null(strstr(answer_to("{" S ",'postback':{}}"), "Postback received:"));
}

TEST(the_others_are_met_with_silence)
{
	static const char *const	 events[] = {
		"{" S ",'message':{'mid':'m','is_echo':true,'text':'You said: hello'}}",
		"{" S ",'message':{'mid':'m','is_deleted':true}}", "{" S ",'message':{'mid':'m'}}",
		"{" S ",'message_edit':{'mid':'m','text':'hello!'}}", "{" S ",'delivery':{'mids':['m']}}",
		"{" S ",'read':{'watermark':1}}", "{" S ",'reaction':{'mid':'m','action':'react'}}",
		"{" S ",'referral':{'ref':'R'}}", "{" S ",'optin':{'ref':'R'}}", "{" S ",'optout':{}}",
		"{" S ",'account_linking':{'status':'linked'}}", "{" S ",'pass_thread_control':{}}",
		"{" S ",'message_request':'accept'}", "{" S ",'order':{}}", "{" S "}", "{" S ",'new':{}}", "17",
		"{'message':{'mid':'m','text':'nobody said it'}}",
	};
	size_t				 i;

	for (i = 0; i < COUNT_OF(events); i++)
		if (answer_to(events[i])[0] != '\0')
			fail_msg("%s: %s", events[i], said.data);
}

TEST(what_another_app_was_told_is_not_answered)
{
	static const char	 text[] = "{" S ",'message':{'mid':'m','text':'hello'}}";
	struct ph_fail		 fail = PH_FAIL_INIT;

	must(think_of(PH_STANDBY, text, &fail), &fail);
	assert_int_equal(n_said, 0);
	must(think_of(PH_CHANGES, text, &fail), &fail);
	assert_int_equal(n_said, 0);
}

/* Says words of n letters until the text has `bytes`; returns the event. */
static const char *
long_event(const char *word, size_t bytes)
{
	static char	 event[16384];
	size_t		 n = (size_t)snprintf(event, sizeof(event), "{" S ",'message':{'mid':'m','text':'");

	for (bytes += n; n + strlen(word) <= bytes; n += strlen(word))
		memcpy(event + n, word, strlen(word) + 1);
	memcpy(event + n, "'}}", 4);
	return event;
}

TEST(a_long_answer_is_split_at_a_word)
{
	char	*line, *end;
	size_t	 words = 0;

	(void)answer_to(long_event("seven77 ", 4800));	/* 600 words */
	assert_int_equal(n_said, 3);
	assert_memory_equal(said.data, "{\"text\":\"You said: seven77 ", 26);
	for (line = said.data; *line != '\0'; line = end + 1) {
		end = strchr(line, '\n');
		assert_true(end - line <= 2000 + 11);
		assert_memory_equal(end - 2, "\"}", 2);
		for (line = strstr(line, "seven77"); line != NULL && line < end; words++)
			line = strstr(line + 7, "seven77");
	}
	assert_int_equal(words, 600);
}

TEST(no_character_is_split)
{
	struct ph_json	*v;
	struct ph_fail	 fail = PH_FAIL_INIT;
	char		*line, *end;
	size_t		 i, units, all = 0;

	(void)answer_to(long_event("\xf0\x9f\x98\x80", 4 * 2500));	/* two UTF-16 units each */
	for (line = said.data; *line != '\0'; line = end + 1) {
		end = strchr(line, '\n');
		must(ph_json_parse((struct ph_slice){ line, (size_t)(end - line) }, &v, &fail), &fail);
		ph_json_free(v);
		for (i = units = 0; line + i < end; i++)
			units += (unsigned char)line[i] == 0xf0 ? 2 : 0;
		assert_true(units <= 2000);
		all += units;
	}
	assert_int_equal(all, 5000);
}

TEST(who_cannot_listen_any_more_is_told_no_more)
{
	struct ph_fail	 fail = PH_FAIL_INIT;

	stop_at = 2;
	assert_int_equal(think_of(PH_MESSAGING, long_event("seven77 ", 4800), &fail), PH_BUSY);
	assert_int_equal(n_said, 2);
	assert_string_equal(fail.text, "enough");
	stop_at = 0;
}

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		cmocka_unit_test(the_built_in_replies_are_these),
		cmocka_unit_test(a_postback_without_a_payload_is_answered_all_the_same),
		cmocka_unit_test(the_others_are_met_with_silence),
		cmocka_unit_test(what_another_app_was_told_is_not_answered),
		cmocka_unit_test(a_long_answer_is_split_at_a_word),
		cmocka_unit_test(no_character_is_split),
		cmocka_unit_test(who_cannot_listen_any_more_is_told_no_more),
	};

	return cmocka_run_group_tests_name("think", tests, NULL, forget);
}
