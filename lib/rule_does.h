/*
 * rule_does -- reads what an entry does beside saying something: handlers, signs, silence.
 * Knows raw, reading.  Does not know what may stand beside what, nor how a handler is asked.
 * Called by entry, through its table of keys.
 * Lives on entry's stack.
 * SPDX-License-Identifier: ISC
 */
#ifndef PH_RULE_DOES_H
#define PH_RULE_DOES_H

#include "reading.h"

/* Each reads the raw value of the key that it bears the name of; what is wrong with it is noted. */
void	ph_rule_does_seen(struct ph_reading *r, struct ph_slice value);
void	ph_rule_does_typing(struct ph_reading *r, struct ph_slice value);
void	ph_rule_does_exec(struct ph_reading *r, struct ph_slice value);
void	ph_rule_does_coproc(struct ph_reading *r, struct ph_slice value);
void	ph_rule_does_timeout(struct ph_reading *r, struct ph_slice value);
void	ph_rule_does_pause(struct ph_reading *r, struct ph_slice value);
void	ph_rule_does_handover(struct ph_reading *r, struct ph_slice value);
void	ph_rule_does_ignore(struct ph_reading *r, struct ph_slice value);

#endif
