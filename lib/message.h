/*
 * message -- what the Send API takes, and how a reply is recognised again.
 * Knows buffer, hex.  Does not know who says what, nor how it is sent.
 * Called by think (messages) and turn (the request around one).
 * Lives on the caller's stack.
 * Source: Meta, Messenger Platform, Send API reference.
 * SPDX-License-Identifier: ISC
 */
#ifndef PH_MESSAGE_H
#define PH_MESSAGE_H

#include "buffer.h"

#define PH_MESSAGE_MAX_TEXT	2000	/* UTF-16 units: the stricter reading of "2000 characters" */
#define PH_TOKEN_LEN		16	/* bytes of the random token that a claim carries */

/*
 * Cuts the next message's worth off *rest: all of it, or as much as fits, ended at a blank where
 * there is one, never inside a character.  Empty when nothing but blanks is left: no message.
 */
struct ph_slice	ph_message_cut(struct ph_slice *rest);

/* Appends {"text":"..."}, the message object. */
void		ph_message_format_text(struct ph_slice text, struct ph_buffer *out);

/*
 * Appends the body of one Send API request: recipient, messaging_type RESPONSE, and the message
 * object with the claim's token as its metadata, which Meta's echo brings back.
 * message: a JSON object, at least "{}".
 */
void		ph_message_format_send(struct ph_slice psid, struct ph_slice message,
		    const unsigned char token[PH_TOKEN_LEN], struct ph_buffer *out);

/* Reads the token out of an echo's metadata; false: it is not one of ours. */
bool		ph_message_parse_token(struct ph_slice metadata, unsigned char token[PH_TOKEN_LEN]);

#endif
