/*
 * error -- what can go wrong, as a closed list, and the cause beside it.
 * Knows nothing else.  Does not log: who detects words it, who decides logs it.
 * Called by everybody.
 * Lives on the caller's stack: a struct ph_fail is a value, the first writer wins.
 * SPDX-License-Identifier: ISC
 */
#ifndef PH_ERROR_H
#define PH_ERROR_H

#define PH_MUST_USE	__attribute__((warn_unused_result))
#define PH_FORMAT(f, a)	__attribute__((format(printf, f, a)))

enum ph_error {			/* closed: each table that translates answers every value */
	PH_OK = 0,
	PH_NONE,		/* no failure: nothing due, no such row, not for us */
	PH_MALFORMED,		/* bytes that cannot be right: asking again is useless */
	PH_FORGED,		/* signature or token does not match */
	PH_TOOBIG,		/* over the limit that the text names */
	PH_BUSY,		/* locked, full, timed out, refused: ask again later */
	PH_NOMEM,
	PH_CONFIG,		/* the operator's to mend; the text starts with where */
	PH_BROKEN		/* store or library damaged: stop, say so, touch nothing */
};

struct ph_fail {
	enum ph_error	err;
	char		text[240];	/* one line, never a secret or a person's words */
};

#define PH_FAIL_INIT	{ PH_OK, "" }

/*
 * Notes err and its text in *fail and returns err, so that a failing function ends in
 * "return ph_error_set(...)".  A *fail that already bears an error keeps it: what cleaning up
 * runs into never hides the cause.  fail may be NULL when nobody will read the text.
 */
enum ph_error	ph_error_set(struct ph_fail *fail, enum ph_error err, const char *fmt, ...)
		    PH_FORMAT(3, 4);

/* The error's short name, for logs: "malformed", "busy".  Static. */
const char	*ph_error_name(enum ph_error err);

#endif
