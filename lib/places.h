/*
 * places -- the events that one coproc is asked at once: how many, and who beside whom.
 * Knows place, clock.  Does not know processes or lines.
 * Called by coproc, which has one set of them.
 * Lives in its owner.
 * Described in cgi/pagehook-handler.7.
 * SPDX-License-Identifier: ISC
 */
#ifndef PH_PLACES_H
#define PH_PLACES_H

#include "place.h"

#define PH_PLACES		8	/* events asked at once, at most */
#define PH_PLACES_REMEMBERED	16	/* events answered of late: told from unknown ones */

struct ph_places {
	struct ph_place	 at[PH_PLACES];
	int64_t		 alone_until;	/* monotonic: kept free for one that must be asked alone */
	int64_t		 used_at;	/* monotonic: of the last launch */
	int64_t		 remembered[PH_PLACES_REMEMBERED];
	size_t		 n_remembered;
};

/* How many are asked: from their reservation to their answer. */
size_t		 ph_places_count(const struct ph_places *places);

/* PH_BUSY: as many as inflight are asked, or this one and they must not be asked together. */
enum ph_error	 ph_places_reserve(struct ph_places *places, size_t inflight,
		     const struct ph_handler_ask *ask, struct ph_fail *fail) PH_MUST_USE;
void		 ph_places_cancel(struct ph_places *places);

/* All that were reserved are to be asked; one whose line is longer is dead.  How many they are. */
size_t		 ph_places_launch(struct ph_places *places, size_t max_line);

/* Appends the lines of those to be asked: from here on their time runs. */
void		 ph_places_ask(struct ph_places *places, struct ph_buffer *lines);

/* The place of an event that is being asked, and from now on remembered as such; NULL: none. */
struct ph_place	*ph_places_find(struct ph_places *places, int64_t event);
bool		 ph_places_remembers(const struct ph_places *places, int64_t event);

/* The only event that is being asked; 0: there are none, or several. */
int64_t		 ph_places_only(const struct ph_places *places);

/* One whose time is over; NULL: none. */
struct ph_place	*ph_places_late(struct ph_places *places);

/* All that were launched have failed for why; offender, if not NULL, is the one who caused it. */
void		 ph_places_settle(struct ph_places *places, const struct ph_place *offender,
		     const char *why);

bool		 ph_places_next(struct ph_places *places, struct ph_handler_answer *out);
bool		 ph_places_empty(const struct ph_places *places);

/* Monotonic; INT64_MAX: nothing is due. */
int64_t		 ph_places_due(const struct ph_places *places);
void		 ph_places_clear(struct ph_places *places);

#endif
