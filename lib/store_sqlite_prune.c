/*
 * store_sqlite_prune -- what is over leaves the store, some rows at a time.
 * Knows sqlite, store.  Does not know how long anything is kept.
 * Called by ledger through ph_store_sqlite.
 * Lives within the ledger's transaction; where it stands is kept in memory.
 * SPDX-License-Identifier: ISC
 */
#include "clock.h"
#include "store_sqlite.h"

#define MERGE_AT_ONCE	500

/* The rows of one table behind *from; *from moves, to 0 behind the last. */
static enum ph_error
prune_rows(struct ph_sqlite *sq, enum statement end, int64_t *from, int64_t done_before,
    int64_t over_before, struct ph_fail *fail)
{
	const enum statement	 delete = end + 1;
	int64_t			 to;
	enum ph_error		 err = ph_sqlite_ask(sq, end, WITH(INT(*from)), &to, fail);

	if (err == PH_NONE) {
		*from = 0;
		return PH_OK;
	}
	if (err == PH_OK)
		err = ph_sqlite_run(sq, delete, WITH(INT(*from), INT(to), INT(done_before),
		    INT(over_before)), fail);
	if (err == PH_OK)
		*from = to;
	return err;
}

/* Keys have no order in time: all are walked along, in the course of an hour or a day. */
static enum ph_error
prune_keys(struct ph_store *s, int64_t over_before, struct ph_fail *fail)
{
	struct ph_buffer	 to = PH_BUFFER_INIT;
	sqlite3_stmt		*st = ph_sqlite_start(&s->sq, PRUNE_SEEN_END, WITH(BLOB(PH_SLICE(&s->pruned_key))));
	enum ph_error		 err = ph_sqlite_next(&s->sq, PRUNE_SEEN_END, fail);

	if (err == PH_OK)
		ph_sqlite_column(st, 0, &to);
	ph_sqlite_end(&s->sq, PRUNE_SEEN_END);
	if (err == PH_OK && to.len > 0)
		err = ph_sqlite_run(&s->sq, PRUNE_SEEN, WITH(BLOB(PH_SLICE(&s->pruned_key)),
		    BLOB(PH_SLICE(&to)), INT(over_before / PH_DAY_MS)), fail);
	ph_buffer_reset(&s->pruned_key);
	ph_buffer_add(&s->pruned_key, to.data, to.len);
	ph_buffer_clear(&to);
	return err == PH_NONE ? PH_OK : err;
}

enum ph_error
ph_store_sqlite_prune(struct ph_store *s, int64_t done_before, int64_t over_before, bool *more,
    struct ph_fail *fail)
{
	const bool	 begun = s->pruned_to[0] != 0 || s->pruned_to[1] != 0 || s->pruned_key.len > 0;

	if ((!begun || s->pruned_to[0] != 0) && prune_rows(&s->sq, PRUNE_EVENT_END, &s->pruned_to[0],
	    done_before, over_before, fail) != PH_OK)
		return fail->err;
	if ((!begun || s->pruned_to[1] != 0) && prune_rows(&s->sq, PRUNE_REPLY_END, &s->pruned_to[1],
	    done_before, over_before, fail) != PH_OK)
		return fail->err;
	if ((!begun || s->pruned_key.len > 0) && prune_keys(s, over_before, fail) != PH_OK)
		return fail->err;
	if (ph_store_sqlite_merge(s, MERGE_AT_ONCE, fail) != PH_OK)
		return fail->err;
	*more = s->merge_last != 0 || s->pruned_to[0] != 0 || s->pruned_to[1] != 0 || s->pruned_key.len > 0;
	return PH_OK;
}
