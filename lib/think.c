/*
 * think -- what to say to an event.
 * Knows event, message.  Does not know the store, Graph or the clock.
 * Called by delivery, once for each new event that may be answered.
 * Lives in memory alone.
 * SPDX-License-Identifier: ISC
 */
#include <string.h>

#include "message.h"
#include "think.h"

/* The built-in replies: what a bot says whose owner has written none.  The first that fits. */
static const struct reply {
	const char	*kind;
	const char	*payload;	/* NULL: any */
	const char	*say;
	bool		 with_text, with_payload;	/* what the person said follows */
} replies[] = {
	{ "message.text",	NULL, "You said: ", true, false },
	{ "message.quick_reply", NULL, "You said: ", true, false },
	{ "message.attachment",	NULL, "I received your attachment.", false, false },
	{ "message.sticker",	NULL, "I received your attachment.", false, false },
	{ "postback",		"GET_STARTED", "Welcome. Tell me what you need.", false, false },
	{ "postback",		NULL, "Postback received: ", false, true },
};

static const struct reply *
choose(const struct ph_event *ev)
{
	size_t	 i;

	for (i = 0; i < sizeof(replies) / sizeof(replies[0]); i++)
		if (strcmp(replies[i].kind, ev->kind->name) == 0 &&
		    (replies[i].payload == NULL || ph_slice_is(ev->payload, replies[i].payload)))
			return &replies[i];
	return NULL;
}

enum ph_error
ph_think(const struct ph_event *ev,
    enum ph_error (*say)(void *arg, struct ph_slice message, struct ph_fail *fail), void *arg,
    struct ph_fail *fail)
{
	const struct reply	*reply = ev->answerable ? choose(ev) : NULL;
	struct ph_buffer	 text = PH_BUFFER_INIT, message = PH_BUFFER_INIT;
	struct ph_slice		 rest, part;
	enum ph_error		 err = PH_OK;

	if (reply == NULL)
		return PH_OK;
	ph_buffer_adds(&text, reply->say);
	if (reply->with_text)
		ph_buffer_add(&text, ev->text.at, ev->text.len);
	if (reply->with_payload)
		ph_buffer_add(&text, ev->payload.at, ev->payload.len);
	rest = PH_SLICE(&text);
	while (err == PH_OK && (part = ph_message_cut(&rest)).len > 0) {
		ph_buffer_reset(&message);
		ph_message_format_text(part, &message);
		if ((err = ph_buffer_check(&text, fail)) == PH_OK &&
		    (err = ph_buffer_check(&message, fail)) == PH_OK)
			err = say(arg, PH_SLICE(&message), fail);
	}
	ph_buffer_clear(&text);
	ph_buffer_clear(&message);
	return err;
}
