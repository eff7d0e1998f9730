/*
 * glance -- a look into the store beside the one connection that writes it: read only.
 * Knows sqlite's file.  Does not know what is done about what it shows.
 * Called by the operator's verbs, and by survey.
 * Lives for one look: one short transaction, so that the store's log can be cut.
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

#define PH_GLANCE_MOST	100000	/* of each kind is counted */
#define PH_GLANCE_PAGES	16

struct ph_glance_counts {
	int64_t	 ready, sending, unsure, held, dead;	/* replies */
	int64_t	 events_open, events_dead, unreadable;	/* unreadable: those in quarantine, of the dead */
	int64_t	 oldest;		/* Unix ms: when what the oldest open reply answers came; 0: none */
	bool	 more;			/* of something there is more than was counted */
	size_t	 n_pages;		/* whose replies wait; the array has the first of them */
	struct ph_glance_page {
		char	 id[32], why[160];
		int64_t	 until;		/* Unix ms; 0: nobody knows */
	}	 pages[PH_GLANCE_PAGES];
};

/* How much there is, at a cost that does not grow with it.  PH_NONE: there is no store yet. */
enum ph_error	ph_glance_count(const char *state_dir, struct ph_glance_counts *out,
		    struct ph_fail *fail) PH_MUST_USE;

#endif
