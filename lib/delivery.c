/*
 * delivery -- one body becomes rows, and a verdict.
 * Knows intake, event, think, ledger, the wire's verdicts.  Does not know sockets or transactions.
 * Called by turn, inside its transaction.
 * Lives in the helper's one thread.
 * SPDX-License-Identifier: ISC
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "delivery.h"
#include "log.h"
#include "sample.h"
#include "think.h"

#define CLOCK_IS_SET	INT64_C(1767225600000)	/* 2026: a clock that says less was never set */
#define COUNT_OF(array)	(sizeof(array) / sizeof((array)[0]))

/* Judged by the event's own time: an answer hours late, after an outage, talks past the person. */
static bool
is_too_old(const struct ph_delivery *d, const struct ph_event *ev)
{
	int64_t	 now = ph_clock_now();

	return ev->time != 0 && now > CLOCK_IS_SET && ev->time < now - d->max_age_ms;
}

/* What a person should know of this event beyond its kind; NULL: nothing. */
static const char *
remark(const struct ph_event *ev, bool dup, bool answered)
{
	if (ev->why != NULL)
		return ev->why;
	if (strcmp(ev->kind->name, "test") == 0)
		return "the dashboard's Test button: it reached this webhook, all is well";
	if (ev->answerable && !dup && !answered)
		return "older than PAGEHOOK_MAX_REPLY_AGE: kept, not answered";
	return NULL;
}

static void
say_event(struct ph_delivery *d, const struct ph_event *ev, int64_t id, bool dup, bool answered)
{
	struct ph_buffer	 fields = PH_BUFFER_INIT;
	const char		*what = remark(ev, dup, answered);

	if (!dup)
		ph_log_id(&fields, "id", 'e', id);
	ph_log_slice(&fields, "page", ev->page);
	ph_log_text(&fields, "kind", ev->kind->name);
	if (ev->conversation.at != NULL)
		ph_log_who(&fields, ev->conversation);
	ph_buffer_adds(&fields, dup ? ",\"dup\":true" : ",\"dup\":false");
	if (what != NULL)
		ph_log_text(&fields, "what", what);
	ph_log_add(&d->said, ev->why == NULL ? PH_INFO : PH_WARN, "event", &fields);
	ph_buffer_clear(&fields);
}

struct thought {			/* whose answer think's words are */
	struct ph_delivery	*delivery;
	int64_t			 conv, event, at, came;
};

static enum ph_error
note_reply(void *arg, struct ph_slice message, struct ph_fail *fail)
{
	const struct thought		*th = arg;
	struct ph_delivery		*d = th->delivery;
	struct ph_delivery_reply	*grown;
	size_t				 cap = d->cap_replies == 0 ? 64 : 2 * d->cap_replies;

	if (d->n_replies == d->cap_replies) {
		if ((grown = realloc(d->replies, cap * sizeof(*grown))) == NULL)
			return ph_error_set(fail, PH_NOMEM, "out of memory for replies");
		d->replies = grown;
		d->cap_replies = cap;
	}
	d->replies[d->n_replies++] = (struct ph_delivery_reply){ .conv = th->conv,
	    .event = th->event, .at = th->at, .came = th->came, .from = d->messages.len,
	    .len = message.len };
	ph_buffer_add(&d->messages, message.at, message.len);
	return ph_buffer_check(&d->messages, fail);
}

/* A Page without a token: its events are kept, its replies wait, and somebody is told. */
static enum ph_error
hold_foreign_page(struct ph_delivery *d, const struct ph_event *ev, struct ph_fail *fail)
{
	enum ph_error	 err;

	if ((d->page.at != NULL && d->page.len == ev->page.len &&
	    memcmp(d->page.at, ev->page.at, ev->page.len) == 0) || ph_slice_is(ev->page, d->held_page))
		return PH_OK;
	err = ph_ledger_hold_page(d->ledger, ev->page, "no access token for this Page", fail);
	if (err == PH_OK)
		ph_log_say(PH_WARN, "config", "Page %.*s has no access token: its replies wait for "
		    "MESSENGER_PAGE_ID and MESSENGER_PAGE_ACCESS_TOKEN", (int)ev->page.len, ev->page.at);
	snprintf(d->held_page, sizeof(d->held_page), "%.*s", (int)ev->page.len, ev->page.at);
	return err == PH_NONE ? PH_OK : err;
}

/* The first of each kind is worth a look: what Meta really sends, without whose it is. */
static void
take_sample(struct ph_delivery *d, const struct ph_event *ev)
{
	struct ph_delivery_sample	*s = &d->samples[d->n_samples];
	size_t				 i;

	for (i = 0; i < d->n_sampled; i++)
		if (d->sampled[i] == ev->kind)
			return;
	if (d->n_samples == COUNT_OF(d->samples) || d->n_sampled == COUNT_OF(d->sampled))
		return;				/* the next of its kind will do */
	d->sampled[d->n_sampled++] = ev->kind;
	if (ph_sample_is_kept(ev->kind->name))
		return;
	s->kind = ev->kind->name;
	ph_sample_format(ev, d->intake.object, &s->body);
	d->n_samples++;
}

/* What was said by us settles its reply; what a person or another app said is only kept. */
static enum ph_error
take_echo(struct ph_delivery *d, const struct ph_event *ev, struct ph_fail *fail)
{
	struct ph_buffer	 fields = PH_BUFFER_INIT;
	enum ph_error		 err;
	int64_t			 id = 0;

	if ((err = ph_ledger_confirm(d->ledger, ev, &id, fail)) != PH_OK)
		return err == PH_NONE ? PH_OK : err;
	ph_log_id(&fields, "id", 'r', id);
	ph_log_text(&fields, "state", "sent");
	ph_log_text(&fields, "what", "settled by Meta's echo");
	ph_log_add(&d->said, PH_INFO, "reply", &fields);
	ph_buffer_clear(&fields);
	return PH_OK;
}

static enum ph_error
take_event(struct ph_delivery *d, const struct ph_event *ev, int64_t came, struct ph_fail *fail)
{
	struct thought	 th = { .delivery = d, .came = came, .at = ev->time != 0 ? ev->time : came };
	enum ph_error	 err;
	bool		 answer;

	err = ph_ledger_keep(d->ledger, ev, d->intake.object, came, &th.event, &th.conv, fail);
	if (err != PH_OK && err != PH_NONE)
		return err;
	answer = err == PH_OK && ev->answerable && !is_too_old(d, ev);
	say_event(d, ev, th.event, err == PH_NONE, answer);
	take_sample(d, ev);
	if (strcmp(ev->kind->name, "message.echo") == 0)
		return take_echo(d, ev, fail);
	if (!answer)
		return PH_OK;
	if ((err = hold_foreign_page(d, ev, fail)) != PH_OK)
		return err;
	return ph_think(ev, note_reply, &th, fail);
}

static enum ph_error
take_events(struct ph_delivery *d, int64_t came, struct ph_fail *fail)
{
	struct ph_event	 ev;
	enum ph_error	 err = PH_OK;
	size_t		 i;

	for (i = 0; i < d->intake.events.n && err == PH_OK; i++) {
		if ((err = ph_event_read(&d->intake.events.all[i], &ev, fail)) != PH_OK)
			return err;
		err = take_event(d, &ev, came, fail);
		ph_event_clear(&ev);
	}
	return err;
}

enum ph_error
ph_delivery_quarantine(struct ph_delivery *d, struct ph_slice body, int64_t came, const char *why,
    struct ph_fail *fail)
{
	struct ph_buffer	 fields = PH_BUFFER_INIT;
	enum ph_error		 err;
	int64_t			 id = 0;

	err = ph_ledger_quarantine(d->ledger, body, why, came, &id, fail);
	if (err != PH_OK)
		return err == PH_NONE ? PH_OK : err;
	ph_log_id(&fields, "id", 'e', id);
	ph_log_text(&fields, "what", "a signed body is in quarantine");
	ph_log_text(&fields, "why", why);
	ph_log_add(&d->said, PH_ERROR, "alert", &fields);
	ph_buffer_clear(&fields);
	return PH_OK;
}

enum ph_error
ph_delivery_keep(struct ph_delivery *d, struct ph_slice body, int64_t came, enum ph_verdict *verdict,
    struct ph_fail *fail)
{
	struct ph_fail	 why = PH_FAIL_INIT;
	enum ph_verdict	 ours = PH_KEPT;
	enum ph_error	 err;

	switch (ph_intake_read(body, d->objects, &d->intake, &why)) {
	case PH_OK:
		err = take_events(d, came, fail);
		break;
	case PH_NONE:
		ph_log_say(PH_WARN, "refused", "%s: another subscription points here, or "
		    "MESSENGER_OBJECTS lacks it", why.text);
		err = PH_OK;
		ours = PH_UNWANTED;
		break;
	case PH_MALFORMED:
		err = ph_delivery_quarantine(d, body, came, why.text, fail);
		ours = PH_UNREADABLE;
		break;
	case PH_TOOBIG:
		err = ph_delivery_quarantine(d, body, came, why.text, fail);
		break;
	default:
		err = ph_error_set(fail, PH_NOMEM, "%s", why.text);
	}
	if (err == PH_OK)
		*verdict = ours;
	return err;
}

/* Where a message begins says when it was thought of: no two share a place. */
static int
by_time(const void *a, const void *b)
{
	const struct ph_delivery_reply	*x = a, *y = b;

	if (x->at != y->at)
		return x->at < y->at ? -1 : 1;
	return x->from < y->from ? -1 : 1;
}

enum ph_error
ph_delivery_owe(struct ph_delivery *d, struct ph_fail *fail)
{
	struct ph_delivery_reply	*r;

	if (d->n_replies > 1)
		qsort(d->replies, d->n_replies, sizeof(*d->replies), by_time);
	for (r = d->replies; r < d->replies + d->n_replies; r++)
		if (ph_ledger_owe(d->ledger, r->conv, r->event, r->came,
		    (struct ph_slice){ d->messages.data + r->from, r->len }, fail) != PH_OK)
			return fail->err;
	d->n_replies = 0;
	ph_buffer_reset(&d->messages);
	return PH_OK;
}

void
ph_delivery_committed(struct ph_delivery *d)
{
	struct ph_fail	 fail;

	ph_log_write(&d->said);
	d->n_sampled_before = d->n_sampled;
	while (d->n_samples > 0) {
		struct ph_delivery_sample	*s = &d->samples[--d->n_samples];

		fail = (struct ph_fail)PH_FAIL_INIT;
		if (ph_buffer_check(&s->body, &fail) == PH_OK &&
		    ph_sample_keep(s->kind, PH_SLICE(&s->body), &fail) == PH_OK)
			ph_log_say(PH_INFO, "event", "the first %s here: samples/%s.json", s->kind, s->kind);
		ph_log_fail("event", &fail);
		ph_buffer_clear(&s->body);
	}
}

void
ph_delivery_forget(struct ph_delivery *d)
{
	d->n_sampled = d->n_sampled_before;
	while (d->n_samples > 0)
		ph_buffer_clear(&d->samples[--d->n_samples].body);
	d->n_replies = 0;
	d->held_page[0] = '\0';
	ph_buffer_reset(&d->messages);
	ph_buffer_reset(&d->said);
}

void
ph_delivery_clear(struct ph_delivery *d)
{
	ph_delivery_forget(d);
	ph_intake_clear(&d->intake);
	ph_buffer_clear(&d->said);
	ph_buffer_clear(&d->messages);
	free(d->replies);
}
