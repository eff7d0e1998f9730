/*
 * replies -- replies.json: what its owner wants the bot to say.
 * Knows strict, raw, entry, rule.  Does not know where the file lies, nor events.
 * Called by pages (the helper's), "replies check" and chat to read it; think asks its rules.
 * Lives as an immutable value but for what matching leaves behind: one thread.
 * SPDX-License-Identifier: ISC
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "entry.h"
#include "raw.h"
#include "replies.h"

#define MAX_ENTRIES	10000

const char	ph_replies_builtin[] =
    "// What a bot says whose owner has written nothing.  The first entry that fits wins.\n"
    "{\n"
    "  \"$schema\": \"replies.schema.json\",\n"
    "  \"replies\": [\n"
    "    { \"on\": \"text\", \"say\": \"You said: {text}\" },\n"
    "    { \"on\": \"attachment\", \"say\": \"I received your attachment.\" },\n"
    "    { \"on\": \"postback\", \"payload\": \"GET_STARTED\", "
    "\"say\": \"Welcome. Tell me what you need.\" },\n"
    "    { \"on\": \"postback\", \"say\": \"Postback received: {payload}\" }\n"
    "  ]\n"
    "}\n";

static struct ph_rule *
new_rule(struct ph_strict *f, struct ph_replies *r, size_t line)
{
	size_t		 cap = r->cap == 0 ? 16 : 2 * r->cap;
	struct ph_rule	*grown, *rule;

	if (r->n == r->cap) {
		if ((grown = realloc(r->rules, cap * sizeof(*grown))) == NULL) {
			f->no_memory = true;
			return NULL;
		}
		r->rules = grown;
		r->cap = cap;
	}
	rule = &r->rules[r->n++];
	*rule = (struct ph_rule){ .place = NULL };
	if (asprintf(&rule->place, "%s:%zu", r->name, line) < 0) {
		rule->place = NULL;
		f->no_memory = true;
	}
	return rule;
}

static void
read_entries(struct ph_strict *f, struct ph_slice list, struct ph_replies *r)
{
	struct ph_scan	 scan;
	struct ph_slice	 entry;
	struct ph_rule	*rule;
	const char	*p = f->copy;
	size_t		 line = 1;

	ph_scan_begin(&scan, list);
	if (!ph_scan_enter(&scan, '[')) {
		ph_strict_flaw(f, list.at, "replies: expected a list in []");
		return;
	}
	while (ph_scan_element(&scan)) {
		ph_scan_skip(&scan, &entry);
		for (; p < entry.at; p++)
			line += *p == '\n';
		if (r->n == MAX_ENTRIES) {
			ph_strict_flaw(f, entry.at, "replies: at most 10,000 entries");
			return;
		}
		if ((rule = new_rule(f, r, line)) == NULL)
			return;
		ph_entry_read(f, entry, rule);
	}
}

static void
read_top(struct ph_strict *f, struct ph_slice top, struct ph_replies *r)
{
	struct ph_raw_member	 m[] = { { .name = "replies" }, { .name = "$schema" } };

	ph_raw_members(f, top, "\"replies\": [...]", m, 2, NULL);
	if (m[1].at != NULL && m[1].value.at[0] != '"')
		ph_strict_flaw(f, m[1].value.at, "$schema: expected a text");
	if (m[0].at != NULL)
		read_entries(f, m[0].value, r);
	else if (f->flaws->n_errors == 0)	/* an unknown key may be what was meant */
		ph_strict_flaw(f, top.at, "replies is missing: expected \"replies\": [...]");
}

static enum ph_error
judge(const struct ph_strict *f, const char *name, struct ph_fail *fail)
{
	const struct ph_flaws	*flaws = f->flaws;
	size_t			 i;

	if (f->no_memory)
		return ph_error_set(fail, PH_NOMEM, "%s: out of memory", name);
	for (i = 0; i < flaws->n; i++)
		if (!flaws->all[i].warning)
			return ph_error_set(fail, PH_CONFIG, "%s:%zu:%zu: %s", name,
			    flaws->all[i].line, flaws->all[i].column, flaws->all[i].text);
	return PH_OK;
}

enum ph_error
ph_replies_parse(const char *name, struct ph_slice text, struct ph_replies **out,
    struct ph_flaws *flaws, struct ph_fail *fail)
{
	struct ph_strict	 f = { .flaws = flaws };
	struct ph_replies	*r = calloc(1, sizeof(*r));
	struct ph_slice		 top;
	bool			 is_json = ph_strict_begin(&f, text, &top);
	enum ph_error		 err;

	*out = NULL;
	if (r == NULL || (r->name = strdup(name)) == NULL)
		f.no_memory = true;
	else if (is_json)
		read_top(&f, top, r);
	ph_strict_end(&f);		/* what rules need of the text is theirs */
	if ((err = judge(&f, name, fail)) == PH_OK)
		*out = r;
	else
		ph_replies_free(r);
	return err;
}

void
ph_replies_free(struct ph_replies *r)
{
	size_t	 i;

	if (r == NULL)
		return;
	for (i = 0; i < r->n; i++)
		ph_rule_clear(&r->rules[i]);
	free(r->rules);
	free(r->name);
	free(r);
}

size_t
ph_replies_count(const struct ph_replies *r)
{
	return r->n;
}
