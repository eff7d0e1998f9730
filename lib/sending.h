/*
 * sending -- replies on their way: claimed, launched, settled; and the actions that go before them.
 * Knows ledger, pages, graph, outcome, message, news.  Does not know events or what made a reply.
 * Called by turn; delivery and asked ask it to show an action.
 * Lives in the helper's one thread; what is on its way when it dies is "sending" on disk.
 * SPDX-License-Identifier: ISC
 */
#ifndef PH_SENDING_H
#define PH_SENDING_H

#include "graph.h"
#include "ledger.h"
#include "news.h"
#include "pages.h"

#define PH_SENDING_FLYING	64	/* replies on their way at once */
#define PH_SENDING_SHOWN	24	/* sender actions at once; one more is not shown */

enum { PH_CALL_REPLY = 1, PH_CALL_ACTION, PH_CALL_PERSON };	/* what a request of ours is */

struct ph_sending;

/* ledger, graph, pages and news are borrowed. */
enum ph_error	ph_sending_new(struct ph_ledger *ledger, struct ph_graph *graph,
		    const struct ph_pages *pages, struct ph_news *news, struct ph_sending **out,
		    struct ph_fail *fail) PH_MUST_USE;
void		ph_sending_free(struct ph_sending *sending);

/* A finished PH_CALL_REPLY or PH_CALL_ACTION.  Memory only. */
void		ph_sending_take(struct ph_sending *sending, const struct ph_graph_sent *sent);

/*
 * Owes an answer, within the turn's transaction; says so when some of it is held.  person is who gets
 * it; seen and typing are shown before it.
 */
struct ph_sending_answer {		/* borrowed */
	struct ph_ledger_answer	 owed;
	struct ph_slice		 page, person;
	bool			 seen, typing;
};
enum ph_error	ph_sending_owe(struct ph_sending *sending, const struct ph_sending_answer *answer,
		    struct ph_fail *fail) PH_MUST_USE;

/*
 * Shows "typing_on" or "mark_seen" once the turn is committed, before any reply of that conversation
 * leaves.  Not kept, not tried again: it is forgotten when there is no room.
 */
void		ph_sending_show(struct ph_sending *sending, int64_t conv, struct ph_slice page,
		    struct ph_slice person, const char *action);

/* In the turn's transaction: settles what finished, decides what was unsure, claims what may go. */
enum ph_error	ph_sending_commit(struct ph_sending *sending, int64_t now, bool leaving,
		    struct ph_fail *fail) PH_MUST_USE;
void		ph_sending_committed(struct ph_sending *sending);
void		ph_sending_abandon(struct ph_sending *sending);	/* the turn did not happen */

void		ph_sending_launch(struct ph_sending *sending);	/* what is claimed, and actions */

/*
 * Claims not yet settled; whether one of them has finished; when something is due, 0: never, or there
 * is no room for it before one of them finishes.
 */
size_t		ph_sending_flying(const struct ph_sending *sending);
bool		ph_sending_finished(const struct ph_sending *sending);
int64_t		ph_sending_next_due(const struct ph_sending *sending);

#endif
