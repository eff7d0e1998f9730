/*
 * said -- what must hold of every message that was thought of, whatever it was thought about.
 * Knows think, message.  Does not know what is fuzzed.
 * Called by the targets that think.
 * Lives in headers alone, as each target is one program.
 * SPDX-License-Identifier: ISC
 */
#ifndef SAID_H
#define SAID_H

#include <string.h>

#include "fuzz.h"
#include "bounds.h"
#include "think.h"

/* Each is on a line of its own, and one that the Send API would take. */
static inline void
demand_messages(const struct ph_thought *thought)
{
	struct ph_slice	 rest = PH_SLICE(&thought->messages), message;
	struct ph_fail	 fail = PH_FAIL_INIT;
	const char	*newline;

	demand(!thought->messages.failed);
	while (rest.len > 0) {
		newline = memchr(rest.at, '\n', rest.len);
		demand(newline != NULL);
		message = (struct ph_slice){ rest.at, (size_t)(newline - rest.at) };
		rest = (struct ph_slice){ newline + 1, rest.len - message.len - 1 };
		if (ph_bounds_check(message, NULL, NULL, &fail) != PH_OK)
			fprintf(stderr, "%.*s: %s\n", (int)message.len, message.at, fail.text);
		demand(fail.err == PH_OK);
	}
}

#endif
