/*
 * ask -- asks the helper something, by order of an operator.
 * Knows conf, state, wire, start.  Does not know any order.
 * Called by send, queue_steer, orders, forget and status.
 * Lives for one command.
 * SPDX-License-Identifier: ISC
 */
#include <poll.h>
#include <sysexits.h>
#include <unistd.h>

#include "ask.h"
#include "clock.h"
#include "start.h"
#include "state.h"
#include "verb.h"
#include "wire.h"

#define REACH_BY_MS	5000

static enum ph_error
connect_to(struct ask *s, int state_fd, const struct ph_conf *conf, struct ph_fail *fail)
{
	return ph_wire_connect(state_fd, conf->digest, conf->file != NULL ? conf->file : "",
	    &s->fd, fail);
}

enum ph_error
ask_reach(struct ask *s, const struct ph_conf *conf, struct ph_fail *fail)
{
	enum ph_error	 err;
	int		 state_fd;

	if (access(conf->state, F_OK) == -1)
		return PH_NONE;			/* to look is not to make it */
	if (ph_state_become_owner(conf->state, fail) != PH_OK ||
	    ph_state_open(conf->state, &state_fd, fail) != PH_OK)
		return fail->err;
	err = connect_to(s, state_fd, conf, fail);
	close(state_fd);
	return err;
}

enum ph_error
ask_open(struct ask *s, const struct ph_conf *conf, struct ph_fail *fail)
{
	int64_t			 by = ph_clock_mono() + REACH_BY_MS;
	enum ph_error		 err;
	int			 state_fd;
	bool			 started = false;

	if (ph_state_become_owner(conf->state, fail) != PH_OK ||
	    ph_state_open(conf->state, &state_fd, fail) != PH_OK)
		return fail->err;
	while ((err = connect_to(s, state_fd, conf, fail)) == PH_NONE) {
		if (ph_clock_left_ms(by) == 0)
			err = ph_error_set(fail, PH_BUSY, "no helper came up: see %s", conf->log);
		else if (!started)
			err = start_helper(conf, state_fd, fail);
		if (err != PH_OK && err != PH_NONE)
			break;
		started = true;
		(void)poll(NULL, 0, 20);
	}
	close(state_fd);
	return err;
}

enum ph_error
ask_answer(struct ask *s, const struct ph_buffer *text, struct ph_json **tree,
    struct ph_fail *fail)
{
	struct ph_slice	 what;

	*tree = NULL;
	ph_buffer_reset(&s->answer);
	if (ph_buffer_check(text, fail) != PH_OK ||
	    ph_wire_order(s->fd, PH_SLICE(text), &s->answer, ph_clock_mono() + REACH_BY_MS,
	    fail) != PH_OK ||
	    ph_json_parse(PH_SLICE(&s->answer), tree, fail) != PH_OK)
		return fail->err;
	what = ph_json_text(ph_json_get(ph_json_get(*tree, "error"), "what"));
	if (what.at != NULL)
		return ph_error_set(fail, PH_BUSY, "%.*s", (int)what.len, what.at);
	return PH_OK;
}

int
ask_order(struct ask *s, const struct ph_buffer *text, struct ph_json **tree)
{
	struct ph_fail	 fail = PH_FAIL_INIT;
	int64_t		 status;

	if (ask_answer(s, text, tree, &fail) == PH_OK)
		return EX_OK;
	status = complain(&fail);
	(void)ph_json_integer(ph_json_get(ph_json_get(*tree, "error"), "exit"), &status);
	return (int)status;
}

void
ask_close(struct ask *s)
{
	if (s->fd != -1)
		close(s->fd);
	s->fd = -1;
	ph_buffer_clear(&s->answer);
}
