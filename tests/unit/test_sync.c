/*
 * test_sync -- what is begun ends, and nothing else is waited for.
 * Knows sync.  Does not know whether the disk has it: a test with real power failures would.
 * Called by make check.
 * Lives in a temporary directory.
 * SPDX-License-Identifier: ISC
 */
#include <errno.h>
#include <poll.h>

#include "room.h"
#include "sync.h"

static struct ph_sync	*s;
static struct ph_fail	 wrong;

static int
enter(void **state)
{
	wrong = (struct ph_fail)PH_FAIL_INIT;
	s = NULL;
	return room_enter(state);
}

static int
leave(void **state)
{
	ph_sync_close(s);
	return room_leave(state);
}

static void
open_file(void)
{
	room_write("log", BYTES("x"), 0600);
	must(ph_sync_open("log", &s, &wrong), &wrong);
}

TEST(what_was_not_begun_is_done_by_who_waits)
{
	open_file();
	assert_false(ph_sync_is_done(s));
	assert_int_equal(ph_sync_wait(s), 0);
	assert_false(ph_sync_is_done(s));
}

TEST(what_was_begun_ends_by_itself_as_often_as_it_is_begun)
{
	int	 i, left;

	open_file();
	for (i = 0; i < 100; i++) {
		ph_sync_begin(s);
		for (left = 5000; !ph_sync_is_done(s) && left > 0; left--)
			poll(NULL, 0, 1);
		assert_true(ph_sync_is_done(s));
		assert_int_equal(ph_sync_wait(s), 0);
		assert_false(ph_sync_is_done(s));
		ph_sync_begin(s);
		assert_int_equal(ph_sync_wait(s), 0);
	}
}

TEST(it_may_be_closed_while_it_is_on_its_way)
{
	open_file();
	ph_sync_begin(s);
	ph_sync_close(s);
	s = NULL;
	ph_sync_close(NULL);
}

TEST(what_cannot_be_synced_says_why)
{
	assert_int_equal(ph_sync_open("none", &s, &wrong), PH_BUSY);
	assert_null(s);
	wrong = (struct ph_fail)PH_FAIL_INIT;
	assert_int_equal(mkfifo("pipe", 0600), 0);
	must(ph_sync_open("pipe", &s, &wrong), &wrong);	/* the kernel: no file of a disk */
	assert_int_equal(ph_sync_wait(s), EINVAL);
	ph_sync_begin(s);
	assert_int_equal(ph_sync_wait(s), EINVAL);
}

/* As the kernel does: it tells of bytes that are lost once, and then that all is well. */
TEST(what_failed_once_has_failed_for_good)
{
	int	 fd, good;

	room_write("log", BYTES("x"), 0600);
	assert_int_equal(mkfifo("pipe", 0600), 0);
	assert_int_not_equal(good = open("log", O_RDWR | O_CLOEXEC), -1);
	assert_int_not_equal(fd = dup(good), -1);
	close(fd);				/* the next one that is opened bears this number */
	must(ph_sync_open("pipe", &s, &wrong), &wrong);
	assert_int_equal(ph_sync_wait(s), EINVAL);
	assert_int_equal(dup2(good, fd), fd);
	close(good);
	assert_int_equal(ph_sync_wait(s), EINVAL);
	ph_sync_begin(s);
	assert_int_equal(ph_sync_wait(s), EINVAL);
}

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		cmocka_unit_test_setup_teardown(what_was_not_begun_is_done_by_who_waits, enter, leave),
		cmocka_unit_test_setup_teardown(what_was_begun_ends_by_itself_as_often_as_it_is_begun, enter, leave),
		cmocka_unit_test_setup_teardown(it_may_be_closed_while_it_is_on_its_way, enter, leave),
		cmocka_unit_test_setup_teardown(what_cannot_be_synced_says_why, enter, leave),
		cmocka_unit_test_setup_teardown(what_failed_once_has_failed_for_good, enter, leave),
	};

	return cmocka_run_group_tests_name("sync", tests, NULL, NULL);
}
