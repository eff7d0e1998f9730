/*
 * json -- bytes to values: the one door to json-c.
 * Knows buffer.  Does not know what a webhook looks like.
 * Called by scan, event, key and outcome; a body is scanned first, then parsed an event at a time.
 * Lives on the caller's stack; a parsed value is one tree, freed as a whole.
 * SPDX-License-Identifier: ISC
 */
#ifndef PH_JSON_H
#define PH_JSON_H

#include <stdbool.h>
#include <stdint.h>

#include "buffer.h"

#define PH_JSON_MAX_DEPTH	32

struct ph_json;			/* a value; borrowed from the tree it is in */

/*
 * Parses bytes, those of a body only after the scan has passed them.  PH_MALFORMED: json-c disagrees.
 * *out: ph_json_free.
 */
enum ph_error	 ph_json_parse(struct ph_slice bytes, struct ph_json **out, struct ph_fail *fail)
		     PH_MUST_USE;
void		 ph_json_free(struct ph_json *tree);

bool		 ph_json_is_object(const struct ph_json *v);
bool		 ph_json_is_array(const struct ph_json *v);

/* The member of that name; NULL when v is no object, has none, or it is null. */
const struct ph_json
		*ph_json_get(const struct ph_json *v, const char *name);

/* Elements of an array; any other value that is there counts as an array of one. */
size_t		 ph_json_count(const struct ph_json *v);
const struct ph_json
		*ph_json_at(const struct ph_json *v, size_t i);

/* The i-th member that is not null: its name, borrowed; NULL past the last. */
const char	*ph_json_name(const struct ph_json *v, size_t i);

/* A string's bytes, which may hold NUL; absent for any other value. */
struct ph_slice	 ph_json_text(const struct ph_json *v);

/* An integer; false for any other value and for one beyond 64 bits. */
bool		 ph_json_integer(const struct ph_json *v, int64_t *out);
bool		 ph_json_number(const struct ph_json *v, double *out);

/*
 * An id, opaque: a string as it is, an integer by its digits, exact to 64 bits, never by way of a
 * double; absent otherwise, and when it is empty.  digits is room for them.
 */
#define PH_JSON_DIGITS	24
struct ph_slice	 ph_json_id(const struct ph_json *v, char digits[PH_JSON_DIGITS]);

/*
 * The same without a parser, for the usual id: the raw bytes of a string without escapes, or of an
 * integer that any parser keeps.  Absent: it is not that simple, parse it.
 */
struct ph_slice	 ph_json_plain_id(struct ph_slice raw);

/*
 * Either way, as the id needs it.  *tree: what it is borrowed from when it was parsed, ph_json_free.
 * Absent as well when raw is, or is no JSON.  PH_NOMEM alone.
 */
enum ph_error	 ph_json_read_id(struct ph_slice raw, struct ph_json **tree,
		     char digits[PH_JSON_DIGITS], struct ph_slice *out) PH_MUST_USE;

/* A flag: set unless absent, null, false, 0, "", "0" or "false". */
bool		 ph_json_flag(const struct ph_json *v);

#endif
