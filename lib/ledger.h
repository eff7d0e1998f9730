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
#include "unsure.h"

struct ph_ledger;

/*
 * Opens the store and notes in it that we did.  Every reply found "sending" belongs to a dead
 * helper: it is "unsure" now.  n_unsure: how many were.  max_age_ms: an answer to what is older is
 * not sent any more.
 */
enum ph_error	ph_ledger_open(const struct ph_store_ops *ops, const char *where, int64_t now,
		    int64_t max_age_ms, enum ph_unsure_policy unsure, struct ph_ledger **out,
		    size_t *n_unsure, struct ph_fail *fail) PH_MUST_USE;
void		ph_ledger_close(struct ph_ledger *ledger);

/*
 * Counts helpers, in a transaction of its own: the store's number grows by one.  last: the number that
 * stands beside the store, 0: unknown.  A lower one in the store means that an older copy was put in
 * its place: what is open there may have been answered since, so its replies are "held" and its
 * events "dead", for a person to decide.
 */
struct ph_ledger_generation {
	int64_t	 number;	/* the store's now, to be put beside it */
	bool	 older;		/* an older copy; then: */
	int64_t	 n_events, n_replies;	/* were open in it */
};
enum ph_error	ph_ledger_next_generation(struct ph_ledger *ledger, int64_t last, int64_t now,
		    struct ph_ledger_generation *out, struct ph_fail *fail) PH_MUST_USE;

/* As the store's in_place; and how much is open in what is. */
enum ph_error	ph_ledger_check(const struct ph_ledger *ledger, struct ph_fail *fail) PH_MUST_USE;
enum ph_error	ph_ledger_count_open(const struct ph_ledger *ledger, int64_t *n_events,
		    int64_t *n_replies, struct ph_fail *fail) PH_MUST_USE;

/* One turn's transaction.  What stands between begin and a commit that failed did not happen. */
enum ph_error	ph_ledger_begin(struct ph_ledger *ledger, struct ph_fail *fail) PH_MUST_USE;
enum ph_error	ph_ledger_commit(struct ph_ledger *ledger, struct ph_fail *fail) PH_MUST_USE;
void		ph_ledger_abandon(struct ph_ledger *ledger);

/* Keeps an event.  PH_NONE: it was kept before. */
enum ph_error	ph_ledger_keep(struct ph_ledger *ledger, const struct ph_event *event,
		    const char *object, int64_t came, int64_t *id, struct ph_store_conv *conv,
		    struct ph_fail *fail) PH_MUST_USE;

/* Keeps signed bytes that could not be read, as a dead event of kind "unreadable". */
enum ph_error	ph_ledger_quarantine(struct ph_ledger *ledger, struct ph_slice body,
		    const char *why, int64_t came, int64_t *id, struct ph_fail *fail) PH_MUST_USE;

/*
 * Owes what was thought of: the messages in their order, then the thread if it is passed on; and
 * notes how long the bot is silent.  n_held: so many were more than 20 in a minute of that
 * conversation, the sign of two bots talking to each other: a person decides about those.
 */
struct ph_ledger_answer {
	int64_t		 conv, event;
	int64_t		 at;		/* Unix ms: when the event happened */
	int64_t		 due;		/* Unix ms */
	struct ph_slice	 messages;	/* message objects, each on a line of its own */
	int64_t		 pause_ms;	/* silent so long from at on; 0: not */
	bool		 handover;
	const char	*handover_to;	/* an app's id; NULL: the Page inbox */
};
enum ph_error	ph_ledger_owe(struct ph_ledger *ledger, const struct ph_ledger_answer *answer,
		    size_t *n_held, struct ph_fail *fail) PH_MUST_USE;

/* Owes what a person sends by hand.  kind as in message.h.  Waits behind what is owed already. */
enum ph_error	ph_ledger_send(struct ph_ledger *ledger, int64_t conv, const char *kind, int64_t due,
		    struct ph_slice message, int64_t *id, struct ph_fail *fail) PH_MUST_USE;

/*
 * An operator's word on one reply, on one event, as in store.h.  PH_NONE: none in a state to which it
 * applies.
 */
enum ph_error	ph_ledger_steer(struct ph_ledger *ledger, const struct ph_store_steer *steer,
		    struct ph_fail *fail) PH_MUST_USE;
enum ph_error	ph_ledger_steer_event(struct ph_ledger *ledger, const struct ph_store_steer *steer,
		    struct ph_fail *fail) PH_MUST_USE;

/* What has become of a reply, of an event.  PH_NONE: there is none. */
enum ph_error	ph_ledger_tell(struct ph_ledger *ledger, int64_t id, struct ph_store_told *out,
		    struct ph_fail *fail) PH_MUST_USE;
enum ph_error	ph_ledger_tell_event(struct ph_ledger *ledger, int64_t id, struct ph_store_told *out,
		    struct ph_fail *fail) PH_MUST_USE;

/* The conversation with that person; PH_NONE: there is none yet, unless it is to be made. */
enum ph_error	ph_ledger_find(struct ph_ledger *ledger, struct ph_slice page,
		    struct ph_slice person, bool make, struct ph_store_conv *out,
		    struct ph_fail *fail) PH_MUST_USE;

/* The bot says nothing to what happens in this conversation before until; 0: it speaks. */
enum ph_error	ph_ledger_silence(struct ph_ledger *ledger, int64_t conv, int64_t until,
		    struct ph_fail *fail) PH_MUST_USE;

enum ph_error	ph_ledger_is_silent(struct ph_ledger *ledger, int64_t conv, int64_t at, bool *silent,
		    struct ph_fail *fail) PH_MUST_USE;

/*
 * Events that cannot be answered at once: kept until a handler, a name or the one before them is
 * there.  put_off: an event that was kept a moment ago.  is_open: whether a conversation has such.
 */
enum ph_error	ph_ledger_put_off(struct ph_ledger *ledger, int64_t event, int64_t conv,
		    int64_t now, struct ph_fail *fail) PH_MUST_USE;
enum ph_error	ph_ledger_is_open(struct ph_ledger *ledger, int64_t conv, bool *open,
		    struct ph_fail *fail) PH_MUST_USE;

bool		ph_ledger_any_open(const struct ph_ledger *ledger);

/* At most max of those that are due and first in their conversation, from behind a place on. */
enum ph_error	ph_ledger_due(struct ph_ledger *ledger, int64_t now, int64_t after_due,
		    int64_t after_id, struct ph_store_open *out, size_t max, size_t *n,
		    struct ph_fail *fail) PH_MUST_USE;

/* What becomes of one.  PH_NONE: it was closed otherwise. */
enum ph_error	ph_ledger_ask(struct ph_ledger *ledger, int64_t id, int64_t conv, int64_t tries,
		    struct ph_fail *fail) PH_MUST_USE;
enum ph_error	ph_ledger_ask_again(struct ph_ledger *ledger, int64_t id, int64_t conv,
		    int64_t tries, bool failed, int64_t wait_ms, int64_t now, const char *why,
		    struct ph_fail *fail) PH_MUST_USE;
enum ph_error	ph_ledger_close_event(struct ph_ledger *ledger, int64_t id, int64_t conv,
		    int64_t tries, bool dead, const char *why, int64_t now, struct ph_fail *fail)
		    PH_MUST_USE;

/* The wait before a handler is asked again, by how often it was. */
int64_t		ph_ledger_backoff_ms(int64_t tries);

/* What Meta said of the person, and to note it.  out is the caller's: ph_store_person_clear. */
enum ph_error	ph_ledger_person(struct ph_ledger *ledger, int64_t conv,
		    struct ph_store_person *out, struct ph_fail *fail) PH_MUST_USE;
enum ph_error	ph_ledger_set_person(struct ph_ledger *ledger, int64_t conv,
		    struct ph_slice first_name, struct ph_slice last_name, int64_t now,
		    struct ph_fail *fail) PH_MUST_USE;

/* When the next event that waits is due, after a time; 0: none. */
enum ph_error	ph_ledger_next_open(struct ph_ledger *ledger, int64_t after, int64_t *due,
		    struct ph_fail *fail) PH_MUST_USE;

/*
 * Notes that this page's replies wait, why, and until when (0: nobody knows); why NULL: they do not.
 * under: what tells its token from another (only a digest is kept), "" if it has none.  PH_NONE: that
 * was known.  page_held asks; until is 0 if it is spoken for under another token now.  PH_NONE: they
 * do not wait.
 */
enum ph_error	ph_ledger_hold_page(struct ph_ledger *ledger, struct ph_slice page,
		    struct ph_slice under, const char *why, int64_t until, struct ph_fail *fail)
		    PH_MUST_USE;
enum ph_error	ph_ledger_page_held(struct ph_ledger *ledger, struct ph_slice page,
		    struct ph_slice under, int64_t *until, struct ph_fail *fail) PH_MUST_USE;

/*
 * Claims at most max of a page's replies, to be sent once the commit is through.  What is too old by
 * now is "dead" instead: n_late were; they stand behind the claims, cleared but for their ids.
 */
enum ph_error	ph_ledger_claim(struct ph_ledger *ledger, struct ph_slice page, int64_t now,
		    struct ph_store_reply *out, size_t max, size_t *n, size_t *n_late,
		    struct ph_fail *fail) PH_MUST_USE;

/* A claim that is not launched after all: it is ready again at due, and was never tried. */
enum ph_error	ph_ledger_unclaim(struct ph_ledger *ledger, const struct ph_store_reply *claim,
		    int64_t due, struct ph_fail *fail) PH_MUST_USE;

/*
 * Settles a claim by what became of it.  result: a RETRY whose tries are used up becomes what it is
 * then.  state, static, is what the reply is now; PH_NONE: it had been settled otherwise.  The later
 * messages of the same answer go with one that is refused for good, all that is owed to a person with
 * one that cannot be reached; result->followed says how many.
 */
enum ph_error	ph_ledger_settle(struct ph_ledger *ledger, const struct ph_store_reply *claim,
		    struct ph_result *result, int64_t now, const char **state, struct ph_fail *fail)
		    PH_MUST_USE;

/* The thread of a conversation is ours again: what waited for it is due. */
enum ph_error	ph_ledger_take_thread(struct ph_ledger *ledger, int64_t conv, int64_t now,
		    struct ph_fail *fail) PH_MUST_USE;

/*
 * An echo: Meta says that this message went out, whatever we thought of it.  id: of the reply that
 * bears its token; 0: none does.  PH_NONE: nothing is settled by it.
 */
enum ph_error	ph_ledger_confirm(struct ph_ledger *ledger, const struct ph_event *echo, int64_t *id,
		    struct ph_fail *fail) PH_MUST_USE;

/* A body that came at that time lay in the spool: an echo may have, too. */
void		ph_ledger_doubt_echoes(struct ph_ledger *ledger, int64_t at);

/*
 * Decides about at most max unsure replies whose grace is over: sent once more, held for a person, or
 * waited for a while longer.  out gets those that moved, without bodies; why[i]: it is held, static;
 * NULL: it is sent once more.
 */
enum ph_error	ph_ledger_ripen(struct ph_ledger *ledger, int64_t now, struct ph_store_reply *out,
		    const char **why, size_t max, size_t *n, struct ph_fail *fail) PH_MUST_USE;

/*
 * The first page behind this one, by their ids, of which a reply waits, and when its next is due; ""
 * is before all.  PH_NONE: there is none.
 */
enum ph_error	ph_ledger_next_page(struct ph_ledger *ledger, struct ph_buffer *page, int64_t *due,
		    struct ph_fail *fail) PH_MUST_USE;

/* When the next reply of this page is due; of an absent page: the next unsure one; 0: never. */
enum ph_error	ph_ledger_next_due(struct ph_ledger *ledger, struct ph_slice page, int64_t *due,
		    struct ph_fail *fail) PH_MUST_USE;

/*
 * The clock was set back: what had been due within a day may now seem due in years.  A time further
 * ahead than any wait of ours counts as now.
 */
enum ph_error	ph_ledger_reset_clock(struct ph_ledger *ledger, int64_t now, struct ph_fail *fail)
		    PH_MUST_USE;

/* Within a transaction: a step of erasing a person, as in store.h. */
enum ph_error	ph_ledger_forget(struct ph_ledger *ledger, struct ph_slice page,
		    struct ph_slice person, struct ph_store_erasure *step, struct ph_fail *fail)
		    PH_MUST_USE;

/*
 * Within a transaction: removes some of what is over: answered before keep_ms ago, dead, held and
 * known keys 30 days.  *more: there may be more.
 */
enum ph_error	ph_ledger_prune(struct ph_ledger *ledger, int64_t now, int64_t keep_ms, bool *more,
		    struct ph_fail *fail) PH_MUST_USE;

/* Housekeeping between turns; idle: nothing else is to be done.  PH_BROKEN: leave. */
enum ph_error	ph_ledger_tidy(struct ph_ledger *ledger, bool idle, struct ph_fail *fail)
		    PH_MUST_USE;

#endif
