/*
 * wire -- what front and helper say to each other over helper.sock.
 * Knows buffer and clock.  Does not know what is in a body.
 * Called by the front and the operator's command (wire.c) and by the helper's turn (wire_helper.c).
 * Lives as one connection a front thread, kept open between batches.
 *
 * Both ends are one build on one machine, so numbers are in host order.  The front speaks first:
 *
 *	frame     uint32 type, uint32 len, len bytes
 *	HELLO     uint32 version, 64 hex digits of the settings' digest, the settings file's path
 *	DELIVERY  the raw body of one POST whose signature held
 *	ORDER     what an operator asks of the helper, JSON: see order.h
 *
 * The helper answers every delivery with one byte and every order with a uint32 and as many bytes of
 * JSON, in order.
 * SPDX-License-Identifier: ISC
 */
#ifndef PH_WIRE_H
#define PH_WIRE_H

#include <poll.h>
#include <stdint.h>

#include "buffer.h"

#define PH_WIRE_VERSION	2
#define PH_WIRE_SOCKET	"helper.sock"	/* in the state directory */
#define PH_WIRE_BATCH	64		/* deliveries in one write, at most */

enum ph_wire_type { PH_WIRE_HELLO = 1, PH_WIRE_DELIVERY, PH_WIRE_ORDER };

enum ph_verdict {			/* the byte that crosses */
	PH_LATER = 'l',			/* not kept: the front spools */
	PH_FULL = 'f',			/* not kept, no room: the front tries the spool, then says 503 */
	PH_KEPT = 'k',			/* on disk: 200 */
	PH_UNWANTED = 'u',		/* another object's webhook: 404 */
	PH_UNREADABLE = 'm'		/* not JSON; the bytes are in quarantine: 400 */
};

/* The front's end. */

/*
 * Connects to the helper of the state directory and says hello.
 * PH_NONE: nobody listens.  PH_BUSY: somebody does and cannot take us, or it is somebody else's
 * socket.  *fd is -1 then; the caller closes it otherwise.
 */
enum ph_error	ph_wire_connect(int state_fd, const char *digest, const char *file, int *fd,
		    struct ph_fail *fail) PH_MUST_USE;

/*
 * Hands over n bodies (at most PH_WIRE_BATCH) in one write and waits for their verdicts.
 * PH_BUSY: no verdict by the monotonic answer_by, or the helper went away (*gone): verdicts is then
 * filled with PH_LATER where none came; what happened to those is unknown.
 */
enum ph_error	ph_wire_ask(int fd, const struct ph_slice *bodies, size_t n,
		    enum ph_verdict *verdicts, int64_t answer_by, bool *gone, struct ph_fail *fail)
		    PH_MUST_USE;

/* Hands over one order and waits for its answer, which is appended to out. */
enum ph_error	ph_wire_order(int fd, struct ph_slice order, struct ph_buffer *out,
		    int64_t answer_by, struct ph_fail *fail) PH_MUST_USE;

/* The helper's end. */

struct ph_wire_server;

struct ph_wire_delivery {		/* valid until ph_wire_answer_all */
	struct ph_slice	 body;
	enum ph_verdict	 verdict;	/* born PH_LATER; the turn sets it */
	size_t		 conn;
	bool		 is_order;	/* then no verdict but an answer is given */
	struct ph_buffer answer;	/* of an order: JSON; the wire clears it */
};

/*
 * Listens on PH_WIRE_SOCKET in the current directory, in place of what a dead helper left.
 * digest: of the helper's settings; a front that says another, from another file, is logged once.
 */
enum ph_error	ph_wire_listen(const char *digest, const char *file, struct ph_wire_server **out,
		    struct ph_fail *fail) PH_MUST_USE;
void		ph_wire_close(struct ph_wire_server *server);

/* Takes the name away: who comes from now on starts a successor; who is in the backlog is served. */
void		ph_wire_unlink(struct ph_wire_server *server);

/* What to wait for: readable when anybody has something to say. */
struct pollfd	ph_wire_watch(const struct ph_wire_server *server);

/*
 * Accepts and reads whatever is there, without waiting; returns the complete deliveries.  Each call
 * is followed by ph_wire_answer_all, also when there were none: it lets go of what was read.
 */
struct ph_wire_delivery
		*ph_wire_read(struct ph_wire_server *server, size_t *n);

/* Writes every verdict and answer back and forgets the deliveries. */
void		ph_wire_answer_all(struct ph_wire_server *server);

/* Whether the name in the state directory is not this server's any more. */
bool		ph_wire_is_lost(const struct ph_wire_server *server);

/* Whether a front of a newer build said hello: this helper should make room for its successor. */
bool		ph_wire_outdated(const struct ph_wire_server *server);

#endif
