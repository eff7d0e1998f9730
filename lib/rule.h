/*
 * rule -- one entry of replies.json as a value: when it fits, and what is done then.
 * Knows match, template, hours.  Does not know how it was written, nor which rule wins.
 * Called by entry and its parts (make it), say (its messages), think (asks it), replies (frees it).
 * Lives as long as the replies it belongs to.
 * SPDX-License-Identifier: ISC
 */
#ifndef PH_RULE_H
#define PH_RULE_H

#include <stdint.h>

#include "hours.h"
#include "match.h"
#include "template.h"

/* What a rule's "on" is made of: an event is exactly one of these. */
enum {
	PH_ON_TEXT = 1 << 0,		/* "text" is this and the next */
	PH_ON_QUICK_REPLY = 1 << 1,
	PH_ON_ATTACHMENT = 1 << 2,
	PH_ON_POSTBACK = 1 << 3,
	PH_ON_REFERRAL = 1 << 4,
	PH_ON_OPTIN = 1 << 5,
	PH_ON_LINKING = 1 << 6,

	PH_ON_TEXTS = PH_ON_TEXT | PH_ON_QUICK_REPLY,
	PH_ON_PAYLOADS = PH_ON_QUICK_REPLY | PH_ON_POSTBACK | PH_ON_REFERRAL | PH_ON_OPTIN,
	PH_ON_MESSAGES = PH_ON_TEXTS | PH_ON_ATTACHMENT,
	PH_ON_ANY = PH_ON_MESSAGES | PH_ON_POSTBACK,
	PH_ON_ALL = (PH_ON_LINKING << 1) - 1
};

/* One of the values that a condition names, and whether more may follow it. */
struct ph_rule_word {
	char	*text;
	size_t	 len;
	bool	 prefix;
};

struct ph_rule_words {
	struct ph_rule_word	*all;
	size_t			 n;		/* 0: no condition */
};

struct ph_rule_message {
	const char		*media;		/* static: "image" ..: of is the address; NULL: none */
	bool			 raw;		/* of is a message object as JSON; else a text */
	struct ph_template	*of;
};

struct ph_rule {
	char			*place;		/* "replies.json:7" */

	/* When it fits; what is empty does not matter. */
	unsigned		 on;
	bool			 first;
	struct ph_rule_words	 page, type, payload, ref;
	struct ph_hours		*hours;
	size_t			 n_hours;
	struct ph_match		**matches;
	size_t			 n_matches;

	/* What is done. */
	bool			 seen, typing, handover;
	char			*handover_to;	/* an app's id; NULL: the Page inbox */
	int64_t			 pause_ms;
	struct ph_rule_message	*messages;
	size_t			 n_messages;
	struct ph_template	*quick, *buttons;	/* JSON lists; NULL: none */
	size_t			 buttons_on;	/* the message that becomes a button template */
	struct ph_template	**argv;		/* of a handler */
	size_t			 n_argv;	/* 0: none */
	bool			 coproc;
	int64_t			 timeout_ms;

	bool			 wants_person;	/* says a person's name */
	bool			 check_again;	/* its limits show when fields are filled */
};

struct ph_replies {			/* here for think: it walks the rules */
	char		*name;
	struct ph_rule	*rules;
	size_t		 n, cap;
};

void	ph_rule_clear(struct ph_rule *rule);

#endif
