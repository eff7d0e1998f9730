/*
 * alert -- the operator's own command, run when something needs a person.
 * Knows news, words, program, process, handler_log, clock.  Does not know why something was raised.
 * Called by turn, after a commit.
 * Lives in the helper's one thread; what it told stands in the file "alerts", for the next helper.
 * Described in cgi/pagehook.conf.5 (PAGEHOOK_ALERT).
 *
 *	file	a line for each cause, and of a Page's for each Page:
 *		"<cause> <Page or -> <when it was told last, Unix ms> <how often since>\n"
 * SPDX-License-Identifier: ISC
 */
#ifndef PH_ALERT_H
#define PH_ALERT_H

#include <poll.h>
#include <stdint.h>

#include "news.h"

#define PH_ALERT_WATCHED	3

struct ph_alert;

/*
 * command: words, NULL: none, and then nothing is ever run.  The file is of the current directory.
 * A program that cannot be found is said in the log; it may come later.
 */
enum ph_error	ph_alert_open(const char *command, struct ph_alert **out, struct ph_fail *fail) PH_MUST_USE;
void		ph_alert_close(struct ph_alert *alert);		/* what runs is ended */

/* Takes what was raised: to be told, unless that cause was told of within the last hour. */
void		ph_alert_take(struct ph_alert *alert, const struct ph_news *news);

/* Whether the command should be run now: something is to be told, and it does not run. */
bool		ph_alert_is_due(const struct ph_alert *alert);

bool		ph_alert_runs(const struct ph_alert *alert);

/* Runs it, with this on its standard input, for 10 s at most. */
void		ph_alert_launch(struct ph_alert *alert, struct ph_slice document);

/* Moves bytes, keeps the time limit, says how it ended. */
void		ph_alert_perform(struct ph_alert *alert);

size_t		ph_alert_watch(const struct ph_alert *alert, struct pollfd *fds, size_t max);
int		ph_alert_patience(const struct ph_alert *alert);	/* ms; -1: for ever */

#endif
