/*
 * test_sending -- what is owed goes out once, in order, behind its actions, and is settled.
 * Knows sending over the SQLite store and a Graph in this process.  Does not know events.
 * Called by make check.
 * Lives in a temporary directory; the time of the helper's turns is a number that a test moves.
 * SPDX-License-Identifier: ISC
 */
#include <linux/tcp.h>			/* with all of struct tcp_info */

#include "clock.h"
#include "given_pages.h"
#include "graph_here.h"
#include "message.h"
#include "queried.h"
#include "sending.h"

#define START	INT64_C(1767225700000)
#define BY_MS	5000			/* a test that waits longer has failed */
#define TAKEN	"{\"recipient_id\":\"7001\",\"message_id\":\"m_taken\"}"

static struct ph_ledger		*ledger;
static struct ph_sending	*sending;
static struct ph_news		 news;
static struct ph_fail		 wrong;
static int64_t			 now;

static int
enter(void **state)
{
	size_t	 n_unsure;

	unsetenv("PH_TEST_SPEED");
	wrong = (struct ph_fail)PH_FAIL_INIT;
	now = START;
	if (room_enter(state) != 0)
		return -1;
	ph_log_open("log", PH_INFO, false);
	graph_open();
	load_pages(true);
	if (ph_ledger_open(&ph_store_sqlite, "queue.db", now, PH_DAY_MS, PH_RECONCILE, &ledger, &n_unsure,
	    &wrong) != PH_OK)
		return -1;
	return ph_sending_new(ledger, graph, pages, &news, &sending, &wrong) == PH_OK ? 0 : -1;
}

static int
leave(void **state)
{
	graph_close();
	ph_sending_free(sending);
	ph_ledger_close(ledger);
	forget_pages();
	ph_news_clear(&news);
	ph_log_close();
	return room_leave(state);
}

static void
begin(void)
{
	must(ph_ledger_begin(ledger, &wrong), &wrong);
}

/* The rest of a turn: claims, commits, launches. */
static void
go(void)
{
	must(ph_sending_commit(sending, now, false, &wrong), &wrong);
	must(ph_ledger_commit(ledger, &wrong), &wrong);
	ph_sending_committed(sending);
	ph_sending_launch(sending);
}

/* How often this was logged. */
static int
said(const char *words)
{
	const char	*at = news.said.data, *end = at + news.said.len;
	int		 n = 0;

	while (at != NULL && (at = memmem(at, (size_t)(end - at), words, strlen(words))) != NULL) {
		at += strlen(words);
		n++;
	}
	return n;
}

/* Owes this person messages, each on a line. */
static void
owe(const char *page, const char *person, const char *messages, bool shown)
{
	struct ph_sending_answer	 answer = { .page = slice(page), .person = slice(person),
		.seen = shown, .typing = shown, .owed = { .event = 1, .at = now, .due = now,
		.messages = slice(messages) } };
	struct ph_store_conv		 conv;

	must(ph_ledger_find(ledger, answer.page, answer.person, true, &conv, &wrong), &wrong);
	answer.owed.conv = conv.id;
	must(ph_sending_owe(sending, &answer, &wrong), &wrong);
}

/* Moves bytes once, and has what finished taken. */
static void
gather(void)
{
	struct ph_graph_sent	 sent;

	ph_graph_wait(graph, NULL, 0, 1);	/* it is in this process */
	graph_answer();
	ph_graph_perform(graph);
	while (ph_graph_next(graph, &sent))
		ph_sending_take(sending, &sent);
}

/* Turns, until that is what stands in the store. */
static void
until(const char *sql, const char *is)
{
	const int64_t	 by = ph_clock_mono() + BY_MS;

	while (strcmp(query(sql), is) != 0) {
		if (ph_clock_left_ms(by) == 0)
			fail_msg("%s: %s, not %s", sql, query(sql), is);
		gather();
		begin();
		go();
	}
}

/* Where in what Graph heard this stands; -1: nowhere. */
static long
place_of(const char *words)
{
	const char	*at = graph_heard.len > 0 ? strstr(graph_heard.data, words) : NULL;

	return at != NULL ? at - graph_heard.data : -1;
}

#define STATES	"SELECT state FROM reply ORDER BY id"

TEST(what_is_owed_is_sent_in_its_order)
{
	graph_listen(TAKEN);
	begin();
	owe("9001", "7001", "{\"text\":\"one\"}\n{\"text\":\"two\"}\n", false);
	go();
	assert_string_equal(query(STATES), "sending ready");	/* on disk before a byte leaves */
	assert_int_equal(ph_sending_flying(sending), 1);
	until(STATES, "sent sent");
	assert_int_equal(n_graph_asked, 2);
	assert_memory_equal(graph_heard.data, "POST /v25.0/9001/messages?access_token=page-token"
	    "&appsecret_proof=", 66);
	assert_in_range(place_of("one"), 1, place_of("two"));
	assert_string_equal(query("SELECT DISTINCT mid FROM reply"), "m_taken");
	gather();
	begin();
	go();
	assert_int_equal(ph_sending_flying(sending), 0);
	assert_int_equal(ph_sending_next_due(sending), 0);
}

TEST(where_nobody_listens_a_reply_waits_for_the_next_try)
{
	begin();
	owe("9001", "7001", "{\"text\":\"one\"}\n", false);
	go();
	until(STATES, "ready");
	assert_string_equal(query("SELECT attempt FROM reply"), "1");
	assert_in_range(ph_sending_next_due(sending), now + 1, now + 2000);
	graph_listen(TAKEN);
	now = ph_sending_next_due(sending);
	until(STATES, "sent");
	assert_string_equal(query("SELECT attempt FROM reply"), "2");
}

TEST(a_refusal_ends_a_reply_and_what_comes_behind_it)
{
	graph_status = 400;
	graph_listen("{\"error\":{\"code\":10,\"error_subcode\":2018278,\"message\":\"outside\"}}");
	begin();
	owe("9001", "7001", "{\"text\":\"one\"}\n{\"text\":\"two\"}\n{\"text\":\"three\"}\n", false);
	go();
	until(STATES, "dead dead dead");
	assert_int_equal(n_graph_asked, 1);
	assert_string_equal(query("SELECT code FROM reply WHERE id=1"), "10");
	assert_int_equal(news.tally.dead, 3);
	assert_int_equal(news.tally.refused, 1);
	assert_int_equal(said("\"followed\":2"), 1);
}

TEST(all_that_is_owed_to_who_cannot_be_reached_is_counted)
{
	graph_status = 400;
	graph_listen("{\"error\":{\"code\":551,\"message\":\"not available\"}}");
	begin();
	owe("9001", "7001", "{\"text\":\"one\"}\n", false);
	owe("9001", "7001", "{\"text\":\"two\"}\n", false);
	go();
	until(STATES, "dead dead");
	assert_int_equal(news.tally.dead, 2);
	assert_int_equal(said("\"followed\":1"), 1);
}

TEST(what_nothing_follows_names_none)
{
	graph_status = 400;
	graph_listen("{\"error\":{\"code\":10,\"error_subcode\":2018278,\"message\":\"outside\"}}");
	begin();
	owe("9001", "7001", "{\"text\":\"one\"}\n", false);
	go();
	until(STATES, "dead");
	assert_int_equal(news.tally.dead, 1);
	assert_int_equal(said("followed"), 0);
}

TEST(a_mid_stays_as_graph_gave_it)
{
	graph_listen("{\"recipient_id\":\"7001\",\"message_id\":\"m_a7001b\"}");	/* who gets it, by chance */
	begin();
	owe("9001", "7001", "{\"text\":\"one\"}\n", false);
	go();
	until(STATES, "sent");
	assert_string_equal(query("SELECT mid FROM reply"), "m_a7001b");
}

/* Graph repeats a token that it cannot read. */
TEST(what_graph_said_is_logged_without_the_token)
{
	struct ph_buffer	 words = PH_BUFFER_INIT;
	char			 says[200];

	snprintf(says, sizeof(says), "{ \"error\": { \"code\": 190,\n\"message\": \"Malformed token %s.\" } }",
	    pages->all[0].token);
	graph_status = 400;
	graph_listen(says);
	begin();
	owe("9001", "7001", "{\"text\":\"words\"}\n", false);
	go();
	until("SELECT code FROM reply", "190");
	ph_buffer_add(&words, news.said.data, news.said.len);
	assert_non_null(strstr(words.data, "\"http\":400"));
	assert_non_null(strstr(words.data, ",\"error\":{\"code\":190,\"message\":\"Malformed token ***"));
	assert_null(strstr(words.data, pages->all[0].token));
	assert_null(strstr(words.data, "words"));
	assert_null(strstr(query("SELECT why FROM reply"), pages->all[0].token));
	ph_buffer_clear(&words);
}

TEST(actions_are_shown_before_the_words)
{
	graph_listen(TAKEN);
	begin();
	owe("9001", "7001", "{\"text\":\"words\"}\n", true);
	go();
	assert_int_equal(ph_graph_flying(graph), 2);	/* the words wait until both are over */
	until(STATES, "sent");
	assert_int_equal(n_graph_asked, 3);
	assert_in_range(place_of("mark_seen"), 1, place_of("words"));
	assert_in_range(place_of("typing_on"), 1, place_of("words"));
}

/* They are a courtesy: words wait for them, and not for their success. */
TEST(an_action_that_fails_keeps_no_words_back)
{
	graph_status = 400;
	graph_listen("{\"error\":{\"code\":613}}");
	begin();
	owe("9001", "7001", "{\"text\":\"words\"}\n", true);
	go();
	until(STATES, "ready");
	assert_true(place_of("words") > place_of("typing_on"));
	assert_string_equal(query("SELECT count(*) FROM reply"), "1");	/* no action is kept */
}

TEST(a_turn_that_did_not_happen_sends_nothing)
{
	graph_listen(TAKEN);
	begin();
	owe("9001", "7001", "{\"text\":\"one\"}\n", true);
	must(ph_sending_commit(sending, now, false, &wrong), &wrong);
	assert_int_equal(ph_sending_flying(sending), 1);
	ph_ledger_abandon(ledger);
	ph_sending_abandon(sending);
	assert_int_equal(ph_sending_flying(sending), 0);
	ph_sending_launch(sending);
	assert_int_equal(ph_graph_flying(graph), 0);
	begin();
	go();
	assert_int_equal(ph_graph_flying(graph), 0);
}

/* Graph has it: what could not be noted in this turn is noted in the next. */
TEST(an_outcome_that_could_not_be_kept_waits)
{
	const int64_t	 by = ph_clock_mono() + BY_MS;

	graph_listen(TAKEN);
	begin();
	owe("9001", "7001", "{\"text\":\"one\"}\n", false);
	go();
	while (!ph_sending_finished(sending) && ph_clock_left_ms(by) > 0)
		gather();
	begin();
	must(ph_sending_commit(sending, now, false, &wrong), &wrong);
	ph_ledger_abandon(ledger);
	ph_sending_abandon(sending);
	assert_true(ph_sending_finished(sending));
	assert_string_equal(query(STATES), "sending");
	begin();
	go();
	assert_string_equal(query(STATES), "sent");
	assert_int_equal(n_graph_asked, 1);
}

TEST(who_leaves_claims_nothing_more)
{
	begin();
	owe("9001", "7001", "{\"text\":\"one\"}\n", false);
	must(ph_sending_commit(sending, now, true, &wrong), &wrong);
	must(ph_ledger_commit(ledger, &wrong), &wrong);
	ph_sending_committed(sending);
	assert_int_equal(ph_sending_flying(sending), 0);
	assert_string_equal(query(STATES), "ready");
}

TEST(without_a_token_nothing_is_claimed)
{
	begin();
	owe("9002", "7001", "{\"text\":\"one\"}\n", true);
	go();
	assert_int_equal(ph_sending_flying(sending), 0);
	assert_int_equal(ph_graph_flying(graph), 0);	/* nor an action shown */
	assert_string_equal(query(STATES), "ready");
}

TEST(no_more_fly_at_once_than_there_is_room_for)
{
	char	 person[16];
	int	 i;

	graph_listen(TAKEN);
	begin();
	for (i = 0; i < 100; i++) {
		snprintf(person, sizeof(person), "%d", 7000 + i % 1000);
		owe("9001", person, "{\"text\":\"x\"}\n", i % 2 == 0);	/* more than are shown at once */
	}
	go();
	assert_int_equal(ph_sending_flying(sending), PH_SENDING_FLYING);
	assert_int_equal(ph_sending_next_due(sending), 0);	/* it would wake us for nothing */
	until("SELECT count(*) FROM reply WHERE state='sent'", "100");
	assert_string_equal(query("SELECT max(attempt) FROM reply"), "1");
	assert_int_equal(n_graph_asked, 100 + PH_SENDING_SHOWN);
}

TEST(a_page_that_owes_much_leaves_room_for_the_others)
{
	const int64_t	 by = ph_clock_mono() + BY_MS;
	char		 person[16], file[600], secret[] = "app-secret";
	struct ph_conf	 conf = { .pages = file, .app_secret = secret };
	int		 i;

	ph_sending_free(sending);
	forget_pages();
	room_write("pages.json", BYTES("{\"9001\":{\"access_token\":\"a\"},"
	    "\"9002\":{\"access_token\":\"b\"}}"), 0600);
	snprintf(file, sizeof(file), "%s/pages.json", room);
	must(ph_pages_load(&conf, &pages, &wrong), &wrong);
	must(ph_sending_new(ledger, graph, pages, &news, &sending, &wrong), &wrong);
	graph_listen(TAKEN);
	begin();
	for (i = 0; i < 2 * PH_SENDING_FLYING; i++) {
		snprintf(person, sizeof(person), "%d", 7000 + i);
		owe("9001", person, "{\"text\":\"x\"}\n", false);
	}
	owe("9002", "7001", "{\"text\":\"x\"}\n", false);
	go();
	assert_string_equal(query("SELECT state FROM reply WHERE id=129"), "ready");
	while (!ph_sending_finished(sending) && ph_clock_left_ms(by) > 0)
		gather();
	begin();
	go();
	assert_string_equal(query("SELECT state FROM reply WHERE id=129"), "sending");
}

/* Accepts if need be, waits for a request, answers it, and leaves the connection open. */
static void
answer_on(int *fd)
{
	static const char	 taken[] = "HTTP/1.1 200 OK\r\nContent-Length: 46\r\n\r\n" TAKEN;
	const int64_t		 by = ph_clock_mono() + BY_MS;
	struct ph_graph_sent	 sent;
	char			 heard[4096] = "";
	ssize_t			 n = 0;

	while (n <= 0 || heard[n - 1] != '}') {		/* the words come last */
		assert_true(ph_clock_left_ms(by) > 0);
		ph_graph_wait(graph, NULL, 0, 1);
		ph_graph_perform(graph);
		if (*fd == -1)
			*fd = accept4(graph_socket, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
		n = *fd == -1 ? 0 : recv(*fd, heard, sizeof(heard), 0);
	}
	assert_int_equal(write(*fd, taken, sizeof(taken) - 1), sizeof(taken) - 1);
	while (!ph_sending_finished(sending) && ph_clock_left_ms(by) > 0) {
		ph_graph_wait(graph, NULL, 0, 1);
		ph_graph_perform(graph);
		while (ph_graph_next(graph, &sent))
			ph_sending_take(sending, &sent);
	}
}

/* Each packet wakes the other side, which has nothing to do before it has the words, too. */
TEST(a_request_leaves_in_one_packet)
{
	struct tcp_info	 before, after;
	socklen_t	 len = sizeof(before);
	int		 fd = -1;

	graph_listen(TAKEN);
	begin();
	owe("9001", "7001", "{\"text\":\"one\"}\n{\"text\":\"two\"}\n", false);
	go();
	answer_on(&fd);
	assert_int_equal(getsockopt(fd, IPPROTO_TCP, TCP_INFO, &before, &len), 0);
	begin();
	go();					/* the second: the connection is there */
	ph_graph_perform(graph);
	answer_on(&fd);
	assert_int_equal(getsockopt(fd, IPPROTO_TCP, TCP_INFO, &after, &len), 0);
	assert_int_equal(after.tcpi_data_segs_in - before.tcpi_data_segs_in, 1);
	close(fd);
}

TEST(each_kind_goes_where_it_belongs)
{
	struct ph_store_conv	 conv;
	int64_t			 id;

	graph_listen("{\"success\":true}");
	begin();
	must(ph_ledger_find(ledger, BYTES("9001"), BYTES("7001"), true, &conv, &wrong), &wrong);
	must(ph_ledger_send(ledger, conv.id, PH_MESSAGE_PASS_THREAD, now,
	    BYTES("{\"target_app_id\":\"263902037430900\"}"), &id, &wrong), &wrong);
	must(ph_ledger_send(ledger, conv.id, PH_MESSAGE_HUMAN_AGENT, now, BYTES("{\"text\":\"by hand\"}"), &id,
	    &wrong), &wrong);
	go();
	until("SELECT state FROM reply WHERE id=1", "sent");
	assert_true(place_of("POST /v25.0/9001/pass_thread_control?") == 0);
	until("SELECT count(*) FROM reply WHERE state IN ('ready','sending')", "0");
	assert_true(place_of("\"tag\":\"HUMAN_AGENT\"") > 0);
}

TEST(a_pause_that_a_failed_turn_noted_is_told_by_the_next)
{
	const int64_t	 by = ph_clock_mono() + BY_MS;

	graph_status = 400;
	graph_listen("{\"error\":{\"code\":190}}");
	begin();
	owe("9001", "7001", "{\"text\":\"one\"}\n", false);
	go();
	while (!ph_sending_finished(sending) && ph_clock_left_ms(by) > 0)
		gather();
	begin();
	must(ph_sending_commit(sending, now, false, &wrong), &wrong);
	ph_ledger_abandon(ledger);		/* the disk was full, say */
	ph_sending_abandon(sending);
	ph_news_abandon(&news);
	assert_int_equal(news.n_raised, 0);
	begin();
	go();
	assert_int_equal(news.n_raised, 1);
	assert_int_equal(news.raised[0].cause, PH_CAUSE_TOKEN);
	assert_string_equal(query("SELECT count(*) FROM page"), "1");
}

#define in_a_room(test)	cmocka_unit_test_setup_teardown(test, enter, leave)

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		in_a_room(what_is_owed_is_sent_in_its_order),
		in_a_room(where_nobody_listens_a_reply_waits_for_the_next_try),
		in_a_room(a_refusal_ends_a_reply_and_what_comes_behind_it),
		in_a_room(all_that_is_owed_to_who_cannot_be_reached_is_counted),
		in_a_room(what_nothing_follows_names_none),
		in_a_room(a_mid_stays_as_graph_gave_it),
		in_a_room(what_graph_said_is_logged_without_the_token),
		in_a_room(actions_are_shown_before_the_words),
		in_a_room(an_action_that_fails_keeps_no_words_back),
		in_a_room(a_turn_that_did_not_happen_sends_nothing),
		in_a_room(an_outcome_that_could_not_be_kept_waits),
		in_a_room(a_pause_that_a_failed_turn_noted_is_told_by_the_next),
		in_a_room(who_leaves_claims_nothing_more),
		in_a_room(without_a_token_nothing_is_claimed),
		in_a_room(no_more_fly_at_once_than_there_is_room_for),
		in_a_room(a_page_that_owes_much_leaves_room_for_the_others),
		in_a_room(a_request_leaves_in_one_packet),
		in_a_room(each_kind_goes_where_it_belongs),
	};

	return cmocka_run_group_tests_name("sending", tests, NULL, NULL);
}
