/*
 * message -- what is sent of a text, and how a reply is recognised again.
 * Knows buffer, hex, utf8.  Does not know who says what, nor how it is sent.
 * Called by say and answer (texts become messages), and sending (the request around one).
 * Lives on the caller's stack.
 * Source: Meta, Messenger Platform, Send API reference.
 * SPDX-License-Identifier: ISC
 */
#ifndef PH_MESSAGE_H
#define PH_MESSAGE_H

#include "buffer.h"
#include "clock.h"

#define PH_MESSAGE_MAX_TEXT	2000	/* UTF-16 units: the stricter reading of "2000 characters" */
#define PH_TOKEN_LEN		16	/* bytes of the random token that a claim carries */

/*
 * Cuts the next message's worth off *rest: all of it, or as much as fits, ended at a blank where
 * there is one, never inside a character.  Empty when nothing but blanks is left: no message.
 */
struct ph_slice	ph_message_cut(struct ph_slice *rest);

/* The same with another limit: a button template's text ends at 640. */
struct ph_slice	ph_message_cut_at(struct ph_slice *rest, size_t max_units);

/* Appends {"text":"..."}, the message object. */
void		ph_message_format_text(struct ph_slice text, struct ph_buffer *out);

/*
 * What a reply is, beyond an answer within 24 h of the person's words ("", messaging_type RESPONSE):
 * said by an operator, by a human agent after 24 h, or not said at all but the thread passed on.
 */
#define PH_MESSAGE_UPDATE	"update"
#define PH_MESSAGE_HUMAN_AGENT	"human_agent"
#define PH_MESSAGE_PASS_THREAD	"pass_thread_control"

#define PH_MESSAGE_WINDOW_MS	PH_DAY_MS	/* so long after the person's last words Meta takes one */
#define PH_MESSAGE_AGENT_WINDOW_MS	(7 * PH_DAY_MS)	/* of a human agent */
#define PH_MESSAGE_PAGE_INBOX	"263902037430900"	/* the app id of Meta's own inbox */

/* Where such a reply is posted: the edge of the Page. */
const char	*ph_message_edge(const char *kind);

/*
 * Appends the body of one such request: recipient, messaging_type, and the message object with the
 * claim's token as its metadata, which Meta's echo brings back; or the thread's new owner.
 * message: a JSON object, at least "{}"; of PASS_THREAD {"target_app_id":"..."}.
 * person: a page-scoped id, or PH_MESSAGE_USER_REF and a plugin's user_ref.
 */
#define PH_MESSAGE_USER_REF	"user_ref:"
void		ph_message_format_send(const char *kind, struct ph_slice person,
		    struct ph_slice message, const unsigned char token[PH_TOKEN_LEN],
		    struct ph_buffer *out);

/* Appends the body that shows a sender action: "typing_on", "mark_seen". */
void		ph_message_format_action(struct ph_slice person, const char *action,
		    struct ph_buffer *out);

/* Whether an echo's metadata is pagehook's, of this installation or another. */
bool		ph_message_is_ours(struct ph_slice metadata);

/* Reads the token out of an echo's metadata; false: it is not one of ours. */
bool		ph_message_parse_token(struct ph_slice metadata, unsigned char token[PH_TOKEN_LEN]);

#endif
