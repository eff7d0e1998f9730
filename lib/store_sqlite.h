/*
 * store_sqlite -- what the parts of the SQLite store share: its statements and its operations.
 * Knows sqlite, store.  Does not know Messenger, Graph, or which state follows which.
 * Called by the store_sqlite modules alone.
 * Lives as long as the store is open.
 * SPDX-License-Identifier: ISC
 */
#ifndef PH_STORE_SQLITE_H
#define PH_STORE_SQLITE_H

#include "fresh.h"
#include "sqlite.h"
#include "store.h"

struct ph_store {
	struct ph_sqlite	 sq;
	int64_t			 pruned_to[2];	/* ids of event and reply; the next look begins behind */
	struct ph_buffer	 pruned_key;	/* of seen */

	/* What the table `fresh` has, while that is known: what came last, and what is on its way to `seen`. */
	struct ph_fresh		 fresh, merging;
	struct ph_buffer	 new_keys;	/* this transaction's: the table gets them as one row */
	bool			 knows_fresh;
	bool			 changed;	/* by this transaction: keys came or went */
	size_t			 merged_to;	/* slots of merging */
	int64_t			 merge_last;	/* the last row of those keys; 0: none are on their way */
};

enum statement {		/* store_sqlite.c has their texts */
	SEEN = PH_SQLITE_FIRST, LIST_FRESH, FIRST_FRESH, LAST_FRESH, ADD_FRESH, DROP_FRESH, SEE,
	FIND_CONV, TURN_CONV, ADD_CONV, MEET, ADD_EVENT, SILENCE, SILENT, PERSON, SET_PERSON, PUT_OFF,
	WAKE_EVENT, IS_OPEN, DUE_EVENTS, STEP_EVENT, REOPEN, COUNT_OPEN, NEXT_OPEN, ADD_REPLY,
	WAKE_CONV, SAID, HOLD, DROP_REST, DROP_ALL, LEND, LEND_CONV, UNCLAIM, RETRY, DROP,
	REMOVE, RETRY_EVENT, DROP_EVENT, REMOVE_EVENT, TELL_EVENT, HOLD_ONE, RELEASE, TELL,
	DUE_HEADS, CLAIM, TAKE_CONV, SENDING, UNSURE, MOVE, NEXT_CONV, WAIT_CONV, READY_PAGE,
	NEXT_READY, NEXT_UNSURE, PAUSE, PAUSED, GO_ON, NOTE, ADVANCE_CONV, ADVANCE_REPLY,
	ADVANCE_EVENT, NOTED, FIND_TOKEN, CONFIRM, RECALL, COUNT_OWED, HOLD_ALL, HOLD_CONVS,
	DROP_EVENTS, PRUNE_EVENT_END, PRUNE_EVENT, PRUNE_REPLY_END, PRUNE_REPLY,
	PRUNE_SEEN_END, PRUNE_SEEN, NEXT_PAGE, FIND_PERSON, IN_FLIGHT, CLOSE_EVENTS,
	CLOSE_REPLIES, PART, NEXT_ROW, FORGET_NEWEST, FORGET_EVENTS, FORGET_REPLIES,
	FORGET_CONV,
	N_STATEMENTS
};

/* Within a transaction, before the first key is seen. */
enum ph_error	 ph_store_sqlite_know_keys(struct ph_store *s, struct ph_fail *fail) PH_MUST_USE;

/* Within a transaction, at its end: the keys that came are a row of `fresh`. */
enum ph_error	 ph_store_sqlite_write_keys(struct ph_store *s, struct ph_fail *fail) PH_MUST_USE;

/* Remembers a key; PH_NONE: it was known. */
enum ph_error	 ph_store_sqlite_see(struct ph_store *s, const unsigned char key[PH_STORE_KEY_LEN],
		    struct ph_fail *fail) PH_MUST_USE;

/*
 * If many keys are fresh: at most max of them go to their place, their age counted from now on, and then
 * their rows go, some at a time.  How far it came is not kept: it has to end in one helper's life, so
 * who has nothing else to do does it, too.
 */
enum ph_error	 ph_store_sqlite_merge(struct ph_store *s, int max, struct ph_fail *fail) PH_MUST_USE;

/* Operations of store.h, by their names there. */
enum ph_error
	ph_store_sqlite_keep(struct ph_store *, const struct ph_store_event *, int64_t *,
	    struct ph_store_conv *, struct ph_fail *),
	ph_store_sqlite_find(struct ph_store *, struct ph_slice, struct ph_slice, bool,
	    struct ph_store_conv *, struct ph_fail *),
	ph_store_sqlite_silence(struct ph_store *, int64_t, int64_t, struct ph_fail *),
	ph_store_sqlite_silent_until(struct ph_store *, int64_t, int64_t *, struct ph_fail *),
	ph_store_sqlite_person(struct ph_store *, int64_t, struct ph_store_person *, struct ph_fail *),
	ph_store_sqlite_set_person(struct ph_store *, int64_t, struct ph_slice, struct ph_slice, int64_t,
	    struct ph_fail *),
	ph_store_sqlite_put_off(struct ph_store *, int64_t, int64_t, int64_t, struct ph_fail *),
	ph_store_sqlite_is_open(struct ph_store *, int64_t, bool *, struct ph_fail *),
	ph_store_sqlite_due(struct ph_store *, int64_t, int64_t, int64_t, struct ph_store_open *, size_t,
	    size_t *, struct ph_fail *),
	ph_store_sqlite_step(struct ph_store *, const struct ph_store_step *, struct ph_fail *),
	ph_store_sqlite_reopen(struct ph_store *, int64_t, int64_t *, struct ph_fail *),
	ph_store_sqlite_next_open(struct ph_store *, int64_t, int64_t *, struct ph_fail *),
	ph_store_sqlite_owe(struct ph_store *, const struct ph_store_owed *, int64_t *, int64_t *,
	    struct ph_fail *),
	ph_store_sqlite_hold(struct ph_store *, int64_t, int64_t, const char *, struct ph_fail *),
	ph_store_sqlite_drop_rest(struct ph_store *, const struct ph_store_reply *, const char *,
	    int64_t *, struct ph_fail *),
	ph_store_sqlite_drop_all(struct ph_store *, int64_t, const char *, int64_t *, struct ph_fail *),
	ph_store_sqlite_lend(struct ph_store *, int64_t, int64_t, int64_t, struct ph_fail *),
	ph_store_sqlite_unclaim(struct ph_store *, int64_t, int64_t, int64_t, struct ph_fail *),
	ph_store_sqlite_steer(struct ph_store *, const struct ph_store_steer *, struct ph_fail *),
	ph_store_sqlite_steer_event(struct ph_store *, const struct ph_store_steer *, int *,
	    struct ph_fail *),
	ph_store_sqlite_tell_event(struct ph_store *, int64_t, struct ph_store_told *, struct ph_fail *),
	ph_store_sqlite_tell(struct ph_store *, int64_t, struct ph_store_told *, struct ph_fail *),
	ph_store_sqlite_claim(struct ph_store *, struct ph_slice, int64_t, struct ph_store_reply *, size_t,
	    size_t *, struct ph_fail *),
	ph_store_sqlite_flying(struct ph_store *, const char *, int64_t, struct ph_store_reply *, size_t,
	    size_t *, struct ph_fail *),
	ph_store_sqlite_move(struct ph_store *, const struct ph_store_move *, struct ph_fail *),
	ph_store_sqlite_confirm(struct ph_store *, const unsigned char[PH_STORE_TOKEN_LEN],
	    struct ph_slice, int64_t *, int64_t *, bool *, struct ph_fail *),
	ph_store_sqlite_forget(struct ph_store *, struct ph_slice, struct ph_slice,
	    struct ph_store_erasure *, struct ph_fail *),
	ph_store_sqlite_prune(struct ph_store *, int64_t, int64_t, bool *, struct ph_fail *),
	ph_store_sqlite_next_page(struct ph_store *, struct ph_buffer *, int64_t *, struct ph_fail *),
	ph_store_sqlite_next_due(struct ph_store *, struct ph_slice, int64_t *, struct ph_fail *);

#endif
