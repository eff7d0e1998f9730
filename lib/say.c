/*
 * say -- what a rule says, as message objects: its texts filled in, cut, dressed with buttons.
 * Knows rule, template, message.  Does not know what the fields are, nor what Meta takes.
 * Called by think (to a person) and reading (to see whether Meta would take it).
 * Lives on the caller's stack.
 * SPDX-License-Identifier: ISC
 */
#include "message.h"
#include "say.h"

#define MAX_BUTTON_TEXT	640		/* UTF-16 units beside buttons */

static bool
is_more(struct ph_slice rest)
{
	return ph_message_cut(&rest).len > 0;
}

/* The next part; *last: nothing is left after it.  What bears buttons is the last, and short. */
static struct ph_slice
next_part(struct ph_slice *rest, bool buttons, bool *last)
{
	struct ph_slice	 tried = *rest, part;

	part = ph_message_cut_at(&tried, buttons ? MAX_BUTTON_TEXT : PH_MESSAGE_MAX_TEXT);
	if (buttons && is_more(tried)) {
		struct ph_slice	 longer = *rest, whole = ph_message_cut(&longer);

		if (is_more(longer)) {	/* a full text leaves something for them */
			part = whole;
			tried = longer;
		}
	}
	*last = !is_more(tried);
	*rest = tried;
	return part;
}

static void
say_buttons(struct ph_slice text, const struct ph_template *buttons,
    struct ph_slice (*value)(void *arg, const char *name), void *arg, struct ph_buffer *out)
{
	ph_buffer_adds(out, "{\"attachment\":{\"type\":\"template\",\"payload\":"
	    "{\"template_type\":\"button\",\"text\":\"");
	ph_buffer_add_json(out, text);
	ph_buffer_adds(out, "\",\"buttons\":");
	ph_template_fill(buttons, value, arg, out);
	ph_buffer_adds(out, "}}}\n");
}

static void
say_text(struct ph_slice rest, const struct ph_template *buttons,
    struct ph_slice (*value)(void *arg, const char *name), void *arg, struct ph_buffer *out)
{
	struct ph_slice	 part;
	bool		 last;

	while ((part = next_part(&rest, buttons != NULL, &last)).len > 0)
		if (buttons != NULL && last)
			say_buttons(part, buttons, value, arg, out);
		else {
			ph_message_format_text(part, out);
			ph_buffer_adds(out, "\n");
		}
}

static void
say_media(const char *type, struct ph_slice url, struct ph_buffer *out)
{
	ph_buffer_addf(out, "{\"attachment\":{\"type\":\"%s\",\"payload\":{\"url\":\"", type);
	ph_buffer_add_json(out, url);
	ph_buffer_adds(out, "\"}}}\n");
}

/* Quick replies go onto the last message that there is: into the object that ends out. */
static void
say_quick(const struct ph_template *quick,
    struct ph_slice (*value)(void *arg, const char *name), void *arg, struct ph_buffer *out)
{
	if (out->failed)
		return;
	out->len -= 2;				/* its bracket and the end of its line */
	ph_buffer_adds(out, ",\"quick_replies\":");
	ph_template_fill(quick, value, arg, out);
	ph_buffer_adds(out, "}\n");
}

void
ph_say(const struct ph_rule *rule, struct ph_slice (*value)(void *arg, const char *name), void *arg,
    struct ph_buffer *out)
{
	struct ph_buffer		 text = PH_BUFFER_INIT;
	const struct ph_rule_message	*m;
	size_t				 i, from = out->len;

	for (i = 0; i < rule->n_messages; i++) {
		m = &rule->messages[i];
		ph_buffer_reset(&text);
		ph_template_fill(m->of, value, arg, &text);
		if (m->raw) {
			ph_buffer_add(out, text.data, text.len);
			ph_buffer_adds(out, "\n");
		} else if (m->media != NULL)
			say_media(m->media, PH_SLICE(&text), out);
		else
			say_text(PH_SLICE(&text), i == rule->buttons_on ? rule->buttons : NULL, value,
			    arg, out);
		out->failed = out->failed || text.failed;
	}
	if (rule->quick != NULL && out->len > from)
		say_quick(rule->quick, value, arg, out);
	ph_buffer_clear(&text);
}
