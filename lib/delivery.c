/*
 * delivery -- one body becomes rows, and a verdict.
 * Knows intake, event, think, ledger, sending, pages, news, the wire's verdicts.  Does not know
 * sockets, handlers or transactions.
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
#include "message.h"
#include "sample.h"

#define COUNT_OF(array)	(sizeof(array) / sizeof((array)[0]))

/* Judged by the event's own time: an answer hours late, after an outage, talks past the person. */
static bool
is_too_old(const struct ph_delivery *d, const struct ph_event *ev)
{
	int64_t	 now = ph_clock_now();

	return ev->time != 0 && ph_clock_is_set(now) && ev->time < now - d->max_age_ms;
}

/* Why an event that could be answered is not; NULL: it is. */
static const char *
reason_for_silence(const struct ph_delivery *d, const struct ph_event *ev,
    const struct ph_store_conv *conv, int64_t at)
{
	if (is_too_old(d, ev))
		return "older than PAGEHOOK_MAX_REPLY_AGE: kept, not answered";
	if (at < conv->silent_until)
		return "the bot is silent in this conversation: kept, not answered";
	return NULL;
}

static void
say_event(struct ph_delivery *d, const struct ph_event *ev, int64_t id, bool dup, const char *what,
    const char *rule)
{
	struct ph_buffer	*fields = &d->fields;

	ph_buffer_reset(fields);
	if (ev->why != NULL)
		what = ev->why;
	else if (strcmp(ev->kind->name, "test") == 0)
		what = "the dashboard's Test button: it reached this webhook, all is well";
	if (!dup)
		ph_log_id(fields, "id", 'e', id);
	ph_log_slice(fields, "page", ev->page);
	ph_log_text(fields, "kind", ev->kind->name);
	if (ev->conversation.at != NULL)
		ph_log_who(fields, ev->conversation);
	ph_buffer_adds(fields, dup ? ",\"dup\":true" : ",\"dup\":false");
	if (rule != NULL)
		ph_log_text(fields, "rule", rule);
	if (what != NULL)
		ph_log_text(fields, "what", what);
	ph_log_add(&d->news->said, ev->why == NULL ? PH_INFO : PH_WARN, "event", fields);
}

/* Room for one more thought, and its bytes. */
static struct ph_delivery_thought *
next_thought(struct ph_delivery *d)
{
	struct ph_delivery_thought	*grown;
	size_t				 cap = d->cap_thoughts == 0 ? 64 : 2 * d->cap_thoughts;

	if (d->n_thoughts == d->cap_thoughts) {
		if ((grown = realloc(d->thoughts, cap * sizeof(*grown))) == NULL)
			return NULL;
		d->thoughts = grown;
		d->cap_thoughts = cap;
	}
	return &d->thoughts[d->n_thoughts++];
}

static size_t
keep_bytes(struct ph_delivery *d, struct ph_slice bytes)
{
	size_t	 from = d->bytes.len;

	ph_buffer_add(&d->bytes, bytes.at, bytes.len);
	return from;
}

static enum ph_error
keep_thought(struct ph_delivery *d, const struct ph_event *ev, const struct ph_ledger_answer *answer,
    bool put_off, struct ph_fail *fail)
{
	const struct ph_thought		*th = &d->thought;
	struct ph_delivery_thought	*t = next_thought(d);

	if (t == NULL)
		return ph_error_set(fail, PH_NOMEM, "out of memory for replies");
	*t = (struct ph_delivery_thought){ .answer = *answer, .put_off = put_off, .seen = th->seen,
	    .typing = th->typing, .len = th->messages.len, .page_len = ev->page.len };
	t->answer.pause_ms = th->pause_ms;
	t->answer.handover = th->handover;
	t->answer.handover_to = th->handover_to;
	t->from = keep_bytes(d, PH_SLICE(&th->messages));
	t->page = keep_bytes(d, ev->page);
	t->person = d->bytes.len;
	if (ev->by_user_ref)
		ph_buffer_adds(&d->bytes, PH_MESSAGE_USER_REF);
	keep_bytes(d, ev->conversation);
	t->person_len = d->bytes.len - t->person;
	return ph_buffer_check(&d->bytes, fail);
}

/* What a rule would say is no message once it is filled in: only this event suffers. */
static enum ph_error
give_up(struct ph_delivery *d, const struct ph_ledger_answer *answer, const char *why,
    struct ph_fail *fail)
{
	struct ph_buffer	 fields = PH_BUFFER_INIT;

	ph_log_id(&fields, "id", 'e', answer->event);
	ph_log_text(&fields, "state", "dead");
	ph_log_text(&fields, "why", why);
	ph_log_add(&d->news->said, PH_WARN, "reply", &fields);
	ph_buffer_clear(&fields);
	d->news->tally.dead++;
	if (ph_ledger_put_off(d->ledger, answer->event, answer->conv, answer->due, fail) != PH_OK)
		return fail->err;
	return ph_ledger_close_event(d->ledger, answer->event, answer->conv, 0, true, why, answer->due,
	    fail);
}

static enum ph_error
think(struct ph_delivery *d, const struct ph_event *ev, const struct ph_ledger_answer *answer,
    bool first, struct ph_fail *fail)
{
	const struct ph_rules	*rules = ph_pages_rules(d->pages, ev->page);
	const struct ph_facts	 facts = { .id = answer->event, .attempt = 1, .at = answer->at,
		.first = first };
	struct ph_thought	*th = &d->thought;
	struct ph_fail		 odd = PH_FAIL_INIT;
	enum ph_error		 err;

	if (rules->replies == NULL) {		/* a broken file: what to say is not known yet */
		ph_thought_clear(th);
		say_event(d, ev, answer->event, false, NULL, NULL);
		return keep_thought(d, ev, answer, true, fail);
	}
	err = ph_think(rules->replies, ev, &facts, th, &odd);
	say_event(d, ev, answer->event, false, NULL, th->rule);
	if (th->limit[0] != '\0')
		ph_log_say(PH_WARN, "reply", "%s: its pattern costs more than is allowed: no match",
		    th->limit);
	if (err == PH_MALFORMED)
		return give_up(d, answer, odd.text, fail);
	if (err != PH_OK)
		return ph_error_set(fail, err, "%s", odd.text);
	return keep_thought(d, ev, answer, th->argv != NULL || th->wants_person, fail);
}

/* A Page without a token: its events are kept, its replies wait, and somebody is told. */
static enum ph_error
hold_foreign_page(struct ph_delivery *d, const struct ph_event *ev, struct ph_fail *fail)
{
	enum ph_error	 err;

	if (ph_pages_find(d->pages, ev->page) != NULL || ph_slice_is(ev->page, d->held_page))
		return PH_OK;
	err = ph_ledger_hold_page(d->ledger, ev->page, (struct ph_slice){ "", 0 },
	    "no access token for this Page", 0, fail);
	if (err == PH_OK)
		ph_log_say(PH_WARN, "config", "Page %.*s has no access token: its replies wait for "
		    "MESSENGER_PAGE_ACCESS_TOKEN or MESSENGER_PAGES", (int)ev->page.len, ev->page.at);
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

/*
 * Said in the Page's inbox: by a person, who bears no app's id or the inbox's own.  Another app's
 * words are another bot's.
 */
static bool
is_by_hand(const struct ph_event *echo)
{
	char		 digits[PH_JSON_DIGITS];
	struct ph_slice	 app = ph_json_id(ph_json_get(echo->object, "app_id"), digits);

	return app.at == NULL || ph_slice_is(app, PH_MESSAGE_PAGE_INBOX);
}

/* A person answers: the bot keeps out of it for a while. */
static enum ph_error
give_way(struct ph_delivery *d, const struct ph_event *echo, const struct ph_store_conv *conv,
    int64_t at, struct ph_fail *fail)
{
	struct ph_buffer	 fields = PH_BUFFER_INIT;
	int64_t			 until = at + d->human_pause_ms;

	if (d->human_pause_ms == 0 || conv->id == 0 || !is_by_hand(echo) || until <= conv->silent_until)
		return PH_OK;
	d->silenced = true;
	ph_log_who(&fields, echo->conversation);
	ph_log_text(&fields, "what", "a person answers in the Page's inbox: the bot is silent");
	ph_log_add(&d->news->said, PH_INFO, "reply", &fields);
	ph_buffer_clear(&fields);
	return ph_ledger_silence(d->ledger, conv->id, until, fail);
}

/*
 * A token like ours that no reply here bears: two stores behind one webhook, a copied directory or two
 * hosts, answer people twice.  Said once an hour.
 */
static void
say_other(struct ph_delivery *d, struct ph_slice page)
{
	struct ph_delivery_other	*o, *oldest = d->others;
	int64_t				 mono = ph_clock_mono();

	for (o = d->others; o < d->others + COUNT_OF(d->others); o++) {
		if (ph_slice_is(page, o->page) && mono - o->said_at < PH_HOUR_MS)
			return;
		if (o->said_at < oldest->said_at)
			oldest = o;
	}
	oldest->said_at = mono;
	snprintf(oldest->page, sizeof(oldest->page), "%.*s", (int)page.len, page.at);
	ph_news_raise(d->news, PH_CAUSE_DOUBLE, page, NULL, "an echo bears a token of pagehook that no reply "
	    "here has: another installation answers this Page, too");
}

/* What was said by us settles its reply, which may have been taken for unsure. */
static enum ph_error
take_echo(struct ph_delivery *d, const struct ph_event *ev, const struct ph_store_conv *conv,
    const struct ph_ledger_answer *kept, struct ph_fail *fail)
{
	struct ph_buffer	 fields = PH_BUFFER_INIT;
	unsigned char		 token[PH_TOKEN_LEN];
	enum ph_error		 err;
	int64_t			 id = 0;

	if (!ph_message_is_ours(ev->metadata))
		return give_way(d, ev, conv, kept->at, fail);
	err = ph_ledger_confirm(d->ledger, ev, &id, fail);
	if (err == PH_NONE && id == 0 && kept->event != 0 && ph_message_parse_token(ev->metadata, token))
		say_other(d, ev->page);
	if (err != PH_OK)
		return err == PH_NONE ? PH_OK : err;
	ph_log_id(&fields, "id", 'r', id);
	ph_log_text(&fields, "state", "sent");
	ph_log_text(&fields, "what", "settled by Meta's echo");
	ph_log_add(&d->news->said, PH_INFO, "reply", &fields);
	ph_buffer_clear(&fields);
	return PH_OK;
}

/* The thread is ours again. */
static enum ph_error
take_thread(struct ph_delivery *d, const struct ph_event *ev, const struct ph_store_conv *conv,
    struct ph_fail *fail)
{
	char			 digits[PH_JSON_DIGITS];
	struct ph_slice		 owner = ph_json_id(ph_json_get(ev->object, "new_owner_app_id"), digits);
	struct ph_buffer	 fields = PH_BUFFER_INIT;

	if (conv->id == 0 || ev->channel != PH_MESSAGING ||
	    (d->app_id != NULL && !ph_slice_is(owner, d->app_id)))
		return PH_OK;
	if (conv->foreign && ph_ledger_take_thread(d->ledger, conv->id, d->now, fail) != PH_OK)
		return fail->err;
	if (conv->silent_until == 0)
		return PH_OK;
	ph_log_who(&fields, ev->conversation);
	ph_log_text(&fields, "what", "the thread was passed to us: the bot speaks again");
	ph_log_add(&d->news->said, PH_INFO, "reply", &fields);
	ph_buffer_clear(&fields);
	return ph_ledger_silence(d->ledger, conv->id, 0, fail);
}

static enum ph_error
take_event(struct ph_delivery *d, const struct ph_event *ev, int64_t came, struct ph_fail *fail)
{
	struct ph_ledger_answer	 answer = { .at = ev->time != 0 ? ev->time : came, .due = came };
	struct ph_store_conv	 conv;
	const char		*silent;
	enum ph_error		 err;
	bool			 dup;

	err = ph_ledger_keep(d->ledger, ev, d->intake.object, came, &answer.event, &conv, fail);
	if (err != PH_OK && err != PH_NONE)
		return err;
	dup = err == PH_NONE;
	d->news->tally.kept += !dup;
	d->news->tally.known += dup;
	answer.conv = conv.id;
	silent = ev->answerable && !dup ? reason_for_silence(d, ev, &conv, answer.at) : NULL;
	if (!ev->answerable || dup || silent != NULL)
		say_event(d, ev, answer.event, dup, silent, NULL);
	take_sample(d, ev);
	if (strcmp(ev->kind->name, "message.echo") == 0)
		return take_echo(d, ev, &conv, &answer, fail);
	if (strcmp(ev->kind->name, "handover.pass") == 0 && !dup)
		return take_thread(d, ev, &conv, fail);
	if (!ev->answerable || dup || silent != NULL)
		return PH_OK;
	if ((err = hold_foreign_page(d, ev, fail)) != PH_OK)
		return err;
	if (conv.foreign && ph_ledger_take_thread(d->ledger, conv.id, d->now, fail) != PH_OK)
		return fail->err;		/* what reaches us is in our thread */
	return think(d, ev, &answer, conv.first == answer.event, fail);
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
	static const struct ph_slice	 none = { NULL, 0 };
	struct ph_buffer		 fields = PH_BUFFER_INIT;
	enum ph_error			 err;
	int64_t				 id = 0;

	err = ph_ledger_quarantine(d->ledger, body, why, came, &id, fail);
	if (err != PH_OK)
		return err == PH_NONE ? PH_OK : err;
	ph_log_id(&fields, "id", 'e', id);
	ph_log_text(&fields, "why", why);
	ph_news_raise(d->news, PH_CAUSE_QUARANTINE, none, &fields, "a signed body is in quarantine: "
	    "pagehook queue list");
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
	if (err != PH_OK)
		return err;
	*verdict = ours;
	if (ours == PH_KEPT) {
		d->news->tally.deliveries++;
		if (came > d->news->tally.kept_at)
			d->news->tally.kept_at = came;
	}
	return PH_OK;
}

/* Where its bytes begin says when it was thought of: no two share a place. */
static int
by_time(const void *a, const void *b)
{
	const struct ph_delivery_thought	*x = a, *y = b;

	if (x->answer.at != y->answer.at)
		return x->answer.at < y->answer.at ? -1 : 1;
	return x->page < y->page ? -1 : 1;
}

/* Behind one that waits everything waits; a conversation that just fell silent stays so. */
static enum ph_error
owe(struct ph_delivery *d, const struct ph_delivery_thought *t, struct ph_fail *fail)
{
	const char			*bytes = d->bytes.data;
	struct ph_sending_answer	 answer = { .owed = t->answer, .seen = t->seen,
		.typing = t->typing, .page = { bytes + t->page, t->page_len },
		.person = { bytes + t->person, t->person_len } };
	bool				 open = t->put_off, silent = false;

	if (!open && ph_ledger_is_open(d->ledger, t->answer.conv, &open, fail) != PH_OK)
		return fail->err;
	if (open) {
		d->put_off = true;
		return ph_ledger_put_off(d->ledger, t->answer.event, t->answer.conv, d->now, fail);
	}
	if (d->silenced && ph_ledger_is_silent(d->ledger, t->answer.conv, t->answer.at, &silent,
	    fail) != PH_OK)
		return fail->err;
	if (silent)
		return PH_OK;
	d->silenced |= t->answer.pause_ms != 0 || t->answer.handover;
	answer.owed.messages = (struct ph_slice){ bytes + t->from, t->len };
	return ph_sending_owe(d->sending, &answer, fail);
}

enum ph_error
ph_delivery_owe(struct ph_delivery *d, struct ph_fail *fail)
{
	size_t	 i;

	if (d->n_thoughts > 1)
		qsort(d->thoughts, d->n_thoughts, sizeof(*d->thoughts), by_time);
	for (i = 0; i < d->n_thoughts; i++)
		if (owe(d, &d->thoughts[i], fail) != PH_OK)
			return fail->err;
	d->n_thoughts = 0;
	ph_buffer_reset(&d->bytes);
	return PH_OK;
}

void
ph_delivery_committed(struct ph_delivery *d)
{
	struct ph_fail	 fail;

	d->put_off = d->silenced = false;
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
	d->n_thoughts = 0;
	d->put_off = d->silenced = false;
	d->held_page[0] = '\0';
	ph_buffer_reset(&d->bytes);
}

void
ph_delivery_clear(struct ph_delivery *d)
{
	ph_delivery_forget(d);
	ph_intake_clear(&d->intake);
	ph_thought_clear(&d->thought);
	ph_buffer_clear(&d->bytes);
	ph_buffer_clear(&d->fields);
	free(d->thoughts);
}
