/*
 * delivery -- one body becomes rows, and a verdict.
 * Knows intake, event, think, ledger, sending, pages, news, the wire's verdicts.  Does not know sockets,
 * handlers or transactions.
 * Called by turn, inside its transaction, for what fronts hand over and what lay in the spool.
 * Lives in the helper's one thread.
 * SPDX-License-Identifier: ISC
 */
#ifndef PH_DELIVERY_H
#define PH_DELIVERY_H

#include "intake.h"
#include "pages.h"
#include "sending.h"
#include "think.h"
#include "wire.h"

struct ph_delivery {		/* where bodies go; what is pointed to is borrowed */
	struct ph_ledger	*ledger;
	struct ph_sending	*sending;
	const struct ph_pages	*pages;
	const char		*objects;	/* that are wanted */
	const char		*app_id;	/* ours; NULL: not known */
	int64_t			 max_age_ms;	/* older events are kept, and not answered */
	int64_t			 human_pause_ms; /* a person answered: so long the bot does not; 0: it does */
	int64_t			 now;		/* Unix ms, of this turn */
	struct ph_news		*news;		/* what is true once the turn is committed */

	/* Its own, used again and again. */
	char			 held_page[64];	/* the last one found without a token: noted already */
	struct ph_delivery_other {		/* Pages that another installation answers */
		char		 page[64];
		int64_t		 said_at;	/* monotonic ms */
	}			 others[16];	/* the oldest makes room */
	bool			 put_off;	/* since ph_delivery_committed: an event waits for an answer */
	bool			 silenced;	/* since then: a conversation fell silent */
	struct ph_intake	 intake;
	struct ph_thought	 thought;
	struct ph_delivery_thought {		/* of an event of this turn; nothing is owed yet */
		struct ph_ledger_answer	 answer;	/* messages: from, len below */
		size_t			 from, len, page, page_len, person, person_len;	/* in bytes */
		bool			 put_off, seen, typing;
	}			*thoughts;
	size_t			 n_thoughts, cap_thoughts;
	struct ph_buffer	 bytes, fields;	/* fields: of the log line of an event */
	const struct ph_event_kind
				*sampled[64];	/* kinds that this helper has met */
	size_t			 n_sampled, n_sampled_before;	/* before: at the last commit */
	struct ph_delivery_sample {
		const char		*kind;
		struct ph_buffer	 body;
	}			 samples[8];	/* to be written once the turn is committed */
	size_t			 n_samples;
};

void		ph_delivery_clear(struct ph_delivery *delivery);

/*
 * Keeps every event of a body and thinks of what to say; what was kept before is left alone.
 * came: Unix ms.  Any error is the store's or memory's: then nothing of this turn may be committed.
 */
enum ph_error	ph_delivery_keep(struct ph_delivery *delivery, struct ph_slice body, int64_t came,
		    enum ph_verdict *verdict, struct ph_fail *fail) PH_MUST_USE;

/*
 * Owes what was thought of since the last time, in order of event time, then arrival: a batch may
 * bring a conversation's words in any order, and after an outage they come so.  What needs a handler
 * or a name, and what comes behind such in its conversation, is put off: waiting takes it up.
 */
enum ph_error	ph_delivery_owe(struct ph_delivery *delivery, struct ph_fail *fail) PH_MUST_USE;

/* The turn is committed: keeps samples of kinds met for the first time. */
void		ph_delivery_committed(struct ph_delivery *delivery);

/* Forgets what was thought of: the turn did not happen. */
void		ph_delivery_forget(struct ph_delivery *delivery);

/* Keeps bytes that cannot be read, for a person to look at, and raises an alert. */
enum ph_error	ph_delivery_quarantine(struct ph_delivery *delivery, struct ph_slice body,
		    int64_t came, const char *why, struct ph_fail *fail) PH_MUST_USE;

#endif
