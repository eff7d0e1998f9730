/*
 * asked -- events that somebody else is asked about: a handler for the answer, Graph for a name.
 * Knows think's thoughts, answer, handler, graph, ledger, sending, pages.  Does not know rules.
 * Called by waiting, which asks, and by turn: gather, commit, act.
 * Lives in the helper's one thread; what is asked when it dies is asked again by the next.
 * SPDX-License-Identifier: ISC
 */
#ifndef PH_ASKED_H
#define PH_ASKED_H

#include "clock.h"
#include "handler.h"
#include "sending.h"
#include "think.h"

#define PH_NO_NAME_GOOD_MS	PH_HOUR_MS	/* so long Meta is not asked again for a name it has not */

struct ph_asked;

struct ph_asked_with {			/* borrowed until ph_asked_free */
	struct ph_ledger	*ledger;
	struct ph_sending	*sending;
	struct ph_graph		*graph;
	const struct ph_pages	*pages;
	struct ph_news		*news;
};

enum ph_error	ph_asked_new(const struct ph_asked_with *with, struct ph_asked **out,
		    struct ph_fail *fail) PH_MUST_USE;
void		ph_asked_free(struct ph_asked *asked);	/* handlers are ended */

/* Gather: what handlers said; a finished PH_CALL_PERSON.  Memory only. */
void		ph_asked_gather(struct ph_asked *asked);
void		ph_asked_take(const struct ph_graph_sent *sent);
bool		ph_asked_has_answers(const struct ph_asked *asked);

/* The rules are new: coprocs start again once they have answered. */
void		ph_asked_renew(struct ph_asked *asked);

/* Whether somebody is asked about an event of this conversation. */
bool		ph_asked_about(const struct ph_asked *asked, int64_t conv);

/*
 * In the turn's transaction: the thought's handler is to be asked about the event, in its directory;
 * or Graph for the person's name.  The claim is on disk before a byte leaves, so that a crash is one
 * of its tries.  PH_BUSY: there is no room, nothing was done.
 */
enum ph_error	ph_asked_ask(struct ph_asked *asked, const struct ph_store_open *event,
		    const struct ph_thought *thought, const char *dir, struct ph_fail *fail)
		    PH_MUST_USE;
enum ph_error	ph_asked_for_name(struct ph_asked *asked, const struct ph_store_open *event,
		    const struct ph_thought *thought, struct ph_fail *fail) PH_MUST_USE;

/* In the turn's transaction: answers become replies, names are noted. */
enum ph_error	ph_asked_commit(struct ph_asked *asked, int64_t now, struct ph_fail *fail)
		    PH_MUST_USE;
void		ph_asked_committed(struct ph_asked *asked);
void		ph_asked_abandon(struct ph_asked *asked);	/* the turn did not happen */

void		ph_asked_launch(struct ph_asked *asked);	/* handlers and fetches */

size_t		ph_asked_flying(const struct ph_asked *asked);	/* asked and not settled */

/* What to wait for, and at most how long in ms; -1: nothing is due. */
size_t		ph_asked_watch(const struct ph_asked *asked, struct pollfd *fds, size_t max);
int		ph_asked_patience(const struct ph_asked *asked);

#endif
