/*
 * fresh -- the keys that came last, as a set in memory.
 * Knows nothing of where they are kept.
 * Called by the stores: a new key costs them a row behind the last, not a page of its own.
 * Lives as one table of slots, about in the keys' order, so that they can be taken out in it.
 * Why own code: libc's hsearch and tsearch cost an allocation a key, and cannot be walked from a place on.
 * SPDX-License-Identifier: ISC
 */
#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "fresh.h"

#define FIRST_CAP	1024

/* As a number, so that what is less comes first, as bytes do. */
static struct ph_fresh_slot
read_key(const unsigned char key[PH_FRESH_KEY])
{
	struct ph_fresh_slot	 slot;

	memcpy(slot.words, key, PH_FRESH_KEY);
	slot.words[0] = be64toh(slot.words[0]);
	return slot;
}

static bool
is_empty(const struct ph_fresh_slot *slot)
{
	return slot->words[0] == 0 && slot->words[1] == 0;
}

/* Where this key is, or would be: its first bits name a slot; if that is taken it is the next free one. */
static size_t
find(const struct ph_fresh_slot *slots, size_t cap, struct ph_fresh_slot key)
{
	size_t	 at = (size_t)(key.words[0] >> (64 - __builtin_ctzll(cap)));

	while (!is_empty(&slots[at]) && memcmp(&slots[at], &key, sizeof(key)) != 0)
		at = (at + 1) & (cap - 1);
	return at;
}

bool
ph_fresh_has(const struct ph_fresh *f, const unsigned char key[PH_FRESH_KEY])
{
	return f->cap > 0 && !is_empty(&f->slots[find(f->slots, f->cap, read_key(key))]);
}

enum ph_error
ph_fresh_reserve(struct ph_fresh *f, size_t cap, struct ph_fail *fail)
{
	size_t			 i;
	struct ph_fresh_slot	*slots = calloc(cap, sizeof(*slots));

	if (slots == NULL)
		return ph_error_set(fail, PH_NOMEM, "out of memory for the keys of events");
	for (i = 0; i < f->cap; i++)
		if (!is_empty(&f->slots[i]))
			slots[find(slots, cap, f->slots[i])] = f->slots[i];
	free(f->slots);
	f->slots = slots;
	f->cap = cap;
	return PH_OK;
}

enum ph_error
ph_fresh_add(struct ph_fresh *f, const unsigned char key[PH_FRESH_KEY], struct ph_fail *fail)
{
	const struct ph_fresh_slot	 new = read_key(key);

	if (f->n >= f->cap - f->cap / 8 &&
	    ph_fresh_reserve(f, f->cap == 0 ? FIRST_CAP : 2 * f->cap, fail) != PH_OK)
		return fail->err;
	f->slots[find(f->slots, f->cap, new)] = new;
	f->n++;
	return PH_OK;
}

bool
ph_fresh_next(const struct ph_fresh *f, size_t *at, unsigned char key[PH_FRESH_KEY])
{
	struct ph_fresh_slot	 slot;

	while (*at < f->cap && is_empty(&f->slots[*at]))
		(*at)++;
	if (*at >= f->cap)
		return false;
	slot = f->slots[(*at)++];
	slot.words[0] = htobe64(slot.words[0]);
	memcpy(key, slot.words, PH_FRESH_KEY);
	return true;
}

void
ph_fresh_clear(struct ph_fresh *f)
{
	free(f->slots);
	*f = (struct ph_fresh)PH_FRESH_INIT;
}
