/*
 * test_lookout -- what no turn brings is seen: deliveries that fail, a clock that is off.
 * Knows lookout and refused; clocks are numbers that a test moves.  Does not know who is told.
 * Called by make check.
 * Lives in a temporary directory.
 * SPDX-License-Identifier: ISC
 */
#include "clock.h"
#include "lookout.h"
#include "refused.h"
#include "room.h"

#define START	INT64_C(1790000000000)

static struct ph_lookout	 lookout;
static struct ph_news		 news;
static int64_t			 now, mono;

static int
enter(void **state)
{
	unsetenv("PH_TEST_SPEED");
	now = START;
	mono = 1000;
	news = (struct ph_news)PH_NEWS_INIT;
	if (room_enter(state) != 0)
		return -1;
	ph_log_open("log", PH_INFO, false);
	lookout = (struct ph_lookout){ .state_fd = room_open() };
	return 0;
}

static int
leave(void **state)
{
	close(lookout.state_fd);
	ph_news_clear(&news);
	ph_log_close();
	return room_leave(state);
}

static void
refused(enum ph_refusal why, int64_t n, int64_t for_ms)
{
	struct ph_refused	 more = { .kept_at = 0 };

	(void)unlink("refused");
	more.by[why] = (struct ph_refused_count){ n, now - for_ms, now };
	assert_true(ph_refused_write(lookout.state_fd, &more));
}

/* Some time later: what is raised; NULL: nothing. */
static const struct ph_raised *
look(int64_t wall_ms, int64_t mono_ms)
{
	now += wall_ms;
	mono += mono_ms;
	ph_news_tell(&news);
	ph_lookout_look(&lookout, now, mono, &news);
	assert_true(news.n_raised <= 1);
	return news.n_raised > 0 ? &news.raised[0] : NULL;
}

static void
raises(enum ph_cause cause, const char *words, int64_t later_ms)
{
	const struct ph_raised	*r = look(later_ms, later_ms);

	assert_non_null(r);
	assert_int_equal(r->cause, cause);
	assert_non_null(strstr(r->what, words));
}

TEST(while_all_is_well_nothing_is_raised)
{
	assert_null(look(1000, 1000));
	assert_null(look(PH_DAY_MS, PH_DAY_MS));
}

TEST(ten_bad_signatures_are_raised_once_an_hour)
{
	refused(PH_UNSIGNED, 9, 1000);
	assert_null(look(1000, 1000));
	refused(PH_UNSIGNED, 10, 1000);
	raises(PH_CAUSE_SIGNATURE, "10 without signature", 1000);
	refused(PH_UNSIGNED, 11, 1000);
	assert_null(look(1000, 1000));
	raises(PH_CAUSE_SIGNATURE, "11 without signature", PH_HOUR_MS);
}

TEST(a_good_delivery_makes_it_begin_anew)
{
	refused(PH_MISMATCH, 10, 1000);
	raises(PH_CAUSE_SIGNATURE, "10 signed with another secret", 1000);
	news.tally.deliveries++;
	news.tally.kept_at = now;
	assert_null(look(1000, 1000));
	assert_null(look(1000, 1000));
	refused(PH_MISMATCH, 10, 1000);
	raises(PH_CAUSE_SIGNATURE, "10 signed with another secret", 1000);
}

TEST(failures_are_raised_after_five_minutes_and_after_fifteen)
{
	refused(PH_NOT_KEPT, 4, 5 * PH_MINUTE_MS - 1);
	assert_null(look(1000, 1000));
	refused(PH_NOT_KEPT, 5, 5 * PH_MINUTE_MS);
	raises(PH_CAUSE_FAILING, "for 5 min; 5 refused: 5 not to be kept; Meta disables the webhook after about "
	    "60 min of this, in about 55 min", 1000);
	refused(PH_NOT_KEPT, 7, 14 * PH_MINUTE_MS);
	assert_null(look(1000, 1000));
	refused(PH_NOT_KEPT, 9, 15 * PH_MINUTE_MS);
	raises(PH_CAUSE_DISABLED_SOON, "in about 45 min", 1000);
	refused(PH_NOT_KEPT, 40, 61 * PH_MINUTE_MS);
	raises(PH_CAUSE_DISABLED_SOON, "which are over", PH_HOUR_MS);
}

TEST(as_long_as_deliveries_are_refused_the_helper_stays)
{
	refused(PH_UNSIGNED, 9, 0);
	assert_null(look(1000, 1000));
	assert_false(ph_lookout_stays(&lookout));
	refused(PH_MISMATCH, 1, 0);
	assert_null(look(1000, 1000));
	assert_true(ph_lookout_stays(&lookout));
	assert_null(look(PH_HOUR_MS, PH_HOUR_MS));
	assert_false(ph_lookout_stays(&lookout));
	refused(PH_MISMATCH, 1, 0);
	assert_null(look(1000, 1000));
	news.tally.deliveries++;
	assert_null(look(1000, 1000));
	assert_false(ph_lookout_stays(&lookout));
}

TEST(a_stranger_who_tries_now_and_then_is_no_failure)
{
	refused(PH_UNSIGNED, 9, PH_DAY_MS);
	assert_null(look(1000, 1000));
	refused(PH_MISMATCH, 2, PH_DAY_MS);
	assert_null(look(1000, 1000));
}

TEST(a_clock_that_steps_is_raised)
{
	const struct ph_raised	*r;

	assert_null(look(1000, 1000));
	assert_null(look(6000, 1001));		/* 5 s: a machine that slept for a moment */
	assert_non_null(r = look(9001, 1000));
	assert_int_equal(r->cause, PH_CAUSE_CLOCK);
	assert_string_equal(r->what, "the clock was set forward by 8 s");
	assert_null(look(-PH_DAY_MS, 1000));	/* once an hour is enough */
	assert_non_null(r = look(PH_HOUR_MS - PH_DAY_MS, PH_HOUR_MS));
	assert_string_equal(r->what, "the clock was set back by 86400 s");
}

TEST(a_clock_that_was_never_set_is_raised)
{
	now = INT64_C(1000000);
	raises(PH_CAUSE_CLOCK, "before this program was made", 1000);
}

#define in_a_room(test)	cmocka_unit_test_setup_teardown(test, enter, leave)

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		in_a_room(while_all_is_well_nothing_is_raised),
		in_a_room(ten_bad_signatures_are_raised_once_an_hour),
		in_a_room(a_good_delivery_makes_it_begin_anew),
		in_a_room(failures_are_raised_after_five_minutes_and_after_fifteen),
		in_a_room(as_long_as_deliveries_are_refused_the_helper_stays),
		in_a_room(a_stranger_who_tries_now_and_then_is_no_failure),
		in_a_room(a_clock_that_steps_is_raised),
		in_a_room(a_clock_that_was_never_set_is_raised),
	};

	return cmocka_run_group_tests_name("lookout", tests, NULL, NULL);
}
