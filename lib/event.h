/*
 * event -- one thing that happened: bytes in, an event out.
 * Knows json, scan.  Does not know deliveries, the store or what is answered.
 * Called by intake, once for each element of messaging, standby and changes.
 * Lives on the caller's stack; what it points to lives until ph_event_clear.
 * Source of kinds, fields and types: Meta, Messenger Platform, webhook events reference, and what
 * running software was seen to send; nothing here fails because a type is not the documented one.
 * SPDX-License-Identifier: ISC
 */
#ifndef PH_EVENT_H
#define PH_EVENT_H

#include "json.h"

#define PH_EVENT_MAX_ID		512	/* bytes; Meta's longest, mids and tokens, are below 300 */
#define PH_EVENT_MAX_TEXT	65536	/* bytes of a text or payload; a person's is at most some 8,000 */
#define PH_EVENT_MAX_MEMBERS	12	/* found in one walk; what has more is walked for each question */

enum ph_channel { PH_MESSAGING, PH_STANDBY, PH_CHANGES };

struct ph_event_source {		/* where it stood; raw JSON, borrowed */
	enum ph_channel	 channel;
	struct ph_slice	 event;
	struct ph_slice	 entry_id, entry_time;	/* absent when the entry has none */
};

/* How a kind is recognised, what makes two of it the same, and whether a bot may answer it. */
struct ph_event_kind {
	const char	*name;		/* stable: stored, printed, matched on */
	const char	*parts;		/* of its key, in the language of key.c */
	bool		 answerable;
};

struct ph_event_member {
	struct ph_slice	 key, value;	/* raw */
};

struct ph_event {
	const struct ph_event_kind	*kind;
	enum ph_channel			 channel;
	struct ph_slice			 raw;		/* as received */
	struct ph_slice			 page;		/* never absent, perhaps empty */
	struct ph_slice			 conversation;	/* the person's id; absent: none */
	struct ph_slice			 mid;
	bool				 by_user_ref;	/* that id is a plugin's user_ref */
	int64_t				 time;		/* Unix ms; 0: none */
	bool				 answerable;
	const char			*why;		/* beyond a limit, so never answered; NULL: not */
	struct ph_slice			 text;		/* of a message */
	struct ph_slice			 payload;	/* of a postback, a quick reply, an opt-in */
	struct ph_slice			 field;		/* of a change */
	struct ph_slice			 metadata;	/* of a message: what its sender attached */

	/* For key.c. */
	struct ph_slice			 named;		/* what named the kind, of a change its value, raw; absent:
							 * nothing did */
	const char			*named_by;	/* its key */
	struct ph_event_member		 members[PH_EVENT_MAX_MEMBERS];	/* its first; ask ph_event_find */
	size_t				 n_members;	/* all that it has */

	/* For rules; NULL: not there, or nobody asks about it. */
	const struct ph_json		*object;	/* what named the kind */
	const struct ph_json		*whole;		/* the event, when a referral stands beside that */

	/* The event's own. */
	struct ph_json			*tree, *page_id, *person_id, *mid_id;
	char				 page_digits[PH_JSON_DIGITS], person_digits[PH_JSON_DIGITS],
					 mid_digits[PH_JSON_DIGITS];
};

/*
 * Reads one event.  Always an event: what is not understood is "unknown" or "empty".
 * PH_NOMEM alone.  Borrows the source's bytes until ph_event_clear.
 */
enum ph_error	ph_event_read(const struct ph_event_source *source, struct ph_event *out,
		    struct ph_fail *fail) PH_MUST_USE;
void		ph_event_clear(struct ph_event *event);

/* A member of what named the kind, raw, as ph_scan_find would give it. */
struct ph_slice	ph_event_find(const struct ph_event *event, const char *name);

/* A time as Meta writes it: s or ms, number or text, ISO 8601; in Unix ms, 0 when there is none. */
int64_t		ph_event_time(const struct ph_json *v);

#endif
