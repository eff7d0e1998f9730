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
	char			**typed;	/* the whole command line; NULL behind the last */
	const char		*config;	/* -c FILE; NULL: not given */
	const struct ph_conf	*conf;		/* NULL for a verb that needs none */
	int			 argc;		/* what follows the verb, options taken out */
	char			**argv;
	struct {
		const char	*name, *value;	/* value: "" of an option that takes none */
	}			 options[16];	/* --name VALUE or --name=VALUE */
	size_t			 n_options;
};

/* Each returns an exit status of sysexits(3). */
int	chat_run(const struct call *call);
int	forget_run(const struct call *call);
int	helper_run(const struct call *call);
int	parse_run(const struct call *call);
int	queue_drop_run(const struct call *call);
int	queue_hold_run(const struct call *call);
int	queue_list_run(const struct call *call);
int	queue_release_run(const struct call *call);
int	queue_retry_run(const struct call *call);
int	queue_show_run(const struct call *call);
int	replies_check_run(const struct call *call);
int	replies_test_run(const struct call *call);
int	send_run(const struct call *call);
int	sign_run(const struct call *call);
int	status_run(const struct call *call);

/* The value of an option, "" if it takes none; NULL: it was not given. */
const char	*option(const struct call *call, const char *name);

/* Whether word is one of words, which blanks separate. */
bool	is_one_of(const char *words, const char *word);

/*
 * Before the state directory is looked into: root becomes its owner; anybody else but its owner
 * gets EX_NOPERM, after the line to type.
 */
int	become_owner(const struct call *call);

/* A line on standard error, and EX_USAGE. */
int	usage(const char *why, const char *what);

/*
 * Reads the verb's one FILE, or standard input when there is none or it is "-", to the end of out.
 * EX_OK, or the exit status after a line on standard error.
 */
int	read_input(const struct call *call, struct ph_buffer *out);

/* The exit status of an error.  Its text goes to standard error. */
int	complain(const struct ph_fail *fail);

#endif
