/*
 * json -- bytes to values: the one door to json-c.
 * Knows buffer.  Does not know what a webhook looks like.
 * Called by event, key, outcome and who else reads a value.
 * Lives on the caller's stack; a parsed value is one tree, freed as a whole.
 * SPDX-License-Identifier: ISC
 */
#include <inttypes.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"

#define MAX_KEPT	65536		/* bytes that a kept tokener may have met at once */

/* json-c's objects under our name.  It has no const, so the cast is made here alone. */

static struct json_object *
raw(const struct ph_json *v)
{
	return (struct json_object *)(uintptr_t)v;
}

static struct ph_json *
cooked(struct json_object *o)
{
	return (struct ph_json *)(void *)o;
}

/*
 * To make a tokener costs as much as to parse a short event with it: a thread keeps its own.  It grows
 * with the longest text that it has met, so one that met a very long one is not kept; nor one that
 * failed: its reset forgets no half of a surrogate pair, which would show in the next text.
 */
static _Thread_local struct json_tokener	*kept;

static struct json_tokener *
take_tokener(void)
{
	struct json_tokener	*tok = kept != NULL ? kept : json_tokener_new_ex(PH_JSON_MAX_DEPTH + 2);

	kept = NULL;
	if (tok != NULL)
		json_tokener_set_flags(tok, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
	return tok;
}

static void
keep_tokener(struct json_tokener *tok, size_t longest)
{
	if (json_tokener_get_error(tok) != json_tokener_success || longest > MAX_KEPT) {
		json_tokener_free(tok);
		return;
	}
	json_tokener_reset(tok);
	kept = tok;
}

enum ph_error
ph_json_parse(struct ph_slice bytes, struct ph_json **out, struct ph_fail *fail)
{
	struct json_tokener	*tok = take_tokener();
	struct json_object	*o;
	enum json_tokener_error	 err;
	size_t			 end;

	*out = NULL;
	if (tok == NULL)
		return ph_error_set(fail, PH_NOMEM, "out of memory for JSON");
	o = json_tokener_parse_ex(tok, bytes.at, (int)bytes.len);
	err = json_tokener_get_error(tok);
	end = json_tokener_get_parse_end(tok);
	/* A bare number or word may go on, so json-c waits for more: one NUL says that it does not. */
	if (err == json_tokener_continue && end == bytes.len) {
		o = json_tokener_parse_ex(tok, "", 1);
		err = json_tokener_get_error(tok);
	}
	keep_tokener(tok, bytes.len);
	if (err != json_tokener_success || end != bytes.len) {
		json_object_put(o);
		return ph_error_set(fail, PH_MALFORMED, "not JSON at byte %zu: %s", end,
		    json_tokener_error_desc(err));
	}
	*out = cooked(o);
	return PH_OK;
}

void
ph_json_free(struct ph_json *tree)
{
	json_object_put(raw(tree));
}

bool
ph_json_is_object(const struct ph_json *v)
{
	return json_object_is_type(raw(v), json_type_object);
}

bool
ph_json_is_array(const struct ph_json *v)
{
	return json_object_is_type(raw(v), json_type_array);
}

const struct ph_json *
ph_json_get(const struct ph_json *v, const char *name)
{
	struct json_object	*member;

	if (!ph_json_is_object(v) || !json_object_object_get_ex(raw(v), name, &member))
		return NULL;
	return cooked(member);
}

size_t
ph_json_count(const struct ph_json *v)
{
	return v == NULL ? 0 : ph_json_is_array(v) ? json_object_array_length(raw(v)) : 1;
}

const struct ph_json *
ph_json_at(const struct ph_json *v, size_t i)
{
	return ph_json_is_array(v) ? cooked(json_object_array_get_idx(raw(v), i)) : v;
}

const char *
ph_json_name(const struct ph_json *v, size_t i)
{
	struct json_object_iterator	 at, end;

	if (!ph_json_is_object(v))
		return NULL;
	at = json_object_iter_begin(raw(v));
	end = json_object_iter_end(raw(v));
	for (; !json_object_iter_equal(&at, &end); json_object_iter_next(&at))
		if (json_object_iter_peek_value(&at) != NULL && i-- == 0)
			return json_object_iter_peek_name(&at);
	return NULL;
}

struct ph_slice
ph_json_text(const struct ph_json *v)
{
	if (!json_object_is_type(raw(v), json_type_string))
		return (struct ph_slice){ NULL, 0 };
	return (struct ph_slice){ json_object_get_string(raw(v)),
	    (size_t)json_object_get_string_len(raw(v)) };
}

struct ph_slice
ph_json_id(const struct ph_json *v, char digits[PH_JSON_DIGITS])
{
	struct ph_slice	 text;
	int64_t		 i;
	uint64_t	 u;

	if (!json_object_is_type(raw(v), json_type_int)) {
		text = ph_json_text(v);
		return text.len > 0 ? text : (struct ph_slice){ NULL, 0 };
	}
	i = json_object_get_int64(raw(v));
	u = json_object_get_uint64(raw(v));
	if (i == INT64_MIN || u == UINT64_MAX)		/* json-c's clamps: the digits are lost */
		return (struct ph_slice){ NULL, 0 };
	if (i < 0)
		snprintf(digits, PH_JSON_DIGITS, "%" PRId64, i);
	else
		snprintf(digits, PH_JSON_DIGITS, "%" PRIu64, u);
	return (struct ph_slice){ digits, strlen(digits) };
}

struct ph_slice
ph_json_plain_id(struct ph_slice raw)
{
	size_t	 i;

	if (raw.len > 2 && raw.at[0] == '"' && memchr(raw.at, '\\', raw.len) == NULL)
		return (struct ph_slice){ raw.at + 1, raw.len - 2 };
	for (i = 0; i < raw.len && raw.at[i] >= '0' && raw.at[i] <= '9'; i++)
		continue;
	if (i > 0 && i == raw.len && i <= 18)
		return raw;
	return (struct ph_slice){ NULL, 0 };
}

enum ph_error
ph_json_read_id(struct ph_slice raw, struct ph_json **tree, char digits[PH_JSON_DIGITS],
    struct ph_slice *out)
{
	enum ph_error	 err = PH_OK;

	*tree = NULL;
	*out = ph_json_plain_id(raw);
	if (out->at == NULL && raw.at != NULL) {
		err = ph_json_parse(raw, tree, NULL);
		*out = ph_json_id(*tree, digits);
	}
	return err == PH_NOMEM ? PH_NOMEM : PH_OK;
}

bool
ph_json_integer(const struct ph_json *v, int64_t *out)
{
	if (!json_object_is_type(raw(v), json_type_int))
		return false;
	*out = json_object_get_int64(raw(v));
	return *out != INT64_MIN && *out != INT64_MAX;
}

bool
ph_json_number(const struct ph_json *v, double *out)
{
	if (!json_object_is_type(raw(v), json_type_int) &&
	    !json_object_is_type(raw(v), json_type_double))
		return false;
	*out = json_object_get_double(raw(v));
	return true;
}

bool
ph_json_flag(const struct ph_json *v)
{
	struct ph_slice	 text = ph_json_text(v);
	double		 number;

	if (text.at != NULL)
		return text.len > 0 && !ph_slice_is(text, "0") && !ph_slice_is(text, "false");
	if (ph_json_number(v, &number))
		return number != 0;
	if (json_object_is_type(raw(v), json_type_boolean))
		return json_object_get_boolean(raw(v));
	return v != NULL;
}
