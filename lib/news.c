/*
 * news -- what a turn brought besides its rows: log lines, counts, and what needs a person.
 * Knows log.  Does not know who is told, nor how.
 * Called by flow, which adds to it; turn tells it on once the turn is committed.
 * Lives as long as the helper.
 * SPDX-License-Identifier: ISC
 */
#include <stdio.h>
#include <string.h>

#include "news.h"

const char *
ph_news_cause(enum ph_cause cause)
{
	static const char *const	 names[PH_CAUSES] = {
		[PH_CAUSE_TOKEN] = "token", [PH_CAUSE_PAGE] = "page", [PH_CAUSE_DEAD] = "dead",
		[PH_CAUSE_HELD] = "held", [PH_CAUSE_QUARANTINE] = "quarantine",
		[PH_CAUSE_SIGNATURE] = "signature", [PH_CAUSE_FAILING] = "failing",
		[PH_CAUSE_DISABLED_SOON] = "disabling", [PH_CAUSE_DOUBLE] = "double", [PH_CAUSE_DISK] = "disk",
		[PH_CAUSE_CLOCK] = "clock",
	};

	return names[cause];
}

/* The one that was raised already in this turn, or a new one; NULL: there is no room. */
static struct ph_raised *
place_of(struct ph_news *news, enum ph_cause cause, const char *page)
{
	struct ph_raised	*r = news->raised, *end = news->raised + news->n_raised;

	while (r < end && (r->cause != cause || strcmp(r->page, page) != 0))
		r++;
	if (r < end)
		return r;
	if (news->n_raised == PH_NEWS_RAISED)
		return NULL;
	news->n_raised++;
	*r = (struct ph_raised){ .cause = cause };
	snprintf(r->page, sizeof(r->page), "%s", page);
	return r;
}

void
ph_news_raise(struct ph_news *news, enum ph_cause cause, struct ph_slice page,
    struct ph_buffer *fields, const char *what)
{
	struct ph_buffer	 none = PH_BUFFER_INIT, *f = fields != NULL ? fields : &none;
	struct ph_raised	*r;
	char			 id[sizeof(r->page)] = "";

	if (page.len > 0) {
		snprintf(id, sizeof(id), "%.*s", (int)page.len, page.at);
		ph_log_slice(f, "page", page);
	}
	ph_log_text(f, "cause", ph_news_cause(cause));
	ph_log_text(f, "what", what);
	ph_log_add(&news->said, PH_ERROR, "alert", f);
	ph_buffer_clear(&none);
	if ((r = place_of(news, cause, id)) == NULL)
		return;
	if (r->n++ == 0)
		snprintf(r->what, sizeof(r->what), "%s", what);
}

void
ph_news_tell(struct ph_news *news)
{
	ph_log_write(&news->said);
	news->told = news->tally;
	news->n_raised = 0;
}

void
ph_news_abandon(struct ph_news *news)
{
	ph_buffer_reset(&news->said);
	news->tally = news->told;
	news->n_raised = 0;
}

void
ph_news_clear(struct ph_news *news)
{
	ph_buffer_clear(&news->said);
	*news = (struct ph_news)PH_NEWS_INIT;
}
