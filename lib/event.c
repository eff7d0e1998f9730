/*
 * event -- one thing that happened: bytes in, an event out.
 * Knows json.  Does not know deliveries, the store or what is answered.
 * Called by intake, once for each element of messaging, standby and changes.
 * Lives on the caller's stack; what it points to lives until ph_event_clear.
 * SPDX-License-Identifier: ISC
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "event.h"

#define MESSAGE_PARTS	"mid! - c t text"

/* Kinds of a message: the first test that holds names it. */
static bool	is_echo(const struct ph_json *), is_deleted(const struct ph_json *),
		is_unsupported(const struct ph_json *), is_quick_reply(const struct ph_json *),
		is_text(const struct ph_json *), is_sticker(const struct ph_json *),
		is_attachment(const struct ph_json *), is_anything(const struct ph_json *);

static const struct {
	bool			(*holds)(const struct ph_json *message);
	struct ph_event_kind	 kind;
} messages[] = {
	{ is_echo,		{ "message.echo",		MESSAGE_PARTS, false } },
	{ is_deleted,		{ "message.deleted",		MESSAGE_PARTS, false } },
	{ is_unsupported,	{ "message.unsupported",	MESSAGE_PARTS, false } },
	{ is_quick_reply,	{ "message.quick_reply",	MESSAGE_PARTS, true } },
	{ is_text,		{ "message.text",		MESSAGE_PARTS, true } },
	{ is_sticker,		{ "message.sticker",		MESSAGE_PARTS, true } },
	{ is_attachment,	{ "message.attachment",		MESSAGE_PARTS, true } },
	{ is_anything,		{ "message.unsupported",	MESSAGE_PARTS, false } },
};

/* Kinds by the key that bears them: the first of these whose value is an object decides. */
static const struct {
	const char		*key;
	struct ph_event_kind	 kind;
} keys[] = {
	{ "message",		{ NULL, NULL, false } },	/* the table above */
	{ "postback",		{ "postback",		"mid! - c t payload", true } },
	{ "message_edit",	{ "message.edit",	"mid num_edit", false } },
	{ "reaction",		{ "reaction",		"mid c action reaction/emoji t", false } },
	{ "optin",		{ "optin",		"c t notification_messages_token/"
				    "one_time_notif_token/user_ref/ref", true } },
	{ "optout",		{ "optout",		"c t", false } },
	{ "account_linking",	{ "account_linking",	"c t status", true } },
	{ "referral",		{ "referral",		"c t ref", true } },
	{ "order",		{ "order",		"c t", false } },
	{ "delivery",		{ "delivery",		"c watermark @mids", false } },
	{ "read",		{ "read",		"mid! - c watermark", false } },
	{ "pass_thread_control", { "handover.pass",	"c t previous_owner_app_id new_owner_app_id",
				    false } },
	{ "take_thread_control", { "handover.take",	"c t previous_owner_app_id new_owner_app_id",
				    false } },
	{ "request_thread_control", { "handover.request", "c t requested_owner_app_id", false } },
	{ "app_roles",		{ "handover.app_roles",	"t @names", false } },
	{ "policy-enforcement",	{ "policy_enforcement",	"t action", false } },
	{ "policy_enforcement",	{ "policy_enforcement",	"t action", false } },
	{ "messaging_feedback",	{ "feedback",		"c t", false } },
	{ "response_feedback",	{ "response_feedback",	"mid c feedback t", false } },
	{ "messaging_in_thread_lead_form_submit", { "lead_form", "c t", false } },
	{ "messaging_customer_information", { "customer_information", "c t", false } },
	{ "message_request",	{ "message_request",	"c t", false } },
	{ "payment",		{ "payment",		"c t @key", false } },
	{ "checkout_update",	{ "payment",		"c t @key", false } },
	{ "pre_checkout",	{ "payment",		"c t @key", false } },
	{ "game_play",		{ "game_play",		"c t", false } },
	{ "branded_camera",	{ "branded_camera",	"c t", false } },
};

static const struct ph_event_kind	 change = { "change", "field item verb "
    "comment_id/leadgen_id/post_id/photo_id/video_id/id @from created_time t", false };
static const struct ph_event_kind	 test = { "test", "field t", false };
static const struct ph_event_kind	 empty = { "empty", "c t", false };
static const struct ph_event_kind	 unknown = { "unknown", "c t @others", false };

static bool
is_echo(const struct ph_json *m)
{
	return ph_json_flag(ph_json_get(m, "is_echo"));
}

static bool
is_deleted(const struct ph_json *m)
{
	return ph_json_flag(ph_json_get(m, "is_deleted"));
}

static bool
is_unsupported(const struct ph_json *m)
{
	return ph_json_flag(ph_json_get(m, "is_unsupported"));
}

static bool
is_quick_reply(const struct ph_json *m)
{
	return ph_json_is_object(ph_json_get(m, "quick_reply"));
}

static bool
is_text(const struct ph_json *m)
{
	struct ph_slice	 text = ph_json_text(ph_json_get(m, "text"));
	size_t		 i;

	for (i = 0; i < text.len; i++)
		if ((unsigned char)text.at[i] > ' ')
			return true;
	return false;
}

static bool
is_sticker(const struct ph_json *m)
{
	const struct ph_json	*list = ph_json_get(m, "attachments"), *one;
	size_t			 i;

	for (i = 0; i < ph_json_count(list); i++) {
		one = ph_json_at(list, i);
		if (ph_slice_is(ph_json_text(ph_json_get(one, "type")), "sticker") ||
		    ph_json_get(ph_json_get(one, "payload"), "sticker_id") != NULL)
			return true;
	}
	return ph_json_get(m, "sticker_id") != NULL;
}

static bool
is_attachment(const struct ph_json *m)
{
	return ph_json_count(ph_json_get(m, "attachments")) > 0;
}

static bool
is_anything(const struct ph_json *m)
{
	return m != NULL;
}

/* Times. */

static int64_t
normal(double t)
{
	if (!(t > 0) || t >= 1e15)
		return 0;
	return t < 1e12 ? (int64_t)(t * 1000) : (int64_t)t;
}

/* 2026-01-01T00:00:00, perhaps with a fraction; then Z, +0000 or +00:00. */
static int64_t
iso_time(const char *text)
{
	struct tm	 tm = { 0 };
	char		 sign;
	char		 fraction[4] = "000";
	int		 n = 0, hours = 0, minutes = 0;
	int64_t		 offset = 0;

	if (sscanf(text, "%4d-%2d-%2dT%2d:%2d:%2d%n", &tm.tm_year, &tm.tm_mon, &tm.tm_mday, &tm.tm_hour,
	    &tm.tm_min, &tm.tm_sec, &n) != 6)
		return 0;
	tm.tm_year -= 1900;
	tm.tm_mon--;
	text += n;
	if (*text == '.') {
		for (n = 0, text++; *text >= '0' && *text <= '9'; text++)
			if (n < 3)
				fraction[n++] = *text;
	}
	if (sscanf(text, "%c%2d:%2d", &sign, &hours, &minutes) == 3 ||
	    sscanf(text, "%c%2d%2d", &sign, &hours, &minutes) == 3) {
		if (sign != '+' && sign != '-')
			return 0;
		offset = (sign == '-' ? -1 : 1) * (hours * INT64_C(3600) + minutes * 60);
	} else if (strcmp(text, "Z") != 0)
		return 0;
	offset = normal((double)(timegm(&tm) - offset));
	return offset == 0 ? 0 : offset + strtol(fraction, NULL, 10);
}

int64_t
ph_event_time(const struct ph_json *v)
{
	struct ph_slice	 text = ph_json_text(v);
	double		 t;

	if (ph_json_number(v, &t))
		return normal(t);
	if (text.len == 0 || text.len > 40 || strlen(text.at) != text.len)
		return 0;
	if (strspn(text.at, "0123456789.") == text.len)
		return normal(strtod(text.at, NULL));
	return iso_time(text.at);
}

/* The parts of an event, in the order they are found. */

static const struct ph_event_kind *
kind_of_message(const struct ph_json *message)
{
	size_t	 i = 0;

	while (!messages[i].holds(message))
		i++;
	return &messages[i].kind;
}

static bool
has_only_envelope(const struct ph_json *whole)
{
	const char	*name;
	size_t		 i;

	for (i = 0; (name = ph_json_name(whole, i)) != NULL; i++)
		if (strcmp(name, "sender") != 0 && strcmp(name, "recipient") != 0 &&
		    strcmp(name, "timestamp") != 0)
			return false;
	return true;
}

static const struct ph_event_kind *
choose_kind(struct ph_event *ev)
{
	const struct ph_json	*v;
	size_t			 i;

	if (ph_slice_is(ev->page, "0"))		/* the dashboard's Test button has no page */
		return &test;
	if (ev->channel == PH_CHANGES) {
		ev->object = ph_json_get(ev->whole, "value");
		return &change;
	}
	for (i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		v = ph_json_get(ev->whole, keys[i].key);
		if (v == NULL || (!ph_json_is_object(v) && strcmp(keys[i].key, "message_request") != 0) ||
		    ph_json_is_array(v))
			continue;
		ev->object = v;
		ev->named_by = keys[i].key;
		return keys[i].kind.name != NULL ? &keys[i].kind : kind_of_message(v);
	}
	return ev->whole != NULL && has_only_envelope(ev->whole) ? &empty : &unknown;
}

static bool
is_kind(const struct ph_event *ev, const char *name)
{
	return strcmp(ev->kind->name, name) == 0;
}

static void
find_person(struct ph_event *ev, const struct ph_json *who)
{
	ev->conversation = ph_json_id(ph_json_get(who, "id"), ev->person_digits);
	if (ev->conversation.at != NULL)
		return;
	ev->conversation = ph_json_id(ph_json_get(who, "user_ref"), ev->person_digits);
	ev->by_user_ref = ev->conversation.at != NULL;
}

/* An echo's conversation is with the recipient: the page is the one that spoke. */
static void
find_people(struct ph_event *ev)
{
	const struct ph_json	*sender = ph_json_get(ev->whole, "sender");
	const struct ph_json	*recipient = ph_json_get(ev->whole, "recipient");
	bool			 echo = is_kind(ev, "message.echo");

	if (ev->channel == PH_CHANGES)
		return;
	if (ev->page.at == NULL)
		ev->page = ph_json_id(ph_json_get(echo ? sender : recipient, "id"), ev->page_digits);
	find_person(ev, echo ? recipient : sender);
	if (ev->conversation.at != NULL || echo)
		return;
	ev->conversation = ph_json_id(ph_json_get(ph_json_get(ev->whole, "optin"), "user_ref"),
	    ev->person_digits);
	ev->by_user_ref = ev->conversation.at != NULL;
}

static bool
is_marketing(const struct ph_event *ev)
{
	return is_kind(ev, "optin") &&
	    (ph_slice_is(ph_json_text(ph_json_get(ev->object, "type")), "notification_messages") ||
	    ph_json_get(ev->object, "notification_messages_token") != NULL);
}

static void
find_fields(struct ph_event *ev)
{
	if (ev->channel != PH_CHANGES)
		ev->time = ph_event_time(ph_json_get(ev->whole, "timestamp"));
	if (!is_kind(ev, "test") && !is_kind(ev, "change"))
		ev->mid = ph_json_id(ph_json_get(ev->object, "mid"), ev->mid_digits);
	if (ev->channel == PH_CHANGES)
		ev->field = ph_json_text(ph_json_get(ev->whole, "field"));
	ev->text = ph_json_text(ph_json_get(ev->object, "text"));
	ev->metadata = ph_json_text(ph_json_get(ev->object, "metadata"));
	ev->payload = ph_json_text(ph_json_get(is_kind(ev, "message.quick_reply") ?
	    ph_json_get(ev->object, "quick_reply") : ev->object, "payload"));
	if (ev->page.len > PH_EVENT_MAX_ID || ev->conversation.len > PH_EVENT_MAX_ID ||
	    ev->mid.len > PH_EVENT_MAX_ID)
		ev->why = "an id of more than 512 bytes";
	else if (ev->text.len > PH_EVENT_MAX_TEXT || ev->payload.len > PH_EVENT_MAX_TEXT)
		ev->why = "a text of more than 65,536 bytes";
	ev->answerable = ev->kind->answerable && ev->channel == PH_MESSAGING &&
	    ev->conversation.at != NULL && !is_marketing(ev) && ev->why == NULL;
}

/* A raw value, or NULL when absent or not to be understood: then it is as if it were not there. */
static enum ph_error
parse_part(struct ph_slice raw, struct ph_json **out, struct ph_fail *fail)
{
	struct ph_fail	 odd = PH_FAIL_INIT;

	*out = NULL;
	if (raw.at == NULL || ph_json_parse(raw, out, &odd) != PH_NOMEM)
		return PH_OK;
	return ph_error_set(fail, PH_NOMEM, "%s", odd.text);
}

/* The entry's time: when the event has none of its own. */
static enum ph_error
find_entry_time(struct ph_slice raw, int64_t *time, struct ph_fail *fail)
{
	struct ph_json	*v;

	if (parse_part(raw, &v, fail) != PH_OK)
		return PH_NOMEM;
	*time = ph_event_time(v);
	ph_json_free(v);
	return PH_OK;
}

enum ph_error
ph_event_read(const struct ph_event_source *source, struct ph_event *ev, struct ph_fail *fail)
{
	*ev = (struct ph_event){ .channel = source->channel, .raw = source->event };
	ev->page = ph_json_plain_id(source->entry_id);
	if (parse_part(source->event, &ev->tree, fail) != PH_OK || (ev->page.at == NULL &&
	    parse_part(source->entry_id, &ev->entry_id, fail) != PH_OK)) {
		ph_event_clear(ev);
		return PH_NOMEM;
	}
	ev->whole = ph_json_is_object(ev->tree) ? ev->tree : NULL;
	if (ev->page.at == NULL)
		ev->page = ph_json_id(ev->entry_id, ev->page_digits);
	ev->kind = choose_kind(ev);
	find_people(ev);
	find_fields(ev);
	if (ev->time == 0 && find_entry_time(source->entry_time, &ev->time, fail) != PH_OK) {
		ph_event_clear(ev);
		return PH_NOMEM;
	}
	if (ev->page.at == NULL)
		ev->page = (struct ph_slice){ "", 0 };
	return PH_OK;
}

void
ph_event_clear(struct ph_event *ev)
{
	ph_json_free(ev->tree);
	ph_json_free(ev->entry_id);
	*ev = (struct ph_event){ .time = 0 };
}
