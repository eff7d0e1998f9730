/*
 * fuzz -- what the fuzz targets share: a demand, and the fuzzer's entry.
 * Knows nothing else.  Does not know what is fuzzed.
 * Called by each target.
 * Lives for one input.
 * SPDX-License-Identifier: ISC
 */
#ifndef FUZZ_H
#define FUZZ_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define demand(holds)	demand_that((holds), __FILE__, #holds)

int	LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static inline void
demand_that(bool holds, const char *file, const char *what)
{
	if (holds)
		return;
	fprintf(stderr, "%s: does not hold: %s\n", file, what);
	abort();
}

#endif
