/*
 * stopped_clock -- the system's clocks, which a test may stop and move by hand.
 * Knows the system call.  Does not know who asks what time it is.
 * Called by the library in place of the C library's clock_gettime, in tests that include it.
 * Lives once a program; it runs as usual until it is stopped.
 * SPDX-License-Identifier: ISC
 */
#ifndef PH_STOPPED_CLOCK_H
#define PH_STOPPED_CLOCK_H

#include <sys/syscall.h>

#include <stdbool.h>
#include <stdint.h>
#include <time.h>
#include <unistd.h>

static bool		 clock_stopped;
static int64_t		 clock_moved_ms;
static struct timespec	 clock_at[2];		/* CLOCK_REALTIME, CLOCK_MONOTONIC, when stopped */

int
clock_gettime(clockid_t which, struct timespec *ts)
{
	if (!clock_stopped || (which != CLOCK_REALTIME && which != CLOCK_MONOTONIC))
		return (int)syscall(SYS_clock_gettime, which, ts);
	*ts = clock_at[which == CLOCK_MONOTONIC];
	ts->tv_sec += (time_t)(clock_moved_ms / 1000);
	ts->tv_nsec += (long)(clock_moved_ms % 1000) * 1000000;
	if (ts->tv_nsec >= 1000000000) {
		ts->tv_sec++;
		ts->tv_nsec -= 1000000000;
	}
	return 0;
}

static inline void
clock_stop(void)
{
	clock_stopped = false;
	clock_moved_ms = 0;
	clock_gettime(CLOCK_REALTIME, &clock_at[0]);
	clock_gettime(CLOCK_MONOTONIC, &clock_at[1]);
	clock_stopped = true;
}

static inline void
clock_move(int64_t ms)
{
	clock_moved_ms += ms;
}

static inline void
clock_go_on(void)
{
	clock_stopped = false;
}

#endif
