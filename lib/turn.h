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

/*
 * Opens store, Graph and spool of the state directory, which is the current one, and listens.
 * stop_fd: becomes readable when the helper is to leave; it ends a wait.  conf and pages
 * are borrowed; the pages' rules are read again when their files change.
 */
enum ph_error	ph_turn_open(const struct ph_conf *conf, struct ph_pages *pages, int state_fd,
		    int stop_fd, struct ph_turn **out, struct ph_fail *fail) PH_MUST_USE;
void		ph_turn_close(struct ph_turn *turn);

/*
 * One turn.  A store that is busy or full is no failure of the turn: fronts were told, outcomes wait.
 * PH_BROKEN, PH_NOMEM, PH_CONFIG: the helper must leave, without a verdict for what it had gathered.
 */
enum ph_error	ph_turn(struct ph_turn *turn, struct ph_fail *fail) PH_MUST_USE;

/* Monotonic ms of the last turn in which anything arrived, flew, was owed or had to be looked out for. */
int64_t		ph_turn_busy_at(const struct ph_turn *turn);

/* Claims not yet settled: under way at Graph or a handler, or answered and not yet committed. */
size_t		ph_turn_flying(const struct ph_turn *turn);

/* Why this helper should make room for another; NULL: it need not.  Static. */
const char	*ph_turn_reason_to_leave(const struct ph_turn *turn);

/* From now on no handler is asked anything more; so many are asked still.  All else goes on. */
size_t		ph_turn_asks_no_more(struct ph_turn *turn);

/* From now on: takes what fronts still hand over, claims nothing more, and has no name to be found by. */
void		ph_turn_leave(struct ph_turn *turn);

#endif
