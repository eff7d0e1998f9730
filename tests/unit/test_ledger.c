/*
 * test_ledger -- what is owed is never forgotten, and never sent a third time.
 * Knows ledger over the SQLite store, and outcome.  Does not know who sends.
 * Called by make check.
 * Lives in a temporary directory; times are numbers that a test makes up.
 * SPDX-License-Identifier: ISC
 */
#include <inttypes.h>

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
static size_t			 n, n_unsure, n_late;
static const char		*why[MAX];
static int64_t			 max_age;
static enum ph_unsure_policy	 policy;

static void
forget_found(void)
{
	for (; n > 0; n--)
		ph_store_reply_clear(&found[n - 1]);
}

static void
open_ledger(int64_t now)
{
	must(ph_ledger_open(&ph_store_sqlite, "queue.db", now, max_age, policy, &ledger, &n_unsure, &wrong),
	    &wrong);
	must(ph_ledger_begin(ledger, &wrong), &wrong);
}

static int
enter(void **state)
{
	unsetenv("PH_TEST_SPEED");
	wrong = (struct ph_fail)PH_FAIL_INIT;
	ledger = NULL;
	max_age = 4 * PH_DAY_MS;		/* beyond the window: that is asked by tests of its own */
	policy = PH_RESEND;
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
	must(ph_ledger_claim(ledger, BYTES("9001"), now, found, MAX, &n, &n_late, &wrong),
	    &wrong);
	return n;
}

static size_t
ripen(int64_t now)
{
	forget_found();
	must(ph_ledger_ripen(ledger, now, found, why, MAX, &n, &wrong), &wrong);
	return n;
}

static const char *
settle(enum ph_outcome outcome, int64_t now)
{
	struct ph_result	 result = { .outcome = outcome, .mid = "m_c1", .why = "said so" };
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
		{ PH_UNREACHABLE, "dead", 0, 0 }, { PH_PAGE, "ready", NOW, NOW },
		{ PH_THREAD, "ready", NOW + 4 * PH_DAY_MS + 1, NOW + 4 * PH_DAY_MS + 1 },
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
		{ "{'error':{'code':508,'error_subcode':2534122}}", NOW + 200, NOW + 2000 },
		{ "{'error':{'code':508,'error_subcode':2534122,'is_transient':true}}", NOW + GRACE, NOW + GRACE },
		/* The whole Page waits for a limit: it is for its pace to say how long. */
		{ "{'error':{'code':613}}", NOW, NOW },
		{ "{'error':{'code':613,'is_transient':false}}", NOW, NOW },
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
	struct ph_result	 result = { .outcome = PH_RETRY, .perhaps_taken = true };
	const char	*state;
	int64_t		 now = NOW;
	int		 i;

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
	struct ph_result	 result = { .outcome = PH_REFUSED };
	const char	*state;

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
	assert_null(why[0]);
	assert_int_equal(found[0].resends, 1);
	assert_int_equal(claim(later), 1);
	assert_int_equal(found[0].attempt, 2);
	assert_memory_equal(found[0].token, token, sizeof(token));
	die_and_reopen(later);
	assert_int_equal(n_unsure, 1);
	assert_int_equal(ripen(later + GRACE), 1);
	assert_non_null(why[0]);
	assert_string_equal(state_of(found[0].id), "held");
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
	assert_int_equal(ph_ledger_open(&broken, "queue.db", NOW, PH_DAY_MS, PH_RESEND, &ledger, &n_unsure,
	    &wrong), PH_BROKEN);
	assert_null(ledger);
	assert_string_equal(wrong.text, "store: it cannot sync");
	wrong = (struct ph_fail)PH_FAIL_INIT;
	assert_int_not_equal(ph_ledger_open(&ph_store_sqlite, "no/such/queue.db", NOW, PH_DAY_MS,
	    PH_RESEND, &ledger, &n_unsure, &wrong), PH_OK);
	assert_null(ledger);
}

/* Copies of the store. */

static struct ph_ledger_generation
next_generation(int64_t last)
{
	struct ph_ledger_generation	 g;

	must(ph_ledger_commit(ledger, &wrong), &wrong);
	must(ph_ledger_next_generation(ledger, last, NOW, &g, &wrong), &wrong);
	must(ph_ledger_begin(ledger, &wrong), &wrong);
	return g;
}

TEST(each_helper_that_starts_counts_one_more)
{
	int64_t	 beside = 0;
	int	 i;

	for (i = 1; i <= 4; i++) {
		open_ledger(NOW);
		assert_int_equal(next_generation(beside).number, i);
		beside = i == 2 ? 1 : i;	/* the second died before it could write the number down */
		must(ph_ledger_commit(ledger, &wrong), &wrong);
		ph_ledger_close(ledger);
		ledger = NULL;
	}
}

TEST(what_no_older_copy_holds_is_sent)
{
	static const int64_t	 beside[] = { 0, 1, 2 };	/* unknown, lower, the same */
	size_t			 i;

	for (i = 0; i < COUNT_OF(beside); i++) {
		open_ledger(NOW);
		(void)next_generation(0);
		(void)next_generation(1);
		owe((int)i + 1);
		assert_false(next_generation(beside[i]).older);
		assert_int_equal(claim(NOW), 1);
		forget_found();
		must(ph_ledger_commit(ledger, &wrong), &wrong);
		ph_ledger_close(ledger);
		ledger = NULL;
		assert_int_equal(unlink("queue.db"), 0);
		assert_int_equal(unlink("queue.db-wal"), 0);
	}
}

TEST(what_an_older_copy_holds_is_for_a_person_to_decide)
{
	struct ph_ledger_generation	 g;
	struct ph_store_conv		 conv;
	bool				 open;

	open_ledger(NOW);
	owe(1);
	owe(2);
	owe(3);
	assert_int_equal(claim(NOW), 3);
	(void)settle(PH_UNSURE, NOW);		/* one unsure, two sending, one ready, an event that waits */
	owe(4);
	must(ph_ledger_put_off(ledger, hear(5, 1, &conv), conv.id, NOW, &wrong), &wrong);
	g = next_generation(7);
	assert_true(g.older);
	assert_int_equal(g.number, 8);
	assert_int_equal(g.n_replies, 4);
	assert_int_equal(g.n_events, 1);
	assert_false(ph_ledger_any_open(ledger));
	must(ph_ledger_is_open(ledger, conv.id, &open, &wrong), &wrong);
	assert_false(open);
	assert_int_equal(next_due(), 0);
	assert_int_equal(claim(NOW + PH_DAY_MS), 0);
	assert_int_equal(ripen(NOW + PH_DAY_MS), 0);
	assert_int_equal(ph_ledger_steer(ledger, &(struct ph_store_steer){ .order = PH_STORE_RETRY, .id = 1,
	    .now = NOW }, &wrong), PH_NONE);	/* it may have been answered */
	must(ph_ledger_steer(ledger, &(struct ph_store_steer){ .order = PH_STORE_RETRY, .id = 1, .now = NOW,
	    .unsure = true }, &wrong), &wrong);
	assert_int_equal(claim(NOW), 1);
	assert_int_equal(found[0].id, 1);
	assert_false(next_generation(8).older);
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

/* Too old to be said. */

/* Owes what person i said at that time; the reply's id. */
static int64_t
owe_at(int i, int64_t said_at, int64_t answers)
{
	char			 json[160];
	struct ph_event		 ev;
	struct ph_store_conv	 conv;
	int64_t			 id = 0;

	snprintf(json, sizeof(json), "{'sender':{'id':'%d'},'timestamp':%" PRId64 ",'message':{'mid':'m_%d',"
	    "'text':'x'}}", i, said_at, i);
	read_event(PH_MESSAGING, json, "'9001'", NULL, &ev);
	must(ph_ledger_keep(ledger, &ev, "page", said_at, &id, &conv, &wrong), &wrong);
	ph_event_clear(&ev);
	if (answers != 0)
		assert_int_equal(answer(conv.id, id, answers, "{}\n"), 0);
	return conv.id;
}

static const char *
why_of(int64_t reply)
{
	static struct ph_store_told	 told;

	must(ph_ledger_tell(ledger, reply, &told, &wrong), &wrong);
	return told.why;
}

TEST(what_answers_something_too_old_is_dead_and_holds_up_nobody)
{
	max_age = PH_HOUR_MS;
	open_ledger(NOW);
	(void)owe_at(1, NOW, NOW);
	(void)owe_at(2, NOW, NOW + 1);
	assert_int_equal(claim(NOW + PH_HOUR_MS + 1), 1);
	assert_int_equal(n_late, 1);
	assert_string_equal(found[0].person.data, "2");
	assert_non_null(found[0].body.data);
	assert_string_equal(state_of(1), "dead");
	assert_int_equal(strncmp(why_of(1), "too old: ", 9), 0);
	assert_string_equal(settle(PH_SENT, NOW + PH_HOUR_MS + 1), "sent");
	assert_int_equal(claim(NOW + PH_DAY_MS), 0);
	assert_int_equal(n_late, 0);
	assert_int_equal(next_due(), 0);
}

TEST(a_retry_ends_when_what_it_answers_is_too_old)
{
	int64_t	 now = NOW;
	int	 i;

	max_age = PH_HOUR_MS;
	open_ledger(NOW);
	owe(1);
	for (i = 0; i < 100 && claim(now) == 1; i++) {
		assert_string_equal(settle(PH_RETRY, now), "ready");
		now = next_due();
	}
	assert_in_range(i, 6, 99);
	assert_int_equal(n_late, 1);
	assert_string_equal(state_of(1), "dead");
	assert_true(now > NOW + PH_HOUR_MS);
}

/* 24 h after a person's last words only what a human agent says is let through, for 7 days. */
TEST(meta_has_a_window_for_each_kind)
{
	static const struct { const char *kind; int64_t days; } rows[] = {
		{ NULL, 1 }, { PH_MESSAGE_UPDATE, 1 }, { PH_MESSAGE_HUMAN_AGENT, 7 },
	};
	const int64_t	 said_at = NOW + PH_MINUTE_MS;
	int64_t		 conv, id = 0, end;
	size_t		 i;

	max_age = 30 * PH_DAY_MS;
	open_ledger(NOW);
	for (i = 0; i < COUNT_OF(rows); i++) {
		conv = owe_at(1, said_at, 0);
		end = said_at + rows[i].days * PH_DAY_MS;
		must(ph_ledger_send(ledger, conv, rows[i].kind, NOW, BYTES("{}"), &id, &wrong), &wrong);
		assert_int_equal(claim(end), 1);
		must(ph_ledger_unclaim(ledger, &found[0], NOW, &wrong), &wrong);
		assert_int_equal(claim(end + 1), 0);
		assert_int_equal(n_late, 1);
		assert_string_equal(state_of(id), "dead");
		assert_non_null(strstr(why_of(id), rows[i].days == 7 ? "7 days" : "24 h"));
		ph_ledger_abandon(ledger);
		must(ph_ledger_begin(ledger, &wrong), &wrong);
	}
}

/* To somebody of whose words nothing is known; and the thread itself, which is no message. */
TEST(what_has_no_window_is_never_too_late)
{
	struct ph_store_conv	 conv;
	int64_t			 id = 0;

	max_age = PH_HOUR_MS;
	open_ledger(NOW);
	must(ph_ledger_find(ledger, BYTES("9001"), BYTES("7009"), true, &conv, &wrong), &wrong);
	must(ph_ledger_send(ledger, conv.id, PH_MESSAGE_UPDATE, NOW, BYTES("{}"), &id, &wrong), &wrong);
	must(ph_ledger_send(ledger, owe_at(1, NOW, 0), PH_MESSAGE_PASS_THREAD, NOW, BYTES("{}"), &id, &wrong),
	    &wrong);
	assert_int_equal(claim(NOW + 30 * PH_DAY_MS), 2);
	assert_int_equal(n_late, 0);
}

TEST(new_words_open_the_window_again)
{
	struct ph_store_conv	 conv;
	int64_t			 id = 0;

	open_ledger(NOW);
	(void)hear(1, 1, &conv);
	must(ph_ledger_send(ledger, conv.id, NULL, NOW + PH_DAY_MS, BYTES("{}"), &id, &wrong), &wrong);
	(void)owe_at(1, NOW + PH_HOUR_MS, 0);
	assert_int_equal(claim(NOW + PH_DAY_MS + PH_HOUR_MS), 1);
	must(ph_ledger_unclaim(ledger, &found[0], NOW, &wrong), &wrong);
	assert_int_equal(claim(NOW + PH_DAY_MS + PH_HOUR_MS + 1), 0);
}

TEST(a_clock_that_was_never_set_makes_nothing_too_old)
{
	open_ledger(NOW);
	owe_at(1, PH_DAY_MS, PH_DAY_MS);
	assert_int_equal(claim(NOW), 1);	/* far behind: but who knows what time it is */
	assert_int_equal(n_late, 0);
}

/* What an outcome is after so many tries, and means for the others. */

static const char *
settle_as(struct ph_result result, int64_t now)
{
	const char	*state = "";

	must(ph_ledger_settle(ledger, &found[0], &result, now, &state, &wrong), &wrong);
	return state;
}

TEST(a_retry_that_is_used_up_becomes_what_it_is_then)
{
	static const struct { int retries; enum ph_outcome then; const char *state; } rows[] = {
		{ 2, PH_REFUSED, "dead" }, { 5, PH_UNREACHABLE, "dead" }, { 2, PH_PAGE, "ready" },
		{ 3, PH_PAGE, "ready" },
	};
	struct ph_result	 result;
	const char		*state;
	int64_t			 now;
	size_t			 i;
	int			 n_try;

	open_ledger(NOW);
	for (i = 0; i < COUNT_OF(rows); i++) {
		owe(1);
		result = (struct ph_result){ .outcome = PH_RETRY, .retries = rows[i].retries,
		    .then = rows[i].then };
		for (now = NOW, n_try = 1; n_try <= rows[i].retries; n_try++, now = next_due()) {
			assert_int_equal(claim(now), 1);
			assert_string_equal(settle_as(result, now), "ready");
		}
		assert_int_equal(claim(now), 1);
		must(ph_ledger_settle(ledger, &found[0], &result, now, &state, &wrong), &wrong);
		assert_string_equal(state, rows[i].state);
		assert_int_equal(result.outcome, rows[i].then);	/* its Page hears of it */
		ph_ledger_abandon(ledger);
		must(ph_ledger_begin(ledger, &wrong), &wrong);
	}
}

/* Else a reply that waited for a Page or a limit would be given up at the first odd answer. */
TEST(tries_that_another_outcome_cost_are_not_counted)
{
	const struct ph_result	 limit = { .outcome = PH_RETRY, .page_waits = true };
	const struct ph_result	 capped = { .outcome = PH_RETRY, .retries = 2, .then = PH_REFUSED };
	int			 i;

	open_ledger(NOW);
	owe(1);
	for (i = 0; i < 4; i++) {
		assert_int_equal(claim(next_due()), 1);
		assert_string_equal(settle_as(limit, NOW), "ready");
	}
	for (i = 0; i < 3; i++) {
		assert_int_equal(claim(next_due()), 1);
		assert_string_equal(settle_as(capped, NOW), i < 2 ? "ready" : "dead");
	}
}

TEST(graph_names_the_wait)
{
	open_ledger(NOW);
	owe(1);
	assert_int_equal(claim(NOW), 1);
	(void)settle_as((struct ph_result){ .outcome = PH_RETRY, .wait_ms = 77000 }, NOW);
	assert_int_equal(next_due(), NOW + 77000);
	assert_int_equal(claim(NOW + 77000), 1);
	(void)settle_as((struct ph_result){ .outcome = PH_RETRY, .wait_ms = 1000, .perhaps_taken = true }, NOW);
	assert_int_equal(next_due(), NOW + GRACE);	/* not before an echo could be here */
}

TEST(who_cannot_be_reached_is_owed_nothing_more_until_they_write)
{
	struct ph_store_conv	 conv;
	int64_t			 event, id = 0;

	open_ledger(NOW);
	event = hear(1, 1, &conv);
	assert_int_equal(answer(conv.id, event, NOW, "{\"a\":1}\n{\"b\":1}\n"), 0);
	assert_int_equal(answer(conv.id, hear(1, 2, &conv), NOW, "{\"another\":1}\n"), 0);
	must(ph_ledger_send(ledger, conv.id, PH_MESSAGE_UPDATE, NOW, BYTES("{}"), &id, &wrong), &wrong);
	owe(2);
	assert_int_equal(claim(NOW), 2);
	if (found[0].conv != conv.id) {
		ph_store_reply_clear(&found[0]);
		found[0] = found[--n];
	}
	assert_string_equal(settle(PH_UNREACHABLE, NOW), "dead");
	assert_string_equal(state_of(id), "dead");
	assert_string_equal(why_of(id), "this person cannot be reached");
	assert_int_equal(claim(NOW + PH_HOUR_MS), 0);
	assert_int_equal(answer(conv.id, hear(1, 3, &conv), NOW, "{\"anew\":1}\n"), 0);
	assert_int_equal(claim(NOW), 1);
	assert_string_equal(found[0].body.data, "{\"anew\":1}");
}

/* The thread was to be passed behind those words: nobody else has it. */
TEST(who_could_not_be_reached_hears_the_bot_when_they_write_again)
{
	struct ph_store_conv	 conv;

	open_ledger(NOW);
	(void)hear(1, 1, &conv);
	assert_int_equal(hand_over(conv.id, 1, NULL), 0);
	assert_true(is_silent(conv.id, NOW));
	assert_int_equal(claim(NOW), 1);
	assert_string_equal(settle(PH_UNREACHABLE, NOW), "dead");
	assert_false(is_silent(conv.id, NOW));
	must(ph_ledger_silence(ledger, conv.id, NOW + PH_HOUR_MS, &wrong), &wrong);
	assert_int_equal(answer(conv.id, 1, NOW, "{}\n"), 0);
	assert_int_equal(claim(NOW), 1);
	assert_string_equal(settle(PH_UNREACHABLE, NOW), "dead");
	assert_true(is_silent(conv.id, NOW));		/* a person's pause stays */
}

TEST(a_thread_that_another_has_is_waited_for_until_a_turn_brings_it_back)
{
	struct ph_store_conv	 conv;

	max_age = PH_HOUR_MS;
	open_ledger(NOW);
	assert_int_equal(answer(hear(1, 1, &conv) != 0 ? conv.id : 0, 1, NOW, "{\"a\":1}\n{\"b\":1}\n"), 0);
	assert_false(conv.foreign);
	assert_int_equal(claim(NOW), 1);
	assert_string_equal(settle(PH_THREAD, NOW), "ready");
	die_and_reopen(NOW);
	assert_int_equal(claim(NOW + PH_HOUR_MS), 0);
	assert_true(hear(1, 2, &conv) != 0);
	assert_true(conv.foreign);
	must(ph_ledger_take_thread(ledger, conv.id, NOW + 60000, &wrong), &wrong);
	assert_int_equal(next_due(), NOW + 60000);
	assert_int_equal(claim(NOW + 60000), 1);
	assert_string_equal(found[0].body.data, "{\"a\":1}");
	assert_true(hear(1, 3, &conv) != 0);
	assert_false(conv.foreign);
}

TEST(a_thread_that_does_not_come_back_ends_what_waits_for_it)
{
	max_age = PH_HOUR_MS;
	open_ledger(NOW);
	owe(1);
	assert_int_equal(claim(NOW), 1);
	assert_string_equal(settle(PH_THREAD, NOW), "ready");
	assert_int_equal(next_due(), NOW + PH_HOUR_MS + 1);
	assert_int_equal(claim(NOW + PH_HOUR_MS + 1), 0);
	assert_int_equal(n_late, 1);
	assert_string_equal(state_of(1), "dead");
}

TEST(a_claim_that_was_not_launched_is_no_try)
{
	open_ledger(NOW);
	owe(1);
	assert_int_equal(claim(NOW), 1);
	must(ph_ledger_unclaim(ledger, &found[0], NOW + 100, &wrong), &wrong);
	assert_int_equal(next_due(), NOW + 100);
	die_and_reopen(NOW + 100);
	assert_int_equal(n_unsure, 0);
	assert_int_equal(claim(NOW + 100), 1);
	assert_int_equal(found[0].attempt, 1);
}

TEST(a_page_that_was_held_is_so_after_a_restart)
{
	int64_t	 until = -1;

	open_ledger(NOW);
	assert_int_equal(ph_ledger_page_held(ledger, BYTES("9001"), BYTES("a token"), &until, &wrong), PH_NONE);
	must(ph_ledger_hold_page(ledger, BYTES("9001"), BYTES("a token"), "token expired", NOW + 5, &wrong), &wrong);
	die_and_reopen(NOW);
	must(ph_ledger_page_held(ledger, BYTES("9001"), BYTES("a token"), &until, &wrong), &wrong);
	assert_true(until == NOW + 5);
	must(ph_ledger_page_held(ledger, BYTES("9001"), BYTES("a new token"), &until, &wrong), &wrong);
	assert_int_equal(until, 0);			/* nobody knows what Graph says of that */
	must(ph_ledger_hold_page(ledger, BYTES("9001"), BYTES("a token"), NULL, 0, &wrong), &wrong);
	assert_int_equal(ph_ledger_page_held(ledger, BYTES("9001"), BYTES("a token"), &until, &wrong), PH_NONE);
}

/* Unsure, by the echoes that come. */

/* Meta echoes what bears this token. */
static enum ph_error
hear_echo(const unsigned char token[PH_STORE_TOKEN_LEN])
{
	struct ph_buffer	 body = PH_BUFFER_INIT;
	char			 json[256];
	const char		*mark;
	struct ph_event		 ev;
	int64_t			 id;
	enum ph_error		 err;

	ph_message_format_send("", BYTES("1"), BYTES("{}"), token, &body);
	mark = strstr(body.data, "\"metadata\":\"");
	assert_non_null(mark);
	mark += 12;
	snprintf(json, sizeof(json), "{'sender':{'id':'9001'},'recipient':{'id':'1'},'message':{'mid':'m_e',"
	    "'is_echo':true,'metadata':'%.*s'}}", (int)strcspn(mark, "\""), mark);
	ph_buffer_clear(&body);
	read_event(PH_MESSAGING, json, "'9001'", NULL, &ev);
	err = ph_ledger_confirm(ledger, &ev, &id, &wrong);
	ph_event_clear(&ev);
	return err;
}

/* Sends person i a reply that leaves then; its token. */
static void
leave_at(int i, int64_t now, unsigned char token[PH_STORE_TOKEN_LEN])
{
	owe(i);
	assert_int_equal(claim(now), 1);
	memcpy(token, found[0].token, PH_STORE_TOKEN_LEN);
}

TEST(an_echo_settles_what_was_unsure)
{
	unsigned char	 token[PH_STORE_TOKEN_LEN];

	policy = PH_RECONCILE;
	open_ledger(NOW);
	leave_at(1, NOW, token);
	assert_string_equal(settle(PH_UNSURE, NOW), "unsure");
	assert_int_equal(hear_echo(token), PH_OK);
	assert_string_equal(state_of(1), "sent");
	assert_int_equal(ripen(NOW + PH_DAY_MS), 0);
	assert_int_equal(hear_echo(token), PH_NONE);
	token[0] ^= 1;
	assert_int_equal(hear_echo(token), PH_NONE);
}

TEST(without_any_echo_it_is_held_after_the_grace)
{
	unsigned char	 token[PH_STORE_TOKEN_LEN];

	policy = PH_RECONCILE;
	open_ledger(NOW);
	leave_at(1, NOW, token);
	(void)settle(PH_UNSURE, NOW);
	assert_int_equal(ripen(NOW + GRACE - 1), 0);
	assert_int_equal(ripen(NOW + GRACE), 1);
	assert_non_null(strstr(why[0], "message_echoes"));
	assert_string_equal(state_of(1), "held");
	assert_string_equal(why_of(1), why[0]);
}

TEST(a_later_messages_echo_lets_it_be_sent_once_more)
{
	unsigned char	 lost[PH_STORE_TOKEN_LEN], later[PH_STORE_TOKEN_LEN];

	policy = PH_RECONCILE;
	open_ledger(NOW);
	leave_at(1, NOW, lost);
	(void)settle(PH_UNSURE, NOW);
	leave_at(2, NOW + 1000, later);
	assert_string_equal(settle(PH_SENT, NOW + 1200), "sent");
	assert_int_equal(hear_echo(later), PH_NONE);		/* settled, but it tells */
	assert_int_equal(ripen(NOW + GRACE), 1);
	assert_null(why[0]);
	assert_int_equal(claim(NOW + GRACE), 1);
	assert_memory_equal(found[0].token, lost, sizeof(lost));
	(void)settle(PH_UNSURE, NOW + GRACE);
	assert_int_equal(ripen(NOW + 2 * GRACE), 1);
	assert_non_null(why[0]);				/* no third time */
}

/* It is not the echo's time that counts, nor when its message was settled, but when that had left. */
TEST(an_echo_of_what_left_before_is_waited_with_for_15_minutes)
{
	unsigned char	 lost[PH_STORE_TOKEN_LEN], before[PH_STORE_TOKEN_LEN];
	int64_t		 now;

	policy = PH_RECONCILE;
	open_ledger(NOW);
	leave_at(1, NOW, before);
	(void)settle(PH_UNSURE, NOW + 9000);
	leave_at(2, NOW + 1000, lost);
	(void)settle(PH_UNSURE, NOW + 5000);
	assert_int_equal(hear_echo(before), PH_OK);
	for (now = NOW + 5000 + GRACE; now < NOW + 5000 + 15 * PH_MINUTE_MS; now += GRACE) {
		assert_int_equal(next_due(), now);
		assert_int_equal(ripen(now), 0);
	}
	assert_int_equal(ripen(now), 1);
	assert_non_null(why[0]);
	assert_string_equal(state_of(2), "held");
}

TEST(that_a_page_sends_echoes_is_known_after_a_restart)
{
	unsigned char	 token[PH_STORE_TOKEN_LEN];

	policy = PH_RECONCILE;
	open_ledger(NOW);
	leave_at(1, NOW, token);
	(void)settle(PH_SENT, NOW);
	(void)hear_echo(token);
	leave_at(2, NOW, token);
	die_and_reopen(NOW + 1000);
	assert_int_equal(n_unsure, 1);
	assert_int_equal(ripen(NOW + 1000 + GRACE), 0);	/* else it would be held */
	assert_string_equal(state_of(2), "unsure");
	leave_at(3, NOW + 2000, token);
	(void)settle(PH_SENT, NOW + 2000);
	(void)hear_echo(token);
	assert_int_equal(ripen(NOW + 1000 + 2 * GRACE), 1);
	assert_null(why[0]);
}

TEST(a_clock_set_back_leaves_no_doubt_for_years_and_proves_nothing)
{
	const int64_t	 back = NOW - 365 * PH_DAY_MS;
	unsigned char	 token[PH_STORE_TOKEN_LEN];

	policy = PH_RECONCILE;
	open_ledger(NOW);
	leave_at(1, NOW, token);
	(void)settle(PH_SENT, NOW);
	(void)hear_echo(token);
	leave_at(2, NOW, token);
	(void)settle(PH_UNSURE, NOW);
	must(ph_ledger_reset_clock(ledger, back, &wrong), &wrong);
	assert_int_equal(ripen(back), 0);
	assert_int_equal(ripen(back + 15 * PH_MINUTE_MS), 1);
	assert_non_null(why[0]);
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
		in_a_room(each_helper_that_starts_counts_one_more),
		in_a_room(what_no_older_copy_holds_is_sent),
		in_a_room(what_an_older_copy_holds_is_for_a_person_to_decide),
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
		in_a_room(what_answers_something_too_old_is_dead_and_holds_up_nobody),
		in_a_room(a_retry_ends_when_what_it_answers_is_too_old),
		in_a_room(meta_has_a_window_for_each_kind),
		in_a_room(what_has_no_window_is_never_too_late),
		in_a_room(new_words_open_the_window_again),
		in_a_room(a_clock_that_was_never_set_makes_nothing_too_old),
		in_a_room(a_retry_that_is_used_up_becomes_what_it_is_then),
		in_a_room(tries_that_another_outcome_cost_are_not_counted),
		in_a_room(graph_names_the_wait),
		in_a_room(who_cannot_be_reached_is_owed_nothing_more_until_they_write),
		in_a_room(who_could_not_be_reached_hears_the_bot_when_they_write_again),
		in_a_room(a_thread_that_another_has_is_waited_for_until_a_turn_brings_it_back),
		in_a_room(a_thread_that_does_not_come_back_ends_what_waits_for_it),
		in_a_room(a_claim_that_was_not_launched_is_no_try),
		in_a_room(a_page_that_was_held_is_so_after_a_restart),
		in_a_room(an_echo_settles_what_was_unsure),
		in_a_room(without_any_echo_it_is_held_after_the_grace),
		in_a_room(a_later_messages_echo_lets_it_be_sent_once_more),
		in_a_room(an_echo_of_what_left_before_is_waited_with_for_15_minutes),
		in_a_room(that_a_page_sends_echoes_is_known_after_a_restart),
		in_a_room(a_clock_set_back_leaves_no_doubt_for_years_and_proves_nothing),
	};

	return cmocka_run_group_tests_name("ledger", tests, NULL, NULL);
}
