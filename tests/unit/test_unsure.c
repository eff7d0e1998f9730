/*
 * test_unsure -- what becomes of a reply that may have arrived, by policy and by echoes.
 * Knows unsure.  Does not know the store; times are numbers that a test makes up.
 * Called by make check.
 * Lives in static memory.
 * SPDX-License-Identifier: ISC
 */
#include <stdlib.h>

#include "clock.h"
#include "unit.h"
#include "unsure.h"

#define SINCE	INT64_C(1767225700000)
#define GRACE	(20 * PH_SECOND_MS)
#define PROOF	(15 * PH_MINUTE_MS)

static struct ph_unsure	 unsure;
static const char	*why;

static int
enter(void **state)
{
	(void)state;
	unsetenv("PH_TEST_SPEED");
	unsure = (struct ph_unsure){ .policy = PH_RECONCILE };
	why = NULL;
	return 0;
}

static enum ph_unsure_verdict
judge(const char *page, int64_t resends, int64_t after_ms)
{
	return ph_unsure_judge(&unsure, slice(page), SINCE, resends, SINCE + after_ms, &why);
}

TEST(a_policy_has_a_name)
{
	enum ph_unsure_policy	 policy = PH_RESEND;

	assert_true(ph_unsure_policy_parse("reconcile", &policy));
	assert_int_equal(policy, PH_RECONCILE);
	assert_true(ph_unsure_policy_parse("hold", &policy));
	assert_int_equal(policy, PH_HOLD);
	assert_true(ph_unsure_policy_parse("resend", &policy));
	assert_int_equal(policy, PH_RESEND);
	assert_false(ph_unsure_policy_parse("Hold", &policy));
	assert_false(ph_unsure_policy_parse("", &policy));
	assert_int_equal(policy, PH_RESEND);
}

TEST(a_policy_needs_no_proof)
{
	static const struct { enum ph_unsure_policy policy; enum ph_unsure_verdict verdict; } rows[] = {
		{ PH_HOLD, PH_UNSURE_HOLD }, { PH_RESEND, PH_UNSURE_AGAIN },
	};
	size_t	 i;

	for (i = 0; i < COUNT_OF(rows); i++) {
		(void)enter(NULL);
		unsure.policy = rows[i].policy;
		assert_int_equal(judge("9001", 0, GRACE), rows[i].verdict);
		(void)ph_unsure_echo(&unsure, BYTES("9001"), SINCE - 1);
		assert_int_equal(judge("9001", 0, GRACE), rows[i].verdict);
		(void)ph_unsure_echo(&unsure, BYTES("9001"), SINCE + 1);
		assert_int_equal(judge("9001", 0, GRACE), rows[i].verdict);
		assert_int_equal(why != NULL, rows[i].verdict == PH_UNSURE_HOLD);
	}
}

TEST(nothing_is_sent_a_third_time)
{
	static const enum ph_unsure_policy	 all[] = { PH_RECONCILE, PH_HOLD, PH_RESEND };
	size_t					 i;

	(void)ph_unsure_echo(&unsure, BYTES("9001"), SINCE + 1);
	for (i = 0; i < COUNT_OF(all); i++) {
		unsure.policy = all[i];
		assert_int_equal(judge("9001", 1, GRACE), PH_UNSURE_HOLD);
		assert_non_null(why);
		assert_int_equal(judge("9001", 2, GRACE), PH_UNSURE_HOLD);
	}
}

TEST(a_page_that_never_sent_an_echo_proves_nothing)
{
	assert_int_equal(judge("9001", 0, GRACE), PH_UNSURE_HOLD);
	assert_non_null(strstr(why, "message_echoes"));
	(void)ph_unsure_echo(&unsure, BYTES("9002"), SINCE + 1);
	assert_int_equal(judge("9001", 0, GRACE), PH_UNSURE_HOLD);	/* another's says nothing */
}

TEST(the_echo_of_a_later_message_says_that_it_did_not_arrive)
{
	assert_true(ph_unsure_echo(&unsure, BYTES("9001"), SINCE + 1));
	assert_int_equal(judge("9001", 0, GRACE), PH_UNSURE_AGAIN);
	assert_null(why);
	assert_false(ph_unsure_echo(&unsure, BYTES("9001"), SINCE - 5000));	/* an older one that came late */
	assert_int_equal(judge("9001", 0, GRACE), PH_UNSURE_AGAIN);
	assert_int_equal(judge("9001", 0, PROOF + 1), PH_UNSURE_AGAIN);
}

TEST(the_echo_of_an_earlier_message_says_nothing)
{
	static const int64_t	 left_at[] = { 0, SINCE - 5000, SINCE };
	size_t			 i;

	for (i = 0; i < COUNT_OF(left_at); i++) {
		(void)ph_unsure_echo(&unsure, BYTES("9001"), left_at[i]);
		assert_int_equal(judge("9001", 0, GRACE), PH_UNSURE_WAIT);
		assert_null(why);
	}
}

TEST(nor_does_one_of_a_message_that_left_before_a_post_was_held_up)
{
	ph_unsure_doubt(&unsure, SINCE + 10);
	ph_unsure_doubt(&unsure, SINCE + 5);
	(void)ph_unsure_echo(&unsure, BYTES("9001"), SINCE + 10);
	assert_int_equal(judge("9001", 0, GRACE), PH_UNSURE_WAIT);
	(void)ph_unsure_echo(&unsure, BYTES("9001"), SINCE + 11);
	assert_int_equal(judge("9001", 0, GRACE), PH_UNSURE_AGAIN);
	ph_unsure_doubt(&unsure, SINCE + PH_HOUR_MS);
	ph_unsure_reset_clock(&unsure, SINCE + 20);	/* that hour is yet to come */
	(void)ph_unsure_echo(&unsure, BYTES("9001"), SINCE + 21);
	assert_int_equal(judge("9001", 0, GRACE), PH_UNSURE_AGAIN);
}

TEST(after_15_minutes_a_person_decides)
{
	(void)ph_unsure_echo(&unsure, BYTES("9001"), SINCE - 5000);
	assert_int_equal(judge("9001", 0, PROOF - 1), PH_UNSURE_WAIT);
	assert_int_equal(judge("9001", 0, PROOF), PH_UNSURE_HOLD);
	assert_non_null(why);
}

TEST(a_pages_first_echo_is_told)
{
	char	 page[16];
	int	 i;

	assert_true(ph_unsure_echo(&unsure, BYTES("9001"), 0));
	assert_false(ph_unsure_echo(&unsure, BYTES("9001"), SINCE));
	assert_true(ph_unsure_echo(&unsure, BYTES("900"), SINCE));	/* the whole id counts */
	for (i = 2; i < PH_UNSURE_PAGES; i++) {
		snprintf(page, sizeof(page), "8%d", i);
		assert_true(ph_unsure_echo(&unsure, slice(page), 0));
	}
	assert_false(ph_unsure_echo(&unsure, BYTES("7777"), SINCE + 1));	/* no room */
	assert_int_equal(judge("7777", 0, GRACE), PH_UNSURE_HOLD);
	assert_false(ph_unsure_echo(&unsure, BYTES("9001"), SINCE + 1));
	assert_int_equal(judge("9001", 0, GRACE), PH_UNSURE_AGAIN);
}

TEST(an_id_too_long_to_remember_is_a_page_without_echoes)
{
	char	 page[65];

	memset(page, '1', sizeof(page) - 1);
	page[64] = '\0';
	assert_false(ph_unsure_echo(&unsure, slice(page), SINCE + 1));
	assert_int_equal(judge(page, 0, GRACE), PH_UNSURE_HOLD);
	page[63] = '\0';
	assert_true(ph_unsure_echo(&unsure, slice(page), SINCE + 1));
	assert_int_equal(judge(page, 0, GRACE), PH_UNSURE_AGAIN);
}

#define at_full_speed(test)	cmocka_unit_test_setup(test, enter)

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		at_full_speed(a_policy_has_a_name),
		at_full_speed(a_policy_needs_no_proof),
		at_full_speed(nothing_is_sent_a_third_time),
		at_full_speed(a_page_that_never_sent_an_echo_proves_nothing),
		at_full_speed(the_echo_of_a_later_message_says_that_it_did_not_arrive),
		at_full_speed(the_echo_of_an_earlier_message_says_nothing),
		at_full_speed(nor_does_one_of_a_message_that_left_before_a_post_was_held_up),
		at_full_speed(after_15_minutes_a_person_decides),
		at_full_speed(a_pages_first_echo_is_told),
		at_full_speed(an_id_too_long_to_remember_is_a_page_without_echoes),
	};

	return cmocka_run_group_tests_name("unsure", tests, NULL, NULL);
}
