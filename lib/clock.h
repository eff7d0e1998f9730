/*
 * clock -- what time it is, and how long a wait is.
 * Knows nothing else.  Does not sleep.
 * Called by everybody who stores a time or bounds a wait.
 * Lives in the system's two clocks: wall time is stored, monotonic time never is.
 * SPDX-License-Identifier: ISC
 */
#ifndef PH_CLOCK_H
#define PH_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

#define PH_SECOND_MS	INT64_C(1000)
#define PH_MINUTE_MS	(60 * PH_SECOND_MS)
#define PH_HOUR_MS	(60 * PH_MINUTE_MS)
#define PH_DAY_MS	(24 * PH_HOUR_MS)

int64_t	ph_clock_now(void);	/* Unix ms: may be stored, may step */
int64_t	ph_clock_mono(void);	/* monotonic ms: for deadlines of this process, never stored */

/* Whether such a time is one that a clock which was ever set would show: no age is judged by others. */
bool	ph_clock_is_set(int64_t now);

/* Unix ms as 2026-11-22T14:30:00.123Z. */
#define PH_CLOCK_TEXT	48
void	ph_clock_format(int64_t at, char out[PH_CLOCK_TEXT]);

/*
 * How long a wait of this many ms lasts.  The same number, but for one
 * Seam: built with PH_TEST, it is divided by the environment's PH_TEST_SPEED, so that a test sees
 * the 20 s grace of an unknown outcome pass without waiting for it.
 */
int64_t	ph_clock_wait_ms(int64_t ms);

/* Milliseconds from now until a monotonic deadline, for poll(2): never negative. */
int	ph_clock_left_ms(int64_t answer_by);

#endif
