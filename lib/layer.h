/*
 * layer -- where settings are set: NAME=value texts, and the place of each.
 * Knows error, guess.  Does not know what a setting means.
 * Called by conf, once for each place: request, environment, credentials, file.
 * Lives as long as settings are being read; its texts may be secrets.
 * SPDX-License-Identifier: ISC
 */
#ifndef PH_LAYER_H
#define PH_LAYER_H

#include "buffer.h"

#define PH_LAYER_MAX	32	/* settings, at most */

struct ph_layer_name {		/* a table of these ends with a NULL name */
	const char	*name;
	bool		 secret;	/* NAME_FILE may be set instead, and names a file */
};

struct ph_layer_pair {		/* NULL: not set in this layer */
	char	*value, *where;
};

struct ph_layer {		/* by the index of the name; born zero */
	struct ph_layer_pair	 set[PH_LAYER_MAX], set_file[PH_LAYER_MAX];
};

/* From variables, NAME=value, ended by NULL; wanted, if not NULL, says which count. */
enum ph_error	ph_layer_read_variables(struct ph_layer *layer, const struct ph_layer_name *names,
		    const char *const *variables, bool (*wanted)(const char *variable),
		    struct ph_fail *fail) PH_MUST_USE;

/* From systemd's credentials: a secret in a file by the setting's name.  dir may be NULL. */
enum ph_error	ph_layer_read_credentials(struct ph_layer *layer,
		    const struct ph_layer_name *names, const char *dir, struct ph_fail *fail)
		    PH_MUST_USE;

/*
 * From a file's text: KEY=value lines, # comments, optional quotes, as systemd's EnvironmentFile.
 * PH_CONFIG, with file:line: an unknown or repeated key, quotes that do not match, no "=".
 */
enum ph_error	ph_layer_read_file(struct ph_layer *layer, const struct ph_layer_name *names,
		    const char *path, const char *text, struct ph_fail *fail) PH_MUST_USE;

void		ph_layer_clear(struct ph_layer *layer);	/* texts are wiped */

#endif
