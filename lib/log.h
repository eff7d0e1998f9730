/*
 * log -- one JSON object a line, one write a line.
 * Knows buffer and clock.  Does not know what is worth a line.
 * Called by the programs, flow, news, alert and disk; what returns an error does not log it.
 * Lives once a process: where lines go is the program's, like its standard error.
 * SPDX-License-Identifier: ISC
 */
#ifndef PH_LOG_H
#define PH_LOG_H

#include <stdint.h>

#include "buffer.h"

enum ph_log_level { PH_ERROR, PH_WARN, PH_INFO, PH_DEBUG };

/*
 * Where lines go from now on: "stderr", "syslog", or a file's path, opened for append, mode 0600,
 * and opened anew when it was renamed or removed.  Not open, or the file cannot be had: stderr.
 * also_stderr: warnings and errors are written there too, as plain text, a repeat only once a minute:
 * the web server's error log is where its administrator looks first.
 * May be called again, from any thread.
 */
void	ph_log_open(const char *where, enum ph_log_level level, bool also_stderr);
void	ph_log_close(void);

bool	ph_log_level_parse(const char *name, enum ph_log_level *out);

/*
 * One line.  kind is one of verify event refused send reply helper store config alert.
 * fields, if not empty, is the inside of a JSON object, written with the calls below.
 * Never a secret, a token, an offered token, a person's words.
 */
void	ph_log(enum ph_log_level level, const char *kind, const struct ph_buffer *fields);

/*
 * Many lines at once: each is appended to batch, whole and stamped, and ph_log_write writes and
 * empties it with one write.  For what must not be said before it is true.
 */
void	ph_log_add(struct ph_buffer *batch, enum ph_log_level level, const char *kind,
	    const struct ph_buffer *fields);
void	ph_log_write(struct ph_buffer *batch);

/* One line with nothing but words. */
void	ph_log_say(enum ph_log_level level, const char *kind, const char *fmt, ...) PH_FORMAT(3, 4);

/* A failure nobody above will hear of: its text, as a warning; an error when err says so. */
void	ph_log_fail(const char *kind, const struct ph_fail *fail);

/* Fields.  A person shows by the last four characters alone. */
void	ph_log_text(struct ph_buffer *fields, const char *name, const char *value);
void	ph_log_slice(struct ph_buffer *fields, const char *name, struct ph_slice value);
void	ph_log_number(struct ph_buffer *fields, const char *name, int64_t value);
void	ph_log_json(struct ph_buffer *fields, const char *name, const char *json);	/* on one line */
void	ph_log_time(struct ph_buffer *fields, const char *name, int64_t at);	/* Unix ms */
void	ph_log_id(struct ph_buffer *fields, const char *name, char letter, int64_t id);	/* e4821 */
void	ph_log_who(struct ph_buffer *fields, struct ph_slice psid);

#endif
