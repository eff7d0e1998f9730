/*
 * key -- what makes two deliveries the same event.
 * Knows event, scan, signature's digest.  Does not know the store that remembers it.
 * Called by ledger.
 * Lives on the caller's stack.
 *
 * The language of a kind's parts, words between blanks:
 *	c, t, mid	the conversation, the time, the mid
 *	mid!		the same; if there is one it is the only part
 *	-		an empty part
 *	name		that member of what named the kind
 *	a/b/c		the first of these that is there
 *	@word		what no name can say: below
 * SPDX-License-Identifier: ISC
 */
#include <stdlib.h>
#include <string.h>

#include "key.h"
#include "scan.h"
#include "signature.h"

#define MAX_NAMES	512	/* sorted into a key; what a stranger adds beyond makes no difference */

static void
add_escaped(struct ph_buffer *out, struct ph_slice part)
{
	size_t	 i, from = 0;

	if (part.at == NULL)
		return;
	for (i = 0; i < part.len; i++) {
		unsigned char	 c = (unsigned char)part.at[i];

		if (c >= 0x20 && c != 0x7f && c != '%' && c != '|')
			continue;
		ph_buffer_add(out, part.at + from, i - from);
		ph_buffer_addf(out, "%%%02X", c);
		from = i + 1;
	}
	ph_buffer_add(out, part.at + from, i - from);
}

/* False: it is no id. */
static bool
add_value(struct ph_buffer *out, struct ph_slice raw)
{
	char		 digits[PH_JSON_DIGITS];
	struct ph_json	*tree;
	struct ph_slice	 id;
	bool		 is;

	if (ph_json_read_id(raw, &tree, digits, &id) != PH_OK)
		out->failed = true;
	is = id.at != NULL;
	add_escaped(out, id);
	ph_json_free(tree);
	return is;
}

static int
by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void
add_sorted(struct ph_buffer *out, const struct ph_json *v, bool all)
{
	const char	*names[MAX_NAMES], *name;
	size_t		 i, n = 0;

	for (i = 0; (name = ph_json_name(v, i)) != NULL && n < MAX_NAMES; i++)
		if (all || (strcmp(name, "sender") != 0 && strcmp(name, "recipient") != 0 &&
		    strcmp(name, "timestamp") != 0))
			names[n++] = name;
	if (n > 1)
		qsort(names, n, sizeof(names[0]), by_text);
	for (i = 0; i < n; i++) {
		if (i > 0)
			ph_buffer_adds(out, ",");
		add_escaped(out, (struct ph_slice){ names[i], strlen(names[i]) });
	}
}

/* The names of a value's members, sorted, joined by commas; the envelope's own left out if asked. */
static void
add_names(struct ph_buffer *out, struct ph_slice raw, bool all)
{
	struct ph_json	*v;

	if (raw.at == NULL)
		return;
	if (ph_json_parse(raw, &v, NULL) == PH_NOMEM)
		out->failed = true;
	add_sorted(out, v, all);
	ph_json_free(v);
}

static void
add_mids(struct ph_buffer *out, struct ph_slice mids)
{
	struct ph_slice	 mid;
	struct ph_scan	 scan;
	size_t		 n = 0;

	if (mids.at == NULL)
		return;
	ph_scan_begin(&scan, mids);
	if (!ph_scan_enter(&scan, '[')) {
		add_value(out, mids);
		return;
	}
	while (ph_scan_element(&scan)) {
		ph_scan_skip(&scan, &mid);
		if (n++ > 0)
			ph_buffer_adds(out, ",");
		add_value(out, mid);
	}
}

static void
add_special(struct ph_buffer *out, const struct ph_event *ev, struct ph_slice word)
{
	if (ph_slice_is(word, "@mids"))
		add_mids(out, ph_event_find(ev, "mids"));
	else if (ph_slice_is(word, "@names"))
		add_names(out, ev->named, true);
	else if (ph_slice_is(word, "@others"))
		add_names(out, ev->raw, false);
	else if (ph_slice_is(word, "@key"))
		ph_buffer_adds(out, ev->named_by);
	else if (ph_slice_is(word, "@from"))
		add_value(out, ph_scan_find(ph_event_find(ev, "from"), "id"));
}

/* A name, or alternatives: of what named the kind, or "field", which stands beside a change's value. */
static void
add_member(struct ph_buffer *out, const struct ph_event *ev, struct ph_slice word)
{
	char		 name[64];
	const char	*slash;
	size_t		 len;

	for (;;) {
		slash = memchr(word.at, '/', word.len);
		len = slash != NULL ? (size_t)(slash - word.at) : word.len;
		memcpy(name, word.at, len);
		name[len] = '\0';
		if (add_value(out, strcmp(name, "field") == 0 ? ph_scan_find(ev->raw, name) :
		    ph_event_find(ev, name)) ||
		    slash == NULL)
			return;
		word = (struct ph_slice){ slash + 1, word.len - len - 1 };
	}
}

static void
add_part(struct ph_buffer *out, const struct ph_event *ev, struct ph_slice word)
{
	if (ph_slice_is(word, "c"))
		add_escaped(out, ev->conversation);
	else if (ph_slice_is(word, "mid"))
		add_escaped(out, ev->mid);
	else if (ph_slice_is(word, "t")) {
		if (ev->time != 0)
			ph_buffer_add_number(out, ev->time);
	} else if (word.at[0] == '@')
		add_special(out, ev, word);
	else if (word.at[0] != '-')
		add_member(out, ev, word);
}

void
ph_key_format(const struct ph_event *ev, struct ph_buffer *out)
{
	const char	*at;
	struct ph_slice	 word;

	ph_buffer_adds(out, ev->channel == PH_STANDBY ? "standby:" : "");
	ph_buffer_adds(out, ev->kind->name);
	ph_buffer_adds(out, "|");
	add_escaped(out, ev->page);
	for (at = ev->kind->parts; *at != '\0'; at += word.len + (at[word.len] == ' ')) {
		word = (struct ph_slice){ at, strcspn(at, " ") };
		if (ph_slice_is(word, "mid!")) {
			if (ev->mid.at == NULL)
				continue;
			ph_buffer_adds(out, "|");
			add_escaped(out, ev->mid);
			return;
		}
		ph_buffer_adds(out, "|");
		add_part(out, ev, word);
	}
}

enum ph_error
ph_key_digest(struct ph_slice text, unsigned char out[PH_KEY_LEN], struct ph_fail *fail)
{
	struct ph_buffer	 all = PH_BUFFER_INIT;
	unsigned char		 sum[PH_DIGEST_LEN];
	enum ph_error		 err;

	if (ph_buffer_room(&all, sizeof(PH_KEY_RULE) + text.len) != NULL) {
		ph_buffer_adds(&all, PH_KEY_RULE "|");
		ph_buffer_add(&all, text.at, text.len);
	}
	if ((err = ph_buffer_check(&all, fail)) == PH_OK &&
	    (err = ph_signature_digest(PH_SLICE(&all), sum, fail)) == PH_OK)
		memcpy(out, sum, PH_KEY_LEN);
	ph_buffer_clear(&all);
	return err;
}
