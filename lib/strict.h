/*
 * strict -- a JSON file that a person wrote, while it is read: every flaw is noted with its place.
 * Knows scan, flaw, guess.  Does not know what the file is about.
 * Called by replies (the file), raw (its values) and what reads an entry's keys.
 * Lives on the caller's stack while the file is read; then the flaws alone are left.
 * SPDX-License-Identifier: ISC
 */
#ifndef PH_STRICT_H
#define PH_STRICT_H

#include "flaw.h"
#include "guess.h"

struct ph_strict {			/* born with its flaws, the rest empty */
	struct ph_flaws	*flaws;		/* the caller's; their text is as long as the copy */
	char		*copy;		/* the file's text, its comments blanked out */
	const char	*key;		/* whose value is read: what is said of it begins so */
	bool		 no_memory;	/* asked about once, when all is read */
};

/*
 * Takes a copy of text: UTF-8, JSON with // and slash-star comments, at most 1 MiB; a mark of the
 * byte order before it is passed over.  flaws forgets what it had, its text is set to this one.
 * *top: the one value, raw, within the copy; none of what is in it is broken JSON.
 * False: it cannot be read, which was noted.
 */
bool	ph_strict_begin(struct ph_strict *file, struct ph_slice text, struct ph_slice *top);

/* Frees the copy, also after false, and brings the flaws in the order in which a person reads. */
void	ph_strict_end(struct ph_strict *file);

/* What is wrong; at: where, in the copy. */
void	ph_strict_flaw(struct ph_strict *file, const char *at, const char *fmt, ...) PH_FORMAT(3, 4);

/* "unknown key 'sya'; did you mean 'say'?": what is "unknown key". */
void	ph_strict_unknown(struct ph_strict *file, const char *at, const char *what,
	    const struct ph_guess *guess);

/* What another module said against the key's value: memory that ran out is nobody's flaw. */
void	ph_strict_blame(struct ph_strict *file, const char *at, const struct ph_fail *fail);

/* The file is used as it is, but its owner should know this of the key's value. */
void	ph_strict_warn(struct ph_strict *file, const char *at, const char *words);

/* A list of n things of this size, with room for one more; NULL: no memory, list is as it was. */
void	*ph_strict_grow(struct ph_strict *file, void *list, size_t n, size_t size);

#endif
