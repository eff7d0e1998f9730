/*
 * ballast -- room on the disk that is given up when there is no other.
 * Knows the file system.  Does not know the store.
 * Called by disk: made while there is room, dropped when a commit finds none.
 * Lives as the file "ballast" in the current directory.
 *
 * What is under way when the disk fills up must still be noted: a reply that left, and of which no
 * row says so, may leave twice.
 * SPDX-License-Identifier: ISC
 */
#ifndef PH_BALLAST_H
#define PH_BALLAST_H

#include <stdbool.h>

#include "error.h"

#define PH_BALLAST_BYTES	(4 << 20)

/*
 * Makes it, unless it is there.  PH_TOOBIG: there is not twice that room.  PH_BUSY: it cannot be made.
 */
enum ph_error	ph_ballast_make(struct ph_fail *fail) PH_MUST_USE;

/* Gives its room back.  PH_NONE: it is not there. */
enum ph_error	ph_ballast_drop(void) PH_MUST_USE;

/* Whether there is so much room that what becomes of some replies can be written, too. */
bool		ph_ballast_has_room(void);

#endif
