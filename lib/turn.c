/*
 * turn -- the helper's loop, one turn of it: gather, commit, act, wait.
 * Knows everything below it: wire, spool, delivery, waiting, asked, sending, upkeep, graph, pages, alert.
 * Called by the helper.
 * Lives in one thread.
 * SPDX-License-Identifier: ISC
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "alert.h"
#include "clock.h"
#include "delivery.h"
#include "log.h"
#include "lookout.h"
#include "order.h"
#include "spool.h"
#include "survey.h"
#include "turn.h"
#include "upkeep.h"
#include "waiting.h"

#define LOOK_EVERY_MS	1000		/* at the spool, and at what the helper looks at between turns */
#define SPOOL_AT_ONCE	64		/* bodies taken in by one turn */
#define CLOCK_STEP_MS	5000		/* backwards: somebody set the clock */
#define MAX_WATCHED	(2 + PH_HANDLER_WATCHED + PH_ALERT_WATCHED)	/* fronts, and the signal to stop */

struct ph_turn {
	const struct ph_conf	*conf;
	struct ph_pages		*pages;
	struct ph_wire_server	*wire;
	struct ph_ledger	*ledger;	/* upkeep's */
	struct ph_graph		*graph;
	struct ph_spool		 spool;
	struct ph_delivery	 delivery;
	struct ph_waiting	*waiting;
	struct ph_asked		*asked;
	struct ph_sending	*sending;
	struct ph_news		 news;
	struct ph_alert		*alert;
	struct ph_lookout	 lookout;
	struct ph_upkeep	 upkeep;

	/* Gathered this turn. */
	struct ph_wire_delivery	*deliveries;
	size_t			 n_deliveries;
	struct ph_spooled	*spooled;
	size_t			 n_spooled;

	int64_t			 began, now;	/* Unix ms; now: of this turn */
	int64_t			 busy_at, looked_at;	/* monotonic ms */
	bool			 leaving, asks_no_more, moved, more_spooled, stepped_back;
	struct pollfd		 watched[MAX_WATCHED];
	int			 stop_fd;
};

static enum ph_error
open_asked(struct ph_turn *t, struct ph_fail *fail)
{
	const struct ph_asked_with	 with = { .ledger = t->ledger, .sending = t->sending,
		.graph = t->graph, .pages = t->pages, .news = &t->news };
	struct ph_waiting_with		 waiting = { .ledger = t->ledger, .sending = t->sending,
		.pages = t->pages, .news = &t->news, .max_age_ms = t->conf->max_reply_age_ms };

	if (ph_asked_new(&with, &t->asked, fail) != PH_OK)
		return fail->err;
	waiting.asked = t->asked;
	return ph_waiting_new(&waiting, &t->waiting, fail);
}

static enum ph_error
open_all(struct ph_turn *t, int state_fd, struct ph_fail *fail)
{
	const struct ph_conf	*conf = t->conf;
	struct ph_graph_conf	 graph = { conf->graph_url, conf->graph_version, conf->graph_ca };

	if (ph_upkeep_open(&t->upkeep, fail) != PH_OK)
		return fail->err;
	t->ledger = t->upkeep.ledger;
	if (ph_graph_open(&graph, &t->graph, fail) != PH_OK ||
	    ph_spool_open(&t->spool, state_fd, fail) != PH_OK ||
	    ph_alert_open(conf->alert, &t->alert, fail) != PH_OK ||
	    ph_sending_new(t->ledger, t->graph, t->pages, &t->news, &t->sending, fail) != PH_OK ||
	    open_asked(t, fail) != PH_OK)
		return fail->err;
	t->delivery = (struct ph_delivery){ .ledger = t->ledger, .sending = t->sending,
	    .pages = t->pages, .objects = conf->objects, .app_id = conf->app_id,
	    .max_age_ms = conf->max_reply_age_ms, .human_pause_ms = conf->human_pause_ms,
	    .news = &t->news };
	return ph_wire_listen(conf->digest, conf->file != NULL ? conf->file : "", &t->wire, fail);
}

/* It is true: to the log, and to a person. */
static void
pass_on(struct ph_turn *t)
{
	ph_alert_take(t->alert, &t->news);
	ph_news_tell(&t->news);
}

enum ph_error
ph_turn_open(const struct ph_turn_with *with, struct ph_turn **out, struct ph_fail *fail)
{
	struct ph_turn	*t = calloc(1, sizeof(*t));

	*out = NULL;
	if (t == NULL)
		return ph_error_set(fail, PH_NOMEM, "helper: out of memory");
	t->conf = with->conf;
	t->pages = with->pages;
	t->upkeep = (struct ph_upkeep){ .conf = with->conf, .news = &t->news,
	    .generation = with->generation };
	t->spool = (struct ph_spool)PH_SPOOL_INIT;
	t->stop_fd = with->stop_fd;
	t->lookout.state_fd = with->state_fd;
	t->began = ph_clock_now();
	t->moved = true;
	t->busy_at = ph_clock_mono();
	if (open_all(t, with->state_fd, fail) != PH_OK) {
		ph_turn_close(t);
		return fail->err;
	}
	pass_on(t);				/* what was found at the start, and is committed */
	*out = t;
	return PH_OK;
}

void
ph_turn_close(struct ph_turn *t)
{
	if (t == NULL)
		return;
	ph_wire_close(t->wire);			/* first: handlers may take seconds to leave */
	ph_alert_close(t->alert);
	ph_waiting_free(t->waiting);
	ph_asked_free(t->asked);
	ph_graph_close(t->graph);
	ph_sending_free(t->sending);
	ph_upkeep_close(&t->upkeep);
	ph_spool_close(&t->spool);
	ph_spooled_free(t->spooled, t->n_spooled);
	ph_delivery_clear(&t->delivery);
	ph_news_clear(&t->news);
	free(t);
}

/* Gather: memory only; nothing here can be undone by a crash. */

static void
gather_outcomes(struct ph_turn *t)
{
	struct ph_graph_sent	 sent;

	ph_graph_perform(t->graph);
	while (ph_graph_next(t->graph, &sent))
		if (sent.what == PH_CALL_PERSON)
			ph_asked_take(&sent);
		else
			ph_sending_take(t->sending, &sent);
	ph_asked_gather(t->asked);
	ph_alert_perform(t->alert);
	if (ph_asked_has_answers(t->asked))
		ph_waiting_look(t->waiting);	/* there is room again */
	if (ph_sending_finished(t->sending) || ph_asked_has_answers(t->asked) ||
	    (!t->asks_no_more && ph_waiting_is_ready(t->waiting)))
		t->moved = true;
}

/* A replies file that was edited counts for the next event, at the latest after a second. */
static void
gather_rules(struct ph_turn *t)
{
	int64_t	 mono = ph_clock_mono();

	if (t->n_deliveries == 0 && t->n_spooled == 0 && mono - t->looked_at < LOOK_EVERY_MS)
		return;
	t->looked_at = mono;
	if (!ph_pages_reload(t->pages))
		return;
	ph_asked_renew(t->asked);
	ph_waiting_look(t->waiting);
}

static void
gather_spooled(struct ph_turn *t)
{
	t->more_spooled = false;
	if (!t->upkeep.disk.full && ph_spool_changed(&t->spool))
		t->spooled = ph_spool_read_all(&t->spool, SPOOL_AT_ONCE, &t->n_spooled, &t->more_spooled);
}

/* When the next thing on disk is due; 0: nothing is. */
static int64_t
next_due(const struct ph_turn *t)
{
	int64_t	 send = ph_sending_next_due(t->sending);
	int64_t	 ask = t->asks_no_more ? 0 : ph_waiting_next_due(t->waiting);

	return send == 0 || (ask != 0 && ask < send) ? ask : send;
}

static bool
is_due(int64_t due, int64_t now)
{
	return due != 0 && due <= now;
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
	gather_rules(t);
	gather_outcomes(t);
	if (t->n_deliveries > 0 || t->n_spooled > 0 || t->stepped_back ||
	    (is_due(next_due(t), t->now) && !t->upkeep.disk.cramped))
		t->moved = true;
	if (t->n_deliveries > 0 || t->n_spooled > 0)
		t->busy_at = ph_clock_mono();
}

/* Commit: everything in one transaction.  What is said of it waits until it is true. */

/* What we alone know of how it is going. */
static void
describe(const struct ph_turn *t, struct ph_status_live *out)
{
	*out = (struct ph_status_live){ .pid = getpid(), .began = t->began,
	    .rss_bytes = ph_survey_memory(), .tally = t->news.told };
	snprintf(out->trouble, sizeof(out->trouble), "%s", t->upkeep.disk.trouble);
}

static bool
show(const struct ph_turn *t, struct ph_wire_delivery *w)
{
	struct ph_status_live	 live;

	describe(t, &live);
	return ph_order_show(t->pages, &live, w->body, &w->answer);
}

static enum ph_error
take_delivery(struct ph_turn *t, struct ph_wire_delivery *w, struct ph_fail *fail)
{
	if (!t->upkeep.disk.full)
		return ph_delivery_keep(&t->delivery, w->body, t->now, &w->verdict, fail);
	w->verdict = PH_FULL;			/* the room that is left is for what is under way */
	return PH_OK;
}

static enum ph_error
commit_deliveries(struct ph_turn *t, struct ph_fail *fail)
{
	struct ph_delivery	*d = &t->delivery;
	enum ph_verdict		 ignored;
	enum ph_error		 err = PH_OK;
	size_t			 i;

	d->now = t->now;
	for (i = 0; i < t->n_spooled && err == PH_OK; i++) {
		struct ph_spooled	*s = &t->spooled[i];

		ph_ledger_doubt_echoes(t->ledger, s->arrived);
		if (s->err == PH_OK)
			err = ph_delivery_keep(d, PH_SLICE(&s->body), s->arrived, &ignored, fail);
		else if (s->err != PH_BUSY)
			err = ph_delivery_quarantine(d, PH_SLICE(&s->body), t->now,
			    s->err == PH_TOOBIG ? "reading it killed the helper three times" :
			    "not a whole spool file", fail);
	}
	for (i = 0; i < t->n_deliveries && err == PH_OK; i++)
		if (!t->deliveries[i].is_order)
			err = take_delivery(t, &t->deliveries[i], fail);
	return err == PH_OK ? ph_delivery_owe(d, fail) : err;
}

static enum ph_error
take_order(struct ph_turn *t, struct ph_wire_delivery *w, struct ph_fail *fail)
{
	const struct ph_order_with	 with = { t->ledger, t->pages, t->waiting, &t->news };

	if (show(t, w))
		return PH_OK;
	return ph_order_take(&with, w->body, t->now, &w->answer, fail);
}

/* Behind deliveries: what was thought of one must be a row before an order may erase it. */
static enum ph_error
commit_orders(struct ph_turn *t, struct ph_fail *fail)
{
	enum ph_error	 err = PH_OK;
	size_t		 i;

	for (i = 0; i < t->n_deliveries && err == PH_OK; i++)
		if (t->deliveries[i].is_order)
			err = take_order(t, &t->deliveries[i], fail);
	return err;
}

static enum ph_error
commit_all(struct ph_turn *t, struct ph_fail *fail)
{
	const bool	 claims = ph_disk_may_claim(&t->upkeep.disk) && !t->leaving;

	if (ph_ledger_begin(t->ledger, fail) != PH_OK ||
	    (t->stepped_back && ph_ledger_reset_clock(t->ledger, t->now, fail) != PH_OK) ||
	    commit_deliveries(t, fail) != PH_OK || commit_orders(t, fail) != PH_OK)
		return fail->err;
	if (t->delivery.put_off)
		ph_waiting_look_at_new(t->waiting);
	if (ph_asked_commit(t->asked, t->now, fail) != PH_OK ||
	    (claims && !t->asks_no_more && ph_waiting_commit(t->waiting, t->now, fail) != PH_OK) ||
	    ph_sending_commit(t->sending, t->now, !claims, fail) != PH_OK)
		return fail->err;
	return ph_ledger_commit(t->ledger, fail);
}

/* Nothing happened: fronts hear that it was not kept, outcomes wait for the next turn. */
static enum ph_error
step_back(struct ph_turn *t, struct ph_fail *fail)
{
	size_t	 i;

	ph_ledger_abandon(t->ledger);
	ph_sending_abandon(t->sending);
	ph_asked_abandon(t->asked);
	ph_waiting_abandon(t->waiting);
	ph_news_abandon(&t->news);
	for (i = 0; i < t->n_deliveries; i++)
		if (!t->deliveries[i].is_order)
			t->deliveries[i].verdict = fail->err == PH_TOOBIG ? PH_FULL : PH_LATER;
		else if (!show(t, &t->deliveries[i]))
			ph_order_refuse(&t->deliveries[i].answer, fail->text);
	/* What may have killed us has used up one of its three tries. */
	for (i = 0; i < t->n_spooled && (fail->err == PH_BUSY || fail->err == PH_TOOBIG); i++)
		ph_spool_hold(&t->spool, &t->spooled[i]);
	ph_spooled_free(t->spooled, t->n_spooled);
	t->spooled = NULL;
	t->n_spooled = 0;
	ph_delivery_forget(&t->delivery);
	if (fail->err != PH_BUSY && fail->err != PH_TOOBIG)
		return fail->err;
	ph_upkeep_fail(&t->upkeep, fail);
	*fail = (struct ph_fail)PH_FAIL_INIT;
	return PH_OK;
}

static enum ph_error
commit(struct ph_turn *t, struct ph_fail *fail)
{
	if (!t->moved)
		return PH_OK;
	if (commit_all(t, fail) != PH_OK)
		return step_back(t, fail);
	ph_sending_committed(t->sending);
	ph_asked_committed(t->asked);
	t->moved = t->upkeep.disk.failed;		/* there may be claims now */
	ph_disk_recover(&t->upkeep.disk);
	return PH_OK;
}

/* Act: only now, what others can see. */

static void
run_alert(struct ph_turn *t)
{
	struct ph_buffer	 document = PH_BUFFER_INIT;
	struct ph_status_live	 live;

	describe(t, &live);
	ph_survey_document(".", t->pages, &live, &document);
	ph_alert_launch(t->alert, PH_SLICE(&document));
	ph_buffer_clear(&document);
}

static void
tell(struct ph_turn *t)
{
	const int64_t	 n_dead = t->news.tally.dead - t->news.told.dead;
	char		 what[96];

	ph_lookout_look(&t->lookout, ph_clock_now(), ph_clock_mono(), &t->news);
	if (n_dead > 0) {
		snprintf(what, sizeof(what), "%lld given up: pagehook queue list says why",
		    (long long)n_dead);
		ph_news_raise(&t->news, PH_CAUSE_DEAD, (struct ph_slice){ NULL, 0 }, NULL, what);
	}
	pass_on(t);
	if (ph_alert_is_due(t->alert))
		run_alert(t);
}

static void
act(struct ph_turn *t)
{
	size_t	 i;

	ph_log_write(&t->news.said);	/* first: who is woken next may run in our place, and we be killed */
	if (!t->more_spooled)
		ph_wire_answer_all(t->wire);
	ph_sending_launch(t->sending);
	ph_asked_launch(t->asked);
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
	tell(t);
}

/* Wait. */

static bool
is_busy(const struct ph_turn *t)
{
	return t->moved || next_due(t) != 0 || ph_turn_flying(t) > 0 || ph_ledger_any_open(t->ledger);
}

static int
sooner(int a, int b)
{
	return b != -1 && b < a ? b : a;
}

static int
patience(const struct ph_turn *t)
{
	int	 left = LOOK_EVERY_MS;
	int64_t	 due = next_due(t) - ph_clock_now();

	if (t->upkeep.disk.failed)
		return t->upkeep.disk.again_ms;
	if (t->moved || t->more_spooled || ph_graph_finished(t->graph) || ph_sending_finished(t->sending) ||
	    ph_asked_has_answers(t->asked) ||
	    (t->leaving && ph_turn_flying(t) == 0))
		return 0;
	if (t->upkeep.disk.cramped)
		return sooner(left, ph_asked_patience(t->asked));
	if (!t->leaving && next_due(t) != 0 && ph_sending_flying(t->sending) < PH_SENDING_FLYING)
		left = sooner(left, due < 0 ? 0 : due < LOOK_EVERY_MS ? (int)due : LOOK_EVERY_MS);
	if (!t->asks_no_more)
		left = sooner(left, ph_waiting_patience(t->waiting));
	left = sooner(left, ph_alert_patience(t->alert));
	return sooner(left, ph_asked_patience(t->asked));
}

static enum ph_error
tidy(struct ph_turn *t, struct ph_fail *fail)
{
	int64_t	 mono = ph_clock_mono();

	t->moved |= ph_disk_look(&t->upkeep.disk, mono);
	if (is_busy(t))
		t->busy_at = mono;
	if (!t->moved && !t->leaving && ph_upkeep_prune(&t->upkeep, mono, fail) != PH_OK)
		return fail->err;
	pass_on(t);				/* its own commits are through */
	return ph_upkeep_tidy(&t->upkeep, t->busy_at, mono, fail);
}

static void
wait(struct ph_turn *t)
{
	size_t	 n = 0;

	t->watched[n++] = ph_wire_watch(t->wire);
	n += ph_alert_watch(t->alert, t->watched + n, PH_ALERT_WATCHED);
	n += ph_asked_watch(t->asked, t->watched + n, PH_HANDLER_WATCHED);
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
	return ph_lookout_stays(&t->lookout) ? ph_clock_mono() : t->busy_at;
}

size_t
ph_turn_flying(const struct ph_turn *t)
{
	return ph_sending_flying(t->sending) + ph_asked_flying(t->asked) + ph_alert_runs(t->alert);
}

enum ph_error
ph_turn_let_go(struct ph_turn *t, struct ph_fail *fail)
{
	return ph_upkeep_let_go(&t->upkeep, fail);
}

const char *
ph_turn_reason_to_leave(const struct ph_turn *t)
{
	if (ph_ledger_check(t->ledger, NULL) != PH_OK)
		return "the store is not in its place any more";
	if (ph_wire_outdated(t->wire))
		return "a newer front asked for a newer helper";
	if (ph_wire_is_lost(t->wire))
		return "helper.sock is gone or another's: no front can find this helper";
	return NULL;
}

size_t
ph_turn_asks_no_more(struct ph_turn *t)
{
	t->asks_no_more = true;
	return ph_asked_flying(t->asked);
}

void
ph_turn_leave(struct ph_turn *t)
{
	t->leaving = t->asks_no_more = true;
	ph_wire_unlink(t->wire);
}
