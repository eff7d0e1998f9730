/*
 * test_hours -- opening hours as a person writes them, in the zone where the person lives.
 * Knows hours.  Does not know rules.
 * Called by make check.
 * Lives on its stack; sets TZ.
 * SPDX-License-Identifier: ISC
 */
#include <stdlib.h>
#include <time.h>

#include "hours.h"
#include "unit.h"

static void
live_in(const char *zone)
{
	setenv("TZ", zone, 1);
	tzset();
}

static bool
open_at(const char *text, int64_t seconds)
{
	struct ph_hours	 hours;
	struct ph_fail	 fail = PH_FAIL_INIT;
	size_t		 at;

	must(ph_hours_parse(slice(text), &hours, &at, &fail), &fail);
	return ph_hours_hold(&hours, seconds * 1000 + 999);
}

TEST(days_times_or_both_are_read)
{
	static const struct { const char *text; struct ph_hours is; } rows[] = {
		{ "sat,sun", { 0x41, 0, 1440 } }, { "09:00-17:30", { 0x7f, 540, 1050 } },
		{ "mon-fri 09:00-17:00", { 0x3e, 540, 1020 } }, { "fri-mon", { 0x63, 0, 1440 } },
		{ "Mon,WED-Thu,sunday", { 0x1b, 0, 1440 } }, { "monday-Friday  00:00-24:00", { 0x3e, 0, 1440 } },
		{ "sat 22:00-04:00", { 0x40, 1320, 240 } }, { "tue-tue", { 0x04, 0, 1440 } },
		{ "22:00-00:00", { 0x7f, 1320, 0 } }, { "sun-sat", { 0x7f, 0, 1440 } },
	};
	size_t	 i, at;

	for (i = 0; i < COUNT_OF(rows); i++) {
		struct ph_hours	 hours;
		struct ph_fail	 fail = PH_FAIL_INIT;

		must(ph_hours_parse(slice(rows[i].text), &hours, &at, &fail), &fail);
		assert_int_equal(hours.days, rows[i].is.days);
		assert_int_equal(hours.from, rows[i].is.from);
		assert_int_equal(hours.to, rows[i].is.to);
	}
}

TEST(what_is_not_is_refused_with_its_byte)
{
	static const struct { const char *text; size_t at; const char *says; } rows[] = {
		{ "", 0, "expected days, times or both" }, { " mon", 0, "expected days" },
		{ "-", 0, "expected days" }, { "xyz", 0, "expected a day" }, { "mo", 0, "expected a day" },
		{ "mond", 0, "expected a day" }, { "mon-", 4, "expected a day" }, { "mon,", 4, "expected a day" },
		{ "mon-fri-sat", 7, "expected \",\"" }, { "mon, tue", 4, "expected a day" },
		{ "mon09:00-10:00", 3, "expected \",\"" }, { "mon ", 4, "expected a time" },
		{ "9:00-17:00", 0, "expected a time" }, { "mon 24:00-17:00", 4, "expected a time" },
		{ "09:00", 5, "expected \"-\"" }, { "09:00 - 17:00", 5, "expected \"-\"" },
		{ "09:00-17:60", 6, "expected a time" }, { "09:00-24:01", 6, "expected a time" },
		{ "09:00-17:00 mon", 11, "expected the end" }, { "mon 09:00-09:00", 4, "it ends when it begins" },
		{ "00:00-00:00", 0, "it ends" }, { "09:00-1", 6, "expected a time" },
		{ "09:00-17:00,18:00-19:00", 11, "expected the end" },
	};
	size_t	 i, at;

	for (i = 0; i < COUNT_OF(rows); i++) {
		struct ph_hours	 hours;
		struct ph_fail	 fail = PH_FAIL_INIT;

		assert_int_equal(ph_hours_parse(slice(rows[i].text), &hours, &at, &fail), PH_MALFORMED);
		if (strncmp(fail.text, rows[i].says, strlen(rows[i].says)) != 0 || at != rows[i].at)
			fail_msg("%s: byte %zu: %s", rows[i].text, at, fail.text);
	}
}

#define THU	1767225600			/* 2026-01-01 00:00 UTC, a Thursday */
#define HOUR	3600

TEST(the_first_minute_is_in_it_and_the_last_is_not)
{
	live_in("UTC");
	assert_false(open_at("09:00-17:00", THU + 9 * HOUR - 1));
	assert_true(open_at("09:00-17:00", THU + 9 * HOUR));
	assert_true(open_at("09:00-17:00", THU + 17 * HOUR - 1));
	assert_false(open_at("09:00-17:00", THU + 17 * HOUR));
	assert_true(open_at("thu", THU));
	assert_true(open_at("thu", THU + 24 * HOUR - 1));
	assert_false(open_at("thu", THU - 1));
	assert_false(open_at("thu", THU + 24 * HOUR));
	assert_true(open_at("fri-wed 00:00-24:00", THU + 24 * HOUR));
	assert_false(open_at("fri-wed 09:00-17:00", THU + 10 * HOUR));
}

TEST(what_passes_midnight_belongs_to_the_day_on_which_it_began)
{
	live_in("UTC");
	assert_true(open_at("thu 22:00-04:00", THU + 22 * HOUR));
	assert_true(open_at("thu 22:00-04:00", THU + 28 * HOUR - 1));
	assert_false(open_at("thu 22:00-04:00", THU + 28 * HOUR));
	assert_false(open_at("thu 22:00-04:00", THU + 2 * HOUR));	/* the night of Wednesday */
	assert_false(open_at("thu 22:00-04:00", THU + 46 * HOUR));	/* Friday's evening */
	assert_true(open_at("sat 22:00-04:00", THU + 3 * 24 * HOUR + HOUR));	/* Sunday, one o'clock */
	assert_false(open_at("sat 22:00-04:00", THU + 2 * 24 * HOUR + HOUR));
	assert_true(open_at("thu 22:00-00:00", THU + 24 * HOUR - 1));
	assert_false(open_at("thu 22:00-00:00", THU + 24 * HOUR));
}

TEST(the_zone_is_where_the_helper_lives)
{
	static const struct { const char *zone; int east; } rows[] = {
		{ "UTC0", 0 }, { "JST-9", 9 }, { "EST5", -5 }, { "XXX12", -12 }, { "XXX-14", 14 },
	};
	size_t	 i;

	for (i = 0; i < COUNT_OF(rows); i++) {
		live_in(rows[i].zone);
		assert_true(open_at("thu 09:00-10:00", THU + (9 - rows[i].east) * HOUR));
		assert_false(open_at("thu 09:00-10:00", THU + (10 - rows[i].east) * HOUR));
		assert_false(open_at("fri 09:00-10:00", THU + (9 - rows[i].east) * HOUR));
	}
}

/* Central Europe, 2026: on 29 March 02:00 becomes 03:00, on 25 October 03:00 becomes 02:00. */
TEST(the_clock_on_the_wall_counts_when_it_is_changed)
{
	live_in("CET-1CEST,M3.5.0,M10.5.0/3");
	assert_true(open_at("sun 01:00-02:00", 1774746000 - 1));	/* 00:59:59 UTC, 01:59:59 */
	assert_true(open_at("sun 03:00-04:00", 1774746000));		/* 01:00 UTC, 03:00 */
	assert_false(open_at("sun 02:00-03:00", 1774746000));
	assert_true(open_at("sun 09:00-10:00", 1774746000 + 6 * HOUR));
	assert_true(open_at("sun 02:00-03:00", 1792886400));		/* 00:00 UTC, 02:00 summer time */
	assert_true(open_at("sun 02:00-03:00", 1792886400 + HOUR));	/* and once more */
	assert_false(open_at("sun 02:00-03:00", 1792886400 + 2 * HOUR));
	assert_true(open_at("sat 22:00-03:00", 1792886400 + 2 * HOUR - 1));
}

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		cmocka_unit_test(days_times_or_both_are_read),
		cmocka_unit_test(what_is_not_is_refused_with_its_byte),
		cmocka_unit_test(the_first_minute_is_in_it_and_the_last_is_not),
		cmocka_unit_test(what_passes_midnight_belongs_to_the_day_on_which_it_began),
		cmocka_unit_test(the_zone_is_where_the_helper_lives),
		cmocka_unit_test(the_clock_on_the_wall_counts_when_it_is_changed),
	};

	return cmocka_run_group_tests_name("hours", tests, NULL, NULL);
}
