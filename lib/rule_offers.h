/*
 * rule_offers -- reads what an entry offers to tap: quick replies and buttons, in Meta's words.
 * Knows raw, reading.  Does not know the messages that they stand beside.
 * Called by entry, through its table of keys.
 * Lives on entry's stack.
 * SPDX-License-Identifier: ISC
 */
#ifndef PH_RULE_OFFERS_H
#define PH_RULE_OFFERS_H

#include "reading.h"

/* Each reads the raw value of the key that it bears the name of; what is wrong with it is noted. */
void	ph_rule_offers_quick(struct ph_reading *r, struct ph_slice value);
void	ph_rule_offers_buttons(struct ph_reading *r, struct ph_slice value);

#endif
