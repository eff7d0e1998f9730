/*
 * upkeep -- the ledger from one helper to the next: opened, told from an older copy, pruned, let go.
 * Knows ledger, disk, news.  Does not know what is kept in it, nor what a turn does.
 * Called by turn.
 * Lives with the turn.
 * SPDX-License-Identifier: ISC
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "clock.h"
#include "upkeep.h"

#define PRUNE_EVERY_MS	PH_HOUR_MS
#define PRUNE_AGAIN_MS	PH_MINUTE_MS	/* after it failed */
#define PRUNE_STEP_MS	100		/* between two looks at some rows, while nothing else is done */
#define TIDY_AFTER_MS	5000		/* of quiet */

static void PH_FORMAT(2, 3)
raise_disk(struct ph_upkeep *u, const char *fmt, ...)
{
	char	 what[320];
	va_list	 ap;

	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	ph_news_raise(u->news, PH_CAUSE_DISK, (struct ph_slice){ NULL, 0 }, NULL, what);
}

/* Another helper begins with this store, or another hour: an older copy of it is told by that. */
static enum ph_error
next_generation(struct ph_upkeep *u, struct ph_fail *fail)
{
	struct ph_ledger_generation	 g;

	if (ph_ledger_next_generation(u->ledger, *u->generation, ph_clock_now(), &g, fail) != PH_OK)
		return fail->err;
	*u->generation = g.number;
	if (g.older)
		raise_disk(u, "queue.db is not what the last helper left, but older or new: %" PRId64
		    " replies open in it are held and %" PRId64 " events dead, since they may have been "
		    "answered; retry or drop them by hand", g.n_replies, g.n_events);
	return PH_OK;
}

static enum ph_error
open_ledger(struct ph_upkeep *u, size_t *n_unsure, struct ph_fail *fail)
{
	if (ph_ledger_open(&ph_store_sqlite, "queue.db", ph_clock_now(), u->conf->max_reply_age_ms,
	    u->conf->unsure, &u->ledger, n_unsure, fail) == PH_OK && next_generation(u, fail) == PH_OK)
		return PH_OK;
	ph_upkeep_close(u);
	return fail->err;
}

enum ph_error
ph_upkeep_open(struct ph_upkeep *u, struct ph_fail *fail)
{
	struct ph_fail	 mine = PH_FAIL_INIT;
	size_t		 n_unsure;

	u->tidied_at = ph_clock_mono();
	if (open_ledger(u, &n_unsure, &mine) == PH_TOOBIG) {
		ph_upkeep_fail(u, &mine);
		mine = (struct ph_fail)PH_FAIL_INIT;
		(void)!open_ledger(u, &n_unsure, &mine);
	}
	if (mine.err != PH_OK)
		return ph_error_set(fail, mine.err, "%s", mine.text);
	ph_disk_begin(&u->disk);
	if (n_unsure > 0)
		ph_log_say(PH_WARN, "reply", "%zu may or may not have been sent when the last helper died: "
		    "unsure, looked at again after a while", n_unsure);
	return PH_OK;
}

void
ph_upkeep_close(struct ph_upkeep *u)
{
	ph_ledger_close(u->ledger);
	u->ledger = NULL;
}

void
ph_upkeep_fail(struct ph_upkeep *u, const struct ph_fail *fail)
{
	ph_disk_fail(&u->disk, fail, u->news);
	if (u->disk.full)
		u->prune_at = 0;		/* what is over makes room */
}

enum ph_error
ph_upkeep_prune(struct ph_upkeep *u, int64_t mono, struct ph_fail *fail)
{
	struct ph_fail	 mine = PH_FAIL_INIT;
	bool		 more = false;

	if (mono < u->prune_at)
		return PH_OK;
	if (ph_ledger_begin(u->ledger, &mine) != PH_OK ||
	    ph_ledger_prune(u->ledger, ph_clock_now(), u->conf->keep_ms, &more, &mine) != PH_OK ||
	    ph_ledger_commit(u->ledger, &mine) != PH_OK)
		ph_ledger_abandon(u->ledger);
	if (!more && mine.err == PH_OK)
		(void)!next_generation(u, &mine);
	u->prune_at = mono + ph_clock_wait_ms(mine.err != PH_OK ? PRUNE_AGAIN_MS : more ? PRUNE_STEP_MS :
	    PRUNE_EVERY_MS);
	if (mine.err == PH_OK || mine.err == PH_BUSY || mine.err == PH_TOOBIG)
		return PH_OK;			/* the disk's own trouble shows where it matters */
	return ph_error_set(fail, mine.err, "%s", mine.text);
}

enum ph_error
ph_upkeep_tidy(struct ph_upkeep *u, int64_t busy_at, int64_t mono, struct ph_fail *fail)
{
	const bool	 quiet = mono - busy_at >= TIDY_AFTER_MS && u->tidied_at < busy_at;

	if (quiet)
		u->tidied_at = mono;
	return ph_ledger_tidy(u->ledger, quiet, fail);
}

enum ph_error
ph_upkeep_let_go(struct ph_upkeep *u, struct ph_fail *fail)
{
	struct ph_fail	 mine = PH_FAIL_INIT;
	int64_t		 n_events = 0, n_replies = 0;

	if (ph_ledger_check(u->ledger, &mine) == PH_OK)
		return PH_OK;
	if (ph_ledger_count_open(u->ledger, &n_events, &n_replies, NULL) == PH_OK)
		ph_error_set(fail, mine.err, "%s: %" PRId64 " replies and %" PRId64 " events were open in it",
		    mine.text, n_replies, n_events);
	else
		ph_error_set(fail, mine.err, "%s, and cannot be read any more", mine.text);
	(void)!ph_ledger_tidy(u->ledger, true, NULL);
	return mine.err;
}
