/*
 * parse -- "pagehook parse [FILE]": a body's events as the helper sees them.
 * Knows conf, intake, event, key.  Does not know signatures or the store: it needs neither.
 * Called by pagehook.c.
 * Lives for one command.
 * SPDX-License-Identifier: ISC
 */
#include <inttypes.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "intake.h"
#include "key.h"
#include "verb.h"

static int
by_bytes(const void *a, const void *b)
{
	return memcmp(a, b, PH_KEY_LEN);
}

/* Whether this key stood in the body before; it is remembered in the tree. */
static enum ph_error
was_seen(void **tree, struct ph_slice key, bool *seen, struct ph_fail *fail)
{
	unsigned char	*digest = malloc(PH_KEY_LEN), **found;

	if (digest == NULL || ph_key_digest(key, digest, fail) != PH_OK ||
	    (found = tsearch(digest, tree, by_bytes)) == NULL) {
		free(digest);
		return ph_error_set(fail, PH_NOMEM, "out of memory for keys");
	}
	*seen = *found != digest;
	if (*seen)
		free(digest);
	return PH_OK;
}

static void
add_text(struct ph_buffer *line, const char *name, struct ph_slice value)
{
	const char	*nul;

	ph_buffer_addf(line, "%s\"%s\":", line->len > 1 ? "," : "", name);
	if (value.at == NULL) {
		ph_buffer_adds(line, "null");
		return;
	}
	ph_buffer_adds(line, "\"");
	while ((nul = memchr(value.at, '\0', value.len)) != NULL) {	/* replies drop it, a look does not */
		ph_buffer_add_json(line, (struct ph_slice){ value.at, (size_t)(nul - value.at) });
		ph_buffer_adds(line, "\\u0000");
		value = (struct ph_slice){ nul + 1, value.len - (size_t)(nul + 1 - value.at) };
	}
	ph_buffer_add_json(line, value);
	ph_buffer_adds(line, "\"");
}

/* The ten keys, in their order: scripts read these lines. */
static void
format(const struct ph_event *ev, struct ph_slice key, bool duplicate, struct ph_buffer *line)
{
	static const char *const	 channels[] = {
		[PH_MESSAGING] = "messaging", [PH_STANDBY] = "standby", [PH_CHANGES] = "changes",
	};
	const char			*channel = channels[ev->channel];

	ph_buffer_adds(line, "{");
	add_text(line, "page", ev->page);
	add_text(line, "conversation", ev->conversation);
	add_text(line, "kind", (struct ph_slice){ ev->kind->name, strlen(ev->kind->name) });
	add_text(line, "channel", (struct ph_slice){ channel, strlen(channel) });
	add_text(line, "field", ev->field);
	add_text(line, "mid", ev->mid);
	if (ev->time != 0)
		ph_buffer_addf(line, ",\"time\":%" PRId64, ev->time);
	else
		ph_buffer_adds(line, ",\"time\":null");
	ph_buffer_addf(line, ",\"answerable\":%s,\"duplicate\":%s", ev->answerable ? "true" : "false",
	    duplicate ? "true" : "false");
	add_text(line, "key", key);
	ph_buffer_adds(line, "}\n");
}

static enum ph_error
print_event(const struct ph_event_source *source, void **seen, struct ph_fail *fail)
{
	struct ph_buffer	 key = PH_BUFFER_INIT, line = PH_BUFFER_INIT;
	struct ph_event		 ev;
	bool			 duplicate = false;

	if (ph_event_read(source, &ev, fail) != PH_OK)
		return fail->err;
	ph_key_format(&ev, &key);
	if (ph_buffer_check(&key, fail) == PH_OK &&
	    was_seen(seen, PH_SLICE(&key), &duplicate, fail) == PH_OK) {
		format(&ev, PH_SLICE(&key), duplicate, &line);
		if (ph_buffer_check(&line, fail) == PH_OK)
			fwrite(line.data, 1, line.len, stdout);
	}
	ph_event_clear(&ev);
	ph_buffer_clear(&key);
	ph_buffer_clear(&line);
	return fail->err;
}

int
parse_run(const struct call *call)
{
	struct ph_intake	 intake = PH_INTAKE_INIT;
	struct ph_buffer	 body = PH_BUFFER_INIT;
	struct ph_fail		 fail = PH_FAIL_INIT;
	void			*seen = NULL;
	enum ph_error		 err;
	size_t			 i;
	int			 status;

	if ((status = read_input(call, &body)) == EX_OK) {
		err = ph_intake_read(PH_SLICE(&body), call->conf->objects, &intake, &fail);
		for (i = 0; err == PH_OK && i < intake.events.n; i++)
			err = print_event(&intake.events.all[i], &seen, &fail);
		status = complain(&fail);
		if (err == PH_NONE)		/* an unwanted object, not a missing file */
			status = EX_DATAERR;
	}
	tdestroy(seen, free);
	ph_intake_clear(&intake);
	ph_buffer_clear(&body);
	return status;
}
