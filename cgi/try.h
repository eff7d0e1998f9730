/*
 * try -- what the bot would say to somebody, here in the terminal: rules and handlers for real, Graph not.
 * Knows pages, think, handler, answer.  Does not know the store or Graph.
 * Called by chat and by "replies test".
 * Lives for one command; coprocs live as long.
 * SPDX-License-Identifier: ISC
 */
#ifndef TRY_H
#define TRY_H

#include "handler.h"
#include "pages.h"
#include "think.h"
#include "verb.h"

struct try {
	const struct ph_conf	*conf;
	struct ph_pages		*pages;
	struct ph_handlers	*handlers;
	int64_t			 n_said;

	/* Of the last try_say. */
	struct ph_thought	 thought;
	struct ph_buffer	 messages;	/* what is said: message objects, one a line */
	bool			 ran;		/* a handler was asked */
	char			 why[240];	/* why it gave no answer; "": it did */
};

struct try_said {			/* one of the first four */
	const char	*text, *quick, *postback, *attachment;
	const char	*page;			/* NULL: the Page of the settings */
	int64_t		 at;			/* Unix ms */
	bool		 first;
};

/* PH_CONFIG: a replies file, or the Pages, cannot be used; all flaws were printed. */
enum ph_error	try_open(struct try *t, const struct ph_conf *conf, struct ph_fail *fail) PH_MUST_USE;
void		try_close(struct try *t);

/*
 * Thinks about what somebody said; run: handlers are asked, otherwise thought.argv says which would
 * be.  PH_MALFORMED: what it would say is no message; the text starts with the rule's place.
 */
enum ph_error	try_say(struct try *t, const struct try_said *said, bool run, struct ph_fail *fail)
		    PH_MUST_USE;

/* Prints a message object for people: its text, [quick replies], what is attached. */
void		try_print_message(struct ph_slice message);

/* The next line of lines, without its end; false: none is left. */
bool		try_next_line(struct ph_slice *lines, struct ph_slice *line);

/* Prints a text as JSON, quotes and all; NULL as null. */
void		try_print_json(const char *text);

#endif
