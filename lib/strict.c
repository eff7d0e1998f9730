/*
 * strict -- a JSON file that a person wrote, while it is read: every flaw is noted with its place.
 * Knows scan, flaw, guess.  Does not know what the file is about.
 * Called by replies (the file), raw (its values) and what reads an entry's keys.
 * Lives on the caller's stack while the file is read; then the flaws alone are left.
 * SPDX-License-Identifier: ISC
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scan.h"
#include "strict.h"
#include "utf8.h"

#define MAX_LEN		(1024 * 1024)

/* Editors of some systems begin a file with a mark that is no character. */
static struct ph_slice
without_mark(struct ph_slice text)
{
	if (text.len >= 3 && memcmp(text.at, "\xef\xbb\xbf", 3) == 0)
		return (struct ph_slice){ text.at + 3, text.len - 3 };
	return text;
}

static bool
is_utf8(struct ph_strict *f, struct ph_slice text)
{
	size_t	 at, n;

	for (at = 0; at < text.len; at += n)
		if ((n = ph_utf8_len(text.at + at, text.len - at)) == 0) {
			ph_strict_flaw(f, text.at + at, "not UTF-8");
			return false;
		}
	return true;
}

/* The byte after the string that begins at p. */
static char *
past_string(char *p, const char *end)
{
	for (p++; p < end && *p != '"' && *p != '\n'; p++)
		p += *p == '\\' && end - p > 1;
	return p < end ? p + 1 : p;
}

/* The byte after the comment that begins at p; NULL: it does not end. */
static char *
past_comment(char *p, const char *end)
{
	char	*close;

	if (p[1] == '/')
		return (close = memchr(p, '\n', (size_t)(end - p))) != NULL ? close : p + (end - p);
	close = memmem(p + 2, (size_t)(end - p) - 2, "*/", 2);
	return close != NULL ? close + 2 : NULL;
}

/* Comments become blanks and lines stay lines, so that every position is that of the file. */
static bool
blank_comments(struct ph_strict *f, size_t len)
{
	const char	*end = f->copy + len;
	char		*p = f->copy, *past;

	while (p < end) {
		if (*p == '"')
			p = past_string(p, end);
		else if (*p == '/' && end - p > 1 && (p[1] == '/' || p[1] == '*')) {
			if ((past = past_comment(p, end)) == NULL) {
				ph_strict_flaw(f, p, "this comment does not end: */ is missing");
				return false;
			}
			for (; p < past; p++)
				if (*p != '\n')
					*p = ' ';
		} else
			p++;
	}
	return true;
}

/* The comma that a bracket follows, when that is what the scan fell over; NULL: it is not. */
static const char *
trailing_comma(const struct ph_scan *s)
{
	const char	*p = s->at;

	if (s->at == s->end || (*s->at != '}' && *s->at != ']'))
		return NULL;
	while (p > s->start && strchr(" \t\r\n", p[-1]) != NULL)
		p--;
	return p > s->start && p[-1] == ',' ? p - 1 : NULL;
}

static bool
is_json(struct ph_strict *f, struct ph_slice *top)
{
	struct ph_scan	 scan;
	struct ph_fail	 fail = PH_FAIL_INIT;
	const char	*comma, *at;

	ph_scan_begin(&scan, *top);
	ph_scan_skip(&scan, top);
	at = scan.err != PH_OK ? scan.at : NULL;	/* the end is looked for past blanks */
	if (ph_scan_end(&scan, &fail) == PH_OK)
		return true;
	if (at != NULL)
		scan.at = at;
	if ((comma = trailing_comma(&scan)) != NULL)
		ph_strict_flaw(f, comma, "no comma can stand before a closing bracket");
	else if (scan.err == PH_TOOBIG)
		ph_strict_flaw(f, scan.at, "too big: expected %s", scan.expected);
	else if (scan.at < scan.end && *scan.at == '\n' && strstr(scan.expected, "control") != NULL)
		ph_strict_flaw(f, scan.at,
		    "this text does not end on its line: expected a closing quote");
	else
		ph_strict_flaw(f, scan.at, "not JSON: expected %s", scan.expected);
	return false;
}

bool
ph_strict_begin(struct ph_strict *f, struct ph_slice given, struct ph_slice *top)
{
	const struct ph_slice	 text = without_mark(given);

	*f->flaws = (struct ph_flaws){ .text = text };
	if ((f->copy = malloc(text.len + 1)) == NULL) {
		f->no_memory = true;
		return false;
	}
	if (text.len > 0)
		memcpy(f->copy, text.at, text.len);
	f->copy[text.len] = '\0';
	if (text.len > MAX_LEN) {
		ph_strict_flaw(f, f->copy, "%zu bytes, at most 1 MiB", text.len);
		return false;
	}
	*top = (struct ph_slice){ f->copy, text.len };
	return is_utf8(f, *top) && blank_comments(f, text.len) && is_json(f, top);
}

/* Reading is by condition and action; people read from top to bottom. */
static int
by_place(const void *one, const void *other)
{
	const struct ph_flaw	*a = one, *b = other;

	if (a->line != b->line)
		return a->line < b->line ? -1 : 1;
	return (a->column > b->column) - (a->column < b->column);
}

void
ph_strict_end(struct ph_strict *f)
{
	qsort(f->flaws->all, f->flaws->n, sizeof(f->flaws->all[0]), by_place);
	free(f->copy);
	f->copy = NULL;
}

/* Where in the file that is which stands there in the copy. */
static const char *
place(const struct ph_strict *f, const char *at)
{
	return f->flaws->text.at + (at - f->copy);
}

void
ph_strict_flaw(struct ph_strict *f, const char *at, const char *fmt, ...)
{
	char	 text[240];
	va_list	 ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	ph_flaw_add(f->flaws, place(f, at), "%s", text);
}

void
ph_strict_unknown(struct ph_strict *f, const char *at, const char *what, const struct ph_guess *g)
{
	int	 len = g->word.len > 60 ? 60 : (int)g->word.len;

	if (g->nearest != NULL)
		ph_strict_flaw(f, at, "%s '%.*s'; did you mean '%s'?", what, len, g->word.at,
		    g->nearest);
	else
		ph_strict_flaw(f, at, "%s '%.*s'", what, len, g->word.at);
}

void
ph_strict_blame(struct ph_strict *f, const char *at, const struct ph_fail *fail)
{
	if (fail->err == PH_NOMEM)
		f->no_memory = true;
	else
		ph_strict_flaw(f, at, "%s: %s", f->key, fail->text);
}

void
ph_strict_warn(struct ph_strict *f, const char *at, const char *words)
{
	ph_flaw_warn(f->flaws, place(f, at), "%s: %s", f->key, words);
}

/* It grows by doubling, and n alone says when. */
void *
ph_strict_grow(struct ph_strict *f, void *list, size_t n, size_t size)
{
	void	*more;

	if ((n & (n - 1)) != 0 && n != 0)
		return list;
	if ((more = realloc(list, (n == 0 ? 1 : 2 * n) * size)) == NULL)
		f->no_memory = true;
	return more;
}
