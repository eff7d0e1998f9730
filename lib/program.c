/*
 * program -- one of the user's programs, with all that exec needs of it, made before a fork.
 * Knows buffer, clock.  Does not know processes, nor what a handler is.
 * Called by exec, coproc and alert.
 * Lives with its owner.
 * SPDX-License-Identifier: ISC
 */
#include <sys/types.h>

#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "program.h"

#define SAFE_PATH	"/usr/local/bin:/usr/bin:/bin"
#define MAX_ENV		(PH_PROGRAM_VARS + 4)

static void
free_words(char **words)
{
	size_t	 i;

	for (i = 0; words != NULL && words[i] != NULL; i++)
		free(words[i]);
	free(words);
}

static char **
copy_words(char *const *words)
{
	char	**copy;
	size_t	  i, n = 0;

	while (words[n] != NULL)
		n++;
	if ((copy = calloc(n + 1, sizeof(*copy))) == NULL)
		return NULL;
	for (i = 0; i < n; i++)
		if ((copy[i] = strdup(words[i])) == NULL) {
			free_words(copy);
			return NULL;
		}
	return copy;
}

static const char *
search_path(void)
{
	const char	*path = getenv("PATH");

	return path != NULL && path[0] != '\0' ? path : SAFE_PATH;
}

/* NAME=value without its NULs, as the next of env; one that cannot be had leaves it short. */
static void
add_var(char **env, size_t *n, const char *name, struct ph_slice value)
{
	struct ph_buffer	 line = PH_BUFFER_INIT;
	const char		*nul;
	size_t			 len;

	ph_buffer_addf(&line, "%s=", name);
	for (; value.len > 0; value = (struct ph_slice){ value.at + len, value.len - len }) {
		nul = memchr(value.at, '\0', value.len);
		len = nul != NULL ? (size_t)(nul - value.at) : value.len;
		ph_buffer_add(&line, value.at, len);
		if (nul != NULL)
			len++;
	}
	if (line.failed)
		ph_buffer_clear(&line);
	else
		env[(*n)++] = line.data;
}

static void
add_text(char **env, size_t *n, const char *name, const char *value)
{
	if (value != NULL)
		add_var(env, n, name, (struct ph_slice){ value, strlen(value) });
}

/* Nothing of ours goes along but what is named here: our own environment may hold secrets. */
static char **
make_environment(const struct ph_program_var *vars, size_t n_vars)
{
	struct passwd	 pw, *found = NULL;
	char		 room[4096], **env = calloc(MAX_ENV + 1, sizeof(*env));
	size_t		 i, n = 0, want = n_vars + 1;

	if (env == NULL)
		return NULL;
	add_text(env, &n, "PATH", search_path());
	if (getpwuid_r(geteuid(), &pw, room, sizeof(room), &found) == 0 && found != NULL) {
		add_text(env, &n, "HOME", pw.pw_dir);
		want++;
	}
	for (i = 0; i < n_vars && i < PH_PROGRAM_VARS; i++)
		add_var(env, &n, vars[i].name, vars[i].value);
	if (n < want) {
		free_words(env);
		return NULL;
	}
	add_text(env, &n, "LANG", getenv("LANG"));
	add_text(env, &n, "TZ", getenv("TZ"));
	return env;
}

enum ph_error
ph_program_set(struct ph_program *p, char *const *argv, const char *dir,
    const struct ph_program_var *vars, size_t n_vars, struct ph_fail *fail)
{
	ph_program_clear(p);
	p->argv = copy_words(argv);
	p->dir = strdup(dir);
	p->env = make_environment(vars, n_vars);
	if (p->argv == NULL || p->dir == NULL || p->env == NULL) {
		ph_program_clear(p);
		return ph_error_set(fail, PH_NOMEM, "handler: out of memory");
	}
	return PH_OK;
}

/* A word as a path that holds from anywhere. */
static char *
place_of(const struct ph_program *p, const char *word)
{
	struct ph_buffer	 path = PH_BUFFER_INIT;

	if (word[0] == '/')
		return strdup(word);
	ph_buffer_addf(&path, "%s/%s", p->dir, word);
	if (path.failed)
		ph_buffer_clear(&path);
	return path.data;
}

/* Parts of PATH that are relative are left out: they would mean the replies file's directory. */
static char *
find_in_path(const char *name)
{
	struct ph_buffer	 path = PH_BUFFER_INIT;
	struct stat		 st;
	const char		*part = search_path();
	size_t			 len;

	for (; *name != '\0' && *part != '\0'; part += len + (part[len] == ':')) {
		len = strcspn(part, ":");
		if (part[0] != '/')
			continue;
		ph_buffer_reset(&path);
		ph_buffer_addf(&path, "%.*s/%s", (int)len, part, name);
		if (!path.failed && access(path.data, X_OK) == 0 && stat(path.data, &st) == 0 &&
		    S_ISREG(st.st_mode))
			return path.data;
	}
	ph_buffer_clear(&path);
	return NULL;
}

static void
forget_files(struct ph_program *p)
{
	while (p->n_files > 0)
		free(p->files[--p->n_files].path);
}

static void
remember(struct ph_program *p, char *path)
{
	struct ph_program_file	*f = &p->files[p->n_files];

	if (path == NULL || p->n_files == PH_PROGRAM_FILES || stat(path, &f->seen) != 0 ||
	    !S_ISREG(f->seen.st_mode)) {
		free(path);
		return;
	}
	f->path = path;
	p->n_files++;
}

enum ph_error
ph_program_load(struct ph_program *p, struct ph_fail *fail)
{
	const char	*name = ph_program_name(p);
	size_t		 i;

	free(p->path);
	p->path = strchr(name, '/') != NULL ? strdup(name) : find_in_path(name);
	if (p->path == NULL)
		return ph_error_set(fail, PH_CONFIG, "%s: not in PATH (./%s?)", name, name);
	forget_files(p);
	remember(p, place_of(p, p->path));
	for (i = 1; p->argv[0] != NULL && p->argv[i] != NULL; i++)
		remember(p, place_of(p, p->argv[i]));
	return PH_OK;
}

static bool
same_file(const struct stat *a, const struct stat *b)
{
	return a->st_ino == b->st_ino && a->st_dev == b->st_dev && a->st_size == b->st_size &&
	    a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

bool
ph_program_edited(struct ph_program *p)
{
	struct stat	 st;
	size_t		 i;

	if (ph_clock_mono() < p->look_at)
		return false;
	p->look_at = ph_clock_mono() + ph_clock_wait_ms(PH_SECOND_MS);
	/* One that is missing is being replaced just now: the next look finds the new one. */
	for (i = 0; i < p->n_files; i++)
		if (stat(p->files[i].path, &st) == 0 && !same_file(&st, &p->files[i].seen))
			return true;
	return false;
}

bool
ph_program_is(const struct ph_program *p, char *const *argv, const char *dir)
{
	size_t	 i;

	if (p->argv == NULL || strcmp(p->dir, dir) != 0)
		return false;
	for (i = 0; p->argv[i] != NULL && argv[i] != NULL; i++)
		if (strcmp(p->argv[i], argv[i]) != 0)
			return false;
	return p->argv[i] == NULL && argv[i] == NULL;
}

const char *
ph_program_name(const struct ph_program *p)
{
	return p->argv != NULL && p->argv[0] != NULL ? p->argv[0] : "";
}

void
ph_program_clear(struct ph_program *p)
{
	forget_files(p);
	free_words(p->argv);
	free_words(p->env);
	free(p->dir);
	free(p->path);
	*p = (struct ph_program)PH_PROGRAM_INIT;
}
