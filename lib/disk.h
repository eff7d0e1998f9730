/*
 * disk -- whether the store can be written, and what may go on while it cannot.
 * Knows ballast, news.  Does not know the store, nor what is written.
 * Called by upkeep and turn: when it began, after each commit, and once a second.
 * Lives with upkeep.
 *
 * A full disk: nothing new is taken in, the room that the ballast gives back is for what becomes of
 * replies under way; claims only while there is room to note what becomes of them, too.
 * SPDX-License-Identifier: ISC
 */
#ifndef PH_DISK_H
#define PH_DISK_H

#include <stdint.h>

#include "news.h"

struct ph_disk {
	char	 trouble[240];	/* in words; "": none */
	bool	 failed;	/* the last commit */
	bool	 full;		/* nothing new is taken in */
	bool	 cramped;	/* nothing is claimed */
	bool	 has_ballast;
	int	 again_ms;	/* after a commit that failed */
	int64_t	 look_at;	/* monotonic ms */
};

/* The store is open. */
void	ph_disk_begin(struct ph_disk *disk);

/* A commit failed, or the store could not be opened.  A cause is told once. */
void	ph_disk_fail(struct ph_disk *disk, const struct ph_fail *fail, struct ph_news *news);

/* A commit went through. */
void	ph_disk_recover(struct ph_disk *disk);

/*
 * Whether this commit may claim something.  After one that failed, outcomes go first: nothing is
 * claimed before it is known that what becomes of it can be written.
 */
bool	ph_disk_may_claim(struct ph_disk *disk);

/*
 * Looks for room for the ballast, once a second: then there is some for what is new, too.  True: the
 * disk was full, so it is worth a try.
 */
bool	ph_disk_look(struct ph_disk *disk, int64_t mono);

#endif
