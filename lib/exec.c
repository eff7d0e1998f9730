/*
 * exec -- a handler that is started for one event: event in, end of file, answer out, exit status.
 * Knows program, process, handler_log, place.  Does not know what is in an answer.
 * Called by handler.
 * Lives from its reservation until its answer has been told and its process is gone.
 * SPDX-License-Identifier: ISC
 */
#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "exec.h"

#define DECIDE_MS	1000	/* a child of its own may keep the output open: its exit counts */
#define SPARE_CPU_S	5	/* of CPU time beyond the time limit: the clock ends it first */

enum ph_error
ph_exec_reserve(struct ph_exec *x, const struct ph_handler_ask *ask, struct ph_fail *fail)
{
	char			 event[24], attempt[24];
	int			 event_len, attempt_len;
	struct ph_program_var	 vars[PH_PROGRAM_VARS];

	event_len = snprintf(event, sizeof(event), "e%lld", (long long)ask->event);
	attempt_len = snprintf(attempt, sizeof(attempt), "%lld", (long long)ask->attempt);
	vars[0] = (struct ph_program_var){ "PAGEHOOK_EVENT", { event, (size_t)event_len } };
	vars[1] = (struct ph_program_var){ "PAGEHOOK_ATTEMPT", { attempt, (size_t)attempt_len } };
	vars[2] = (struct ph_program_var){ "PAGEHOOK_ON", { ask->on, strlen(ask->on) } };
	vars[3] = (struct ph_program_var){ "PAGEHOOK_PAGE", ask->page };
	vars[4] = (struct ph_program_var){ "PAGEHOOK_PSID", ask->psid };
	if (ph_program_set(&x->program, ask->argv, ask->dir, vars, PH_PROGRAM_VARS, fail) !=
	    PH_OK || ph_place_reserve(&x->place, ask, fail) != PH_OK) {
		ph_exec_clear(x);
		return fail->err;
	}
	x->program.cpu_s = ask->timeout_ms / PH_SECOND_MS + SPARE_CPU_S;
	x->log.name = ph_program_name(&x->program);
	return PH_OK;
}

static void
move(struct ph_exec *x)
{
	struct ph_process	*p = &x->process;
	size_t			 room = PH_EXEC_MAX_OUTPUT + 1 - x->place.reply.len;

	ph_process_write(p, &x->place.line);
	if (x->place.line.len == 0)
		ph_process_close_in(p);
	ph_process_read(p, &x->place.reply, room);
	ph_handler_log_read(&x->log, &p->err, x->place.event);
}

void
ph_exec_launch(struct ph_exec *x)
{
	struct ph_fail	 fail = PH_FAIL_INIT;

	ph_place_launch(&x->place);
	if (ph_program_load(&x->program, &fail) != PH_OK ||
	    ph_process_start(&x->program, &x->process, &fail) != PH_OK) {
		ph_place_settle(&x->place, PH_HANDLER_FAILED, fail.text);
		return;
	}
	ph_place_ask(&x->place);
	move(x);		/* at once: one without input waits for its end, and wakes nobody */
}

/* Ends it; it is settled when it has gone, so that the next try does not meet it. */
static void
give_up(struct ph_exec *x, const char *why)
{
	snprintf(x->why, sizeof(x->why), "%s", why);
	ph_process_close_out(&x->process);
	ph_process_kill(&x->process);
}

static void
check_limits(struct ph_exec *x)
{
	char	 late[sizeof(x->why)];

	if (x->why[0] != '\0')
		return;
	if (x->place.reply.failed)
		give_up(x, "out of memory for its output");
	else if (x->place.reply.len > PH_EXEC_MAX_OUTPUT)
		give_up(x, "more than 256 KiB");
	else if (!x->process.ended && ph_clock_mono() >= x->place.answer_by) {
		ph_place_tell_late(&x->place, late, sizeof(late));
		give_up(x, late);
	}
}

/* Whether nothing more is to be expected of one that has left. */
static bool
said_all(struct ph_exec *x)
{
	if (x->process.out == -1)
		return true;
	if (x->decide_by == 0)
		x->decide_by = ph_clock_mono() + ph_clock_wait_ms(DECIDE_MS);
	return ph_clock_mono() >= x->decide_by;
}

static void
settle(struct ph_exec *x)
{
	static const struct { int exit; enum ph_handler_end end; } ends[] = {
		{ 0, PH_HANDLER_ANSWERED },
		{ 75, PH_HANDLER_LATER },	/* EX_TEMPFAIL: try again later */
		{ 65, PH_HANDLER_DEAD },	/* EX_DATAERR: no try will mend it */
	};
	enum ph_handler_end	 end = PH_HANDLER_FAILED;
	size_t			 i;

	for (i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
		if (x->process.exit == ends[i].exit)
			end = ends[i].end;
	if (x->why[0] != '\0')
		end = PH_HANDLER_FAILED;
	else if (end != PH_HANDLER_ANSWERED)
		ph_process_tell(&x->process, &x->program, x->why, sizeof(x->why));
	ph_place_settle(&x->place, end, x->why);
	ph_process_close(&x->process);
}

void
ph_exec_perform(struct ph_exec *x)
{
	if (x->process.pid == 0)
		return;
	/* Its end is looked at before its output is read, so that all it wrote has been read. */
	(void)ph_process_check(&x->process);
	move(x);
	check_limits(x);
	if (x->process.ended && said_all(x))
		settle(x);
}

size_t
ph_exec_watch(const struct ph_exec *x, struct pollfd *fds, size_t max)
{
	return ph_process_watch(&x->process, x->place.line.len > 0, fds, max);
}

int64_t
ph_exec_due(const struct ph_exec *x)
{
	if (x->place.state == PH_PLACE_ANSWERED)
		return 0;
	if (x->process.pid == 0)
		return INT64_MAX;
	if (x->process.ended)
		return x->decide_by;
	return x->process.kill_at != 0 ? x->process.kill_at : x->place.answer_by;
}

void
ph_exec_clear(struct ph_exec *x)
{
	ph_process_close(&x->process);
	ph_place_clear(&x->place);
	ph_program_clear(&x->program);
	*x = (struct ph_exec)PH_EXEC_INIT;
}
