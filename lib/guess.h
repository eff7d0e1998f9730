/*
 * guess -- the word that was meant: the nearest of those that are known.
 * Knows buffer.  Does not know which words there are.
 * Called by raw (keys), rule_fits (events), layer (settings) and the command (verbs), with one known
 * word after the other.
 * Lives on the caller's stack.
 * SPDX-License-Identifier: ISC
 */
#ifndef PH_GUESS_H
#define PH_GUESS_H

#include "buffer.h"

struct ph_guess {			/* PH_GUESS_INIT(the word that stands there) */
	struct ph_slice	 word;		/* borrowed */
	const char	*nearest;	/* so far, as it was given; NULL: none is near */
	size_t		 best;		/* nearer than this, in letters changed, missing or too many */
};

#define PH_GUESS_INIT(word)	{ word, NULL, 3 }

/* Might it have been this one?  Of a word as short as the distance all are near: none is. */
void	ph_guess_try(struct ph_guess *guess, const char *name);

#endif
