/*
 * test_spool_files -- whatever else lies in the spool is not taken for a body.
 * Knows spool, its files' form.  Does not know who put them there.
 * Called by make check.
 * Lives in a temporary directory.
 * SPDX-License-Identifier: ISC
 */
#include "clock.h"
#include "spooled.h"

TEST(what_is_not_what_was_written_is_malformed)
{
	static const struct ph_slice	 files[] = {
		{ "", 0 }, { "x", 1 }, { "pagehook-spool 1 ", 17 }, { "pagehook-spool 1 5 3", 20 },
		{ "pagehook-spool 1 1767225600000 4\nabc", 36 },	/* too short */
		{ "pagehook-spool 1 1767225600000 2\nabc", 36 },	/* too long */
		{ "pagehook-spool 1 1767225600000\nabc", 34 }, { "pagehook-spool 1 a b\nabc", 24 },
		{ "pagehook-spool 2 1767225600000 3\nabc", 36 },
		{ "pagehook-spool 1 1767225600000 3 \nabc", 37 },
	};
	size_t				 i;

	for (i = 0; i < COUNT_OF(files); i++) {
		room_write(NAME, files[i], 0600);
		assert_int_equal(read_all(10), 1);
		if (all[0].err != PH_MALFORMED)
			fail_msg("row %zu: %s", i, ph_error_name(all[0].err));
		ph_spool_drop(&spool, &all[0]);
	}
	room_write(NAME, BYTES("pagehook-spool 1 1767225600000 3\nabc"), 0600);
	assert_int_equal(read_all(10), 1);
	assert_int_equal(all[0].err, PH_OK);
}

TEST(foreign_files_are_neither_read_nor_touched)
{
	static const char *const	 names[] = {
		"spool/README", "spool/123-4", "spool/.hidden", "spool/a1767225600000-1-0-00000000",
		"spool/1767225600000.txt",
		"spool/17672256000000000000000000000000000000000000000000000000000000000000000000000000-1",
	};
	size_t				 i;

	for (i = 0; i < COUNT_OF(names); i++)
		room_write(names[i], BYTES("pagehook-spool 1 1767225600000 0\n"), 0600);
	assert_int_equal(read_all(10), 0);
	for (i = 0; i < COUNT_OF(names); i++)
		assert_true(room_has(names[i]));
	room_write(NAME, BYTES("pagehook-spool 1 1767225600000 0\n"), 0600);
	if (geteuid() == 0) {			/* only root can plant what is another's */
		assert_int_equal(chown(NAME, 1, 1), 0);
		assert_int_equal(read_all(10), 0);
		assert_true(room_has(NAME));
	}
}

TEST(a_link_or_a_directory_is_no_body)
{
	room_write("outside", BYTES("pagehook-spool 1 1767225600000 6\nsecret"), 0600);
	assert_int_equal(symlink("../outside", NAME), 0);
	assert_int_equal(mkdir("spool/1767225600001-1-0-00000000", 0700), 0);
	assert_int_equal(read_all(10), 0);
	assert_true(room_has("outside"));
}

TEST(half_written_bodies_are_swept_after_an_hour)
{
	struct timespec	 times[2] = { { 0 } };

	room_write(NAME ".tmp", BYTES("pagehook-spool 1 17672"), 0600);
	room_write("spool/1767225600001-1-0-00000000.tmp", BYTES("pagehook-"), 0600);
	times[0].tv_sec = times[1].tv_sec = (time_t)(ph_clock_now() / 1000) - 3610;
	assert_int_equal(utimensat(AT_FDCWD, NAME ".tmp", times, 0), 0);
	assert_int_equal(read_all(10), 0);
	assert_false(room_has(NAME ".tmp"));
	assert_true(room_has("spool/1767225600001-1-0-00000000.tmp"));	/* perhaps still written */
}

TEST(a_spool_that_is_a_link_is_not_opened)
{
	struct ph_spool	 other = PH_SPOOL_INIT;
	int		 state_fd;

	assert_int_equal(rmdir("spool"), 0);
	assert_int_equal(symlink("/tmp", "spool"), 0);
	state_fd = room_open();
	assert_int_equal(ph_spool_open(&other, state_fd, &wrong), PH_BUSY);
	assert_int_equal(other.fd, -1);
	ph_spool_close(&other);
	close(state_fd);
}

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		in_a_room(what_is_not_what_was_written_is_malformed),
		in_a_room(foreign_files_are_neither_read_nor_touched),
		in_a_room(a_link_or_a_directory_is_no_body),
		in_a_room(half_written_bodies_are_swept_after_an_hour),
		in_a_room(a_spool_that_is_a_link_is_not_opened),
	};

	return cmocka_run_group_tests_name("spool_files", tests, NULL, NULL);
}
