/*
 * test_asked -- what a handler says becomes replies, and what it does not say is asked again.
 * Knows asked and waiting with real handlers in /bin/sh, and delivery, which feeds them.  Does not
 * know turns.
 * Called by make check.
 * Lives in a temporary directory; the time of the helper's turns is a number that a test moves.
 * SPDX-License-Identifier: ISC
 */
#include <signal.h>

#include "asked.h"
#include "clock.h"
#include "delivery.h"
#include "events.h"
#include "given_pages.h"
#include "graph_here.h"
#include "queried.h"
#include "waiting.h"

#define START	INT64_C(1767225700000)
#define BY_MS	5000			/* a test that waits longer has failed */

static struct ph_ledger		*ledger;
static struct ph_sending	*sending;
static struct ph_asked		*asked;
static struct ph_waiting	*waiting;
static struct ph_delivery	 delivery;
static struct ph_news		 news;
static struct ph_fail		 wrong;
static int64_t			 now;
static int64_t			 runs_from;	/* monotonic: now follows the clock; 0: it stands still */

static void
begin_life(void)
{
	struct ph_asked_with	 with = { .graph = graph, .pages = pages, .news = &news };
	struct ph_waiting_with	 also = { .pages = pages, .news = &news, .max_age_ms = PH_DAY_MS };
	size_t			 n_unsure;

	must(ph_ledger_open(&ph_store_sqlite, "queue.db", now, PH_DAY_MS, PH_RECONCILE, &ledger, &n_unsure,
	    &wrong), &wrong);
	must(ph_sending_new(ledger, graph, pages, &news, &sending, &wrong), &wrong);
	with.ledger = ledger;
	with.sending = sending;
	must(ph_asked_new(&with, &asked, &wrong), &wrong);
	also.ledger = ledger;
	also.sending = sending;
	also.asked = asked;
	must(ph_waiting_new(&also, &waiting, &wrong), &wrong);
	delivery = (struct ph_delivery){ .ledger = ledger, .sending = sending, .pages = pages,
	    .objects = "page", .news = &news, .max_age_ms = INT64_MAX / 2 };
}

static void
end_life(void)
{
	ph_waiting_free(waiting);
	ph_asked_free(asked);
	ph_delivery_clear(&delivery);
	ph_sending_free(sending);
	ph_ledger_close(ledger);
	waiting = NULL;
	asked = NULL;
	sending = NULL;
	ledger = NULL;
}

/* The helper follows these rules of Page 9001. */
static void
follow(const char *replies)
{
	write_replies(replies);
	load_pages(false);
	begin_life();
}

static int
enter(void **state)
{
	wrong = (struct ph_fail)PH_FAIL_INIT;
	now = START;
	runs_from = 0;
	if (room_enter(state) != 0)
		return -1;
	ph_log_open("log", PH_INFO, false);
	graph_open();
	return 0;
}

static int
leave(void **state)
{
	end_life();
	graph_close();
	forget_pages();
	ph_news_clear(&news);
	ph_log_close();
	unsetenv("PH_TEST_SPEED");
	return room_leave(state);
}

/* One turn of the helper; body, if not NULL, has come. */
static void
turn(const char *body)
{
	char		 bytes[16384];
	enum ph_verdict	 verdict;

	must(ph_ledger_begin(ledger, &wrong), &wrong);
	delivery.now = now;
	if (body != NULL)
		must(ph_delivery_keep(&delivery, quoted(body, bytes, sizeof(bytes)), now, &verdict, &wrong),
		    &wrong);
	must(ph_delivery_owe(&delivery, &wrong), &wrong);
	if (delivery.put_off)
		ph_waiting_look_at_new(waiting);
	must(ph_asked_commit(asked, now, &wrong), &wrong);
	must(ph_waiting_commit(waiting, now, &wrong), &wrong);
	must(ph_ledger_commit(ledger, &wrong), &wrong);
	ph_sending_committed(sending);
	ph_asked_committed(asked);
	ph_asked_launch(asked);
	ph_news_tell(&news);
	ph_delivery_committed(&delivery);
}

/* What the helper does between turns: waits as long as it is told, and gathers. */
static void
gather(int64_t by)
{
	struct pollfd		 fds[PH_HANDLER_WATCHED];
	struct ph_graph_sent	 sent;
	int			 left = ph_clock_left_ms(by), patience = ph_asked_patience(asked),
				 look = ph_waiting_patience(waiting);
	size_t			 n = ph_asked_watch(asked, fds, COUNT_OF(fds));

	if (look != -1 && (patience == -1 || patience > look))
		patience = look;
	if (ph_graph_flying(graph) > 0 && (patience == -1 || patience > 1))
		patience = 1;			/* it is in this process */
	if (runs_from != 0 && (patience == -1 || patience > 10))
		patience = 10;			/* the time that something is due may come */
	(void)poll(fds, n, patience == -1 || patience > left ? left : patience);
	graph_answer();
	ph_graph_perform(graph);
	while (ph_graph_next(graph, &sent))
		ph_asked_take(&sent);
	ph_asked_gather(asked);
	if (ph_asked_has_answers(asked))
		ph_waiting_look(waiting);
}

static bool
is_ready(void)
{
	return ph_asked_has_answers(asked) || ph_waiting_is_ready(waiting);
}

/* Turns, until that is what stands in the store. */
static void
until(const char *sql, const char *is)
{
	const int64_t	 by = ph_clock_mono() + BY_MS;

	while (strcmp(query(sql), is) != 0) {
		if (runs_from != 0)
			now = START + ph_clock_mono() - runs_from;
		if (ph_clock_left_ms(by) == 0)
			fail_msg("%s: %s, not %s", sql, query(sql), is);
		if (is_ready() ||
		    (ph_waiting_next_due(waiting) != 0 && ph_waiting_next_due(waiting) <= now))
			turn(NULL);
		else
			gather(by);
	}
}

#define STATES		"SELECT state FROM event ORDER BY id"
#define REPLIES		"SELECT CAST(body AS TEXT) FROM reply ORDER BY id"
#define SAID(who, mid, at, text)	"{'sender':{'id':'" who "'},'timestamp':" at \
	",'message':{'mid':'" mid "','text':'" text "'}}"
#define ENTRY(events)	"{'object':'page','entry':[{'id':'9001','messaging':[" events "]}]}"
#define HEAR(text)	turn(ENTRY(SAID("7001", "m_" text, T, text)))
#define SH(script)	"{'replies':[{'on':'text','exec':['/bin/sh','-c','" script "']}]}"
#define ALSO_YES	"{'on':'text','is':'yes','say':'yes'},"
#define SH_OR_YES(script)	"{'replies':[" ALSO_YES "{'on':'text','exec':['/bin/sh','-c','" script "']}]}"

TEST(what_a_handler_says_is_owed_and_its_event_is_done)
{
	follow(SH("cat >got; echo one; echo; echo two; "));
	HEAR("hello");
	assert_string_equal(query(STATES), "asked");
	assert_int_equal(ph_asked_flying(asked), 1);
	until(STATES, "done");
	assert_string_equal(query(REPLIES), "{\"text\":\"one\\n\\ntwo\"}");
	assert_string_equal(query("SELECT tries FROM event"), "1");
	assert_string_equal(query("SELECT event FROM reply"), "1");
	assert_int_equal(ph_asked_flying(asked), 0);
	assert_true(room_has("got"));			/* it ran beside its rules */
	assert_string_equal(query("SELECT due FROM conv"), "1767225700000");
}

TEST(a_handler_may_say_nothing)
{
	follow(SH("exit 0"));
	HEAR("hello");
	until(STATES, "done");
	assert_string_equal(query(REPLIES), "");
}

TEST(a_coproc_says_a_list)
{
	follow("{'replies':[{'on':'text','coproc':['/bin/sh','./bot']}]}");
	room_write("bot", BYTES("read x; echo '{\"pagehook\":1,\"hello\":{\"name\":\"b\"}}'\n"
	    "while read x; do id=${x#*:\\\"}; id=${id%%\\\"*}\n"
	    "echo \"{\\\"id\\\":\\\"$id\\\",\\\"reply\\\":[\\\"a\\\",{\\\"text\\\":\\\"b\\\"}]}\"\n"
	    "done\n"), 0700);
	HEAR("hello");
	until(STATES, "done");
	assert_string_equal(query(REPLIES), "{\"text\":\"a\"} {\"text\":\"b\"}");
}

TEST(what_a_rule_does_besides_is_done_once_the_handler_has_answered)
{
	follow("{'replies':[{'on':'text','exec':['/bin/echo','bye'],'pause':'1h'}]}");
	HEAR("hello");
	assert_string_equal(query("SELECT silent_until FROM conv"), "(null)");
	until(STATES, "done");
	assert_string_equal(query("SELECT silent_until FROM conv"), "1767229200000");
}

/* Not now, and other trouble. */

TEST(a_handler_that_says_later_is_asked_again)
{
	follow(SH("test $PAGEHOOK_ATTEMPT -gt 2 || exit 75; echo $PAGEHOOK_ATTEMPT"));
	HEAR("hello");
	until("SELECT state||tries FROM event", "kept1");
	assert_true(ph_waiting_next_due(waiting) > now);
	assert_non_null(strstr(query("SELECT why FROM event"), "replies.json:1"));
	now = ph_waiting_next_due(waiting) - 1;
	turn(NULL);
	assert_string_equal(query(STATES), "kept");	/* not a ms before */
	now++;
	until("SELECT state||tries FROM event", "kept2");
	now = ph_waiting_next_due(waiting);
	until(STATES, "done");
	assert_string_equal(query(REPLIES), "{\"text\":\"3\"}");
}

/* Later is no failure: a handler may say so as often as it likes. */
TEST(later_is_said_as_often_as_it_takes)
{
	follow(SH("test $PAGEHOOK_ATTEMPT -gt 7 || exit 75; echo at last"));
	HEAR("hello");
	while (strcmp(query(STATES), "done") != 0) {
		until("SELECT count(*) FROM event WHERE state IN ('kept','done')", "1");
		if (ph_waiting_next_due(waiting) != 0)
			now = ph_waiting_next_due(waiting);
		turn(NULL);
	}
	assert_string_equal(query(REPLIES), "{\"text\":\"at last\"}");
}

TEST(five_failures_are_the_end)
{
	char	 is[16];
	int	 i;

	follow(SH("exit 1"));
	HEAR("hello");
	for (i = 1; i < 5; i++) {
		snprintf(is, sizeof(is), "kept%d", i);
		until("SELECT state||tries FROM event", is);
		now = ph_waiting_next_due(waiting);
	}
	until("SELECT state||tries FROM event", "dead5");
	assert_memory_equal(query("SELECT why FROM event"), "replies.json:1: ", 16);
	assert_string_equal(query(REPLIES), "");
}

TEST(what_can_never_be_answered_is_given_up_at_once)
{
	static const char *const	 rows[] = {
		SH("exit 65"), SH("printf {{"), SH("printf \\\\\\\\377"), SH("echo {{}"), SH("echo ["),
	};
	static const char *const	 states[] = { "dead1", "dead1", "dead1", "dead1", "done1" };
	char				 again[600];
	size_t				 i;

	for (i = 0; i < COUNT_OF(rows); i++) {
		follow(rows[i]);
		snprintf(again, sizeof(again), ENTRY(SAID("7001", "m_%zu", T, "hello")), i);
		turn(again);
		until("SELECT state||tries FROM event ORDER BY id DESC LIMIT 1", states[i]);
		if (states[i][1] == 'e')
			assert_memory_equal(query("SELECT why FROM event ORDER BY id DESC LIMIT 1"),
			    "replies.json:1: ", 16);
		end_life();
		forget_pages();
	}
	assert_string_equal(query(REPLIES), "{\"text\":\"[\"}");	/* a text like any other */
	follow(SH("exit 0"));
}

TEST(an_event_that_waited_too_long_is_given_up)
{
	follow(SH("exit 75"));
	HEAR("hello");
	until(STATES, "kept");
	now = START + 2 * PH_DAY_MS;
	until(STATES, "dead");
	assert_non_null(strstr(query("SELECT why FROM event"), "PAGEHOOK_MAX_REPLY_AGE"));
}

/* Order. */

TEST(a_conversations_next_words_wait_and_anothers_do_not)
{
	follow(SH_OR_YES("until test -e go; do sleep 0.01; done; echo thought"));
	turn(ENTRY(SAID("7001", "m_1", "1767225600001", "think") ","
	    SAID("7001", "m_2", "1767225600002", "yes") "," SAID("7002", "m_3", "1767225600003", "yes")));
	turn(ENTRY(SAID("7001", "m_4", "1767225600004", "yes")));
	turn(NULL);
	assert_string_equal(query(STATES), "asked kept done kept");
	assert_string_equal(query(REPLIES), "{\"text\":\"yes\"}");
	room_write("go", BYTES(""), 0600);
	until(STATES, "done done done done");
	assert_string_equal(query("SELECT CAST(body AS TEXT) FROM reply WHERE conv=1 ORDER BY id"),
	    "{\"text\":\"thought\"} {\"text\":\"yes\"} {\"text\":\"yes\"}");
}

TEST(what_happened_before_and_comes_late_waits_for_what_is_asked)
{
	follow(SH_OR_YES("until test -e go; do sleep 0.01; done; echo thought"));
	turn(ENTRY(SAID("7001", "m_1", "1767225600002", "think")));
	turn(ENTRY(SAID("7001", "m_0", "1767225600001", "yes")));
	turn(NULL);
	assert_string_equal(query(STATES), "asked kept");
	room_write("go", BYTES(""), 0600);
	until(STATES, "done done");
	assert_string_equal(query(REPLIES), "{\"text\":\"thought\"} {\"text\":\"yes\"}");
}

static void
hear_from_many(const char *page, int from, int to)
{
	struct ph_buffer	 body = PH_BUFFER_INIT;
	int			 i;

	ph_buffer_addf(&body, "{'object':'page','entry':[{'id':'%s','messaging':[", page);
	for (i = from; i < to; i++)
		ph_buffer_addf(&body, "%s{'sender':{'id':'%d'},'timestamp':" T ",'message':{'mid':'m_%d',"
		    "'text':'%d'}}", i > from ? "," : "", 7000 + i, i, i);
	ph_buffer_adds(&body, "]}]}");
	turn(body.data);
	ph_buffer_clear(&body);
}

TEST(more_than_can_run_at_once_are_all_answered)
{
	follow(SH("echo hi"));
	hear_from_many("9001", 0, 70);
	assert_in_range(ph_asked_flying(asked), 1, PH_HANDLER_EXECS);
	until("SELECT count(*) FROM event WHERE state='done'", "70");
	assert_string_equal(query("SELECT count(DISTINCT conv) FROM reply"), "70");
	assert_string_equal(query("SELECT max(tries) FROM event"), "1");	/* to wait is no try */
}

/* While handlers think, the helper looks now and then whether there is room, and not all the time. */
TEST(who_waits_for_room_costs_few_turns)
{
	const int64_t	 by = ph_clock_mono() + 450;
	int		 turns = 0;

	follow(SH("until test -e go; do sleep 0.01; done"));
	hear_from_many("9001", 0, 40);
	turn(NULL);
	turn(NULL);
	while (ph_clock_left_ms(by) > 0) {
		gather(by);
		if (is_ready()) {
			turn(NULL);
			turns++;
		}
	}
	assert_in_range(turns, 1, 10);
	room_write("go", BYTES(""), 0600);
	until("SELECT count(*) FROM event WHERE state='done'", "40");
}

/* Page 9001 follows good.json, and 9002 broken.json. */
static void
follow_two(const char *good, const char *broken)
{
	static char	 path[600], secret[] = "s";
	struct ph_conf	 conf = { .app_secret = secret, .pages = path };

	room_write("good.json", slice(good), 0600);
	room_write("broken.json", slice(broken), 0600);
	room_write("pages.json", BYTES("{\"9001\":{\"access_token\":\"a\",\"replies\":\"good.json\"},"
	    "\"9002\":{\"access_token\":\"b\",\"replies\":\"broken.json\"}}"), 0600);
	snprintf(path, sizeof(path), "%s/pages.json", room);
	must(ph_pages_load(&conf, &pages, &wrong), &wrong);
	begin_life();
}

static void
mend(const char *file)
{
	room_write(file, BYTES("{\"replies\":[{\"on\":\"text\",\"say\":\"mended\"}]}"), 0600);
	assert_true(ph_pages_reload(pages));
	ph_asked_renew(asked);
	ph_waiting_look(waiting);
}

/* One Page's typo is no other's business. */
TEST(many_events_whose_rules_are_broken_keep_nobody_waiting)
{
	follow_two("{\"replies\":[{\"on\":\"text\",\"exec\":[\"/bin/echo\",\"hi\"]}]}", "{");
	hear_from_many("9002", 0, 70);
	turn(NULL);
	now++;
	hear_from_many("9001", 70, 71);
	until("SELECT state FROM event ORDER BY id DESC LIMIT 1", "done");
	assert_string_equal(query("SELECT count(*) FROM event WHERE state='kept'"), "70");
	mend("broken.json");
	until("SELECT count(*) FROM event WHERE state='done'", "71");
}

/* The second is due once the first is done, and that is behind where the look has come by then. */
TEST(the_next_of_a_conversation_is_found_though_nothing_else_moves)
{
	follow_two("{", "{");
	turn(ENTRY(SAID("7001", "m_1", T, "one") "," SAID("7001", "m_2", T, "two")));
	hear_from_many("9002", 0, 70);
	turn(NULL);
	turn(NULL);
	turn(NULL);
	mend("good.json");
	until("SELECT count(*) FROM event WHERE state='done'", "2");
}

/* As many as are looked at in one turn: the next look finds none, and there must be one after it. */
TEST(a_coproc_that_must_be_started_again_is_asked_all_that_waits)
{
	follow("{'replies':[{'on':'text','coproc':['/bin/sh','./bot']}]}");
	room_write("bot", BYTES("echo x >>starts; test $(wc -l <starts) -gt 2 || exit 1\n"
	    "read x; echo '{\"pagehook\":1,\"hello\":{\"name\":\"b\"}}'\n"
	    "while read x; do id=${x#*:\\\"}; id=${id%%\\\"*}\n"
	    "echo \"{\\\"id\\\":\\\"$id\\\",\\\"reply\\\":\\\"a\\\"}\"; done\n"), 0700);
	hear_from_many("9001", 0, 33);
	runs_from = ph_clock_mono();
	setenv("PH_TEST_SPEED", "20", 1);	/* of its restarts */
	until("SELECT count(*) FROM event WHERE state='done'", "33");
}

/* Silence. */

static void
silence(int64_t until_at)
{
	must(ph_ledger_begin(ledger, &wrong), &wrong);
	must(ph_ledger_silence(ledger, 1, until_at, &wrong), &wrong);
	must(ph_ledger_commit(ledger, &wrong), &wrong);
}

TEST(who_took_over_while_a_handler_thought_is_not_talked_into)
{
	follow(SH("until test -e go; do sleep 0.01; done; echo too late"));
	HEAR("hello");
	silence(START + PH_HOUR_MS);
	room_write("go", BYTES(""), 0600);
	until(STATES, "done");
	assert_string_equal(query(REPLIES), "");
	assert_non_null(strstr(query("SELECT why FROM event"), "silent"));
}

TEST(who_took_over_while_an_event_waited_is_not_talked_into)
{
	follow(SH("exit 75"));
	HEAR("hello");
	until(STATES, "kept");
	silence(START + PH_HOUR_MS);
	now = ph_waiting_next_due(waiting);
	until(STATES, "done");
	assert_string_equal(query("SELECT tries FROM event"), "1");	/* nobody was asked */
	assert_string_equal(query(REPLIES), "");
}

/* Turns that did not happen, and lives that ended. */

static void
turn_that_fails(void)
{
	must(ph_ledger_begin(ledger, &wrong), &wrong);
	must(ph_asked_commit(asked, now, &wrong), &wrong);
	must(ph_waiting_commit(waiting, now, &wrong), &wrong);
	ph_ledger_abandon(ledger);
	ph_sending_abandon(sending);
	ph_asked_abandon(asked);
	ph_waiting_abandon(waiting);
}

TEST(a_turn_that_did_not_happen_asked_nobody)
{
	follow(SH("echo $PAGEHOOK_ATTEMPT >>asked; echo hi"));
	must(ph_ledger_begin(ledger, &wrong), &wrong);
	must(ph_ledger_commit(ledger, &wrong), &wrong);
	pages->rules[0]->seen.size++;			/* so that the event is put off and not asked yet */
	ph_waiting_look(waiting);
	HEAR("hello");
	end_life();					/* the handler is killed, perhaps before it began */
	assert_true(!room_has("asked") || unlink("asked") == 0);
	begin_life();
	turn_that_fails();
	assert_int_equal(ph_asked_flying(asked), 0);
	ph_asked_launch(asked);
	assert_string_equal(query(STATES), "kept");
	assert_false(room_has("asked"));
	until(STATES, "done");				/* it looks again by itself */
	assert_string_equal(query(REPLIES), "{\"text\":\"hi\"}");
}

TEST(an_answer_of_a_turn_that_did_not_happen_is_not_lost)
{
	const int64_t	 by = ph_clock_mono() + BY_MS;

	follow(SH("echo x >>asked; echo hi"));
	HEAR("hello");
	turn(NULL);
	while (!is_ready() && ph_clock_left_ms(by) > 0)
		gather(by);
	turn_that_fails();
	turn_that_fails();
	assert_string_equal(query(STATES), "asked");
	turn(NULL);
	assert_string_equal(query(STATES), "done");
	assert_string_equal(query(REPLIES), "{\"text\":\"hi\"}");
	assert_string_equal(query("SELECT tries FROM event"), "1");
	assert_int_equal(ph_asked_flying(asked), 0);
}

TEST(what_was_asked_when_the_helper_died_is_asked_again)
{
	follow(SH("test $PAGEHOOK_ATTEMPT = 2 && echo hi && exit; sleep 60"));
	HEAR("hello");
	assert_string_equal(query(STATES), "asked");
	end_life();
	begin_life();
	until(STATES, "done");
	assert_string_equal(query(REPLIES), "{\"text\":\"hi\"}");
	assert_string_equal(query("SELECT tries FROM event"), "2");
}

TEST(who_leaves_asks_nobody_and_still_hears)
{
	const int64_t	 by = ph_clock_mono() + BY_MS;

	follow(SH("echo hi"));
	HEAR("hello");
	turn(NULL);
	while (!is_ready() && ph_clock_left_ms(by) > 0)
		gather(by);
	must(ph_ledger_begin(ledger, &wrong), &wrong);
	must(ph_ledger_put_off(ledger, 1, 1, now, &wrong), &wrong);	/* more is to be done */
	must(ph_asked_commit(asked, now, &wrong), &wrong);
	must(ph_ledger_commit(ledger, &wrong), &wrong);
	ph_asked_committed(asked);
	ph_asked_launch(asked);
	assert_int_equal(ph_asked_flying(asked), 0);
	assert_string_equal(query(REPLIES), "{\"text\":\"hi\"}");
}

/* Names. */

#define NAMED	"{'replies':[{'on':'text','say':'Hello {user.first_name}!'}]}"

TEST(a_name_is_asked_of_meta_and_remembered)
{
	follow(NAMED);
	graph_listen("{\"first_name\":\"Zo\\u00eb\",\"last_name\":\"B\",\"id\":\"7001\"}");
	HEAR("a");
	assert_string_equal(query(STATES), "asked");
	until(STATES, "done");
	assert_string_equal(query(REPLIES), "{\"text\":\"Hello Zo\xc3\xab!\"}");
	assert_int_equal(n_graph_asked, 1);
	assert_ptr_equal(strstr(graph_heard.data, "GET /v25.0/7001?fields=first_name,last_name"
	    "&access_token=page-token&appsecret_proof="), graph_heard.data);
	now += PH_DAY_MS / 2;
	HEAR("b");
	until(STATES, "done done");
	assert_int_equal(n_graph_asked, 1);
	assert_string_equal(query("SELECT tries FROM event"), "0 0");	/* Meta's name is no handler's try */
}

TEST(a_name_that_is_not_to_be_had_is_empty)
{
	follow(NAMED);				/* nobody listens */
	HEAR("a");
	until(STATES, "done");
	assert_string_equal(query(REPLIES), "{\"text\":\"Hello !\"}");
}

TEST(a_name_that_meta_refuses_is_asked_again_after_an_hour)
{
	follow(NAMED);
	graph_status = 400;
	graph_listen("{\"error\":{\"code\":100,\"message\":\"no\",\"first_name\":\"x\"}}");
	HEAR("a");
	until(STATES, "done");
	now += PH_HOUR_MS - 1;
	HEAR("b");
	until(STATES, "done done");
	assert_int_equal(n_graph_asked, 1);
	now += 2;
	HEAR("c");
	until(STATES, "done done done");
	assert_int_equal(n_graph_asked, 2);
}

#define in_a_room(test)	cmocka_unit_test_setup_teardown(test, enter, leave)

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		in_a_room(what_a_handler_says_is_owed_and_its_event_is_done),
		in_a_room(a_handler_may_say_nothing),
		in_a_room(a_coproc_says_a_list),
		in_a_room(what_a_rule_does_besides_is_done_once_the_handler_has_answered),
		in_a_room(a_handler_that_says_later_is_asked_again),
		in_a_room(later_is_said_as_often_as_it_takes),
		in_a_room(five_failures_are_the_end),
		in_a_room(what_can_never_be_answered_is_given_up_at_once),
		in_a_room(an_event_that_waited_too_long_is_given_up),
		in_a_room(a_conversations_next_words_wait_and_anothers_do_not),
		in_a_room(what_happened_before_and_comes_late_waits_for_what_is_asked),
		in_a_room(more_than_can_run_at_once_are_all_answered),
		in_a_room(who_waits_for_room_costs_few_turns),
		in_a_room(many_events_whose_rules_are_broken_keep_nobody_waiting),
		in_a_room(the_next_of_a_conversation_is_found_though_nothing_else_moves),
		in_a_room(a_coproc_that_must_be_started_again_is_asked_all_that_waits),
		in_a_room(who_took_over_while_a_handler_thought_is_not_talked_into),
		in_a_room(who_took_over_while_an_event_waited_is_not_talked_into),
		in_a_room(a_turn_that_did_not_happen_asked_nobody),
		in_a_room(an_answer_of_a_turn_that_did_not_happen_is_not_lost),
		in_a_room(what_was_asked_when_the_helper_died_is_asked_again),
		in_a_room(who_leaves_asks_nobody_and_still_hears),
		in_a_room(a_name_is_asked_of_meta_and_remembered),
		in_a_room(a_name_that_is_not_to_be_had_is_empty),
		in_a_room(a_name_that_meta_refuses_is_asked_again_after_an_hour),
	};

	(void)signal(SIGPIPE, SIG_IGN);		/* as the helper does: a handler need not read */
	return cmocka_run_group_tests_name("asked", tests, NULL, NULL);
}
