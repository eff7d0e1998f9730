/*
 * store_sqlite_key -- which keys were seen, in SQLite.
 * Knows sqlite, store, fresh, clock.  Does not know what a key is made of.
 * Called by store_sqlite_event, store_sqlite_prune, and by the store when it begins.
 * Lives within the ledger's transaction.
 *
 * Keys are random, so each new one would dirty a page of `seen` for itself: more than all the rest of
 * an event.  They are in `fresh` first, a row for all of a transaction, and a set in memory; later
 * many go to `seen` in their own order, which writes a page once for all that belong there: for four,
 * among ten million.
 * SPDX-License-Identifier: ISC
 */
#include "clock.h"
#include "store_sqlite.h"

#ifdef PH_TEST
#define MAX_FRESH	200	/* so that a test sees keys on their way */
#define DROP_AT_ONCE	2
#else
#define MAX_FRESH	220000	/* as many again come while these go: two sets of 4 MiB */
#define DROP_AT_ONCE	100	/* rows whose keys have gone; all of them at once would be 100 ms */
#endif

_Static_assert(PH_FRESH_KEY == PH_STORE_KEY_LEN, "the set keeps whole keys");

static enum ph_error
load_row(struct ph_fresh *fresh, const unsigned char *keys, int len, struct ph_fail *fail)
{
	enum ph_error	 err = PH_OK;

	if (len == 0 || len % PH_FRESH_KEY != 0)
		return ph_error_set(fail, PH_BROKEN, "store: keys of %d bytes: not made by pagehook", len);
	for (; len > 0 && err == PH_OK; len -= PH_FRESH_KEY, keys += PH_FRESH_KEY)
		if (!ph_fresh_has(fresh, keys))
			err = ph_fresh_add(fresh, keys, fail);
	return err;
}

/* What the table has: at the beginning, and when new keys were undone. */
static enum ph_error
load(struct ph_store *s, struct ph_fail *fail)
{
	sqlite3_stmt	*st;
	enum ph_error	 err;

	ph_fresh_clear(&s->fresh);
	ph_fresh_clear(&s->merging);
	s->merge_last = 0;
	st = ph_sqlite_start(&s->sq, LIST_FRESH, WITH_NOTHING);
	while ((err = ph_sqlite_next(&s->sq, LIST_FRESH, fail)) == PH_OK)
		if ((err = load_row(&s->fresh, sqlite3_column_blob(st, 0), sqlite3_column_bytes(st, 0),
		    fail)) != PH_OK)
			break;
	ph_sqlite_end(&s->sq, LIST_FRESH);
	s->knows_fresh = err == PH_NONE;
	return err == PH_NONE ? PH_OK : err;
}

enum ph_error
ph_store_sqlite_know_keys(struct ph_store *s, struct ph_fail *fail)
{
	return s->knows_fresh ? PH_OK : load(s, fail);
}

enum ph_error
ph_store_sqlite_write_keys(struct ph_store *s, struct ph_fail *fail)
{
	const struct ph_slice	 keys = PH_SLICE(&s->new_keys);

	if (ph_buffer_check(&s->new_keys, fail) != PH_OK || (keys.len > 0 &&
	    ph_sqlite_run(&s->sq, ADD_FRESH, WITH(BLOB(keys)), fail) != PH_OK))
		return fail->err;
	ph_buffer_reset(&s->new_keys);
	return PH_OK;
}

/* As many come while these go: the set is not to grow step by step once more. */
static enum ph_error
begin_merge(struct ph_store *s, struct ph_fail *fail)
{
	struct ph_fresh	 next = PH_FRESH_INIT;

	if (ph_store_sqlite_write_keys(s, fail) != PH_OK ||
	    ph_fresh_reserve(&next, s->fresh.cap, fail) != PH_OK)
		return fail->err;
	s->merging = s->fresh;
	s->merged_to = 0;
	s->fresh = next;
	return ph_sqlite_ask(&s->sq, LAST_FRESH, WITH_NOTHING, &s->merge_last, fail);
}

/*
 * By our clock: a body that lay in the spool came long ago, and the keys that its own moves along
 * did not.
 */
static enum ph_error
merge(struct ph_store *s, int max, struct ph_fail *fail)
{
	const int64_t	 day = ph_clock_now() / PH_DAY_MS;
	unsigned char	 key[PH_FRESH_KEY];
	struct ph_slice	 bytes = { (const char *)key, sizeof(key) };
	int		 i;

	for (i = 0; i < max; i++) {
		if (!ph_fresh_next(&s->merging, &s->merged_to, key)) {
			ph_fresh_clear(&s->merging);
			return PH_OK;
		}
		if (ph_sqlite_run(&s->sq, SEE, WITH(BLOB(bytes), INT(day)), fail) != PH_OK)
			return fail->err;
	}
	return PH_OK;
}

/* The rows whose keys are all in `seen` now.  When it is over is asked at once: row numbers come again. */
static enum ph_error
drop_merged(struct ph_store *s, struct ph_fail *fail)
{
	int64_t		 first;
	enum ph_error	 err;

	if (ph_sqlite_run(&s->sq, DROP_FRESH, WITH(INT(s->merge_last), INT(DROP_AT_ONCE)), fail) != PH_OK)
		return fail->err;
	err = ph_sqlite_ask(&s->sq, FIRST_FRESH, WITH_NOTHING, &first, fail);
	if (err == PH_NONE || (err == PH_OK && first > s->merge_last))
		s->merge_last = 0;
	return err == PH_NONE ? PH_OK : err;
}

enum ph_error
ph_store_sqlite_merge(struct ph_store *s, int max, struct ph_fail *fail)
{
	if (s->merge_last == 0 && s->fresh.n < MAX_FRESH)
		return PH_OK;
	s->changed = true;
	if (s->merge_last == 0 && begin_merge(s, fail) != PH_OK)
		return fail->err;
	return s->merging.n > 0 ? merge(s, max, fail) : drop_merged(s, fail);
}

enum ph_error
ph_store_sqlite_see(struct ph_store *s, const unsigned char key[PH_STORE_KEY_LEN],
    struct ph_fail *fail)
{
	const struct ph_slice	 bytes = { (const char *)key, PH_STORE_KEY_LEN };
	int64_t			 one;
	enum ph_error		 err;

	if (ph_fresh_has(&s->fresh, key) || ph_fresh_has(&s->merging, key))
		return PH_NONE;
	if ((err = ph_sqlite_ask(&s->sq, SEEN, WITH(BLOB(bytes)), &one, fail)) != PH_NONE)
		return err == PH_OK ? PH_NONE : err;
	s->changed = true;
	if (ph_fresh_add(&s->fresh, key, fail) != PH_OK)
		return fail->err;
	ph_buffer_add(&s->new_keys, key, PH_STORE_KEY_LEN);
	return ph_store_sqlite_merge(s, 1, fail);	/* one goes for one that comes: no turn pays for many */
}
