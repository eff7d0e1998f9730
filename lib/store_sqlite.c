/*
 * store_sqlite -- the store in one SQLite file.
 * Knows store.  Does not know Messenger, Graph, or which state follows which.
 * Called by ledger through ph_store_sqlite.
 * Lives as one connection: no other commits or checkpoints, ever.
 *
 * Why so strict: SQLite before 3.51.3 can lose a commit when one connection checkpoints while
 * another resets the log (the WAL-reset bug); with a single writing connection it cannot happen.
 * SPDX-License-Identifier: ISC
 */
#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store.h"
#include "store_sqlite_wal.h"

#define SCHEMA_VERSION	1
#define WAL_MAX_PAGES	4096		/* 16 MiB; then the log is moved in even if there is work */
#define DAY_MS		86400000

/* SQLite uses a partial index only when a query repeats its term to the letter. */
#define EVENT_OPEN	"state IN ('kept','asked')"
#define REPLY_OPEN	"state IN ('ready','sending','unsure')"
#define REPLY_FLYING	"state IN ('sending','unsure')"

static const char	 schema[] =
"CREATE TABLE seen (key BLOB PRIMARY KEY, day INTEGER NOT NULL) WITHOUT ROWID, STRICT;"
"CREATE TABLE conv (id INTEGER PRIMARY KEY, page TEXT NOT NULL, person TEXT NOT NULL, due INTEGER,"
"  silent_until INTEGER, UNIQUE (page, person)) STRICT;"
"CREATE TABLE event (id INTEGER PRIMARY KEY, conv INTEGER, object TEXT NOT NULL, page TEXT NOT NULL,"
"  kind TEXT NOT NULL, mid TEXT, at INTEGER NOT NULL, came INTEGER NOT NULL, state TEXT NOT NULL,"
"  due INTEGER, tries INTEGER NOT NULL DEFAULT 0, why TEXT, body BLOB) STRICT;"
"CREATE TABLE page (id TEXT PRIMARY KEY, paused_until INTEGER, why TEXT) STRICT;"
"CREATE TABLE meta (name TEXT PRIMARY KEY, value ANY) STRICT;"
"CREATE TABLE reply (id INTEGER PRIMARY KEY, conv INTEGER NOT NULL, event INTEGER,"
"  state TEXT NOT NULL, due INTEGER NOT NULL, attempt INTEGER NOT NULL DEFAULT 0,"
"  resends INTEGER NOT NULL DEFAULT 0, token BLOB, mid TEXT, code INTEGER, subcode INTEGER,"
"  trace TEXT, why TEXT, body BLOB) STRICT;"
"CREATE INDEX conv_due ON conv (page, due) WHERE due IS NOT NULL;"
"CREATE INDEX event_open ON event (conv, at, id) WHERE " EVENT_OPEN ";"
"CREATE INDEX reply_open ON reply (conv, id) WHERE " REPLY_OPEN ";"
"CREATE INDEX reply_flying ON reply (due) WHERE " REPLY_FLYING ";"
"CREATE UNIQUE INDEX reply_token ON reply (token) WHERE token IS NOT NULL;";

/* Migrations: the i-th takes a database from version i to version i + 1. */
static const char *const	 migrations[SCHEMA_VERSION] = { schema };

/* What must hold, and what SQLite must say when asked whether it does. */
static const struct { const char *set, *ask, *is; } pragmas[] = {
	{ "PRAGMA auto_vacuum=INCREMENTAL", "PRAGMA auto_vacuum", "2" },	/* before any table */
	{ "PRAGMA journal_mode=WAL", "PRAGMA journal_mode", "wal" },
	{ "PRAGMA synchronous=FULL", "PRAGMA synchronous", "2" },
	{ "PRAGMA wal_autocheckpoint=0", "PRAGMA wal_autocheckpoint", "0" },
	{ "PRAGMA mmap_size=0", NULL, NULL },		/* answers nothing where it was built out */
	{ "PRAGMA trusted_schema=OFF", "PRAGMA trusted_schema", "0" },
	{ "PRAGMA foreign_keys=ON", "PRAGMA foreign_keys", "1" },
	{ "PRAGMA secure_delete=ON", "PRAGMA secure_delete", "1" },
	{ "PRAGMA cache_size=-8192", "PRAGMA cache_size", "-8192" },	/* KiB: the keys of a busy day */
	{ "PRAGMA busy_timeout=1000", "PRAGMA busy_timeout", "1000" },
};

enum statement {
	BEGIN, COMMIT, ROLLBACK, SEE, FIND_CONV, ADD_CONV, ADD_EVENT, ADD_REPLY, WAKE_CONV, CLAIM,
	TAKE_CONV, FLYING, MOVE, NEXT_CONV, NEXT_READY, NEXT_UNSURE, PAUSE, GO_ON, NOTE, ADVANCE_CONV,
	ADVANCE_REPLY, CONFIRM,
	N_STATEMENTS
};

static const char *const	 sql[N_STATEMENTS] = {
	[BEGIN] = "BEGIN IMMEDIATE",
	[COMMIT] = "COMMIT",
	[ROLLBACK] = "ROLLBACK",
	[SEE] = "INSERT INTO seen (key, day) VALUES (?1, ?2) ON CONFLICT DO NOTHING",
	[FIND_CONV] = "SELECT id FROM conv WHERE page=?1 AND person=?2",
	[ADD_CONV] = "INSERT INTO conv (page, person) VALUES (?1, ?2)",
	[ADD_EVENT] = "INSERT INTO event (conv, object, page, kind, mid, at, came, state, why, body)"
	    " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
	[ADD_REPLY] = "INSERT INTO reply (conv, event, state, due, body) VALUES (?1, ?2, 'ready', ?3, ?4)",
	/* Only the first open reply makes its conversation due; the others wait behind it. */
	[WAKE_CONV] = "UPDATE conv SET due=?2 WHERE id=?1 AND due IS NULL AND NOT EXISTS"
	    " (SELECT 1 FROM reply WHERE conv=?1 AND id<?3 AND " REPLY_OPEN ")",
	/* Heads of conversations, page by page: a paused page's rows are never read. */
	[CLAIM] = "UPDATE reply SET state='sending', attempt=attempt+1, due=?2,"
	    " token=coalesce(token, randomblob(16)) WHERE id IN (SELECT (SELECT r.id FROM reply r WHERE"
	    " r.conv=c.id AND r." REPLY_OPEN " ORDER BY r.id LIMIT 1) FROM conv c WHERE c.page=?1"
	    " AND c.due<=?2 ORDER BY c.due LIMIT ?3) AND state='ready'"
	    " RETURNING id, conv, attempt, resends, token, body",
	[TAKE_CONV] = "UPDATE conv SET due=NULL WHERE id=?1 RETURNING person",
	[FLYING] = "SELECT id, conv, attempt, resends, token FROM reply WHERE " REPLY_FLYING
	    " AND state=?1 AND due<=?2 ORDER BY due LIMIT ?3",
	[MOVE] = "UPDATE reply SET state=?2, due=?3, resends=?4, mid=coalesce(?5, mid),"
	    " code=coalesce(?6, code), subcode=coalesce(?7, subcode), trace=coalesce(?8, trace),"
	    " why=coalesce(?9, why) WHERE id=?1 AND " REPLY_FLYING
	    " AND (?10 IS NULL OR token=?10)",
	/* NULL when the head is not ready: nothing may overtake what is in flight or unsure. */
	[NEXT_CONV] = "UPDATE conv SET due=(SELECT CASE r.state WHEN 'ready' THEN r.due END FROM reply r"
	    " WHERE r.conv=?1 AND r." REPLY_OPEN " ORDER BY r.id LIMIT 1) WHERE id=?1",
	[NEXT_READY] = "SELECT min(due) FROM conv WHERE page=?1 AND due IS NOT NULL",
	[NEXT_UNSURE] = "SELECT due FROM reply WHERE " REPLY_FLYING " AND state='unsure'"
	    " ORDER BY due LIMIT 1",
	[PAUSE] = "INSERT INTO page (id, paused_until, why) VALUES (?1, NULL, ?2)"
	    " ON CONFLICT (id) DO UPDATE SET why=excluded.why WHERE why IS NOT excluded.why",
	[GO_ON] = "DELETE FROM page WHERE id=?1",
	[NOTE] = "INSERT INTO meta (name, value) VALUES (?1, ?2)"
	    " ON CONFLICT (name) DO UPDATE SET value=excluded.value",
	[CONFIRM] = "UPDATE reply SET state='sent', mid=coalesce(mid, ?2)"
	    " WHERE token IS NOT NULL AND token=?1 AND state<>'sent' RETURNING id, conv",
	[ADVANCE_CONV] = "UPDATE conv SET due=?2 WHERE due IS NOT NULL AND due>?1",
	[ADVANCE_REPLY] = "UPDATE reply SET due=?2 WHERE " REPLY_OPEN " AND due>?1",
};

struct ph_store {
	sqlite3		*db;
	sqlite3_stmt	*stmts[N_STATEMENTS];
	int		 wal_pages;	/* of the log, after the last commit */
	int		 wal_max;	/* then it is moved in */
};

/* SQLite's codes, at the door. */
static enum ph_error
translate(struct ph_store *s, int rc, const char *doing, struct ph_fail *fail)
{
	int	 system_errno = s->db != NULL ? sqlite3_system_errno(s->db) : 0;

	switch (rc & 0xff) {
	case SQLITE_OK: case SQLITE_ROW: case SQLITE_DONE:
		return PH_OK;
	case SQLITE_BUSY: case SQLITE_LOCKED:
		return ph_error_set(fail, PH_BUSY, "store: %s: locked by another program", doing);
	case SQLITE_FULL:
		return ph_error_set(fail, PH_TOOBIG, "store: %s: disk full", doing);
	case SQLITE_NOMEM:
		return ph_error_set(fail, PH_NOMEM, "store: %s: out of memory", doing);
	case SQLITE_IOERR:
		if (system_errno == ENOSPC || system_errno == EDQUOT || system_errno == EFBIG)
			return ph_error_set(fail, PH_TOOBIG, "store: %s: disk full", doing);
		/* FALLTHROUGH */
	default:
		return ph_error_set(fail, PH_BROKEN, "store: %s: %s", doing,
		    s->db != NULL ? sqlite3_errmsg(s->db) : sqlite3_errstr(rc));
	}
}

static enum ph_error
run(struct ph_store *s, const char *text, struct ph_fail *fail)
{
	return translate(s, sqlite3_exec(s->db, text, NULL, NULL, NULL), text, fail);
}

/* Statements: prepared once; a failure to prepare shows when it is stepped. */

static sqlite3_stmt *
prepared(struct ph_store *s, enum statement which)
{
	if (s->stmts[which] == NULL)
		(void)sqlite3_prepare_v3(s->db, sql[which], -1, SQLITE_PREPARE_PERSISTENT,
		    &s->stmts[which], NULL);
	return s->stmts[which];
}

static void
bind_text(sqlite3_stmt *st, int i, const char *text)
{
	if (text != NULL && text[0] != '\0')
		(void)sqlite3_bind_text(st, i, text, -1, SQLITE_STATIC);
	else
		(void)sqlite3_bind_null(st, i);
}

static void
bind_slice(sqlite3_stmt *st, int i, struct ph_slice text)
{
	if (text.at != NULL)
		(void)sqlite3_bind_text(st, i, text.at, (int)text.len, SQLITE_STATIC);
	else
		(void)sqlite3_bind_null(st, i);
}

static void
bind_number(sqlite3_stmt *st, int i, int64_t number)
{
	if (number != 0)
		(void)sqlite3_bind_int64(st, i, number);
	else
		(void)sqlite3_bind_null(st, i);
}

/* Steps a statement that gives no row or only one that matters; leaves it ready for the next use. */
static enum ph_error
finish(struct ph_store *s, enum statement which, struct ph_fail *fail)
{
	sqlite3_stmt	*st = s->stmts[which];
	int		 rc = st != NULL ? sqlite3_step(st) : sqlite3_errcode(s->db);
	enum ph_error	 err = translate(s, rc, sql[which], fail);

	(void)sqlite3_reset(st);
	return err;
}

/* The first column of the only row; PH_NONE without one or when it is NULL. */
static enum ph_error
ask(struct ph_store *s, enum statement which, int64_t *out, struct ph_fail *fail)
{
	sqlite3_stmt	*st = s->stmts[which];
	int		 rc = st != NULL ? sqlite3_step(st) : sqlite3_errcode(s->db);
	enum ph_error	 err = translate(s, rc, sql[which], fail);

	if (err == PH_OK) {
		if (rc == SQLITE_ROW && sqlite3_column_type(st, 0) != SQLITE_NULL)
			*out = sqlite3_column_int64(st, 0);
		else
			err = PH_NONE;
	}
	(void)sqlite3_reset(st);
	return err;
}

static enum ph_error
read_back(struct ph_store *s, const char *query, const char *is, struct ph_fail *fail)
{
	sqlite3_stmt	*st = NULL;
	enum ph_error	 err;
	const char	*has;

	err = translate(s, sqlite3_prepare_v2(s->db, query, -1, &st, NULL), query, fail);
	if (err == PH_OK)
		err = translate(s, sqlite3_step(st), query, fail);
	if (err == PH_OK) {
		has = (const char *)sqlite3_column_text(st, 0);
		if (has == NULL || strcmp(has, is) != 0)
			err = ph_error_set(fail, PH_BROKEN, "store: %s is %s, not %s: nothing could be promised",
			    query, has != NULL ? has : "nothing", is);
	}
	(void)sqlite3_finalize(st);
	return err;
}

static int
note_wal(void *store, sqlite3 *db, const char *name, int pages)
{
	(void)db;
	(void)name;
	((struct ph_store *)store)->wal_pages = pages;
	return SQLITE_OK;
}

static enum ph_error
configure(struct ph_store *s, struct ph_fail *fail)
{
	size_t	 i;
	int	 on;

	(void)sqlite3_extended_result_codes(s->db, 1);
	if (sqlite3_db_config(s->db, SQLITE_DBCONFIG_DEFENSIVE, 1, &on) != SQLITE_OK || !on ||
	    sqlite3_db_config(s->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, &on) != SQLITE_OK || !on)
		return ph_error_set(fail, PH_BROKEN, "store: this SQLite is too old: %s",
		    sqlite3_libversion());
	for (i = 0; i < sizeof(pragmas) / sizeof(pragmas[0]); i++)
		if (run(s, pragmas[i].set, fail) != PH_OK || (pragmas[i].ask != NULL &&
		    read_back(s, pragmas[i].ask, pragmas[i].is, fail) != PH_OK))
			return fail->err;
	s->wal_max = WAL_MAX_PAGES;
	(void)sqlite3_wal_hook(s->db, note_wal, s);	/* last: autocheckpoint is a hook, too */
	return PH_OK;
}

/* Asked first: what a newer program made is not touched. */
static enum ph_error
version_of(struct ph_store *s, int *version, struct ph_fail *fail)
{
	sqlite3_stmt	*st = NULL;
	enum ph_error	 err;

	err = translate(s, sqlite3_prepare_v2(s->db, "PRAGMA user_version", -1, &st, NULL),
	    "user_version", fail);
	if (err == PH_OK && (err = translate(s, sqlite3_step(st), "user_version", fail)) == PH_OK)
		*version = sqlite3_column_int(st, 0);
	(void)sqlite3_finalize(st);
	if (err == PH_OK && *version > SCHEMA_VERSION)
		return ph_error_set(fail, PH_CONFIG, "store: made by a newer pagehook (schema %d, this one "
		    "knows %d): nothing was touched", *version, SCHEMA_VERSION);
	return err;
}

/* All steps in one transaction: a crash leaves the old version or the new one. */
static enum ph_error
migrate(struct ph_store *s, int version, struct ph_fail *fail)
{
	char	 set[64];

	if (version == SCHEMA_VERSION)
		return PH_OK;
	if (run(s, "BEGIN IMMEDIATE", fail) != PH_OK)
		return fail->err;
	for (; version < SCHEMA_VERSION; version++)
		if (run(s, migrations[version], fail) != PH_OK)
			return fail->err;
	snprintf(set, sizeof(set), "PRAGMA user_version=%d", SCHEMA_VERSION);
	if (run(s, set, fail) != PH_OK)
		return fail->err;
	return run(s, "COMMIT", fail);
}

static void
sqlite_close(struct ph_store *s)
{
	size_t	 i;

	if (s == NULL)
		return;
	for (i = 0; i < N_STATEMENTS; i++)
		(void)sqlite3_finalize(s->stmts[i]);
	(void)sqlite3_close(s->db);
	free(s);
}

static enum ph_error
sqlite_open(const char *path, struct ph_store **out, struct ph_fail *fail)
{
	const int	 flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX |
			    SQLITE_OPEN_NOFOLLOW | SQLITE_OPEN_PRIVATECACHE;
	struct ph_store	*s = calloc(1, sizeof(*s));
	struct ph_fail	 mine = PH_FAIL_INIT;
	int		 version = 0;

	*out = NULL;
	if (s == NULL)
		return ph_error_set(fail, PH_NOMEM, "store: out of memory");
	if (translate(s, sqlite3_open_v2(path, &s->db, flags, ph_store_sqlite_wal()), path, &mine) == PH_OK &&
	    version_of(s, &version, &mine) == PH_OK && configure(s, &mine) == PH_OK &&
	    migrate(s, version, &mine) == PH_OK) {
		*out = s;
		return PH_OK;
	}
	sqlite_close(s);
	return ph_error_set(fail, mine.err, "%s", mine.text);
}

static enum ph_error
sqlite_begin(struct ph_store *s, struct ph_fail *fail)
{
	prepared(s, BEGIN);
	return finish(s, BEGIN, fail);
}

static enum ph_error
sqlite_commit(struct ph_store *s, struct ph_fail *fail)
{
	prepared(s, COMMIT);
	return finish(s, COMMIT, fail);
}

static void
sqlite_abandon(struct ph_store *s)
{
	prepared(s, ROLLBACK);
	if (!sqlite3_get_autocommit(s->db))
		(void)finish(s, ROLLBACK, NULL);
}

static enum ph_error
find_conv(struct ph_store *s, const struct ph_store_event *ev, int64_t *conv, struct ph_fail *fail)
{
	sqlite3_stmt	*st = prepared(s, FIND_CONV);
	enum ph_error	 err;

	bind_slice(st, 1, ev->page);
	bind_slice(st, 2, ev->person);
	if ((err = ask(s, FIND_CONV, conv, fail)) != PH_NONE)
		return err;
	st = prepared(s, ADD_CONV);
	bind_slice(st, 1, ev->page);
	bind_slice(st, 2, ev->person);
	err = finish(s, ADD_CONV, fail);
	*conv = sqlite3_last_insert_rowid(s->db);
	return err;
}

static enum ph_error
sqlite_keep(struct ph_store *s, const struct ph_store_event *ev, int64_t *id, int64_t *conv,
    struct ph_fail *fail)
{
	sqlite3_stmt	*st = prepared(s, SEE);
	enum ph_error	 err;

	*conv = 0;
	(void)sqlite3_bind_blob(st, 1, ev->key, sizeof(ev->key), SQLITE_STATIC);
	(void)sqlite3_bind_int64(st, 2, ev->came / DAY_MS);
	if ((err = finish(s, SEE, fail)) != PH_OK)
		return err;
	if (sqlite3_changes(s->db) == 0)
		return PH_NONE;
	if (ev->person.at != NULL && (err = find_conv(s, ev, conv, fail)) != PH_OK)
		return err;
	st = prepared(s, ADD_EVENT);
	bind_number(st, 1, *conv);
	bind_text(st, 2, ev->object);
	bind_slice(st, 3, ev->page);
	bind_text(st, 4, ev->kind);
	bind_slice(st, 5, ev->mid);
	(void)sqlite3_bind_int64(st, 6, ev->at);
	(void)sqlite3_bind_int64(st, 7, ev->came);
	bind_text(st, 8, ev->state);
	bind_text(st, 9, ev->why);
	(void)sqlite3_bind_blob(st, 10, ev->body.at, (int)ev->body.len, SQLITE_STATIC);
	err = finish(s, ADD_EVENT, fail);
	*id = sqlite3_last_insert_rowid(s->db);
	return err;
}

static enum ph_error
sqlite_owe(struct ph_store *s, int64_t conv, int64_t event, int64_t due, struct ph_slice body,
    struct ph_fail *fail)
{
	sqlite3_stmt	*st = prepared(s, ADD_REPLY);
	enum ph_error	 err;

	(void)sqlite3_bind_int64(st, 1, conv);
	bind_number(st, 2, event);
	(void)sqlite3_bind_int64(st, 3, due);
	(void)sqlite3_bind_blob(st, 4, body.at, (int)body.len, SQLITE_STATIC);
	if ((err = finish(s, ADD_REPLY, fail)) != PH_OK)
		return err;
	st = prepared(s, WAKE_CONV);
	(void)sqlite3_bind_int64(st, 1, conv);
	(void)sqlite3_bind_int64(st, 2, due);
	(void)sqlite3_bind_int64(st, 3, sqlite3_last_insert_rowid(s->db));
	return finish(s, WAKE_CONV, fail);
}

/* The columns id, conv, attempt, resends, token of the current row. */
static void
read_reply(sqlite3_stmt *st, struct ph_store_reply *r)
{
	*r = (struct ph_store_reply){ .id = sqlite3_column_int64(st, 0),
	    .conv = sqlite3_column_int64(st, 1), .attempt = sqlite3_column_int64(st, 2),
	    .resends = sqlite3_column_int64(st, 3) };
	if (sqlite3_column_bytes(st, 4) == PH_STORE_TOKEN_LEN)
		memcpy(r->token, sqlite3_column_blob(st, 4), PH_STORE_TOKEN_LEN);
}

static enum ph_error
take_conv(struct ph_store *s, struct ph_store_reply *r, struct ph_fail *fail)
{
	sqlite3_stmt	*st = prepared(s, TAKE_CONV);
	enum ph_error	 err;
	int		 rc;

	(void)sqlite3_bind_int64(st, 1, r->conv);
	rc = st != NULL ? sqlite3_step(st) : sqlite3_errcode(s->db);
	if ((err = translate(s, rc, sql[TAKE_CONV], fail)) == PH_OK && rc == SQLITE_ROW)
		ph_buffer_add(&r->person, sqlite3_column_text(st, 0),
		    (size_t)sqlite3_column_bytes(st, 0));
	(void)sqlite3_reset(st);
	return err == PH_OK ? ph_buffer_check(&r->person, fail) : err;
}

static enum ph_error
sqlite_claim(struct ph_store *s, struct ph_slice page, int64_t now, struct ph_store_reply *out,
    size_t max, size_t *n, struct ph_fail *fail)
{
	sqlite3_stmt	*st = prepared(s, CLAIM);
	enum ph_error	 err;
	size_t		 i;
	int		 rc = SQLITE_OK;

	bind_slice(st, 1, page);
	(void)sqlite3_bind_int64(st, 2, now);
	(void)sqlite3_bind_int64(st, 3, (int64_t)max);
	for (*n = 0; st != NULL && (rc = sqlite3_step(st)) == SQLITE_ROW && *n < max; (*n)++) {
		read_reply(st, &out[*n]);
		ph_buffer_add(&out[*n].body, sqlite3_column_blob(st, 5),
		    (size_t)sqlite3_column_bytes(st, 5));
	}
	err = translate(s, st != NULL ? rc : sqlite3_errcode(s->db), sql[CLAIM], fail);
	(void)sqlite3_reset(st);
	for (i = 0; i < *n && err == PH_OK; i++)
		if ((err = ph_buffer_check(&out[i].body, fail)) == PH_OK)
			err = take_conv(s, &out[i], fail);
	return err;
}

static enum ph_error
sqlite_flying(struct ph_store *s, const char *state, int64_t before, struct ph_store_reply *out,
    size_t max, size_t *n, struct ph_fail *fail)
{
	sqlite3_stmt	*st = prepared(s, FLYING);
	enum ph_error	 err;
	int		 rc = SQLITE_OK;

	bind_text(st, 1, state);
	(void)sqlite3_bind_int64(st, 2, before);
	(void)sqlite3_bind_int64(st, 3, (int64_t)max);
	for (*n = 0; st != NULL && *n < max && (rc = sqlite3_step(st)) == SQLITE_ROW; (*n)++)
		read_reply(st, &out[*n]);
	err = translate(s, st != NULL ? rc : sqlite3_errcode(s->db), sql[FLYING], fail);
	(void)sqlite3_reset(st);
	return err;
}

static enum ph_error
sqlite_move(struct ph_store *s, const struct ph_store_move *m, struct ph_fail *fail)
{
	sqlite3_stmt	*st = prepared(s, MOVE);
	enum ph_error	 err;
	int		 changed;

	(void)sqlite3_bind_int64(st, 1, m->id);
	bind_text(st, 2, m->state);
	(void)sqlite3_bind_int64(st, 3, m->due);
	(void)sqlite3_bind_int64(st, 4, m->resends);
	bind_text(st, 5, m->mid);
	bind_number(st, 6, m->code);
	bind_number(st, 7, m->subcode);
	bind_text(st, 8, m->trace);
	bind_text(st, 9, m->why);
	if (m->token != NULL)
		(void)sqlite3_bind_blob(st, 10, m->token, PH_STORE_TOKEN_LEN, SQLITE_STATIC);
	else
		(void)sqlite3_bind_null(st, 10);
	if ((err = finish(s, MOVE, fail)) != PH_OK)
		return err;
	changed = sqlite3_changes(s->db);
	st = prepared(s, NEXT_CONV);
	(void)sqlite3_bind_int64(st, 1, m->conv);
	if ((err = finish(s, NEXT_CONV, fail)) != PH_OK)
		return err;
	return changed > 0 ? PH_OK : PH_NONE;
}

static enum ph_error
sqlite_confirm(struct ph_store *s, const unsigned char token[PH_STORE_TOKEN_LEN],
    struct ph_slice mid, int64_t *id, struct ph_fail *fail)
{
	sqlite3_stmt	*st = prepared(s, CONFIRM);
	enum ph_error	 err;
	int64_t		 conv = 0;
	int		 rc;

	(void)sqlite3_bind_blob(st, 1, token, PH_STORE_TOKEN_LEN, SQLITE_STATIC);
	bind_slice(st, 2, mid);
	rc = st != NULL ? sqlite3_step(st) : sqlite3_errcode(s->db);
	err = translate(s, rc, sql[CONFIRM], fail);
	if (err == PH_OK && rc == SQLITE_ROW) {
		*id = sqlite3_column_int64(st, 0);
		conv = sqlite3_column_int64(st, 1);
	} else if (err == PH_OK)
		err = PH_NONE;
	(void)sqlite3_reset(st);
	if (err != PH_OK)
		return err;
	st = prepared(s, NEXT_CONV);
	(void)sqlite3_bind_int64(st, 1, conv);
	return finish(s, NEXT_CONV, fail);
}

static enum ph_error
sqlite_next_due(struct ph_store *s, struct ph_slice page, int64_t *due, struct ph_fail *fail)
{
	sqlite3_stmt	*st = prepared(s, NEXT_READY);
	enum ph_error	 err;
	int64_t		 unsure = 0;

	*due = 0;
	if (page.at != NULL) {
		bind_slice(st, 1, page);
		if ((err = ask(s, NEXT_READY, due, fail)) != PH_OK && err != PH_NONE)
			return err;
	}
	prepared(s, NEXT_UNSURE);
	if ((err = ask(s, NEXT_UNSURE, &unsure, fail)) != PH_OK && err != PH_NONE)
		return err;
	if (unsure != 0 && (*due == 0 || unsure < *due))
		*due = unsure;
	return PH_OK;
}

static enum ph_error
sqlite_pause(struct ph_store *s, struct ph_slice page, const char *why, struct ph_fail *fail)
{
	const enum statement	 which = why != NULL ? PAUSE : GO_ON;
	sqlite3_stmt		*st = prepared(s, which);

	bind_slice(st, 1, page);
	if (why != NULL)
		bind_text(st, 2, why);
	if (finish(s, which, fail) != PH_OK)
		return fail->err;
	return sqlite3_changes(s->db) > 0 ? PH_OK : PH_NONE;
}

static enum ph_error
sqlite_advance(struct ph_store *s, int64_t limit, int64_t now, struct ph_fail *fail)
{
	static const enum statement	 both[] = { ADVANCE_CONV, ADVANCE_REPLY };
	sqlite3_stmt			*st;
	size_t				 i;

	for (i = 0; i < 2; i++) {
		st = prepared(s, both[i]);
		(void)sqlite3_bind_int64(st, 1, limit);
		(void)sqlite3_bind_int64(st, 2, now);
		if (finish(s, both[i], fail) != PH_OK)
			return fail->err;
	}
	return PH_OK;
}

static enum ph_error
sqlite_note(struct ph_store *s, const char *name, int64_t value, struct ph_fail *fail)
{
	sqlite3_stmt	*st = prepared(s, NOTE);

	bind_text(st, 1, name);
	(void)sqlite3_bind_int64(st, 2, value);
	return finish(s, NOTE, fail);
}

static enum ph_error
sqlite_tidy(struct ph_store *s, bool idle, struct ph_fail *fail)
{
	struct ph_fail	 mine = PH_FAIL_INIT;
	enum ph_error	 err;
	int		 rc;

	if (s->wal_pages == 0 || (!idle && s->wal_pages < s->wal_max))
		return PH_OK;
	/*
	 * Under load the file keeps its size: a sync of bytes written over old ones is done with the
	 * data, one that made the file longer waits for the file system's journal as well.
	 */
	(void)sqlite3_busy_timeout(s->db, 0);	/* a reader is in the way: later, not slower */
	rc = sqlite3_wal_checkpoint_v2(s->db, NULL,
	    idle ? SQLITE_CHECKPOINT_TRUNCATE : SQLITE_CHECKPOINT_RESTART, NULL, NULL);
	(void)sqlite3_busy_timeout(s->db, 1000);
	err = translate(s, rc, "checkpoint", &mine);
	if (err == PH_OK)
		s->wal_pages = 0;
	s->wal_max = WAL_MAX_PAGES + s->wal_pages;	/* not again at once, if it could not be done */
	if (err == PH_OK || err == PH_BUSY || err == PH_TOOBIG)
		return PH_OK;
	return ph_error_set(fail, err, "%s", mine.text);
}

const struct ph_store_ops	 ph_store_sqlite = {
	.name = "sqlite",
	.open = sqlite_open,
	.close = sqlite_close,
	.begin = sqlite_begin,
	.commit = sqlite_commit,
	.abandon = sqlite_abandon,
	.keep = sqlite_keep,
	.owe = sqlite_owe,
	.claim = sqlite_claim,
	.flying = sqlite_flying,
	.move = sqlite_move,
	.confirm = sqlite_confirm,
	.next_due = sqlite_next_due,
	.pause = sqlite_pause,
	.note = sqlite_note,
	.advance = sqlite_advance,
	.tidy = sqlite_tidy,
};
