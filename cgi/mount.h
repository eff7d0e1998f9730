/*
 * mount -- where a webhook is mounted: its settings, and the helper and spool behind them.
 * Knows request, conf, state, wire, spool, refused, start.  Does not know signatures or answers.
 * Called by the front; each of its threads has mounts of its own.
 * Lives as long as the thread; settings are looked at once a second and replaced when they changed.
 * SPDX-License-Identifier: ISC
 */
#ifndef MOUNT_H
#define MOUNT_H

#include "conf.h"
#include "refused.h"
#include "request.h"
#include "spool.h"
#include "wire.h"

struct mount {
	struct ph_conf	*conf;		/* NULL: they cannot be read, and were never readable */
	bool		 ready;
	struct ph_fail	 said;		/* what is wrong with the newest settings: said already */
	char		*key;		/* the request's own settings, which chose this mount; NULL: none will */
	int		 state_fd, wire_fd;
	struct ph_spool	 spool;
	int64_t		 look_at;	/* monotonic ms: when to look at the files again */
	int64_t		 start_at;	/* monotonic ms: not before may a helper be started again */
	struct ph_refused refused;	/* what stands in no file yet */
	int64_t		 refused_at;	/* monotonic ms: not before is that file written again */
	int64_t		 ask_at;	/* monotonic ms: until then one that said nothing is left alone */
};

struct mounts;

struct mounts	*mounts_new(const char *name) PH_MUST_USE;
void		 mounts_free(struct mounts *mounts);

/*
 * The mount of this request.  Borrowed, never NULL; what is wrong with its settings was said once:
 * in the log and, while there are no good ones to go by, to the web server's error log.  in_use: a mount that must not
 * make room for a new one, since deliveries of it are parked; or NULL.
 */
struct mount	*mounts_find(struct mounts *mounts, struct request *rq, const struct mount *in_use);

/* Whether requests can be proved and kept here. */
bool		 mount_is_ready(const struct mount *m);

/*
 * Asks the helper for the verdicts of n bodies; starts one if nobody listens; sends the same bytes
 * once more if it dies in between.  began: monotonic ms of the oldest request.
 * PH_BUSY: where no verdict came it is PH_LATER.
 */
enum ph_error	 mount_ask(struct mount *m, const struct ph_slice *bodies, size_t n,
		    enum ph_verdict *verdicts, int64_t began, struct ph_fail *fail) PH_MUST_USE;

/* PH_KEPT: the body lies in the spool.  PH_LATER: nowhere, and the log says why. */
enum ph_verdict	 mount_spool(struct mount *m, struct ph_slice body, int64_t answer_by);

/* Counts what was not answered 200, for the helper and for status; starts nobody. */
void		 mount_refused(struct mount *m, enum ph_refusal why);

/* Starts a helper if none listens, and waits for nothing: something may be owed since it died. */
void		 mount_wake(struct mount *m);

#endif
