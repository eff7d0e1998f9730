/*
 * store -- rows of events and replies, as opaque bytes: the contract of every store.
 * Knows buffer.  Does not know Messenger, Graph, or which state follows which.
 * Called by ledger alone, between begin and commit.
 * Lives in the helper's one thread, opened while the lock is held.
 * States and their guarantees: lib/pagehook-states.7.
 *
 * Every function may fail with PH_BUSY (locked by a stranger, read-only, not in its place any more),
 * PH_TOOBIG (the disk is full), PH_NOMEM or PH_BROKEN (damaged, or it cannot sync: touch nothing more).
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
	bool		 turn;				/* a turn of talk: it may be answered */
	struct ph_slice	 body;
};

struct ph_store_conv {			/* a conversation, as far as thinking needs it */
	int64_t		 id;		/* 0: the event has none */
	int64_t		 first;		/* the event that was the person's first turn; 0: none, or long ago */
	int64_t		 silent_until;	/* Unix ms: the bot says nothing to what happened before */
	int64_t		 turn_at;	/* of the person's newest turn; 0: none */
	bool		 foreign;	/* another app was found to have the thread */
};

struct ph_store_open {			/* an event that is kept, to be thought about; the caller's */
	int64_t			 id, at, due, tries;
	bool			 failed;	/* at the last of those */
	struct ph_store_conv	 conv;
	struct ph_buffer	 page, person, body;
};

struct ph_store_step {			/* what an open event becomes */
	int64_t		 id, conv;
	const char	*state;
	int64_t		 due;		/* Unix ms; of one that is "kept", else 0 */
	int64_t		 tries;		/* so often a handler was asked */
	bool		 failed;	/* of one that is "kept": it failed at the last */
	const char	*why;		/* NULL: left as it is */
	int64_t		 now;		/* once it is closed, the conversation's next is due */
};

struct ph_store_person {		/* the caller's */
	int64_t			 asked_at;	/* Unix ms: when Meta was asked; 0: never */
	struct ph_buffer	 first_name, last_name;
};

struct ph_store_owed {			/* borrowed for the call */
	int64_t		 conv, event;	/* event 0: sent by hand */
	int64_t		 due;		/* Unix ms */
	const char	*kind;		/* opaque here; NULL: the usual */
	struct ph_slice	 body;
	int64_t		 said_at;	/* Unix ms: answers what happened then and counts so; 0: by hand */
	int64_t		 window_ms;	/* of that count */
};

struct ph_store_reply {			/* the caller's: clear person and body */
	int64_t			 id, conv, event, attempt, resends;
	int64_t			 at;		/* Unix ms: of the event it answers; 0: of none */
	int64_t			 retries;	/* of those that its outcomes count */
	int64_t			 turn_at;	/* of the person's newest turn; 0: none is known */
	char			 kind[24];	/* "": the usual */
	char			 page[64];	/* of one that is flying: its Page's id, as far as it fits */
	int64_t			 first_due;	/* Unix ms: of one that is unsure, the first time it was to be looked at */
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
	int64_t			 retries;		/* 0: left as they are */
	bool			 unsent;	/* claimed and not tried: that was no attempt */
};

enum ph_store_order { PH_STORE_RETRY, PH_STORE_DROP, PH_STORE_HOLD, PH_STORE_RELEASE };

struct ph_store_erasure {		/* the caller's, passed on from step to step */
	int64_t	 after;			/* the rows behind this id are looked at; -1: all were */
	bool	 in_flight;		/* refused: a reply of theirs is on its way, or a handler asked */
	bool	 more;			/* another step is needed */
	int64_t	 n_events, n_replies, n_copies;	/* erased in this step */
	int64_t	 n_closed;		/* events that were open */
};

struct ph_store_steer {			/* an operator's word on one reply or event */
	enum ph_store_order	 order;
	int64_t			 id, now;
	bool			 unsure;	/* it is meant even if it is unsure, or was */
};

struct ph_store_told {			/* of a reply or event, for who asks; the caller's */
	char	 state[12], mid[256], why[200];
	int64_t	 code;
	bool	 nobodys;	/* an event that belongs to no conversation */
	bool	 doubt;		/* a reply that may have been sent, whatever its state is now */
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

	/*
	 * Whether what is open is still what others see by its name.  PH_NONE: another store is there, or
	 * none; PH_BUSY: a part of it was taken away.  begin fails with PH_BUSY then.
	 */
	enum ph_error	(*in_place)(struct ph_store *store, struct ph_fail *fail);

	/* Keeps an event and its key.  PH_NONE: the key is known, nothing was kept. */
	enum ph_error	(*keep)(struct ph_store *store, const struct ph_store_event *event,
			    int64_t *id, struct ph_store_conv *conv, struct ph_fail *fail);

	/* The conversation of that page and person.  PH_NONE: there is none; make: then it is made. */
	enum ph_error	(*find)(struct ph_store *store, struct ph_slice page, struct ph_slice person,
			    bool make, struct ph_store_conv *out, struct ph_fail *fail);

	/* The bot is silent in this conversation to what happens before until (Unix ms); 0: it is not. */
	enum ph_error	(*silence)(struct ph_store *store, int64_t conv, int64_t until,
			    struct ph_fail *fail);

	enum ph_error	(*silent_until)(struct ph_store *store, int64_t conv, int64_t *until,
			    struct ph_fail *fail);

	/* What is known of the person, and to know it; an empty name leaves the old one.  out is born empty. */
	enum ph_error	(*person)(struct ph_store *store, int64_t conv, struct ph_store_person *out,
			    struct ph_fail *fail);
	enum ph_error	(*set_person)(struct ph_store *store, int64_t conv, struct ph_slice first_name,
			    struct ph_slice last_name, int64_t asked_at, struct ph_fail *fail);

	/*
	 * Open events: "kept" to be thought about, "asked" of a handler.  put_off opens one that was
	 * kept as "done": it is due now, or once the earlier ones of its conversation are closed.
	 */
	enum ph_error	(*put_off)(struct ph_store *store, int64_t event, int64_t conv, int64_t now,
			    struct ph_fail *fail);
	enum ph_error	(*is_open)(struct ph_store *store, int64_t conv, bool *open,
			    struct ph_fail *fail);

	/*
	 * At most max events that are due and the first open one of their conversation, those due first
	 * first, from behind (after_due, after_id) on.
	 */
	enum ph_error	(*due)(struct ph_store *store, int64_t now, int64_t after_due, int64_t after_id,
			    struct ph_store_open *out, size_t max, size_t *n, struct ph_fail *fail);

	/* Moves an open event on.  PH_NONE: it is not open any more. */
	enum ph_error	(*step)(struct ph_store *store, const struct ph_store_step *step,
			    struct ph_fail *fail);

	/* Every "asked" event is "kept" again, and due; n_open: how many events are open. */
	enum ph_error	(*reopen)(struct ph_store *store, int64_t now, int64_t *n_open,
			    struct ph_fail *fail);

	/*
	 * A reply that is ready: it waits behind the conversation's older open ones.  said: how many,
	 * with this one, were counted in the window that began with the first of them.
	 */
	enum ph_error	(*owe)(struct ph_store *store, const struct ph_store_owed *owed, int64_t *id,
			    int64_t *said, struct ph_fail *fail);

	/* Holds a reply that is ready; a person decides. */
	enum ph_error	(*hold)(struct ph_store *store, int64_t id, int64_t conv, const char *why,
			    struct ph_fail *fail);

	/*
	 * The ready replies to the same event that come after this one and are of the usual kind are
	 * "dead": they follow it; n: so many.
	 */
	enum ph_error	(*drop_rest)(struct ph_store *store, const struct ph_store_reply *after,
			    const char *why, int64_t *n, struct ph_fail *fail);

	/* Every ready reply of a conversation is "dead"; n: so many. */
	enum ph_error	(*drop_all)(struct ph_store *store, int64_t conv, const char *why, int64_t *n,
			    struct ph_fail *fail);

	/*
	 * Another app has the thread: the replies of this conversation that are ready wait until a time;
	 * until 0: it is ours again, they are due now.
	 */
	enum ph_error	(*lend)(struct ph_store *store, int64_t conv, int64_t until, int64_t now,
			    struct ph_fail *fail);

	/* A claim that is not launched after all: "ready" again, as if it had never been claimed. */
	enum ph_error	(*unclaim)(struct ph_store *store, int64_t id, int64_t conv, int64_t due,
			    struct ph_fail *fail);

	/*
	 * An operator's word on one reply.  PH_NONE: there is none in a state to which it applies.
	 * retry: dead, held and unsure ones are ready now, by counts that begin anew; drop: ready, held
	 * and unsure ones are dead, a dead one goes; hold: ready ones are held; release: a held one is
	 * ready.  What is ready now waits for what of its conversation is in flight or unsure.
	 */
	enum ph_error	(*steer)(struct ph_store *store, const struct ph_store_steer *steer,
			    struct ph_fail *fail);

	/*
	 * The same on an event.  retry: a dead one of a conversation is kept again, as if never tried;
	 * drop: an open one is dead, a dead one is done.  opened: 1: it is open now; -1: no more; or 0.
	 */
	enum ph_error	(*steer_event)(struct ph_store *store, const struct ph_store_steer *steer,
			    int *opened, struct ph_fail *fail);

	/* What has become of a reply, of an event.  PH_NONE: there is none. */
	enum ph_error	(*tell)(struct ph_store *store, int64_t id, struct ph_store_told *out,
			    struct ph_fail *fail);
	enum ph_error	(*tell_event)(struct ph_store *store, int64_t id, struct ph_store_told *out,
			    struct ph_fail *fail);

	/*
	 * Claims at most max due replies of a page, the oldest due first, one a conversation: they are
	 * "sending" now, attempt is one more, and each has a token: its old one if it had one, else one
	 * that nobody guesses, and that comes behind those of earlier times.
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
	 * The reply that bears this token is "sent", whatever it was, and this is its mid; moved says
	 * whether it was not before, left_at when it was claimed last.  PH_NONE: none bears it.
	 */
	enum ph_error	(*confirm)(struct ph_store *store,
			    const unsigned char token[PH_STORE_TOKEN_LEN], struct ph_slice mid,
			    int64_t *id, int64_t *left_at, bool *moved, struct ph_fail *fail);

	/*
	 * The first page behind this one, in the order of their bytes, of which a reply waits, and when
	 * its next is due; "" is before all.  PH_NONE: there is none.
	 */
	enum ph_error	(*next_page)(struct ph_store *store, struct ph_buffer *page, int64_t *due,
			    struct ph_fail *fail);

	/* When the next reply of this page is due; of an absent page: the next unsure one; 0: none. */
	enum ph_error	(*next_due)(struct ph_store *store, struct ph_slice page, int64_t *due,
			    struct ph_fail *fail);

	/* When the next open event is due, after a time; 0: none. */
	enum ph_error	(*next_open)(struct ph_store *store, int64_t after, int64_t *due,
			    struct ph_fail *fail);

	/*
	 * Notes why a page's replies wait, and until when (Unix ms; 0: nobody knows); why NULL: they do
	 * not.  PH_NONE: that was noted already.
	 */
	enum ph_error	(*pause)(struct ph_store *store, struct ph_slice page, const char *why,
			    int64_t until, struct ph_fail *fail);

	/* Whether and until when it was paused: PH_NONE: it was not. */
	enum ph_error	(*paused)(struct ph_store *store, struct ph_slice page, int64_t *until,
			    struct ph_fail *fail);

	/* Remembers a number by name. */
	enum ph_error	(*note)(struct ph_store *store, const char *name, int64_t value,
			    struct ph_fail *fail);

	/* What was remembered.  PH_NONE: nothing by that name. */
	enum ph_error	(*recall)(struct ph_store *store, const char *name, int64_t *value,
			    struct ph_fail *fail);

	/* How many events and replies are open. */
	enum ph_error	(*count_open)(struct ph_store *store, int64_t *n_events, int64_t *n_replies,
			    struct ph_fail *fail);

	/* Every open reply is "held", every open event "dead"; how many were. */
	enum ph_error	(*hold_all)(struct ph_store *store, int64_t now, const char *why,
			    int64_t *n_events, int64_t *n_replies, struct ph_fail *fail);

	/* Calls take with every name that begins so: what follows, and the number.  take's error ends it. */
	enum ph_error	(*noted)(struct ph_store *store, const char *prefix,
			    enum ph_error (*take)(void *arg, const char *rest, int64_t value,
			    struct ph_fail *fail), void *arg, struct ph_fail *fail);

	/* Every due time beyond a limit becomes now. */
	enum ph_error	(*advance)(struct ph_store *store, int64_t limit, int64_t now,
			    struct ph_fail *fail);

	/*
	 * Within a transaction: looks at some 500 rows, from where the last look ended, and removes what
	 * is over: done and sent before done_before, dead and held before over_before, keys as old as
	 * those (Unix ms); but for the newest event and reply, whose numbers are nobody else's so.
	 * *more: it has not come to the end.
	 */
	enum ph_error	(*prune)(struct ph_store *store, int64_t done_before, int64_t over_before,
			    bool *more, struct ph_fail *fail);

	/*
	 * A step of erasing a person, on one page, or if that is absent on every one: looks at some 500
	 * rows, so that nobody waits for it.  Events, replies, names and the conversation go, and every
	 * event of no conversation in whose bytes the person's id stands; with the last row go the copies
	 * of the store from before a migration.  Keys stay.  The first step closes what is open and takes
	 * the conversation from the person: who writes meanwhile begins a new one, and more goes on until
	 * there is none.  When it is false, the store's files hold nothing of it any more.
	 */
	enum ph_error	(*forget)(struct ph_store *store, struct ph_slice page, struct ph_slice person,
			    struct ph_store_erasure *step, struct ph_fail *fail);

	/*
	 * Between transactions: moves the log into the database, when it is long or nothing else is to
	 * do.  A store that is busy or full is left for later; any other error is returned.
	 */
	enum ph_error	(*tidy)(struct ph_store *store, bool idle, struct ph_fail *fail);
};

extern const struct ph_store_ops	ph_store_sqlite;

void	ph_store_reply_clear(struct ph_store_reply *reply);
void	ph_store_open_clear(struct ph_store_open *event);
void	ph_store_person_clear(struct ph_store_person *person);

#endif
