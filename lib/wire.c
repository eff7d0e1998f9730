/*
 * wire -- the front's end of helper.sock, and the operator's.
 * Knows buffer and clock.  Does not know what is in a body.
 * Called by the front and by the operator's command.
 * Lives as one connection a front thread, or a command.
 * SPDX-License-Identifier: ISC
 */
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "wire.h"

#define HELLO_BY_MS	1000
#define MAX_ANSWER	(16u << 20)

/* Writes all of the parts by answer_by; they are consumed.  PH_BUSY with *gone: the peer hung up. */
static enum ph_error
send_parts(int fd, struct iovec *parts, size_t n, int64_t answer_by, bool *gone,
    struct ph_fail *fail)
{
	struct pollfd	 pfd = { .fd = fd, .events = POLLOUT };
	struct msghdr	 msg = { .msg_iov = parts, .msg_iovlen = n };
	ssize_t		 sent;

	while (msg.msg_iovlen > 0) {
		sent = sendmsg(fd, &msg, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (sent == -1 && errno == EAGAIN) {
			if (poll(&pfd, 1, ph_clock_left_ms(answer_by)) == 0)
				return ph_error_set(fail, PH_BUSY, "helper: takes no more bytes");
			continue;
		}
		if (sent == -1 && errno == EINTR)
			continue;
		if (sent == -1) {
			*gone = true;
			return ph_error_set(fail, PH_BUSY, "helper: %s", strerror(errno));
		}
		while (msg.msg_iovlen > 0 && (size_t)sent >= msg.msg_iov->iov_len) {
			sent -= (ssize_t)msg.msg_iov->iov_len;
			msg.msg_iov++;
			msg.msg_iovlen--;
		}
		if (msg.msg_iovlen > 0) {
			msg.msg_iov->iov_base = (char *)msg.msg_iov->iov_base + sent;
			msg.msg_iov->iov_len -= (size_t)sent;
		}
	}
	return PH_OK;
}

static enum ph_error
say_hello(int fd, const char *digest, const char *file, struct ph_fail *fail)
{
	const uint32_t	 version = PH_WIRE_VERSION;
	uint32_t	 frame[2] = { PH_WIRE_HELLO,
			    (uint32_t)(sizeof(version) + strlen(digest) + strlen(file)) };
	struct iovec	 parts[] = {
		{ frame, sizeof(frame) },
		{ (void *)(uintptr_t)&version, sizeof(version) },
		{ (void *)(uintptr_t)digest, strlen(digest) },
		{ (void *)(uintptr_t)file, strlen(file) },
	};
	bool		 gone = false;

	return send_parts(fd, parts, 4, ph_clock_mono() + HELLO_BY_MS, &gone, fail);
}

static enum ph_error
reach(int fd, int state_fd, struct ph_fail *fail)
{
	struct sockaddr_un	 sun = { .sun_family = AF_UNIX };
	struct ucred		 peer;
	socklen_t		 len = sizeof(peer);

	/* A socket's path ends at 107 bytes; a state directory's may be longer. */
	snprintf(sun.sun_path, sizeof(sun.sun_path), "/proc/self/fd/%d/%s", state_fd, PH_WIRE_SOCKET);
	if (connect(fd, (struct sockaddr *)&sun, sizeof(sun)) == -1) {
		if (errno == ENOENT || errno == ECONNREFUSED)
			return PH_NONE;
		return ph_error_set(fail, PH_BUSY, "%s: %s", PH_WIRE_SOCKET, strerror(errno));
	}
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == -1 || peer.uid != geteuid())
		return ph_error_set(fail, PH_BUSY, "%s: not our helper's", PH_WIRE_SOCKET);
	return PH_OK;
}

enum ph_error
ph_wire_connect(int state_fd, const char *digest, const char *file, int *fd, struct ph_fail *fail)
{
	enum ph_error	 err;

	if ((*fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) == -1)
		return ph_error_set(fail, PH_BUSY, "%s: %s", PH_WIRE_SOCKET, strerror(errno));
	if ((err = reach(*fd, state_fd, fail)) == PH_OK)
		err = say_hello(*fd, digest, file, fail);
	if (err != PH_OK) {
		close(*fd);
		*fd = -1;
	}
	return err;
}

static enum ph_error
read_verdicts(int fd, enum ph_verdict *verdicts, size_t n, int64_t answer_by, bool *gone,
    struct ph_fail *fail)
{
	struct pollfd	 pfd = { .fd = fd, .events = POLLIN };
	unsigned char	 bytes[PH_WIRE_BATCH];
	size_t		 have = 0, i;
	ssize_t		 got;

	while (have < n) {
		if (poll(&pfd, 1, ph_clock_left_ms(answer_by)) == 0)
			return ph_error_set(fail, PH_BUSY, "helper: no verdict in time");
		got = read(fd, bytes, n - have);
		if (got == -1 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (got <= 0) {
			*gone = true;
			return ph_error_set(fail, PH_BUSY, "helper: gone before its verdict");
		}
		for (i = 0; i < (size_t)got; i++)
			verdicts[have++] = (enum ph_verdict)bytes[i];
	}
	return PH_OK;
}

enum ph_error
ph_wire_ask(int fd, const struct ph_slice *bodies, size_t n, enum ph_verdict *verdicts,
    int64_t answer_by, bool *gone, struct ph_fail *fail)
{
	uint32_t	 frames[PH_WIRE_BATCH][2];
	struct iovec	 parts[2 * PH_WIRE_BATCH];
	enum ph_error	 err;
	size_t		 i;

	*gone = false;
	for (i = 0; i < n; i++) {
		verdicts[i] = PH_LATER;
		frames[i][0] = PH_WIRE_DELIVERY;
		frames[i][1] = (uint32_t)bodies[i].len;
		parts[2 * i] = (struct iovec){ frames[i], sizeof(frames[i]) };
		parts[2 * i + 1] = (struct iovec){ (void *)(uintptr_t)bodies[i].at, bodies[i].len };
	}
	if ((err = send_parts(fd, parts, 2 * n, answer_by, gone, fail)) != PH_OK)
		return err;
	return read_verdicts(fd, verdicts, n, answer_by, gone, fail);
}

static enum ph_error
read_all(int fd, char *out, size_t len, int64_t answer_by, struct ph_fail *fail)
{
	struct pollfd	 pfd = { .fd = fd, .events = POLLIN };
	ssize_t		 got;

	while (len > 0) {
		if (poll(&pfd, 1, ph_clock_left_ms(answer_by)) == 0)
			return ph_error_set(fail, PH_BUSY, "helper: no answer in time");
		got = read(fd, out, len);
		if (got == -1 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (got <= 0)
			return ph_error_set(fail, PH_BUSY, "helper: gone before its answer");
		out += got;
		len -= (size_t)got;
	}
	return PH_OK;
}

enum ph_error
ph_wire_order(int fd, struct ph_slice order, struct ph_buffer *out, int64_t answer_by,
    struct ph_fail *fail)
{
	uint32_t	 frame[2] = { PH_WIRE_ORDER, (uint32_t)order.len }, len = 0;
	struct iovec	 parts[] = { { frame, sizeof(frame) }, { (void *)(uintptr_t)order.at, order.len } };
	char		*room;
	bool		 gone;

	if (send_parts(fd, parts, 2, answer_by, &gone, fail) != PH_OK ||
	    read_all(fd, (char *)&len, sizeof(len), answer_by, fail) != PH_OK)
		return PH_BUSY;
	if (len > MAX_ANSWER || (room = ph_buffer_room(out, len)) == NULL)
		return ph_error_set(fail, PH_NOMEM, "helper: no room for an answer of %u bytes", len);
	if (read_all(fd, room, len, answer_by, fail) != PH_OK)
		return PH_BUSY;
	out->len += len;
	out->data[out->len] = '\0';
	return PH_OK;
}
