/*
 * main -- pagehook.fcgi: FastCGI when descriptor 0 listens, one CGI request when asked for one.
 * Knows front and request.  Does not know settings; reads no argument: a query string may be argv.
 * Called by a web server.
 * Lives until the server ends it; may be killed at any time.
 * SPDX-License-Identifier: ISC
 */
#include <sys/epoll.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "clock.h"
#include "front.h"
#include "log.h"
#include "request.h"

#define MAX_THREADS	64
#define HUNGRY_WAIT_MS	100	/* no descriptor to be had: wait, and try again */
#define HUNGRY_TURNS	50	/* so often, then make room for a fresh process */

static int	 stop_pipe[2];	/* readable when the process is to end: the one global, with its flag */
static volatile sig_atomic_t	 stopping;

static void
stop(int signo)
{
	(void)signo;
	if (stopping)
		_exit(0);			/* asked twice: now */
	stopping = 1;
	if (write(stop_pipe[1], "", 1) == -1)
		_exit(0);
}

/* Before libfcgi starts: it takes over only signals that nobody handles. */
static bool
catch_signals(void)
{
	struct sigaction	 sa = { .sa_handler = stop }, ignore = { .sa_handler = SIG_IGN };

	if (pipe2(stop_pipe, O_CLOEXEC | O_NONBLOCK) == -1)
		return false;
	sigemptyset(&sa.sa_mask);
	return sigaction(SIGTERM, &sa, NULL) == 0 && sigaction(SIGINT, &sa, NULL) == 0 &&
	    sigaction(SIGUSR1, &sa, NULL) == 0 && sigaction(SIGPIPE, &ignore, NULL) == 0 &&
	    sigaction(SIGXFSZ, &ignore, NULL) == 0;
}

/*
 * The next connection, or the end.  Many may wait for the same connections, threads and processes: poll
 * would wake all of them for each, to find that another was faster.
 */
static int
watch(void)
{
	struct epoll_event	 next = { .events = EPOLLIN | EPOLLEXCLUSIVE }, end = { .events = EPOLLIN };
	int			 fd = epoll_create1(EPOLL_CLOEXEC);

	if (fd != -1 && epoll_ctl(fd, EPOLL_CTL_ADD, STDIN_FILENO, &next) == 0 &&
	    epoll_ctl(fd, EPOLL_CTL_ADD, stop_pipe[0], &end) == 0)
		return fd;
	if (fd != -1)
		close(fd);
	return -1;
}

static void *
serve(void *front)
{
	struct epoll_event	 ready;
	struct pollfd		 end = { .fd = stop_pipe[0], .events = POLLIN };
	struct ph_fail		 fail;
	int			 hungry = 0, watched = watch();

	while (!stopping && hungry < HUNGRY_TURNS) {
		fail = (struct ph_fail)PH_FAIL_INIT;
		switch (front_turn(front, &fail)) {
		case PH_NOMEM:
			if (hungry++ == 0)
				ph_log_fail("refused", &fail);
			poll(&end, 1, HUNGRY_WAIT_MS);
			break;
		case PH_NONE:
			hungry = 0;
			if (epoll_wait(watched, &ready, 1, -1) == -1 && errno != EINTR)
				poll(&end, 1, HUNGRY_WAIT_MS);
			break;
		default:
			hungry = 0;
			break;
		}
	}
	/* Who gave up was alone in being woken for what waits: the others are to leave, too. */
	stopping = 1;
	(void)!write(stop_pipe[1], "", 1);
	front_finish(front);
	if (watched != -1)
		close(watched);
	return NULL;
}

static int
serve_fastcgi(const char *name)
{
	struct front	*fronts[MAX_THREADS] = { NULL };
	pthread_t	 threads[MAX_THREADS];
	int		 i, n = front_threads(name), n_running = 0;

	for (i = 0; i < n && (fronts[i] = front_new(name)) != NULL; i++)
		continue;
	if (i == 0)
		return EX_OSERR;
	for (n = i, i = 1; i < n; i++)
		if (pthread_create(&threads[n_running], NULL, serve, fronts[i]) == 0)
			n_running++;
	serve(fronts[0]);
	while (n_running > 0)
		pthread_join(threads[--n_running], NULL);
	for (i = 0; i < n; i++)
		front_free(fronts[i]);
	return 0;
}

static int
serve_cgi(const char *name)
{
	struct front	*front = front_new(name);

	if (front == NULL)
		return EX_OSERR;
	front_answer_cgi(front);
	front_free(front);
	return 0;
}

/* The program's file name without its ending: it chooses the settings file. */
static const char *
own_name(char *buf, size_t size)
{
	ssize_t	 n = readlink("/proc/self/exe", buf, size - 1);
	char	*slash, *dot;

	if (n <= 0)
		return "pagehook";
	buf[n] = '\0';
	if ((slash = strrchr(buf, '/')) != NULL)
		buf = slash + 1;
	if ((dot = strchr(buf, '.')) != NULL)
		*dot = '\0';
	return buf[0] != '\0' ? buf : "pagehook";
}

/* A closed descriptor among 0-2 would be given to the next file we open. */
static void
fill_standard_descriptors(void)
{
	int	 fd;

	while ((fd = open("/dev/null", O_RDWR)) >= 0 && fd <= STDERR_FILENO)
		continue;
	if (fd > STDERR_FILENO)
		close(fd);
}

int
main(void)
{
	struct ph_fail	 fail = PH_FAIL_INIT;
	char		 path[4096];
	const char	*name = own_name(path, sizeof(path));

	fill_standard_descriptors();
	if (!catch_signals())
		return EX_OSERR;
	switch (request_open(&fail)) {
	case PH_OK:
		return serve_fastcgi(name);
	case PH_NONE:
		break;
	default:
		fprintf(stderr, "pagehook: %s\n", fail.text);
		return EX_OSERR;
	}
	if (getenv("REQUEST_METHOD") != NULL || getenv("GATEWAY_INTERFACE") != NULL)
		return serve_cgi(name);
	fprintf(stderr, "pagehook.fcgi %s is started by a web server, as FastCGI or CGI: "
	    "see pagehook.fcgi(8)\n", PH_VERSION);
	return EX_USAGE;
}
