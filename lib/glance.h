/*
 * glance -- a look into the store beside the one connection that writes it: read only.
 * Knows sqlite's file.  Does not know what is done about what it shows.
 * Called by the operator's verbs, and by glance_count.
 * Lives for one look: one short transaction, so that the store's log can be cut.
 * SPDX-License-Identifier: ISC
 */
#ifndef PH_GLANCE_H
#define PH_GLANCE_H

#include <stdint.h>

#include "buffer.h"

struct ph_glance;
struct sqlite3_stmt;

#define PH_GLANCE_WAIT_MS	1000	/* for who locks the store; the helper itself must not wait so long */

struct ph_glance_item {			/* borrowed for the call */
	char		 letter;	/* 'r': a reply; 'e': an event */
	int64_t		 id, event, tries, code;
	int64_t		 since, due;	/* Unix ms; due 0: never by itself */
	const char	*state, *page, *person, *why;	/* never NULL */
};

struct ph_glance_row {			/* all of one: the caller's, ph_glance_row_clear */
	struct ph_glance_item	 item;	/* its texts live in text */
	int64_t			 left_at;	/* Unix ms: a reply was claimed last; 0: never */
	int64_t			 subcode;
	const char		*trace, *mid;	/* of a reply; never NULL */
	const char		*kind;		/* of the event, or of the one it answers; "": none */
	struct ph_slice		 body;		/* the message, or the event as it came */
	struct ph_buffer	 text;
};

/* PH_NONE: there is no store yet, and *out is NULL. */
enum ph_error	ph_glance_open(const char *state_dir, int wait_ms, struct ph_glance **out,
		    struct ph_fail *fail) PH_MUST_USE;
void		ph_glance_close(struct ph_glance *glance);

/*
 * Calls show with each reply that is not sent, then with each event that is not done, oldest first.
 * No transaction is open meanwhile: it may take its time, and change the store through the helper.
 * Its error ends the walk and is returned.
 */
enum ph_error	ph_glance_queue(struct ph_glance *glance,
		    enum ph_error (*show)(void *arg, const struct ph_glance_item *item,
		    struct ph_fail *fail), void *arg, struct ph_fail *fail) PH_MUST_USE;

/* One of them, whatever its state.  PH_NONE: there is none. */
enum ph_error	ph_glance_find(struct ph_glance *glance, char letter, int64_t id,
		    struct ph_glance_row *out, struct ph_fail *fail) PH_MUST_USE;
void		ph_glance_row_clear(struct ph_glance_row *row);

/* Another look, of glance_count's. */
enum ph_error	ph_glance_prepare(struct ph_glance *glance, const char *query, struct sqlite3_stmt **st,
		    struct ph_fail *fail) PH_MUST_USE;

#endif
