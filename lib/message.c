/*
 * message -- what the Send API takes, and how a reply is recognised again.
 * Knows buffer, hex.  Does not know who says what, nor how it is sent.
 * Called by think (messages) and turn (the request around one).
 * Lives on the caller's stack.
 * SPDX-License-Identifier: ISC
 */
#include <string.h>

#include "hex.h"
#include "message.h"
#include "utf8.h"

#define TOKEN_MARK	"ph1:"		/* whose metadata it is, and which form of it */

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\0';
}

struct ph_slice
ph_message_cut(struct ph_slice *rest)
{
	struct ph_slice	 part;
	size_t		 at = 0, n, units = 0, blank = 0;

	while (rest->len > 0 && is_blank(rest->at[0]))
		*rest = (struct ph_slice){ rest->at + 1, rest->len - 1 };
	while (at < rest->len) {
		if ((n = ph_utf8_len(rest->at + at, rest->len - at)) == 0)
			n = 1;
		units += n == 4 ? 2 : 1;
		if (units > PH_MESSAGE_MAX_TEXT)
			break;
		if (is_blank(rest->at[at]))
			blank = at;
		at += n;
	}
	if (at < rest->len && blank > 0)
		at = blank;
	part = (struct ph_slice){ rest->at, at };
	*rest = (struct ph_slice){ rest->at + at, rest->len - at };
	return part;
}

void
ph_message_format_text(struct ph_slice text, struct ph_buffer *out)
{
	ph_buffer_adds(out, "{\"text\":\"");
	ph_buffer_add_json(out, text);
	ph_buffer_adds(out, "\"}");
}

void
ph_message_format_send(struct ph_slice psid, struct ph_slice message,
    const unsigned char token[PH_TOKEN_LEN], struct ph_buffer *out)
{
	char	 hex[2 * PH_TOKEN_LEN + 1];

	ph_hex_format(token, PH_TOKEN_LEN, hex);
	ph_buffer_adds(out, "{\"recipient\":{\"id\":\"");
	ph_buffer_add_json(out, psid);
	ph_buffer_addf(out, "\"},\"messaging_type\":\"RESPONSE\",\"message\":{\"metadata\":\"" TOKEN_MARK
	    "%s\"%s", hex, message.len > 2 ? "," : "");
	ph_buffer_add(out, message.at + 1, message.len - 1);
	ph_buffer_adds(out, "}");
}

bool
ph_message_parse_token(struct ph_slice metadata, unsigned char token[PH_TOKEN_LEN])
{
	const size_t	 n = sizeof(TOKEN_MARK) - 1;

	return metadata.len > n && memcmp(metadata.at, TOKEN_MARK, n) == 0 &&
	    ph_hex_parse(metadata.at + n, metadata.len - n, token, PH_TOKEN_LEN);
}
