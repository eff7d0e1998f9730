/*
 * handler -- the user's programs that answer: one process an event (exec), or one that stays (coproc).
 * Knows exec, coproc.  Does not know rules, the store or what is in an answer.
 * Called by asked, chat and "replies test".
 * Lives in the helper's one thread; what runs is ended, by its process group, at close.
 * SPDX-License-Identifier: ISC
 */
#include <sys/signalfd.h>

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "exec.h"
#include "handler.h"

#define COPROCS		16	/* distinct ones at once: what fits into PH_HANDLER_WATCHED */
#define LEAVE_MS	5000	/* coprocs take so long at most, then TERM and KILL take over */

_Static_assert(1 + (PH_HANDLER_EXECS + COPROCS) * PH_PROCESS_WATCHED <= PH_HANDLER_WATCHED,
    "whoever has a descriptor is waited for");

struct ph_handlers {
	int			 signals;	/* readable: a child has ended */
	bool			 child_was_blocked;
	struct ph_exec		 execs[PH_HANDLER_EXECS];
	struct ph_coproc	*coprocs[COPROCS];
};

/*
 * The end of a child wakes whoever waits for our descriptors.  Blocked before there are threads,
 * which inherit it: in one of them the signal would come to nothing.
 */
static enum ph_error
watch_children(struct ph_handlers *h, struct ph_fail *fail)
{
	struct sigaction	 plain = { .sa_handler = SIG_DFL };
	sigset_t		 child, before;

	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	(void)sigaction(SIGCHLD, &plain, NULL);	/* were it ignored, no child could be reaped */
	(void)pthread_sigmask(SIG_BLOCK, &child, &before);
	h->child_was_blocked = sigismember(&before, SIGCHLD) == 1;
	if ((h->signals = signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK)) == -1)
		return ph_error_set(fail, PH_BUSY, "handler: signalfd: %s", strerror(errno));
	return PH_OK;
}

enum ph_error
ph_handlers_open(struct ph_handlers **out, struct ph_fail *fail)
{
	struct ph_handlers	*h = calloc(1, sizeof(*h));
	size_t			 i;

	*out = NULL;
	if (h == NULL)
		return ph_error_set(fail, PH_NOMEM, "handler: out of memory");
	h->signals = -1;
	for (i = 0; i < PH_HANDLER_EXECS; i++)
		h->execs[i] = (struct ph_exec)PH_EXEC_INIT;
	if (watch_children(h, fail) != PH_OK) {
		ph_handlers_close(h);
		return fail->err;
	}
	*out = h;
	return PH_OK;
}

/* The end: a chance to leave, a word, and then no more words. */

static bool
somebody_runs(const struct ph_handlers *h)
{
	size_t	 i;

	for (i = 0; i < PH_HANDLER_EXECS; i++)
		if (h->execs[i].process.pid != 0)
			return true;
	for (i = 0; i < COPROCS; i++)
		if (h->coprocs[i] != NULL && ph_coproc_runs(h->coprocs[i]))
			return true;
	return false;
}

/* By then each has been killed: TERM at LEAVE_MS at the latest, KILL 2 s later. */
static void
wait_for_all(struct ph_handlers *h)
{
	int64_t				 by = ph_clock_mono() + ph_clock_wait_ms(2 * LEAVE_MS);
	struct pollfd			 fds[PH_HANDLER_WATCHED];
	struct ph_handler_answer	 unheard;
	int				 left, patience;
	size_t				 n;

	while (somebody_runs(h) && (left = ph_clock_left_ms(by)) > 0) {
		n = ph_handlers_watch(h, fds, PH_HANDLER_WATCHED);
		patience = ph_handlers_patience(h);
		(void)poll(fds, n, patience >= 0 && patience < left ? patience : left);
		ph_handlers_perform(h);
		while (ph_handlers_next(h, &unheard))
			continue;
	}
}

static void
ask_all_to_leave(struct ph_handlers *h)
{
	size_t	 i;

	for (i = 0; i < PH_HANDLER_EXECS; i++)
		ph_process_kill(&h->execs[i].process);	/* nobody will hear its answer */
	for (i = 0; i < COPROCS; i++)
		if (h->coprocs[i] != NULL)
			ph_coproc_leave(h->coprocs[i]);
}

void
ph_handlers_close(struct ph_handlers *h)
{
	sigset_t	 child;
	size_t		 i;

	if (h == NULL)
		return;
	ask_all_to_leave(h);
	wait_for_all(h);
	for (i = 0; i < PH_HANDLER_EXECS; i++)
		ph_exec_clear(&h->execs[i]);
	for (i = 0; i < COPROCS; i++)
		ph_coproc_free(h->coprocs[i]);
	if (h->signals != -1)
		close(h->signals);
	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	if (!h->child_was_blocked)
		(void)pthread_sigmask(SIG_UNBLOCK, &child, NULL);
	free(h);
}

/* Places. */

static enum ph_error
reserve_exec(struct ph_handlers *h, const struct ph_handler_ask *ask, struct ph_fail *fail)
{
	size_t	 i;

	for (i = 0; i < PH_HANDLER_EXECS; i++)
		if (h->execs[i].place.state == PH_PLACE_FREE)
			return ph_exec_reserve(&h->execs[i], ask, fail);
	return ph_error_set(fail, PH_BUSY, "%d handlers run already", PH_HANDLER_EXECS);
}

static struct ph_coproc **
find_coproc(struct ph_handlers *h, const struct ph_handler_ask *ask)
{
	size_t	 i;

	for (i = 0; i < COPROCS; i++)
		if (h->coprocs[i] != NULL && ph_coproc_is(h->coprocs[i], ask->argv, ask->dir))
			return &h->coprocs[i];
	return NULL;
}

/* An empty row; if there is none, the one idle longest makes room: at once, or when it has left. */
static struct ph_coproc **
empty_row(struct ph_handlers *h)
{
	size_t	 i, found = 0;
	int64_t	 since, longest = INT64_MAX;

	for (i = 0; i < COPROCS; i++) {
		if (h->coprocs[i] == NULL)
			return &h->coprocs[i];
		if ((since = ph_coproc_idle_since(h->coprocs[i])) < longest) {
			longest = since;
			found = i;
		}
	}
	if (longest == INT64_MAX)
		return NULL;
	if (ph_coproc_runs(h->coprocs[found])) {
		ph_coproc_leave(h->coprocs[found]);
		return NULL;
	}
	ph_coproc_free(h->coprocs[found]);
	h->coprocs[found] = NULL;
	return &h->coprocs[found];
}

static enum ph_error
reserve_coproc(struct ph_handlers *h, const struct ph_handler_ask *ask, struct ph_fail *fail)
{
	struct ph_coproc	**row = find_coproc(h, ask);

	if (row == NULL) {
		if ((row = empty_row(h)) == NULL)
			return ph_error_set(fail, PH_BUSY, "%d coprocs run already", COPROCS);
		if (ph_coproc_new(ask->argv, ask->dir, row, fail) != PH_OK)
			return fail->err;
	}
	return ph_coproc_reserve(*row, ask, fail);
}

enum ph_error
ph_handlers_reserve(struct ph_handlers *h, const struct ph_handler_ask *ask, struct ph_fail *fail)
{
	return ask->coproc ? reserve_coproc(h, ask, fail) : reserve_exec(h, ask, fail);
}

void
ph_handlers_launch(struct ph_handlers *h)
{
	size_t	 i;

	for (i = 0; i < PH_HANDLER_EXECS; i++)
		if (h->execs[i].place.state == PH_PLACE_RESERVED)
			ph_exec_launch(&h->execs[i]);
	for (i = 0; i < COPROCS; i++)
		if (h->coprocs[i] != NULL)
			ph_coproc_launch(h->coprocs[i]);
}

void
ph_handlers_cancel(struct ph_handlers *h)
{
	size_t	 i;

	for (i = 0; i < PH_HANDLER_EXECS; i++)
		if (h->execs[i].place.state == PH_PLACE_RESERVED)
			ph_exec_clear(&h->execs[i]);
	for (i = 0; i < COPROCS; i++)
		if (h->coprocs[i] != NULL)
			ph_coproc_cancel(h->coprocs[i]);
}

/* The signals say only that there is something to see; each child of ours is looked at anyway. */
static void
drain_signals(struct ph_handlers *h)
{
	struct signalfd_siginfo	 ended[8];

	while (read(h->signals, ended, sizeof(ended)) > 0)
		continue;
}

void
ph_handlers_perform(struct ph_handlers *h)
{
	size_t	 i;

	drain_signals(h);
	for (i = 0; i < PH_HANDLER_EXECS; i++)
		ph_exec_perform(&h->execs[i]);
	for (i = 0; i < COPROCS; i++)
		if (h->coprocs[i] != NULL)
			ph_coproc_perform(h->coprocs[i]);
}

static bool
next_exec(struct ph_exec *x, struct ph_handler_answer *out)
{
	bool	 told = x->place.state == PH_PLACE_TOLD;

	if (ph_place_next(&x->place, out))
		return true;
	if (told)
		ph_exec_clear(x);
	return false;
}

bool
ph_handlers_next(struct ph_handlers *h, struct ph_handler_answer *out)
{
	size_t	 i;

	for (i = 0; i < PH_HANDLER_EXECS; i++)
		if (next_exec(&h->execs[i], out))
			return true;
	for (i = 0; i < COPROCS; i++)
		if (h->coprocs[i] != NULL && ph_coproc_next(h->coprocs[i], out))
			return true;
	return false;
}

/* Waiting. */

size_t
ph_handlers_asked(const struct ph_handlers *h)
{
	size_t	 i, n = 0;

	for (i = 0; i < PH_HANDLER_EXECS; i++)
		n += h->execs[i].place.state != PH_PLACE_FREE &&
		    h->execs[i].place.state < PH_PLACE_ANSWERED;
	for (i = 0; i < COPROCS; i++)
		if (h->coprocs[i] != NULL)
			n += ph_coproc_asked(h->coprocs[i]);
	return n;
}

size_t
ph_handlers_watch(const struct ph_handlers *h, struct pollfd *fds, size_t max)
{
	size_t	 i, n = 0;

	if (max > 0)
		fds[n++] = (struct pollfd){ h->signals, POLLIN, 0 };
	for (i = 0; i < PH_HANDLER_EXECS; i++)
		n += ph_exec_watch(&h->execs[i], fds + n, max - n);
	for (i = 0; i < COPROCS; i++)
		if (h->coprocs[i] != NULL)
			n += ph_coproc_watch(h->coprocs[i], fds + n, max - n);
	return n;
}

int
ph_handlers_patience(const struct ph_handlers *h)
{
	int64_t	 due = INT64_MAX, of;
	size_t	 i;

	for (i = 0; i < PH_HANDLER_EXECS; i++)
		if ((of = ph_exec_due(&h->execs[i])) < due)
			due = of;
	for (i = 0; i < COPROCS; i++)
		if (h->coprocs[i] != NULL && (of = ph_coproc_due(h->coprocs[i])) < due)
			due = of;
	return due == INT64_MAX ? -1 : ph_clock_left_ms(due);
}

void
ph_handlers_renew(struct ph_handlers *h)
{
	size_t	 i;

	for (i = 0; i < COPROCS; i++)
		if (h->coprocs[i] != NULL)
			ph_coproc_renew(h->coprocs[i]);
}
