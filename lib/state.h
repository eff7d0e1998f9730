/*
 * state -- the state directory: made, judged and opened.
 * Knows error.  Does not know what lies in it.
 * Called by the front, the helper and verbs before they touch a file in it.
 * Lives as one descriptor, closed on exec.
 * SPDX-License-Identifier: ISC
 */
#ifndef PH_STATE_H
#define PH_STATE_H

#include <stdint.h>

#include "error.h"

/*
 * Opens the state directory, made with its parents (0700) when missing.
 * PH_CONFIG, the text names the path: not ours, others may enter, not a directory, cannot be made,
 * or on a network file system, whose locks and sockets do not cross hosts.
 */
enum ph_error	ph_state_open(const char *path, int *fd, struct ph_fail *fail) PH_MUST_USE;

/*
 * root becomes the state directory's owner, if it is another's: files of root's in it would lock
 * everybody else out.  A directory that is not there yet changes nothing.
 */
enum ph_error	ph_state_become_owner(const char *path, struct ph_fail *fail) PH_MUST_USE;

/*
 * What a file system is called whose locks, shared memory and sockets do not cross hosts, by the type
 * that statfs(2) gives; NULL: it is none of those.
 */
const char	*ph_state_network(uint32_t magic);

#endif
