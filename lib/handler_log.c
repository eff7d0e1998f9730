/*
 * handler_log -- what a child says for people: its standard error, a line at a time, into our log.
 * Knows buffer, clock, log.  Does not know who starts or ends the child.
 * Called by exec, coproc and alert.
 * Lives as long as its child does.
 * SPDX-License-Identifier: ISC
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "handler_log.h"

#define READS_A_TURN	16		/* a flood of words does not keep the others waiting */
#define MAX_FIELDS	3500	/* of a line of the log: longer ones it leaves out whole */

static void
put(const struct ph_handler_log *m, enum ph_log_level level, int64_t event, struct ph_slice words)
{
	struct ph_buffer	 fields = PH_BUFFER_INIT;

	do {
		ph_buffer_reset(&fields);
		if (event != 0)
			ph_log_id(&fields, "id", 'e', event);
		ph_log_text(&fields, "program", m->name);
		ph_log_slice(&fields, "what", words);
		words.len /= 2;			/* bytes that must be escaped take six each */
	} while (fields.len > MAX_FIELDS && words.len > 0);
	ph_log(level, m->kind, &fields);
	ph_buffer_clear(&fields);
}

void
ph_handler_log_say(struct ph_handler_log *m, enum ph_log_level level, int64_t event, struct ph_slice words)
{
	static const char	 more[] = "more, left out";
	int64_t			 now = ph_clock_mono();

	if (now >= m->minute_ends) {
		m->minute_ends = now + PH_MINUTE_MS;
		m->n_said = 0;
	}
	if (m->n_said > PH_HANDLER_LOG_A_MINUTE)
		return;
	if (m->n_said++ < PH_HANDLER_LOG_A_MINUTE)
		put(m, level, event, words);
	else
		put(m, level, event, (struct ph_slice){ more, sizeof(more) - 1 });
}

static void
end_line(struct ph_handler_log *m, int64_t event)
{
	size_t	 len = m->len;

	if (len > 0 && m->line[len - 1] == '\r')
		len--;
	if (len > 0)
		ph_handler_log_say(m, PH_WARN, event, (struct ph_slice){ m->line, len });
	m->len = 0;
}

static void
add(struct ph_handler_log *m, const char *bytes, size_t len)
{
	size_t	 room = sizeof(m->line) - m->len;

	memcpy(m->line + m->len, bytes, len < room ? len : room);
	m->len += len < room ? len : room;
}

static void
cut_lines(struct ph_handler_log *m, const char *bytes, size_t len, int64_t event)
{
	const char	*newline;

	while ((newline = memchr(bytes, '\n', len)) != NULL) {
		add(m, bytes, (size_t)(newline - bytes));
		end_line(m, event);
		len -= (size_t)(newline + 1 - bytes);
		bytes = newline + 1;
	}
	add(m, bytes, len);
}

void
ph_handler_log_read(struct ph_handler_log *m, int *fd, int64_t event)
{
	char	 bytes[4096];
	ssize_t	 got = -1;
	int	 i;

	for (i = 0; *fd != -1 && i < READS_A_TURN; i++) {
		if ((got = read(*fd, bytes, sizeof(bytes))) > 0) {
			cut_lines(m, bytes, (size_t)got, event);
			continue;
		}
		if (got == -1 && (errno == EAGAIN || errno == EINTR))
			return;
		end_line(m, event);
		close(*fd);
		*fd = -1;
	}
}
