/*
 * timeline -- what the log says of one reply or event, in the order it happened.
 * Knows json, scan, event's times.  Does not know the store or how it is shown.
 * Called by the operator's verbs.
 * Lives for one command.
 * SPDX-License-Identifier: ISC
 */
#include <sys/stat.h>

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "event.h"
#include "scan.h"
#include "timeline.h"

#define MAX_RENAMED	9
#define READ_AT_MOST	((off_t)64 << 20)	/* bytes of one file */
#define MAX_LINE	8192			/* ours are half of that */

struct wanted {
	const char		*ids[2];
	char			 as_written[2][40];	/* "id":"r4901"; "": no other */
	int64_t			 since;
	struct ph_timeline	*out;
};

struct ph_timeline_moment *
ph_timeline_add(struct ph_timeline *t, int64_t at)
{
	struct ph_timeline_moment	*grown;
	size_t				 cap = t->cap == 0 ? 16 : 2 * t->cap;

	if (t->n == t->cap) {
		if ((grown = realloc(t->all, cap * sizeof(*grown))) == NULL)
			return NULL;
		t->all = grown;
		t->cap = cap;
	}
	if (t->n > 0 && at < t->all[t->n - 1].at)
		at = t->all[t->n - 1].at;	/* what was rounded, or a clock that was set back */
	t->all[t->n] = (struct ph_timeline_moment){ .at = at };
	return &t->all[t->n++];
}

void
ph_timeline_clear(struct ph_timeline *t)
{
	size_t	 i;

	for (i = 0; i < t->n; i++) {
		ph_buffer_clear(&t->all[i].what);
		ph_buffer_clear(&t->all[i].error);
	}
	free(t->all);
	*t = (struct ph_timeline)PH_TIMELINE_INIT;
}

static void
add(struct ph_buffer *out, const char *before, struct ph_slice text)
{
	if (text.len == 0)
		return;
	ph_buffer_adds(out, before);
	ph_buffer_add(out, text.at, text.len);
}

static struct ph_slice
text_of(const struct ph_json *line, const char *name)
{
	return ph_json_text(ph_json_get(line, name));
}

static int64_t
number_of(const struct ph_json *line, const char *name)
{
	int64_t	 n = 0;

	(void)ph_json_integer(ph_json_get(line, name), &n);
	return n;
}

/* The bytes of a line's member. */
static void
copy_raw(struct ph_slice line, const char *name, struct ph_buffer *out)
{
	struct ph_scan	 scan;
	struct ph_slice	 key, value;

	ph_scan_begin(&scan, line);
	if (!ph_scan_enter(&scan, '{'))
		return;
	while (ph_scan_member(&scan, &key)) {
		ph_scan_skip(&scan, &value);
		if (scan.err == PH_OK && ph_scan_key_is(key, name))
			ph_buffer_add(out, value.at, value.len);
	}
}

/* A try is two moments: when it left, with what was said to it, and when that was known. */
static bool
take_try(struct wanted *w, struct ph_slice raw, const struct ph_json *line, int64_t at)
{
	const int64_t			 ms = number_of(line, "ms"), http = number_of(line, "http");
	struct ph_timeline_moment	*m = ph_timeline_add(w->out, at - ms);

	if (m == NULL)
		return false;
	w->out->tried = m->tried = true;
	m->http = http;
	m->ms = ms;
	ph_buffer_addf(&m->what, "sending, try %" PRId64 ": ", number_of(line, "try"));
	if (text_of(line, "why").len > 0)	/* what came, if anything, was not Graph's word */
		ph_buffer_addf(&m->what, "no answer in %" PRId64 " ms", ms);
	else
		ph_buffer_addf(&m->what, "Graph %" PRId64 " in %" PRId64 " ms", http, ms);
	add(&m->what, ", fbtrace ", text_of(line, "fbtrace_id"));
	add(&m->what, ", ", text_of(line, "mid"));
	add(&m->what, ": ", text_of(line, "why"));
	copy_raw(raw, "error", &m->error);
	if ((m = ph_timeline_add(w->out, at)) == NULL)
		return false;
	add(&m->what, "", text_of(line, "state"));
	m->next = ph_event_time(ph_json_get(line, "next"));
	add(&m->what, ": ", text_of(line, "note"));
	return true;
}

static bool
take_other(struct wanted *w, const struct ph_json *line, int64_t at)
{
	const struct ph_slice		 kind = text_of(line, "k"), state = text_of(line, "state");
	struct ph_timeline_moment	*m = ph_timeline_add(w->out, at);

	if (m == NULL)
		return false;
	if (ph_slice_is(kind, "event")) {
		w->out->received = true;
		ph_buffer_adds(&m->what, "received");
		add(&m->what, ", fits ", text_of(line, "rule"));
	} else if (ph_slice_is(kind, "handler")) {
		ph_buffer_addf(&m->what, "its handler, try %" PRId64 ", after %" PRId64 " ms",
		    number_of(line, "try"), number_of(line, "ms"));
		add(&m->what, ": ", state);
	} else if (ph_slice_is(kind, "admin")) {
		add(&m->what, "", text_of(line, "order"));
		ph_buffer_adds(&m->what, " by the operator");
	} else {
		add(&m->what, "", state);
		add(&m->what, m->what.len > 0 ? ", fits " : "fits ", text_of(line, "rule"));
	}
	add(&m->what, m->what.len > 0 ? ": " : "", text_of(line, "what"));
	add(&m->what, m->what.len > 0 ? ": " : "", text_of(line, "why"));
	return true;
}

/* Most lines name others: they are not parsed. */
static bool
names(struct ph_slice raw, const char *id)
{
	return id[0] != '\0' && memmem(raw.at, raw.len, id, strlen(id)) != NULL;
}

/* False: no memory. */
static bool
take_line(struct wanted *w, struct ph_slice raw)
{
	struct ph_json	*line = NULL;
	struct ph_scan	 scan;
	struct ph_slice	 id;
	int64_t		 at;
	bool		 good = true;

	if (!names(raw, w->as_written[0]) && !names(raw, w->as_written[1]))
		return true;
	ph_scan_begin(&scan, raw);
	ph_scan_skip(&scan, NULL);
	if (ph_scan_end(&scan, NULL) != PH_OK || ph_json_parse(raw, &line, NULL) != PH_OK)
		return true;			/* torn, or nobody's */
	at = ph_event_time(ph_json_get(line, "t"));
	id = text_of(line, "id");
	if (at != 0 && at >= w->since && (ph_slice_is(id, w->ids[0]) || ph_slice_is(id, w->ids[1])))
		good = ph_slice_is(text_of(line, "k"), "send") ? take_try(w, raw, line, at) :
		    take_other(w, line, at);
	ph_json_free(line);
	return good;
}

static enum ph_error
read_lines(struct wanted *w, FILE *file, struct ph_fail *fail)
{
	char	 line[MAX_LINE];
	bool	 whole = true, good = true;	/* whole: what comes is the begin of a line */
	size_t	 n;

	while (good && fgets(line, sizeof(line), file) != NULL) {
		n = strlen(line);
		if (whole && n > 0 && line[n - 1] == '\n')
			good = take_line(w, (struct ph_slice){ line, n - 1 });
		whole = n > 0 && line[n - 1] == '\n';
	}
	return good ? PH_OK : ph_error_set(fail, PH_NOMEM, "out of memory");
}

/* What was renamed before anything happened here says nothing.  PH_NONE: it is not there. */
static enum ph_error
read_file(struct wanted *w, const char *path, struct ph_fail *fail)
{
	struct stat	 st;
	FILE		*file = fopen(path, "re");
	enum ph_error	 err = PH_OK;
	int		 c;

	if (file == NULL)
		return PH_NONE;
	if (fstat(fileno(file), &st) == 0 && (int64_t)st.st_mtime * 1000 + 1000 > w->since) {
		if (st.st_size > READ_AT_MOST && fseeko(file, st.st_size - READ_AT_MOST, SEEK_SET) == 0) {
			w->out->cut = true;
			while ((c = getc(file)) != EOF && c != '\n')
				continue;
		}
		err = read_lines(w, file, fail);
	}
	fclose(file);
	return err;
}

enum ph_error
ph_timeline_read(const char *path, const char *id, const char *other, int64_t since,
    struct ph_timeline *out, struct ph_fail *fail)
{
	struct wanted	 w = { .ids = { id, other }, .since = since, .out = out };
	char		 renamed[4200];
	enum ph_error	 err;
	int		 i;

	snprintf(w.as_written[0], sizeof(w.as_written[0]), "\"id\":\"%.24s\"", id);
	if (other[0] != '\0')
		snprintf(w.as_written[1], sizeof(w.as_written[1]), "\"id\":\"%.24s\"", other);
	for (i = MAX_RENAMED; i > 0; i--) {
		snprintf(renamed, sizeof(renamed), "%s.%d", path, i);
		if ((err = read_file(&w, renamed, fail)) != PH_OK && err != PH_NONE)
			return err;
	}
	if ((err = read_file(&w, path, fail)) == PH_NONE)
		return ph_error_set(fail, PH_NONE, "%s: %s", path, strerror(errno));
	return err;
}
