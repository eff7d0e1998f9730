/*
 * test_glance -- what an operator sees of the store: all that is not finished, in its order.
 * Knows glance, the store's operations, SQLite.  Does not know the command.
 * Called by make check.
 * Lives in a temporary directory, with a store that another connection holds open.
 * SPDX-License-Identifier: ISC
 */
#include <sqlite3.h>

#include "glance.h"
#include "room.h"
#include "store.h"

#define MANY	1203			/* more than two looks */

static struct ph_store	*store;
static struct ph_glance	*glance;
static struct ph_fail	 wrong;
static char		 seen[8192];	/* their ids, in the order shown */

static int
enter(void **state)
{
	wrong = (struct ph_fail)PH_FAIL_INIT;
	seen[0] = '\0';
	store = NULL;
	glance = NULL;
	return room_enter(state);
}

static int
leave(void **state)
{
	ph_glance_close(glance);
	ph_store_sqlite.close(store);
	return room_leave(state);
}

static void
make(void)
{
	must(ph_store_sqlite.open("queue.db", &store, &wrong), &wrong);
}

static void
by_hand(const char *statements)
{
	sqlite3	*db = NULL;
	char	*error = NULL;

	assert_int_equal(sqlite3_open("queue.db", &db), SQLITE_OK);
	assert_int_equal(sqlite3_busy_timeout(db, 0), SQLITE_OK);
	if (sqlite3_exec(db, statements, NULL, NULL, &error) != SQLITE_OK)
		fail_msg("%s: %s", statements, error);
	sqlite3_close(db);
}

static enum ph_error
note(void *arg, const struct ph_glance_item *it, struct ph_fail *fail)
{
	const size_t	 n = strlen(seen);

	if (arg != NULL)
		by_hand(arg);			/* nobody holds the store meanwhile */
	snprintf(seen + n, sizeof(seen) - n, "%c%d ", it->letter, (int)it->id);
	return it->code == 66 ? ph_error_set(fail, PH_BUSY, "enough") : PH_OK;
}

#define CONV	"INSERT INTO conv (id, page, person) VALUES (1, '9001', '24110000004411');"

TEST(where_there_is_no_store_there_is_nothing)
{
	assert_int_equal(ph_glance_open(room, PH_GLANCE_WAIT_MS, &glance, &wrong), PH_NONE);
	assert_null(glance);
	assert_false(room_has("queue.db"));
}

TEST(what_is_not_finished_is_shown_and_what_is_is_not)
{
	make();
	by_hand(CONV "INSERT INTO reply (conv, state, due) VALUES (1, 'sent', 1), (1, 'dead', 2), (1, 'ready', 3),"
	    " (1, 'sent', 4), (1, 'held', 5), (1, 'unsure', 6), (1, 'sending', 7);"
	    "INSERT INTO event (conv, object, page, kind, at, came, state) VALUES"
	    " (1, 'page', '9001', 'read', 1, 1, 'done'), (NULL, 'page', '', 'unreadable', 1, 2, 'dead'),"
	    " (1, 'page', '9001', 'message.text', 1, 3, 'kept'), (1, 'page', '9001', 'message.text', 1, 4, 'asked');");
	must(ph_glance_open(room, PH_GLANCE_WAIT_MS, &glance, &wrong), &wrong);
	must(ph_glance_queue(glance, note, NULL, &wrong), &wrong);
	assert_string_equal(seen, "r2 r3 r5 r6 r7 e2 e3 e4 ");
}

TEST(many_are_all_shown_once_though_they_change_meanwhile)
{
	static char	 change[] = "UPDATE reply SET state='ready' WHERE id=1203";
	int		 i, n;
	char		*at = seen;

	make();
	by_hand(CONV "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i<1203)"
	    " INSERT INTO reply (id, conv, state, due) SELECT i, 1, 'dead', 0 FROM n;");
	must(ph_glance_open(room, PH_GLANCE_WAIT_MS, &glance, &wrong), &wrong);
	must(ph_glance_queue(glance, note, change, &wrong), &wrong);
	for (i = 1; i <= MANY; i++, at += n)
		if (sscanf(at, "r%*d %n", &n) != 0 || strtol(at + 1, NULL, 10) != i)
			fail_msg("r%d is missing at %.20s", i, at);
	assert_string_equal(at, "");
}

TEST(who_is_shown_them_may_end_it)
{
	make();
	by_hand(CONV "INSERT INTO reply (conv, state, due, code) VALUES (1, 'dead', 1, 1), (1, 'dead', 1, 66),"
	    " (1, 'dead', 1, 2)");
	must(ph_glance_open(room, PH_GLANCE_WAIT_MS, &glance, &wrong), &wrong);
	assert_int_equal(ph_glance_queue(glance, note, NULL, &wrong), PH_BUSY);
	assert_string_equal(seen, "r1 r2 ");
}

TEST(one_is_found_with_all_that_is_known_of_it)
{
	struct ph_glance_row	 row;

	make();
	by_hand(CONV "INSERT INTO event (id, conv, object, page, kind, at, came, state, why, body) VALUES"
	    " (7, 1, 'page', '9001', 'message.text', 1, 90, 'dead', 'given up', x'7b7d');"
	    "INSERT INTO reply (id, conv, event, state, due, attempt, code, subcode, trace, mid, why, left_at, body)"
	    " VALUES (3, 1, 7, 'unsure', 500, 4, 613, 9, 'Ab', 'm_1', 'calls', 400, x'7b2274227d'),"
	    " (4, 1, NULL, 'dead', 600, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL)");
	must(ph_glance_open(room, PH_GLANCE_WAIT_MS, &glance, &wrong), &wrong);
	must(ph_glance_find(glance, 'r', 3, &row, &wrong), &wrong);
	assert_string_equal(row.item.state, "unsure");
	assert_string_equal(row.item.page, "9001");
	assert_string_equal(row.item.person, "24110000004411");
	assert_string_equal(row.item.why, "calls");
	assert_string_equal(row.kind, "message.text");
	assert_string_equal(row.trace, "Ab");
	assert_string_equal(row.mid, "m_1");
	assert_string_equal(shown(row.body), "{\"t\"}");
	assert_int_equal(row.item.event, 7);
	assert_int_equal(row.item.tries, 4);
	assert_int_equal(row.item.since, 90);
	assert_int_equal(row.item.due, 500);
	assert_int_equal(row.left_at, 400);
	assert_int_equal(row.subcode, 9);
	ph_glance_row_clear(&row);
	must(ph_glance_find(glance, 'r', 4, &row, &wrong), &wrong);	/* sent by hand, never tried */
	assert_string_equal(row.kind, "");
	assert_string_equal(row.trace, "");
	assert_int_equal(row.item.due, 0);
	assert_int_equal(row.body.len, 0);
	ph_glance_row_clear(&row);
	must(ph_glance_find(glance, 'e', 7, &row, &wrong), &wrong);
	assert_string_equal(row.item.why, "given up");
	assert_string_equal(row.kind, "message.text");
	assert_string_equal(shown(row.body), "{}");
	ph_glance_row_clear(&row);
	assert_int_equal(ph_glance_find(glance, 'e', 3, &row, &wrong), PH_NONE);
	ph_glance_row_clear(&row);
}

/* A helper of another version has not started yet: a walk over the whole store is no way out. */
TEST(without_its_index_nothing_is_walked)
{
	make();
	by_hand("DROP INDEX reply_unfinished");
	must(ph_glance_open(room, PH_GLANCE_WAIT_MS, &glance, &wrong), &wrong);
	assert_int_equal(ph_glance_queue(glance, note, NULL, &wrong), PH_CONFIG);
	assert_non_null(strstr(wrong.text, "another version"));
}

#define in_a_room(test)	cmocka_unit_test_setup_teardown(test, enter, leave)

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		in_a_room(where_there_is_no_store_there_is_nothing),
		in_a_room(what_is_not_finished_is_shown_and_what_is_is_not),
		in_a_room(many_are_all_shown_once_though_they_change_meanwhile),
		in_a_room(who_is_shown_them_may_end_it),
		in_a_room(one_is_found_with_all_that_is_known_of_it),
		in_a_room(without_its_index_nothing_is_walked),
	};

	return cmocka_run_group_tests_name("glance", tests, NULL, NULL);
}
