/*
 * test_backoff -- each wait is longer than the last, and no two are alike.
 * Knows backoff.  Does not know clocks.
 * Called by make check.
 * Lives on its stack.
 * SPDX-License-Identifier: ISC
 */
#include "backoff.h"
#include "unit.h"

static const int64_t	 whole_ms[] = { 2000, 10000, 30000, 120000, 600000, 1800000, 3600000 };

TEST(a_wait_is_a_random_part_but_at_least_a_tenth)
{
	uint32_t	 random = 1;
	size_t		 i, n;

	for (i = 0; i < COUNT_OF(whole_ms); i++)
		for (n = 0; n < 10000; n++) {
			int64_t	 ms = ph_backoff_ms((int64_t)i + 1, random);

			assert_in_range(ms, whole_ms[i] / 10, whole_ms[i]);
			random = random * 1664525 + 1013904223;
		}
}

TEST(the_whole_wait_and_its_tenth_are_reached)
{
	size_t	 i;

	for (i = 0; i < COUNT_OF(whole_ms); i++) {
		uint32_t	 most = (uint32_t)(whole_ms[i] - whole_ms[i] / 10);

		assert_int_equal(ph_backoff_ms((int64_t)i + 1, 0), whole_ms[i] / 10);
		assert_int_equal(ph_backoff_ms((int64_t)i + 1, most), whole_ms[i]);
	}
}

TEST(after_the_seventh_it_is_an_hour_for_ever)
{
	assert_int_equal(ph_backoff_ms(8, 0), 360000);
	assert_int_equal(ph_backoff_ms(1000000, 0), 360000);
	assert_int_equal(ph_backoff_ms(INT64_MAX, UINT32_MAX), ph_backoff_ms(7, UINT32_MAX));
}

TEST(a_count_that_makes_no_sense_is_the_first)
{
	assert_int_equal(ph_backoff_ms(0, 5), ph_backoff_ms(1, 5));
	assert_int_equal(ph_backoff_ms(-3, 5), ph_backoff_ms(1, 5));
}

TEST(what_failed_together_does_not_come_back_together)
{
	assert_int_not_equal(ph_backoff_ms(3, 1000), ph_backoff_ms(3, 2000));
}

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		cmocka_unit_test(a_wait_is_a_random_part_but_at_least_a_tenth),
		cmocka_unit_test(the_whole_wait_and_its_tenth_are_reached),
		cmocka_unit_test(after_the_seventh_it_is_an_hour_for_ever),
		cmocka_unit_test(a_count_that_makes_no_sense_is_the_first),
		cmocka_unit_test(what_failed_together_does_not_come_back_together),
	};

	return cmocka_run_group_tests_name("backoff", tests, NULL, NULL);
}
