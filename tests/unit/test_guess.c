/*
 * test_guess -- which word was meant.
 * Knows guess.  Does not know where words come from.
 * Called by make check.
 * Lives on its stack.
 * SPDX-License-Identifier: ISC
 */
#include "guess.h"
#include "unit.h"

/* What is guessed of a word when these are known; "": nothing. */
static const char *
guessed(const char *word)
{
	static const char *const	 known[] = { "on", "is", "say", "image", "pause",
	    "a key of more letters than the forty-seven that are looked at" };
	struct ph_guess			 guess = PH_GUESS_INIT(slice(word));
	size_t				 i;

	for (i = 0; i < COUNT_OF(known); i++)
		ph_guess_try(&guess, known[i]);
	return guess.nearest != NULL ? guess.nearest : "";
}

TEST(the_nearest_word_is_guessed)
{
	assert_string_equal(guessed("sya"), "say");
	assert_string_equal(guessed("imag"), "image");
	assert_string_equal(guessed("iimages"), "image");
	assert_string_equal(guessed("paus"), "pause");
	assert_string_equal(guessed("pay"), "say");
}

TEST(what_is_three_letters_away_is_not_guessed)
{
	assert_string_equal(guessed("video"), "");
	assert_string_equal(guessed("pausible"), "");
}

TEST(a_short_word_is_not_guessed_of_what_shares_no_letter)
{
	assert_string_equal(guessed("zq"), "");
	assert_string_equal(guessed(""), "");
	assert_string_equal(guessed("om"), "on");
}

TEST(what_is_very_long_is_not_looked_at)
{
	assert_string_equal(guessed("a key of more letters than the forty-seven that are looked att"), "");
}

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		cmocka_unit_test(the_nearest_word_is_guessed),
		cmocka_unit_test(what_is_three_letters_away_is_not_guessed),
		cmocka_unit_test(a_short_word_is_not_guessed_of_what_shares_no_letter),
		cmocka_unit_test(what_is_very_long_is_not_looked_at),
	};

	return cmocka_run_group_tests_name("guess", tests, NULL, NULL);
}
