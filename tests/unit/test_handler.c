/*
 * test_handler -- one process an event: what it gets, how it ends, and what is never left of it.
 * Knows handler, log.  Does not know what is in an answer.
 * Called by make check.
 * Lives in a temporary directory; the handlers are real.
 * SPDX-License-Identifier: ISC
 */
#include "handled.h"

/* An event, asked of a shell's words. */
static void
launch(int64_t event, const char *script, int64_t timeout_ms)
{
	struct ph_handler_ask	 ask = { .event = event, .argv = WORDS("sh", "-c", script),
				    .timeout_ms = timeout_ms, .line = slice("{\"id\":\"e4821\"}\n") };
	struct ph_fail		 fail = PH_FAIL_INIT;

	must(reserve(&ask, &fail), &fail);
	ph_handlers_launch(handlers);
}

static struct ph_handler_answer
answer_of(const char *script)
{
	launch(4821, script, 0);
	return hear();
}

static bool
is_there(pid_t pid)
{
	char	 path[64], text[300] = "";
	FILE	*f;
	bool	 is;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	if ((f = fopen(path, "re")) == NULL)
		return false;
	is = fgets(text, sizeof(text), f) != NULL && strstr(text, ") Z ") == NULL;
	fclose(f);
	return is;
}

static void
wait_until_gone(pid_t pid)
{
	int64_t	 by = ph_clock_mono() + AT_MOST_MS;

	while (is_there(pid)) {
		assert_true(ph_clock_mono() < by);
		(void)poll(NULL, 0, 1);
	}
}

/* The number in a file of the room, once a handler has written it with its newline. */
static pid_t
number_in(const char *name)
{
	struct ph_buffer	 text = PH_BUFFER_INIT;
	pid_t			 number;

	ph_buffer_adds(&text, "");
	turn_until(room_has(name));
	room_read(name, &text);
	while (strchr(text.data, '\n') == NULL) {
		ph_buffer_reset(&text);
		room_read(name, &text);
	}
	number = (pid_t)strtol(text.data, NULL, 10);
	ph_buffer_clear(&text);
	return number;
}

TEST(it_gets_the_event_and_its_output_is_the_answer)
{
	struct ph_handler_answer	 answer = answer_of("cat; printf 'and\\0more'");

	assert_int_equal(answer.end, PH_HANDLER_ANSWERED);
	assert_int_equal(answer.event, 4821);
	assert_false(answer.coproc);
	assert_true(answer.took_ms >= 0);
	assert_string_equal(answer.why, "");
	assert_int_equal(told.len, 15 + 8);
	assert_memory_equal(told.data, "{\"id\":\"e4821\"}\nand\0more", told.len);
	assert_int_equal(ph_handlers_asked(handlers), 0);
}

TEST(one_that_says_nothing_has_answered)
{
	assert_int_equal(answer_of("exec >&-; exit 0").end, PH_HANDLER_ANSWERED);
	assert_int_equal(told.len, 0);
}

TEST(the_exit_status_decides)
{
	static const struct { const char *script; enum ph_handler_end end; const char *why; } rows[] = {
		{ "echo hi; exit 75", PH_HANDLER_LATER, "exit 75" },
		{ "echo hi; exit 65", PH_HANDLER_DEAD, "exit 65" },
		{ "echo hi; exit 3", PH_HANDLER_FAILED, "exit 3" },
		{ "echo hi; exit 127", PH_HANDLER_FAILED, "exit 127" },
		{ "echo hi; kill -SEGV $$", PH_HANDLER_FAILED, "killed by signal 11" },
		{ "echo hi; kill -KILL $$", PH_HANDLER_FAILED, "killed by signal 9" },
	};
	struct ph_handler_answer	 answer;
	size_t				 i;

	for (i = 0; i < COUNT_OF(rows); i++) {
		answer = answer_of(rows[i].script);
		assert_int_equal(answer.end, rows[i].end);
		assert_string_equal(answer.why, rows[i].why);
		assert_int_equal(answer.retry_ms, 0);
		assert_int_equal(told.len, 0);
	}
}

TEST(what_cannot_be_started_has_failed_and_says_why)
{
	struct ph_handler_ask		 ask = { .event = 1, .argv = WORDS("./order-status") };
	struct ph_handler_answer	 answer;
	struct ph_fail			 fail = PH_FAIL_INIT;

	must(reserve(&ask, &fail), &fail);
	ph_handlers_launch(handlers);
	answer = hear();
	assert_int_equal(answer.end, PH_HANDLER_FAILED);
	assert_string_equal(answer.why, "./order-status: No such file or directory");

	ask.argv = WORDS("no-such-program");
	must(reserve(&ask, &fail), &fail);
	ph_handlers_launch(handlers);
	assert_int_equal(ph_handlers_patience(handlers), 0);
	answer = hear();
	assert_int_equal(answer.end, PH_HANDLER_FAILED);
	assert_string_equal(answer.why, "no-such-program: not in PATH (./no-such-program?)");
}

TEST(its_environment_holds_the_event_and_no_secret)
{
	struct ph_handler_ask	 ask = { .event = 4821, .attempt = 2, .on = "postback", .argv = WORDS("perl",
	    "-e", "print map { \"$_=$ENV{$_}\\n\" } grep { !/^(HOME|LANG|PATH)$/ } sort keys %ENV"),
	    .psid = BYTES("70\0" "01") };
	struct ph_fail		 fail = PH_FAIL_INIT;

	setenv("MESSENGER_APP_SECRET", "s3cret", 1);
	unsetenv("TZ");
	must(reserve(&ask, &fail), &fail);
	ph_handlers_launch(handlers);
	assert_int_equal(hear().end, PH_HANDLER_ANSWERED);
	assert_string_equal(told.data, "PAGEHOOK_ATTEMPT=2\nPAGEHOOK_EVENT=e4821\nPAGEHOOK_ON=postback\n"
	    "PAGEHOOK_PAGE=9001\nPAGEHOOK_PSID=7001\n");
	unsetenv("MESSENGER_APP_SECRET");
}

TEST(a_word_from_a_message_is_never_a_command)
{
	struct ph_handler_ask	 ask = { .event = 1, .argv = WORDS("printf", "%s|", "$(touch owned)",
	    "`touch owned`", "; touch owned", "-x", "it's \"q\"", "a\nb") };
	struct ph_fail		 fail = PH_FAIL_INIT;

	must(reserve(&ask, &fail), &fail);
	ph_handlers_launch(handlers);
	assert_int_equal(hear().end, PH_HANDLER_ANSWERED);
	assert_string_equal(told.data,
	    "$(touch owned)|`touch owned`|; touch owned|-x|it's \"q\"|a\nb|");
	assert_false(room_has("owned"));
}

TEST(it_has_three_descriptors)
{
	assert_int_equal(answer_of("ls /proc/$$/fd; :").end, PH_HANDLER_ANSWERED);
	assert_string_equal(told.data, "0\n1\n2\n");
}

TEST(one_that_never_reads_may_answer_all_the_same)
{
	struct ph_buffer	 line = PH_BUFFER_INIT;
	struct ph_handler_ask	 ask = { .event = 1, .argv = WORDS("sh", "-c", "exec <&-; echo fine") };
	struct ph_fail		 fail = PH_FAIL_INIT;

	while (line.len < 500000)
		ph_buffer_adds(&line, "0123456789");
	ask.line = PH_SLICE(&line);
	must(reserve(&ask, &fail), &fail);
	ph_handlers_launch(handlers);
	assert_int_equal(hear().end, PH_HANDLER_ANSWERED);
	assert_string_equal(told.data, "fine\n");

	ask.argv = WORDS("wc", "-c");
	must(reserve(&ask, &fail), &fail);
	ph_handlers_launch(handlers);
	assert_int_equal(hear().end, PH_HANDLER_ANSWERED);
	assert_string_equal(told.data, "500000\n");
	ph_buffer_clear(&line);
}

TEST(at_the_time_limit_the_whole_group_is_ended)
{
	struct ph_handler_answer	 answer;
	pid_t				 child;

	launch(1, "sleep 300 & echo $! >child; wait", 1500);
	child = number_in("child");
	assert_true(is_there(child));
	answer = hear();
	assert_int_equal(answer.end, PH_HANDLER_FAILED);
	assert_string_equal(answer.why, "no answer in 1500 ms");
	assert_true(answer.took_ms >= 1500);
	wait_until_gone(child);
}

#ifdef PH_TEST
TEST(one_that_does_not_heed_is_killed)
{
	struct ph_handler_answer	 answer;

	setenv("PH_TEST_SPEED", "5", 1);
	launch(1, "trap '' TERM; echo $$ >child; while :; do sleep 300; done", 5000);
	(void)number_in("child");
	answer = hear();
	assert_string_equal(answer.why, "no answer in 5 s");
	assert_true(answer.took_ms >= 1400);
}
#endif

TEST(output_has_a_limit)
{
	struct ph_handler_answer	 answer;

	answer = answer_of("head -c 262144 /dev/zero");
	assert_int_equal(answer.end, PH_HANDLER_ANSWERED);
	assert_int_equal(told.len, 256 * 1024);
	answer = answer_of("head -c 262145 /dev/zero; sleep 300");
	assert_int_equal(answer.end, PH_HANDLER_FAILED);
	assert_string_equal(answer.why, "more than 256 KiB");
	assert_int_equal(told.len, 0);
	answer = answer_of("exec cat /dev/zero");
	assert_string_equal(answer.why, "more than 256 KiB");
}

TEST(a_child_of_its_own_that_keeps_the_output_holds_up_nobody)
{
	struct ph_handler_answer	 answer;
	pid_t				 child;

	answer = answer_of("echo fine; sleep 300 & echo $! >child");
	child = number_in("child");
	assert_int_equal(answer.end, PH_HANDLER_ANSWERED);
	assert_string_equal(told.data, "fine\n");
	assert_true(answer.took_ms >= 1000 && answer.took_ms < 9000);
	assert_true(is_there(child));
	assert_int_equal(kill(child, SIGKILL), 0);
}

TEST(what_it_says_for_people_is_logged)
{
	assert_int_equal(answer_of("printf 'one\\r\\n\\ntwo\\377\\001' >&2").end, PH_HANDLER_ANSWERED);
	assert_int_equal(count_logged("\"l\":\"warn\",\"k\":\"handler\",\"id\":\"e4821\",\"program\":\"sh\","
	    "\"what\":\"one\"}\n"), 1);
	assert_int_equal(count_logged("\"what\":\"two\\u00ff\\u0001\"}\n"), 1);
	assert_int_equal(count_logged("\n"), 2);
}

TEST(a_long_line_of_it_is_cut_and_none_is_lost_for_its_bytes)
{
	(void)answer_of("perl -e 'print STDERR \"x\" x 9000, \"\\n\", \"\\xff\" x 5000, \"\\n\"'");
	assert_int_equal(count_logged("\n"), 2);
	assert_int_equal(count_logged("xxxxxxxxxx\"}\n"), 1);
	assert_int_equal(count_logged("\"what\":\"\\u00ff\\u00ff\\u00ff"), 1);
	assert_true(strlen(logged()) < 2 * 4000);
}

TEST(a_flood_of_it_is_left_out)
{
	struct ph_handler_answer	 answer;

	answer = answer_of("perl -e 'print STDERR \"line $_\\n\" for 1 .. 20000'; echo fine");
	assert_int_equal(answer.end, PH_HANDLER_ANSWERED);
	assert_string_equal(told.data, "fine\n");
	assert_int_equal(count_logged("\"what\":\"line "), 200);
	assert_int_equal(count_logged("more, left out"), 1);
}

TEST(four_run_at_once)
{
	struct ph_handler_ask		 ask = { .argv = WORDS("cat") };
	struct ph_handler_answer	 none;
	struct ph_fail			 fail = PH_FAIL_INIT;
	size_t				 i;

	for (ask.event = 1; ask.event <= PH_HANDLER_EXECS; ask.event++)
		must(reserve(&ask, &fail), &fail);
	assert_int_equal(ph_handlers_asked(handlers), PH_HANDLER_EXECS);
	assert_int_equal(reserve(&ask, &fail), PH_BUSY);
	ph_handlers_launch(handlers);
	for (i = 0; i < PH_HANDLER_EXECS; i++)
		assert_int_equal(hear().end, PH_HANDLER_ANSWERED);
	assert_int_equal(ph_handlers_asked(handlers), 0);
	assert_false(ph_handlers_next(handlers, &none));
	fail.err = PH_OK;
	must(reserve(&ask, &fail), &fail);
	ph_handlers_cancel(handlers);
}

TEST(what_is_cancelled_is_not_started)
{
	struct ph_handler_ask		 ask = { .event = 1, .argv = WORDS("touch", "started") };
	struct ph_handler_answer	 answer;
	struct ph_fail			 fail = PH_FAIL_INIT;

	must(reserve(&ask, &fail), &fail);
	ph_handlers_cancel(handlers);
	ph_handlers_launch(handlers);
	ph_handlers_perform(handlers);
	assert_int_equal(ph_handlers_asked(handlers), 0);
	assert_false(ph_handlers_next(handlers, &answer));
	assert_int_equal(ph_handlers_patience(handlers), -1);
	assert_false(room_has("started"));
}

TEST(the_end_of_one_wakes_who_waits)
{
	struct pollfd	 fds[PH_HANDLER_WATCHED];
	size_t		 n;

	launch(1, "exec >&- 2>&- <&-; exit 0", 0);
	turn_until(ph_handlers_watch(handlers, fds, PH_HANDLER_WATCHED) == 1 ||
	    ph_handlers_asked(handlers) == 0);
	n = ph_handlers_watch(handlers, fds, PH_HANDLER_WATCHED);
	if (ph_handlers_asked(handlers) > 0)
		assert_int_equal(poll(fds, n, 5000), 1);
	assert_int_equal(hear().end, PH_HANDLER_ANSWERED);
}

TEST(at_close_nothing_is_left_running)
{
	struct ph_fail	 fail = PH_FAIL_INIT;
	pid_t		 shell, child;

	launch(1, "echo $$ >shell; sleep 300 & echo $! >child; wait", 0);
	shell = number_in("shell");
	child = number_in("child");
	ph_handlers_close(handlers);
	wait_until_gone(child);
	assert_int_equal(kill(shell, 0), -1);
	must(ph_handlers_open(&handlers, &fail), &fail);
}

#define WITH_HANDLERS(test)	cmocka_unit_test_setup_teardown(test, handled_enter, handled_leave)

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		WITH_HANDLERS(it_gets_the_event_and_its_output_is_the_answer),
		WITH_HANDLERS(one_that_says_nothing_has_answered),
		WITH_HANDLERS(the_exit_status_decides),
		WITH_HANDLERS(what_cannot_be_started_has_failed_and_says_why),
		WITH_HANDLERS(its_environment_holds_the_event_and_no_secret),
		WITH_HANDLERS(a_word_from_a_message_is_never_a_command),
		WITH_HANDLERS(it_has_three_descriptors),
		WITH_HANDLERS(one_that_never_reads_may_answer_all_the_same),
		WITH_HANDLERS(at_the_time_limit_the_whole_group_is_ended),
#ifdef PH_TEST
		WITH_HANDLERS(one_that_does_not_heed_is_killed),
#endif
		WITH_HANDLERS(output_has_a_limit),
		WITH_HANDLERS(a_child_of_its_own_that_keeps_the_output_holds_up_nobody),
		WITH_HANDLERS(what_it_says_for_people_is_logged),
		WITH_HANDLERS(a_long_line_of_it_is_cut_and_none_is_lost_for_its_bytes),
		WITH_HANDLERS(a_flood_of_it_is_left_out),
		WITH_HANDLERS(four_run_at_once),
		WITH_HANDLERS(what_is_cancelled_is_not_started),
		WITH_HANDLERS(the_end_of_one_wakes_who_waits),
		WITH_HANDLERS(at_close_nothing_is_left_running),
	};

	return cmocka_run_group_tests_name("handler", tests, NULL, NULL);
}
