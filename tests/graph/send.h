/*
 * send -- one Send API request, or a thread passed, judged as Graph judges it.
 * Knows json-c and the Send API's limits.  Does not know HTTP, tokens or faults.
 * Called by graph; echo reads what it found.
 * Lives for one call of graph's; the slices borrow from json.
 * SPDX-License-Identifier: ISC
 */
#ifndef GRAPH_SEND_H
#define GRAPH_SEND_H

#include <json-c/json.h>

#include "buffer.h"

struct send {				/* what is absent has at == NULL, or is NULL */
	struct json_object	*json;
	struct json_object	*message;	/* an object */
	struct ph_slice		 to, text, metadata, action;
	bool			 to_ref;	/* to is a plugin's user_ref, not a person's id */
};

#define SEND_INIT	{ NULL, NULL, { NULL, 0 }, { NULL, 0 }, { NULL, 0 }, { NULL, 0 }, false }

/*
 * Fills *s with whatever can be read of the body.  NULL when Graph would take it, else the text
 * of its error 100, static.  In either case the caller clears *s.
 */
const char	*send_parse(struct send *s, struct ph_slice body) PH_MUST_USE;

/* The same for a pass_thread_control: it has neither message, text nor action. */
const char	*send_parse_pass(struct send *s, struct ph_slice body) PH_MUST_USE;

void		 send_clear(struct send *s);

#endif
