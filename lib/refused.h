/*
 * refused -- what fronts answered with no 200, since a delivery was last kept.
 * Knows buffer.  Does not know signatures, HTTP or who is told.
 * Called by the front, which counts; by lookout and survey.
 * Lives as the file "refused" in the state directory, so that it is seen where no helper runs.
 *
 *	file	"pagehook-refused 1 <the last that was kept, Unix ms>\n", and for each reason a line
 *		"<reason> <count> <first, Unix ms> <last, Unix ms>\n"
 *
 * Who finds the file in use by another leaves it for later: a count may be too low, never too high.
 * SPDX-License-Identifier: ISC
 */
#ifndef PH_REFUSED_H
#define PH_REFUSED_H

#include <stdint.h>

#include "buffer.h"

enum ph_refusal {
	PH_UNSIGNED,		/* 401: no signature */
	PH_MISFORMED,		/* 401: none that could be one */
	PH_MISMATCH,		/* 401: by another secret */
	PH_BROKEN_BODY,		/* 400: cut off, or signed and not JSON */
	PH_FOREIGN_OBJECT,	/* 404: signed, of an object that is not wanted */
	PH_LONG_BODY,		/* 413 */
	PH_NOT_KEPT,		/* 503: neither helper nor spool could keep it */
	PH_REFUSALS
};

struct ph_refused {
	int64_t	 kept_at;	/* Unix ms of the last delivery that was kept; 0: not known */
	struct ph_refused_count {
		int64_t	 n, first, last;	/* Unix ms */
	}	 by[PH_REFUSALS];
};

const char	*ph_refused_name(enum ph_refusal why);	/* for people: "without signature" */
void		 ph_refused_count(struct ph_refused *refused, enum ph_refusal why, int64_t now);

/* All of a range of reasons as one: how many, since when, the last. */
struct ph_refused_count
		 ph_refused_sum(const struct ph_refused *refused, enum ph_refusal from, enum ph_refusal to);

/*
 * Adds to the file what was refused since a delivery was last kept.  True: it stands there, and more is
 * empty now; false: not now.
 */
bool		 ph_refused_write(int state_fd, struct ph_refused *more);

/* A delivery was kept: what was refused before is over.  False: not now. */
bool		 ph_refused_end(int state_fd, int64_t kept_at);

/* PH_NONE: there is no such file, or nothing to be read in it.  PH_BUSY: somebody writes it. */
enum ph_error	 ph_refused_read(int state_fd, struct ph_refused *out, struct ph_fail *fail) PH_MUST_USE;

#endif
