/*
 * coproc -- a handler that stays: a hello each way, then events and answers as lines of JSON.
 * Knows program, process, handler_log, places, coproc_line.  Does not know what is in a reply.
 * Called by handler, which has one for each distinct command line.
 * Lives as long as its command line is wanted; processes come and go in it, each after the other.
 * Described in cgi/pagehook-handler.7.
 * SPDX-License-Identifier: ISC
 */
#ifndef PH_COPROC_H
#define PH_COPROC_H

#include "handler_log.h"
#include "places.h"
#include "process.h"

#define PH_COPROC_MAX_LINE	(1024 * 1024)	/* each way, newline included */

struct ph_coproc;

enum ph_error	ph_coproc_new(char *const *argv, const char *dir, struct ph_coproc **out,
		    struct ph_fail *fail) PH_MUST_USE;
void		ph_coproc_free(struct ph_coproc *coproc);	/* kills what still runs */
bool		ph_coproc_is(const struct ph_coproc *coproc, char *const *argv, const char *dir);

/* PH_BUSY: it has all it takes, it is leaving, or it waits to be started again. */
enum ph_error	ph_coproc_reserve(struct ph_coproc *coproc, const struct ph_handler_ask *ask,
		    struct ph_fail *fail) PH_MUST_USE;
void		ph_coproc_launch(struct ph_coproc *coproc);	/* starts it if it does not run */
void		ph_coproc_cancel(struct ph_coproc *coproc);
size_t		ph_coproc_asked(const struct ph_coproc *coproc);

void		ph_coproc_perform(struct ph_coproc *coproc);
bool		ph_coproc_next(struct ph_coproc *coproc, struct ph_handler_answer *out);

size_t		ph_coproc_watch(const struct ph_coproc *coproc, struct pollfd *fds, size_t max);
int64_t		ph_coproc_due(const struct ph_coproc *coproc);	/* monotonic; INT64_MAX: nothing */

/* The program or the rules changed: it gets no new events, leaves when idle, starts when needed. */
void		ph_coproc_renew(struct ph_coproc *coproc);
void		ph_coproc_leave(struct ph_coproc *coproc);	/* end of file; killed in 5 s */
bool		ph_coproc_runs(const struct ph_coproc *coproc);

/* Monotonic, when it was last asked; INT64_MAX: it cannot be spared just now. */
int64_t		ph_coproc_idle_since(const struct ph_coproc *coproc);

#endif
