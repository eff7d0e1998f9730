/*
 * answer -- what a handler said, as messages.
 * Knows json, scan, message, bounds.  Does not know processes or pipes.
 * Called by asked, chat and "replies test" with a handler's whole output or one "reply" of it.
 * Lives on the caller's stack.
 * Described in cgi/pagehook-handler.7.
 * SPDX-License-Identifier: ISC
 */
#include <string.h>

#include "answer.h"
#include "bounds.h"
#include "message.h"
#include "scan.h"
#include "utf8.h"

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static void
say(struct ph_slice text, struct ph_buffer *out)
{
	struct ph_slice	 part;

	while (text.len > 0 && is_blank(text.at[text.len - 1]))
		text.len--;
	while ((part = ph_message_cut(&text)).len > 0) {
		ph_message_format_text(part, out);
		ph_buffer_adds(out, "\n");
	}
}

/* A message object on one line: what a scan has passed, without the blanks between its values. */
static void
add_object(struct ph_slice json, struct ph_buffer *out)
{
	bool	 inside = false;
	size_t	 i;

	for (i = 0; i < json.len; i++) {
		if (inside && json.at[i] == '\\')
			ph_buffer_add(out, json.at + i++, 1);
		else if (json.at[i] == '"')
			inside = !inside;
		if (inside || !is_blank(json.at[i]))
			ph_buffer_add(out, json.at + i, 1);
	}
	ph_buffer_adds(out, "\n");
}

static enum ph_error
read_object(struct ph_slice json, const char *unit, size_t n, struct ph_buffer *out,
    struct ph_fail *fail)
{
	struct ph_fail	 why = PH_FAIL_INIT;
	enum ph_error	 err;

	if ((err = ph_bounds_check(json, NULL, NULL, &why)) != PH_OK)
		return n == 0 ? ph_error_set(fail, err, "%s", why.text) :
		    ph_error_set(fail, err, "%s %zu: %s", unit, n, why.text);
	add_object(json, out);
	return PH_OK;
}

/* from: how many bytes of the output stand before text. */
static enum ph_error
read_text(struct ph_slice text, size_t from, struct ph_buffer *out, struct ph_fail *fail)
{
	struct ph_buffer	 plain = PH_BUFFER_INIT;
	size_t			 at, n;
	enum ph_error		 err;

	for (at = 0; at < text.len; at += n) {
		if ((n = ph_utf8_len(text.at + at, text.len - at)) == 0) {
			ph_buffer_clear(&plain);
			return ph_error_set(fail, PH_MALFORMED, "not UTF-8 at byte %zu", from + at);
		}
		if (text.at[at] != '\r' || at + 1 == text.len || text.at[at + 1] != '\n')
			ph_buffer_add(&plain, text.at + at, n);
	}
	if ((err = ph_buffer_check(&plain, fail)) == PH_OK)
		say(PH_SLICE(&plain), out);
	ph_buffer_clear(&plain);
	return err;
}

static bool
is_empty(struct ph_slice line)
{
	while (line.len > 0 && is_blank(line.at[line.len - 1]))
		line.len--;
	return line.len == 0;
}

static enum ph_error
read_lines(struct ph_slice text, struct ph_buffer *out, struct ph_fail *fail)
{
	struct ph_slice	 line;
	const char	*newline;
	size_t		 n;
	enum ph_error	 err;

	for (n = 1; text.len > 0; n++) {
		newline = memchr(text.at, '\n', text.len);
		line = (struct ph_slice){ text.at,
		    newline != NULL ? (size_t)(newline - text.at) : text.len };
		if (!is_empty(line) && (err = read_object(line, "line", n, out, fail)) != PH_OK)
			return err;
		line.len += newline != NULL;
		text = (struct ph_slice){ text.at + line.len, text.len - line.len };
	}
	return PH_OK;
}

/* All or nothing: what was read before an error is not said. */
static enum ph_error
settle(enum ph_error err, struct ph_buffer *out, size_t len, struct ph_fail *fail)
{
	if (err == PH_OK)
		err = ph_buffer_check(out, fail);
	if (err != PH_OK && out->len > len) {
		out->len = len;
		out->data[len] = '\0';
	}
	return err;
}

enum ph_error
ph_answer_read_output(struct ph_slice output, struct ph_buffer *out, struct ph_fail *fail)
{
	const size_t	 len = out->len;
	struct ph_slice	 text = output;
	size_t		 mark = 0;

	if (text.len >= 3 && memcmp(text.at, "\xef\xbb\xbf", 3) == 0)	/* editors leave it */
		mark = 3;
	text = (struct ph_slice){ text.at + mark, text.len - mark };
	if (text.len > 0 && text.at[0] == '{')
		return settle(read_lines(text, out, fail), out, len, fail);
	return settle(read_text(text, mark, out, fail), out, len, fail);
}

/* n: which of a list, from 1; 0: it is no list. */
static enum ph_error
read_one(struct ph_slice json, size_t n, struct ph_buffer *out, struct ph_fail *fail)
{
	struct ph_json	*v;
	enum ph_error	 err;

	if (json.len > 0 && json.at[0] == '{')
		return read_object(json, "message", n, out, fail);
	if (json.len == 0 || json.at[0] != '"')
		return ph_error_set(fail, PH_MALFORMED,
		    "expected a text, a message object%s", n == 0 ? " or a list of them" : "");
	if ((err = ph_json_parse(json, &v, fail)) == PH_OK) {
		say(ph_json_text(v), out);
		ph_json_free(v);
	}
	return err;
}

static enum ph_error
read_list(struct ph_slice json, struct ph_buffer *out, struct ph_fail *fail)
{
	struct ph_scan	 scan;
	struct ph_slice	 value;
	size_t		 n = 0;
	enum ph_error	 err = PH_OK;

	ph_scan_begin(&scan, json);
	if (ph_scan_enter(&scan, '['))
		while (err == PH_OK && ph_scan_element(&scan)) {
			ph_scan_skip(&scan, &value);
			err = read_one(value, ++n, out, fail);
		}
	return err;
}

enum ph_error
ph_answer_read_reply(struct ph_slice json, struct ph_buffer *out, struct ph_fail *fail)
{
	const size_t	 len = out->len;
	struct ph_fail	 why = PH_FAIL_INIT;
	struct ph_scan	 scan;
	struct ph_slice	 value;

	ph_scan_begin(&scan, json);
	ph_scan_skip(&scan, &value);
	if (ph_scan_end(&scan, &why) != PH_OK)
		return ph_error_set(fail, PH_MALFORMED, "%s", why.text);
	if (ph_slice_is(value, "null"))
		return PH_OK;
	if (value.at[0] == '[')
		return settle(read_list(value, out, fail), out, len, fail);
	return settle(read_one(value, 0, out, fail), out, len, fail);
}
