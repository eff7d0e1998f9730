/*
 * graph_here -- a Graph in the test's own process: one loopback port, one answer to every request.
 * Knows sockets, and of HTTP what an answer needs.  Does not know what is asked.
 * Called by tests whose subject speaks to Graph; the real conversation is for tests/graph.
 * Lives on a port the kernel chose; before graph_listen nobody listens there.
 * SPDX-License-Identifier: ISC
 */
#ifndef PH_GRAPH_HERE_H
#define PH_GRAPH_HERE_H

#include <arpa/inet.h>
#include <sys/socket.h>

#include <poll.h>
#include <unistd.h>

#include "graph.h"
#include "unit.h"

static struct ph_graph	*graph;
static struct ph_buffer	 graph_heard;	/* every request, one behind the other */
static const char	*graph_says;	/* the body of every answer */
static int		 graph_socket = -1, graph_status = 200;
static size_t		 n_graph_asked;

static inline void
graph_open(void)
{
	static char		 url[64];
	struct ph_graph_conf	 conf = { .url = url, .version = "v25.0" };
	struct sockaddr_in	 at = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t		 len = sizeof(at);
	struct ph_fail		 fail = PH_FAIL_INIT;

	graph_socket = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	assert_int_not_equal(graph_socket, -1);
	assert_int_equal(bind(graph_socket, (struct sockaddr *)&at, len), 0);
	assert_int_equal(getsockname(graph_socket, (struct sockaddr *)&at, &len), 0);
	snprintf(url, sizeof(url), "http://127.0.0.1:%d", ntohs(at.sin_port));
	n_graph_asked = 0;
	graph_status = 200;
	ph_buffer_reset(&graph_heard);
	must(ph_graph_open(&conf, &graph, &fail), &fail);
}

static inline void
graph_close(void)
{
	ph_graph_close(graph);
	graph = NULL;
	if (graph_socket != -1)
		close(graph_socket);
	graph_socket = -1;
	ph_buffer_clear(&graph_heard);
}

static inline void
graph_listen(const char *says)
{
	graph_says = says;
	assert_int_equal(listen(graph_socket, 64), 0);
}

/* A request is whole when as much has come as it says. */
static inline bool
graph_has_heard(const struct ph_buffer *request)
{
	const char	*end = request->len > 0 ? strstr(request->data, "\r\n\r\n") : NULL, *length;

	if (end == NULL)
		return false;
	length = strstr(request->data, "Content-Length: ");
	return length == NULL || length > end ||
	    strlen(end + 4) >= (size_t)strtol(length + 16, NULL, 10);
}

/* Answers whoever has called, one request each. */
static inline void
graph_answer(void)
{
	struct ph_buffer	 request = PH_BUFFER_INIT;
	char			 head[128], *to;
	ssize_t			 n = 1;
	int			 fd = accept4(graph_socket, NULL, NULL, SOCK_CLOEXEC);
	struct pollfd		 come = { fd, POLLIN, 0 };

	if (fd == -1)
		return;
	while (!graph_has_heard(&request) && n > 0) {
		ph_graph_perform(graph);		/* it is we who are asking */
		if (poll(&come, 1, 1) == 0 || (to = ph_buffer_room(&request, 65536)) == NULL)
			continue;
		if ((n = read(fd, to, 65535)) > 0)
			request.len += (size_t)n;
		to[n > 0 ? n : 0] = '\0';
	}
	n_graph_asked++;
	ph_buffer_add(&graph_heard, request.data, request.len);
	ph_buffer_adds(&graph_heard, "\n");
	ph_buffer_clear(&request);
	snprintf(head, sizeof(head), "HTTP/1.1 %d x\r\nConnection: close\r\nContent-Length: %zu\r\n\r\n",
	    graph_status, strlen(graph_says));
	assert_int_equal(write(fd, head, strlen(head)), strlen(head));
	assert_int_equal(write(fd, graph_says, strlen(graph_says)), strlen(graph_says));
	close(fd);
}

#endif
