/*
 * utf8 -- where a character ends.
 * Knows nothing else.  Does not allocate or translate.
 * Called by log, json and message.
 * Lives on the caller's stack.
 * SPDX-License-Identifier: ISC
 */
#include "utf8.h"

/* Beyond ASCII, by first byte: the length, and the second byte: no overlong form, no surrogate. */
static const struct {
	unsigned char	 from, to, second_from, second_to, len;
} forms[] = {
	{ 0xc2, 0xdf, 0x80, 0xbf, 2 },
	{ 0xe0, 0xe0, 0xa0, 0xbf, 3 },
	{ 0xe1, 0xec, 0x80, 0xbf, 3 },
	{ 0xed, 0xed, 0x80, 0x9f, 3 },
	{ 0xee, 0xef, 0x80, 0xbf, 3 },
	{ 0xf0, 0xf0, 0x90, 0xbf, 4 },
	{ 0xf1, 0xf3, 0x80, 0xbf, 4 },
	{ 0xf4, 0xf4, 0x80, 0x8f, 4 },
};

size_t
ph_utf8_len(const char *text, size_t left)
{
	const unsigned char	*p = (const unsigned char *)text;
	size_t			 i, f;

	if (left > 0 && p[0] < 0x80)
		return 1;
	for (f = 0; left > 0 && f < sizeof(forms) / sizeof(forms[0]); f++) {
		if (p[0] < forms[f].from || p[0] > forms[f].to)
			continue;
		if (forms[f].len > left || p[1] < forms[f].second_from || p[1] > forms[f].second_to)
			return 0;
		for (i = 2; i < forms[f].len; i++)
			if ((p[i] & 0xc0) != 0x80)
				return 0;
		return forms[f].len;
	}
	return 0;
}
