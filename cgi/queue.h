/*
 * queue -- what the queue's verbs share: which rows are meant, and how one is shown.
 * Knows glance.  Does not know the helper.
 * Called by queue_list, queue_show and queue_steer.
 * Lives for one command.
 * SPDX-License-Identifier: ISC
 */
#ifndef QUEUE_H
#define QUEUE_H

#include "glance.h"
#include "verb.h"

struct queue_filter {			/* NULL, 0: any */
	const char	*state, *page, *person;
	int64_t		 code, before;	/* before: since when, Unix ms */
};

/* Out of --state --page --person --code --older.  EX_OK, or a status after a line. */
int	queue_filter_read(const struct call *call, int64_t now, struct queue_filter *out);
bool	queue_filter_fits(const struct queue_filter *filter, const struct ph_glance_item *item);

/* The letter and number of an id like r4901; false: it is none. */
bool	queue_id_parse(const char *id, char *letter, int64_t *number);

/* One row on a line; header: the line above the first.  json: an object, and nothing above it. */
void	queue_print_header(bool json);
void	queue_print(const struct ph_glance_item *item, bool json, int64_t now);

/* The object without its closing brace. */
void	queue_print_members(const struct ph_glance_item *item, int64_t now);

/* Somebody else's words, on a terminal: without control characters. */
void	queue_print_words(struct ph_slice words);

/* The last four digits: nobody else's business stands on a screen. */
const char	*queue_short_id(const char *id, char out[16]);

#endif
