/*
 * scan -- one strict pass over JSON, and where each value in it begins and ends.
 * Knows json, utf8, hex.  Does not know what a webhook looks like.
 * Called by intake, over a whole body; by event and key, for what they ask of one.
 * Lives on the caller's stack; the slices it gives borrow the body.
 * SPDX-License-Identifier: ISC
 */
#include <string.h>

#include "hex.h"
#include "scan.h"
#include "utf8.h"

/* Bytes that stand for themselves in a string: ASCII without control bytes, the quote, the backslash. */
static const unsigned char	 plain[256] = {
	[0x20] = 1, 1, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
	[0x30] = 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
	[0x40] = 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
	[0x50] = 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 1, 1, 1,
	[0x60] = 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
	[0x70] = 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
};

static bool
fail_at(struct ph_scan *s, enum ph_error err, const char *expected)
{
	if (s->err == PH_OK) {
		s->err = err;
		s->expected = expected;
	}
	return false;
}

static void
skip_blanks(struct ph_scan *s)
{
	while (s->at < s->end &&
	    (*s->at == ' ' || *s->at == '\t' || *s->at == '\n' || *s->at == '\r'))
		s->at++;
}

static bool
next_is(struct ph_scan *s, char c)
{
	skip_blanks(s);
	return s->err == PH_OK && s->at < s->end && *s->at == c;
}

static bool
mark(struct ph_scan *s)
{
	s->at++;
	if (++s->marks > PH_SCAN_MAX_MARKS)
		return fail_at(s, PH_TOOBIG, "at most 200000 commas and brackets");
	return true;
}

static bool
scan_escape(struct ph_scan *s)
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
scan_string(struct ph_scan *s)
{
	const char	*at = s->at + 1;
	size_t		 n;

	for (;; at = s->at) {
		while (at < s->end && plain[(unsigned char)*at])
			at++;
		s->at = at;
		if (at == s->end)
			return fail_at(s, PH_MALFORMED, "a closing quote");
		if (*at == '"') {
			s->at++;
			return true;
		}
		if (*at == '\\') {
			if (!scan_escape(s))
				return false;
		} else if ((unsigned char)*at < 0x20)
			return fail_at(s, PH_MALFORMED, "no control byte in a string");
		else if ((n = ph_utf8_len(at, (size_t)(s->end - at))) > 0)
			s->at += n;
		else
			return fail_at(s, PH_MALFORMED, "UTF-8");
	}
}

static bool
scan_digits(struct ph_scan *s)
{
	const char	*from = s->at;

	while (s->at < s->end && *s->at >= '0' && *s->at <= '9')
		s->at++;
	return s->at > from || fail_at(s, PH_MALFORMED, "a digit");
}

static bool
scan_number(struct ph_scan *s)
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
scan_word(struct ph_scan *s)
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
ph_scan_begin(struct ph_scan *s, struct ph_slice bytes)
{
	*s = (struct ph_scan){ .start = bytes.at, .at = bytes.at, .end = bytes.at + bytes.len };
}

bool
ph_scan_enter(struct ph_scan *s, char bracket)
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
step(struct ph_scan *s, char bracket)
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

/* Names end at a NUL for everybody behind us: one that holds it would pass for another. */
static bool
holds_nul(struct ph_slice key)
{
	size_t	 i;

	if (memchr(key.at, '\\', key.len) == NULL)
		return false;
	for (i = 0; i + 5 < key.len; i++)
		if (key.at[i] == '\\') {
			if (memcmp(key.at + i, "\\u0000", 6) == 0)
				return true;
			i++;			/* the escaped byte, which may be a backslash */
		}
	return false;
}

bool
ph_scan_member(struct ph_scan *s, struct ph_slice *key)
{
	if (s->err != PH_OK || !step(s, '}'))
		return false;
	if (!next_is(s, '"'))
		return fail_at(s, PH_MALFORMED, "a key in double quotes");
	key->at = s->at + 1;
	if (!scan_string(s))
		return false;
	key->len = (size_t)(s->at - key->at) - 1;
	if (holds_nul(*key))
		return fail_at(s, PH_TOOBIG, "no NUL in a key");
	if (!next_is(s, ':'))
		return fail_at(s, PH_MALFORMED, "a colon");
	s->at++;
	return true;
}

bool
ph_scan_element(struct ph_scan *s)
{
	return s->err == PH_OK && step(s, ']');
}

/* Most are strings.  Recursion ends at PH_JSON_MAX_DEPTH. */
static void
scan_value(struct ph_scan *s)
{
	struct ph_slice	 key;

	skip_blanks(s);
	if (s->err != PH_OK || s->at == s->end)
		fail_at(s, PH_MALFORMED, "a value");
	else if (*s->at == '"')
		scan_string(s);
	else if (*s->at == '-' || (*s->at >= '0' && *s->at <= '9'))
		scan_number(s);
	else if (ph_scan_enter(s, '{'))
		while (ph_scan_member(s, &key))
			scan_value(s);
	else if (ph_scan_enter(s, '['))
		while (ph_scan_element(s))
			scan_value(s);
	else if (s->err == PH_OK)
		scan_word(s);
}

void
ph_scan_skip(struct ph_scan *s, struct ph_slice *value)
{
	const char	*from;

	skip_blanks(s);
	from = s->at;
	scan_value(s);
	if (value != NULL)
		*value = (struct ph_slice){ from, (size_t)(s->at - from) };
}

enum ph_error
ph_scan_end(struct ph_scan *s, struct ph_fail *fail)
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

/* The ASCII character that the escape at *at means, '\0' for all others; *at is moved past it. */
static char
unescape(const char **at)
{
	static const char	 letters[] = "\"\\/bfnrt", meant[] = "\"\\/\b\f\n\r\t";
	const char		*letter = *at + 1;
	unsigned char		 code[2];

	if (*letter != 'u') {
		*at += 2;
		return meant[strchr(letters, *letter) - letters];
	}
	*at += 6;
	return ph_hex_parse(letter + 1, 4, code, 2) && code[0] == 0 && code[1] < 0x80 ? (char)code[1] : '\0';
}

bool
ph_scan_key_is(struct ph_slice key, const char *name)
{
	const char	*at = key.at, *end = key.at + key.len;

	for (; at < end && *name != '\0'; name++)
		if ((*at == '\\' ? unescape(&at) : *at++) != *name)
			return false;
	return at == end && *name == '\0';
}

struct ph_slice
ph_scan_find(struct ph_slice object, const char *name)
{
	struct ph_slice	 key, value, found = { NULL, 0 };
	struct ph_scan	 scan;

	if (object.at == NULL)
		return found;
	ph_scan_begin(&scan, object);
	if (!ph_scan_enter(&scan, '{'))
		return found;
	while (ph_scan_member(&scan, &key)) {
		ph_scan_skip(&scan, &value);
		if (ph_scan_key_is(key, name))
			found = value;
	}
	return ph_slice_is(found, "null") ? (struct ph_slice){ NULL, 0 } : found;
}
