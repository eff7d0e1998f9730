/*
 * send -- "pagehook send": a message through the queue, under the same guards as every reply.
 * Knows wire, order's JSON, start.  Does not know the store or Graph: the helper does it.
 * Called by pagehook.c.
 * Lives until the reply is settled, at most 30 s.
 * SPDX-License-Identifier: ISC
 */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "clock.h"
#include "json.h"
#include "message.h"
#include "start.h"
#include "state.h"
#include "verb.h"
#include "wire.h"

#define REACH_BY_MS	5000
#define SETTLE_BY_MS	30000

struct sending {
	const struct call	*call;
	const char		*psid, *kind;
	int			 fd;		/* to the helper; -1: not reached */
	struct ph_buffer	 answer;
};

/* Connects; a helper that does not run is started. */
static enum ph_error
reach_helper(struct sending *s, struct ph_fail *fail)
{
	const struct ph_conf	*conf = s->call->conf;
	int64_t			 by = ph_clock_mono() + REACH_BY_MS;
	enum ph_error		 err;
	int			 state_fd;
	bool			 started = false;

	if (ph_state_become_owner(conf->state, fail) != PH_OK ||
	    ph_state_open(conf->state, &state_fd, fail) != PH_OK)
		return fail->err;
	while ((err = ph_wire_connect(state_fd, conf->digest, conf->file != NULL ? conf->file : "",
	    &s->fd, fail)) == PH_NONE) {
		if (ph_clock_left_ms(by) == 0)
			err = ph_error_set(fail, PH_BUSY, "no helper came up: see %s", conf->log);
		else if (!started)
			err = start_helper(conf, state_fd, fail);
		if (err != PH_OK && err != PH_NONE)
			break;
		started = true;
		(void)poll(NULL, 0, 20);
	}
	close(state_fd);
	return err;
}

/* Asks the helper.  *tree is its answer; an order that was refused is said, and its exit status. */
static int
order(struct sending *s, const struct ph_buffer *text, struct ph_json **tree)
{
	struct ph_fail	 fail = PH_FAIL_INIT;
	struct ph_slice	 what;
	int64_t		 status = EX_SOFTWARE;

	*tree = NULL;
	ph_buffer_reset(&s->answer);
	if (ph_buffer_check(text, &fail) != PH_OK || ph_wire_order(s->fd, PH_SLICE(text), &s->answer,
	    ph_clock_mono() + REACH_BY_MS, &fail) != PH_OK ||
	    ph_json_parse(PH_SLICE(&s->answer), tree, &fail) != PH_OK)
		return complain(&fail);
	what = ph_json_text(ph_json_get(ph_json_get(*tree, "error"), "what"));
	if (what.at == NULL)
		return EX_OK;
	(void)ph_json_integer(ph_json_get(ph_json_get(*tree, "error"), "exit"), &status);
	fprintf(stderr, "pagehook: %.*s\n", (int)what.len, what.at);
	return (int)status;
}

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
	if ((status = order(s, &text, &tree)) == EX_OK) {
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

static int
wait_for(struct sending *s, const char *id, int64_t began)
{
	int64_t			 by = began + ph_clock_wait_ms(SETTLE_BY_MS);
	struct ph_buffer	 text = PH_BUFFER_INIT;
	struct ph_json		*told;
	int			 status, pause_ms = 5;
	bool			 over;

	add_text(&text, "{\"do\":\"tell\",\"reply\":\"", id);
	ph_buffer_adds(&text, "}");
	do {
		(void)poll(NULL, 0, pause_ms);
		pause_ms = pause_ms < 200 ? 2 * pause_ms : 200;
		status = order(s, &text, &told);
		over = status != EX_OK || ph_clock_left_ms(by) == 0 ||
		    !is_under_way(ph_json_text(ph_json_get(told, "state")));
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
	struct sending		 s = { .call = call, .psid = "", .kind = "", .fd = -1 };
	struct ph_buffer	 text = PH_BUFFER_INIT;
	struct ph_fail		 fail = PH_FAIL_INIT;
	int			 status = take_words(&s, &text);

	if (status == EX_OK && ph_conf_check(call->conf, &fail) == PH_OK &&
	    reach_helper(&s, &fail) == PH_OK)
		status = option(call, "message") != NULL ? send_one(&s, PH_SLICE(&text)) :
		    send_text(&s, PH_SLICE(&text));
	if (fail.err != PH_OK)
		status = complain(&fail);
	if (s.fd != -1)
		close(s.fd);
	ph_buffer_clear(&s.answer);
	ph_buffer_clear(&text);
	return status;
}
