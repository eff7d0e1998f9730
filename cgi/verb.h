/*
 * verb -- what pagehook's verbs share: how they are called.
 * Knows conf.  Does not know any verb.
 * Called by pagehook.c, which has the table, and by each verb's own file.
 * Lives for one command.
 * SPDX-License-Identifier: ISC
 */
#ifndef VERB_H
#define VERB_H

#include "conf.h"

struct call {
	const char		*name;		/* of the program: chooses the settings file */
	const char		*config;	/* -c FILE; NULL: not given */
	const struct ph_conf	*conf;		/* NULL for a verb that needs none */
	int			 argc;		/* what follows the verb */
	char			**argv;
};

/* Each returns an exit status of sysexits(3). */
int	helper_run(const struct call *call);
int	parse_run(const struct call *call);
int	sign_run(const struct call *call);

/*
 * Reads the verb's one FILE, or standard input when there is none or it is "-", to the end of out.
 * EX_OK, or the exit status after a line on standard error.
 */
int	read_input(const struct call *call, struct ph_buffer *out);

/* The exit status of an error.  Its text goes to standard error. */
int	complain(const struct ph_fail *fail);

#endif
