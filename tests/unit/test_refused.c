/*
 * test_refused -- what was refused is counted since the last good delivery, and never too high.
 * Knows refused.  Does not know fronts.
 * Called by make check.
 * Lives in a temporary directory.
 * SPDX-License-Identifier: ISC
 */
#include <sys/file.h>

#include "refused.h"
#include "room.h"

static struct ph_refused	 more, seen;
static struct ph_fail		 wrong;
static int			 state_fd;

static int
enter(void **state)
{
	wrong = (struct ph_fail)PH_FAIL_INIT;
	more = (struct ph_refused){ .kept_at = 0 };
	if (room_enter(state) != 0)
		return -1;
	state_fd = room_open();
	return 0;
}

static int
leave(void **state)
{
	close(state_fd);
	return room_leave(state);
}

static void
refuse(enum ph_refusal why, int64_t first, int64_t last)
{
	ph_refused_count(&more, why, first);
	ph_refused_count(&more, why, last);
	assert_true(ph_refused_write(state_fd, &more));
	assert_int_equal(ph_refused_sum(&more, PH_UNSIGNED, PH_NOT_KEPT).n, 0);
}

static struct ph_refused_count
sum(enum ph_refusal from, enum ph_refusal to)
{
	must(ph_refused_read(state_fd, &seen, &wrong), &wrong);
	return ph_refused_sum(&seen, from, to);
}

TEST(without_a_file_nothing_was_refused)
{
	assert_int_equal(ph_refused_read(state_fd, &seen, &wrong), PH_NONE);
	assert_int_equal(ph_refused_sum(&seen, PH_UNSIGNED, PH_NOT_KEPT).n, 0);
}

TEST(each_reason_is_counted_with_its_times)
{
	struct ph_refused_count	 c;

	refuse(PH_MISMATCH, 1000, 2000);
	refuse(PH_LONG_BODY, 500, 700);
	refuse(PH_MISMATCH, 3000, 4000);
	c = sum(PH_MISMATCH, PH_MISMATCH);
	assert_int_equal(c.n, 4);
	assert_int_equal(c.first, 1000);
	assert_int_equal(c.last, 4000);
	c = sum(PH_UNSIGNED, PH_NOT_KEPT);
	assert_int_equal(c.n, 6);
	assert_int_equal(c.first, 500);
}

TEST(a_good_delivery_ends_it)
{
	refuse(PH_NOT_KEPT, 1000, 2000);
	assert_true(ph_refused_end(state_fd, 3000));
	assert_int_equal(sum(PH_UNSIGNED, PH_NOT_KEPT).n, 0);
	assert_int_equal(seen.kept_at, 3000);
}

TEST(what_was_refused_behind_a_good_one_stays_when_that_is_noted)
{
	refuse(PH_MISMATCH, 2000, 3500);
	refuse(PH_UNSIGNED, 2400, 2500);
	assert_true(ph_refused_end(state_fd, 3000));
	assert_int_equal(sum(PH_UNSIGNED, PH_NOT_KEPT).n, 1);
	assert_int_equal(seen.by[PH_MISMATCH].first, 3500);
}

/* A front that writes late does not know of the good one in between. */
TEST(what_was_refused_before_a_good_one_is_not_counted_behind_it)
{
	assert_true(ph_refused_end(state_fd, 3000));
	refuse(PH_MISMATCH, 1000, 2000);
	assert_int_equal(sum(PH_UNSIGNED, PH_NOT_KEPT).n, 0);
	ph_refused_count(&more, PH_MISMATCH, 2000);
	ph_refused_count(&more, PH_MISMATCH, 2500);
	refuse(PH_MISMATCH, 4000, 5000);
	assert_int_equal(sum(PH_MISMATCH, PH_MISMATCH).n, 1);
	assert_int_equal(sum(PH_MISMATCH, PH_MISMATCH).first, 5000);
}

TEST(nobody_waits_for_who_has_the_file)
{
	int	 fd;

	refuse(PH_MISMATCH, 1000, 2000);
	fd = open("refused", O_RDWR | O_CLOEXEC);
	assert_int_equal(flock(fd, LOCK_EX), 0);
	ph_refused_count(&more, PH_MISMATCH, 3000);
	assert_false(ph_refused_write(state_fd, &more));
	assert_false(ph_refused_end(state_fd, 3000));
	assert_int_equal(ph_refused_read(state_fd, &seen, &wrong), PH_BUSY);
	close(fd);
	assert_true(ph_refused_write(state_fd, &more));
	assert_int_equal(sum(PH_MISMATCH, PH_MISMATCH).n, 3);
}

TEST(what_cannot_be_read_counts_as_nothing)
{
	static const char *const	 rows[] = { "", "\n", "pagehook-refused 2 5\n", "garbage",
		"pagehook-refused x\nmismatch 3 1 2\n" };
	size_t				 i;

	for (i = 0; i < COUNT_OF(rows); i++) {
		room_write("refused", slice(rows[i]), 0600);
		assert_int_equal(ph_refused_read(state_fd, &seen, &wrong), PH_NONE);
		assert_int_equal(ph_refused_sum(&seen, PH_UNSIGNED, PH_NOT_KEPT).n, 0);
	}
	room_write("refused", slice("pagehook-refused 1 5\nwhat 3 1 2\nmismatch -3 1 2\nlong 2 x\n503 4 7 8"), 0600);
	assert_int_equal(sum(PH_UNSIGNED, PH_NOT_KEPT).n, 4);
	refuse(PH_MISMATCH, 9000, 9000);
	assert_int_equal(sum(PH_UNSIGNED, PH_NOT_KEPT).n, 6);
}

#define in_a_room(test)	cmocka_unit_test_setup_teardown(test, enter, leave)

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		in_a_room(without_a_file_nothing_was_refused),
		in_a_room(each_reason_is_counted_with_its_times),
		in_a_room(a_good_delivery_ends_it),
		in_a_room(what_was_refused_behind_a_good_one_stays_when_that_is_noted),
		in_a_room(what_was_refused_before_a_good_one_is_not_counted_behind_it),
		in_a_room(nobody_waits_for_who_has_the_file),
		in_a_room(what_cannot_be_read_counts_as_nothing),
	};

	return cmocka_run_group_tests_name("refused", tests, NULL, NULL);
}
