/*
 * hex -- bytes as hexadecimal digits and back.
 * Knows nothing else.  Does not allocate.
 * Called by signature, message and the stores' neighbours.
 * Lives on the caller's stack.
 * SPDX-License-Identifier: ISC
 */
#ifndef PH_HEX_H
#define PH_HEX_H

#include <stdbool.h>
#include <stddef.h>

/* Writes 2 * len lower-case digits and a NUL to out. */
void	ph_hex_format(const unsigned char *bytes, size_t len, char *out);

/* Reads exactly 2 * len digits, either case, into out; false on anything else.  digits need not end. */
bool	ph_hex_parse(const char *digits, size_t n_digits, unsigned char *out, size_t len);

/* The value of one digit, either case; -1: it is none. */
int	ph_hex_digit(char digit);

#endif
