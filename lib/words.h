/*
 * words -- a command as a setting holds it: words between blanks, without a shell.
 * Knows error.  Does not know what is run.
 * Called by conf, which checks it, and by alert.
 * Lives as an array of the caller's.
 * SPDX-License-Identifier: ISC
 */
#ifndef PH_WORDS_H
#define PH_WORDS_H

#include "error.h"

/*
 * Cuts text at its blanks; double quotes keep those within them, and are no part of the word.
 * PH_MALFORMED: no word at all, or a quote without its other.  *out: ended by NULL, ph_words_free.
 */
enum ph_error	ph_words_parse(const char *text, char ***out, struct ph_fail *fail) PH_MUST_USE;
void		ph_words_free(char **words);

#endif
