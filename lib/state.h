/*
 * state -- the state directory: made, judged and opened.
 * Knows error.  Does not know what lies in it.
 * Called by the front and the helper before they touch a file of theirs.
 * Lives as one descriptor, closed on exec.
 * SPDX-License-Identifier: ISC
 */
#ifndef PH_STATE_H
#define PH_STATE_H

#include "error.h"

/*
 * Opens the state directory, made with its parents (0700) when missing.
 * PH_CONFIG, the text names the path: not ours, others may enter, not a directory, cannot be made,
 * or on a network file system, whose locks and sockets do not cross hosts.
 */
enum ph_error	ph_state_open(const char *path, int *fd, struct ph_fail *fail) PH_MUST_USE;

#endif
