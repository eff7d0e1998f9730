/*
 * test_prune -- what is over leaves the store, and nothing else does.
 * Knows the store's operations and, by SQL from outside, its rows.  Does not know turns.
 * Called by make check.
 * Lives in a temporary directory.
 * SPDX-License-Identifier: ISC
 */
#include "clock.h"
#include "queried.h"
#include "room.h"
#include "stopped_clock.h"
#include "store.h"

#define DAY		INT64_C(86400000)
#define NOW		(20000 * DAY)
#define DONE_BEFORE	(NOW - 7 * DAY)
#define OVER_BEFORE	(NOW - 30 * DAY)

static struct ph_store	*store;
static struct ph_fail	 wrong;

#define ask(op, ...)	must(ph_store_sqlite.op(store, __VA_ARGS__, &wrong), &wrong)

static int
enter(void **state)
{
	wrong = (struct ph_fail)PH_FAIL_INIT;
	if (room_enter(state) != 0)
		return -1;
	must(ph_store_sqlite.open("queue.db", &store, &wrong), &wrong);
	must(ph_store_sqlite.begin(store, &wrong), &wrong);
	return 0;
}

static int
leave(void **state)
{
	clock_go_on();
	ph_store_sqlite.abandon(store);
	ph_store_sqlite.close(store);
	return room_leave(state);
}

static void
commit(void)
{
	must(ph_store_sqlite.commit(store, &wrong), &wrong);
	must(ph_store_sqlite.begin(store, &wrong), &wrong);
}

/* An event that came so many days ago. */
static void
keep(const char *key, const char *state, int64_t days)
{
	struct ph_store_event	 ev = { .object = "page", .kind = "message.text", .state = state,
		.page = BYTES("9001"), .person = slice(key), .at = NOW - days * DAY, .came = NOW - days * DAY,
		.turn = true, .body = BYTES("{}") };
	struct ph_store_conv	 conv;
	int64_t			 id;

	memcpy(ev.key, key, strlen(key));
	ask(keep, &ev, &id, &conv);
}

static void
prune_all(void)
{
	bool	 more;

	do
		ask(prune, DONE_BEFORE, OVER_BEFORE, &more);
	while (more);
	commit();
}

TEST(events_go_when_their_time_is_over)
{
	keep("old done", "done", 8);
	keep("new done", "done", 6);
	keep("old dead", "dead", 31);
	keep("new dead", "dead", 29);
	keep("old kept", "kept", 100);		/* it waits, however long */
	prune_all();
	assert_string_equal(query("SELECT person FROM event JOIN conv ON conv.id=event.conv ORDER BY event.id"),
	    "new done new dead old kept");
}

/*
 * So many keys that those before them go where they are forgotten after a time; all at once, so many
 * days ago, and from a spool: what lay there for months is no measure of the others' age.
 */
static void
keep_many(const char *prefix, int64_t days)
{
	char	 key[16];
	int	 i;

	clock_move(NOW - days * DAY - ph_clock_now());
	for (i = 0; i < 300; i++) {
		snprintf(key, sizeof(key), "%s%d", prefix, i);
		keep(key, "done", 100);
	}
	commit();
}

TEST(keys_go_when_their_time_is_over)
{
	char	 oldest[16];

	clock_stop();
	keep_many("a", 31);
	keep_many("b", 29);
	assert_string_equal(query("SELECT count(DISTINCT day) FROM seen"), "2");
	snprintf(oldest, sizeof(oldest), "%.15s", query("SELECT min(day) FROM seen"));
	prune_all();
	assert_string_not_equal(query("SELECT min(day) FROM seen"), oldest);
}

TEST(replies_go_when_their_time_is_over)
{
	static const struct { const char *person, *state; int64_t days; } rows[] = {
		{ "a", "sent", 8 }, { "b", "sent", 6 }, { "c", "dead", 31 }, { "d", "held", 31 },
		{ "e", "dead", 29 }, { "f", "ready", 100 }, { "g", "unsure", 100 },
	};
	size_t	 i;

	for (i = 0; i < COUNT_OF(rows); i++) {
		struct ph_store_owed	 owed = { .due = NOW - 200 * DAY, .body = BYTES("{}") };
		struct ph_store_move	 move = { .state = rows[i].state, .due = NOW - rows[i].days * DAY };
		struct ph_store_conv	 conv;
		struct ph_store_reply	 r;
		int64_t			 id, said;
		size_t			 n;

		ask(find, BYTES("9001"), slice(rows[i].person), true, &conv);
		owed.conv = conv.id;
		ask(owe, &owed, &id, &said);
		ask(claim, BYTES("9001"), NOW, &r, 1, &n);
		assert_int_equal(n, 1);
		move.id = id;
		move.conv = conv.id;
		if (strcmp(rows[i].state, "ready") == 0)
			move.due = NOW + DAY;	/* or the next claim would take it */
		ask(move, &move);
		ph_store_reply_clear(&r);
	}
	prune_all();
	assert_string_equal(query("SELECT person FROM reply JOIN conv ON conv.id=reply.conv ORDER BY reply.id"),
	    "b e f g");
}

/* A handler remembers the event's number, the log both. */
TEST(a_number_is_not_borne_twice)
{
	struct ph_store_owed	 owed = { .due = NOW - 100 * DAY, .body = BYTES("{}") };
	struct ph_store_move	 move = { .state = "sent", .due = NOW - 100 * DAY };
	struct ph_store_conv	 conv;
	struct ph_store_reply	 r;
	int64_t			 said;
	size_t			 i, n;

	ask(find, BYTES("9001"), BYTES("7001"), true, &conv);
	owed.conv = move.conv = conv.id;
	for (i = 0; i < 3; i++) {
		keep(i == 0 ? "a" : i == 1 ? "b" : "c", "done", 100);
		ask(owe, &owed, &move.id, &said);
		ask(claim, BYTES("9001"), NOW, &r, 1, &n);
		assert_int_equal(n, 1);
		ph_store_reply_clear(&r);
		ask(move, &move);
		prune_all();
	}
	assert_string_equal(query("SELECT id FROM event"), "3");
	assert_string_equal(query("SELECT id FROM reply"), "3");
}

TEST(a_thousand_rows_are_walked_along_in_steps)
{
	char	 key[16];
	bool	 more;
	int	 i;

	for (i = 0; i < 1200; i++) {
		snprintf(key, sizeof(key), "k%d", i);
		keep(key, "done", i % 2 == 0 ? 40 : 1);
	}
	ask(prune, DONE_BEFORE, OVER_BEFORE, &more);
	assert_true(more);
	commit();
	assert_string_equal(query("SELECT count(*) FROM event"), "950");
	prune_all();
	assert_string_equal(query("SELECT count(*) FROM event"), "600");
}

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		cmocka_unit_test_setup_teardown(events_go_when_their_time_is_over, enter, leave),
		cmocka_unit_test_setup_teardown(keys_go_when_their_time_is_over, enter, leave),
		cmocka_unit_test_setup_teardown(replies_go_when_their_time_is_over, enter, leave),
		cmocka_unit_test_setup_teardown(a_number_is_not_borne_twice, enter, leave),
		cmocka_unit_test_setup_teardown(a_thousand_rows_are_walked_along_in_steps, enter, leave),
	};

	return cmocka_run_group_tests_name("prune", tests, NULL, NULL);
}
