/*
 * test_log -- one line of JSON for one thing, whatever bytes are in it.
 * Knows log; json reads the lines back.  Does not know what is worth a line.
 * Called by make check.
 * Lives in a temporary directory; its clock is stopped.
 * SPDX-License-Identifier: ISC
 */
#include "clock.h"
#include "scan.h"
#include "log.h"
#include "room.h"
#include "stopped_clock.h"

static struct ph_buffer	 lines;

static int
enter(void **state)
{
	clock_stop();
	return room_enter(state);
}

static int
leave(void **state)
{
	ph_log_close();
	ph_buffer_clear(&lines);
	clock_go_on();
	return room_leave(state);
}

/* To a file of the room. */
static void
log_to(const char *name, enum ph_log_level level, bool also_stderr)
{
	char	 path[600];

	snprintf(path, sizeof(path), "%s/%s", room, name);
	ph_log_open(path, level, also_stderr);
}

/* The one line of the file, parsed by a strict reader; the caller frees it. */
static struct ph_json *
only_line(const char *name)
{
	struct ph_scan	 scan;
	struct ph_json		*tree;
	struct ph_fail		 fail = PH_FAIL_INIT;

	ph_buffer_reset(&lines);
	room_read(name, &lines);
	assert_true(lines.len > 0);
	assert_ptr_equal(strchr(lines.data, '\n'), lines.data + lines.len - 1);
	ph_scan_begin(&scan, PH_SLICE(&lines));
	ph_scan_skip(&scan, NULL);
	must(ph_scan_end(&scan, &fail), &fail);
	must(ph_json_parse((struct ph_slice){ lines.data, lines.len - 1 }, &tree, &fail), &fail);
	return tree;
}

static size_t
count_lines(const char *name)
{
	size_t	 i, n = 0;

	ph_buffer_reset(&lines);
	room_read(name, &lines);
	for (i = 0; i < lines.len; i++)
		n += lines.data[i] == '\n';
	return n;
}

TEST(a_line_says_when_how_grave_and_what)
{
	struct ph_buffer	 fields = PH_BUFFER_INIT;
	struct ph_json		*line;
	int64_t			 n;

	log_to("log", PH_INFO, false);
	ph_log_text(&fields, "page", "9001");
	ph_log_number(&fields, "n", -7);
	ph_log(PH_WARN, "event", &fields);
	line = only_line("log");
	assert_string_equal(shown(ph_json_text(ph_json_get(line, "l"))), "warn");
	assert_string_equal(shown(ph_json_text(ph_json_get(line, "k"))), "event");
	assert_string_equal(shown(ph_json_text(ph_json_get(line, "page"))), "9001");
	assert_true(ph_json_integer(ph_json_get(line, "n"), &n));
	assert_int_equal(n, -7);
	ph_json_free(line);
	ph_buffer_clear(&fields);
}

TEST(a_line_is_stamped_to_the_millisecond)
{
	static const int64_t	 steps[] = { 0, 1, 10, 100, 888, 60000 };
	struct ph_json		*line;
	char			 now[PH_CLOCK_TEXT], name[32];
	size_t			 i;

	for (i = 0; i < COUNT_OF(steps); i++) {
		clock_move(steps[i]);
		snprintf(name, sizeof(name), "log%zu", i);
		log_to(name, PH_INFO, false);
		ph_log_say(PH_INFO, "helper", "x");
		line = only_line(name);
		ph_clock_format(ph_clock_now(), now);
		assert_string_equal(shown(ph_json_text(ph_json_get(line, "t"))), now);
		ph_json_free(line);
	}
}

TEST(numbers_are_written_whole)
{
	static const int64_t	 numbers[] = { 0, 7, -7, 10, 4821, -4821, INT64_MAX, INT64_MIN };
	struct ph_buffer	 fields = PH_BUFFER_INIT;
	char			 expected[96];
	size_t			 i;

	for (i = 0; i < COUNT_OF(numbers); i++) {
		snprintf(expected, sizeof(expected), ",\"n\":%lld,\"id\":\"e%lld\"", (long long)numbers[i],
		    (long long)numbers[i]);
		ph_buffer_reset(&fields);
		ph_log_number(&fields, "n", numbers[i]);
		ph_log_id(&fields, "id", 'e', numbers[i]);
		assert_string_equal(fields.data, expected);
	}
	ph_buffer_clear(&fields);
}

/* Each text makes one line that a strict reader takes. */
static void
say_each(const char *const *texts, size_t n)
{
	char	 name[32];
	size_t	 i;

	for (i = 0; i < n; i++) {
		snprintf(name, sizeof(name), "log%zu", i);
		log_to(name, PH_INFO, false);
		ph_log_say(PH_INFO, "config", "<%s>", texts[i]);
		ph_json_free(only_line(name));
	}
}

TEST(hostile_bytes_stay_within_their_line)
{
	static const char *const	 texts[] = {
		"a\nb\r\"c\\", "\x01\x1f\x7f", "\xff", "\xc3", "\xc3(", "\x80", "\xc0\xaf", "ok \xe2\x82\xac",
		"\xf0\x9f\x98\x80", "\xf5\x80\x80\x80",
	};

	say_each(texts, COUNT_OF(texts));
}

/* Overlong forms, surrogates and what is beyond U+10FFFF: well formed in nobody's eyes. */
TEST(characters_that_utf_8_forbids_are_escaped)
{
	static const char *const	 texts[] = {
		"\xe0\x80\x80", "\xed\xa0\x80", "\xf0\x80\x80\x80", "\xf4\x90\x80\x80",
	};

	say_each(texts, COUNT_OF(texts));
}

TEST(a_long_text_is_cut_and_the_line_stays_whole)
{
	struct ph_buffer	 fields = PH_BUFFER_INIT;
	char			 text[3000];

	memset(text, 'x', sizeof(text));
	log_to("log", PH_INFO, false);
	ph_log_slice(&fields, "long", (struct ph_slice){ text, sizeof(text) });
	assert_true(fields.len < 1100);
	memset(text, '\x01', sizeof(text));		/* six bytes each, once escaped */
	ph_log_slice(&fields, "longer", (struct ph_slice){ text, sizeof(text) });
	ph_log(PH_INFO, "event", &fields);
	ph_json_free(only_line("log"));
	assert_true(lines.len <= 4096);
	ph_buffer_clear(&fields);
}

TEST(a_person_shows_by_the_last_four_characters_alone)
{
	struct ph_buffer	 fields = PH_BUFFER_INIT;

	ph_log_who(&fields, BYTES("1234567890"));
	assert_string_equal(fields.data, ",\"who\":\"\xe2\x80\xa6" "7890\"");
	ph_buffer_reset(&fields);
	ph_log_who(&fields, BYTES("7890"));
	assert_string_equal(fields.data, ",\"who\":\"\xe2\x80\xa6\"");
	ph_buffer_clear(&fields);
}

TEST(what_is_below_the_level_is_not_written)
{
	struct ph_buffer	 none = PH_BUFFER_INIT, batch = PH_BUFFER_INIT;
	enum ph_log_level	 level;

	log_to("log", PH_WARN, false);
	ph_log_say(PH_INFO, "event", "no");
	ph_log(PH_DEBUG, "event", &none);
	ph_log_add(&batch, PH_INFO, "event", &none);
	assert_int_equal(batch.len, 0);
	ph_log_say(PH_WARN, "event", "yes");
	assert_int_equal(count_lines("log"), 1);
	assert_true(ph_log_level_parse("debug", &level) && level == PH_DEBUG);
	assert_false(ph_log_level_parse("Debug", &level));
	assert_false(ph_log_level_parse("", &level));
	ph_buffer_clear(&batch);
}

TEST(a_failure_is_a_warning_and_a_grave_one_an_error)
{
	static const struct { enum ph_error err; const char *level; } rows[] = {
		{ PH_BUSY, "warn" }, { PH_FORGED, "warn" }, { PH_BROKEN, "error" },
		{ PH_CONFIG, "error" }, { PH_NOMEM, "error" },
	};
	char	 name[32];
	size_t	 i;

	for (i = 0; i < COUNT_OF(rows); i++) {
		struct ph_fail	 fail = { rows[i].err, "the cause" };
		struct ph_json	*line;

		snprintf(name, sizeof(name), "log%zu", i);
		log_to(name, PH_INFO, false);
		ph_log_fail("store", &fail);
		line = only_line(name);
		assert_string_equal(shown(ph_json_text(ph_json_get(line, "l"))), rows[i].level);
		assert_string_equal(shown(ph_json_text(ph_json_get(line, "what"))), "the cause");
		ph_json_free(line);
	}
	ph_log_fail("store", &(struct ph_fail)PH_FAIL_INIT);
	assert_int_equal(count_lines(name), 1);
}

TEST(a_batch_is_said_when_it_is_true)
{
	struct ph_buffer	 batch = PH_BUFFER_INIT, fields = PH_BUFFER_INIT;

	log_to("log", PH_INFO, false);
	ph_log_number(&fields, "n", 1);
	ph_log_add(&batch, PH_INFO, "event", &fields);
	ph_log_add(&batch, PH_WARN, "reply", &fields);
	assert_false(room_has("log"));
	ph_log_write(&batch);
	assert_int_equal(batch.len, 0);
	ph_log_write(&batch);
	assert_int_equal(count_lines("log"), 2);
	ph_buffer_clear(&batch);
	ph_buffer_clear(&fields);
}

TEST(a_file_that_was_rotated_away_is_opened_anew)
{
	struct stat	 st;

	log_to("log", PH_INFO, false);
	ph_log_say(PH_INFO, "event", "one");
	assert_int_equal(stat("log", &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(rename("log", "log.1"), 0);
	clock_move(1000);
	ph_log_say(PH_INFO, "event", "two");
	assert_int_equal(count_lines("log.1"), 1);
	assert_int_equal(count_lines("log"), 1);
}

/* Runs say with standard error in the file "err". */
static void
with_stderr(void (*say)(void))
{
	int	 saved = dup(STDERR_FILENO), fd = open("err", O_WRONLY | O_CREAT | O_APPEND, 0600);

	assert_int_not_equal(dup2(fd, STDERR_FILENO), -1);
	say();
	dup2(saved, STDERR_FILENO);
	close(saved);
	close(fd);
}

static void
complain(void)
{
	ph_log_say(PH_INFO, "event", "not for the web server");
	ph_log_say(PH_WARN, "spool", "no helper");
	ph_log_say(PH_WARN, "spool", "no helper");
}

TEST(the_web_server_hears_of_warnings_once_a_minute)
{
	log_to("log", PH_INFO, true);
	with_stderr(complain);
	assert_int_equal(count_lines("err"), 1);
	assert_string_equal(lines.data, "pagehook: warn: spool: no helper\n");
	clock_move(60000);
	with_stderr(complain);
	assert_int_equal(count_lines("err"), 2);
	assert_int_equal(count_lines("log"), 6);
}

TEST(without_a_file_lines_go_to_standard_error)
{
	ph_log_open("/nonexistent/pagehook.log", PH_INFO, true);
	with_stderr(complain);
	assert_int_equal(count_lines("err"), 3);
	ph_log_open("stderr", PH_INFO, true);
	with_stderr(complain);
	assert_int_equal(count_lines("err"), 6);
}

#define in_a_room(test)	cmocka_unit_test_setup_teardown(test, enter, leave)

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		in_a_room(a_line_says_when_how_grave_and_what),
		in_a_room(a_line_is_stamped_to_the_millisecond),
		cmocka_unit_test(numbers_are_written_whole),
		in_a_room(hostile_bytes_stay_within_their_line),
		in_a_room(characters_that_utf_8_forbids_are_escaped),
		in_a_room(a_long_text_is_cut_and_the_line_stays_whole),
		cmocka_unit_test(a_person_shows_by_the_last_four_characters_alone),
		in_a_room(what_is_below_the_level_is_not_written),
		in_a_room(a_failure_is_a_warning_and_a_grave_one_an_error),
		in_a_room(a_batch_is_said_when_it_is_true),
		in_a_room(a_file_that_was_rotated_away_is_opened_anew),
		in_a_room(the_web_server_hears_of_warnings_once_a_minute),
		in_a_room(without_a_file_lines_go_to_standard_error),
	};

	return cmocka_run_group_tests_name("log", tests, NULL, NULL);
}
