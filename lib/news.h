/*
 * news -- what a turn brought besides its rows: log lines, counts, and what needs a person.
 * Knows log.  Does not know who is told, nor how.
 * Called by flow, which adds to it; turn tells it on once the turn is committed.
 * Lives as long as the helper; what a turn added that did not happen is taken back.
 * SPDX-License-Identifier: ISC
 */
#ifndef PH_NEWS_H
#define PH_NEWS_H

#include "log.h"

#define PH_NEWS_RAISED	16	/* at once, at most: further ones are in the log alone */

/* Why a person is called.  Each is called for once in a while, a Page for itself. */
enum ph_cause {
	PH_CAUSE_TOKEN,		/* Graph refuses a Page's token */
	PH_CAUSE_PAGE,		/* Graph takes nothing of a Page, for another reason */
	PH_CAUSE_DEAD,		/* replies or events were given up */
	PH_CAUSE_HELD,		/* replies wait for a person's decision */
	PH_CAUSE_QUARANTINE,	/* a signed body cannot be read */
	PH_CAUSE_SIGNATURE,	/* many signatures in a row do not match: another secret? */
	PH_CAUSE_FAILING,	/* for minutes no delivery was answered 200 */
	PH_CAUSE_DISABLED_SOON,	/* the same, so long that Meta will soon disable the webhook */
	PH_CAUSE_DOUBLE,	/* another installation answers a Page, too */
	PH_CAUSE_DISK,		/* the store cannot be written */
	PH_CAUSE_CLOCK,		/* the clock is off or was set */
	PH_CAUSES
};

struct ph_tally {		/* since the helper began */
	int64_t	 deliveries;	/* that were kept: answered 200 */
	int64_t	 kept, known;	/* events: new ones, and those that had been kept before */
	int64_t	 sent, refused, unsure;	/* tries to send, by what became of them */
	int64_t	 dead;		/* replies and events */
	int64_t	 kept_at, sent_at;	/* Unix ms, the last; 0: none */
};

struct ph_news {
	struct ph_buffer	 said;		/* log lines */
	struct ph_tally		 tally;
	struct ph_raised {
		enum ph_cause	 cause;
		char		 page[32];	/* its id; "": of none */
		char		 what[240];	/* a sentence; of several: the first */
		int64_t		 n;
	}			 raised[PH_NEWS_RAISED];
	size_t			 n_raised;
	struct ph_tally		 told;		/* as it was when it was last true */
};

#define PH_NEWS_INIT	{ .said = PH_BUFFER_INIT }

/*
 * Something needs a person: a line in the log, of fields and what, and an alert.  page may be absent.
 * what: one sentence without a person's words, their whole id, or a secret.
 */
void	ph_news_raise(struct ph_news *news, enum ph_cause cause, struct ph_slice page,
	    struct ph_buffer *fields, const char *what);

/* One word: "token", "failing". */
const char
	*ph_news_cause(enum ph_cause cause);

/* It is true: the lines are written; what was raised is forgotten by the next. */
void	ph_news_tell(struct ph_news *news);

/* The turn did not happen. */
void	ph_news_abandon(struct ph_news *news);
void	ph_news_clear(struct ph_news *news);

#endif
