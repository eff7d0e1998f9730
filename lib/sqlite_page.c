/*
 * sqlite_page -- what SQLite leaves in a page of its database that no row uses.
 * Knows SQLite's file format.  Does not know files or tables.
 * Called by sqlite_wal for each page on its way into the database.
 * Lives for one page.
 * SPDX-License-Identifier: ISC
 */
#include <stdbool.h>
#include <string.h>

#include "sqlite_page.h"

#define FILE_HEADER	100		/* of the first page */

static size_t
number_at(const unsigned char *at)
{
	return (size_t)at[0] << 8 | at[1];
}

/* Every so many pages one says where the others are used: its first byte may look like a kind. */
static bool
is_pointer_map(size_t len, int64_t at)
{
	const int64_t	 each = (int64_t)(len / 5) + 1, number = at / (int64_t)len + 1;

	return number >= 2 && (number - 2) % each == 0;
}

void
ph_sqlite_page_wipe(unsigned char *page, size_t len, int64_t at)
{
	unsigned char	*header = page + (at == 0 ? FILE_HEADER : 0);
	size_t		 from, to;

	if (len < 512 || at % (int64_t)len != 0 || is_pointer_map(len, at))
		return;
	if (header[0] == 2 || header[0] == 5)		/* of an index, of a table: inside the tree */
		from = 12;
	else if (header[0] == 10 || header[0] == 13)	/* their leaves */
		from = 8;
	else
		return;
	from += (size_t)(header - page) + 2 * number_at(header + 3);
	to = number_at(header + 5);
	if (from < to && to <= len)
		memset(page + from, 0, to - from);
}
