/*
 * test_query -- one value out of a query string, decoded, or a refusal.
 * Knows query.  Does not know which names matter to Meta.
 * Called by make check.
 * Lives on its stack.
 * SPDX-License-Identifier: ISC
 */
#include "query.h"
#include "unit.h"

TEST(a_value_is_found_and_decoded)
{
	static const struct { const char *query, *name, *value; } rows[] = {
		{ "hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token=T", "hub.challenge",
		    "1158201444" },
		{ "hub.verify_token=T&hub.mode=subscribe", "hub.mode", "subscribe" },
		{ "a=1%2B1+%3d+2%26", "a", "1+1 = 2&" },
		{ "a=%C3%a9", "a", "\xc3\xa9" },
		{ "a=b=c", "a", "b=c" },
		{ "a=", "a", "" },
		{ "a", "a", "" },
		{ "x&a&y", "a", "" },
		{ "&&a=1&&", "a", "1" },
		{ "aa=2&a=1", "a", "1" },
	};
	char	 out[64];
	size_t	 i;

	for (i = 0; i < COUNT_OF(rows); i++) {
		assert_int_equal(ph_query_get(rows[i].query, rows[i].name, out, sizeof(out)), PH_OK);
		assert_string_equal(out, rows[i].value);
	}
}

TEST(what_is_not_there_or_not_clear_is_said)
{
	static const struct { const char *query; enum ph_error err; } rows[] = {
		{ "", PH_NONE },
		{ "hub_mode=1", PH_NONE },		/* literal dots alone */
		{ "hub.modes=1&xhub.mode=1", PH_NONE },
		{ "Hub.Mode=1", PH_NONE },
		{ "hub%2Emode=1", PH_NONE },
		{ "hub.mode=1&hub.mode=1", PH_MALFORMED },
		{ "hub.mode=1&hub.mode", PH_MALFORMED },
		{ "hub.mode=%", PH_MALFORMED },
		{ "hub.mode=%4", PH_MALFORMED },
		{ "hub.mode=%4&1", PH_MALFORMED },
		{ "hub.mode=%zz", PH_MALFORMED },
		{ "hub.mode=a%00b", PH_MALFORMED },
		{ "hub.mode=12345678", PH_TOOBIG },
	};
	char	 out[8];
	size_t	 i;

	for (i = 0; i < COUNT_OF(rows); i++)
		if (ph_query_get(rows[i].query, "hub.mode", out, sizeof(out)) != rows[i].err)
			fail_msg("%s: not %s", rows[i].query, ph_error_name(rows[i].err));
}

TEST(a_value_fits_with_its_nul_or_not_at_all)
{
	char	 out[8];

	assert_int_equal(ph_query_get("a=1234567", "a", out, sizeof(out)), PH_OK);
	assert_string_equal(out, "1234567");
	assert_int_equal(ph_query_get("a=%31%32%33%34%35%36%37", "a", out, sizeof(out)), PH_OK);
	assert_int_equal(ph_query_get("a=%31%32%33%34%35%36%37%38", "a", out, sizeof(out)),
	    PH_TOOBIG);
}

TEST(any_name_of_the_family_shows)
{
	assert_true(ph_query_has("hub.mode=1", "hub."));
	assert_true(ph_query_has("x=1&hub.", "hub."));
	assert_true(ph_query_has("&&hub.x", "hub."));
	assert_false(ph_query_has("x=hub.mode&hub_mode=1&ahub.mode", "hub."));
	assert_false(ph_query_has("", "hub."));
	assert_false(ph_query_has("&", "hub."));
}

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		cmocka_unit_test(a_value_is_found_and_decoded),
		cmocka_unit_test(what_is_not_there_or_not_clear_is_said),
		cmocka_unit_test(a_value_fits_with_its_nul_or_not_at_all),
		cmocka_unit_test(any_name_of_the_family_shows),
	};

	return cmocka_run_group_tests_name("query", tests, NULL, NULL);
}
