/*
 * sqlite_error -- what SQLite's codes mean for us, and in plain words.
 * Knows holder.  Does not know tables, nor what is done about it.
 * Called by sqlite, wherever SQLite answers.
 * Lives as one table.
 * SPDX-License-Identifier: ISC
 */
#include <errno.h>
#include <stdio.h>

#include "holder.h"
#include "sqlite_error.h"

#define UNTOUCHED	"nothing was touched; put a backup in its place, or try sqlite3's .recover on a copy"

/* The first that fits. */
static const struct meaning {
	int		 code;		/* SQLite's, extended or not; 0: any that the system has a word on */
	int		 cause;		/* errno; 0: whatever it was */
	enum ph_error	 err;
	const char	*words;
} meanings[] = {
	/* The kernel may have dropped what it could not write, and says so once: never tried again. */
	{ SQLITE_IOERR_FSYNC, 0, PH_BROKEN, "cannot be synced: nobody knows what the disk has" },
	{ SQLITE_IOERR_DIR_FSYNC, 0, PH_BROKEN, "cannot be synced: nobody knows what the disk has" },
	{ SQLITE_IOERR_NOMEM, 0, PH_NOMEM, "out of memory" },
	{ 0, ENOSPC, PH_TOOBIG, "disk full" },
	{ 0, EDQUOT, PH_TOOBIG, "disk quota used up" },
	{ 0, EFBIG, PH_TOOBIG, "may not grow: over the file size limit (ulimit -f)" },
	{ 0, EROFS, PH_BUSY, "the file system is read-only" },
	{ 0, EACCES, PH_BUSY, "no permission to write" },
	{ SQLITE_FULL, 0, PH_TOOBIG, "disk full, or a quota or limit of file sizes is reached" },
	{ SQLITE_NOMEM, 0, PH_NOMEM, "out of memory" },
	{ SQLITE_BUSY, 0, PH_BUSY, "locked by another program" },
	{ SQLITE_LOCKED, 0, PH_BUSY, "locked by another program" },
	{ SQLITE_READONLY, 0, PH_BUSY, "read-only: its directory, mode or file system" },
	{ SQLITE_CORRUPT, 0, PH_BROKEN, "damaged: " UNTOUCHED },
	{ SQLITE_NOTADB, 0, PH_BROKEN, "not a database: " UNTOUCHED },
	{ SQLITE_CANTOPEN, 0, PH_BROKEN, "cannot be opened" },
	{ SQLITE_IOERR, 0, PH_BROKEN, "cannot be read or written" },
};

static bool
fits(const struct meaning *m, int rc, int cause)
{
	return (m->code == 0 || m->code == rc || m->code == (rc & 0xff)) &&
	    (m->cause == 0 || m->cause == cause);
}

/* Who is in the way: a writer locks the log's index. */
static enum ph_error
name_holder(const char *path, const char *words, struct ph_fail *fail)
{
	char	 index[512], who[64];

	snprintf(index, sizeof(index), "%s-shm", path);
	if (!ph_holder_find(index, who, sizeof(who)) && !ph_holder_find(path, who, sizeof(who)))
		return ph_error_set(fail, PH_BUSY, "%s: %s", path, words);
	return ph_error_set(fail, PH_BUSY, "%s: %s: %s", path, words, who);
}

enum ph_error
ph_sqlite_error(sqlite3 *db, const char *path, int rc, const char *doing, struct ph_fail *fail)
{
	const int	 primary = rc & 0xff;
	int		 cause = 0;
	size_t		 i;

	if (primary == SQLITE_OK || primary == SQLITE_ROW || primary == SQLITE_DONE)
		return PH_OK;
	if (db != NULL && (primary == SQLITE_IOERR || primary == SQLITE_CANTOPEN))
		cause = sqlite3_system_errno(db);	/* after other codes it is of long ago */
	for (i = 0; i < sizeof(meanings) / sizeof(meanings[0]); i++)
		if (fits(&meanings[i], rc, cause))
			break;
	if (i == sizeof(meanings) / sizeof(meanings[0]))
		return ph_error_set(fail, PH_BROKEN, "%s: %s: %s", path,
		    db != NULL ? sqlite3_errmsg(db) : sqlite3_errstr(rc), doing);
	if (primary == SQLITE_BUSY || primary == SQLITE_LOCKED)
		return name_holder(path, meanings[i].words, fail);
	if (meanings[i].err != PH_BROKEN)
		return ph_error_set(fail, meanings[i].err, "%s: %s", path, meanings[i].words);
	return ph_error_set(fail, PH_BROKEN, "%s: %s (%s, at: %.40s)", path, meanings[i].words,
	    sqlite3_errstr(rc), doing);
}
