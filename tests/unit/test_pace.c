/*
 * test_pace -- a Page that is paused, probed, slowed down and let go again, by times made up.
 * Knows pace and outcome.  Does not know who sends.
 * Called by make check.
 * Lives on its stack.
 * SPDX-License-Identifier: ISC
 */
#include <stdlib.h>

#include "clock.h"
#include "pace.h"
#include "unit.h"

#define START	INT64_C(5000000)

static struct ph_pace	 pace;

static int
enter(void **state)
{
	(void)state;
	unsetenv("PH_TEST_SPEED");
	ph_pace_begin(&pace, false, 0, START);
	return 0;
}

static enum ph_pace_news
note(enum ph_outcome outcome, int64_t wait_ms, int64_t mono)
{
	const struct ph_result	 result = { .outcome = outcome, .wait_ms = wait_ms };

	return ph_pace_note(&pace, &result, mono);
}

/* A limit of the whole Page's. */
static enum ph_pace_news
limit(int64_t wait_ms, int64_t mono)
{
	const struct ph_result	 result = { .outcome = PH_RETRY, .wait_ms = wait_ms,
		.page_waits = true };

	return ph_pace_note(&pace, &result, mono);
}

static enum ph_pace_news
invalid(int64_t mono)
{
	const struct ph_result	 result = { .outcome = PH_REFUSED, .code = 100 };

	return ph_pace_note(&pace, &result, mono);
}

static enum ph_pace_news
used(int usage, int64_t mono)
{
	const struct ph_result	 result = { .outcome = PH_SENT, .usage = usage };

	return ph_pace_note(&pace, &result, mono);
}

/* Sends all that may leave at that time; how many. */
static size_t
send_all(int64_t mono)
{
	size_t	 i, room = ph_pace_room(&pace, 0, mono);

	for (i = 0; i < room; i++)
		assert_true(ph_pace_take(&pace, false));
	return room;
}

/* How many leave from now on within so many ms, looked at every 10 ms. */
static size_t
send_for(int64_t from, int64_t ms)
{
	size_t	 n = 0;
	int64_t	 at;

	for (at = from + 10; at <= from + ms; at += 10)
		n += send_all(at);
	return n;
}

TEST(a_page_sends_300_a_second)
{
	assert_int_equal(send_all(START), 300);
	assert_int_equal(send_all(START), 0);
	assert_int_equal(ph_pace_wait_ms(&pace, 0, START), 4);
	assert_int_equal(send_all(START + 4), 1);
	assert_in_range(send_for(START + 4, 10000), 2998, 3001);
	assert_int_equal(send_all(START + PH_HOUR_MS), 300);	/* what was not used is not saved up */
}

TEST(of_audio_and_video_10_leave_in_a_second)
{
	int	 i;

	assert_int_equal(ph_pace_room(&pace, 0, START), 300);
	for (i = 0; i < 10; i++)
		assert_true(ph_pace_take(&pace, true));
	assert_false(ph_pace_take(&pace, true));
	assert_int_equal(ph_pace_room(&pace, 0, START), 290);	/* text goes on, and what stayed costs nothing */
	assert_true(ph_pace_take(&pace, false));
	(void)ph_pace_room(&pace, 0, START + 99);
	assert_false(ph_pace_take(&pace, true));
	(void)ph_pace_room(&pace, 0, START + 101);
	assert_true(ph_pace_take(&pace, true));
	assert_false(ph_pace_take(&pace, true));
	(void)ph_pace_room(&pace, 0, START + PH_HOUR_MS);
	for (i = 0; i < 10; i++)
		assert_true(ph_pace_take(&pace, true));
	assert_false(ph_pace_take(&pace, true));
}

TEST(a_page_that_takes_nothing_is_paused_and_asked_by_one_reply)
{
	const int64_t	 later = START + PH_MINUTE_MS;

	assert_int_equal(note(PH_PAGE, 0, START), PH_PACE_PAUSED);
	assert_true(pace.paused);
	assert_int_equal(ph_pace_room(&pace, 0, later - 1), 0);
	assert_int_equal(ph_pace_wait_ms(&pace, 0, later - 1), 1);
	assert_int_equal(ph_pace_room(&pace, 0, later), 1);
	assert_int_equal(ph_pace_wait_ms(&pace, 0, later), 0);
	assert_true(ph_pace_take(&pace, false));
	assert_int_equal(ph_pace_room(&pace, 1, later), 0);
	assert_int_equal(ph_pace_wait_ms(&pace, 1, later), -1);
}

TEST(a_probe_that_arrives_lets_all_go_again)
{
	static const enum ph_outcome	 works[] = { PH_SENT, PH_REFUSED, PH_UNREACHABLE, PH_THREAD };
	size_t				 i;

	for (i = 0; i < COUNT_OF(works); i++) {
		ph_pace_begin(&pace, false, 0, START);
		assert_int_equal(note(PH_PAGE, 0, START), PH_PACE_PAUSED);
		assert_int_equal(note(works[i], 0, START + PH_MINUTE_MS), PH_PACE_RESUMED);
		assert_false(pace.paused);
		assert_int_equal(ph_pace_room(&pace, 5, START + PH_MINUTE_MS), 300);
		assert_int_equal(note(works[i], 0, START + PH_MINUTE_MS), PH_PACE_SAME);
	}
}

/* Whether the Page works is still not known. */
TEST(a_probe_without_an_answer_is_no_proof)
{
	assert_int_equal(note(PH_PAGE, 0, START), PH_PACE_PAUSED);
	assert_int_equal(note(PH_UNSURE, 0, START + PH_MINUTE_MS), PH_PACE_SAME);
	assert_int_equal(note(PH_RETRY, 0, START + PH_MINUTE_MS), PH_PACE_SAME);
	assert_true(pace.paused);
	assert_int_equal(ph_pace_room(&pace, 0, START + PH_MINUTE_MS), 1);
}

TEST(each_pause_in_a_row_is_twice_as_long_up_to_4_hours)
{
	static const int64_t	 minutes[] = { 1, 2, 4, 8, 16, 32, 64, 128 };
	int64_t			 now = START;
	size_t			 i;

	for (i = 0; i < COUNT_OF(minutes); i++) {
		assert_int_equal(note(PH_PAGE, 0, now), i == 0 ? PH_PACE_PAUSED : PH_PACE_SAME);
		assert_int_equal(pace.until - now, minutes[i] * PH_MINUTE_MS);
		now = pace.until;
	}
	for (i = 0; i < 20; i++) {
		assert_int_equal(note(PH_PAGE, 0, now), PH_PACE_SAME);
		assert_in_range(pace.until - now, 2 * PH_HOUR_MS, 4 * PH_HOUR_MS);
		now = pace.until;
	}
	assert_int_equal(note(PH_SENT, 0, now), PH_PACE_RESUMED);
	assert_int_equal(note(PH_PAGE, 0, now), PH_PACE_PAUSED);
	assert_int_equal(pace.until - now, PH_MINUTE_MS);
}

TEST(a_pause_that_graph_names_is_as_long_as_it_says)
{
	int64_t	 now = START;

	assert_int_equal(note(PH_PAGE, 30 * PH_MINUTE_MS, now), PH_PACE_PAUSED);
	assert_int_equal(pace.until - now, 30 * PH_MINUTE_MS);
	now = pace.until;
	(void)note(PH_PAGE, 30 * PH_MINUTE_MS, now);
	assert_int_equal(pace.until - now, PH_HOUR_MS);
	now = pace.until;
	(void)note(PH_PAGE, 30 * PH_MINUTE_MS, now);
	now = pace.until;
	(void)note(PH_PAGE, 30 * PH_MINUTE_MS, now);
	now = pace.until;
	(void)note(PH_PAGE, 30 * PH_MINUTE_MS, now);
	assert_int_equal(pace.until - now, 4 * PH_HOUR_MS);
	ph_pace_begin(&pace, false, 0, START);
	(void)note(PH_PAGE, PH_DAY_MS, START);
	assert_int_equal(pace.until - START, PH_DAY_MS);
}

/* All that was under way when the token died comes back the same: that is one pause. */
TEST(what_was_under_way_makes_a_pause_no_longer)
{
	int	 i;

	assert_int_equal(note(PH_PAGE, 0, START), PH_PACE_PAUSED);
	for (i = 1; i < 64; i++)
		assert_int_equal(note(PH_PAGE, 0, START + i), PH_PACE_SAME);
	assert_int_equal(pace.until - START, PH_MINUTE_MS);
	assert_int_equal(note(PH_PAGE, 0, pace.until), PH_PACE_SAME);
	assert_int_equal(pace.until - START, 3 * PH_MINUTE_MS);
	(void)note(PH_PAGE, PH_DAY_MS, START + 3 * PH_MINUTE_MS - 1);	/* but it may say that it is */
	assert_int_equal(pace.until - START, 3 * PH_MINUTE_MS - 1 + PH_DAY_MS);
}

TEST(what_the_last_helper_found_paused_is_asked_by_one_reply_at_once)
{
	ph_pace_begin(&pace, true, 0, START);
	assert_int_equal(ph_pace_room(&pace, 0, START), 1);
	assert_int_equal(ph_pace_room(&pace, 1, START), 0);
	assert_int_equal(note(PH_PAGE, 0, START), PH_PACE_PAUSED);	/* it may have died before it told that */
	assert_int_equal(pace.until - START, PH_MINUTE_MS);
	assert_int_equal(note(PH_SENT, 0, START + PH_MINUTE_MS), PH_PACE_RESUMED);
}

TEST(what_the_last_helper_found_paused_until_a_time_is_not_asked_before)
{
	ph_pace_begin(&pace, true, START + PH_HOUR_MS, START);
	assert_int_equal(ph_pace_room(&pace, 0, START + PH_HOUR_MS - 1), 0);
	assert_int_equal(ph_pace_wait_ms(&pace, 0, START), PH_HOUR_MS);
	assert_int_equal(ph_pace_room(&pace, 0, START + PH_HOUR_MS), 1);
}

TEST(a_limit_is_waited_for_and_then_it_goes_slower)
{
	const int64_t	 later = START + PH_MINUTE_MS;
	int64_t		 now;

	assert_int_equal(limit(PH_MINUTE_MS, START), PH_PACE_SLOWED);
	assert_false(pace.paused);
	for (now = START; now < later; now += 10000)	/* a time without sends makes nothing faster */
		assert_int_equal(ph_pace_room(&pace, 0, now), 0);
	assert_int_equal(ph_pace_room(&pace, 0, later - 1), 0);
	assert_int_equal(ph_pace_wait_ms(&pace, 0, later - 1), 1);
	assert_int_equal(send_all(later), 150);
	assert_in_range(send_for(later, 10000), 1499, 1500);
}

TEST(limits_again_and_again_leave_some_five_a_second)
{
	int64_t	 now = START;
	int	 i;

	for (i = 0; i < 20; i++) {
		assert_int_equal(limit(PH_SECOND_MS, now), PH_PACE_SLOWED);
		now += PH_SECOND_MS;
	}
	(void)send_all(now);
	assert_in_range(send_for(now, 10000), 40, 50);
}

/* Everything that was under way is told of the same limit. */
TEST(one_limit_told_many_times_slows_down_once)
{
	int	 i;

	for (i = 0; i < 64; i++)
		(void)limit(PH_MINUTE_MS, START);
	(void)limit(PH_MINUTE_MS, START + PH_MINUTE_MS - 1);	/* but it may last longer */
	assert_int_equal(ph_pace_room(&pace, 0, START + PH_MINUTE_MS + 30 * PH_SECOND_MS), 0);
	assert_int_equal(send_all(START + 2 * PH_MINUTE_MS), 150);
}

TEST(without_another_word_it_is_twice_as_fast_each_30_s)
{
	int64_t	 now = START + PH_SECOND_MS;

	(void)limit(PH_SECOND_MS, START);
	(void)limit(PH_SECOND_MS, now);			/* a quarter now */
	now += PH_SECOND_MS;
	(void)send_all(now);
	assert_in_range(send_for(now, 20000), 1495, 1500);
	(void)send_all(now + 30 * PH_SECOND_MS);
	assert_in_range(send_for(now + 30 * PH_SECOND_MS, 20000), 2990, 3000);
	(void)send_all(now + 60 * PH_SECOND_MS);
	assert_in_range(send_for(now + 60 * PH_SECOND_MS, 20000), 5990, 6000);
	assert_in_range(send_for(now + 100 * PH_SECOND_MS, 20000), 6000, 6300);
}

TEST(usage_slows_down_before_the_limit_is_there)
{
	assert_int_equal(used(80, START), PH_PACE_SAME);
	assert_int_equal(used(90, START), PH_PACE_SLOWED);
	assert_int_equal(send_all(START), 150);
	assert_int_equal(used(90, START), PH_PACE_SAME);	/* it is that slow already */
	assert_int_equal(used(85, START), PH_PACE_SAME);
	assert_in_range(send_for(START, 10000), 1499, 1500);
	assert_int_equal(used(100, START + 10000), PH_PACE_SLOWED);
	assert_int_equal(ph_pace_room(&pace, 0, START + 10000 + PH_MINUTE_MS - 1), 0);
	assert_true(ph_pace_room(&pace, 0, START + 10000 + PH_MINUTE_MS) > 0);
}

/* One such reply is its own fault; five in a row are a wrong secret or a Page that changed. */
TEST(five_invalid_replies_in_a_row_are_the_page)
{
	int	 i;

	for (i = 0; i < 4; i++)
		assert_int_equal(invalid(START), PH_PACE_SAME);
	assert_int_equal(note(PH_SENT, 0, START), PH_PACE_SAME);
	for (i = 0; i < 4; i++)
		assert_int_equal(invalid(START), PH_PACE_SAME);
	assert_int_equal(note(PH_RETRY, 0, START), PH_PACE_SAME);	/* says nothing of that */
	assert_int_equal(note(PH_UNSURE, 0, START), PH_PACE_SAME);
	assert_int_equal(invalid(START), PH_PACE_PAUSED);
	assert_int_equal(note(PH_UNSURE, 0, START + PH_MINUTE_MS), PH_PACE_SAME);
	assert_int_equal(pace.until, START + PH_MINUTE_MS);	/* no longer by what is not invalid */
	assert_int_equal(invalid(START + PH_MINUTE_MS), PH_PACE_SAME);
	assert_int_equal(pace.until, START + 3 * PH_MINUTE_MS);
	assert_int_equal(note(PH_SENT, 0, START + 3 * PH_MINUTE_MS), PH_PACE_RESUMED);
	assert_int_equal(invalid(START + 3 * PH_MINUTE_MS), PH_PACE_SAME);
}

#define at_full_speed(test)	cmocka_unit_test_setup(test, enter)

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		at_full_speed(a_page_sends_300_a_second),
		at_full_speed(of_audio_and_video_10_leave_in_a_second),
		at_full_speed(a_page_that_takes_nothing_is_paused_and_asked_by_one_reply),
		at_full_speed(a_probe_that_arrives_lets_all_go_again),
		at_full_speed(a_probe_without_an_answer_is_no_proof),
		at_full_speed(each_pause_in_a_row_is_twice_as_long_up_to_4_hours),
		at_full_speed(a_pause_that_graph_names_is_as_long_as_it_says),
		at_full_speed(what_was_under_way_makes_a_pause_no_longer),
		at_full_speed(what_the_last_helper_found_paused_is_asked_by_one_reply_at_once),
		at_full_speed(what_the_last_helper_found_paused_until_a_time_is_not_asked_before),
		at_full_speed(a_limit_is_waited_for_and_then_it_goes_slower),
		at_full_speed(limits_again_and_again_leave_some_five_a_second),
		at_full_speed(one_limit_told_many_times_slows_down_once),
		at_full_speed(without_another_word_it_is_twice_as_fast_each_30_s),
		at_full_speed(usage_slows_down_before_the_limit_is_there),
		at_full_speed(five_invalid_replies_in_a_row_are_the_page),
	};

	return cmocka_run_group_tests_name("pace", tests, NULL, NULL);
}
