/*
 * unsure -- what becomes of a reply of which nobody knows whether it arrived.
 * Knows buffer.  Does not know the store or the clock.
 * Called by ledger, which tells it of echoes and asks it once a reply's grace is over.
 * Lives as long as the helper; that a Page sends echoes at all is noted in the store.
 *
 * Meta tells the webhook what a Page has said, by echoes that bear our token.  While they come, an
 * echo that did not come says that the message did not go out: then it may be sent again, once.
 * SPDX-License-Identifier: ISC
 */
#ifndef PH_UNSURE_H
#define PH_UNSURE_H

#include <stdint.h>

#include "buffer.h"

#define PH_UNSURE_PAGES	256		/* more are decided as if they sent no echoes */

enum ph_unsure_policy { PH_RECONCILE, PH_HOLD, PH_RESEND };

struct ph_unsure {
	enum ph_unsure_policy	 policy;
	struct ph_unsure_page {
		char	 id[64];
		int64_t	 left_at;	/* Unix ms: the newest message that an echo has come of left then */
	}			 pages[PH_UNSURE_PAGES];
	size_t			 n_pages;
	int64_t			 held_up_at;	/* Unix ms: so late a POST may have waited somewhere */
};

enum ph_unsure_verdict { PH_UNSURE_WAIT, PH_UNSURE_AGAIN, PH_UNSURE_HOLD };

bool	ph_unsure_policy_parse(const char *name, enum ph_unsure_policy *out);

/* An echo came of a message of that Page which left then; 0: of one before our time.  True: its first. */
bool	ph_unsure_echo(struct ph_unsure *unsure, struct ph_slice page, int64_t left_at);

/*
 * A POST of that time may have waited, for there was no helper or it lay in the spool: what left
 * before and is echoed now says nothing about other echoes.
 */
void	ph_unsure_doubt(struct ph_unsure *unsure, int64_t at);

/* The clock was set back: what left at a time that is yet to come proves nothing. */
void	ph_unsure_reset_clock(struct ph_unsure *unsure, int64_t now);

/*
 * What becomes of a reply that is unsure since a time, and was sent again so often already, now that
 * it is looked at.  why, static, is for people when it is held.
 */
enum ph_unsure_verdict
	ph_unsure_judge(const struct ph_unsure *unsure, struct ph_slice page, int64_t since,
	    int64_t resends, int64_t now, const char **why);

#endif
