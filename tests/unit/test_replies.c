/*
 * test_replies -- what a replies file may say, and what is said of one that cannot be used.
 * Knows replies, flaw.  Does not know events: what rules mean is test_think's.
 * Called by make check, at the top of the tree: it reads tests/data/replies and cgi/replies.json.
 * Lives on its stack.
 * SPDX-License-Identifier: ISC
 */
#include <dirent.h>
#include <stdlib.h>

#include "events.h"
#include "replies.h"
#include "room.h"

static struct ph_flaws	 flaws;
static struct ph_fail	 fail;

/* Reads a file's text; what was wrong with it is in flaws and fail. */
static enum ph_error
parse(struct ph_slice text)
{
	struct ph_replies	*replies;
	enum ph_error		 err;

	fail = (struct ph_fail)PH_FAIL_INIT;
	err = ph_replies_parse("replies.json", text, &replies, &flaws, &fail);
	assert_int_equal(err == PH_OK, replies != NULL);
	assert_int_equal(err == PH_OK, flaws.n_errors == 0);
	ph_replies_free(replies);
	return err;
}

/* The same of a text with ' for ". */
static enum ph_error
parse_quoted(const char *text)
{
	static char	 bytes[65536];

	return parse(quoted(text, bytes, sizeof(bytes)));
}

/* Calls check with the bytes of each file of a folder; returns how many there are. */
static size_t
each_file(const char *folder, void (*check)(const char *path, struct ph_slice bytes))
{
	struct ph_buffer	 bytes = PH_BUFFER_INIT;
	struct dirent		*entry;
	char			 path[512];
	DIR			*dir = opendir(folder);
	size_t			 n = 0;

	assert_non_null(dir);
	while ((entry = readdir(dir)) != NULL) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
		ph_buffer_reset(&bytes);
		room_read(path, &bytes);
		check(path, PH_SLICE(&bytes));
		n++;
	}
	closedir(dir);
	ph_buffer_clear(&bytes);
	return n;
}

static void
is_used(const char *path, struct ph_slice bytes)
{
	if (parse(bytes) != PH_OK)
		fail_msg("%s: %s", path, fail.text);
}

static const struct ph_flaw *
first_error(void)
{
	size_t	 i;

	for (i = 0; i < flaws.n; i++)
		if (!flaws.all[i].warning)
			return &flaws.all[i];
	return NULL;
}

/* Its first line says, in a comment, what must be said of it. */
static void
has_its_flaw(const char *path, struct ph_slice bytes)
{
	const struct ph_flaw	*flaw;
	const char		*end = memchr(bytes.at, '\n', bytes.len);
	char			 expected[300], said[300];

	assert_non_null(end);
	assert_memory_equal(bytes.at, "// ", 3);
	snprintf(expected, sizeof(expected), "%.*s", (int)(end - bytes.at) - 3, bytes.at + 3);
	assert_int_equal(parse(bytes), PH_CONFIG);
	flaw = first_error();
	assert_non_null(flaw);
	snprintf(said, sizeof(said), "%zu:%zu  %s", flaw->line, flaw->column, flaw->text);
	if (strcmp(said, expected) != 0)
		fail_msg("%s: %s, expected %s", path, said, expected);
	snprintf(said, sizeof(said), "replies.json:%zu:%zu: %s", flaw->line, flaw->column, flaw->text);
	assert_string_equal(fail.text, said);
}

TEST(each_good_file_is_used)
{
	assert_true(each_file("tests/data/replies/good", is_used) >= 5);
}

TEST(each_broken_file_gets_one_clear_line)
{
	assert_true(each_file("tests/data/replies/bad", has_its_flaw) >= 45);
}

TEST(the_built_in_replies_are_the_file_that_is_shipped)
{
	struct ph_buffer	 shipped = PH_BUFFER_INIT;

	room_read("cgi/replies.json", &shipped);
	assert_string_equal(ph_replies_builtin, shipped.data);
	ph_buffer_clear(&shipped);
	must(parse(slice(ph_replies_builtin)), &fail);
	assert_int_equal(flaws.n, 0);
}

TEST(a_broken_pattern_is_shown_where_it_breaks)
{
	static const char	 text[] = "{ \"replies\": [\n\n\n\n\n\n"
	    "{\"on\":\"any\",\"match\":\"order\\\\s*#?(?<n>\\\\d{4,8}\",\"exec\":[\"./order-status\",\"{n}\"]}\n] }\n";

	assert_int_equal(parse(BYTES(text)), PH_CONFIG);
	assert_int_equal(flaws.n_errors, 1);
	assert_int_equal(first_error()->line, 7);
	assert_int_equal(first_error()->column, 46);
	assert_string_equal(first_error()->text,
	    "match: missing closing parenthesis in order\\s*#?(?<n>\\d{4,8}");
}

TEST(all_flaws_are_found_from_top_to_bottom)
{
	static const char	 text[] = "{ 'replies': [\n"
	    "  { 'say': '{nobody}', 'on': 'text', 'match': '(' },\n"
	    "  { 'on': 'texts', 'sya': 'a' },\n"
	    "  7,\n"
	    "  { 'on': 'any', 'say': ['', 5, '{x}'] },\n"
	    "  { 'on': 'any' } ], 'more': 1 }\n";
	static const struct { size_t line, column; } at[] = {
		{ 2, 49 }, { 3, 11 }, { 3, 20 }, { 4, 3 }, { 5, 26 }, { 5, 30 }, { 5, 34 }, { 6, 3 }, { 6, 22 },
	};
	size_t			 i;

	assert_int_equal(parse_quoted(text), PH_CONFIG);
	assert_int_equal(flaws.n_errors, COUNT_OF(at));
	for (i = 0; i < COUNT_OF(at); i++) {
		assert_int_equal(flaws.all[i].line, at[i].line);
		assert_int_equal(flaws.all[i].column, at[i].column);
	}
}

TEST(a_file_with_countless_flaws_is_refused_with_the_first)
{
	static char	 text[65536];
	size_t		 i, n = (size_t)snprintf(text, sizeof(text), "{ \"replies\": [\n");

	for (i = 0; i < 500; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%s{ \"on\": \"any\", \"sya\": \"\" }\n",
		    i > 0 ? "," : "");
	snprintf(text + n, sizeof(text) - n, "] }\n");
	assert_int_equal(parse(slice(text)), PH_CONFIG);
	assert_int_equal(flaws.n, PH_FLAWS_MAX);
	assert_int_equal(flaws.n_errors, 500);
	assert_non_null(strstr(fail.text, "replies.json:2:16: unknown key 'sya'; did you mean 'say'?"));
}

TEST(columns_are_characters_and_comments_take_their_place)
{
	assert_int_equal(parse_quoted("{ 'replies': [ /* \xc3\xa9\xe3\x81\x82 */ { 'on': '\xc3\xa9' } ] }"),
	    PH_CONFIG);
	assert_int_equal(first_error()->line, 1);
	assert_int_equal(first_error()->column, 25);		/* the entry does nothing */
	assert_int_equal(flaws.all[1].column, 33);
}

TEST(the_mark_that_some_editors_begin_a_file_with_is_no_flaw)
{
	must(parse_quoted("\xef\xbb\xbf{ 'replies': [] }"), &fail);
	assert_int_equal(parse_quoted("\xef\xbb\xbf[]"), PH_CONFIG);
	assert_int_equal(first_error()->column, 1);
}

/* A file of n entries, padded with blanks to len bytes if it is shorter; the caller clears it. */
static void
write_entries(struct ph_buffer *text, size_t n, size_t len)
{
	size_t	 i;

	ph_buffer_adds(text, "{ \"replies\": [");
	for (i = 0; i < n; i++)
		ph_buffer_addf(text, "%s{\"on\":\"any\",\"ignore\":true}", i > 0 ? "," : "");
	ph_buffer_adds(text, "] }");
	while (text->len < len)
		ph_buffer_adds(text, "\n");
}

static enum ph_error
parse_entries(size_t n, size_t len)
{
	struct ph_buffer	 text = PH_BUFFER_INIT;
	enum ph_error		 err;

	write_entries(&text, n, len);
	err = parse(PH_SLICE(&text));
	ph_buffer_clear(&text);
	return err;
}

TEST(a_file_may_have_10000_entries_and_a_mebibyte)
{
	must(parse_entries(10000, 0), &fail);
	assert_int_equal(parse_entries(10001, 0), PH_CONFIG);
	assert_string_equal(first_error()->text, "replies: at most 10,000 entries");
	must(parse_entries(1, 1024 * 1024), &fail);
	assert_int_equal(parse_entries(1, 1024 * 1024 + 1), PH_CONFIG);
	assert_string_equal(first_error()->text, "1048577 bytes, at most 1 MiB");
}

TEST(entries_are_counted)
{
	static const char	 text[] = "{\"replies\":[{\"on\":\"any\",\"say\":\"a\"},"
	    "{\"on\":\"any\",\"say\":\"b\"}]}";
	struct ph_replies	*replies;

	fail = (struct ph_fail)PH_FAIL_INIT;
	must(ph_replies_parse("replies.json", BYTES(text), &replies, &flaws, &fail), &fail);
	assert_int_equal(ph_replies_count(replies), 2);
	ph_replies_free(replies);
	ph_replies_free(NULL);
}

/* How many warnings a handler's words get. */
static size_t
warnings(const char *words)
{
	char	 text[512];

	snprintf(text, sizeof(text), "{'replies':[{'on':'text','match':'(?<n>.+)','exec':[%s]}]}", words);
	must(parse_quoted(text), &fail);
	return flaws.n;
}

TEST(a_word_that_may_be_taken_for_an_option_is_a_warning)
{
	assert_int_equal(warnings("'./a','{text}'"), 1);
	assert_int_equal(flaws.all[0].column, 59);
	assert_true(flaws.all[0].warning);
	assert_int_equal(warnings("'./a','{payload}','{user.first_name}','{user.last_name}'"), 3);
	assert_int_equal(warnings("'./a','{n}','{1}','{psid}','{time}'"), 0);
	assert_int_equal(warnings("'./a','--','{text}'"), 0);
	assert_int_equal(warnings("'./a','{text}','--'"), 1);
	assert_int_equal(warnings("'./a','text={text}','{psid}','{{text}'"), 0);
}

TEST(where_the_limit_is_not_certain_a_long_title_is_a_warning)
{
	must(parse_quoted("{'replies':[{'on':'any','say':'a','quick':"
	    "[{'title':'A title of more than twenty letters','payload':'A'}]}]}"), &fail);
	assert_int_equal(flaws.n, 1);
	assert_true(flaws.all[0].warning);
	assert_int_equal(flaws.all[0].column, 43);
}

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		cmocka_unit_test(each_good_file_is_used),
		cmocka_unit_test(each_broken_file_gets_one_clear_line),
		cmocka_unit_test(the_built_in_replies_are_the_file_that_is_shipped),
		cmocka_unit_test(a_broken_pattern_is_shown_where_it_breaks),
		cmocka_unit_test(all_flaws_are_found_from_top_to_bottom),
		cmocka_unit_test(a_file_with_countless_flaws_is_refused_with_the_first),
		cmocka_unit_test(columns_are_characters_and_comments_take_their_place),
		cmocka_unit_test(the_mark_that_some_editors_begin_a_file_with_is_no_flaw),
		cmocka_unit_test(a_file_may_have_10000_entries_and_a_mebibyte),
		cmocka_unit_test(entries_are_counted),
		cmocka_unit_test(a_word_that_may_be_taken_for_an_option_is_a_warning),
		cmocka_unit_test(where_the_limit_is_not_certain_a_long_title_is_a_warning),
	};

	return cmocka_run_group_tests_name("replies", tests, NULL, NULL);
}
