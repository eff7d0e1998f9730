/*
 * coproc -- a handler that stays: a hello each way, then events and answers as lines of JSON.
 * Knows program, process, handler_log, places, coproc_line.  Does not know what is in a reply.
 * Called by handler.
 * Lives as long as its command line is wanted.
 * SPDX-License-Identifier: ISC
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "coproc.h"
#include "coproc_line.h"

#define HELLO_MS	5000
#define LEAVE_MS	5000
#define SILENT_MS	1000	/* its output is closed: so soon it must be gone */
#define MAX_REST_S	60
#define READ_A_TURN	(256 * 1024)
#define TIMEOUT_MS	10000	/* what rules give an event, said in our hello */

enum state {
	RESTING,		/* no process; perhaps not again before restart_at */
	GREETING,		/* started, its hello must come */
	TALKING,
	LEAVING,		/* end of file was sent, nothing is asked */
	ENDING			/* killed for a reason: why */
};

struct ph_coproc {
	struct ph_program	 program;
	struct ph_process	 process;
	struct ph_handler_log	 log;
	enum state		 state;
	bool			 outdated;	/* no new events; leave when idle */
	size_t			 inflight;
	unsigned		 n_failures;
	int64_t			 born_at;	/* monotonic, as the next three */
	int64_t			 until;		/* to say its hello, or to leave */
	int64_t			 silent_until, restart_at;
	struct ph_buffer	 in, out;
	struct ph_places	 places;
	char			 why[160];	/* the last process ended so */
};

enum ph_error
ph_coproc_new(char *const *argv, const char *dir, struct ph_coproc **out, struct ph_fail *fail)
{
	struct ph_coproc	*c = calloc(1, sizeof(*c));

	*out = NULL;
	if (c == NULL)
		return ph_error_set(fail, PH_NOMEM, "handler: out of memory");
	c->process = (struct ph_process)PH_PROCESS_INIT;
	c->inflight = 1;
	if (ph_program_set(&c->program, argv, dir, NULL, 0, fail) != PH_OK) {
		ph_coproc_free(c);
		return fail->err;
	}
	c->log = (struct ph_handler_log)PH_HANDLER_LOG_INIT;
	c->log.name = ph_program_name(&c->program);
	*out = c;
	return PH_OK;
}

void
ph_coproc_free(struct ph_coproc *c)
{
	if (c == NULL)
		return;
	ph_process_close(&c->process);
	ph_places_clear(&c->places);
	ph_buffer_clear(&c->in);
	ph_buffer_clear(&c->out);
	ph_program_clear(&c->program);
	free(c);
}

bool
ph_coproc_is(const struct ph_coproc *c, char *const *argv, const char *dir)
{
	return ph_program_is(&c->program, argv, dir);
}

/* A person who edits a program that keeps crashing need not wait for the end of its rest. */
static void
look_at_files(struct ph_coproc *c)
{
	if (!c->outdated && ph_program_edited(&c->program))
		ph_coproc_renew(c);
}

void
ph_coproc_renew(struct ph_coproc *c)
{
	if (c->state == RESTING) {
		c->restart_at = 0;
		c->n_failures = 0;
		return;
	}
	c->outdated = true;
	if (ph_places_count(&c->places) == 0)
		ph_coproc_leave(c);
}

enum ph_error
ph_coproc_reserve(struct ph_coproc *c, const struct ph_handler_ask *ask, struct ph_fail *fail)
{
	const char	*name = ph_program_name(&c->program);

	look_at_files(c);
	if (c->state == RESTING && ph_clock_mono() < c->restart_at)
		return ph_error_set(fail, PH_BUSY, "%s: rests after: %s", name, c->why);
	if (c->outdated || c->state == LEAVING || c->state == ENDING)
		return ph_error_set(fail, PH_BUSY, "%s: is being started anew", name);
	return ph_places_reserve(&c->places, c->inflight, ask, fail);
}

void
ph_coproc_cancel(struct ph_coproc *c)
{
	ph_places_cancel(&c->places);
}

size_t
ph_coproc_asked(const struct ph_coproc *c)
{
	return ph_places_count(&c->places);
}

bool
ph_coproc_next(struct ph_coproc *c, struct ph_handler_answer *out)
{
	return ph_places_next(&c->places, out);
}

/* Ends: of what was asked, of the process, of its rest. */

/* 1, 2, 4 .. 60 s; one that had a minute of life begins anew. */
static void
rest(struct ph_coproc *c)
{
	int64_t	 now = ph_clock_mono();
	int	 s;

	if (now - c->born_at >= ph_clock_wait_ms(PH_MINUTE_MS))
		c->n_failures = 0;
	s = c->n_failures < 6 ? 1 << c->n_failures : MAX_REST_S;
	c->n_failures++;
	c->restart_at = now + ph_clock_wait_ms(s * PH_SECOND_MS);
	ph_log_say(PH_WARN, "handler", "%s: %s; not started again for %d s",
	    ph_program_name(&c->program), c->why, s);
}

static void
give_up(struct ph_coproc *c, const struct ph_place *offender, const char *why)
{
	if (c->state == ENDING)
		return;
	snprintf(c->why, sizeof(c->why), "%s", why);
	c->state = ENDING;
	ph_places_settle(&c->places, offender, c->why);
	ph_process_kill(&c->process);
	rest(c);
}

/* The process has ended and all it said has been heard. */
static void
bury(struct ph_coproc *c)
{
	/* It was started for an event; with none left it has answered one, so this is no loop. */
	bool	 well = c->process.exit == 0 && ph_places_count(&c->places) == 0;
	char	 why[160];

	if (c->state == LEAVING || (c->state != ENDING && well)) {
		c->restart_at = 0;
		c->n_failures = 0;
	} else if (c->state != ENDING) {
		ph_process_tell(&c->process, &c->program, why, sizeof(why));
		give_up(c, NULL, why);		/* what is left of its group goes with it */
	}
	ph_process_close(&c->process);
	ph_buffer_clear(&c->in);
	ph_buffer_clear(&c->out);
	c->state = RESTING;
	c->outdated = false;
	c->inflight = 1;
	c->places.alone_until = 0;
}

/* Begins: the process, and our words to it. */

static void
ask_launched(struct ph_coproc *c)
{
	ph_places_ask(&c->places, &c->in);
	if (c->in.failed)
		give_up(c, NULL, "out of memory for its events");
	ph_process_write(&c->process, &c->in);
}

static void
begin(struct ph_coproc *c)
{
	struct ph_fail	 why = PH_FAIL_INIT;

	c->born_at = ph_clock_mono();
	c->outdated = false;
	c->silent_until = 0;
	c->places.n_remembered = 0;
	if (ph_program_load(&c->program, &why) != PH_OK ||
	    ph_process_start(&c->program, &c->process, &why) != PH_OK) {
		give_up(c, NULL, why.text);
		bury(c);
		return;
	}
	c->state = GREETING;
	c->until = c->born_at + ph_clock_wait_ms(HELLO_MS);
	ph_buffer_addf(&c->in, "{\"pagehook\":1,\"hello\":{\"version\":\"%s\",\"inflight\":%d,"
	    "\"timeout_ms\":%d}}\n", PH_VERSION, PH_PLACES, TIMEOUT_MS);
	ph_process_write(&c->process, &c->in);
}

void
ph_coproc_launch(struct ph_coproc *c)
{
	if (ph_places_launch(&c->places, PH_COPROC_MAX_LINE) == 0)
		return;
	if (c->state == RESTING && ph_clock_mono() >= c->restart_at)
		begin(c);
	else if (c->state == TALKING)
		ask_launched(c);
	else if (c->state != GREETING)		/* it ended between reservation and launch */
		ph_places_settle(&c->places, NULL, c->why);
}

/* What it says. */

static void
remark(struct ph_coproc *c, const char *what, const struct ph_coproc_line *line)
{
	struct ph_buffer	 words = PH_BUFFER_INIT;
	struct ph_slice		 id = ph_json_text(line->id);

	ph_buffer_addf(&words, "%s", what);
	if (id.at != NULL)
		ph_buffer_add(&words, id.at, id.len < 40 ? id.len : 40);
	ph_handler_log_say(&c->log, PH_WARN, 0, PH_SLICE(&words));
	ph_buffer_clear(&words);
}

static void
hear_hello(struct ph_coproc *c, const struct ph_coproc_line *line)
{
	int64_t	 inflight, version;

	if (c->state != GREETING) {
		remark(c, "a second hello", line);
		return;
	}
	if (line->pagehook != NULL &&
	    (!ph_json_integer(line->pagehook, &version) || version != 1)) {
		give_up(c, NULL, "its hello is of another \"pagehook\" than 1");
		return;
	}
	c->inflight = 1;
	if (ph_json_integer(ph_json_get(line->hello, "inflight"), &inflight) && inflight > 1)
		c->inflight = inflight < PH_PLACES ? (size_t)inflight : PH_PLACES;
	c->state = TALKING;
	ask_launched(c);
}

static void
hear_answer(struct ph_coproc *c, const struct ph_coproc_line *line)
{
	int64_t		 event = ph_coproc_line_event(line);
	struct ph_place	*place = ph_places_find(&c->places, event);

	if (place != NULL)
		ph_coproc_line_settle(line, place);
	else if (ph_places_remembers(&c->places, event))
		remark(c, "a second answer, ignored, to ", line);
	else
		remark(c, "an answer to what it was not asked, ignored: ", line);
}

static void
hear_words(struct ph_coproc *c, const struct ph_coproc_line *line)
{
	enum ph_log_level	 level = PH_WARN;
	struct ph_slice		 name = ph_json_text(line->log);
	struct ph_slice		 msg = ph_json_text(line->msg);

	if (name.at != NULL)
		(void)ph_log_level_parse(name.at, &level);	/* json-c's texts end with a NUL */
	if (msg.at != NULL)
		ph_handler_log_say(&c->log, level, ph_places_only(&c->places), msg);
	else
		remark(c, "a log line without msg", line);
}

static void
hear(struct ph_coproc *c, struct ph_slice bytes)
{
	struct ph_coproc_line	 line = PH_COPROC_LINE_INIT;

	if (ph_coproc_line_read(bytes, &line, NULL) != PH_OK)
		give_up(c, NULL, "a line that is not JSON");
	else if (line.id != NULL)
		hear_answer(c, &line);
	else if (ph_json_is_object(line.hello))
		hear_hello(c, &line);
	else if (line.log != NULL)
		hear_words(c, &line);
	else
		remark(c, "a line without id, hello or log, ignored", &line);
	ph_coproc_line_clear(&line);
}

static void
hear_lines(struct ph_coproc *c)
{
	const char	*newline;
	size_t		 at = 0;

	while (c->state != ENDING && c->out.len > at &&
	    (newline = memchr(c->out.data + at, '\n', c->out.len - at)) != NULL) {
		size_t	 len = (size_t)(newline + 1 - (c->out.data + at));

		if (len > PH_COPROC_MAX_LINE)
			break;
		hear(c, (struct ph_slice){ c->out.data + at, len });
		at += len;
	}
	ph_buffer_drop(&c->out, at);
	if (c->out.failed)
		give_up(c, NULL, "out of memory for its answers");
	else if (c->out.len > PH_COPROC_MAX_LINE)
		give_up(c, NULL, "a line of more than 1 MiB");
	if (c->state == ENDING) {
		ph_process_close_out(&c->process);
		ph_buffer_reset(&c->out);
	}
}

/* Time. */

void
ph_coproc_leave(struct ph_coproc *c)
{
	if (c->state != GREETING && c->state != TALKING)
		return;
	c->state = LEAVING;
	c->until = ph_clock_mono() + ph_clock_wait_ms(LEAVE_MS);
	ph_process_close_in(&c->process);
}

static void
check_answers(struct ph_coproc *c)
{
	struct ph_place	*late = ph_places_late(&c->places);
	char		 why[160];

	if (late == NULL)
		return;
	ph_place_tell_late(late, why, sizeof(why));
	give_up(c, late, why);
}

static void
check_limits(struct ph_coproc *c)
{
	int64_t	 now = ph_clock_mono();

	check_answers(c);
	if (c->process.out == -1 && c->silent_until == 0)
		c->silent_until = now + ph_clock_wait_ms(SILENT_MS);
	if (c->state == GREETING && now >= c->until)
		give_up(c, NULL, "no hello in 5 s: stdout not flushed?");
	else if (c->state == LEAVING && now >= c->until) {
		ph_process_kill(&c->process);
		c->until = INT64_MAX;
	} else if (c->state != LEAVING && c->silent_until != 0 && now >= c->silent_until)
		give_up(c, NULL, "closed its standard output");
}

void
ph_coproc_perform(struct ph_coproc *c)
{
	bool	 ended;

	if (c->state == RESTING)
		return;
	/* Its end is looked at before its words are read, so that none is left unread. */
	ended = ph_process_check(&c->process);
	/* What it says for people is read before its answers are heard: they end its event. */
	ph_process_read(&c->process, &c->out, READ_A_TURN);
	ph_handler_log_read(&c->log, &c->process.err, ph_places_only(&c->places));
	hear_lines(c);
	if (ended) {
		bury(c);
		return;
	}
	ph_process_write(&c->process, &c->in);
	check_limits(c);
	look_at_files(c);
	if (c->outdated && ph_places_count(&c->places) == 0)
		ph_coproc_leave(c);
}

size_t
ph_coproc_watch(const struct ph_coproc *c, struct pollfd *fds, size_t max)
{
	return ph_process_watch(&c->process, c->in.len > 0, fds, max);
}

static int64_t
sooner(int64_t a, int64_t b)
{
	return b != 0 && b < a ? b : a;
}

int64_t
ph_coproc_due(const struct ph_coproc *c)
{
	int64_t	 due = ph_places_due(&c->places);

	/* Whoever was refused tries again when its rest is over. */
	if (c->state == RESTING && c->restart_at > ph_clock_mono())
		due = sooner(due, c->restart_at);
	if (c->state == GREETING || c->state == LEAVING)
		due = sooner(due, c->until);
	if (c->state == GREETING || c->state == TALKING)
		due = sooner(due, c->silent_until);
	return sooner(due, c->process.kill_at);
}

bool
ph_coproc_runs(const struct ph_coproc *c)
{
	return c->state != RESTING;
}

int64_t
ph_coproc_idle_since(const struct ph_coproc *c)
{
	if (!ph_places_empty(&c->places) || c->restart_at > ph_clock_mono())
		return INT64_MAX;
	return c->places.used_at;
}
