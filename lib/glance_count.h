/*
 * glance_count -- how much there is in the store, at a cost that does not grow with it.
 * Knows glance, the store's tables.  Does not know what is done about it.
 * Called by survey, which the helper asks, too, and by the verb forget.
 * Lives for one look: one short transaction.
 * SPDX-License-Identifier: ISC
 */
#ifndef PH_GLANCE_COUNT_H
#define PH_GLANCE_COUNT_H

#include "glance.h"

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
