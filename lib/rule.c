/*
 * rule -- one entry of replies.json as a value: when it fits, and what is done then.
 * Knows match, template, hours.  Does not know how it was written, nor which rule wins.
 * Called by entry and its parts (make it), say (its messages), think (asks it), replies (frees it).
 * Lives as long as the replies it belongs to.
 * SPDX-License-Identifier: ISC
 */
#include <stdlib.h>

#include "rule.h"

static void
clear_words(struct ph_rule_words *words)
{
	size_t	 i;

	for (i = 0; i < words->n; i++)
		free(words->all[i].text);
	free(words->all);
}

void
ph_rule_clear(struct ph_rule *rule)
{
	size_t	 i;

	clear_words(&rule->page);
	clear_words(&rule->type);
	clear_words(&rule->payload);
	clear_words(&rule->ref);
	for (i = 0; i < rule->n_matches; i++)
		ph_match_free(rule->matches[i]);
	for (i = 0; i < rule->n_messages; i++)
		ph_template_free(rule->messages[i].of);
	for (i = 0; i < rule->n_argv; i++)
		ph_template_free(rule->argv[i]);
	ph_template_free(rule->quick);
	ph_template_free(rule->buttons);
	free(rule->matches);
	free(rule->messages);
	free(rule->argv);
	free(rule->hours);
	free(rule->handover_to);
	free(rule->place);
	*rule = (struct ph_rule){ .place = NULL };
}
