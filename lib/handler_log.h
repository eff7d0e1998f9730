/*
 * handler_log -- what a child says for people: its standard error, a line at a time, into our log.
 * Knows buffer, clock, log.  Does not know who starts or ends the child.
 * Called by exec, coproc and alert.
 * Lives as long as its child does.
 * Described in cgi/pagehook-handler.7.
 * SPDX-License-Identifier: ISC
 */
#ifndef PH_HANDLER_LOG_H
#define PH_HANDLER_LOG_H

#include "log.h"

#define PH_HANDLER_LOG_LINE		1024	/* bytes of a line that count; the rest of it is left out */
#define PH_HANDLER_LOG_A_MINUTE	200	/* lines of one child */

struct ph_handler_log {
	const char	*name;			/* of the program, borrowed */
	const char	*kind;			/* of the lines in our log, static */
	char		 line[PH_HANDLER_LOG_LINE];	/* one that has not ended yet */
	size_t		 len;
	int64_t		 minute_ends;		/* monotonic */
	unsigned	 n_said;		/* in that minute */
};

#define PH_HANDLER_LOG_INIT	{ .name = "", .kind = "handler" }

/*
 * Reads what is there, without waiting, and logs its lines; event is the one they are about, 0:
 * nobody can tell.  At the end of file, fd is closed and becomes -1.
 */
void	ph_handler_log_read(struct ph_handler_log *log, int *fd, int64_t event);

/* A line of the log, counted like the others. */
void	ph_handler_log_say(struct ph_handler_log *log, enum ph_log_level level, int64_t event,
	    struct ph_slice words);

#endif
