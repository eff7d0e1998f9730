/*
 * test_wire -- front and helper over a socket: every delivery has its own verdict, in order.
 * Knows wire, both ends of it.  Does not know what is in a body.
 * Called by make check.
 * Lives in a temporary directory; the front that waits is a thread, the helper is the test.
 * SPDX-License-Identifier: ISC
 */
#include <poll.h>
#include <pthread.h>

#include "clock.h"
#include "log.h"
#include "room.h"
#include "wire.h"

#define PATIENCE_MS	20000		/* no test waits so long; one that fails does */

static const char		 digest[] =
    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
static struct ph_wire_server	*server;
static int			 state_fd;
static struct ph_fail		 wrong;

static int
enter(void **state)
{
	wrong = (struct ph_fail)PH_FAIL_INIT;
	if (room_enter(state) != 0)
		return -1;
	ph_log_open("/dev/null", PH_ERROR, false);
	state_fd = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return ph_wire_listen(digest, "pagehook.conf", &server, &wrong) == PH_OK ? 0 : -1;
}

static int
leave(void **state)
{
	ph_wire_close(server);
	close(state_fd);
	ph_log_close();
	return room_leave(state);
}

static int
connect_front(void)
{
	int	 fd;

	must(ph_wire_connect(state_fd, digest, "pagehook.conf", &fd, &wrong), &wrong);
	return fd;
}

/* A front in its thread. */

struct front {
	pthread_t		 thread;
	int			 fd;
	struct ph_slice		 bodies[PH_WIRE_BATCH];
	size_t			 n;
	enum ph_verdict		 verdicts[PH_WIRE_BATCH];
	enum ph_error		 err;
	bool			 gone;
};

static void *
ask(void *arg)
{
	struct front	*f = arg;

	f->err = ph_wire_ask(f->fd, f->bodies, f->n, f->verdicts, ph_clock_mono() + PATIENCE_MS,
	    &f->gone, NULL);
	return NULL;
}

static void
begin_asking(struct front *f)
{
	f->fd = connect_front();
	assert_int_equal(pthread_create(&f->thread, NULL, ask, f), 0);
}

static void
end_asking(struct front *f)
{
	assert_int_equal(pthread_join(f->thread, NULL), 0);
	close(f->fd);
}

/* Waits until something is there; returns the complete deliveries. */
static struct ph_wire_delivery *
listen_once(size_t *n)
{
	struct pollfd	 pfd = ph_wire_watch(server);

	assert_int_not_equal(poll(&pfd, 1, PATIENCE_MS), 0);
	return ph_wire_read(server, n);
}

/* Answers n deliveries, each with its own first byte. */
static void
serve(size_t n)
{
	struct ph_wire_delivery	*all;
	size_t			 i, now;

	for (; n > 0; n -= now) {
		all = listen_once(&now);
		assert_true(now <= n);
		for (i = 0; i < now; i++) {
			assert_int_equal(all[i].verdict, PH_LATER);
			all[i].verdict = (enum ph_verdict)all[i].body.at[0];
		}
		ph_wire_answer_all(server);
	}
}

TEST(each_delivery_gets_its_own_verdict)
{
	struct front	 f = { .n = 5, .bodies = { BYTES("k{}"), BYTES("u\0{}"), BYTES("m"), BYTES("f"),
			    BYTES("l") } };

	begin_asking(&f);
	serve(5);
	end_asking(&f);
	assert_int_equal(f.err, PH_OK);
	assert_false(f.gone);
	assert_int_equal(f.verdicts[0], PH_KEPT);
	assert_int_equal(f.verdicts[1], PH_UNWANTED);
	assert_int_equal(f.verdicts[2], PH_UNREADABLE);
	assert_int_equal(f.verdicts[3], PH_FULL);
	assert_int_equal(f.verdicts[4], PH_LATER);
}

TEST(a_batch_of_64_keeps_its_order_again_and_again)
{
	static const char	 words[] = "lfkum";
	struct front		 f = { .n = PH_WIRE_BATCH };
	size_t			 i, round;

	for (i = 0; i < f.n; i++)
		f.bodies[i] = (struct ph_slice){ &words[i * i % 5], 1 };
	f.fd = connect_front();
	for (round = 0; round < 3; round++) {
		assert_int_equal(pthread_create(&f.thread, NULL, ask, &f), 0);
		serve(f.n);
		assert_int_equal(pthread_join(f.thread, NULL), 0);
		assert_int_equal(f.err, PH_OK);
		for (i = 0; i < f.n; i++)
			assert_int_equal(f.verdicts[i], words[i * i % 5]);
	}
	close(f.fd);
}

TEST(each_front_hears_of_its_own_deliveries)
{
	struct front	 a = { .n = 2, .bodies = { BYTES("kk"), BYTES("u") } };
	struct front	 b = { .n = 3, .bodies = { BYTES("m"), BYTES("k"), BYTES("f") } };

	begin_asking(&a);
	begin_asking(&b);
	serve(5);
	end_asking(&a);
	end_asking(&b);
	assert_int_equal(a.verdicts[0], PH_KEPT);
	assert_int_equal(a.verdicts[1], PH_UNWANTED);
	assert_int_equal(b.verdicts[0], PH_UNREADABLE);
	assert_int_equal(b.verdicts[1], PH_KEPT);
	assert_int_equal(b.verdicts[2], PH_FULL);
}

TEST(a_body_larger_than_any_buffer_comes_whole)
{
	const size_t	 len = 5 << 20;
	char		*big = malloc(len);
	struct front	 f = { .n = 2, .bodies = { { big, len }, { "k", 1 } } };
	struct ph_wire_delivery	*all = NULL;
	size_t		 i, n = 0;

	assert_non_null(big);
	for (i = 0; i < len; i++)
		big[i] = (char)(i * 31 >> 3);
	begin_asking(&f);
	while (n == 0) {
		ph_wire_answer_all(server);
		all = listen_once(&n);
	}
	assert_int_equal(all[0].body.len, len);
	assert_memory_equal(all[0].body.at, big, len);
	all[0].verdict = PH_KEPT;
	ph_wire_answer_all(server);
	serve(2 - n);
	end_asking(&f);
	assert_int_equal(f.err, PH_OK);
	assert_int_equal(f.verdicts[0], PH_KEPT);
	free(big);
}

TEST(a_helper_that_leaves_before_its_verdict_is_gone)
{
	struct front	 f = { .n = 2, .bodies = { BYTES("a"), BYTES("b") }, .verdicts = { PH_KEPT } };
	size_t		 n = 0;

	begin_asking(&f);
	while (n == 0)
		(void)listen_once(&n);
	ph_wire_close(server);
	server = NULL;
	end_asking(&f);
	assert_int_equal(f.err, PH_BUSY);
	assert_true(f.gone);
	assert_int_equal(f.verdicts[0], PH_LATER);
	assert_int_equal(f.verdicts[1], PH_LATER);
}

TEST(a_helper_that_says_nothing_is_not_waited_for)
{
	struct ph_slice	 bodies[] = { BYTES("a") };
	enum ph_verdict	 verdict = PH_KEPT;
	bool		 gone = true;
	int		 fd = connect_front();

	assert_int_equal(ph_wire_ask(fd, bodies, 1, &verdict, ph_clock_mono(), &gone, &wrong), PH_BUSY);
	assert_false(gone);
	assert_int_equal(verdict, PH_LATER);
	close(fd);
}

TEST(what_a_front_said_before_it_hung_up_is_kept)
{
	struct front	 f = { .n = 1, .bodies = { BYTES("k") } };
	size_t		 n = 0;

	f.fd = connect_front();
	assert_int_equal(ph_wire_ask(f.fd, f.bodies, 1, f.verdicts, 0, &f.gone, NULL), PH_BUSY);
	close(f.fd);
	while (n == 0)
		(void)listen_once(&n);
	assert_int_equal(n, 1);
	ph_wire_answer_all(server);		/* nobody hears it, and nothing breaks */
	(void)ph_wire_read(server, &n);
	assert_int_equal(n, 0);
	assert_int_equal(poll((struct pollfd[1]){ ph_wire_watch(server) }, 1, 0), 0);	/* nor waited for */
}

TEST(nobody_listening_is_told_from_trouble)
{
	int	 fd;

	ph_wire_close(server);			/* as a dead helper: its socket file stays */
	server = NULL;
	assert_true(room_has(PH_WIRE_SOCKET));
	assert_int_equal(ph_wire_connect(state_fd, digest, "", &fd, NULL), PH_NONE);
	assert_int_equal(fd, -1);
	assert_int_equal(unlink(PH_WIRE_SOCKET), 0);
	assert_int_equal(ph_wire_connect(state_fd, digest, "", &fd, NULL), PH_NONE);
	assert_int_equal(symlink(PH_WIRE_SOCKET, PH_WIRE_SOCKET), 0);
	assert_int_equal(ph_wire_connect(state_fd, digest, "", &fd, &wrong), PH_BUSY);
	assert_int_equal(fd, -1);
}

TEST(a_name_taken_away_serves_the_backlog_and_spares_the_successor)
{
	struct front		 f = { .n = 1, .bodies = { BYTES("k") } };
	struct ph_wire_server	*successor;
	int			 fd;

	begin_asking(&f);
	ph_wire_unlink(server);
	assert_int_equal(ph_wire_connect(state_fd, digest, "", &fd, NULL), PH_NONE);
	serve(1);
	end_asking(&f);
	assert_int_equal(f.verdicts[0], PH_KEPT);
	must(ph_wire_listen(digest, "", &successor, &wrong), &wrong);
	ph_wire_unlink(server);
	assert_true(room_has(PH_WIRE_SOCKET));
	ph_wire_close(successor);
}

#define in_a_room(test)	cmocka_unit_test_setup_teardown(test, enter, leave)

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		in_a_room(each_delivery_gets_its_own_verdict),
		in_a_room(a_batch_of_64_keeps_its_order_again_and_again),
		in_a_room(each_front_hears_of_its_own_deliveries),
		in_a_room(a_body_larger_than_any_buffer_comes_whole),
		in_a_room(a_helper_that_leaves_before_its_verdict_is_gone),
		in_a_room(a_helper_that_says_nothing_is_not_waited_for),
		in_a_room(what_a_front_said_before_it_hung_up_is_kept),
		in_a_room(nobody_listening_is_told_from_trouble),
		in_a_room(a_name_taken_away_serves_the_backlog_and_spares_the_successor),
	};

	return cmocka_run_group_tests_name("wire", tests, NULL, NULL);
}
