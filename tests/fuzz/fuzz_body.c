/*
 * fuzz_body -- any bytes as a body: its events, their keys and what is said to them.
 * Knows intake, event, key, think.  Does not know signatures: only signed bytes come this far, but
 * "signed" says who wrote them, not that they are what we expect.
 * Called by make fuzz, a few million times.
 * Lives as the helper does: one intake, used again and again.
 *
 * The first byte chooses: m, s and c put what follows where an element of messaging, standby or
 * changes stands, so that events are reached without an envelope; anything else begins a body.
 * SPDX-License-Identifier: ISC
 */
#include <string.h>

#include "fuzz.h"
#include "intake.h"
#include "key.h"
#include "said.h"
#include "utf8.h"

static bool
lies_in(struct ph_slice part, struct ph_slice whole)
{
	return part.at == NULL || (part.at >= whole.at && part.len <= whole.len &&
	    (size_t)(part.at - whole.at) <= whole.len - part.len);
}

static void
check_parses(struct ph_slice json)
{
	struct ph_json	*v = NULL;

	if (json.at == NULL)
		return;
	demand(ph_json_parse(json, &v, NULL) == PH_OK);
	ph_json_free(v);
}

static const struct ph_replies *
builtin(void)
{
	static struct ph_replies	*replies;
	static struct ph_flaws		 flaws;

	if (replies == NULL)
		demand(ph_replies_parse("built-in", (struct ph_slice){ ph_replies_builtin,
		    strlen(ph_replies_builtin) }, &replies, &flaws, NULL) == PH_OK);
	return replies;
}

static void
check_event(const struct ph_event *ev)
{
	static struct ph_thought	 thought = PH_THOUGHT_INIT;
	const struct ph_facts		 facts = { .id = 1, .attempt = 1, .at = ev->time };
	struct ph_fail			 fail = PH_FAIL_INIT;

	demand(ev->kind != NULL && ev->page.at != NULL);
	demand(ev->time >= 0 && ev->time < INT64_C(1000000000000000));
	demand(!ev->answerable || (ev->channel == PH_MESSAGING && ev->conversation.at != NULL));
	demand(ph_think(builtin(), ev, &facts, &thought, &fail) == PH_OK);
	demand(thought.messages.len == 0 || ev->answerable);
	demand_messages(&thought);
}

/* A key is one line of UTF-8; the line is ended here, so that two lists of keys can be compared. */
static void
check_key(const struct ph_event *ev, struct ph_buffer *keys)
{
	struct ph_slice	 key;
	unsigned char	 digest[PH_KEY_LEN];
	size_t		 i, n, from = keys->len;

	ph_key_format(ev, keys);
	demand(!keys->failed && keys->len > from);
	key = (struct ph_slice){ keys->data + from, keys->len - from };
	for (i = 0; i < key.len; i++)
		demand((unsigned char)key.at[i] >= 0x20 && key.at[i] != 0x7f);
	for (i = 0; i < key.len; i += n) {
		n = ph_utf8_len(key.at + i, key.len - i);
		demand(n > 0);
	}
	demand(ph_key_digest(key, digest, NULL) == PH_OK);
	ph_buffer_adds(keys, "\n");
}

static enum ph_error
read_body(struct ph_slice body, struct ph_intake *in, struct ph_buffer *keys)
{
	struct ph_fail	 fail = PH_FAIL_INIT;
	enum ph_error	 err = ph_intake_read(body, "page,instagram", in, &fail);
	struct ph_event	 ev;
	size_t		 i;

	demand(err == fail.err && err != PH_NOMEM);
	for (i = 0; err == PH_OK && i < in->events.n; i++) {
		const struct ph_event_source	*one = &in->events.all[i];

		demand(one->event.at != NULL && lies_in(one->event, body));
		demand(lies_in(one->entry_id, body) && lies_in(one->entry_time, body));
		check_parses(one->event);
		check_parses(one->entry_id);
		check_parses(one->entry_time);
		demand(ph_event_read(one, &ev, &fail) == PH_OK);
		check_event(&ev);
		check_key(&ev, keys);
		ph_event_clear(&ev);
	}
	return err;
}

/* In memory of just this size, so that one byte read too far is seen. */
static struct ph_slice
body_of(const char *data, size_t size)
{
	static const char	 letters[] = "msc";
	static const char *const channels[] = { "messaging", "standby", "changes" };
	const char		*letter = size > 0 ? memchr(letters, data[0], 3) : NULL;
	struct ph_buffer	 body = PH_BUFFER_INIT;
	struct ph_slice		 exact;
	char			*copy;

	if (letter != NULL)
		ph_buffer_addf(&body, "{\"object\":\"page\",\"entry\":[{\"id\":\"9001\","
		    "\"time\":1767225600500,\"%s\":[", channels[letter - letters]);
	ph_buffer_add(&body, data + (letter != NULL), size - (letter != NULL));
	if (letter != NULL)
		ph_buffer_adds(&body, "]}]}");
	copy = malloc(body.len + (body.len == 0));
	demand(copy != NULL && !body.failed);
	memcpy(copy, PH_SLICE(&body).at, body.len);
	exact = (struct ph_slice){ copy, body.len };
	ph_buffer_clear(&body);
	return exact;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct ph_intake	 used = PH_INTAKE_INIT;
	struct ph_intake	 fresh = PH_INTAKE_INIT;
	struct ph_buffer	 first = PH_BUFFER_INIT, again = PH_BUFFER_INIT;
	struct ph_slice		 body = body_of((const char *)data, size);

	demand(read_body(body, &used, &first) == read_body(body, &fresh, &again));
	demand(first.len == again.len && memcmp(PH_SLICE(&first).at, PH_SLICE(&again).at, first.len) == 0);
	ph_buffer_clear(&first);
	ph_buffer_clear(&again);
	ph_intake_clear(&fresh);
	free((char *)(uintptr_t)body.at);
	return 0;
}
