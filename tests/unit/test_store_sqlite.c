/*
 * test_store_sqlite -- the file, the promises of its database, and the plans of its questions.
 * Knows store_sqlite and SQLite.  Does not know the ledger.
 * Called by make check.
 * Lives in a temporary directory; an extension tells which connection the store opened.
 * SPDX-License-Identifier: ISC
 */
#include <poll.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdlib.h>

#include "room.h"
#include "store_sqlite.h"

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

static void
commit(void)
{
	must(ops->commit(store, &wrong), &wrong);
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

/* Has the file to itself for a moment, from when both have met on. */
static void *
lock_for_a_moment(void *met)
{
	sqlite3	*db = NULL;

	if (sqlite3_open(FILE_NAME, &db) != SQLITE_OK || sqlite3_exec(db, "PRAGMA locking_mode=EXCLUSIVE;"
	    "BEGIN IMMEDIATE; COMMIT", NULL, NULL, NULL) != SQLITE_OK)
		abort();
	pthread_barrier_wait(met);
	(void)poll(NULL, 0, 100);
	sqlite3_close(db);
	return NULL;
}

static enum ph_error
keep(const char *key, struct ph_slice body)
{
	struct ph_store_event	 ev = { .object = "page", .kind = "message.text", .state = "done",
		.page = BYTES("9001"), .person = BYTES("7001"), .came = 172800000, .body = body };
	struct ph_store_conv	 conv;
	int64_t			 id;

	memcpy(ev.key, key, strlen(key));
	return ops->keep(store, &ev, &id, &conv, &wrong);
}

TEST(what_is_promised_is_set)
{
	static const struct { const char *ask, *is; } rows[] = {
		{ "PRAGMA journal_mode", "wal" }, { "PRAGMA synchronous", "2" },
		{ "PRAGMA wal_autocheckpoint", "0" }, { "PRAGMA trusted_schema", "0" },
		{ "PRAGMA foreign_keys", "1" }, { "PRAGMA secure_delete", "1" },
		{ "PRAGMA busy_timeout", "1000" }, { "PRAGMA user_version", "6" },
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

TEST(who_locks_the_file_for_a_moment_is_waited_for)
{
	pthread_barrier_t	 met;
	pthread_t		 stranger;

	open_store();
	ops->close(store);
	store = NULL;
	assert_int_equal(pthread_barrier_init(&met, NULL, 2), 0);
	assert_int_equal(pthread_create(&stranger, NULL, lock_for_a_moment, &met), 0);
	pthread_barrier_wait(&met);
	open_store();
	assert_int_equal(pthread_join(stranger, NULL), 0);
}

TEST(what_a_newer_program_made_is_refused_and_untouched)
{
	open_store();
	ops->close(store);
	by_hand("PRAGMA user_version=7");
	refused_untouched(PH_CONFIG, "schema 7, this one knows 6");
}

TEST(whatever_a_newer_program_chose_stays_so)
{
	by_hand("PRAGMA journal_mode=DELETE; CREATE TABLE t (a); PRAGMA user_version=7");
	refused_untouched(PH_CONFIG, "schema 7, this one knows 6");
}

TEST(a_file_that_could_never_shrink_is_refused)
{
	by_hand("CREATE TABLE t (a)");		/* auto_vacuum is chosen before the first table */
	assert_int_equal(ops->open(FILE_NAME, &store, &wrong), PH_BROKEN);
	assert_null(store);
	assert_non_null(strstr(wrong.text, "auto_vacuum is 0, not 2"));
}

TEST(a_file_with_other_pages_is_refused)
{
	by_hand("PRAGMA page_size=1024; PRAGMA auto_vacuum=INCREMENTAL; CREATE TABLE t (a)");
	assert_int_equal(ops->open(FILE_NAME, &store, &wrong), PH_BROKEN);
	assert_non_null(strstr(wrong.text, "page_size is 1024, not 4096"));
}

TEST(a_file_whose_pages_are_partly_anothers_is_refused)
{
	sqlite3	*db = NULL;
	int	 reserved = 12;

	assert_int_equal(sqlite3_open(FILE_NAME, &db), SQLITE_OK);
	assert_int_equal(sqlite3_file_control(db, "main", SQLITE_FCNTL_RESERVE_BYTES, &reserved), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "PRAGMA auto_vacuum=INCREMENTAL; CREATE TABLE t (a)", NULL, NULL,
	    NULL), SQLITE_OK);
	sqlite3_close(db);
	assert_int_equal(ops->open(FILE_NAME, &store, &wrong), PH_BROKEN);
	assert_non_null(strstr(wrong.text, "12 bytes of each page"));
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
	commit();
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
	commit();
	free((void *)(uintptr_t)big.at);
}

/* What becomes of keys from..to: PH_OK, they were new, or PH_NONE. */
static void
keep_keys(int from, int to, enum ph_error err)
{
	char	 key[16];
	int	 i;

	for (i = from; i < to; i++) {
		snprintf(key, sizeof(key), "%c%d", 'a' + i % 26, i);
		assert_int_equal(keep(key, BYTES("x")), err);
	}
}

/* As many as are on their way from one table to the other when it is let go. */
TEST(a_key_is_known_wherever_it_is)
{
	int	 n;

	open_store();
	for (n = 0; n < 1000; n += 50) {
		must(ops->begin(store, &wrong), &wrong);
		keep_keys(n, n + 25, PH_OK);
		commit();
		must(ops->begin(store, &wrong), &wrong);
		keep_keys(n + 25, n + 50, PH_OK);
		ops->abandon(store);
		must(ops->begin(store, &wrong), &wrong);
		keep_keys(n + 25, n + 50, PH_OK);
		keep_keys(0, n + 50, PH_NONE);
		commit();
		if (n % 100 == 0) {
			ops->close(store);
			open_store();
		}
	}
	must(ops->begin(store, &wrong), &wrong);
	keep_keys(0, 1000, PH_NONE);
	commit();
	assert_string_equal(value_of(connection, "WITH RECURSIVE one (keys, at) AS (SELECT keys, 1 FROM fresh"
	    " UNION ALL SELECT keys, at+16 FROM one WHERE at+16<=length(keys)) SELECT count(*) FROM"
	    " (SELECT key FROM seen UNION SELECT substr(keys, at, 16) FROM one)"), "1000");
	assert_string_not_equal(value_of(connection, "SELECT count(*) FROM seen"), "0");
}

TEST(keys_go_to_their_place_although_transactions_without_any_are_undone)
{
	int	 n;

	open_store();
	for (n = 0; n < 600; n += 10) {
		must(ops->begin(store, &wrong), &wrong);
		keep_keys(n, n + 10, PH_OK);
		commit();
		must(ops->begin(store, &wrong), &wrong);
		keep_keys(n, n + 10, PH_NONE);
		ops->abandon(store);
	}
	assert_true(store->fresh.n < 400);
}

/* All rows went with the transaction that brought more keys: theirs is the first row again. */
TEST(keys_in_a_row_that_bears_the_number_of_another_are_known)
{
	int	 n = 200;			/* when they begin to go */

	open_store();
	must(ops->begin(store, &wrong), &wrong);
	keep_keys(0, n, PH_OK);
	do {
		keep_keys(n, n + 1, PH_OK);
		n++;
	} while (strcmp(value_of(connection, "SELECT count(*) FROM fresh"), "0") != 0);
	commit();
	must(ops->begin(store, &wrong), &wrong);
	keep_keys(n, n + 1, PH_OK);
	commit();
	ops->close(store);
	open_store();
	must(ops->begin(store, &wrong), &wrong);
	keep_keys(0, n + 1, PH_NONE);
	commit();
}

TEST(keys_go_to_their_place_although_no_helper_lives_long)
{
	bool	 more;
	int	 n;

	open_store();
	for (n = 0; n < 1000; n += 50) {
		must(ops->begin(store, &wrong), &wrong);
		keep_keys(n, n + 50, PH_OK);
		commit();
		do {
			must(ops->begin(store, &wrong), &wrong);
			must(ops->prune(store, 0, 0, &more, &wrong), &wrong);
			commit();
		} while (more);
		ops->close(store);
		open_store();
	}
	must(ops->begin(store, &wrong), &wrong);
	assert_true(store->fresh.n < 400);
	keep_keys(0, 1000, PH_NONE);
	commit();
}

/* Its promise is kept in a file that nobody would find. */
static void
out_of_place(enum ph_error err, const char *told)
{
	assert_int_equal(ops->in_place(store, &wrong), err);
	assert_non_null(strstr(wrong.text, told));
	wrong = (struct ph_fail)PH_FAIL_INIT;
	assert_int_equal(ops->begin(store, &wrong), PH_BUSY);
	assert_non_null(strstr(wrong.text, told));
	wrong = (struct ph_fail)PH_FAIL_INIT;
}

TEST(nothing_begins_in_a_file_that_was_taken_away)
{
	open_store();
	must(ops->in_place(store, &wrong), &wrong);
	assert_int_equal(rename(FILE_NAME, "elsewhere"), 0);
	out_of_place(PH_NONE, "queue.db: replaced or removed");
	room_write(FILE_NAME, BYTES("another"), 0600);
	out_of_place(PH_NONE, "queue.db: replaced or removed");
	assert_int_equal(rename("elsewhere", FILE_NAME), 0);
	must(ops->begin(store, &wrong), &wrong);
	ops->abandon(store);
	assert_int_equal(unlink(FILE_NAME "-wal"), 0);
	out_of_place(PH_BUSY, "queue.db-wal: replaced or removed");
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
	commit();
	must(ops->tidy(store, false, &wrong), &wrong);
	assert_true(wal_len() > 0);
	must(ops->tidy(store, true, &wrong), &wrong);
	assert_int_equal(wal_len(), 0);
}

/* Its old pages would be played into whatever database is put in the place of this one. */
TEST(a_log_begun_anew_is_cut_when_idle)
{
	open_store();
	must(ops->begin(store, &wrong), &wrong);
	must(keep("k", BYTES("x")), &wrong);
	commit();
	store->sq.wal_max = 1;
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
	struct ph_store_owed	 owed = { .conv = 1, .event = 1, .body = BYTES("{}") };
	int64_t			 id, said;
	size_t			 n;

	open_store();
	must(ops->begin(store, &wrong), &wrong);
	must(keep("k", BYTES("x")), &wrong);
	must(ops->owe(store, &owed, &id, &said, &wrong), &wrong);
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
	commit();
	assert_string_equal(value_of(connection, "SELECT hex(substr(keys, 1, 2)) FROM fresh"), "6B00");
}

/*
 * Whether a line of a plan reads a whole table.  What is open, in flight or due is read whole now and
 * then: that is little, and has indexes of its own.
 */
static bool
is_scan(const char *line)
{
	static const char *const	 little[] = { "reply_flying", "reply_open", "event_open", "event_due",
		"conv_due", "fresh", "CONSTANT ROW" };
	size_t				 i;

	if (strncmp(line, "SCAN ", 5) != 0)
		return false;
	for (i = 0; i < COUNT_OF(little); i++)
		if (strstr(line, little[i]) != NULL)
			return false;
	return true;
}

/* The plan of a statement has no such line. */
static void
refuse_scan(const char *text)
{
	char		*explain = sqlite3_mprintf("EXPLAIN QUERY PLAN %s", text);
	sqlite3_stmt	*plan = NULL;
	const char	*line;

	assert_int_equal(sqlite3_prepare_v2(connection, explain, -1, &plan, NULL), SQLITE_OK);
	while (sqlite3_step(plan) == SQLITE_ROW) {
		line = (const char *)sqlite3_column_text(plan, 3);
		if (is_scan(line))
			fail_msg("%s: %s", text, line);
	}
	sqlite3_finalize(plan);
	sqlite3_free(explain);
}

TEST(no_question_reads_a_whole_table)
{
	const struct ph_sqlite_schema	*schema;
	size_t				 i;

	open_store();
	schema = store->sq.schema;
	assert_int_equal(schema->n_sql, N_STATEMENTS);
	for (i = PH_SQLITE_FIRST; i < schema->n_sql; i++) {
		assert_non_null(schema->sql[i]);
		refuse_scan(schema->sql[i]);
	}
}

/* What every reply asks: it pays for each table that is built in memory, and for each plan. */
TEST(a_reply_is_owed_and_sent_without_tables_in_memory)
{
	static const enum statement	 each[] = { ADD_REPLY, WAKE_CONV, SAID, READY_PAGE, DUE_HEADS,
		CLAIM, TAKE_CONV, NEXT_READY, NEXT_UNSURE, UNSURE, MOVE, NEXT_CONV };
	sqlite3_stmt			*steps = NULL;
	char				*explain;
	size_t				 i;

	open_store();
	for (i = 0; i < COUNT_OF(each); i++) {
		explain = sqlite3_mprintf("EXPLAIN %s", store->sq.schema->sql[each[i]]);
		assert_int_equal(sqlite3_prepare_v2(connection, explain, -1, &steps, NULL), SQLITE_OK);
		while (sqlite3_step(steps) == SQLITE_ROW)
			if (strcmp((const char *)sqlite3_column_text(steps, 1), "OpenEphemeral") == 0)
				fail_msg("%s", explain);
		sqlite3_finalize(steps);
		sqlite3_free(explain);
	}
}

TEST(no_statement_is_prepared_twice)
{
	struct ph_store_owed	 owed = { .conv = 1, .event = 1, .body = BYTES("{}") };
	struct ph_store_move	 m = { .state = "sent" };
	struct ph_store_reply	 r;
	int64_t			 now, due, said;
	size_t			 n, i;

	open_store();
	must(ops->begin(store, &wrong), &wrong);
	must(keep("k", BYTES("x")), &wrong);
	for (now = 1; now <= 3; now++) {
		must(ops->owe(store, &owed, &m.id, &said, &wrong), &wrong);
		must(ops->claim(store, BYTES("9001"), now, &r, 1, &n, &wrong), &wrong);
		ph_store_reply_clear(&r);
		must(ops->next_due(store, BYTES("9001"), &due, &wrong), &wrong);
		must(ops->flying(store, "unsure", now, &r, 1, &n, &wrong), &wrong);
		must(ops->flying(store, "sending", now, &r, 1, &n, &wrong), &wrong);
		assert_int_equal(n, 1);
		m.conv = owed.conv;
		must(ops->move(store, &m, &wrong), &wrong);
	}
	for (i = 0; i < N_STATEMENTS; i++)
		if (store->sq.stmts[i] != NULL && sqlite3_stmt_status(store->sq.stmts[i],
		    SQLITE_STMTSTATUS_REPREPARE, 0) != 0)
			fail_msg("%s", store->sq.schema->sql[i]);
	ops->abandon(store);
}

/* What version 1 made: its tables, and in them somebody who was known, is owed and wrote lately. */
#define VERSION_1 \
"PRAGMA auto_vacuum=INCREMENTAL; PRAGMA journal_mode=WAL;" \
"CREATE TABLE seen (key BLOB PRIMARY KEY, day INTEGER NOT NULL) WITHOUT ROWID, STRICT;" \
"CREATE TABLE conv (id INTEGER PRIMARY KEY, page TEXT NOT NULL, person TEXT NOT NULL, due INTEGER," \
"  silent_until INTEGER, UNIQUE (page, person)) STRICT;" \
"CREATE TABLE event (id INTEGER PRIMARY KEY, conv INTEGER, object TEXT NOT NULL, page TEXT NOT NULL," \
"  kind TEXT NOT NULL, mid TEXT, at INTEGER NOT NULL, came INTEGER NOT NULL, state TEXT NOT NULL," \
"  due INTEGER, tries INTEGER NOT NULL DEFAULT 0, why TEXT, body BLOB) STRICT;" \
"CREATE TABLE page (id TEXT PRIMARY KEY, paused_until INTEGER, why TEXT) STRICT;" \
"CREATE TABLE meta (name TEXT PRIMARY KEY, value ANY) STRICT;" \
"CREATE TABLE reply (id INTEGER PRIMARY KEY, conv INTEGER NOT NULL, event INTEGER," \
"  state TEXT NOT NULL, due INTEGER NOT NULL, attempt INTEGER NOT NULL DEFAULT 0," \
"  resends INTEGER NOT NULL DEFAULT 0, token BLOB, mid TEXT, code INTEGER, subcode INTEGER," \
"  trace TEXT, why TEXT, body BLOB) STRICT;" \
"CREATE INDEX conv_due ON conv (page, due) WHERE due IS NOT NULL;" \
"CREATE INDEX event_open ON event (conv, at, id) WHERE state IN ('kept','asked');" \
"CREATE INDEX reply_open ON reply (conv, id) WHERE state IN ('ready','sending','unsure');" \
"CREATE INDEX reply_flying ON reply (due) WHERE state IN ('sending','unsure');" \
"CREATE UNIQUE INDEX reply_token ON reply (token) WHERE token IS NOT NULL;" \
"INSERT INTO seen VALUES (x'6b000000000000000000000000000000', 2);" \
"INSERT INTO conv (page, person, due) VALUES ('9001', '7001', 10), ('9001', '7002', NULL);" \
"INSERT INTO event (conv, object, page, kind, at, came, state, body) VALUES" \
"  (1, 'page', '9001', 'message.text', 100, 110, 'done', x'7b7d')," \
"  (1, 'page', '9001', 'message.text', 300, 310, 'done', x'7b7d')," \
"  (1, 'page', '9001', 'read', 900, 910, 'done', x'7b7d')," \
"  (NULL, 'page', '9001', 'change', 700, 710, 'done', x'7b7d');" \
"INSERT INTO reply (conv, event, state, due, body) VALUES (1, 1, 'ready', 10, x'7b7d');" \
"PRAGMA user_version=1"

TEST(what_version_1_kept_is_still_there)
{
	struct ph_store_conv	 conv;
	struct ph_store_reply	 r;
	size_t			 n;

	by_hand(VERSION_1);
	open_store();
	must(ops->begin(store, &wrong), &wrong);
	assert_string_equal(value_of(connection, "PRAGMA user_version"), "6");
	assert_int_equal(keep("k", BYTES("x")), PH_NONE);	/* it came before */
	must(ops->find(store, BYTES("9001"), BYTES("7001"), false, &conv, &wrong), &wrong);
	assert_int_equal(conv.first, 0);		/* long ago: it is not met again */
	assert_int_equal(keep("new", BYTES("x")), PH_OK);
	must(ops->find(store, BYTES("9001"), BYTES("7001"), false, &conv, &wrong), &wrong);
	assert_int_equal(conv.first, 0);
	must(ops->claim(store, BYTES("9001"), 10, &r, 1, &n, &wrong), &wrong);
	assert_int_equal(n, 1);
	assert_int_equal(r.event, 1);
	assert_string_equal(r.kind, "");
	ph_store_reply_clear(&r);
	ops->abandon(store);
}

TEST(keys_that_version_5_kept_one_by_one_are_known)
{
	open_store();
	ops->close(store);
	by_hand("ALTER TABLE fresh RENAME COLUMN keys TO key; PRAGMA user_version=5;"
	    "INSERT INTO fresh (key) VALUES (x'6b000000000000000000000000000000'),"
	    " (x'6c000000000000000000000000000000')");
	open_store();
	must(ops->begin(store, &wrong), &wrong);
	assert_int_equal(keep("k", BYTES("x")), PH_NONE);
	assert_int_equal(keep("l", BYTES("x")), PH_NONE);
	assert_int_equal(keep("m", BYTES("x")), PH_OK);
	commit();
}

TEST(keys_that_are_no_keys_are_told)
{
	open_store();
	ops->close(store);
	by_hand("INSERT INTO fresh (keys) VALUES (zeroblob(33))");
	open_store();
	assert_int_equal(ops->begin(store, &wrong), PH_BROKEN);
	assert_non_null(strstr(wrong.text, "keys of 33 bytes"));
	ops->abandon(store);
}

/* After 24 h only a person may write: the time of the person's words, and of nothing else, counts. */
TEST(the_newest_turn_that_version_1_kept_is_a_persons)
{
	struct ph_store_conv	 conv;

	by_hand(VERSION_1);
	open_store();
	must(ops->begin(store, &wrong), &wrong);
	must(ops->find(store, BYTES("9001"), BYTES("7001"), false, &conv, &wrong), &wrong);
	assert_int_equal(conv.turn_at, 300);
	must(ops->find(store, BYTES("9001"), BYTES("7002"), false, &conv, &wrong), &wrong);
	assert_int_equal(conv.turn_at, 0);
	ops->abandon(store);
}

TEST(a_copy_of_what_version_1_made_is_left)
{
	sqlite3		*db = NULL;
	struct stat	 copy, ours;

	by_hand(VERSION_1);
	room_write(FILE_NAME ".v1", BYTES("of another try"), 0600);
	open_store();
	ops->close(store);
	store = NULL;
	assert_int_equal(sqlite3_open(FILE_NAME ".v1", &db), SQLITE_OK);
	assert_string_equal(value_of(db, "PRAGMA user_version"), "1");
	assert_string_equal(value_of(db, "PRAGMA integrity_check"), "ok");
	assert_string_equal(value_of(db, "SELECT count(*) FROM event"), "4");
	sqlite3_close(db);
	assert_int_equal(stat(FILE_NAME, &ours), 0);
	assert_int_equal(stat(FILE_NAME ".v1", &copy), 0);
	assert_int_equal(copy.st_mode & 0777 & ~ours.st_mode, 0);	/* nobody more may read it */
	assert_int_equal(unlink(FILE_NAME ".v1"), 0);
	open_store();				/* nothing is to be done a second time */
	assert_false(room_has(FILE_NAME ".v1"));
}

TEST(a_new_database_leaves_no_copy)
{
	open_store();
	assert_false(room_has(FILE_NAME ".v0"));
	assert_false(room_has(FILE_NAME ".v1"));
}

#define in_a_room(test)	cmocka_unit_test_setup_teardown(test, enter, leave)

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		in_a_room(what_is_promised_is_set),
		in_a_room(who_locks_the_file_for_a_moment_is_waited_for),
		in_a_room(what_a_newer_program_made_is_refused_and_untouched),
		in_a_room(whatever_a_newer_program_chose_stays_so),
		in_a_room(a_file_that_could_never_shrink_is_refused),
		in_a_room(a_file_with_other_pages_is_refused),
		in_a_room(a_file_whose_pages_are_partly_anothers_is_refused),
		in_a_room(what_is_no_database_is_broken_and_untouched),
		in_a_room(an_outsiders_lock_is_busy_and_passes),
		in_a_room(a_full_disk_is_told_and_passes),
		in_a_room(a_key_is_known_wherever_it_is),
		in_a_room(keys_go_to_their_place_although_transactions_without_any_are_undone),
		in_a_room(keys_in_a_row_that_bears_the_number_of_another_are_known),
		in_a_room(keys_go_to_their_place_although_no_helper_lives_long),
		in_a_room(nothing_begins_in_a_file_that_was_taken_away),
		in_a_room(a_log_begun_anew_is_cut_when_idle),
		in_a_room(the_log_is_moved_in_when_idle_and_only_then),
		in_a_room(what_became_of_a_reply_can_be_read),
		in_a_room(no_question_reads_a_whole_table),
		in_a_room(a_reply_is_owed_and_sent_without_tables_in_memory),
		in_a_room(no_statement_is_prepared_twice),
		in_a_room(what_version_1_kept_is_still_there),
		in_a_room(keys_that_version_5_kept_one_by_one_are_known),
		in_a_room(keys_that_are_no_keys_are_told),
		in_a_room(the_newest_turn_that_version_1_kept_is_a_persons),
		in_a_room(a_copy_of_what_version_1_made_is_left),
		in_a_room(a_new_database_leaves_no_copy),
	};

	return cmocka_run_group_tests_name("store_sqlite", tests, NULL, NULL);
}
