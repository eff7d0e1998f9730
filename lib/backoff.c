/*
 * backoff -- how long until the next try.
 * Knows nothing else.  Does not know clocks.
 * Called by ledger.
 * Lives on the caller's stack.
 * SPDX-License-Identifier: ISC
 */
#include <stddef.h>

#include "backoff.h"

int64_t
ph_backoff_ms(int64_t attempt, uint32_t random)
{
	static const int64_t	 seconds[] = { 2, 10, 30, 120, 600, 1800, 3600 };
	const int64_t		 n = sizeof(seconds) / sizeof(seconds[0]);
	int64_t			 whole = 1000 * seconds[attempt < 1 ? 0 : attempt > n ? n - 1 : attempt - 1];

	return whole / 10 + random % (uint32_t)(whole - whole / 10 + 1);
}
