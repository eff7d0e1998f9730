/*
 * test_delivery -- a body becomes rows and a verdict, and replies in the order of what was said.
 * Knows delivery over the SQLite store.  Does not know sockets.
 * Called by make check.
 * Lives in a temporary directory, within one transaction.
 * SPDX-License-Identifier: ISC
 */
#include "clock.h"
#include "delivery.h"
#include "events.h"
#include "given_pages.h"
#include "log.h"
#include "message.h"
#include "queried.h"

#define NOW	INT64_C(1767225700000)

static struct ph_ledger		*ledger;
static struct ph_sending	*sending;
static struct ph_delivery	 delivery;
static struct ph_news		 news;
static struct ph_fail		 wrong;

/* Nothing is sent here: there is no Graph. */
static void
begin(bool builtin)
{
	load_pages(builtin);
	must(ph_sending_new(ledger, NULL, pages, &news, &sending, &wrong), &wrong);
	delivery = (struct ph_delivery){ .now = NOW, .ledger = ledger, .sending = sending, .pages = pages,
	    .objects = "page", .news = &news, .human_pause_ms = PH_HOUR_MS,
	    .max_age_ms = INT64_MAX / 2 };	/* the events here are of the first minute of 2026 */
}

static void
end(void)
{
	ph_delivery_clear(&delivery);
	ph_sending_free(sending);
	sending = NULL;
	forget_pages();
}

static int
enter(void **state)
{
	size_t	 n_unsure;

	wrong = (struct ph_fail)PH_FAIL_INIT;
	if (room_enter(state) != 0)
		return -1;
	ph_log_open("log", PH_INFO, false);
	if (ph_ledger_open(&ph_store_sqlite, "queue.db", NOW, PH_DAY_MS, PH_RECONCILE, &ledger, &n_unsure,
	    &wrong) != PH_OK)
		return -1;
	begin(true);
	return ph_ledger_begin(ledger, &wrong) == PH_OK ? 0 : -1;
}

static int
leave(void **state)
{
	end();
	ph_news_clear(&news);
	ph_ledger_close(ledger);
	ph_log_close();
	return room_leave(state);
}

/* The Page's owner has written these. */
static void
follow(const char *replies)
{
	end();
	write_replies(replies);
	begin(false);
}

static enum ph_verdict
keep(const char *body)
{
	char		 bytes[4096];
	enum ph_verdict	 verdict = PH_LATER;

	must(ph_delivery_keep(&delivery, quoted(body, bytes, sizeof(bytes)), NOW, &verdict, &wrong),
	    &wrong);
	return verdict;
}

/* The text of the next reply that may go, which then is sent; "" when there is none. */
static const char *
next_reply(const char *page)
{
	static char		 text[256];
	struct ph_store_reply	 r;
	struct ph_result	 sent = { .outcome = PH_SENT };
	const char		*state;
	size_t			 n, n_late;

	must(ph_ledger_claim(ledger, slice(page), NOW, &r, 1, &n, &n_late, &wrong), &wrong);
	if (n == 0)
		return "";
	snprintf(text, sizeof(text), "%s: %s", r.person.data, r.body.data);
	must(ph_ledger_settle(ledger, &r, &sent, NOW, &state, &wrong), &wrong);
	ph_store_reply_clear(&r);
	return text;
}

static void
owe(void)
{
	must(ph_delivery_owe(&delivery, &wrong), &wrong);
}

#define SAID(who, mid, at, text)	"{'sender':{'id':'" who "'},'timestamp':" at \
	",'message':{'mid':'" mid "','text':'" text "'}}"
#define ENTRY(page, events)		"{'object':'page','entry':[{'id':'" page \
	"','messaging':[" events "]}]}"

TEST(each_body_has_its_verdict)
{
	assert_int_equal(keep(ENTRY("9001", SAID("7001", "m_1", T, "hello"))), PH_KEPT);
	assert_int_equal(keep(ENTRY("9001", SAID("7001", "m_1", T, "hello"))), PH_KEPT);
	assert_int_equal(keep("{'object':'page','entry':[]}"), PH_KEPT);
	assert_int_equal(keep(ENTRY("9001", "{'new':1},17")), PH_KEPT);
	assert_int_equal(keep("{'object':'user','entry':[]}"), PH_UNWANTED);
	assert_int_equal(keep("{'object':'page'"), PH_UNREADABLE);
	assert_int_equal(keep("[]"), PH_UNREADABLE);
	assert_int_equal(keep("{'object':'page','x':[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[1]"), PH_KEPT);
}

TEST(what_came_twice_is_answered_once)
{
	keep(ENTRY("9001", SAID("7001", "m_1", T, "hello") "," SAID("7001", "m_1", T, "hello")));
	keep(ENTRY("9001", SAID("7001", "m_1", T, "hello")));
	assert_int_equal(delivery.n_thoughts, 1);
	owe();
	assert_string_equal(next_reply("9001"), "7001: {\"text\":\"You said: hello\"}");
	assert_string_equal(next_reply("9001"), "");
}

/* After an outage words come in any order; a person hears the answers in the order of the words. */
TEST(replies_go_in_the_order_of_what_was_said)
{
	keep(ENTRY("9001", SAID("7001", "m_3", "1767225600003", "three")));
	keep(ENTRY("9001", SAID("7001", "m_2", "1767225600002", "two") ","
	    SAID("7001", "m_1", "1767225600001", "one") ","
	    SAID("7001", "m_4", "1767225600003", "four")));
	owe();
	assert_string_equal(next_reply("9001"), "7001: {\"text\":\"You said: one\"}");
	assert_string_equal(next_reply("9001"), "7001: {\"text\":\"You said: two\"}");
	assert_string_equal(next_reply("9001"), "7001: {\"text\":\"You said: three\"}");
	assert_string_equal(next_reply("9001"), "7001: {\"text\":\"You said: four\"}");
	assert_string_equal(next_reply("9001"), "");
}

TEST(what_was_forgotten_is_not_owed)
{
	keep(ENTRY("9001", SAID("7001", "m_1", T, "hello")));
	ph_delivery_forget(&delivery);
	owe();
	assert_string_equal(next_reply("9001"), "");
	keep(ENTRY("9001", SAID("7001", "m_2", T, "again")));
	owe();
	owe();					/* what is owed already is not owed twice */
	assert_string_equal(next_reply("9001"), "7001: {\"text\":\"You said: again\"}");
	assert_string_equal(next_reply("9001"), "");
}

TEST(a_page_without_a_token_waits)
{
	keep(ENTRY("9002", SAID("7001", "m_1", T, "hello")));
	owe();
	assert_string_equal(next_reply("9001"), "");
	assert_int_equal(ph_ledger_hold_page(ledger, BYTES("9002"), BYTES(""), "no access token for this Page",
	    0, &wrong), PH_NONE);
	assert_string_equal(next_reply("9002"), "7001: {\"text\":\"You said: hello\"}");
}

TEST(the_log_holds_no_words_and_no_whole_person)
{
	struct ph_buffer	 log = PH_BUFFER_INIT;

	keep(ENTRY("9001", SAID("1234567890", "m_1", T, "sesame")));
	keep("{'object':'page','sesame':1234567890");
	assert_true(news.said.len > 0);
	ph_news_tell(&news);
	room_read("log", &log);
	assert_non_null(strstr(log.data, "7890"));
	assert_non_null(strstr(log.data, "quarantine"));
	assert_null(strstr(log.data, "sesame"));
	assert_null(strstr(log.data, "567890"));
	ph_buffer_clear(&log);
}

/* What is committed can be queried. */
static void
commit(void)
{
	must(ph_ledger_commit(ledger, &wrong), &wrong);
	must(ph_ledger_begin(ledger, &wrong), &wrong);
}

/* Keeps a body of one event of Page 9001, and owes what it makes us say. */
static void
hear(const char *event)
{
	char	 body[2048];

	snprintf(body, sizeof(body), "{'object':'page','entry':[{'id':'9001','messaging':[%s]}]}", event);
	assert_int_equal(keep(body), PH_KEPT);
	owe();
}

static bool
is_silent(int64_t at)
{
	struct ph_store_conv	 conv;

	must(ph_ledger_find(ledger, BYTES("9001"), BYTES("7001"), true, &conv, &wrong), &wrong);
	return at < conv.silent_until;
}

#define TIME		INT64_C(1767225600000)	/* T, as a number */
#define HELLO(mid)	SAID("7001", mid, T, "hello")
#define REPLY		"7001: {\"text\":\"You said: hello\"}"
#define ECHO(mid, rest)	"{'sender':{'id':'9001'},'recipient':{'id':'7001'},'timestamp':" T \
	",'message':{'mid':'" mid "','is_echo':true,'text':'x'" rest "}}"
#define OURS		",'metadata':'ph1:deadbeef0f0000000000000000000000'"

TEST(only_a_person_in_the_inbox_silences_the_bot)
{
	static const struct { const char *echo; bool silent; } rows[] = {
		{ ECHO("m_1", ""), true },
		{ ECHO("m_2", ",'app_id':263902037430900"), true },	/* the inbox's own id */
		{ ECHO("m_3", ",'app_id':'263902037430900'"), true },
		{ ECHO("m_4", ",'app_id':1234567890"), false },		/* another app's is another bot's */
		{ ECHO("m_5", ",'app_id':'1234567890'"), false },
		{ ECHO("m_6", OURS), false }, { ECHO("m_7", OURS ",'app_id':1234567890"), false },
		{ ECHO("m_8", ",'metadata':'theirs'"), true },
	};
	size_t	 i;

	for (i = 0; i < COUNT_OF(rows); i++) {
		hear(rows[i].echo);
		assert_int_equal(is_silent(TIME), rows[i].silent);
		hear(HELLO("m_hello"));
		assert_string_equal(next_reply("9001"), rows[i].silent ? "" : REPLY);
		ph_ledger_abandon(ledger);
		ph_delivery_forget(&delivery);
		must(ph_ledger_begin(ledger, &wrong), &wrong);
	}
	delivery.human_pause_ms = 0;
	hear(ECHO("m_1", ""));
	hear(HELLO("m_hello"));
	assert_string_equal(next_reply("9001"), REPLY);
}

TEST(silence_goes_by_the_time_of_events_and_not_of_their_coming)
{
	hear(ECHO("m_1", ""));				/* silent until an hour after T */
	hear(SAID("7001", "m_2", "1767229199999", "hello"));
	assert_string_equal(next_reply("9001"), "");
	hear(SAID("7001", "m_3", "1767229200000", "hello"));
	assert_string_equal(next_reply("9001"), REPLY);
	hear(SAID("7001", "m_4", "1767225599000", "hello"));	/* before it, and late */
	assert_string_equal(next_reply("9001"), "");
	hear(SAID("7002", "m_5", T, "hello"));		/* another's conversation */
	assert_string_equal(next_reply("9001"), "7002: {\"text\":\"You said: hello\"}");
}

TEST(an_earlier_echo_that_comes_late_shortens_no_silence)
{
	hear(ECHO("m_1", ""));
	hear("{'sender':{'id':'9001'},'recipient':{'id':'7001'},'timestamp':1767222000001,"
	    "'message':{'mid':'m_0','is_echo':true,'text':'x'}}");
	assert_true(is_silent(TIME + PH_HOUR_MS - 1));
	assert_false(is_silent(TIME + PH_HOUR_MS));
}

/* Who answered by hand meant these words too, which came a moment before in the same body. */
TEST(words_of_the_same_turn_as_the_echo_are_not_answered)
{
	keep(ENTRY("9001", HELLO("m_1") "," ECHO("m_2", "") "," HELLO("m_3")));
	owe();
	assert_string_equal(next_reply("9001"), "");
}

#define PASS(to)	"{'sender':{'id':'7001'},'recipient':{'id':'9001'},'timestamp':" T \
	",'pass_thread_control':{'new_owner_app_id':" to ",'metadata':'x'}}"

TEST(a_thread_that_is_passed_to_us_ends_silence)
{
	static const struct { const char *app_id, *event; bool silent; } rows[] = {
		{ NULL, PASS("1234567890"), false },	/* our id is not known: whoever gets the event has it */
		{ NULL, PASS("'1234567890'"), false },
		{ "1234567890", PASS("1234567890"), false }, { "1234567890", PASS("'1234567890'"), false },
		{ "1234567890", PASS("263902037430900"), true }, { "1234567890", PASS("null"), true },
		{ NULL, "{'sender':{'id':'7002'},'timestamp':" T ",'pass_thread_control':{}}", true },
		{ NULL, "{'sender':{'id':'7001'},'timestamp':" T ",'take_thread_control':{}}", true },
	};
	size_t	 i;

	for (i = 0; i < COUNT_OF(rows); i++) {
		delivery.app_id = rows[i].app_id;
		hear(ECHO("m_1", ""));
		hear(rows[i].event);
		assert_int_equal(is_silent(TIME), rows[i].silent);
		hear(HELLO("m_hello"));
		assert_string_equal(next_reply("9001"), rows[i].silent ? "" : REPLY);
		ph_ledger_abandon(ledger);
		ph_delivery_forget(&delivery);
		must(ph_ledger_begin(ledger, &wrong), &wrong);
	}
}

TEST(a_thread_passed_between_others_is_only_overheard)
{
	hear(ECHO("m_1", ""));
	assert_int_equal(keep("{'object':'page','entry':[{'id':'9001','standby':[" PASS("1234567890")
	    "]}]}"), PH_KEPT);
	assert_true(is_silent(TIME));
}

/* Rules. */

TEST(what_the_owner_wrote_is_said)
{
	follow("{'replies':[{'on':'text','first':true,'say':'Welcome'},{'on':'text','is':'two',"
	    "'say':['one','two']},{'on':'text','is':'no','ignore':true}]}");
	hear(SAID("7001", "m_1", T, "two"));
	assert_string_equal(next_reply("9001"), "7001: {\"text\":\"Welcome\"}");
	hear(SAID("7001", "m_2", T, "two"));
	assert_string_equal(next_reply("9001"), "7001: {\"text\":\"one\"}");
	assert_string_equal(next_reply("9001"), "7001: {\"text\":\"two\"}");
	hear(SAID("7001", "m_3", T, "no"));
	hear(SAID("7001", "m_4", T, "nothing fits"));
	assert_string_equal(next_reply("9001"), "");
}

TEST(a_rule_that_pauses_silences_what_came_with_it)
{
	follow("{'replies':[{'on':'text','is':'stop','say':'bye','pause':'1m'},{'on':'text','say':'yes'}]}");
	keep(ENTRY("9001", SAID("7001", "m_1", "1767225600001", "go") ","
	    SAID("7001", "m_2", "1767225600002", "stop") "," SAID("7001", "m_3", "1767225600003", "go")
	    "," SAID("7001", "m_4", "1767225660002", "go") ","
	    SAID("7002", "m_5", "1767225600003", "go")));
	owe();
	assert_string_equal(next_reply("9001"), "7001: {\"text\":\"yes\"}");
	commit();
	assert_string_equal(query("SELECT group_concat(body, ' ') FROM (SELECT CAST(body AS TEXT) AS body"
	    " FROM reply WHERE conv=1 ORDER BY id)"),
	    "{\"text\":\"yes\"} {\"text\":\"bye\"} {\"text\":\"yes\"}");
	assert_string_equal(query("SELECT count(*) FROM reply WHERE conv=2"), "1");
}

TEST(a_message_that_cannot_be_said_ends_its_event_alone)
{
	struct ph_buffer	 event = PH_BUFFER_INIT;
	int			 i;

	follow("{'replies':[{'on':'text','has':'long','message':{'attachment':{'type':'template','payload':"
	    "{'template_type':'generic','elements':[{'title':'{text}'}]}}}},{'on':'text','say':'yes'}]}");
	ph_buffer_adds(&event, "{'sender':{'id':'7001'},'timestamp':" T ",'message':{'mid':'m_1','text':'");
	for (i = 0; i < 20; i++)
		ph_buffer_adds(&event, "long ");
	ph_buffer_adds(&event, "'}}");
	hear(event.data);
	ph_buffer_clear(&event);
	hear(HELLO("m_2"));
	assert_string_equal(next_reply("9001"), "7001: {\"text\":\"yes\"}");
	commit();
	assert_string_equal(query("SELECT state FROM event ORDER BY id"), "dead done");
	assert_non_null(strstr(query("SELECT why FROM event WHERE state='dead'"), "replies.json:1"));
	assert_false(delivery.put_off);
}

#define EXEC	"{'replies':[{'on':'text','is':'ask','exec':['/bin/true']},{'on':'text','say':'yes'}," \
	"{'on':'postback','say':'{user.first_name}'}]}"

TEST(what_needs_a_handler_or_a_name_is_put_off)
{
	follow(EXEC);
	hear(SAID("7001", "m_1", T, "ask"));
	assert_true(delivery.put_off);
	ph_delivery_committed(&delivery);
	assert_false(delivery.put_off);
	hear("{'sender':{'id':'7002'},'timestamp':" T ",'postback':{'mid':'m_2','payload':'P','title':'t'}}");
	assert_true(delivery.put_off);
	commit();
	assert_string_equal(query("SELECT state||due FROM event ORDER BY id"),
	    "kept1767225700000 kept1767225700000");
	assert_string_equal(next_reply("9001"), "");
}

/* Else "yes" would come before what the handler says. */
TEST(what_comes_behind_one_that_waits_waits_too)
{
	follow(EXEC);
	keep(ENTRY("9001", SAID("7001", "m_2", "1767225600002", "hello") ","
	    SAID("7001", "m_1", "1767225600001", "ask") "," SAID("7002", "m_3", "1767225600003", "hello")));
	owe();
	assert_string_equal(next_reply("9001"), "7002: {\"text\":\"yes\"}");
	assert_string_equal(next_reply("9001"), "");
	ph_delivery_committed(&delivery);
	hear(SAID("7001", "m_4", "1767225600004", "hello"));	/* nor does it in a later turn */
	assert_true(delivery.put_off);
	commit();
	assert_string_equal(next_reply("9001"), "");
	assert_string_equal(query("SELECT mid FROM event WHERE state='kept' ORDER BY at"), "m_1 m_2 m_4");
	assert_string_equal(query("SELECT mid FROM event WHERE due IS NOT NULL"), "m_1");
}

/* A typo must not make a bot say what its owner never wrote, nor lose what people said meanwhile. */
TEST(words_wait_for_rules_that_cannot_be_read)
{
	follow("{'replies':[{'on':'text','say':");
	hear(HELLO("m_1"));
	assert_true(delivery.put_off);
	commit();
	assert_string_equal(next_reply("9001"), "");
	assert_string_equal(query("SELECT state FROM event"), "kept");
}

TEST(a_plugins_user_ref_is_answered_as_such)
{
	follow("{'replies':[{'on':'optin','say':'hi'}]}");
	hear("{'recipient':{'id':'9001'},'timestamp':" T ",'optin':{'ref':'x','user_ref':'7001'}}");
	assert_string_equal(next_reply("9001"), "user_ref:7001: {\"text\":\"hi\"}");
}

TEST(more_than_20_automatic_replies_in_a_minute_raise_an_alert)
{
	struct ph_buffer	 log = PH_BUFFER_INIT;
	char			 event[256];
	int			 i;

	for (i = 0; i < 21; i++) {
		assert_int_equal(news.said.len == 0 || strstr(news.said.data, "\"k\":\"alert\"") == NULL, true);
		snprintf(event, sizeof(event), SAID("7001", "m_%d", T, "hello"), i);
		hear(event);
	}
	ph_news_tell(&news);
	room_read("log", &log);
	assert_non_null(strstr(log.data, "\"alert\""));
	assert_non_null(strstr(log.data, "held"));
	ph_buffer_clear(&log);
	commit();
	assert_string_equal(query("SELECT count(*) FROM reply WHERE state='held'"), "1");
}

#define in_a_room(test)	cmocka_unit_test_setup_teardown(test, enter, leave)

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		in_a_room(each_body_has_its_verdict),
		in_a_room(what_came_twice_is_answered_once),
		in_a_room(replies_go_in_the_order_of_what_was_said),
		in_a_room(what_was_forgotten_is_not_owed),
		in_a_room(a_page_without_a_token_waits),
		in_a_room(the_log_holds_no_words_and_no_whole_person),
		in_a_room(only_a_person_in_the_inbox_silences_the_bot),
		in_a_room(silence_goes_by_the_time_of_events_and_not_of_their_coming),
		in_a_room(an_earlier_echo_that_comes_late_shortens_no_silence),
		in_a_room(words_of_the_same_turn_as_the_echo_are_not_answered),
		in_a_room(a_thread_that_is_passed_to_us_ends_silence),
		in_a_room(a_thread_passed_between_others_is_only_overheard),
		in_a_room(what_the_owner_wrote_is_said),
		in_a_room(a_rule_that_pauses_silences_what_came_with_it),
		in_a_room(a_message_that_cannot_be_said_ends_its_event_alone),
		in_a_room(what_needs_a_handler_or_a_name_is_put_off),
		in_a_room(what_comes_behind_one_that_waits_waits_too),
		in_a_room(words_wait_for_rules_that_cannot_be_read),
		in_a_room(a_plugins_user_ref_is_answered_as_such),
		in_a_room(more_than_20_automatic_replies_in_a_minute_raise_an_alert),
	};

	return cmocka_run_group_tests_name("delivery", tests, NULL, NULL);
}
