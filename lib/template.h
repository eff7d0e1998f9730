/*
 * template -- a text with {fields} in it, and the text it becomes.
 * Knows buffer, scan.  Does not know what the fields mean.
 * Called by reading (compiles), say and think (fill).
 * Lives as long as the rule it belongs to.
 *
 * "{name}" is a field, "{{" a brace; "}" is itself.  What a field is replaced by is data: it is
 * escaped for where it stands and never looked at again.
 * SPDX-License-Identifier: ISC
 */
#ifndef PH_TEMPLATE_H
#define PH_TEMPLATE_H

#include "buffer.h"

struct ph_template;

enum ph_template_is {
	PH_TEMPLATE_TEXT,	/* plain text; a value goes in as it is, without its NULs */
	PH_TEMPLATE_URL,	/* an address; a value goes in with all but A-Z a-z 0-9 - . _ ~ as %XX */
	PH_TEMPLATE_JSON	/* one JSON value as bytes; fields count inside strings, values are escaped */
};

/*
 * Compiles text, which is copied; of JSON that the strict scan has passed, and it comes out on one
 * line.  known says whether a field of this name can ever be set.
 * PH_MALFORMED: the text says why, *at is the byte of text where.  *out: ph_template_free.
 */
enum ph_error	 ph_template_new(struct ph_slice text, enum ph_template_is is,
		    bool (*known)(void *arg, const char *name), void *arg,
		    struct ph_template **out, size_t *at, struct ph_fail *fail) PH_MUST_USE;
void		 ph_template_free(struct ph_template *t);

/* Appends the text, each field replaced by its value; an absent value is empty. */
void		 ph_template_fill(const struct ph_template *t,
		    struct ph_slice (*value)(void *arg, const char *name), void *arg,
		    struct ph_buffer *out);

/* The i-th field's name; NULL past the last. */
const char	*ph_template_field(const struct ph_template *t, size_t i);

#endif
