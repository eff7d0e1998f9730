/*
 * glance -- a look into the store beside the one connection that writes it: read only.
 * Knows sqlite's file.  Does not know what is done about what it shows.
 * Called by the operator's verbs, and by survey.
 * Lives for one look: one short transaction, so that the store's log can be cut.
 * SPDX-License-Identifier: ISC
 */
#include <stddef.h>
#include <stdio.h>
#include <unistd.h>

#include "glance.h"
#include "sqlite.h"

#define QUEUE_WAIT_MS	1000
#define COUNT_WAIT_MS	200		/* the helper waits, too */
#define MOST_AND_ONE	"100001"	/* one more than PH_GLANCE_MOST tells that there are more */

static const char	 queue[] =
    "SELECT 'r', r.id, coalesce(r.event, 0), r.attempt, coalesce(r.code, 0), coalesce(e.came, r.due),"
    "  CASE WHEN r.state IN ('ready','unsure') THEN r.due ELSE 0 END, r.state, c.page, c.person,"
    "  coalesce(r.why, '') FROM reply r JOIN conv c ON c.id=r.conv LEFT JOIN event e ON e.id=r.event"
    " WHERE r.state<>'sent' "
    "UNION ALL SELECT 'e', e.id, 0, e.tries, 0, e.came, coalesce(e.due, 0), e.state, e.page,"
    "  coalesce(c.person, ''), coalesce(e.why, '') FROM event e LEFT JOIN conv c ON c.id=e.conv"
    " WHERE e.state<>'done' ORDER BY 6, 2";

/* One whose erasure was cut short counts, too. */
static const char	 one_person[] =
    "WITH theirs AS (SELECT id FROM conv WHERE person IN (?1, 'forgotten ' || ?1)"
    "  AND page=coalesce(?2, page))"
    "SELECT (SELECT count(*) FROM event WHERE conv IN theirs"
    "  OR (conv IS NULL AND instr(body, CAST(?1 AS BLOB))>0)),"
    " (SELECT count(*) FROM reply WHERE conv IN theirs), (SELECT count(*) FROM theirs)";

static const char *
text_of(sqlite3_stmt *st, int column)
{
	const char	*text = (const char *)sqlite3_column_text(st, column);

	return text != NULL ? text : "";
}

static enum ph_error
show_all(sqlite3_stmt *st, enum ph_error (*show)(void *, const struct ph_glance_item *,
    struct ph_fail *), void *arg, struct ph_fail *fail)
{
	enum ph_error	 err = PH_OK;
	int		 rc = SQLITE_ROW;

	while (err == PH_OK && (rc = sqlite3_step(st)) == SQLITE_ROW) {
		const struct ph_glance_item	 it = { .letter = text_of(st, 0)[0],
			.id = sqlite3_column_int64(st, 1), .event = sqlite3_column_int64(st, 2),
			.tries = sqlite3_column_int64(st, 3), .code = sqlite3_column_int64(st, 4),
			.since = sqlite3_column_int64(st, 5), .due = sqlite3_column_int64(st, 6),
			.state = text_of(st, 7), .page = text_of(st, 8), .person = text_of(st, 9),
			.why = text_of(st, 10) };

		err = show(arg, &it, fail);
	}
	if (err == PH_OK && rc != SQLITE_DONE)
		err = ph_error_set(fail, PH_BROKEN, "store: %s", sqlite3_errstr(rc));
	return err;
}

/* A reader's close leaves the log alone; it must not make files, nor wait for long. */
static enum ph_error
open_store(const char *state_dir, int wait_ms, sqlite3 **db, struct ph_fail *fail)
{
	char	 path[4096];

	*db = NULL;
	snprintf(path, sizeof(path), "%s/queue.db", state_dir);
	if (access(path, F_OK) == -1)
		return PH_NONE;
	if (sqlite3_open_v2(path, db, SQLITE_OPEN_READONLY, NULL) == SQLITE_OK &&
	    sqlite3_busy_timeout(*db, wait_ms) == SQLITE_OK)
		return PH_OK;
	return ph_error_set(fail, PH_BROKEN, "%s: %s", path, sqlite3_errmsg(*db));
}

static enum ph_error
prepare(sqlite3 *db, const char *sql, sqlite3_stmt **st, struct ph_fail *fail)
{
	if (sqlite3_prepare_v2(db, sql, -1, st, NULL) == SQLITE_OK)
		return PH_OK;
	return ph_error_set(fail, PH_BROKEN, "store: %s", sqlite3_errmsg(db));
}

enum ph_error
ph_glance_queue(const char *state_dir, enum ph_error (*show)(void *arg,
    const struct ph_glance_item *item, struct ph_fail *fail), void *arg, struct ph_fail *fail)
{
	sqlite3		*db;
	sqlite3_stmt	*st = NULL;
	enum ph_error	 err;

	if ((err = open_store(state_dir, QUEUE_WAIT_MS, &db, fail)) == PH_OK &&
	    (err = prepare(db, queue, &st, fail)) == PH_OK)
		err = show_all(st, show, arg, fail);
	(void)sqlite3_finalize(st);
	(void)sqlite3_close(db);
	return err;
}

enum ph_error
ph_glance_person(const char *state_dir, const char *page, const char *person,
    struct ph_glance_person *out, struct ph_fail *fail)
{
	sqlite3		*db;
	sqlite3_stmt	*st = NULL;
	enum ph_error	 err;
	int		 rc;

	*out = (struct ph_glance_person){ .known = false };
	if ((err = open_store(state_dir, QUEUE_WAIT_MS, &db, fail)) == PH_OK &&
	    (err = prepare(db, one_person, &st, fail)) == PH_OK) {
		(void)sqlite3_bind_text(st, 1, person, -1, SQLITE_STATIC);
		(void)sqlite3_bind_text(st, 2, page, -1, SQLITE_STATIC);
		if ((rc = sqlite3_step(st)) != SQLITE_ROW)
			err = ph_error_set(fail, PH_BROKEN, "store: %s", sqlite3_errstr(rc));
		out->n_events = sqlite3_column_int64(st, 0);
		out->n_replies = sqlite3_column_int64(st, 1);
		out->known = out->n_events > 0 || sqlite3_column_int64(st, 2) > 0;
	}
	(void)sqlite3_finalize(st);
	(void)sqlite3_close(db);
	return err;
}

/* Counts. */

/* The first row's columns, so many as out has room for; the rest of out stays as it is. */
static enum ph_error
ask(sqlite3 *db, const char *sql, int64_t *out, int n, struct ph_fail *fail)
{
	sqlite3_stmt	*st = NULL;
	enum ph_error	 err = prepare(db, sql, &st, fail);
	int		 i, rc;

	if (err == PH_OK && (rc = sqlite3_step(st)) == SQLITE_ROW)
		for (i = 0; i < n; i++)
			out[i] = sqlite3_column_int64(st, i);
	else if (err == PH_OK && rc != SQLITE_DONE)
		err = ph_error_set(fail, PH_BROKEN, "store: %s", sqlite3_errmsg(db));
	(void)sqlite3_finalize(st);
	return err;
}

static enum ph_error
count_all(sqlite3 *db, struct ph_glance_counts *out, struct ph_fail *fail)
{
	/* Each reads so many entries of a partial index at most, which it names to the letter. */
	static const struct { size_t at; const char *sql; } counts[] = {
#define COUNT(member, from)	{ offsetof(struct ph_glance_counts, member), \
	"SELECT count(*) FROM (SELECT 1 FROM " from " LIMIT " MOST_AND_ONE ")" }
		COUNT(ready, "reply WHERE state IN ('ready','sending','unsure')"),
		COUNT(sending, "reply WHERE state IN ('sending','unsure') AND state='sending'"),
		COUNT(unsure, "reply WHERE state IN ('sending','unsure') AND state='unsure'"),
		COUNT(held, "reply WHERE state IN ('dead','held') AND state='held'"),
		COUNT(dead, "reply WHERE state IN ('dead','held') AND state='dead'"),
		COUNT(events_open, "event WHERE state IN ('kept','asked')"),
		COUNT(events_dead, "event WHERE state='dead'"),
		COUNT(unreadable, "event WHERE state='dead' AND kind='unreadable'"),
#undef COUNT
	};
	size_t	 i;

	for (i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		int64_t	*n = (int64_t *)(void *)((char *)out + counts[i].at);

		if (ask(db, counts[i].sql, n, 1, fail) != PH_OK)
			return fail->err;
		out->more |= *n > PH_GLANCE_MOST;
		if (*n > PH_GLANCE_MOST)
			*n = PH_GLANCE_MOST;
	}
	out->ready -= out->sending + out->unsure;
	if (out->ready < 0)
		out->ready = 0;
	return ask(db, "SELECT coalesce(e.came, r.due) FROM reply r LEFT JOIN event e ON e.id=r.event"
	    " WHERE r.id=(SELECT min(id) FROM (SELECT id FROM reply WHERE state IN"
	    " ('ready','sending','unsure') LIMIT " MOST_AND_ONE "))", &out->oldest, 1, fail);
}

static enum ph_error
list_pages(sqlite3 *db, struct ph_glance_counts *out, struct ph_fail *fail)
{
	sqlite3_stmt		*st = NULL;
	struct ph_glance_page	*p;
	enum ph_error		 err = prepare(db, "SELECT id, coalesce(why, ''), coalesce(paused_until, 0)"
				    " FROM page ORDER BY id", &st, fail);

	for (; err == PH_OK && sqlite3_step(st) == SQLITE_ROW; out->n_pages++)
		if (out->n_pages < PH_GLANCE_PAGES) {
			p = &out->pages[out->n_pages];
			snprintf(p->id, sizeof(p->id), "%s", text_of(st, 0));
			snprintf(p->why, sizeof(p->why), "%s", text_of(st, 1));
			p->until = sqlite3_column_int64(st, 2);
		}
	(void)sqlite3_finalize(st);
	return err;
}

enum ph_error
ph_glance_count(const char *state_dir, struct ph_glance_counts *out, struct ph_fail *fail)
{
	sqlite3		*db;
	struct ph_fail	 mine = PH_FAIL_INIT;
	enum ph_error	 err;

	*out = (struct ph_glance_counts){ .ready = 0 };
	if ((err = open_store(state_dir, COUNT_WAIT_MS, &db, &mine)) == PH_OK &&
	    (err = count_all(db, out, &mine)) == PH_OK)
		err = list_pages(db, out, &mine);
	(void)sqlite3_close(db);
	return err == PH_OK || err == PH_NONE ? err : ph_error_set(fail, err, "%s", mine.text);
}
