/*
 * sample -- the first event seen of each kind, kept without what is anybody's.
 * Knows event.  Does not know the store or when an event counts as seen.
 * Called by delivery: formatted while the event is at hand, written once the turn is committed.
 * Lives as files samples/KIND.json in the current directory: one webhook body each, to be parsed,
 * signed and sent again.
 * SPDX-License-Identifier: ISC
 */
#ifndef PH_SAMPLE_H
#define PH_SAMPLE_H

#include "event.h"

/*
 * Appends a body with this one event.  Its shape is the event's; ids are replaced, texts by their
 * length, links by their host; times are 0.  What says how an event is meant (type, action, source,
 * ...) stays, and so do flags and small numbers.  An event that is no object leaves "unknown" alone.
 */
void		ph_sample_format(const struct ph_event *event, const char *object,
		    struct ph_buffer *out);

/* Whether there is a file for this kind already. */
bool		ph_sample_is_kept(const char *kind);

/* Writes the file.  PH_NONE: there is one.  PH_BUSY: it cannot be written; the text says why. */
enum ph_error	ph_sample_keep(const char *kind, struct ph_slice body, struct ph_fail *fail)
		    PH_MUST_USE;

#endif
