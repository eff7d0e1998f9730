/*
 * events -- JSON that can be read in C, and one event made of it.
 * Knows event.  Does not know what a test asks of it.
 * Called by the tests whose subject begins with an event.
 * Lives in static memory: an event's bytes until the next event is read.
 * SPDX-License-Identifier: ISC
 */
#ifndef PH_EVENTS_H
#define PH_EVENTS_H

#include "event.h"
#include "unit.h"

/* What most events begin with, in the documentation's own shorthand. */
#define S	"'sender':{'id':'7001'},'recipient':{'id':'9001'},'timestamp':1767225600000"
#define T	"1767225600000"

/* Writes text with every ' turned into " to out. */
static inline struct ph_slice
quoted(const char *text, char *out, size_t size)
{
	size_t	 i, n = strlen(text);

	assert_true(n < size);
	for (i = 0; i <= n; i++)
		out[i] = text[i] == '\'' ? '"' : text[i];
	return (struct ph_slice){ out, n };
}

/* Reads one event of an entry; id and time may be NULL: the entry has none. */
static inline void
read_event(enum ph_channel channel, const char *event, const char *id, const char *time,
    struct ph_event *out)
{
	static char	 bytes[3][16384];
	struct ph_fail	 fail = PH_FAIL_INIT;
	const struct ph_event_source	 source = {
		.channel = channel,
		.event = quoted(event, bytes[0], sizeof(bytes[0])),
		.entry_id = id != NULL ? quoted(id, bytes[1], sizeof(bytes[1])) :
		    (struct ph_slice){ NULL, 0 },
		.entry_time = time != NULL ? quoted(time, bytes[2], sizeof(bytes[2])) :
		    (struct ph_slice){ NULL, 0 },
	};

	must(ph_event_read(&source, out, &fail), &fail);
}

/* The same in an entry of page 9001. */
static inline void
read_message(const char *event, struct ph_event *out)
{
	read_event(PH_MESSAGING, event, "'9001'", "1767225600500", out);
}

#endif
