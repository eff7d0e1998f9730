/*
 * graph -- requests to graph.facebook.com: the one door to libcurl.
 * Knows buffer, clock, outcome's answer.  Does not know queues or what an answer means.
 * Called by sending and asked; turn waits by it, which is the helper's only wait.
 * Lives in the helper's one thread; connections are kept alive between sends.
 * SPDX-License-Identifier: ISC
 */
#include <sys/socket.h>

#include <curl/curl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "clock.h"
#include "graph.h"

#define CONNECT_MS	(5 * PH_SECOND_MS)
#define WHOLE_MS	(20 * PH_SECOND_MS)
#define MAX_ANSWER	(64 * 1024)
#define IDLE_S		30L		/* drop an idle connection before Graph does */
#define LIFETIME_S	600L
#define CONNECTIONS	8L		/* to one host; each carries many requests */
#define MAX_SOCKETS	32		/* of those; while one is opened there may be several */
#define MAX_RETRY_AFTER_S	3600	/* nobody waits longer on a header's word */
#define MAX_WATCHED	400

struct flight {				/* one request; its handle is used again and again */
	CURL			*easy;
	CURLU			*to;		/* where it goes: url, parsed */
	int			 what;
	void			*tag;
	struct ph_buffer	 url, body, answer;
	size_t			 handed;	/* bytes of the body that curl took from us */
	int64_t			 retry_after_ms;	/* by the answer's headers */
	int			 usage;
	bool			 in_use;
	int64_t			 began;
};

struct ph_graph {
	struct ph_graph_conf	 conf;
	CURLM			*multi;
	struct curl_slist	*headers;
	struct flight		 flights[PH_GRAPH_FLYING];
	size_t			 n_flying, n_running;	/* running: of those, not finished when last moved */
	int			 sockets[MAX_SOCKETS];	/* open ones */
	size_t			 n_sockets;
	bool			 launched;	/* something, since bytes were moved last */
};

/*
 * libcurl repeats a POST by itself when a kept connection turns out to be dead: the message would go
 * out twice, unseen.  It cannot repeat a body that it read from us and must not rewind, and it may
 * not begin again once it took a byte of it.  Before that it may: no whole request has left.
 */
static size_t
hand_out(char *buf, size_t size, size_t n, void *arg)
{
	struct flight	*f = arg;
	size_t		 left = f->body.len - f->handed, len = size * n < left ? size * n : left;

	memcpy(buf, f->body.data + f->handed, len);
	f->handed += len;
	return len;
}

static int
may_begin(void *arg, char *to, char *from, int to_port, int from_port)
{
	const struct flight	*f = arg;

	(void)to;
	(void)from;
	(void)to_port;
	(void)from_port;
	return f->handed > 0 ? CURL_PREREQFUNC_ABORT : CURL_PREREQFUNC_OK;
}

static int
note_socket(void *arg, curl_socket_t fd, curlsocktype purpose)
{
	struct ph_graph	*g = arg;

	(void)purpose;
	if (g->n_sockets < MAX_SOCKETS)		/* one more is only slower */
		g->sockets[g->n_sockets++] = fd;
	return CURL_SOCKOPT_OK;
}

static int
forget_socket(void *arg, curl_socket_t fd)
{
	struct ph_graph	*g = arg;
	size_t		 i;

	for (i = 0; i < g->n_sockets && g->sockets[i] != fd; i++)
		continue;
	if (i < g->n_sockets)
		g->sockets[i] = g->sockets[--g->n_sockets];
	return close(fd);
}

static size_t
take_in(char *bytes, size_t size, size_t n, void *arg)
{
	struct flight	*f = arg;

	if (f->answer.len + size * n > MAX_ANSWER)
		return 0;			/* nothing of Graph's is that long: the transfer ends */
	ph_buffer_add(&f->answer, bytes, size * n);
	return f->answer.failed ? 0 : size * n;
}

/* The highest per cent that stands in a usage header, whatever its shape: {"call_count":28,..}. */
static int
highest_usage(const char *at, const char *end)
{
	static const char *const	 names[] = { "\"call_count\"", "\"total_time\"", "\"total_cputime\"" };
	const char			*found;
	size_t				 i, n;
	int				 highest = 0, value;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		for (n = strlen(names[i]), found = at;
		    (found = memmem(found, (size_t)(end - found), names[i], n)) != NULL; found += n) {
			value = 0;
			for (at = found + n; at < end && (*at == ':' || *at == ' '); at++)
				continue;
			for (; at < end && *at >= '0' && *at <= '9' && value < 1000; at++)
				value = 10 * value + (*at - '0');
			highest = value > highest ? value : highest;
		}
	return highest;
}

static bool
is_header(const char *line, size_t len, const char *name)
{
	return len > strlen(name) && strncasecmp(line, name, strlen(name)) == 0;
}

/* Meta documents neither their shape nor that they come: read leniently, needed by nobody. */
static size_t
take_header(char *line, size_t size, size_t n, void *arg)
{
	struct flight	*f = arg;
	const size_t	 len = size * n;
	int		 usage = 0, seconds = 0;
	size_t		 i;

	if (is_header(line, len, "x-app-usage:") || is_header(line, len, "x-page-usage:") ||
	    is_header(line, len, "x-business-use-case-usage:"))
		usage = highest_usage(line, line + len);
	f->usage = usage > f->usage ? usage : f->usage;
	if (is_header(line, len, "retry-after:")) {
		for (i = strlen("retry-after:"); i < len && line[i] == ' '; i++)
			continue;
		for (; i < len && line[i] >= '0' && line[i] <= '9' && seconds < MAX_RETRY_AFTER_S; i++)
			seconds = 10 * seconds + (line[i] - '0');
		f->retry_after_ms = seconds * PH_SECOND_MS;
	}
	return len;
}

/* libcurl is compiled to check types here, so each option stands for itself. */
static bool
equip(struct ph_graph *g, struct flight *f)
{
	const char	*schemes = strncmp(g->conf.url, "http://", 7) == 0 ? "http" : "https";
	CURL		*e = f->easy = curl_easy_init();

	return e != NULL && (f->to = curl_url()) != NULL &&
	    curl_easy_setopt(e, CURLOPT_CURLU, f->to) == CURLE_OK &&
	    curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
	    curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, schemes) == CURLE_OK &&
	    curl_easy_setopt(e, CURLOPT_FOLLOWLOCATION, 0L) == CURLE_OK &&
	    curl_easy_setopt(e, CURLOPT_PROXY, "") == CURLE_OK &&
	    curl_easy_setopt(e, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED) == CURLE_OK &&
	    curl_easy_setopt(e, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS) == CURLE_OK &&
	    curl_easy_setopt(e, CURLOPT_PIPEWAIT, 1L) == CURLE_OK &&
	    curl_easy_setopt(e, CURLOPT_MAXAGE_CONN, IDLE_S) == CURLE_OK &&
	    curl_easy_setopt(e, CURLOPT_MAXLIFETIME_CONN, LIFETIME_S) == CURLE_OK &&
	    curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT_MS, (long)ph_clock_wait_ms(CONNECT_MS)) ==
	    CURLE_OK &&
	    (g->conf.ca == NULL || curl_easy_setopt(e, CURLOPT_CAINFO, g->conf.ca) == CURLE_OK) &&
	    curl_easy_setopt(e, CURLOPT_HTTPHEADER, g->headers) == CURLE_OK &&
	    curl_easy_setopt(e, CURLOPT_BUFFERSIZE, 4096L) == CURLE_OK &&
	    curl_easy_setopt(e, CURLOPT_SOCKOPTFUNCTION, note_socket) == CURLE_OK &&
	    curl_easy_setopt(e, CURLOPT_SOCKOPTDATA, g) == CURLE_OK &&
	    curl_easy_setopt(e, CURLOPT_CLOSESOCKETFUNCTION, forget_socket) == CURLE_OK &&
	    curl_easy_setopt(e, CURLOPT_CLOSESOCKETDATA, g) == CURLE_OK &&
	    curl_easy_setopt(e, CURLOPT_READFUNCTION, hand_out) == CURLE_OK &&
	    curl_easy_setopt(e, CURLOPT_READDATA, f) == CURLE_OK &&
	    curl_easy_setopt(e, CURLOPT_PREREQFUNCTION, may_begin) == CURLE_OK &&
	    curl_easy_setopt(e, CURLOPT_PREREQDATA, f) == CURLE_OK &&
	    curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, take_in) == CURLE_OK &&
	    curl_easy_setopt(e, CURLOPT_WRITEDATA, f) == CURLE_OK &&
	    curl_easy_setopt(e, CURLOPT_HEADERFUNCTION, take_header) == CURLE_OK &&
	    curl_easy_setopt(e, CURLOPT_HEADERDATA, f) == CURLE_OK &&
	    curl_easy_setopt(e, CURLOPT_PRIVATE, f) == CURLE_OK;
}

static void
strip(struct flight *f)
{
	curl_easy_cleanup(f->easy);
	curl_url_cleanup(f->to);
	f->easy = NULL;
	f->to = NULL;
}

/* Our name, too: libcurl's own option for it would make a text of it for each request. */
static bool
add_headers(struct ph_graph *g)
{
	static const char *const	 headers[] = { "Content-Type: application/json",
		("User-Agent: pagehook/" PH_VERSION), "Expect:" };	/* never wait for a 100 */
	struct curl_slist		*more;
	size_t				 i;

	for (i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
		if ((more = curl_slist_append(g->headers, headers[i])) == NULL)
			return false;
		g->headers = more;
	}
	return true;
}

enum ph_error
ph_graph_open(const struct ph_graph_conf *conf, struct ph_graph **out, struct ph_fail *fail)
{
	struct ph_graph	*g = calloc(1, sizeof(*g));

	*out = NULL;
	if (g == NULL || curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
		free(g);
		return ph_error_set(fail, PH_NOMEM, "libcurl does not start");
	}
	g->conf = *conf;
	g->multi = curl_multi_init();
	if (!add_headers(g) || g->multi == NULL ||
	    curl_multi_setopt(g->multi, CURLMOPT_PIPELINING, CURLPIPE_MULTIPLEX) != CURLM_OK ||
	    curl_multi_setopt(g->multi, CURLMOPT_MAX_HOST_CONNECTIONS, CONNECTIONS) != CURLM_OK) {
		ph_graph_close(g);
		return ph_error_set(fail, PH_NOMEM, "libcurl does not start");
	}
	*out = g;
	return PH_OK;
}

void
ph_graph_close(struct ph_graph *g)
{
	size_t	 i;

	if (g == NULL)
		return;
	for (i = 0; i < PH_GRAPH_FLYING; i++) {
		struct flight	*f = &g->flights[i];

		if (f->easy != NULL)
			(void)curl_multi_remove_handle(g->multi, f->easy);
		strip(f);
		ph_buffer_clear(&f->url);
		ph_buffer_clear(&f->body);
		ph_buffer_clear(&f->answer);
	}
	curl_slist_free_all(g->headers);
	(void)curl_multi_cleanup(g->multi);
	curl_global_cleanup();
	free(g);
}

static bool
is_plain(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
	    c == '.' || c == '_' || c == '~';
}

/* Appends a part of an address; what is no letter, digit or "-._~" as %XX.  Without it there is none. */
static void
add_escaped(struct ph_buffer *url, struct ph_slice part)
{
	size_t	 i, n;

	url->failed |= part.len == 0;
	for (i = 0; i < part.len; i += n) {
		for (n = 0; i + n < part.len && is_plain(part.at[i + n]); n++)
			continue;
		ph_buffer_add(url, part.at + i, n);
		if (i + n < part.len)
			ph_buffer_addf(url, "%%%02X", (unsigned char)part.at[i + n++]);
	}
}

/*
 * Read here, once: a text libcurl would read itself, and write again from what it read, byte by byte.
 * The token is a third of it or more, so not even its escapes are left to libcurl.
 */
static enum ph_error
address(struct ph_graph *g, struct flight *f, const struct ph_graph_call *call, struct ph_fail *fail)
{
	struct ph_buffer	*url = &f->url;
	CURLUcode		 code;

	ph_buffer_reset(url);
	ph_buffer_adds(url, g->conf.url);
	ph_buffer_adds(url, "/");
	ph_buffer_adds(url, g->conf.version);
	ph_buffer_adds(url, "/");
	add_escaped(url, call->node);
	ph_buffer_adds(url, call->edge != NULL ? "/" : "?fields=");
	ph_buffer_adds(url, call->edge != NULL ? call->edge : call->fields);
	ph_buffer_adds(url, call->edge != NULL ? "?access_token=" : "&access_token=");
	add_escaped(url, (struct ph_slice){ call->token, strlen(call->token) });
	ph_buffer_adds(url, "&appsecret_proof=");
	ph_buffer_adds(url, call->proof);
	if (ph_buffer_check(url, fail) != PH_OK)
		return PH_NOMEM;
	if ((code = curl_url_set(f->to, CURLUPART_URL, url->data, 0)) != CURLUE_OK)
		return ph_error_set(fail, PH_CONFIG, "%s: %s", g->conf.url, curl_url_strerror(code));
	return PH_OK;
}

static bool
choose_method(CURL *e, const struct ph_graph_call *call)
{
	if (call->edge == NULL)
		return curl_easy_setopt(e, CURLOPT_HTTPGET, 1L) == CURLE_OK;
	return curl_easy_setopt(e, CURLOPT_POST, 1L) == CURLE_OK &&
	    curl_easy_setopt(e, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)call->body.len) == CURLE_OK;
}

static enum ph_error
launch(struct ph_graph *g, struct flight *f, const struct ph_graph_call *call, struct ph_fail *fail)
{
	int64_t	 limit_ms = call->limit_ms != 0 ? call->limit_ms : WHOLE_MS;

	ph_buffer_reset(&f->body);
	ph_buffer_reset(&f->answer);
	ph_buffer_add(&f->body, call->body.at, call->body.len);
	f->handed = 0;
	f->retry_after_ms = 0;
	f->usage = 0;
	f->began = ph_clock_mono();
	f->what = call->what;
	f->tag = call->tag;
	if (f->body.failed || !choose_method(f->easy, call) ||
	    curl_easy_setopt(f->easy, CURLOPT_TIMEOUT_MS, (long)ph_clock_wait_ms(limit_ms)) != CURLE_OK ||
	    curl_multi_add_handle(g->multi, f->easy) != CURLM_OK)
		return ph_error_set(fail, PH_NOMEM, "libcurl takes no request");
	f->in_use = true;
	g->launched = true;
	g->n_flying++;
	return PH_OK;
}

enum ph_error
ph_graph_send(struct ph_graph *g, const struct ph_graph_call *call, struct ph_fail *fail)
{
	struct flight	*f;
	enum ph_error	 err;

	for (f = g->flights; f < g->flights + PH_GRAPH_FLYING && f->in_use; f++)
		continue;
	if (f == g->flights + PH_GRAPH_FLYING)
		return ph_error_set(fail, PH_BUSY, "%d requests are under way", PH_GRAPH_FLYING);
	if (f->easy == NULL && !equip(g, f)) {
		strip(f);			/* half equipped it would verify nobody */
		return ph_error_set(fail, PH_NOMEM, "libcurl takes no request");
	}
	err = address(g, f, call, fail);
	return err == PH_OK ? launch(g, f, call, fail) : err;
}

size_t
ph_graph_flying(const struct ph_graph *g)
{
	return g->n_flying;
}

static void
cork(const struct ph_graph *g, int on)
{
	size_t	 i;

	for (i = 0; i < g->n_sockets; i++)
		(void)setsockopt(g->sockets[i], IPPROTO_TCP, TCP_CORK, &on, sizeof(on));
}

/*
 * libcurl writes the head and the body of each request by themselves: what is launched together is to
 * leave together, not as two packets each that wake the other side.
 */
void
ph_graph_perform(struct ph_graph *g)
{
	const bool	 launched = g->launched;
	int		 running = 0;

	g->launched = false;
	if (launched)
		cork(g, 1);
	if (curl_multi_perform(g->multi, &running) == CURLM_OK)
		g->n_running = (size_t)running;
	if (launched)
		cork(g, 0);
}

bool
ph_graph_finished(const struct ph_graph *g)
{
	return g->n_running < g->n_flying;
}

/*
 * A connection over which a request could not be sent is not to be used again, but libcurl 7.88 keeps
 * it: if the kernel's buffer was full when an HTTP/2 request began, all later ones on it time out.
 * Shut, it looks dead to the next request, which opens another.
 */
static void
distrust(CURL *e)
{
	union { struct sockaddr any; struct sockaddr_in in; struct sockaddr_in6 in6; }
			 own = { .in6 = { .sin6_port = 0 } };
	socklen_t	 len = sizeof(own);
	curl_socket_t	 fd = CURL_SOCKET_BAD;
	long		 port = 0;
	in_port_t	 own_port;

	if (curl_easy_getinfo(e, CURLINFO_LOCAL_PORT, &port) != CURLE_OK ||
	    curl_easy_getinfo(e, CURLINFO_ACTIVESOCKET, &fd) != CURLE_OK || fd == CURL_SOCKET_BAD ||
	    getsockname(fd, &own.any, &len) == -1)
		return;
	own_port = own.any.sa_family == AF_INET6 ? own.in6.sin6_port : own.in.sin_port;
	if (ntohs(own_port) == port)		/* else the socket is that of this handle's last request */
		(void)shutdown(fd, SHUT_RDWR);
}

bool
ph_graph_next(struct ph_graph *g, struct ph_graph_sent *out)
{
	struct flight	*f = NULL;
	CURLMsg		*msg;
	int		 left;

	do
		if ((msg = curl_multi_info_read(g->multi, &left)) == NULL)
			return false;
	while (msg->msg != CURLMSG_DONE);
	(void)curl_easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE, (char **)&f);
	*out = (struct ph_graph_sent){ .what = f->what, .tag = f->tag,
	    .took_ms = ph_clock_mono() - f->began };
	out->answer.handed = f->handed > 0;
	out->answer.body = PH_SLICE(&f->answer);
	out->answer.retry_after_ms = f->retry_after_ms;
	out->answer.usage = f->usage;
	if (msg->data.result != CURLE_OK)	/* curl's general words: its detailed ones bear the URL */
		out->answer.transport = curl_easy_strerror(msg->data.result);
	out->answer.distrusted = msg->data.result == CURLE_PEER_FAILED_VERIFICATION ||
	    msg->data.result == CURLE_SSL_CACERT_BADFILE;
	(void)curl_easy_getinfo(f->easy, CURLINFO_RESPONSE_CODE, &out->answer.status);
	if (msg->data.result == CURLE_SEND_ERROR)
		distrust(f->easy);
	(void)curl_multi_remove_handle(g->multi, f->easy);
	f->in_use = false;
	g->n_flying--;
	return true;
}

void
ph_graph_wait(struct ph_graph *g, struct pollfd *watched, size_t n, int timeout_ms)
{
	struct curl_waitfd	 fds[MAX_WATCHED];
	size_t			 i;

	for (i = 0; i < n && i < MAX_WATCHED; i++)
		fds[i] = (struct curl_waitfd){ .fd = watched[i].fd, .events = (short)
		    ((watched[i].events & POLLIN ? CURL_WAIT_POLLIN : 0) |
		    (watched[i].events & POLLOUT ? CURL_WAIT_POLLOUT : 0)) };
	(void)curl_multi_poll(g->multi, fds, (unsigned)i, timeout_ms, NULL);
	for (n = i, i = 0; i < n; i++)
		watched[i].revents = fds[i].revents != 0 ? watched[i].events : 0;
}
