/*
 * outcome -- what became of a send: Graph's answer turned into what happens next.
 * Knows json, scan, clock's units.  Does not know queues, states or the network.
 * Called by sending, for each finished transfer.
 * Lives on the caller's stack.
 * SPDX-License-Identifier: ISC
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "outcome.h"
#include "scan.h"

#define ANY		(-1)
#define LIMIT_MS	(60 * PH_SECOND_MS)	/* how long a limit is waited for that says nothing else */

/*
 * What each code means for what happens next.  The pair is looked up first, then the code alone; a
 * code that is not here is refused.  (seen): not Meta's documentation but other people's experience.
 */
static const struct verdict {
	int64_t		 code, to, subcode;	/* to: the last of a range of codes; 0: this one alone */
	int64_t		 wait_ms;
	enum ph_outcome	 outcome;
	int		 retries;
	enum ph_outcome	 then;
	bool		 page_waits;
} verdicts[] = {
#define REFUSED		0, PH_REFUSED, 0, PH_REFUSED, false
#define UNREACHABLE	0, PH_UNREACHABLE, 0, PH_REFUSED, false
#define PAGE(wait_ms)	wait_ms, PH_PAGE, 0, PH_PAGE, false
#define THREAD		0, PH_THREAD, 0, PH_THREAD, false
#define RETRY(n, then)	0, PH_RETRY, n, then, false
#define LIMIT		LIMIT_MS, PH_RETRY, 0, PH_RETRY, true
	{ 1, 0, 1357046, 0, PH_SENT, 0, PH_SENT, false },	/* "invalid JSON reply", but they went out */
	{ 1, 0, 99, RETRY(2, PH_PAGE) },	/* often a missing permission */
	{ 1, 0, ANY, RETRY(2, PH_REFUSED) },	/* unknown */
	{ 2, 0, 2018344, REFUSED },		/* label terms not accepted */
	{ 2, 0, ANY, RETRY(5, PH_UNREACHABLE) },	/* temporary; also when the person blocked the Page */
	{ 3, 0, ANY, PAGE(0) },			/* the app may not do this */
	{ 4, 0, 2018354, REFUSED },		/* marketing message too early (seen) */
	{ 4, 0, ANY, LIMIT },			/* of the app; 2018022 too (seen) */
	{ 9, 0, 2018352, REFUSED },		/* too many marketing messages to this person (seen) */
	{ 10, 0, 2018065, REFUSED },		/* outside the allowed window (seen) */
	{ 10, 0, 2018278, REFUSED },		/* the same (seen) */
	{ 10, 0, 2018108, UNREACHABLE },	/* this person cannot receive now (seen) */
	{ 10, 0, 2018300, THREAD },		/* another app controls the thread (seen) */
	{ 10, 0, 1893063, PAGE(30 * PH_MINUTE_MS) },	/* temporarily restricted, since 2026-06-25 */
	{ 10, 0, ANY, PAGE(0) },		/* permission or role missing, app not live */
	{ 17, 0, ANY, LIMIT },			/* of the user */
	{ 32, 0, ANY, LIMIT },			/* of the Page; from memory */
	{ 100, 0, 33, UNREACHABLE },		/* this id is not known to this token */
	{ 100, 0, 2018001, UNREACHABLE },	/* no such person (seen) */
	{ 100, 0, 2018032, REFUSED },		/* empty message (seen) */
	{ 100, 0, 2018034, REFUSED },		/* the same (seen) */
	{ 100, 0, 2018109, REFUSED },		/* attachment too large (seen) */
	{ 100, 0, ANY, REFUSED },		/* invalid parameter, retired tag; wrong appsecret_proof, too */
	{ 102, 0, ANY, PAGE(0) },		/* session expired */
	{ 190, 0, ANY, PAGE(0) },		/* token expired or revoked, password changed: 460, 463, 467 */
	{ 200, 0, 1545041, UNREACHABLE },	/* person not available, blocked the Page (seen) */
	{ 200, 299, ANY, PAGE(0) },		/* permissions */
	{ 368, 0, ANY, PAGE(0) },		/* blocked for policy; from memory */
	{ 508, 0, 2534122, RETRY(2, PH_REFUSED) },	/* link cannot be shared, says is_transient (seen) */
	{ 551, 0, 1545041, UNREACHABLE },	/* person not available, blocked the Page (seen) */
	{ 551, 0, ANY, UNREACHABLE },		/* person not available (seen) */
	{ 613, 0, ANY, LIMIT },			/* calls to this Page */
	{ 1200, 0, ANY, RETRY(0, PH_RETRY) },	/* temporary send failure (seen) */
	{ 2022, 0, ANY, PAGE(PH_DAY_MS) },	/* Page blocked after reports (seen) */
	{ 10303, 0, ANY, REFUSED },		/* linking token (seen) */
	{ 10900, 0, ANY, REFUSED },		/* private reply done already; from memory */
	{ 10903, 0, ANY, REFUSED },		/* private reply not allowed; from memory */
	{ 80000, 80014, ANY, LIMIT },		/* business use case; from memory */
	{ 2018382, 0, ANY, REFUSED },		/* instant form (seen) */
};

static const struct verdict	 unknown = { 0, 0, ANY, REFUSED };
static const struct verdict	 transient_first = { 0, 0, ANY, RETRY(2, PH_REFUSED) };
static const struct verdict	 never_asked = { 0, 0, ANY, RETRY(0, PH_RETRY) };
static const struct verdict	 not_graph = { 0, 0, ANY, PAGE(0) };
static const struct verdict	 asked_to_wait = { 0, 0, ANY, LIMIT };
static const struct verdict	 a_proxy = { 0, 0, ANY, RETRY(3, PH_PAGE) };
static const struct verdict	 nobody_knows = { 0, 0, ANY, 0, PH_UNSURE, 0, PH_UNSURE, false };

/* Codes are numbers, and numbers as text. */
static int64_t
number(const struct ph_json *v)
{
	char		 digits[PH_JSON_DIGITS];
	struct ph_slice	 id = ph_json_id(v, digits);

	return id.at != NULL ? strtoll(id.at, NULL, 10) : 0;
}

static void
copy(char *out, size_t size, struct ph_slice text)
{
	snprintf(out, size, "%.*s", (int)text.len, text.at != NULL ? text.at : "");
}

static void
take(const struct verdict *v, struct ph_result *out)
{
	out->outcome = v->outcome;
	out->retries = v->retries;
	out->then = v->then;
	out->wait_ms = v->wait_ms;
	out->page_waits = v->page_waits;
}

/* Graph says "transient" of what is refused, too; only a pair that is known is believed at once. */
static void
look_up(int64_t code, int64_t subcode, bool transient, struct ph_result *out)
{
	const struct verdict	*v, *alone = &unknown;

	for (v = verdicts; v < verdicts + sizeof(verdicts) / sizeof(verdicts[0]); v++) {
		if (v->to != 0 ? code < v->code || code > v->to : code != v->code)
			continue;
		if (v->subcode == subcode) {
			take(v, out);
			return;
		}
		if (v->subcode == ANY && alone == &unknown)
			alone = v;
	}
	take(alone, out);
	if (!transient || (alone->outcome != PH_REFUSED && alone->outcome != PH_UNREACHABLE))
		return;
	take(&transient_first, out);
	out->then = alone->outcome;
}

static void
judge_error(const struct ph_json *error, struct ph_result *out)
{
	bool	 transient = ph_json_flag(ph_json_get(error, "is_transient"));

	out->code = number(ph_json_get(error, "code"));
	out->subcode = number(ph_json_get(error, "error_subcode"));
	copy(out->trace, sizeof(out->trace), ph_json_text(ph_json_get(error, "fbtrace_id")));
	copy(out->why, sizeof(out->why), ph_json_text(ph_json_get(error, "message")));
	look_up(out->code, out->subcode, transient, out);
	out->perhaps_taken = transient || out->code == 1 || out->code == 2 || out->code == 1200;
}

/* JSON without the blanks between its values; nothing when that does not fit. */
static void
copy_raw(char *out, size_t size, struct ph_slice json)
{
	bool	 inside = false;
	size_t	 i, n = 0;

	for (i = 0; i < json.len && n + 2 < size; i++) {
		if (inside && json.at[i] == '\\')
			out[n++] = json.at[i++];
		else if (json.at[i] == '"')
			inside = !inside;
		if (inside || strchr(" \t\r\n", json.at[i]) == NULL)
			out[n++] = json.at[i];
	}
	out[i == json.len ? n : 0] = '\0';
}

static void
keep_error(struct ph_slice body, struct ph_result *out)
{
	struct ph_scan	 scan;
	struct ph_slice	 key, value;

	ph_scan_begin(&scan, body);
	if (!ph_scan_enter(&scan, '{'))
		return;
	while (ph_scan_member(&scan, &key)) {
		ph_scan_skip(&scan, &value);
		if (scan.err == PH_OK && ph_scan_key_is(key, "error"))
			copy_raw(out->error, sizeof(out->error), value);
	}
}

/*
 * Graph's usual answer, read without a tree: JSON whose message_id is a string without escapes.  What
 * is less plain than that is parsed.
 */
static bool
is_plainly_sent(const struct ph_answer *a, struct ph_result *out)
{
	struct ph_scan	 scan;
	struct ph_slice	 mid;

	if (a->body.len == 0 || a->transport != NULL)
		return false;
	ph_scan_begin(&scan, a->body);
	ph_scan_skip(&scan, NULL);
	if (ph_scan_end(&scan, NULL) != PH_OK)
		return false;
	mid = ph_scan_find(a->body, "message_id");
	if (mid.at == NULL || mid.at[0] != '"')
		return false;
	mid = ph_json_plain_id(mid);
	if (mid.len == 0 || mid.len >= sizeof(out->mid))
		return false;
	out->outcome = PH_SENT;
	copy(out->mid, sizeof(out->mid), mid);
	return true;
}

/* No word of Graph's in the body: whose answer it is must be guessed from the rest. */
static void
judge_silence(const struct ph_answer *a, struct ph_result *out)
{
	const struct verdict	*v = &nobody_knows;

	if (a->transport != NULL)
		snprintf(out->why, sizeof(out->why), "%s", a->transport);
	else
		snprintf(out->why, sizeof(out->why), "HTTP %ld without a Graph answer", a->status);
	if (!a->handed)
		v = a->distrusted ? &not_graph : &never_asked;
	else if (a->transport == NULL && a->status == 429)
		v = &asked_to_wait;
	else if (a->transport == NULL && a->status >= 300 && a->status < 500)
		v = &a_proxy;
	take(v, out);
}

void
ph_outcome_judge(const struct ph_answer *a, struct ph_result *out)
{
	struct ph_json		*tree = NULL;
	const struct ph_json	*error;
	struct ph_slice		 mid;

	*out = (struct ph_result){ .outcome = PH_UNSURE, .usage = a->usage,
	    .status = a->status };
	if (is_plainly_sent(a, out))
		return;
	if (a->body.len > 0 && a->transport == NULL)
		(void)!ph_json_parse(a->body, &tree, NULL);	/* not JSON: nobody's word */
	mid = ph_json_text(ph_json_get(tree, "message_id"));
	error = ph_json_get(tree, "error");
	if (mid.len > 0 && mid.len < sizeof(out->mid)) {
		out->outcome = PH_SENT;
		copy(out->mid, sizeof(out->mid), mid);
	} else if (ph_json_is_object(error)) {
		judge_error(error, out);
		keep_error(a->body, out);
	} else if (a->status == 200 && ph_json_flag(ph_json_get(tree, "success")))
		out->outcome = PH_SENT;		/* so Graph answers where no message is made */
	else
		judge_silence(a, out);
	if (a->retry_after_ms > 0 && out->outcome == PH_RETRY)
		out->wait_ms = a->retry_after_ms;
	ph_json_free(tree);
}

const char *
ph_outcome_name(enum ph_outcome outcome)
{
	static const char *const	 names[] = {
		[PH_SENT] = "sent", [PH_RETRY] = "retry", [PH_REFUSED] = "refused",
		[PH_UNREACHABLE] = "unreachable", [PH_PAGE] = "page", [PH_THREAD] = "thread",
		[PH_UNSURE] = "unsure",
	};

	return names[outcome];
}
