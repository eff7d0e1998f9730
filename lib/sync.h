/*
 * sync -- one file's way to the disk, while its writer goes on.
 * Knows the file's name.  Does not know what is in it.
 * Called by sqlite, for the log.
 * Lives as descriptors, and a thread from the first _begin on: it syncs, and does nothing else.
 * SPDX-License-Identifier: ISC
 */
#ifndef PH_SYNC_H
#define PH_SYNC_H

#include <stdbool.h>

#include "error.h"

struct ph_sync;

/* path: of a file that is there.  PH_BUSY: it cannot be opened. */
enum ph_error	 ph_sync_open(const char *path, struct ph_sync **out, struct ph_fail *fail) PH_MUST_USE;
void		 ph_sync_close(struct ph_sync *s);

/*
 * What was written until now goes to the disk, beside the caller.  Once at a time: _wait comes before the
 * next.  Returns a descriptor that can be read from, by poll alone, once it is there; -1: no thread
 * is to be had, and _wait does it.
 */
int		 ph_sync_begin(struct ph_sync *s);

/* Whether what was begun is over. */
bool		 ph_sync_is_done(const struct ph_sync *s);

/*
 * What was begun, or if nothing was: what was written until now, is on the disk.  0, or errno: then for
 * ever, since the kernel may have dropped what it could not write, and would say that all is well.
 */
int		 ph_sync_wait(struct ph_sync *s);

#endif
