/*
 * sqlite_error -- what SQLite's codes mean for us, and in plain words.
 * Knows holder.  Does not know tables, nor what is done about it.
 * Called by sqlite, wherever SQLite answers.
 * Lives as one table.
 * SPDX-License-Identifier: ISC
 */
#ifndef PH_SQLITE_ERROR_H
#define PH_SQLITE_ERROR_H

#include <sqlite3.h>

#include "error.h"

/*
 * PH_OK for what is no failure.  Else the words begin with the file's name and say the same whatever
 * was done when the disk was full, locked or read-only; of what is broken they say that, too.
 * db may be NULL.
 */
enum ph_error	ph_sqlite_error(sqlite3 *db, const char *path, int rc, const char *doing,
		    struct ph_fail *fail) PH_MUST_USE;

#endif
