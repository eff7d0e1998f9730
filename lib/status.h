/*
 * status -- how it is going: figures in, a screen for people or a document for programs out.
 * Knows glance's counts, refused, news' tally, clock's units.  Does not know where figures come from.
 * Called by survey, which fills one; by order, by alert's caller and by the verb, which show it.
 * Lives on the caller's stack.
 * Described in cgi/pagehook.1.
 * SPDX-License-Identifier: ISC
 */
#ifndef PH_STATUS_H
#define PH_STATUS_H

#include "glance_count.h"
#include "news.h"
#include "refused.h"

#define PH_STATUS_BROKEN	4	/* replies files named, at most */

struct ph_status_live {			/* what the helper alone knows */
	int64_t		 pid;		/* 0: there is none */
	int64_t		 began;		/* Unix ms */
	int64_t		 rss_bytes;
	struct ph_tally	 tally;
	char		 trouble[240];	/* with the store, in words; "": none */
};

struct ph_status {
	int64_t				 at;		/* Unix ms */
	struct ph_status_live		 live;
	char				 unanswered[240];	/* it is there and did not answer: why */
	struct ph_refused		 refused;
	struct ph_glance_counts		 counts;
	bool				 no_store;	/* there is none yet */
	char				 store_trouble[240];	/* it cannot be read: why */
	int64_t				 store_bytes, log_bytes, spool_files;
	size_t				 n_broken;	/* replies files that cannot be used */
	char				 broken[PH_STATUS_BROKEN][160];
};

enum ph_status_word { PH_STATUS_OK, PH_STATUS_WARN, PH_STATUS_FAIL };

/* The worst of all rows. */
enum ph_status_word	ph_status_worst(const struct ph_status *status);

/* One line a row: what it is about, OK, WARN or FAIL, and figures.  Persons do not occur in it. */
void	ph_status_format_lines(const struct ph_status *status, struct ph_buffer *out);

/* One JSON object, without a newline. */
void	ph_status_format_json(const struct ph_status *status, struct ph_buffer *out);

/*
 * How long deliveries have failed, ms: from the first that Meta may have sent since one was kept to the
 * last; 0: they have not, or too few to tell.  n: how many they were.
 */
int64_t	ph_status_failing_ms(const struct ph_refused *refused, int64_t *n);

/* "9 refused: 7 signed with another secret, 2 too long", without what nobody sent. */
void	ph_status_format_refused(const struct ph_refused *refused, struct ph_buffer *out);

#define PH_FAILING_WARN_MS	(5 * PH_MINUTE_MS)
#define PH_FAILING_FAIL_MS	(15 * PH_MINUTE_MS)	/* Meta warns the app's owner at about this time */
#define PH_DISABLED_MS		PH_HOUR_MS	/* and disables the webhook about then */
#define PH_FORGED_WARN		10		/* signatures in a row */

#endif
