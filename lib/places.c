/*
 * places -- the events that one coproc is asked at once: how many, and who beside whom.
 * Knows place, clock.  Does not know processes or lines.
 * Called by coproc.
 * Lives in its owner.
 * SPDX-License-Identifier: ISC
 */
#include <stdio.h>

#include "clock.h"
#include "places.h"

#define ALONE_MS	2000	/* so long a place is kept for one that must be asked alone */

static bool
is_asked(const struct ph_place *p)
{
	return p->state >= PH_PLACE_RESERVED && p->state < PH_PLACE_ANSWERED;
}

static bool
is_launched(const struct ph_place *p)
{
	return p->state == PH_PLACE_LAUNCHED || p->state == PH_PLACE_ASKED;
}

size_t
ph_places_count(const struct ph_places *s)
{
	size_t	 i, n = 0;

	for (i = 0; i < PH_PLACES; i++)
		n += is_asked(&s->at[i]);
	return n;
}

static bool
asks_a_suspect(const struct ph_places *s)
{
	size_t	 i;

	for (i = 0; i < PH_PLACES; i++)
		if (is_asked(&s->at[i]) && s->at[i].alone)
			return true;
	return false;
}

/*
 * An event at which it failed before may be the one that crashes the program.  It is asked alone, so
 * that it uses up its own tries and nobody else's; for a while newcomers make room for it, or it
 * would never find the program idle.
 */
static bool
must_wait(struct ph_places *s, size_t inflight, const struct ph_handler_ask *ask)
{
	int64_t	 now = ph_clock_mono();
	size_t	 n = ph_places_count(s);

	if (ask->alone) {
		s->alone_until = n > 0 ? now + ph_clock_wait_ms(ALONE_MS) : 0;
		return n > 0;
	}
	return n >= inflight || asks_a_suspect(s) || now < s->alone_until;
}

static struct ph_place *
find_free(struct ph_places *s)
{
	size_t	 i;

	for (i = 0; i < PH_PLACES; i++)
		if (s->at[i].state == PH_PLACE_FREE)
			return &s->at[i];
	return NULL;
}

enum ph_error
ph_places_reserve(struct ph_places *s, size_t inflight, const struct ph_handler_ask *ask,
    struct ph_fail *fail)
{
	struct ph_place	*p;

	if (must_wait(s, inflight, ask) || (p = find_free(s)) == NULL)
		return ph_error_set(fail, PH_BUSY, "%s: is asked all that it takes", ask->argv[0]);
	return ph_place_reserve(p, ask, fail);
}

void
ph_places_cancel(struct ph_places *s)
{
	size_t	 i;

	for (i = 0; i < PH_PLACES; i++)
		if (s->at[i].state == PH_PLACE_RESERVED)
			ph_place_clear(&s->at[i]);
}

size_t
ph_places_launch(struct ph_places *s, size_t max_line)
{
	struct ph_place	*p;
	size_t		 n = 0;

	for (p = s->at; p < s->at + PH_PLACES; p++) {
		if (p->state != PH_PLACE_RESERVED)
			continue;
		ph_place_launch(p);
		if (p->line.len > max_line)
			ph_place_settle(p, PH_HANDLER_DEAD, "more than 1 MiB");
		else
			n++;
		s->used_at = p->launched_at;
	}
	return n;
}

void
ph_places_ask(struct ph_places *s, struct ph_buffer *lines)
{
	struct ph_place	*p;

	for (p = s->at; p < s->at + PH_PLACES; p++) {
		if (p->state != PH_PLACE_LAUNCHED)
			continue;
		ph_buffer_add(lines, p->line.data, p->line.len);
		ph_buffer_clear(&p->line);
		ph_place_ask(p);
	}
}

struct ph_place *
ph_places_find(struct ph_places *s, int64_t event)
{
	size_t	 i;

	for (i = 0; i < PH_PLACES; i++)
		if (s->at[i].state == PH_PLACE_ASKED && s->at[i].event == event) {
			s->remembered[s->n_remembered++ % PH_PLACES_REMEMBERED] = event;
			return &s->at[i];
		}
	return NULL;
}

bool
ph_places_remembers(const struct ph_places *s, int64_t event)
{
	size_t	 i;

	for (i = 0; i < PH_PLACES_REMEMBERED && i < s->n_remembered; i++)
		if (s->remembered[i] == event)
			return true;
	return false;
}

int64_t
ph_places_only(const struct ph_places *s)
{
	int64_t	 event = 0;
	size_t	 i;

	for (i = 0; i < PH_PLACES; i++)
		if (s->at[i].state == PH_PLACE_ASKED) {
			if (event != 0)
				return 0;
			event = s->at[i].event;
		}
	return event;
}

struct ph_place *
ph_places_late(struct ph_places *s)
{
	size_t	 i;

	for (i = 0; i < PH_PLACES; i++)
		if (s->at[i].state == PH_PLACE_ASKED && ph_clock_mono() >= s->at[i].answer_by)
			return &s->at[i];
	return NULL;
}

void
ph_places_settle(struct ph_places *s, const struct ph_place *offender, const char *why)
{
	struct ph_place	*p;
	char		 others[192];
	size_t		 n = 0;

	snprintf(others, sizeof(others), "its coproc ended: %s", why);
	for (p = s->at; p < s->at + PH_PLACES; p++)
		n += is_launched(p);
	for (p = s->at; p < s->at + PH_PLACES; p++)
		if (is_launched(p))
			ph_place_settle(p, PH_HANDLER_FAILED,
			    n == 1 || p == offender ? why : others);
}

bool
ph_places_next(struct ph_places *s, struct ph_handler_answer *out)
{
	size_t	 i;

	for (i = 0; i < PH_PLACES; i++)
		if (ph_place_next(&s->at[i], out))
			return true;
	return false;
}

int64_t
ph_places_due(const struct ph_places *s)
{
	int64_t	 due = INT64_MAX;
	size_t	 i;

	for (i = 0; i < PH_PLACES; i++)
		if (s->at[i].state == PH_PLACE_ANSWERED)
			return 0;
		else if (s->at[i].state == PH_PLACE_ASKED && s->at[i].answer_by < due)
			due = s->at[i].answer_by;
	/* Whoever was refused for its sake tries again then. */
	if (ph_places_count(s) == 0 && s->alone_until > ph_clock_mono() && s->alone_until < due)
		due = s->alone_until;
	return due;
}

bool
ph_places_empty(const struct ph_places *s)
{
	size_t	 i;

	for (i = 0; i < PH_PLACES; i++)
		if (s->at[i].state != PH_PLACE_FREE)
			return false;
	return true;
}

void
ph_places_clear(struct ph_places *s)
{
	size_t	 i;

	for (i = 0; i < PH_PLACES; i++)
		ph_place_clear(&s->at[i]);
}
