/*
 * store -- rows of events and replies, as opaque bytes: the contract of every store.
 * Knows buffer.  Does not know Messenger, Graph, or which state follows which.
 * Called by ledger alone, between begin and commit.
 * Lives in the helper's one thread, opened while the lock is held.
 * States and their guarantees: lib/pagehook-states.7.
 *
 * Every function may fail with PH_BUSY (locked by a stranger, full for a moment), PH_TOOBIG (the
 * disk is full), PH_NOMEM or PH_BROKEN (damaged, or it cannot sync: touch nothing more).
 * SPDX-License-Identifier: ISC
 */
#ifndef PH_STORE_H
#define PH_STORE_H

#include <stdint.h>

#include "buffer.h"

#define PH_STORE_KEY_LEN	16
#define PH_STORE_TOKEN_LEN	16

struct ph_store;

struct ph_store_event {			/* borrowed for the call */
	unsigned char	 key[PH_STORE_KEY_LEN];
	const char	*object, *kind, *state, *why;	/* why may be NULL */
	struct ph_slice	 page, person, mid;		/* person and mid may be absent */
	int64_t		 at, came;			/* Unix ms: when it happened, when it came */
	struct ph_slice	 body;
};

struct ph_store_reply {			/* the caller's: clear person and body */
	int64_t			 id, conv, attempt, resends;
	unsigned char		 token[PH_STORE_TOKEN_LEN];
	struct ph_buffer	 person, body;
};

struct ph_store_move {			/* what a reply becomes */
	int64_t			 id, conv;
	const unsigned char	*token;		/* only the claim that bears it; NULL: any */
	const char		*state;
	int64_t			 due;		/* Unix ms */
	int64_t			 resends;
	const char		*mid, *trace, *why;	/* "" or NULL: left as they are */
	int64_t			 code, subcode;		/* 0: left as they are */
};

struct ph_store_ops {
	const char	*name;

	/* Opens, makes and migrates; what a newer program wrote is refused with PH_CONFIG. */
	enum ph_error	(*open)(const char *where, struct ph_store **out, struct ph_fail *fail);
	void		(*close)(struct ph_store *store);

	/* One transaction.  When commit returns PH_OK it is on the disk.  abandon never fails. */
	enum ph_error	(*begin)(struct ph_store *store, struct ph_fail *fail);
	enum ph_error	(*commit)(struct ph_store *store, struct ph_fail *fail);
	void		(*abandon)(struct ph_store *store);

	/* Keeps an event and its key.  PH_NONE: the key is known, nothing was kept.  conv: 0 without a
	 * person. */
	enum ph_error	(*keep)(struct ph_store *store, const struct ph_store_event *event,
			    int64_t *id, int64_t *conv, struct ph_fail *fail);

	/* A reply that is ready: it waits behind the conversation's older open ones. */
	enum ph_error	(*owe)(struct ph_store *store, int64_t conv, int64_t event, int64_t due,
			    struct ph_slice body, struct ph_fail *fail);

	/*
	 * Claims at most max due replies of a page, the oldest due first, one a conversation: they are
	 * "sending" now, attempt is one more, and each has a token, its old one if it had one.
	 */
	enum ph_error	(*claim)(struct ph_store *store, struct ph_slice page, int64_t now,
			    struct ph_store_reply *out, size_t max, size_t *n, struct ph_fail *fail);

	/* At most max replies in state "sending" or "unsure" that are due, without their bodies. */
	enum ph_error	(*flying)(struct ph_store *store, const char *state, int64_t before,
			    struct ph_store_reply *out, size_t max, size_t *n, struct ph_fail *fail);

	/* Moves a "sending" or "unsure" reply on.  PH_NONE: it is neither any more. */
	enum ph_error	(*move)(struct ph_store *store, const struct ph_store_move *move,
			    struct ph_fail *fail);

	/*
	 * The reply that bears this token is "sent", whatever it was, and this is its mid.  PH_NONE: none
	 * bears it, or it was sent already.
	 */
	enum ph_error	(*confirm)(struct ph_store *store,
			    const unsigned char token[PH_STORE_TOKEN_LEN], struct ph_slice mid,
			    int64_t *id, struct ph_fail *fail);

	/* When the next reply of this page, or the next unsure one, is due; 0: none. */
	enum ph_error	(*next_due)(struct ph_store *store, struct ph_slice page, int64_t *due,
			    struct ph_fail *fail);

	/* Notes why a page's replies wait; NULL: they do not.  PH_NONE: that was noted already. */
	enum ph_error	(*pause)(struct ph_store *store, struct ph_slice page, const char *why,
			    struct ph_fail *fail);

	/* Remembers a number by name. */
	enum ph_error	(*note)(struct ph_store *store, const char *name, int64_t value,
			    struct ph_fail *fail);

	/* Every due time beyond a limit becomes now. */
	enum ph_error	(*advance)(struct ph_store *store, int64_t limit, int64_t now,
			    struct ph_fail *fail);

	/*
	 * Between transactions: moves the log into the database, when it is long or nothing else is to
	 * do.  A store that is busy or full is left for later; any other error is returned.
	 */
	enum ph_error	(*tidy)(struct ph_store *store, bool idle, struct ph_fail *fail);
};

extern const struct ph_store_ops	ph_store_sqlite;

void	ph_store_reply_clear(struct ph_store_reply *reply);

#endif
