/*
 * faults -- what the next request is to suffer, read from the control file.
 * Knows buffer.  Does not know HTTP, nor how a fault is played.
 * Called by graph for each valid call but a look at the page itself, from many threads.
 * Lives as long as the program; one lock for the file and the counts.
 * SPDX-License-Identifier: ISC
 */
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "faults.h"

struct used {			/* a line of the control file, and how often it won */
	struct used	*next;
	int		 n;
	char		 line[];
};

struct faults {
	const char	*path;
	pthread_mutex_t	 lock;
	struct used	*used;
};

struct rule {			/* a line, understood; borrows from its copy */
	struct fault	 fault;
	const char	*call;
	const char	*to, *text;	/* NULL: any */
	int		 times;
};

static const struct action {
	const char	*name;
	int		 min_args, max_args;
	bool		 taken;
} actions[] = {
	[FAULT_NONE] = { "sent", -1, -1, true },	/* no line asks for it */
	[FAULT_ERROR] = { "error", 1, 2, false },
	[FAULT_STATUS] = { "status", 1, 1, false },
	[FAULT_DELAY] = { "delay", 1, 1, true },
	[FAULT_HANG] = { "accepted-hang", 1, 1, true },
	[FAULT_NO_ID] = { "no-id", 0, 0, false },
	[FAULT_GARBAGE] = { "garbage", 0, 0, false },
	[FAULT_TRUNCATED] = { "truncated", 0, 0, false },
	[FAULT_HUGE] = { "huge", 0, 0, false },
	[FAULT_REDIRECT] = { "redirect", 0, 0, false },
	[FAULT_DROP] = { "drop", 0, 0, false },
	[FAULT_ANSWER] = { "answer", 0, 0, true },
};
#define N_ACTIONS	(sizeof(actions) / sizeof(actions[0]))

static const char *const	 calls[] = { "messages", "action", "profile", "pass_thread_control" };
#define N_CALLS		(sizeof(calls) / sizeof(calls[0]))

static const struct fault	 nothing = { FAULT_NONE, { 0, 0 }, false, true, "", "" };
static const struct fault	 unreadable = { FAULT_STATUS, { 500, 0 }, false, false, "", "" };

static bool
parse_number(const char *word, int *out)
{
	char	*end;
	long	 n = strtol(word, &end, 10);

	if (*word < '0' || *word > '9' || *end != '\0' || n > INT_MAX)
		return false;
	*out = (int)n;
	return true;
}

static bool
parse_action(const char *word, struct rule *r)
{
	size_t	 i;

	for (i = 0; i < N_ACTIONS; i++)
		if (actions[i].min_args >= 0 && strcmp(word, actions[i].name) == 0) {
			r->fault.kind = (enum fault_kind)i;
			r->fault.taken = actions[i].taken;
			return true;
		}
	return false;
}

static bool
parse_call(const char *word, struct rule *r)
{
	size_t	 i;

	for (i = 0; i < N_CALLS; i++)
		if (strcmp(word, calls[i]) == 0) {
			r->call = calls[i];
			return true;
		}
	return false;
}

static bool
parse_word(const char *word, struct rule *r, int *n_args)
{
	size_t	 size = sizeof(r->fault.header);

	if (strcmp(word, "transient") == 0)
		return r->fault.transient = r->fault.kind == FAULT_ERROR;
	if (strcmp(word, "taken") == 0)
		return r->fault.taken = true;
	if (strncmp(word, "times=", 6) == 0)
		return parse_number(word + 6, &r->times);
	if (strncmp(word, "call=", 5) == 0)
		return parse_call(word + 5, r);
	if (strncmp(word, "to=", 3) == 0)
		return *(r->to = word + 3) != '\0';
	if (strncmp(word, "header=", 7) == 0) {
		snprintf(r->fault.header, size, "%s", word + 7);
		return strchr(word, ':') != NULL && strlen(word + 7) < size;
	}
	if (*n_args == actions[r->fault.kind].max_args)
		return false;
	return parse_number(word, &r->fault.args[(*n_args)++]);
}

/* What follows name, to the end of the line, which then ends before it; NULL: it is not there. */
static const char *
cut_rest(char *line, const char *name)
{
	char	*at = strstr(line, name);

	if (at == NULL)
		return NULL;
	*at = '\0';
	return at + strlen(name);
}

static bool
parse_rule(char *line, struct rule *r)
{
	const char	*json = strncmp(line, "answer ", 7) == 0 ? cut_rest(line, " json=") : "";
	size_t		 size = sizeof(r->fault.json);
	char		*word, *rest;
	int		 n_args = 0;

	r->text = cut_rest(line, " text=");
	if (json == NULL || (size_t)snprintf(r->fault.json, size, "%s", json) >= size)
		return false;
	word = strtok_r(line, " \t", &rest);
	if (word == NULL || !parse_action(word, r))
		return false;
	while ((word = strtok_r(NULL, " \t", &rest)) != NULL)
		if (!parse_word(word, r, &n_args))
			return false;
	return n_args >= actions[r->fault.kind].min_args;
}

static bool
matches(const struct rule *r, const char *call, struct ph_slice to, struct ph_slice text)
{
	if (strcmp(call, r->call) != 0)
		return false;
	if (r->to != NULL && !ph_slice_is(to, r->to))
		return false;
	return r->text == NULL || (text.at != NULL &&
	    memmem(text.at, text.len, r->text, strlen(r->text)) != NULL);
}

/* Whether the line may win once more; if so, it has. */
static bool
spend(struct faults *f, const char *line, int times)
{
	struct used	*u;

	for (u = f->used; u != NULL && strcmp(u->line, line) != 0; u = u->next)
		;
	if (u == NULL) {
		if ((u = calloc(1, sizeof(*u) + strlen(line) + 1)) == NULL)
			return false;
		memcpy(u->line, line, strlen(line));
		u->next = f->used;
		f->used = u;
	}
	return u->n < times && ++u->n > 0;
}

static bool
wins(struct faults *f, const char *line, const char *call, struct ph_slice to,
    struct ph_slice text, struct fault *out)
{
	struct rule	 r = { nothing, calls[0], NULL, NULL, -1 };
	char		*copy = strdup(line);
	bool		 won = false;

	if (copy == NULL || !parse_rule(copy, &r)) {
		fprintf(stderr, "graph: %s: cannot read: %s\n", f->path, line);
		*out = unreadable;
		won = true;
	} else if (matches(&r, call, to, text) && (r.times < 0 || spend(f, line, r.times))) {
		*out = r.fault;
		won = true;
	}
	free(copy);
	return won;
}

struct faults *
faults_new(const char *path)
{
	struct faults	*f = calloc(1, sizeof(*f));

	if (f != NULL) {
		f->path = path;
		pthread_mutex_init(&f->lock, NULL);
	}
	return f;
}

struct fault
faults_next(struct faults *f, const char *call, struct ph_slice to, struct ph_slice text)
{
	FILE		*file = f->path != NULL ? fopen(f->path, "re") : NULL;
	struct fault	 fault = nothing;
	char		*line = NULL;
	size_t		 size = 0;

	if (file == NULL)
		return fault;
	pthread_mutex_lock(&f->lock);
	while (getline(&line, &size, file) != -1) {
		line[strcspn(line, "\n")] = '\0';
		if (line[0] != '\0' && line[0] != '#' && wins(f, line, call, to, text, &fault))
			break;
	}
	pthread_mutex_unlock(&f->lock);
	free(line);
	fclose(file);
	return fault;
}

const char *
fault_name(enum fault_kind kind)
{
	return actions[kind].name;
}
