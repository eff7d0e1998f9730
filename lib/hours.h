/*
 * hours -- "mon-fri 09:00-17:00", and whether a moment lies in it.
 * Knows buffer.  Does not know rules or events.
 * Called by rule_fits (parses) and think (asks).
 * Lives in the rule that it belongs to; a plain value.
 *
 * Days, times, or both: "sat,sun", "09:00-17:00", "mon-fri 09:00-17:00".  A time that ends before it
 * begins passes midnight, and the day is the one on which it began.  The time zone is the process's.
 * SPDX-License-Identifier: ISC
 */
#ifndef PH_HOURS_H
#define PH_HOURS_H

#include <stdint.h>

#include "buffer.h"

struct ph_hours {
	unsigned	days;		/* bit 0: Sunday */
	int		from, to;	/* minutes of the day; to is not in it */
};

/* PH_MALFORMED: the text says what was expected, *at is the byte where. */
enum ph_error	ph_hours_parse(struct ph_slice text, struct ph_hours *out, size_t *at,
		    struct ph_fail *fail) PH_MUST_USE;

bool		ph_hours_hold(const struct ph_hours *hours, int64_t at);	/* Unix ms */

#endif
