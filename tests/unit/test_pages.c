/*
 * test_pages -- whose token is whose, what each says, and what is wrong with the file, by its place.
 * Knows pages.  Does not know who asks for a token or a rule.
 * Called by make check.
 * Lives in a temporary directory.
 * SPDX-License-Identifier: ISC
 */
#include "pages.h"
#include "room.h"

static struct ph_pages	*pages;
static struct ph_conf	 conf;
static struct ph_fail	 wrong;
static char		 pages_path[600], replies_path[600];
static char		 secret[] = "app-secret", id[] = "9001", token[] = "token-of-9001";

static int
enter(void **state)
{
	if (room_enter(state) != 0)
		return -1;
	wrong = (struct ph_fail)PH_FAIL_INIT;
	conf = (struct ph_conf){ .app_secret = secret };
	ph_log_open("log", PH_INFO, false);
	snprintf(pages_path, sizeof(pages_path), "%s/pages.json", room);
	snprintf(replies_path, sizeof(replies_path), "%s/replies.json", room);
	return 0;
}

static int
leave(void **state)
{
	ph_pages_free(pages);
	pages = NULL;
	ph_log_close();
	return room_leave(state);
}

/* Writes a file, every ' turned into ". */
static void
put(const char *name, const char *text, mode_t mode)
{
	struct ph_buffer	 json = PH_BUFFER_INIT;
	char			*p;

	ph_buffer_adds(&json, text);
	for (p = json.data; p != NULL && *p != '\0'; p++)
		if (*p == '\'')
			*p = '"';
	room_write(name, PH_SLICE(&json), mode);
	ph_buffer_clear(&json);
}

static enum ph_error
load(void)
{
	ph_pages_free(pages);
	wrong = (struct ph_fail)PH_FAIL_INIT;
	return ph_pages_load(&conf, &pages, &wrong);
}

static void
load_file(const char *text)
{
	conf.pages = pages_path;
	put("pages.json", text, 0600);
	must(load(), &wrong);
}

/* The file is refused, in these words behind its path. */
static void
refused(const char *says)
{
	assert_int_equal(load(), PH_CONFIG);
	assert_null(pages);
	assert_memory_equal(wrong.text, pages_path, strlen(pages_path));
	assert_string_equal(wrong.text + strlen(pages_path), says);
}

static const char *
token_of(const char *page)
{
	const struct ph_page	*found = ph_pages_find(pages, slice(page));

	return found != NULL ? found->token : NULL;
}

static bool
log_has(const char *words)
{
	struct ph_buffer	 log = PH_BUFFER_INIT;
	bool			 has;

	if (!room_has("log"))
		return false;
	room_read("log", &log);
	has = log.len > 0 && strstr(log.data, words) != NULL;
	ph_buffer_clear(&log);
	return has;
}

static size_t
n_replies(const char *page)
{
	const struct ph_rules	*rules = ph_pages_rules(pages, slice(page));

	return rules->replies != NULL ? ph_replies_count(rules->replies) : 0;
}

#define ONE	"{'replies':[{'on':'text','say':'one'}]}"
#define TWO	"{'replies':[{'on':'text','say':'one'},{'on':'any','say':'two'}]}"
#define BROKEN	"{'replies':[{'on':'text'}, {'on':'text','say':'one'}]}"

/* Settings alone. */

TEST(without_a_token_no_page_is_ours)
{
	must(load(), &wrong);
	assert_int_equal(pages->n, 0);
	assert_null(ph_pages_find(pages, BYTES("9001")));
	assert_null(ph_pages_find(pages, BYTES("")));
	assert_true(n_replies("9001") > 0);		/* the built-in ones */
	conf.page_id = id;
	must(load(), &wrong);
	assert_int_equal(pages->n, 0);
}

TEST(one_page_may_be_named_by_the_settings)
{
	conf.page_id = id;
	conf.page_token = token;
	must(load(), &wrong);
	assert_int_equal(pages->n, 1);
	assert_string_equal(token_of("9001"), "token-of-9001");
	/* printf %s token-of-9001 | openssl dgst -sha256 -hmac app-secret */
	assert_string_equal(pages->all[0].proof,
	    "2d805951c5a91a649d48edfd22d6742cd6e05ebb410f73d89cbcbfd8716e816c");
	assert_null(token_of("9002"));
	assert_null(token_of("900"));
	assert_null(token_of("90010"));
	assert_ptr_equal(ph_pages_rules(pages, BYTES("9001")), ph_pages_rules(pages, BYTES("9002")));
}

/* MESSENGER_PAGES. */

TEST(several_pages_have_each_their_token_and_their_replies)
{
	put("token", "from-a-file\n", 0600);
	put("one.json", ONE, 0644);
	put("replies.json", TWO, 0644);
	conf.replies = replies_path;
	load_file("{'9001': {'access_token':'a', 'replies':'one.json'},\n"
	    " '9002': {'access_token_file':'token'}, '9003': {'replies':'one.json','access_token':'c'} }");
	assert_int_equal(pages->n, 3);
	assert_string_equal(token_of("9001"), "a");
	assert_string_equal(token_of("9002"), "from-a-file");
	assert_string_equal(token_of("9003"), "c");
	assert_string_not_equal(pages->all[0].proof, pages->all[1].proof);
	assert_int_equal(n_replies("9001"), 1);
	assert_int_equal(n_replies("9002"), 2);
	assert_int_equal(n_replies("9999"), 2);		/* not ours: PAGEHOOK_REPLIES */
	assert_int_equal(pages->n_rules, 2);		/* one file, read once */
	assert_ptr_equal(ph_pages_rules(pages, BYTES("9001")), ph_pages_rules(pages, BYTES("9003")));
}

TEST(the_settings_page_and_the_files_stand_side_by_side)
{
	conf.page_id = id;
	conf.page_token = token;
	load_file("{'9002':{'access_token':'b'}}");
	assert_string_equal(token_of("9001"), "token-of-9001");
	assert_string_equal(token_of("9002"), "b");
	put("pages.json", "{'9001':{'access_token':'b'}}", 0600);
	refused(":1:3: Page 9001 is named twice");
}

TEST(files_are_named_from_where_the_file_lies)
{
	assert_int_equal(mkdir("conf", 0700), 0);
	assert_int_equal(mkdir("conf/more", 0700), 0);
	put("conf/token", "t1", 0600);
	put("conf/more/replies.json", ONE, 0600);
	put("token", "t2", 0600);
	snprintf(pages_path, sizeof(pages_path), "%s/conf/pages.json", room);
	conf.pages = pages_path;
	put("conf/pages.json", "{'9001':{'access_token_file':'token','replies':'more/replies.json'}}", 0600);
	must(load(), &wrong);
	assert_string_equal(token_of("9001"), "t1");
	assert_int_equal(n_replies("9001"), 1);
	snprintf(replies_path, sizeof(replies_path), "%s/conf/more/", room);
	assert_string_equal(ph_pages_rules(pages, BYTES("9001"))->dir, replies_path);
	snprintf(replies_path, sizeof(replies_path), "{'9001':{'access_token_file':'%s/token'}}", room);
	put("conf/pages.json", replies_path, 0600);
	must(load(), &wrong);
	assert_string_equal(token_of("9001"), "t2");
}

TEST(what_is_wrong_is_told_by_its_place)
{
	static const struct { const char *text, *says; } rows[] = {
		{ "[]", ":1:1: {\"<page id>\": {\"access_token\": ..}, ..} was expected" },
		{ "{'9001':7}", ":1:9: {\"access_token\": ..} was expected" },
		{ "{\n  '9001': {'token':'a'}}", ":2:13: one of access_token, access_token_file, replies was "
		    "expected" },
		{ "{'9001':{'access_token':7}}", ":1:25: a text that is not empty was expected" },
		{ "{'9001':{'access_token':''}}", ":1:25: a text that is not empty was expected" },
		{ "{'9001':{'access_token':'a\\u0000b'}}", ":1:25: a text that is not empty was expected" },
		{ "{'9001':{'access_token':'a','access_token':'b'}}", ":1:44: said twice" },
		{ "{'9001':{}}", ":1:9: either access_token or access_token_file is needed" },
		{ "{'9001':{'replies':'r.json'}}", ":1:9: either access_token or access_token_file is needed" },
		{ "{'9001':{'access_token':'a','access_token_file':'b'}}",
		    ":1:9: either access_token or access_token_file is needed" },
		{ "{'shop':{'access_token':'a'}}", ":1:3: a Page is named by the digits of its id" },
		{ "{'':{'access_token':'a'}}", ":1:3: a Page is named by the digits of its id" },
		{ "{'\xc3\xa9':1,\n'9001':{'access_token':'a'}}", ":1:6: {\"access_token\": ..} was expected" },
		{ "{'9001':{'access_token':'a'},\n '9001':{'access_token':'b'}}",
		    ":2:3: Page 9001 is named twice" },
	};
	size_t	 i;

	conf.pages = pages_path;
	for (i = 0; i < COUNT_OF(rows); i++) {
		put("pages.json", rows[i].text, 0600);
		refused(rows[i].says);
	}
}

TEST(what_is_no_json_is_refused_at_its_place)
{
	static const struct { const char *text, *place; } rows[] = {
		{ "", ":1:1: " }, { "{'9001':{'access_token':'a'}", ":1:" },
		{ "{'9001':{'access_token':'a'}}\n}", ":2:1: " },
		{ "{'9001':\n{'access_token':'a',}}", ":2:" }, { "{'9001' {'access_token':'a'}}", ":1:" },
	};
	size_t	 i;

	conf.pages = pages_path;
	for (i = 0; i < COUNT_OF(rows); i++) {
		put("pages.json", rows[i].text, 0600);
		assert_int_equal(load(), PH_CONFIG);
		assert_null(pages);
		assert_memory_equal(wrong.text, pages_path, strlen(pages_path));
		assert_memory_equal(wrong.text + strlen(pages_path), rows[i].place, strlen(rows[i].place));
	}
}

TEST(a_file_that_others_can_write_or_a_token_they_can_read_is_refused)
{
	conf.pages = pages_path;
	put("pages.json", "{'9001':{'access_token':'a'}}", 0602);
	assert_int_equal(load(), PH_CONFIG);
	assert_non_null(strstr(wrong.text, "chmod o-w"));
	put("pages.json", "{'9001':{'access_token':'a'}}", 0604);
	assert_int_equal(load(), PH_CONFIG);
	assert_non_null(strstr(wrong.text, ":1:9: a token, and others can read it: chmod o-r "));
	put("pages.json", "{'9001':{'access_token':'a'}}", 0640);	/* its group may */
	must(load(), &wrong);
	put("pages.json", "{'9001':{'access_token_file':'token'}}", 0644);	/* there is none in it */
	put("token", "t", 0644);
	assert_int_equal(load(), PH_CONFIG);
	assert_non_null(strstr(wrong.text, "token: others can read it: chmod o-r "));
	put("token", "t", 0602);
	assert_int_equal(load(), PH_CONFIG);
	assert_non_null(strstr(wrong.text, "token: others can write it: chmod o-w "));
	put("token", "t", 0640);
	must(load(), &wrong);
	assert_string_equal(token_of("9001"), "t");
}

TEST(a_token_file_holds_one_token)
{
	static const struct ph_slice	 bad[] = { { "", 0 }, { "\n", 1 }, { "a\0b", 3 } };
	size_t				 i;

	conf.pages = pages_path;
	put("pages.json", "{'9001':{'access_token_file':'token'}}", 0600);
	assert_int_equal(load(), PH_CONFIG);		/* none there */
	assert_non_null(strstr(wrong.text, "/token: "));
	for (i = 0; i < COUNT_OF(bad); i++) {
		room_write("token", bad[i], 0600);
		assert_int_equal(load(), PH_CONFIG);
		assert_non_null(strstr(wrong.text, "/token: no token in it"));
	}
	assert_int_equal(unlink("token"), 0);
	assert_int_equal(mkdir("token", 0700), 0);
	assert_int_equal(load(), PH_CONFIG);
	assert_non_null(strstr(wrong.text, "not a regular file"));
}

TEST(no_refusal_shows_a_token)
{
	static const char *const	 rows[] = {
		"{'9001':{'access_token':'sesame','x':1}}", "{'9001':{'access_token':'sesame'},}",
		"{'9001':{'access_token':'sesame','access_token':'sesame'}}", "{'9001':{'access_token':'sesame'",
		"{'9001':{'access_token':'sesame'},'9001':{'access_token':'sesame'}}",
	};
	size_t				 i;

	conf.pages = pages_path;
	for (i = 0; i < COUNT_OF(rows); i++) {
		put("pages.json", rows[i], 0600);
		assert_int_equal(load(), PH_CONFIG);
		assert_null(strstr(wrong.text, "sesame"));
	}
	assert_false(log_has("sesame"));
}

TEST(a_change_of_the_file_or_of_a_token_is_seen)
{
	put("token", "t", 0600);
	load_file("{'9001':{'access_token_file':'token'}}");
	assert_false(ph_pages_changed(pages));
	put("token", "another", 0600);
	assert_true(ph_pages_changed(pages));
	assert_true(ph_pages_changed(pages));		/* until it is loaded */
	must(load(), &wrong);
	assert_false(ph_pages_changed(pages));
	assert_string_equal(token_of("9001"), "another");
	put("pages.json", "{'9001':{'access_token':'inline'}}", 0600);
	assert_true(ph_pages_changed(pages));
	must(load(), &wrong);
	assert_int_equal(unlink("pages.json"), 0);
	assert_true(ph_pages_changed(pages));
}

/* Replies. */

TEST(replies_that_are_edited_count_and_broken_ones_do_not)
{
	conf.replies = replies_path;
	put("replies.json", ONE, 0600);
	must(load(), &wrong);
	assert_false(ph_pages_reload(pages));
	put("replies.json", TWO, 0600);
	assert_true(ph_pages_reload(pages));
	assert_int_equal(n_replies("9001"), 2);
	assert_false(ph_pages_reload(pages));
	put("replies.json", BROKEN, 0600);
	assert_false(ph_pages_reload(pages));
	assert_int_equal(n_replies("9001"), 2);
	assert_true(log_has("replies.json:1:13: "));
	assert_true(log_has("the last good replies stay"));
	assert_int_equal(unlink("log"), 0);
	ph_log_open("log", PH_INFO, false);
	assert_false(ph_pages_reload(pages));		/* it is said once */
	assert_false(log_has("replies.json"));
	put("replies.json", ONE " ", 0600);
	assert_true(ph_pages_reload(pages));
	assert_int_equal(n_replies("9001"), 1);
}

TEST(replies_broken_from_the_start_are_no_replies)
{
	conf.replies = replies_path;
	put("replies.json", BROKEN, 0600);
	must(load(), &wrong);
	assert_null(ph_pages_rules(pages, BYTES("9001"))->replies);
	assert_true(log_has("replies.json:1:13: "));
	assert_false(log_has("the last good replies stay"));
	assert_true(log_has("what people say waits"));
	put("replies.json", ONE, 0600);
	assert_true(ph_pages_reload(pages));
	assert_int_equal(n_replies("9001"), 1);
}

TEST(replies_that_are_not_there_yet_may_come)
{
	conf.replies = replies_path;
	must(load(), &wrong);
	assert_null(ph_pages_rules(pages, BYTES("9001"))->replies);
	assert_true(log_has("replies.json: No such file"));
	assert_false(ph_pages_reload(pages));
	put("replies.json", ONE, 0600);
	assert_true(ph_pages_reload(pages));
	assert_int_equal(n_replies("9001"), 1);
	assert_int_equal(unlink("replies.json"), 0);
	assert_false(ph_pages_reload(pages));
	assert_int_equal(n_replies("9001"), 1);		/* the last good ones */
}

/* Who writes the rules runs programs as us. */
TEST(replies_that_others_can_write_are_not_read)
{
	conf.replies = replies_path;
	put("replies.json", ONE, 0602);
	must(load(), &wrong);
	assert_null(ph_pages_rules(pages, BYTES("9001"))->replies);
	assert_true(log_has("chmod o-w"));
	assert_int_equal(chmod("replies.json", 0600), 0);
	assert_true(ph_pages_reload(pages));		/* nothing but the mode has changed */
	assert_int_equal(n_replies("9001"), 1);
}

TEST(one_broken_file_leaves_the_others_as_they_are)
{
	put("one.json", ONE, 0600);
	put("two.json", TWO, 0600);
	load_file("{'9001':{'access_token':'a','replies':'one.json'},"
	    "'9002':{'access_token':'b','replies':'two.json'}}");
	put("one.json", BROKEN, 0600);
	put("two.json", ONE, 0600);
	assert_true(ph_pages_reload(pages));
	assert_int_equal(n_replies("9001"), 1);
	assert_int_equal(n_replies("9002"), 1);
	assert_true(log_has("one.json:1:13: "));
}

TEST(what_is_wrong_with_replies_can_be_had_all_at_once)
{
	struct ph_buffer	 text = PH_BUFFER_INIT;
	struct ph_replies	*replies;
	struct ph_flaws		 flaws = { .n = 0 };

	put("replies.json", "{'replies':[{'on':'text'},\n{'say':'x'}]}", 0600);
	assert_int_equal(ph_pages_read("replies.json", &text, &replies, &flaws, &wrong), PH_CONFIG);
	assert_null(replies);
	assert_int_equal(flaws.n_errors, 2);
	assert_int_equal(flaws.all[0].line, 1);
	assert_int_equal(flaws.all[1].line, 2);
	assert_memory_equal(wrong.text, "replies.json:1:", 15);
	ph_buffer_clear(&text);
	wrong = (struct ph_fail)PH_FAIL_INIT;
	flaws = (struct ph_flaws){ .n = 0 };
	assert_int_equal(ph_pages_read("nowhere.json", &text, &replies, &flaws, &wrong), PH_CONFIG);
	assert_int_equal(flaws.n, 0);
	assert_string_equal(wrong.text, "nowhere.json: No such file or directory");
	ph_buffer_clear(&text);
}

#define in_a_room(test)	cmocka_unit_test_setup_teardown(test, enter, leave)

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		in_a_room(without_a_token_no_page_is_ours),
		in_a_room(one_page_may_be_named_by_the_settings),
		in_a_room(several_pages_have_each_their_token_and_their_replies),
		in_a_room(the_settings_page_and_the_files_stand_side_by_side),
		in_a_room(files_are_named_from_where_the_file_lies),
		in_a_room(what_is_wrong_is_told_by_its_place),
		in_a_room(what_is_no_json_is_refused_at_its_place),
		in_a_room(a_file_that_others_can_write_or_a_token_they_can_read_is_refused),
		in_a_room(a_token_file_holds_one_token),
		in_a_room(no_refusal_shows_a_token),
		in_a_room(a_change_of_the_file_or_of_a_token_is_seen),
		in_a_room(replies_that_are_edited_count_and_broken_ones_do_not),
		in_a_room(replies_broken_from_the_start_are_no_replies),
		in_a_room(replies_that_are_not_there_yet_may_come),
		in_a_room(replies_that_others_can_write_are_not_read),
		in_a_room(one_broken_file_leaves_the_others_as_they_are),
		in_a_room(what_is_wrong_with_replies_can_be_had_all_at_once),
	};

	return cmocka_run_group_tests_name("pages", tests, NULL, NULL);
}
