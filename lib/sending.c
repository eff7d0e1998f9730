/*
 * sending -- replies on their way: claimed, launched, settled; and the actions that go before them.
 * Knows ledger, pages, graph, outcome, message, news.  Does not know events or what made a reply.
 * Called by turn; delivery and asked ask it to show an action.
 * Lives in the helper's one thread; what is on its way when it dies is "sending" on disk.
 * SPDX-License-Identifier: ISC
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "log.h"
#include "message.h"
#include "pace.h"
#include "sending.h"

#define RIPE_AT_ONCE	64
#define MEDIA_AGAIN_MS	100		/* audio or video, when too much of it left just now */
#define SHOWN_BY_MS	2000		/* a reply waits no longer for the action before it */
#define PLACES		(2 * PH_SENDING_FLYING)	/* what finished this turn keeps its own until settled */

static const struct ph_slice	 nothing = { NULL, 0 };

enum phase { FREE, CLAIMED, WAITING, FLYING, FINISHED, N_PHASES };	/* WAITING: behind an action */

struct claim {				/* one reply on its way; the tag of its request */
	enum phase		 is;
	const struct ph_page	*page;
	struct ph_store_reply	 reply;
	struct ph_result	 result;	/* once finished */
	int64_t			 took_ms;
};

struct action {				/* typing_on, mark_seen; the tag of its request */
	enum { NOT_SHOWN, WANTED, SHOWN } is;
	const struct ph_page	*page;
	int64_t			 conv;
	struct ph_buffer	 person;
	const char		*name;
};

struct lane {				/* a Page's */
	struct ph_pace		 pace, pace_before;	/* before: this turn, if it noted something */
	size_t			 n_flying;
};

struct ph_sending {
	struct ph_ledger	*ledger;
	struct ph_graph		*graph;
	const struct ph_pages	*pages;
	struct ph_news		*news;
	struct claim		 claims[PLACES];
	size_t			 n[N_PHASES];	/* claims in each */
	struct action		 actions[PH_SENDING_SHOWN];
	struct lane		*lanes;		/* by the index of the Page */
	struct ph_buffer	 page;		/* whose turn it was; "": the first is next */
	bool			 noted;
	int64_t			 next_unsure, next_due;
};

static struct ph_slice
proof_of(const struct ph_page *page)
{
	return (struct ph_slice){ page->proof, strlen(page->proof) };
}

/*
 * A Page that was paused when the last helper ended is asked by one reply at first, when its time is
 * over; at once if its token is new.
 */
static enum ph_error
begin_lanes(struct ph_sending *s, struct ph_fail *fail)
{
	const int64_t	 mono = ph_clock_mono(), now = ph_clock_now();
	enum ph_error	 err;
	int64_t		 until;
	size_t		 i;

	if ((s->lanes = calloc(s->pages->n + 1, sizeof(*s->lanes))) == NULL)
		return ph_error_set(fail, PH_NOMEM, "helper: out of memory");
	for (i = 0; i < s->pages->n; i++) {
		const struct ph_page	*page = &s->pages->all[i];

		until = now;
		err = ph_ledger_page_held(s->ledger, page->id, proof_of(page), &until, fail);
		if (err != PH_OK && err != PH_NONE)
			return err;
		if (until < now || until > now + PH_DAY_MS)
			until = now;		/* a clock that was set */
		ph_pace_begin(&s->lanes[i].pace, err == PH_OK, mono + until - now, mono);
	}
	return PH_OK;
}

enum ph_error
ph_sending_new(struct ph_ledger *ledger, struct ph_graph *graph, const struct ph_pages *pages,
    struct ph_news *news, struct ph_sending **out, struct ph_fail *fail)
{
	struct ph_sending	*s = calloc(1, sizeof(*s));

	*out = NULL;
	if (s == NULL)
		return ph_error_set(fail, PH_NOMEM, "helper: out of memory");
	s->ledger = ledger;
	s->graph = graph;
	s->pages = pages;
	s->news = news;
	s->n[FREE] = PLACES;
	if (begin_lanes(s, fail) != PH_OK) {
		ph_sending_free(s);
		return fail->err;
	}
	*out = s;
	return PH_OK;
}

void
ph_sending_free(struct ph_sending *s)
{
	size_t	 i;

	if (s == NULL)
		return;
	for (i = 0; i < PLACES; i++)
		ph_store_reply_clear(&s->claims[i].reply);
	for (i = 0; i < PH_SENDING_SHOWN; i++)
		ph_buffer_clear(&s->actions[i].person);
	ph_buffer_clear(&s->page);
	free(s->lanes);
	free(s);
}

static struct lane *
lane_of(struct ph_sending *s, const struct ph_page *page)
{
	return &s->lanes[page - s->pages->all];
}

static bool
is_on_its_way(enum phase is)
{
	return is != FREE && is != FINISHED;
}

static void
become(struct ph_sending *s, struct claim *c, enum phase is)
{
	struct lane	*lane = lane_of(s, c->page);

	lane->n_flying += is_on_its_way(is);
	lane->n_flying -= is_on_its_way(c->is);
	s->n[is]++;
	s->n[c->is]--;
	c->is = is;
}

/* Launched, or about to be. */
static size_t
n_flying(const struct ph_sending *s)
{
	return s->n[WAITING] + s->n[FLYING];
}

/* Gathered. */

/* Graph repeats a token that it cannot read, or whom it does not know, and what it says is logged. */
static void
hide(struct ph_buffer *said, struct ph_slice what)
{
	char	*at;

	while (what.len > 0 && said->len > 0 &&
	    (at = memmem(said->data, said->len, what.at, what.len)) != NULL)
		memset(at, '*', what.len);
}

/* Judged again, with nothing in it that may not be logged. */
static void
judge_shown(struct claim *c, const struct ph_answer *answer)
{
	struct ph_answer	 shown = *answer;
	struct ph_buffer	 body = PH_BUFFER_INIT;

	ph_buffer_add(&body, answer->body.at, answer->body.len);
	hide(&body, (struct ph_slice){ c->page->token, strlen(c->page->token) });
	hide(&body, PH_SLICE(&c->reply.person));
	if (body.len > 0)
		shown.body = PH_SLICE(&body);
	ph_outcome_judge(&shown, &c->result);
	ph_buffer_clear(&body);
}

/*
 * What was sent keeps its mid as Graph gave it: the person's id may stand in it by chance.  To pass the
 * thread twice is to pass it once: no answer is no reason for doubt.
 */
static void
judge(struct ph_sending *s, struct claim *c, const struct ph_answer *answer)
{
	ph_outcome_judge(answer, &c->result);
	if (c->result.outcome != PH_SENT)
		judge_shown(c, answer);
	if (c->result.outcome == PH_UNSURE && strcmp(c->reply.kind, PH_MESSAGE_PASS_THREAD) == 0)
		c->result.outcome = PH_RETRY;
	become(s, c, FINISHED);
}

void
ph_sending_take(struct ph_sending *s, const struct ph_graph_sent *sent)
{
	struct claim	*c = sent->tag;
	struct action	*a = sent->tag;

	if (sent->what == PH_CALL_ACTION) {
		a->is = NOT_SHOWN;		/* whatever came of it */
		return;
	}
	judge(s, c, &sent->answer);
	c->took_ms = sent->took_ms;
}

void
ph_sending_show(struct ph_sending *s, int64_t conv, struct ph_slice page, struct ph_slice person,
    const char *name)
{
	struct action	*a = s->actions;

	while (a < s->actions + PH_SENDING_SHOWN && a->is != NOT_SHOWN)
		a++;
	if (a == s->actions + PH_SENDING_SHOWN || (a->page = ph_pages_find(s->pages, page)) == NULL)
		return;
	ph_buffer_reset(&a->person);
	ph_buffer_add(&a->person, person.at, person.len);
	a->conv = conv;
	a->name = name;
	a->is = WANTED;
}

enum ph_error
ph_sending_owe(struct ph_sending *s, const struct ph_sending_answer *a, struct ph_fail *fail)
{
	struct ph_buffer	 fields = PH_BUFFER_INIT;
	size_t			 n_held;

	if (ph_ledger_owe(s->ledger, &a->owed, &n_held, fail) != PH_OK)
		return fail->err;
	if (a->seen)
		ph_sending_show(s, a->owed.conv, a->page, a->person, "mark_seen");
	if (a->typing)
		ph_sending_show(s, a->owed.conv, a->page, a->person, "typing_on");
	if (n_held == 0)
		return PH_OK;
	ph_log_id(&fields, "id", 'e', a->owed.event);
	ph_log_who(&fields, a->person);
	ph_news_raise(s->news, PH_CAUSE_HELD, nothing, &fields, "more than 20 automatic replies in a "
	    "minute in one conversation: held; is it a bot that answers this one?");
	ph_buffer_clear(&fields);
	return PH_OK;
}

/* Committed. */

static void
say_reply(struct ph_sending *s, const struct claim *c, const char *state, int64_t now)
{
	const struct ph_result	*r = &c->result;
	struct ph_buffer	 fields = PH_BUFFER_INIT;

	ph_log_id(&fields, "id", 'r', c->reply.id);
	ph_log_who(&fields, PH_SLICE(&c->reply.person));
	if (c->reply.kind[0] != '\0')
		ph_log_text(&fields, "kind", c->reply.kind);
	ph_log_text(&fields, "state", state);
	ph_log_number(&fields, "try", c->reply.attempt);
	if (r->status != 0)
		ph_log_number(&fields, "http", r->status);
	ph_log_number(&fields, "ms", c->took_ms);
	if (r->code != 0) {
		ph_log_number(&fields, "code", r->code);
		ph_log_number(&fields, "subcode", r->subcode);
		ph_log_text(&fields, "fbtrace_id", r->trace);
		if (r->error[0] != '\0')
			ph_log_json(&fields, "error", r->error);
	} else if (r->outcome != PH_SENT)
		ph_log_text(&fields, "why", r->why);
	if (r->followed > 0)
		ph_log_number(&fields, "followed", r->followed);
	if (r->outcome == PH_SENT && c->reply.resends > 0)
		ph_log_text(&fields, "note", "may have been sent more than once");
	if (r->due > now)
		ph_log_time(&fields, "next", r->due);
	ph_log_add(&s->news->said, r->outcome == PH_SENT ? PH_INFO : PH_WARN, "send", &fields);
	ph_buffer_clear(&fields);
}

/* A token that has died wants a new one; all else wants a look at the Page. */
static void
raise_paused(struct ph_sending *s, const struct claim *c, struct ph_buffer *fields)
{
	const bool	 token = c->result.code == 190 || c->result.code == 102;

	ph_news_raise(s->news, token ? PH_CAUSE_TOKEN : PH_CAUSE_PAGE, c->page->id, fields, token ?
	    "Graph refuses this Page's token: its replies wait for a new one" :
	    "Graph takes nothing of this Page: its replies wait, one at a time finds out when that is over");
}

/* What a reply's outcome tells of its whole Page. */
static enum ph_error
note_pace(struct ph_sending *s, const struct claim *c, int64_t now, struct ph_fail *fail)
{
	static const struct { enum ph_log_level level; const char *what; } words[] = {
		[PH_PACE_RESUMED] = { PH_INFO, "Graph takes this Page's replies again" },
		[PH_PACE_SLOWED] = { PH_WARN, "a limit of Graph's: slower for a while" },
	};
	int64_t			 mono = ph_clock_mono();
	struct ph_pace		*pace = &lane_of(s, c->page)->pace;
	enum ph_pace_news	 news = ph_pace_note(pace, &c->result, mono);
	struct ph_buffer	 fields = PH_BUFFER_INIT;
	enum ph_error		 err = PH_OK;

	if (c->result.outcome == PH_PAGE || news == PH_PACE_PAUSED)
		err = ph_ledger_hold_page(s->ledger, c->page->id, proof_of(c->page),
		    c->result.why[0] != '\0' ? c->result.why : "refused", now + pace->until - mono, fail);
	else if (news == PH_PACE_RESUMED)
		err = ph_ledger_hold_page(s->ledger, c->page->id, proof_of(c->page), NULL, 0, fail);
	if (c->result.code != 0)
		ph_log_number(&fields, "code", c->result.code);
	else if (c->result.why[0] != '\0')
		ph_log_text(&fields, "why", c->result.why);
	if (news == PH_PACE_PAUSED)
		raise_paused(s, c, &fields);
	else if (news != PH_PACE_SAME) {
		ph_log_slice(&fields, "page", c->page->id);
		ph_log_text(&fields, "what", words[news].what);
		ph_log_add(&s->news->said, words[news].level, "reply", &fields);
	}
	ph_buffer_clear(&fields);
	return err == PH_NONE ? PH_OK : err;
}

static void
count(struct ph_tally *tally, const struct ph_result *result, bool dead, int64_t now)
{
	if (result->outcome == PH_SENT) {
		tally->sent++;
		tally->sent_at = now;
	} else if (result->outcome == PH_UNSURE)
		tally->unsure++;
	else
		tally->refused++;
	tally->dead += dead + result->followed;
}

static enum ph_error
settle_finished(struct ph_sending *s, int64_t now, struct ph_fail *fail)
{
	struct claim	*c;
	const char	*state;
	enum ph_error	 err;

	for (c = s->claims; s->n[FINISHED] > 0 && c < s->claims + PLACES; c++) {
		if (c->is != FINISHED)
			continue;
		if (ph_pace_blames_page(&lane_of(s, c->page)->pace, &c->result))
			c->result.outcome = PH_PAGE;
		err = ph_ledger_settle(s->ledger, &c->reply, &c->result, now, &state, fail);
		if (err != PH_OK && err != PH_NONE)
			return err;
		if (err == PH_NONE)
			c->result.due = 0;
		say_reply(s, c, err == PH_NONE ? "settled before" : state, now);
		count(&s->news->tally, &c->result, err == PH_OK && strcmp(state, "dead") == 0, now);
		if (note_pace(s, c, now, fail) != PH_OK)
			return fail->err;
	}
	return PH_OK;
}

static enum ph_error
decide_unsure(struct ph_sending *s, int64_t now, struct ph_fail *fail)
{
	struct ph_store_reply	 ripe[RIPE_AT_ONCE];
	const char		*why[RIPE_AT_ONCE];
	struct ph_buffer	 fields = PH_BUFFER_INIT;
	size_t			 i, n;

	if (s->next_unsure == 0 || s->next_unsure > now)
		return PH_OK;
	if (ph_ledger_ripen(s->ledger, now, ripe, why, RIPE_AT_ONCE, &n, fail) != PH_OK)
		return fail->err;
	for (i = 0; i < n; i++) {
		ph_log_id(&fields, "id", 'r', ripe[i].id);
		ph_log_text(&fields, "state", why[i] != NULL ? "held" : "ready");
		if (why[i] != NULL)
			ph_news_raise(s->news, PH_CAUSE_HELD, nothing, &fields, why[i]);
		else {
			ph_log_text(&fields, "what", "unsure, no echo: sent once more; it may arrive twice");
			ph_log_add(&s->news->said, PH_WARN, "reply", &fields);
		}
		ph_buffer_reset(&fields);
	}
	ph_buffer_clear(&fields);
	return PH_OK;
}

static bool
is_media(const struct ph_store_reply *r)
{
	return memmem(r->body.data, r->body.len, "\"audio\"", 7) != NULL ||
	    memmem(r->body.data, r->body.len, "\"video\"", 7) != NULL;
}

/* It is launched once the commit is through. */
static enum ph_error
take_claim(struct ph_sending *s, const struct ph_page *page, struct ph_store_reply *r, int64_t now,
    struct ph_fail *fail)
{
	struct claim	*c = s->claims;
	enum ph_error	 err;

	if (ph_pace_take(&lane_of(s, page)->pace, is_media(r))) {
		while (c->is != FREE)
			c++;
		c->page = page;
		c->reply = *r;
		c->took_ms = 0;
		become(s, c, CLAIMED);
		return PH_OK;
	}
	err = ph_ledger_unclaim(s->ledger, r, now + ph_clock_wait_ms(MEDIA_AGAIN_MS), fail);
	ph_store_reply_clear(r);
	return err;
}

static void
say_late(struct ph_sending *s, const struct ph_store_reply *late)
{
	struct ph_buffer	 fields = PH_BUFFER_INIT;

	s->news->tally.dead++;
	ph_log_id(&fields, "id", 'r', late->id);
	ph_log_text(&fields, "state", "dead");
	ph_log_text(&fields, "why", "too old to be sent");
	ph_log_add(&s->news->said, PH_WARN, "reply", &fields);
	ph_buffer_clear(&fields);
}

static size_t
room(const struct ph_sending *s)
{
	return PH_SENDING_FLYING - n_flying(s) - s->n[CLAIMED];
}

/* Claims what there is room for; due: when the next of this Page is, then. */
static enum ph_error
claim_for(struct ph_sending *s, const struct ph_page *page, int64_t now, int64_t *due,
    struct ph_fail *fail)
{
	struct ph_store_reply	 claimed[PH_SENDING_FLYING];
	struct lane		*lane = lane_of(s, page);
	size_t			 i, n = 0, n_late = 0;
	size_t			 max = ph_pace_room(&lane->pace, lane->n_flying, ph_clock_mono());
	enum ph_error		 err;

	if (max == 0)
		return PH_OK;
	err = ph_ledger_claim(s->ledger, page->id, now, claimed, max < room(s) ? max : room(s), &n,
	    &n_late, fail);
	for (i = 0; i < n_late; i++)
		say_late(s, &claimed[n + i]);
	for (i = 0; i < n; i++)
		if (err != PH_OK)
			ph_store_reply_clear(&claimed[i]);
		else
			err = take_claim(s, page, &claimed[i], now, fail);
	return err == PH_OK ? ph_ledger_next_due(s->ledger, page->id, due, fail) : err;
}

/* When it may go: due, and its Page's pace allows it; 0: nothing to wait for. */
static int64_t
may_go_at(const struct lane *lane, int64_t due, int64_t now)
{
	int	 wait_ms = ph_pace_wait_ms(&lane->pace, lane->n_flying, ph_clock_mono());

	if (wait_ms == -1 || due == 0)
		return 0;
	return due < now + wait_ms ? now + wait_ms : due;
}

static enum ph_error
serve(struct ph_sending *s, const struct ph_page *page, int64_t due, bool claims, int64_t now,
    struct ph_fail *fail)
{
	if (page == NULL)
		return PH_OK;			/* without a token its replies wait */
	if (claims && due <= now && claim_for(s, page, now, &due, fail) != PH_OK)
		return fail->err;
	due = may_go_at(lane_of(s, page), due, now);
	if (due != 0 && (s->next_due == 0 || due < s->next_due))
		s->next_due = due;
	return PH_OK;
}

/*
 * The Pages of which a reply waits, while there is room: from behind the one where it ran out the last
 * time, so that they take turns, then from the first on.
 */
static enum ph_error
serve_all(struct ph_sending *s, bool claims, int64_t now, struct ph_fail *fail)
{
	int		 rounds = s->page.len > 0 ? 2 : 1;
	int64_t		 due;
	enum ph_error	 err;

	while (rounds > 0 && room(s) > 0) {
		err = ph_ledger_next_page(s->ledger, &s->page, &due, fail);
		if (err == PH_NONE) {
			ph_buffer_reset(&s->page);
			rounds--;
		} else if (err != PH_OK || serve(s, ph_pages_find(s->pages, PH_SLICE(&s->page)), due,
		    claims, now, fail) != PH_OK)
			return fail->err;
	}
	return PH_OK;
}

enum ph_error
ph_sending_commit(struct ph_sending *s, int64_t now, bool leaving, struct ph_fail *fail)
{
	size_t	 i;

	s->noted = ph_sending_finished(s);
	for (i = 0; s->noted && i < s->pages->n; i++)
		s->lanes[i].pace_before = s->lanes[i].pace;
	if (settle_finished(s, now, fail) != PH_OK || decide_unsure(s, now, fail) != PH_OK ||
	    ph_ledger_next_due(s->ledger, nothing, &s->next_unsure, fail) != PH_OK)
		return fail->err;
	s->next_due = s->next_unsure;
	return serve_all(s, !leaving, now, fail);
}

/* Releases the claims that are so. */
static void
release_all(struct ph_sending *s, enum phase is)
{
	struct claim	*c;

	for (c = s->claims; s->n[is] > 0 && c < s->claims + PLACES; c++)
		if (c->is == is) {
			ph_store_reply_clear(&c->reply);
			become(s, c, FREE);
		}
}

void
ph_sending_committed(struct ph_sending *s)
{
	struct claim	*c;

	s->noted = false;
	release_all(s, FINISHED);
	for (c = s->claims; s->n[CLAIMED] > 0 && c < s->claims + PLACES; c++)
		if (c->is == CLAIMED)
			become(s, c, WAITING);
}

void
ph_sending_abandon(struct ph_sending *s)
{
	struct action	*a;
	size_t		 i;

	for (i = 0; s->noted && i < s->pages->n; i++)	/* the same outcomes will be noted again */
		s->lanes[i].pace = s->lanes[i].pace_before;
	s->noted = false;
	release_all(s, CLAIMED);
	for (a = s->actions; a < s->actions + PH_SENDING_SHOWN; a++)
		if (a->is == WANTED)
			a->is = NOT_SHOWN;
}

/* Launched. */

static void
launch_action(struct ph_sending *s, struct action *a)
{
	const struct ph_page	*page = a->page;
	struct ph_buffer	 body = PH_BUFFER_INIT;
	struct ph_graph_call	 call = { .node = page->id, .edge = "messages", .token = page->token,
		.proof = page->proof, .limit_ms = SHOWN_BY_MS, .what = PH_CALL_ACTION, .tag = a };

	ph_message_format_action(PH_SLICE(&a->person), a->name, &body);
	call.body = PH_SLICE(&body);
	a->is = body.failed || ph_graph_send(s->graph, &call, NULL) != PH_OK ? NOT_SHOWN : SHOWN;
	ph_buffer_clear(&body);
}

/* An action that arrives after the message would show for 20 s what is over. */
static bool
is_behind_action(const struct ph_sending *s, int64_t conv)
{
	const struct action	*a;

	for (a = s->actions; a < s->actions + PH_SENDING_SHOWN; a++)
		if (a->is == SHOWN && a->conv == conv)
			return true;
	return false;
}

static void
launch(struct ph_sending *s, struct claim *c)
{
	const struct ph_page	*page = c->page;
	struct ph_buffer	 body = PH_BUFFER_INIT;
	struct ph_fail		 fail = PH_FAIL_INIT;
	struct ph_graph_call	 call = { .node = page->id, .edge = ph_message_edge(c->reply.kind),
		.token = page->token, .proof = page->proof, .what = PH_CALL_REPLY, .tag = c };

	ph_message_format_send(c->reply.kind, PH_SLICE(&c->reply.person), PH_SLICE(&c->reply.body),
	    c->reply.token, &body);
	call.body = PH_SLICE(&body);
	become(s, c, FLYING);
	if (ph_buffer_check(&body, &fail) != PH_OK || ph_graph_send(s->graph, &call, &fail) != PH_OK) {
		const struct ph_answer	 unsent = { .handed = false, .transport = fail.text };

		judge(s, c, &unsent);		/* not a byte left us */
	}
	ph_buffer_clear(&body);
}

void
ph_sending_launch(struct ph_sending *s)
{
	struct action	*a;
	struct claim	*c;

	for (a = s->actions; a < s->actions + PH_SENDING_SHOWN; a++)
		if (a->is == WANTED)
			launch_action(s, a);
	for (c = s->claims; s->n[WAITING] > 0 && c < s->claims + PLACES; c++)
		if (c->is == WAITING && !is_behind_action(s, c->reply.conv))
			launch(s, c);
}

size_t
ph_sending_flying(const struct ph_sending *s)
{
	return PLACES - s->n[FREE];
}

bool
ph_sending_finished(const struct ph_sending *s)
{
	return s->n[FINISHED] > 0;
}

int64_t
ph_sending_next_due(const struct ph_sending *s)
{
	return n_flying(s) < PH_SENDING_FLYING ? s->next_due : 0;
}
