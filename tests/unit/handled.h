/*
 * handled -- asks handlers as the helper does, and hears what they answer.
 * Knows handler, log.  Does not know rules or the store.
 * Called by the tests of handlers, in a room of their own, where the log is too.
 * Lives in headers alone; every wait is for an answer or a state, and ends after 20 s.
 * SPDX-License-Identifier: ISC
 */
#ifndef PH_HANDLED_H
#define PH_HANDLED_H

#include <errno.h>
#include <signal.h>

#include "clock.h"
#include "handler.h"
#include "log.h"
#include "room.h"

#define WORDS(...)	((char *const *)(uintptr_t)(const char *const []){ __VA_ARGS__, NULL })
#define AT_MOST_MS	20000

static struct ph_handlers	*handlers;
static struct ph_buffer		 told;		/* the last answer's reply, then the log */

static inline int
handled_enter(void **state)
{
	struct ph_fail	 fail = PH_FAIL_INIT;
	char		 path[600];

	signal(SIGPIPE, SIG_IGN);
	unsetenv("PH_TEST_SPEED");
	if (room_enter(state) != 0 || ph_handlers_open(&handlers, &fail) != PH_OK)
		return -1;
	snprintf(path, sizeof(path), "%s/log", room);
	ph_log_open(path, PH_INFO, false);
	room_write("log", slice(""), 0600);
	return 0;
}

static inline int
handled_leave(void **state)
{
	ph_handlers_close(handlers);
	handlers = NULL;
	ph_buffer_clear(&told);
	ph_log_close();
	return room_leave(state);
}

static inline enum ph_error
reserve(const struct ph_handler_ask *ask, struct ph_fail *fail)
{
	struct ph_handler_ask	 full = *ask;

	if (full.attempt == 0)
		full.attempt = 1;
	if (full.dir == NULL)
		full.dir = room;
	if (full.timeout_ms == 0)
		full.timeout_ms = 10000;
	if (full.on == NULL)
		full.on = "text";
	if (full.page.at == NULL)
		full.page = slice("9001");
	if (full.psid.at == NULL)
		full.psid = slice("7001");
	return ph_handlers_reserve(handlers, &full, fail);
}

/* Once around the helper's turn: wait as long as it may, at most longest ms; move. */
static inline void
turn_once(int64_t by, int longest)
{
	struct pollfd	 fds[PH_HANDLER_WATCHED];
	size_t		 n = ph_handlers_watch(handlers, fds, PH_HANDLER_WATCHED);
	int		 patience = ph_handlers_patience(handlers), left = ph_clock_left_ms(by);

	if (left == 0)
		fail_msg("nothing came for too long");
	left = left < longest ? left : longest;
	(void)poll(fds, n, patience >= 0 && patience < left ? patience : left);
	ph_handlers_perform(handlers);
}

/* The next answer that comes; its reply is kept in told. */
static inline struct ph_handler_answer
hear(void)
{
	int64_t				 by = ph_clock_mono() + AT_MOST_MS;
	struct ph_handler_answer	 answer;

	while (!ph_handlers_next(handlers, &answer))
		turn_once(by, AT_MOST_MS);
	ph_buffer_reset(&told);
	ph_buffer_add(&told, answer.reply.at, answer.reply.len);
	ph_buffer_adds(&told, "");
	return answer;
}

/* Turns until the condition holds; it may be one of which no descriptor tells. */
#define turn_until(condition) do {						\
	int64_t	 until_by = ph_clock_mono() + AT_MOST_MS;			\
	while (!(condition))							\
		turn_once(until_by, 5);						\
} while (0)

/* The log so far; until the next answer or look. */
static inline const char *
logged(void)
{
	ph_buffer_reset(&told);
	ph_buffer_adds(&told, "");
	room_read("log", &told);
	return told.data;
}

static inline size_t
count_logged(const char *what)
{
	const char	*at = logged();
	size_t		 n = 0;

	for (; (at = strstr(at, what)) != NULL; at++)
		n++;
	return n;
}

#endif
