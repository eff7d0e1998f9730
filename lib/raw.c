/*
 * raw -- one value of a file that a person wrote: its members, its items, its text.
 * Knows json, scan, strict.  Does not know what the values mean.
 * Called by replies (the file), entry (an entry) and what reads its keys.
 * Lives as long as the copy that strict has of the file: a raw value is a slice of it.
 * SPDX-License-Identifier: ISC
 */
#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "raw.h"

static void
flaw_unknown_key(struct ph_strict *f, struct ph_slice key, const struct ph_raw_member *members,
    size_t n)
{
	struct ph_guess	 g = PH_GUESS_INIT(key);
	size_t		 i;

	for (i = 0; i < n; i++)
		ph_guess_try(&g, members[i].name);
	ph_strict_unknown(f, key.at - 1, "unknown key", &g);
}

size_t
ph_raw_members(struct ph_strict *f, struct ph_slice object, const char *what,
    struct ph_raw_member *members, size_t n, size_t *order)
{
	struct ph_scan	 scan;
	struct ph_slice	 key, value;
	size_t		 i, found = 0;

	ph_scan_begin(&scan, object);
	if (!ph_scan_enter(&scan, '{')) {
		ph_strict_flaw(f, object.at, "expected %s in {}", what);
		return 0;
	}
	while (ph_scan_member(&scan, &key)) {
		ph_scan_skip(&scan, &value);
		for (i = 0; i < n && !ph_scan_key_is(key, members[i].name); i++)
			continue;
		if (i == n)
			flaw_unknown_key(f, key, members, n);
		else if (members[i].at != NULL)
			ph_strict_flaw(f, key.at - 1, "'%s' is repeated", members[i].name);
		else {
			members[i].at = key.at - 1;
			members[i].value = value;
			if (order != NULL)
				order[found] = i;
			found++;
		}
	}
	return found;
}

struct ph_raw_items
ph_raw_items(struct ph_slice value)
{
	struct ph_raw_items	 it = { .one = value };

	ph_scan_begin(&it.scan, value);
	it.list = ph_scan_enter(&it.scan, '[');
	return it;
}

bool
ph_raw_next(struct ph_raw_items *it, struct ph_slice *item)
{
	if (it->list && ph_scan_element(&it->scan))
		ph_scan_skip(&it->scan, item);
	else if (!it->list && it->n == 0)
		*item = it->one;
	else
		return false;
	it->n++;
	return true;
}

void
ph_raw_count(struct ph_strict *f, const struct ph_raw_items *it, size_t max)
{
	if (it->n == 0)
		ph_strict_flaw(f, it->one.at, "%s: the list is empty", f->key);
	else if (max != 0 && it->n > max)
		ph_strict_flaw(f, it->one.at, "%s: %zu, at most %zu", f->key, it->n, max);
}

bool
ph_raw_is_string(struct ph_slice raw)
{
	return raw.len > 0 && raw.at[0] == '"';
}

bool
ph_raw_is_blank(const char *text)
{
	return text[strspn(text, " \t\r\n")] == '\0';
}

bool
ph_raw_is_true(struct ph_strict *f, struct ph_slice value)
{
	if (ph_slice_is(value, "true"))
		return true;
	ph_strict_flaw(f, value.at, "%s: only true can stand here", f->key);
	return false;
}

char *
ph_raw_text(struct ph_strict *f, struct ph_slice raw, const char *expected, size_t *len)
{
	struct ph_json	*v = NULL;
	struct ph_slice	 text;
	char		*copy = NULL;

	if (!ph_raw_is_string(raw)) {
		ph_strict_flaw(f, raw.at, "%s: expected %s", f->key, expected);
		return NULL;
	}
	if (ph_json_parse(raw, &v, NULL) != PH_OK) {
		ph_strict_flaw(f, raw.at, "%s: not a text", f->key);
		return NULL;
	}
	text = ph_json_text(v);
	if (memchr(text.at, '\0', text.len) != NULL)
		ph_strict_flaw(f, raw.at, "%s: a text cannot have a NUL in it", f->key);
	else if ((copy = calloc(text.len + 1, 1)) == NULL)
		f->no_memory = true;
	else {
		memcpy(copy, text.at, text.len);
		*len = text.len;
	}
	ph_json_free(v);
	return copy;
}

bool
ph_raw_is_address(struct ph_strict *f, struct ph_slice raw, const char *text)
{
	if (strncmp(text, "https://", 8) == 0 || strncmp(text, "http://", 7) == 0)
		return true;
	ph_strict_flaw(f, raw.at, "%s: expected an address that begins with https://", f->key);
	return false;
}

static unsigned
hex_value(const char *digits)
{
	char	 four[5] = { digits[0], digits[1], digits[2], digits[3], '\0' };

	return (unsigned)strtoul(four, NULL, 16);
}

/* The length of the raw character at p, and in *bytes what it is when its escape is gone. */
static size_t
raw_len(const char *p, const char *end, size_t *bytes)
{
	unsigned	 c;

	*bytes = 1;
	if (*p != '\\')
		return 1;
	if (p[1] != 'u')
		return 2;
	c = hex_value(p + 2);
	*bytes = c < 0x80 ? 1 : c < 0x800 ? 2 : 3;
	if (c >= 0xd800 && c < 0xdc00 && end - p >= 12 && p[6] == '\\' && p[7] == 'u' &&
	    (hex_value(p + 8) & 0xfc00) == 0xdc00) {
		*bytes = 4;
		return 12;
	}
	return 6;
}

const char *
ph_raw_at(struct ph_slice raw, size_t byte)
{
	const char	*p = raw.at + 1, *end = raw.at + raw.len - 1;
	size_t		 bytes, len;

	while (p < end) {
		len = raw_len(p, end, &bytes);
		if (bytes > byte)
			break;
		byte -= bytes;
		p += len;
	}
	return p;
}
