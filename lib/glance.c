/*
 * glance -- a look into the store beside the one connection that writes it: read only.
 * Knows sqlite's file.  Does not know what is done about what it shows.
 * Called by the operator's verbs, and by glance_count.
 * Lives for one look: one short transaction, so that the store's log can be cut.
 * SPDX-License-Identifier: ISC
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "glance.h"
#include "sqlite.h"

#define AT_ONCE		500		/* rows of one look */
#define N_TEXTS		7		/* text columns of a row, at most */

/* What an item is, and what else there is to a row, of replies and of events. */
#define REPLY_ITEM \
    "r.id, coalesce(r.event, 0), r.attempt, coalesce(r.code, 0), coalesce(e.came, r.due)," \
    " CASE WHEN r.state IN ('ready','unsure') THEN r.due ELSE 0 END, r.state, c.page, c.person," \
    " coalesce(r.why, '')"
#define EVENT_ITEM \
    "e.id, 0, e.tries, 0, e.came, coalesce(e.due, 0), e.state, e.page, coalesce(c.person, '')," \
    " coalesce(e.why, '')"
#define OF_REPLY	" JOIN conv c ON c.id=r.conv LEFT JOIN event e ON e.id=r.event"
#define OF_EVENT	" LEFT JOIN conv c ON c.id=e.conv"

/* Named, the index is used or the statement is none: the store never is walked as a whole. */
static const char *const	 walks[] = {
	"SELECT " REPLY_ITEM " FROM reply r INDEXED BY reply_unfinished" OF_REPLY
	    " WHERE r.state<>'sent' AND r.id>?1 ORDER BY r.id LIMIT ?2",
	"SELECT " EVENT_ITEM " FROM event e INDEXED BY event_unfinished" OF_EVENT
	    " WHERE e.state<>'done' AND e.id>?1 ORDER BY e.id LIMIT ?2",
};
static const char *const	 finds[] = {
	"SELECT " REPLY_ITEM ", coalesce(r.trace, ''), coalesce(r.mid, ''), coalesce(e.kind, ''),"
	    " coalesce(r.left_at, 0), coalesce(r.subcode, 0), r.body FROM reply r" OF_REPLY
	    " WHERE r.id=?1",
	"SELECT " EVENT_ITEM ", '', '', e.kind, 0, 0, e.body FROM event e" OF_EVENT " WHERE e.id=?1",
};
static const char		 letters[] = { 'r', 'e' };

struct ph_glance {
	sqlite3			*db;
	char			 path[4096];

	/* Of the last look. */
	struct ph_glance_item	 items[AT_ONCE];
	size_t			 texts[AT_ONCE][4];	/* where in text those of an item begin */
	struct ph_buffer	 text;
};

static enum ph_error
broken(const struct ph_glance *g, struct ph_fail *fail)
{
	return ph_error_set(fail, PH_BROKEN, "%s: %s", g->path, sqlite3_errmsg(g->db));
}

enum ph_error
ph_glance_open(const char *state_dir, int wait_ms, struct ph_glance **out, struct ph_fail *fail)
{
	struct ph_glance	*g = calloc(1, sizeof(*g));

	*out = NULL;
	if (g == NULL)
		return ph_error_set(fail, PH_NOMEM, "out of memory");
	snprintf(g->path, sizeof(g->path), "%s/queue.db", state_dir);
	if (access(g->path, F_OK) == -1) {
		free(g);
		return PH_NONE;
	}
	/* A reader's close leaves the log alone; it must not make files, nor wait for long. */
	if (sqlite3_open_v2(g->path, &g->db, SQLITE_OPEN_READONLY, NULL) != SQLITE_OK ||
	    sqlite3_busy_timeout(g->db, wait_ms) != SQLITE_OK) {
		(void)broken(g, fail);
		ph_glance_close(g);
		return PH_BROKEN;
	}
	*out = g;
	return PH_OK;
}

void
ph_glance_close(struct ph_glance *g)
{
	if (g == NULL)
		return;
	(void)sqlite3_close(g->db);
	ph_buffer_clear(&g->text);
	free(g);
}

enum ph_error
ph_glance_prepare(struct ph_glance *g, const char *query, sqlite3_stmt **st, struct ph_fail *fail)
{
	if (sqlite3_prepare_v2(g->db, query, -1, st, NULL) == SQLITE_OK)
		return PH_OK;
	if (sqlite3_errcode(g->db) != SQLITE_ERROR)
		return broken(g, fail);
	return ph_error_set(fail, PH_CONFIG, "%s: %s: of another version of pagehook; the helper brings "
	    "it up to date when it starts", g->path, sqlite3_errmsg(g->db));
}

static void
read_numbers(sqlite3_stmt *st, char letter, struct ph_glance_item *out)
{
	*out = (struct ph_glance_item){ .letter = letter, .id = sqlite3_column_int64(st, 0),
	    .event = sqlite3_column_int64(st, 1), .tries = sqlite3_column_int64(st, 2),
	    .code = sqlite3_column_int64(st, 3), .since = sqlite3_column_int64(st, 4),
	    .due = sqlite3_column_int64(st, 5) };
}

/* Appends n text columns, each with its NUL; where they begin. */
static void
keep_texts(sqlite3_stmt *st, size_t n, struct ph_buffer *out, size_t *begin)
{
	size_t	 i;

	for (i = 0; i < n; i++) {
		const char	*text = (const char *)sqlite3_column_text(st, 6 + (int)i);

		begin[i] = out->len;
		ph_buffer_add(out, text != NULL ? text : "", text != NULL ? strlen(text) + 1 : 1);
	}
}

static void
point(struct ph_glance_item *it, const char *text, const size_t *begin)
{
	it->state = text + begin[0];
	it->page = text + begin[1];
	it->person = text + begin[2];
	it->why = text + begin[3];
}

/* One look: what is behind an id, copied, so that nobody waits for who is shown it. */
static enum ph_error
look(struct ph_glance *g, sqlite3_stmt *st, char letter, int64_t behind, size_t *n,
    struct ph_fail *fail)
{
	int	 rc = SQLITE_DONE;
	size_t	 i;

	ph_buffer_reset(&g->text);
	(void)sqlite3_bind_int64(st, 1, behind);
	(void)sqlite3_bind_int(st, 2, AT_ONCE);
	for (*n = 0; *n < AT_ONCE && (rc = sqlite3_step(st)) == SQLITE_ROW; (*n)++) {
		read_numbers(st, letter, &g->items[*n]);
		keep_texts(st, 4, &g->text, g->texts[*n]);
	}
	(void)sqlite3_reset(st);
	if (rc != SQLITE_DONE && rc != SQLITE_ROW)
		return broken(g, fail);
	if (ph_buffer_check(&g->text, fail) != PH_OK)
		return PH_NOMEM;
	for (i = 0; i < *n; i++)
		point(&g->items[i], g->text.data, g->texts[i]);
	return PH_OK;
}

static enum ph_error
walk(struct ph_glance *g, sqlite3_stmt *st, char letter, enum ph_error (*show)(void *,
    const struct ph_glance_item *, struct ph_fail *), void *arg, struct ph_fail *fail)
{
	enum ph_error	 err;
	int64_t		 behind = 0;
	size_t		 i, n;

	do {
		err = look(g, st, letter, behind, &n, fail);
		for (i = 0; i < n && err == PH_OK; i++) {
			err = show(arg, &g->items[i], fail);
			behind = g->items[i].id;
		}
	} while (err == PH_OK && n == AT_ONCE);
	return err;
}

enum ph_error
ph_glance_queue(struct ph_glance *g, enum ph_error (*show)(void *arg,
    const struct ph_glance_item *item, struct ph_fail *fail), void *arg, struct ph_fail *fail)
{
	sqlite3_stmt	*st;
	enum ph_error	 err = PH_OK;
	size_t		 i;

	for (i = 0; i < sizeof(letters) && err == PH_OK; i++) {
		st = NULL;
		if ((err = ph_glance_prepare(g, walks[i], &st, fail)) == PH_OK)
			err = walk(g, st, letters[i], show, arg, fail);
		(void)sqlite3_finalize(st);
	}
	return err;
}

static enum ph_error
read_row(sqlite3_stmt *st, char letter, struct ph_glance_row *out, struct ph_fail *fail)
{
	size_t	 begin[N_TEXTS], body;

	read_numbers(st, letter, &out->item);
	out->left_at = sqlite3_column_int64(st, 13);
	out->subcode = sqlite3_column_int64(st, 14);
	keep_texts(st, N_TEXTS, &out->text, begin);
	body = out->text.len;
	ph_sqlite_column(st, 15, &out->text);
	if (ph_buffer_check(&out->text, fail) != PH_OK)
		return PH_NOMEM;
	point(&out->item, out->text.data, begin);
	out->trace = out->text.data + begin[4];
	out->mid = out->text.data + begin[5];
	out->kind = out->text.data + begin[6];
	out->body = (struct ph_slice){ out->text.data + body, out->text.len - body };
	return PH_OK;
}

enum ph_error
ph_glance_find(struct ph_glance *g, char letter, int64_t id, struct ph_glance_row *out,
    struct ph_fail *fail)
{
	sqlite3_stmt	*st = NULL;
	enum ph_error	 err;
	int		 rc;

	*out = (struct ph_glance_row){ .left_at = 0 };
	if ((err = ph_glance_prepare(g, finds[letter == letters[1]], &st, fail)) == PH_OK) {
		(void)sqlite3_bind_int64(st, 1, id);
		rc = sqlite3_step(st);
		err = rc == SQLITE_ROW ? read_row(st, letter, out, fail) :
		    rc == SQLITE_DONE ? PH_NONE : broken(g, fail);
	}
	(void)sqlite3_finalize(st);
	return err;
}

void
ph_glance_row_clear(struct ph_glance_row *row)
{
	ph_buffer_clear(&row->text);
	*row = (struct ph_glance_row){ .left_at = 0 };
}
