/*
 * query -- one value out of a query string.
 * Knows hex.  Does not know which names matter.
 * Called by the front, on bytes nobody has proved.
 * Lives on the caller's stack.
 * SPDX-License-Identifier: ISC
 */
#ifndef PH_QUERY_H
#define PH_QUERY_H

#include <stdbool.h>

#include "buffer.h"

/*
 * The decoded value of name in the query string, written to out with a NUL after it.
 * Names are compared as they stand on the wire; values are form-encoded: %xx and + are decoded.
 * PH_NONE: the name is not there.  PH_MALFORMED: there twice, a bad or a zero escape.
 * PH_TOOBIG: does not fit size.
 * Source: Meta, Webhooks, verification requests: hub.mode, hub.challenge, hub.verify_token.
 */
enum ph_error	ph_query_get(const char *query, const char *name, char *out, size_t size)
		    PH_MUST_USE;

/* Whether any name of the query starts with prefix. */
bool		ph_query_has(const char *query, const char *prefix);

#endif
