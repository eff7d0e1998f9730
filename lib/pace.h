/*
 * pace -- whether a Page's replies may go now, and how fast.
 * Knows outcome.  Does not know clocks: it is told the time.
 * Called by sending, one for each Page.
 * Lives in memory; that a Page is paused is also noted in the store.
 * Source: Meta, Messenger Platform, rate limiting: 300 sends a second and Page, 10 of audio and video.
 * SPDX-License-Identifier: ISC
 */
#ifndef PH_PACE_H
#define PH_PACE_H

#include "outcome.h"

struct ph_pace {
	bool	 paused;	/* Graph takes nothing of this Page: one probe at a time finds out more */
	int64_t	 until;		/* monotonic ms: before, nothing goes; 0: now */
	int	 n_pauses;	/* in a row: each is longer */
	int	 n_invalid;	/* replies in a row that were refused as invalid: then it is the Page */
	double	 sends, media;	/* that may go at once */
	double	 factor;	/* of the full rate, when Graph asked for less */
	int64_t	 filled_at, slowed_at;	/* monotonic ms */
};

enum ph_pace_news { PH_PACE_SAME, PH_PACE_PAUSED, PH_PACE_RESUMED, PH_PACE_SLOWED };

/* paused: it was when the last helper died, until a time; monotonic ms, 0 or past: one asks at once. */
void	ph_pace_begin(struct ph_pace *pace, bool paused, int64_t until, int64_t mono);

/* How many more replies may leave now, while so many are under way. */
size_t	ph_pace_room(struct ph_pace *pace, size_t flying, int64_t mono);

/* One leaves; media: it carries audio or video.  False: not now, there were too many of those. */
bool	ph_pace_take(struct ph_pace *pace, bool media);

/* Whether a refusal is the Page's, not the message's: one that asks if what paused it is over. */
bool	ph_pace_blames_page(const struct ph_pace *pace, const struct ph_result *result);

/* What became of one. */
enum ph_pace_news
	ph_pace_note(struct ph_pace *pace, const struct ph_result *result, int64_t mono);

/* How long until another may leave: ms, 0: now; -1: when one that is under way has come back. */
int	ph_pace_wait_ms(const struct ph_pace *pace, size_t flying, int64_t mono);

#endif
