/*
 * entry -- one entry of replies.json: its keys, and which of them can stand beside which.
 * Knows raw, reading, and rule_fits, rule_says, rule_offers, rule_does, which read its values.
 * Called by replies, once for each entry.
 * Lives on the stack: what is left of an entry is its rule.
 * SPDX-License-Identifier: ISC
 */
#ifndef PH_ENTRY_H
#define PH_ENTRY_H

#include "rule.h"
#include "strict.h"

/* Reads an entry; the rule, which was empty, is usable only if the file got no error. */
void	ph_entry_read(struct ph_strict *file, struct ph_slice entry, struct ph_rule *rule);

#endif
