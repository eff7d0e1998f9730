/*
 * test_wire_helper -- what the helper does with a peer that talks nonsense, or nothing.
 * Knows wire, its frames byte by byte.  Does not know the front's end, but to connect.
 * Called by make check.
 * Lives in a temporary directory; the clock is stopped.
 * SPDX-License-Identifier: ISC
 */
#include <sys/socket.h>

#include <errno.h>
#include <poll.h>

#include "log.h"
#include "room.h"
#include "stopped_clock.h"
#include "wire.h"

static const char		 digest[] =
    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
static struct ph_wire_server	*server;
static struct ph_fail		 wrong;
static int			 fd;		/* of the one peer */

static int
enter(void **state)
{
	int	 state_fd;

	wrong = (struct ph_fail)PH_FAIL_INIT;
	clock_stop();
	if (room_enter(state) != 0 || (state_fd = open(".", O_RDONLY | O_CLOEXEC)) == -1)
		return -1;
	ph_log_open("log", PH_INFO, false);
	if (ph_wire_listen(digest, "pagehook.conf", &server, &wrong) != PH_OK ||
	    ph_wire_connect(state_fd, digest, "pagehook.conf", &fd, &wrong) != PH_OK)
		return -1;
	close(state_fd);
	return 0;
}

static int
leave(void **state)
{
	clock_go_on();
	ph_wire_close(server);
	close(fd);
	ph_log_close();
	return room_leave(state);
}

/* A peer that has not said hello yet. */
static void
connect_stranger(void)
{
	struct sockaddr	 sa = { .sa_family = AF_UNIX, .sa_data = PH_WIRE_SOCKET };

	close(fd);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(fd, &sa, sizeof(sa)), 0);
}

static void
say(const void *bytes, size_t len)
{
	assert_int_equal(send(fd, bytes, len, MSG_NOSIGNAL), len);
}

static void
say_frame(uint32_t type, const void *bytes, size_t len)
{
	const uint32_t	 head[2] = { type, (uint32_t)len };

	say(head, sizeof(head));
	say(bytes, len);
}

static void
say_hello(uint32_t version, const char *settings)
{
	char	 bytes[128];

	memcpy(bytes, &version, sizeof(version));
	memcpy(bytes + sizeof(version), settings, strlen(settings));
	say_frame(PH_WIRE_HELLO, bytes, sizeof(version) + strlen(settings));
}

/*
 * The deliveries that are complete now: what was said on this machine has arrived.  Without any,
 * the helper's turn is over at once; with some, the test ends it by ph_wire_answer_all.
 */
static struct ph_wire_delivery *
read_now(size_t expected)
{
	struct ph_wire_delivery	*all;
	size_t			 n;

	all = ph_wire_read(server, &n);
	assert_int_equal(n, expected);
	if (n == 0)
		ph_wire_answer_all(server);
	return all;
}

/* Nonsense behind something sensible is found in the next turn. */
static void
read_nothing(void)
{
	read_now(0);
	read_now(0);
}

static bool
is_hung_up(void)
{
	char	 byte;
	ssize_t	 got = recv(fd, &byte, 1, MSG_DONTWAIT);

	return got == 0 || (got == -1 && errno == ECONNRESET);
}

TEST(a_frame_may_come_byte_by_byte)
{
	const uint32_t	 head[2] = { PH_WIRE_DELIVERY, 3 };
	char		 frame[11], verdict;
	size_t		 i;

	memcpy(frame, head, 8);
	memcpy(frame + 8, "abc", 3);
	for (i = 0; i < sizeof(frame); i++) {
		read_now(0);
		say(frame + i, 1);
	}
	assert_memory_equal(read_now(1)->body.at, "abc", 3);
	ph_wire_answer_all(server);
	assert_int_equal(recv(fd, &verdict, 1, MSG_DONTWAIT), 1);
	assert_int_equal(verdict, PH_LATER);	/* nobody set it */
	read_now(0);
	assert_false(is_hung_up());
}

TEST(a_peer_that_stops_in_mid_frame_is_hung_up_after_four_seconds)
{
	const uint32_t	 head[2] = { PH_WIRE_DELIVERY, 100 };

	say(head, sizeof(head));
	say("half", 4);
	read_now(0);
	clock_move(3999);
	read_now(0);
	assert_false(is_hung_up());
	clock_move(1);
	read_now(0);
	assert_true(is_hung_up());
}

TEST(a_peer_that_is_slow_between_frames_may_stay)
{
	say_frame(PH_WIRE_DELIVERY, "a", 1);
	read_now(1);
	ph_wire_answer_all(server);
	clock_move(3600000);
	read_now(0);
	assert_int_equal(recv(fd, (char[1]){ 0 }, 1, MSG_DONTWAIT), 1);
	assert_false(is_hung_up());
	say_frame(PH_WIRE_DELIVERY, "b", 1);
	read_now(1);
}

TEST(a_lie_about_the_length_ends_it_before_memory_is_taken)
{
	static const uint32_t	 lengths[] = { UINT32_MAX, 1u << 31, (80u << 20) + 1 };
	size_t			 i;

	for (i = 0; i < COUNT_OF(lengths); i++) {
		const uint32_t	 head[2] = { PH_WIRE_DELIVERY, lengths[i] };

		connect_stranger();
		say_hello(PH_WIRE_VERSION, digest);
		say(head, sizeof(head));
		read_nothing();
		assert_true(is_hung_up());
	}
}

TEST(an_unknown_frame_ends_it)
{
	say_frame(3, "x", 1);
	read_nothing();
	assert_true(is_hung_up());
}

TEST(a_second_hello_ends_it)
{
	say_hello(PH_WIRE_VERSION, digest);
	read_nothing();
	assert_true(is_hung_up());
}

TEST(nothing_is_taken_before_the_hello)
{
	connect_stranger();
	say_frame(PH_WIRE_DELIVERY, "a", 1);
	read_nothing();
	assert_true(is_hung_up());
}

TEST(nonsense_takes_back_nothing_that_was_said_before)
{
	char	 verdict;

	say_frame(PH_WIRE_DELIVERY, "a", 1);
	say_frame(77, "b", 1);
	read_now(1)->verdict = PH_KEPT;
	ph_wire_answer_all(server);
	assert_int_equal(recv(fd, &verdict, 1, MSG_DONTWAIT), 1);
	assert_int_equal(verdict, PH_KEPT);
	read_nothing();
	assert_true(is_hung_up());
}

TEST(a_newer_front_makes_this_helper_outdated)
{
	connect_stranger();
	say_hello(PH_WIRE_VERSION + 1, digest);
	say_frame(PH_WIRE_DELIVERY, "a", 1);
	read_nothing();
	assert_true(is_hung_up());
	assert_true(ph_wire_outdated(server));
}

TEST(an_older_front_is_hung_up_and_no_more)
{
	connect_stranger();
	say_hello(PH_WIRE_VERSION - 1, digest);
	read_nothing();
	assert_true(is_hung_up());
	assert_false(ph_wire_outdated(server));
	connect_stranger();
	say_frame(PH_WIRE_HELLO, "v", 1);
	read_nothing();
	assert_true(is_hung_up());
}

TEST(other_settings_are_served_and_said_once)
{
	struct ph_buffer	 log = PH_BUFFER_INIT;
	int			 i;

	for (i = 0; i < 2; i++) {
		connect_stranger();
		say_hello(PH_WIRE_VERSION, "0000000000000000000000000000000000000000000000000000000000000000"
		    "/other.conf");
		say_frame(PH_WIRE_DELIVERY, "a", 1);
		read_now(1);
		ph_wire_answer_all(server);
	}
	room_read("log", &log);
	assert_non_null(strstr(log.data, "/other.conf"));
	assert_ptr_equal(strchr(log.data, '\n'), log.data + log.len - 1);
	ph_buffer_clear(&log);
}

TEST(the_same_settings_are_no_news)
{
	read_now(0);
	assert_false(room_has("log"));
}

#define in_a_room(test)	cmocka_unit_test_setup_teardown(test, enter, leave)

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		in_a_room(a_frame_may_come_byte_by_byte),
		in_a_room(a_peer_that_stops_in_mid_frame_is_hung_up_after_four_seconds),
		in_a_room(a_peer_that_is_slow_between_frames_may_stay),
		in_a_room(a_lie_about_the_length_ends_it_before_memory_is_taken),
		in_a_room(an_unknown_frame_ends_it),
		in_a_room(a_second_hello_ends_it),
		in_a_room(nothing_is_taken_before_the_hello),
		in_a_room(nonsense_takes_back_nothing_that_was_said_before),
		in_a_room(a_newer_front_makes_this_helper_outdated),
		in_a_room(an_older_front_is_hung_up_and_no_more),
		in_a_room(other_settings_are_served_and_said_once),
		in_a_room(the_same_settings_are_no_news),
	};

	return cmocka_run_group_tests_name("wire_helper", tests, NULL, NULL);
}
