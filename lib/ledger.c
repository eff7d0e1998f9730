/*
 * ledger -- what is owed: events kept, replies claimed and settled.
 * Knows event, key, outcome, backoff, store.  Does not know HTTP, Graph or the web server.
 * Called by turn.
 * Lives in the helper's one thread; opened when the lock is held.
 * States and guarantees: lib/pagehook-states.7.
 * SPDX-License-Identifier: ISC
 */
#include <stdlib.h>
#include <string.h>

#include "backoff.h"
#include "clock.h"
#include "key.h"
#include "ledger.h"
#include "message.h"
#include "signature.h"

#define ECHO_GRACE_MS	(20 * PH_SECOND_MS)	/* as long as an echo may take */
#define MAX_RESENDS	1			/* no second one, whatever happens */
#define AT_ONCE		256			/* rows looked at in one step of recovery */

struct ph_ledger {
	const struct ph_store_ops	*ops;
	struct ph_store			*store;
};

/* What a reply becomes by the outcome of its send. */
static const char *const	 state_after[] = {
	[PH_SENT] = "sent", [PH_RETRY] = "ready", [PH_REFUSED] = "dead", [PH_UNSURE] = "unsure",
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

enum ph_error
ph_ledger_open(const struct ph_store_ops *ops, const char *where, int64_t now,
    struct ph_ledger **out, size_t *n_unsure, struct ph_fail *fail)
{
	struct ph_ledger	*l = calloc(1, sizeof(*l));
	struct ph_fail		 mine = PH_FAIL_INIT;

	*out = NULL;
	if (l == NULL)
		return ph_error_set(fail, PH_NOMEM, "ledger: out of memory");
	l->ops = ops;
	if (ops->open(where, &l->store, &mine) == PH_OK && ops->begin(l->store, &mine) == PH_OK &&
	    ops->note(l->store, "started", now, &mine) == PH_OK &&
	    recover(l, now, n_unsure, &mine) == PH_OK &&
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

enum ph_error
ph_ledger_begin(struct ph_ledger *l, struct ph_fail *fail)
{
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
}

enum ph_error
ph_ledger_keep(struct ph_ledger *l, const struct ph_event *ev, const char *object, int64_t came,
    int64_t *id, int64_t *conv, struct ph_fail *fail)
{
	struct ph_store_event	 row = { .object = object, .kind = ev->kind->name,
		.state = ev->why == NULL ? "done" : "dead", .why = ev->why,
		.page = ev->page, .person = ev->conversation, .mid = ev->mid,
		.at = ev->time != 0 ? ev->time : came, .came = came, .body = ev->raw };
	struct ph_buffer	 key = PH_BUFFER_INIT;
	enum ph_error		 err;

	ph_key_format(ev, &key);
	if ((err = ph_buffer_check(&key, fail)) == PH_OK &&
	    (err = ph_key_digest(PH_SLICE(&key), row.key, fail)) == PH_OK)
		err = l->ops->keep(l->store, &row, id, conv, fail);
	ph_buffer_clear(&key);
	return err;
}

enum ph_error
ph_ledger_quarantine(struct ph_ledger *l, struct ph_slice body, const char *why, int64_t came,
    int64_t *id, struct ph_fail *fail)
{
	struct ph_store_event	 row = { .object = "unknown", .kind = "unreadable", .state = "dead",
		.why = why, .page = { "", 0 }, .at = came, .came = came, .body = body };
	unsigned char		 sum[PH_DIGEST_LEN];
	int64_t			 conv;

	/* Meta repeats what was answered 400; the bytes are their own key, since nothing else is. */
	if (ph_signature_digest(body, sum, fail) != PH_OK)
		return fail->err;
	memcpy(row.key, sum, sizeof(row.key));
	return l->ops->keep(l->store, &row, id, &conv, fail);
}

enum ph_error
ph_ledger_owe(struct ph_ledger *l, int64_t conv, int64_t event, int64_t due,
    struct ph_slice message, struct ph_fail *fail)
{
	return l->ops->owe(l->store, conv, event, due, message, fail);
}

enum ph_error
ph_ledger_hold_page(struct ph_ledger *l, struct ph_slice page, const char *why,
    struct ph_fail *fail)
{
	return l->ops->pause(l->store, page, why, fail);
}

enum ph_error
ph_ledger_claim(struct ph_ledger *l, struct ph_slice page, int64_t now, struct ph_store_reply *out,
    size_t max, size_t *n, struct ph_fail *fail)
{
	return l->ops->claim(l->store, page, now, out, max, n, fail);
}

/* When a reply in this state is looked at again. */
static int64_t
due_after(const struct ph_result *result, int64_t attempt, int64_t now)
{
	uint32_t	 random = 0;
	int64_t		 wait_ms;

	if (result->outcome == PH_UNSURE)
		return now + ph_clock_wait_ms(ECHO_GRACE_MS);
	if (result->outcome != PH_RETRY)
		return now;
	if (ph_signature_random((unsigned char *)&random, sizeof(random), NULL) != PH_OK)
		random = (uint32_t)now;		/* any spread will do */
	wait_ms = ph_backoff_ms(attempt, random);
	if (result->perhaps_taken && wait_ms < ECHO_GRACE_MS)
		wait_ms = ECHO_GRACE_MS;
	return now + ph_clock_wait_ms(wait_ms);
}

enum ph_error
ph_ledger_settle(struct ph_ledger *l, const struct ph_store_reply *claim,
    const struct ph_result *result, int64_t now, const char **state, struct ph_fail *fail)
{
	struct ph_store_move	 move = { .id = claim->id, .conv = claim->conv, .token = claim->token,
		.state = state_after[result->outcome],
		.due = due_after(result, claim->attempt, now), .resends = claim->resends,
		.mid = result->mid, .trace = result->trace, .why = result->why,
		.code = result->code, .subcode = result->subcode };

	*state = move.state;
	return l->ops->move(l->store, &move, fail);
}

enum ph_error
ph_ledger_confirm(struct ph_ledger *l, const struct ph_event *echo, int64_t *id,
    struct ph_fail *fail)
{
	unsigned char	 token[PH_TOKEN_LEN];

	if (!ph_message_parse_token(echo->metadata, token))
		return PH_NONE;
	return l->ops->confirm(l->store, token, echo->mid, id, fail);
}

enum ph_error
ph_ledger_ripen(struct ph_ledger *l, int64_t now, struct ph_store_reply *out, size_t max, size_t *n,
    struct ph_fail *fail)
{
	size_t	 i;

	if (l->ops->flying(l->store, "unsure", now, out, max, n, fail) != PH_OK)
		return fail->err;
	for (i = 0; i < *n; i++) {
		bool			 again = out[i].resends < MAX_RESENDS;
		struct ph_store_move	 move = { .id = out[i].id, .conv = out[i].conv, .due = now,
			.state = again ? "ready" : "held", .resends = ++out[i].resends,
			.why = again ? NULL : "unsure twice: may have been sent already" };

		if (l->ops->move(l->store, &move, fail) != PH_OK)
			return fail->err;
	}
	return PH_OK;
}

enum ph_error
ph_ledger_next_due(struct ph_ledger *l, struct ph_slice page, int64_t *due, struct ph_fail *fail)
{
	return l->ops->next_due(l->store, page, due, fail);
}

enum ph_error
ph_ledger_reset_clock(struct ph_ledger *l, int64_t now, struct ph_fail *fail)
{
	return l->ops->advance(l->store, now + PH_DAY_MS, now, fail);
}

enum ph_error
ph_ledger_tidy(struct ph_ledger *l, bool idle, struct ph_fail *fail)
{
	return l->ops->tidy(l->store, idle, fail);
}
