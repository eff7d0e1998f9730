/*
 * clock -- what time it is, and how long a wait is.
 * Knows nothing else.  Does not sleep.
 * Called by everybody who stores a time or bounds a wait.
 * Lives in the system's two clocks.
 * SPDX-License-Identifier: ISC
 */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "clock.h"

static int64_t
read_clock(clockid_t which)
{
	struct timespec	 ts;

	clock_gettime(which, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

int64_t
ph_clock_now(void)
{
	return read_clock(CLOCK_REALTIME);
}

int64_t
ph_clock_mono(void)
{
	return read_clock(CLOCK_MONOTONIC);
}

bool
ph_clock_is_set(int64_t now)
{
	return now > INT64_C(1767225600000);	/* 2026 */
}

void
ph_clock_format(int64_t at, char out[PH_CLOCK_TEXT])
{
	time_t		 seconds = (time_t)(at / 1000);
	struct tm	 tm;
	size_t		 n;

	out[0] = '\0';
	if (gmtime_r(&seconds, &tm) == NULL)
		return;
	n = strftime(out, 32, "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(out + n, PH_CLOCK_TEXT - n, ".%03dZ", (int)(at % 1000));
}

int64_t
ph_clock_wait_ms(int64_t ms)
{
#ifdef PH_TEST
	const char	*speed = getenv("PH_TEST_SPEED");
	long		 n = speed != NULL ? strtol(speed, NULL, 10) : 1;

	if (n > 1)
		return ms > n ? ms / n : 1;
#endif
	return ms;
}

int
ph_clock_left_ms(int64_t answer_by)
{
	int64_t	 left = answer_by - ph_clock_mono();

	if (left <= 0)
		return 0;
	return left > INT_MAX ? INT_MAX : (int)left;
}
