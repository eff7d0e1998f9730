/*
 * send -- "pagehook send": a message through the queue, under the same guards as every reply.
 * Knows ask, order's JSON.  Does not know the store or Graph: the helper does it.
 * Called by pagehook.c.
 * Lives until the reply is settled, at most 30 s.
 * SPDX-License-Identifier: ISC
 */
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "ask.h"
#include "clock.h"
#include "json.h"
#include "message.h"
#include "verb.h"

#define SETTLE_BY_MS	30000

struct sending {
	const struct call	*call;
	const char		*psid, *kind;
	struct ask		 ask;
};

static void
add_text(struct ph_buffer *b, const char *before, const char *text)
{
	ph_buffer_adds(b, before);
	ph_buffer_add_json(b, (struct ph_slice){ text, strlen(text) });
	ph_buffer_adds(b, "\"");
}

static int
hand_over(struct sending *s, struct ph_slice message, char *id, size_t size)
{
	const char		*page = option(s->call, "page");
	struct ph_buffer	 text = PH_BUFFER_INIT;
	struct ph_json		*tree = NULL;
	struct ph_slice		 reply;
	int			 status;

	add_text(&text, "{\"do\":\"send\",\"psid\":\"", s->psid);
	add_text(&text, ",\"kind\":\"", s->kind);
	if (page != NULL)
		add_text(&text, ",\"page\":\"", page);
	ph_buffer_adds(&text, ",\"message\":");
	ph_buffer_add(&text, message.at, message.len);
	ph_buffer_adds(&text, "}");
	if ((status = ask_order(&s->ask, &text, &tree)) == EX_OK) {
		reply = ph_json_text(ph_json_get(tree, "reply"));
		snprintf(id, size, "%.*s", (int)reply.len, reply.at != NULL ? reply.at : "");
	}
	ph_json_free(tree);
	ph_buffer_clear(&text);
	return status;
}

/* What is left unsaid while it waits: it stays in the queue. */
static bool
is_under_way(struct ph_slice state)
{
	return ph_slice_is(state, "ready") || ph_slice_is(state, "sending") || ph_slice_is(state, "unsure");
}

static void
print_outcome(const struct sending *s, const char *id, const struct ph_json *told, int64_t took_ms)
{
	struct ph_slice	 state = ph_json_text(ph_json_get(told, "state"));
	struct ph_slice	 mid = ph_json_text(ph_json_get(told, "mid"));
	struct ph_slice	 why = ph_json_text(ph_json_get(told, "why"));

	if (option(s->call, "json") != NULL)
		printf("{\"v\":1,\"reply\":\"%s\",\"state\":\"%.*s\",\"mid\":\"%.*s\",\"ms\":%" PRId64 "}\n", id,
		    (int)state.len, state.at, (int)mid.len, mid.at, took_ms);
	else if (ph_slice_is(state, "sent"))
		printf("%s sent in %" PRId64 " ms, %.*s\n", id, took_ms, (int)mid.len, mid.at);
	else
		printf("%s is %.*s%s%.*s\n", id, (int)state.len, state.at, why.len > 0 ? ": " : "",
		    (int)why.len, why.at);
}

/* Token and permission are a person's to mend; what else Graph refused is its word. */
static int
status_of(const struct ph_json *told)
{
	struct ph_slice	 state = ph_json_text(ph_json_get(told, "state"));
	int64_t		 code = 0;

	if (ph_slice_is(state, "sent"))
		return EX_OK;
	if (is_under_way(state) || ph_slice_is(state, "held"))
		return EX_TEMPFAIL;
	(void)ph_json_integer(ph_json_get(told, "code"), &code);
	return code == 10 || code == 190 || (code >= 200 && code < 300) ? EX_NOPERM : EX_PROTOCOL;
}

/* A try that has begun is waited for: what becomes of it is what is asked for. */
static int
wait_for(struct sending *s, const char *id, int64_t began)
{
	int64_t			 by = began + ph_clock_wait_ms(SETTLE_BY_MS);
	struct ph_buffer	 text = PH_BUFFER_INIT;
	struct ph_slice		 state;
	struct ph_json		*told;
	int			 status, pause_ms = 5;
	bool			 over;

	add_text(&text, "{\"do\":\"tell\",\"reply\":\"", id);
	ph_buffer_adds(&text, "}");
	do {
		(void)poll(NULL, 0, pause_ms);
		pause_ms = pause_ms < 200 ? 2 * pause_ms : 200;
		status = ask_order(&s->ask, &text, &told);
		state = ph_json_text(ph_json_get(told, "state"));
		over = status != EX_OK || !is_under_way(state) ||
		    (ph_clock_left_ms(by) == 0 && !ph_slice_is(state, "sending"));
		if (over && status == EX_OK) {
			print_outcome(s, id, told, ph_clock_mono() - began);
			status = status_of(told);
		}
		ph_json_free(told);
	} while (!over);
	ph_buffer_clear(&text);
	return status;
}

static int
send_one(struct sending *s, struct ph_slice message)
{
	int64_t	 began = ph_clock_mono();
	char	 id[32];
	int	 status = hand_over(s, message, id, sizeof(id));

	return status == EX_OK ? wait_for(s, id, began) : status;
}

/* A long text goes as several messages, in order. */
static int
send_text(struct sending *s, struct ph_slice text)
{
	struct ph_buffer	 message = PH_BUFFER_INIT;
	struct ph_slice		 part;
	int			 status = EX_OK;

	if (text.len == strspn(text.at, " \t\r\n"))
		status = usage("the text is empty", "");
	while (status == EX_OK && (part = ph_message_cut(&text)).len > 0) {
		ph_buffer_reset(&message);
		ph_message_format_text(part, &message);
		status = send_one(s, PH_SLICE(&message));
	}
	if (status != EX_OK && status != EX_USAGE && text.len > 0)
		fprintf(stderr, "pagehook: the rest of the text was not sent: its last %zu bytes\n", text.len);
	ph_buffer_clear(&message);
	return status;
}

/* What the words say: kind, and the text or the message object; EX_OK or a status after a line. */
static int
take_words(struct sending *s, struct ph_buffer *text)
{
	const char	*tag = option(s->call, "tag"), *file = option(s->call, "message");
	char		*named = (char *)(uintptr_t)file;
	struct call	 from = *s->call;

	s->kind = PH_MESSAGE_UPDATE;
	if (tag != NULL && strcmp(tag, "HUMAN_AGENT") != 0)
		return usage("the only tag left is HUMAN_AGENT, for a person's own words; not ", tag);
	if (tag != NULL)
		s->kind = PH_MESSAGE_HUMAN_AGENT;
	else if (option(s->call, "reply") != NULL)
		s->kind = "";
	if (s->call->argc == 0 || s->call->argc + (file != NULL) != 2)
		return usage("send needs a PSID and a TEXT, - or --message FILE", "");
	s->psid = s->call->argv[0];
	from.argc = 1;
	from.argv = s->call->argv + 1;
	if (file != NULL)
		from.argv = &named;
	else if (strcmp(s->call->argv[1], "-") != 0) {
		ph_buffer_adds(text, s->call->argv[1]);
		return EX_OK;
	}
	return read_input(&from, text);
}

int
send_run(const struct call *call)
{
	struct sending		 s = { .call = call, .psid = "", .kind = "", .ask = ASK_INIT };
	struct ph_buffer	 text = PH_BUFFER_INIT;
	struct ph_fail		 fail = PH_FAIL_INIT;
	int			 status = take_words(&s, &text);

	if (status == EX_OK)
		status = become_owner(call);
	if (status == EX_OK && ph_conf_check(call->conf, &fail) == PH_OK &&
	    ask_open(&s.ask, call->conf, &fail) == PH_OK)
		status = option(call, "message") != NULL ? send_one(&s, PH_SLICE(&text)) :
		    send_text(&s, PH_SLICE(&text));
	if (fail.err != PH_OK)
		status = complain(&fail);
	ask_close(&s.ask);
	ph_buffer_clear(&text);
	return status;
}
