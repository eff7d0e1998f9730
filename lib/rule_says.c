/*
 * rule_says -- reads the messages of an entry: texts, message objects, media.
 * Knows raw, scan, reading.  Does not know quick replies and buttons, nor what may stand beside what.
 * Called by entry, through its table of keys, in the order in which the messages stand.
 * Lives on entry's stack.
 * SPDX-License-Identifier: ISC
 */
#include <stdlib.h>

#include "raw.h"
#include "rule_says.h"

static bool
add_message(struct ph_reading *r, struct ph_slice raw, struct ph_rule_message m)
{
	struct ph_rule_message	*more;
	struct ph_rule		*rule = r->rule;
	const struct ph_rule	 alone = { .messages = &m, .n_messages = 1 };

	if (m.of == NULL)
		return false;
	ph_reading_check(r, raw.at, &alone);
	if ((more = ph_strict_grow(r->file, rule->messages, rule->n_messages,
	    sizeof(*more))) == NULL) {
		ph_template_free(m.of);
		return false;
	}
	rule->messages = more;
	more[rule->n_messages++] = m;
	if ((m.raw || m.media != NULL) && ph_template_field(m.of, 0) != NULL)
		rule->check_again = true;
	return true;
}

void
ph_rule_says_say(struct ph_reading *r, struct ph_slice value)
{
	struct ph_raw_items	 it = ph_raw_items(value);
	struct ph_slice		 item;

	while (ph_raw_next(&it, &item))
		if (add_message(r, item, (struct ph_rule_message){
		    .of = ph_reading_compile(r, item, PH_TEMPLATE_TEXT) }))
			r->last_say = r->rule->n_messages;
	ph_raw_count(r->file, &it, 0);
}

static bool
has_quick_replies(struct ph_slice object)
{
	struct ph_scan	 scan;
	struct ph_slice	 key;
	bool		 has = false;

	ph_scan_begin(&scan, object);
	if (ph_scan_enter(&scan, '{'))
		for (; ph_scan_member(&scan, &key); ph_scan_skip(&scan, NULL))
			has = has || ph_scan_key_is(key, "quick_replies");
	return has;
}

void
ph_rule_says_message(struct ph_reading *r, struct ph_slice value)
{
	struct ph_raw_items	 it = ph_raw_items(value);
	struct ph_slice		 item;

	while (ph_raw_next(&it, &item)) {
		if (item.at[0] != '{') {
			ph_strict_flaw(r->file, item.at,
			    "message: expected a message object or a list of them");
			continue;
		}
		r->own_quick = r->own_quick || has_quick_replies(item);
		add_message(r, item, (struct ph_rule_message){ .raw = true,
		    .of = ph_reading_compile(r, item, PH_TEMPLATE_JSON) });
	}
	ph_raw_count(r->file, &it, 0);
}

void
ph_rule_says_media(struct ph_reading *r, struct ph_slice value)
{
	size_t	 len;
	char	*text = ph_raw_text(r->file, value, "an address, \"https://...\"", &len);

	if (text == NULL)
		return;
	if (ph_raw_is_address(r->file, value, text))
		add_message(r, value, (struct ph_rule_message){ .media = r->file->key,
		    .of = ph_reading_compile(r, value, PH_TEMPLATE_URL) });
	free(text);
}
