/*
 * coproc_line -- one line that a coproc wrote: a hello, an answer, or words for the log.
 * Knows scan, json, place.  Does not know who wrote it, nor what else was asked.
 * Called by coproc.
 * Lives on the caller's stack.
 * SPDX-License-Identifier: ISC
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "coproc_line.h"
#include "scan.h"

#define MAX_DIGITS	18		/* of an event's number: what 64 bits surely hold */

static struct ph_json **
member(struct ph_coproc_line *line, struct ph_slice key)
{
	const struct { const char *name; struct ph_json **value; } members[] = {
		{ "id", &line->id }, { "retry", &line->retry }, { "dead", &line->dead },
		{ "log", &line->log }, { "msg", &line->msg }, { "hello", &line->hello },
		{ "pagehook", &line->pagehook },
	};
	size_t	 i;

	for (i = 0; i < sizeof(members) / sizeof(members[0]); i++)
		if (ph_scan_key_is(key, members[i].name))
			return members[i].value;
	return NULL;
}

static enum ph_error
read_member(struct ph_coproc_line *line, struct ph_slice key, struct ph_slice value,
    struct ph_fail *fail)
{
	struct ph_json	**at;

	if (ph_scan_key_is(key, "reply")) {
		line->reply = ph_slice_is(value, "null") ? (struct ph_slice){ NULL, 0 } : value;
		return PH_OK;
	}
	if ((at = member(line, key)) == NULL)
		return PH_OK;
	ph_json_free(*at);		/* named twice: the last one counts, as everywhere */
	return ph_json_parse(value, at, fail);
}

enum ph_error
ph_coproc_line_read(struct ph_slice bytes, struct ph_coproc_line *out, struct ph_fail *fail)
{
	struct ph_scan	 scan;
	struct ph_slice	 key, value;

	ph_scan_begin(&scan, bytes);
	if (!ph_scan_enter(&scan, '{'))
		return ph_error_set(fail, PH_MALFORMED, "not a JSON object");
	while (ph_scan_member(&scan, &key)) {
		ph_scan_skip(&scan, &value);
		if (scan.err == PH_OK && read_member(out, key, value, fail) != PH_OK)
			return fail->err;
	}
	return ph_scan_end(&scan, fail);
}

int64_t
ph_coproc_line_event(const struct ph_coproc_line *line)
{
	struct ph_slice	 id = ph_json_text(line->id);
	int64_t		 event = 0;
	size_t		 i;

	if (id.at == NULL || id.len < 2 || id.len > MAX_DIGITS + 1 || id.at[0] != 'e' ||
	    id.at[1] == '0')
		return 0;
	for (i = 1; i < id.len; i++) {
		if (id.at[i] < '0' || id.at[i] > '9')
			return 0;
		event = 10 * event + (id.at[i] - '0');
	}
	return event;
}

/* Their words, in the size of why, whole characters alone. */
static void
settle_dead(struct ph_place *p, struct ph_slice text)
{
	char	 why[sizeof(p->answer.why)] = "its \"dead\" is no text";
	size_t	 n = text.len < sizeof(why) - 1 ? text.len : sizeof(why) - 1;

	while (n > 0 && n < text.len && ((unsigned char)text.at[n] & 0xc0) == 0x80)
		n--;
	if (text.at != NULL)
		snprintf(why, sizeof(why), "%.*s", (int)n, text.at);
	ph_place_settle(p, PH_HANDLER_DEAD, why);
}

static void
settle_later(struct ph_place *p, const struct ph_json *retry)
{
	double	 s, ms;

	if (!ph_json_number(retry, &s) || !isfinite(s)) {
		ph_place_settle(p, PH_HANDLER_DEAD, "its \"retry\" is no number of seconds");
		return;
	}
	ph_place_settle(p, PH_HANDLER_LATER, "it asked to be asked later");
	ms = s * (double)PH_SECOND_MS;
	if (ms > 0 && ms < (double)PH_SECOND_MS)	/* each try is a commit, and a line in the log */
		ms = (double)PH_SECOND_MS;
	p->answer.retry_ms = ms <= 0 ? 0 : ms >= (double)PH_DAY_MS ? PH_DAY_MS : (int64_t)ms;
}

void
ph_coproc_line_settle(const struct ph_coproc_line *line, struct ph_place *p)
{
	if (line->dead != NULL)
		settle_dead(p, ph_json_text(line->dead));
	else if (line->retry != NULL)
		settle_later(p, line->retry);
	else {
		ph_buffer_add(&p->reply, line->reply.at, line->reply.len);
		if (p->reply.failed)
			ph_place_settle(p, PH_HANDLER_FAILED, "out of memory for its reply");
		else
			ph_place_settle(p, PH_HANDLER_ANSWERED, "");
	}
}

void
ph_coproc_line_clear(struct ph_coproc_line *line)
{
	ph_json_free(line->pagehook);
	ph_json_free(line->hello);
	ph_json_free(line->id);
	ph_json_free(line->retry);
	ph_json_free(line->dead);
	ph_json_free(line->log);
	ph_json_free(line->msg);
	*line = (struct ph_coproc_line)PH_COPROC_LINE_INIT;
}
