/*
 * test_match -- what a pattern fits, what it captures, and what it may cost.
 * Knows match.  Does not know rules.
 * Called by make check.
 * Lives on its stack; one pattern at a time.
 * SPDX-License-Identifier: ISC
 */
#include "match.h"
#include "unit.h"

static struct ph_match	*match;

static void
compile(const char *text, enum ph_match_how how)
{
	struct ph_fail	 fail = PH_FAIL_INIT;
	size_t		 at;

	ph_match_free(match);
	must(ph_match_new(slice(text), how, &match, &at, &fail), &fail);
}

static enum ph_error
test(const char *subject)
{
	struct ph_fail	 fail = PH_FAIL_INIT;

	return ph_match_test(match, slice(subject), &fail);
}

static int
forget(void **state)
{
	(void)state;
	ph_match_free(match);
	match = NULL;
	return 0;
}

struct row { const char *pattern, *subject; bool fits; };

static void
check_rows(const struct row *rows, size_t n, enum ph_match_how how)
{
	size_t	 i;

	for (i = 0; i < n; i++) {
		compile(rows[i].pattern, how);
		if (test(rows[i].subject) != (rows[i].fits ? PH_OK : PH_NONE))
			fail_msg("%s on %s", rows[i].pattern, rows[i].subject);
	}
}

TEST(a_whole_text_is_that_text_blanks_and_case_aside)
{
	static const struct row	 rows[] = {
		{ "hours", "hours", true }, { "hours", " \n\tHours\r\n", true }, { " Hours ", "hours", true },
		{ "hours", "hours?", false }, { "hours", "the hours", false }, { "hours", "", false },
		{ "\xc3\x84rger", "\xc3\xa4RGER", true }, { "a.c", "abc", false }, { "a.c", "A.C", true },
		{ "\\d", "\\D", true }, { "caf\xc3\xa9", "\xe3\x80\x80" "caf\xc3\xa9\xc2\xa0 ", true },
		{ "\xd0\x9f\xd1\x80\xd0\xb8\xd0\xb2\xd0\xb5\xd1\x82", "\xd0\xbf\xd0\xa0\xd0\x98\xd0\xb2\xd0\xb5\xd1\x82", true },
		{ "opening hours", "opening  hours", false }, { "x", " ", false },
	};

	check_rows(rows, COUNT_OF(rows), PH_MATCH_WHOLE);
}

TEST(a_part_is_found_anywhere_as_it_stands)
{
	static const struct row	 rows[] = {
		{ "hour", "Opening HOURS?", true }, { "hour", "houri", true }, { "hour", "hou r", false },
		{ "1+1", "what is 1+1", true }, { "1+1", "11", false }, { "^a", "abc", false },
		{ "\xe5\x96\xb6\xe6\xa5\xad", "\xe5\x96\xb6\xe6\xa5\xad\xe6\x99\x82\xe9\x96\x93\xe3\x81\xaf", true },
		{ "a b", "xa by", true }, { "*", "5 * 5", true },
	};

	check_rows(rows, COUNT_OF(rows), PH_MATCH_PART);
}

TEST(a_pattern_is_a_caseless_expression_over_characters)
{
	static const struct row	 rows[] = {
		{ "order\\s*#?(\\d{4,8})", "My ORDER  #12345!", true }, { "^hi$", "hi\n", true },
		{ "^hi$", "oh hi", false }, { "^.$", "\xf0\x9f\x98\x80", true },
		{ "^\\w+$", "\xc3\xa9t\xc3\xa9", true }, { "^\\d+$", "\xd9\xa1\xd9\xa2", true },
		{ "\xc3\xa9t\xc3\xa9", "\xc3\x89T\xc3\x89", true }, { "(?-i)yes", "YES", false },
	};

	check_rows(rows, COUNT_OF(rows), PH_MATCH_PATTERN);
}

TEST(what_is_no_pattern_is_refused_with_its_byte)
{
	static const struct { const char *text; enum ph_match_how how; size_t at; const char *says; } rows[] = {
		{ "", PH_MATCH_PATTERN, 0, "empty" }, { " \t\n", PH_MATCH_WHOLE, 0, "empty" },
		{ "", PH_MATCH_PART, 0, "empty" },
		{ "order(?<n>\\d{4,8}", PH_MATCH_PATTERN, 17, "missing closing parenthesis" },
		{ "a|*b", PH_MATCH_PATTERN, 2, "quantifier does not follow" },
		{ "[z-a]", PH_MATCH_PATTERN, 3, "range out of order" },
		{ "a\\C", PH_MATCH_PATTERN, 3, "\\C" },
		{ "ab\xff", PH_MATCH_PATTERN, 2, "UTF-8" }, { "  \xc3", PH_MATCH_WHOLE, 2, "UTF-8" },
		{ "(((a{1000}){1000}){1000})", PH_MATCH_PATTERN, 25, "too large" },
	};
	struct ph_match	*out = NULL;
	size_t		 i, at;

	for (i = 0; i < COUNT_OF(rows); i++) {
		struct ph_fail	 fail = PH_FAIL_INIT;

		assert_int_equal(ph_match_new(slice(rows[i].text), rows[i].how, &out, &at, &fail),
		    PH_MALFORMED);
		assert_null(out);
		if (strstr(fail.text, rows[i].says) == NULL || at != rows[i].at)
			fail_msg("row %zu: byte %zu: %s", i, at, fail.text);
	}
}

TEST(a_pattern_of_more_than_4096_bytes_is_refused)
{
	char		 text[4097];
	struct ph_fail	 fail = PH_FAIL_INIT;
	size_t		 at;

	forget(NULL);
	memset(text, 'x', sizeof(text));
	must(ph_match_new((struct ph_slice){ text, 4096 }, PH_MATCH_PATTERN, &match, &at, &fail), &fail);
	forget(NULL);
	assert_int_equal(ph_match_new((struct ph_slice){ text, 4097 }, PH_MATCH_PART, &match, &at, &fail),
	    PH_MALFORMED);
	assert_string_equal(fail.text, "4097 bytes, at most 4096");
}

TEST(groups_have_their_names_or_numbers)
{
	compile("(a)(?<word>b)(?:x)?(c)", PH_MATCH_PATTERN);
	assert_null(ph_match_group(match, 0));
	assert_string_equal(ph_match_group(match, 1), "1");
	assert_string_equal(ph_match_group(match, 2), "word");
	assert_string_equal(ph_match_group(match, 3), "3");
	assert_null(ph_match_group(match, 4));
	compile("(a)", PH_MATCH_PART);
	assert_null(ph_match_group(match, 1));
}

TEST(a_capture_is_found_by_name_and_by_number)
{
	compile("my name is (?<name>.+?)( please)?$", PH_MATCH_PATTERN);
	assert_int_equal(test("Hi, my name is Zo\xc3\xab"), PH_OK);
	assert_string_equal(shown(ph_match_capture(match, "name")), "Zo\xc3\xab");
	assert_string_equal(shown(ph_match_capture(match, "1")), "Zo\xc3\xab");
	assert_null(ph_match_capture(match, "2").at);
	assert_null(ph_match_capture(match, "3").at);
	assert_null(ph_match_capture(match, "0").at);
	assert_null(ph_match_capture(match, "nmae").at);
	assert_null(ph_match_capture(match, "").at);
}

TEST(an_empty_capture_is_there_and_of_two_by_one_name_the_one_that_took_part)
{
	compile("x(\\d*)", PH_MATCH_PATTERN);
	assert_int_equal(test("x"), PH_OK);
	assert_non_null(ph_match_capture(match, "1").at);
	assert_int_equal(ph_match_capture(match, "1").len, 0);
	compile("(?J)a(?<n>\\d)|b(?<n>\\d)", PH_MATCH_PATTERN);
	assert_int_equal(test("b7"), PH_OK);
	assert_string_equal(shown(ph_match_capture(match, "n")), "7");
	assert_int_equal(test("a8"), PH_OK);
	assert_string_equal(shown(ph_match_capture(match, "n")), "8");
}

TEST(the_next_test_forgets_the_captures)
{
	compile("n(\\d)", PH_MATCH_PATTERN);
	assert_null(ph_match_capture(match, "1").at);
	assert_int_equal(test("n1"), PH_OK);
	assert_int_equal(test("n2"), PH_OK);
	assert_string_equal(shown(ph_match_capture(match, "1")), "2");
	assert_int_equal(test("m"), PH_NONE);
	assert_null(ph_match_capture(match, "1").at);
}

TEST(a_subject_that_is_absent_empty_or_no_utf8_does_not_fit)
{
	struct ph_fail	 fail = PH_FAIL_INIT;
	static const char *const	 bad[] = { "\xff", "ok\xc3", "\xed\xa0\x80", "\xf8\x88\x80\x80\x80", "\x80" };
	size_t		 i;

	compile(".*", PH_MATCH_PATTERN);
	assert_int_equal(ph_match_test(match, (struct ph_slice){ NULL, 0 }, &fail), PH_NONE);
	assert_int_equal(test(""), PH_OK);
	for (i = 0; i < COUNT_OF(bad); i++)
		assert_int_equal(test(bad[i]), PH_NONE);
	assert_int_equal(fail.err, PH_OK);
}

/* Time, stack and heap without end, with JIT and without; and what only all places together cost. */
/* Without JIT a recursion that goes nowhere is an error of PCRE2's, and no limit; no match either way. */
TEST(a_pattern_that_fails_is_no_match_and_said)
{
	compile("(*NO_JIT)^((?1)|zz)", PH_MATCH_PATTERN);
	assert_int_equal(test("hello"), PH_TOOBIG);
}

TEST(what_costs_too_much_is_said_and_ends)
{
	static const struct { const char *pattern, *says; } rows[] = {
		{ "(a+)+$", "match limit" }, { "(?:a|aa)+$", "match limit" },
		{ "(*NO_JIT)(a+)+$", "match limit" }, { "^(?:(a)|b)*[cd]", "" },	/* stack or heap */
		{ "(*NO_JIT)^(?:(a)|b)*[cd]", "heap limit" }, { "a*a*a*[bc]", "match limit" },
		{ "a{0,300}a{0,300}[bc]", "match limit" }, { "(*NO_JIT)a{0,40}a{0,40}[bc]", "match limit" },
	};
	static char	 subject[20000];
	struct ph_fail	 fail;
	size_t		 i;

	memset(subject, 'a', sizeof(subject));
	subject[sizeof(subject) - 1] = '!';
	for (i = 0; i < COUNT_OF(rows); i++) {
		compile(rows[i].pattern, PH_MATCH_PATTERN);
		fail = (struct ph_fail)PH_FAIL_INIT;
		assert_int_equal(ph_match_test(match, (struct ph_slice){ subject, sizeof(subject) }, &fail),
		    PH_TOOBIG);
		assert_non_null(strstr(fail.text, "costs too much"));
		assert_non_null(strstr(fail.text, rows[i].says));
		assert_null(ph_match_capture(match, "1").at);
	}
}

TEST(what_needs_more_than_the_first_stack_but_not_too_much_fits)
{
	static char	 subject[3000];

	memset(subject, 'a', sizeof(subject) - 1);
	compile("^(?:(a)|b)*$", PH_MATCH_PATTERN);
	assert_int_equal(test(subject), PH_OK);
	assert_string_equal(shown(ph_match_capture(match, "1")), "a");
}

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		cmocka_unit_test(a_whole_text_is_that_text_blanks_and_case_aside),
		cmocka_unit_test(a_part_is_found_anywhere_as_it_stands),
		cmocka_unit_test(a_pattern_is_a_caseless_expression_over_characters),
		cmocka_unit_test(what_is_no_pattern_is_refused_with_its_byte),
		cmocka_unit_test_teardown(a_pattern_of_more_than_4096_bytes_is_refused, forget),
		cmocka_unit_test(groups_have_their_names_or_numbers),
		cmocka_unit_test(a_capture_is_found_by_name_and_by_number),
		cmocka_unit_test(an_empty_capture_is_there_and_of_two_by_one_name_the_one_that_took_part),
		cmocka_unit_test(the_next_test_forgets_the_captures),
		cmocka_unit_test(a_subject_that_is_absent_empty_or_no_utf8_does_not_fit),
		cmocka_unit_test(a_pattern_that_fails_is_no_match_and_said),
		cmocka_unit_test(what_costs_too_much_is_said_and_ends),
		cmocka_unit_test(what_needs_more_than_the_first_stack_but_not_too_much_fits),
	};

	return cmocka_run_group_tests_name("match", tests, NULL, forget);
}
