/*
 * queue -- what the queue's verbs share: which rows are meant, and how one is shown.
 * Knows glance.  Does not know the helper.
 * Called by queue_list, queue_show and queue_steer.
 * Lives for one command.
 * SPDX-License-Identifier: ISC
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "clock.h"
#include "queue.h"

#define COUNT_OF(array)	(sizeof(array) / sizeof((array)[0]))

static const char	 ellipsis[] = "\xe2\x80\xa6";
static const char	 states[] = "ready sending unsure held dead kept asked";

static const struct { int64_t ms; char unit; } units[] = {
	{ PH_DAY_MS, 'd' }, { PH_HOUR_MS, 'h' }, { PH_MINUTE_MS, 'm' }, { PH_SECOND_MS, 's' },
};

/* Which. */

/* Digits and a unit: 90s 15m 2h 7d. */
static bool
parse_duration(const char *text, int64_t *ms)
{
	const size_t	 n = strspn(text, "0123456789");
	size_t		 i;

	for (i = 0; i < COUNT_OF(units); i++)
		if (n > 0 && n < 6 && text[n] == units[i].unit && text[n + 1] == '\0') {
			*ms = strtoll(text, NULL, 10) * units[i].ms;
			return true;
		}
	return false;
}

int
queue_filter_read(const struct call *call, int64_t now, struct queue_filter *out)
{
	const char	*code = option(call, "code"), *older = option(call, "older");
	int64_t		 ms = 0;

	*out = (struct queue_filter){ .state = option(call, "state"), .page = option(call, "page"),
	    .person = option(call, "person") };
	if (out->state != NULL && !is_one_of(states, out->state)) {
		fprintf(stderr, "pagehook: %s are states, not %s\n", states, out->state);
		return EX_USAGE;
	}
	if (older != NULL && !parse_duration(older, &ms))
		return usage("--older takes a duration like 90s 15m 2h 7d, not ", older);
	out->code = code != NULL ? strtoll(code, NULL, 10) : 0;
	if (code != NULL && (out->code == 0 || strlen(code) > 9 ||
	    code[strspn(code, "0123456789")] != '\0'))
		return usage("--code takes a number, as Graph gives it, not ", code);
	out->before = older != NULL ? now - ms : 0;
	return EX_OK;
}

/* As a whole, or by its last four digits, as it is shown. */
static bool
is_meant(const char *id, const char *by)
{
	const size_t	 len = strlen(id), n = strlen(by);

	return by[0] != '\0' && (strcmp(id, by) == 0 ||
	    (n == 4 && len > 4 && strcmp(id + len - 4, by) == 0));
}

bool
queue_filter_fits(const struct queue_filter *f, const struct ph_glance_item *it)
{
	return (f->state == NULL || strcmp(f->state, it->state) == 0) &&
	    (f->page == NULL || is_meant(it->page, f->page)) &&
	    (f->person == NULL || is_meant(it->person, f->person)) &&
	    (f->code == 0 || f->code == it->code) && (f->before == 0 || it->since <= f->before);
}

bool
queue_id_parse(const char *id, char *letter, int64_t *number)
{
	const size_t	 n = strlen(id);

	*letter = id[0];
	*number = n > 1 && n < 20 && id[1 + strspn(id + 1, "0123456789")] == '\0' ?
	    strtoll(id + 1, NULL, 10) : 0;
	return (*letter == 'r' || *letter == 'e') && *number > 0;
}

/* How. */

const char *
queue_short_id(const char *id, char out[16])
{
	size_t	 n = strlen(id);

	snprintf(out, 16, "%s%.4s", n > 4 ? ellipsis : "", n > 4 ? id + n - 4 : id);
	return out;
}

/* Also those of eight bits, which UTF-8 writes as c2 80 to c2 9f. */
void
queue_print_words(struct ph_slice words)
{
	size_t	 i;

	for (i = 0; i < words.len; i++) {
		const unsigned char	 c = (unsigned char)words.at[i];
		const bool		 wide = c == 0xc2 && i + 1 < words.len &&
					    (unsigned char)words.at[i + 1] < 0xa0;

		putchar(c < 0x20 || c == 0x7f || wide ? '?' : c);
		i += wide;
	}
}

/* 12s, 3m, 2h, 7d */
static const char *
duration(int64_t ms, char out[24])
{
	size_t	 i = 0;

	while (i + 1 < COUNT_OF(units) && ms < units[i].ms)
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

void
queue_print_members(const struct ph_glance_item *it, int64_t now)
{
	char	 due[PH_CLOCK_TEXT];

	printf("{\"v\":1,\"id\":\"%c%" PRId64 "\"", it->letter, it->id);
	print_text("state", it->state);
	printf(",\"age_s\":%" PRId64 ",\"try\":%" PRId64, (now - it->since) / PH_SECOND_MS,
	    it->tries);
	print_text("page", it->page);
	print_text("psid", it->person);
	if (it->event != 0)
		printf(",\"event\":\"e%" PRId64 "\"", it->event);
	if (it->due != 0) {
		ph_clock_format(it->due, due);
		print_text("due", due);
	}
	printf(",\"code\":%" PRId64, it->code);
	print_text("why", it->why);
}

void
queue_print_header(bool json)
{
	if (!json)
		printf("%-5s  %-7s%4s  %3s  %-5s  %-6s  %-6s  %s\n", "ID", "STATE", "AGE", "TRY",
		    "PAGE", "PERSON", "NEXT", "WHY");
}

void
queue_print(const struct ph_glance_item *it, bool json, int64_t now)
{
	char	 age[24], page[16], person[16], next[24] = "-", id[24], left[24];

	if (json) {
		queue_print_members(it, now);
		printf("}\n");
		return;
	}
	snprintf(id, sizeof(id), "%c%" PRId64, it->letter, it->id);
	if (it->due > now)
		snprintf(next, sizeof(next), "in %.20s", duration(it->due - now, left));
	/* Two of an ellipsis' bytes have no width; it stands before four digits, or nothing does. */
	printf("%-5s  %-7s%4s  %3" PRId64 "  %-*s  %-*s  %-6s  ", id, it->state,
	    duration(now - it->since, age), it->tries, strlen(it->page) > 4 ? 7 : 5,
	    queue_short_id(it->page, page), strlen(it->person) > 4 ? 8 : 6,
	    queue_short_id(it->person, person), next);
	queue_print_words((struct ph_slice){ it->why, strlen(it->why) });
	printf("\n");
}
