/*
 * view -- an event as rules see it: what it is called, and the texts that can be asked about.
 * Knows event, rule.  Does not know which rule fits.
 * Called by think.
 * Lives on think's stack; borrowed from the event.
 * SPDX-License-Identifier: ISC
 */
#include <string.h>

#include "rule.h"
#include "view.h"

#define COUNT_OF(array)	(sizeof(array) / sizeof((array)[0]))

/* What rules call an event. */
static const struct {
	const char	*kind, *on;
	unsigned	 bit;
} names[] = {
	{ "message.text",	"text",			PH_ON_TEXT },
	{ "message.quick_reply", "quick_reply",		PH_ON_QUICK_REPLY },
	{ "message.attachment",	"attachment",		PH_ON_ATTACHMENT },
	{ "message.sticker",	"attachment",		PH_ON_ATTACHMENT },
	{ "postback",		"postback",		PH_ON_POSTBACK },
	{ "referral",		"referral",		PH_ON_REFERRAL },
	{ "optin",		"optin",		PH_ON_OPTIN },
	{ "account_linking",	"account_linking",	PH_ON_LINKING },
};

static struct ph_slice
ref_of(const struct ph_event *ev, unsigned bit)
{
	const struct ph_json	*referral = ph_json_get(ev->object, "referral");

	if (bit == PH_ON_REFERRAL || bit == PH_ON_OPTIN)
		return ph_json_text(ph_json_get(ev->object, "ref"));
	return ph_json_text(ph_json_get(referral != NULL ? referral :
	    ph_json_get(ev->whole, "referral"), "ref"));
}

bool
ph_view_read(struct ph_view *view, const struct ph_event *ev, int64_t at)
{
	size_t	 i;

	for (i = 0; i < COUNT_OF(names) && strcmp(names[i].kind, ev->kind->name) != 0; i++)
		continue;
	if (i == COUNT_OF(names))
		return false;
	*view = (struct ph_view){ .event = ev, .on = names[i].on, .bit = names[i].bit };
	view->sticker = strcmp(ev->kind->name, "message.sticker") == 0;
	if ((view->bit & (PH_ON_TEXT | PH_ON_QUICK_REPLY)) != 0)
		view->text = ev->text;
	view->ref = ref_of(ev, view->bit);
	if (view->bit == PH_ON_REFERRAL)
		view->payload = view->ref;
	else if (view->bit != PH_ON_TEXT && view->bit != PH_ON_ATTACHMENT)
		view->payload = ev->payload;
	ph_clock_format(at, view->time);
	return true;
}

struct ph_slice
ph_view_type(const struct ph_view *view, size_t i)
{
	const struct ph_json	*list = ph_json_get(view->event->object, "attachments");

	if (view->sticker)
		return i == 0 ? (struct ph_slice){ "sticker", 7 } : (struct ph_slice){ NULL, 0 };
	if (view->bit != PH_ON_ATTACHMENT || i >= ph_json_count(list))
		return (struct ph_slice){ NULL, 0 };
	return ph_json_text(ph_json_get(ph_json_at(list, i), "type"));
}
