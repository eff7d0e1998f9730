/*
 * test_coproc -- a handler that stays, behaving well and badly, and what becomes of each event.
 * Knows handler, log.  Does not know what is in a reply.
 * Called by make check, from the top of the sources.
 * Lives in a temporary directory; the handler is tests/data/handlers/bot, which does as it is told.
 * SPDX-License-Identifier: ISC
 */
#include "handled.h"

static char	 bot[4096];		/* where the bot lies */

static int
enter(void **state)
{
	struct ph_buffer	 text = PH_BUFFER_INIT;

	if (handled_enter(state) != 0)
		return -1;
	room_read(bot, &text);
	room_write("bot", PH_SLICE(&text), 0755);
	ph_buffer_clear(&text);
	return 0;
}

/* How the bot is started; each test may give it other words. */
#define BOT(...)	WORDS("./bot", __VA_ARGS__)
#define PLAIN		WORDS("./bot")

static enum ph_error
try_attempt(char *const *argv, int64_t event, int64_t attempt, const char *text, int64_t timeout_ms)
{
	struct ph_buffer	 line = PH_BUFFER_INIT;
	struct ph_handler_ask	 ask = { .event = event, .attempt = attempt,
				    .alone = attempt > 1, .coproc = true, .argv = argv,
				    .timeout_ms = timeout_ms };
	struct ph_fail		 fail = PH_FAIL_INIT;
	enum ph_error		 err;

	ph_buffer_addf(&line, "{\"id\":\"e%d\",\"attempt\":%d,\"text\":\"%s\"}\n", (int)event,
	    (int)attempt, text);
	ask.line = PH_SLICE(&line);
	err = reserve(&ask, &fail);
	if (err == PH_OK)
		ph_handlers_launch(handlers);
	ph_buffer_clear(&line);
	return err;
}

static enum ph_error
try_ask(char *const *argv, int64_t event, const char *text)
{
	return try_attempt(argv, event, 1, text, 10000);
}

static void
ask(char *const *argv, int64_t event, const char *text)
{
	turn_until(try_ask(argv, event, text) == PH_OK);
}

static struct ph_handler_answer
answer_of(char *const *argv, int64_t event, const char *text)
{
	ask(argv, event, text);
	return hear();
}

/* The bot's process number, by asking it; so it is running and has said its hello. */
static pid_t
run(char *const *argv)
{
	struct ph_handler_answer	 answer = answer_of(argv, 900, "run");

	if (answer.end != PH_HANDLER_ANSWERED)
		fail_msg("%s", answer.why);
	return (pid_t)strtol(told.data, NULL, 10);
}

static void
check(struct ph_handler_answer answer, int64_t event, enum ph_handler_end end, const char *why)
{
	assert_int_equal(answer.event, event);
	assert_true(answer.coproc);
	assert_string_equal(answer.why, why);
	assert_int_equal(answer.end, end);
}

static void
edit(void)
{
	struct ph_buffer	 text = PH_BUFFER_INIT;

	room_read("bot", &text);
	ph_buffer_adds(&text, "# edited\n");
	room_write("bot.new", PH_SLICE(&text), 0755);
	ph_buffer_clear(&text);
	assert_int_equal(rename("bot.new", "bot"), 0);
}

TEST(an_answer_is_the_json_as_it_was_written)
{
	check(answer_of(PLAIN, 4821, "json 'reply': ['He\\u006clo', {'attachment' : {}} ] ,'x':1"),
	    4821, PH_HANDLER_ANSWERED, "");
	assert_string_equal(told.data, "[\"He\\u006clo\", {\"attachment\" : {}} ]");
}

TEST(no_reply_and_a_null_reply_say_nothing)
{
	check(answer_of(PLAIN, 1, "json 'more':{}"), 1, PH_HANDLER_ANSWERED, "");
	assert_int_equal(told.len, 0);
	check(answer_of(PLAIN, 2, "json 'reply' : null"), 2, PH_HANDLER_ANSWERED, "");
	assert_int_equal(told.len, 0);
	check(answer_of(PLAIN, 3, "json 'reply':'','retry':null,'dead':null"), 3, PH_HANDLER_ANSWERED, "");
	assert_string_equal(told.data, "\"\"");
}

TEST(one_process_serves_many_events_and_another_command_line_has_its_own)
{
	pid_t	 first = run(PLAIN);

	assert_int_equal(run(PLAIN), first);
	assert_int_not_equal(run(BOT("other")), first);
}

TEST(our_hello_comes_first)
{
	static const char	 script[] = "read -r l; echo \"$l\" >hello; echo '{\"hello\":{}}'; cat >events";
	struct ph_buffer	 text = PH_BUFFER_INIT;

	ask(WORDS("sh", "-c", script), 1, "x");
	turn_until(room_has("events"));
	room_read("hello", &text);
	assert_string_equal(text.data,
	    "{\"pagehook\":1,\"hello\":{\"version\":\"" PH_VERSION "\",\"inflight\":8,\"timeout_ms\":10000}}\n");
	ph_buffer_clear(&text);
}

TEST(until_its_hello_it_is_given_one_event)
{
	static const char	 script[] = "read -r l; while ! [ -e go ]; do sleep 0.01; done;"
	    "if read -t 0 -r l; then echo early >early; fi; echo '{\"hello\":{\"inflight\":8}}'; cat >/dev/null";
	char *const		*argv = WORDS("bash", "-c", script);

	assert_int_equal(try_ask(argv, 1, "x"), PH_OK);
	assert_int_equal(try_ask(argv, 2, "x"), PH_BUSY);
	room_write("go", slice(""), 0644);
	ask(argv, 2, "x");
	assert_false(room_has("early"));
	assert_int_equal(ph_handlers_asked(handlers), 2);
}

/* How many it takes with this hello. */
static size_t
inflight_of(const char *hello)
{
	char *const			*argv = BOT(hello);
	struct ph_handler_answer	 none;
	int64_t				 event = 1;

	(void)run(argv);
	assert_false(ph_handlers_next(handlers, &none));
	while (try_ask(argv, event, "hold") == PH_OK)
		event++;
	return (size_t)event - 1;
}

TEST(the_smaller_inflight_counts)
{
	assert_int_equal(inflight_of("hello=\"inflight\":4"), 4);
	assert_int_equal(inflight_of("hello=\"inflight\":1000"), 8);
	assert_int_equal(inflight_of("hello=\"name\":\"florabot\""), 1);
	assert_int_equal(inflight_of("hello=\"inflight\":0"), 1);
	assert_int_equal(inflight_of("hello=\"inflight\":\"many\""), 1);
}

TEST(answers_come_in_any_order)
{
	(void)run(PLAIN);
	ask(PLAIN, 1, "hold");
	ask(PLAIN, 2, "hold");
	ask(PLAIN, 3, "release");
	turn_until(ph_handlers_asked(handlers) == 0);
	check(hear(), 1, PH_HANDLER_ANSWERED, "");
	assert_string_equal(told.data, "\"e1\"");
	check(hear(), 2, PH_HANDLER_ANSWERED, "");
	check(hear(), 3, PH_HANDLER_ANSWERED, "");
	assert_string_equal(told.data, "\"e3\"");
}

TEST(the_first_answer_counts_and_the_second_is_logged)
{
	check(answer_of(PLAIN, 5, "twice"), 5, PH_HANDLER_ANSWERED, "");
	assert_string_equal(told.data, "\"1\"");
	turn_until(count_logged("a second answer, ignored, to e5") == 1);
	assert_int_equal(count_logged("\n"), 1);
}

TEST(an_unknown_id_is_logged_and_ignored)
{
	check(answer_of(PLAIN, 5, "unknown"), 5, PH_HANDLER_ANSWERED, "");
	assert_int_equal(count_logged("an answer to what it was not asked, ignored: e999"), 1);
	assert_int_equal(count_logged("\n"), 1);
}

TEST(retry_says_when)
{
	struct ph_handler_answer	 answer = answer_of(PLAIN, 1, "json 'retry':30");

	assert_int_equal(answer.end, PH_HANDLER_LATER);
	assert_int_equal(answer.retry_ms, 30000);
	assert_int_equal(answer_of(PLAIN, 2, "json 'retry':0.001").retry_ms, 1000);
	assert_int_equal(answer_of(PLAIN, 3, "json 'retry':-3").retry_ms, 0);
	assert_int_equal(answer_of(PLAIN, 4, "json 'retry':1e300").retry_ms, PH_DAY_MS);
	check(answer_of(PLAIN, 5, "json 'retry':'soon'"), 5, PH_HANDLER_DEAD,
	    "its \"retry\" is no number of seconds");
}

TEST(dead_says_why_in_whole_characters)
{
	struct ph_buffer	 text = PH_BUFFER_INIT;
	const size_t		 whole[] = { 159, 157, 158 };
	size_t			 i, len;

	check(answer_of(PLAIN, 1, "json 'dead':'spam','retry':1,'reply':'x'"), 1, PH_HANDLER_DEAD, "spam");
	check(answer_of(PLAIN, 2, "json 'dead':true"), 2, PH_HANDLER_DEAD, "its \"dead\" is no text");
	for (len = 0; len < 3; len++) {
		ph_buffer_reset(&text);
		ph_buffer_addf(&text, "json 'dead':'%.*s", (int)len, "xx");
		for (i = 0; i < 100; i++)
			ph_buffer_adds(&text, "\xe2\x82\xac");
		ph_buffer_adds(&text, "'");
		assert_int_equal(strlen(answer_of(PLAIN, 3, text.data).why), whole[len]);
	}
	ph_buffer_clear(&text);
}


TEST(words_for_the_log_have_their_level)
{
	(void)run(PLAIN);
	ask(PLAIN, 7, "raw {'log':'error','msg':'cache cold'}");
	turn_until(count_logged("\"l\":\"error\",\"k\":\"handler\",\"id\":\"e7\",\"program\":\"./bot\","
	    "\"what\":\"cache cold\"}") == 1);
	ask(PLAIN, 8, "raw {'log':'loud','msg':'who?'}");
	turn_until(count_logged("\"l\":\"warn\",\"k\":\"handler\",\"program\":\"./bot\",\"what\":\"who?\"}") == 1);
	ask(PLAIN, 9, "raw {'some':'thing'}");
	turn_until(count_logged("a line without id, hello or log, ignored") == 1);
	assert_int_equal(ph_handlers_asked(handlers), 3);
}

TEST(standard_error_names_the_event_when_it_can_be_but_one)
{
	check(answer_of(PLAIN, 7, "mutter alone"), 7, PH_HANDLER_ANSWERED, "");
	assert_int_equal(count_logged("\"id\":\"e7\",\"program\":\"./bot\",\"what\":\"alone\""), 1);
	ask(PLAIN, 8, "hold");
	ask(PLAIN, 9, "hold");
	check(answer_of(PLAIN, 10, "mutter which"), 10, PH_HANDLER_ANSWERED, "");
	assert_int_equal(count_logged("\"k\":\"handler\",\"program\":\"./bot\",\"what\":\"which\""), 1);
}

TEST(a_line_that_is_not_json_ends_it)
{
	static const char	*const lines[] = { "garbage", "raw []", "raw", "raw {'id':'e1'} x",
				    "raw {'id':'e1','reply':NaN}", "raw {'id':'e1',}", "raw {'log':'\\u0022}",
				    "raw {'id':'\xff'}" };
	size_t			 i;

	for (i = 0; i < COUNT_OF(lines); i++)
		check(answer_of(BOT(lines[i]), 1, lines[i]), 1, PH_HANDLER_FAILED, "a line that is not JSON");
	assert_int_equal(count_logged("./bot: a line that is not JSON; not started again for 1 s"),
	    COUNT_OF(lines));
}

TEST(lines_may_have_a_mebibyte_and_no_more)
{
	check(answer_of(PLAIN, 1, "big"), 1, PH_HANDLER_ANSWERED, "");
	assert_int_equal(told.len, (1 << 19) + 2);
	check(answer_of(PLAIN, 2, "long"), 2, PH_HANDLER_FAILED, "a line of more than 1 MiB");
}

TEST(an_event_beyond_a_mebibyte_is_dead)
{
	struct ph_buffer	 line = PH_BUFFER_INIT;
	struct ph_handler_ask	 big = { .event = 1, .coproc = true, .argv = PLAIN };
	struct ph_fail		 fail = PH_FAIL_INIT;

	while (line.len <= 1 << 20)
		ph_buffer_adds(&line, "0123456789abcdef");
	big.line = PH_SLICE(&line);
	must(reserve(&big, &fail), &fail);
	ph_handlers_launch(handlers);
	check(hear(), 1, PH_HANDLER_DEAD, "more than 1 MiB");
	ph_buffer_clear(&line);
}

TEST(a_crash_fails_all_that_it_was_asked)
{
	(void)run(PLAIN);
	ask(PLAIN, 1, "hold");
	ask(PLAIN, 2, "hold");
	ask(PLAIN, 3, "die");
	turn_until(ph_handlers_asked(handlers) == 0);
	check(hear(), 1, PH_HANDLER_FAILED, "its coproc ended: killed by signal 9");
	check(hear(), 2, PH_HANDLER_FAILED, "its coproc ended: killed by signal 9");
	check(hear(), 3, PH_HANDLER_FAILED, "its coproc ended: killed by signal 9");
}

TEST(alone_it_is_told_the_cause_itself)
{
	check(answer_of(PLAIN, 1, "die"), 1, PH_HANDLER_FAILED, "killed by signal 9");
	check(answer_of(BOT("b"), 2, "leave 0"), 2, PH_HANDLER_FAILED, "exit 0");
	check(answer_of(BOT("c"), 3, "leave 4"), 3, PH_HANDLER_FAILED, "exit 4");
	check(answer_of(BOT("d"), 4, "half"), 4, PH_HANDLER_FAILED, "exit 0");
}

TEST(what_was_answered_before_a_crash_counts)
{
	(void)run(PLAIN);
	ask(PLAIN, 1, "hold");
	ask(PLAIN, 2, "leave_after 3");
	turn_until(ph_handlers_asked(handlers) == 0);
	check(hear(), 1, PH_HANDLER_FAILED, "exit 3");
	check(hear(), 2, PH_HANDLER_ANSWERED, "");
	assert_string_equal(told.data, "\"bye\"");
}

TEST(a_closed_output_is_an_end)
{
	check(answer_of(PLAIN, 1, "shut"), 1, PH_HANDLER_FAILED, "closed its standard output");
}

TEST(an_event_without_an_answer_ends_it_and_is_named)
{
	(void)run(PLAIN);
	ask(PLAIN, 1, "hold");
	assert_int_equal(try_attempt(PLAIN, 2, 1, "hold", 300), PH_OK);
	turn_until(ph_handlers_asked(handlers) == 0);
	check(hear(), 1, PH_HANDLER_FAILED, "its coproc ended: no answer in 300 ms");
	check(hear(), 2, PH_HANDLER_FAILED, "no answer in 300 ms");
}

TEST(what_cannot_be_started_says_why)
{
	check(answer_of(WORDS("./no-such"), 1, ""), 1, PH_HANDLER_FAILED, "./no-such: No such file or directory");
	check(answer_of(WORDS("no-such"), 2, ""), 2, PH_HANDLER_FAILED, "no-such: not in PATH (./no-such?)");
	assert_int_equal(try_ask(WORDS("no-such"), 3, ""), PH_BUSY);
}

TEST(a_hello_of_another_kind_ends_it)
{
	check(answer_of(WORDS("sh", "-c", "echo '{\"pagehook\":2,\"hello\":{}}'; cat"), 1, ""), 1,
	    PH_HANDLER_FAILED, "its hello is of another \"pagehook\" than 1");
}

#ifdef PH_TEST
TEST(without_a_hello_it_is_ended_and_the_log_asks)
{
	setenv("PH_TEST_SPEED", "10", 1);
	check(answer_of(BOT("mute"), 1, "x"), 1, PH_HANDLER_FAILED, "no hello in 5 s: stdout not flushed?");
	assert_int_equal(count_logged("./bot: no hello in 5 s: stdout not flushed?"), 1);
}

/* 1, 2, 4 s .., here tenths of them: each is waited for whole, and none is asked meanwhile. */
TEST(it_rests_longer_after_each_crash)
{
	int64_t	 began;
	int	 i;

	setenv("PH_TEST_SPEED", "10", 1);
	for (i = 0; i < 3; i++) {
		check(answer_of(PLAIN, 1, "leave 3"), 1, PH_HANDLER_FAILED, "exit 3");
		began = ph_clock_mono();
		assert_int_equal(try_ask(PLAIN, 1, "x"), PH_BUSY);
		turn_until(ph_handlers_patience(handlers) == -1);
		assert_true(ph_clock_mono() - began >= (90 << i));
	}
	assert_int_equal(count_logged("not started again for 1 s"), 1);
	assert_int_equal(count_logged("not started again for 2 s"), 1);
	assert_int_equal(count_logged("not started again for 4 s"), 1);
}

TEST(after_a_minute_of_life_rest_is_short_again)
{
	int64_t	 alive_at;

	setenv("PH_TEST_SPEED", "10", 1);
	check(answer_of(PLAIN, 1, "leave 3"), 1, PH_HANDLER_FAILED, "exit 3");
	check(answer_of(PLAIN, 1, "leave 3"), 1, PH_HANDLER_FAILED, "exit 3");
	(void)run(PLAIN);
	alive_at = ph_clock_mono();
	setenv("PH_TEST_SPEED", "3000", 1);
	turn_until(ph_clock_mono() - alive_at >= 20);
	assert_int_equal(try_attempt(PLAIN, 1, 1, "leave 3", 30000000), PH_OK);
	check(hear(), 1, PH_HANDLER_FAILED, "exit 3");
	assert_int_equal(count_logged("not started again for 1 s"), 2);
	assert_int_equal(count_logged("not started again for 2 s"), 1);
}

TEST(one_that_leaves_well_and_at_once_is_not_spun)
{
	char *const	*argv = WORDS("sh", "-c", "echo x >>runs; exit 0");

	check(answer_of(argv, 1, "x"), 1, PH_HANDLER_FAILED, "exit 0");
	assert_int_equal(try_ask(argv, 1, "x"), PH_BUSY);
}

TEST(an_edit_ends_a_rest)
{
	int64_t	 crashed_at = 0;
	int	 i;

	setenv("PH_TEST_SPEED", "10", 1);
	for (i = 0; i < 5; i++) {
		check(answer_of(PLAIN, 1, "leave 3"), 1, PH_HANDLER_FAILED, "exit 3");
		crashed_at = ph_clock_mono();
	}
	edit();
	(void)run(PLAIN);
	assert_true(ph_clock_mono() - crashed_at < 1400);	/* of 1,600 */
}

TEST(who_stays_after_the_end_of_file_is_killed)
{
	int64_t		 began;
	struct ph_fail	 fail = PH_FAIL_INIT;
	pid_t		 pid;

	setenv("PH_TEST_SPEED", "10", 1);
	pid = run(BOT("linger"));
	check(answer_of(BOT("linger"), 1, "stubborn"), 1, PH_HANDLER_ANSWERED, "");
	ph_handlers_renew(handlers);
	turn_until(kill(pid, 0) == -1);

	pid = run(BOT("linger"));
	check(answer_of(BOT("linger"), 1, "stubborn"), 1, PH_HANDLER_ANSWERED, "");
	began = ph_clock_mono();
	ph_handlers_close(handlers);
	assert_int_equal(kill(pid, 0), -1);
	assert_true(ph_clock_mono() - began >= 650);
	must(ph_handlers_open(&handlers, &fail), &fail);
}
#endif

TEST(one_that_leaves_well_when_idle_is_started_again_at_once)
{
	pid_t	 first = run(PLAIN);

	check(answer_of(PLAIN, 1, "leave_after 0"), 1, PH_HANDLER_ANSWERED, "");
	turn_until(kill(first, 0) == -1);
	assert_int_equal(try_ask(PLAIN, 2, "run"), PH_OK);
	assert_int_equal(try_ask(PLAIN, 3, "run"), PH_BUSY);	/* its hello is another's */
	check(hear(), 2, PH_HANDLER_ANSWERED, "");
	assert_int_not_equal(strtol(told.data, NULL, 10), first);
	assert_int_equal(count_logged("not started again"), 0);
}

TEST(close_is_an_end_of_file_and_a_chance_to_leave)
{
	struct ph_fail	 fail = PH_FAIL_INIT;
	pid_t		 pid = run(BOT("mark"));
	int64_t		 began = ph_clock_mono();

	ph_handlers_close(handlers);
	assert_true(ph_clock_mono() - began < 4000);
	assert_int_equal(kill(pid, 0), -1);
	assert_true(room_has("left"));
	must(ph_handlers_open(&handlers, &fail), &fail);
}

/* Files are looked at once a second at most. */
static void
wait_for_a_look(void)
{
	int64_t	 now = ph_clock_mono();

	turn_until(ph_clock_mono() - now > 1000);
}

TEST(an_edited_program_is_started_anew_when_idle)
{
	pid_t	 first = run(PLAIN);

	ask(PLAIN, 1, "wait_for go");
	edit();
	wait_for_a_look();
	assert_int_equal(try_ask(PLAIN, 2, "hold"), PH_BUSY);
	assert_int_equal(kill(first, 0), 0);
	room_write("go", slice(""), 0644);
	check(hear(), 1, PH_HANDLER_ANSWERED, "");
	turn_until(kill(first, 0) == -1);
	assert_int_not_equal(run(PLAIN), first);
	assert_int_equal(count_logged("not started again"), 0);
}

TEST(renewed_all_end_when_they_have_answered_and_start_when_needed)
{
	pid_t	 first = run(PLAIN), other = run(BOT("mark"));

	ask(PLAIN, 1, "hold");
	ph_handlers_renew(handlers);
	turn_until(room_has("left"));
	assert_int_equal(try_ask(PLAIN, 2, "x"), PH_BUSY);
	assert_int_equal(kill(first, 0), 0);
	turn_until(try_ask(BOT("mark"), 3, "run") == PH_OK);
	check(hear(), 3, PH_HANDLER_ANSWERED, "");
	assert_int_not_equal(strtol(told.data, NULL, 10), other);
	assert_int_equal(count_logged("\n"), 0);
}

TEST(an_event_asked_before_is_asked_alone)
{
	(void)run(PLAIN);
	ask(PLAIN, 1, "wait_for go");
	assert_int_equal(try_attempt(PLAIN, 2, 2, "hold", 10000), PH_BUSY);
	assert_int_equal(try_ask(PLAIN, 3, "hold"), PH_BUSY);	/* or it would never be alone */
	room_write("go", slice(""), 0644);
	check(hear(), 1, PH_HANDLER_ANSWERED, "");
	assert_int_equal(try_ask(PLAIN, 3, "hold"), PH_BUSY);
	assert_int_equal(try_attempt(PLAIN, 2, 2, "json 'reply':'x'", 10000), PH_OK);
	check(hear(), 2, PH_HANDLER_ANSWERED, "");
	assert_int_equal(try_ask(PLAIN, 3, "hold"), PH_OK);
}

TEST(a_place_kept_for_one_that_never_comes_is_given_up)
{
	(void)run(PLAIN);
	ask(PLAIN, 1, "wait_for go");
	assert_int_equal(try_attempt(PLAIN, 2, 2, "hold", 10000), PH_BUSY);
	room_write("go", slice(""), 0644);
	check(hear(), 1, PH_HANDLER_ANSWERED, "");
	assert_int_equal(try_ask(PLAIN, 3, "hold"), PH_BUSY);
	assert_true(ph_handlers_patience(handlers) > 0);
	turn_until(ph_handlers_patience(handlers) == -1);
	assert_int_equal(try_ask(PLAIN, 3, "hold"), PH_OK);
}

TEST(one_that_crashes_it_uses_up_its_own_tries_alone)
{
	(void)run(PLAIN);
	ask(PLAIN, 1, "hold");
	ask(PLAIN, 2, "die");
	turn_until(ph_handlers_asked(handlers) == 0);
	assert_int_equal(hear().end, PH_HANDLER_FAILED);
	assert_int_equal(hear().end, PH_HANDLER_FAILED);
	turn_until(try_attempt(PLAIN, 2, 2, "die", 10000) == PH_OK);
	assert_int_equal(try_attempt(PLAIN, 1, 2, "run", 10000), PH_BUSY);
	check(hear(), 2, PH_HANDLER_FAILED, "killed by signal 9");
	turn_until(try_attempt(PLAIN, 1, 2, "run", 10000) == PH_OK);
	check(hear(), 1, PH_HANDLER_ANSWERED, "");
}

TEST(beside_one_that_was_asked_before_nothing_is_asked)
{
	(void)run(PLAIN);
	assert_int_equal(try_attempt(PLAIN, 2, 2, "hold", 10000), PH_OK);
	assert_int_equal(try_ask(PLAIN, 3, "hold"), PH_BUSY);
	assert_int_equal(try_attempt(PLAIN, 4, 3, "hold", 10000), PH_BUSY);
}

#define WITH_A_BOT(test)	cmocka_unit_test_setup_teardown(test, enter, handled_leave)

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		WITH_A_BOT(an_answer_is_the_json_as_it_was_written),
		WITH_A_BOT(no_reply_and_a_null_reply_say_nothing),
		WITH_A_BOT(one_process_serves_many_events_and_another_command_line_has_its_own),
		WITH_A_BOT(our_hello_comes_first),
		WITH_A_BOT(until_its_hello_it_is_given_one_event),
		WITH_A_BOT(the_smaller_inflight_counts),
		WITH_A_BOT(answers_come_in_any_order),
		WITH_A_BOT(the_first_answer_counts_and_the_second_is_logged),
		WITH_A_BOT(an_unknown_id_is_logged_and_ignored),
		WITH_A_BOT(retry_says_when),
		WITH_A_BOT(dead_says_why_in_whole_characters),
		WITH_A_BOT(words_for_the_log_have_their_level),
		WITH_A_BOT(standard_error_names_the_event_when_it_can_be_but_one),
		WITH_A_BOT(a_line_that_is_not_json_ends_it),
		WITH_A_BOT(lines_may_have_a_mebibyte_and_no_more),
		WITH_A_BOT(an_event_beyond_a_mebibyte_is_dead),
		WITH_A_BOT(a_crash_fails_all_that_it_was_asked),
		WITH_A_BOT(alone_it_is_told_the_cause_itself),
		WITH_A_BOT(what_was_answered_before_a_crash_counts),
		WITH_A_BOT(a_closed_output_is_an_end),
		WITH_A_BOT(an_event_without_an_answer_ends_it_and_is_named),
		WITH_A_BOT(what_cannot_be_started_says_why),
		WITH_A_BOT(a_hello_of_another_kind_ends_it),
#ifdef PH_TEST
		WITH_A_BOT(without_a_hello_it_is_ended_and_the_log_asks),
		WITH_A_BOT(it_rests_longer_after_each_crash),
		WITH_A_BOT(after_a_minute_of_life_rest_is_short_again),
		WITH_A_BOT(one_that_leaves_well_and_at_once_is_not_spun),
		WITH_A_BOT(an_edit_ends_a_rest),
		WITH_A_BOT(who_stays_after_the_end_of_file_is_killed),
#endif
		WITH_A_BOT(one_that_leaves_well_when_idle_is_started_again_at_once),
		WITH_A_BOT(close_is_an_end_of_file_and_a_chance_to_leave),
		WITH_A_BOT(an_edited_program_is_started_anew_when_idle),
		WITH_A_BOT(renewed_all_end_when_they_have_answered_and_start_when_needed),
		WITH_A_BOT(an_event_asked_before_is_asked_alone),
		WITH_A_BOT(a_place_kept_for_one_that_never_comes_is_given_up),
		WITH_A_BOT(one_that_crashes_it_uses_up_its_own_tries_alone),
		WITH_A_BOT(beside_one_that_was_asked_before_nothing_is_asked),
	};

	if (realpath("tests/data/handlers/bot", bot) == NULL) {
		perror("tests/data/handlers/bot");
		return 1;
	}
	return cmocka_run_group_tests_name("coproc", tests, NULL, NULL);
}
