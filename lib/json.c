/*
 * json -- bytes to values: a strict scan of our own, and the one door to json-c.
 * Knows buffer.  Does not know what a webhook looks like.
 * Called by intake, event and outcome.
 * Lives on the caller's stack; a parsed value is one tree, freed as a whole.
 * SPDX-License-Identifier: ISC
 */
#include <inttypes.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hex.h"
#include "json.h"
#include "utf8.h"

/* The scan. */

static bool
fail_at(struct ph_json_scan *s, enum ph_error err, const char *expected)
{
	if (s->err == PH_OK) {
		s->err = err;
		s->expected = expected;
	}
	return false;
}

static void
skip_blanks(struct ph_json_scan *s)
{
	while (s->at < s->end &&
	    (*s->at == ' ' || *s->at == '\t' || *s->at == '\n' || *s->at == '\r'))
		s->at++;
}

static bool
next_is(struct ph_json_scan *s, char c)
{
	skip_blanks(s);
	return s->err == PH_OK && s->at < s->end && *s->at == c;
}

static bool
mark(struct ph_json_scan *s)
{
	s->at++;
	if (++s->marks > PH_JSON_MAX_MARKS)
		return fail_at(s, PH_TOOBIG, "at most 200000 commas and brackets");
	return true;
}

static bool
scan_escape(struct ph_json_scan *s)
{
	unsigned char	 bytes[2];

	if (s->end - s->at >= 2 && s->at[1] != '\0' && strchr("\"\\/bfnrt", s->at[1]) != NULL) {
		s->at += 2;
		return true;
	}
	if (s->end - s->at >= 6 && s->at[1] == 'u' && ph_hex_parse(s->at + 2, 4, bytes, 2)) {
		s->at += 6;
		return true;
	}
	return fail_at(s, PH_MALFORMED, "an escape");
}

static bool
scan_string(struct ph_json_scan *s)
{
	size_t	 n;

	for (s->at++; s->at < s->end; ) {
		unsigned char	 c = (unsigned char)*s->at;

		if (c == '"') {
			s->at++;
			return true;
		}
		if (c == '\\') {
			if (!scan_escape(s))
				return false;
		} else if (c < 0x20)
			return fail_at(s, PH_MALFORMED, "no control byte in a string");
		else if (c < 0x80)
			s->at++;
		else if ((n = ph_utf8_len(s->at, (size_t)(s->end - s->at))) > 0)
			s->at += n;
		else
			return fail_at(s, PH_MALFORMED, "UTF-8");
	}
	return fail_at(s, PH_MALFORMED, "a closing quote");
}

static bool
scan_digits(struct ph_json_scan *s)
{
	const char	*from = s->at;

	while (s->at < s->end && *s->at >= '0' && *s->at <= '9')
		s->at++;
	return s->at > from || fail_at(s, PH_MALFORMED, "a digit");
}

static bool
scan_number(struct ph_json_scan *s)
{
	if (*s->at == '-')
		s->at++;
	if (s->at < s->end && *s->at == '0')
		s->at++;
	else if (!scan_digits(s))
		return false;
	if (s->at < s->end && *s->at == '.') {
		s->at++;
		if (!scan_digits(s))
			return false;
	}
	if (s->at < s->end && (*s->at == 'e' || *s->at == 'E')) {
		s->at++;
		if (s->at < s->end && (*s->at == '+' || *s->at == '-'))
			s->at++;
		return scan_digits(s);
	}
	return true;
}

static bool
scan_word(struct ph_json_scan *s)
{
	static const char *const	 words[] = { "true", "false", "null" };
	size_t				 i, n;

	for (i = 0; i < 3; i++) {
		n = strlen(words[i]);
		if ((size_t)(s->end - s->at) >= n && memcmp(s->at, words[i], n) == 0) {
			s->at += n;
			return true;
		}
	}
	return fail_at(s, PH_MALFORMED, "a value");
}

void
ph_json_begin(struct ph_json_scan *s, struct ph_slice bytes)
{
	*s = (struct ph_json_scan){ .start = bytes.at, .at = bytes.at, .end = bytes.at + bytes.len };
}

bool
ph_json_enter(struct ph_json_scan *s, char bracket)
{
	if (!next_is(s, bracket))
		return false;
	if (s->depth == PH_JSON_MAX_DEPTH)
		return fail_at(s, PH_TOOBIG, "at most 32 levels");
	if (!mark(s))
		return false;
	s->depth++;
	s->begun &= ~(UINT64_C(1) << s->depth);
	return true;
}

/* Steps over the comma before an item, or over the bracket after the last one. */
static bool
step(struct ph_json_scan *s, char bracket)
{
	const uint64_t	 bit = UINT64_C(1) << s->depth;

	if (next_is(s, bracket)) {
		s->at++;
		s->depth--;
		return false;
	}
	if ((s->begun & bit) != 0) {
		if (!next_is(s, ','))
			return fail_at(s, PH_MALFORMED, "a comma or a closing bracket");
		if (!mark(s))
			return false;
	}
	s->begun |= bit;
	return s->err == PH_OK;
}

bool
ph_json_member(struct ph_json_scan *s, struct ph_slice *key)
{
	if (s->err != PH_OK || !step(s, '}'))
		return false;
	if (!next_is(s, '"'))
		return fail_at(s, PH_MALFORMED, "a key in double quotes");
	key->at = s->at + 1;
	if (!scan_string(s))
		return false;
	key->len = (size_t)(s->at - key->at) - 1;
	if (!next_is(s, ':'))
		return fail_at(s, PH_MALFORMED, "a colon");
	s->at++;
	return true;
}

bool
ph_json_element(struct ph_json_scan *s)
{
	return s->err == PH_OK && step(s, ']');
}

/* Recursion ends at PH_JSON_MAX_DEPTH. */
static void
scan_value(struct ph_json_scan *s)
{
	struct ph_slice	 key;

	if (ph_json_enter(s, '{'))
		while (ph_json_member(s, &key))
			scan_value(s);
	else if (ph_json_enter(s, '['))
		while (ph_json_element(s))
			scan_value(s);
	else if (s->err != PH_OK || s->at == s->end)
		fail_at(s, PH_MALFORMED, "a value");
	else if (*s->at == '"')
		scan_string(s);
	else if (*s->at == '-' || (*s->at >= '0' && *s->at <= '9'))
		scan_number(s);
	else
		scan_word(s);
}

void
ph_json_skip(struct ph_json_scan *s, struct ph_slice *value)
{
	const char	*from;

	skip_blanks(s);
	from = s->at;
	scan_value(s);
	if (value != NULL)
		*value = (struct ph_slice){ from, (size_t)(s->at - from) };
}

enum ph_error
ph_json_end(struct ph_json_scan *s, struct ph_fail *fail)
{
	skip_blanks(s);
	if (s->err == PH_OK && s->at != s->end)
		fail_at(s, PH_MALFORMED, "the end");
	if (s->err == PH_OK)
		return PH_OK;
	return ph_error_set(fail, s->err, "%s at byte %zu: expected %s",
	    s->err == PH_TOOBIG ? "beyond a limit" : "not JSON", (size_t)(s->at - s->start),
	    s->expected);
}

bool
ph_json_key_is(struct ph_slice key, const char *name)
{
	struct ph_buffer	 quoted = PH_BUFFER_INIT;
	struct ph_json		*v = NULL;
	bool			 is;

	if (memchr(key.at, '\\', key.len) == NULL)
		return ph_slice_is(key, name);
	ph_buffer_addf(&quoted, "\"%.*s\"", (int)key.len, key.at);
	is = ph_json_parse(PH_SLICE(&quoted), &v, NULL) == PH_OK &&
	    ph_slice_is(ph_json_text(v), name);
	ph_json_free(v);
	ph_buffer_clear(&quoted);
	return is;
}

/* Values: json-c's objects under our name.  It has no const, so the cast is made here alone. */

static struct json_object *
raw(const struct ph_json *v)
{
	return (struct json_object *)(uintptr_t)v;
}

static struct ph_json *
cooked(struct json_object *o)
{
	return (struct ph_json *)(void *)o;
}

enum ph_error
ph_json_parse(struct ph_slice bytes, struct ph_json **out, struct ph_fail *fail)
{
	struct json_tokener	*tok = json_tokener_new_ex(PH_JSON_MAX_DEPTH + 2);
	struct json_object	*o;
	enum json_tokener_error	 err;
	size_t			 end;

	*out = NULL;
	if (tok == NULL)
		return ph_error_set(fail, PH_NOMEM, "out of memory for JSON");
	json_tokener_set_flags(tok, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
	o = json_tokener_parse_ex(tok, bytes.at, (int)bytes.len);
	err = json_tokener_get_error(tok);
	end = json_tokener_get_parse_end(tok);
	/* A bare number or word may go on, so json-c waits for more: one NUL says that it does not. */
	if (err == json_tokener_continue && end == bytes.len) {
		o = json_tokener_parse_ex(tok, "", 1);
		err = json_tokener_get_error(tok);
	}
	json_tokener_free(tok);
	if (err != json_tokener_success || end != bytes.len) {
		json_object_put(o);
		return ph_error_set(fail, PH_MALFORMED, "not JSON at byte %zu: %s", end,
		    json_tokener_error_desc(err));
	}
	*out = cooked(o);
	return PH_OK;
}

void
ph_json_free(struct ph_json *tree)
{
	json_object_put(raw(tree));
}

bool
ph_json_is_object(const struct ph_json *v)
{
	return json_object_is_type(raw(v), json_type_object);
}

bool
ph_json_is_array(const struct ph_json *v)
{
	return json_object_is_type(raw(v), json_type_array);
}

const struct ph_json *
ph_json_get(const struct ph_json *v, const char *name)
{
	struct json_object	*member;

	if (!ph_json_is_object(v) || !json_object_object_get_ex(raw(v), name, &member))
		return NULL;
	return cooked(member);
}

size_t
ph_json_count(const struct ph_json *v)
{
	return v == NULL ? 0 : ph_json_is_array(v) ? json_object_array_length(raw(v)) : 1;
}

const struct ph_json *
ph_json_at(const struct ph_json *v, size_t i)
{
	return ph_json_is_array(v) ? cooked(json_object_array_get_idx(raw(v), i)) : v;
}

const char *
ph_json_name(const struct ph_json *v, size_t i)
{
	struct json_object_iterator	 at, end;

	if (!ph_json_is_object(v))
		return NULL;
	at = json_object_iter_begin(raw(v));
	end = json_object_iter_end(raw(v));
	for (; !json_object_iter_equal(&at, &end); json_object_iter_next(&at))
		if (json_object_iter_peek_value(&at) != NULL && i-- == 0)
			return json_object_iter_peek_name(&at);
	return NULL;
}

struct ph_slice
ph_json_text(const struct ph_json *v)
{
	if (!json_object_is_type(raw(v), json_type_string))
		return (struct ph_slice){ NULL, 0 };
	return (struct ph_slice){ json_object_get_string(raw(v)),
	    (size_t)json_object_get_string_len(raw(v)) };
}

struct ph_slice
ph_json_id(const struct ph_json *v, char digits[PH_JSON_DIGITS])
{
	int64_t		 i;
	uint64_t	 u;

	if (!json_object_is_type(raw(v), json_type_int))
		return ph_json_text(v);
	i = json_object_get_int64(raw(v));
	u = json_object_get_uint64(raw(v));
	if (i == INT64_MIN || u == UINT64_MAX)		/* json-c's clamps: the digits are lost */
		return (struct ph_slice){ NULL, 0 };
	if (i < 0)
		snprintf(digits, PH_JSON_DIGITS, "%" PRId64, i);
	else
		snprintf(digits, PH_JSON_DIGITS, "%" PRIu64, u);
	return (struct ph_slice){ digits, strlen(digits) };
}

struct ph_slice
ph_json_plain_id(struct ph_slice raw)
{
	size_t	 i;

	if (raw.len >= 2 && raw.at[0] == '"' && memchr(raw.at, '\\', raw.len) == NULL)
		return (struct ph_slice){ raw.at + 1, raw.len - 2 };
	for (i = 0; i < raw.len && raw.at[i] >= '0' && raw.at[i] <= '9'; i++)
		continue;
	if (i > 0 && i == raw.len && i <= 18)
		return raw;
	return (struct ph_slice){ NULL, 0 };
}

bool
ph_json_integer(const struct ph_json *v, int64_t *out)
{
	if (!json_object_is_type(raw(v), json_type_int))
		return false;
	*out = json_object_get_int64(raw(v));
	return *out != INT64_MIN && *out != INT64_MAX;
}

bool
ph_json_number(const struct ph_json *v, double *out)
{
	if (!json_object_is_type(raw(v), json_type_int) &&
	    !json_object_is_type(raw(v), json_type_double))
		return false;
	*out = json_object_get_double(raw(v));
	return true;
}

bool
ph_json_flag(const struct ph_json *v)
{
	struct ph_slice	 text = ph_json_text(v);
	double		 number;

	if (text.at != NULL)
		return text.len > 0 && !ph_slice_is(text, "0") && !ph_slice_is(text, "false");
	if (ph_json_number(v, &number))
		return number != 0;
	if (json_object_is_type(raw(v), json_type_boolean))
		return json_object_get_boolean(raw(v));
	return v != NULL;
}
