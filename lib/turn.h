/*
 * turn -- the helper's loop, one turn of it: gather, commit, act, wait.
 * Knows everything below it: wire, spool, delivery, asked, sending, ledger, graph, pages, alert.
 * Called by the helper.
 * Lives in one thread; between commit and act nothing is owed that is not on disk.
 * SPDX-License-Identifier: ISC
 */
#ifndef PH_TURN_H
#define PH_TURN_H

#include "pages.h"

struct ph_turn;

struct ph_turn_with {			/* borrowed */
	const struct ph_conf	*conf;
	struct ph_pages		*pages;		/* their rules are read again when their files change */
	int			 state_fd;	/* the state directory, which is the current one */
	int			 stop_fd;	/* readable when the helper is to leave: that ends a wait */
	int64_t			*generation;	/* in: the number beside the store, as in ledger.h; out:
						 * the store's, to be put beside it; grows in turns, too */
};

/* Opens store, Graph and spool of the state directory, and listens. */
enum ph_error	ph_turn_open(const struct ph_turn_with *with, struct ph_turn **out,
		    struct ph_fail *fail) PH_MUST_USE;
void		ph_turn_close(struct ph_turn *turn);

/*
 * One turn.  A store that is busy or full is no failure of the turn: fronts were told, outcomes wait.
 * PH_BROKEN, PH_NOMEM, PH_CONFIG: the helper must leave, without a verdict for what it had gathered.
 */
enum ph_error	ph_turn(struct ph_turn *turn, struct ph_fail *fail) PH_MUST_USE;

/* Monotonic ms of the last turn in which anything arrived, flew, was owed or had to be looked out for. */
int64_t		ph_turn_busy_at(const struct ph_turn *turn);

/*
 * What is under way: claims not yet settled, with Graph or a handler, or answered and not yet
 * committed; an alert command.
 */
size_t		ph_turn_flying(const struct ph_turn *turn);

/* Why this helper should make room for another; NULL: it need not.  Static. */
const char	*ph_turn_reason_to_leave(const struct ph_turn *turn);

/*
 * The store is not where it was: fail says what was open in the file that we still hold, and its log goes
 * into it, so that none of ours lies beside what is there now.  No turn may follow.
 * PH_OK: all is in its place, nothing was done; PH_NONE: another store is there, or none; PH_BUSY:
 * only a part of it was taken away.
 */
enum ph_error	ph_turn_let_go(struct ph_turn *turn, struct ph_fail *fail) PH_MUST_USE;

/* From now on no handler is asked anything more; so many are asked still.  All else goes on. */
size_t		ph_turn_asks_no_more(struct ph_turn *turn);

/* From now on: takes what fronts still hand over, claims nothing more, and has no name to be found by. */
void		ph_turn_leave(struct ph_turn *turn);

#endif
