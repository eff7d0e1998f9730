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
enum ph_error	ask_reach(struct ask *ask, const struct ph_conf *conf, struct ph_fail *fail) PH_MUST_USE;
enum ph_error	ask_open(struct ask *ask, const struct ph_conf *conf, struct ph_fail *fail) PH_MUST_USE;
void		ask_close(struct ask *ask);

/*
 * Hands over an order, JSON as order.h has it.  EX_OK and its answer, or an exit status after a line on
 * standard error.  *tree: ph_json_free; it may be NULL.
 */
int		ask_order(struct ask *ask, const struct ph_buffer *order, struct ph_json **tree);

#endif
