/*
 * bounds -- what the Send API takes of a message object.
 * Knows json, scan, message.  Does not know where the object comes from, nor how it is sent.
 * Called by reading (a file that is read), think (what filling brought) and answer (handlers).
 * Lives on the caller's stack.
 * Source: Meta, Messenger Platform, Send API reference: message, templates, buttons, quick replies.
 * SPDX-License-Identifier: ISC
 */
#ifndef PH_BOUNDS_H
#define PH_BOUNDS_H

#include "buffer.h"

/*
 * Whether the Send API would take this message object: raw JSON that need not have been scanned.
 * PH_MALFORMED: the text says where and what, "attachment.payload.buttons: 4, at most 3".
 * warn, if not NULL, is called with such words where Meta's limit is not certain: titles, payloads.
 */
enum ph_error	ph_bounds_check(struct ph_slice message, void (*warn)(void *arg, const char *words),
		    void *arg, struct ph_fail *fail) PH_MUST_USE;

#endif
