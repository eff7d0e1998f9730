/*
 * store_sqlite_forget -- a person leaves the store, some rows at a time.
 * Knows sqlite, store.  Does not know who asks for it.
 * Called by ledger through ph_store_sqlite.
 * Lives within the ledger's transaction; how far it came is the caller's.
 * SPDX-License-Identifier: ISC
 */
#include "store_sqlite.h"

#define ROWS_AT_ONCE	500

/* The person's conversation on this page; begun: it is being forgotten. */
static enum ph_error
find_on_page(struct ph_sqlite *sq, struct ph_slice page, struct ph_slice person, int64_t *conv,
    bool *begun, struct ph_fail *fail)
{
	sqlite3_stmt	*st = ph_sqlite_start(sq, FIND_PERSON, WITH(TEXT(page), TEXT(person)));
	enum ph_error	 err = ph_sqlite_next(sq, FIND_PERSON, fail);

	if (err == PH_OK) {
		*conv = sqlite3_column_int64(st, 0);
		*begun = sqlite3_column_int(st, 1) != 0;
	}
	ph_sqlite_end(sq, FIND_PERSON);
	return err;
}

/* To the page behind this one. */
static enum ph_error
next_page(struct ph_sqlite *sq, struct ph_buffer *page, struct ph_fail *fail)
{
	struct ph_buffer	 next = PH_BUFFER_INIT;
	sqlite3_stmt		*st = ph_sqlite_start(sq, NEXT_PAGE, WITH(TEXT(PH_SLICE(page))));
	enum ph_error		 err = ph_sqlite_next(sq, NEXT_PAGE, fail);

	if (err == PH_OK)
		ph_sqlite_column(st, 0, &next);
	ph_sqlite_end(sq, NEXT_PAGE);
	ph_buffer_clear(page);
	*page = next;
	if (err == PH_OK && next.len == 0)
		err = PH_NONE;
	return err == PH_OK ? ph_buffer_check(page, fail) : err;
}

/* The same, on every page if it is absent; *conv 0: there is none. */
static enum ph_error
find(struct ph_sqlite *sq, struct ph_slice page, struct ph_slice person, int64_t *conv, bool *begun,
    struct ph_fail *fail)
{
	struct ph_buffer	 at = PH_BUFFER_INIT;
	enum ph_error		 err;

	*conv = 0;
	if (page.at != NULL)
		err = find_on_page(sq, page, person, conv, begun, fail);
	else
		do
			err = find_on_page(sq, PH_SLICE(&at), person, conv, begun, fail);
		while (err == PH_NONE && (err = next_page(sq, &at, fail)) == PH_OK);
	ph_buffer_clear(&at);
	return err == PH_NONE ? PH_OK : err;
}

/* Nothing of it may be under way: who holds a row in memory would write to what is another's then. */
static enum ph_error
begin(struct ph_sqlite *sq, int64_t conv, struct ph_store_erasure *step, struct ph_fail *fail)
{
	int64_t		 one;
	enum ph_error	 err = ph_sqlite_ask(sq, IN_FLIGHT, WITH(INT(conv)), &one, fail);

	step->in_flight = err == PH_OK;
	if (err != PH_NONE)
		return err;
	if (ph_sqlite_run(sq, CLOSE_EVENTS, WITH(INT(conv)), fail) != PH_OK)
		return fail->err;
	step->n_closed = sqlite3_changes(sq->db);
	if (ph_sqlite_run(sq, CLOSE_REPLIES, WITH(INT(conv)), fail) != PH_OK)
		return fail->err;
	return ph_sqlite_run(sq, PART, WITH(INT(conv)), fail);
}

static enum ph_error
erase(struct ph_sqlite *sq, enum statement which, const struct ph_sqlite_value *with, int64_t *n,
    struct ph_fail *fail)
{
	enum ph_error	 err = ph_sqlite_run(sq, which, with, fail);

	*n += err == PH_OK ? sqlite3_changes(sq->db) : 0;
	return err;
}

/* PH_NONE: no rows are left. */
static enum ph_error
erase_rows(struct ph_sqlite *sq, int64_t conv, struct ph_slice person, struct ph_store_erasure *step,
    struct ph_fail *fail)
{
	int64_t		 from, to;
	enum ph_error	 err = ph_sqlite_ask(sq, NEXT_ROW, WITH(INT(step->after)), &from, fail);

	if (err != PH_OK)
		return err;
	to = from + ROWS_AT_ONCE - 1;
	if (erase(sq, FORGET_NEWEST, WITH(INT(from), INT(to), INT(conv), BLOB(person)), &step->n_events,
	    fail) != PH_OK ||
	    erase(sq, FORGET_EVENTS, WITH(INT(from), INT(to), INT(conv), BLOB(person)), &step->n_events,
	    fail) != PH_OK ||
	    erase(sq, FORGET_REPLIES, WITH(INT(from), INT(to), INT(conv)), &step->n_replies,
	    fail) != PH_OK)
		return fail->err;
	step->after = to;
	return PH_OK;
}

/* The last row is behind us; the log still has what the pages were. */
static enum ph_error
end(struct ph_sqlite *sq, int64_t conv, struct ph_store_erasure *step, struct ph_fail *fail)
{
	if (ph_sqlite_run(sq, FORGET_CONV, WITH(INT(conv)), fail) != PH_OK)
		return fail->err;
	step->after = -1;
	sq->empty_wal = true;
	return ph_sqlite_drop_copies(sq, &step->n_copies, fail);
}

enum ph_error
ph_store_sqlite_forget(struct ph_store *s, struct ph_slice page, struct ph_slice person,
    struct ph_store_erasure *step, struct ph_fail *fail)
{
	int64_t		 conv;
	bool		 begun = false;
	enum ph_error	 err;

	*step = (struct ph_store_erasure){ .after = step->after };
	if (find(&s->sq, page, person, &conv, &begun, fail) != PH_OK)
		return fail->err;
	if (step->after == -1 && conv == 0) {
		step->more = s->sq.empty_wal;
		return PH_OK;
	}
	if (conv != 0 && !begun) {
		step->after = 0;
		if (begin(&s->sq, conv, step, fail) != PH_OK || step->in_flight)
			return fail->err;
	}
	step->more = true;
	err = erase_rows(&s->sq, conv, person, step, fail);
	return err == PH_NONE ? end(&s->sq, conv, step, fail) : err;
}
