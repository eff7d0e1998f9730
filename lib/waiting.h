/*
 * waiting -- events that were put off, thought about when it is their turn.
 * Knows event, think, asked, ledger, sending, pages.  Does not know deliveries or handlers.
 * Called by turn, inside its transaction.
 * Lives in the helper's one thread.
 *
 * An event is put off when its rule asks a handler or wants a name, when an earlier one of its
 * conversation is not done, and while the replies file was never good.  It is thought about anew, by
 * the rules as they are then.
 * SPDX-License-Identifier: ISC
 */
#ifndef PH_WAITING_H
#define PH_WAITING_H

#include "asked.h"

struct ph_waiting;

struct ph_waiting_with {		/* borrowed until ph_waiting_free */
	struct ph_ledger	*ledger;
	struct ph_sending	*sending;
	struct ph_asked		*asked;
	const struct ph_pages	*pages;
	struct ph_news		*news;
	int64_t			 max_age_ms;	/* an older event is given up */
};

enum ph_error	ph_waiting_new(const struct ph_waiting_with *with, struct ph_waiting **out,
		    struct ph_fail *fail) PH_MUST_USE;
void		ph_waiting_free(struct ph_waiting *waiting);

/* There may be something to think about: an answer came, the rules are new; an event was put off. */
void		ph_waiting_look(struct ph_waiting *waiting);
void		ph_waiting_look_at_new(struct ph_waiting *waiting);
bool		ph_waiting_is_ready(const struct ph_waiting *waiting);	/* a turn is worth while */

/* In the turn's transaction: what is due is thought about: answered, asked about, or given up. */
enum ph_error	ph_waiting_commit(struct ph_waiting *waiting, int64_t now, struct ph_fail *fail)
		    PH_MUST_USE;
void		ph_waiting_abandon(struct ph_waiting *waiting);	/* the turn did not happen */

int64_t		ph_waiting_next_due(const struct ph_waiting *waiting);	/* Unix ms; 0: never */
int		ph_waiting_patience(const struct ph_waiting *waiting);	/* ms; -1: nothing is due */

#endif
