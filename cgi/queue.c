/*
 * queue -- "pagehook queue list, retry, drop, hold, release": what is not finished, and a person's word.
 * Knows ask, order's JSON; reads the store by SQL of its own, without writing.
 * Called by pagehook.c.
 * Lives for one command.
 * SPDX-License-Identifier: ISC
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "ask.h"
#include "clock.h"
#include "glance.h"
#include "verb.h"

static const char	 ellipsis[] = "\xe2\x80\xa6";

/* The last four digits: nobody else's business stands on a screen. */
static const char *
short_id(const char *id, char out[16])
{
	size_t	 n = strlen(id);

	snprintf(out, 16, "%s%.4s", n > 4 ? ellipsis : "", n > 4 ? id + n - 4 : id);
	return out;
}

/* 12s, 3m, 2h, 7d */
static const char *
duration(int64_t ms, char out[24])
{
	static const struct { int64_t ms; char unit; } units[] = {
		{ PH_DAY_MS, 'd' }, { PH_HOUR_MS, 'h' }, { PH_MINUTE_MS, 'm' }, { PH_SECOND_MS, 's' },
	};
	size_t	 i = 0;

	while (i < 3 && ms < units[i].ms)
		i++;
	snprintf(out, 24, "%" PRId64 "%c", ms > 0 ? ms / units[i].ms : 0, units[i].unit);
	return out;
}

static void
print_text(const char *name, const char *value)
{
	struct ph_buffer	 b = PH_BUFFER_INIT;

	ph_buffer_add_json(&b, (struct ph_slice){ value, strlen(value) });
	printf(",\"%s\":\"%s\"", name, PH_SLICE(&b).at);
	ph_buffer_clear(&b);
}

static enum ph_error
print_json(void *arg, const struct ph_glance_item *it, struct ph_fail *fail)
{
	(void)fail;
	printf("{\"v\":1,\"id\":\"%c%" PRId64 "\"", it->letter, it->id);
	print_text("state", it->state);
	printf(",\"age_s\":%" PRId64 ",\"try\":%" PRId64, (*(int64_t *)arg - it->since) / PH_SECOND_MS, it->tries);
	print_text("page", it->page);
	print_text("psid", it->person);
	if (it->event != 0)
		printf(",\"event\":\"e%" PRId64 "\"", it->event);
	printf(",\"code\":%" PRId64, it->code);
	print_text("why", it->why);
	printf("}\n");
	return PH_OK;
}

static enum ph_error
print_line(void *arg, const struct ph_glance_item *it, struct ph_fail *fail)
{
	int64_t	 now = *(int64_t *)arg;
	char	 age[24], page[16], person[16], next[24] = "-", id[24], left[24];

	(void)fail;
	snprintf(id, sizeof(id), "%c%" PRId64, it->letter, it->id);
	if (it->due > now)
		snprintf(next, sizeof(next), "in %.20s", duration(it->due - now, left));
	printf("%-7s %-7s %4s %4" PRId64 "  %-7s %-7s  %-7s %s\n", id, it->state,
	    duration(now - it->since, age), it->tries, short_id(it->page, page),
	    short_id(it->person, person), next, it->why);
	return PH_OK;
}

int
queue_list_run(const struct call *call)
{
	const bool	 json = option(call, "json") != NULL;
	struct ph_fail	 fail = PH_FAIL_INIT;
	int64_t		 now = ph_clock_now();

	if (call->argc > 0)
		return usage("queue list takes no words; what is ", call->argv[0]);
	if (!json)
		printf("%-7s %-7s %4s %4s  %-5s %-5s  %-7s %s\n", "ID", "STATE", "AGE", "TRY", "PAGE", "PERSON",
		    "NEXT", "WHY");
	(void)!ph_glance_queue(call->conf->state, json ? print_json : print_line, &now, &fail);
	return complain(&fail);
}

static void
print_steered(const struct ph_json *answer, const char *done_words)
{
	const struct ph_json	*refused = ph_json_get(answer, "refused");
	size_t			 i, n = ph_json_count(ph_json_get(answer, "done"));

	printf("%zu %s\n", n, done_words);
	for (i = 0; i < ph_json_count(refused); i++) {
		struct ph_slice	 id = ph_json_text(ph_json_get(ph_json_at(refused, i), "id"));
		struct ph_slice	 why = ph_json_text(ph_json_get(ph_json_at(refused, i), "why"));

		fprintf(stderr, "pagehook: %.*s: %.*s\n", (int)id.len, id.at, (int)why.len, why.at);
	}
}

static int
steer(const struct call *call, const char *what, const char *done_words)
{
	struct ask		 ask = ASK_INIT;
	struct ph_buffer	 order = PH_BUFFER_INIT;
	struct ph_fail		 fail = PH_FAIL_INIT;
	struct ph_json		*answer = NULL;
	int			 status, i;

	if (call->argc == 0)
		return usage("which? ids like r4901 are needed: pagehook queue ", what);
	ph_buffer_addf(&order, "{\"do\":\"%s\",\"ids\":[", what);
	for (i = 0; i < call->argc; i++) {
		ph_buffer_adds(&order, i > 0 ? ",\"" : "\"");
		ph_buffer_add_json(&order, (struct ph_slice){ call->argv[i], strlen(call->argv[i]) });
		ph_buffer_adds(&order, "\"");
	}
	ph_buffer_adds(&order, "]}");
	if (ph_conf_check(call->conf, &fail) != PH_OK || ask_open(&ask, call->conf, &fail) != PH_OK)
		status = complain(&fail);
	else if ((status = ask_order(&ask, &order, &answer)) == EX_OK) {
		if (ph_json_count(ph_json_get(answer, "refused")) > 0)
			status = EX_NOINPUT;
		if (option(call, "json") != NULL)
			printf("{\"v\":1,%s\n", ask.answer.data + 1);
		else
			print_steered(answer, done_words);
	}
	ph_json_free(answer);
	ph_buffer_clear(&order);
	ask_close(&ask);
	return status;
}

int
queue_retry_run(const struct call *call)
{
	return steer(call, "retry", "ready again");
}

int
queue_drop_run(const struct call *call)
{
	return steer(call, "drop", "dropped");
}

int
queue_hold_run(const struct call *call)
{
	return steer(call, "hold", "held");
}

int
queue_release_run(const struct call *call)
{
	return steer(call, "release", "released");
}
