/*
 * reading -- an entry of replies.json while it becomes a rule: what its texts may have in them.
 * Knows raw, rule, say, bounds.  Does not know the entry's keys.
 * Called by rule_fits, rule_says, rule_offers and rule_does, which read what keys say.
 * Lives on entry's stack.
 * SPDX-License-Identifier: ISC
 */
#ifndef PH_READING_H
#define PH_READING_H

#include "rule.h"
#include "strict.h"

struct ph_reading {
	struct ph_strict	*file;
	struct ph_rule		*rule;		/* what has been read so far */
	unsigned		 possible;	/* events for which the conditions so far can hold */
	size_t			 last_say;	/* among the rule's messages, from 1; 0: there is none */
	bool			 own_quick;	/* a raw message brings its quick replies */
	bool			 lost_match;	/* a pattern was refused, and its captures with it */
};

/* Whether an event that is possible can set this field; for ph_template_new, with the reading. */
bool			 ph_reading_knows(void *reading, const char *field);

/*
 * Compiles a raw value: JSON as it stands, a string's text otherwise.
 * NULL: something is wrong with it, which was noted.
 */
struct ph_template	*ph_reading_compile(struct ph_reading *r, struct ph_slice raw,
			    enum ph_template_is is);

/* Says a rule made for the purpose; what Meta would not take of it is a flaw of the value at. */
void			 ph_reading_check(struct ph_reading *r, const char *at,
			    const struct ph_rule *sample);

#endif
