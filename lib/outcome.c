/*
 * outcome -- what became of a send: Graph's answer turned into what happens next.
 * Knows json.  Does not know queues, states or the network.
 * Called by turn, for each finished transfer.
 * Lives on the caller's stack.
 * SPDX-License-Identifier: ISC
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "outcome.h"

#define ANY	(-1)

/*
 * Clear words only; what is not here is tried again.  The pair is looked up first, then the code
 * alone.  Where a row is not Meta's documentation but experience, that is said.
 */
static const struct verdict {
	int64_t		 code, subcode;
	enum ph_outcome	 outcome;
} verdicts[] = {
	{ 1, 1357046, PH_SENT },	/* "invalid JSON reply", but the messages went out */
	{ 2, 2018344, PH_REFUSED },	/* label terms not accepted */
	{ 4, 2018354, PH_REFUSED },	/* marketing message too early (seen) */
	{ 9, 2018352, PH_REFUSED },	/* too many to this person (seen) */
	{ 10, 2018065, PH_REFUSED },	/* outside the allowed window (seen) */
	{ 10, 2018278, PH_REFUSED },	/* the same (seen) */
	{ 10, 2018108, PH_REFUSED },	/* this person cannot receive now (seen) */
	{ 100, ANY, PH_REFUSED },	/* invalid parameter, no such person, retired tag */
	{ 200, 1545041, PH_REFUSED },	/* person not available, blocked the page (seen) */
	{ 551, ANY, PH_REFUSED },	/* the same */
	{ 2018382, ANY, PH_REFUSED },	/* instant form (seen) */
	{ 10303, ANY, PH_REFUSED },	/* linking token (seen) */
	{ 10900, ANY, PH_REFUSED },	/* private reply done already */
	{ 10903, ANY, PH_REFUSED },	/* private reply not allowed */
};

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

static enum ph_outcome
look_up(int64_t code, int64_t subcode, bool transient)
{
	const struct verdict	*alone = NULL;
	size_t			 i;

	for (i = 0; i < sizeof(verdicts) / sizeof(verdicts[0]); i++) {
		if (verdicts[i].code != code)
			continue;
		if (verdicts[i].subcode == subcode)
			return verdicts[i].outcome;
		if (verdicts[i].subcode == ANY)
			alone = &verdicts[i];
	}
	return alone != NULL && !transient ? alone->outcome : PH_RETRY;
}

static void
judge_error(const struct ph_json *error, struct ph_result *out)
{
	bool	 transient;

	out->code = number(ph_json_get(error, "code"));
	out->subcode = number(ph_json_get(error, "error_subcode"));
	copy(out->trace, sizeof(out->trace), ph_json_text(ph_json_get(error, "fbtrace_id")));
	copy(out->why, sizeof(out->why), ph_json_text(ph_json_get(error, "message")));
	transient = ph_json_flag(ph_json_get(error, "is_transient"));
	out->outcome = look_up(out->code, out->subcode, transient);
	out->perhaps_taken = transient || out->code == 1 || out->code == 2 || out->code == 1200;
}

/* No word of Graph's in the body: whose answer it is must be guessed from the rest. */
static void
judge_silence(const struct ph_answer *a, struct ph_result *out)
{
	if (!a->handed || a->status == 429 || (a->status >= 300 && a->status < 500 && a->transport == NULL))
		out->outcome = PH_RETRY;	/* never asked, asked to wait, or a proxy speaks */
	else
		out->outcome = PH_UNSURE;
	if (a->transport != NULL)
		snprintf(out->why, sizeof(out->why), "%s", a->transport);
	else
		snprintf(out->why, sizeof(out->why), "HTTP %ld without a Graph answer", a->status);
}

void
ph_outcome_judge(const struct ph_answer *a, struct ph_result *out)
{
	struct ph_json		*tree = NULL;
	const struct ph_json	*error;
	struct ph_slice		 mid;

	*out = (struct ph_result){ .outcome = PH_UNSURE };
	if (a->body.len > 0 && a->transport == NULL)
		(void)!ph_json_parse(a->body, &tree, NULL);	/* not JSON: nobody's word */
	mid = ph_json_text(ph_json_get(tree, "message_id"));
	error = ph_json_get(tree, "error");
	if (mid.len > 0 && mid.len < sizeof(out->mid)) {
		out->outcome = PH_SENT;
		copy(out->mid, sizeof(out->mid), mid);
	} else if (ph_json_is_object(error))
		judge_error(error, out);
	else if (a->status == 200 && ph_json_flag(ph_json_get(tree, "success")))
		out->outcome = PH_SENT;		/* so Graph answers where no message is made */
	else
		judge_silence(a, out);
	ph_json_free(tree);
}

const char *
ph_outcome_name(enum ph_outcome outcome)
{
	static const char *const	 names[] = {
		[PH_SENT] = "sent", [PH_RETRY] = "retry", [PH_REFUSED] = "refused",
		[PH_UNSURE] = "unsure",
	};

	return names[outcome];
}
