/*
 * rule_fits -- reads the conditions of an entry: for which events its rule fits.
 * Knows raw, reading, match, hours.  Does not know the actions, nor whether conditions agree.
 * Called by entry, through its table of keys.
 * Lives on entry's stack.
 * SPDX-License-Identifier: ISC
 */
#include <stdlib.h>
#include <string.h>

#include "raw.h"
#include "rule_fits.h"

#define COUNT_OF(array)	(sizeof(array) / sizeof((array)[0]))

static const struct {
	const char	*name;
	unsigned	 on;
} events[] = {				/* the words of "on" */
	{ "text",		PH_ON_TEXTS },
	{ "quick_reply",	PH_ON_QUICK_REPLY },
	{ "attachment",		PH_ON_ATTACHMENT },
	{ "postback",		PH_ON_POSTBACK },
	{ "referral",		PH_ON_REFERRAL },
	{ "optin",		PH_ON_OPTIN },
	{ "account_linking",	PH_ON_LINKING },
	{ "any",		PH_ON_ANY },
};

void
ph_rule_fits_on(struct ph_reading *r, struct ph_slice value)
{
	struct ph_raw_items	 it = ph_raw_items(value);
	struct ph_slice		 item;
	struct ph_guess		 g;
	char			*word;
	size_t			 i, len, errors = r->file->flaws->n_errors;

	while (ph_raw_next(&it, &item)) {
		if ((word = ph_raw_text(r->file, item, "a word or a list of words", &len)) == NULL)
			continue;
		g = (struct ph_guess)PH_GUESS_INIT(((struct ph_slice){ word, len }));
		for (i = 0; i < COUNT_OF(events) && strcmp(word, events[i].name) != 0; i++)
			ph_guess_try(&g, events[i].name);
		if (i < COUNT_OF(events))
			r->rule->on |= events[i].on;
		else
			ph_strict_unknown(r->file, item.at, "on: unknown event", &g);
		free(word);
	}
	ph_raw_count(r->file, &it, 0);
	if (r->file->flaws->n_errors == errors)	/* else who knows what was meant: all is possible */
		r->possible = r->rule->on;
}

static void
add_match(struct ph_reading *r, enum ph_match_how how, struct ph_slice raw)
{
	struct ph_rule	 *rule = r->rule;
	struct ph_match	**more;
	struct ph_fail	  fail = PH_FAIL_INIT;
	bool		  lost = r->lost_match;
	size_t		  len, at;
	char		 *text = ph_raw_text(r->file, raw, "a text or a list of texts", &len);

	r->lost_match = true;
	if (text == NULL)
		return;
	if (ph_raw_is_blank(text) && (len == 0 || how != PH_MATCH_PATTERN))
		ph_strict_flaw(r->file, raw.at, "%s: empty", r->file->key);
	else if ((more = ph_strict_grow(r->file, rule->matches, rule->n_matches,
	    sizeof(void *))) != NULL) {
		rule->matches = more;
		if (ph_match_new((struct ph_slice){ text, len }, how, &more[rule->n_matches], &at,
		    &fail) == PH_OK) {
			rule->n_matches++;
			r->lost_match = lost;
		} else if (fail.err == PH_MALFORMED && how == PH_MATCH_PATTERN)
			ph_strict_flaw(r->file, ph_raw_at(raw, at), "match: %s in %s", fail.text,
			    text);
		else
			ph_strict_blame(r->file, ph_raw_at(raw, at), &fail);
	}
	free(text);
}

static void
read_matches(struct ph_reading *r, enum ph_match_how how, struct ph_slice value)
{
	struct ph_raw_items	 it = ph_raw_items(value);
	struct ph_slice		 item;

	while (ph_raw_next(&it, &item))
		add_match(r, how, item);
	ph_raw_count(r->file, &it, 0);
}

void
ph_rule_fits_is(struct ph_reading *r, struct ph_slice value)
{
	read_matches(r, PH_MATCH_WHOLE, value);
}

void
ph_rule_fits_has(struct ph_reading *r, struct ph_slice value)
{
	read_matches(r, PH_MATCH_PART, value);
}

void
ph_rule_fits_match(struct ph_reading *r, struct ph_slice value)
{
	read_matches(r, PH_MATCH_PATTERN, value);
}

/* prefixes: a "*" at a word's end stands for whatever may follow. */
static void
read_words(struct ph_reading *r, struct ph_rule_words *words, bool prefixes, struct ph_slice value)
{
	struct ph_rule_word	*more, *word;
	struct ph_raw_items	 it = ph_raw_items(value);
	struct ph_slice		 item;

	while (ph_raw_next(&it, &item)) {
		if ((more = ph_strict_grow(r->file, words->all, words->n, sizeof(*more))) == NULL)
			return;
		words->all = more;
		word = &more[words->n];
		if ((word->text = ph_raw_text(r->file, item, "a text or a list of texts",
		    &word->len)) == NULL)
			continue;
		if (word->len == 0)
			ph_strict_flaw(r->file, item.at, "%s: empty", r->file->key);
		word->prefix = prefixes && word->len > 0 && word->text[word->len - 1] == '*';
		word->len -= word->prefix;
		words->n++;
	}
	ph_raw_count(r->file, &it, 0);
}

void
ph_rule_fits_page(struct ph_reading *r, struct ph_slice value)
{
	read_words(r, &r->rule->page, false, value);
}

void
ph_rule_fits_type(struct ph_reading *r, struct ph_slice value)
{
	read_words(r, &r->rule->type, false, value);
}

void
ph_rule_fits_payload(struct ph_reading *r, struct ph_slice value)
{
	read_words(r, &r->rule->payload, true, value);
}

void
ph_rule_fits_ref(struct ph_reading *r, struct ph_slice value)
{
	read_words(r, &r->rule->ref, true, value);
}

void
ph_rule_fits_when(struct ph_reading *r, struct ph_slice value)
{
	struct ph_rule		*rule = r->rule;
	struct ph_hours		*more;
	struct ph_raw_items	 it = ph_raw_items(value);
	struct ph_slice		 item;
	struct ph_fail		 fail;
	size_t			 len, at;
	char			*text;

	while (ph_raw_next(&it, &item)) {
		if ((text = ph_raw_text(r->file, item, "hours or a list of hours", &len)) == NULL)
			continue;
		fail = (struct ph_fail)PH_FAIL_INIT;
		if ((more = ph_strict_grow(r->file, rule->hours, rule->n_hours,
		    sizeof(*more))) != NULL) {
			rule->hours = more;
			if (ph_hours_parse((struct ph_slice){ text, len }, &more[rule->n_hours],
			    &at, &fail) == PH_OK)
				rule->n_hours++;
			else
				ph_strict_blame(r->file, ph_raw_at(item, at), &fail);
		}
		free(text);
	}
	ph_raw_count(r->file, &it, 0);
}

void
ph_rule_fits_first(struct ph_reading *r, struct ph_slice value)
{
	r->rule->first = ph_raw_is_true(r->file, value);
}
