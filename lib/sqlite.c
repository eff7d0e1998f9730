/*
 * sqlite -- one connection to one SQLite file, and its prepared statements.
 * Knows sqlite_wal, sqlite_error.  Does not know tables or what is in them.
 * Called by the store_sqlite modules, which have the schema and the statements.
 * Lives as one connection: no other commits or checkpoints, ever.
 * SPDX-License-Identifier: ISC
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sqlite.h"
#include "sqlite_error.h"
#include "sqlite_wal.h"

#define BUSY_MS		1000		/* for a stranger's lock; then fronts spool */
#define WAL_MAX_PAGES	1024		/* 4 MiB; then the log is moved in even if there is work: a few ms */

/* What must hold, and what SQLite must say when asked whether it does. */
static const struct { const char *set, *ask, *is; } pragmas[] = {
	{ "PRAGMA auto_vacuum=INCREMENTAL", "PRAGMA auto_vacuum", "2" },	/* before any table */
	{ "PRAGMA page_size=4096", "PRAGMA page_size", "4096" },
	{ "PRAGMA journal_mode=WAL", "PRAGMA journal_mode", "wal" },
	{ "PRAGMA synchronous=FULL", "PRAGMA synchronous", "2" },
	{ "PRAGMA wal_autocheckpoint=0", "PRAGMA wal_autocheckpoint", "0" },
	{ "PRAGMA mmap_size=0", NULL, NULL },		/* answers nothing where it was built out */
	{ "PRAGMA trusted_schema=OFF", "PRAGMA trusted_schema", "0" },
	{ "PRAGMA foreign_keys=ON", "PRAGMA foreign_keys", "1" },
	{ "PRAGMA secure_delete=ON", "PRAGMA secure_delete", "1" },
	{ "PRAGMA cache_size=-5120", "PRAGMA cache_size", "-5120" },	/* KiB: people, and the way to each key */
};

static enum ph_error
translate(struct ph_sqlite *s, int rc, const char *doing, struct ph_fail *fail)
{
	return ph_sqlite_error(s->db, s->path, rc, doing, fail);
}

static enum ph_error
run(struct ph_sqlite *s, const char *text, struct ph_fail *fail)
{
	return translate(s, sqlite3_exec(s->db, text, NULL, NULL, NULL), text, fail);
}

/* Statements: prepared once; a failure to prepare shows when it is stepped. */

struct ph_slice
ph_sqlite_word(const char *text)
{
	if (text == NULL || text[0] == '\0')
		return (struct ph_slice){ NULL, 0 };
	return (struct ph_slice){ text, strlen(text) };
}

static void
bind(sqlite3_stmt *st, int i, const struct ph_sqlite_value *v)
{
	if (v->bytes.at == NULL)
		(void)sqlite3_bind_null(st, i);
	else if (v->is == PH_INT)
		(void)sqlite3_bind_int64(st, i, v->number);
	else if (v->is == PH_TEXT)
		(void)sqlite3_bind_text(st, i, v->bytes.at, (int)v->bytes.len, SQLITE_STATIC);
	else
		(void)sqlite3_bind_blob(st, i, v->bytes.at, (int)v->bytes.len, SQLITE_STATIC);
}

sqlite3_stmt *
ph_sqlite_start(struct ph_sqlite *s, size_t which, const struct ph_sqlite_value *with)
{
	int	 i;

	if (s->stmts[which] == NULL)
		(void)sqlite3_prepare_v3(s->db, s->schema->sql[which], -1, SQLITE_PREPARE_PERSISTENT,
		    &s->stmts[which], NULL);
	for (i = 0; with[i].is != PH_END; i++)
		bind(s->stmts[which], i + 1, &with[i]);
	return s->stmts[which];
}

enum ph_error
ph_sqlite_next(struct ph_sqlite *s, size_t which, struct ph_fail *fail)
{
	sqlite3_stmt	*st = s->stmts[which];
	int		 rc = st != NULL ? sqlite3_step(st) : sqlite3_errcode(s->db);

	return rc == SQLITE_DONE ? PH_NONE : translate(s, rc, s->schema->sql[which], fail);
}

void
ph_sqlite_end(struct ph_sqlite *s, size_t which)
{
	(void)sqlite3_reset(s->stmts[which]);
}

enum ph_error
ph_sqlite_run(struct ph_sqlite *s, size_t which, const struct ph_sqlite_value *with,
    struct ph_fail *fail)
{
	enum ph_error	 err;

	ph_sqlite_start(s, which, with);
	err = ph_sqlite_next(s, which, fail);
	ph_sqlite_end(s, which);
	return err == PH_NONE ? PH_OK : err;
}

enum ph_error
ph_sqlite_change(struct ph_sqlite *s, size_t which, const struct ph_sqlite_value *with,
    struct ph_fail *fail)
{
	enum ph_error	 err = ph_sqlite_run(s, which, with, fail);

	return err == PH_OK && sqlite3_changes(s->db) == 0 ? PH_NONE : err;
}

enum ph_error
ph_sqlite_ask(struct ph_sqlite *s, size_t which, const struct ph_sqlite_value *with, int64_t *out,
    struct ph_fail *fail)
{
	sqlite3_stmt	*st = ph_sqlite_start(s, which, with);
	enum ph_error	 err = ph_sqlite_next(s, which, fail);

	if (err == PH_OK && sqlite3_column_type(st, 0) == SQLITE_NULL)
		err = PH_NONE;
	if (err == PH_OK)
		*out = sqlite3_column_int64(st, 0);
	ph_sqlite_end(s, which);
	return err;
}

void
ph_sqlite_column(sqlite3_stmt *st, int column, struct ph_buffer *out)
{
	const void	*bytes = sqlite3_column_blob(st, column);

	if (bytes != NULL)
		ph_buffer_add(out, bytes, (size_t)sqlite3_column_bytes(st, column));
}

void
ph_sqlite_abandon(struct ph_sqlite *s)
{
	if (s->db != NULL && !sqlite3_get_autocommit(s->db))
		(void)!ph_sqlite_run(s, PH_SQLITE_ROLLBACK, WITH_NOTHING, NULL);
}

static enum ph_error
read_back(struct ph_sqlite *s, const char *query, const char *is, struct ph_fail *fail)
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
note_wal(void *arg, sqlite3 *db, const char *name, int pages)
{
	(void)db;
	(void)name;
	((struct ph_sqlite *)arg)->wal_pages = pages;
	return SQLITE_OK;
}

static enum ph_error
configure(struct ph_sqlite *s, struct ph_fail *fail)
{
	size_t	 i;
	int	 on, reserved = -1;

	(void)sqlite3_extended_result_codes(s->db, 1);
	if (sqlite3_db_config(s->db, SQLITE_DBCONFIG_DEFENSIVE, 1, &on) != SQLITE_OK || !on ||
	    sqlite3_db_config(s->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, &on) != SQLITE_OK || !on)
		return ph_error_set(fail, PH_BROKEN, "store: this SQLite is too old: %s",
		    sqlite3_libversion());
	for (i = 0; i < sizeof(pragmas) / sizeof(pragmas[0]); i++)
		if (run(s, pragmas[i].set, fail) != PH_OK || (pragmas[i].ask != NULL &&
		    read_back(s, pragmas[i].ask, pragmas[i].is, fail) != PH_OK))
			return fail->err;
	/* sqlite_page knows where things stand in pages that are all SQLite's. */
	if (sqlite3_file_control(s->db, "main", SQLITE_FCNTL_RESERVE_BYTES, &reserved) != SQLITE_OK ||
	    reserved != 0)
		return ph_error_set(fail, PH_BROKEN, "store: %s: %d bytes of each page are kept for another "
		    "program: not made by pagehook", s->path, reserved);
	s->wal_max = WAL_MAX_PAGES;
	(void)sqlite3_wal_hook(s->db, note_wal, s);	/* last: autocheckpoint is a hook, too */
	return PH_OK;
}

/* Asked first: what a newer program made is not touched. */
static enum ph_error
version_of(struct ph_sqlite *s, int *version, struct ph_fail *fail)
{
	sqlite3_stmt	*st = NULL;
	enum ph_error	 err;

	err = translate(s, sqlite3_prepare_v2(s->db, "PRAGMA user_version", -1, &st, NULL),
	    "user_version", fail);
	if (err == PH_OK && (err = translate(s, sqlite3_step(st), "user_version", fail)) == PH_OK)
		*version = sqlite3_column_int(st, 0);
	(void)sqlite3_finalize(st);
	if (err == PH_OK && *version > s->schema->version)
		return ph_error_set(fail, PH_CONFIG, "store: made by a newer pagehook (schema %d, this one "
		    "knows %d): nothing was touched", *version, s->schema->version);
	return err;
}

static void
name_copy(const char *path, int version, char *out, size_t size)
{
	snprintf(out, size, "%s.v%d", path, version);
}

/* What the database was before its tables change lies beside it: queue.db.v1. */
static enum ph_error
copy_old(struct ph_sqlite *s, const char *path, int version, struct ph_fail *fail)
{
	char	 name[4096];
	char	*text;
	enum ph_error	 err;

	if (version == 0)
		return PH_OK;			/* it is being made */
	name_copy(path, version, name, sizeof(name));
	(void)unlink(name);
	if ((text = sqlite3_mprintf("VACUUM INTO %Q", name)) == NULL)
		return ph_error_set(fail, PH_NOMEM, "store: out of memory");
	err = run(s, text, fail);
	sqlite3_free(text);
	return err;
}

enum ph_error
ph_sqlite_drop_copies(struct ph_sqlite *s, int64_t *n, struct ph_fail *fail)
{
	char	 name[4096];
	int	 version;

	for (version = 1; version < s->schema->version; version++) {
		name_copy(sqlite3_db_filename(s->db, "main"), version, name, sizeof(name));
		if (unlink(name) == 0)
			(*n)++;
		else if (errno != ENOENT)
			return ph_error_set(fail, PH_BUSY, "%s: %s", name, strerror(errno));
	}
	return PH_OK;
}

/* All steps in one transaction: a crash leaves the old version or the new one. */
static enum ph_error
migrate(struct ph_sqlite *s, const char *path, int version, struct ph_fail *fail)
{
	const struct ph_sqlite_schema	*schema = s->schema;
	char				 set[64];

	if (version == schema->version)
		return PH_OK;
	if (copy_old(s, path, version, fail) != PH_OK || run(s, "BEGIN IMMEDIATE", fail) != PH_OK)
		return fail->err;
	for (; version < schema->version; version++)
		if (run(s, schema->migrations[version], fail) != PH_OK)
			return fail->err;
	snprintf(set, sizeof(set), "PRAGMA user_version=%d", schema->version);
	if (run(s, set, fail) != PH_OK)
		return fail->err;
	return run(s, "COMMIT", fail);
}

static void
wal_name(const struct ph_sqlite *s, char *out, size_t size)
{
	snprintf(out, size, "%s-wal", s->path);
}

/*
 * The file behind a name; only looked at: to close one drops SQLite's locks.  Its times are not asked
 * for: the kernel gives the next write of who was asked a time of its own (Linux 6.13), and so the inode
 * would have to be written with each commit.
 */
static bool
look_at(const char *path, struct ph_sqlite_file *file)
{
	struct statx	 st;

	if (statx(AT_FDCWD, path, 0, STATX_INO, &st) != 0)
		return false;
	*file = (struct ph_sqlite_file){ st.stx_dev_major, st.stx_dev_minor, st.stx_ino };
	return true;
}

static bool
is_behind(const struct ph_sqlite_file *file, const char *path)
{
	struct ph_sqlite_file	 now;

	return look_at(path, &now) && now.ino == file->ino && now.dev_major == file->dev_major &&
	    now.dev_minor == file->dev_minor;
}

static enum ph_error
note_files(struct ph_sqlite *s, struct ph_fail *fail)
{
	char	 wal[512];

	wal_name(s, wal, sizeof(wal));
	if (run(s, "SELECT count(*) FROM sqlite_schema", fail) != PH_OK)	/* what reads makes the log */
		return fail->err;
	if (look_at(s->path, &s->db_file) && look_at(wal, &s->wal_file))
		return PH_OK;
	return ph_error_set(fail, PH_BUSY, "%s: removed while it was opened", s->path);
}

enum ph_error
ph_sqlite_in_place(const struct ph_sqlite *s, struct ph_fail *fail)
{
	char	 wal[512];

	wal_name(s, wal, sizeof(wal));
	if (!is_behind(&s->db_file, s->path))
		return ph_error_set(fail, PH_NONE, "%s: replaced or removed while it was in use", s->path);
	if (!is_behind(&s->wal_file, wal))
		return ph_error_set(fail, PH_BUSY, "%s: replaced or removed while it was in use", wal);
	return PH_OK;
}

void
ph_sqlite_close(struct ph_sqlite *s)
{
	size_t	 i;

	for (i = 0; s->stmts != NULL && i < s->schema->n_sql; i++)
		(void)sqlite3_finalize(s->stmts[i]);
	(void)sqlite3_close(s->db);
	free(s->stmts);
	s->stmts = NULL;
	s->db = NULL;
}

static bool
has_log(const struct ph_sqlite *s)
{
	char		 wal[512];
	struct stat	 st;

	wal_name(s, wal, sizeof(wal));
	return stat(wal, &st) == 0 && st.st_size > 0;
}

enum ph_error
ph_sqlite_open(struct ph_sqlite *s, const char *path, const struct ph_sqlite_schema *schema,
    struct ph_fail *fail)
{
	const int	 flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX |
			    SQLITE_OPEN_NOFOLLOW | SQLITE_OPEN_PRIVATECACHE;
	struct ph_fail	 mine = PH_FAIL_INIT;
	int		 version = 0;
	bool		 left;

	*s = (struct ph_sqlite){ .path = path, .schema = schema };
	left = has_log(s);		/* it may not have been synced: all of it is written again, below */
	/* One thread alone uses SQLite: no locks, and nobody asks what it has allocated. */
	(void)sqlite3_config(SQLITE_CONFIG_SINGLETHREAD);
	(void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
	if ((s->stmts = calloc(schema->n_sql, sizeof(sqlite3_stmt *))) == NULL)
		return ph_error_set(fail, PH_NOMEM, "store: out of memory");
	if (translate(s, sqlite3_open_v2(path, &s->db, flags, ph_sqlite_wal()), path, &mine) == PH_OK &&
	    translate(s, sqlite3_busy_timeout(s->db, BUSY_MS), path, &mine) == PH_OK &&
	    version_of(s, &version, &mine) == PH_OK && configure(s, &mine) == PH_OK &&
	    migrate(s, path, version, &mine) == PH_OK && note_files(s, &mine) == PH_OK &&
	    (!left || ph_sqlite_tidy(s, true, &mine) == PH_OK))
		return PH_OK;
	ph_sqlite_close(s);
	return ph_error_set(fail, mine.err, "%s", mine.text);
}

enum ph_error
ph_sqlite_tidy(struct ph_sqlite *s, bool idle, struct ph_fail *fail)
{
	const bool	 cut = idle || s->empty_wal;
	struct ph_fail	 mine = PH_FAIL_INIT;
	enum ph_error	 err;
	int		 rc;

	if (!s->empty_wal && !idle && s->wal_pages < s->wal_max)
		return PH_OK;
	/*
	 * Under load the file keeps its size: a sync of bytes written over old ones is done with the
	 * data, one that made the file longer waits for the file system's journal as well.
	 */
	(void)sqlite3_busy_timeout(s->db, 0);	/* a reader is in the way: later, not slower */
	rc = sqlite3_wal_checkpoint_v2(s->db, NULL,
	    cut ? SQLITE_CHECKPOINT_TRUNCATE : SQLITE_CHECKPOINT_RESTART, NULL, NULL);
	(void)sqlite3_busy_timeout(s->db, BUSY_MS);
	err = translate(s, rc, "checkpoint", &mine);
	if (err == PH_OK)
		s->wal_pages = 0;
	if (err == PH_OK && s->empty_wal) {	/* nor may a page bring back what was in its gap */
		(void)sqlite3_db_release_memory(s->db);
		s->empty_wal = false;
	}
	s->wal_max = WAL_MAX_PAGES + s->wal_pages;	/* not again at once, if it could not be done */
	if (err == PH_OK || err == PH_BUSY || err == PH_TOOBIG)
		return PH_OK;
	return ph_error_set(fail, err, "%s", mine.text);
}
