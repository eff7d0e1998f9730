/*
 * fuzz_scan -- what the scan lets through, the parser must take, and see the same in it.
 * Knows scan, json.  Does not know what a webhook looks like.
 * Called by make fuzz.
 * Lives on its stack.
 * SPDX-License-Identifier: ISC
 */
#include <string.h>

#include "fuzz.h"
#include "scan.h"

/* Walks an array as intake does: as many elements as the parser finds. */
static void
check_array(struct ph_slice bytes, const struct ph_json *v)
{
	struct ph_scan	 scan;
	struct ph_slice	 element;
	struct ph_fail	 fail = PH_FAIL_INIT;
	size_t		 n = 0;

	ph_scan_begin(&scan, bytes);
	demand(ph_scan_enter(&scan, '['));
	for (; ph_scan_element(&scan); n++) {
		ph_scan_skip(&scan, &element);
		demand(ph_slice_is(element, "null") == (ph_json_at(v, n) == NULL));
	}
	demand(ph_scan_end(&scan, &fail) == PH_OK);
	demand(n == ph_json_count(v));
}

/* Walks an object: of the members by one name the last counts, for the parser too. */
static void
check_object(struct ph_slice bytes, const struct ph_json *v, const char *name)
{
	struct ph_scan	 scan;
	struct ph_slice	 key, value, last = { "null", 4 };
	struct ph_fail	 fail = PH_FAIL_INIT;

	ph_scan_begin(&scan, bytes);
	demand(ph_scan_enter(&scan, '{'));
	while (ph_scan_member(&scan, &key)) {
		ph_scan_skip(&scan, &value);
		if (ph_scan_key_is(key, name))
			last = value;
	}
	demand(ph_scan_end(&scan, &fail) == PH_OK);
	demand(ph_slice_is(last, "null") == (ph_json_get(v, name) == NULL));
	value = ph_scan_find(bytes, name);
	demand(value.at == (ph_slice_is(last, "null") ? NULL : last.at));
}

/* The shortcut to an id says what the parser would. */
static void
check_id(struct ph_slice bytes, const struct ph_json *v)
{
	char		 digits[PH_JSON_DIGITS], read_digits[PH_JSON_DIGITS];
	struct ph_slice	 id = ph_json_id(v, digits), read;
	struct ph_json	*tree;

	demand(ph_json_read_id(bytes, &tree, read_digits, &read) == PH_OK);
	demand((id.at == NULL) == (read.at == NULL) && id.len == read.len);
	demand(id.at == NULL || memcmp(id.at, read.at, id.len) == 0);
	ph_json_free(tree);
}

/* json-c would let control bytes pass: that there are none is the scan's word alone. */
static void
check_bytes(struct ph_slice value)
{
	size_t	 i;

	for (i = 0; i < value.len; i++)
		demand((unsigned char)value.at[i] >= 0x20 || memchr("\t\n\r", value.at[i], 3) != NULL);
}

static void
check_value(struct ph_slice value)
{
	struct ph_fail	 fail = PH_FAIL_INIT;
	struct ph_json	*v = NULL;

	check_bytes(value);
	if (ph_json_parse(value, &v, &fail) != PH_OK)
		fprintf(stderr, "fuzz_scan: %s\n", fail.text);
	demand(fail.err == PH_OK);
	check_id(value, v);
	if (ph_json_is_array(v))
		check_array(value, v);
	if (ph_json_is_object(v)) {
		check_object(value, v, "id");
		check_object(value, v, "messaging");
	}
	ph_json_free(v);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ph_slice	 bytes = { (const char *)data, size }, value;
	struct ph_fail	 fail = PH_FAIL_INIT;
	struct ph_scan	 scan;

	ph_scan_begin(&scan, bytes);
	ph_scan_skip(&scan, &value);
	demand(value.at >= bytes.at && value.at + value.len <= bytes.at + bytes.len);
	if (ph_scan_end(&scan, &fail) == PH_OK)
		check_value(value);
	else
		demand(fail.err == PH_MALFORMED || fail.err == PH_TOOBIG);
	return 0;
}
