/*
 * glance_count -- how much there is in the store, at a cost that does not grow with it.
 * Knows glance, the store's tables.  Does not know what is done about it.
 * Called by survey, which the helper asks, too, and by the verb forget.
 * Lives for one look: one short transaction.
 * SPDX-License-Identifier: ISC
 */
#include <stddef.h>
#include <stdio.h>

#include "glance_count.h"
#include "sqlite.h"

#define COUNT_WAIT_MS	200		/* the helper waits, too */
#define MOST_AND_ONE	"100001"	/* one more than PH_GLANCE_MOST tells that there are more */
#define REPLY_OPEN	"(state='ready' OR state='sending' OR state='unsure')"

/* The first row's columns, so many as out has room for; the rest of out stays as it is. */
static enum ph_error
ask(struct ph_glance *g, const char *sql, int64_t *out, int n, struct ph_fail *fail)
{
	sqlite3_stmt	*st = NULL;
	enum ph_error	 err = ph_glance_prepare(g, sql, &st, fail);
	int		 i, rc;

	if (err == PH_OK && (rc = sqlite3_step(st)) == SQLITE_ROW)
		for (i = 0; i < n; i++)
			out[i] = sqlite3_column_int64(st, i);
	else if (err == PH_OK && rc != SQLITE_DONE)
		err = ph_error_set(fail, PH_BROKEN, "store: %s", sqlite3_errstr(rc));
	(void)sqlite3_finalize(st);
	return err;
}

static enum ph_error
count_all(struct ph_glance *g, struct ph_glance_counts *out, struct ph_fail *fail)
{
	/* Each reads so many entries of a partial index at most, which it names to the letter. */
	static const struct { size_t at; const char *sql; } counts[] = {
#define COUNT(member, from)	{ offsetof(struct ph_glance_counts, member), \
	"SELECT count(*) FROM (SELECT 1 FROM " from " LIMIT " MOST_AND_ONE ")" }
		COUNT(ready, "reply WHERE " REPLY_OPEN),
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

		if (ask(g, counts[i].sql, n, 1, fail) != PH_OK)
			return fail->err;
		out->more |= *n > PH_GLANCE_MOST;
		if (*n > PH_GLANCE_MOST)
			*n = PH_GLANCE_MOST;
	}
	out->ready -= out->sending + out->unsure;
	if (out->ready < 0)
		out->ready = 0;
	return ask(g, "SELECT coalesce(e.came, r.due) FROM reply r LEFT JOIN event e ON e.id=r.event"
	    " WHERE r.id=(SELECT min(id) FROM (SELECT id FROM reply WHERE " REPLY_OPEN
	    " LIMIT " MOST_AND_ONE "))", &out->oldest, 1, fail);
}

static enum ph_error
list_pages(struct ph_glance *g, struct ph_glance_counts *out, struct ph_fail *fail)
{
	sqlite3_stmt		*st = NULL;
	struct ph_glance_page	*p;
	enum ph_error		 err = ph_glance_prepare(g, "SELECT id, coalesce(why, ''), coalesce(paused_until, 0)"
				    " FROM page ORDER BY id", &st, fail);

	for (; err == PH_OK && sqlite3_step(st) == SQLITE_ROW; out->n_pages++)
		if (out->n_pages < PH_GLANCE_PAGES) {
			p = &out->pages[out->n_pages];
			snprintf(p->id, sizeof(p->id), "%s", (const char *)sqlite3_column_text(st, 0));
			snprintf(p->why, sizeof(p->why), "%s", (const char *)sqlite3_column_text(st, 1));
			p->until = sqlite3_column_int64(st, 2);
		}
	(void)sqlite3_finalize(st);
	return err;
}

enum ph_error
ph_glance_count(const char *state_dir, struct ph_glance_counts *out, struct ph_fail *fail)
{
	struct ph_glance	*g;
	struct ph_fail		 mine = PH_FAIL_INIT;
	enum ph_error		 err;

	*out = (struct ph_glance_counts){ .ready = 0 };
	if ((err = ph_glance_open(state_dir, COUNT_WAIT_MS, &g, &mine)) == PH_OK &&
	    (err = count_all(g, out, &mine)) == PH_OK)
		err = list_pages(g, out, &mine);
	ph_glance_close(g);
	return err == PH_OK || err == PH_NONE ? err : ph_error_set(fail, err, "%s", mine.text);
}

/* One whose erasure was cut short counts, too. */
static const char	 one_person[] =
    "WITH theirs AS (SELECT id FROM conv WHERE person IN (?1, 'forgotten ' || ?1)"
    "  AND page=coalesce(?2, page))"
    "SELECT (SELECT count(*) FROM event WHERE conv IN theirs"
    "  OR (conv IS NULL AND " PH_SQLITE_NAMES("body", "CAST(?1 AS BLOB)") ")),"
    " (SELECT count(*) FROM reply WHERE conv IN theirs), (SELECT count(*) FROM theirs)";

enum ph_error
ph_glance_person(const char *state_dir, const char *page, const char *person,
    struct ph_glance_person *out, struct ph_fail *fail)
{
	struct ph_glance	*g;
	sqlite3_stmt		*st = NULL;
	enum ph_error		 err;
	int			 rc;

	*out = (struct ph_glance_person){ .known = false };
	if ((err = ph_glance_open(state_dir, PH_GLANCE_WAIT_MS, &g, fail)) == PH_OK &&
	    (err = ph_glance_prepare(g, one_person, &st, fail)) == PH_OK) {
		(void)sqlite3_bind_text(st, 1, person, -1, SQLITE_STATIC);
		(void)sqlite3_bind_text(st, 2, page, -1, SQLITE_STATIC);
		if ((rc = sqlite3_step(st)) != SQLITE_ROW)
			err = ph_error_set(fail, PH_BROKEN, "store: %s", sqlite3_errstr(rc));
		out->n_events = sqlite3_column_int64(st, 0);
		out->n_replies = sqlite3_column_int64(st, 1);
		out->known = out->n_events > 0 || sqlite3_column_int64(st, 2) > 0;
	}
	(void)sqlite3_finalize(st);
	ph_glance_close(g);
	return err;
}
