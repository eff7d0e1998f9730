/*
 * spool -- where a front keeps a body when no helper takes it.
 * Knows buffer and clock.  Does not know what is in a body, nor why nobody took it.
 * Called by the front to keep; by the helper to take in, commit and remove.
 * Lives as files in STATE/spool, one a body, trusted as proved: only our uid writes there.
 *
 *	file   "pagehook-spool 1 <arrival, Unix ms> <length>\n" and the body
 *	name   <arrival>-<pid>-<counter>-<random>, ".tmp" while it is written,
 *	       ".1" ".2" ".3" behind it for each time somebody began to read what is in it
 * SPDX-License-Identifier: ISC
 */
#ifndef PH_SPOOL_H
#define PH_SPOOL_H

#include <stdint.h>

#include "buffer.h"

#define PH_SPOOL_TRIES	3	/* a body that killed the helper so often is not thought about again */

struct ph_spool {
	int		 fd;		/* of the spool directory, closed on exec; -1: not open */
	int64_t		 bytes;		/* at counted_at, and what was written since */
	int64_t		 counted_at;	/* monotonic ms; 0: never */
	int64_t		 mtime_ns;	/* of the directory when last taken in */
};

#define PH_SPOOL_INIT	{ -1, 0, 0, 0 }

enum ph_error	ph_spool_open(struct ph_spool *spool, int state_fd, struct ph_fail *fail)
		    PH_MUST_USE;
void		ph_spool_close(struct ph_spool *spool);

/*
 * Keeps a body: when PH_OK returns, file and directory are synced.
 * PH_TOOBIG: 256 MiB lie there already, or the disk is nearly full.  PH_BUSY: it cannot be written; the text says why.
 */
enum ph_error	ph_spool_keep(struct ph_spool *spool, struct ph_slice body, int64_t now,
		    struct ph_fail *fail) PH_MUST_USE;

/* Whether something was put in or taken out since the last ph_spool_read_all. */
bool		ph_spool_changed(const struct ph_spool *spool);

/* Whether bodies lie in the spool of a state directory. */
bool		ph_spool_holds(int state_fd);

struct ph_spooled {
	char			 name[80];	/* as it is called now */
	struct ph_buffer	 body;
	int64_t			 arrived;	/* Unix ms */
	enum ph_error		 err;		/* PH_MALFORMED: not what was written; PH_TOOBIG: read
						 * too often; PH_BUSY: not to be read now, leave it */
};

/*
 * Reads at most max bodies, oldest first, and notes on disk that they are being read.  *more: others
 * wait behind them.  One that was noted before comes alone.
 * Returns them as an array of *n, the caller's to release with ph_spooled_free; they stay on disk
 * until ph_spool_drop.
 */
struct ph_spooled
		*ph_spool_read_all(struct ph_spool *spool, size_t max, size_t *n, bool *more);
void		 ph_spool_drop(struct ph_spool *spool, const struct ph_spooled *one);

/* Takes back the note of having been read: the body was harmless, the store could not keep it. */
void		 ph_spool_hold(struct ph_spool *spool, struct ph_spooled *one);
void		 ph_spooled_free(struct ph_spooled *all, size_t n);

#endif
