/*
 * sqlite -- one connection to one SQLite file, and its prepared statements: the door to SQLite.
 * Knows sqlite_wal, sqlite_error.  Does not know tables or what is in them.
 * Called by the store_sqlite modules, which have the schema and the statements.
 * Lives as one connection: no other commits or checkpoints, ever.
 *
 * Why so strict: SQLite before 3.51.3 can lose a commit when one connection checkpoints while
 * another resets the log (the WAL-reset bug); with a single writing connection it cannot happen.
 * Every function that returns an error may return those of store.h.
 * SPDX-License-Identifier: ISC
 */
#ifndef PH_SQLITE_H
#define PH_SQLITE_H

#include <sqlite3.h>
#include <stdint.h>

#include "buffer.h"

struct ph_sqlite_schema {		/* static */
	const char *const	*migrations;	/* the i-th takes a database from version i to i + 1 */
	int			 version;	/* how many there are */
	const char *const	*sql;		/* of the statements; the first three are those below */
	size_t			 n_sql;
};

enum { PH_SQLITE_BEGIN, PH_SQLITE_COMMIT, PH_SQLITE_ROLLBACK, PH_SQLITE_FIRST };
#define PH_SQLITE_TRANSACTION	"BEGIN IMMEDIATE", "COMMIT", "ROLLBACK"

/*
 * Whether these bytes name somebody, a blob as well: a number has to stand by itself, not within a
 * longer one.  A pattern sees nothing behind a NUL: with one of those, any place counts.
 */
#define PH_SQLITE_NAMES(bytes, who) \
	"(instr(" bytes ", " who ")>0 AND (instr(" bytes ", x'00')>0" \
	" OR CAST(" who " AS TEXT) GLOB '*[^0-9]*'" \
	" OR ' ' || CAST(" bytes " AS TEXT) || ' ' GLOB '*[^0-9]' || " who " || '[^0-9]*'))"

struct ph_sqlite_file {			/* which one it is, whatever its name */
	uint32_t	 dev_major, dev_minor;
	uint64_t	 ino;
};

struct ph_sqlite {
	sqlite3				*db;
	const char			*path;	/* borrowed */
	const struct ph_sqlite_schema	*schema;
	sqlite3_stmt			**stmts;
	struct ph_sqlite_file		 db_file, wal_file;	/* that we opened */
	int				 wal_pages;	/* of the log, after the last commit */
	int				 wal_max;	/* then it is moved in */
	bool				 empty_wal;	/* at the next tidy: no byte of it may stay */
};

struct ph_sqlite_value {		/* of a parameter, made by the words below */
	enum { PH_END, PH_INT, PH_TEXT, PH_BLOB }	 is;
	int64_t						 number;
	struct ph_slice					 bytes;	/* absent: NULL */
};

/* WITH(INT(id), TEXT(state)): the values of ?1, ?2 .., borrowed for the call. */
#define WITH(...)	(const struct ph_sqlite_value[]){ __VA_ARGS__, { .is = PH_END } }
#define WITH_NOTHING	WITH({ .is = PH_END })
#define INT(n)		{ .is = PH_INT, .number = (n), .bytes = { "", 0 } }
#define INT_OR_NULL(n)	{ .is = PH_INT, .number = (n), .bytes = { (n) != 0 ? "" : NULL, 0 } }
#define TEXT(slice)	{ .is = PH_TEXT, .bytes = (slice) }
#define WORD(s)		{ .is = PH_TEXT, .bytes = ph_sqlite_word(s) }	/* NULL or "": NULL */
#define BLOB(slice)	{ .is = PH_BLOB, .bytes = (slice) }

struct ph_slice	 ph_sqlite_word(const char *text);

/*
 * Opens, configures and migrates; what a newer program wrote is refused with PH_CONFIG.
 * path must live as long as the connection.
 */
enum ph_error	 ph_sqlite_open(struct ph_sqlite *s, const char *path,
		    const struct ph_sqlite_schema *schema, struct ph_fail *fail) PH_MUST_USE;
void		 ph_sqlite_close(struct ph_sqlite *s);

/* Runs a statement that gives no row. */
enum ph_error	 ph_sqlite_run(struct ph_sqlite *s, size_t which, const struct ph_sqlite_value *with,
		    struct ph_fail *fail) PH_MUST_USE;

/* The same; PH_NONE when it changed nothing. */
enum ph_error	 ph_sqlite_change(struct ph_sqlite *s, size_t which,
		    const struct ph_sqlite_value *with, struct ph_fail *fail) PH_MUST_USE;

/* The first column of the only row; PH_NONE without one or when it is NULL. */
enum ph_error	 ph_sqlite_ask(struct ph_sqlite *s, size_t which, const struct ph_sqlite_value *with,
		    int64_t *out, struct ph_fail *fail) PH_MUST_USE;

/*
 * Rows one by one: start, then next until it is not PH_OK (PH_NONE: no more), then end.  What with
 * points to must live until then.  start and end never fail: next tells.
 */
sqlite3_stmt	*ph_sqlite_start(struct ph_sqlite *s, size_t which,
		    const struct ph_sqlite_value *with);
enum ph_error	 ph_sqlite_next(struct ph_sqlite *s, size_t which, struct ph_fail *fail) PH_MUST_USE;
void		 ph_sqlite_end(struct ph_sqlite *s, size_t which);

/* Appends a column's bytes; nothing when it is NULL. */
void		 ph_sqlite_column(sqlite3_stmt *st, int column, struct ph_buffer *out);

/* Undoes the transaction, if there is one. */
void		 ph_sqlite_abandon(struct ph_sqlite *s);

/* As the store's in_place. */
enum ph_error	 ph_sqlite_in_place(const struct ph_sqlite *s, struct ph_fail *fail) PH_MUST_USE;

/* Removes the copies that migrations have left, and counts them; PH_BUSY: one cannot be removed. */
enum ph_error	 ph_sqlite_drop_copies(struct ph_sqlite *s, int64_t *n, struct ph_fail *fail) PH_MUST_USE;

/* As the store's tidy; it does not wait for more when empty_wal is set, and clears that. */
enum ph_error	 ph_sqlite_tidy(struct ph_sqlite *s, bool idle, struct ph_fail *fail) PH_MUST_USE;

#endif
