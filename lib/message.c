/*
 * message -- what is sent of a text, and how a reply is recognised again.
 * Knows buffer, hex, utf8.  Does not know who says what, nor how it is sent.
 * Called by say and answer (texts become messages), and sending (the request around one).
 * Lives on the caller's stack.
 * SPDX-License-Identifier: ISC
 */
#include <stdint.h>
#include <string.h>

#include "hex.h"
#include "message.h"
#include "utf8.h"

#define TOKEN_MARK	"ph1:"		/* whose metadata it is, and which form of it */
#define MAX_CLUSTER	64		/* bytes: who piles up more marks than that sees them split */

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\0';
}

/* The character at text, and its length; one that is none is a byte that means nothing. */
static uint32_t
read_char(const char *text, size_t left, size_t *len)
{
	uint32_t	 c;
	size_t		 i;

	if ((*len = ph_utf8_len(text, left)) == 0)
		*len = 1;
	c = (unsigned char)*text & (*len == 1 ? 0x7fu : 0x7fu >> *len);
	for (i = 1; i < *len; i++)
		c = c << 6 | ((unsigned char)text[i] & 0x3f);
	return c;
}

static size_t
before(const char *text, size_t at)		/* where the character ends that precedes at: begins */
{
	while (at > 0 && ((unsigned char)text[--at] & 0xc0) == 0x80)
		continue;
	return at;
}

#define JOINER		0x200d
#define IS_FLAG(c)	((c) >= 0x1f1e6 && (c) <= 0x1f1ff)	/* a half of one: letters go in pairs */

/* What is drawn onto the character before it. */
static bool
is_mark(uint32_t c)
{
	static const struct { uint32_t from, to; } marks[] = {
		{ 0x0300, 0x036f }, { 0x0483, 0x0489 }, { 0x0591, 0x05bd }, { 0x0610, 0x061a },
		{ 0x064b, 0x065f }, { 0x0900, 0x0903 }, { 0x093a, 0x093c }, { 0x093e, 0x094f },
		{ 0x0e31, 0x0e31 }, { 0x0e34, 0x0e3a }, { 0x0e47, 0x0e4e }, { 0x1ab0, 0x1aff },
		{ 0x1dc0, 0x1dff }, { JOINER, JOINER }, { 0x20d0, 0x20ff }, { 0x3099, 0x309a },
		{ 0xfe00, 0xfe0f }, { 0xfe20, 0xfe2f }, { 0x1f3fb, 0x1f3ff }, { 0xe0020, 0xe007f },
		{ 0xe0100, 0xe01ef },
	};
	size_t	 i;

	for (i = 0; i < sizeof(marks) / sizeof(marks[0]); i++)
		if (c >= marks[i].from && c <= marks[i].to)
			return true;
	return false;
}

/* Whether what stands before and after this byte is seen as one. */
static bool
joins(struct ph_slice text, size_t at)
{
	size_t		 n, halves = 0, p = before(text.at, at);
	uint32_t	 c = read_char(text.at + at, text.len - at, &n);

	if (is_mark(c) || read_char(text.at + p, text.len - p, &n) == JOINER)
		return true;
	if (!IS_FLAG(c))
		return false;
	for (; IS_FLAG(read_char(text.at + p, text.len - p, &n)); p = before(text.at, p)) {
		halves++;
		if (p == 0)
			break;
	}
	return halves % 2 == 1;
}

static size_t
step_back(struct ph_slice text, size_t from)
{
	size_t	 at = from;

	while (at > 0 && from - at < MAX_CLUSTER && joins(text, at))
		at = before(text.at, at);
	return at > 0 && from - at < MAX_CLUSTER ? at : from;
}

struct ph_slice
ph_message_cut(struct ph_slice *rest)
{
	return ph_message_cut_at(rest, PH_MESSAGE_MAX_TEXT);
}

struct ph_slice
ph_message_cut_at(struct ph_slice *rest, size_t max_units)
{
	struct ph_slice	 part;
	size_t		 at = 0, n, units = 0, blank = 0;

	while (rest->len > 0 && is_blank(rest->at[0]))
		*rest = (struct ph_slice){ rest->at + 1, rest->len - 1 };
	while (at < rest->len) {
		if ((n = ph_utf8_len(rest->at + at, rest->len - at)) == 0)
			n = 1;
		units += n == 4 ? 2 : 1;
		if (units > max_units)
			break;
		if (is_blank(rest->at[at]))
			blank = at;
		at += n;
	}
	if (at < rest->len)
		at = blank > 0 ? blank : step_back(*rest, at);
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

static void
format_recipient(struct ph_slice person, struct ph_buffer *out)
{
	const size_t	 n = sizeof(PH_MESSAGE_USER_REF) - 1;
	const bool	 by_ref = person.len > n && memcmp(person.at, PH_MESSAGE_USER_REF, n) == 0;

	ph_buffer_adds(out, by_ref ? "{\"recipient\":{\"user_ref\":\"" : "{\"recipient\":{\"id\":\"");
	ph_buffer_add_json(out, by_ref ? (struct ph_slice){ person.at + n, person.len - n } : person);
	ph_buffer_adds(out, "\"}");
}

const char *
ph_message_edge(const char *kind)
{
	return strcmp(kind, PH_MESSAGE_PASS_THREAD) == 0 ? PH_MESSAGE_PASS_THREAD : "messages";
}

void
ph_message_format_send(const char *kind, struct ph_slice person, struct ph_slice message,
    const unsigned char token[PH_TOKEN_LEN], struct ph_buffer *out)
{
	const char	*type = "RESPONSE\"";
	char		 hex[2 * PH_TOKEN_LEN + 1];

	format_recipient(person, out);
	if (strcmp(kind, PH_MESSAGE_PASS_THREAD) == 0) {
		ph_buffer_adds(out, ",");
		ph_buffer_add(out, message.at + 1, message.len - 1);
		return;
	}
	if (strcmp(kind, PH_MESSAGE_UPDATE) == 0)
		type = "UPDATE\"";
	else if (strcmp(kind, PH_MESSAGE_HUMAN_AGENT) == 0)
		type = "MESSAGE_TAG\",\"tag\":\"HUMAN_AGENT\"";
	ph_hex_format(token, PH_TOKEN_LEN, hex);
	ph_buffer_adds(out, ",\"messaging_type\":\"");
	ph_buffer_adds(out, type);
	ph_buffer_adds(out, ",\"message\":{\"metadata\":\"" TOKEN_MARK);
	ph_buffer_adds(out, hex);
	ph_buffer_adds(out, message.len > 2 ? "\"," : "\"");
	ph_buffer_add(out, message.at + 1, message.len - 1);
	ph_buffer_adds(out, "}");
}

void
ph_message_format_action(struct ph_slice person, const char *action, struct ph_buffer *out)
{
	format_recipient(person, out);
	ph_buffer_addf(out, ",\"sender_action\":\"%s\"}", action);
}

bool
ph_message_is_ours(struct ph_slice metadata)
{
	const size_t	 n = sizeof(TOKEN_MARK) - 1;

	return metadata.len > n && memcmp(metadata.at, TOKEN_MARK, n) == 0;
}

bool
ph_message_parse_token(struct ph_slice metadata, unsigned char token[PH_TOKEN_LEN])
{
	const size_t	 n = sizeof(TOKEN_MARK) - 1;

	return ph_message_is_ours(metadata) &&
	    ph_hex_parse(metadata.at + n, metadata.len - n, token, PH_TOKEN_LEN);
}
