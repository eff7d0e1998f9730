/*
 * test_alert -- who is called hears of each cause once in an hour, and of all at once in one call.
 * Knows alert with a real /bin/sh, and news.  Does not know turns.
 * Called by make check.
 * Lives in a temporary directory, whose files say what the command was told.
 * SPDX-License-Identifier: ISC
 */
#include <signal.h>

#include "alert.h"
#include "clock.h"
#include "room.h"

#define BY_MS	10000			/* a test that waits longer has failed */

static struct ph_alert	*alert;
static struct ph_news	 news;
static struct ph_fail	 wrong;
static struct ph_buffer	 file;

static void
begin(void)
{
	char	 command[700];

	snprintf(command, sizeof(command), "/bin/sh \"%s/call\"", room);
	must(ph_alert_open(command, &alert, &wrong), &wrong);
}

static int
enter(void **state)
{
	unsetenv("PH_TEST_SPEED");
	signal(SIGPIPE, SIG_IGN);	/* as the helper has it: not every command reads what it is told */
	wrong = (struct ph_fail)PH_FAIL_INIT;
	news = (struct ph_news)PH_NEWS_INIT;
	file = (struct ph_buffer)PH_BUFFER_INIT;
	if (room_enter(state) != 0)
		return -1;
	ph_log_open("log", PH_INFO, false);
	begin();
	return 0;
}

static int
leave(void **state)
{
	ph_alert_close(alert);
	ph_news_clear(&news);
	ph_buffer_clear(&file);
	ph_log_close();
	return room_leave(state);
}

static void
script(const char *text)
{
	struct ph_buffer	 b = PH_BUFFER_INIT;

	ph_buffer_addf(&b, "cd '%s'\n%s\n", room, text);
	room_write("call", PH_SLICE(&b), 0600);
	ph_buffer_clear(&b);
}

#define KEEPS	"printf '%s: %s\\n' \"$PAGEHOOK_CAUSE\" \"$PAGEHOOK_WHY\" >>told; cat >>told"

static void
raise_of(enum ph_cause cause, const char *page, const char *what)
{
	ph_news_raise(&news, cause, slice(page), NULL, what);
}

/* The turn is over; runs the command if it is to be run, to its end.  Whether it was. */
static bool
tell(void)
{
	int64_t	 by = ph_clock_mono() + BY_MS;

	ph_alert_take(alert, &news);
	ph_news_tell(&news);
	if (!ph_alert_is_due(alert))
		return false;
	ph_alert_launch(alert, BYTES("the document\n"));
	while (ph_alert_patience(alert) != -1) {
		struct pollfd	 fds[PH_ALERT_WATCHED];
		size_t		 n = ph_alert_watch(alert, fds, PH_ALERT_WATCHED);

		assert_true(ph_clock_mono() < by);
		(void)poll(fds, n, 10);
		ph_alert_perform(alert);
	}
	return true;
}

static const char *
text_of(const char *name)
{
	ph_buffer_reset(&file);
	room_read(name, &file);
	return PH_SLICE(&file).at;
}

TEST(the_command_is_told_the_cause_the_words_and_the_document)
{
	script(KEEPS);
	raise_of(PH_CAUSE_TOKEN, "1029384756", "its token has died");
	assert_true(tell());
	assert_string_equal(text_of("told"), "token: Page \xe2\x80\xa6" "4756: its token has died.\nthe document\n");
}

TEST(what_comes_at_once_is_one_call)
{
	script(KEEPS);
	raise_of(PH_CAUSE_PAGE, "9001", "paused");
	raise_of(PH_CAUSE_PAGE, "9002", "paused");
	raise_of(PH_CAUSE_HELD, "", "held");
	raise_of(PH_CAUSE_HELD, "", "held too");
	assert_true(tell());
	assert_string_equal(text_of("told"), "page: Page 9001: paused. Page 9002: paused. held (2 times since the "
	    "last alert of this).\nthe document\n");
}

TEST(a_cause_is_told_once_an_hour_and_then_how_often_it_was)
{
	char	 told[80];
	int	 n;

	script(KEEPS);
	raise_of(PH_CAUSE_DEAD, "", "given up");
	assert_true(tell());
	raise_of(PH_CAUSE_DEAD, "", "given up");
	assert_false(tell());
	raise_of(PH_CAUSE_PAGE, "9001", "paused");
	assert_true(tell());
	raise_of(PH_CAUSE_PAGE, "9002", "paused");
	assert_true(tell());
	ph_alert_close(alert);
	n = snprintf(told, sizeof(told), "dead - %lld 4\n", (long long)(ph_clock_now() - PH_HOUR_MS));
	room_write("alerts", (struct ph_slice){ told, (size_t)n }, 0600);
	begin();
	room_write("told", BYTES(""), 0600);
	raise_of(PH_CAUSE_DEAD, "", "given up");
	assert_true(tell());
	assert_string_equal(text_of("told"), "dead: given up (5 times since the last alert of this).\n"
	    "the document\n");
}

TEST(the_next_helper_knows_what_was_told)
{
	script(KEEPS);
	raise_of(PH_CAUSE_DEAD, "", "given up");
	raise_of(PH_CAUSE_TOKEN, "9001", "its token has died");
	assert_true(tell());
	ph_alert_close(alert);
	begin();
	raise_of(PH_CAUSE_DEAD, "", "given up");
	raise_of(PH_CAUSE_TOKEN, "9001", "its token has died");
	assert_false(tell());
	raise_of(PH_CAUSE_TOKEN, "9002", "its token has died");
	assert_true(tell());
}

TEST(a_file_that_makes_no_sense_keeps_nobody_silent)
{
	ph_alert_close(alert);
	room_write("alerts", BYTES("dead - x\nwhat is\n\n"), 0600);
	begin();
	script(KEEPS);
	raise_of(PH_CAUSE_DEAD, "", "given up");
	assert_true(tell());
}

TEST(a_program_that_is_not_there_is_said_before_it_is_needed)
{
	ph_alert_close(alert);
	must(ph_alert_open("no-such-program-of-ours x", &alert, &wrong), &wrong);
	assert_non_null(strstr(text_of("log"), "PAGEHOOK_ALERT: no-such-program-of-ours: not in PATH"));
	ph_alert_close(alert);
	must(ph_alert_open("/no/such/program", &alert, &wrong), &wrong);
	assert_non_null(strstr(text_of("log"), "PAGEHOOK_ALERT: /no/such/program: No such file"));
	raise_of(PH_CAUSE_DEAD, "", "given up");
	assert_true(tell());
}

TEST(what_was_taken_back_is_told_to_nobody)
{
	raise_of(PH_CAUSE_DEAD, "", "given up");
	news.tally.dead = 3;
	ph_news_abandon(&news);
	assert_int_equal(news.tally.dead, 0);
	assert_false(tell());
	assert_false(room_has("log"));
}

TEST(one_that_does_not_end_is_ended_with_its_children)
{
	script("sleep 1000 & echo $! >child; echo so >&2; wait");
	setenv("PH_TEST_SPEED", "10", 1);
	raise_of(PH_CAUSE_DEAD, "", "given up");
	assert_true(tell());
	assert_non_null(strstr(text_of("log"), "\"what\":\"took longer than 10 s: ended\""));
	assert_non_null(strstr(text_of("log"), "\"what\":\"so\""));
}

TEST(one_that_fails_or_floods_is_in_the_log_alone)
{
	script("i=0; while [ $i -lt 3000 ]; do echo 0123456789012345678901234567890123456789; i=$((i+1)); done; exit 3");
	raise_of(PH_CAUSE_DEAD, "", "given up");
	assert_true(tell());
	assert_non_null(strstr(text_of("log"), "\"k\":\"alert\",\"program\":\"/bin/sh\",\"what\":\"exit 3\""));
}

TEST(without_a_command_nothing_is_run)
{
	ph_alert_close(alert);
	must(ph_alert_open(NULL, &alert, &wrong), &wrong);
	raise_of(PH_CAUSE_DEAD, "", "given up");
	assert_false(tell());
	assert_false(room_has("alerts"));
	assert_non_null(strstr(text_of("log"), "\"k\":\"alert\",\"cause\":\"dead\",\"what\":\"given up\""));
}

#define in_a_room(test)	cmocka_unit_test_setup_teardown(test, enter, leave)

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		in_a_room(the_command_is_told_the_cause_the_words_and_the_document),
		in_a_room(what_comes_at_once_is_one_call),
		in_a_room(a_cause_is_told_once_an_hour_and_then_how_often_it_was),
		in_a_room(the_next_helper_knows_what_was_told),
		in_a_room(a_file_that_makes_no_sense_keeps_nobody_silent),
		in_a_room(a_program_that_is_not_there_is_said_before_it_is_needed),
		in_a_room(what_was_taken_back_is_told_to_nobody),
		in_a_room(one_that_does_not_end_is_ended_with_its_children),
		in_a_room(one_that_fails_or_floods_is_in_the_log_alone),
		in_a_room(without_a_command_nothing_is_run),
	};

	return cmocka_run_group_tests_name("alert", tests, NULL, NULL);
}
