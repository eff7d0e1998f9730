/*
 * timeline -- what the log says of one reply or event, in the order it happened.
 * Knows json, scan, event's times.  Does not know the store or how it is shown.
 * Called by the operator's verbs.
 * Lives for one command.
 * SPDX-License-Identifier: ISC
 */
#ifndef PH_TIMELINE_H
#define PH_TIMELINE_H

#include <stdbool.h>
#include <stdint.h>

#include "buffer.h"

struct ph_timeline_moment {
	int64_t			 at;		/* Unix ms */
	struct ph_buffer	 what;		/* in words */
	int64_t			 http, ms;	/* of a try; http 0: no answer */
	int64_t			 next;		/* Unix ms: when it is tried again; 0: not said */
	struct ph_buffer	 error;		/* Graph's raw error object; empty: none */
	bool			 tried;
};

struct ph_timeline {
	struct ph_timeline_moment	*all;
	size_t				 n, cap;
	bool				 received, tried;	/* the log says when */
	bool				 cut;		/* a file was too long to be read from its start */
};

#define PH_TIMELINE_INIT	{ NULL, 0, 0, false, false, false }

/*
 * Reads the lines that name one of these ids (the second may be "") and are not older than since
 * (Unix ms: a number is given anew when its row was dropped), out of the log file and those it was
 * renamed to, with .1 to .9 behind its name: the last 64 MiB of each.  A line that is none of ours is
 * passed over.
 * PH_NONE: there is no log at path, or it cannot be read; the text says why.
 */
enum ph_error	ph_timeline_read(const char *path, const char *id, const char *other, int64_t since,
		    struct ph_timeline *out, struct ph_fail *fail) PH_MUST_USE;

/* One more, at the end; what is empty. */
struct ph_timeline_moment
		*ph_timeline_add(struct ph_timeline *timeline, int64_t at) PH_MUST_USE;

void		ph_timeline_clear(struct ph_timeline *timeline);

#endif
