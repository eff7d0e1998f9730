/*
 * test_fresh -- a set of keys forgets none while it grows, and gives each once.
 * Knows fresh.  Does not know where keys are kept.
 * Called by make check.
 * Lives on its stack.
 * SPDX-License-Identifier: ISC
 */
#include <stdlib.h>

#include "fresh.h"
#include "unit.h"

#define MANY	5000

static struct ph_fail	 wrong;

/* The i-th of keys that are as good as random, or that all want one slot: the last. */
static const unsigned char *
key_of(uint64_t i, bool crowded)
{
	static unsigned char	 key[PH_FRESH_KEY];
	uint64_t		 words[2] = { (i + 1) * UINT64_C(0x9e3779b97f4a7c15), i };

	memcpy(key, words, sizeof(key));
	if (crowded)
		memset(key, 0xff, 8);
	return key;
}

static void
forgets_none(bool crowded)
{
	struct ph_fresh	 f = PH_FRESH_INIT;
	bool		*met = calloc(MANY, sizeof(*met));
	unsigned char	 key[PH_FRESH_KEY];
	size_t		 at = 0, n = 0;
	uint64_t	 i;

	for (i = 0; i < MANY; i++) {
		assert_false(ph_fresh_has(&f, key_of(i, crowded)));
		must(ph_fresh_add(&f, key_of(i, crowded), &wrong), &wrong);
		assert_true(ph_fresh_has(&f, key_of(i / 2, crowded)));
	}
	assert_int_equal(f.n, MANY);
	while (ph_fresh_next(&f, &at, key)) {
		memcpy(&i, key + 8, sizeof(i));
		assert_in_range(i, 0, MANY - 1);
		assert_memory_equal(key, key_of(i, crowded), sizeof(key));
		assert_false(met[i]);
		met[i] = true;
		n++;
	}
	assert_int_equal(n, MANY);
	ph_fresh_clear(&f);
	assert_false(ph_fresh_has(&f, key_of(1, crowded)));
	free(met);
}

TEST(each_key_is_known_and_met_once)
{
	forgets_none(false);
}

TEST(keys_that_want_one_slot_are_all_known)
{
	forgets_none(true);
}

TEST(they_are_met_about_in_their_order)
{
	struct ph_fresh	 f = PH_FRESH_INIT;
	unsigned char	 key[PH_FRESH_KEY], last[PH_FRESH_KEY] = { 0 };
	size_t		 at = 0, n_back = 0;
	uint64_t	 i;

	for (i = 0; i < MANY; i++)
		must(ph_fresh_add(&f, key_of(i, false), &wrong), &wrong);
	for (; ph_fresh_next(&f, &at, key); memcpy(last, key, sizeof(key)))
		n_back += key[0] < last[0];
	assert_in_range(n_back, 0, 1);
	ph_fresh_clear(&f);
}

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		cmocka_unit_test(each_key_is_known_and_met_once),
		cmocka_unit_test(keys_that_want_one_slot_are_all_known),
		cmocka_unit_test(they_are_met_about_in_their_order),
	};

	return cmocka_run_group_tests_name("fresh", tests, NULL, NULL);
}
