/*
 * ledger -- what is owed: events kept, replies claimed and settled.
 * Knows event, key, outcome, backoff, store.  Does not know HTTP, Graph or the web server.
 * Called by turn.
 * Lives in the helper's one thread; opened when the lock is held.
 * States and guarantees: lib/pagehook-states.7.
 * SPDX-License-Identifier: ISC
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backoff.h"
#include "clock.h"
#include "key.h"
#include "ledger.h"
#include "message.h"
#include "signature.h"

#define ECHO_GRACE_MS	(20 * PH_SECOND_MS)	/* as long as an echo may take */
#define ECHO_NOTE	"echoes:"		/* and a Page's id: it sends them */
#define HELD_NOTE	"held:"			/* and a Page's id: under which token, as a digest's begin */
#define GENERATION	"generation"
#define OVER_MS		(30 * PH_DAY_MS)	/* dead, held; and longer than Meta ever repeats an event */
#define MAX_A_MINUTE	20			/* in one conversation: nobody reads faster, but a bot */
#define AT_ONCE		256			/* rows looked at in one step of recovery */

struct ph_ledger {
	const struct ph_store_ops	*ops;
	struct ph_store			*store;
	int64_t				 max_age_ms;
	struct ph_unsure		 unsure;
	int64_t				 n_open, n_open_before;	/* events; before: at the last commit */
};

/* What a reply becomes by the outcome of its send. */
static const char *const	 state_after[] = {
	[PH_SENT] = "sent", [PH_RETRY] = "ready", [PH_REFUSED] = "dead", [PH_UNREACHABLE] = "dead",
	[PH_PAGE] = "ready", [PH_THREAD] = "ready", [PH_UNSURE] = "unsure",
};

/* Every "sending" row belongs to a dead helper: nobody knows whether Graph has it. */
static enum ph_error
recover(struct ph_ledger *l, int64_t now, size_t *n_unsure, struct ph_fail *fail)
{
	struct ph_store_reply	 found[AT_ONCE];
	size_t			 i, n;

	*n_unsure = 0;
	do {
		if (l->ops->flying(l->store, "sending", INT64_MAX, found, AT_ONCE, &n, fail) != PH_OK)
			return fail->err;
		for (i = 0; i < n; i++) {
			struct ph_store_move	 move = { .id = found[i].id, .conv = found[i].conv,
				.state = "unsure", .due = now + ph_clock_wait_ms(ECHO_GRACE_MS),
				.resends = found[i].resends, .why = "the helper died while it was sent" };

			if (l->ops->move(l->store, &move, fail) != PH_OK)
				return fail->err;
		}
		*n_unsure += n;
	} while (n == AT_ONCE);
	return PH_OK;
}

/* A Page that has sent echoes before. */
static enum ph_error
take_note(void *arg, const char *page, int64_t left_at, struct ph_fail *fail)
{
	struct ph_ledger	*l = arg;

	(void)left_at;
	(void)fail;
	(void)ph_unsure_echo(&l->unsure, (struct ph_slice){ page, strlen(page) }, 0);
	return PH_OK;
}

enum ph_error
ph_ledger_open(const struct ph_store_ops *ops, const char *where, int64_t now, int64_t max_age_ms,
    enum ph_unsure_policy unsure, struct ph_ledger **out, size_t *n_unsure, struct ph_fail *fail)
{
	struct ph_ledger	*l = calloc(1, sizeof(*l));
	struct ph_fail		 mine = PH_FAIL_INIT;

	*out = NULL;
	if (l == NULL)
		return ph_error_set(fail, PH_NOMEM, "ledger: out of memory");
	l->ops = ops;
	l->max_age_ms = max_age_ms;
	l->unsure.policy = unsure;
	ph_unsure_doubt(&l->unsure, now);	/* nobody took in what came before */
	if (ops->open(where, &l->store, &mine) == PH_OK && ops->begin(l->store, &mine) == PH_OK &&
	    ops->note(l->store, "started", now, &mine) == PH_OK &&
	    recover(l, now, n_unsure, &mine) == PH_OK &&
	    ops->noted(l->store, ECHO_NOTE, take_note, l, &mine) == PH_OK &&
	    ops->reopen(l->store, now, &l->n_open, &mine) == PH_OK &&
	    ph_ledger_reset_clock(l, now, &mine) == PH_OK && ops->commit(l->store, &mine) == PH_OK) {
		*out = l;
		return PH_OK;
	}
	ph_ledger_close(l);
	return ph_error_set(fail, mine.err, "%s", mine.text);
}

void
ph_ledger_close(struct ph_ledger *l)
{
	if (l == NULL)
		return;
	l->ops->close(l->store);
	free(l);
}

/* Within a transaction. */
static enum ph_error
raise_generation(struct ph_ledger *l, int64_t last, int64_t now, struct ph_ledger_generation *out,
    struct ph_fail *fail)
{
	enum ph_error	 err = l->ops->recall(l->store, GENERATION, &out->number, fail);

	if (err != PH_OK && err != PH_NONE)
		return err;
	out->older = out->number < last;
	if (out->older && l->ops->hold_all(l->store, now,
	    "the store is an older copy: this may have been sent since", &out->n_events, &out->n_replies,
	    fail) != PH_OK)
		return fail->err;
	out->number = (out->older ? last : out->number) + 1;
	return l->ops->note(l->store, GENERATION, out->number, fail);
}

enum ph_error
ph_ledger_next_generation(struct ph_ledger *l, int64_t last, int64_t now,
    struct ph_ledger_generation *out, struct ph_fail *fail)
{
	*out = (struct ph_ledger_generation){ .number = 0 };
	if (ph_ledger_begin(l, fail) != PH_OK || raise_generation(l, last, now, out, fail) != PH_OK ||
	    ph_ledger_commit(l, fail) != PH_OK) {
		ph_ledger_abandon(l);
		return fail->err;
	}
	if (out->older)
		l->n_open = 0;
	return PH_OK;
}

enum ph_error
ph_ledger_check(const struct ph_ledger *l, struct ph_fail *fail)
{
	return l->ops->in_place(l->store, fail);
}

enum ph_error
ph_ledger_count_open(const struct ph_ledger *l, int64_t *n_events, int64_t *n_replies,
    struct ph_fail *fail)
{
	return l->ops->count_open(l->store, n_events, n_replies, fail);
}

enum ph_error
ph_ledger_begin(struct ph_ledger *l, struct ph_fail *fail)
{
	l->n_open_before = l->n_open;
	return l->ops->begin(l->store, fail);
}

enum ph_error
ph_ledger_commit(struct ph_ledger *l, struct ph_fail *fail)
{
	return l->ops->commit(l->store, fail);
}

void
ph_ledger_abandon(struct ph_ledger *l)
{
	l->ops->abandon(l->store);
	l->n_open = l->n_open_before;
}

enum ph_error
ph_ledger_keep(struct ph_ledger *l, const struct ph_event *ev, const char *object, int64_t came,
    int64_t *id, struct ph_store_conv *conv, struct ph_fail *fail)
{
	struct ph_store_event	 row = { .object = object, .kind = ev->kind->name,
		.state = ev->why == NULL ? "done" : "dead", .why = ev->why,
		.page = ev->page, .person = ev->conversation, .mid = ev->mid,
		.at = ev->time != 0 ? ev->time : came, .came = came, .turn = ev->answerable,
		.body = ev->raw };
	struct ph_buffer	 key = PH_BUFFER_INIT, ref = PH_BUFFER_INIT;
	enum ph_error		 err;

	if (ev->by_user_ref) {			/* no page-scoped id, and nobody's may look like it */
		ph_buffer_adds(&ref, PH_MESSAGE_USER_REF);
		ph_buffer_add(&ref, ev->conversation.at, ev->conversation.len);
		row.person = PH_SLICE(&ref);
	}
	ph_key_format(ev, &key);
	if ((err = ph_buffer_check(&key, fail)) == PH_OK &&
	    (err = ph_buffer_check(&ref, fail)) == PH_OK &&
	    (err = ph_key_digest(PH_SLICE(&key), row.key, fail)) == PH_OK)
		err = l->ops->keep(l->store, &row, id, conv, fail);
	ph_buffer_clear(&key);
	ph_buffer_clear(&ref);
	return err;
}

enum ph_error
ph_ledger_quarantine(struct ph_ledger *l, struct ph_slice body, const char *why, int64_t came,
    int64_t *id, struct ph_fail *fail)
{
	struct ph_store_event	 row = { .object = "unknown", .kind = "unreadable", .state = "dead",
		.why = why, .page = { "", 0 }, .at = came, .came = came, .body = body };
	unsigned char		 sum[PH_DIGEST_LEN];
	struct ph_store_conv	 conv;

	/* Meta repeats what was answered 400; the bytes are their own key, since nothing else is. */
	if (ph_signature_digest(body, sum, fail) != PH_OK)
		return fail->err;
	memcpy(row.key, sum, sizeof(row.key));
	return l->ops->keep(l->store, &row, id, &conv, fail);
}

static enum ph_error
owe_message(struct ph_ledger *l, const struct ph_ledger_answer *a, struct ph_slice message,
    size_t *n_held, struct ph_fail *fail)
{
	const struct ph_store_owed	 owed = { .conv = a->conv, .event = a->event, .due = a->due,
		.body = message, .said_at = a->at, .window_ms = PH_MINUTE_MS };
	int64_t				 id, said;

	if (l->ops->owe(l->store, &owed, &id, &said, fail) != PH_OK)
		return fail->err;
	if (said <= MAX_A_MINUTE)
		return PH_OK;
	(*n_held)++;
	return l->ops->hold(l->store, id, a->conv, "more than 20 automatic replies in a minute", fail);
}

/* The thread goes to somebody else, after what was said; it comes back by an event of Meta's. */
static enum ph_error
pass_thread(struct ph_ledger *l, const struct ph_ledger_answer *a, struct ph_fail *fail)
{
	struct ph_buffer	 body = PH_BUFFER_INIT;
	struct ph_store_owed	 owed = { .conv = a->conv, .event = a->event, .due = a->due,
		.kind = PH_MESSAGE_PASS_THREAD };
	int64_t			 id, said;
	enum ph_error		 err;

	ph_buffer_addf(&body, "{\"target_app_id\":\"%s\"}",
	    a->handover_to != NULL ? a->handover_to : PH_MESSAGE_PAGE_INBOX);
	owed.body = PH_SLICE(&body);
	if ((err = ph_buffer_check(&body, fail)) == PH_OK)
		err = l->ops->owe(l->store, &owed, &id, &said, fail);
	ph_buffer_clear(&body);
	return err == PH_OK ? ph_ledger_silence(l, a->conv, INT64_MAX, fail) : err;
}

enum ph_error
ph_ledger_owe(struct ph_ledger *l, const struct ph_ledger_answer *a, size_t *n_held,
    struct ph_fail *fail)
{
	const char	*at = a->messages.at, *end = at + a->messages.len, *nl;

	*n_held = 0;
	for (; at < end; at = nl + 1) {
		nl = memchr(at, '\n', (size_t)(end - at));
		if (owe_message(l, a, (struct ph_slice){ at, (size_t)(nl - at) }, n_held, fail) != PH_OK)
			return fail->err;
	}
	if (a->handover)
		return pass_thread(l, a, fail);
	return a->pause_ms == 0 ? PH_OK : ph_ledger_silence(l, a->conv, a->at + a->pause_ms, fail);
}

enum ph_error
ph_ledger_send(struct ph_ledger *l, int64_t conv, const char *kind, int64_t due,
    struct ph_slice message, int64_t *id, struct ph_fail *fail)
{
	const struct ph_store_owed	 owed = { .conv = conv, .due = due, .kind = kind,
		.body = message };
	int64_t				 said;

	return l->ops->owe(l->store, &owed, id, &said, fail);
}

enum ph_error
ph_ledger_steer(struct ph_ledger *l, const struct ph_store_steer *steer, struct ph_fail *fail)
{
	return l->ops->steer(l->store, steer, fail);
}

enum ph_error
ph_ledger_steer_event(struct ph_ledger *l, const struct ph_store_steer *steer, struct ph_fail *fail)
{
	int		 opened;
	enum ph_error	 err = l->ops->steer_event(l->store, steer, &opened, fail);

	if (err == PH_OK)
		l->n_open += opened;
	return err;
}

enum ph_error
ph_ledger_tell(struct ph_ledger *l, int64_t id, struct ph_store_told *out, struct ph_fail *fail)
{
	return l->ops->tell(l->store, id, out, fail);
}

enum ph_error
ph_ledger_tell_event(struct ph_ledger *l, int64_t id, struct ph_store_told *out, struct ph_fail *fail)
{
	return l->ops->tell_event(l->store, id, out, fail);
}

enum ph_error
ph_ledger_find(struct ph_ledger *l, struct ph_slice page, struct ph_slice person, bool make,
    struct ph_store_conv *out, struct ph_fail *fail)
{
	return l->ops->find(l->store, page, person, make, out, fail);
}

enum ph_error
ph_ledger_silence(struct ph_ledger *l, int64_t conv, int64_t until, struct ph_fail *fail)
{
	return l->ops->silence(l->store, conv, until, fail);
}

enum ph_error
ph_ledger_is_silent(struct ph_ledger *l, int64_t conv, int64_t at, bool *silent,
    struct ph_fail *fail)
{
	int64_t		 until = 0;
	enum ph_error	 err = l->ops->silent_until(l->store, conv, &until, fail);

	*silent = at < until;
	return err;
}

/* Events that wait. */

enum ph_error
ph_ledger_put_off(struct ph_ledger *l, int64_t event, int64_t conv, int64_t now,
    struct ph_fail *fail)
{
	l->n_open++;
	return l->ops->put_off(l->store, event, conv, now, fail);
}

enum ph_error
ph_ledger_is_open(struct ph_ledger *l, int64_t conv, bool *open, struct ph_fail *fail)
{
	*open = false;
	return l->n_open > 0 ? l->ops->is_open(l->store, conv, open, fail) : PH_OK;
}

bool
ph_ledger_any_open(const struct ph_ledger *l)
{
	return l->n_open > 0;
}

enum ph_error
ph_ledger_due(struct ph_ledger *l, int64_t now, int64_t after_due, int64_t after_id,
    struct ph_store_open *out, size_t max, size_t *n, struct ph_fail *fail)
{
	*n = 0;
	return l->n_open > 0 ?
	    l->ops->due(l->store, now, after_due, after_id, out, max, n, fail) : PH_OK;
}

enum ph_error
ph_ledger_ask(struct ph_ledger *l, int64_t id, int64_t conv, int64_t tries, struct ph_fail *fail)
{
	const struct ph_store_step	 step = { .id = id, .conv = conv, .state = "asked",
		.tries = tries };

	return l->ops->step(l->store, &step, fail);
}

enum ph_error
ph_ledger_ask_again(struct ph_ledger *l, int64_t id, int64_t conv, int64_t tries, bool failed,
    int64_t wait_ms, int64_t now, const char *why, struct ph_fail *fail)
{
	const struct ph_store_step	 step = { .id = id, .conv = conv, .state = "kept",
		.due = now + ph_clock_wait_ms(wait_ms), .tries = tries, .failed = failed, .why = why };

	return l->ops->step(l->store, &step, fail);
}

enum ph_error
ph_ledger_close_event(struct ph_ledger *l, int64_t id, int64_t conv, int64_t tries, bool dead,
    const char *why, int64_t now, struct ph_fail *fail)
{
	const struct ph_store_step	 step = { .id = id, .conv = conv, .tries = tries,
		.state = dead ? "dead" : "done", .why = why, .now = now };

	enum ph_error			 err = l->ops->step(l->store, &step, fail);

	if (err == PH_OK)
		l->n_open--;
	return err;
}

static uint32_t
any_number(void)
{
	uint32_t	 random = 0;

	if (ph_signature_random((unsigned char *)&random, sizeof(random), NULL) != PH_OK)
		random = (uint32_t)ph_clock_mono();	/* any spread will do */
	return random;
}

int64_t
ph_ledger_backoff_ms(int64_t tries)
{
	return ph_backoff_ms(tries, any_number());
}

enum ph_error
ph_ledger_person(struct ph_ledger *l, int64_t conv, struct ph_store_person *out,
    struct ph_fail *fail)
{
	return l->ops->person(l->store, conv, out, fail);
}

enum ph_error
ph_ledger_set_person(struct ph_ledger *l, int64_t conv, struct ph_slice first_name,
    struct ph_slice last_name, int64_t now, struct ph_fail *fail)
{
	return l->ops->set_person(l->store, conv, first_name, last_name, now, fail);
}

enum ph_error
ph_ledger_next_open(struct ph_ledger *l, int64_t after, int64_t *due, struct ph_fail *fail)
{
	*due = 0;
	return l->n_open > 0 ? l->ops->next_open(l->store, after, due, fail) : PH_OK;
}

/* Pages and replies. */

struct mark {				/* of what a Page is spoken for under */
	char	 name[80];		/* of the note */
	int64_t	 value;
	bool	 is_noted;
};

static enum ph_error
mark_of(struct ph_slice page, struct ph_slice under, struct mark *out, struct ph_fail *fail)
{
	unsigned char	 sum[PH_DIGEST_LEN];

	*out = (struct mark){ .is_noted = false };
	snprintf(out->name, sizeof(out->name), HELD_NOTE "%.*s", (int)page.len, page.at);
	if (ph_signature_digest(under, sum, fail) != PH_OK)
		return fail->err;
	memcpy(&out->value, sum, sizeof(out->value));
	return PH_OK;
}

static enum ph_error
take_mark(void *arg, const char *rest, int64_t value, struct ph_fail *fail)
{
	struct mark	*mark = arg;

	(void)fail;
	if (rest[0] == '\0')			/* not of a Page whose id only begins so */
		mark->is_noted = value == mark->value;
	return PH_OK;
}

enum ph_error
ph_ledger_hold_page(struct ph_ledger *l, struct ph_slice page, struct ph_slice under, const char *why,
    int64_t until, struct ph_fail *fail)
{
	struct mark	 mark;

	if (why != NULL && (mark_of(page, under, &mark, fail) != PH_OK ||
	    l->ops->note(l->store, mark.name, mark.value, fail) != PH_OK))
		return fail->err;
	return l->ops->pause(l->store, page, why, until, fail);
}

enum ph_error
ph_ledger_page_held(struct ph_ledger *l, struct ph_slice page, struct ph_slice under, int64_t *until,
    struct ph_fail *fail)
{
	struct mark	 mark;
	enum ph_error	 err = l->ops->paused(l->store, page, until, fail);

	if (err != PH_OK)
		return err;
	if (mark_of(page, under, &mark, fail) != PH_OK ||
	    l->ops->noted(l->store, mark.name, take_mark, &mark, fail) != PH_OK)
		return fail->err;
	if (!mark.is_noted)
		*until = 0;
	return PH_OK;
}

/* Why a reply must not be sent any more; NULL: it may.  By the clock of Meta's window, and by ours. */
static const char *
reason_too_late(const struct ph_ledger *l, const struct ph_store_reply *r, int64_t now)
{
	const bool	 agent = strcmp(r->kind, PH_MESSAGE_HUMAN_AGENT) == 0;

	if (!ph_clock_is_set(now) || strcmp(r->kind, PH_MESSAGE_PASS_THREAD) == 0)
		return NULL;
	if (r->at != 0 && now - r->at > l->max_age_ms)
		return "too old: what it answers is older than PAGEHOOK_MAX_REPLY_AGE";
	if (r->turn_at != 0 && now - r->turn_at > (agent ? PH_MESSAGE_AGENT_WINDOW_MS : PH_MESSAGE_WINDOW_MS))
		return agent ? "too old: more than 7 days after the person's last words" :
		    "too old: more than 24 h after the person's last words";
	return NULL;
}

enum ph_error
ph_ledger_claim(struct ph_ledger *l, struct ph_slice page, int64_t now, struct ph_store_reply *out,
    size_t max, size_t *n, size_t *n_late, struct ph_fail *fail)
{
	size_t			 i, kept = 0;
	enum ph_error		 err = l->ops->claim(l->store, page, now, out, max, n, fail);
	struct ph_store_reply	 r;

	for (i = 0; i < *n; i++) {
		const char		*why = reason_too_late(l, &out[i], now);
		struct ph_store_move	 move = { .id = out[i].id, .conv = out[i].conv, .state = "dead",
			.due = now, .resends = out[i].resends, .why = why, .unsent = true };

		if (why == NULL) {
			r = out[kept];
			out[kept++] = out[i];
			out[i] = r;
			continue;
		}
		if (err == PH_OK)
			err = l->ops->move(l->store, &move, fail);
		ph_store_reply_clear(&out[i]);
	}
	*n_late = *n - kept;
	*n = kept;
	return err;
}

enum ph_error
ph_ledger_unclaim(struct ph_ledger *l, const struct ph_store_reply *claim, int64_t due,
    struct ph_fail *fail)
{
	return l->ops->unclaim(l->store, claim->id, claim->conv, due, fail);
}

/* When a reply in this state is looked at again; what the whole Page waits for does not count here. */
static int64_t
due_after(const struct ph_result *result, int64_t attempt, int64_t now)
{
	int64_t	 wait_ms = result->wait_ms;

	if (result->outcome == PH_UNSURE)
		return now + ph_clock_wait_ms(ECHO_GRACE_MS);
	if (result->outcome != PH_RETRY || result->page_waits)
		return now;
	if (wait_ms == 0)
		wait_ms = ph_backoff_ms(attempt, any_number());
	if (result->perhaps_taken && wait_ms < ECHO_GRACE_MS)
		wait_ms = ECHO_GRACE_MS;
	return now + ph_clock_wait_ms(wait_ms);
}

/*
 * Refused for good: the later parts of the same answer would be read without it.  A thread that could
 * not be passed on is still ours, so the bot speaks again.
 */
static enum ph_error
drop_rest(struct ph_ledger *l, const struct ph_store_reply *refused, int64_t *n, struct ph_fail *fail)
{
	if (strcmp(refused->kind, PH_MESSAGE_PASS_THREAD) == 0)
		return ph_ledger_silence(l, refused->conv, 0, fail);
	if (refused->event == 0)
		return PH_OK;
	return l->ops->drop_rest(l->store, refused, "an earlier part of the answer was refused", n, fail);
}

/* All that is owed to a person; a thread that was to be passed on last is still ours, too. */
static enum ph_error
drop_all(struct ph_ledger *l, int64_t conv, int64_t *n, struct ph_fail *fail)
{
	int64_t	 until;

	if (l->ops->drop_all(l->store, conv, "this person cannot be reached", n, fail) != PH_OK ||
	    l->ops->silent_until(l->store, conv, &until, fail) != PH_OK)
		return fail->err;
	return until == INT64_MAX ? ph_ledger_silence(l, conv, 0, fail) : PH_OK;
}

/* What an outcome means for what else is owed in the conversation. */
static enum ph_error
follow(struct ph_ledger *l, const struct ph_store_reply *claim, struct ph_result *result, int64_t now,
    struct ph_fail *fail)
{
	switch (result->outcome) {
	case PH_REFUSED:
		return drop_rest(l, claim, &result->followed, fail);
	case PH_UNREACHABLE:
		return drop_all(l, claim->conv, &result->followed, fail);
	case PH_THREAD:				/* until it is ours again, or too old */
		return l->ops->lend(l->store, claim->conv,
		    (claim->at != 0 ? claim->at : now) + l->max_age_ms + 1, now, fail);
	case PH_SENT: case PH_RETRY: case PH_PAGE: case PH_UNSURE:
		break;
	}
	return PH_OK;
}

enum ph_error
ph_ledger_settle(struct ph_ledger *l, const struct ph_store_reply *claim, struct ph_result *result,
    int64_t now, const char **state, struct ph_fail *fail)
{
	struct ph_store_move	 move = { .id = claim->id, .conv = claim->conv, .token = claim->token,
		.resends = claim->resends, .mid = result->mid, .trace = result->trace,
		.why = result->why, .code = result->code, .subcode = result->subcode };
	enum ph_error		 err;

	/* What a limit, a paused Page or a foreign thread cost in tries is not this outcome's. */
	if (result->outcome == PH_RETRY && result->retries != 0 &&
	    (move.retries = claim->retries + 1) > result->retries)
		result->outcome = result->then;
	*state = move.state = state_after[result->outcome];
	result->due = move.due = due_after(result, claim->attempt, now);
	result->followed = 0;
	err = l->ops->move(l->store, &move, fail);
	return err == PH_OK ? follow(l, claim, result, now, fail) : err;
}

enum ph_error
ph_ledger_take_thread(struct ph_ledger *l, int64_t conv, int64_t now, struct ph_fail *fail)
{
	return l->ops->lend(l->store, conv, 0, now, fail);
}

/* Echoes of this Page come: the next helper shall know, too. */
static enum ph_error
note_echo(struct ph_ledger *l, struct ph_slice page, int64_t left_at, struct ph_fail *fail)
{
	char	 name[80];

	if (!ph_unsure_echo(&l->unsure, page, left_at))
		return PH_OK;
	snprintf(name, sizeof(name), ECHO_NOTE "%.*s", (int)page.len, page.at);
	return l->ops->note(l->store, name, left_at, fail);
}

enum ph_error
ph_ledger_confirm(struct ph_ledger *l, const struct ph_event *echo, int64_t *id,
    struct ph_fail *fail)
{
	unsigned char	 token[PH_TOKEN_LEN];
	enum ph_error	 err;
	int64_t		 left_at;
	bool		 moved;

	*id = 0;
	if (!ph_message_parse_token(echo->metadata, token))
		return PH_NONE;
	err = l->ops->confirm(l->store, token, echo->mid, id, &left_at, &moved, fail);
	if (err == PH_OK)
		err = note_echo(l, echo->page, left_at, fail);
	return err == PH_OK && !moved ? PH_NONE : err;
}

void
ph_ledger_doubt_echoes(struct ph_ledger *l, int64_t at)
{
	ph_unsure_doubt(&l->unsure, at);
}

/* One of them.  *held: why, if so.  PH_NONE: it is waited for a while longer. */
static enum ph_error
decide(struct ph_ledger *l, struct ph_store_reply *r, int64_t now, const char **held,
    struct ph_fail *fail)
{
	const int64_t			 grace_ms = ph_clock_wait_ms(ECHO_GRACE_MS);
	struct ph_store_move		 move = { .id = r->id, .conv = r->conv, .due = now };
	const struct ph_slice		 page = { r->page, strlen(r->page) };
	enum ph_unsure_verdict		 verdict;

	verdict = ph_unsure_judge(&l->unsure, page, r->first_due - grace_ms, r->resends, now, held);
	if (verdict == PH_UNSURE_AGAIN)
		r->resends++;
	move.resends = r->resends;
	move.why = *held;
	move.state = verdict == PH_UNSURE_AGAIN ? "ready" : verdict == PH_UNSURE_HOLD ? "held" : "unsure";
	if (verdict == PH_UNSURE_WAIT)
		move.due = now + grace_ms;
	if (l->ops->move(l->store, &move, fail) != PH_OK)
		return fail->err;
	return verdict == PH_UNSURE_WAIT ? PH_NONE : PH_OK;
}

enum ph_error
ph_ledger_ripen(struct ph_ledger *l, int64_t now, struct ph_store_reply *out, const char **why,
    size_t max, size_t *n, struct ph_fail *fail)
{
	size_t		 i, moved = 0;
	enum ph_error	 err;

	if (l->ops->flying(l->store, "unsure", now, out, max, n, fail) != PH_OK)
		return fail->err;
	for (i = 0; i < *n; i++) {
		err = decide(l, &out[i], now, &why[moved], fail);
		if (err != PH_OK && err != PH_NONE)
			return err;
		if (err == PH_OK)
			out[moved++] = out[i];
	}
	*n = moved;
	return PH_OK;
}

enum ph_error
ph_ledger_next_page(struct ph_ledger *l, struct ph_buffer *page, int64_t *due, struct ph_fail *fail)
{
	return l->ops->next_page(l->store, page, due, fail);
}

enum ph_error
ph_ledger_next_due(struct ph_ledger *l, struct ph_slice page, int64_t *due, struct ph_fail *fail)
{
	return l->ops->next_due(l->store, page, due, fail);
}

enum ph_error
ph_ledger_reset_clock(struct ph_ledger *l, int64_t now, struct ph_fail *fail)
{
	ph_unsure_reset_clock(&l->unsure, now);
	return l->ops->advance(l->store, now + PH_DAY_MS, now, fail);
}

enum ph_error
ph_ledger_forget(struct ph_ledger *l, struct ph_slice page, struct ph_slice person,
    struct ph_store_erasure *step, struct ph_fail *fail)
{
	enum ph_error	 err = l->ops->forget(l->store, page, person, step, fail);

	l->n_open -= err == PH_OK ? step->n_closed : 0;
	return err;
}

enum ph_error
ph_ledger_prune(struct ph_ledger *l, int64_t now, int64_t keep_ms, bool *more, struct ph_fail *fail)
{
	*more = false;
	if (!ph_clock_is_set(now))
		return PH_OK;			/* nothing is old by a clock that was never set */
	return l->ops->prune(l->store, now - keep_ms, now - OVER_MS, more, fail);
}

enum ph_error
ph_ledger_tidy(struct ph_ledger *l, bool idle, struct ph_fail *fail)
{
	return l->ops->tidy(l->store, idle, fail);
}
