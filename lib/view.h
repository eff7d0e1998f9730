/*
 * view -- an event as rules see it: what it is called, and the texts that can be asked about.
 * Knows event, rule.  Does not know which rule fits.
 * Called by think.
 * Lives on think's stack; borrowed from the event.
 * SPDX-License-Identifier: ISC
 */
#ifndef PH_VIEW_H
#define PH_VIEW_H

#include "clock.h"
#include "event.h"


struct ph_view {
	const struct ph_event	*event;
	const char		*on;		/* static: what rules call it: "text", "postback" .. */
	unsigned		 bit;		/* PH_ON_TEXT ..: the same for a rule's "on" */
	struct ph_slice		 text, payload, ref;	/* absent: the event has none */
	bool			 sticker;
	char			 time[PH_CLOCK_TEXT];	/* "2026-01-31T12:00:00.000Z" */
};

/* at: Unix ms, when it happened.  False: rules have no word for such an event. */
bool		 ph_view_read(struct ph_view *view, const struct ph_event *event, int64_t at);

/* The i-th attachment's type; a sticker is that alone, whatever else Meta lists it as. */
struct ph_slice	 ph_view_type(const struct ph_view *view, size_t i);

#endif
