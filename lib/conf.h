/*
 * conf -- the settings: one vocabulary, and the places they come from.
 * Knows buffer and log levels.  Does not know who uses a setting, nor whether one is missing.
 * Called by both programs at the start, by the front for every request.
 * Lives as a const value: a changed file makes a new one, a broken file keeps the last good one.
 * Described in cgi/pagehook.conf.5.
 * SPDX-License-Identifier: ISC
 */
#ifndef PH_CONF_H
#define PH_CONF_H

#include <stdint.h>

#include "buffer.h"
#include "log.h"
#include "unsure.h"

#define PH_CONF_WATCHED	12	/* files a value was, or would have been, read from */

struct ph_conf_watch {		/* what a file looked like */
	char	*path;
	int64_t	 id, size, ctime_ns;	/* id 0: was not there; of a chmod, too */
};

struct ph_conf {
	char			*name;		/* of the program they were loaded for */
	char			*file;		/* the configuration file, NULL: none was found */

	char			*verify_token, *verify_token_previous;
	char			*app_secret, *app_secret_previous;
	char			*page_id, *page_token;
	char			*pages;		/* file: several Pages, each with its token */
	char			*app_id;
	char			*objects;	/* comma-separated */
	char			*graph_url, *graph_version, *graph_ca;
	char			*state;		/* absolute path of the state directory */
	char			*replies;	/* file; NULL: the built-in replies */
	char			*alert;		/* words of a command; NULL: none */
	char			*helper;	/* NULL: beside the front, then the installed place */
	char			*log;		/* absolute path, "stderr" or "syslog" */
	enum ph_log_level	 log_level;
	enum ph_unsure_policy	 unsure;
	int64_t			 threads, max_body, max_reply_age_ms, human_pause_ms, keep_ms, idle_exit_ms;

	char			*digest;	/* hex; equal for settings that differ in numbers alone */

	/* The rest is conf's own. */
	char			*handed_on[32];	/* NAME=value that the file does not hold */
	size_t			 n_handed_on;
	struct ph_conf_watch	 watched[PH_CONF_WATCHED];
	size_t			 n_watched;
};

struct ph_conf_from {
	const char		 *name;		/* the program's file name without its ending */
	const char *const	 *request;	/* a FastCGI request's variables, NAME=value; or NULL */
};

/*
 * Reads every setting: the request's variables, then the process environment, then systemd's
 * credentials, then the file.
 * Of a request's variables only PAGEHOOK_CONFIG and MESSENGER_* count.
 * PH_CONFIG: the text starts with the place, "pagehook.conf:7: " or the setting's name, and says
 * what to do.  On success *out is the caller's, to be freed with ph_conf_free.
 */
enum ph_error	ph_conf_load(const struct ph_conf_from *from, struct ph_conf **out,
		    struct ph_fail *fail) PH_MUST_USE;
void		ph_conf_free(struct ph_conf *conf);	/* secrets are wiped */

/* Whether a file the settings came from, or would come from, has changed since. */
bool		ph_conf_changed(const struct ph_conf *conf);

/* What the file at watch->path looks like now; true: not what it looked like before. */
bool		ph_conf_look(struct ph_conf_watch *watch);

/* Whether this variable of a request may set something. */
bool		ph_conf_of_request(const char *name_and_value);

/* PH_CONFIG when what receiving needs is missing: the verify token, the app secret. */
enum ph_error	ph_conf_check(const struct ph_conf *conf, struct ph_fail *fail) PH_MUST_USE;

/*
 * The environment for a helper, from nothing but our settings, PATH, HOME, LANG and TZ: an array
 * ended by NULL for execve.  Both array and texts are the caller's: ph_conf_free_environment.
 */
char		**ph_conf_new_environment(const struct ph_conf *conf) PH_MUST_USE;
void		ph_conf_free_environment(char **env);

#endif
