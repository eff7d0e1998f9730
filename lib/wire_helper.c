/*
 * wire -- the helper's end of helper.sock.
 * Knows buffer, clock and log.  Does not know what is in a body.
 * Called by the helper's turn.
 * Lives as long as the helper listens; connections come and go with the fronts.
 * SPDX-License-Identifier: ISC
 */
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "log.h"
#include "wire.h"

#define MAX_CONNS	256
#define MAX_FRAME	(80u << 20)	/* above the largest PAGEHOOK_MAX_BODY: lies end here */
#define READ_AT_ONCE	(64 * 1024)
#define READ_A_TURN	(2u << 20)	/* of one front, so that it does not starve the others */
#define FRAME_BY_MS	4000		/* a front that stops in the middle of a frame is gone */

struct conn {
	int			 fd;		/* -1: free */
	struct ph_buffer	 in;
	size_t			 used;		/* bytes of in that deliveries of this turn refer to */
	int64_t			 used_at;	/* monotonic: it last said something */
	struct ph_buffer	 out;		/* verdicts not yet taken by the socket */
	bool			 greeted, ready;	/* ready: it may have something to say */
	int64_t			 frame_by;	/* monotonic: the rest of a frame must be here; 0: none begun */
};

struct ph_wire_server {
	int			 fd, watched;	/* watched: one descriptor for all, however many they are */
	dev_t			 dev;
	ino_t			 ino;
	const char		*digest, *file;
	bool			 outdated, differed;
	struct conn		 conns[MAX_CONNS];
	struct ph_wire_delivery	*deliveries;
	size_t			 n_deliveries, cap_deliveries;
};

/* c: whose descriptor it is; NULL: the listening socket. */
static bool
watch(struct ph_wire_server *s, int fd, struct conn *c)
{
	struct epoll_event	 readable = { .events = EPOLLIN, .data.ptr = c };

	return epoll_ctl(s->watched, EPOLL_CTL_ADD, fd, &readable) == 0;
}

enum ph_error
ph_wire_listen(const char *digest, const char *file, struct ph_wire_server **out,
    struct ph_fail *fail)
{
	struct sockaddr_un	 sun = { .sun_family = AF_UNIX, .sun_path = PH_WIRE_SOCKET };
	struct ph_wire_server	*s = calloc(1, sizeof(*s));
	struct stat		 st;
	size_t			 i;

	*out = NULL;
	if (s == NULL)
		return ph_error_set(fail, PH_NOMEM, "helper: out of memory");
	for (i = 0; i < MAX_CONNS; i++)
		s->conns[i].fd = -1;
	s->digest = digest;
	s->file = file;
	(void)unlink(PH_WIRE_SOCKET);		/* the lock is ours, so its owner is dead */
	s->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	s->watched = epoll_create1(EPOLL_CLOEXEC);
	if (s->fd == -1 || s->watched == -1 || bind(s->fd, (struct sockaddr *)&sun, sizeof(sun)) == -1 ||
	    listen(s->fd, 1024) == -1 || stat(PH_WIRE_SOCKET, &st) == -1 || !watch(s, s->fd, NULL)) {
		ph_error_set(fail, PH_BROKEN, "%s: %s", PH_WIRE_SOCKET, strerror(errno));
		ph_wire_close(s);
		return PH_BROKEN;
	}
	s->dev = st.st_dev;
	s->ino = st.st_ino;
	*out = s;
	return PH_OK;
}

bool
ph_wire_is_lost(const struct ph_wire_server *s)
{
	struct stat	 st;

	return stat(PH_WIRE_SOCKET, &st) != 0 || st.st_ino != s->ino || st.st_dev != s->dev;
}

void
ph_wire_unlink(struct ph_wire_server *s)
{
	if (!ph_wire_is_lost(s))
		(void)unlink(PH_WIRE_SOCKET);
}

static void
hang_up(struct conn *c)
{
	if (c->fd != -1)
		close(c->fd);
	c->fd = -1;
	c->greeted = false;
	c->used = 0;
	c->frame_by = 0;
	ph_buffer_clear(&c->in);
	ph_buffer_clear(&c->out);
}

void
ph_wire_close(struct ph_wire_server *s)
{
	size_t	 i;

	if (s == NULL)
		return;
	for (i = 0; i < MAX_CONNS; i++)
		hang_up(&s->conns[i]);
	if (s->fd != -1)
		close(s->fd);
	if (s->watched != -1)
		close(s->watched);
	for (i = 0; i < s->n_deliveries; i++)
		ph_buffer_clear(&s->deliveries[i].answer);
	free(s->deliveries);
	free(s);
}

struct pollfd
ph_wire_watch(const struct ph_wire_server *s)
{
	return (struct pollfd){ .fd = s->watched, .events = POLLIN };
}

static bool
peer_is_us(int fd)
{
	struct ucred	 peer;
	socklen_t	 len = sizeof(peer);

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0 && peer.uid == geteuid();
}

/* A front keeps its connection; when there are too many, the one that was idle longest is let go. */
static void
make_room(struct ph_wire_server *s)
{
	struct conn	*c, *oldest = NULL;

	for (c = s->conns; c < s->conns + MAX_CONNS; c++) {
		if (c->fd == -1)
			return;
		if (c->in.len == 0 && c->out.len == 0 && (oldest == NULL || c->used_at < oldest->used_at))
			oldest = c;
	}
	if (oldest != NULL)
		hang_up(oldest);		/* it connects again when it has something to say */
}

static void
accept_all(struct ph_wire_server *s)
{
	size_t	 i;
	int	 fd;

	make_room(s);
	for (i = 0; i < MAX_CONNS; i++) {
		if (s->conns[i].fd != -1)
			continue;
		if ((fd = accept4(s->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK)) == -1)
			return;
		if (!peer_is_us(fd) || !watch(s, fd, &s->conns[i])) {
			close(fd);
			continue;
		}
		s->conns[i].fd = fd;
		s->conns[i].ready = true;
		s->conns[i].used_at = ph_clock_mono();
	}
}

/* Other settings out of the same file are only newer or older ones: that passes by itself. */
static bool
is_of_another(const struct ph_wire_server *s, const char *digest, size_t len)
{
	const size_t	 n = strlen(s->digest);

	if (len < n)
		return true;
	return memcmp(digest, s->digest, n) != 0 &&
	    (len - n != strlen(s->file) || memcmp(digest + n, s->file, len - n) != 0);
}

static bool
greet(struct ph_wire_server *s, struct conn *c, const char *bytes, size_t len)
{
	const size_t	 n = strlen(s->digest);
	uint32_t	 version;

	if (len < sizeof(version))
		return false;
	memcpy(&version, bytes, sizeof(version));
	if (version != PH_WIRE_VERSION) {	/* it spools; only the newer of the two may stay */
		s->outdated |= version > PH_WIRE_VERSION;
		ph_log_say(PH_WARN, "helper", "a front speaks version %u of the wire, this helper %u",
		    (unsigned)version, PH_WIRE_VERSION);
		return false;
	}
	bytes += sizeof(version);
	len -= sizeof(version);
	if (!s->differed && is_of_another(s, bytes, len)) {
		s->differed = true;
		ph_log_say(PH_WARN, "config", "a front's settings (%.*s) are not this helper's (%s): "
		    "give each its own PAGEHOOK_STATE, or both the same settings",
		    len > n ? (int)(len - n) : 9, len > n ? bytes + n : "variables", s->file);
	}
	return c->greeted = true;
}

static bool
deliver(struct ph_wire_server *s, struct conn *c, size_t at, const uint32_t frame[2])
{
	struct ph_wire_delivery	*grown;
	size_t			 cap = s->cap_deliveries == 0 ? 64 : 2 * s->cap_deliveries;

	if (s->n_deliveries == s->cap_deliveries) {
		if ((grown = realloc(s->deliveries, cap * sizeof(*grown))) == NULL)
			return false;
		s->deliveries = grown;
		s->cap_deliveries = cap;
	}
	s->deliveries[s->n_deliveries++] = (struct ph_wire_delivery){
		.body = { c->in.data + at, frame[1] }, .verdict = PH_LATER,
		.conn = (size_t)(c - s->conns), .is_order = frame[0] == PH_WIRE_ORDER,
	};
	return true;
}

static bool
is_expected(const struct conn *c, uint32_t type)
{
	return c->greeted ? type == PH_WIRE_DELIVERY || type == PH_WIRE_ORDER : type == PH_WIRE_HELLO;
}

/* Takes the complete frames of c->in, from c->used on; false: this peer talks nonsense. */
static bool
take_frames(struct ph_wire_server *s, struct conn *c)
{
	uint32_t	 frame[2];
	size_t		 body;

	while (c->in.len - c->used >= sizeof(frame)) {
		memcpy(frame, c->in.data + c->used, sizeof(frame));
		if (frame[1] > MAX_FRAME || !is_expected(c, frame[0]))
			return false;
		if (c->in.len - c->used - sizeof(frame) < frame[1])
			break;
		body = c->used + sizeof(frame);
		if (!(c->greeted ? deliver(s, c, body, frame) :
		    greet(s, c, c->in.data + body, frame[1])))
			return false;
		c->used = body + frame[1];
	}
	if (c->used == c->in.len)
		c->frame_by = 0;
	else if (c->frame_by == 0)
		c->frame_by = ph_clock_mono() + FRAME_BY_MS;
	return true;
}

/* Reads without waiting.  False: the front hung up, or a byte of it makes no sense. */
static bool
read_conn(struct conn *c)
{
	size_t	 total = 0;
	ssize_t	 got;
	char	*room;

	do {
		if ((room = ph_buffer_room(&c->in, READ_AT_ONCE)) == NULL)
			return false;
		if ((got = read(c->fd, room, READ_AT_ONCE)) <= 0)
			return got == -1 && (errno == EAGAIN || errno == EINTR);
		c->used_at = ph_clock_mono();
		c->in.len += (size_t)got;
		total += (size_t)got;
	} while (got == READ_AT_ONCE && total < READ_A_TURN);
	return true;
}

/* One call for all of them: of many fronts, each a process, most have nothing to say. */
static void
look_for_ready(struct ph_wire_server *s)
{
	struct epoll_event	 ready[MAX_CONNS + 1];
	struct conn		*c;
	int			 n = epoll_wait(s->watched, ready, MAX_CONNS + 1, 0);
	bool			 knock = false;

	while (n-- > 0)
		if ((c = ready[n].data.ptr) != NULL)
			c->ready = true;
		else
			knock = true;
	if (knock)
		accept_all(s);
}

/* A front that hung up still gets its events kept: they were proved. */
struct ph_wire_delivery *
ph_wire_read(struct ph_wire_server *s, size_t *n)
{
	size_t	 i;
	bool	 alive;

	look_for_ready(s);
	for (i = 0; i < MAX_CONNS; i++) {
		struct conn	*c = &s->conns[i];

		if (c->fd == -1)
			continue;
		alive = !c->ready || read_conn(c);
		c->ready = false;
		if (!take_frames(s, c) || (c->frame_by != 0 && ph_clock_mono() >= c->frame_by))
			alive = false;
		if (!alive && c->used == 0)
			hang_up(c);
	}
	*n = s->n_deliveries;
	return s->deliveries;
}

static bool
write_verdicts(struct conn *c)
{
	ssize_t	 sent = send(c->fd, c->out.data, c->out.len, MSG_NOSIGNAL | MSG_DONTWAIT);

	if (sent == -1)				/* verdicts and answers fit, unless it hung up */
		return false;
	ph_buffer_drop(&c->out, (size_t)sent);
	return c->out.len == 0;
}

static void
answer(struct ph_wire_server *s, struct ph_wire_delivery *d)
{
	struct ph_buffer	*out = &s->conns[d->conn].out;
	const char		 verdict = (char)d->verdict;
	const uint32_t		 len = (uint32_t)d->answer.len;

	if (d->is_order) {
		ph_buffer_add(out, &len, sizeof(len));
		ph_buffer_add(out, d->answer.data, len);
		ph_buffer_clear(&d->answer);
	} else
		ph_buffer_add(out, &verdict, 1);
}

void
ph_wire_answer_all(struct ph_wire_server *s)
{
	size_t	 i;

	for (i = 0; i < s->n_deliveries; i++)
		answer(s, &s->deliveries[i]);
	s->n_deliveries = 0;
	for (i = 0; i < MAX_CONNS; i++) {
		struct conn	*c = &s->conns[i];

		if (c->fd == -1)
			continue;
		ph_buffer_drop(&c->in, c->used);
		c->used = 0;
		if (c->out.len > 0 && !write_verdicts(c))
			hang_up(c);
		else if (c->in.len == 0 && c->in.cap > READ_A_TURN)
			ph_buffer_clear(&c->in);	/* a rare fat batch is not kept in memory */
	}
}

bool
ph_wire_outdated(const struct ph_wire_server *s)
{
	return s->outdated;
}
