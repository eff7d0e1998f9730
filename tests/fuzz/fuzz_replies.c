/*
 * fuzz_replies -- any bytes as a replies file: what is read is thought about, the same each time.
 * Knows replies, event, think.  Does not know handlers: what they would be asked is only looked at.
 * Called by make fuzz.
 * Lives as the helper does: one thought, used again and again.
 * SPDX-License-Identifier: ISC
 */
#include "said.h"

#define AT	INT64_C(1767225600000)
#define FROM	"{\"sender\":{\"id\":\"7001\"},\"recipient\":{\"id\":\"9001\"}," \
	"\"timestamp\":1767225600000,"
#define MESSAGE	FROM "\"message\":{\"mid\":\"m_1\","

static const char *const	 events[] = {
	MESSAGE "\"text\":\"My name is Zo\xc3\xab, order #12345 \\\"please\\\"\\n{n}\"}}",
	MESSAGE "\"text\":\"Yes\",\"quick_reply\":{\"payload\":\"SIZE_L\"}}}",
	MESSAGE "\"attachments\":[{\"type\":\"image\",\"payload\":{\"url\":\"https://x.example/i\"}}]}}",
	FROM "\"postback\":{\"mid\":\"m_2\",\"title\":\"T\",\"payload\":\"GET_STARTED\","
	    "\"referral\":{\"ref\":\"ad_7\",\"source\":\"ADS\",\"type\":\"OPEN_THREAD\"}}}",
};

static bool
is_same(struct ph_slice a, struct ph_slice b)
{
	return a.len == b.len && memcmp(a.at, b.at, a.len) == 0;
}

static bool
is_same_argv(char *const *a, char *const *b)
{
	if (a == NULL || b == NULL)
		return a == b;
	for (; *a != NULL && *b != NULL; a++, b++)
		if (strcmp(*a, *b) != 0)
			return false;
	return *a == *b;
}

static void
check_thought(const struct ph_thought *th)
{
	demand_messages(th);
	demand(th->pause_ms >= 0);
	demand(th->handover_to == NULL || th->handover);
	demand((th->argv == NULL) == (th->line.len == 0));
	demand(th->argv == NULL || (th->argv[0] != NULL && th->timeout_ms > 0 && th->messages.len == 0));
	demand(th->line.len == 0 || memchr(th->line.data, '\n', th->line.len) ==
	    th->line.data + th->line.len - 1);
}

static void
demand_same(const struct ph_thought *a, const struct ph_thought *b)
{
	demand(a->rule == b->rule && a->wants_person == b->wants_person);
	demand(a->seen == b->seen && a->typing == b->typing && a->coproc == b->coproc);
	demand(a->pause_ms == b->pause_ms && a->timeout_ms == b->timeout_ms);
	demand(a->handover == b->handover && a->handover_to == b->handover_to);
	demand(is_same(PH_SLICE(&a->messages), PH_SLICE(&b->messages)));
	demand(is_same(PH_SLICE(&a->line), PH_SLICE(&b->line)));
	demand(is_same(PH_SLICE(&a->captures), PH_SLICE(&b->captures)));
	demand(is_same_argv(a->argv, b->argv));
}

static void
think_about(const struct ph_replies *replies, const struct ph_event *ev, bool first)
{
	static struct ph_thought	 used = PH_THOUGHT_INIT;
	static const struct ph_person	 person = { { "Zo\xc3\xab", 4 }, { NULL, 0 } };
	const struct ph_facts		 facts = { .id = 1, .attempt = 1, .at = AT, .first = first,
		.person = first ? &person : NULL };
	struct ph_thought		 fresh = PH_THOUGHT_INIT;
	struct ph_fail			 fail = PH_FAIL_INIT, again = PH_FAIL_INIT;
	enum ph_error			 err = ph_think(replies, ev, &facts, &used, &fail);

	demand(err == PH_OK || err == PH_MALFORMED);
	demand(ph_think(replies, ev, &facts, &fresh, &again) == err);
	demand(strcmp(fail.text, again.text) == 0);
	demand(!first || !used.wants_person);
	if (err == PH_OK) {
		check_thought(&used);
		demand_same(&used, &fresh);
	}
	ph_thought_clear(&fresh);
}

static void
think_about_all(const struct ph_replies *replies)
{
	struct ph_event	 ev;
	size_t		 i;

	for (i = 0; i < sizeof(events) / sizeof(events[0]); i++) {
		const struct ph_event_source	 source = { .channel = PH_MESSAGING,
			.event = { events[i], strlen(events[i]) }, .entry_id = { "\"9001\"", 6 } };

		demand(ph_event_read(&source, &ev, NULL) == PH_OK);
		demand(ev.answerable);
		think_about(replies, &ev, false);
		think_about(replies, &ev, true);
		ph_event_clear(&ev);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct ph_flaws	 flaws;
	struct ph_replies	*replies;
	struct ph_fail		 fail = PH_FAIL_INIT;
	char			*exact = malloc(size + (size == 0));
	enum ph_error		 err;
	size_t			 i;

	demand(exact != NULL);
	memcpy(exact, data, size);		/* in memory of just this size */
	err = ph_replies_parse("replies.json", (struct ph_slice){ exact, size }, &replies, &flaws, &fail);
	demand(err == PH_OK || err == PH_CONFIG);
	demand((err == PH_OK) == (flaws.n_errors == 0) && (err == PH_OK) == (replies != NULL));
	for (i = 0; i < flaws.n; i++)
		demand(flaws.all[i].line > 0 && flaws.all[i].column > 0 && flaws.all[i].text[0] != '\0');
	free(exact);				/* the rules have their own */
	if (err == PH_OK)
		think_about_all(replies);
	ph_replies_free(replies);
	return 0;
}
