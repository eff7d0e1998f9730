/*
 * alert -- the operator's own command, run when something needs a person.
 * Knows news, words, program, process, handler_log, clock.  Does not know why something was raised.
 * Called by turn, after a commit.
 * Lives in the helper's one thread; what it told stands in the file "alerts", for the next helper.
 * SPDX-License-Identifier: ISC
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "alert.h"
#include "clock.h"
#include "handler_log.h"
#include "process.h"
#include "words.h"

#define AGAIN_MS	PH_HOUR_MS	/* a cause is not told of more often */
#define LIMIT_MS	(10 * PH_SECOND_MS)
#define MAX_TOLD	64		/* causes and Pages that are remembered */
#define MAX_WHY		4000		/* bytes of what is told at once */
#define FILE_NAME	"alerts"

struct told {			/* a cause, of a Page if it is one's */
	enum ph_cause	 cause;
	char		 page[32];
	int64_t		 at;		/* Unix ms */
	int64_t		 n_since;	/* so often it was raised since, and not told */
	enum { TOLD, TO_TELL, TELLING } is;	/* by the next run, by this one */
};

struct ph_alert {
	char			**argv;		/* NULL: there is no command */
	struct told		 told[MAX_TOLD];
	size_t			 n_told;
	struct ph_buffer	 why;		/* to be told: sentences */
	enum ph_cause		 cause;		/* of the first of them */
	struct ph_program	 program;
	struct ph_process	 process;
	struct ph_handler_log	 log;
	struct ph_buffer	 document, ignored;
	int64_t			 end_by;	/* monotonic */
	bool			 late;
};

static enum ph_error
load(struct ph_alert *a, const struct ph_program_var *vars, size_t n, struct ph_fail *fail)
{
	if (ph_program_set(&a->program, a->argv, "/", vars, n, fail) != PH_OK)
		return fail->err;
	return ph_program_load(&a->program, fail);
}

/* What was told, and when. */

static bool
find_cause(const char *name, enum ph_cause *out)
{
	int	 i;

	for (i = 0; i < PH_CAUSES; i++)
		if (strcmp(name, ph_news_cause((enum ph_cause)i)) == 0) {
			*out = (enum ph_cause)i;
			return true;
		}
	return false;
}

static void
read_told(struct ph_alert *a)
{
	FILE		*f = fopen(FILE_NAME, "re");
	struct told	*t = a->told;
	char		 name[16];

	if (f == NULL)
		return;
	while (t < a->told + MAX_TOLD && fscanf(f, "%15s %31s %" SCNd64 " %" SCNd64 "\n", name, t->page,
	    &t->at, &t->n_since) == 4) {
		if (strcmp(t->page, "-") == 0)
			t->page[0] = '\0';
		if (find_cause(name, &t->cause))
			t++;
	}
	a->n_told = (size_t)(t - a->told);
	fclose(f);
}

/* A helper that finds half of it tells once more: that is no harm. */
static void
write_told(const struct ph_alert *a)
{
	FILE	*f = fopen(FILE_NAME ".new", "we");
	size_t	 i;

	if (f == NULL)
		return;
	for (i = 0; i < a->n_told; i++)
		if (a->told[i].is == TOLD)	/* who is killed meanwhile has told nobody of the others */
			fprintf(f, "%s %s %" PRId64 " %" PRId64 "\n", ph_news_cause(a->told[i].cause),
			    a->told[i].page[0] != '\0' ? a->told[i].page : "-", a->told[i].at, a->told[i].n_since);
	if (fclose(f) == 0)
		(void)!rename(FILE_NAME ".new", FILE_NAME);
}

/* Its place, or that of the one told longest ago. */
static struct told *
place_of(struct ph_alert *a, const struct ph_raised *r)
{
	struct told	*t, *oldest = a->told;

	for (t = a->told; t < a->told + a->n_told; t++) {
		if (t->cause == r->cause && strcmp(t->page, r->page) == 0)
			return t;
		if (t->at < oldest->at)
			oldest = t;
	}
	if (a->n_told < MAX_TOLD)
		oldest = &a->told[a->n_told++];
	*oldest = (struct told){ .cause = r->cause };
	snprintf(oldest->page, sizeof(oldest->page), "%s", r->page);
	return oldest;
}

/* Said now, since nobody looks until it is needed; it may come later. */
static void
check(struct ph_alert *a)
{
	struct ph_fail	 fail = PH_FAIL_INIT;

	if (load(a, NULL, 0, &fail) != PH_OK)
		ph_log_say(PH_ERROR, "config", "PAGEHOOK_ALERT: %s", fail.text);
	else if (access(a->program.path, X_OK) == -1)
		ph_log_say(PH_ERROR, "config", "PAGEHOOK_ALERT: %s: %s", a->program.path, strerror(errno));
}

enum ph_error
ph_alert_open(const char *command, struct ph_alert **out, struct ph_fail *fail)
{
	struct ph_alert	*a = calloc(1, sizeof(*a));

	*out = a;
	if (a == NULL)
		return ph_error_set(fail, PH_NOMEM, "helper: out of memory");
	a->process = (struct ph_process)PH_PROCESS_INIT;
	a->log = (struct ph_handler_log)PH_HANDLER_LOG_INIT;
	a->log.kind = "alert";
	if (command == NULL)
		return PH_OK;
	if (ph_words_parse(command, &a->argv, fail) != PH_OK) {
		ph_alert_close(a);
		*out = NULL;
		return fail->err;
	}
	check(a);
	read_told(a);
	return PH_OK;
}

void
ph_alert_close(struct ph_alert *a)
{
	if (a == NULL)
		return;
	ph_process_close(&a->process);
	ph_program_clear(&a->program);
	ph_words_free(a->argv);
	ph_buffer_clear(&a->why);
	ph_buffer_clear(&a->document);
	ph_buffer_clear(&a->ignored);
	free(a);
}

/* What is to be told. */

static void
add_sentence(struct ph_alert *a, const struct ph_raised *r, int64_t n_since)
{
	const size_t	 len = strlen(r->page);

	if (a->why.len == 0)
		a->cause = r->cause;
	if (a->why.len > MAX_WHY)
		return;
	ph_buffer_adds(&a->why, a->why.len > 0 ? " " : "");
	if (len > 0)
		ph_buffer_addf(&a->why, "Page %s%s: ", len > 4 ? "\xe2\x80\xa6" : "",
		    r->page + (len > 4 ? len - 4 : 0));
	ph_buffer_adds(&a->why, r->what);
	if (r->n + n_since > 1)
		ph_buffer_addf(&a->why, " (%" PRId64 " times since the last alert of this)", r->n + n_since);
	ph_buffer_adds(&a->why, ".");
}

void
ph_alert_take(struct ph_alert *a, const struct ph_news *news)
{
	const int64_t	 now = ph_clock_now();
	size_t		 i;

	if (a->argv == NULL || news->n_raised == 0)
		return;
	for (i = 0; i < news->n_raised; i++) {
		const struct ph_raised	*r = &news->raised[i];
		struct told		*t = place_of(a, r);

		/* A clock that was set back is no reason to be silent for a year. */
		if (t->at != 0 && now >= t->at && now - t->at < ph_clock_wait_ms(AGAIN_MS)) {
			t->n_since += r->n;
			continue;
		}
		add_sentence(a, r, t->n_since);
		t->at = now;
		t->n_since = 0;
		t->is = TO_TELL;
	}
	write_told(a);
}

bool
ph_alert_is_due(const struct ph_alert *a)
{
	return a->why.len > 0 && a->process.pid == 0;
}

bool
ph_alert_runs(const struct ph_alert *a)
{
	return a->process.pid != 0;
}

/* The command. */

static void
say(struct ph_alert *a, const char *what)
{
	struct ph_buffer	 fields = PH_BUFFER_INIT;

	ph_log_text(&fields, "program", a->argv[0]);
	ph_log_text(&fields, "what", what);
	ph_log(PH_WARN, "alert", &fields);
	ph_buffer_clear(&fields);
}

static enum ph_error
start(struct ph_alert *a, struct ph_fail *fail)
{
	const char			*cause = ph_news_cause(a->cause);
	const struct ph_program_var	 vars[] = { { "PAGEHOOK_CAUSE", { cause, strlen(cause) } },
					    { "PAGEHOOK_WHY", PH_SLICE(&a->why) } };

	if (load(a, vars, 2, fail) != PH_OK)
		return fail->err;
	a->log.name = ph_program_name(&a->program);
	a->end_by = ph_clock_mono() + ph_clock_wait_ms(LIMIT_MS);
	a->late = false;
	return ph_process_start(&a->program, &a->process, fail);
}

static void
move_on(struct ph_alert *a, int from, int to)
{
	size_t	 i;

	for (i = 0; i < a->n_told; i++)
		if ((int)a->told[i].is == from)
			a->told[i].is = to;
}

void
ph_alert_launch(struct ph_alert *a, struct ph_slice document)
{
	struct ph_fail	 fail = PH_FAIL_INIT;

	ph_buffer_reset(&a->document);
	ph_buffer_add(&a->document, document.at, document.len);
	move_on(a, TO_TELL, TELLING);
	if (start(a, &fail) != PH_OK) {
		say(a, fail.text);
		move_on(a, TELLING, TOLD);	/* in an hour again */
	}
	ph_buffer_reset(&a->why);
}

static void
end(struct ph_alert *a)
{
	char	 why[200];

	if (a->late)
		say(a, "took longer than 10 s: ended");
	else if (a->process.exit != 0) {
		ph_process_tell(&a->process, &a->program, why, sizeof(why));
		say(a, why);
	}
	ph_process_close(&a->process);
	move_on(a, TELLING, TOLD);
	write_told(a);
}

void
ph_alert_perform(struct ph_alert *a)
{
	if (a->process.pid == 0)
		return;
	(void)ph_process_check(&a->process);	/* first, so that all it said has been read */
	ph_process_write(&a->process, &a->document);
	if (a->document.len == 0)
		ph_process_close_in(&a->process);
	ph_process_read(&a->process, &a->ignored, 65536);
	ph_buffer_reset(&a->ignored);
	ph_handler_log_read(&a->log, &a->process.err, 0);
	if (!a->process.ended && !a->late && ph_clock_left_ms(a->end_by) == 0) {
		a->late = true;
		ph_process_kill(&a->process);
	}
	if (a->process.ended)
		end(a);
}

size_t
ph_alert_watch(const struct ph_alert *a, struct pollfd *fds, size_t max)
{
	return ph_process_watch(&a->process, a->document.len > 0, fds, max);
}

int
ph_alert_patience(const struct ph_alert *a)
{
	int64_t	 due = a->late ? a->process.kill_at : a->end_by;

	if (a->process.pid == 0)
		return -1;
	return ph_clock_left_ms(due);
}
