/*
 * backoff -- how long until the next try.
 * Knows nothing else.  Does not know clocks: it says how long, not when.
 * Called by ledger.
 * Lives on the caller's stack.
 * SPDX-License-Identifier: ISC
 */
#ifndef PH_BACKOFF_H
#define PH_BACKOFF_H

#include <stdint.h>

/*
 * Milliseconds to wait after the attempt-th failed try (1 is the first): 2 s, 10 s, 30 s, 2 m, 10 m,
 * 30 m, then hourly; of that a random part, but never less than a tenth, so that what failed
 * together does not come back together.  random: any number that differs from call to call.
 */
int64_t	ph_backoff_ms(int64_t attempt, uint32_t random);

#endif
