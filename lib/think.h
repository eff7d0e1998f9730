/*
 * think -- what to say to an event.
 * Knows event, message.  Does not know the store, Graph or the clock.
 * Called by delivery, once for each new event that may be answered.
 * Lives in memory alone: pure and fast, so that one commit stands between a POST and its reply.
 * SPDX-License-Identifier: ISC
 */
#ifndef PH_THINK_H
#define PH_THINK_H

#include "event.h"

/*
 * Calls say with each message object that answers the event, in order; none: nothing to say.
 * Stops at, and returns, the first error of say's.  message is borrowed for the call.
 */
enum ph_error	ph_think(const struct ph_event *event,
		    enum ph_error (*say)(void *arg, struct ph_slice message, struct ph_fail *fail),
		    void *arg, struct ph_fail *fail) PH_MUST_USE;

#endif
