/*
 * outcome -- what became of a send: Graph's answer turned into what happens next.
 * Knows json.  Does not know queues, states or the network.
 * Called by turn, for each finished transfer.
 * Lives on the caller's stack.
 * Source: Meta, Graph API, error handling; Messenger Platform, error codes.
 * SPDX-License-Identifier: ISC
 */
#ifndef PH_OUTCOME_H
#define PH_OUTCOME_H

#include "buffer.h"
#include "json.h"

struct ph_answer {			/* what came back of one request */
	bool		 handed;	/* a byte of our body left us: it may have been taken */
	long		 status;	/* HTTP; 0: no answer */
	struct ph_slice	 body;
	const char	*transport;	/* why there is no whole answer; NULL: there is one */
};

enum ph_outcome {
	PH_SENT,		/* Graph has it */
	PH_RETRY,		/* it was not taken, and may be the next time */
	PH_REFUSED,		/* it was not taken and never will be */
	PH_UNSURE		/* nobody here knows whether it was taken */
};

struct ph_result {
	enum ph_outcome	 outcome;
	char		 mid[256];	/* "" when Graph named none */
	int64_t		 code, subcode;	/* 0: none */
	bool		 perhaps_taken;	/* refused in words that have come for messages that went out */
	char		 trace[64];	/* fbtrace_id */
	char		 why[200];	/* for people: shown, never matched */
};

/* Decides by the body, never by the HTTP status alone: rate limits come as 400. */
void		ph_outcome_judge(const struct ph_answer *answer, struct ph_result *out);

const char	*ph_outcome_name(enum ph_outcome outcome);

#endif
