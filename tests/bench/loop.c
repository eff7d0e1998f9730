/*
 * loop -- sends N messages to Graph by a bare libcurl multi loop.
 *   loop URL CA TOKEN SECRET N      URL: https://HOST:PORT/v25.0/PAGE/messages
 * Knows libcurl.  Does not know queues, stores, outcomes or rates.
 * Called by `make bench`: what sending costs at least, 64 requests under way over HTTP/2.
 * Lives until all are sent; exit status 1 if one was not taken.
 * SPDX-License-Identifier: ISC
 */
#include <curl/curl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "signature.h"

#define FLYING		64
#define CONNECTIONS	8L

struct flight {
	CURL	*easy;
	char	 body[512];
};

struct loop {
	CURLM			*multi;
	struct curl_slist	*headers;
	char			 url[1024];
	const char		*ca;
	long			 n, n_begun, n_done, n_refused;
	struct flight		 flights[FLYING];
};

static size_t
ignore(char *bytes, size_t size, size_t n, void *arg)
{
	(void)bytes;
	(void)arg;
	return size * n;
}

static bool
equip(struct loop *l, struct flight *f)
{
	CURL	*e = f->easy = curl_easy_init();

	return e != NULL &&
	    curl_easy_setopt(e, CURLOPT_URL, l->url) == CURLE_OK &&
	    curl_easy_setopt(e, CURLOPT_CAINFO, l->ca) == CURLE_OK &&
	    curl_easy_setopt(e, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS) == CURLE_OK &&
	    curl_easy_setopt(e, CURLOPT_PIPEWAIT, 1L) == CURLE_OK &&
	    curl_easy_setopt(e, CURLOPT_HTTPHEADER, l->headers) == CURLE_OK &&
	    curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, ignore) == CURLE_OK &&
	    curl_easy_setopt(e, CURLOPT_PRIVATE, f) == CURLE_OK;
}

/* What a reply of pagehook's looks like, as long and with as much in it. */
static bool
launch(struct loop *l, struct flight *f)
{
	snprintf(f->body, sizeof(f->body), "{\"recipient\":{\"id\":\"%016ld\"},"
	    "\"messaging_type\":\"RESPONSE\",\"message\":{\"text\":\"You said: hello\","
	    "\"metadata\":\"%032ld\"}}", 7000000000000000 + l->n_begun, l->n_begun);
	l->n_begun++;
	return curl_easy_setopt(f->easy, CURLOPT_POSTFIELDS, f->body) == CURLE_OK &&
	    curl_multi_add_handle(l->multi, f->easy) == CURLM_OK;
}

static bool
settle(struct loop *l)
{
	struct flight	*f = NULL;
	CURLMsg		*msg;
	long		 status = 0;
	int		 left;

	while ((msg = curl_multi_info_read(l->multi, &left)) != NULL) {
		curl_easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE, (char **)&f);
		curl_easy_getinfo(f->easy, CURLINFO_RESPONSE_CODE, &status);
		l->n_refused += msg->data.result != CURLE_OK || status != 200;
		l->n_done++;
		curl_multi_remove_handle(l->multi, f->easy);
		if (l->n_begun < l->n && !launch(l, f))
			return false;
	}
	return true;
}

static bool
run(struct loop *l)
{
	int	 i, running;

	for (i = 0; i < FLYING && l->n_begun < l->n; i++)
		if (!equip(l, &l->flights[i]) || !launch(l, &l->flights[i]))
			return false;
	while (l->n_done < l->n) {
		if (curl_multi_perform(l->multi, &running) != CURLM_OK || !settle(l) ||
		    (l->n_done < l->n && curl_multi_poll(l->multi, NULL, 0, 1000, NULL) != CURLM_OK))
			return false;
	}
	return l->n_refused == 0;
}

int
main(int argc, char **argv)
{
	static struct loop	 l;
	char			 proof[PH_SIGNATURE_LEN + 1];

	if (argc != 6 || ph_signature_format(argv[4], (struct ph_slice){ argv[3], strlen(argv[3]) },
	    proof, NULL) != PH_OK || curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return 64;
	snprintf(l.url, sizeof(l.url), "%s?access_token=%s&appsecret_proof=%s", argv[1], argv[3], proof);
	l.ca = argv[2];
	l.n = strtol(argv[5], NULL, 10);
	l.headers = curl_slist_append(NULL, "Content-Type: application/json");
	l.multi = curl_multi_init();
	if (l.headers == NULL || l.multi == NULL ||
	    curl_multi_setopt(l.multi, CURLMOPT_MAX_HOST_CONNECTIONS, CONNECTIONS) != CURLM_OK)
		return 71;
	return run(&l) ? 0 : 1;
}
