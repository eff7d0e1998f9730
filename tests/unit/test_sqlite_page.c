/*
 * test_sqlite_page -- what no row uses is zeroed, and nothing else.
 * Knows SQLite's file format.  Does not know files; test_forget has those.
 * Called by make check.
 * Lives in static memory.
 * SPDX-License-Identifier: ISC
 */
#include "sqlite_page.h"
#include "unit.h"

#define LEN	4096

static unsigned char	 page[LEN];

/* A page full of bytes, of this kind, with so many cells that begin there. */
static void
make(size_t header, unsigned char kind, unsigned char n_cells, int cells_at)
{
	memset(page, 'x', sizeof(page));
	page[header] = kind;
	page[header + 3] = 0;
	page[header + 4] = n_cells;
	page[header + 5] = (unsigned char)(cells_at >> 8);
	page[header + 6] = (unsigned char)cells_at;
}

/* A test: of the page that stands there, these bytes are zeroed and no other. */
static void
wipes(int64_t at, size_t from, size_t to)
{
	unsigned char	 before[LEN];
	size_t		 i;

	memcpy(before, page, sizeof(page));
	ph_sqlite_page_wipe(page, LEN, at);
	for (i = 0; i < LEN; i++)
		assert_int_equal(page[i], i >= from && i < to ? 0 : before[i]);
}

TEST(the_gap_between_pointers_and_cells_is_zeroed)
{
	static const struct { unsigned char kind; size_t header; } kinds[] = {
		{ 2, 12 }, { 5, 12 }, { 10, 8 }, { 13, 8 },
	};
	size_t	 i;

	for (i = 0; i < COUNT_OF(kinds); i++) {
		make(0, kinds[i].kind, 3, 4000);
		wipes(2 * LEN, kinds[i].header + 6, 4000);
	}
	make(100, 13, 1, 3000);			/* the file's own header stands before it */
	wipes(0, 110, 3000);
	make(0, 13, 0, LEN);
	wipes(2 * LEN, 8, LEN);
}

TEST(what_is_no_page_of_rows_is_left_alone)
{
	make(0, 0, 3, 4000);			/* of a long row, or free */
	wipes(2 * LEN, 0, 0);
	make(0, 5, 3, 4000);			/* where pages are used: 5 is a kind there, too */
	wipes(LEN, 0, 0);
	make(0, 2, 3, 4000);
	wipes(LEN + 820 * LEN, 0, 0);
	make(0, 13, 3, 4000);			/* not a page, a part of one */
	wipes(2 * LEN + 512, 0, 0);
}

TEST(what_cannot_be_is_left_alone)
{
	make(0, 13, 255, 300);			/* the cells begin among their pointers */
	wipes(2 * LEN, 0, 0);
	make(0, 13, 3, LEN + 1);
	wipes(2 * LEN, 0, 0);
}

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		cmocka_unit_test(the_gap_between_pointers_and_cells_is_zeroed),
		cmocka_unit_test(what_is_no_page_of_rows_is_left_alone),
		cmocka_unit_test(what_cannot_be_is_left_alone),
	};

	return cmocka_run_group_tests_name("sqlite_page", tests, NULL, NULL);
}
