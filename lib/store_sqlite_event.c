/*
 * store_sqlite_event -- events and conversations, in SQLite.
 * Knows sqlite, store.  Does not know Messenger, or which state follows which.
 * Called by ledger through ph_store_sqlite.
 * Lives within the ledger's transaction.
 * SPDX-License-Identifier: ISC
 */
#include <string.h>

#include "store_sqlite.h"

static enum ph_error
find_conv(struct ph_sqlite *sq, struct ph_slice page, struct ph_slice person,
    struct ph_store_conv *out, struct ph_fail *fail)
{
	sqlite3_stmt	*st = ph_sqlite_start(sq, FIND_CONV, WITH(TEXT(page), TEXT(person)));
	enum ph_error	 err = ph_sqlite_next(sq, FIND_CONV, fail);

	if (err == PH_OK)
		*out = (struct ph_store_conv){ sqlite3_column_int64(st, 0), sqlite3_column_int64(st, 1),
		    sqlite3_column_int64(st, 2), sqlite3_column_int64(st, 3),
		    sqlite3_column_int64(st, 4) != 0 };
	if (err == PH_OK && sqlite3_column_type(st, 1) == SQLITE_NULL)
		out->first = -1;		/* nobody has had a turn yet */
	ph_sqlite_end(sq, FIND_CONV);
	return err;
}

static enum ph_error
add_conv(struct ph_sqlite *sq, struct ph_slice page, struct ph_slice person,
    struct ph_store_conv *conv, struct ph_fail *fail)
{
	if (ph_sqlite_run(sq, ADD_CONV, WITH(TEXT(page), TEXT(person), INT_OR_NULL(conv->turn_at)),
	    fail) != PH_OK)
		return fail->err;
	conv->id = sqlite3_last_insert_rowid(sq->db);
	return PH_OK;
}

/* Finds or makes the conversation of an event; a turn's time is noted in passing. */
static enum ph_error
take_conv(struct ph_sqlite *sq, const struct ph_store_event *ev, struct ph_store_conv *conv,
    struct ph_fail *fail)
{
	enum ph_error	 err = find_conv(sq, ev->page, ev->person, conv, fail);

	if (err == PH_NONE) {
		*conv = (struct ph_store_conv){ .first = -1, .turn_at = ev->turn ? ev->at : 0 };
		return add_conv(sq, ev->page, ev->person, conv, fail);
	}
	if (err != PH_OK || !ev->turn || ev->at <= conv->turn_at)
		return err;
	conv->turn_at = ev->at;
	return ph_sqlite_run(sq, TURN_CONV, WITH(INT(conv->id), INT(ev->at)), fail);
}

/* The person's first turn is remembered by its event. */
static enum ph_error
meet(struct ph_sqlite *sq, const struct ph_store_event *ev, int64_t id, struct ph_store_conv *conv,
    struct ph_fail *fail)
{
	if (conv->first != -1)
		return PH_OK;
	conv->first = ev->turn && conv->id != 0 ? id : 0;
	if (conv->first == 0)
		return PH_OK;
	return ph_sqlite_run(sq, MEET, WITH(INT(conv->id), INT(id)), fail);
}

enum ph_error
ph_store_sqlite_keep(struct ph_store *s, const struct ph_store_event *ev, int64_t *id,
    struct ph_store_conv *conv, struct ph_fail *fail)
{
	enum ph_error	 err;

	*conv = (struct ph_store_conv){ .id = 0 };
	err = ph_store_sqlite_see(s, ev->key, fail);
	if (err == PH_OK && ev->person.at != NULL)
		err = take_conv(&s->sq, ev, conv, fail);
	if (err == PH_OK)
		err = ph_sqlite_run(&s->sq, ADD_EVENT, WITH(INT_OR_NULL(conv->id), WORD(ev->object),
		    TEXT(ev->page), WORD(ev->kind), TEXT(ev->mid), INT(ev->at), INT(ev->came),
		    WORD(ev->state), WORD(ev->why), BLOB(ev->body)), fail);
	if (err != PH_OK)
		return err;
	*id = sqlite3_last_insert_rowid(s->sq.db);
	return meet(&s->sq, ev, *id, conv, fail);
}

enum ph_error
ph_store_sqlite_find(struct ph_store *s, struct ph_slice page, struct ph_slice person, bool make,
    struct ph_store_conv *out, struct ph_fail *fail)
{
	enum ph_error	 err = find_conv(&s->sq, page, person, out, fail);

	if (err == PH_OK && out->first == -1)
		out->first = 0;
	if (err != PH_NONE || !make)
		return err;
	*out = (struct ph_store_conv){ .id = 0 };
	return add_conv(&s->sq, page, person, out, fail);
}

enum ph_error
ph_store_sqlite_silence(struct ph_store *s, int64_t conv, int64_t until, struct ph_fail *fail)
{
	return ph_sqlite_run(&s->sq, SILENCE, WITH(INT(conv), INT_OR_NULL(until)), fail);
}

enum ph_error
ph_store_sqlite_silent_until(struct ph_store *s, int64_t conv, int64_t *until, struct ph_fail *fail)
{
	enum ph_error	 err = ph_sqlite_ask(&s->sq, SILENT, WITH(INT(conv)), until, fail);

	if (err == PH_NONE)
		*until = 0;
	return err == PH_NONE ? PH_OK : err;
}

enum ph_error
ph_store_sqlite_person(struct ph_store *s, int64_t conv, struct ph_store_person *out,
    struct ph_fail *fail)
{
	sqlite3_stmt	*st = ph_sqlite_start(&s->sq, PERSON, WITH(INT(conv)));
	enum ph_error	 err = ph_sqlite_next(&s->sq, PERSON, fail);

	if (err == PH_OK) {
		out->asked_at = sqlite3_column_int64(st, 0);
		ph_sqlite_column(st, 1, &out->first_name);
		ph_sqlite_column(st, 2, &out->last_name);
	}
	ph_sqlite_end(&s->sq, PERSON);
	return err == PH_NONE ? PH_OK : err;
}

enum ph_error
ph_store_sqlite_set_person(struct ph_store *s, int64_t conv, struct ph_slice first_name,
    struct ph_slice last_name, int64_t asked_at, struct ph_fail *fail)
{
	return ph_sqlite_run(&s->sq, SET_PERSON, WITH(INT(conv), TEXT(first_name), TEXT(last_name),
	    INT(asked_at)), fail);
}

enum ph_error
ph_store_sqlite_put_off(struct ph_store *s, int64_t event, int64_t conv, int64_t now,
    struct ph_fail *fail)
{
	if (ph_sqlite_run(&s->sq, PUT_OFF, WITH(INT(event)), fail) != PH_OK)
		return fail->err;
	return ph_sqlite_run(&s->sq, WAKE_EVENT, WITH(INT(conv), INT(now)), fail);
}

enum ph_error
ph_store_sqlite_is_open(struct ph_store *s, int64_t conv, bool *open, struct ph_fail *fail)
{
	int64_t		 one;
	enum ph_error	 err = ph_sqlite_ask(&s->sq, IS_OPEN, WITH(INT(conv)), &one, fail);

	*open = err == PH_OK;
	return err == PH_NONE ? PH_OK : err;
}

static enum ph_error
read_open(sqlite3_stmt *st, struct ph_store_open *e, struct ph_fail *fail)
{
	*e = (struct ph_store_open){ .id = sqlite3_column_int64(st, 0),
	    .at = sqlite3_column_int64(st, 2), .due = sqlite3_column_int64(st, 3),
	    .tries = sqlite3_column_int64(st, 4), .conv = { sqlite3_column_int64(st, 1),
	    sqlite3_column_int64(st, 5), sqlite3_column_int64(st, 6), sqlite3_column_int64(st, 7), false } };
	ph_sqlite_column(st, 8, &e->page);
	ph_sqlite_column(st, 9, &e->person);
	ph_sqlite_column(st, 10, &e->body);
	e->failed = sqlite3_column_int(st, 11) != 0;
	if (ph_buffer_check(&e->page, fail) != PH_OK || ph_buffer_check(&e->person, fail) != PH_OK)
		return PH_NOMEM;
	return ph_buffer_check(&e->body, fail);
}

enum ph_error
ph_store_sqlite_due(struct ph_store *s, int64_t now, int64_t after_due, int64_t after_id,
    struct ph_store_open *out, size_t max, size_t *n, struct ph_fail *fail)
{
	sqlite3_stmt	*st = ph_sqlite_start(&s->sq, DUE_EVENTS, WITH(INT(now), INT(after_due),
			    INT(after_id), INT((int64_t)max)));
	enum ph_error	 err = PH_OK;

	for (*n = 0; *n < max && err == PH_OK; )
		if ((err = ph_sqlite_next(&s->sq, DUE_EVENTS, fail)) == PH_OK)
			err = read_open(st, &out[(*n)++], fail);
	ph_sqlite_end(&s->sq, DUE_EVENTS);
	return err == PH_NONE ? PH_OK : err;
}

enum ph_error
ph_store_sqlite_step(struct ph_store *s, const struct ph_store_step *step, struct ph_fail *fail)
{
	const bool	 closed = strcmp(step->state, "done") == 0 || strcmp(step->state, "dead") == 0;
	enum ph_error	 err;

	err = ph_sqlite_change(&s->sq, STEP_EVENT, WITH(INT(step->id), WORD(step->state),
	    INT_OR_NULL(step->due), INT(step->tries), WORD(step->why), INT_OR_NULL(step->failed)), fail);
	if (err != PH_OK || !closed)
		return err;
	return ph_sqlite_run(&s->sq, WAKE_EVENT, WITH(INT(step->conv), INT(step->now)), fail);
}

/* Whichever is the first open one of its conversation then is due. */
enum ph_error
ph_store_sqlite_steer_event(struct ph_store *s, const struct ph_store_steer *steer, int *opened,
    struct ph_fail *fail)
{
	const bool	 retry = steer->order == PH_STORE_RETRY;
	int64_t		 conv, id;
	enum ph_error	 err;

	*opened = 0;
	if (!retry && steer->order != PH_STORE_DROP)
		return PH_NONE;
	err = ph_sqlite_ask(&s->sq, retry ? RETRY_EVENT : DROP_EVENT, WITH(INT(steer->id)), &conv, fail);
	if (err == PH_NONE && !retry)
		return ph_sqlite_ask(&s->sq, REMOVE_EVENT, WITH(INT(steer->id)), &id, fail);
	if (err != PH_OK)
		return err;
	*opened = retry ? 1 : -1;
	return ph_sqlite_run(&s->sq, WAKE_EVENT, WITH(INT(conv), INT(steer->now)), fail);
}

enum ph_error
ph_store_sqlite_reopen(struct ph_store *s, int64_t now, int64_t *n_open, struct ph_fail *fail)
{
	if (ph_sqlite_run(&s->sq, REOPEN, WITH(INT(now)), fail) != PH_OK)
		return fail->err;
	return ph_sqlite_ask(&s->sq, COUNT_OPEN, WITH_NOTHING, n_open, fail);
}

enum ph_error
ph_store_sqlite_next_open(struct ph_store *s, int64_t after, int64_t *due, struct ph_fail *fail)
{
	enum ph_error	 err = ph_sqlite_ask(&s->sq, NEXT_OPEN, WITH(INT(after)), due, fail);

	if (err == PH_NONE)
		*due = 0;
	return err == PH_NONE ? PH_OK : err;
}
