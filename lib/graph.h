/*
 * graph -- requests to graph.facebook.com: the one door to libcurl.
 * Knows buffer, clock, outcome's answer.  Does not know queues or what an answer means.
 * Called by sending and asked; turn waits by it, which is the helper's only wait.
 * Lives in the helper's one thread; connections are kept alive between sends.
 * SPDX-License-Identifier: ISC
 */
#ifndef PH_GRAPH_H
#define PH_GRAPH_H

#include <poll.h>
#include <stdint.h>

#include "outcome.h"

#define PH_GRAPH_FLYING	152		/* requests under way at once: as many as all who ask have places */

struct ph_graph;

struct ph_graph_conf {			/* borrowed until ph_graph_close */
	const char	*url, *version;
	const char	*ca;		/* file; NULL: the system's */
};

struct ph_graph_call {			/* borrowed for the call of ph_graph_send */
	struct ph_slice	 node;		/* a Page or a person */
	const char	*edge;		/* "messages": POST {node}/{edge}; NULL: GET the node itself */
	const char	*fields;	/* of the node, for GET */
	const char	*token, *proof;	/* the Page's access token and its appsecret_proof */
	struct ph_slice	 body;		/* of a POST */
	int64_t		 limit_ms;	/* of the whole; 0: the usual 20 s */
	int		 what;		/* the caller's, comes back with the answer */
	void		*tag;		/* the same */
};

struct ph_graph_sent {			/* one finished request; valid until the next ph_graph_next */
	int			 what;
	void			*tag;
	struct ph_answer	 answer;
	int64_t			 took_ms;
};

enum ph_error	ph_graph_open(const struct ph_graph_conf *conf, struct ph_graph **out,
		    struct ph_fail *fail) PH_MUST_USE;
void		ph_graph_close(struct ph_graph *graph);

/*
 * Puts a request under way.  PH_BUSY: PH_GRAPH_FLYING are; PH_CONFIG: Graph's url is no address.  A
 * request that could not even be begun is no failure here: it comes back like any other, with not a
 * byte handed out.
 */
enum ph_error	ph_graph_send(struct ph_graph *graph, const struct ph_graph_call *call,
		    struct ph_fail *fail) PH_MUST_USE;

size_t		ph_graph_flying(const struct ph_graph *graph);

/* Whether a request has finished that ph_graph_next has not given yet: no time to wait. */
bool		ph_graph_finished(const struct ph_graph *graph);

/* Moves bytes, without waiting; then the next finished request, or false. */
void		ph_graph_perform(struct ph_graph *graph);
bool		ph_graph_next(struct ph_graph *graph, struct ph_graph_sent *out);

/* Waits until something moves here or on one of the watched, which get their revents, or timeout. */
void		ph_graph_wait(struct ph_graph *graph, struct pollfd *watched, size_t n, int timeout_ms);

#endif
