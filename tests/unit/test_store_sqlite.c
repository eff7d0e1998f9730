/*
 * test_store_sqlite -- the file, the promises of its database, and the plans of its questions.
 * Knows store_sqlite's operations and SQLite.  Does not know the sentences of the module.
 * Called by make check.
 * Lives in a temporary directory; an extension tells which connection the store opened.
 * SPDX-License-Identifier: ISC
 */
#include <sqlite3.h>

#include "room.h"
#include "store.h"

#define FILE_NAME	"queue.db"

static const struct ph_store_ops	*const ops = &ph_store_sqlite;
static struct ph_store			*store;
static struct ph_fail			 wrong;
static sqlite3				*connection;	/* the last one opened in this process */
static struct ph_buffer			 before, after;

static int
note_connection(sqlite3 *db, const char **error, const void *api)
{
	(void)error;
	(void)api;
	connection = db;
	return SQLITE_OK;
}

static int
enter(void **state)
{
	wrong = (struct ph_fail)PH_FAIL_INIT;
	store = NULL;
	sqlite3_auto_extension((void (*)(void))note_connection);
	return room_enter(state);
}

static int
leave(void **state)
{
	ops->close(store);
	ph_buffer_clear(&before);
	ph_buffer_clear(&after);
	sqlite3_reset_auto_extension();
	return room_leave(state);
}

static void
open_store(void)
{
	must(ops->open(FILE_NAME, &store, &wrong), &wrong);
}

/* The first column of the first row, by the store's own connection. */
static const char *
value_of(sqlite3 *db, const char *query)
{
	static char	 text[64];
	sqlite3_stmt	*st = NULL;

	assert_int_equal(sqlite3_prepare_v2(db, query, -1, &st, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(st), SQLITE_ROW);
	snprintf(text, sizeof(text), "%s", (const char *)sqlite3_column_text(st, 0));
	sqlite3_finalize(st);
	return text;
}

/* What an outsider does to the file. */
static void
by_hand(const char *statements)
{
	sqlite3	*db = NULL;

	assert_int_equal(sqlite3_open(FILE_NAME, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, statements, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
}

static enum ph_error
keep(const char *key, struct ph_slice body)
{
	struct ph_store_event	 ev = { .object = "page", .kind = "message.text", .state = "done",
		.page = BYTES("9001"), .person = BYTES("7001"), .came = 172800000, .body = body };
	int64_t			 id, conv;

	memcpy(ev.key, key, strlen(key));
	return ops->keep(store, &ev, &id, &conv, &wrong);
}

TEST(what_is_promised_is_set)
{
	static const struct { const char *ask, *is; } rows[] = {
		{ "PRAGMA journal_mode", "wal" }, { "PRAGMA synchronous", "2" },
		{ "PRAGMA wal_autocheckpoint", "0" }, { "PRAGMA trusted_schema", "0" },
		{ "PRAGMA foreign_keys", "1" }, { "PRAGMA secure_delete", "1" },
		{ "PRAGMA busy_timeout", "1000" }, { "PRAGMA user_version", "1" },
		{ "PRAGMA auto_vacuum", "2" },
	};
	size_t	 i;
	int	 on = 0;

	open_store();
	for (i = 0; i < COUNT_OF(rows); i++)
		assert_string_equal(value_of(connection, rows[i].ask), rows[i].is);
	sqlite3_db_config(connection, SQLITE_DBCONFIG_DEFENSIVE, -1, &on);
	assert_int_equal(on, 1);
	sqlite3_db_config(connection, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, -1, &on);
	assert_int_equal(on, 1);
}

/* Compares the bytes of the file, to see whether somebody touched it. */
static void
refused_untouched(enum ph_error err, const char *told)
{
	room_read(FILE_NAME, &before);
	assert_int_equal(ops->open(FILE_NAME, &store, &wrong), err);
	assert_null(store);
	assert_non_null(strstr(wrong.text, told));
	room_read(FILE_NAME, &after);
	assert_int_equal(before.len, after.len);
	assert_memory_equal(before.data, after.data, before.len);
}

TEST(what_a_newer_program_made_is_refused_and_untouched)
{
	open_store();
	ops->close(store);
	by_hand("PRAGMA user_version=2");
	refused_untouched(PH_CONFIG, "schema 2, this one knows 1");
}

TEST(whatever_a_newer_program_chose_stays_so)
{
	by_hand("PRAGMA journal_mode=DELETE; CREATE TABLE t (a); PRAGMA user_version=7");
	refused_untouched(PH_CONFIG, "schema 7, this one knows 1");
}

TEST(a_file_that_could_never_shrink_is_refused)
{
	by_hand("CREATE TABLE t (a)");		/* auto_vacuum is chosen before the first table */
	assert_int_equal(ops->open(FILE_NAME, &store, &wrong), PH_BROKEN);
	assert_null(store);
	assert_non_null(strstr(wrong.text, "auto_vacuum is 0, not 2"));
}

TEST(what_is_no_database_is_broken_and_untouched)
{
	char	 text[4096];

	memset(text, 'x', sizeof(text));
	room_write(FILE_NAME, (struct ph_slice){ text, sizeof(text) }, 0600);
	refused_untouched(PH_BROKEN, "not a database");
}

TEST(an_outsiders_lock_is_busy_and_passes)
{
	sqlite3	*mine, *db = NULL;

	open_store();
	mine = connection;
	sqlite3_busy_timeout(mine, 0);
	assert_int_equal(sqlite3_open(FILE_NAME, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(ops->begin(store, &wrong), PH_BUSY);
	ops->abandon(store);
	assert_int_equal(sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
	wrong = (struct ph_fail)PH_FAIL_INIT;
	must(ops->begin(store, &wrong), &wrong);
	ops->abandon(store);
	sqlite3_close(db);
}

TEST(a_full_disk_is_told_and_passes)
{
	struct ph_slice	 big = { calloc(1, 1 << 20), 1 << 20 };

	open_store();
	must(ops->begin(store, &wrong), &wrong);
	must(keep("small", BYTES("x")), &wrong);
	must(ops->commit(store, &wrong), &wrong);
	(void)value_of(connection, "PRAGMA max_page_count=40");
	must(ops->begin(store, &wrong), &wrong);
	assert_int_equal(keep("big", big), PH_TOOBIG);
	assert_non_null(strstr(wrong.text, "disk full"));
	ops->abandon(store);
	wrong = (struct ph_fail)PH_FAIL_INIT;
	(void)value_of(connection, "PRAGMA max_page_count=1000000");
	must(ops->begin(store, &wrong), &wrong);
	must(keep("big", big), &wrong);
	assert_int_equal(keep("small", BYTES("x")), PH_NONE);
	must(ops->commit(store, &wrong), &wrong);
	free((void *)(uintptr_t)big.at);
}

static off_t
wal_len(void)
{
	struct stat	 st;

	assert_int_equal(stat(FILE_NAME "-wal", &st), 0);
	return st.st_size;
}

TEST(the_log_is_moved_in_when_idle_and_only_then)
{
	open_store();
	must(ops->begin(store, &wrong), &wrong);
	must(keep("k", BYTES("x")), &wrong);
	must(ops->commit(store, &wrong), &wrong);
	must(ops->tidy(store, false, &wrong), &wrong);
	assert_true(wal_len() > 0);
	must(ops->tidy(store, true, &wrong), &wrong);
	assert_int_equal(wal_len(), 0);
}

TEST(what_became_of_a_reply_can_be_read)
{
	struct ph_store_reply	 r;
	struct ph_store_move	 m = { .token = NULL, .state = "ready", .due = 5, .resends = 1,
		.code = 613, .subcode = 7, .trace = "A1b", .why = "calls" };
	size_t			 n;

	open_store();
	must(ops->begin(store, &wrong), &wrong);
	must(keep("k", BYTES("x")), &wrong);
	must(ops->owe(store, 1, 1, 0, BYTES("{}"), &wrong), &wrong);
	must(ops->claim(store, BYTES("9001"), 0, &r, 1, &n, &wrong), &wrong);
	ph_store_reply_clear(&r);
	m.id = r.id;
	m.conv = r.conv;
	must(ops->move(store, &m, &wrong), &wrong);
	must(ops->claim(store, BYTES("9001"), 5, &r, 1, &n, &wrong), &wrong);
	ph_store_reply_clear(&r);
	m = (struct ph_store_move){ .id = r.id, .conv = r.conv, .token = r.token, .state = "sent",
	    .mid = "m_c1", .trace = "", .resends = 1 };
	must(ops->move(store, &m, &wrong), &wrong);	/* what is empty stays as it was */
	must(ops->note(store, "started", 17, &wrong), &wrong);
	must(ops->note(store, "started", 18, &wrong), &wrong);
	assert_string_equal(value_of(connection, "SELECT state||','||mid||','||code||','||subcode||','"
	    "||trace||','||why||','||attempt||','||resends FROM reply"), "sent,m_c1,613,7,A1b,calls,2,1");
	assert_string_equal(value_of(connection, "SELECT value FROM meta WHERE name='started'"), "18");
	assert_string_equal(value_of(connection, "SELECT day FROM seen"), "2");
	ops->abandon(store);
}

/* Whether a line of a plan reads a whole table; of what is in flight it is meant. */
static bool
is_scan(const char *line)
{
	return strncmp(line, "SCAN ", 5) == 0 && strstr(line, "reply_flying") == NULL &&
	    strstr(line, "CONSTANT ROW") == NULL;
}

TEST(no_question_reads_a_whole_table)
{
	struct ph_store_reply	 r[2];
	struct ph_store_move	 m = { .state = "sent" };
	sqlite3_stmt		*st, *plan;
	char			*explain;
	int64_t			 due;
	size_t			 n;
	int			 asked = 0;

	open_store();				/* each sentence is prepared when first used */
	must(ops->begin(store, &wrong), &wrong);
	must(keep("k", BYTES("x")), &wrong);
	must(ops->owe(store, 1, 1, 0, BYTES("{}"), &wrong), &wrong);
	must(ops->next_due(store, BYTES("9001"), &due, &wrong), &wrong);
	must(ops->claim(store, BYTES("9001"), 0, r, 2, &n, &wrong), &wrong);
	ph_store_reply_clear(&r[0]);
	must(ops->flying(store, "sending", 0, r, 2, &n, &wrong), &wrong);
	m.id = r[0].id;
	m.conv = r[0].conv;
	must(ops->move(store, &m, &wrong), &wrong);
	must(ops->pause(store, BYTES("9001"), "why", &wrong), &wrong);
	must(ops->pause(store, BYTES("9001"), NULL, &wrong), &wrong);
	for (st = NULL; (st = sqlite3_next_stmt(connection, st)) != NULL; asked++) {
		explain = sqlite3_mprintf("EXPLAIN QUERY PLAN %s", sqlite3_sql(st));
		assert_int_equal(sqlite3_prepare_v2(connection, explain, -1, &plan, NULL), SQLITE_OK);
		while (sqlite3_step(plan) == SQLITE_ROW)
			if (is_scan((const char *)sqlite3_column_text(plan, 3)))
				fail_msg("%s: %s", sqlite3_sql(st),
				    (const char *)sqlite3_column_text(plan, 3));
		sqlite3_finalize(plan);
		sqlite3_free(explain);
	}
	assert_in_range(asked, 10, 100);
	ops->abandon(store);
}

#define in_a_room(test)	cmocka_unit_test_setup_teardown(test, enter, leave)

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		in_a_room(what_is_promised_is_set),
		in_a_room(what_a_newer_program_made_is_refused_and_untouched),
		in_a_room(whatever_a_newer_program_chose_stays_so),
		in_a_room(a_file_that_could_never_shrink_is_refused),
		in_a_room(what_is_no_database_is_broken_and_untouched),
		in_a_room(an_outsiders_lock_is_busy_and_passes),
		in_a_room(a_full_disk_is_told_and_passes),
		in_a_room(the_log_is_moved_in_when_idle_and_only_then),
		in_a_room(what_became_of_a_reply_can_be_read),
		in_a_room(no_question_reads_a_whole_table),
	};

	return cmocka_run_group_tests_name("store_sqlite", tests, NULL, NULL);
}
