/*
 * think -- what to say to an event.
 * Knows event, view, say, replies and their rules.  Does not know the store, Graph, handlers or the clock.
 * Called by delivery for each new event that may be answered, by waiting for those that were put off,
 * and by the command that tries them.
 * Lives in memory alone: pure and fast, so that one commit stands between a POST and its reply.
 * SPDX-License-Identifier: ISC
 */
#ifndef PH_THINK_H
#define PH_THINK_H

#include "event.h"
#include "replies.h"

struct ph_person {			/* by the User Profile API; borrowed */
	struct ph_slice	 first_name, last_name;	/* absent: not to be had */
};

struct ph_facts {			/* what the event itself does not say; borrowed */
	int64_t			 id;		/* of the event's row; attempt: how often a handler */
	int64_t			 attempt;	/* will have been asked, from 1 */
	int64_t			 at;		/* Unix ms: when it happened */
	bool			 first;		/* the person's first turn with this Page */
	const struct ph_person	*person;	/* NULL: not known yet, ask for it if it is wanted */
};

struct ph_thought {			/* the caller's: PH_THOUGHT_INIT, ph_thought_clear */
	const char		*rule;		/* "replies.json:7", the rule's own; NULL: none fits */
	bool			 wants_person;	/* nothing else is set: think again with the person known */
	bool			 seen, typing;	/* sender actions, before anything else */
	struct ph_buffer	 messages;	/* message objects, each on a line of its own, in order */
	int64_t			 pause_ms;	/* the bot is silent so long from facts.at on; 0: not */
	bool			 handover;	/* pass the thread, silent until it comes back */
	const char		*handover_to;	/* an app's id, the rule's own; NULL: the Page inbox */

	/* A handler is to be asked: its answer is what is said.  NULL: none. */
	char			**argv;		/* ended by NULL; the thought's own */
	bool			 coproc;
	int64_t			 timeout_ms;
	struct ph_buffer	 line;		/* what it gets: one line of JSON, newline and all */
	const char		*on;		/* static: what rules call this event: "text", "postback" .. */

	struct ph_buffer	 captures;	/* {"n":"1234"}, for who shows how a rule fits */
	char			 limit[80];	/* "replies.json:7": its pattern hit a limit; "": none did */
};

#define PH_THOUGHT_INIT	{ .rule = NULL }

/*
 * The first rule that fits, and what it says.  Sets all of *out, which was INIT or is used again.
 * PH_MALFORMED: what it would say is beyond a limit of Meta's once it is filled in; the text starts
 * with the rule's place.
 */
enum ph_error	ph_think(const struct ph_replies *replies, const struct ph_event *event,
		    const struct ph_facts *facts, struct ph_thought *out, struct ph_fail *fail)
		    PH_MUST_USE;
void		ph_thought_clear(struct ph_thought *thought);

#endif
