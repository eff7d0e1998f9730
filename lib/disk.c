/*
 * disk -- whether the store can be written, and what may go on while it cannot.
 * Knows ballast, news.  Does not know the store, nor what is written.
 * Called by upkeep and turn: when it began, after each commit, and once a second.
 * Lives with upkeep.
 * SPDX-License-Identifier: ISC
 */
#include <stdio.h>
#include <string.h>

#include "ballast.h"
#include "disk.h"

#define LOOK_EVERY_MS	1000		/* the disk will not be better in a moment */

void
ph_disk_begin(struct ph_disk *d)
{
	struct ph_fail	 fail = PH_FAIL_INIT;

	if (!d->full && !(d->has_ballast = ph_ballast_make(&fail) == PH_OK))
		ph_log_say(PH_WARN, "store", "%s: if the disk fills up now, what is under way cannot be noted",
		    fail.text);
}

void
ph_disk_fail(struct ph_disk *d, const struct ph_fail *fail, struct ph_news *news)
{
	char	 what[sizeof(d->trouble) + 64];

	d->failed = true;
	d->again_ms = LOOK_EVERY_MS;
	if (strcmp(d->trouble, fail->text) != 0) {
		snprintf(d->trouble, sizeof(d->trouble), "%s", fail->text);
		snprintf(what, sizeof(what), "%s%s", fail->text,
		    fail->err == PH_TOOBIG ? ": nothing new is taken in until there is room" : "");
		ph_news_raise(news, PH_CAUSE_DISK, (struct ph_slice){ NULL, 0 }, NULL, what);
	}
	if (fail->err != PH_TOOBIG)
		return;
	d->full = true;
	d->has_ballast = false;
	if (ph_ballast_drop() == PH_OK)
		d->again_ms = 0;
}

static void
end_trouble(struct ph_disk *d)
{
	if (d->trouble[0] == '\0' || d->failed || d->full)
		return;
	ph_log_say(PH_INFO, "store", "can be written again, after: %s", d->trouble);
	d->trouble[0] = '\0';
}

void
ph_disk_recover(struct ph_disk *d)
{
	d->failed = false;
	end_trouble(d);
}

bool
ph_disk_may_claim(struct ph_disk *d)
{
	d->cramped = d->full && !ph_ballast_has_room();
	return !d->failed && !d->cramped;
}

bool
ph_disk_look(struct ph_disk *d, int64_t mono)
{
	const bool	 full = d->full;

	if (d->has_ballast || mono < d->look_at)
		return false;
	d->look_at = mono + LOOK_EVERY_MS;
	d->has_ballast = ph_ballast_make(NULL) == PH_OK;
	d->full &= !d->has_ballast;
	d->cramped &= d->full;
	end_trouble(d);
	return full;
}
