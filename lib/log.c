/*
 * log -- one JSON object a line, one write a line.
 * Knows buffer and clock.  Does not know what is worth a line.
 * Called by the programs and by flow.
 * Lives once a process: where lines go is the program's, like its standard error.
 * SPDX-License-Identifier: ISC
 */
#include <sys/stat.h>

#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "log.h"
#include "utf8.h"

#define MAX_LINE	4000		/* a line is written at once or is torn by a neighbour's */
#define MAX_VALUE	1000		/* bytes of one text in a line */
#define LOOK_EVERY_MS	1000		/* whether the file was rotated away */

static const char *const	 level_names[] = { "error", "warn", "info", "debug" };

static struct {
	pthread_mutex_t		 lock;
	char			 path[4096];	/* "" = stderr */
	int			 fd;
	bool			 syslog, also_stderr;
	enum ph_log_level	 level;
	dev_t			 dev;
	ino_t			 ino;
	int64_t			 look_at;	/* monotonic ms */
	char			 said[240];	/* the last text on the server's error log */
	int64_t			 said_at;
} out = { .lock = PTHREAD_MUTEX_INITIALIZER, .fd = -1, .level = PH_INFO };

static void
open_file(void)
{
	struct stat	 st;

	if (out.fd != -1)
		close(out.fd);
	out.fd = open(out.path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0600);
	if (out.fd != -1 && fstat(out.fd, &st) == 0) {
		out.dev = st.st_dev;
		out.ino = st.st_ino;
	}
}

static void
follow_rotation(void)
{
	struct stat	 st;
	int64_t		 now = ph_clock_mono();

	if (out.path[0] == '\0' || now < out.look_at)
		return;
	out.look_at = now + LOOK_EVERY_MS;
	if (out.fd == -1 || stat(out.path, &st) != 0 || st.st_ino != out.ino || st.st_dev != out.dev)
		open_file();
}

void
ph_log_open(const char *where, enum ph_log_level level, bool also_stderr)
{
	pthread_mutex_lock(&out.lock);
	out.level = level;
	out.also_stderr = also_stderr;
	out.syslog = strcmp(where, "syslog") == 0;
	if (out.syslog || strcmp(where, "stderr") == 0)
		where = "";
	if (strcmp(out.path, where) != 0) {
		if (out.fd != -1)
			close(out.fd);
		out.fd = -1;
		snprintf(out.path, sizeof(out.path), "%s", where);
		out.look_at = 0;
	}
	pthread_mutex_unlock(&out.lock);
}

void
ph_log_close(void)
{
	ph_log_open("stderr", PH_INFO, false);
}

bool
ph_log_level_parse(const char *name, enum ph_log_level *level)
{
	int	 i;

	for (i = PH_ERROR; i <= PH_DEBUG; i++)
		if (strcmp(name, level_names[i]) == 0) {
			*level = (enum ph_log_level)i;
			return true;
		}
	return false;
}

/* The words of a line for people: what stands behind "what", without JSON around it. */
static void
tell_the_web_server(enum ph_log_level level, const char *kind, const char *text)
{
	int64_t	 now = ph_clock_mono();
	char	 line[1024], *c;

	if (strcmp(text, out.said) == 0 && now < out.said_at + PH_MINUTE_MS)
		return;
	snprintf(out.said, sizeof(out.said), "%s", text);
	out.said_at = now;
	snprintf(line, sizeof(line), "%s", text);
	for (c = line; *c != '\0'; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			*c = '?';		/* no line of ours breaks somebody's log */
	dprintf(STDERR_FILENO, "pagehook: %s: %s: %s\n", level_names[level], kind, line);
}

/* Whole lines, so that nobody's are torn: one write, and syslog one call a line. */
static void
write_lines(enum ph_log_level level, const struct ph_buffer *lines)
{
	static const int	 priorities[] = { LOG_ERR, LOG_WARNING, LOG_INFO, LOG_DEBUG };
	const char		*line = lines->data, *end;
	int			 fd;

	if (out.syslog) {
		for (; (end = strchr(line, '\n')) != NULL; line = end + 1)
			syslog(LOG_DAEMON | priorities[level], "%.*s", (int)(end - line), line);
		return;
	}
	follow_rotation();
	fd = out.fd != -1 ? out.fd : STDERR_FILENO;
	if (write(fd, lines->data, lines->len) == -1)
		return;			/* nowhere left to say it */
}

/* A busy helper writes thousands of lines a second: the date is made once for all of them. */
static void
stamp(struct ph_buffer *line, enum ph_log_level level, const char *kind)
{
	static _Thread_local time_t	 second;
	static _Thread_local char	 date[32];
	int64_t				 now = ph_clock_now();
	const int			 ms = (int)(now % 1000);
	const char			 digits[] = { (char)('0' + ms / 100), (char)('0' + ms / 10 % 10),
						(char)('0' + ms % 10), '\0' };
	struct tm			 tm;

	if (second != now / 1000) {
		second = (time_t)(now / 1000);
		gmtime_r(&second, &tm);
		if (strftime(date, sizeof(date), "{\"t\":\"%Y-%m-%dT%H:%M:%S.", &tm) == 0)
			date[0] = '\0';
	}
	ph_buffer_adds(line, date);
	ph_buffer_adds(line, digits);
	ph_buffer_adds(line, "Z\",\"l\":\"");
	ph_buffer_adds(line, level_names[level]);
	ph_buffer_adds(line, "\",\"k\":\"");
	ph_buffer_adds(line, kind);
	ph_buffer_adds(line, "\"");
}

static void
compose(struct ph_buffer *line, enum ph_log_level level, const char *kind,
    const struct ph_buffer *fields)
{
	stamp(line, level, kind);
	if (fields->len < MAX_LINE - 100)
		ph_buffer_add(line, fields->data, fields->len);
	ph_buffer_adds(line, "}\n");
}

static void
put(enum ph_log_level level, const char *kind, const struct ph_buffer *fields, const char *text)
{
	struct ph_buffer	 line = PH_BUFFER_INIT;

	compose(&line, level, kind, fields);
	pthread_mutex_lock(&out.lock);
	if (!line.failed)
		write_lines(level, &line);
	if (out.also_stderr && level <= PH_WARN && text != NULL && (out.fd != -1 || out.syslog))
		tell_the_web_server(level, kind, text);
	pthread_mutex_unlock(&out.lock);
	ph_buffer_clear(&line);
}

void
ph_log(enum ph_log_level level, const char *kind, const struct ph_buffer *fields)
{
	if (level <= out.level)
		put(level, kind, fields, NULL);
}

void
ph_log_add(struct ph_buffer *batch, enum ph_log_level level, const char *kind,
    const struct ph_buffer *fields)
{
	if (level <= out.level)
		compose(batch, level, kind, fields);
}

void
ph_log_write(struct ph_buffer *batch)
{
	if (batch->len > 0 && !batch->failed) {
		pthread_mutex_lock(&out.lock);
		write_lines(PH_INFO, batch);
		pthread_mutex_unlock(&out.lock);
	}
	ph_buffer_reset(batch);
}

void
ph_log_say(enum ph_log_level level, const char *kind, const char *fmt, ...)
{
	struct ph_buffer	 fields = PH_BUFFER_INIT;
	char			 text[1024];
	va_list			 ap;

	if (level > out.level)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	ph_log_text(&fields, "what", text);
	put(level, kind, &fields, text);
	ph_buffer_clear(&fields);
}

void
ph_log_fail(const char *kind, const struct ph_fail *fail)
{
	bool	 grave = fail->err == PH_BROKEN || fail->err == PH_CONFIG || fail->err == PH_NOMEM;

	if (fail->err != PH_OK)
		ph_log_say(grave ? PH_ERROR : PH_WARN, kind, "%s", fail->text);
}

static void
add_name(struct ph_buffer *fields, const char *name)
{
	ph_buffer_adds(fields, ",\"");
	ph_buffer_adds(fields, name);
	ph_buffer_adds(fields, "\":");
}

/* The inside of a string, whatever the bytes are. */
static void
add_value(struct ph_buffer *fields, struct ph_slice value)
{
	size_t	 i, n, from = 0, len = value.len < MAX_VALUE ? value.len : MAX_VALUE;

	for (i = 0; i < len; i += n) {
		if ((n = ph_utf8_len(value.at + i, value.len - i)) > 0)
			continue;
		ph_buffer_add_json(fields, (struct ph_slice){ value.at + from, i - from });
		ph_buffer_addf(fields, "\\u00%02x", (unsigned char)value.at[i]);
		n = 1;
		from = i + 1;
	}
	ph_buffer_add_json(fields, (struct ph_slice){ value.at + from, i - from });
}

void
ph_log_slice(struct ph_buffer *fields, const char *name, struct ph_slice value)
{
	add_name(fields, name);
	ph_buffer_adds(fields, "\"");
	add_value(fields, value);
	ph_buffer_adds(fields, "\"");
}

void
ph_log_text(struct ph_buffer *fields, const char *name, const char *value)
{
	ph_log_slice(fields, name, (struct ph_slice){ value, strlen(value) });
}

void
ph_log_number(struct ph_buffer *fields, const char *name, int64_t value)
{
	add_name(fields, name);
	ph_buffer_add_number(fields, value);
}

void
ph_log_json(struct ph_buffer *fields, const char *name, const char *json)
{
	add_name(fields, name);
	ph_buffer_adds(fields, json);
}

void
ph_log_time(struct ph_buffer *fields, const char *name, int64_t at)
{
	char	 text[PH_CLOCK_TEXT];

	ph_clock_format(at, text);
	ph_log_text(fields, name, text);
}

void
ph_log_id(struct ph_buffer *fields, const char *name, char letter, int64_t id)
{
	const char	 begin[] = { '"', letter, '\0' };

	add_name(fields, name);
	ph_buffer_adds(fields, begin);
	ph_buffer_add_number(fields, id);
	ph_buffer_adds(fields, "\"");
}

void
ph_log_who(struct ph_buffer *fields, struct ph_slice psid)
{
	add_name(fields, "who");
	ph_buffer_adds(fields, "\"\xe2\x80\xa6");
	if (psid.len > 4)
		add_value(fields, (struct ph_slice){ psid.at + psid.len - 4, 4 });
	ph_buffer_adds(fields, "\"");
}
