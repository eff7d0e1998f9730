/*
 * test_timeline -- what the log says of one reply, whoever else writes into it.
 * Knows timeline.  Does not know who writes the log.
 * Called by make check.
 * Lives in a temporary directory.
 * SPDX-License-Identifier: ISC
 */
#include "room.h"
#include "timeline.h"

#define T(seconds)	"{\"t\":\"2026-01-02T12:00:" seconds ".000Z\",\"l\":\"info\","
#define NOON		INT64_C(1767355200000)	/* 2026-01-02T12:00:00Z */

static struct ph_timeline	 timeline = PH_TIMELINE_INIT;
static struct ph_fail		 wrong;

static int
enter(void **state)
{
	wrong = (struct ph_fail)PH_FAIL_INIT;
	return room_enter(state);
}

static int
leave(void **state)
{
	ph_timeline_clear(&timeline);
	return room_leave(state);
}

/* All it says, one moment behind the other. */
static const char *
read_all(const char *id, const char *other, int64_t since)
{
	static char	 text[4096];
	size_t		 i, n = 0;

	ph_timeline_clear(&timeline);
	must(ph_timeline_read("log", id, other, since, &timeline, &wrong), &wrong);
	text[0] = '\0';
	for (i = 0; i < timeline.n; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%d %s|", (int)(timeline.all[i].at - NOON),
		    PH_SLICE(&timeline.all[i].what).at);
	return text;
}

#define write_log(name, text)	room_write(name, BYTES(text), 0600)

TEST(a_reply_is_told_from_what_it_answers_to_what_became_of_it)
{
	write_log("log", T("01") "\"k\":\"event\",\"id\":\"e7\",\"rule\":\"replies.json:7\"}\n"
	    T("02") "\"k\":\"send\",\"id\":\"r9\",\"state\":\"ready\",\"try\":1,\"http\":400,\"ms\":95,\"code\":613,"
	    "\"fbtrace_id\":\"Ab\",\"error\":{\"code\":613},\"next\":\"2026-01-02T12:00:04.000Z\"}\n"
	    T("04") "\"k\":\"send\",\"id\":\"r9\",\"state\":\"unsure\",\"try\":2,\"ms\":30,\"why\":\"reset\"}\n"
	    T("05") "\"k\":\"reply\",\"id\":\"r9\",\"state\":\"sent\",\"what\":\"settled by Meta's echo\"}\n"
	    T("06") "\"k\":\"admin\",\"id\":\"r9\",\"order\":\"drop\"}\n"
	    T("07") "\"k\":\"handler\",\"id\":\"e7\",\"rule\":\"x\",\"state\":\"kept\",\"try\":3,\"ms\":8,\"why\":\"exit 1\"}\n");
	assert_string_equal(read_all("r9", "e7", 0), "1000 received, fits replies.json:7|"
	    "1905 sending, try 1: Graph 400 in 95 ms, fbtrace Ab|2000 ready|"
	    "3970 sending, try 2: no answer in 30 ms: reset|4000 unsure|"
	    "5000 sent: settled by Meta's echo|6000 drop by the operator|"
	    "7000 its handler, try 3, after 8 ms: kept: exit 1|");
	assert_true(timeline.received && timeline.tried);
	assert_int_equal(timeline.all[1].http, 400);
	assert_int_equal(timeline.all[1].ms, 95);
	assert_string_equal(timeline.all[1].error.data, "{\"code\":613}");
	assert_int_equal(timeline.all[2].next, NOON + 4000);
	assert_string_equal(read_all("r9", "", 0) + 4, " sending, try 1: Graph 400 in 95 ms, fbtrace Ab|2000 ready|"
	    "3970 sending, try 2: no answer in 30 ms: reset|4000 unsure|"
	    "5000 sent: settled by Meta's echo|6000 drop by the operator|");
	assert_false(timeline.received);
}

TEST(lines_that_are_not_its_own_are_passed_over)
{
	room_write("log", BYTES("\0\0\n\xff\xfe\n\n{}\n[]\nnull\n"
	    T("01") "\"k\":\"reply\",\"id\":\"r99\",\"state\":\"sent\"}\n"
	    T("01") "\"k\":\"reply\",\"id\":\"r9\",\"state\":\"sent\"\n"		/* torn */
	    T("01") "\"k\":\"reply\",\"x\":{\"id\":\"r9\"},\"state\":\"sent\"}\n"
	    "{\"k\":\"reply\",\"id\":\"r9\",\"state\":\"sent\"}\n"
	    "{\"t\":\"soon\",\"k\":\"reply\",\"id\":\"r9\",\"state\":\"sent\"}\n"
	    T("02") "\"k\":\"reply\",\"id\":\"r9\",\"state\":\"ours\"}\n"
	    T("03") "\"k\":7,\"id\":\"r9\",\"state\":[]}\n"
	    T("03") "\"k\":\"reply\",\"id\":\"r9\",\"state\":\"no end of line\"}"), 0600);
	assert_string_equal(read_all("r9", "", 0), "2000 ours|3000 |");
}

TEST(a_line_of_somebody_elses_may_be_long)
{
	static char	 text[50000];
	size_t		 n = 40000;

	memset(text, 'x', n);
	snprintf(text + n, sizeof(text) - n, T("01") "\"k\":\"reply\",\"id\":\"r9\",\"state\":\"not a line\"}\n"
	    T("02") "\"k\":\"reply\",\"id\":\"r9\",\"state\":\"ours\"}\n");
	room_write("log", slice(text), 0600);
	assert_string_equal(read_all("r9", "", 0), "2000 ours|");
}

/* The number of a row that was dropped is given to another. */
TEST(what_is_older_is_another_ones)
{
	write_log("log", T("01") "\"k\":\"reply\",\"id\":\"r9\",\"state\":\"dead\"}\n"
	    T("02") "\"k\":\"reply\",\"id\":\"r9\",\"state\":\"ours\"}\n");
	assert_string_equal(read_all("r9", "", NOON + 1500), "2000 ours|");
}

TEST(files_that_were_renamed_come_first_the_oldest_of_them_before_all)
{
	write_log("log.2", T("01") "\"k\":\"reply\",\"id\":\"r9\",\"state\":\"a\"}\n");
	write_log("log.1", T("02") "\"k\":\"reply\",\"id\":\"r9\",\"state\":\"b\"}\n");
	write_log("log", T("03") "\"k\":\"reply\",\"id\":\"r9\",\"state\":\"c\"}\n");
	assert_string_equal(read_all("r9", "", 0), "1000 a|2000 b|3000 c|");
}

TEST(a_log_that_is_not_there_is_told)
{
	assert_int_equal(ph_timeline_read("log", "r9", "", 0, &timeline, &wrong), PH_NONE);
	assert_string_equal(wrong.text, "log: No such file or directory");
}

TEST(of_a_log_without_end_the_end_is_read)
{
	static const char	 line[] = T("02") "\"k\":\"reply\",\"id\":\"r9\",\"state\":\"last\"}\n";
	int			 fd;

	write_log("log", T("01") "\"k\":\"reply\",\"id\":\"r9\",\"state\":\"first\"}\n");
	fd = open("log", O_WRONLY | O_CLOEXEC);
	assert_int_not_equal(fd, -1);
	assert_int_equal(pwrite(fd, line, sizeof(line) - 1, (off_t)65 << 20), sizeof(line) - 1);	/* holes before */
	assert_int_equal(pwrite(fd, "\n", 1, ((off_t)65 << 20) - 1), 1);
	close(fd);
	assert_string_equal(read_all("r9", "", 0), "2000 last|");
	assert_true(timeline.cut);
}

#define in_a_room(test)	cmocka_unit_test_setup_teardown(test, enter, leave)

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		in_a_room(a_reply_is_told_from_what_it_answers_to_what_became_of_it),
		in_a_room(lines_that_are_not_its_own_are_passed_over),
		in_a_room(a_line_of_somebody_elses_may_be_long),
		in_a_room(what_is_older_is_another_ones),
		in_a_room(files_that_were_renamed_come_first_the_oldest_of_them_before_all),
		in_a_room(a_log_that_is_not_there_is_told),
		in_a_room(of_a_log_without_end_the_end_is_read),
	};

	return cmocka_run_group_tests_name("timeline", tests, NULL, NULL);
}
