/*
 * place -- one event that a handler is asked: what goes there, until when, and what came of it.
 * Knows buffer, clock.  Does not know processes.
 * Called by exec, which has one, and coproc, which has a few.
 * Lives in its owner.
 * SPDX-License-Identifier: ISC
 */
#include <stdio.h>

#include "clock.h"
#include "place.h"

enum ph_error
ph_place_reserve(struct ph_place *p, const struct ph_handler_ask *ask, struct ph_fail *fail)
{
	ph_buffer_add(&p->line, ask->line.at, ask->line.len);
	if (ph_buffer_check(&p->line, fail) != PH_OK) {
		ph_place_clear(p);
		return PH_NOMEM;
	}
	p->state = PH_PLACE_RESERVED;
	p->event = ask->event;
	p->attempt = ask->attempt;
	p->alone = ask->alone;
	p->timeout_ms = ask->timeout_ms;
	p->answer.coproc = ask->coproc;
	return PH_OK;
}

void
ph_place_launch(struct ph_place *p)
{
	p->state = PH_PLACE_LAUNCHED;
	p->launched_at = ph_clock_mono();
}

void
ph_place_ask(struct ph_place *p)
{
	p->state = PH_PLACE_ASKED;
	p->answer_by = ph_clock_mono() + ph_clock_wait_ms(p->timeout_ms);
}

void
ph_place_settle(struct ph_place *p, enum ph_handler_end end, const char *why)
{
	p->state = PH_PLACE_ANSWERED;
	p->answer.event = p->event;
	p->answer.end = end;
	p->answer.took_ms = ph_clock_mono() - p->launched_at;
	snprintf(p->answer.why, sizeof(p->answer.why), "%s", why);
	if (end != PH_HANDLER_ANSWERED)
		ph_buffer_reset(&p->reply);
	p->answer.reply = PH_SLICE(&p->reply);
}

void
ph_place_tell_late(const struct ph_place *p, char *why, size_t size)
{
	bool	 whole = p->timeout_ms % PH_SECOND_MS == 0;

	snprintf(why, size, "no answer in %lld %s",
	    (long long)(whole ? p->timeout_ms / PH_SECOND_MS : p->timeout_ms), whole ? "s" : "ms");
}

bool
ph_place_next(struct ph_place *p, struct ph_handler_answer *out)
{
	if (p->state == PH_PLACE_TOLD)
		ph_place_clear(p);
	if (p->state != PH_PLACE_ANSWERED)
		return false;
	p->state = PH_PLACE_TOLD;
	*out = p->answer;
	return true;
}

void
ph_place_clear(struct ph_place *p)
{
	ph_buffer_clear(&p->line);
	ph_buffer_clear(&p->reply);
	*p = (struct ph_place){ .state = PH_PLACE_FREE };
}
