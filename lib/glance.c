/*
 * glance -- a look into the store from outside the helper, which writes it: read only.
 * Knows sqlite's file.  Does not know what is done about what it shows.
 * Called by the operator's verbs.
 * Lives for one command; each look is one short transaction, so that the helper's log can be cut.
 * SPDX-License-Identifier: ISC
 */
#include <stdio.h>
#include <unistd.h>

#include "glance.h"
#include "sqlite.h"

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
look(const char *state_dir, const char *sql, sqlite3 **db, sqlite3_stmt **st, struct ph_fail *fail)
{
	char	 path[4096];

	*db = NULL;
	*st = NULL;
	snprintf(path, sizeof(path), "%s/queue.db", state_dir);
	if (access(path, F_OK) == -1)
		return PH_NONE;
	if (sqlite3_open_v2(path, db, SQLITE_OPEN_READONLY, NULL) != SQLITE_OK ||
	    sqlite3_busy_timeout(*db, 1000) != SQLITE_OK ||
	    sqlite3_prepare_v2(*db, sql, -1, st, NULL) != SQLITE_OK)
		return ph_error_set(fail, PH_BROKEN, "%s: %s", path, sqlite3_errmsg(*db));
	return PH_OK;
}

enum ph_error
ph_glance_queue(const char *state_dir, enum ph_error (*show)(void *arg,
    const struct ph_glance_item *item, struct ph_fail *fail), void *arg, struct ph_fail *fail)
{
	sqlite3		*db;
	sqlite3_stmt	*st;
	enum ph_error	 err = look(state_dir, queue, &db, &st, fail);

	if (err == PH_OK)
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
	sqlite3_stmt	*st;
	enum ph_error	 err = look(state_dir, one_person, &db, &st, fail);
	int		 rc;

	*out = (struct ph_glance_person){ .known = false };
	if (err == PH_OK) {
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
