/*
 * asked -- events that somebody else is asked about: a handler for the answer, Graph for a name.
 * Knows think's thoughts, answer, handler, graph, ledger, sending, pages.  Does not know rules.
 * Called by waiting, which asks, and by turn: gather, commit, act.
 * Lives in the helper's one thread; what is asked when it dies is asked again by the next.
 * SPDX-License-Identifier: ISC
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "answer.h"
#include "asked.h"
#include "clock.h"
#include "log.h"

#define PLACES		64		/* events asked at once, of all handlers, and names fetched */
#define MAX_TRIES	5		/* of a handler that fails: its conversation waits so long */
#define NAME_BY_MS	1000		/* a reply waits no longer for a name */
#define MAX_RETRY_MS	(6 * PH_HOUR_MS)
#define MAX_WHY		512

_Static_assert(PH_GRAPH_FLYING >= PH_SENDING_FLYING + PH_SENDING_SHOWN + PLACES,
    "whoever has a place finds one at Graph");

struct place {				/* one event that somebody is asked about */
	enum { FREE, CLAIMED, ASKED, ANSWERED, SETTLED } is;
	bool			 failed;	/* the event's handler, at its last try */
	bool			 for_name;	/* Graph is asked for the person's, not a handler */
	int64_t			 event, conv, at, tries;
	const struct ph_page	*page;		/* NULL: we hold no token for it */
	struct ph_buffer	 page_id, person;

	/* Of the rule that asked: its file may be read anew meanwhile. */
	char			 rule[96], handover_to[32];
	int64_t			 pause_ms;
	bool			 handover;

	/* Once answered. */
	struct ph_handler_answer answer;	/* reply: see below */
	struct ph_buffer	 reply, first_name, last_name;
};

struct ph_asked {
	struct ph_asked_with	 with;
	struct ph_handlers	*handlers;
	struct place		 places[PLACES];
};

enum ph_error
ph_asked_new(const struct ph_asked_with *with, struct ph_asked **out, struct ph_fail *fail)
{
	struct ph_asked	*a = calloc(1, sizeof(*a));

	*out = a;
	if (a == NULL)
		return ph_error_set(fail, PH_NOMEM, "helper: out of memory");
	a->with = *with;
	if (ph_handlers_open(&a->handlers, fail) == PH_OK)
		return PH_OK;
	free(a);
	*out = NULL;
	return fail->err;
}

static void
clear(struct place *p)
{
	ph_buffer_clear(&p->page_id);
	ph_buffer_clear(&p->person);
	ph_buffer_clear(&p->reply);
	ph_buffer_clear(&p->first_name);
	ph_buffer_clear(&p->last_name);
	p->is = FREE;
}

void
ph_asked_free(struct ph_asked *a)
{
	struct place	*p;

	if (a == NULL)
		return;
	ph_handlers_close(a->handlers);
	for (p = a->places; p < a->places + PLACES; p++)
		clear(p);
	free(a);
}

/* Gathered. */

static struct place *
place_of(struct ph_asked *a, int64_t event)
{
	struct place	*p;

	for (p = a->places; p < a->places + PLACES; p++)
		if (p->is == ASKED && p->event == event)
			return p;
	return NULL;
}

void
ph_asked_gather(struct ph_asked *a)
{
	struct ph_handler_answer	 answer;
	struct place			*p;

	ph_handlers_perform(a->handlers);
	while (ph_handlers_next(a->handlers, &answer)) {
		if ((p = place_of(a, answer.event)) == NULL)
			continue;
		p->answer = answer;
		ph_buffer_add(&p->reply, answer.reply.at, answer.reply.len);
		p->is = ANSWERED;
	}
}

/* A name that is not to be had in time is empty. */
void
ph_asked_take(const struct ph_graph_sent *sent)
{
	struct place		*p = sent->tag;
	struct ph_json		*tree = NULL;
	struct ph_slice		 first, last;

	if (sent->answer.transport == NULL && sent->answer.body.len > 0 &&
	    ph_json_parse(sent->answer.body, &tree, NULL) != PH_OK)
		tree = NULL;
	p->answer.end = tree != NULL ? PH_HANDLER_ANSWERED : PH_HANDLER_FAILED;
	first = ph_json_text(ph_json_get(tree, "first_name"));
	last = ph_json_text(ph_json_get(tree, "last_name"));
	ph_buffer_add(&p->first_name, first.at, first.len);
	ph_buffer_add(&p->last_name, last.at, last.len);
	ph_json_free(tree);
	p->is = ANSWERED;
}

bool
ph_asked_has_answers(const struct ph_asked *a)
{
	const struct place	*p;

	for (p = a->places; p < a->places + PLACES; p++)
		if (p->is == ANSWERED)
			return true;
	return false;
}

void
ph_asked_renew(struct ph_asked *a)
{
	ph_handlers_renew(a->handlers);
}

bool
ph_asked_about(const struct ph_asked *a, int64_t conv)
{
	const struct place	*p;

	for (p = a->places; p < a->places + PLACES; p++)
		if (p->is != FREE && p->is != SETTLED && p->conv == conv)
			return true;
	return false;
}

/* Committed: answers. */

static void
say_answer(struct ph_asked *a, const struct place *p, const char *state, const char *why)
{
	struct ph_buffer	 fields = PH_BUFFER_INIT;

	ph_log_id(&fields, "id", 'e', p->event);
	ph_log_text(&fields, "rule", p->rule);
	ph_log_text(&fields, "state", state);
	ph_log_number(&fields, "try", p->tries);
	ph_log_number(&fields, "ms", p->answer.took_ms);
	if (why != NULL)
		ph_log_text(&fields, "why", why);
	ph_log_add(&a->with.news->said, why == NULL ? PH_INFO : PH_WARN, "handler", &fields);
	ph_buffer_clear(&fields);
}

static enum ph_error
give_up(struct ph_asked *a, struct place *p, const char *why, int64_t now, struct ph_fail *fail)
{
	enum ph_error	 err;

	err = ph_ledger_close_event(a->with.ledger, p->event, p->conv, p->tries, true, why, now, fail);
	if (err == PH_OK) {
		say_answer(a, p, "dead", why);
		a->with.news->tally.dead++;
	}
	return err;
}

static enum ph_error
ask_again(struct ph_asked *a, struct place *p, const char *why, int64_t now, struct ph_fail *fail)
{
	int64_t		 wait_ms = p->answer.retry_ms;
	enum ph_error	 err;

	if (wait_ms <= 0)
		wait_ms = ph_ledger_backoff_ms(p->tries);
	if (wait_ms > MAX_RETRY_MS)
		wait_ms = MAX_RETRY_MS;
	err = ph_ledger_ask_again(a->with.ledger, p->event, p->conv, p->tries,
	    p->answer.end == PH_HANDLER_FAILED, wait_ms, now, why, fail);
	if (err == PH_OK)
		say_answer(a, p, "kept", why);
	return err;
}

/* What it said becomes what we owe, in one commit with the event's end; not if it was dropped. */
static enum ph_error
owe_answer(struct ph_asked *a, struct place *p, int64_t now, struct ph_fail *fail)
{
	struct ph_sending_answer answer = { .page = PH_SLICE(&p->page_id), .person = PH_SLICE(&p->person),
		.owed = { .conv = p->conv, .event = p->event, .at = p->at, .due = now,
		.pause_ms = p->pause_ms, .handover = p->handover,
		.handover_to = p->handover_to[0] != '\0' ? p->handover_to : NULL } };
	struct ph_buffer	 messages = PH_BUFFER_INIT;
	struct ph_fail		 odd = PH_FAIL_INIT;
	char			 why[MAX_WHY];
	enum ph_error		 err;
	bool			 silent;

	if (ph_buffer_check(&p->reply, fail) != PH_OK ||
	    ph_ledger_is_silent(a->with.ledger, p->conv, p->at, &silent, fail) != PH_OK)
		return fail->err;
	if (silent)				/* a person took over while it was thinking */
		return ph_ledger_close_event(a->with.ledger, p->event, p->conv, p->tries, false,
		    "the bot is silent in this conversation", now, fail);
	err = p->answer.coproc ? ph_answer_read_reply(PH_SLICE(&p->reply), &messages, &odd) :
	    ph_answer_read_output(PH_SLICE(&p->reply), &messages, &odd);
	if (err == PH_MALFORMED) {
		snprintf(why, sizeof(why), "%s: its handler's answer: %s", p->rule, odd.text);
		err = give_up(a, p, why, now, fail);
	} else if (err != PH_OK)
		err = ph_error_set(fail, err, "%s", odd.text);
	else {
		answer.owed.messages = PH_SLICE(&messages);
		err = ph_ledger_close_event(a->with.ledger, p->event, p->conv, p->tries, false, NULL,
		    now, fail);
		if (err == PH_OK) {
			say_answer(a, p, "done", NULL);
			err = ph_sending_owe(a->with.sending, &answer, fail);
		}
	}
	ph_buffer_clear(&messages);
	return err;
}

static enum ph_error
settle_handler(struct ph_asked *a, struct place *p, int64_t now, struct ph_fail *fail)
{
	char	 why[MAX_WHY];

	snprintf(why, sizeof(why), "%s: its handler: %s", p->rule, p->answer.why);
	switch (p->answer.end) {
	case PH_HANDLER_ANSWERED:
		return owe_answer(a, p, now, fail);
	case PH_HANDLER_LATER:
		return ask_again(a, p, why, now, fail);
	case PH_HANDLER_DEAD:
		return give_up(a, p, why, now, fail);
	case PH_HANDLER_FAILED:
		break;
	}
	return p->tries < MAX_TRIES ? ask_again(a, p, why, now, fail) : give_up(a, p, why, now, fail);
}

/* The name is known, or known not to be had: the event is thought about again, in this same turn. */
static enum ph_error
settle_name(struct ph_asked *a, struct place *p, int64_t now, struct ph_fail *fail)
{
	enum ph_error	 err;

	if (ph_buffer_check(&p->first_name, fail) != PH_OK || ph_buffer_check(&p->last_name, fail) != PH_OK)
		return PH_NOMEM;
	/* No answer in time is no word of Meta's: it is asked again after a minute, not an hour. */
	err = ph_ledger_set_person(a->with.ledger, p->conv, PH_SLICE(&p->first_name),
	    PH_SLICE(&p->last_name), p->answer.end == PH_HANDLER_ANSWERED ? now :
	    now - PH_NO_NAME_GOOD_MS + PH_MINUTE_MS, fail);
	return err == PH_OK ? ph_ledger_ask_again(a->with.ledger, p->event, p->conv, p->tries,
	    p->failed, 0, now, NULL, fail) : err;
}

enum ph_error
ph_asked_commit(struct ph_asked *a, int64_t now, struct ph_fail *fail)
{
	struct place	*p;
	enum ph_error	 err;

	for (p = a->places; p < a->places + PLACES; p++) {
		if (p->is != ANSWERED)
			continue;
		err = p->for_name ? settle_name(a, p, now, fail) : settle_handler(a, p, now, fail);
		if (err != PH_OK && err != PH_NONE)
			return err;
		p->is = SETTLED;
	}
	return PH_OK;
}

/* Committed: questions. */

/* Takes a place for an event; NULL: there is none, so it waits on. */
static struct place *
take_place(struct ph_asked *a, const struct ph_store_open *row, const struct ph_thought *th)
{
	struct place	*p = a->places;

	while (p < a->places + PLACES && p->is != FREE)
		p++;
	if (p == a->places + PLACES)
		return NULL;
	clear(p);
	*p = (struct place){ .is = CLAIMED, .failed = row->failed, .for_name = th->wants_person, .event = row->id,
	    .conv = row->conv.id, .at = row->at, .tries = row->tries + !th->wants_person,
	    .page = ph_pages_find(a->with.pages, PH_SLICE(&row->page)), .pause_ms = th->pause_ms,
	    .handover = th->handover };
	snprintf(p->rule, sizeof(p->rule), "%s", th->rule != NULL ? th->rule : "");
	snprintf(p->handover_to, sizeof(p->handover_to), "%s",
	    th->handover_to != NULL ? th->handover_to : "");
	ph_buffer_add(&p->page_id, row->page.data, row->page.len);
	ph_buffer_add(&p->person, row->person.data, row->person.len);
	return p;
}

enum ph_error
ph_asked_ask(struct ph_asked *a, const struct ph_store_open *row, const struct ph_thought *th,
    const char *dir, struct ph_fail *fail)
{
	struct place			*p = take_place(a, row, th);
	const struct ph_handler_ask	 ask = { .event = row->id, .attempt = row->tries + 1,
		.alone = row->failed,
		.coproc = th->coproc, .argv = th->argv, .dir = dir, .timeout_ms = th->timeout_ms,
		.line = PH_SLICE(&th->line), .on = th->on, .page = PH_SLICE(&row->page),
		.psid = PH_SLICE(&row->person) };
	struct ph_fail			 busy = PH_FAIL_INIT;
	enum ph_error			 err;

	if (p == NULL)
		return PH_BUSY;
	if ((err = ph_handlers_reserve(a->handlers, &ask, &busy)) != PH_OK) {
		clear(p);
		return err == PH_BUSY ? PH_BUSY : ph_error_set(fail, err, "%s", busy.text);
	}
	if (th->seen)
		ph_sending_show(a->with.sending, p->conv, ask.page, ask.psid, "mark_seen");
	if (th->typing)
		ph_sending_show(a->with.sending, p->conv, ask.page, ask.psid, "typing_on");
	return ph_ledger_ask(a->with.ledger, p->event, p->conv, p->tries, fail);
}

enum ph_error
ph_asked_for_name(struct ph_asked *a, const struct ph_store_open *row, const struct ph_thought *th,
    struct ph_fail *fail)
{
	struct place	*p = take_place(a, row, th);

	return p == NULL ? PH_BUSY : ph_ledger_ask(a->with.ledger, p->event, p->conv, p->tries, fail);
}

void
ph_asked_committed(struct ph_asked *a)
{
	struct place	*p;

	for (p = a->places; p < a->places + PLACES; p++)
		if (p->is == SETTLED)
			clear(p);
}

void
ph_asked_abandon(struct ph_asked *a)
{
	struct place	*p;

	ph_handlers_cancel(a->handlers);
	for (p = a->places; p < a->places + PLACES; p++)
		if (p->is == CLAIMED)
			clear(p);
		else if (p->is == SETTLED)
			p->is = ANSWERED;
}

/* Launched. */

static void
fetch_name(struct ph_asked *a, struct place *p)
{
	const struct ph_graph_call	 call = { .node = PH_SLICE(&p->person),
		.fields = "first_name,last_name", .token = p->page->token, .proof = p->page->proof,
		.limit_ms = NAME_BY_MS, .what = PH_CALL_PERSON, .tag = p };

	if (ph_graph_send(a->with.graph, &call, NULL) != PH_OK) {
		p->answer.end = PH_HANDLER_FAILED;
		p->is = ANSWERED;		/* without a name */
	}
}

void
ph_asked_launch(struct ph_asked *a)
{
	struct place	*p;

	ph_handlers_launch(a->handlers);
	for (p = a->places; p < a->places + PLACES; p++)
		if (p->is == CLAIMED) {
			p->is = ASKED;
			if (p->for_name)
				fetch_name(a, p);
		}
}

size_t
ph_asked_flying(const struct ph_asked *a)
{
	const struct place	*p;
	size_t			 n = 0;

	for (p = a->places; p < a->places + PLACES; p++)
		n += p->is != FREE;
	return n;
}

size_t
ph_asked_watch(const struct ph_asked *a, struct pollfd *fds, size_t max)
{
	return ph_handlers_watch(a->handlers, fds, max);
}

int
ph_asked_patience(const struct ph_asked *a)
{
	return ph_handlers_patience(a->handlers);
}
