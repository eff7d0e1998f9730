/*
 * turn -- the helper's loop, one turn of it: gather, commit, act, wait.
 * Knows everything below it: wire, spool, delivery, ledger, graph.
 * Called by the helper.
 * Lives in one thread.
 * SPDX-License-Identifier: ISC
 */
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "delivery.h"
#include "graph.h"
#include "ledger.h"
#include "message.h"
#include "signature.h"
#include "spool.h"
#include "turn.h"

#define LOOK_EVERY_MS	1000		/* at the spool, and at what the helper looks at between turns */
#define SPOOL_AT_ONCE	64		/* bodies taken in by one turn */
#define RIPE_AT_ONCE	64
#define CLOCK_STEP_MS	5000		/* backwards: somebody set the clock */
#define TIDY_AFTER_MS	5000		/* of quiet */
#define MAX_WATCHED	258
#define PLACES		(2 * PH_GRAPH_FLYING)	/* what finished this turn keeps its own until it is settled */

struct claim {				/* one reply on its way; the tag of its request */
	enum { FREE, CLAIMED, FLYING, FINISHED } is;
	struct ph_store_reply	 reply;
	struct ph_result	 result;	/* once finished */
	int64_t			 took_ms;
};

struct ph_turn {
	const struct ph_conf	*conf;
	struct ph_slice		 page;		/* ours; absent: nothing can be sent */
	char			 proof[PH_SIGNATURE_LEN + 1];
	struct ph_wire_server	*wire;
	struct ph_ledger	*ledger;
	struct ph_graph		*graph;
	struct ph_spool		 spool;
	struct ph_delivery	 delivery;

	/* Gathered this turn. */
	struct ph_wire_delivery	*deliveries;
	size_t			 n_deliveries;
	struct ph_spooled	*spooled;
	size_t			 n_spooled;

	struct claim		 claims[PLACES];
	int64_t			 now;		/* Unix ms, of this turn */
	int64_t			 next_due;	/* Unix ms; 0: nothing is */
	int64_t			 busy_at, tidied_at;	/* monotonic ms */
	bool			 leaving, moved, failed, more_spooled, stepped_back;
	struct pollfd		 watched[MAX_WATCHED];
	int			 stop_fd;
};

/* This Page has its token now, whatever was noted before. */
static enum ph_error
release_page(struct ph_turn *t, struct ph_fail *fail)
{
	enum ph_error	 err;

	if (ph_ledger_begin(t->ledger, fail) != PH_OK)
		return fail->err;
	err = ph_ledger_hold_page(t->ledger, t->page, NULL, fail);
	return err == PH_OK || err == PH_NONE ? ph_ledger_commit(t->ledger, fail) : err;
}

static enum ph_error
open_all(struct ph_turn *t, int state_fd, struct ph_fail *fail)
{
	const struct ph_conf	*conf = t->conf;
	struct ph_graph_conf	 graph = { conf->graph_url, conf->graph_version, conf->graph_ca };
	struct ph_slice		 token = { conf->page_token, 0 };
	size_t			 n_unsure;

	if (conf->page_id != NULL && conf->page_token != NULL) {
		t->page = (struct ph_slice){ conf->page_id, strlen(conf->page_id) };
		token.len = strlen(conf->page_token);
		if (ph_signature_format(conf->app_secret, token, t->proof, fail) != PH_OK)
			return fail->err;
	}
	if (ph_ledger_open(&ph_store_sqlite, "queue.db", ph_clock_now(), &t->ledger, &n_unsure,
	    fail) != PH_OK || ph_graph_open(&graph, &t->graph, fail) != PH_OK ||
	    ph_spool_open(&t->spool, state_fd, fail) != PH_OK)
		return fail->err;
	t->delivery = (struct ph_delivery){ .ledger = t->ledger, .objects = conf->objects,
	    .page = t->page, .max_age_ms = conf->max_reply_age_ms };
	if (t->page.at != NULL && release_page(t, fail) != PH_OK)
		return fail->err;
	if (n_unsure > 0)
		ph_log_say(PH_WARN, "reply", "%zu may or may not have been sent when the last helper died: "
		    "unsure, sent once more after a while", n_unsure);
	return ph_wire_listen(conf->digest, conf->file != NULL ? conf->file : "", &t->wire, fail);
}

enum ph_error
ph_turn_open(const struct ph_conf *conf, int state_fd, int stop_fd, struct ph_turn **out,
    struct ph_fail *fail)
{
	struct ph_turn	*t = calloc(1, sizeof(*t));

	*out = NULL;
	if (t == NULL)
		return ph_error_set(fail, PH_NOMEM, "helper: out of memory");
	t->conf = conf;
	t->spool = (struct ph_spool)PH_SPOOL_INIT;
	t->stop_fd = stop_fd;
	t->moved = true;
	t->busy_at = t->tidied_at = ph_clock_mono();
	if (open_all(t, state_fd, fail) != PH_OK) {
		ph_turn_close(t);
		return fail->err;
	}
	*out = t;
	return PH_OK;
}

void
ph_turn_close(struct ph_turn *t)
{
	size_t	 i;

	if (t == NULL)
		return;
	ph_graph_close(t->graph);
	ph_wire_close(t->wire);
	ph_ledger_close(t->ledger);
	ph_spool_close(&t->spool);
	ph_spooled_free(t->spooled, t->n_spooled);
	ph_delivery_clear(&t->delivery);
	for (i = 0; i < PLACES; i++)
		ph_store_reply_clear(&t->claims[i].reply);
	free(t);
}

/* Gather: memory only; nothing here can be undone by a crash. */

static void
gather_outcomes(struct ph_turn *t)
{
	struct ph_graph_sent	 sent;
	struct claim		*c;

	ph_graph_perform(t->graph);
	while (ph_graph_next(t->graph, &sent)) {
		c = sent.tag;
		ph_outcome_judge(&sent.answer, &c->result);
		c->took_ms = sent.took_ms;
		c->is = FINISHED;
		t->moved = true;
	}
}

static void
gather_spooled(struct ph_turn *t)
{
	t->more_spooled = false;
	if (ph_spool_changed(&t->spool))
		t->spooled = ph_spool_read_all(&t->spool, SPOOL_AT_ONCE, &t->n_spooled, &t->more_spooled);
}

static void
gather(struct ph_turn *t)
{
	int64_t	 now = ph_clock_now();

	t->stepped_back = now < t->now - CLOCK_STEP_MS;
	t->now = now;
	gather_spooled(t);
	t->n_deliveries = 0;
	if (!t->more_spooled)			/* what lies in the spool came first */
		t->deliveries = ph_wire_read(t->wire, &t->n_deliveries);
	gather_outcomes(t);
	if (t->n_deliveries > 0 || t->n_spooled > 0 ||
	    t->stepped_back || (t->next_due != 0 && t->next_due <= t->now))
		t->moved = true;
	if (t->n_deliveries > 0 || t->n_spooled > 0)
		t->busy_at = ph_clock_mono();
}

/* Commit: everything in one transaction.  What is said of it waits until it is true. */

static void
say_reply(struct ph_turn *t, const struct claim *c, const char *state)
{
	const struct ph_result	*r = &c->result;
	struct ph_buffer	 fields = PH_BUFFER_INIT;

	ph_log_id(&fields, "id", 'r', c->reply.id);
	ph_log_who(&fields, PH_SLICE(&c->reply.person));
	ph_log_text(&fields, "state", state);
	ph_log_number(&fields, "try", c->reply.attempt);
	ph_log_number(&fields, "ms", c->took_ms);
	if (r->mid[0] != '\0')
		ph_log_text(&fields, "mid", r->mid);
	if (r->code != 0) {
		ph_log_number(&fields, "code", r->code);
		ph_log_number(&fields, "subcode", r->subcode);
		ph_log_text(&fields, "fbtrace_id", r->trace);
	} else if (r->outcome != PH_SENT)
		ph_log_text(&fields, "why", r->why);
	if (r->outcome == PH_SENT && c->reply.resends > 0)
		ph_log_text(&fields, "note", "may have been sent more than once");
	ph_log_add(&t->delivery.said, r->outcome == PH_SENT ? PH_INFO : PH_WARN, "send", &fields);
	ph_buffer_clear(&fields);
}

static enum ph_error
commit_deliveries(struct ph_turn *t, struct ph_fail *fail)
{
	struct ph_delivery	*d = &t->delivery;
	enum ph_verdict		 ignored;
	enum ph_error		 err = PH_OK;
	size_t			 i;

	for (i = 0; i < t->n_spooled && err == PH_OK; i++) {
		struct ph_spooled	*s = &t->spooled[i];

		if (s->err == PH_OK)
			err = ph_delivery_keep(d, PH_SLICE(&s->body), s->arrived, &ignored, fail);
		else if (s->err != PH_BUSY)
			err = ph_delivery_quarantine(d, PH_SLICE(&s->body), t->now,
			    s->err == PH_TOOBIG ? "reading it killed the helper three times" :
			    "not a whole spool file", fail);
	}
	for (i = 0; i < t->n_deliveries && err == PH_OK; i++)
		err = ph_delivery_keep(d, t->deliveries[i].body, t->now, &t->deliveries[i].verdict,
		    fail);
	return err == PH_OK ? ph_delivery_owe(d, fail) : err;
}

static enum ph_error
commit_outcomes(struct ph_turn *t, struct ph_fail *fail)
{
	struct claim	*c;
	const char	*state;
	enum ph_error	 err;

	for (c = t->claims; c < t->claims + PLACES; c++) {
		if (c->is != FINISHED)
			continue;
		err = ph_ledger_settle(t->ledger, &c->reply, &c->result, t->now, &state, fail);
		if (err != PH_OK && err != PH_NONE)
			return err;
		say_reply(t, c, err == PH_NONE ? "settled before" : state);
	}
	return PH_OK;
}

static enum ph_error
commit_ripe(struct ph_turn *t, struct ph_fail *fail)
{
	struct ph_store_reply	 ripe[RIPE_AT_ONCE];
	struct ph_buffer	 fields = PH_BUFFER_INIT;
	size_t			 i, n;

	if (ph_ledger_ripen(t->ledger, t->now, ripe, RIPE_AT_ONCE, &n, fail) != PH_OK)
		return fail->err;
	for (i = 0; i < n; i++) {
		ph_log_id(&fields, "id", 'r', ripe[i].id);
		ph_log_text(&fields, "what", ripe[i].resends > 1 ? "unsure twice: held for a person" :
		    "unsure, no echo: sent once more; it may arrive twice");
		ph_log_add(&t->delivery.said, PH_WARN, "reply", &fields);
		ph_buffer_reset(&fields);
	}
	ph_buffer_clear(&fields);
	return PH_OK;
}

/* Claims what Graph has room for; it is launched once the commit is through. */
static enum ph_error
commit_claims(struct ph_turn *t, struct ph_fail *fail)
{
	struct ph_store_reply	 claimed[PH_GRAPH_FLYING];
	struct claim		*c = t->claims;
	size_t			 i, n = 0, room = PH_GRAPH_FLYING - ph_graph_flying(t->graph);
	enum ph_error		 err;

	if (t->page.at == NULL || t->leaving || room == 0)
		return PH_OK;
	err = ph_ledger_claim(t->ledger, t->page, t->now, claimed, room, &n, fail);
	for (i = 0; i < n; i++, c++) {
		while (c->is != FREE)
			c++;
		*c = (struct claim){ .is = CLAIMED, .reply = claimed[i] };
	}
	return err;
}

static enum ph_error
commit_all(struct ph_turn *t, struct ph_fail *fail)
{
	if (ph_ledger_begin(t->ledger, fail) != PH_OK ||
	    (t->stepped_back && ph_ledger_reset_clock(t->ledger, t->now, fail) != PH_OK) ||
	    commit_deliveries(t, fail) != PH_OK ||
	    commit_outcomes(t, fail) != PH_OK ||
	    commit_ripe(t, fail) != PH_OK ||
	    commit_claims(t, fail) != PH_OK ||
	    ph_ledger_next_due(t->ledger, t->page, &t->next_due, fail) != PH_OK)
		return fail->err;
	return ph_ledger_commit(t->ledger, fail);
}

static void
release(struct claim *c)
{
	ph_store_reply_clear(&c->reply);
	c->is = FREE;
}

/* Releases the claims that are so. */
static void
release_all(struct ph_turn *t, int is)
{
	struct claim	*c;

	for (c = t->claims; c < t->claims + PLACES; c++)
		if ((int)c->is == is)
			release(c);
}

/* Nothing happened: fronts hear that it was not kept, outcomes wait for the next turn. */
static enum ph_error
step_back(struct ph_turn *t, struct ph_fail *fail)
{
	size_t	 i;

	ph_ledger_abandon(t->ledger);
	release_all(t, CLAIMED);
	for (i = 0; i < t->n_deliveries; i++)
		t->deliveries[i].verdict = fail->err == PH_TOOBIG ? PH_FULL : PH_LATER;
	for (i = 0; i < t->n_spooled; i++)
		ph_spool_hold(&t->spool, &t->spooled[i]);
	ph_spooled_free(t->spooled, t->n_spooled);
	t->spooled = NULL;
	t->n_spooled = 0;
	ph_delivery_forget(&t->delivery);
	t->failed = true;
	if (fail->err != PH_BUSY && fail->err != PH_TOOBIG)
		return fail->err;
	ph_log_fail("store", fail);
	*fail = (struct ph_fail)PH_FAIL_INIT;
	return PH_OK;
}

static enum ph_error
commit(struct ph_turn *t, struct ph_fail *fail)
{
	t->failed = false;
	if (!t->moved)
		return PH_OK;
	if (commit_all(t, fail) != PH_OK)
		return step_back(t, fail);
	release_all(t, FINISHED);
	t->moved = false;
	return PH_OK;
}

/* Act: only now, what others can see. */

static void
launch(struct ph_turn *t, struct claim *c)
{
	struct ph_buffer	 body = PH_BUFFER_INIT;
	struct ph_fail		 fail = PH_FAIL_INIT;

	ph_message_format_send(PH_SLICE(&c->reply.person), PH_SLICE(&c->reply.body), c->reply.token,
	    &body);
	c->is = FLYING;
	if (ph_buffer_check(&body, &fail) != PH_OK || ph_graph_send(t->graph, t->conf->page_id,
	    t->conf->page_token, t->proof, PH_SLICE(&body), c, &fail) != PH_OK) {
		const struct ph_answer	 unsent = { .handed = false, .transport = fail.text };

		ph_outcome_judge(&unsent, &c->result);	/* not a byte left us */
		c->is = FINISHED;
		t->moved = true;
	}
	ph_buffer_clear(&body);
}

static void
act(struct ph_turn *t)
{
	struct claim	*c;
	size_t		 i;

	if (!t->more_spooled)
		ph_wire_answer_all(t->wire);
	for (c = t->claims; c < t->claims + PLACES; c++)
		if (c->is == CLAIMED)
			launch(t, c);
	for (i = 0; i < t->n_spooled; i++)
		if (t->spooled[i].err == PH_BUSY)
			ph_spool_hold(&t->spool, &t->spooled[i]);
		else
			ph_spool_drop(&t->spool, &t->spooled[i]);
	ph_spooled_free(t->spooled, t->n_spooled);
	t->spooled = NULL;
	t->n_spooled = 0;
	ph_delivery_committed(&t->delivery);
	ph_graph_perform(t->graph);		/* the first bytes leave before we wait for anything */
}

/* Wait. */

static bool
is_busy(const struct ph_turn *t)
{
	return t->moved || t->next_due != 0 || ph_graph_flying(t->graph) > 0;
}

static int
patience(const struct ph_turn *t)
{
	int64_t	 left = LOOK_EVERY_MS;

	if (t->failed)
		return LOOK_EVERY_MS;		/* the disk will not be better in a moment */
	if (t->moved || t->more_spooled || (t->leaving && ph_graph_flying(t->graph) == 0))
		return 0;
	if (t->next_due != 0 && !t->leaving && ph_graph_flying(t->graph) < PH_GRAPH_FLYING)
		left = t->next_due - ph_clock_now();
	return left < 0 ? 0 : left < LOOK_EVERY_MS ? (int)left : LOOK_EVERY_MS;
}

/* Housekeeping: after a quiet moment, or when it must be. */
static enum ph_error
tidy(struct ph_turn *t, struct ph_fail *fail)
{
	int64_t	 mono = ph_clock_mono();
	bool	 quiet;

	if (is_busy(t))
		t->busy_at = mono;
	quiet = mono - t->busy_at >= TIDY_AFTER_MS && t->tidied_at < t->busy_at;
	if (quiet)
		t->tidied_at = mono;
	return ph_ledger_tidy(t->ledger, quiet, fail);
}

static void
wait(struct ph_turn *t)
{
	size_t	 n = ph_wire_watch(t->wire, t->watched, MAX_WATCHED - 1);

	if (!t->leaving)
		t->watched[n++] = (struct pollfd){ .fd = t->stop_fd, .events = POLLIN };
	ph_graph_wait(t->graph, t->watched, n, patience(t));
}

enum ph_error
ph_turn(struct ph_turn *t, struct ph_fail *fail)
{
	gather(t);			/* what arrived, what became of sends: memory only */
	if (commit(t, fail) != PH_OK)	/* one transaction: events, replies, outcomes, claims */
		return fail->err;

	/* From here on the events are ours. */

	act(t);				/* verdicts to fronts, claims to Graph */
	if (tidy(t, fail) != PH_OK)
		return fail->err;
	wait(t);
	return PH_OK;
}

int64_t
ph_turn_busy_at(const struct ph_turn *t)
{
	return t->busy_at;
}

size_t
ph_turn_flying(const struct ph_turn *t)
{
	const struct claim	*c;
	size_t			 n = 0;

	for (c = t->claims; c < t->claims + PLACES; c++)
		n += c->is != FREE;
	return n;
}

const char *
ph_turn_reason_to_leave(const struct ph_turn *t)
{
	if (ph_wire_outdated(t->wire))
		return "a newer front asked for a newer helper";
	if (ph_wire_is_lost(t->wire))
		return "helper.sock is gone or another's: no front can find this helper";
	return NULL;
}

void
ph_turn_leave(struct ph_turn *t)
{
	t->leaving = true;
	ph_wire_unlink(t->wire);
}
