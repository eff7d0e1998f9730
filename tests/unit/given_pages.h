/*
 * given_pages -- Page 9001, its token, and the replies a test writes for it.
 * Knows pages.  Does not know who asks for them.
 * Called by the tests whose subject speaks for a Page.
 * Lives in a room, which has replies.json.
 * SPDX-License-Identifier: ISC
 */
#ifndef PH_GIVEN_PAGES_H
#define PH_GIVEN_PAGES_H

#include "pages.h"
#include "room.h"

static struct ph_pages	*pages;

/* Writes replies.json, every ' turned into ". */
static inline void
write_replies(const char *text)
{
	struct ph_buffer	 json = PH_BUFFER_INIT;
	char			*p;

	ph_buffer_adds(&json, text);
	for (p = json.data; *p != '\0'; p++)
		if (*p == '\'')
			*p = '"';
	room_write("replies.json", PH_SLICE(&json), 0600);
	ph_buffer_clear(&json);
}

/* Those of replies.json, or the built-in ones. */
static inline void
load_pages(bool builtin)
{
	static char	 id[] = "9001", token[] = "page-token", secret[] = "app-secret", path[600];
	struct ph_conf	 conf = { .page_id = id, .page_token = token, .app_secret = secret,
		.replies = builtin ? NULL : path };
	struct ph_fail	 fail = PH_FAIL_INIT;

	snprintf(path, sizeof(path), "%s/replies.json", room);
	must(ph_pages_load(&conf, &pages, &fail), &fail);
}

static inline void
forget_pages(void)
{
	ph_pages_free(pages);
	pages = NULL;
}

#endif
