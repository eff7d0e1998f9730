/*
 * sqlite_wal -- writes SQLite's log in large pieces, and its database without what rows left behind.
 * Knows SQLite's file interface, sqlite_page.  Does not know tables.
 * Called by sqlite, when it opens its database.
 * Lives as a layer between SQLite and these two files.
 * SPDX-License-Identifier: ISC
 */
#include <errno.h>
#include <sqlite3.h>
#include <stddef.h>
#include <string.h>

#include "sqlite_page.h"
#include "sqlite_wal.h"

#define PIECE	(120 * 1024)	/* SQLite's own file layer takes less than 128 KiB at once */
/*
 * In the first byte of a page of a long row stands that of the next one's number, elsewhere a type, 2 at
 * least.  Less than 0x02000000, for what a checkpoint adds.
 */
#define MAX_PAGES	0x01800000

struct wal {
	sqlite3_file	 base;		/* first: SQLite sees nothing else */
	sqlite3_file	*real;
	sqlite3_int64	 at;		/* where the gathered bytes belong */
	int		 len;
	unsigned char	*piece;
};

static struct wal *
of(sqlite3_file *file)
{
	return (struct wal *)(void *)file;
}

/* A commit forgets why a write failed; the code has to say it. */
static int
write_through(struct wal *w, const void *bytes, int len, sqlite3_int64 at)
{
	int	 rc = w->real->pMethods->xWrite(w->real, bytes, len, at);

	if ((rc & 0xff) != SQLITE_IOERR)
		return rc;
	if (errno == ENOSPC || errno == EDQUOT || errno == EFBIG)
		return SQLITE_FULL;
	return errno == EROFS ? SQLITE_READONLY : rc;
}

/* What could not be written is dropped: SQLite hears of it, and writes it again or not at all. */
static int
flush(struct wal *w)
{
	int	 len = w->len;

	w->len = 0;
	return len == 0 ? SQLITE_OK : write_through(w, w->piece, len, w->at);
}

static int
wal_write(sqlite3_file *file, const void *bytes, int len, sqlite3_int64 at)
{
	struct wal	*w = of(file);
	int		 rc;

	if (at != w->at + w->len || len > PIECE - w->len) {
		if ((rc = flush(w)) != SQLITE_OK)
			return rc;
		w->at = at;
	}
	if (len > PIECE)
		return write_through(w, bytes, len, at);
	memcpy(w->piece + w->len, bytes, (size_t)len);
	w->len += len;
	return SQLITE_OK;
}

static int
wal_read(sqlite3_file *file, void *bytes, int len, sqlite3_int64 at)
{
	int	 rc = flush(of(file));

	return rc != SQLITE_OK ? rc : of(file)->real->pMethods->xRead(of(file)->real, bytes, len, at);
}

static int
wal_truncate(sqlite3_file *file, sqlite3_int64 size)
{
	int	 rc = flush(of(file));

	return rc != SQLITE_OK ? rc : of(file)->real->pMethods->xTruncate(of(file)->real, size);
}

static int
wal_sync(sqlite3_file *file, int flags)
{
	int	 rc = flush(of(file));

	return rc != SQLITE_OK ? rc : of(file)->real->pMethods->xSync(of(file)->real, flags);
}

static int
wal_file_size(sqlite3_file *file, sqlite3_int64 *size)
{
	int	 rc = flush(of(file));

	return rc != SQLITE_OK ? rc : of(file)->real->pMethods->xFileSize(of(file)->real, size);
}

static int
wal_file_control(sqlite3_file *file, int op, void *arg)
{
	return of(file)->real->pMethods->xFileControl(of(file)->real, op, arg);
}

static int
wal_sector_size(sqlite3_file *file)
{
	return of(file)->real->pMethods->xSectorSize(of(file)->real);
}

static int
wal_characteristics(sqlite3_file *file)
{
	return of(file)->real->pMethods->xDeviceCharacteristics(of(file)->real);
}

static int
wal_close(sqlite3_file *file)
{
	struct wal	*w = of(file);
	int		 rc = flush(w), closed = w->real->pMethods->xClose(w->real);

	sqlite3_free(w->piece);
	return rc != SQLITE_OK ? rc : closed;
}

/* Nobody locks a log: the database's file is for that. */
static const sqlite3_io_methods	 methods = {
	.iVersion = 1, .xClose = wal_close, .xRead = wal_read, .xWrite = wal_write,
	.xTruncate = wal_truncate, .xSync = wal_sync, .xFileSize = wal_file_size,
	.xFileControl = wal_file_control, .xSectorSize = wal_sector_size,
	.xDeviceCharacteristics = wal_characteristics,
};

/* The database's own methods, but for one: a page goes there without the images of rows that moved. */
static sqlite3_io_methods	 database;
static const sqlite3_io_methods	*real_database;
static sqlite3_int64	 longest;	/* that a database was, so that not each page asks for it */

static int
database_write(sqlite3_file *file, const void *bytes, int len, sqlite3_int64 at)
{
	unsigned char	 page[65536];		/* SQLite's largest */

	if (at + len > longest)
		longest = at + len;
	if ((size_t)len > sizeof(page) || longest / len >= MAX_PAGES)
		return real_database->xWrite(file, bytes, len, at);
	memcpy(page, bytes, (size_t)len);
	ph_sqlite_page_wipe(page, (size_t)len, at);
	return real_database->xWrite(file, page, len, at);
}

static int
open_database(sqlite3_vfs *theirs, sqlite3_filename name, sqlite3_file *file, int flags, int *out)
{
	int		 rc = theirs->xOpen(theirs, name, file, flags, out);
	sqlite3_int64	 size;

	if (rc != SQLITE_OK || (real_database != NULL && file->pMethods != real_database))
		return rc;			/* methods we do not know: then as they are */
	if ((rc = file->pMethods->xFileSize(file, &size)) != SQLITE_OK)
		return rc;			/* SQLite closes it */
	if (size > longest)
		longest = size;
	real_database = file->pMethods;
	database = *real_database;
	database.xWrite = database_write;
	file->pMethods = &database;
	return rc;
}

/* Every other file is SQLite's own affair. */
static int
open_file(sqlite3_vfs *vfs, sqlite3_filename name, sqlite3_file *file, int flags, int *out)
{
	sqlite3_vfs	*theirs = sqlite3_vfs_find(NULL);
	struct wal	*w = of(file);
	int		 rc;

	(void)vfs;
	if ((flags & SQLITE_OPEN_MAIN_DB) != 0)
		return open_database(theirs, name, file, flags, out);
	if ((flags & SQLITE_OPEN_WAL) == 0)
		return theirs->xOpen(theirs, name, file, flags, out);
	*w = (struct wal){ .real = (sqlite3_file *)(void *)&w[1], .piece = sqlite3_malloc(PIECE) };
	rc = w->piece == NULL ? SQLITE_NOMEM : theirs->xOpen(theirs, name, w->real, flags, out);
	if (rc == SQLITE_OK)
		w->base.pMethods = &methods;
	else
		sqlite3_free(w->piece);
	return rc;
}

const char *
ph_sqlite_wal(void)
{
	static sqlite3_vfs	 vfs;		/* SQLite keeps it for the process's life */
	sqlite3_vfs		*theirs = sqlite3_vfs_find(NULL);

	if (vfs.zName != NULL)
		return vfs.zName;
	if (theirs == NULL)
		return NULL;
	vfs = *theirs;
	vfs.zName = "pagehook";
	vfs.szOsFile += (int)sizeof(struct wal);
	vfs.xOpen = open_file;
	if (sqlite3_vfs_register(&vfs, 0) == SQLITE_OK)
		return vfs.zName;
	vfs.zName = NULL;
	return NULL;
}
