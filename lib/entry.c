/*
 * entry -- one entry of replies.json: its keys, and which of them can stand beside which.
 * Knows raw, reading, and rule_fits, rule_says, rule_offers, rule_does, which read its values.
 * Called by replies, once for each entry.
 * Lives on the stack: what is left of an entry is its rule.
 * SPDX-License-Identifier: ISC
 */
#include "entry.h"
#include "raw.h"
#include "reading.h"
#include "rule_does.h"
#include "rule_fits.h"
#include "rule_offers.h"
#include "rule_says.h"

enum key {
	ON, IS, HAS, MATCH, PAYLOAD, REF, TYPE, PAGE, WHEN, FIRST,	/* conditions: read first */
	SAY, MESSAGE, IMAGE, VIDEO, AUDIO, FILE_, QUICK, BUTTONS, TYPING, SEEN,
	EXEC, COPROC, TIMEOUT, PAUSE, HANDOVER, IGNORE, SET, TOPIC, GOTO, FORWARD, N_KEYS
};

#define BIT(key)	(1u << (key))
#define MESSAGES	(BIT(SAY) | BIT(MESSAGE) | BIT(IMAGE) | BIT(VIDEO) | BIT(AUDIO) | BIT(FILE_))
#define HANDLERS	(BIT(EXEC) | BIT(COPROC))
#define SPOKEN		(MESSAGES | BIT(QUICK) | BIT(BUTTONS))
#define NEEDED		(MESSAGES | HANDLERS | BIT(PAUSE) | BIT(HANDOVER) | BIT(IGNORE))
#define RESERVED	(BIT(SET) | BIT(TOPIC) | BIT(GOTO) | BIT(FORWARD))

static void
refuse(struct ph_reading *r, struct ph_slice value)
{
	ph_strict_flaw(r->file, value.at, "%s: reserved for a later version", r->file->key);
}

static const struct {
	const char	*name;
	void		(*read)(struct ph_reading *r, struct ph_slice value);
	unsigned	 on;		/* of a condition: the events for which it can hold */
	unsigned	 bars;		/* keys that cannot stand beside this one */
} keys[N_KEYS] = {
	[ON] =		{ "on",		ph_rule_fits_on,	PH_ON_ALL,	0 },
	[IS] =		{ "is",		ph_rule_fits_is,	PH_ON_TEXTS,	BIT(HAS) | BIT(MATCH) },
	[HAS] =		{ "has",	ph_rule_fits_has,	PH_ON_TEXTS,	BIT(MATCH) },
	[MATCH] =	{ "match",	ph_rule_fits_match,	PH_ON_TEXTS,	0 },
	[PAYLOAD] =	{ "payload",	ph_rule_fits_payload,	PH_ON_PAYLOADS,	0 },
	[REF] =		{ "ref",	ph_rule_fits_ref,	PH_ON_ALL & ~PH_ON_LINKING, 0 },
	[TYPE] =	{ "type",	ph_rule_fits_type,	PH_ON_ATTACHMENT, 0 },
	[PAGE] =	{ "page",	ph_rule_fits_page,	PH_ON_ALL,	0 },
	[WHEN] =	{ "when",	ph_rule_fits_when,	PH_ON_ALL,	0 },
	[FIRST] =	{ "first",	ph_rule_fits_first,	PH_ON_ALL,	0 },
	[SAY] =		{ "say",	ph_rule_says_say,	0,		0 },
	[MESSAGE] =	{ "message",	ph_rule_says_message,	0,		0 },
	[IMAGE] =	{ "image",	ph_rule_says_media,	0,		0 },
	[VIDEO] =	{ "video",	ph_rule_says_media,	0,		0 },
	[AUDIO] =	{ "audio",	ph_rule_says_media,	0,		0 },
	[FILE_] =	{ "file",	ph_rule_says_media,	0,		0 },
	[QUICK] =	{ "quick",	ph_rule_offers_quick,	0,		0 },
	[BUTTONS] =	{ "buttons",	ph_rule_offers_buttons,	0,		0 },
	[TYPING] =	{ "typing",	ph_rule_does_typing,	0,		0 },
	[SEEN] =	{ "seen",	ph_rule_does_seen,	0,		0 },
	[EXEC] =	{ "exec",	ph_rule_does_exec,	0,		SPOKEN | BIT(COPROC) },
	[COPROC] =	{ "coproc",	ph_rule_does_coproc,	0,		SPOKEN },
	[TIMEOUT] =	{ "timeout",	ph_rule_does_timeout,	0,		0 },
	[PAUSE] =	{ "pause",	ph_rule_does_pause,	0,		0 },
	[HANDOVER] =	{ "handover",	ph_rule_does_handover,	0,		0 },
	[IGNORE] =	{ "ignore",	ph_rule_does_ignore,	0,		SPOKEN | HANDLERS |
			    BIT(TYPING) | BIT(SEEN) | BIT(TIMEOUT) | BIT(HANDOVER) },
	[SET] =		{ "set",	refuse,			0,		0 },
	[TOPIC] =	{ "topic",	refuse,			0,		0 },
	[GOTO] =	{ "goto",	refuse,			0,		0 },
	[FORWARD] =	{ "forward",	refuse,			0,		0 },
};

struct entry {
	struct ph_reading	 reading;
	struct ph_raw_member	 members[N_KEYS];
	unsigned		 given;		/* bit k: key k stands there */
	bool			 unknown;	/* keys that are none: what seems to be missing */
};

static void
read_key(struct entry *e, size_t key)
{
	e->reading.file->key = keys[key].name;
	keys[key].read(&e->reading, e->members[key].value);
}

/* Narrows what events are left; a condition that leaves none would make a rule that never fits. */
static void
narrow(struct entry *e, size_t key)
{
	struct ph_reading	*r = &e->reading;

	if ((r->possible & keys[key].on) != 0)
		r->possible &= keys[key].on;
	else if (r->rule->on != 0 && (r->rule->on & keys[key].on) == 0)
		ph_strict_flaw(r->file, e->members[key].at, "%s: never holds with this \"on\"",
		    keys[key].name);
	else
		ph_strict_flaw(r->file, e->members[key].at,
		    "%s: never holds with the conditions beside it", keys[key].name);
}

static bool
has(const struct entry *e, unsigned some)	/* of these bits */
{
	return (e->given & some) != 0;
}

static void
check_company(struct entry *e)
{
	const struct ph_raw_member	*m = e->members;
	struct ph_strict		*f = e->reading.file;
	size_t				 key, other;

	for (key = 0; key < N_KEYS; key++)
		for (other = 0; other < N_KEYS; other++)
			if (has(e, BIT(key)) && has(e, keys[key].bars & BIT(other)))
				ph_strict_flaw(f, m[other].at, "%s: cannot stand beside %s",
				    keys[other].name, keys[key].name);
	if (has(e, BIT(TIMEOUT)) && !has(e, HANDLERS))
		ph_strict_flaw(f, m[TIMEOUT].at, "timeout: only beside exec or coproc");
	if (has(e, HANDLERS | BIT(IGNORE)))
		return;
	if (has(e, BIT(QUICK)) && !has(e, MESSAGES))
		ph_strict_flaw(f, m[QUICK].at, "quick: needs a message beside it");
	if (has(e, BIT(QUICK)) && e->reading.own_quick)
		ph_strict_flaw(f, m[QUICK].at, "quick: the message has quick_replies of its own");
	if (has(e, BIT(BUTTONS)) && !has(e, BIT(SAY)))
		ph_strict_flaw(f, m[BUTTONS].at, "buttons: need say beside them");
}

static void
check_whole(struct entry *e, const char *at)
{
	struct ph_strict	*f = e->reading.file;

	if (!has(e, BIT(ON)) && !e->unknown)
		ph_strict_flaw(f, at, "on is missing: text, postback, attachment, any ...");
	if (!has(e, NEEDED | RESERVED) && !e->unknown)
		ph_strict_flaw(f, at, "nothing is done: one of say, message, image, video, audio, "
		    "file, exec, coproc, pause, handover, ignore is needed");
	check_company(e);
}

void
ph_entry_read(struct ph_strict *f, struct ph_slice entry, struct ph_rule *rule)
{
	struct entry	 e = { .reading = { .file = f, .rule = rule, .possible = PH_ON_ALL } };
	size_t		 order[N_KEYS], i, n, errors = f->flaws->n_errors;

	for (i = 0; i < N_KEYS; i++)
		e.members[i].name = keys[i].name;
	if (entry.at[0] != '{') {
		ph_strict_flaw(f, entry.at, "expected an entry in {}");
		return;
	}
	n = ph_raw_members(f, entry, "an entry", e.members, N_KEYS, order);
	e.unknown = f->flaws->n_errors > errors;
	for (i = 0; i < n; i++)
		e.given |= BIT(order[i]);
	for (i = 0; i <= FIRST; i++)		/* conditions: they say which fields there are */
		if (e.members[i].at != NULL) {
			read_key(&e, i);
			narrow(&e, i);
		}
	for (i = 0; i < n; i++)			/* actions: in the order in which they stand */
		if (order[i] > FIRST)
			read_key(&e, order[i]);
	rule->buttons_on = e.reading.last_say > 0 ? e.reading.last_say - 1 : 0;
	check_whole(&e, entry.at);
}
