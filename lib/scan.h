/*
 * scan -- one strict pass over JSON, and where each value in it begins and ends.
 * Knows json, utf8, hex.  Does not know what a webhook looks like.
 * Called by intake, over a whole body; by event and key, for what they ask of one.
 * Lives on the caller's stack; the slices it gives borrow the body.
 *
 * Why our own: json-c gives no raw slices, and its strict mode takes NaN, control bytes, single
 * quotes and what follows a NUL.  This is RFC 8259 with UTF-8, and it comes first.
 * SPDX-License-Identifier: ISC
 */
#ifndef PH_SCAN_H
#define PH_SCAN_H

#include "json.h"

#define PH_SCAN_MAX_MARKS	200000		/* commas and brackets: what a tree costs in memory */

struct ph_scan {		/* a cursor that validates every byte it passes */
	const char	*start, *at, *end;
	const char	*nul;			/* the last \u0000 that was passed; before any, start */
	unsigned	 depth;
	bool		 begun;			/* the entered container has had an item */
	unsigned	 marks;
	enum ph_error	 err;			/* PH_MALFORMED or PH_TOOBIG; the cursor then stays put */
	const char	*expected;
};

void		 ph_scan_begin(struct ph_scan *scan, struct ph_slice bytes);

/* Whether the next value is an object ('{') or an array ('['); if so it is entered. */
bool		 ph_scan_enter(struct ph_scan *scan, char bracket);

/*
 * The next member of the entered object: the cursor stands before its value; key, if not NULL, gets
 * its key as it is between the quotes.  False at the closing bracket, which is passed, and after an
 * error.
 */
bool		 ph_scan_member(struct ph_scan *scan, struct ph_slice *key);

/* The same for an entered array. */
bool		 ph_scan_element(struct ph_scan *scan);

/* Passes the next value, whatever it is; value, if not NULL, gets its bytes. */
void		 ph_scan_skip(struct ph_scan *scan, struct ph_slice *value);

/* PH_OK when all went well and nothing but white space is left; else the text names the byte. */
enum ph_error	 ph_scan_end(struct ph_scan *scan, struct ph_fail *fail) PH_MUST_USE;

/* Whether a key that the scan gave, escapes and all, means this name, which is ASCII. */
bool		 ph_scan_key_is(struct ph_slice key, const char *name);

/*
 * The value of a member of an object that was scanned before; of a repeated one the last, as for the
 * parser.  Absent: it is no object, has no such member, or it is null.
 */
struct ph_slice	 ph_scan_find(struct ph_slice object, const char *name);

#endif
