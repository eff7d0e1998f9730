/*
 * faults -- what the next request is to suffer, read from the control file.
 * Knows buffer.  Does not know HTTP, nor how a fault is played.
 * Called by graph for each valid call but a look at the page itself, from many threads.
 * Lives as long as the program: how often a line was used is forgotten with it.
 * SPDX-License-Identifier: ISC
 *
 * The control file is read at each request; no file, no faults.  Replace it by rename.  A line is
 *
 *	ACTION [ARG ..] [taken] [times=N] [call=CALL] [to=PSID] [header=N:V] [text=WORDS]
 *
 * and the first that matches and is not used up wins; a line is known by its whole text.  Empty
 * lines and lines that start with # mean nothing; a line that cannot be read makes every answer
 * that comes to it 500 and says so on standard error, which is lighttpd's.  header= adds a header
 * NAME:VALUE to the answer, without blanks; text= takes the rest of its line, blanks included.
 * CALL is messages, which it is when not named, action (a sender_action), profile (GET of a
 * person) or pass_thread_control: a line is for one of them, and others do not use it up.
 *
 *	error CODE [SUBCODE] [transient]  400 and Graph's error object
 *	status NNN          that status without a body
 *	delay MS            taken; the answer comes MS later
 *	accepted-hang MS    taken; no answer, and the end of the stream MS later
 *	no-id               200 {}
 *	garbage             200 and HTML
 *	truncated           200 and half of the JSON
 *	huge                200 and 10 MB
 *	redirect            307 to the same address
 *	drop                no answer, and the end of the stream at once
 *	answer json=JSON    taken; 200 and the rest of the line
 *
 * With the word `taken` the message counts as sent and is echoed whatever the answer says; delay,
 * accepted-hang and answer have it always, the others never else.
 */
#ifndef GRAPH_FAULTS_H
#define GRAPH_FAULTS_H

#include "buffer.h"

enum fault_kind {
	FAULT_NONE,
	FAULT_ERROR,
	FAULT_STATUS,
	FAULT_DELAY,
	FAULT_HANG,
	FAULT_NO_ID,
	FAULT_GARBAGE,
	FAULT_TRUNCATED,
	FAULT_HUGE,
	FAULT_REDIRECT,
	FAULT_DROP,
	FAULT_ANSWER
};

struct fault {
	enum fault_kind	 kind;
	int		 args[2];	/* code and subcode, status, or ms; 0: not given */
	bool		 transient, taken;
	char		 header[200];	/* "NAME:VALUE", or "" */
	char		 json[1000];	/* of FAULT_ANSWER */
};

struct faults;

/* path may be NULL: no faults.  NULL when out of memory. */
struct faults	*faults_new(const char *path) PH_MUST_USE;

/* The fault for this call to this person with this text; a use of it is spent. */
struct fault	 faults_next(struct faults *f, const char *call, struct ph_slice to,
		    struct ph_slice text);

/* The action's name in the control file. */
const char	*fault_name(enum fault_kind kind);

#endif
