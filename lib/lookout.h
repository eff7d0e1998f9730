/*
 * lookout -- looks once a second for what no turn brings: refused deliveries, and the clock.
 * Knows refused, news, status' limits, clock.  Does not know who is told.
 * Called by turn.
 * Lives in the helper's one thread.
 * SPDX-License-Identifier: ISC
 */
#ifndef PH_LOOKOUT_H
#define PH_LOOKOUT_H

#include "news.h"

struct ph_lookout {
	int	 state_fd;			/* borrowed */
	int64_t	 look_at;			/* monotonic ms */
	int64_t	 now, mono;			/* at the last look; 0: there was none */
	int64_t	 deliveries;			/* that were kept when the file was emptied last */
	int64_t	 refused_at;			/* Unix ms of the last that Meta may have sent; 0: none */
	int64_t	 raised_at[PH_CAUSES];		/* monotonic ms; 0: it is not so now */
};

/* now: Unix ms; mono: monotonic.  Raises what it sees, and the same again after an hour. */
void	ph_lookout_look(struct ph_lookout *lookout, int64_t now, int64_t mono, struct ph_news *news);

/* Whether the helper is to stay for it: deliveries are refused, and who else would tell? */
bool	ph_lookout_stays(const struct ph_lookout *lookout);

#endif
