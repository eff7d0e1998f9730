/*
 * test_words -- a command is cut into words as it is written, and no shell is in it.
 * Knows words.  Does not know settings.
 * Called by make check.
 * Lives in memory alone.
 * SPDX-License-Identifier: ISC
 */
#include "unit.h"
#include "words.h"

static struct ph_fail	 wrong;

/* The words, each between bars. */
static const char *
cut(const char *text)
{
	static char	  joined[200];
	char		**words;
	size_t		  i, len = 0;

	must(ph_words_parse(text, &words, &wrong), &wrong);
	for (i = 0; words[i] != NULL; i++)
		len += (size_t)snprintf(joined + len, sizeof(joined) - len, "|%s", words[i]);
	ph_words_free(words);
	return joined;
}

TEST(words_stand_between_blanks)
{
	assert_string_equal(cut("/bin/mail -s\tpagehook  me@example.org "), "|/bin/mail|-s|pagehook|me@example.org");
}

TEST(quotes_keep_blanks)
{
	assert_string_equal(cut("\"/home/ana b/call\" a\" \"b \"\""), "|/home/ana b/call|a b|");
}

TEST(nothing_of_a_shell_means_anything)
{
	assert_string_equal(cut("x $HOME `id` ;a|b>c 'd e' \\ *"), "|x|$HOME|`id`|;a|b>c|'d|e'|\\|*");
}

TEST(what_is_no_command_is_refused)
{
	static const char *const	 rows[] = { "", "  \t", "\"/bin/x", "x \"a b" };
	char				**words;
	size_t				  i;

	for (i = 0; i < COUNT_OF(rows); i++) {
		wrong = (struct ph_fail)PH_FAIL_INIT;
		assert_int_equal(ph_words_parse(rows[i], &words, &wrong), PH_MALFORMED);
		assert_null(words);
	}
	ph_words_free(NULL);
}

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		cmocka_unit_test(words_stand_between_blanks),
		cmocka_unit_test(quotes_keep_blanks),
		cmocka_unit_test(nothing_of_a_shell_means_anything),
		cmocka_unit_test(what_is_no_command_is_refused),
	};

	return cmocka_run_group_tests_name("words", tests, NULL, NULL);
}
