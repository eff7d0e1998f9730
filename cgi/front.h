/*
 * front -- proves who sent it, hands it over, answers.
 * Knows request, mount, signature, query.  Does not know JSON, the store or Graph.
 * Called by main.
 * Lives as one value a thread, sharing nothing with the others.
 * SPDX-License-Identifier: ISC
 */
#ifndef FRONT_H
#define FRONT_H

#include "error.h"

struct front;

/* name: the program's own, which chooses the settings file.  NULL when out of memory. */
struct front	*front_new(const char *name) PH_MUST_USE;
void		 front_free(struct front *front);

/*
 * One turn: accepts every request that already waits, hands over, answers.
 * PH_NONE: nobody waited.  PH_NOMEM: no descriptors or memory for now; wait before the next turn.
 */
enum ph_error	 front_turn(struct front *front, struct ph_fail *fail) PH_MUST_USE;

/* Answers a request that was accepted and had not said all, if there is one; accepts no other. */
void		 front_finish(struct front *front);

/* The one request of a plain CGI process. */
void		 front_answer_cgi(struct front *front);

/* The threads that the settings ask for, PAGEHOOK_THREADS; its default while they cannot be read. */
int		 front_threads(const char *name);

#endif
