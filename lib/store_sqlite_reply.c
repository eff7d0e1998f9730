/*
 * store_sqlite_reply -- replies: owed, claimed, moved on, in SQLite.
 * Knows sqlite, store.  Does not know Messenger, Graph, or which state follows which.
 * Called by ledger through ph_store_sqlite.
 * Lives within the ledger's transaction.
 * SPDX-License-Identifier: ISC
 */
#include <stdio.h>
#include <string.h>

#include "store_sqlite.h"

#define TOKEN_TIME_LEN	6		/* bytes of a token that are the claim's time, in ms */

enum ph_error
ph_store_sqlite_owe(struct ph_store *s, const struct ph_store_owed *owed, int64_t *id,
    int64_t *said, struct ph_fail *fail)
{
	if (ph_sqlite_run(&s->sq, ADD_REPLY, WITH(INT(owed->conv), INT_OR_NULL(owed->event),
	    INT(owed->due), WORD(owed->kind), BLOB(owed->body),
	    INT_OR_NULL(owed->said_at)), fail) != PH_OK)
		return fail->err;
	*id = sqlite3_last_insert_rowid(s->sq.db);
	if (ph_sqlite_run(&s->sq, WAKE_CONV, WITH(INT(owed->conv), INT(owed->due), INT(*id),
	    INT(owed->said_at), INT(owed->window_ms)), fail) != PH_OK)
		return fail->err;
	return ph_sqlite_ask(&s->sq, SAID, WITH(INT(owed->conv)), said, fail);
}

/* The conversation goes on with its next open reply. */
static enum ph_error
go_on(struct ph_store *s, int64_t conv, struct ph_fail *fail)
{
	return ph_sqlite_run(&s->sq, NEXT_CONV, WITH(INT(conv)), fail);
}

enum ph_error
ph_store_sqlite_hold(struct ph_store *s, int64_t id, int64_t conv, const char *why,
    struct ph_fail *fail)
{
	if (ph_sqlite_run(&s->sq, HOLD, WITH(INT(id), WORD(why)), fail) != PH_OK)
		return fail->err;
	return go_on(s, conv, fail);
}

enum ph_error
ph_store_sqlite_drop_rest(struct ph_store *s, const struct ph_store_reply *after, const char *why,
    int64_t *n, struct ph_fail *fail)
{
	if (ph_sqlite_run(&s->sq, DROP_REST, WITH(INT(after->conv), INT(after->event), INT(after->id),
	    WORD(why)), fail) != PH_OK)
		return fail->err;
	*n = sqlite3_changes(s->sq.db);
	return go_on(s, after->conv, fail);
}

enum ph_error
ph_store_sqlite_steer(struct ph_store *s, const struct ph_store_steer *steer, struct ph_fail *fail)
{
	static const enum statement	 statements[] = { [PH_STORE_RETRY] = RETRY,
		[PH_STORE_DROP] = DROP, [PH_STORE_HOLD] = HOLD_ONE, [PH_STORE_RELEASE] = RELEASE };
	int64_t				 conv;
	enum ph_error			 err;

	err = ph_sqlite_ask(&s->sq, statements[steer->order], WITH(INT(steer->id), INT(steer->now),
	    INT(steer->unsure)), &conv, fail);
	if (err == PH_NONE && steer->order == PH_STORE_DROP)
		err = ph_sqlite_ask(&s->sq, REMOVE, WITH(INT(steer->id)), &conv, fail);
	if (err != PH_OK || (err = go_on(s, conv, fail)) != PH_OK)
		return err;
	return ph_sqlite_run(&s->sq, WAIT_CONV, WITH(INT(conv)), fail);
}

enum ph_error
ph_store_sqlite_drop_all(struct ph_store *s, int64_t conv, const char *why, int64_t *n,
    struct ph_fail *fail)
{
	if (ph_sqlite_run(&s->sq, DROP_ALL, WITH(INT(conv), WORD(why)), fail) != PH_OK)
		return fail->err;
	*n = sqlite3_changes(s->sq.db);
	return go_on(s, conv, fail);
}

enum ph_error
ph_store_sqlite_lend(struct ph_store *s, int64_t conv, int64_t until, int64_t now,
    struct ph_fail *fail)
{
	if (ph_sqlite_run(&s->sq, LEND, WITH(INT(conv), INT(until != 0 ? until : now)), fail) != PH_OK ||
	    ph_sqlite_run(&s->sq, LEND_CONV, WITH(INT(conv), INT_OR_NULL(until != 0)), fail) != PH_OK)
		return fail->err;
	return go_on(s, conv, fail);
}

enum ph_error
ph_store_sqlite_unclaim(struct ph_store *s, int64_t id, int64_t conv, int64_t due,
    struct ph_fail *fail)
{
	if (ph_sqlite_run(&s->sq, UNCLAIM, WITH(INT(id), INT(due)), fail) != PH_OK)
		return fail->err;
	return go_on(s, conv, fail);
}

static void
copy_column(sqlite3_stmt *st, int column, char *out, size_t size)
{
	const char	*text = (const char *)sqlite3_column_text(st, column);

	snprintf(out, size, "%s", text != NULL ? text : "");
}

/* The columns state, code, mid, why, nobodys, doubt of the only row. */
static enum ph_error
tell(struct ph_store *s, enum statement which, int64_t id, struct ph_store_told *out,
    struct ph_fail *fail)
{
	sqlite3_stmt	*st = ph_sqlite_start(&s->sq, which, WITH(INT(id)));
	enum ph_error	 err = ph_sqlite_next(&s->sq, which, fail);

	if (err == PH_OK) {
		copy_column(st, 0, out->state, sizeof(out->state));
		out->code = sqlite3_column_int64(st, 1);
		copy_column(st, 2, out->mid, sizeof(out->mid));
		copy_column(st, 3, out->why, sizeof(out->why));
		out->nobodys = sqlite3_column_int(st, 4) != 0;
		out->doubt = sqlite3_column_int(st, 5) != 0;
	}
	ph_sqlite_end(&s->sq, which);
	return err;
}

enum ph_error
ph_store_sqlite_tell(struct ph_store *s, int64_t id, struct ph_store_told *out,
    struct ph_fail *fail)
{
	return tell(s, TELL, id, out, fail);
}

enum ph_error
ph_store_sqlite_tell_event(struct ph_store *s, int64_t id, struct ph_store_told *out,
    struct ph_fail *fail)
{
	return tell(s, TELL_EVENT, id, out, fail);
}

/* The columns id, conv, event, attempt, resends, token, at of the current row. */
static void
read_reply(sqlite3_stmt *st, struct ph_store_reply *r)
{
	*r = (struct ph_store_reply){ .id = sqlite3_column_int64(st, 0),
	    .conv = sqlite3_column_int64(st, 1), .event = sqlite3_column_int64(st, 2),
	    .attempt = sqlite3_column_int64(st, 3), .resends = sqlite3_column_int64(st, 4),
	    .at = sqlite3_column_int64(st, 6) };
	if (sqlite3_column_bytes(st, 5) == PH_STORE_TOKEN_LEN)
		memcpy(r->token, sqlite3_column_blob(st, 5), PH_STORE_TOKEN_LEN);
}

/*
 * Nobody guesses 80 bits.  The time stands before them, so that the index of tokens grows at its end: if
 * all of it were random each would dirty another page of it, and a commit write as many.
 */
static void
make_token(unsigned char token[PH_STORE_TOKEN_LEN], int64_t now)
{
	int	 i;

	sqlite3_randomness(PH_STORE_TOKEN_LEN, token);
	for (i = 0; i < TOKEN_TIME_LEN; i++)
		token[i] = (unsigned char)(now >> 8 * (TOKEN_TIME_LEN - 1 - i));
}

static enum ph_error
read_head(sqlite3_stmt *st, int64_t now, struct ph_store_reply *r, struct ph_fail *fail)
{
	read_reply(st, r);
	if (sqlite3_column_type(st, 5) == SQLITE_NULL)
		make_token(r->token, now);
	copy_column(st, 7, r->kind, sizeof(r->kind));
	ph_sqlite_column(st, 8, &r->body);
	r->retries = sqlite3_column_int64(st, 9);
	ph_sqlite_column(st, 10, &r->person);
	r->turn_at = sqlite3_column_int64(st, 11);
	return ph_buffer_check(&r->person, fail) == PH_OK ? ph_buffer_check(&r->body, fail) : PH_NOMEM;
}

static enum ph_error
claim_one(struct ph_store *s, const struct ph_store_reply *r, int64_t now, struct ph_fail *fail)
{
	const struct ph_slice	 token = { (const char *)r->token, sizeof(r->token) };

	if (ph_sqlite_run(&s->sq, CLAIM, WITH(INT(r->id), INT(now), BLOB(token)), fail) != PH_OK)
		return fail->err;
	return ph_sqlite_run(&s->sq, TAKE_CONV, WITH(INT(r->conv)), fail);
}

/*
 * Read first, then written one by one: an UPDATE that finds its own rows builds tables in memory to do
 * so, each time, also when nothing is due.
 */
enum ph_error
ph_store_sqlite_claim(struct ph_store *s, struct ph_slice page, int64_t now,
    struct ph_store_reply *out, size_t max, size_t *n, struct ph_fail *fail)
{
	sqlite3_stmt	*st = ph_sqlite_start(&s->sq, DUE_HEADS, WITH(TEXT(page), INT(now),
			    INT((int64_t)max)));
	enum ph_error	 err = PH_OK;
	size_t		 i;

	for (*n = 0; *n < max && err == PH_OK; )
		if ((err = ph_sqlite_next(&s->sq, DUE_HEADS, fail)) == PH_OK)
			err = read_head(st, now, &out[(*n)++], fail);
	ph_sqlite_end(&s->sq, DUE_HEADS);
	if (err == PH_NONE)
		err = PH_OK;
	for (i = 0; i < *n && err == PH_OK; i++)
		err = claim_one(s, &out[i], now, fail);
	return err;
}

enum ph_error
ph_store_sqlite_flying(struct ph_store *s, const char *state, int64_t before,
    struct ph_store_reply *out, size_t max, size_t *n, struct ph_fail *fail)
{
	enum statement	 which = strcmp(state, "sending") == 0 ? SENDING : UNSURE;
	sqlite3_stmt	*st = ph_sqlite_start(&s->sq, which, WITH(INT(before), INT((int64_t)max)));
	enum ph_error	 err = PH_OK;

	for (*n = 0; *n < max && (err = ph_sqlite_next(&s->sq, which, fail)) == PH_OK; (*n)++) {
		read_reply(st, &out[*n]);
		out[*n].first_due = sqlite3_column_int64(st, 7);
		copy_column(st, 8, out[*n].page, sizeof(out[*n].page));
	}
	ph_sqlite_end(&s->sq, which);
	return err == PH_NONE ? PH_OK : err;
}

enum ph_error
ph_store_sqlite_move(struct ph_store *s, const struct ph_store_move *m, struct ph_fail *fail)
{
	const struct ph_slice	 token = { (const char *)m->token, PH_STORE_TOKEN_LEN };
	enum ph_error		 err;

	err = ph_sqlite_change(&s->sq, MOVE, WITH(INT(m->id), WORD(m->state), INT(m->due), INT(m->resends),
	    WORD(m->mid), INT_OR_NULL(m->code), INT_OR_NULL(m->subcode), WORD(m->trace), WORD(m->why),
	    BLOB(token), INT(m->unsent), INT(m->retries)), fail);
	if (err != PH_OK && err != PH_NONE)
		return err;
	if (go_on(s, m->conv, fail) != PH_OK)
		return fail->err;
	return err;
}

enum ph_error
ph_store_sqlite_confirm(struct ph_store *s, const unsigned char token[PH_STORE_TOKEN_LEN],
    struct ph_slice mid, int64_t *id, int64_t *left_at, bool *moved, struct ph_fail *fail)
{
	const struct ph_slice	 bytes = { (const char *)token, PH_STORE_TOKEN_LEN };
	sqlite3_stmt		*st = ph_sqlite_start(&s->sq, FIND_TOKEN, WITH(BLOB(bytes)));
	enum ph_error		 err = ph_sqlite_next(&s->sq, FIND_TOKEN, fail);
	int64_t			 conv = 0;
	bool			 nameless = false;

	if (err == PH_OK) {
		*id = sqlite3_column_int64(st, 0);
		*left_at = sqlite3_column_int64(st, 1);
		conv = sqlite3_column_int64(st, 2);
		*moved = sqlite3_column_int(st, 3) != 0;
		nameless = sqlite3_column_int(st, 4) != 0;
	}
	ph_sqlite_end(&s->sq, FIND_TOKEN);
	if (err != PH_OK || (!*moved && !nameless))
		return err;
	if (ph_sqlite_run(&s->sq, CONFIRM, WITH(INT(*id), TEXT(mid)), fail) != PH_OK)
		return fail->err;
	return go_on(s, conv, fail);
}

enum ph_error
ph_store_sqlite_next_page(struct ph_store *s, struct ph_buffer *page, int64_t *due,
    struct ph_fail *fail)
{
	const struct ph_slice	 after = { page->len > 0 ? page->data : "", page->len };
	sqlite3_stmt		*st = ph_sqlite_start(&s->sq, READY_PAGE, WITH(TEXT(after)));
	enum ph_error		 err = ph_sqlite_next(&s->sq, READY_PAGE, fail);

	if (err == PH_OK) {
		ph_buffer_reset(page);
		ph_sqlite_column(st, 0, page);
		*due = sqlite3_column_int64(st, 1);
		err = ph_buffer_check(page, fail);
	}
	ph_sqlite_end(&s->sq, READY_PAGE);
	return err;
}

enum ph_error
ph_store_sqlite_next_due(struct ph_store *s, struct ph_slice page, int64_t *due,
    struct ph_fail *fail)
{
	enum ph_error	 err;

	if (page.at != NULL)
		err = ph_sqlite_ask(&s->sq, NEXT_READY, WITH(TEXT(page)), due, fail);
	else
		err = ph_sqlite_ask(&s->sq, NEXT_UNSURE, WITH_NOTHING, due, fail);
	if (err == PH_NONE)
		*due = 0;
	return err == PH_NONE ? PH_OK : err;
}
