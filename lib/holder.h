/*
 * holder -- which program holds a lock on a file.
 * Knows /proc.  Does not know what the lock is for.
 * Called by sqlite_error, to name who is in the way.
 * Lives for one look; the file itself is not opened: to close it would drop our own locks on it.
 * SPDX-License-Identifier: ISC
 */
#ifndef PH_HOLDER_H
#define PH_HOLDER_H

#include <stdbool.h>
#include <stddef.h>

/* "sqlite3, pid 4711": another process that holds a write lock on the file; false: none is seen. */
bool	ph_holder_find(const char *path, char *out, size_t size);

#endif
