/*
 * pace -- whether a Page's replies may go now, and how fast.
 * Knows outcome.  Does not know clocks: it is told the time.
 * Called by sending, one for each Page.
 * Lives in memory; that a Page is paused is also noted in the store.
 * SPDX-License-Identifier: ISC
 */
#include "clock.h"
#include "pace.h"

#define SENDS_A_SECOND	300.0
#define MEDIA_A_SECOND	10.0
#define SLOWEST		(1.0 / 64)		/* some five a second: it still finds out when that is over */
#define FASTER_AFTER_MS	(30 * PH_SECOND_MS)	/* without a word of Graph's, twice as fast */
#define HIGH_USAGE	80			/* per cent of a limit: from here on slower */
#define PAUSE_MS	PH_MINUTE_MS		/* until the first probe, if Graph names no time; doubled */
#define MAX_PAUSE_MS	(4 * PH_HOUR_MS)
#define MAX_INVALID	5

void
ph_pace_begin(struct ph_pace *p, bool paused, int64_t until, int64_t mono)
{
	*p = (struct ph_pace){ .paused = paused, .until = until, .factor = 1, .sends = SENDS_A_SECOND,
	    .media = MEDIA_A_SECOND, .filled_at = mono };
}

static double
at_most(double value, double max)
{
	return value < max ? value : max;
}

static int64_t
at_least(int64_t value, int64_t min)
{
	return value > min ? value : min;
}

static void
fill(struct ph_pace *p, int64_t mono)
{
	const double	 seconds = (double)(mono - p->filled_at) / (double)PH_SECOND_MS;

	if (p->factor < 1 && mono - p->slowed_at >= ph_clock_wait_ms(FASTER_AFTER_MS)) {
		p->factor = at_most(2 * p->factor, 1);
		p->slowed_at = mono;
	}
	p->sends = at_most(p->sends + seconds * SENDS_A_SECOND * p->factor, SENDS_A_SECOND * p->factor);
	p->media = at_most(p->media + seconds * MEDIA_A_SECOND * p->factor, MEDIA_A_SECOND);
	p->filled_at = mono;
}

size_t
ph_pace_room(struct ph_pace *p, size_t flying, int64_t mono)
{
	fill(p, mono);
	if (p->until > mono)
		return 0;
	if (p->paused)
		return flying == 0 ? 1 : 0;
	return p->sends >= 1 ? (size_t)p->sends : 0;
}

bool
ph_pace_take(struct ph_pace *p, bool media)
{
	if (media && p->media < 1)
		return false;
	p->sends -= 1;
	p->media -= media;
	return true;
}

static enum ph_pace_news
pause_for(struct ph_pace *p, int64_t wait_ms, int64_t mono)
{
	const bool	 was = p->paused;
	int		 i;

	if (was && mono < p->until) {		/* it had left before the pause */
		p->until = at_least(p->until, mono + ph_clock_wait_ms(wait_ms));
		return PH_PACE_SAME;
	}
	if (wait_ms == 0)
		wait_ms = PAUSE_MS;
	for (i = 0; i < p->n_pauses && wait_ms < MAX_PAUSE_MS; i++)
		wait_ms = 2 * wait_ms < MAX_PAUSE_MS ? 2 * wait_ms : MAX_PAUSE_MS;
	p->n_pauses++;
	p->paused = true;
	p->until = mono + ph_clock_wait_ms(wait_ms);
	return p->n_pauses > 1 ? PH_PACE_SAME : PH_PACE_PAUSED;	/* each helper says it once */
}

static enum ph_pace_news
slow_down(struct ph_pace *p, double factor, int64_t at)
{
	p->factor = factor < SLOWEST ? SLOWEST : factor;
	p->slowed_at = at;
	p->sends = at_most(p->sends, SENDS_A_SECOND * p->factor);
	return PH_PACE_SLOWED;
}

/* What left before the first word of a limit was heard is told the same: that is one limit. */
static enum ph_pace_news
wait_for_limit(struct ph_pace *p, int64_t wait_ms, int64_t mono)
{
	const bool	 known = mono < p->until;

	p->until = at_least(p->until, mono + ph_clock_wait_ms(wait_ms));
	p->slowed_at = p->until;		/* a time without sends says nothing of the rate */
	return known ? PH_PACE_SAME : slow_down(p, p->factor / 2, p->until);
}

/* Graph took or judged a message by itself: the Page works. */
static enum ph_pace_news
go_on(struct ph_pace *p)
{
	const bool	 was = p->paused;

	p->paused = false;
	p->n_pauses = 0;
	return was ? PH_PACE_RESUMED : PH_PACE_SAME;
}

static bool
is_invalid(const struct ph_result *r)
{
	return r->outcome == PH_REFUSED && r->code == 100;
}

bool
ph_pace_blames_page(const struct ph_pace *p, const struct ph_result *r)
{
	return p->paused && p->n_invalid >= MAX_INVALID && is_invalid(r);
}

enum ph_pace_news
ph_pace_note(struct ph_pace *p, const struct ph_result *r, int64_t mono)
{
	if (r->outcome == PH_PAGE)
		return pause_for(p, r->wait_ms, mono);
	if (r->outcome == PH_RETRY && r->page_waits)
		return wait_for_limit(p, r->wait_ms, mono);
	if (is_invalid(r)) {
		if (++p->n_invalid >= MAX_INVALID)
			return pause_for(p, 0, mono);
	} else if (r->outcome != PH_RETRY && r->outcome != PH_UNSURE)
		p->n_invalid = 0;
	if (r->usage >= 100)
		return wait_for_limit(p, PH_MINUTE_MS, mono);
	if (r->usage > HIGH_USAGE && p->factor > (100 - r->usage) / 20.0)
		return slow_down(p, (100 - r->usage) / 20.0, mono);
	return r->outcome == PH_RETRY || r->outcome == PH_UNSURE ? PH_PACE_SAME : go_on(p);
}

int
ph_pace_wait_ms(const struct ph_pace *p, size_t flying, int64_t mono)
{
	if (p->until > mono)
		return (int)(p->until - mono);
	if (p->paused && flying > 0)
		return -1;
	if (p->sends >= 1)
		return 0;
	return (int)((1 - p->sends) * (double)PH_SECOND_MS / (SENDS_A_SECOND * p->factor)) + 1;
}
