/*
 * lookout -- looks once a second for what no turn brings: refused deliveries, and the clock.
 * Knows refused, news, status' limits, clock.  Does not know who is told.
 * Called by turn.
 * Lives in the helper's one thread.
 * SPDX-License-Identifier: ISC
 */
#include <inttypes.h>
#include <stdio.h>

#include "clock.h"
#include "lookout.h"
#include "status.h"

#define LOOK_EVERY_MS	1000
#define AGAIN_MS	PH_HOUR_MS
#define STEP_MS		5000
#define STAY_MS		PH_HOUR_MS	/* Meta tries again, more and more seldom */

/* Says it when it begins to be so, and once in a while as long as it is. */
static void
call_once(struct ph_lookout *l, enum ph_cause cause, const char *what, struct ph_news *news)
{
	static const struct ph_slice	 no_page = { NULL, 0 };

	if (l->raised_at[cause] != 0 && l->mono < l->raised_at[cause] + ph_clock_wait_ms(AGAIN_MS))
		return;
	l->raised_at[cause] = l->mono;
	ph_news_raise(news, cause, no_page, NULL, what);
}

static void
look_at_clock(struct ph_lookout *l, int64_t now, int64_t mono, struct ph_news *news)
{
	const int64_t	 step_ms = l->mono == 0 ? 0 : (now - l->now) - (mono - l->mono);
	char		 what[160];

	l->now = now;
	l->mono = mono;
	if (!ph_clock_is_set(now))
		call_once(l, PH_CAUSE_CLOCK, "the clock shows a time before this program was made: no event "
		    "counts as too old", news);
	else if (step_ms > STEP_MS || step_ms < -STEP_MS) {
		snprintf(what, sizeof(what), "the clock was set %s by %" PRId64 " s",
		    step_ms > 0 ? "forward" : "back", (step_ms > 0 ? step_ms : -step_ms) / PH_SECOND_MS);
		call_once(l, PH_CAUSE_CLOCK, what, news);
	}
}

static void
look_at_signatures(struct ph_lookout *l, const struct ph_refused *r, struct ph_news *news)
{
	struct ph_refused_count	 c = ph_refused_sum(r, PH_UNSIGNED, PH_MISMATCH);
	struct ph_buffer	 what = PH_BUFFER_INIT;

	if (c.n >= PH_FORGED_WARN) {
		ph_buffer_adds(&what, "deliveries are refused in a row, none is kept: is "
		    "MESSENGER_APP_SECRET right? ");
		ph_status_format_refused(r, &what);
		call_once(l, PH_CAUSE_SIGNATURE, PH_SLICE(&what).at, news);
	} else
		l->raised_at[PH_CAUSE_SIGNATURE] = 0;
	ph_buffer_clear(&what);
}

/* Meta counts from the first failure; nobody subscribes the Page again but its owner. */
static void
look_at_failures(struct ph_lookout *l, const struct ph_refused *r, struct ph_news *news)
{
	int64_t			 n, failing_ms = ph_status_failing_ms(r, &n), left_ms;
	struct ph_buffer	 what = PH_BUFFER_INIT;

	if (failing_ms < ph_clock_wait_ms(PH_FAILING_WARN_MS)) {
		l->raised_at[PH_CAUSE_FAILING] = l->raised_at[PH_CAUSE_DISABLED_SOON] = 0;
		return;
	}
	left_ms = PH_DISABLED_MS - failing_ms;
	ph_buffer_addf(&what, "no delivery was kept for %" PRId64 " min; ", failing_ms / PH_MINUTE_MS);
	ph_status_format_refused(r, &what);
	ph_buffer_adds(&what, "; Meta disables the webhook after about 60 min of this, ");
	if (left_ms > 0)
		ph_buffer_addf(&what, "in about %" PRId64 " min", left_ms / PH_MINUTE_MS);
	else
		ph_buffer_adds(&what, "which are over: see whether the Page is still subscribed");
	call_once(l, failing_ms < ph_clock_wait_ms(PH_FAILING_FAIL_MS) ? PH_CAUSE_FAILING :
	    PH_CAUSE_DISABLED_SOON, PH_SLICE(&what).at, news);
	ph_buffer_clear(&what);
}

void
ph_lookout_look(struct ph_lookout *l, int64_t now, int64_t mono, struct ph_news *news)
{
	struct ph_refused	 refused;

	if (mono < l->look_at)
		return;
	l->look_at = mono + LOOK_EVERY_MS;
	look_at_clock(l, now, mono, news);
	if (news->tally.deliveries != l->deliveries) {
		if (ph_refused_end(l->state_fd, news->tally.kept_at))
			l->deliveries = news->tally.deliveries;
		l->refused_at = 0;
		return;
	}
	if (ph_refused_read(l->state_fd, &refused, NULL) == PH_BUSY)
		return;
	l->refused_at = ph_refused_sum(&refused, PH_MISMATCH, PH_NOT_KEPT).last;
	look_at_signatures(l, &refused, news);
	look_at_failures(l, &refused, news);
}

bool
ph_lookout_stays(const struct ph_lookout *l)
{
	return l->refused_at != 0 && l->now - l->refused_at < STAY_MS;
}
