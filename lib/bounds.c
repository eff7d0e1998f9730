/*
 * bounds -- what the Send API takes of a message object.
 * Knows json, scan, message.  Does not know where the object comes from, nor how it is sent.
 * Called by reading (a file that is read), think (what filling brought) and answer (handlers).
 * Lives on the caller's stack.
 * SPDX-License-Identifier: ISC
 */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "json.h"
#include "bounds.h"
#include "message.h"
#include "scan.h"
#include "utf8.h"

/* A value and the way to it: a refusal says where, "attachment.payload.buttons[0].title". */
struct spot {
	const struct spot	*in;		/* NULL: the message itself */
	const char		*name;		/* NULL: the i-th of a list */
	size_t			 i;
	const struct ph_json	*v;
};

struct check {
	void		(*warn)(void *arg, const char *words);
	void		*arg;
	struct ph_fail	*fail;
};

static struct spot
member(const struct spot *in, const char *name)
{
	return (struct spot){ in, name, 0, ph_json_get(in->v, name) };
}

static struct spot
element(const struct spot *in, size_t i)
{
	return (struct spot){ in, NULL, i, ph_json_at(in->v, i) };
}

static void
add_way(const struct spot *at, struct ph_buffer *out)
{
	if (at->in == NULL)
		return;
	add_way(at->in, out);
	if (at->name == NULL)
		ph_buffer_addf(out, "[%zu]", at->i);
	else
		ph_buffer_addf(out, "%s%s", out->len > 0 ? "." : "", at->name);
}

static enum ph_error
refuse(const struct check *c, const struct spot *at, const char *what)
{
	struct ph_buffer	 way = PH_BUFFER_INIT;
	enum ph_error		 err;

	add_way(at, &way);
	err = ph_error_set(c->fail, PH_MALFORMED, "%s%s%s", way.len > 0 ? way.data : "",
	    way.len > 0 ? ": " : "", what);
	ph_buffer_clear(&way);
	return err;
}

static enum ph_error
refuse_more(const struct check *c, const struct spot *at, size_t n, const char *of, size_t max)
{
	char	 what[80];

	snprintf(what, sizeof(what), "%zu%s, at most %zu", n, of, max);
	return refuse(c, at, what);
}

static void
warn(const struct check *c, const struct spot *at, const char *what)
{
	struct ph_buffer	 words = PH_BUFFER_INIT;

	if (c->warn == NULL)
		return;
	add_way(at, &words);
	ph_buffer_addf(&words, ": %s", what);
	if (!words.failed)
		c->warn(c->arg, words.data);
	ph_buffer_clear(&words);
}

static size_t
count_units(struct ph_slice text)
{
	size_t	 at, n, units = 0;

	for (at = 0; at < text.len; at += n, units++) {
		if ((n = ph_utf8_len(text.at + at, text.len - at)) == 0)
			n = 1;
		units += n == 4;
	}
	return units;
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\0';
}

static bool
is_empty(struct ph_slice text)
{
	while (text.len > 0 && is_blank(text.at[text.len - 1]))
		text.len--;
	return text.len == 0;
}

/* A member that must be a text with something in it. */
static enum ph_error
check_text(const struct check *c, const struct spot *in, const char *name, size_t max)
{
	const struct spot	 at = member(in, name);
	const struct ph_slice	 text = ph_json_text(at.v);

	if (at.v == NULL)
		return refuse(c, &at, "missing");
	if (text.at == NULL)
		return refuse(c, &at, "expected a text");
	if (is_empty(text))
		return refuse(c, &at, "blank");
	if (count_units(text) > max)
		return refuse_more(c, &at, count_units(text), " characters", max);
	return PH_OK;
}

/* Limits that Meta writes down in one place and not in another: a warning. */
static void
warn_of_length(const struct check *c, const struct spot *in)
{
	static const struct { const char *name; size_t max; } rows[] = {
		{ "title", 20 }, { "payload", 1000 },
	};
	char	 what[100];
	size_t	 i, n;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct spot	 at = member(in, rows[i].name);

		if ((n = count_units(ph_json_text(at.v))) <= rows[i].max)
			continue;
		snprintf(what, sizeof(what), "%zu characters, more than %zu may be cut or refused", n,
		    rows[i].max);
		warn(c, &at, what);
	}
}

/* A list of objects; each is checked by one. */
static enum ph_error
check_list(const struct check *c, const struct spot *list, size_t max,
    enum ph_error (*one)(const struct check *c, const struct spot *at))
{
	size_t		 i, n = ph_json_count(list->v);
	struct spot	 at;

	if (list->v == NULL)
		return refuse(c, list, "missing");
	if (!ph_json_is_array(list->v))
		return refuse(c, list, "expected a list");
	if (n == 0)
		return refuse(c, list, "empty");
	if (n > max)
		return refuse_more(c, list, n, "", max);
	for (i = 0; i < n; i++) {
		at = element(list, i);
		if (!ph_json_is_object(at.v))
			return refuse(c, &at, "expected an object");
		if (one(c, &at) != PH_OK)
			return c->fail->err;
	}
	return PH_OK;
}

static enum ph_error
check_button(const struct check *c, const struct spot *button)
{
	static const struct { const char *type, *needs[2]; } rows[] = {
		{ "web_url", { "url", "title" } }, { "postback", { "title", "payload" } },
		{ "phone_number", { "title", "payload" } }, { "account_link", { "url", NULL } },
		{ "account_unlink", { NULL, NULL } },
	};
	const struct spot	 type = member(button, "type");
	size_t			 i, k;

	if (check_text(c, button, "type", SIZE_MAX) != PH_OK)
		return c->fail->err;
	warn_of_length(c, button);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (!ph_slice_is(ph_json_text(type.v), rows[i].type))
			continue;
		for (k = 0; k < 2 && rows[i].needs[k] != NULL; k++)
			if (check_text(c, button, rows[i].needs[k], SIZE_MAX) != PH_OK)
				return c->fail->err;
		return PH_OK;
	}
	warn(c, &type, "a kind of button that is not known here");
	return PH_OK;
}

static enum ph_error
check_quick_reply(const struct check *c, const struct spot *quick)
{
	const struct spot	 type = member(quick, "content_type"), title = member(quick, "title");
	const struct ph_slice	 is = ph_json_text(type.v);

	if (check_text(c, quick, "content_type", SIZE_MAX) != PH_OK)
		return c->fail->err;
	warn_of_length(c, quick);
	if (ph_slice_is(is, "text")) {
		/* With a picture the title may be "". */
		if ((ph_json_text(title.v).at == NULL || ph_json_get(quick->v, "image_url") == NULL) &&
		    check_text(c, quick, "title", SIZE_MAX) != PH_OK)
			return c->fail->err;
		return check_text(c, quick, "payload", SIZE_MAX);
	}
	if (!ph_slice_is(is, "user_phone_number") && !ph_slice_is(is, "user_email"))
		warn(c, &type, "a kind of quick reply that is not known here");
	else if (title.v != NULL)
		return refuse(c, &title, "this kind of quick reply has none");
	return PH_OK;
}

static enum ph_error
check_card(const struct check *c, const struct spot *card)
{
	const struct spot	 buttons = member(card, "buttons");

	if (check_text(c, card, "title", 80) != PH_OK ||
	    (ph_json_get(card->v, "subtitle") != NULL && check_text(c, card, "subtitle", 80) != PH_OK))
		return c->fail->err;
	return buttons.v == NULL ? PH_OK : check_list(c, &buttons, 3, check_button);
}

static enum ph_error
check_picture(const struct check *c, const struct spot *picture)
{
	const struct spot	 buttons = member(picture, "buttons");

	return buttons.v == NULL ? PH_OK : check_list(c, &buttons, 3, check_button);
}

static enum ph_error
check_template(const struct check *c, const struct spot *payload)
{
	const struct spot	 elements = member(payload, "elements");
	const struct spot	 buttons = member(payload, "buttons");
	struct ph_slice		 type;

	if (check_text(c, payload, "template_type", SIZE_MAX) != PH_OK)
		return c->fail->err;
	type = ph_json_text(ph_json_get(payload->v, "template_type"));
	if (ph_slice_is(type, "button")) {
		if (check_text(c, payload, "text", 640) != PH_OK)
			return c->fail->err;
		return check_list(c, &buttons, 3, check_button);
	}
	if (ph_slice_is(type, "generic"))
		return check_list(c, &elements, 10, check_card);
	if (!ph_slice_is(type, "media"))
		return PH_OK;
	if (ph_json_is_array(elements.v) && ph_json_count(elements.v) > 1)
		warn(c, &elements, "more than one may be refused");
	return check_list(c, &elements, SIZE_MAX, check_picture);
}

static enum ph_error
check_attachment(const struct check *c, const struct spot *attachment)
{
	static const char *const	 types[] = { "image", "audio", "video", "file", "template" };
	const size_t			 n = sizeof(types) / sizeof(types[0]);
	const struct spot		 type = member(attachment, "type");
	const struct spot		 payload = member(attachment, "payload");
	size_t				 i = 0;

	if (!ph_json_is_object(attachment->v))
		return refuse(c, attachment, "expected an object");
	if (check_text(c, attachment, "type", SIZE_MAX) != PH_OK)
		return c->fail->err;
	while (i < n && !ph_slice_is(ph_json_text(type.v), types[i]))
		i++;
	if (i == n)
		return refuse(c, &type, "expected image, audio, video, file or template");
	if (!ph_json_is_object(payload.v))
		return refuse(c, &payload, payload.v == NULL ? "missing" : "expected an object");
	if (i == n - 1)
		return check_template(c, &payload);
	if (ph_json_get(payload.v, "url") != NULL)
		return check_text(c, &payload, "url", SIZE_MAX);
	if (ph_json_get(payload.v, "attachment_id") != NULL)
		return check_text(c, &payload, "attachment_id", SIZE_MAX);
	return refuse(c, &payload, "expected a url or an attachment_id");
}

static enum ph_error
check_message(const struct check *c, const struct spot *message)
{
	const struct spot	 text = member(message, "text");
	const struct spot	 quick = member(message, "quick_replies");
	const struct spot	 attachment = member(message, "attachment");

	if (text.v == NULL && attachment.v == NULL && ph_json_get(message->v, "sticker_id") == NULL)
		return refuse(c, message, "expected a text, an attachment or a sticker_id");
	if (text.v != NULL && attachment.v != NULL)
		return refuse(c, &text, "not beside an attachment");
	if (text.v != NULL && check_text(c, message, "text", PH_MESSAGE_MAX_TEXT) != PH_OK)
		return c->fail->err;
	if (attachment.v != NULL && check_attachment(c, &attachment) != PH_OK)
		return c->fail->err;
	return quick.v == NULL ? PH_OK : check_list(c, &quick, 13, check_quick_reply);
}

/*
 * What a tree does not show: a NUL, which no receiver keeps, and metadata, even null or repeated,
 * for the token that stands there must be the only one.
 */
static enum ph_error
check_bytes(struct ph_slice message, struct ph_fail *fail)
{
	struct ph_fail	 why = PH_FAIL_INIT;
	struct ph_scan	 scan;
	struct ph_slice	 key;
	bool		 metadata = false;
	size_t		 i;

	ph_scan_begin(&scan, message);
	if (ph_scan_enter(&scan, '{'))
		while (ph_scan_member(&scan, &key)) {
			metadata = metadata || ph_scan_key_is(key, "metadata");
			ph_scan_skip(&scan, NULL);
		}
	else
		ph_scan_skip(&scan, NULL);
	if (ph_scan_end(&scan, &why) != PH_OK)
		return ph_error_set(fail, PH_MALFORMED, "%s", why.text);
	if (metadata)
		return ph_error_set(fail, PH_MALFORMED, "metadata: it is pagehook's own");
	for (i = 0; i + 5 < message.len; i++)
		if (message.at[i] == '\\') {
			if (memcmp(message.at + i, "\\u0000", 6) == 0)
				return ph_error_set(fail, PH_MALFORMED, "a NUL at byte %zu", i);
			i++;
		}
	return PH_OK;
}

enum ph_error
ph_bounds_check(struct ph_slice message, void (*warn_by)(void *arg, const char *words), void *arg,
    struct ph_fail *fail)
{
	struct ph_fail		 why = PH_FAIL_INIT;
	const struct check	 c = { warn_by, arg, &why };
	struct ph_json		*v;
	enum ph_error		 err;

	if ((err = check_bytes(message, fail)) != PH_OK ||
	    (err = ph_json_parse(message, &v, fail)) != PH_OK)
		return err;
	if (!ph_json_is_object(v))
		err = ph_error_set(&why, PH_MALFORMED, "expected a message object");
	else
		err = check_message(&c, &(struct spot){ NULL, NULL, 0, v });
	ph_json_free(v);
	return err == PH_OK ? PH_OK : ph_error_set(fail, err, "%s", why.text);
}
