/*
 * intake -- a body's events, in order: all entries, all channels.
 * Knows scan, event's source.  Does not know what an event means.
 * Called by delivery, for every body.
 * Lives where delivery does; its events borrow the body.
 * Source: Meta, Webhooks, event notifications: up to 1,000 updates in one POST.
 * SPDX-License-Identifier: ISC
 */
#ifndef PH_INTAKE_H
#define PH_INTAKE_H

#include "event.h"

#define PH_INTAKE_MAX_EVENTS	4096

struct ph_intake_list {
	struct ph_event_source	*all;
	size_t			 n, cap;
};

struct ph_intake {
	char			 object[64];
	struct ph_intake_list	 events;	/* per entry: messaging, then standby, then changes */

	struct ph_intake_list	 channels[3];	/* of the entry being read */
};

#define PH_INTAKE_INIT	{ "", { NULL, 0, 0 }, { { NULL, 0, 0 } } }

/*
 * Scans the whole body once.  objects: those that are wanted, comma-separated, compared exactly.
 * PH_NONE: the object is another, the text names it.  PH_MALFORMED: not JSON, or not an object.
 * PH_TOOBIG: beyond a limit.  PH_NOMEM.  May be called again and again with the same *out.
 */
enum ph_error	ph_intake_read(struct ph_slice body, const char *objects, struct ph_intake *out,
		    struct ph_fail *fail) PH_MUST_USE;
void		ph_intake_clear(struct ph_intake *intake);

#endif
