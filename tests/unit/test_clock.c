/*
 * test_clock -- milliseconds of two clocks, and waits that a test may shorten.
 * Knows clock.  Does not know who waits.
 * Called by make check.
 * Lives on its stack; the clocks are stopped while they are looked at.
 * SPDX-License-Identifier: ISC
 */
#include <limits.h>
#include <stdlib.h>

#include "clock.h"
#include "stopped_clock.h"
#include "unit.h"

TEST(both_clocks_count_milliseconds)
{
	int64_t	 now, mono;

	clock_stop();
	now = ph_clock_now();
	mono = ph_clock_mono();
	assert_int_equal(now, clock_at[0].tv_sec * INT64_C(1000) + clock_at[0].tv_nsec / 1000000);
	clock_move(12345);
	assert_int_equal(ph_clock_now() - now, 12345);
	assert_int_equal(ph_clock_mono() - mono, 12345);
	clock_go_on();
}

TEST(a_deadline_is_never_negative_and_fits_poll)
{
	int64_t	 mono;

	clock_stop();
	mono = ph_clock_mono();
	assert_int_equal(ph_clock_left_ms(mono + 250), 250);
	assert_int_equal(ph_clock_left_ms(mono), 0);
	assert_int_equal(ph_clock_left_ms(mono - PH_DAY_MS), 0);
	assert_int_equal(ph_clock_left_ms(mono + 1000 * PH_DAY_MS), INT_MAX);
	clock_go_on();
}

TEST(a_wait_lasts_as_long_as_it_says)
{
	unsetenv("PH_TEST_SPEED");
	assert_int_equal(ph_clock_wait_ms(20 * PH_SECOND_MS), 20000);
	assert_int_equal(ph_clock_wait_ms(0), 0);
}

#ifdef PH_TEST
TEST(the_test_build_divides_waits_but_never_to_nothing)
{
	setenv("PH_TEST_SPEED", "100", 1);
	assert_int_equal(ph_clock_wait_ms(20 * PH_SECOND_MS), 200);
	assert_int_equal(ph_clock_wait_ms(50), 1);
	setenv("PH_TEST_SPEED", "no number", 1);
	assert_int_equal(ph_clock_wait_ms(50), 50);
	unsetenv("PH_TEST_SPEED");
}
#endif

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		cmocka_unit_test(both_clocks_count_milliseconds),
		cmocka_unit_test(a_deadline_is_never_negative_and_fits_poll),
		cmocka_unit_test(a_wait_lasts_as_long_as_it_says),
#ifdef PH_TEST
		cmocka_unit_test(the_test_build_divides_waits_but_never_to_nothing),
#endif
	};

	return cmocka_run_group_tests_name("clock", tests, NULL, NULL);
}
