/*
 * upkeep -- the ledger from one helper to the next: opened, told from an older copy, pruned, let go.
 * Knows ledger, disk, news.  Does not know what is kept in it, nor what a turn does.
 * Called by turn.
 * Lives with the turn.
 * SPDX-License-Identifier: ISC
 */
#ifndef PH_UPKEEP_H
#define PH_UPKEEP_H

#include "conf.h"
#include "disk.h"
#include "ledger.h"

struct ph_upkeep {
	const struct ph_conf	*conf;		/* borrowed, as news and generation are */
	struct ph_news		*news;
	int64_t			*generation;	/* the number beside the store, as in ledger.h */
	struct ph_ledger	*ledger;
	struct ph_disk		 disk;
	int64_t			 prune_at, tidied_at;	/* monotonic ms */
};

/*
 * Opens queue.db in the current directory; conf, news and generation are set.  An older copy put in
 * its place is told from it: what is open in that is held, since it may have been answered.
 */
enum ph_error	ph_upkeep_open(struct ph_upkeep *upkeep, struct ph_fail *fail) PH_MUST_USE;
void		ph_upkeep_close(struct ph_upkeep *upkeep);

/* A turn could not be committed. */
void		ph_upkeep_fail(struct ph_upkeep *upkeep, const struct ph_fail *fail);

/* What is over goes, some rows at a time, in turns that have nothing else to do. */
enum ph_error	ph_upkeep_prune(struct ph_upkeep *upkeep, int64_t mono, struct ph_fail *fail) PH_MUST_USE;

/* The store's log is moved in after a quiet moment, or when it must be.  busy_at: monotonic ms. */
enum ph_error	ph_upkeep_tidy(struct ph_upkeep *upkeep, int64_t busy_at, int64_t mono,
		    struct ph_fail *fail) PH_MUST_USE;

/* As ph_turn_let_go. */
enum ph_error	ph_upkeep_let_go(struct ph_upkeep *upkeep, struct ph_fail *fail) PH_MUST_USE;

#endif
