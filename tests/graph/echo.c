/*
 * echo -- tells the webhook what the page said, as Meta does.
 * Knows send, signature and libcurl.  Does not know FastCGI or faults.
 * Called by graph for each message taken, from many threads.
 * Lives in a thread of its own behind a queue; the queue dies with the program.
 * SPDX-License-Identifier: ISC
 */
#include <curl/curl.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>

#include "clock.h"
#include "echo.h"
#include "signature.h"

#define MAX_TRIES	600		/* Meta tries for 36 hours; a minute is as long as a test waits */
#define RETRY_MS	100
#define ANSWER_MS	5000L	/* Meta's own patience */

struct waiting {
	struct waiting	*next;
	struct ph_buffer body;
};

struct echo {
	const char	*url, *app_id, *secret;
	pthread_mutex_t	 lock;
	pthread_cond_t	 more;
	struct waiting	*first, **last;
};

static void
format(struct ph_buffer *b, const struct echo *e, const char *page, const char *mid,
    const struct send *s)
{
	struct json_object	*attachment = json_object_object_get(s->message, "attachment");
	long long		 now = (long long)ph_clock_now();

	ph_buffer_addf(b, "{\"object\":\"page\",\"entry\":[{\"id\":\"%s\",\"time\":%lld,"
	    "\"messaging\":[{\"sender\":{\"id\":\"%s\"},\"recipient\":{\"id\":\"", page, now, page);
	ph_buffer_add_json(b, s->to);
	ph_buffer_addf(b, "\"},\"timestamp\":%lld,\"message\":{\"mid\":\"%s\",\"is_echo\":true,"
	    "\"app_id\":%s", now, mid, e->app_id);
	if (s->metadata.at != NULL) {
		ph_buffer_adds(b, ",\"metadata\":\"");
		ph_buffer_add_json(b, s->metadata);
		ph_buffer_adds(b, "\"");
	}
	if (s->text.at != NULL) {
		ph_buffer_adds(b, ",\"text\":\"");
		ph_buffer_add_json(b, s->text);
		ph_buffer_adds(b, "\"");
	}
	if (attachment != NULL)
		ph_buffer_addf(b, ",\"attachments\":[%s]", json_object_to_json_string(attachment));
	ph_buffer_adds(b, "}}]}]}");
}

static size_t
swallow(char *bytes, size_t size, size_t n, void *unused)
{
	(void)bytes;
	(void)unused;
	return size * n;
}

static bool
post(CURL *curl, const struct echo *e, struct ph_slice body)
{
	char			 mac[PH_SIGNATURE_LEN + 1], header[100];
	struct curl_slist	*headers = NULL;
	long			 status = 0;

	if (ph_signature_format(e->secret, body, mac, NULL) != PH_OK)
		return false;
	snprintf(header, sizeof(header), "X-Hub-Signature-256: sha256=%s", mac);
	headers = curl_slist_append(headers, header);
	headers = curl_slist_append(headers, "Content-Type: application/json");
	curl_easy_setopt(curl, CURLOPT_URL, e->url);
	curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, ANSWER_MS);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, swallow);
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body.at);
	curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, (long)body.len);
	if (curl_easy_perform(curl) == CURLE_OK)
		curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
	curl_slist_free_all(headers);
	return status == 200;
}

static struct waiting *
next(struct echo *e)
{
	struct waiting	*w;

	pthread_mutex_lock(&e->lock);
	while (e->first == NULL)
		pthread_cond_wait(&e->more, &e->lock);
	w = e->first;
	if ((e->first = w->next) == NULL)
		e->last = &e->first;
	pthread_mutex_unlock(&e->lock);
	return w;
}

static void *
run(void *arg)
{
	struct echo	*e = arg;
	CURL		*curl = curl_easy_init();

	while (curl != NULL) {
		struct waiting	*w = next(e);
		int		 tries;

		for (tries = 1; !post(curl, e, PH_SLICE(&w->body)) && tries < MAX_TRIES; tries++)
			poll(NULL, 0, RETRY_MS);
		ph_buffer_clear(&w->body);
		free(w);
	}
	return NULL;
}

struct echo *
echo_new(const char *url, const char *app_id, const char *secret)
{
	struct echo	*e = calloc(1, sizeof(*e));
	pthread_t	 thread;

	if (e == NULL || curl_global_init(CURL_GLOBAL_DEFAULT) != 0)
		return NULL;
	e->url = url;
	e->app_id = app_id;
	e->secret = secret;
	e->last = &e->first;
	pthread_mutex_init(&e->lock, NULL);
	pthread_cond_init(&e->more, NULL);
	return pthread_create(&thread, NULL, run, e) == 0 ? e : NULL;
}

void
echo_send(struct echo *e, const char *page, const char *mid, const struct send *s)
{
	struct waiting	*w = calloc(1, sizeof(*w));

	if (w == NULL)
		return;
	format(&w->body, e, page, mid, s);
	pthread_mutex_lock(&e->lock);
	*e->last = w;
	e->last = &w->next;
	pthread_cond_signal(&e->more);
	pthread_mutex_unlock(&e->lock);
}
