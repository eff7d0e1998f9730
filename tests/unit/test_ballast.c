/*
 * test_ballast -- there is room to be given up, and it is really there.
 * Knows ballast.  Does not know the store.
 * Called by make check.
 * Lives in a temporary directory; a limit of file sizes stands for a full disk.
 * SPDX-License-Identifier: ISC
 */
#include <sys/resource.h>

#include <signal.h>

#include "ballast.h"
#include "room.h"

static struct ph_fail	 wrong;
static struct rlimit	 before;

static int
enter(void **state)
{
	wrong = (struct ph_fail)PH_FAIL_INIT;
	getrlimit(RLIMIT_FSIZE, &before);
	signal(SIGXFSZ, SIG_IGN);
	return room_enter(state);
}

static int
leave(void **state)
{
	setrlimit(RLIMIT_FSIZE, &before);
	return room_leave(state);
}

/* The room it takes from the disk, in bytes. */
static int64_t
weight(void)
{
	struct stat	 st;

	assert_int_equal(stat("ballast", &st), 0);
	assert_int_equal(st.st_size, PH_BALLAST_BYTES);
	return (int64_t)st.st_blocks * 512;
}

TEST(it_takes_its_room_and_gives_it_back)
{
	must(ph_ballast_make(&wrong), &wrong);
	assert_true(weight() >= PH_BALLAST_BYTES);
	must(ph_ballast_make(&wrong), &wrong);
	assert_true(weight() < PH_BALLAST_BYTES + 65536);
	must(ph_ballast_drop(), &wrong);
	assert_false(room_has("ballast"));
	assert_int_equal(ph_ballast_drop(), PH_NONE);
}

TEST(a_hole_is_no_ballast)
{
	room_write("ballast", BYTES(""), 0600);
	assert_int_equal(truncate("ballast", PH_BALLAST_BYTES), 0);
	assert_int_equal(weight(), 0);
	must(ph_ballast_make(&wrong), &wrong);
	assert_true(weight() >= PH_BALLAST_BYTES);
}

/* Made of the last bytes, it would have to be dropped at the next commit. */
TEST(without_twice_the_room_none_is_made)
{
	const struct rlimit	 once = { PH_BALLAST_BYTES + 4096, before.rlim_max };

	assert_int_equal(setrlimit(RLIMIT_FSIZE, &once), 0);
	assert_int_equal(ph_ballast_make(&wrong), PH_TOOBIG);
	assert_false(room_has("ballast"));
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	wrong = (struct ph_fail)PH_FAIL_INIT;
	must(ph_ballast_make(&wrong), &wrong);
}

#define in_a_room(test)	cmocka_unit_test_setup_teardown(test, enter, leave)

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		in_a_room(it_takes_its_room_and_gives_it_back),
		in_a_room(a_hole_is_no_ballast),
		in_a_room(without_twice_the_room_none_is_made),
	};

	return cmocka_run_group_tests_name("ballast", tests, NULL, NULL);
}
