/*
 * test_error -- one cause is kept, the first, and every kind of it has a name.
 * Knows error.  Does not know who fails.
 * Called by make check.
 * Lives on its stack.
 * SPDX-License-Identifier: ISC
 */
#include "unit.h"

TEST(what_failed_is_returned_and_noted)
{
	struct ph_fail	 fail = PH_FAIL_INIT;

	assert_int_equal(ph_error_set(&fail, PH_BUSY, "spool: %s: full", "a"), PH_BUSY);
	assert_int_equal(fail.err, PH_BUSY);
	assert_string_equal(fail.text, "spool: a: full");
}

TEST(cleaning_up_never_hides_the_cause)
{
	struct ph_fail	 fail = PH_FAIL_INIT;

	(void)ph_error_set(&fail, PH_BROKEN, "the cause");
	assert_int_equal(ph_error_set(&fail, PH_BUSY, "close: no"), PH_BUSY);
	assert_int_equal(fail.err, PH_BROKEN);
	assert_string_equal(fail.text, "the cause");
}

TEST(nobody_has_to_read_the_text)
{
	assert_int_equal(ph_error_set(NULL, PH_FORGED, "%d", 1), PH_FORGED);
}

TEST(a_long_text_is_cut)
{
	struct ph_fail	 fail = PH_FAIL_INIT;

	(void)ph_error_set(&fail, PH_CONFIG, "%0500d", 7);
	assert_int_equal(strlen(fail.text), sizeof(fail.text) - 1);
}

TEST(every_error_has_a_name_of_its_own)
{
	enum ph_error	 a, b;

	for (a = PH_OK; a <= PH_BROKEN; a++) {
		assert_non_null(ph_error_name(a));
		for (b = PH_OK; b < a; b++)
			assert_string_not_equal(ph_error_name(a), ph_error_name(b));
	}
	assert_string_equal(ph_error_name(PH_MALFORMED), "malformed");
}

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		cmocka_unit_test(what_failed_is_returned_and_noted),
		cmocka_unit_test(cleaning_up_never_hides_the_cause),
		cmocka_unit_test(nobody_has_to_read_the_text),
		cmocka_unit_test(a_long_text_is_cut),
		cmocka_unit_test(every_error_has_a_name_of_its_own),
	};

	return cmocka_run_group_tests_name("error", tests, NULL, NULL);
}
