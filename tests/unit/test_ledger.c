/*
 * test_ledger -- what is owed is never forgotten, and never sent a third time.
 * Knows ledger over the SQLite store, and outcome.  Does not know who sends.
 * Called by make check.
 * Lives in a temporary directory; times are numbers that a test makes up.
 * SPDX-License-Identifier: ISC
 */
#include "clock.h"
#include "events.h"
#include "ledger.h"
#include "message.h"
#include "room.h"

#define NOW	INT64_C(1767225600000)
#define GRACE	(20 * PH_SECOND_MS)
#define MAX	400
#define SAID(mid)	"{" S ",'message':{'mid':'" mid "','text':'x'}}"

static struct ph_ledger		*ledger;
static struct ph_fail		 wrong;
static struct ph_store_reply	 found[MAX];
static size_t			 n, n_unsure;

static void
forget_found(void)
{
	for (; n > 0; n--)
		ph_store_reply_clear(&found[n - 1]);
}

static void
open_ledger(int64_t now)
{
	must(ph_ledger_open(&ph_store_sqlite, "queue.db", now, &ledger, &n_unsure, &wrong), &wrong);
	must(ph_ledger_begin(ledger, &wrong), &wrong);
}

static int
enter(void **state)
{
	unsetenv("PH_TEST_SPEED");
	wrong = (struct ph_fail)PH_FAIL_INIT;
	ledger = NULL;
	return room_enter(state);
}

static int
leave(void **state)
{
	forget_found();
	ph_ledger_close(ledger);
	return room_leave(state);
}

/* The helper dies after a commit, and another one starts. */
static void
die_and_reopen(int64_t now)
{
	must(ph_ledger_commit(ledger, &wrong), &wrong);
	ph_ledger_close(ledger);
	ledger = NULL;
	open_ledger(now);
}

static enum ph_error
keep(enum ph_channel channel, const char *json, int64_t *conv)
{
	struct ph_event		 ev;
	struct ph_store_conv	 kept;
	int64_t			 id;
	enum ph_error		 err;

	read_event(channel, json, "'9001'", NULL, &ev);
	err = ph_ledger_keep(ledger, &ev, "page", NOW, &id, &kept, &wrong);
	ph_event_clear(&ev);
	*conv = kept.id;
	return err;
}

/* Keeps what person i said; the event's id, 0 if it was kept before. */
static int64_t
hear(int i, int said, struct ph_store_conv *conv)
{
	char		 json[128];
	struct ph_event	 ev;
	int64_t		 id = 0;

	snprintf(json, sizeof(json), "{'sender':{'id':'%d'},'message':{'mid':'m_%d_%d','text':'x'}}", i,
	    i, said);
	read_event(PH_MESSAGING, json, "'9001'", NULL, &ev);
	must(ph_ledger_keep(ledger, &ev, "page", NOW, &id, conv, &wrong), &wrong);
	ph_event_clear(&ev);
	return id;
}

/* Owes messages to what happened then; how many of them are held. */
static size_t
answer(int64_t conv, int64_t event, int64_t at, const char *messages)
{
	const struct ph_ledger_answer	 owed = { .conv = conv, .event = event, .at = at, .due = NOW,
		.messages = slice(messages) };
	size_t				 n_held = 99;

	must(ph_ledger_owe(ledger, &owed, &n_held, &wrong), &wrong);
	return n_held;
}

/* Owes person i a reply. */
static void
owe(int i)
{
	char	 json[128];
	int64_t	 conv;

	snprintf(json, sizeof(json), "{'sender':{'id':'%d'},'message':{'mid':'m_%d','text':'x'}}", i, i);
	assert_int_equal(keep(PH_MESSAGING, json, &conv), PH_OK);
	assert_int_equal(answer(conv, 1, NOW, "{\"text\":\"y\"}\n"), 0);
}

static size_t
claim(int64_t now)
{
	forget_found();
	must(ph_ledger_claim(ledger, BYTES("9001"), now, found, MAX, &n, &wrong), &wrong);
	return n;
}

static size_t
ripen(int64_t now)
{
	forget_found();
	must(ph_ledger_ripen(ledger, now, found, MAX, &n, &wrong), &wrong);
	return n;
}

static const char *
settle(enum ph_outcome outcome, int64_t now)
{
	const struct ph_result	 result = { .outcome = outcome, .mid = "m_c1", .why = "said so" };
	const char		*state = "";

	must(ph_ledger_settle(ledger, &found[0], &result, now, &state, &wrong), &wrong);
	return state;
}

/* Of a reply that may go, or of an unsure one that is to be decided about: whichever is sooner. */
static int64_t
next_due(void)
{
	int64_t	 due, unsure;

	must(ph_ledger_next_due(ledger, BYTES("9001"), &due, &wrong), &wrong);
	must(ph_ledger_next_due(ledger, (struct ph_slice){ NULL, 0 }, &unsure, &wrong), &wrong);
	return due == 0 || (unsure != 0 && unsure < due) ? unsure : due;
}

static bool
is_silent(int64_t conv, int64_t at)
{
	bool	 silent = false;

	must(ph_ledger_is_silent(ledger, conv, at, &silent, &wrong), &wrong);
	return silent;
}

static bool
is_open(int64_t conv)
{
	bool	 open = false;

	must(ph_ledger_is_open(ledger, conv, &open, &wrong), &wrong);
	return open;
}

/* How many events are due; the first of them is event. */
static size_t
due(int64_t now, struct ph_store_open *event)
{
	struct ph_store_open	 rows[8];
	size_t			 i, n_due;

	must(ph_ledger_due(ledger, now, 0, 0, rows, COUNT_OF(rows), &n_due, &wrong), &wrong);
	if (n_due > 0)
		*event = rows[0];
	for (i = 0; i < n_due; i++)
		ph_store_open_clear(&rows[i]);
	return n_due;
}

static const char *
state_of(int64_t reply)
{
	static struct ph_store_told	 told;

	must(ph_ledger_tell(ledger, reply, &told, &wrong), &wrong);
	return told.state;
}

TEST(an_event_is_kept_once_however_often_it_comes)
{
	int64_t	 conv, again;

	open_ledger(NOW);
	assert_int_equal(keep(PH_MESSAGING, SAID("m_1"), &conv), PH_OK);
	assert_int_equal(keep(PH_MESSAGING, "{" S ",'new':1,'message':{'text':'y','mid':'m_1'}}",
	    &again), PH_NONE);
	die_and_reopen(NOW);
	assert_int_equal(keep(PH_MESSAGING, SAID("m_1"), &again), PH_NONE);
	assert_int_equal(keep(PH_MESSAGING, SAID("m_2"), &again), PH_OK);
	assert_int_equal(conv, again);
}

TEST(a_copy_that_was_overheard_hides_nothing)
{
	int64_t	 conv;

	open_ledger(NOW);
	assert_int_equal(keep(PH_STANDBY, SAID("m_1"), &conv), PH_OK);
	assert_int_equal(keep(PH_MESSAGING, SAID("m_1"), &conv), PH_OK);
	assert_int_equal(keep(PH_CHANGES, "{'field':'feed','value':{}}", &conv), PH_OK);
	assert_int_equal(conv, 0);
}

TEST(each_outcome_has_its_state_and_its_time)
{
	static const struct {
		enum ph_outcome outcome; const char *state; int64_t from, to;	/* 0: no next look */
	} rows[] = {
		{ PH_SENT, "sent", 0, 0 }, { PH_REFUSED, "dead", 0, 0 },
		{ PH_RETRY, "ready", NOW + 200, NOW + 2000 },
		{ PH_UNSURE, "unsure", NOW + GRACE, NOW + GRACE },
	};
	size_t	 i;

	open_ledger(NOW);
	for (i = 0; i < COUNT_OF(rows); i++) {
		owe((int)i);
		assert_int_equal(claim(NOW), 1);
		assert_string_equal(settle(rows[i].outcome, NOW), rows[i].state);
		assert_in_range(next_due(), rows[i].from, rows[i].to);
		ph_ledger_abandon(ledger);
		must(ph_ledger_begin(ledger, &wrong), &wrong);
	}
}

/* Words that have come for messages that went out: an echo must have the time to prove it. */
TEST(a_refusal_that_may_be_a_lie_waits_as_long_as_an_echo_may_take)
{
	static const struct { const char *body; int64_t from, to; } rows[] = {
		{ "{'error':{'code':1}}", NOW + GRACE, NOW + GRACE },
		{ "{'error':{'code':2,'error_subcode':7}}", NOW + GRACE, NOW + GRACE },
		{ "{'error':{'code':1200}}", NOW + GRACE, NOW + GRACE },
		{ "{'error':{'code':100,'is_transient':true}}", NOW + GRACE, NOW + GRACE },
		{ "{'error':{'code':613}}", NOW + 200, NOW + 2000 },
		{ "{'error':{'code':613,'is_transient':false}}", NOW + 200, NOW + 2000 },
	};
	char			 body[128];
	struct ph_result	 result;
	const char		*state;
	size_t			 i;

	open_ledger(NOW);
	for (i = 0; i < COUNT_OF(rows); i++) {
		const struct ph_answer	 answer = { .handed = true, .status = 400,
			.body = quoted(rows[i].body, body, sizeof(body)) };

		owe((int)i);
		assert_int_equal(claim(NOW), 1);
		ph_outcome_judge(&answer, &result);
		must(ph_ledger_settle(ledger, &found[0], &result, NOW, &state, &wrong), &wrong);
		assert_string_equal(state, "ready");
		assert_in_range(next_due(), rows[i].from, rows[i].to);
		assert_int_equal(claim(rows[i].from - 1), 0);
		assert_int_equal(claim(rows[i].to), 1);
		ph_ledger_abandon(ledger);
		must(ph_ledger_begin(ledger, &wrong), &wrong);
	}
}

/* Later tries wait longer anyway: that is a floor, and no other time. */
TEST(a_refusal_that_may_be_a_lie_shortens_no_wait)
{
	const struct ph_result	 result = { .outcome = PH_RETRY, .perhaps_taken = true };
	const char		*state;
	int64_t			 now = NOW;
	int			 i;

	open_ledger(NOW);
	owe(1);
	for (i = 0; i < 6; i++) {
		assert_int_equal(claim(now), 1);
		must(ph_ledger_settle(ledger, &found[0], &result, now, &state, &wrong), &wrong);
		assert_in_range(next_due() - now, i < 5 ? GRACE : 1800 * PH_SECOND_MS / 10,
		    i < 2 ? GRACE : 1800 * PH_SECOND_MS);
		now = next_due();
	}
}

TEST(a_clock_set_back_silences_nobody)
{
	const int64_t	 back = NOW - 365 * PH_DAY_MS;

	open_ledger(NOW);
	owe(1);
	owe(2);
	assert_int_equal(claim(NOW), 2);
	assert_string_equal(settle(PH_RETRY, NOW), "ready");
	ph_store_reply_clear(&found[0]);	/* the other one is the first now */
	found[0] = found[--n];
	assert_string_equal(settle(PH_UNSURE, NOW), "unsure");
	assert_int_equal(claim(back), 0);
	must(ph_ledger_reset_clock(ledger, back, &wrong), &wrong);
	assert_int_equal(next_due(), back);
	assert_int_equal(claim(back), 1);
	assert_int_equal(ripen(back), 1);
	assert_int_equal(claim(back), 1);
	assert_int_equal(next_due(), 0);
}

TEST(a_helper_that_starts_under_an_earlier_clock_waits_for_nothing)
{
	const int64_t	 back = NOW - 365 * PH_DAY_MS;

	open_ledger(NOW);
	owe(1);
	assert_int_equal(claim(NOW), 1);
	assert_string_equal(settle(PH_RETRY, NOW), "ready");
	die_and_reopen(back);
	assert_int_equal(next_due(), back);
	assert_int_equal(claim(back), 1);
}

TEST(what_is_due_within_a_day_stays_so)
{
	int64_t	 due;

	open_ledger(NOW);
	owe(1);
	assert_int_equal(claim(NOW), 1);
	assert_string_equal(settle(PH_RETRY, NOW), "ready");
	due = next_due();
	must(ph_ledger_reset_clock(ledger, due - PH_DAY_MS, &wrong), &wrong);
	assert_int_equal(next_due(), due);
	must(ph_ledger_reset_clock(ledger, due - PH_DAY_MS - 1, &wrong), &wrong);
	assert_int_equal(next_due(), due - PH_DAY_MS - 1);
}

TEST(each_failed_try_waits_longer)
{
	static const int64_t	 whole[] = { 2000, 10000, 30000, 120000 };
	int64_t			 now = NOW;
	size_t			 i;

	open_ledger(NOW);
	owe(1);
	for (i = 0; i < COUNT_OF(whole); i++) {
		assert_int_equal(claim(now), 1);
		assert_int_equal(found[0].attempt, i + 1);
		assert_string_equal(settle(PH_RETRY, now), "ready");
		assert_in_range(next_due() - now, whole[i] / 10, whole[i]);
		now = next_due();
	}
}

TEST(a_claim_is_settled_once)
{
	const struct ph_result	 result = { .outcome = PH_REFUSED };
	const char		*state;

	open_ledger(NOW);
	owe(1);
	assert_int_equal(claim(NOW), 1);
	assert_string_equal(settle(PH_SENT, NOW), "sent");
	assert_int_equal(ph_ledger_settle(ledger, &found[0], &result, NOW, &state, &wrong), PH_NONE);
	assert_int_equal(claim(NOW + PH_DAY_MS), 0);
}

TEST(what_a_dead_helper_was_sending_is_unsure)
{
	int	 i;

	open_ledger(NOW);
	assert_int_equal(n_unsure, 0);
	for (i = 0; i < 300; i++)		/* more than one step of recovery takes */
		owe(i);
	assert_int_equal(claim(NOW), 300);
	assert_string_equal(settle(PH_SENT, NOW), "sent");
	die_and_reopen(NOW + 5000);
	assert_int_equal(n_unsure, 299);
	assert_int_equal(claim(NOW + 5000), 0);
	assert_int_equal(next_due(), NOW + 5000 + GRACE);
	die_and_reopen(NOW + 6000);			/* unsure already: nothing new */
	assert_int_equal(n_unsure, 0);
	assert_int_equal(next_due(), NOW + 5000 + GRACE);
	assert_int_equal(ripen(NOW + 5000 + GRACE), 299);
}

TEST(an_unsure_reply_is_sent_once_more_and_then_held)
{
	unsigned char	 token[PH_STORE_TOKEN_LEN];
	int64_t		 later = NOW + GRACE;

	open_ledger(NOW);
	owe(1);
	assert_int_equal(claim(NOW), 1);
	memcpy(token, found[0].token, sizeof(token));
	assert_string_equal(settle(PH_UNSURE, NOW), "unsure");
	assert_int_equal(ripen(later - 1), 0);
	assert_int_equal(claim(later), 0);
	assert_int_equal(ripen(later), 1);
	assert_int_equal(found[0].resends, 1);
	assert_int_equal(claim(later), 1);
	assert_int_equal(found[0].attempt, 2);
	assert_memory_equal(found[0].token, token, sizeof(token));
	die_and_reopen(later);
	assert_int_equal(n_unsure, 1);
	assert_int_equal(ripen(later + GRACE), 1);
	assert_int_equal(found[0].resends, 2);
	assert_int_equal(claim(later + PH_DAY_MS), 0);
	assert_int_equal(ripen(later + PH_DAY_MS), 0);
	assert_int_equal(next_due(), 0);
}

TEST(a_retry_in_between_grants_no_third_send)
{
	open_ledger(NOW);
	owe(1);
	assert_int_equal(claim(NOW), 1);
	(void)settle(PH_UNSURE, NOW);
	assert_int_equal(ripen(NOW + GRACE), 1);
	assert_int_equal(claim(NOW + GRACE), 1);
	assert_string_equal(settle(PH_RETRY, NOW + GRACE), "ready");
	assert_int_equal(claim(NOW + PH_DAY_MS), 1);
	assert_string_equal(settle(PH_UNSURE, NOW + PH_DAY_MS), "unsure");
	assert_int_equal(ripen(NOW + PH_DAY_MS + GRACE), 1);
	assert_int_equal(claim(NOW + 2 * PH_DAY_MS), 0);
}

TEST(what_could_not_be_read_is_kept_once)
{
	int64_t	 id = 0, again = 0;

	open_ledger(NOW);
	must(ph_ledger_quarantine(ledger, BYTES("{\0"), "not JSON", NOW, &id, &wrong), &wrong);
	assert_true(id > 0);
	assert_int_equal(ph_ledger_quarantine(ledger, BYTES("{\0"), "not JSON", NOW + 1, &again,
	    &wrong), PH_NONE);
	must(ph_ledger_quarantine(ledger, BYTES("{\0x"), "not JSON", NOW, &again, &wrong), &wrong);
}

/* Seam: a store whose disk cannot sync. */
static enum ph_error
commit_nothing(struct ph_store *store, struct ph_fail *fail)
{
	ph_store_sqlite.abandon(store);
	return ph_error_set(fail, PH_BROKEN, "store: it cannot sync");
}

TEST(a_store_that_cannot_commit_is_not_opened)
{
	struct ph_store_ops	 broken = ph_store_sqlite;

	broken.commit = commit_nothing;
	assert_int_equal(ph_ledger_open(&broken, "queue.db", NOW, &ledger, &n_unsure, &wrong),
	    PH_BROKEN);
	assert_null(ledger);
	assert_string_equal(wrong.text, "store: it cannot sync");
	wrong = (struct ph_fail)PH_FAIL_INIT;
	assert_int_not_equal(ph_ledger_open(&ph_store_sqlite, "no/such/queue.db", NOW, &ledger,
	    &n_unsure, &wrong), PH_OK);
	assert_null(ledger);
}

/* Answers. */

TEST(an_answer_of_several_messages_goes_in_their_order)
{
	static const char *const	 texts[] = { "{\"a\":1}", "{\"b\":2}", "{\"c\":3}" };
	struct ph_store_conv		 conv;
	int64_t				 event;
	size_t				 i;

	open_ledger(NOW);
	event = hear(1, 1, &conv);
	assert_int_equal(answer(conv.id, event, NOW, "{\"a\":1}\n{\"b\":2}\n{\"c\":3}\n"), 0);
	for (i = 0; i < COUNT_OF(texts); i++) {
		assert_int_equal(claim(NOW), 1);
		assert_string_equal(found[0].body.data, texts[i]);
		assert_int_equal(found[0].event, event);
		assert_string_equal(settle(PH_SENT, NOW), "sent");
	}
	assert_int_equal(claim(NOW), 0);
	assert_int_equal(answer(conv.id, event, NOW, ""), 0);
	assert_int_equal(claim(NOW), 0);		/* to say nothing is no reply */
}

/* Two bots that answer each other would never stop. */
TEST(more_than_20_messages_in_a_minute_are_held)
{
	struct ph_store_conv	 conv, other;
	int			 i;

	open_ledger(NOW);
	(void)hear(1, 1, &conv);
	(void)hear(2, 1, &other);
	for (i = 0; i < 10; i++)
		assert_int_equal(answer(conv.id, 1, NOW + i * 5000, "{}\n{}\n"), 0);
	assert_int_equal(answer(conv.id, 1, NOW + 59999, "{}\n{}\n"), 2);
	assert_int_equal(answer(conv.id, 1, NOW + 60000, "{\"next\":1}\n"), 0);
	for (i = 0; i < 20; i++) {
		assert_int_equal(claim(NOW), 1);
		assert_string_equal(found[0].body.data, "{}");
		assert_string_equal(settle(PH_SENT, NOW), "sent");
	}
	assert_int_equal(claim(NOW), 1);		/* those two are passed over */
	assert_string_equal(found[0].body.data, "{\"next\":1}");
	assert_int_equal(answer(other.id, 1, NOW + 59999, "{}\n{}\n"), 0);	/* nor is it another's minute */
}

TEST(an_answer_that_alone_is_longer_is_held_from_the_21st_on)
{
	struct ph_store_conv	 conv;
	struct ph_buffer	 many = PH_BUFFER_INIT;
	int			 i;

	open_ledger(NOW);
	for (i = 0; i < 25; i++)
		ph_buffer_adds(&many, "{}\n");
	(void)hear(1, 1, &conv);
	assert_int_equal(answer(conv.id, 1, NOW, many.data), 5);
	ph_buffer_clear(&many);
}

/* After an outage an hour's words come in a moment: that is no sign of a bot. */
TEST(what_was_said_over_an_hour_is_not_held_when_it_comes_at_once)
{
	struct ph_store_conv	 conv;
	int			 i;

	open_ledger(NOW);
	(void)hear(1, 1, &conv);
	for (i = 0; i < 60; i++)
		assert_int_equal(answer(conv.id, 1, NOW + i * PH_MINUTE_MS, "{}\n"), 0);
}

/* What is sent by hand goes behind what is owed, is no sign of a bot, and bears its kind. */
TEST(what_is_sent_by_hand_waits_its_turn)
{
	struct ph_store_conv	 conv;
	int64_t			 id;
	int			 i;

	open_ledger(NOW);
	(void)hear(1, 1, &conv);
	assert_int_equal(answer(conv.id, 1, NOW, "{\"a\":1}\n"), 0);
	for (i = 0; i < 30; i++)
		must(ph_ledger_send(ledger, conv.id, PH_MESSAGE_UPDATE, NOW, BYTES("{\"hand\":1}"), &id,
		    &wrong), &wrong);
	assert_int_equal(answer(conv.id, 1, NOW, "{\"b\":1}\n"), 0);
	assert_int_equal(claim(NOW), 1);
	assert_string_equal(found[0].kind, "");
	assert_string_equal(settle(PH_SENT, NOW), "sent");
	assert_int_equal(claim(NOW), 1);
	assert_string_equal(found[0].kind, PH_MESSAGE_UPDATE);
	assert_int_equal(found[0].event, 0);
	assert_string_equal(settle(PH_REFUSED, NOW), "dead");
	assert_string_equal(state_of(id), "ready");	/* the next by hand is another's: nothing follows */
	assert_int_equal(ph_ledger_tell(ledger, 4711, &(struct ph_store_told){ .code = 0 }, &wrong),
	    PH_NONE);
}

/* Silence and the thread. */

static size_t
hand_over(int64_t conv, int64_t event, const char *to)
{
	const struct ph_ledger_answer	 owed = { .conv = conv, .event = event, .at = NOW, .due = NOW,
		.messages = BYTES("{\"a\":1}\n{\"b\":1}\n"), .handover = true, .handover_to = to };
	size_t				 n_held;

	must(ph_ledger_owe(ledger, &owed, &n_held, &wrong), &wrong);
	return n_held;
}

TEST(a_thread_is_passed_after_the_last_word_and_the_bot_is_silent)
{
	struct ph_store_conv	 conv;

	open_ledger(NOW);
	(void)hear(1, 1, &conv);
	assert_int_equal(hand_over(conv.id, 1, NULL), 0);
	assert_true(is_silent(conv.id, NOW));
	assert_true(is_silent(conv.id, NOW + 365 * PH_DAY_MS));
	die_and_reopen(NOW);
	assert_true(is_silent(conv.id, NOW + 365 * PH_DAY_MS));
	assert_int_equal(claim(NOW), 1);
	assert_string_equal(settle(PH_SENT, NOW), "sent");
	assert_int_equal(claim(NOW), 1);
	assert_string_equal(settle(PH_SENT, NOW), "sent");
	assert_int_equal(claim(NOW), 1);
	assert_string_equal(found[0].kind, PH_MESSAGE_PASS_THREAD);
	assert_string_equal(found[0].body.data, "{\"target_app_id\":\"263902037430900\"}");
	assert_string_equal(settle(PH_SENT, NOW), "sent");
	assert_true(is_silent(conv.id, NOW));
	(void)hear(2, 1, &conv);
	assert_int_equal(hand_over(conv.id, 2, "123456"), 0);
	assert_int_equal(claim(NOW), 1);
	assert_string_equal(settle(PH_SENT, NOW), "sent");
	assert_int_equal(claim(NOW), 1);
	assert_string_equal(settle(PH_SENT, NOW), "sent");
	assert_int_equal(claim(NOW), 1);
	assert_string_equal(found[0].body.data, "{\"target_app_id\":\"123456\"}");
}

TEST(a_thread_that_could_not_be_passed_is_still_ours)
{
	struct ph_store_conv	 conv;

	open_ledger(NOW);
	(void)hear(1, 1, &conv);
	assert_int_equal(hand_over(conv.id, 1, NULL), 0);
	assert_int_equal(claim(NOW), 1);
	assert_string_equal(settle(PH_SENT, NOW), "sent");
	assert_int_equal(claim(NOW), 1);
	assert_string_equal(settle(PH_SENT, NOW), "sent");
	assert_int_equal(claim(NOW), 1);
	assert_string_equal(settle(PH_RETRY, NOW), "ready");
	assert_true(is_silent(conv.id, NOW));
	assert_int_equal(claim(NOW + PH_DAY_MS), 1);
	assert_string_equal(settle(PH_REFUSED, NOW), "dead");
	assert_false(is_silent(conv.id, NOW));
}

/* Else the bot would be silent for ever in a thread that nobody else has. */
TEST(a_thread_is_passed_though_a_word_before_it_was_refused)
{
	struct ph_store_conv	 conv;

	open_ledger(NOW);
	(void)hear(1, 1, &conv);
	assert_int_equal(hand_over(conv.id, 1, NULL), 0);
	assert_int_equal(claim(NOW), 1);
	assert_string_equal(settle(PH_REFUSED, NOW), "dead");
	assert_int_equal(claim(NOW), 1);
	assert_string_equal(found[0].kind, PH_MESSAGE_PASS_THREAD);
}

TEST(a_pause_is_as_long_as_it_says_from_the_event_on)
{
	struct ph_store_conv		 conv;
	struct ph_ledger_answer		 owed = { .at = NOW - 500, .due = NOW, .pause_ms = 2000,
		.messages = BYTES("{}\n") };
	size_t				 n_held;

	open_ledger(NOW);
	owed.event = hear(1, 1, &conv);
	owed.conv = conv.id;
	assert_false(is_silent(conv.id, NOW));
	must(ph_ledger_owe(ledger, &owed, &n_held, &wrong), &wrong);
	assert_true(is_silent(conv.id, NOW + 1499));
	assert_false(is_silent(conv.id, NOW + 1500));
	assert_int_equal(claim(NOW), 1);		/* what it says itself goes */
	must(ph_ledger_silence(ledger, conv.id, 0, &wrong), &wrong);
	assert_false(is_silent(conv.id, NOW));
}

TEST(a_part_that_is_refused_takes_the_later_parts_with_it)
{
	struct ph_store_conv	 conv;
	int64_t			 event;

	open_ledger(NOW);
	event = hear(1, 1, &conv);
	assert_int_equal(answer(conv.id, event, NOW, "{\"a\":1}\n{\"b\":1}\n{\"c\":1}\n"), 0);
	assert_int_equal(answer(conv.id, hear(1, 2, &conv), NOW, "{\"another\":1}\n"), 0);
	assert_int_equal(claim(NOW), 1);
	assert_string_equal(settle(PH_SENT, NOW), "sent");
	assert_int_equal(claim(NOW), 1);
	assert_string_equal(settle(PH_REFUSED, NOW), "dead");
	assert_string_equal(state_of(found[0].id + 1), "dead");
	assert_int_equal(claim(NOW), 1);
	assert_string_equal(found[0].body.data, "{\"another\":1}");
}

/* Conversations. */

TEST(a_plugins_user_ref_is_never_taken_for_a_persons_id)
{
	struct ph_store_conv	 conv;
	int64_t			 id = 0, same = 0;

	open_ledger(NOW);
	assert_int_equal(keep(PH_MESSAGING, "{'recipient':{'id':'9001'},'timestamp':1767225600000,"
	    "'optin':{'ref':'x','user_ref':'7001'}}", &id), PH_OK);
	assert_int_equal(keep(PH_MESSAGING, SAID("m_1"), &same), PH_OK);
	assert_int_not_equal(id, same);
	must(ph_ledger_find(ledger, BYTES("9001"), BYTES("user_ref:7001"), false, &conv, &wrong), &wrong);
	assert_int_equal(conv.id, id);
	must(ph_ledger_find(ledger, BYTES("9001"), BYTES("7001"), false, &conv, &wrong), &wrong);
	assert_int_equal(conv.id, same);
	assert_int_equal(ph_ledger_find(ledger, BYTES("9001"), BYTES("7002"), false, &conv, &wrong),
	    PH_NONE);
	assert_int_equal(answer(id, 1, NOW, "{}\n"), 0);
	assert_int_equal(claim(NOW), 1);
	assert_string_equal(found[0].person.data, "user_ref:7001");
}

TEST(a_name_is_remembered)
{
	struct ph_store_person	 person = { .asked_at = 7 };
	struct ph_store_conv	 conv;

	open_ledger(NOW);
	(void)hear(1, 1, &conv);
	must(ph_ledger_set_person(ledger, conv.id, BYTES("Ana"), BYTES("B"), NOW, &wrong), &wrong);
	die_and_reopen(NOW);
	must(ph_ledger_person(ledger, conv.id, &person, &wrong), &wrong);
	assert_true(person.asked_at == NOW);
	assert_string_equal(person.first_name.data, "Ana");
	ph_store_person_clear(&person);
}

/* Events that wait. */

TEST(an_event_that_waits_is_due_until_it_is_asked_or_closed)
{
	struct ph_store_open	 event;
	struct ph_store_conv	 conv;
	int64_t			 first, second, at;

	open_ledger(NOW);
	first = hear(1, 1, &conv);
	assert_false(is_open(conv.id));
	assert_int_equal(due(NOW, &event), 0);
	must(ph_ledger_put_off(ledger, first, conv.id, NOW, &wrong), &wrong);
	second = hear(1, 2, &conv);
	must(ph_ledger_put_off(ledger, second, conv.id, NOW, &wrong), &wrong);
	assert_true(is_open(conv.id));
	assert_int_equal(due(NOW, &event), 1);
	assert_int_equal(event.id, first);
	assert_int_equal(event.tries, 0);
	must(ph_ledger_ask(ledger, first, conv.id, 1, &wrong), &wrong);
	assert_int_equal(due(NOW + PH_DAY_MS, &event), 0);
	must(ph_ledger_ask_again(ledger, first, conv.id, 1, false, 5000, NOW, "later", &wrong), &wrong);
	must(ph_ledger_next_open(ledger, NOW, &at, &wrong), &wrong);
	assert_true(at == NOW + 5000);
	assert_int_equal(due(NOW + 4999, &event), 0);
	assert_int_equal(due(NOW + 5000, &event), 1);
	assert_int_equal(event.tries, 1);
	must(ph_ledger_close_event(ledger, first, conv.id, 1, false, NULL, NOW + 6000, &wrong), &wrong);
	assert_int_equal(due(NOW + 6000, &event), 1);
	assert_int_equal(event.id, second);
	must(ph_ledger_close_event(ledger, second, conv.id, 0, true, "why", NOW, &wrong), &wrong);
	assert_false(is_open(conv.id));
	must(ph_ledger_next_open(ledger, 0, &at, &wrong), &wrong);
	assert_int_equal(at, 0);
}

TEST(what_a_dead_helper_had_asked_is_asked_again_with_its_try_counted)
{
	struct ph_store_open	 event;
	struct ph_store_conv	 conv;
	int64_t			 id;

	open_ledger(NOW);
	id = hear(1, 1, &conv);
	must(ph_ledger_put_off(ledger, id, conv.id, NOW, &wrong), &wrong);
	must(ph_ledger_ask(ledger, id, conv.id, 3, &wrong), &wrong);
	die_and_reopen(NOW + 5);
	assert_true(is_open(conv.id));
	assert_int_equal(due(NOW + 5, &event), 1);
	assert_int_equal(event.id, id);
	assert_int_equal(event.tries, 3);
}

/* The ledger counts open events, to ask the store no needless questions. */
TEST(what_was_put_off_in_a_turn_that_did_not_happen_is_not_open)
{
	struct ph_store_open	 event;
	struct ph_store_conv	 conv;
	int64_t			 id;

	open_ledger(NOW);
	id = hear(1, 1, &conv);
	must(ph_ledger_put_off(ledger, id, conv.id, NOW, &wrong), &wrong);
	must(ph_ledger_commit(ledger, &wrong), &wrong);
	must(ph_ledger_begin(ledger, &wrong), &wrong);
	must(ph_ledger_close_event(ledger, id, conv.id, 1, false, NULL, NOW, &wrong), &wrong);
	assert_false(is_open(conv.id));
	ph_ledger_abandon(ledger);
	must(ph_ledger_begin(ledger, &wrong), &wrong);
	assert_true(is_open(conv.id));
	assert_int_equal(due(NOW, &event), 1);
}

TEST(a_clock_set_back_lets_no_event_wait_for_years)
{
	const int64_t		 back = NOW - 365 * PH_DAY_MS;
	struct ph_store_open	 event;
	struct ph_store_conv	 conv;
	int64_t			 id;

	open_ledger(NOW);
	id = hear(1, 1, &conv);
	must(ph_ledger_put_off(ledger, id, conv.id, NOW, &wrong), &wrong);
	assert_int_equal(due(back, &event), 0);
	must(ph_ledger_reset_clock(ledger, back, &wrong), &wrong);
	assert_int_equal(due(back, &event), 1);
}

#define in_a_room(test)	cmocka_unit_test_setup_teardown(test, enter, leave)

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		in_a_room(an_event_is_kept_once_however_often_it_comes),
		in_a_room(a_copy_that_was_overheard_hides_nothing),
		in_a_room(each_outcome_has_its_state_and_its_time),
		in_a_room(a_refusal_that_may_be_a_lie_waits_as_long_as_an_echo_may_take),
		in_a_room(a_refusal_that_may_be_a_lie_shortens_no_wait),
		in_a_room(a_clock_set_back_silences_nobody),
		in_a_room(a_helper_that_starts_under_an_earlier_clock_waits_for_nothing),
		in_a_room(what_is_due_within_a_day_stays_so),
		in_a_room(each_failed_try_waits_longer),
		in_a_room(a_claim_is_settled_once),
		in_a_room(what_a_dead_helper_was_sending_is_unsure),
		in_a_room(an_unsure_reply_is_sent_once_more_and_then_held),
		in_a_room(a_retry_in_between_grants_no_third_send),
		in_a_room(what_could_not_be_read_is_kept_once),
		in_a_room(a_store_that_cannot_commit_is_not_opened),
		in_a_room(an_answer_of_several_messages_goes_in_their_order),
		in_a_room(more_than_20_messages_in_a_minute_are_held),
		in_a_room(an_answer_that_alone_is_longer_is_held_from_the_21st_on),
		in_a_room(what_was_said_over_an_hour_is_not_held_when_it_comes_at_once),
		in_a_room(what_is_sent_by_hand_waits_its_turn),
		in_a_room(a_thread_is_passed_after_the_last_word_and_the_bot_is_silent),
		in_a_room(a_thread_that_could_not_be_passed_is_still_ours),
		in_a_room(a_thread_is_passed_though_a_word_before_it_was_refused),
		in_a_room(a_pause_is_as_long_as_it_says_from_the_event_on),
		in_a_room(a_part_that_is_refused_takes_the_later_parts_with_it),
		in_a_room(a_plugins_user_ref_is_never_taken_for_a_persons_id),
		in_a_room(a_name_is_remembered),
		in_a_room(an_event_that_waits_is_due_until_it_is_asked_or_closed),
		in_a_room(what_a_dead_helper_had_asked_is_asked_again_with_its_try_counted),
		in_a_room(what_was_put_off_in_a_turn_that_did_not_happen_is_not_open),
		in_a_room(a_clock_set_back_lets_no_event_wait_for_years),
	};

	return cmocka_run_group_tests_name("ledger", tests, NULL, NULL);
}
