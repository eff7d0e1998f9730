/*
 * place -- one event that a handler is asked: what goes there, until when, and what came of it.
 * Knows buffer, clock.  Does not know processes.
 * Called by exec, which has one, and coproc, which has a few; handler hands the words on.
 * Lives in its owner; it is free, reserved, launched, asked, answered, told and free again.
 * Described in cgi/pagehook-handler.7.
 * SPDX-License-Identifier: ISC
 */
#ifndef PH_PLACE_H
#define PH_PLACE_H

#include <stdint.h>

#include "buffer.h"

struct ph_handler_ask {			/* borrowed for the call */
	int64_t		 event, attempt;
	bool		 alone;		/* it may be what crashed the program: asked while nothing else is */
	bool		 coproc;
	char *const	*argv;		/* ended by NULL */
	const char	*dir;		/* working directory, and where "./program" lies */
	int64_t		 timeout_ms;
	struct ph_slice	 line;		/* the event: one line of JSON and its newline */
	const char	*on;
	struct ph_slice	 page, psid;	/* with on, for the environment of an exec */
};

enum ph_handler_end {
	PH_HANDLER_ANSWERED,	/* reply holds what it said, perhaps nothing */
	PH_HANDLER_LATER,	/* it asked to be asked later (exit 75, "retry") */
	PH_HANDLER_DEAD,	/* it said never again (exit 65, "dead"), or its answer is beyond use */
	PH_HANDLER_FAILED	/* crashed, timed out, garbage: ask again with backoff */
};

struct ph_handler_answer {		/* valid until the next call of ph_handlers_next or _perform */
	int64_t			 event;
	enum ph_handler_end	 end;
	bool			 coproc;
	struct ph_slice		 reply;		/* exec: its whole output; coproc: the raw JSON of "reply" */
	int64_t			 retry_ms;	/* LATER: as it asked; 0: it did not say */
	int64_t			 took_ms;
	char			 why[160];	/* for people, when it did not answer; never its words but "dead"'s */
};

enum ph_place_state {			/* in the order of an event's way through it */
	PH_PLACE_FREE = 0,
	PH_PLACE_RESERVED,		/* its claim is not on disk yet */
	PH_PLACE_LAUNCHED,		/* to be asked as soon as somebody listens */
	PH_PLACE_ASKED,
	PH_PLACE_ANSWERED,
	PH_PLACE_TOLD			/* the answer is with the caller, who may look at it */
};

struct ph_place {
	enum ph_place_state	 state;
	int64_t			 event, attempt, timeout_ms;
	bool			 alone;
	int64_t			 launched_at, answer_by;	/* monotonic */
	struct ph_buffer	 line;		/* what is yet to be written */
	struct ph_buffer	 reply;		/* what answer.reply borrows */
	struct ph_handler_answer answer;
};

/* Copies what is asked; the place was free. */
enum ph_error	ph_place_reserve(struct ph_place *place, const struct ph_handler_ask *ask,
		    struct ph_fail *fail) PH_MUST_USE;
void		ph_place_launch(struct ph_place *place);
void		ph_place_ask(struct ph_place *place);	/* from here on its time runs */

/* What came of it; why is for people, "" when it answered.  The reply is what reply holds. */
void		ph_place_settle(struct ph_place *place, enum ph_handler_end end, const char *why);

/* "no answer in 10 s", by the time limit of this place. */
void		ph_place_tell_late(const struct ph_place *place, char *why, size_t size);

/* Hands out an answer that is there; one handed out before is forgotten. */
bool		ph_place_next(struct ph_place *place, struct ph_handler_answer *out);
void		ph_place_clear(struct ph_place *place);

#endif
