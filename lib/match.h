/*
 * match -- a text against a pattern: the one door to PCRE2.
 * Knows buffer.  Does not know rules, events or files.
 * Called by rule_fits (compiles), reading (names) and think (tests).
 * Lives as long as the rules it belongs to; one thread, for a test leaves its captures behind.
 * SPDX-License-Identifier: ISC
 */
#ifndef PH_MATCH_H
#define PH_MATCH_H

#include "buffer.h"

struct ph_match;

enum ph_match_how {
	PH_MATCH_WHOLE,		/* the subject is this text, blanks around it aside */
	PH_MATCH_PART,		/* the subject has this text in it, anywhere */
	PH_MATCH_PATTERN	/* a regular expression that is found in it */
};

/*
 * Compiles text, UTF-8, to be matched without regard to case, with JIT where the platform has it.
 * PH_MALFORMED: no pattern; *at is the byte of text where that shows.  *out: ph_match_free.
 */
enum ph_error	 ph_match_new(struct ph_slice text, enum ph_match_how how, struct ph_match **out,
		    size_t *at, struct ph_fail *fail) PH_MUST_USE;
void		 ph_match_free(struct ph_match *match);

/*
 * PH_NONE: it does not match.  PH_TOOBIG: it would have cost more than the limits allow (100,000
 * steps from one place of the subject, a million from all, 1 MiB; some 20 ms): no match either, and
 * a person should be told.  subject must live as long as its captures are asked for; the next test
 * forgets them.
 */
enum ph_error	 ph_match_test(struct ph_match *match, struct ph_slice subject, struct ph_fail *fail)
		    PH_MUST_USE;

/* What the last test cost, in steps: a million is some 20 ms. */
size_t		 ph_match_work(const struct ph_match *match);

/* The groups, from 1: the name of the i-th, or its number as text; NULL past the last. */
const char	*ph_match_group(const struct ph_match *match, size_t i);

/* What the group of that name, or number as text, captured in the last test; absent: nothing. */
struct ph_slice	 ph_match_capture(const struct ph_match *match, const char *name);

#endif
