/*
 * owner -- whose the state directory is, before a verb looks into it.
 * Knows state.  Does not know any verb.
 * Called by the verbs that read the store or ask the helper.
 * Lives for one command.
 * SPDX-License-Identifier: ISC
 */
#include <sys/stat.h>

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "state.h"
#include "verb.h"

#define PLAIN	"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=.,:/@%"

/* A word as a shell takes it. */
static void
print_word(const char *word)
{
	const char	*at;

	if (word[0] != '\0' && word[strspn(word, PLAIN)] == '\0') {
		fprintf(stderr, " %s", word);
		return;
	}
	fprintf(stderr, " '");
	for (at = word; *at != '\0'; at++)
		if (*at == '\'')
			fputs("'\\''", stderr);
		else
			putc(*at, stderr);
	fprintf(stderr, "'");
}

int
become_owner(const struct call *call)
{
	const char	*state = call->conf->state;
	struct ph_fail	 fail = PH_FAIL_INIT;
	struct stat	 st;
	struct passwd	*owner;
	char		 name[64], **word;

	if (ph_state_become_owner(state, &fail) != PH_OK)
		return complain(&fail);
	if (stat(state, &st) != 0) {
		if (errno != EACCES)
			return EX_OK;		/* it is made when it is needed */
		fprintf(stderr, "pagehook: %s: %s: type this as the user it belongs to\n", state,
		    strerror(errno));
		return EX_NOPERM;
	}
	if (st.st_uid == geteuid())
		return EX_OK;
	if ((owner = getpwuid(st.st_uid)) != NULL)
		snprintf(name, sizeof(name), "%s", owner->pw_name);
	else
		snprintf(name, sizeof(name), "'#%u'", (unsigned)st.st_uid);
	fprintf(stderr, "pagehook: %s belongs to another user: sudo -u %s", state, name);
	for (word = call->typed; *word != NULL; word++)
		print_word(*word);
	fprintf(stderr, "\n");
	return EX_NOPERM;
}
