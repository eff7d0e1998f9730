/*
 * ledger -- what is owed: events kept, replies claimed and settled.
 * Knows event, key, outcome, backoff, store.  Does not know HTTP, Graph or the web server.
 * Called by turn.
 * Lives in the helper's one thread; opened when the lock is held.
 * States and guarantees: lib/pagehook-states.7.
 * SPDX-License-Identifier: ISC
 */
#ifndef PH_LEDGER_H
#define PH_LEDGER_H

#include "event.h"
#include "outcome.h"
#include "store.h"

struct ph_ledger;

/*
 * Opens the store and notes in it that we did.  Every reply found "sending" belongs to a dead
 * helper: it is "unsure" now.  n_unsure: how many were.
 */
enum ph_error	ph_ledger_open(const struct ph_store_ops *ops, const char *where, int64_t now,
		    struct ph_ledger **out, size_t *n_unsure, struct ph_fail *fail) PH_MUST_USE;
void		ph_ledger_close(struct ph_ledger *ledger);

/* One turn's transaction.  What stands between begin and a commit that failed did not happen. */
enum ph_error	ph_ledger_begin(struct ph_ledger *ledger, struct ph_fail *fail) PH_MUST_USE;
enum ph_error	ph_ledger_commit(struct ph_ledger *ledger, struct ph_fail *fail) PH_MUST_USE;
void		ph_ledger_abandon(struct ph_ledger *ledger);

/* Keeps an event.  PH_NONE: it was kept before.  conv: 0 when it has no conversation. */
enum ph_error	ph_ledger_keep(struct ph_ledger *ledger, const struct ph_event *event,
		    const char *object, int64_t came, int64_t *id, int64_t *conv,
		    struct ph_fail *fail) PH_MUST_USE;

/* Keeps signed bytes that could not be read, as a dead event of kind "unreadable". */
enum ph_error	ph_ledger_quarantine(struct ph_ledger *ledger, struct ph_slice body,
		    const char *why, int64_t came, int64_t *id, struct ph_fail *fail) PH_MUST_USE;

/* Owes a reply, due since a time: message is the message object. */
enum ph_error	ph_ledger_owe(struct ph_ledger *ledger, int64_t conv, int64_t event, int64_t due,
		    struct ph_slice message, struct ph_fail *fail) PH_MUST_USE;

/* Notes that this page's replies wait, and why; NULL: they do not.  PH_NONE: that was known. */
enum ph_error	ph_ledger_hold_page(struct ph_ledger *ledger, struct ph_slice page,
		    const char *why, struct ph_fail *fail) PH_MUST_USE;

/* Claims at most max of a page's replies, to be sent once the commit is through. */
enum ph_error	ph_ledger_claim(struct ph_ledger *ledger, struct ph_slice page, int64_t now,
		    struct ph_store_reply *out, size_t max, size_t *n, struct ph_fail *fail)
		    PH_MUST_USE;

/*
 * Settles a claim by what became of it.  state, static, is what the reply is now; PH_NONE: it had
 * been settled otherwise.
 */
enum ph_error	ph_ledger_settle(struct ph_ledger *ledger, const struct ph_store_reply *claim,
		    const struct ph_result *result, int64_t now, const char **state,
		    struct ph_fail *fail) PH_MUST_USE;

/*
 * An echo: Meta says that this message went out, whatever we thought of it.  id: of the reply it
 * settles.  PH_NONE: it is not one of ours, or was settled before.
 */
enum ph_error	ph_ledger_confirm(struct ph_ledger *ledger, const struct ph_event *echo, int64_t *id,
		    struct ph_fail *fail) PH_MUST_USE;

/*
 * Decides about at most max unsure replies whose grace is over: sent once more, and after a second
 * silence held for a person.  out gets them, with resends counted, without bodies.
 */
enum ph_error	ph_ledger_ripen(struct ph_ledger *ledger, int64_t now, struct ph_store_reply *out,
		    size_t max, size_t *n, struct ph_fail *fail) PH_MUST_USE;

/* When the next reply of this page, or an unsure one, is due; 0: never. */
enum ph_error	ph_ledger_next_due(struct ph_ledger *ledger, struct ph_slice page, int64_t *due,
		    struct ph_fail *fail) PH_MUST_USE;

/*
 * The clock was set back: what had been due within a day may now seem due in years.  A time further
 * ahead than any wait of ours counts as now.
 */
enum ph_error	ph_ledger_reset_clock(struct ph_ledger *ledger, int64_t now, struct ph_fail *fail)
		    PH_MUST_USE;

/* Housekeeping between turns; idle: nothing else is to be done.  PH_BROKEN: leave. */
enum ph_error	ph_ledger_tidy(struct ph_ledger *ledger, bool idle, struct ph_fail *fail)
		    PH_MUST_USE;

#endif
