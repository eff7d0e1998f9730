/*
 * outcome -- what became of a send: Graph's answer turned into what happens next.
 * Knows json, clock's units.  Does not know queues, states or the network.
 * Called by sending, for each finished transfer.
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
	bool		 distrusted;	/* of transport: nobody we trust vouches for who is there */
	int64_t		 retry_after_ms; /* a header of the answer; 0: none */
	int		 usage;		/* per cent of a limit that is used up, the highest that Graph told */
};

enum ph_outcome {
	PH_SENT,		/* Graph has it */
	PH_RETRY,		/* it was not taken, and may be the next time */
	PH_REFUSED,		/* this message will never be taken */
	PH_UNREACHABLE,		/* nor will any other to this person, until they write again */
	PH_PAGE,		/* nothing of this Page is taken until something changes */
	PH_THREAD,		/* another app has the thread: not before it comes back */
	PH_UNSURE		/* nobody here knows whether it was taken */
};

struct ph_result {
	enum ph_outcome	 outcome;
	int		 retries;	/* of RETRY: so many at most; 0: until it is too old */
	enum ph_outcome	 then;		/* what it is after those */
	int64_t		 wait_ms;	/* of RETRY, PAGE: as Graph asked or is known to want; 0: backoff */
	bool		 page_waits;	/* of RETRY: a limit of the whole Page's, or of more */
	int		 usage;		/* per cent of a limit that Graph says is used up */
	bool		 perhaps_taken;	/* refused in words that have come for messages that went out */
	char		 mid[256];	/* "" when Graph named none */
	int64_t		 code, subcode;	/* 0: none */
	char		 trace[64];	/* fbtrace_id */
	char		 why[200];	/* for people: shown, never matched */
	long		 status;	/* HTTP; 0: no answer */
	char		 error[1200];	/* Graph's raw error object on one line; "": none, or too long */
	int64_t		 due;		/* Unix ms: once settled, when it is looked at again */
	int64_t		 followed;	/* once settled: so many replies are dead with it */
};

/* Decides by the body, never by the HTTP status alone: rate limits come as 400. */
void		ph_outcome_judge(const struct ph_answer *answer, struct ph_result *out);

const char	*ph_outcome_name(enum ph_outcome outcome);

#endif
