/*
 * rule_fits -- reads the conditions of an entry: for which events its rule fits.
 * Knows raw, reading, match, hours.  Does not know the actions, nor whether conditions agree.
 * Called by entry, through its table of keys.
 * Lives on entry's stack.
 * SPDX-License-Identifier: ISC
 */
#ifndef PH_RULE_FITS_H
#define PH_RULE_FITS_H

#include "reading.h"

/* Each reads the raw value of the key that it bears the name of; what is wrong with it is noted. */
void	ph_rule_fits_on(struct ph_reading *r, struct ph_slice value);
void	ph_rule_fits_is(struct ph_reading *r, struct ph_slice value);
void	ph_rule_fits_has(struct ph_reading *r, struct ph_slice value);
void	ph_rule_fits_match(struct ph_reading *r, struct ph_slice value);
void	ph_rule_fits_payload(struct ph_reading *r, struct ph_slice value);
void	ph_rule_fits_ref(struct ph_reading *r, struct ph_slice value);
void	ph_rule_fits_type(struct ph_reading *r, struct ph_slice value);
void	ph_rule_fits_page(struct ph_reading *r, struct ph_slice value);
void	ph_rule_fits_when(struct ph_reading *r, struct ph_slice value);
void	ph_rule_fits_first(struct ph_reading *r, struct ph_slice value);

#endif
