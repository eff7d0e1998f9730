/*
 * front -- proves who sent it, hands it over, answers.
 * Knows request, mount, signature, query.  Does not know JSON, the store or Graph.
 * Called by main.
 * Lives as one value a thread, sharing nothing with the others.
 * SPDX-License-Identifier: ISC
 */
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "front.h"
#include "log.h"
#include "mount.h"
#include "query.h"
#include "request.h"
#include "signature.h"

#define BATCH_BYTES	(1u << 20)	/* a batch ends here or at PH_WIRE_BATCH requests */
#define MAX_ANSWER	1024		/* of a challenge; Meta's has ten digits */
#define SPOOL_BY_MS	4000		/* of Meta's 5 s */
#define UNREAD_MAX	(4u << 20)	/* thrown away of a request whose settings are unknown */

/* A page with the asker's words in it: no browser takes them for more, no cache keeps them. */
#define GUARDED	"Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n" \
	"Content-Security-Policy: default-src 'none'\r\n"

enum { PARKED = 0 };			/* instead of an HTTP status: wait for the helper's verdict */

struct front {
	struct mounts	*mounts;
	struct mount	*mount;				/* whose deliveries are parked */
	struct request	*requests[PH_WIRE_BATCH + 1];	/* the parked ones first, then the current one */
	enum ph_verdict	 verdicts[PH_WIRE_BATCH];
	size_t		 n_parked, parked_len;
};

int
front_threads(const char *name)
{
	struct ph_conf_from	 from = { name, NULL };
	struct ph_conf		*conf;
	int			 n = 2;

	if (ph_conf_load(&from, &conf, NULL) == PH_OK)
		n = (int)conf->threads;
	ph_conf_free(conf);
	return n;
}

struct front *
front_new(const char *name)
{
	struct front	*f = calloc(1, sizeof(*f));
	size_t		 i;

	if (f == NULL || (f->mounts = mounts_new(name)) == NULL) {
		front_free(f);
		return NULL;
	}
	for (i = 0; i <= PH_WIRE_BATCH; i++)
		if ((f->requests[i] = request_new()) == NULL) {
			front_free(f);
			return NULL;
		}
	return f;
}

void
front_free(struct front *f)
{
	size_t	 i;

	if (f == NULL)
		return;
	for (i = 0; i <= PH_WIRE_BATCH; i++)
		request_free(f->requests[i]);
	mounts_free(f->mounts);
	free(f);
}

static void
refused(const struct request *rq, int status, const char *why)
{
	struct ph_buffer	 fields = PH_BUFFER_INIT;
	const char		*from = request_get(rq, "REMOTE_ADDR");

	ph_log_number(&fields, "status", status);
	ph_log_text(&fields, "why", why);
	if (from != NULL)
		ph_log_text(&fields, "from", from);
	ph_log(PH_WARN, "refused", &fields);
	ph_buffer_clear(&fields);
}

/* Meta's handshake, or a page that does not exist.  The challenge goes to answer. */
static int
shake_hands(const struct ph_conf *conf, struct request *rq, char answer[MAX_ANSWER + 1])
{
	const char	*query = request_get(rq, "QUERY_STRING"), *why = NULL;
	char		 mode[32], token[MAX_ANSWER + 1];

	if (query == NULL || !ph_query_has(query, "hub."))
		return 404;
	if (ph_query_get(query, "hub.mode", mode, sizeof(mode)) != PH_OK ||
	    strcmp(mode, "subscribe") != 0)
		why = "hub.mode is not subscribe";
	else if (ph_query_get(query, "hub.verify_token", token, sizeof(token)) != PH_OK)
		why = "hub.verify_token is missing or malformed";
	else if (!ph_signature_same(token, conf->verify_token) &&
	    (conf->verify_token_previous == NULL ||
	    !ph_signature_same(token, conf->verify_token_previous)))
		why = "hub.verify_token is not MESSENGER_VERIFY_TOKEN";
	else if (ph_query_get(query, "hub.challenge", answer, MAX_ANSWER + 1) != PH_OK ||
	    answer[0] == '\0')
		why = "hub.challenge is missing or malformed";
	ph_signature_wipe(token, sizeof(token));
	if (why != NULL) {
		answer[0] = '\0';
		refused(rq, 403, why);
		return 403;
	}
	ph_log_say(PH_INFO, "verify", "handshake answered");
	return 200;
}

/* What a refusal counts as. */
static enum ph_refusal
name_refusal(int status)
{
	switch (status) {
	case 400:
		return PH_BROKEN_BODY;
	case 401:
		return PH_MISMATCH;
	case 404:
		return PH_FOREIGN_OBJECT;
	case 413:
		return PH_LONG_BODY;
	default:
		return PH_NOT_KEPT;
	}
}

/* Who does not even sign is somebody else, whatever else is wrong: Meta's webhook does not suffer. */
static enum ph_refusal
name_unproved(int status, const char *signature)
{
	if (status != 503 && signature == NULL)
		return PH_UNSIGNED;
	if (status != 503 && !ph_signature_is_formed(signature))
		return PH_MISFORMED;
	return name_refusal(status);
}

static int
refuse(const struct request *rq, const struct ph_fail *fail)
{
	static const struct { enum ph_error err; int status; } statuses[] = {
		{ PH_MALFORMED, 400 }, { PH_FORGED, 401 }, { PH_TOOBIG, 413 },
		{ PH_NOMEM, 503 }, { PH_CONFIG, 503 }, { PH_BROKEN, 503 },
	};
	size_t	 i;

	for (i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++)
		if (statuses[i].err == fail->err) {
			refused(rq, statuses[i].status, fail->text);
			return statuses[i].status;
		}
	return 503;
}

/* An HTTP status, or PARKED.  Nothing is parsed before the signature holds. */
static int
judge_delivery(struct mount *m, struct request *rq)
{
	const struct ph_secrets	 secrets = { m->conf->app_secret, m->conf->app_secret_previous };
	const char		*signature = request_get(rq, "HTTP_X_HUB_SIGNATURE_256");
	struct ph_fail		 fail = PH_FAIL_INIT;
	int			 status;

	if (request_read_body(rq, (size_t)m->conf->max_body, &fail) == PH_OK &&
	    ph_signature_check(&secrets, request_body(rq), signature, &fail) == PH_OK)
		return PARKED;
	status = refuse(rq, &fail);
	mount_refused(m, name_unproved(status, signature));
	return status;
}

static int
judge(struct mount *m, struct request *rq, char challenge[MAX_ANSWER + 1])
{
	if (mount_is_ready(m) && request_is(rq, "POST"))
		return judge_delivery(m, rq);
	request_skip_body(rq, UNREAD_MAX);
	if (!mount_is_ready(m))
		return 503;			/* what is missing was said once, by name */
	if (request_is(rq, "GET") || request_is(rq, "HEAD"))
		return shake_hands(m->conf, rq, challenge);
	return 405;
}

static void
reply(struct request *rq, int status, const char *body, const char *headers)
{
	struct answer	 answer = { status, headers, { body, strlen(body) } };

	if (status == 405)
		answer.headers = "Allow: GET, HEAD, POST\r\n";
	else if (status == 503)
		answer.headers = "Retry-After: 60\r\n";
	request_answer(rq, &answer);
}

/* Helper first, spool second; what neither can keep stays Meta's. */
static void
hand_over(struct front *f)
{
	struct ph_slice	 bodies[PH_WIRE_BATCH];
	struct ph_fail	 fail = PH_FAIL_INIT;
	int64_t		 began = 0;
	size_t		 i;

	if (f->n_parked == 0)
		return;
	for (i = 0; i < f->n_parked; i++) {
		bodies[i] = request_body(f->requests[i]);
		if (i == 0 || request_began(f->requests[i]) < began)
			began = request_began(f->requests[i]);
	}
	if (mount_ask(f->mount, bodies, f->n_parked, f->verdicts, began, &fail) != PH_OK)
		ph_log_fail("helper", &fail);
	for (i = 0; i < f->n_parked; i++)
		if (f->verdicts[i] == PH_LATER || f->verdicts[i] == PH_FULL)
			f->verdicts[i] = mount_spool(f->mount, bodies[i], began + SPOOL_BY_MS);
}

static int
status_of(enum ph_verdict verdict)
{
	switch (verdict) {
	case PH_KEPT:
		return 200;
	case PH_UNWANTED:
		return 404;
	case PH_UNREADABLE:
		return 400;
	case PH_LATER: case PH_FULL:
	default:			/* a byte that no helper of this version sends */
		return 503;
	}
}

static void
answer(struct front *f)
{
	size_t	 i;

	for (i = 0; i < f->n_parked; i++) {
		const int	 status = status_of(f->verdicts[i]);

		reply(f->requests[i], status, status == 200 ? "EVENT_RECEIVED" : "", "");
		if (status != 200)
			mount_refused(f->mount, name_refusal(status));
	}
	f->n_parked = f->parked_len = 0;
	f->mount = NULL;
}

/* Judges the current request; answers it at once or parks it. */
static void
receive(struct front *f, struct request *rq)
{
	struct mount	*m = mounts_find(f->mounts, rq, f->mount);
	char		 challenge[MAX_ANSWER + 1] = "";
	int		 status = judge(m, rq, challenge);
	size_t		 at;

	if (status != PARKED) {
		reply(rq, status, challenge, GUARDED);
		if (status == 200)
			mount_wake(m);		/* the right token is proof enough to start a helper */
		return;
	}
	at = f->n_parked;
	if (f->mount != NULL && f->mount != m) {	/* a batch goes to one helper */
		hand_over(f);
		answer(f);
		f->requests[at] = f->requests[0];
		f->requests[0] = rq;
	}
	request_drop_variables(rq);
	f->mount = m;
	f->n_parked++;
	f->parked_len += request_body(rq).len;
}

/* Accepts all that wait; what would have to be waited for is left for the next turn. */
static enum ph_error
gather(struct front *f, struct ph_fail *fail)
{
	enum ph_error	 err = PH_OK;
	size_t		 i;

	for (i = 0; i < PH_WIRE_BATCH && f->parked_len < BATCH_BYTES; i++) {
		struct request	*rq = f->requests[f->n_parked];

		if ((err = request_accept(rq, f->n_parked == 0, fail)) != PH_OK)
			break;
		receive(f, rq);
	}
	return i > 0 || err == PH_BUSY ? PH_OK : err;
}

enum ph_error
front_turn(struct front *f, struct ph_fail *fail)
{
	struct request	*late;
	size_t		 n;

	if (gather(f, fail) != PH_OK)		/* accept all that wait; judge each */
		return fail->err != PH_OK ? fail->err : PH_NONE;
	n = f->n_parked;
	hand_over(f);				/* one write for all that are parked, one verdict each */
	answer(f);				/* 200 only for what is on disk */
	late = f->requests[n];			/* accepted, but it had not said all: it is next */
	f->requests[n] = f->requests[0];
	f->requests[0] = late;
	return PH_OK;
}

void
front_finish(struct front *f)
{
	struct ph_fail	 fail = PH_FAIL_INIT;

	if (!request_is_open(f->requests[0]) || request_accept(f->requests[0], true, &fail) != PH_OK)
		return;
	receive(f, f->requests[0]);
	hand_over(f);
	answer(f);
}

void
front_answer_cgi(struct front *f)
{
	request_from_cgi(f->requests[0]);
	receive(f, f->requests[0]);
	hand_over(f);
	answer(f);
}
