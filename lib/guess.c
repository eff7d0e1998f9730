/*
 * guess -- the word that was meant: the nearest of those that are known.
 * Knows buffer.  Does not know which words there are.
 * Called by raw (keys) and rule_fits (events), with one known word after the other.
 * Lives on the caller's stack.
 * SPDX-License-Identifier: ISC
 */
#include <string.h>

#include "guess.h"

#define MAX_LEN	47		/* bytes: what is longer is not looked at */

static size_t
distance(const char *a, size_t la, const char *b)
{
	size_t	 row[MAX_LEN + 1], i, j, lb = strlen(b), corner, up;

	if (lb > MAX_LEN)
		return lb;
	for (j = 0; j <= lb; j++)
		row[j] = j;
	for (i = 1; i <= la; i++) {
		corner = row[0];
		row[0] = i;
		for (j = 1; j <= lb; j++) {
			up = row[j];
			row[j] = corner + (a[i - 1] != b[j - 1]);
			if (up + 1 < row[j])
				row[j] = up + 1;
			if (row[j - 1] + 1 < row[j])
				row[j] = row[j - 1] + 1;
			corner = up;
		}
	}
	return row[lb];
}

void
ph_guess_try(struct ph_guess *g, const char *name)
{
	size_t	 d;

	if (g->word.len > MAX_LEN || (d = distance(g->word.at, g->word.len, name)) >= g->best ||
	    d >= strlen(name))
		return;
	g->best = d;
	g->nearest = name;
}
