/*
 * test_glance_count -- what waits is counted without changing it, and only so far.
 * Knows glance_count over a store that the SQLite store made.  Does not know status.
 * Called by make check.
 * Lives in a temporary directory.
 * SPDX-License-Identifier: ISC
 */
#include <sqlite3.h>

#include "glance_count.h"
#include "room.h"
#include "store.h"

static struct ph_store		*store;
static struct ph_glance_counts	 counts;
static struct ph_fail		 wrong;

static int
enter(void **state)
{
	wrong = (struct ph_fail)PH_FAIL_INIT;
	store = NULL;
	return room_enter(state);
}

static int
leave(void **state)
{
	ph_store_sqlite.close(store);
	return room_leave(state);
}

/* Rows as a helper may have left them. */
static void
has(const char *sql)
{
	sqlite3	*db = NULL;

	if (store == NULL)
		must(ph_store_sqlite.open("queue.db", &store, &wrong), &wrong);
	assert_int_equal(sqlite3_open("queue.db", &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
}

static void
count(void)
{
	must(ph_glance_count(room, &counts, &wrong), &wrong);
}

TEST(without_a_store_there_is_nothing)
{
	assert_int_equal(ph_glance_count(room, &counts, &wrong), PH_NONE);
	assert_int_equal(counts.ready + counts.dead, 0);
	assert_false(room_has("queue.db"));
}

TEST(each_state_is_counted)
{
	has("INSERT INTO event (id, object, page, kind, at, came, state) VALUES"
	    " (1, 'page', '9001', 'message.text', 5, 70, 'done'),"
	    " (2, 'page', '9001', 'message.text', 5, 60, 'kept'), (3, 'page', '9001', 'unreadable', 5, 60, 'dead'),"
	    " (4, 'page', '9001', 'message.text', 5, 60, 'dead'), (5, 'page', '9001', 'message.text', 5, 60, 'asked');"
	    "INSERT INTO reply (conv, event, state, due) VALUES (1, 1, 'sent', 9), (1, 1, 'ready', 9),"
	    " (1, NULL, 'ready', 9), (1, 1, 'sending', 9), (1, 1, 'unsure', 9), (1, 1, 'dead', 9),"
	    " (1, 1, 'held', 9), (1, 1, 'dead', 9);"
	    "INSERT INTO page (id, paused_until, why) VALUES ('9001', 77, 'token'), ('9002', NULL, 'none')");
	count();
	assert_int_equal(counts.ready, 2);
	assert_int_equal(counts.sending, 1);
	assert_int_equal(counts.unsure, 1);
	assert_int_equal(counts.held, 1);
	assert_int_equal(counts.dead, 2);
	assert_int_equal(counts.events_open, 2);
	assert_int_equal(counts.events_dead, 2);
	assert_int_equal(counts.unreadable, 1);
	assert_int_equal(counts.oldest, 70);
	assert_false(counts.more);
	assert_int_equal(counts.n_pages, 2);
	assert_string_equal(counts.pages[0].why, "token");
	assert_int_equal(counts.pages[0].until, 77);
	assert_int_equal(counts.pages[1].until, 0);
}

TEST(of_a_great_many_only_so_many_are_counted)
{
	has("WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i<100002)"
	    " INSERT INTO reply (conv, state, due) SELECT i, 'ready', 9 FROM n");
	count();
	assert_int_equal(counts.ready, PH_GLANCE_MOST);
	assert_true(counts.more);
}

/* What it reads must not grow with what is done: every count has an index of its own to read. */
TEST(no_count_reads_what_is_done)
{
	static const char *const	 rows[] = {
		"reply WHERE (state='ready' OR state='sending' OR state='unsure')",
		"reply WHERE state IN ('dead','held') AND state='dead'",
		"event WHERE state IN ('kept','asked')",
		"event WHERE state='dead' AND kind='unreadable'",
	};
	char				 sql[200];
	sqlite3				*db = NULL;
	sqlite3_stmt			*st = NULL;
	size_t				 i;

	has("SELECT 1");
	assert_int_equal(sqlite3_open("queue.db", &db), SQLITE_OK);
	for (i = 0; i < COUNT_OF(rows); i++) {
		snprintf(sql, sizeof(sql), "EXPLAIN QUERY PLAN SELECT 1 FROM %s LIMIT 100001", rows[i]);
		assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &st, NULL), SQLITE_OK);
		assert_int_equal(sqlite3_step(st), SQLITE_ROW);
		assert_non_null(strstr((const char *)sqlite3_column_text(st, 3), " INDEX "));
		sqlite3_finalize(st);
	}
	sqlite3_close(db);
}

TEST(a_file_that_is_no_store_is_told)
{
	room_write("queue.db", BYTES("this is no database, but long enough to be looked at as one ........"
	    "........................................................................"), 0600);
	assert_int_equal(ph_glance_count(room, &counts, &wrong), PH_BROKEN);
	assert_non_null(strstr(wrong.text, "not a database"));
}

#define in_a_room(test)	cmocka_unit_test_setup_teardown(test, enter, leave)

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		in_a_room(without_a_store_there_is_nothing),
		in_a_room(each_state_is_counted),
		in_a_room(of_a_great_many_only_so_many_are_counted),
		in_a_room(no_count_reads_what_is_done),
		in_a_room(a_file_that_is_no_store_is_told),
	};

	return cmocka_run_group_tests_name("glance", tests, NULL, NULL);
}
