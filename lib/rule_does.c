/*
 * rule_does -- reads what an entry does beside saying something: handlers, signs, silence.
 * Knows raw, reading.  Does not know what may stand beside what, nor how a handler is asked.
 * Called by entry, through its table of keys.
 * Lives on entry's stack.
 * SPDX-License-Identifier: ISC
 */
#include <stdlib.h>
#include <string.h>

#include "raw.h"
#include "rule_does.h"

#define COUNT_OF(array)	(sizeof(array) / sizeof((array)[0]))

#define SECOND		INT64_C(1000)
#define MINUTE		(60 * SECOND)
#define HOUR		(60 * MINUTE)
#define DAY		(24 * HOUR)
#define DEFAULT_TIMEOUT	(10 * SECOND)

#define MAX_ARGV	64

void
ph_rule_does_seen(struct ph_reading *r, struct ph_slice value)
{
	r->rule->seen = ph_raw_is_true(r->file, value);
}

void
ph_rule_does_typing(struct ph_reading *r, struct ph_slice value)
{
	r->rule->typing = ph_raw_is_true(r->file, value);
}

void
ph_rule_does_ignore(struct ph_reading *r, struct ph_slice value)
{
	(void)ph_raw_is_true(r->file, value);	/* a rule that does nothing is one that ignores */
}

/* The one field that a word is; NULL: it is more than that, or none. */
static const char *
only_field(struct ph_slice raw, const struct ph_template *t)
{
	const char	*name = ph_template_field(t, 0);

	if (name == NULL || raw.len != strlen(name) + 4 || raw.at[1] != '{' ||
	    memcmp(raw.at + 2, name, raw.len - 4) != 0)
		return NULL;
	return name;
}

/*
 * What a stranger chose may begin with "-"; a program would take such a word for an option.  What a
 * pattern captured is what its writer let through: "#(?<n>\d+)" needs no warning.
 */
static void
warn_of_option(struct ph_reading *r, struct ph_slice raw, const struct ph_template *t)
{
	const char	*name = only_field(raw, t);

	if (name == NULL || (strcmp(name, "text") != 0 && strcmp(name, "payload") != 0 &&
	    strncmp(name, "user.", 5) != 0))
		return;
	ph_strict_warn(r->file, raw.at,
	    "this word may begin with \"-\" and be taken for an option: put \"--\" before it");
}

static void
add_argument(struct ph_reading *r, bool coproc, struct ph_slice raw)
{
	struct ph_rule		 *rule = r->rule;
	struct ph_template	**more, *t;

	if (ph_slice_is(raw, "\"\"") && rule->n_argv == 0)
		ph_strict_flaw(r->file, raw.at, "%s: expected a program", r->file->key);
	if ((t = ph_reading_compile(r, raw, PH_TEMPLATE_TEXT)) == NULL)
		return;
	if (ph_template_field(t, 0) != NULL && coproc)
		ph_strict_flaw(r->file, raw.at,
		    "coproc: it serves all events, so its words have no fields");
	else if (ph_template_field(t, 0) != NULL && rule->n_argv == 0)
		ph_strict_flaw(r->file, raw.at, "exec: what is run cannot depend on a field");
	if ((more = ph_strict_grow(r->file, rule->argv, rule->n_argv, sizeof(void *))) == NULL) {
		ph_template_free(t);
		return;
	}
	rule->argv = more;
	more[rule->n_argv++] = t;
}

static void
read_argv(struct ph_reading *r, bool coproc, struct ph_slice value)
{
	struct ph_rule		*rule = r->rule;
	struct ph_raw_items	 it = ph_raw_items(value);
	struct ph_slice		 item;
	bool			 guarded = coproc;
	size_t			 n;

	if (!it.list) {
		ph_strict_flaw(r->file, value.at, "%s: expected a program and its words in []",
		    r->file->key);
		return;
	}
	while (ph_raw_next(&it, &item)) {
		n = rule->n_argv;
		add_argument(r, coproc, item);
		guarded = guarded || ph_slice_is(item, "\"--\"");
		if (!guarded && rule->n_argv > n && n > 0)
			warn_of_option(r, item, rule->argv[n]);
	}
	ph_raw_count(r->file, &it, MAX_ARGV);
	rule->coproc = coproc;
	if (rule->timeout_ms == 0)
		rule->timeout_ms = DEFAULT_TIMEOUT;
}

void
ph_rule_does_exec(struct ph_reading *r, struct ph_slice value)
{
	read_argv(r, false, value);
}

void
ph_rule_does_coproc(struct ph_reading *r, struct ph_slice value)
{
	read_argv(r, true, value);
}

/* "90s", "15m", "2h", "7d"; -1: it is none. */
static int64_t
duration(const char *text)
{
	static const struct { char unit; int64_t ms; } units[] = {
		{ 's', SECOND }, { 'm', MINUTE }, { 'h', HOUR }, { 'd', DAY },
	};
	size_t	 n = strspn(text, "0123456789"), i;

	for (i = 0; n > 0 && n < 10 && i < COUNT_OF(units); i++)
		if (text[n] == units[i].unit && text[n + 1] == '\0')
			return strtol(text, NULL, 10) * units[i].ms;
	return -1;
}

static int64_t
duration_within(struct ph_reading *r, struct ph_slice raw, int64_t min, int64_t max,
    const char *expected)
{
	size_t	 len;
	char	*text = ph_raw_text(r->file, raw, expected, &len);
	int64_t	 ms = text != NULL ? duration(text) : 0;

	if (text != NULL && (ms < min || ms > max))
		ph_strict_flaw(r->file, raw.at, "%s: expected %s", r->file->key, expected);
	free(text);
	return ms;
}

void
ph_rule_does_timeout(struct ph_reading *r, struct ph_slice value)
{
	r->rule->timeout_ms = duration_within(r, value, SECOND, 10 * MINUTE,
	    "a time from \"1s\" to \"10m\"");
}

void
ph_rule_does_pause(struct ph_reading *r, struct ph_slice value)
{
	r->rule->pause_ms = duration_within(r, value, MINUTE, 365 * DAY,
	    "a time from \"1m\" to \"365d\"");
}

void
ph_rule_does_handover(struct ph_reading *r, struct ph_slice value)
{
	struct ph_slice	 id = value;
	size_t		 digits = 0;

	r->rule->handover = true;
	if (ph_slice_is(value, "true"))
		return;
	if (value.at != NULL && ph_raw_is_string(value))
		id = (struct ph_slice){ value.at + 1, value.len - 2 };
	while (id.at != NULL && digits < id.len && id.at[digits] >= '0' && id.at[digits] <= '9')
		digits++;
	if (digits == 0 || digits != id.len || digits > 32)
		ph_strict_flaw(r->file, value.at, "%s: expected true or an app's id", r->file->key);
	else if ((r->rule->handover_to = strndup(id.at, id.len)) == NULL)
		r->file->no_memory = true;
}
