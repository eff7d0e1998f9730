/*
 * echo -- tells the webhook what the page said, as Meta does.
 * Knows send, signature and libcurl.  Does not know FastCGI or faults.
 * Called by graph for each message taken, from many threads.
 * Lives in a thread of its own behind a queue, so that no answer waits for it.
 * SPDX-License-Identifier: ISC
 */
#ifndef GRAPH_ECHO_H
#define GRAPH_ECHO_H

#include "send.h"

struct echo;

/*
 * Starts the thread.  url: the webhook; app_id: what echoes bear; secret: signs them.  All three
 * are borrowed until the program ends.  NULL when it cannot be started.
 */
struct echo	*echo_new(const char *url, const char *app_id, const char *secret) PH_MUST_USE;

/*
 * Queues the echo of message s, sent by page, with this mid.  It is posted until the webhook
 * answers 200, a few times at most.
 */
void		 echo_send(struct echo *e, const char *page, const char *mid, const struct send *s);

#endif
