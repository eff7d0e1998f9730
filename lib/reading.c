/*
 * reading -- an entry of replies.json while it becomes a rule: what its texts may have in them.
 * Knows raw, rule, say, bounds.  Does not know the entry's keys.
 * Called by rule_fits, rule_says, rule_offers and rule_does, which read what keys say.
 * Lives on entry's stack.
 * SPDX-License-Identifier: ISC
 */
#include <stdlib.h>
#include <string.h>

#include "bounds.h"
#include "raw.h"
#include "reading.h"
#include "say.h"

#define COUNT_OF(array)	(sizeof(array) / sizeof((array)[0]))

static const struct {
	const char	*name;
	unsigned	 on;		/* events that can set it */
} fields[] = {
	{ "text",		PH_ON_TEXTS },
	{ "payload",		PH_ON_PAYLOADS },
	{ "type",		PH_ON_ATTACHMENT },
	{ "psid",		PH_ON_ALL },
	{ "page",		PH_ON_ALL },
	{ "mid",		PH_ON_MESSAGES | PH_ON_POSTBACK },
	{ "time",		PH_ON_ALL },
	{ "user.first_name",	PH_ON_ALL },
	{ "user.last_name",	PH_ON_ALL },
};

/* A capture is known by its name, and by its number if there are as many. */
static bool
is_capture(const struct ph_rule *rule, const char *name)
{
	const char	*group, *digits = "0123456789";
	size_t		 m, i;

	for (m = 0; m < rule->n_matches; m++) {
		for (i = 1; (group = ph_match_group(rule->matches[m], i)) != NULL; i++)
			if (strcmp(group, name) == 0)
				return true;
		if (name[0] != '0' && name[strspn(name, digits)] == '\0' && strlen(name) < 6 &&
		    strtoul(name, NULL, 10) < i)
			return true;
	}
	return false;
}

bool
ph_reading_knows(void *arg, const char *name)
{
	struct ph_reading	*r = arg;
	size_t			 i;

	if (strncmp(name, "user.", 5) == 0)
		r->rule->wants_person = true;
	for (i = 0; i < COUNT_OF(fields); i++)
		if (strcmp(fields[i].name, name) == 0)
			return (fields[i].on & r->possible) != 0;
	return r->lost_match || is_capture(r->rule, name);
}

struct ph_template *
ph_reading_compile(struct ph_reading *r, struct ph_slice raw, enum ph_template_is is)
{
	struct ph_template	*t = NULL;
	struct ph_fail		 fail = PH_FAIL_INIT;
	size_t			 at, len;
	char			*text;

	if (is == PH_TEMPLATE_JSON) {
		if (ph_template_new(raw, is, ph_reading_knows, r, &t, &at, &fail) != PH_OK)
			ph_strict_blame(r->file, raw.at + at, &fail);
		return t;
	}
	if ((text = ph_raw_text(r->file, raw, "a text", &len)) == NULL)
		return NULL;
	if (ph_template_new((struct ph_slice){ text, len }, is, ph_reading_knows, r, &t, &at,
	    &fail) != PH_OK)
		ph_strict_blame(r->file, ph_raw_at(raw, at), &fail);
	free(text);
	return t;
}

static struct ph_slice
an_x(void *arg, const char *name)	/* what stands for every value while limits are checked */
{
	(void)arg;
	(void)name;
	return (struct ph_slice){ "x", 1 };
}

struct warning {			/* of this value */
	struct ph_strict	*file;
	const char		*at;
};

static void
warn(void *arg, const char *words)
{
	const struct warning	*w = arg;

	ph_strict_warn(w->file, w->at, words);
}

static void
check_message(struct ph_reading *r, const char *at, const struct ph_buffer *message)
{
	struct warning	 w = { r->file, at };
	struct ph_fail	 fail = PH_FAIL_INIT;

	if (message->len > 0 && ph_bounds_check((struct ph_slice){ message->data,
	    message->len - 1 }, warn, &w, &fail) != PH_OK)
		ph_strict_blame(r->file, at, &fail);
}

void
ph_reading_check(struct ph_reading *r, const char *at, const struct ph_rule *sample)
{
	struct ph_buffer	 out = PH_BUFFER_INIT;

	ph_say(sample, an_x, NULL, &out);
	if (out.failed)
		r->file->no_memory = true;
	else if (out.len == 0)
		ph_strict_flaw(r->file, at, "%s: says nothing", r->file->key);
	else if (memchr(out.data, '\n', out.len) == out.data + out.len - 1)
		check_message(r, at, &out);	/* several: a text cut into what fits */
	ph_buffer_clear(&out);
}
