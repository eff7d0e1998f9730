/*
 * answer -- what a handler said, as messages.
 * Knows json, scan, message, bounds.  Does not know processes or pipes.
 * Called by asked, chat and "replies test" with a handler's whole output or one "reply" of it.
 * Lives on the caller's stack.
 * Described in cgi/pagehook-handler.7.
 * SPDX-License-Identifier: ISC
 */
#ifndef PH_ANSWER_H
#define PH_ANSWER_H

#include "buffer.h"

/*
 * An exec handler's standard output: one text, or, if its first byte is "{", a message object a
 * line.  Appends message objects to out, each on a line of its own; nothing when it says nothing.
 * A text over the limit is cut at words into several.
 * PH_MALFORMED: not UTF-8, not a message, beyond a limit of Meta's; the text names the byte.
 */
enum ph_error	ph_answer_read_output(struct ph_slice output, struct ph_buffer *out,
		    struct ph_fail *fail) PH_MUST_USE;

/* A coproc's "reply" value as raw JSON: a text, a message object, or a list of such; the same else. */
enum ph_error	ph_answer_read_reply(struct ph_slice json, struct ph_buffer *out,
		    struct ph_fail *fail) PH_MUST_USE;

#endif
