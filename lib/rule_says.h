/*
 * rule_says -- reads the messages of an entry: texts, message objects, media.
 * Knows raw, scan, reading.  Does not know quick replies and buttons, nor what may stand beside what.
 * Called by entry, through its table of keys, in the order in which the messages stand.
 * Lives on entry's stack.
 * SPDX-License-Identifier: ISC
 */
#ifndef PH_RULE_SAYS_H
#define PH_RULE_SAYS_H

#include "reading.h"

/*
 * Each reads the raw value of its key into the rule's messages; what is wrong with it is noted.
 * media: the key, "image" .., is kept as it is: entry's table outlives the rules.
 */
void	ph_rule_says_say(struct ph_reading *r, struct ph_slice value);
void	ph_rule_says_message(struct ph_reading *r, struct ph_slice value);
void	ph_rule_says_media(struct ph_reading *r, struct ph_slice value);

#endif
