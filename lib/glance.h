/*
 * glance -- a look into the store from outside the helper, which writes it: read only.
 * Knows sqlite's file.  Does not know what is done about what it shows.
 * Called by the operator's verbs.
 * Lives for one command; each look is one short transaction, so that the helper's log can be cut.
 * SPDX-License-Identifier: ISC
 */
#ifndef PH_GLANCE_H
#define PH_GLANCE_H

#include <stdint.h>

#include "buffer.h"

struct ph_glance_item {			/* borrowed for the call */
	char		 letter;	/* 'r': a reply; 'e': an event */
	int64_t		 id, event, tries, code;
	int64_t		 since, due;	/* Unix ms; due 0: never by itself */
	const char	*state, *page, *person, *why;	/* never NULL */
};

/*
 * Calls show with each reply that is not sent and each event that is not done, those of a state
 * directory, oldest first.  PH_NONE: there is no store yet.
 */
enum ph_error	ph_glance_queue(const char *state_dir,
		    enum ph_error (*show)(void *arg, const struct ph_glance_item *item,
		    struct ph_fail *fail), void *arg, struct ph_fail *fail) PH_MUST_USE;

/*
 * Counts what is known of a person, on one Page, or if page is NULL on every one.  known: there is
 * something at all.
 */
struct ph_glance_person {
	int64_t	 n_events, n_replies;
	bool	 known;
};
enum ph_error	ph_glance_person(const char *state_dir, const char *page, const char *person,
		    struct ph_glance_person *out, struct ph_fail *fail) PH_MUST_USE;

#endif
