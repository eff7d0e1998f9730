/*
 * raw -- one value of a file that a person wrote: its members, its items, its text.
 * Knows json, scan, strict.  Does not know what the values mean.
 * Called by replies (the file), entry (an entry) and what reads its keys.
 * Lives as long as the copy that strict has of the file: a raw value is a slice of it.
 * SPDX-License-Identifier: ISC
 */
#ifndef PH_RAW_H
#define PH_RAW_H

#include "scan.h"
#include "strict.h"

struct ph_raw_member {			/* of an object that is read: born with its name */
	const char	*name;
	const char	*at;		/* its key in the copy; NULL: it is not there */
	struct ph_slice	 value;		/* raw */
};

struct ph_raw_items {			/* of a list; a value that is no list is one item */
	struct ph_scan	 scan;
	struct ph_slice	 one;		/* the value itself */
	bool		 list;
	size_t		 n;		/* items so far */
};

/*
 * Finds members of an object by name; order, if not NULL, gets their indices as they stand.
 * what: "an entry", for the flaw.
 * Returns how many were found; what is unknown, repeated or no object is a flaw.
 */
size_t	 ph_raw_members(struct ph_strict *file, struct ph_slice object, const char *what,
	    struct ph_raw_member *members, size_t n, size_t *order);

/* The items one after the other; false: there are no more. */
struct ph_raw_items	 ph_raw_items(struct ph_slice value);
bool	 ph_raw_next(struct ph_raw_items *items, struct ph_slice *item);

/* After the last: a list must have had items, and at most max; 0: any number. */
void	 ph_raw_count(struct ph_strict *file, const struct ph_raw_items *items, size_t max);

/*
 * A string's text, ended by a NUL as well; the caller's to free.
 * expected: "a word or a list of words", for the flaw.  NULL: it is no string, which was noted.
 */
char	*ph_raw_text(struct ph_strict *file, struct ph_slice raw, const char *expected, size_t *len);

/* Whether a raw string's text is an address, of a scheme that no field can change; else a flaw. */
bool	 ph_raw_is_address(struct ph_strict *file, struct ph_slice raw, const char *text);

/* Where in a raw string the byte of its text stands that another module complained of. */
const char	*ph_raw_at(struct ph_slice raw, size_t byte);

bool	 ph_raw_is_string(struct ph_slice raw);
bool	 ph_raw_is_true(struct ph_strict *file, struct ph_slice raw);	/* all else is a flaw */
bool	 ph_raw_is_blank(const char *text);		/* of JSON's blanks, or empty */

#endif
