/*
 * request -- one request of a web server, FastCGI or plain CGI: the one door to libfcgi.
 * Knows buffer and clock.  Does not know settings, signatures or what an answer means.
 * Called by the front.
 * Lives from accept to answer.
 * SPDX-License-Identifier: ISC
 */
#include <sys/socket.h>
#include <sys/time.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcgiapp.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "request.h"

#define LISTENS		0		/* FastCGI's listening socket, by its specification */
#define READ_BY_MS	4000		/* of Meta's 5 s: the whole request must be here */
#define FIRST_BYTE_MS	2000		/* for a server that connected and says nothing */
#define LOOK_AHEAD	(16 * 1024)	/* a usual request with its variables is 2 KiB */
#define READ_AT_ONCE	(16 * 1024)
#define KEEP_BODY	(64 * 1024)	/* of memory, for the next one; a rare long one gives it back */
#define RECORD_HEAD	8		/* of a FastCGI record */
#define RECORD_STDIN	5

struct request {
	FCGX_Request		 fcgx;
	bool			 is_cgi, is_open, is_unix;
	bool			 complete;	/* all of it had arrived before it was read */
	bool			 at_end;	/* the body was read to its end */
	struct ph_buffer	 body, out;	/* reset, not cleared: the next request needs them again */
	int64_t			 began, read_by;	/* monotonic ms */
};

enum ph_error
request_open(struct ph_fail *fail)
{
	int		 listens = 0;
	socklen_t	 len = sizeof(listens);

	if (getsockopt(LISTENS, SOL_SOCKET, SO_ACCEPTCONN, &listens, &len) == -1 || !listens)
		return PH_NONE;
	if (fcntl(LISTENS, F_SETFL, fcntl(LISTENS, F_GETFL) | O_NONBLOCK) == -1 || FCGX_Init() != 0)
		return ph_error_set(fail, PH_BROKEN, "libfcgi does not start: %s", strerror(errno));
	return PH_OK;
}

struct request *
request_new(void)
{
	struct request	*rq = calloc(1, sizeof(*rq));

	/* No listening socket for libfcgi: it gets connections that are accepted already, below. */
	if (rq != NULL)
		FCGX_InitRequest(&rq->fcgx, -1, 0);
	return rq;
}

void
request_free(struct request *rq)
{
	if (rq == NULL)
		return;
	if (!rq->is_cgi)
		FCGX_Free(&rq->fcgx, 1);
	ph_buffer_clear(&rq->body);
	ph_buffer_clear(&rq->out);
	free(rq);
}

/* libfcgi's own rule for a TCP socket: FCGI_WEB_SERVER_ADDRS names who may speak to us. */
static bool
may_speak(const struct sockaddr_storage *peer)
{
	const char	*addrs, *at;
	char		 addr[INET_ADDRSTRLEN];
	size_t		 len;

	if (peer->ss_family != AF_INET || (addrs = getenv("FCGI_WEB_SERVER_ADDRS")) == NULL)
		return true;
	inet_ntop(AF_INET, &((const struct sockaddr_in *)(const void *)peer)->sin_addr, addr,
	    sizeof(addr));
	len = strlen(addr);
	for (at = addrs; (at = strstr(at, addr)) != NULL; at += len)
		if ((at == addrs || at[-1] == ',') && (at[len] == ',' || at[len] == '\0'))
			return true;
	return false;
}

/*
 * Why not let FCGX_Accept_r accept: it would wait up to 2 s for a silent peer's first byte, with
 * other requests parked, and leave the descriptor open across exec.  A request whose ipcFd is set
 * is read like one on a kept connection.
 */
static enum ph_error
take_connection(struct request *rq, struct ph_fail *fail)
{
	struct sockaddr_storage	 peer = { .ss_family = AF_UNSPEC };
	socklen_t		 len = sizeof(peer);
	int			 fd, on = 1;

	if ((fd = accept4(LISTENS, (struct sockaddr *)&peer, &len, SOCK_CLOEXEC)) == -1) {
		if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS)
			return ph_error_set(fail, PH_NOMEM, "accept: %s", strerror(errno));
		return PH_NONE;		/* another thread was faster, or the server changed its mind */
	}
	if (!may_speak(&peer)) {
		close(fd);
		return PH_NONE;
	}
	rq->is_unix = peer.ss_family == AF_UNIX;
	if (!rq->is_unix)
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	rq->fcgx.ipcFd = fd;
	rq->fcgx.keepConnection = 1;		/* or libfcgi begins by closing it */
	rq->is_open = true;
	rq->began = ph_clock_mono();
	rq->read_by = rq->began + READ_BY_MS;
	return PH_OK;
}

static void
forget(struct request *rq)
{
	if (rq->body.cap > KEEP_BODY)
		ph_buffer_clear(&rq->body);
	ph_buffer_reset(&rq->body);
	ph_buffer_reset(&rq->out);
	rq->is_open = rq->complete = rq->at_end = false;
}

static bool
is_readable(int fd, int wait_ms)
{
	struct pollfd	 pfd = { .fd = fd, .events = POLLIN };

	return poll(&pfd, 1, wait_ms) > 0;
}

/*
 * Whether the whole request is in the socket already, up to the empty record that ends its body:
 * then nothing that libfcgi does with it can block.  Looks at the records' heads, takes nothing.
 */
static bool
has_arrived(int fd)
{
	unsigned char	 ahead[LOOK_AHEAD];
	ssize_t		 n = recv(fd, ahead, sizeof(ahead), MSG_PEEK | MSG_DONTWAIT);
	ssize_t		 at, len;

	for (at = 0; at + RECORD_HEAD <= n; at += RECORD_HEAD + len + ahead[at + 6]) {
		len = ahead[at + 4] << 8 | ahead[at + 5];
		if (ahead[at + 1] == RECORD_STDIN && len == 0)
			return true;
	}
	return false;
}

/* No read of libfcgi's may last past the request's deadline. */
static void
bound_reads(const struct request *rq)
{
	int		 left = ph_clock_left_ms(rq->read_by) + 1;
	struct timeval	 limit = { .tv_sec = left / 1000, .tv_usec = left % 1000 * 1000 };

	setsockopt(rq->fcgx.ipcFd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
}

enum ph_error
request_accept(struct request *rq, bool may_wait, struct ph_fail *fail)
{
	enum ph_error	 err;

	if (!rq->is_open && (err = take_connection(rq, fail)) != PH_OK)
		return err;
	rq->complete = has_arrived(rq->fcgx.ipcFd);
	if (!rq->complete && !may_wait)
		return PH_BUSY;
	if (!rq->complete && !is_readable(rq->fcgx.ipcFd, FIRST_BYTE_MS)) {
		FCGX_Free(&rq->fcgx, 1);
		forget(rq);
		return PH_NONE;
	}
	if (!rq->complete)
		bound_reads(rq);
	if (FCGX_Accept_r(&rq->fcgx) != 0) {	/* not FastCGI, or it hung up: closed already */
		forget(rq);
		return PH_NONE;
	}
	rq->fcgx.keepConnection = 0;		/* the next request may be for another thread */
	return PH_OK;
}

void
request_from_cgi(struct request *rq)
{
	rq->is_cgi = rq->is_open = true;
	rq->began = ph_clock_mono();
	rq->read_by = rq->began + READ_BY_MS;
}

bool
request_is_open(const struct request *rq)
{
	return rq->is_open;
}

const char *
request_get(const struct request *rq, const char *name)
{
	return rq->is_cgi ? getenv(name) : FCGX_GetParam(name, rq->fcgx.envp);
}

const char *const *
request_variables(const struct request *rq)
{
	return rq->is_cgi ? NULL : (const char *const *)rq->fcgx.envp;
}

bool
request_is(const struct request *rq, const char *method)
{
	const char	*is = request_get(rq, "REQUEST_METHOD");

	return is != NULL && strcmp(is, method) == 0;
}

struct ph_slice
request_body(const struct request *rq)
{
	return PH_SLICE(&rq->body);
}

int64_t
request_began(const struct request *rq)
{
	return rq->began;
}

/* Up to len bytes of the body to out; 0: its end, its deadline, or its sender failed. */
static size_t
read_some(struct request *rq, char *out, size_t len)
{
	FCGX_Stream	*in = rq->fcgx.in;
	ssize_t		 got;
	int		 c;

	if (rq->is_cgi) {
		while (is_readable(STDIN_FILENO, ph_clock_left_ms(rq->read_by)) &&
		    (got = read(STDIN_FILENO, out, len)) != 0)
			if (got > 0)
				return (size_t)got;
			else if (errno != EINTR && errno != EAGAIN)
				break;
		return 0;
	}
	if (!rq->complete)
		bound_reads(rq);
	if ((c = FCGX_GetChar(in)) == -1) {	/* one record's bytes at a time, one wait at most */
		rq->at_end = FCGX_GetError(in) == 0;
		return 0;
	}
	out[0] = (char)c;
	if ((size_t)(in->stop - in->rdNext) < len - 1)
		len = (size_t)(in->stop - in->rdNext) + 1;
	return 1 + (size_t)FCGX_GetStr(out + 1, (int)len - 1, in);
}

/* A CGI server need not end the input of a request whose length it announced. */
static void
drain(struct request *rq, size_t max)
{
	char	 trash[4096];
	size_t	 got;

	while (max > 0 && (got = read_some(rq, trash, sizeof(trash))) > 0)
		max -= got < max ? got : max;
}

static bool
announced_len(const struct request *rq, bool *known, unsigned long long *len)
{
	const char	*text = request_get(rq, "CONTENT_LENGTH");

	*len = 0;
	*known = text != NULL && text[0] != '\0';
	if (!*known)
		return true;
	if (strspn(text, "0123456789") != strlen(text) || strlen(text) > 18)
		return false;
	*len = strtoull(text, NULL, 10);
	return true;
}

static enum ph_error
fill_body(struct request *rq, size_t want, struct ph_fail *fail)
{
	size_t	 got, step;
	char	*room;

	while (rq->body.len < want) {
		step = want - rq->body.len < READ_AT_ONCE ? want - rq->body.len : READ_AT_ONCE;
		if ((room = ph_buffer_room(&rq->body, step)) == NULL)
			return ph_error_set(fail, PH_NOMEM, "out of memory for a body");
		if ((got = read_some(rq, room, step)) == 0)
			break;
		rq->body.len += got;
	}
	return PH_OK;
}

enum ph_error
request_read_body(struct request *rq, size_t max, struct ph_fail *fail)
{
	unsigned long long	 len;
	bool			 known;

	if (!announced_len(rq, &known, &len)) {
		drain(rq, max);
		return ph_error_set(fail, PH_MALFORMED, "CONTENT_LENGTH is not a number");
	}
	if (known && len > max) {
		drain(rq, max);
		return ph_error_set(fail, PH_TOOBIG, "body of %llu bytes, PAGEHOOK_MAX_BODY is %zu",
		    len, max);
	}
	if (fill_body(rq, known ? (size_t)len : max + 1, fail) != PH_OK)
		return fail->err;
	if (!rq->is_cgi)
		drain(rq, max);
	if (!known && rq->body.len > max)
		return ph_error_set(fail, PH_TOOBIG, "body over PAGEHOOK_MAX_BODY, %zu bytes", max);
	if (known && rq->body.len < len)
		return ph_error_set(fail, PH_MALFORMED, "body of %zu bytes, CONTENT_LENGTH says %llu",
		    rq->body.len, len);
	return PH_OK;
}

void
request_skip_body(struct request *rq, size_t max)
{
	unsigned long long	 len;
	bool			 known;

	if (announced_len(rq, &known, &len) && (!rq->is_cgi || known))
		drain(rq, known && len < max && rq->is_cgi ? (size_t)len : max);
}

void
request_drop_variables(struct request *rq)
{
	FCGX_Stream	*out = rq->fcgx.out;

	if (rq->is_cgi)
		return;
	FCGX_FClose(rq->fcgx.err);	/* or closing out would not end the request */
	rq->fcgx.out = NULL;
	FCGX_Free(&rq->fcgx, 0);	/* all but the connection, and out */
	rq->fcgx.envp = NULL;
	rq->fcgx.out = out;
}

void
request_complain(struct request *rq, const char *text)
{
	if (rq->is_cgi)
		dprintf(STDERR_FILENO, "pagehook: %s\n", text);
	else
		FCGX_FPrintF(rq->fcgx.err, "pagehook: %s\n", text);
}

static const char *
status_line(int status)
{
	static const struct { int status; const char *text; } lines[] = {
		{ 200, "200 OK" }, { 400, "400 Bad Request" }, { 401, "401 Unauthorized" },
		{ 403, "403 Forbidden" }, { 404, "404 Not Found" }, { 405, "405 Method Not Allowed" },
		{ 413, "413 Payload Too Large" }, { 503, "503 Service Unavailable" },
	};
	size_t	 i;

	for (i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		if (lines[i].status == status)
			return lines[i].text;
	return "500 Internal Server Error";
}

static void
write_all(const struct ph_buffer *out)
{
	size_t	 at;
	ssize_t	 wrote;

	for (at = 0; at < out->len; at += (size_t)wrote)
		if ((wrote = write(STDOUT_FILENO, out->data + at, out->len - at)) <= 0)
			return;			/* the server is gone; what was kept is kept */
}

/* Piece by piece: one format of all of it costs more than the rest of the answer. */
static void
put_answer(struct request *rq, const struct answer *answer)
{
	struct ph_buffer	*out = &rq->out;

	ph_buffer_adds(out, "Status: ");
	ph_buffer_adds(out, status_line(answer->status));
	ph_buffer_addf(out, "\r\nContent-Length: %zu\r\n", answer->body.len);
	ph_buffer_adds(out, "Content-Type: text/plain\r\n");
	ph_buffer_adds(out, answer->headers);
	ph_buffer_adds(out, "\r\n");
	if (!request_is(rq, "HEAD"))
		ph_buffer_add(out, answer->body.at, answer->body.len);
}

void
request_answer(struct request *rq, const struct answer *answer)
{
	put_answer(rq, answer);
	if (rq->is_cgi)
		write_all(&rq->out);
	else {
		FCGX_PutStr(rq->out.data, (int)rq->out.len, rq->fcgx.out);
		FCGX_FClose(rq->fcgx.err);
		FCGX_FClose(rq->fcgx.out);
		/*
		 * At close libfcgi waits for the server's end of file, lest unread bytes make the
		 * kernel reset the connection.  A Unix socket that was read to the end has none.
		 */
		if (rq->is_unix && rq->at_end)
			FCGX_Detach(&rq->fcgx);
		FCGX_Free(&rq->fcgx, 1);
	}
	forget(rq);
}
