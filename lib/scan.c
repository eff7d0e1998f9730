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

/* Past blanks to the next byte; at the end and after an error a NUL, which begins nothing. */
static char
next(struct ph_scan *s)
{
	while (s->at < s->end &&
	    (*s->at == ' ' || *s->at == '\t' || *s->at == '\n' || *s->at == '\r'))
		s->at++;
	return s->err == PH_OK && s->at < s->end ? *s->at : '\0';
}

static bool
mark(struct ph_scan *s)
{
	s->at++;
	if (++s->marks > PH_SCAN_MAX_MARKS)
		return fail_at(s, PH_TOOBIG, "at most 200000 commas and brackets");
	return true;
}

static const char *
past_plain(const char *at, const char *end)
{
	while (at < end && plain[(unsigned char)*at])
		at++;
	return at;
}

/* The number that four hexadecimal digits are; -1: they are none. */
static int
code_of(const char *digits)
{
	int	 code = 0, i, digit;

	for (i = 0; i < 4; i++) {
		if ((digit = ph_hex_digit(digits[i])) < 0)
			return -1;
		code = code << 4 | digit;
	}
	return code;
}

static bool
scan_escape(struct ph_scan *s)
{
	int	 code;

	if (s->end - s->at >= 6 && s->at[1] == 'u' && (code = code_of(s->at + 2)) >= 0) {
		if (code == 0)
			s->nul = s->at;
		s->at += 6;
		return true;
	}
	if (s->end - s->at >= 2 && s->at[1] != '\0' && strchr("\"\\/bfnrt", s->at[1]) != NULL) {
		s->at += 2;
		return true;
	}
	return fail_at(s, PH_MALFORMED, "an escape");
}

static bool
scan_string(struct ph_scan *s)
{
	size_t	 n;

	for (s->at++;;) {
		s->at = past_plain(s->at, s->end);
		if (s->at == s->end)
			return fail_at(s, PH_MALFORMED, "a closing quote");
		if (*s->at == '"') {
			s->at++;
			return true;
		}
		if (*s->at == '\\') {
			if (!scan_escape(s))
				return false;
		} else if ((unsigned char)*s->at < 0x20)
			return fail_at(s, PH_MALFORMED, "no control byte in a string");
		else if ((n = ph_utf8_len(s->at, (size_t)(s->end - s->at))) > 0)
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
	*s = (struct ph_scan){ .start = bytes.at, .at = bytes.at, .end = bytes.at + bytes.len,
	    .nul = bytes.at };
}

bool
ph_scan_enter(struct ph_scan *s, char bracket)
{
	if (next(s) != bracket)
		return false;
	if (s->depth == PH_JSON_MAX_DEPTH)
		return fail_at(s, PH_TOOBIG, "at most 32 levels");
	if (!mark(s))
		return false;
	s->depth++;
	s->begun = false;
	return true;
}

/* Steps over the comma before an item, or over the bracket after the last one. */
static bool
step(struct ph_scan *s, char bracket)
{
	const bool	 begun = s->begun;
	const char	 c = next(s);

	s->begun = true;			/* at the bracket: what it closes was an item, too */
	if (c == bracket) {
		s->at++;
		s->depth--;
		return false;
	}
	if (begun && c != ',')
		return fail_at(s, PH_MALFORMED, "a comma or a closing bracket");
	return !begun || mark(s);
}

bool
ph_scan_member(struct ph_scan *s, struct ph_slice *key)
{
	const char	*from;

	if (s->err != PH_OK || !step(s, '}'))
		return false;
	if (next(s) != '"')
		return fail_at(s, PH_MALFORMED, "a key in double quotes");
	from = s->at + 1;
	if (!scan_string(s))
		return false;
	if (key != NULL)
		*key = (struct ph_slice){ from, (size_t)(s->at - from) - 1 };
	/* Names end at a NUL for everybody behind us: one that holds it would pass for another. */
	if (s->nul >= from)
		return fail_at(s, PH_TOOBIG, "no NUL in a key");
	if (next(s) != ':')
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
	const char	 c = next(s);

	if (c == '\0')
		fail_at(s, PH_MALFORMED, "a value");
	else if (c == '"')
		scan_string(s);
	else if (c == '-' || (c >= '0' && c <= '9'))
		scan_number(s);
	else if (ph_scan_enter(s, '{'))
		while (ph_scan_member(s, NULL))
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

	next(s);
	from = s->at;
	scan_value(s);
	if (value != NULL)
		*value = (struct ph_slice){ from, (size_t)(s->at - from) };
}

enum ph_error
ph_scan_end(struct ph_scan *s, struct ph_fail *fail)
{
	next(s);
	if (s->err == PH_OK && s->at != s->end)
		fail_at(s, PH_MALFORMED, "the end");
	if (s->err == PH_OK)
		return PH_OK;
	return ph_error_set(fail, s->err, "%s at byte %zu: expected %s",
	    s->err == PH_TOOBIG ? "beyond a limit" : "not JSON", (size_t)(s->at - s->start),
	    s->expected);
}

/* The same for a key that begins with an escape, or what is left of one. */
static bool
escape_is(struct ph_slice key, const char *name)
{
	static const char	 letters[] = "\"\\/bfnrt", meant[] = "\"\\/\b\f\n\r\t";
	const bool		 coded = key.at[1] == 'u';
	const size_t		 n = coded ? 6 : 2;
	const int		 c = coded ? code_of(key.at + 2) :
				    meant[strchr(letters, key.at[1]) - letters];

	return c != '\0' && c == *name &&
	    ph_scan_key_is((struct ph_slice){ key.at + n, key.len - n }, name + 1);
}

bool
ph_scan_key_is(struct ph_slice key, const char *name)
{
	size_t	 i;

	for (i = 0; i < key.len && key.at[i] != '\\'; i++)
		if (key.at[i] != name[i])
			return false;
	if (i < key.len)
		return escape_is((struct ph_slice){ key.at + i, key.len - i }, name + i);
	return name[i] == '\0';
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
