/*
 * unit -- what every unit test begins with: cmocka, and short words for slices and failures.
 * Knows buffer.  Does not know any module under test.
 * Called by the tests, which include it first.
 * Lives in headers alone, so that a test links nothing but the library.
 * SPDX-License-Identifier: ISC
 */
#ifndef PH_UNIT_H
#define PH_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "buffer.h"

#define TEST(name)	static void name(void **fixture __attribute__((unused)))
#define COUNT_OF(array)	(sizeof(array) / sizeof((array)[0]))

/* Bytes of a literal, NULs and all. */
#define BYTES(literal)	((struct ph_slice){ literal, sizeof(literal) - 1 })

/* Runs what must succeed; the cause is printed if it does not. */
#define must(call, fail) do {							\
	enum ph_error	 must_err = (call);					\
	if (must_err != PH_OK)							\
		fail_msg("%s: %s: %s", #call, ph_error_name(must_err), (fail)->text);	\
} while (0)

static inline struct ph_slice
slice(const char *text)
{
	return (struct ph_slice){ text, strlen(text) };
}

/* A slice as a text for assert_string_equal: one at a time. */
static inline const char *
shown(struct ph_slice s)
{
	static char	 text[9000];

	if (s.at == NULL)
		return "(absent)";
	snprintf(text, sizeof(text), "%.*s", (int)s.len, s.at);
	return text;
}

#endif
