/*
 * queue_show -- "pagehook queue show": what happened to one reply or event, and what Graph said.
 * Knows glance, timeline.  Does not know the helper: it reads the store and the log without it.
 * Called by pagehook.c.
 * Lives for one command.
 * SPDX-License-Identifier: ISC
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>

#include "clock.h"
#include "json.h"
#include "queue.h"
#include "timeline.h"

struct showing {
	const struct call	*call;
	struct ph_glance_row	 row;
	struct ph_timeline	 timeline;
	int64_t			 now;
};

static struct ph_slice
words(const char *text)
{
	return (struct ph_slice){ text, strlen(text) };
}

/* The timeline: what the log says, and what the row knows where it says nothing. */

static void
read_log(struct showing *s)
{
	const struct ph_glance_item	*it = &s->row.item;
	const char			*log = s->call->conf->log;
	struct ph_fail			 fail = PH_FAIL_INIT;
	char				 id[24], other[24] = "";

	if (strcmp(log, "stderr") == 0 || strcmp(log, "syslog") == 0) {
		fprintf(stderr, "pagehook: PAGEHOOK_LOG is %s: what happened when is told there\n",
		    log);
		return;
	}
	snprintf(id, sizeof(id), "%c%" PRId64, it->letter, it->id);
	if (it->event != 0)
		snprintf(other, sizeof(other), "e%" PRId64, it->event);
	/* What was sent by hand has no time of its own but the next one. */
	if (ph_timeline_read(log, id, other, it->letter == 'r' && it->event == 0 ? 0 : it->since,
	    &s->timeline, &fail) != PH_OK)
		(void)complain(&fail);
	if (s->timeline.cut)
		fprintf(stderr, "pagehook: %s: only the last 64 MiB were read\n", log);
}

static bool
say(struct showing *s, int64_t at, const char *before, const char *what)
{
	struct ph_timeline_moment	*m = ph_timeline_add(&s->timeline, at);

	if (m == NULL)
		return false;
	ph_buffer_adds(&m->what, before);
	ph_buffer_adds(&m->what, what);
	return true;
}

/* The first moment is added last: it goes to the front. */
static void
add_received(struct showing *s)
{
	struct ph_timeline		*t = &s->timeline;
	struct ph_timeline_moment	 last;

	if (!say(s, s->row.item.since, "received", ""))
		return;
	last = t->all[t->n - 1];
	memmove(t->all + 1, t->all, (t->n - 1) * sizeof(last));
	t->all[0] = last;
	t->all[0].at = s->row.item.since;
}

static void
add_row(struct showing *s)
{
	const struct ph_glance_row	*row = &s->row;
	const struct ph_glance_item	*it = &row->item;
	struct ph_buffer		 text = PH_BUFFER_INIT;

	if (!s->timeline.tried && row->left_at != 0) {
		ph_buffer_addf(&text, "sending, try %" PRId64, it->tries);
		if (row->trace[0] != '\0')
			ph_buffer_addf(&text, ": Graph's code %" PRId64 ", subcode %" PRId64
			    ", fbtrace %s", it->code, row->subcode, row->trace);
		(void)say(s, row->left_at, PH_SLICE(&text).at, "");
		ph_buffer_clear(&text);
	}
	if (it->due > s->now && (s->timeline.n == 0 ||
	    s->timeline.all[s->timeline.n - 1].next != it->due))
		(void)say(s, it->due, "",
		    strcmp(it->state, "unsure") == 0 ? "looked at again" : "next try");
	if (!s->timeline.received && (it->letter == 'e' || it->event != 0))
		add_received(s);
}

/* For people. */

static void
print_time(int64_t at, int64_t now)
{
	time_t		 seconds = (time_t)(at / 1000), today = (time_t)(now / 1000);
	struct tm	 tm, tm_now;
	char		 text[40] = "";

	localtime_r(&seconds, &tm);
	localtime_r(&today, &tm_now);
	if (strftime(text, sizeof(text),
	    tm.tm_yday == tm_now.tm_yday && tm.tm_year == tm_now.tm_year ? "%H:%M:%S" : "%Y-%m-%d %H:%M:%S", &tm) > 0)
		printf("%s.%03d", text, (int)(at % 1000));
}

static void
print_moment(const struct ph_timeline_moment *m, int64_t now)
{
	print_time(m->at, now);
	printf("  ");
	queue_print_words(PH_SLICE(&m->what));
	if (m->next != 0) {
		printf(ph_slice_is(PH_SLICE(&m->what), "unsure") ? ", looked at again " :
		    ", next try ");
		print_time(m->next, now);
	}
	printf("\n");
	if (m->error.len > 0) {
		printf("  {\"error\":");
		queue_print_words(PH_SLICE(&m->error));
		printf("}\n");
	}
}

static void
print_head(const struct showing *s)
{
	const struct ph_glance_item	*it = &s->row.item;
	char				 person[16];

	printf("%c%" PRId64 "  %s  ", it->letter, it->id, it->state);
	if (it->letter == 'e')
		printf("%s, ", s->row.kind);
	else if (it->event == 0)
		printf("sent by hand, ");
	else if (s->row.kind[0] != '\0')
		printf("answers e%" PRId64 " (%s), ", it->event, s->row.kind);
	else
		printf("answers e%" PRId64 ", which is gone, ", it->event);
	printf("page %s", it->page);
	if (it->person[0] != '\0')
		printf(", person %s", queue_short_id(it->person, person));
	printf("\n");
	if (it->why[0] != '\0') {
		printf("why           ");
		queue_print_words(words(it->why));
		printf("\n");
	}
}

static void
print_people(const struct showing *s)
{
	size_t	 i;

	print_head(s);
	for (i = 0; i < s->timeline.n; i++)
		print_moment(&s->timeline.all[i], s->now);
	if (option(s->call, "text") != NULL) {
		printf("  ");
		queue_print_words(s->row.body);
		printf("\n");
	}
}

/* For programs. */

static void
print_string(const char *before, struct ph_slice text)
{
	struct ph_buffer	 b = PH_BUFFER_INIT;

	ph_buffer_add_json(&b, text);
	printf("%s\"%s\"", before, PH_SLICE(&b).at);
	ph_buffer_clear(&b);
}

static void
print_moment_json(const struct ph_timeline_moment *m)
{
	char	 at[PH_CLOCK_TEXT];

	ph_clock_format(m->at, at);
	print_string("{\"at\":", words(at));
	print_string(",\"what\":", PH_SLICE(&m->what));
	if (m->tried)
		printf(",\"http\":%" PRId64 ",\"ms\":%" PRId64, m->http, m->ms);
	if (m->error.len > 0)
		printf(",\"answer\":{\"error\":%s}", m->error.data);
	if (m->next != 0) {
		ph_clock_format(m->next, at);
		print_string(",\"next\":", words(at));
	}
	printf("}");
}

static void
print_json(const struct showing *s)
{
	struct ph_json	*body = NULL;
	size_t		 i;

	queue_print_members(&s->row.item, s->now);
	print_string(",\"kind\":", words(s->row.kind));
	if (s->row.mid[0] != '\0')
		print_string(",\"mid\":", words(s->row.mid));
	/* What was quarantined need not be JSON, nor text. */
	if (option(s->call, "text") != NULL && ph_json_parse(s->row.body, &body, NULL) == PH_OK)
		printf(",\"body\":%.*s", (int)s->row.body.len, s->row.body.at);
	ph_json_free(body);
	printf(",\"timeline\":[");
	for (i = 0; i < s->timeline.n; i++) {
		printf("%s", i > 0 ? "," : "");
		print_moment_json(&s->timeline.all[i]);
	}
	printf("]}\n");
}

static enum ph_error
find(struct showing *s, const char *name, struct ph_fail *fail)
{
	struct ph_glance	*glance = NULL;
	enum ph_error		 err;
	int64_t			 id;
	char			 letter;

	if (!queue_id_parse(name, &letter, &id)) {
		(void)ph_error_set(fail, PH_NONE, "%.40s: not an id of a reply or event, "
		    "like r4901 or e4900", name);
		return PH_NONE;
	}
	err = ph_glance_open(s->call->conf->state, PH_GLANCE_WAIT_MS, &glance, fail);
	if (err == PH_OK)
		err = ph_glance_find(glance, letter, id, &s->row, fail);
	ph_glance_close(glance);
	if (err == PH_NONE)
		(void)ph_error_set(fail, PH_NONE, "%s: there is none", name);
	return err;
}

int
queue_show_run(const struct call *call)
{
	struct showing	 s = { .call = call, .timeline = PH_TIMELINE_INIT, .now = ph_clock_now() };
	struct ph_fail	 fail = PH_FAIL_INIT;
	int		 status;

	if (call->argc != 1)
		return usage("queue show needs one id, like r4901 or e4900", "");
	if ((status = become_owner(call)) != EX_OK)
		return status;
	if (find(&s, call->argv[0], &fail) == PH_OK) {
		read_log(&s);
		add_row(&s);
		if (option(call, "json") != NULL)
			print_json(&s);
		else
			print_people(&s);
	}
	ph_timeline_clear(&s.timeline);
	ph_glance_row_clear(&s.row);
	return complain(&fail);
}
