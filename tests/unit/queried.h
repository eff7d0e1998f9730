/*
 * queried -- what stands in queue.db, asked from outside as an operator would.
 * Knows SQLite and the store's tables.  Does not know who wrote them.
 * Called by tests whose subject keeps what it did to itself; sees only what is committed.
 * Lives in static memory until the next question.
 * SPDX-License-Identifier: ISC
 */
#ifndef PH_QUERIED_H
#define PH_QUERIED_H

#include <sqlite3.h>

#include "unit.h"

/* The first column of each row, joined by blanks; "" when there is none. */
static inline const char *
query(const char *sql)
{
	static char	 text[4096];
	sqlite3		*db = NULL;
	sqlite3_stmt	*st = NULL;
	size_t		 len = 0;

	text[0] = '\0';
	assert_int_equal(sqlite3_open("queue.db", &db), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &st, NULL), SQLITE_OK);
	while (sqlite3_step(st) == SQLITE_ROW && len < sizeof(text))
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%s", len > 0 ? " " : "",
		    (const char *)sqlite3_column_text(st, 0));
	sqlite3_finalize(st);
	sqlite3_close(db);
	return text;
}

#endif
