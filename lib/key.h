/*
 * key -- what makes two deliveries the same event.
 * Knows event, scan, signature's digest.  Does not know the store that remembers it.
 * Called by ledger.
 * Lives on the caller's stack.
 *
 * Never a hash of the event: a retry of Meta's has another entry time, other attachment URLs and
 * maybe another batch around it.  The key is kind|page|parts, and the parts are the kind's own.
 * SPDX-License-Identifier: ISC
 */
#ifndef PH_KEY_H
#define PH_KEY_H

#include "event.h"

#define PH_KEY_RULE	"1"	/* a change of the rule is a new version: old keys stay findable */
#define PH_KEY_LEN	16	/* bytes that the store remembers */

/* Appends the key's text; "standby:" stands before what was only overheard. */
void		ph_key_format(const struct ph_event *event, struct ph_buffer *out);

/* The key as the store keeps it: the first bytes of a SHA-256 over rule and text. */
enum ph_error	ph_key_digest(struct ph_slice text, unsigned char out[PH_KEY_LEN],
		    struct ph_fail *fail) PH_MUST_USE;

#endif
