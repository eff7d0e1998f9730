/*
 * orders -- one word on many replies and events, handed to the helper some hundred at a time.
 * Knows ask, order's JSON.  Does not know what is meant or what the word does.
 * Called by queue_steer.
 * Lives for one command.
 * SPDX-License-Identifier: ISC
 */
#ifndef ORDERS_H
#define ORDERS_H

#include "ask.h"

struct orders_ids {
	struct ph_buffer	 text;		/* as JSON: "r4901","e4900" */
	size_t			 n;
};

struct orders {
	const char		*word;
	bool			 unsure;	/* replies that are unsure are meant, too */
	bool			 final;		/* what is refused for being unsure stays so */
	bool			 quiet;		/* what is refused makes no line on standard error */
	struct ask		 ask;
	struct orders_ids	 next, done;
	struct orders_ids	 doubtful;	/* refused for being unsure, not yet for good */
	struct ph_buffer	 refused;	/* JSON objects: id, why */
	size_t			 n_refused;
};

/* One more.  EX_OK, or an exit status after a line: the helper does not answer. */
int	orders_add(struct orders *orders, struct ph_slice id);

/* What was added last, and is less than an order. */
int	orders_hand_over(struct orders *orders);

void	orders_refuse(struct orders *orders, struct ph_slice id, struct ph_slice why);
void	orders_clear(struct orders *orders);

#endif
