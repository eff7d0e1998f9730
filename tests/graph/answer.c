/*
 * answer -- what Graph says to a call, and the many ways it fails to.
 * Knows faults, send's findings and FastCGI.  Does not know why a call is refused.
 * Called by graph, once a call, after the ledger has its line.
 * Lives for one call of graph's.
 * SPDX-License-Identifier: ISC
 */
#include <sys/socket.h>

#include <poll.h>
#include <string.h>

#include "answer.h"

#define HUGE	(10 << 20)

static void
put(struct call *c, int status, const char *type)
{
	FCGX_FPrintF(c->rq->out, "Status: %d\r\nContent-Type: %s\r\nContent-Length: %lu\r\n",
	    status, type, (unsigned long)c->answer.len);
	if (c->fault.header[0] != '\0')
		FCGX_FPrintF(c->rq->out, "%s\r\n", c->fault.header);
	FCGX_PutS("\r\n", c->rq->out);
	if (c->answer.len > 0)
		FCGX_PutStr(c->answer.data, (int)c->answer.len, c->rq->out);
}

static void
put_json(struct call *c, int status)
{
	put(c, status, "application/json; charset=UTF-8");
}

/* Who was reached by a user_ref is not named. */
static void
format_sent(struct call *c)
{
	const char	*comma = "";

	ph_buffer_adds(&c->answer, "{");
	if (!c->send.to_ref) {
		ph_buffer_adds(&c->answer, "\"recipient_id\":\"");
		ph_buffer_add_json(&c->answer, c->send.to);
		ph_buffer_adds(&c->answer, "\"");
		comma = ",";
	}
	if (c->send.message != NULL)
		ph_buffer_addf(&c->answer, "%s\"message_id\":\"m_%s\"", comma, c->id);
	ph_buffer_adds(&c->answer, "}");
}

static void
format_person(struct call *c)
{
	ph_buffer_adds(&c->answer, "{\"first_name\":\"Ann\",\"last_name\":\"Lee\",\"id\":\"");
	ph_buffer_add_json(&c->answer, c->send.to);
	ph_buffer_adds(&c->answer, "\"}");
}

static void
format_taken(struct call *c)
{
	if (c->is == CALL_PROFILE)
		format_person(c);
	else if (c->is == CALL_PASS)
		ph_buffer_adds(&c->answer, "{\"success\":true}");
	else
		format_sent(c);
}

static void
say_taken(struct call *c)
{
	format_taken(c);
	put_json(c, 200);
}

static void
say_error(struct call *c)
{
	const struct fault	*f = &c->fault;

	ph_buffer_adds(&c->answer, "{\"error\":{\"message\":\"");
	ph_buffer_adds(&c->answer, c->says != NULL ? c->says : "Refused as the control file asks");
	ph_buffer_addf(&c->answer, "\",\"type\":\"OAuthException\",\"code\":%d", f->args[0]);
	if (f->args[1] != 0)
		ph_buffer_addf(&c->answer, ",\"error_subcode\":%d", f->args[1]);
	if (f->transient)
		ph_buffer_adds(&c->answer, ",\"is_transient\":true");
	ph_buffer_addf(&c->answer, ",\"fbtrace_id\":\"A%s\"}}", c->id);
	put_json(c, 400);
}

static void
say_status(struct call *c)
{
	put(c, c->fault.args[0], "text/plain");
}

static void
say_later(struct call *c)
{
	poll(NULL, 0, c->fault.args[0]);
	say_taken(c);
}

static void
say_no_id(struct call *c)
{
	ph_buffer_adds(&c->answer, "{}");
	put_json(c, 200);
}

static void
say_garbage(struct call *c)
{
	ph_buffer_adds(&c->answer, "<!DOCTYPE html><title>Sorry</title><p>Something went wrong.\n");
	put(c, 200, "text/html");
}

static void
say_half(struct call *c)
{
	format_taken(c);
	c->answer.len /= 2;
	put_json(c, 200);
}

static void
say_huge(struct call *c)
{
	char	*room;

	ph_buffer_adds(&c->answer, "{\"filler\":\"");
	if ((room = ph_buffer_room(&c->answer, HUGE)) != NULL) {
		memset(room, 'x', HUGE);
		c->answer.len += HUGE;
	}
	ph_buffer_adds(&c->answer, "\"}");
	put_json(c, 200);
}

static void
say_elsewhere(struct call *c)
{
	FCGX_FPrintF(c->rq->out, "Status: 307\r\nLocation: %s\r\n\r\n",
	    FCGX_GetParam("REQUEST_URI", c->rq->envp));
}

/*
 * No answer.  If FastCGI merely ends, lighttpd answers 500 by itself; so an answer is begun and
 * broken off, which the client sees as a stream reset (HTTP/2) or a closed connection (HTTP/1.1).
 */
static void
cut(struct call *c)
{
	FCGX_PutS("Status: 200\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n",
	    c->rq->out);
	FCGX_FFlush(c->rq->out);
	shutdown(c->rq->ipcFd, SHUT_RDWR);
}

static void
hang(struct call *c)
{
	poll(NULL, 0, c->fault.args[0]);
	cut(c);
}

static void
say_given(struct call *c)
{
	ph_buffer_adds(&c->answer, c->fault.json);
	put_json(c, 200);
}

static void (*const answers[])(struct call *) = {
	[FAULT_NONE] = say_taken,
	[FAULT_ERROR] = say_error,
	[FAULT_STATUS] = say_status,
	[FAULT_DELAY] = say_later,
	[FAULT_HANG] = hang,
	[FAULT_NO_ID] = say_no_id,
	[FAULT_GARBAGE] = say_garbage,
	[FAULT_TRUNCATED] = say_half,
	[FAULT_HUGE] = say_huge,
	[FAULT_REDIRECT] = say_elsewhere,
	[FAULT_DROP] = cut,
	[FAULT_ANSWER] = say_given,
};

void
answer(struct call *c)
{
	answers[c->fault.kind](c);
}

void
answer_page(struct call *c)
{
	ph_buffer_addf(&c->answer, "{\"id\":\"%s\",\"name\":\"Stand-in\"}", c->page);
	put_json(c, 200);
}
