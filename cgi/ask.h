/*
 * ask -- asks the helper something, by order of an operator.
 * Knows conf, state, wire, start.  Does not know any order.
 * Called by send, queue_steer, orders, forget and status.
 * Lives for one command.
 * SPDX-License-Identifier: ISC
 */
#ifndef ASK_H
#define ASK_H

#include "conf.h"
#include "json.h"

struct ask {
	int			 fd;		/* to the helper; -1: not reached */
	struct ph_buffer	 answer;	/* to the last order */
};

#define ASK_INIT	{ .fd = -1, .answer = PH_BUFFER_INIT }

/* Connects.  open: a helper that does not run is started.  reach: PH_NONE, there is none. */
enum ph_error	ask_reach(struct ask *ask, const struct ph_conf *conf, struct ph_fail *fail)
		    PH_MUST_USE;
enum ph_error	ask_open(struct ask *ask, const struct ph_conf *conf, struct ph_fail *fail)
		    PH_MUST_USE;
void		ask_close(struct ask *ask);

/*
 * Hands over an order, JSON as order.h has it.  PH_OK and its answer; PH_BUSY, in the helper's words,
 * is what it refuses.  *tree: ph_json_free; it may be NULL.
 */
enum ph_error	ask_answer(struct ask *ask, const struct ph_buffer *order, struct ph_json **tree,
		    struct ph_fail *fail) PH_MUST_USE;

/* The same: EX_OK, or the exit status that the helper wants, after a line on standard error. */
int		ask_order(struct ask *ask, const struct ph_buffer *order, struct ph_json **tree);

#endif
