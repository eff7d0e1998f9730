/*
 * buffer -- bytes that grow, and slices that borrow.
 * Knows error.  Does not know what the bytes mean.
 * Called by everybody who reads or writes bytes.
 * Lives where its owner lives; a failed allocation is remembered and asked once, at the end.
 * SPDX-License-Identifier: ISC
 */
#ifndef PH_BUFFER_H
#define PH_BUFFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "error.h"

struct ph_slice {		/* borrowed bytes; at == NULL: absent */
	const char	*at;
	size_t		 len;
};

struct ph_buffer {
	char	*data;		/* len bytes and a NUL after them; NULL while never written */
	size_t	 len, cap;
	bool	 failed;	/* an allocation failed since the last clear: data is short */
};

#define PH_BUFFER_INIT	{ NULL, 0, 0, false }
#define PH_SLICE(b)	((struct ph_slice){ (b)->data != NULL ? (b)->data : "", (b)->len })

/* Append.  Out of memory is remembered in b->failed, nothing is appended from then on. */
void		 ph_buffer_add(struct ph_buffer *b, const void *bytes, size_t len);
void		 ph_buffer_add_number(struct ph_buffer *b, int64_t number);
void		 ph_buffer_addf(struct ph_buffer *b, const char *fmt, ...) PH_FORMAT(2, 3);

/*
 * Appends text as the inside of a JSON string: quotes, backslashes and control bytes escaped.
 * The bytes are taken as UTF-8 as they are; a NUL is left out, since no receiver keeps one.
 */
void		 ph_buffer_add_json(struct ph_buffer *b, struct ph_slice text);

/* Room for at least `more` further bytes, at data + len; NULL when out of memory. */
char		*ph_buffer_room(struct ph_buffer *b, size_t more) PH_MUST_USE;

/* PH_NOMEM if any append since the last clear or reset found no memory. */
enum ph_error	 ph_buffer_check(const struct ph_buffer *b, struct ph_fail *fail) PH_MUST_USE;

/* Drops the first n bytes; the rest moves to the front. */
void		 ph_buffer_drop(struct ph_buffer *b, size_t n);

void		 ph_buffer_reset(struct ph_buffer *b);	/* empty, memory kept for the next use */
void		 ph_buffer_clear(struct ph_buffer *b);	/* empty, memory given back */

/* Inline, as the next: most texts are constants, and the compiler knows how long they are. */
static inline void
ph_buffer_adds(struct ph_buffer *b, const char *text)
{
	ph_buffer_add(b, text, strlen(text));
}

/* Whether a slice holds exactly this text; false when absent. */
static inline bool
ph_slice_is(struct ph_slice s, const char *text)
{
	return s.at != NULL && s.len == strlen(text) && memcmp(s.at, text, s.len) == 0;
}

#endif
