/*
 * flaw -- what is wrong with a file that a person wrote, and where: all of it, not only the first.
 * Knows buffer, utf8.  Does not know what the file means.
 * Called by strict, which notes flaws, and by whoever shows them.
 * Lives on the caller's stack.
 * SPDX-License-Identifier: ISC
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "flaw.h"
#include "utf8.h"

static void
find(const struct ph_flaws *flaws, const char *at, struct ph_flaw *flaw)
{
	const char	*p = flaws->text.at, *end = p + flaws->text.len;
	size_t		 n;

	flaw->line = flaw->column = 1;
	while (at != NULL && p < end && p < at) {
		n = ph_utf8_len(p, (size_t)(end - p));
		flaw->column++;
		if (*p == '\n') {
			flaw->line++;
			flaw->column = 1;
		}
		p += n > 0 ? n : 1;
	}
}

/* What did not fit ends before a character, not within one. */
static void
cut(char *text)
{
	size_t	 at = 0, n, len = strlen(text);

	while (at < len && (n = ph_utf8_len(text + at, len - at)) > 0)
		at += n;
	text[at] = '\0';
}

/* When all places are taken an error takes that of the last warning: what is refused must be told. */
static struct ph_flaw *
take_place(struct ph_flaws *flaws, bool warning)
{
	size_t	 i = flaws->n;

	if (flaws->n < PH_FLAWS_MAX)
		return &flaws->all[flaws->n++];
	while (i > 0 && !flaws->all[i - 1].warning)
		i--;
	if (warning || i == 0)
		return NULL;
	memmove(&flaws->all[i - 1], &flaws->all[i], (flaws->n - i) * sizeof(flaws->all[0]));
	return &flaws->all[flaws->n - 1];
}

static void PH_FORMAT(4, 0)
put(struct ph_flaws *flaws, const char *at, bool warning, const char *fmt, va_list ap)
{
	struct ph_flaw	*flaw = take_place(flaws, warning);

	if (flaw == NULL)
		return;
	find(flaws, at, flaw);
	flaw->warning = warning;
	if (vsnprintf(flaw->text, sizeof(flaw->text), fmt, ap) >= (int)sizeof(flaw->text))
		cut(flaw->text);
}

void
ph_flaw_add(struct ph_flaws *flaws, const char *at, const char *fmt, ...)
{
	va_list	 ap;

	flaws->n_errors++;
	va_start(ap, fmt);
	put(flaws, at, false, fmt, ap);
	va_end(ap);
}

void
ph_flaw_warn(struct ph_flaws *flaws, const char *at, const char *fmt, ...)
{
	va_list	 ap;

	va_start(ap, fmt);
	put(flaws, at, true, fmt, ap);
	va_end(ap);
}
