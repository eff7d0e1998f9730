/*
 * spooled -- a spool in a temporary directory, and short words for what is done to it.
 * Knows spool.  Does not know what a test asks of it.
 * Called by the tests of the spool.
 * Lives in a temporary directory.
 * SPDX-License-Identifier: ISC
 */
#ifndef PH_SPOOLED_H
#define PH_SPOOLED_H

#include <dirent.h>

#include "room.h"
#include "spool.h"

#define NOW	INT64_C(1767225600000)
#define NAME	"spool/1767225600000-1-0-00000000"

static struct ph_spool		 spool;
static struct ph_spooled	*all;
static size_t			 n;
static bool			 more;
static struct ph_fail		 wrong;

static inline void
open_spool(void)
{
	int	 state_fd = room_open();

	spool = (struct ph_spool)PH_SPOOL_INIT;
	must(ph_spool_open(&spool, state_fd, &wrong), &wrong);
	close(state_fd);
}

static inline int
enter(void **state)
{
	wrong = (struct ph_fail)PH_FAIL_INIT;
	all = NULL;
	n = 0;
	if (room_enter(state) != 0)
		return -1;
	open_spool();
	return 0;
}

static inline int
leave(void **state)
{
	ph_spooled_free(all, n);
	ph_spool_close(&spool);
	return room_leave(state);
}

static inline void
keep(struct ph_slice body, int64_t now)
{
	must(ph_spool_keep(&spool, body, now, &wrong), &wrong);
}

/* Reads anew, as a helper does that starts now; returns how many there were. */
static inline size_t
read_all(size_t max)
{
	ph_spooled_free(all, n);
	all = ph_spool_read_all(&spool, max, &n, &more);
	return n;
}

static inline size_t
count_files(void)
{
	DIR		*dir = opendir("spool");
	struct dirent	*entry;
	size_t		 files = 0;

	assert_non_null(dir);
	while ((entry = readdir(dir)) != NULL)
		files += entry->d_name[0] != '.';
	closedir(dir);
	return files;
}

#define in_a_room(test)	cmocka_unit_test_setup_teardown(test, enter, leave)

#endif
