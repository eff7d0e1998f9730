/*
 * answer -- what Graph says to a call, and the many ways it fails to.
 * Knows faults, send's findings and FastCGI.  Does not know why a call is refused.
 * Called by graph, once a call, after the ledger has its line.
 * Lives for one call of graph's.
 * SPDX-License-Identifier: ISC
 */
#ifndef GRAPH_ANSWER_H
#define GRAPH_ANSWER_H

#include <fcgiapp.h>
#include <stdint.h>

#include "faults.h"
#include "send.h"

#define ID_LEN	32		/* hex digits of 16 random bytes */

enum call_is {
	CALL_MESSAGE,		/* any other POST too, until it is refused */
	CALL_ACTION,		/* a sender_action */
	CALL_PASS,		/* of thread control */
	CALL_PROFILE		/* GET of a person */
};

struct call {			/* one request, from accept to answer */
	FCGX_Request		*rq;
	enum call_is		 is;
	int64_t			 at_us;			/* when it came, Unix us */
	char			 id[ID_LEN + 1];
	char			 page[64], edge[64];	/* of /v25.0/PAGE/EDGE, or "" */
	char			 person[64];		/* of /v25.0/PERSON; page is the token's */
	struct ph_buffer	 body, answer;
	struct send		 send;
	struct fault		 fault;	/* FAULT_ERROR also for what Graph itself refuses */
	const char		*says;	/* the text of such an error; NULL: the control file's */
	char			 mid[ID_LEN + 3];	/* "" when not a message taken */
};

/* Answers as c->fault says; may wait. */
void	answer(struct call *c);

/* The page's id and name. */
void	answer_page(struct call *c);

#endif
