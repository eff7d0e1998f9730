/*
 * status -- how it is going: figures in, a screen for people or a document for programs out.
 * Knows glance's counts, refused, news' tally, clock's units.  Does not know where figures come from.
 * Called by survey, which fills one; by order, by alert's caller and by the verb, which show it.
 * Lives on the caller's stack.
 * SPDX-License-Identifier: ISC
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "clock.h"
#include "status.h"

#define FAILING_FROM	3		/* one request that was refused is no failure yet */
#define SAMPLES		20		/* below that a ratio says nothing */

/* From when on a figure is no longer OK, and from when on it fails. */
enum threshold { FAILING_MS, FORGED, FORGED_MS, REFUSED_PER_MILLE, DEAD, HELD, OLDEST_MS, QUARANTINE };
static const struct { int64_t warn, fail; } thresholds[] = {
	[FAILING_MS] = { PH_FAILING_WARN_MS, PH_FAILING_FAIL_MS },
	[FORGED] = { PH_FORGED_WARN, INT64_MAX },
	[FORGED_MS] = { INT64_MAX, PH_FAILING_FAIL_MS },
	[REFUSED_PER_MILLE] = { 20, 200 },
	[DEAD] = { 1, 50 },
	[HELD] = { 1, INT64_MAX },
	[OLDEST_MS] = { 5 * PH_MINUTE_MS, 30 * PH_MINUTE_MS },
	[QUARANTINE] = { 1, INT64_MAX },
};

static enum ph_status_word
judge(enum threshold which, int64_t value)
{
	return value >= thresholds[which].fail ? PH_STATUS_FAIL :
	    value >= thresholds[which].warn ? PH_STATUS_WARN : PH_STATUS_OK;
}

static enum ph_status_word
worse(enum ph_status_word a, enum ph_status_word b)
{
	return a > b ? a : b;
}

/* Figures as people read them. */

static void
add_count(struct ph_buffer *b, int64_t n)
{
	if (n >= 1000) {
		add_count(b, n / 1000);
		ph_buffer_addf(b, ",%03d", (int)(n % 1000));
	} else
		ph_buffer_addf(b, "%d", (int)n);
}

static void
add_duration(struct ph_buffer *b, int64_t ms)
{
	static const struct { int64_t ms; const char *unit; } units[] = {
		{ PH_DAY_MS, "d" }, { PH_HOUR_MS, "h" }, { PH_MINUTE_MS, "min" }, { PH_SECOND_MS, "s" },
	};
	size_t	 i = 0;

	while (i < 3 && ms < 2 * units[i].ms)
		i++;
	ph_buffer_addf(b, "%" PRId64 " %s", ms > 0 ? ms / units[i].ms : 0, units[i].unit);
}

static void
add_size(struct ph_buffer *b, int64_t bytes)
{
	const int64_t	 mib = INT64_C(1) << 20;

	if (bytes < mib)
		ph_buffer_addf(b, "%" PRId64 " KB", (bytes + 1023) / 1024);
	else
		ph_buffer_addf(b, "%" PRId64 " MB", (bytes + mib / 2) / mib);
}

static void
add_separator(struct ph_buffer *b, size_t from, const char *separator)
{
	if (b->len > from)
		ph_buffer_adds(b, separator);
}

/* "2 too long, 1 without signature", of those that there were. */
static void
add_reasons(struct ph_buffer *b, const struct ph_refused *r, enum ph_refusal first, enum ph_refusal last)
{
	const size_t	 from = b->len;
	size_t		 i;

	for (i = first; i <= (size_t)last; i++)
		if (r->by[i].n > 0) {
			add_separator(b, from, ", ");
			add_count(b, r->by[i].n);
			ph_buffer_addf(b, " %s", ph_refused_name((enum ph_refusal)i));
		}
}

void
ph_status_format_refused(const struct ph_refused *r, struct ph_buffer *b)
{
	add_count(b, ph_refused_sum(r, PH_UNSIGNED, PH_NOT_KEPT).n);
	ph_buffer_adds(b, " refused: ");
	add_reasons(b, r, PH_UNSIGNED, PH_NOT_KEPT);
}

/* Meta signs all that it sends: who does not is somebody else. */
int64_t
ph_status_failing_ms(const struct ph_refused *r, int64_t *n)
{
	const struct ph_refused_count	 c = ph_refused_sum(r, PH_MISMATCH, PH_NOT_KEPT);

	*n = c.n;
	return c.n >= FAILING_FROM && c.last > c.first ? c.last - c.first : 0;
}

static int64_t
last_kept(const struct ph_status *s)
{
	return s->live.tally.kept_at > s->refused.kept_at ? s->live.tally.kept_at : s->refused.kept_at;
}

/* Rows: each says its word and its figures; no figures: it is left out. */

static enum ph_status_word
webhook_row(const struct ph_status *s, struct ph_buffer *b)
{
	const struct ph_refused	*r = &s->refused;
	const int64_t		 kept_at = last_kept(s);
	int64_t			 n, failing_ms = ph_status_failing_ms(r, &n);
	enum ph_status_word	 word = judge(FAILING_MS, failing_ms);

	if (kept_at == 0)
		ph_buffer_adds(b, "no delivery kept yet");
	else {
		ph_buffer_adds(b, "last 200 ");
		add_duration(b, s->at - kept_at);
		ph_buffer_adds(b, " ago");
	}
	if (n == 0)
		return word;
	ph_buffer_adds(b, kept_at == 0 ? "; " : "; since then ");
	add_count(b, n);
	ph_buffer_adds(b, " refused: ");
	add_reasons(b, r, PH_MISMATCH, PH_NOT_KEPT);
	if (word != PH_STATUS_OK) {
		ph_buffer_adds(b, "; failing for ");
		add_duration(b, failing_ms);
		ph_buffer_adds(b, ", Meta disables the webhook after about an hour");
	}
	return word;
}

static enum ph_status_word
forged_row(const struct ph_status *s, struct ph_buffer *b)
{
	const struct ph_refused_count	 c = ph_refused_sum(&s->refused, PH_UNSIGNED, PH_MISMATCH);
	enum ph_status_word		 word = judge(FORGED, c.n);

	if (c.n == 0) {
		ph_buffer_adds(b, "none since the last 200");
		return word;
	}
	add_count(b, c.n);
	ph_buffer_adds(b, " since the last 200, last ");
	add_duration(b, s->at - c.last);
	ph_buffer_adds(b, " ago: ");
	add_reasons(b, &s->refused, PH_UNSIGNED, PH_MISMATCH);
	if (word == PH_STATUS_OK)
		return word;
	ph_buffer_adds(b, "; is MESSENGER_APP_SECRET right?");
	return worse(word, judge(FORGED_MS, c.last - c.first));
}

static enum ph_status_word
send_row(const struct ph_status *s, struct ph_buffer *b)
{
	const struct ph_tally	*t = &s->live.tally;
	const int64_t		 tries = t->sent + t->refused + t->unsure;

	if (s->live.pid == 0)
		return PH_STATUS_OK;
	add_count(b, t->sent);
	ph_buffer_adds(b, " sent, ");
	add_count(b, t->refused);
	ph_buffer_adds(b, " refused, ");
	add_count(b, t->unsure);
	ph_buffer_adds(b, " unsure since the helper began");
	if (t->sent_at != 0) {
		ph_buffer_adds(b, "; last ");
		add_duration(b, s->at - t->sent_at);
		ph_buffer_adds(b, " ago");
	}
	return tries < SAMPLES ? PH_STATUS_OK :
	    judge(REFUSED_PER_MILLE, 1000 * (t->refused + t->unsure) / tries);
}

static void
add_part(struct ph_buffer *b, size_t from, int64_t n, const char *what)
{
	if (n == 0)
		return;
	add_separator(b, from, ", ");
	if (n == PH_GLANCE_MOST)
		ph_buffer_adds(b, "more than ");
	add_count(b, n);
	ph_buffer_addf(b, " %s", what);
}

static enum ph_status_word
queue_row(const struct ph_status *s, struct ph_buffer *b)
{
	const struct ph_glance_counts	*c = &s->counts;
	const int64_t			 age_ms = c->oldest != 0 ? s->at - c->oldest : 0;
	const size_t			 from = b->len;

	add_part(b, from, c->ready, "ready");
	add_part(b, from, c->sending, "sending");
	add_part(b, from, c->unsure, "unsure");
	add_part(b, from, c->held, "held");
	add_part(b, from, c->dead, "dead");
	add_part(b, from, c->events_open, c->events_open == 1 ? "event waits" : "events wait");
	add_part(b, from, c->events_dead, c->events_dead == 1 ? "event dead" : "events dead");
	if (b->len == from)
		ph_buffer_adds(b, "nothing waits");
	if (c->oldest != 0) {
		ph_buffer_adds(b, "; oldest ");
		add_duration(b, age_ms);
	}
	return worse(judge(OLDEST_MS, age_ms), worse(judge(HELD, c->held),
	    worse(judge(DEAD, c->dead + c->events_dead), judge(QUARANTINE, c->unreadable))));
}

static enum ph_status_word
pages_row(const struct ph_status *s, struct ph_buffer *b)
{
	const struct ph_glance_counts	*c = &s->counts;
	const struct ph_glance_page	*p;
	const size_t			 from = b->len;
	size_t				 len;

	for (p = c->pages; p < c->pages + PH_GLANCE_PAGES && p < c->pages + c->n_pages; p++) {
		len = strlen(p->id);
		add_separator(b, from, "; ");
		ph_buffer_addf(b, "%s%s waits: %s", len > 4 ? "\xe2\x80\xa6" : "",
		    p->id + (len > 4 ? len - 4 : 0), p->why);
		if (p->until > s->at) {
			ph_buffer_adds(b, "; tried again in ");
			add_duration(b, p->until - s->at);
		}
	}
	if (c->n_pages > PH_GLANCE_PAGES)
		ph_buffer_addf(b, "; and %zu more", c->n_pages - PH_GLANCE_PAGES);
	return PH_STATUS_FAIL;
}

static enum ph_status_word
replies_row(const struct ph_status *s, struct ph_buffer *b)
{
	const size_t	 from = b->len;
	size_t		 i;

	for (i = 0; i < s->n_broken && i < PH_STATUS_BROKEN; i++) {
		add_separator(b, from, "; ");
		ph_buffer_addf(b, "%s cannot be used: pagehook replies check", s->broken[i]);
	}
	return PH_STATUS_FAIL;
}

static enum ph_status_word
store_row(const struct ph_status *s, struct ph_buffer *b)
{
	ph_buffer_adds(b, s->live.trouble[0] != '\0' ? s->live.trouble : s->store_trouble);
	return PH_STATUS_FAIL;
}

static bool
is_anything_owed(const struct ph_status *s)
{
	const struct ph_glance_counts	*c = &s->counts;

	return s->spool_files > 0 || c->ready + c->sending + c->unsure + c->events_open > 0;
}

static enum ph_status_word
helper_row(const struct ph_status *s, struct ph_buffer *b)
{
	enum ph_status_word	 word = PH_STATUS_OK;

	if (s->live.pid != 0) {
		ph_buffer_addf(b, "pid %" PRId64 " up ", s->live.pid);
		add_duration(b, s->at - s->live.began);
		ph_buffer_adds(b, ", ");
		add_size(b, s->live.rss_bytes);
	} else if (s->unanswered[0] != '\0') {
		ph_buffer_addf(b, "does not answer: %s", s->unanswered);
		word = PH_STATUS_FAIL;
	} else {
		ph_buffer_adds(b, "none runs: the next delivery starts one");
		word = is_anything_owed(s) ? PH_STATUS_WARN : PH_STATUS_OK;
	}
	if (s->no_store)
		ph_buffer_adds(b, "; no store yet");
	else {
		ph_buffer_adds(b, "; store ");
		add_size(b, s->store_bytes + s->log_bytes);
	}
	ph_buffer_addf(b, "; spool %" PRId64 ", quarantine ", s->spool_files);
	add_count(b, s->counts.unreadable);
	return word;
}

static const struct row {
	const char		*name;
	enum ph_status_word	(*say)(const struct ph_status *, struct ph_buffer *);
} rows[] = {
	{ "webhook", webhook_row }, { "forged", forged_row }, { "send", send_row },
	{ "queue", queue_row }, { "pages", pages_row }, { "replies", replies_row },
	{ "store", store_row }, { "helper", helper_row },
};

static enum ph_status_word
say_all(const struct ph_status *s, struct ph_buffer *lines)
{
	static const char *const	 words[] = { "OK", "WARN", "FAIL" };
	enum ph_status_word		 word, worst = PH_STATUS_OK;
	struct ph_buffer		 b = PH_BUFFER_INIT;
	size_t				 i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		ph_buffer_reset(&b);
		word = rows[i].say(s, &b);
		if (b.len == 0)
			continue;
		worst = worse(worst, word);
		if (lines != NULL)
			ph_buffer_addf(lines, "%-8s %-4s  %s\n", rows[i].name, words[word], b.data);
	}
	ph_buffer_clear(&b);
	return worst;
}

enum ph_status_word
ph_status_worst(const struct ph_status *s)
{
	return say_all(s, NULL);
}

void
ph_status_format_lines(const struct ph_status *s, struct ph_buffer *out)
{
	(void)say_all(s, out);
}

/* The document. */

static void
add_text(struct ph_buffer *b, const char *before, const char *text)
{
	ph_buffer_adds(b, before);
	ph_buffer_adds(b, text[0] != '\0' ? "\"" : "null");
	ph_buffer_add_json(b, (struct ph_slice){ text, strlen(text) });
	ph_buffer_adds(b, text[0] != '\0' ? "\"" : "");
}

static void
add_time(struct ph_buffer *b, const char *before, int64_t at)
{
	time_t		 second = (time_t)(at / 1000);
	struct tm	 tm;
	char		 text[32] = "";

	if (at > 0 && gmtime_r(&second, &tm) != NULL &&
	    strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm) > 0)
		ph_buffer_addf(b, "%s\"%s.%03dZ\"", before, text, (int)(at % 1000));
	else
		ph_buffer_addf(b, "%snull", before);
}

static void
add_number(struct ph_buffer *b, const char *before, int64_t n)
{
	ph_buffer_addf(b, "%s%" PRId64, before, n);
}

static void
add_metrics(struct ph_buffer *b, const struct ph_status *s)
{
	const struct ph_refused_count	*by = s->refused.by;
	const struct ph_tally		*t = &s->live.tally;

	add_time(b, ",\"metrics\":{\"webhook\":{\"last_kept\":", last_kept(s));
	add_number(b, ",\"refused\":{\"400\":", by[PH_BROKEN_BODY].n);
	add_number(b, ",\"404\":", by[PH_FOREIGN_OBJECT].n);
	add_number(b, ",\"413\":", by[PH_LONG_BODY].n);
	add_number(b, ",\"503\":", by[PH_NOT_KEPT].n);
	add_number(b, "}},\"signature\":{\"missing\":", by[PH_UNSIGNED].n);
	add_number(b, ",\"malformed\":", by[PH_MISFORMED].n);
	add_number(b, ",\"mismatch\":", by[PH_MISMATCH].n);
	ph_buffer_adds(b, "}");
	if (s->live.pid != 0) {
		add_number(b, ",\"throughput\":{\"deliveries\":", t->deliveries);
		add_number(b, ",\"kept\":", t->kept);
		add_number(b, ",\"known\":", t->known);
		add_number(b, ",\"dead\":", t->dead);
		add_number(b, "},\"send\":{\"sent\":", t->sent);
		add_number(b, ",\"refused\":", t->refused);
		add_number(b, ",\"unsure\":", t->unsure);
		add_time(b, ",\"last_sent\":", t->sent_at);
		ph_buffer_adds(b, "}");
	}
	ph_buffer_adds(b, "}");
}

static void
add_queue(struct ph_buffer *b, const struct ph_status *s)
{
	const struct ph_glance_counts	*c = &s->counts;

	add_number(b, ",\"queue\":{\"ready\":", c->ready);
	add_number(b, ",\"sending\":", c->sending);
	add_number(b, ",\"unsure\":", c->unsure);
	add_number(b, ",\"held\":", c->held);
	add_number(b, ",\"dead\":", c->dead);
	add_number(b, ",\"events_open\":", c->events_open);
	add_number(b, ",\"events_dead\":", c->events_dead);
	add_number(b, ",\"quarantine\":", c->unreadable);
	add_number(b, ",\"oldest_s\":", c->oldest != 0 && c->oldest < s->at ?
	    (s->at - c->oldest) / PH_SECOND_MS : 0);
	ph_buffer_addf(b, ",\"more\":%s}", c->more ? "true" : "false");
}

static void
add_pages(struct ph_buffer *b, const struct ph_status *s)
{
	const struct ph_glance_page	*p = s->counts.pages;
	size_t				 i;

	add_number(b, ",\"pages_paused\":", (int64_t)s->counts.n_pages);
	ph_buffer_adds(b, ",\"pages\":[");
	for (i = 0; i < s->counts.n_pages && i < PH_GLANCE_PAGES; i++, p++) {
		add_text(b, i > 0 ? ",{\"page\":" : "{\"page\":", p->id);
		add_text(b, ",\"why\":", p->why);
		add_time(b, ",\"until\":", p->until);
		ph_buffer_adds(b, "}");
	}
	ph_buffer_adds(b, "],\"replies_broken\":[");
	for (i = 0; i < s->n_broken && i < PH_STATUS_BROKEN; i++)
		add_text(b, i > 0 ? "," : "", s->broken[i]);
	ph_buffer_adds(b, "]");
}

void
ph_status_format_json(const struct ph_status *s, struct ph_buffer *b)
{
	static const char *const	 words[] = { "ok", "warn", "fail" };
	int64_t				 n, failing_ms = ph_status_failing_ms(&s->refused, &n);

	add_time(b, "{\"v\":1,\"at\":", s->at);
	add_text(b, ",\"worst\":", words[ph_status_worst(s)]);
	add_metrics(b, s);
	add_queue(b, s);
	add_pages(b, s);
	add_text(b, ",\"store\":{\"trouble\":",
	    s->live.trouble[0] != '\0' ? s->live.trouble : s->store_trouble);
	add_number(b, ",\"bytes\":", s->store_bytes);
	add_number(b, ",\"log_bytes\":", s->log_bytes);
	add_number(b, "},\"spool_files\":", s->spool_files);
	if (s->live.pid != 0) {
		add_number(b, ",\"helper\":{\"pid\":", s->live.pid);
		add_number(b, ",\"up_s\":", (s->at - s->live.began) / PH_SECOND_MS);
		add_number(b, ",\"rss_bytes\":", s->live.rss_bytes);
		ph_buffer_adds(b, "}");
	} else
		ph_buffer_adds(b, ",\"helper\":null");
	add_text(b, ",\"helper_trouble\":", s->unanswered);
	add_time(b, ",\"failing_since\":",
	    failing_ms > 0 ? ph_refused_sum(&s->refused, PH_MISMATCH, PH_NOT_KEPT).first : 0);
	ph_buffer_adds(b, "}");
}
