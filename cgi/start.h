/*
 * start -- starts the helper, so that nothing of the web server's goes with it.
 * Knows conf.  Does not know requests or the wire.
 * Called by the front when nobody listens.
 * Lives between fork and exec.
 * SPDX-License-Identifier: ISC
 */
#ifndef START_H
#define START_H

#include "conf.h"

/*
 * Starts "pagehook helper" for these settings, detached: its own session, in the state directory,
 * descriptors 0-2 on /dev/null and no other, signals and umask reset, an environment of our settings
 * alone.  PH_OK: it was executed; whether it holds the lock and listens is for the socket to tell.
 * PH_BUSY: the text says what refused, and which file was to be run.
 */
enum ph_error	start_helper(const struct ph_conf *conf, int state_fd, struct ph_fail *fail)
		    PH_MUST_USE;

#endif
