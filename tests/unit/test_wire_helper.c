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
	say_frame(9, "x", 1);
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

#define FULL	256			/* connections a helper keeps */

static int	 others[FULL];
static size_t	 n_others;

static int
leave_others(void **state)
{
	while (n_others > 0)
		close(others[--n_others]);
	return leave(state);
}

/* The helper is full: who connected in enter is the oldest, then others[1] and so on. */
static void
fill(void)
{
	read_now(0);				/* its hello */
	others[n_others++] = fd;
	while (n_others < FULL) {
		clock_move(1);
		fd = -1;
		connect_stranger();
		say_hello(PH_WIRE_VERSION, digest);
		others[n_others++] = fd;
		read_now(0);
	}
	clock_move(1);
	fd = -1;
}

/* One front more, which has something to say. */
static void
come_late(void)
{
	connect_stranger();
	say_hello(PH_WIRE_VERSION, digest);
	say_frame(PH_WIRE_DELIVERY, "late", 4);
}

static bool
is_watched(void)
{
	struct pollfd	 pfd = ph_wire_watch(server);

	return poll(&pfd, 1, 0) > 0;
}

static void
serve_one(const char *body)
{
	struct ph_wire_delivery	*one = read_now(1);
	char			 verdict;

	assert_int_equal(one->body.len, strlen(body));
	assert_memory_equal(one->body.at, body, one->body.len);
	one->verdict = PH_KEPT;
	ph_wire_answer_all(server);
	assert_int_equal(recv(fd, &verdict, 1, MSG_DONTWAIT), 1);
	assert_int_equal(verdict, PH_KEPT);
}

/* How many of the others were hung up; *which is the last of them. */
static size_t
let_go(size_t *which)
{
	int	 mine = fd;
	size_t	 i, gone = 0;

	for (i = 0; i < n_others; i++) {
		fd = others[i];
		if (is_hung_up()) {
			gone++;
			*which = i;
		}
	}
	fd = mine;
	return gone;
}

TEST(the_257th_front_is_served_in_place_of_the_longest_idle)
{
	size_t	 which = FULL;

	fill();
	assert_false(is_watched());
	assert_int_equal(let_go(&which), 0);
	come_late();
	assert_true(is_watched());
	serve_one("late");
	assert_int_equal(let_go(&which), 1);
	assert_int_equal(which, 0);
}

TEST(who_said_something_lately_is_not_idle)
{
	size_t	 which = FULL;

	fill();
	fd = others[0];
	say_frame(PH_WIRE_DELIVERY, "a", 1);
	serve_one("a");
	fd = -1;
	come_late();
	serve_one("late");
	assert_int_equal(let_go(&which), 1);
	assert_int_equal(which, 1);
}

TEST(who_is_in_mid_frame_is_not_let_go)
{
	const uint32_t	 head[2] = { PH_WIRE_DELIVERY, 5 };
	size_t		 which = FULL;
	int		 late;

	fill();
	fd = others[0];
	say(head, sizeof(head));
	say("ha", 2);
	read_now(0);
	fd = others[1];				/* all the others speak after it */
	for (which = 1; which < FULL; which++) {
		fd = others[which];
		clock_move(1);
		say_frame(PH_WIRE_DELIVERY, "b", 1);
		serve_one("b");
	}
	fd = -1;
	come_late();
	serve_one("late");
	late = fd;
	assert_int_equal(let_go(&which), 1);
	assert_int_equal(which, 1);
	fd = others[0];
	say("lf.", 3);
	serve_one("half.");
	fd = late;
}

TEST(a_helper_without_its_name_is_lost)
{
	assert_false(ph_wire_is_lost(server));
	assert_int_equal(unlink(PH_WIRE_SOCKET), 0);
	assert_true(ph_wire_is_lost(server));
}

TEST(another_helpers_name_is_not_ours)
{
	assert_int_equal(rename(PH_WIRE_SOCKET, "elsewhere"), 0);
	room_write(PH_WIRE_SOCKET, BYTES("another's"), 0600);
	assert_true(ph_wire_is_lost(server));
	ph_wire_unlink(server);
	assert_true(room_has(PH_WIRE_SOCKET));
	assert_int_equal(rename("elsewhere", PH_WIRE_SOCKET), 0);
	assert_false(ph_wire_is_lost(server));
	ph_wire_unlink(server);
	assert_false(room_has(PH_WIRE_SOCKET));
}

#define in_a_crowd(test)	cmocka_unit_test_setup_teardown(test, enter, leave_others)
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
		in_a_crowd(the_257th_front_is_served_in_place_of_the_longest_idle),
		in_a_crowd(who_said_something_lately_is_not_idle),
		in_a_crowd(who_is_in_mid_frame_is_not_let_go),
		in_a_room(a_helper_without_its_name_is_lost),
		in_a_room(another_helpers_name_is_not_ours),
	};

	return cmocka_run_group_tests_name("wire_helper", tests, NULL, NULL);
}
