/*
 * request -- one request of a web server, FastCGI or plain CGI: the one door to libfcgi.
 * Knows buffer and clock.  Does not know settings, signatures or what an answer means.
 * Called by the front.
 * Lives from accept to answer; its variables until they are dropped, or the answer is out.
 * SPDX-License-Identifier: ISC
 */
#ifndef REQUEST_H
#define REQUEST_H

#include <stdint.h>

#include "buffer.h"

struct request;

struct answer {
	int		 status;		/* an HTTP status */
	const char	*headers;		/* further header lines, each ended by \r\n; may be "" */
	struct ph_slice	 body;
};

/*
 * Once a process, before any thread: readies libfcgi and makes the listening socket on descriptor 0
 * non-blocking.  PH_NONE: descriptor 0 does not listen, so this is no FastCGI process.
 */
enum ph_error	 request_open(struct ph_fail *fail) PH_MUST_USE;

/* Room for one request after the other; NULL when out of memory. */
struct request	*request_new(void) PH_MUST_USE;
void		 request_free(struct request *rq);

/*
 * Accepts a connection that already waits and reads the request's variables.
 * may_wait: what has not arrived yet is waited for.  Without it PH_BUSY, and the connection stays in
 * rq for the next call: nobody else's answer must wait for a slow sender.
 * PH_NONE: nobody waits, or who waited hung up.  PH_NOMEM: no descriptor or memory: try again later.
 */
enum ph_error	 request_accept(struct request *rq, bool may_wait, struct ph_fail *fail) PH_MUST_USE;

/* The one request of a plain CGI process: variables from the environment, body on descriptor 0. */
void		 request_from_cgi(struct request *rq);

/* Whether rq is in the middle of something: a connection taken, not yet answered. */
bool		 request_is_open(const struct request *rq);

/*
 * Reads the body: CONTENT_LENGTH bytes or, without one, to its end.  PH_TOOBIG: more than max.
 * PH_MALFORMED: shorter than announced, not here by the deadline, or CONTENT_LENGTH is no number.
 * Whatever it returns, up to max bytes that the sender still had to say were read and thrown away:
 * a server that is answered while it still writes may lose the answer.
 */
enum ph_error	 request_read_body(struct request *rq, size_t max, struct ph_fail *fail) PH_MUST_USE;

/* The same for a request whose body nobody wants: read and thrown away, at most max bytes. */
void		 request_skip_body(struct request *rq, size_t max);

/* A variable of this request (REQUEST_METHOD, QUERY_STRING, HTTP_...); NULL when absent. */
const char	*request_get(const struct request *rq, const char *name);

/* All of them as NAME=value, ended by NULL; for plain CGI NULL: they are the environment. */
const char *const
		*request_variables(const struct request *rq);

bool		 request_is(const struct request *rq, const char *method);
struct ph_slice	 request_body(const struct request *rq);
int64_t		 request_began(const struct request *rq);	/* monotonic ms */

/*
 * Gives back what libfcgi keeps of a request that was read and only waits to be answered: its
 * variables are gone, its body stays.  While many wait, the next is read into the same memory.
 */
void		 request_drop_variables(struct request *rq);

/* One line to the web server's error log, through the request: where nothing else is known yet. */
void		 request_complain(struct request *rq, const char *text);

/* Writes the answer and ends the request. */
void		 request_answer(struct request *rq, const struct answer *answer);

#endif
