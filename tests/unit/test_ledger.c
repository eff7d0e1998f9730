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
	struct ph_event	 ev;
	int64_t		 id;
	enum ph_error	 err;

	read_event(channel, json, "'9001'", NULL, &ev);
	err = ph_ledger_keep(ledger, &ev, "page", NOW, &id, conv, &wrong);
	ph_event_clear(&ev);
	return err;
}

/* Owes person i a reply. */
static void
owe(int i)
{
	char	 json[128];
	int64_t	 conv;

	snprintf(json, sizeof(json), "{'sender':{'id':'%d'},'message':{'mid':'m_%d','text':'x'}}", i, i);
	assert_int_equal(keep(PH_MESSAGING, json, &conv), PH_OK);
	must(ph_ledger_owe(ledger, conv, 1, NOW, BYTES("{\"text\":\"y\"}"), &wrong), &wrong);
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

static int64_t
next_due(void)
{
	int64_t	 due;

	must(ph_ledger_next_due(ledger, BYTES("9001"), &due, &wrong), &wrong);
	return due;
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
	};

	return cmocka_run_group_tests_name("ledger", tests, NULL, NULL);
}
