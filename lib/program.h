/*
 * program -- one of the user's programs, with all that exec needs of it, made before a fork.
 * Knows buffer, clock.  Does not know processes, nor what a handler is.
 * Called by exec, coproc and alert; process starts what is loaded here.
 * Lives with its owner, which it copies nothing from but argv, the directory and variables.
 * Described in cgi/pagehook-handler.7.
 * SPDX-License-Identifier: ISC
 */
#ifndef PH_PROGRAM_H
#define PH_PROGRAM_H

#include <sys/stat.h>

#include "buffer.h"

#define PH_PROGRAM_FILES	8	/* of the words of argv, how many are looked at for edits */
#define PH_PROGRAM_VARS		5	/* variables besides PATH HOME LANG TZ, at most */

struct ph_program {
	char		 *dir;		/* working directory */
	char		**argv, **env;	/* ended by NULL */
	char		 *path;		/* what is executed, from within dir; NULL: not loaded */
	int64_t		  cpu_s;	/* seconds of CPU time; 0: no limit */
	int64_t		  look_at;	/* monotonic: not looked at again before that */
	size_t		  n_files;
	struct ph_program_file {
		char		*path;
		struct stat	 seen;
	}		  files[PH_PROGRAM_FILES];
};

struct ph_program_var {
	const char	*name;
	struct ph_slice	 value;		/* a NUL in it is left out: it would end the value */
};

#define PH_PROGRAM_INIT	{ .dir = NULL }

/* What is to be run, where, and its whole environment: PATH, HOME, LANG, TZ and vars. */
enum ph_error	ph_program_set(struct ph_program *program, char *const *argv, const char *dir,
		    const struct ph_program_var *vars, size_t n_vars, struct ph_fail *fail)
		    PH_MUST_USE;

/*
 * Finds the program, as it is now, and remembers the files that its words name.
 * PH_CONFIG: a name without "/" that is not in PATH; all else only exec finds out.
 */
enum ph_error	ph_program_load(struct ph_program *program, struct ph_fail *fail) PH_MUST_USE;

/* Whether one of its files is another than when it was loaded; looks at most once a second. */
bool		ph_program_edited(struct ph_program *program);

bool		ph_program_is(const struct ph_program *program, char *const *argv, const char *dir);
const char	*ph_program_name(const struct ph_program *program);	/* argv[0], as written */
void		ph_program_clear(struct ph_program *program);

#endif
