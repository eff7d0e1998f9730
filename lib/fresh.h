/*
 * fresh -- the keys that came last, as a set in memory.
 * Knows nothing of where they are kept.
 * Called by the stores: a new key costs them a row behind the last, not a page of its own.
 * Lives as one table of slots, about in the keys' order, so that they can be taken out in it.
 * SPDX-License-Identifier: ISC
 */
#ifndef PH_FRESH_H
#define PH_FRESH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"

#define PH_FRESH_KEY	16		/* bytes of a key, which are as good as random; not all are 0 */

struct ph_fresh_slot { uint64_t words[2]; };	/* both 0: empty */

struct ph_fresh {
	struct ph_fresh_slot	*slots;
	size_t			 n, cap;	/* keys; slots: a power of two, or 0 */
};
#define PH_FRESH_INIT	{ .slots = NULL }

bool		 ph_fresh_has(const struct ph_fresh *f, const unsigned char key[PH_FRESH_KEY]);

/* Room for more keys, up to 7/8 of cap slots: a power of two, not less than there are. */
enum ph_error	 ph_fresh_reserve(struct ph_fresh *f, size_t cap, struct ph_fail *fail) PH_MUST_USE;

/* A key that is not there yet.  PH_NOMEM: nothing is changed. */
enum ph_error	 ph_fresh_add(struct ph_fresh *f, const unsigned char key[PH_FRESH_KEY],
		     struct ph_fail *fail) PH_MUST_USE;

/*
 * The first key at slot *at or behind, and *at moves behind it; false: there is none.  A walk meets
 * each key once if none is added meanwhile.
 */
bool		 ph_fresh_next(const struct ph_fresh *f, size_t *at, unsigned char key[PH_FRESH_KEY]);

void		 ph_fresh_clear(struct ph_fresh *f);

#endif
