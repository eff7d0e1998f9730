/*
 * graph -- the Graph stand-in: plays graph.facebook.com to the helper under test.
 * Knows send, faults, answer, echo.  Does not know the store, the queue or the webhook's events.
 * Called by lighttpd over FastCGI; lighttpd.conf.in puts TLS and HTTP/2 before it.
 * Lives in a few threads, each with a call of its own; lighttpd ends it.
 * SPDX-License-Identifier: ISC
 *
 * It is set up by the environment:
 *
 *	GRAPH_PAGE, GRAPH_TOKEN, GRAPH_SECRET   the page, its access token, the app's secret; of
 *	                                        several pages: the ids and, in the same order, the
 *	                                        tokens, separated by commas
 *	GRAPH_LEDGER                            a file: one line of JSON for each POST and each GET
 *	                                        of a person's profile, written before the answer;
 *	                                        tests count what arrived by it
 *	GRAPH_CONTROL                           a file of faults, see faults.h; may be absent
 *	GRAPH_ECHO_URL, GRAPH_APP_ID            the webhook to send echoes to, and what they bear;
 *	                                        without the URL there are none
 *
 * A line of the ledger: at (Unix ms of arrival), at_us (the same in us), call ("messages",
 * "pass_thread_control", "profile"), page, to, text, metadata, action (not null: a sender_action,
 * which is no message), outcome ("sent", "error 613", "status 500", "drop" ..), mid, connection, body (the message object;
 * of pass_thread_control all of it).  What is absent is null; "user_ref":true is there when `to` is
 * one.  "sent" means taken, whatever the answer was.
 */
#include <sys/prctl.h>

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "answer.h"
#include "echo.h"
#include "hex.h"
#include "query.h"
#include "signature.h"

#define N_THREADS	32		/* a delayed answer holds one of them */
#define MAX_BODY	(1 << 20)
#define MAX_PAGES	32

struct page {
	const char	*id, *token;
	char		 proof[PH_SIGNATURE_LEN + 1];
};

struct graph {
	struct page	 pages[MAX_PAGES];
	size_t		 n_pages;
	const char	*secret;
	int		 ledger;
	struct faults	*faults;
	struct echo	*echo;		/* NULL: no echoes */
};

static const char *
param(const struct call *c, const char *name)
{
	const char	*value = FCGX_GetParam(name, c->rq->envp);

	return value != NULL ? value : "";
}

static void
make_id(char out[ID_LEN + 1])
{
	unsigned char	 bytes[ID_LEN / 2];

	if (ph_signature_random(bytes, sizeof(bytes), NULL) != PH_OK)
		abort();		/* an id twice would spoil every count */
	ph_hex_format(bytes, sizeof(bytes), out);
}

/* What Graph thinks of a request. */

static void
refuse(struct call *c, int code, int subcode, const char *says)
{
	c->fault = (struct fault){ FAULT_ERROR, { code, subcode }, false, false, "", "" };
	c->says = says;
}

static bool
has(const struct call *c, const char *name, const char *value)
{
	char	 offered[1024];

	return ph_query_get(param(c, "QUERY_STRING"), name, offered, sizeof(offered)) == PH_OK &&
	    strcmp(offered, value) == 0;
}

/* The page whose token is offered. */
static const struct page *
bearer(const struct graph *g, const struct call *c)
{
	char	 offered[1024];
	size_t	 i;

	if (ph_query_get(param(c, "QUERY_STRING"), "access_token", offered, sizeof(offered)) != PH_OK)
		return NULL;
	for (i = 0; i < g->n_pages; i++)
		if (strcmp(offered, g->pages[i].token) == 0)
			return &g->pages[i];
	return NULL;
}

static bool
admit(const struct graph *g, struct call *c, const char *edge)
{
	const struct page	*p = bearer(g, c);
	const char		*whom = c->is == CALL_PROFILE ? c->person : c->page;

	if (c->is == CALL_PROFILE && p != NULL)
		snprintf(c->page, sizeof(c->page), "%s", p->id);
	if (*whom == '\0' || strcmp(c->edge, edge) != 0)
		refuse(c, 2500, 0, "Unknown path components");
	else if (p == NULL)
		refuse(c, 190, 0, "Invalid OAuth access token - Cannot parse access token");
	else if (!has(c, "appsecret_proof", p->proof))
		refuse(c, 100, 0, "Invalid appsecret_proof provided in the API argument");
	else if (strcmp(c->page, p->id) != 0)
		refuse(c, 100, 33, "Unsupported request. Object with this ID does not exist, "
		    "cannot be loaded due to missing permissions");
	return c->fault.kind == FAULT_NONE;
}

static void
suffer(const struct graph *g, struct call *c)
{
	static const char *const	 names[] = {
		[CALL_MESSAGE] = "messages",
		[CALL_ACTION] = "action",
		[CALL_PASS] = "pass_thread_control",
		[CALL_PROFILE] = "profile",
	};

	c->fault = faults_next(g->faults, names[c->is], c->send.to, c->send.text);
}

static const char *
read_send(struct call *c)
{
	const char	*says;

	if (c->is == CALL_PASS)
		return send_parse_pass(&c->send, PH_SLICE(&c->body));
	says = send_parse(&c->send, PH_SLICE(&c->body));
	if (c->send.action.at != NULL)
		c->is = CALL_ACTION;
	return says;
}

static void
judge(const struct graph *g, struct call *c)
{
	const char	*says = read_send(c);
	const char	*type = param(c, "CONTENT_TYPE");

	if (!admit(g, c, c->is == CALL_PASS ? "pass_thread_control" : "messages"))
		return;
	if (strncmp(type, "application/json", 16) != 0 || strchr("; ", type[16]) == NULL)
		refuse(c, 100, 0, "(#100) Content-Type must be application/json");
	else if (says != NULL)
		refuse(c, 100, 0, says);
	else
		suffer(g, c);
}

static void
judge_profile(const struct graph *g, struct call *c)
{
	c->send.to = (struct ph_slice){ c->person, strlen(c->person) };
	if (admit(g, c, ""))
		suffer(g, c);
}

/* The ledger. */

static void
add(struct ph_buffer *b, const char *name, struct ph_slice value)
{
	ph_buffer_addf(b, ",\"%s\":%s", name, value.at != NULL ? "\"" : "null");
	if (value.at != NULL) {
		ph_buffer_add_json(b, value);
		ph_buffer_adds(b, "\"");
	}
}

static struct ph_slice
text(const char *s)
{
	return (struct ph_slice){ *s != '\0' ? s : NULL, strlen(s) };
}

static void
add_outcome(struct ph_buffer *b, const struct fault *f)
{
	if (f->taken)
		add(b, "outcome", text(fault_name(FAULT_NONE)));
	else if (f->args[0] != 0)
		ph_buffer_addf(b, ",\"outcome\":\"%s %d\"", fault_name(f->kind), f->args[0]);
	else
		add(b, "outcome", text(fault_name(f->kind)));
}

static void
note(const struct graph *g, const struct call *c)
{
	struct ph_buffer	 b = PH_BUFFER_INIT;
	const struct send	*s = &c->send;

	ph_buffer_addf(&b, "{\"at\":%lld,\"at_us\":%lld", (long long)c->at_us / 1000, (long long)c->at_us);
	add(&b, "call", text(c->is == CALL_PROFILE ? "profile" : c->edge));
	add(&b, "page", text(c->page));
	add(&b, "to", s->to);
	if (s->to.at != NULL && s->to_ref)
		ph_buffer_adds(&b, ",\"user_ref\":true");
	add(&b, "text", s->text);
	add(&b, "metadata", s->metadata);
	add(&b, "action", s->action);
	add_outcome(&b, &c->fault);
	add(&b, "mid", text(c->mid));
	ph_buffer_addf(&b, ",\"connection\":\"%s:%s\",\"body\":%s}\n", param(c, "REMOTE_ADDR"),
	    param(c, "REMOTE_PORT"), json_object_to_json_string_ext(c->is == CALL_PASS ? s->json :
	    s->message, JSON_C_TO_STRING_PLAIN));
	if (b.failed || write(g->ledger, b.data, b.len) != (ssize_t)b.len)
		abort();		/* a ledger with gaps proves nothing */
	ph_buffer_clear(&b);
}

/* A call. */

static void
take(const struct graph *g, struct call *c)
{
	if (c->is == CALL_PROFILE)
		judge_profile(g, c);
	else
		judge(g, c);
	if (c->fault.taken && c->send.message != NULL)
		snprintf(c->mid, sizeof(c->mid), "m_%s", c->id);
	note(g, c);		/* from here on it has reached Graph, whatever the answer */
	if (c->mid[0] != '\0' && !c->send.to_ref && g->echo != NULL)
		echo_send(g->echo, c->page, c->mid, &c->send);
	answer(c);
}

static void
read_body(struct call *c)
{
	char	 piece[4096];
	int	 n;

	while (c->body.len < MAX_BODY && (n = FCGX_GetStr(piece, sizeof(piece), c->rq->in)) > 0)
		ph_buffer_add(&c->body, piece, (size_t)n);
}

/* A page has no first name, so who asks for one means a person. */
static bool
asks_for_person(const struct call *c)
{
	char	 fields[1024];

	return ph_query_get(param(c, "QUERY_STRING"), "fields", fields, sizeof(fields)) == PH_OK &&
	    (strstr(fields, "first_name") != NULL || strstr(fields, "last_name") != NULL);
}

static int64_t
now_us(void)
{
	struct timespec	 ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

static void
play(const struct graph *g, FCGX_Request *rq)
{
	struct call	 c = { .rq = rq, .at_us = now_us(), .send = SEND_INIT };
	const char	*method = param(&c, "REQUEST_METHOD");

	make_id(c.id);
	(void)sscanf(param(&c, "REQUEST_URI"), "/v%*[0-9].%*[0-9]/%63[^/?]/%63[^?]",
	    c.page, c.edge);
	if (strcmp(method, "POST") == 0) {
		c.is = strcmp(c.edge, "pass_thread_control") == 0 ? CALL_PASS : CALL_MESSAGE;
		read_body(&c);
		take(g, &c);
	} else if (strcmp(method, "GET") == 0 && asks_for_person(&c)) {
		c.is = CALL_PROFILE;
		memcpy(c.person, c.page, sizeof(c.person));
		c.page[0] = '\0';
		take(g, &c);
	} else if (strcmp(method, "GET") != 0) {
		refuse(&c, 100, 0, "Unsupported request - method type");
		answer(&c);
	} else if (admit(g, &c, ""))
		answer_page(&c);
	else
		answer(&c);
	send_clear(&c.send);
	ph_buffer_clear(&c.body);
	ph_buffer_clear(&c.answer);
}

static void *
serve(void *arg)
{
	FCGX_Request	 rq;

	FCGX_InitRequest(&rq, 0, 0);
	while (FCGX_Accept_r(&rq) == 0) {
		play(arg, &rq);
		FCGX_Finish_r(&rq);
	}
	return NULL;
}

static const char *
need(const char *name)
{
	const char	*value = getenv(name);

	if (value != NULL && *value != '\0')
		return value;
	fprintf(stderr, "graph: %s is not set\n", name);
	exit(78);
}

/* Both lists are kept, cut at their commas, until the program ends. */
static bool
learn_pages(struct graph *g)
{
	char	*ids = strdup(need("GRAPH_PAGE")), *tokens = strdup(need("GRAPH_TOKEN"));

	while (ids != NULL && tokens != NULL && g->n_pages < MAX_PAGES) {
		struct page	*p = &g->pages[g->n_pages++];

		p->id = strsep(&ids, ",");
		p->token = strsep(&tokens, ",");
		if (*p->id == '\0' || *p->token == '\0' ||
		    ph_signature_format(g->secret, text(p->token), p->proof, NULL) != PH_OK)
			return false;
	}
	return ids == NULL && tokens == NULL && g->n_pages > 0;
}

static void
set_up(struct graph *g)
{
	const char	*url = getenv("GRAPH_ECHO_URL");

	g->secret = need("GRAPH_SECRET");
	if (!learn_pages(g)) {
		fprintf(stderr, "graph: GRAPH_PAGE and GRAPH_TOKEN: lists of one length, "
		    "%d pages at most\n", MAX_PAGES);
		exit(78);
	}
	g->ledger = open(need("GRAPH_LEDGER"), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
	g->faults = faults_new(getenv("GRAPH_CONTROL"));
	if (url != NULL && *url != '\0')
		g->echo = echo_new(url, need("GRAPH_APP_ID"), g->secret);
	else
		url = NULL;
	if (g->ledger == -1 || g->faults == NULL || (url != NULL && g->echo == NULL)) {
		perror("graph: cannot start");
		exit(71);
	}
}

int
main(void)
{
	static struct graph	 g;
	pthread_t		 thread;
	int			 i;

	prctl(PR_SET_PDEATHSIG, SIGTERM);	/* a killed lighttpd leaves nobody behind */
	setenv("LIBFCGI_OS_CLOSE_POLL_TIMEOUT", "0", 1);	/* no wait for lighttpd's close */
	signal(SIGPIPE, SIG_IGN);
	set_up(&g);
	FCGX_Init();
	for (i = 1; i < N_THREADS; i++)
		if (pthread_create(&thread, NULL, serve, &g) != 0)
			return 71;
	serve(&g);
	_exit(0);	/* SIGTERM; exit(3) would clean up OpenSSL under the other threads */
}
