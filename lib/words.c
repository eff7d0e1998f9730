/*
 * words -- a command as a setting holds it: words between blanks, without a shell.
 * Knows error.  Does not know what is run.
 * Called by conf, which checks it, and by alert.
 * Lives as an array of the caller's.
 * SPDX-License-Identifier: ISC
 */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "words.h"

/* Moves the word at *at to room, without its quotes; false: one of those has no other. */
static bool
take(const char **at, char *room)
{
	bool	 quoted = false;

	for (; **at != '\0' && (quoted || (**at != ' ' && **at != '\t')); (*at)++)
		if (**at == '"')
			quoted = !quoted;
		else
			*room++ = **at;
	*room = '\0';
	return !quoted;
}

enum ph_error
ph_words_parse(const char *text, char ***out, struct ph_fail *fail)
{
	size_t		  n = 0, max = strlen(text) / 2 + 2;	/* a word and its blank are two bytes */
	char		**words = calloc(max, sizeof(*words)), *room = malloc(strlen(text) + 1);
	const char	 *at = text + strspn(text, " \t");
	enum ph_error	  err = PH_OK;

	*out = NULL;
	for (; words != NULL && room != NULL && err == PH_OK && *at != '\0'; at += strspn(at, " \t"))
		if (!take(&at, room))
			err = ph_error_set(fail, PH_MALFORMED, "a \" without its other");
		else if ((words[n++] = strdup(room)) == NULL)
			err = ph_error_set(fail, PH_NOMEM, "out of memory");
	if (words == NULL || room == NULL)
		err = ph_error_set(fail, PH_NOMEM, "out of memory");
	else if (err == PH_OK && n == 0)
		err = ph_error_set(fail, PH_MALFORMED, "no word in it");
	free(room);
	if (err == PH_OK)
		*out = words;
	else
		ph_words_free(words);
	return err;
}

void
ph_words_free(char **words)
{
	size_t	 i;

	for (i = 0; words != NULL && words[i] != NULL; i++)
		free(words[i]);
	free(words);
}
