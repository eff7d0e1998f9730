/*
 * layer -- where settings are set: NAME=value texts, and the place of each.
 * Knows error, guess.  Does not know what a setting means.
 * Called by conf, once for each place: request, environment, credentials, file.
 * Lives as long as settings are being read; its texts may be secrets.
 * SPDX-License-Identifier: ISC
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "guess.h"
#include "layer.h"
#include "signature.h"

static const char *
nearest(const struct ph_layer_name *names, const char *name)
{
	struct ph_guess	 guess = PH_GUESS_INIT(((struct ph_slice){ name, strlen(name) }));

	guess.best = 4;				/* names of settings are long */
	for (; names->name != NULL; names++)
		ph_guess_try(&guess, names->name);
	return guess.nearest;
}

/* The pair of a name in this layer: NAME or, for a secret, NAME_FILE; NULL: no such setting. */
static struct ph_layer_pair *
find(struct ph_layer *layer, const struct ph_layer_name *names, const char *name, size_t len)
{
	size_t	 i, n;

	for (i = 0; names[i].name != NULL; i++) {
		n = strlen(names[i].name);
		if (strncmp(name, names[i].name, n) != 0)
			continue;
		if (len == n)
			return &layer->set[i];
		if (names[i].secret && len == n + 5 && strncmp(name + n, "_FILE", 5) == 0)
			return &layer->set_file[i];
	}
	return NULL;
}

static enum ph_error
put(struct ph_layer_pair *pair, const char *value, size_t len, const char *where,
    struct ph_fail *fail)
{
	pair->value = strndup(value, len);
	pair->where = strdup(where);
	if (pair->value == NULL || pair->where == NULL)
		return ph_error_set(fail, PH_NOMEM, "settings: out of memory");
	return PH_OK;
}

enum ph_error
ph_layer_read_variables(struct ph_layer *layer, const struct ph_layer_name *names,
    const char *const *vars, bool (*wanted)(const char *variable), struct ph_fail *fail)
{
	struct ph_layer_pair	*pair;
	const char		*equals;
	char			 where[128];

	for (; vars != NULL && *vars != NULL; vars++) {
		if ((equals = strchr(*vars, '=')) == NULL || (wanted != NULL && !wanted(*vars)) ||
		    (pair = find(layer, names, *vars, (size_t)(equals - *vars))) == NULL ||
		    pair->value != NULL)
			continue;
		snprintf(where, sizeof(where), "%.*s", (int)(equals - *vars), *vars);
		if (put(pair, equals + 1, strlen(equals + 1), where, fail) != PH_OK)
			return fail->err;
	}
	return PH_OK;
}

enum ph_error
ph_layer_read_credentials(struct ph_layer *layer, const struct ph_layer_name *names,
    const char *dir, struct ph_fail *fail)
{
	char	 path[4096];
	size_t	 i;

	for (i = 0; dir != NULL && names[i].name != NULL; i++) {
		if (!names[i].secret)
			continue;
		snprintf(path, sizeof(path), "%s/%s", dir, names[i].name);
		if (access(path, F_OK) == 0 &&
		    put(&layer->set_file[i], path, strlen(path), path, fail) != PH_OK)
			return fail->err;
	}
	return PH_OK;
}

/* Cuts the value out of what follows "=": blanks around it, one pair of quotes. */
static bool
unquote(const char **value, size_t *len)
{
	const char	*v = *value;
	size_t		 n = *len;

	while (n > 0 && (*v == ' ' || *v == '\t')) {
		v++;
		n--;
	}
	while (n > 0 && strchr(" \t\r", v[n - 1]) != NULL)
		n--;
	if (n > 0 && (*v == '"' || *v == '\'')) {
		if (n < 2 || v[n - 1] != *v || memchr(v + 1, *v, n - 2) != NULL)
			return false;
		v++;
		n -= 2;
	}
	*value = v;
	*len = n;
	return true;
}

static enum ph_error
read_line(struct ph_layer *layer, const struct ph_layer_name *names, struct ph_slice text,
    const char *where, struct ph_fail *fail)
{
	const char		*line = text.at, *equals = memchr(line, '=', text.len), *value, *guess;
	struct ph_layer_pair	*pair;
	char			 name[64];
	size_t			 name_len, value_len;

	if (equals == NULL)
		return ph_error_set(fail, PH_CONFIG, "%s: no NAME=value", where);
	for (name_len = (size_t)(equals - line); name_len > 0 && strchr(" \t", line[name_len - 1]); )
		name_len--;
	snprintf(name, sizeof(name), "%.*s", (int)name_len, line);
	if ((pair = find(layer, names, line, name_len)) == NULL) {
		guess = nearest(names, name);
		return ph_error_set(fail, PH_CONFIG, "%s: no setting %s%s%s%s", where, name,
		    guess != NULL ? "; " : "", guess != NULL ? guess : "", guess != NULL ? "?" : "");
	}
	if (pair->value != NULL)
		return ph_error_set(fail, PH_CONFIG, "%s: %s is already set in %s", where, name,
		    pair->where);
	value = equals + 1;
	value_len = text.len - (size_t)(value - line);
	if (!unquote(&value, &value_len))
		return ph_error_set(fail, PH_CONFIG, "%s: %s: the quotes do not match", where, name);
	return put(pair, value, value_len, where, fail);
}

enum ph_error
ph_layer_read_file(struct ph_layer *layer, const struct ph_layer_name *names, const char *path,
    const char *text, struct ph_fail *fail)
{
	const char	*slash = strrchr(path, '/');
	char		 where[256];
	size_t		 len, n = 0;

	for (; *text != '\0'; text += len + (text[len] == '\n')) {
		text += strspn(text, " \t\r");
		len = strcspn(text, "\n");
		snprintf(where, sizeof(where), "%s:%zu", slash != NULL ? slash + 1 : path, ++n);
		if (len > 0 && *text != '#' && *text != ';' &&
		    read_line(layer, names, (struct ph_slice){ text, len }, where, fail) != PH_OK)
			return fail->err;
	}
	return PH_OK;
}

static void
forget(char *text)
{
	if (text != NULL)
		ph_signature_wipe(text, strlen(text));
	free(text);
}

void
ph_layer_clear(struct ph_layer *layer)
{
	size_t	 i;

	for (i = 0; i < PH_LAYER_MAX; i++) {
		forget(layer->set[i].value);
		forget(layer->set_file[i].value);
		free(layer->set[i].where);
		free(layer->set_file[i].where);
	}
	*layer = (struct ph_layer){ { { NULL, NULL } }, { { NULL, NULL } } };
}
