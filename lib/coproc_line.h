/*
 * coproc_line -- one line that a coproc wrote: a hello, an answer, or words for the log.
 * Knows scan, json, place.  Does not know who wrote it, nor what else was asked.
 * Called by coproc, a line at a time.
 * Lives on the caller's stack; the reply borrows the line.
 * Described in cgi/pagehook-handler.7.
 * SPDX-License-Identifier: ISC
 */
#ifndef PH_COPROC_LINE_H
#define PH_COPROC_LINE_H

#include "json.h"
#include "place.h"

struct ph_coproc_line {			/* what is absent or null is NULL */
	struct ph_slice	 reply;		/* raw JSON, as it stands in the line */
	struct ph_json	*pagehook, *hello, *id, *retry, *dead, *log, *msg;
};

#define PH_COPROC_LINE_INIT	{ { NULL, 0 }, NULL, NULL, NULL, NULL, NULL, NULL, NULL }

/* PH_MALFORMED or PH_TOOBIG: not one strict JSON object in UTF-8.  Unknown members are no error. */
enum ph_error	ph_coproc_line_read(struct ph_slice bytes, struct ph_coproc_line *out,
		    struct ph_fail *fail) PH_MUST_USE;

/* The event that it answers, "e4821" as 4821; 0: none that could be one. */
int64_t		ph_coproc_line_event(const struct ph_coproc_line *line);

/* What it says of that event: "dead" before "retry" before "reply". */
void		ph_coproc_line_settle(const struct ph_coproc_line *line, struct ph_place *place);

void		ph_coproc_line_clear(struct ph_coproc_line *line);

#endif
