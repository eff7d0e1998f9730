/*
 * queue_list -- "pagehook queue list": what is not finished.
 * Knows queue, glance.  Does not know the helper: it reads the store without it.
 * Called by pagehook.c.
 * Lives for one command.
 * SPDX-License-Identifier: ISC
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "clock.h"
#include "queue.h"

struct listing {
	struct queue_filter	 filter;
	bool			 json, begun;	/* begun: the header is out */
	int64_t			 now;
	char			 asks[24];	/* the first that waits for a person */
};

/* Not before the store has said something: it may not be readable. */
static void
begin(struct listing *l)
{
	if (!l->begun)
		queue_print_header(l->json);
	l->begun = true;
}

static enum ph_error
list_item(void *arg, const struct ph_glance_item *it, struct ph_fail *fail)
{
	struct listing	*l = arg;

	if (!queue_filter_fits(&l->filter, it))
		return PH_OK;
	begin(l);
	queue_print(it, l->json, l->now);
	if (l->asks[0] == '\0' && is_one_of("dead held", it->state))
		snprintf(l->asks, sizeof(l->asks), "%c%" PRId64, it->letter, it->id);
	return ferror(stdout) ? ph_error_set(fail, PH_BUSY, "standard output is gone") : PH_OK;
}

int
queue_list_run(const struct call *call)
{
	struct listing		 l = { .json = option(call, "json") != NULL,
		.now = ph_clock_now() };
	struct ph_glance	*glance;
	struct ph_fail		 fail = PH_FAIL_INIT;
	int			 status;

	if (call->argc > 0)
		return usage("queue list takes no words, but got ", call->argv[0]);
	if ((status = queue_filter_read(call, l.now, &l.filter)) != EX_OK ||
	    (status = become_owner(call)) != EX_OK)
		return status;
	if (ph_glance_open(call->conf->state, PH_GLANCE_WAIT_MS, &glance, &fail) == PH_OK)
		(void)!ph_glance_queue(glance, list_item, &l, &fail);
	if (fail.err == PH_OK)			/* also where there is no store yet */
		begin(&l);
	ph_glance_close(glance);
	if (l.asks[0] != '\0' && isatty(STDOUT_FILENO) && isatty(STDERR_FILENO))
		fprintf(stderr, "next: pagehook queue show %s\n", l.asks);
	return complain(&fail);
}
