/*
 * query -- one value out of a query string.
 * Knows hex.  Does not know which names matter.
 * Called by the front, on bytes nobody has proved.
 * Lives on the caller's stack.
 * SPDX-License-Identifier: ISC
 */
#include <string.h>

#include "hex.h"
#include "query.h"

static enum ph_error
decode(const char *from, const char *end, char *out, size_t size)
{
	size_t	 n = 0;

	for (; from < end; from++) {
		unsigned char	 c = (unsigned char)*from;

		if (n + 1 >= size)
			return PH_TOOBIG;
		if (c == '+')
			c = ' ';
		else if (c == '%') {
			if (end - from < 3 || !ph_hex_parse(from + 1, 2, &c, 1) || c == '\0')
				return PH_MALFORMED;
			from += 2;
		}
		out[n++] = (char)c;
	}
	out[n] = '\0';
	return PH_OK;
}

enum ph_error
ph_query_get(const char *query, const char *name, char *out, size_t size)
{
	const char	*at, *end, *value = NULL, *value_end = NULL;
	size_t		 name_len = strlen(name);

	for (at = query; *at != '\0'; at = *end != '\0' ? end + 1 : end) {
		end = at + strcspn(at, "&");
		if (strncmp(at, name, name_len) != 0 || (at[name_len] != '=' && at + name_len != end))
			continue;
		if (value != NULL)
			return PH_MALFORMED;	/* which of the two was meant? */
		value = at + name_len + (at[name_len] == '=');
		value_end = end;
	}
	if (value == NULL)
		return PH_NONE;
	return decode(value, value_end, out, size);
}

bool
ph_query_has(const char *query, const char *prefix)
{
	const char	*at;

	for (at = query; at != NULL && *at != '\0'; at = strchr(at, '&')) {
		if (*at == '&')
			at++;
		if (strncmp(at, prefix, strlen(prefix)) == 0)
			return true;
	}
	return false;
}
