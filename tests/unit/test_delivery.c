/*
 * test_delivery -- a body becomes rows and a verdict, and replies in the order of what was said.
 * Knows delivery over the SQLite store.  Does not know sockets.
 * Called by make check.
 * Lives in a temporary directory, within one transaction.
 * SPDX-License-Identifier: ISC
 */
#include "delivery.h"
#include "events.h"
#include "log.h"
#include "room.h"

#define NOW	INT64_C(1767225700000)

static struct ph_ledger		*ledger;
static struct ph_delivery	 delivery;
static struct ph_fail		 wrong;

static int
enter(void **state)
{
	size_t	 n_unsure;

	wrong = (struct ph_fail)PH_FAIL_INIT;
	if (room_enter(state) != 0)
		return -1;
	ph_log_open("log", PH_INFO, false);
	if (ph_ledger_open(&ph_store_sqlite, "queue.db", NOW, &ledger, &n_unsure, &wrong) != PH_OK)
		return -1;
	delivery = (struct ph_delivery){ .ledger = ledger, .objects = "page", .page = BYTES("9001"),
		.max_age_ms = INT64_MAX / 2 };		/* the events here are of the first minute of 2026 */
	return ph_ledger_begin(ledger, &wrong) == PH_OK ? 0 : -1;
}

static int
leave(void **state)
{
	ph_delivery_clear(&delivery);
	ph_ledger_close(ledger);
	ph_log_close();
	return room_leave(state);
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
	size_t			 n;

	must(ph_ledger_claim(ledger, slice(page), NOW, &r, 1, &n, &wrong), &wrong);
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
	assert_int_equal(delivery.n_replies, 1);
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
	assert_int_equal(delivery.said.len, 0);
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
	assert_int_equal(ph_ledger_hold_page(ledger, BYTES("9002"), "no access token for this Page",
	    &wrong), PH_NONE);
	assert_string_equal(next_reply("9002"), "7001: {\"text\":\"You said: hello\"}");
}

TEST(the_log_holds_no_words_and_no_whole_person)
{
	struct ph_buffer	 log = PH_BUFFER_INIT;

	keep(ENTRY("9001", SAID("1234567890", "m_1", T, "sesame")));
	keep("{'object':'page','sesame':1234567890");
	assert_true(delivery.said.len > 0);
	ph_log_write(&delivery.said);
	room_read("log", &log);
	assert_non_null(strstr(log.data, "7890"));
	assert_non_null(strstr(log.data, "quarantine"));
	assert_null(strstr(log.data, "sesame"));
	assert_null(strstr(log.data, "567890"));
	ph_buffer_clear(&log);
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
	};

	return cmocka_run_group_tests_name("delivery", tests, NULL, NULL);
}
