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

enum ph_error
ph_glance_queue(const char *state_dir, enum ph_error (*show)(void *arg,
    const struct ph_glance_item *item, struct ph_fail *fail), void *arg, struct ph_fail *fail)
{
	sqlite3		*db = NULL;
	sqlite3_stmt	*st = NULL;
	char		 path[4096];
	enum ph_error	 err;

	snprintf(path, sizeof(path), "%s/queue.db", state_dir);
	if (access(path, F_OK) == -1)
		return PH_NONE;
	/* A reader's close leaves the log alone; it must not make files, nor wait for long. */
	if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL) != SQLITE_OK ||
	    sqlite3_busy_timeout(db, 1000) != SQLITE_OK ||
	    sqlite3_prepare_v2(db, queue, -1, &st, NULL) != SQLITE_OK)
		err = ph_error_set(fail, PH_BROKEN, "%s: %s", path, sqlite3_errmsg(db));
	else
		err = show_all(st, show, arg, fail);
	(void)sqlite3_finalize(st);
	(void)sqlite3_close(db);
	return err;
}
