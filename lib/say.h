/*
 * say -- what a rule says, as message objects: its texts filled in, cut, dressed with buttons.
 * Knows rule, template, message.  Does not know what the fields are, nor what Meta takes.
 * Called by think (to a person) and reading (to see whether Meta would take it).
 * Lives on the caller's stack.
 * SPDX-License-Identifier: ISC
 */
#ifndef PH_SAY_H
#define PH_SAY_H

#include "rule.h"

/* Appends the rule's messages, filled in, each on a line of its own; value as in template. */
void	ph_say(const struct ph_rule *rule, struct ph_slice (*value)(void *arg, const char *name),
	    void *arg, struct ph_buffer *out);

#endif
