/*
 * rule_offers -- reads what an entry offers to tap: quick replies and buttons, in Meta's words.
 * Knows raw, reading.  Does not know the messages that they stand beside.
 * Called by entry, through its table of keys.
 * Lives on entry's stack.
 * SPDX-License-Identifier: ISC
 */
#include <stdlib.h>
#include <string.h>

#include "raw.h"
#include "rule_offers.h"

#define COUNT_OF(array)	(sizeof(array) / sizeof((array)[0]))
#define MAX_QUICK	13
#define MAX_BUTTONS	3

static void
add_member(struct ph_buffer *json, const char *name, const struct ph_raw_member *m)
{
	if (m->at == NULL)
		return;
	ph_buffer_addf(json, ",\"%s\":", name);
	ph_buffer_add(json, m->value.at, m->value.len);
}

/* What stands in JSON is escaped for JSON: in an address only digits are sure to stay one word. */
static bool
has_plain_fields(struct ph_reading *r, const char *at, const struct ph_template *t)
{
	const char	*name;
	size_t		 i;

	for (i = 0; (name = ph_template_field(t, i)) != NULL; i++)
		if (strcmp(name, "psid") != 0 && strcmp(name, "page") != 0) {
			ph_strict_flaw(r->file, at,
			    "%s: no field but {psid} and {page} can stand in this address",
			    r->file->key);
			return false;
		}
	return true;
}

/* Each value alone, so that what is wrong with it is told where it stands. */
static bool
check_string(struct ph_reading *r, const struct ph_raw_member *m, bool may_be_empty)
{
	struct ph_template	*t = NULL;
	size_t			 len;
	char			*text = ph_raw_text(r->file, m->value, "a text", &len);
	bool			 ok, url = strstr(m->name, "url") != NULL;

	if (text == NULL)
		return false;
	if (ph_raw_is_blank(text) && !may_be_empty)
		ph_strict_flaw(r->file, m->value.at, "%s: empty %s", r->file->key, m->name);
	else if (!url || ph_raw_is_address(r->file, m->value, text))
		t = ph_reading_compile(r, m->value, PH_TEMPLATE_JSON);
	free(text);
	ok = t != NULL && (!url || has_plain_fields(r, m->value.at, t));
	ph_template_free(t);
	return ok;
}

/* Title, payload and address. */
static bool
check_strings(struct ph_reading *r, const struct ph_raw_member m[3], bool may_lack_title)
{
	bool	 ok = true;
	size_t	 i;

	for (i = 0; i < 3; i++)
		if (m[i].at != NULL)
			ok = check_string(r, &m[i], i == 0 && may_lack_title) && ok;
	return ok;
}

static bool
add_quick(struct ph_reading *r, struct ph_slice item, struct ph_buffer *json)
{
	struct ph_raw_member	 m[] = { { .name = "title" }, { .name = "payload" },
	    { .name = "image_url" } };
	size_t			 errors = r->file->flaws->n_errors;

	if (ph_slice_is(item, "\"user_phone_number\"") || ph_slice_is(item, "\"user_email\"")) {
		ph_buffer_adds(json, "{\"content_type\":");
		ph_buffer_add(json, item.at, item.len);
		ph_buffer_adds(json, "}");
		return true;
	}
	if (ph_raw_is_string(item)) {
		ph_strict_flaw(r->file, item.at, "quick: expected \"user_phone_number\", "
		    "\"user_email\" or a title and a payload in {}");
		return false;
	}
	ph_raw_members(r->file, item, "a quick reply", m, COUNT_OF(m), NULL);
	if (r->file->flaws->n_errors > errors)
		return false;
	if (m[0].at == NULL || m[1].at == NULL) {
		ph_strict_flaw(r->file, item.at, "quick: %s is missing", m[m[0].at != NULL].name);
		return false;
	}
	ph_buffer_adds(json, "{\"content_type\":\"text\"");
	add_member(json, "title", &m[0]);
	add_member(json, "payload", &m[1]);
	add_member(json, "image_url", &m[2]);
	ph_buffer_adds(json, "}");
	return check_strings(r, m, m[2].at != NULL);	/* a picture stands for a title */
}

static bool
add_button(struct ph_reading *r, struct ph_slice item, struct ph_buffer *json)
{
	struct ph_raw_member	 m[] = { { .name = "title" }, { .name = "payload" },
	    { .name = "url" } };
	size_t			 errors = r->file->flaws->n_errors;

	ph_raw_members(r->file, item, "a button", m, COUNT_OF(m), NULL);
	if (r->file->flaws->n_errors > errors)
		return false;
	if (m[0].at == NULL) {
		ph_strict_flaw(r->file, item.at, "buttons: title is missing");
		return false;
	}
	if ((m[1].at == NULL) == (m[2].at == NULL)) {
		ph_strict_flaw(r->file, item.at, "buttons: expected either a payload or a url");
		return false;
	}
	ph_buffer_addf(json, "{\"type\":\"%s\"", m[1].at != NULL ? "postback" : "web_url");
	add_member(json, "title", &m[0]);
	add_member(json, "payload", &m[1]);
	add_member(json, "url", &m[2]);
	ph_buffer_adds(json, "}");
	return check_strings(r, m, false);
}

/* The whole list as one template; NULL: something in it was noted. */
static struct ph_template *
read_list(struct ph_reading *r, struct ph_slice value, size_t max,
    bool (*add)(struct ph_reading *, struct ph_slice, struct ph_buffer *))
{
	struct ph_buffer	 json = PH_BUFFER_INIT;
	struct ph_template	*t = NULL;
	struct ph_fail		 fail = PH_FAIL_INIT;
	struct ph_raw_items	 it = ph_raw_items(value);
	struct ph_slice		 item;
	size_t			 at;
	bool			 ok = it.list;

	if (!ok)
		ph_strict_flaw(r->file, value.at, "%s: expected a list in []", r->file->key);
	while (it.list && ph_raw_next(&it, &item)) {
		ph_buffer_adds(&json, it.n == 1 ? "[" : ",");
		ok = add(r, item, &json) && ok;
	}
	ph_buffer_adds(&json, "]");
	if (it.list)
		ph_raw_count(r->file, &it, max);
	if (json.failed)
		r->file->no_memory = true;
	else if (ok && it.n > 0 && it.n <= max &&
	    ph_template_new(PH_SLICE(&json), PH_TEMPLATE_JSON, ph_reading_knows, r, &t, &at,
	    &fail) != PH_OK)
		ph_strict_blame(r->file, value.at, &fail);
	ph_buffer_clear(&json);
	if (t != NULL && ph_template_field(t, 0) != NULL)
		r->rule->check_again = true;
	return t;
}

/* Whatever it will stand beside, its own limits are checked beside a text of one letter. */
static void
check_list(struct ph_reading *r, struct ph_slice value, struct ph_template *quick,
    struct ph_template *buttons)
{
	struct ph_rule_message	 m = { .of = NULL };
	struct ph_rule		 sample = { .messages = &m, .n_messages = 1, .quick = quick,
	    .buttons = buttons };
	struct ph_fail		 fail = PH_FAIL_INIT;
	size_t			 at;

	if (quick == NULL && buttons == NULL)
		return;
	if (ph_template_new((struct ph_slice){ "x", 1 }, PH_TEMPLATE_TEXT, ph_reading_knows, r, &m.of,
	    &at, &fail) != PH_OK)
		ph_strict_blame(r->file, value.at, &fail);
	else
		ph_reading_check(r, value.at, &sample);
	ph_template_free(m.of);
}

void
ph_rule_offers_quick(struct ph_reading *r, struct ph_slice value)
{
	r->rule->quick = read_list(r, value, MAX_QUICK, add_quick);
	check_list(r, value, r->rule->quick, NULL);
}

void
ph_rule_offers_buttons(struct ph_reading *r, struct ph_slice value)
{
	r->rule->buttons = read_list(r, value, MAX_BUTTONS, add_button);
	check_list(r, value, NULL, r->rule->buttons);
}
