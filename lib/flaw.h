/*
 * flaw -- what is wrong with a file that a person wrote, and where: all of it, not only the first.
 * Knows buffer, utf8.  Does not know what the file means.
 * Called by strict, which notes flaws, and by whoever shows them.
 * Lives on the caller's stack; the text it counts lines in is borrowed.
 * SPDX-License-Identifier: ISC
 */
#ifndef PH_FLAW_H
#define PH_FLAW_H

#include "buffer.h"

#define PH_FLAWS_MAX	32		/* who made more mends these first */

struct ph_flaw {
	size_t	 line, column;		/* from 1; columns are characters, as editors count */
	bool	 warning;		/* the file is used as it is */
	char	 text[200];		/* what is wrong and what was expected */
};

struct ph_flaws {
	struct ph_slice	 text;		/* the whole file, borrowed */
	struct ph_flaw	 all[PH_FLAWS_MAX];	/* in the order they were found */
	size_t		 n, n_errors;	/* n_errors: those that are no warnings, also beyond the maximum */
};

/* at points into the text; NULL: its start. */
void	ph_flaw_add(struct ph_flaws *flaws, const char *at, const char *fmt, ...) PH_FORMAT(3, 4);
void	ph_flaw_warn(struct ph_flaws *flaws, const char *at, const char *fmt, ...) PH_FORMAT(3, 4);

#endif
