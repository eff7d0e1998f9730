/*
 * waiting -- events that were put off, thought about when it is their turn.
 * Knows event, think, asked, ledger, sending, pages.  Does not know deliveries or handlers.
 * Called by turn, inside its transaction.
 * Lives in the helper's one thread.
 * SPDX-License-Identifier: ISC
 */
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "log.h"
#include "message.h"
#include "waiting.h"

#define LOOK_AT_ONCE	32		/* events thought about in one look */
#define LOOK_AGAIN_MS	100		/* while handlers have no room */
#define MAX_IN_VAIN	8		/* events in a row that found no room: so will the next */
#define NAME_GOOD_MS	(30 * PH_DAY_MS)

struct ph_waiting {
	struct ph_waiting_with	 with;
	struct ph_thought	 thought;
	bool			 look;		/* at what waits longest: there is room again */
	bool			 look_new;	/* at what was put off in this turn */
	int64_t			 look_at;	/* monotonic ms: further on, some found no room; 0: not */
	struct cursor {
		int64_t	 due, id;
	}			 further;	/* how far such looks came */
	bool			 in_vain;	/* some found no room since they began at the start */
	int64_t			 next_due;
};

enum ph_error
ph_waiting_new(const struct ph_waiting_with *with, struct ph_waiting **out, struct ph_fail *fail)
{
	struct ph_waiting	*a = calloc(1, sizeof(*a));

	*out = a;
	if (a == NULL)
		return ph_error_set(fail, PH_NOMEM, "helper: out of memory");
	a->with = *with;
	a->look = true;				/* what the last helper left */
	return PH_OK;
}

void
ph_waiting_free(struct ph_waiting *a)
{
	if (a == NULL)
		return;
	ph_thought_clear(&a->thought);
	free(a);
}

void
ph_waiting_look(struct ph_waiting *a)
{
	a->look = true;
}

void
ph_waiting_look_at_new(struct ph_waiting *a)
{
	a->look_new = true;
}

bool
ph_waiting_is_ready(const struct ph_waiting *a)
{
	return a->look || a->look_new || (a->look_at != 0 && ph_clock_left_ms(a->look_at) == 0);
}

/* One event. */

struct one {				/* of them, being thought about */
	struct ph_waiting		*all;
	const struct ph_store_open	*row;
	const struct ph_rules		*rules;
	int64_t				 now;
};

static void
say_state(const struct one *w, const char *state, const char *why, const char *rule)
{
	struct ph_buffer	 fields = PH_BUFFER_INIT;

	ph_log_id(&fields, "id", 'e', w->row->id);
	ph_log_text(&fields, "state", state);
	if (rule != NULL)
		ph_log_text(&fields, "rule", rule);
	if (why != NULL)
		ph_log_text(&fields, "why", why);
	ph_log_add(&w->all->with.news->said, strcmp(state, "dead") == 0 ? PH_WARN : PH_INFO, "reply", &fields);
	ph_buffer_clear(&fields);
}

static enum ph_error
owe_thought(const struct one *w, struct ph_fail *fail)
{
	const struct ph_store_open	*row = w->row;
	const struct ph_thought		*th = &w->all->thought;
	const struct ph_sending_answer	 answer = { .page = PH_SLICE(&row->page),
		.person = PH_SLICE(&row->person), .seen = th->seen, .typing = th->typing,
		.owed = { .conv = row->conv.id, .event = row->id, .at = row->at, .due = w->now,
		.messages = PH_SLICE(&th->messages), .pause_ms = th->pause_ms,
		.handover = th->handover, .handover_to = th->handover_to } };

	if (ph_sending_owe(w->all->with.sending, &answer, fail) != PH_OK)
		return fail->err;
	say_state(w, "done", NULL, th->rule);
	return ph_ledger_close_event(w->all->with.ledger, row->id, row->conv.id, row->tries, false, NULL,
	    w->now, fail);
}

static enum ph_error
think(const struct one *w, const struct ph_event *ev, const struct ph_person *person,
    struct ph_fail *fail)
{
	const struct ph_facts	 facts = { .id = w->row->id, .attempt = w->row->tries + 1,
		.at = w->row->at, .first = w->row->conv.first == w->row->id, .person = person };
	enum ph_error		 err;

	err = ph_think(w->rules->replies, ev, &facts, &w->all->thought, fail);
	if (w->all->thought.limit[0] != '\0')
		ph_log_say(PH_WARN, "reply", "%s: its pattern costs more than is allowed: no match",
		    w->all->thought.limit);
	return err;
}

/* Meta tells the names of those alone whom it named by a page-scoped id. */
static bool
has_name(const struct ph_store_open *row)
{
	const size_t	 n = sizeof(PH_MESSAGE_USER_REF) - 1;

	return row->person.len <= n || memcmp(row->person.data, PH_MESSAGE_USER_REF, n) != 0;
}

static bool
is_known(const struct one *w, const struct ph_store_person *known)
{
	int64_t	 age_ms = w->now - known->asked_at;

	return age_ms >= 0 && age_ms <= (known->first_name.len > 0 ? NAME_GOOD_MS : PH_NO_NAME_GOOD_MS);
}

/* What is known of the person, if Meta was asked not long ago; else Meta is asked. */
static enum ph_error
think_with_person(const struct one *w, const struct ph_event *ev, struct ph_fail *fail)
{
	struct ph_store_person	 known = { .asked_at = 0 };
	struct ph_person	 person;
	enum ph_error		 err;

	if ((err = ph_ledger_person(w->all->with.ledger, w->row->conv.id, &known, fail)) == PH_OK) {
		person = (struct ph_person){ PH_SLICE(&known.first_name), PH_SLICE(&known.last_name) };
		if (is_known(w, &known) || !has_name(w->row) ||
		    ph_pages_find(w->all->with.pages, PH_SLICE(&w->row->page)) == NULL)
			err = think(w, ev, &person, fail);
		else
			err = ph_asked_for_name(w->all->with.asked, w->row, &w->all->thought, fail);
	}
	ph_store_person_clear(&known);
	return err;
}

static enum ph_error
close_row(const struct one *w, bool dead, const char *why, struct ph_fail *fail)
{
	say_state(w, dead ? "dead" : "done", why, NULL);
	w->all->with.news->tally.dead += dead;
	return ph_ledger_close_event(w->all->with.ledger, w->row->id, w->row->conv.id, w->row->tries,
	    dead, why, w->now, fail);
}

/* PH_BUSY: it waits on, since nobody has room for it. */
static enum ph_error
answer_event(const struct one *w, const struct ph_event *ev, struct ph_fail *fail)
{
	struct ph_thought	*th = &w->all->thought;
	struct ph_fail		 odd = PH_FAIL_INIT;
	enum ph_error		 err;

	if ((err = think(w, ev, NULL, &odd)) == PH_OK && th->wants_person)
		err = think_with_person(w, ev, &odd);
	if (err == PH_MALFORMED)
		return close_row(w, true, odd.text, fail);
	if (err != PH_OK)
		return err == PH_BUSY ? err : ph_error_set(fail, err, "%s", odd.text);
	if (th->wants_person)
		return PH_OK;			/* Meta is asked first */
	if (th->argv != NULL)
		return ph_asked_ask(w->all->with.asked, w->row, th, w->rules->dir, fail);
	return owe_thought(w, fail);
}

static bool
is_too_old(const struct one *w)
{
	return ph_clock_is_set(w->now) && w->row->at < w->now - w->all->with.max_age_ms;
}

/* The row's event, read again as it came: its page as JSON, as an entry has it. */
static enum ph_error
think_about(const struct one *w, struct ph_fail *fail)
{
	struct ph_buffer	 page = PH_BUFFER_INIT;
	struct ph_event_source	 source = { .channel = PH_MESSAGING, .event = PH_SLICE(&w->row->body) };
	struct ph_event		 event;
	enum ph_error		 err;

	if (w->row->at < w->row->conv.silent_until)
		return close_row(w, false, "the bot is silent in this conversation", fail);
	if (is_too_old(w))
		return close_row(w, true, "older than PAGEHOOK_MAX_REPLY_AGE before it was answered", fail);
	ph_buffer_adds(&page, "\"");
	ph_buffer_add_json(&page, PH_SLICE(&w->row->page));
	ph_buffer_adds(&page, "\"");
	source.entry_id = PH_SLICE(&page);
	if ((err = ph_buffer_check(&page, fail)) == PH_OK &&
	    (err = ph_event_read(&source, &event, fail)) == PH_OK) {
		err = answer_event(w, &event, fail);
		ph_event_clear(&event);
	}
	ph_buffer_clear(&page);
	return err;
}

/* PH_NONE: not now, what it waits for will make us look; PH_BUSY: nor now, but nothing will. */
static enum ph_error
think_about_row(struct ph_waiting *a, const struct ph_store_open *row, int64_t now, struct ph_fail *fail)
{
	const struct one	 w = { .all = a, .row = row, .now = now,
		.rules = ph_pages_rules(a->with.pages, PH_SLICE(&row->page)) };

	/* Asked about: a late event came, which happened before that one. */
	if (w.rules->replies == NULL || ph_asked_about(a->with.asked, row->conv.id))
		return PH_NONE;
	return think_about(&w, fail);
}

/* Looks at so many from a place on, and moves it: to the start again behind the last. */
static enum ph_error
look_from(struct ph_waiting *a, struct cursor *from, int max_in_vain, int64_t now, struct ph_fail *fail)
{
	struct ph_store_open	 rows[LOOK_AT_ONCE];
	enum ph_error		 err;
	size_t			 i, n;
	int			 in_vain = 0;

	err = ph_ledger_due(a->with.ledger, now, from->due, from->id, rows, LOOK_AT_ONCE, &n, fail);
	for (i = 0; i < n && err == PH_OK && in_vain < max_in_vain; i++) {
		err = think_about_row(a, &rows[i], now, fail);
		in_vain = err == PH_BUSY ? in_vain + 1 : 0;
		a->in_vain |= err == PH_BUSY;
		a->look |= err == PH_OK;	/* the next of its conversation may be due now */
		if (err == PH_BUSY || err == PH_NONE)
			err = PH_OK;
		*from = (struct cursor){ rows[i].due, rows[i].id };
	}
	if (n < LOOK_AT_ONCE && i == n)
		*from = (struct cursor){ 0, 0 };
	for (i = 0; i < n; i++)
		ph_store_open_clear(&rows[i]);
	return err;
}

/* A step further; then again from the start, until a round finds nobody who waits for room. */
static enum ph_error
look_further(struct ph_waiting *a, int64_t now, struct ph_fail *fail)
{
	a->look_at = 0;
	if (a->further.due == 0)
		a->in_vain = false;
	return look_from(a, &a->further, LOOK_AT_ONCE, now, fail);
}

/*
 * At what waits longest when there is room again; at what is new, since its own handler may have room
 * however long another's queue is; and step by step at all of it while some found no room.
 */
static enum ph_error
look(struct ph_waiting *a, int64_t now, struct ph_fail *fail)
{
	struct cursor	 start = { 0, 0 }, end = { now - 1, INT64_MAX };
	const bool	 first = a->look, new = a->look_new;

	a->look = a->look_new = false;
	if (first && look_from(a, &start, MAX_IN_VAIN, now, fail) != PH_OK)
		return fail->err;
	if (new && look_from(a, &end, LOOK_AT_ONCE, now, fail) != PH_OK)
		return fail->err;
	if (a->look_at != 0 && ph_clock_left_ms(a->look_at) == 0 && look_further(a, now, fail) != PH_OK)
		return fail->err;
	if (a->look_at == 0 && (a->in_vain || a->further.due != 0 || start.due != 0))
		a->look_at = ph_clock_mono() + ph_clock_wait_ms(LOOK_AGAIN_MS);
	return PH_OK;
}

enum ph_error
ph_waiting_commit(struct ph_waiting *a, int64_t now, struct ph_fail *fail)
{
	if (a->next_due != 0 && a->next_due <= now)
		a->look = true;
	if (ph_waiting_is_ready(a) && look(a, now, fail) != PH_OK)
		return fail->err;
	return ph_ledger_next_open(a->with.ledger, now, &a->next_due, fail);
}

void
ph_waiting_abandon(struct ph_waiting *a)
{
	a->look = true;
}

int64_t
ph_waiting_next_due(const struct ph_waiting *a)
{
	return a->next_due;
}

int
ph_waiting_patience(const struct ph_waiting *a)
{
	if (a->look || a->look_new)
		return 0;
	return a->look_at == 0 ? -1 : ph_clock_left_ms(a->look_at);
}
