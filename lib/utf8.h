/*
 * utf8 -- where a character ends.
 * Knows nothing else.  Does not allocate or translate.
 * Called by log, json and message.
 * Lives on the caller's stack.
 * SPDX-License-Identifier: ISC
 */
#ifndef PH_UTF8_H
#define PH_UTF8_H

#include <stddef.h>

/* The length in bytes of the well-formed character at text (RFC 3629); 0: there is none. */
size_t	ph_utf8_len(const char *text, size_t left);

#endif
