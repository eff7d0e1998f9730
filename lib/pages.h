/*
 * pages -- the Pages we speak for: each one's token, and what its owner wants said.
 * Knows conf, json, replies, signature.  Does not know the store or Graph.
 * Called by the helper (loads), turn (reloads), and whoever needs a Page's token or rules.
 * Lives as long as the helper; rules are replaced when their file changes.
 * Described in cgi/pagehook.conf.5 (MESSENGER_PAGES, PAGEHOOK_REPLIES).
 * SPDX-License-Identifier: ISC
 */
#ifndef PH_PAGES_H
#define PH_PAGES_H

#include "conf.h"
#include "replies.h"
#include "signature.h"

struct ph_rules {		/* one replies file, perhaps of several Pages */
	char			*path;		/* NULL: the built-in replies */
	char			*dir;		/* where it lies: handlers run there */
	struct ph_replies	*replies;	/* NULL: never could be read; events wait for it */
	struct ph_conf_watch	 seen;		/* what the file looked like when it was read */
	bool			 broken;	/* as it is now it cannot be used */
};

struct ph_page {
	struct ph_slice		 id;
	char			*id_text, *token;
	char			 proof[PH_SIGNATURE_LEN + 1];	/* appsecret_proof of this token */
	struct ph_rules		*rules;
};

struct ph_pages {
	struct ph_page		*all;		/* those with a token */
	size_t			 n;
	struct ph_rules		**rules;	/* [0]: those of every other Page, PAGEHOOK_REPLIES or built in */
	size_t			 n_rules;
	struct ph_conf_watch	 watched[PH_CONF_WATCHED];	/* MESSENGER_PAGES and its token files */
	size_t			 n_watched;
};

/*
 * Reads MESSENGER_PAGE_ID and MESSENGER_PAGES.  PH_CONFIG: the text starts with the place.  A replies
 * file that cannot be read is no failure of this: that is said in the log, and its Pages' events wait.
 * *out: ph_pages_free.
 */
enum ph_error	 ph_pages_load(const struct ph_conf *conf, struct ph_pages **out,
		    struct ph_fail *fail) PH_MUST_USE;
void		 ph_pages_free(struct ph_pages *pages);	/* tokens are wiped */

/* Whether ph_pages_load would succeed; says nothing in the log. */
enum ph_error	 ph_pages_check(const struct ph_conf *conf, struct ph_fail *fail) PH_MUST_USE;

/* Whether MESSENGER_PAGES, or a token file it names, has changed since. */
bool		 ph_pages_changed(const struct ph_pages *pages);

/* The Page of that id; NULL: we hold no token for it. */
const struct ph_page
		*ph_pages_find(const struct ph_pages *pages, struct ph_slice id);

/* Whose rules a Page without a token follows, too. */
const struct ph_rules
		*ph_pages_rules(const struct ph_pages *pages, struct ph_slice id);

/*
 * Reads every replies file that has changed.  A broken one keeps the last good rules and is said in
 * the log, once.  True: some rules are new, what was taken from the old ones is gone.
 */
bool		 ph_pages_reload(struct ph_pages *pages);

/* Reads one replies file, as reload does, for a command.  flaws gets what is wrong with it. */
enum ph_error	 ph_pages_read(const char *path, struct ph_buffer *text, struct ph_replies **out,
		    struct ph_flaws *flaws, struct ph_fail *fail) PH_MUST_USE;

#endif
