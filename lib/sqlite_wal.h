/*
 * sqlite_wal -- writes SQLite's log in large pieces, and its database without what rows left behind.
 * Knows SQLite's file interface, sqlite_page.  Does not know tables.
 * Called by sqlite, when it opens its database.
 * Lives as a layer between SQLite and these two files.
 *
 * Own code, since no option of SQLite's does it: it writes a commit of n pages in 2 n calls, a header
 * and a page each, all of them side by side.  They are gathered here and written as one, at the
 * latest when SQLite asks to sync: with synchronous=FULL that is before a commit counts, for us and
 * for every reader.  Measured: 92 of the 105 system calls of a commit of 20 events were these.
 * SPDX-License-Identifier: ISC
 */
#ifndef PH_SQLITE_WAL_H
#define PH_SQLITE_WAL_H

/* The name to open a database with; NULL when SQLite takes no further one. */
const char	*ph_sqlite_wal(void);

#endif
