/*
 * exec -- a handler that is started for one event: event in, end of file, answer out, exit status.
 * Knows program, process, handler_log, place.  Does not know what is in an answer.
 * Called by handler, which has a few of them.
 * Lives from its reservation until its answer has been told and its process is gone.
 * Described in cgi/pagehook-handler.7.
 * SPDX-License-Identifier: ISC
 */
#ifndef PH_EXEC_H
#define PH_EXEC_H

#include "handler_log.h"
#include "place.h"
#include "process.h"

#define PH_EXEC_MAX_OUTPUT	(256 * 1024)

struct ph_exec {
	struct ph_place		 place;
	struct ph_program	 program;
	struct ph_process	 process;
	struct ph_handler_log	 log;
	int64_t			 decide_by;	/* monotonic: it left its output open */
	char			 why[160];	/* we ended it; "": we did not */
};

#define PH_EXEC_INIT	{ .process = PH_PROCESS_INIT, .log = PH_HANDLER_LOG_INIT }

enum ph_error	ph_exec_reserve(struct ph_exec *exec, const struct ph_handler_ask *ask,
		    struct ph_fail *fail) PH_MUST_USE;

/* Starts it; what keeps it from starting is its answer. */
void		ph_exec_launch(struct ph_exec *exec);

/* Moves bytes, keeps the time limits, and settles it once it has left. */
void		ph_exec_perform(struct ph_exec *exec);

size_t		ph_exec_watch(const struct ph_exec *exec, struct pollfd *fds, size_t max);
int64_t		ph_exec_due(const struct ph_exec *exec);	/* monotonic; INT64_MAX: nothing */
void		ph_exec_clear(struct ph_exec *exec);		/* kills what still runs */

#endif
