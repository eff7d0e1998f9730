/*
 * status -- "pagehook status": how it is going, told by the helper, or from what lies on disk.
 * Knows ask, survey, status, pages.  Does not know what is worth a warning.
 * Called by pagehook.c.
 * Lives for one command.
 * SPDX-License-Identifier: ISC
 */
#include <stdio.h>
#include <sysexits.h>

#include "ask.h"
#include "survey.h"
#include "verb.h"

/* PH_NONE: no helper runs.  Any other failure is told in fail. */
static enum ph_error
ask_helper(const struct call *call, struct ph_buffer *out, struct ph_fail *fail)
{
	const bool		 json = option(call, "json") != NULL;
	struct ask		 ask = ASK_INIT;
	struct ph_buffer	 order = PH_BUFFER_INIT;
	struct ph_json		*answer = NULL;
	struct ph_slice		 lines;
	enum ph_error		 err;

	ph_buffer_addf(&order, "{\"do\":\"status\",\"as\":\"%s\"}", json ? "json" : "lines");
	if ((err = ask_reach(&ask, call->conf, fail)) == PH_OK)
		err = ask_answer(&ask, &order, &answer, fail);
	lines = ph_json_text(ph_json_get(answer, "lines"));
	if (err == PH_OK && json)
		ph_buffer_addf(out, "%s\n", PH_SLICE(&ask.answer).at);
	else if (err == PH_OK)
		ph_buffer_add(out, lines.at, lines.len);
	ph_json_free(answer);
	ph_buffer_clear(&order);
	ask_close(&ask);
	return err;
}

static void
look(const struct call *call, const struct ph_fail *unanswered, struct ph_buffer *out)
{
	struct ph_fail		 fail = PH_FAIL_INIT;
	struct ph_pages		*pages;
	struct ph_status	 status;

	if (ph_pages_load(call->conf, &pages, &fail) != PH_OK)
		(void)complain(&fail);
	ph_survey(call->conf->state, pages, &status);
	snprintf(status.unanswered, sizeof(status.unanswered), "%s", unanswered->text);
	if (option(call, "json") != NULL) {
		ph_status_format_json(&status, out);
		ph_buffer_adds(out, "\n");
	} else
		ph_status_format_lines(&status, out);
	ph_pages_free(pages);
}

int
status_run(const struct call *call)
{
	struct ph_buffer	 out = PH_BUFFER_INIT;
	struct ph_fail		 fail = PH_FAIL_INIT;
	int			 status;

	if (call->argc > 0)
		return usage("status takes no words, but got ", call->argv[0]);
	if ((status = become_owner(call)) != EX_OK)
		return status;
	if (ask_helper(call, &out, &fail) != PH_OK)
		look(call, &fail, &out);
	fputs(PH_SLICE(&out).at, stdout);
	ph_buffer_clear(&out);
	return EX_OK;
}
