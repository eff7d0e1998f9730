/*
 * event -- one thing that happened: bytes in, an event out.
 * Knows json, scan.  Does not know deliveries, the store or what is answered.
 * Called by intake, once for each element of messaging, standby and changes.
 * Lives on the caller's stack; what it points to lives until ph_event_clear.
 * SPDX-License-Identifier: ISC
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "event.h"
#include "scan.h"

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

/*
 * The members of an event that are asked about: first its envelope, then the keys that bear a kind:
 * the first of these whose value is an object decides.
 */
static const struct {
	const char		*key;
	struct ph_event_kind	 kind;
} members[] = {
	{ "sender",		{ NULL, NULL, false } },
	{ "recipient",		{ NULL, NULL, false } },
	{ "timestamp",		{ NULL, NULL, false } },
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
#define N_MEMBERS	(sizeof(members) / sizeof(members[0]))

enum { SENDER, RECIPIENT, TIMESTAMP, N_ENVELOPE };

static const struct ph_event_kind	 change = { "change", "field item verb "
    "comment_id/leadgen_id/post_id/photo_id/video_id/id @from created_time t", false };
static const struct ph_event_kind	 test = { "test", "field t", false };
static const struct ph_event_kind	 empty = { "empty", "c t", false };
static const struct ph_event_kind	 unknown = { "unknown", "c t @others", false };

struct reading {			/* one ph_event_read */
	struct ph_event	*ev;
	struct ph_slice	 raw[N_MEMBERS];	/* as it stands; absent: it is not there, or null */
	bool		 no_memory;		/* asked about once, when all is read */
};

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
	(void)m;
	return true;
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

/*
 * The parts of an event, in the order they are found.  Its members are told apart by a scan, and what
 * is plain is taken as it stands: the parser gets the one member that matters, and the whole event
 * only when that is not enough.
 */

/* NULL: null, or not to be understood; then it is as if it were not there. */
static struct ph_json *
parse(struct reading *r, struct ph_slice raw)
{
	struct ph_json	*v;

	if (ph_json_parse(raw, &v, NULL) == PH_NOMEM)
		r->no_memory = true;
	return v;
}

/* A null is as if it were not there. */
static struct ph_slice
present(struct ph_slice value)
{
	return ph_slice_is(value, "null") ? (struct ph_slice){ NULL, 0 } : value;
}

/* The place of that member, or N_MEMBERS: nobody asks about it. */
static size_t
find_member(struct ph_slice key)
{
	size_t	 i = 0;

	while (i < N_MEMBERS && !ph_scan_key_is(key, members[i].key))
		i++;
	return i;
}

/* Of a repeated member the last counts, as in the parser. */
static void
scan_members(struct reading *r)
{
	struct ph_slice	 key, value;
	struct ph_scan	 scan;
	size_t		 i;

	ph_scan_begin(&scan, r->ev->raw);
	if (!ph_scan_enter(&scan, '{'))
		return;
	while (ph_scan_member(&scan, &key)) {
		ph_scan_skip(&scan, &value);
		if ((i = find_member(key)) < N_MEMBERS)
			r->raw[i] = present(value);
	}
	if (ph_scan_end(&scan, NULL) != PH_OK)	/* not an event that a body's scan has passed */
		memset(r->raw, 0, sizeof(r->raw));
}

static void
parse_whole(struct reading *r)
{
	r->ev->tree = parse(r, r->ev->raw);
	if (ph_json_is_object(r->ev->tree))
		r->ev->whole = r->ev->tree;
}

static bool
bears_kind(const struct reading *r, size_t i)
{
	const struct ph_slice	 raw = r->raw[i];

	return raw.at != NULL && (raw.at[0] == '{' ||
	    (raw.at[0] != '[' && strcmp(members[i].key, "message_request") == 0));
}

/* A referral beside what it led to is asked about, too. */
static bool
is_referred(const struct reading *r, size_t named)
{
	size_t	 i;

	for (i = named + 1; i < N_MEMBERS; i++)
		if (r->raw[i].at != NULL && strcmp(members[i].key, "referral") == 0)
			return true;
	return false;
}

/* Most of what Meta sends: ids and numbers, which need no parser, unless it is beyond a limit. */
static bool
is_wordless(const struct reading *r, size_t named)
{
	static const char *const	 keys[] = { "delivery", "read", "reaction" };
	size_t				 i;

	for (i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (strcmp(members[named].key, keys[i]) == 0)
			return r->raw[named].len <= PH_EVENT_MAX_TEXT;
	return false;
}

/* One walk for all that is asked about: the mid, and what makes the key. */
static void
set_named(struct ph_event *ev, struct ph_slice named)
{
	struct ph_event_member	 one;
	struct ph_scan		 scan;

	ev->named = named;
	if (named.at == NULL)
		return;
	ph_scan_begin(&scan, named);
	if (!ph_scan_enter(&scan, '{'))
		return;
	for (; ph_scan_member(&scan, &one.key); ev->n_members++) {
		ph_scan_skip(&scan, &one.value);
		if (ev->n_members < PH_EVENT_MAX_MEMBERS)
			ev->members[ev->n_members] = one;
	}
}

struct ph_slice
ph_event_find(const struct ph_event *ev, const char *name)
{
	size_t	 i = ev->n_members;

	if (i > PH_EVENT_MAX_MEMBERS)
		return ph_scan_find(ev->named, name);
	while (i-- > 0)
		if (ph_scan_key_is(ev->members[i].key, name))
			return present(ev->members[i].value);
	return (struct ph_slice){ NULL, 0 };
}

/* What bore the kind; and the whole event, if more is asked about. */
static void
parse_named(struct reading *r, size_t named)
{
	struct ph_event	*ev = r->ev;

	ev->named_by = members[named].key;
	set_named(ev, r->raw[named]);
	if (is_referred(r, named)) {
		parse_whole(r);
		ev->object = ph_json_get(ev->whole, ev->named_by);
	} else if (!is_wordless(r, named))
		ev->object = ev->tree = parse(r, ev->named);
}

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
choose_kind(struct reading *r)
{
	struct ph_event	*ev = r->ev;
	size_t		 i = N_ENVELOPE;

	if (ph_slice_is(ev->page, "0") || ev->channel == PH_CHANGES)
		parse_whole(r);
	if (ph_slice_is(ev->page, "0"))		/* the dashboard's Test button has no page */
		return &test;
	if (ev->channel == PH_CHANGES) {
		set_named(ev, ph_scan_find(ev->raw, "value"));
		ev->object = ph_json_get(ev->whole, "value");
		return &change;
	}
	while (i < N_MEMBERS && !bears_kind(r, i))
		i++;
	if (i < N_MEMBERS) {
		parse_named(r, i);
		return members[i].kind.name != NULL ? &members[i].kind : kind_of_message(ev->object);
	}
	parse_whole(r);
	return ev->whole != NULL && has_only_envelope(ev->whole) ? &empty : &unknown;
}

static bool
is_kind(const struct ph_event *ev, const char *name)
{
	return strcmp(ev->kind->name, name) == 0;
}

/* *tree: what it is borrowed from; what lay there belonged to another try, which gave no id. */
static struct ph_slice
read_id(struct reading *r, struct ph_slice raw, struct ph_json **tree, char digits[PH_JSON_DIGITS])
{
	struct ph_slice	 id;

	ph_json_free(*tree);
	if (ph_json_read_id(raw, tree, digits, &id) != PH_OK)
		r->no_memory = true;
	return id;
}

static void
find_person(struct reading *r, struct ph_slice who)
{
	struct ph_event	*ev = r->ev;

	ev->conversation = read_id(r, ph_scan_find(who, "id"), &ev->person_id, ev->person_digits);
	if (ev->conversation.at != NULL)
		return;
	ev->conversation = read_id(r, ph_scan_find(who, "user_ref"), &ev->person_id, ev->person_digits);
	ev->by_user_ref = ev->conversation.at != NULL;
}

/* An opt-in of a plugin knows its person by user_ref alone. */
static void
find_opted_in(struct reading *r)
{
	struct ph_event	*ev = r->ev;
	size_t		 i = N_ENVELOPE;

	while (strcmp(members[i].key, "optin") != 0)
		i++;
	ev->conversation = read_id(r, ph_scan_find(r->raw[i], "user_ref"), &ev->person_id,
	    ev->person_digits);
	ev->by_user_ref = ev->conversation.at != NULL;
}

/* An echo's conversation is with the recipient: the page is the one that spoke. */
static void
find_people(struct reading *r)
{
	struct ph_event	*ev = r->ev;
	const bool	 echo = is_kind(ev, "message.echo");
	const size_t	 page = echo ? SENDER : RECIPIENT, person = echo ? RECIPIENT : SENDER;

	if (ev->channel == PH_CHANGES)
		return;
	if (ev->page.at == NULL)
		ev->page = read_id(r, ph_scan_find(r->raw[page], "id"), &ev->page_id, ev->page_digits);
	find_person(r, r->raw[person]);
	if (ev->conversation.at == NULL && !echo)
		find_opted_in(r);
}

static bool
is_marketing(const struct ph_event *ev)
{
	return is_kind(ev, "optin") &&
	    (ph_slice_is(ph_json_text(ph_json_get(ev->object, "type")), "notification_messages") ||
	    ph_json_get(ev->object, "notification_messages_token") != NULL);
}

static void
find_fields(struct reading *r)
{
	struct ph_event	*ev = r->ev;

	if (ev->channel == PH_CHANGES)
		ev->field = ph_json_text(ph_json_get(ev->whole, "field"));
	else
		ev->mid = read_id(r, ph_event_find(ev, "mid"), &ev->mid_id, ev->mid_digits);
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

static int64_t
read_time(struct reading *r, struct ph_slice raw)
{
	struct ph_slice	 plain = ph_json_plain_id(raw);
	struct ph_json	*v;
	int64_t		 time = 0;
	size_t		 i;

	for (i = 0; i < plain.len && i < 15 && plain.at[i] >= '0' && plain.at[i] <= '9'; i++)
		time = 10 * time + (plain.at[i] - '0');
	if (i > 0 && i == plain.len)
		return normal((double)time);
	if (raw.at == NULL)
		return 0;
	v = parse(r, raw);
	time = ph_event_time(v);
	ph_json_free(v);
	return time;
}

enum ph_error
ph_event_read(const struct ph_event_source *source, struct ph_event *ev, struct ph_fail *fail)
{
	struct reading	 r = { .ev = ev };

	*ev = (struct ph_event){ .channel = source->channel, .raw = source->event };
	scan_members(&r);
	ev->page = read_id(&r, source->entry_id, &ev->page_id, ev->page_digits);
	ev->kind = choose_kind(&r);
	find_people(&r);
	find_fields(&r);
	if (ev->channel != PH_CHANGES)
		ev->time = read_time(&r, r.raw[TIMESTAMP]);
	if (ev->time == 0)			/* none of its own */
		ev->time = read_time(&r, source->entry_time);
	if (ev->page.at == NULL)
		ev->page = (struct ph_slice){ "", 0 };
	if (!r.no_memory)
		return PH_OK;
	ph_event_clear(ev);
	return ph_error_set(fail, PH_NOMEM, "out of memory for an event");
}

void
ph_event_clear(struct ph_event *ev)
{
	ph_json_free(ev->tree);
	ph_json_free(ev->page_id);
	ph_json_free(ev->person_id);
	ph_json_free(ev->mid_id);
	*ev = (struct ph_event){ .time = 0 };
}
