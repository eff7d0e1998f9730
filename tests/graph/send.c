/*
 * send -- one Send API request, or a thread passed, judged as Graph judges it.
 * Knows json-c and the Send API's limits.  Does not know HTTP, tokens or faults.
 * Called by graph.
 * Lives for one call of graph's.
 * SPDX-License-Identifier: ISC
 */
#include <limits.h>
#include <string.h>

#include "send.h"

#define MAX_TEXT	2000	/* UTF-16 units: the stricter of the likely two */
#define MAX_QUICK	13
#define MAX_METADATA	999	/* characters */

static const char *const	 types[] = { "RESPONSE", "UPDATE", "MESSAGE_TAG", NULL };
static const char *const	 tags[] = { "HUMAN_AGENT", NULL };
static const char *const	 actions[] = { "typing_on", "typing_off", "mark_seen", NULL };

static const char	 no_recipient[] = "(#100) Param recipient must hold one of id and user_ref";

static struct json_object *
parse(struct ph_slice body)
{
	struct json_tokener	*tok = body.len <= INT_MAX ? json_tokener_new() : NULL;
	struct json_object	*json;

	if (tok == NULL)
		return NULL;
	json_tokener_set_flags(tok, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
	json = json_tokener_parse_ex(tok, body.at, (int)body.len);
	json_tokener_free(tok);
	return json;
}

static struct json_object *
object(struct json_object *in, const char *name)
{
	struct json_object	*o = json_object_object_get(in, name);

	return json_object_is_type(o, json_type_object) ? o : NULL;
}

static struct ph_slice
string(struct json_object *in, const char *name)
{
	struct json_object	*o = json_object_object_get(in, name);
	struct ph_slice		 s = { NULL, 0 };

	if (json_object_is_type(o, json_type_string)) {
		s.at = json_object_get_string(o);
		s.len = (size_t)json_object_get_string_len(o);
	}
	return s;
}

static bool
among(struct ph_slice word, const char *const *list)
{
	for (; *list != NULL; list++)
		if (ph_slice_is(word, *list))
			return true;
	return false;
}

/* Characters; those beyond the first plane count as `astral`: 2 gives UTF-16 units. */
static size_t
count(struct ph_slice utf8, size_t astral)
{
	size_t	 i, n = 0;

	for (i = 0; i < utf8.len; i++) {
		unsigned char	 c = (unsigned char)utf8.at[i];

		if ((c & 0xc0) != 0x80)
			n += c >= 0xf0 ? astral : 1;
	}
	return n;
}

static bool
is_blank(struct ph_slice text)
{
	size_t	 i;

	for (i = 0; i < text.len; i++)
		if (strchr(" \t\r\n\v\f", text.at[i]) == NULL)
			return false;
	return true;
}

static const char *
check_text(const struct send *s)
{
	if (s->text.at == NULL)
		return "(#100) Param message[text] must be a string";
	if (is_blank(s->text))
		return "(#100) Param message[text] must not be empty";
	if (count(s->text, 2) > MAX_TEXT)
		return "(#100) Length of param message[text] must be less than or equal to 2000";
	return NULL;
}

static const char *
check_message(const struct send *s)
{
	struct json_object	*quick = json_object_object_get(s->message, "quick_replies");
	const char		*says = NULL;

	if (json_object_object_get(s->message, "text") != NULL)
		says = check_text(s);
	else if (object(s->message, "attachment") == NULL)
		return "(#100) Message cannot be empty, must provide valid attachment or text";
	if (says != NULL)
		return says;
	if (quick != NULL && (!json_object_is_type(quick, json_type_array) ||
	    json_object_array_length(quick) > MAX_QUICK))
		return "(#100) Param message[quick_replies] must be an array of at most 13";
	if (json_object_object_get(s->message, "metadata") != NULL &&
	    (s->metadata.at == NULL || count(s->metadata, 1) > MAX_METADATA))
		return "(#100) Param message[metadata] must be a string below 1000 characters";
	return NULL;
}

static const char *
check(const struct send *s)
{
	struct ph_slice	 type = string(s->json, "messaging_type");

	if (!json_object_is_type(s->json, json_type_object))
		return "(#100) The body must be a JSON object";
	if (s->to.len == 0)
		return no_recipient;
	if (s->action.at != NULL && s->message != NULL)
		return "(#100) Only one of message and sender_action may be sent";
	if (s->action.at != NULL)
		return among(s->action, actions) ? NULL : "(#100) Param sender_action is not valid";
	if (!among(type, types))
		return "(#100) Param messaging_type must be one of RESPONSE, UPDATE, MESSAGE_TAG";
	if (ph_slice_is(type, "MESSAGE_TAG") && !among(string(s->json, "tag"), tags))
		return "(#100) Param tag is not a tag that may be used";
	if (s->message == NULL)
		return "(#100) Param message must be an object";
	return check_message(s);
}

/* Nobody when it names two. */
static void
address(struct send *s)
{
	struct ph_slice	 id = string(object(s->json, "recipient"), "id");
	struct ph_slice	 ref = string(object(s->json, "recipient"), "user_ref");

	s->to_ref = id.at == NULL;
	if (id.at == NULL || ref.at == NULL)
		s->to = s->to_ref ? ref : id;
}

/* An app's id: its digits, as text or as a number. */
static bool
is_app(struct json_object *o)
{
	const char	*digits = o != NULL ? json_object_get_string(o) : "";

	return (json_object_is_type(o, json_type_string) || json_object_is_type(o, json_type_int)) &&
	    *digits != '\0' && digits[strspn(digits, "0123456789")] == '\0';
}

static const char *
check_pass(const struct send *s)
{
	if (!json_object_is_type(s->json, json_type_object))
		return "(#100) The body must be a JSON object";
	if (s->to.len == 0 || s->to_ref)
		return "(#100) Param recipient[id] must be a string";
	if (!is_app(json_object_object_get(s->json, "target_app_id")))
		return "(#100) Param target_app_id must be an app's id";
	if (json_object_object_get(s->json, "metadata") != NULL &&
	    (s->metadata.at == NULL || count(s->metadata, 1) > MAX_METADATA))
		return "(#100) Param metadata must be a string below 1000 characters";
	return NULL;
}

const char *
send_parse(struct send *s, struct ph_slice body)
{
	s->json = parse(body);
	address(s);
	s->action = string(s->json, "sender_action");
	s->message = object(s->json, "message");
	s->text = string(s->message, "text");
	s->metadata = string(s->message, "metadata");
	return check(s);
}

const char *
send_parse_pass(struct send *s, struct ph_slice body)
{
	s->json = parse(body);
	address(s);
	s->metadata = string(s->json, "metadata");
	return check_pass(s);
}

void
send_clear(struct send *s)
{
	json_object_put(s->json);
	*s = (struct send)SEND_INIT;
}
