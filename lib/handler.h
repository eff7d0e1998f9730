/*
 * handler -- the user's programs that answer: one process an event (exec), or one that stays (coproc).
 * Knows exec, coproc; place says what is asked and what came of it.  Does not know rules, the store
 * or what is in an answer.
 * Called by asked, chat and "replies test": reserve, launch once the claim is on disk, hear.
 * Lives in the helper's one thread; what runs is ended, by its process group, at close.
 * Described in cgi/pagehook-handler.7.
 * SPDX-License-Identifier: ISC
 */
#ifndef PH_HANDLER_H
#define PH_HANDLER_H

#include <poll.h>

#include "coproc.h"
#include "place.h"

#define PH_HANDLER_EXECS	4	/* processes of exec handlers at once */
#define PH_HANDLER_WATCHED	64	/* descriptors to wait for, at most */

struct ph_handlers;

enum ph_error	ph_handlers_open(struct ph_handlers **out, struct ph_fail *fail) PH_MUST_USE;
/* Coprocs get end of file and 5 s, then all that is left is killed. */
void		ph_handlers_close(struct ph_handlers *handlers);

/*
 * Takes a place for this event; launch starts all that are reserved, cancel gives them back.
 * PH_BUSY: no place now: four execs run, the coproc has all it takes, or it waits to be started again.
 */
enum ph_error	ph_handlers_reserve(struct ph_handlers *handlers, const struct ph_handler_ask *ask,
		    struct ph_fail *fail) PH_MUST_USE;
void		ph_handlers_launch(struct ph_handlers *handlers);
void		ph_handlers_cancel(struct ph_handlers *handlers);

/* Moves bytes, keeps time limits, reaps; then the next answer, or false. */
void		ph_handlers_perform(struct ph_handlers *handlers);
bool		ph_handlers_next(struct ph_handlers *handlers, struct ph_handler_answer *out);

size_t		ph_handlers_asked(const struct ph_handlers *handlers);	/* events not yet answered */

/* What to wait for, and at most how long, in ms; -1: nothing is due. */
size_t		ph_handlers_watch(const struct ph_handlers *handlers, struct pollfd *fds, size_t max);
int		ph_handlers_patience(const struct ph_handlers *handlers);

/* The rules have changed: every coproc ends when it has answered, and starts again when needed. */
void		ph_handlers_renew(struct ph_handlers *handlers);

#endif
