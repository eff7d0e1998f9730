/*
 * test_same_events -- the same events, however Meta writes them, have the same keys; others do not.
 * Knows intake, event, key, utf8.  Does not know the store that remembers keys.
 * Called by make check; SEED=n repeats what a failure has printed.
 * Lives in static memory.
 *
 * A retry has another batch around it, another entry time, other URLs; and of members' order,
 * escapes, white space and the types of ids and times nothing is promised.  So events are patterns,
 * written plainly once, then in other ways.  A pattern is JSON with ' for ", and these marks:
 *	$	digits that are the event's own: part of its key
 *	*	digits that are new each time it is written
 *	@ &	a time in any spelling: the event's, part of its key; another each time
 *	#	an id of the digits and marks that follow, text or integer
 *	!	a flag that is set, in any spelling
 *	^	the page
 *	~	a hyphen or an underscore
 * So a pattern says what tells two events apart: change one $, the @ or the page: another event.
 * SPDX-License-Identifier: ISC
 */
#include <inttypes.h>
#include <stdlib.h>
#include <time.h>

#include "intake.h"
#include "key.h"
#include "unit.h"
#include "utf8.h"

#define C_T	"'sender':{'id':#7$},'recipient':{'id':#^},'timestamp':@"
#define C	"'sender':{'id':#7$},'recipient':{'id':#^},'timestamp':&"
#define NO_C	"'sender':{'id':#7*},'recipient':{'id':#^},'timestamp':&"
#define FILES	"'attachments':[{'type':'image','payload':{'url':'https://cdn.example/*?a=*'}}]"
#define TEXT	"\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80 / \\ \" \n\x01 | 100 % $"

#define MAX_EVENTS	16
#define BODIES		400
#define WAYS		6	/* in which each body is written again */

static const struct pattern {
	enum ph_channel	 channel;	/* PH_MESSAGING: on standby too */
	const char	*json;
} patterns[] = {
	{ PH_MESSAGING, "{" NO_C ",'message':{'mid':'m_$','text':'hello *','new':{'a':[1,2,*]}}}" },
	{ PH_MESSAGING, "{" C_T ",'message':{'text':'" TEXT "'}}" },
	{ PH_MESSAGING, "{" NO_C ",'message':{'mid':#$,'text':'by number'}}" },
	{ PH_MESSAGING, "{" NO_C ",'message':{'mid':'m_$','text':'Red','quick_reply':{'payload':'*'}}}" },
	{ PH_MESSAGING, "{" C_T ",'message':{'text':'Red $','quick_reply':{'payload':'*'}}}" },
	{ PH_MESSAGING, "{" NO_C ",'message':{'mid':'m_$'," FILES "}}" },
	{ PH_MESSAGING, "{" C_T ",'message':{" FILES "}}" },
	{ PH_MESSAGING, "{" NO_C ",'message':{'mid':'m_$','sticker_id':#7*," FILES "}}" },
	{ PH_MESSAGING, "{" C_T ",'message':{'attachments':[{'type':'sticker'}]}}" },
	{ PH_MESSAGING, "{'sender':{'id':#^},'recipient':{'id':#7*},'timestamp':&,"
	    "'message':{'mid':'m_$','is_echo':!,'app_id':#5*,'metadata':'*','text':'hi'}}" },
	{ PH_MESSAGING, "{'sender':{'id':#^},'recipient':{'id':#7$},'timestamp':@,"
	    "'message':{'is_echo':!,'app_id':#5*,'text':'hi $'}}" },
	{ PH_MESSAGING, "{" NO_C ",'message':{'mid':'m_$','is_deleted':!}}" },
	{ PH_MESSAGING, "{" NO_C ",'message':{'mid':'m_$','is_unsupported':!}}" },
	{ PH_MESSAGING, "{" NO_C ",'message_edit':{'mid':'m_$','text':'*','num_edit':#$}}" },
	{ PH_MESSAGING, "{" NO_C ",'postback':{'mid':'m_$','title':'*','payload':'*'}}" },
	{ PH_MESSAGING, "{" C_T ",'postback':{'title':'*','payload':'P $'}}" },
	{ PH_MESSAGING, "{'sender':{'user_ref':'u-$'},'recipient':{'id':#^},'timestamp':@,"
	    "'postback':{'payload':'Q $'}}" },
	{ PH_MESSAGING, "{" C_T ",'referral':{'ref':'R$','source':'*'}}" },
	{ PH_MESSAGING, "{" C_T ",'optin':{'ref':'R$'}}" },
	{ PH_MESSAGING, "{'recipient':{'id':#^},'timestamp':@,'optin':{'ref':'*','user_ref':'u-$'}}" },
	{ PH_MESSAGING, "{" C_T ",'optin':{'one_time_notif_token':'o$','ref':'*'}}" },
	{ PH_MESSAGING, "{" C_T ",'optin':{'type':'notification_messages','payload':'*',"
	    "'notification_messages_token':'n$','token_expiry_timestamp':&}}" },
	{ PH_MESSAGING, "{" C_T ",'optout':{'a':*}}" },
	{ PH_MESSAGING, "{" C_T ",'account_linking':{'status':'s$','authorization_code':'*'}}" },
	{ PH_MESSAGING, "{" C_T ",'order':{'products':[{'id':#*}]}}" },
	{ PH_MESSAGING, "{" C ",'delivery':{'watermark':#$,'mids':['m_$',#$]}}" },
	{ PH_MESSAGING, "{" NO_C ",'read':{'mid':'m_$','watermark':#*}}" },
	{ PH_MESSAGING, "{" C ",'read':{'watermark':#$}}" },
	{ PH_MESSAGING, "{" C_T ",'reaction':{'mid':'m_$','action':'a$','reaction':'r$','emoji':'*'}}" },
	{ PH_MESSAGING, "{" C_T ",'reaction':{'mid':'m_$','action':'a$','emoji':'\xe2\x9d\xa4$'}}" },
	{ PH_MESSAGING, "{" C_T ",'pass_thread_control':{'previous_owner_app_id':#$,"
	    "'new_owner_app_id':#$,'metadata':'*'}}" },
	{ PH_MESSAGING, "{" C_T ",'take_thread_control':{'previous_owner_app_id':null,"
	    "'new_owner_app_id':#$}}" },
	{ PH_MESSAGING, "{" C_T ",'request_thread_control':{'requested_owner_app_id':#$}}" },
	{ PH_MESSAGING, "{'recipient':{'id':#^},'timestamp':@,"
	    "'app_roles':{'50$':['a'],'52$':['b','c'],'51$':[]}}" },
	{ PH_MESSAGING, "{'recipient':{'id':#^},'timestamp':@,"
	    "'policy~enforcement':{'action':'a$','reason':'*'}}" },
	{ PH_MESSAGING, "{" C_T ",'messaging_feedback':{'feedback_screens':[{'screen_id':*}]}}" },
	{ PH_MESSAGING, "{" C_T ",'response_feedback':{'feedback':'f$','mid':'m_$'}}" },
	{ PH_MESSAGING, "{" C_T ",'messaging_in_thread_lead_form_submit':{'a':*}}" },
	{ PH_MESSAGING, "{" C_T ",'messaging_customer_information':{'a':*}}" },
	{ PH_MESSAGING, "{" C_T ",'message_request':'accept'}" },
	{ PH_MESSAGING, "{" C_T ",'payment':{'amount':*}}" },
	{ PH_MESSAGING, "{" C_T ",'checkout_update':{'amount':*}}" },
	{ PH_MESSAGING, "{" C_T ",'pre_checkout':{'amount':*}}" },
	{ PH_MESSAGING, "{" C_T ",'game_play':{'score':*}}" },
	{ PH_MESSAGING, "{" C_T ",'branded_camera':{'a':*}}" },
	{ PH_MESSAGING, "{" C_T "}" },
	{ PH_MESSAGING, "{" C_T ",'new_$':{'a':*},'also_$':[*],'b':'*'}" },
	{ PH_CHANGES, "{'field':'f$','value':{'item':'i$','verb':'v$','comment_id':'1_$','post_id':'*',"
	    "'from':{'id':#$,'name':'*'},'created_time':#$}}" },
	{ PH_CHANGES, "{'value':{'leadgen_id':#$,'id':#*,'created_time':#$},'field':'leadgen'}" },
	{ PH_CHANGES, "{'field':'g$','value':'*'}" },
};

static const char *const	 pages[] = { "9001", "18000000000000000001", "a|b", "9002" };

struct happening {		/* an event, before anybody has written it down */
	const struct pattern	*pattern;
	enum ph_channel		 channel;
	size_t			 page;
	uint64_t		 number;
	int64_t			 time;
	unsigned		 changed;	/* the place that is another's: 1, 2 ..; 0: none */
};

static uint64_t		 seed, dice;
static bool		 plain;		/* nothing is left to the dice */
static unsigned		 place;		/* the last one passed, of the happening being written */
static struct ph_buffer	 body, other;	/* the body in hand, and the plain one it is compared with */

/* Dice: splitmix64, so that a seed means the same everywhere. */

static uint64_t
roll(void)
{
	uint64_t	 z = (dice += UINT64_C(0x9e3779b97f4a7c15));

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

static size_t
below(size_t n)
{
	return (size_t)(roll() % n);
}

/* One chance in n; never when written plainly. */
static bool
by_chance(size_t n)
{
	return !plain && below(n) == 0;
}

/* Letters. */

static void
write_blank(struct ph_buffer *out)
{
	static const char *const	 blanks[] = { " ", "\n", "\t", "\r\n", "    " };

	if (by_chance(12))
		ph_buffer_adds(out, blanks[below(COUNT_OF(blanks))]);
}

static uint32_t
code_of(const char *at, size_t n)
{
	uint32_t	 code = (unsigned char)at[0];
	size_t		 i;

	if (n > 1)
		code &= 0x7fU >> n;
	for (i = 1; i < n; i++)
		code = code << 6 | ((unsigned char)at[i] & 0x3f);
	return code;
}

static void
write_escape(struct ph_buffer *out, uint32_t code)
{
	if (code >= 0x10000) {
		write_escape(out, 0xd800 + ((code - 0x10000) >> 10));
		code = 0xdc00 + ((code - 0x10000) & 0x3ff);
	}
	if (below(2) == 0)
		ph_buffer_addf(out, "\\u%04x", code);
	else
		ph_buffer_addf(out, "\\u%04X", code);
}

static void
write_quoted(struct ph_buffer *out, struct ph_slice text)
{
	size_t	 i, n;

	ph_buffer_adds(out, "\"");
	for (i = 0; i < text.len; i += n) {
		n = ph_utf8_len(text.at + i, text.len - i);
		assert_true(n > 0);
		if (by_chance(text.at[i] > ' ' && n == 1 && text.at[i] != '/' ? 20 : 2))
			write_escape(out, code_of(text.at + i, n));
		else if (text.at[i] == '/' && by_chance(2))
			ph_buffer_adds(out, "\\/");
		else
			ph_buffer_add_json(out, (struct ph_slice){ text.at + i, n });
	}
	ph_buffer_adds(out, "\"");
}

/* The next place that tells this event from others: whether it is the one that is another's. */
static bool
pass_place(const struct happening *h)
{
	return ++place == h->changed;
}

static const char *
page_of(const struct happening *h)
{
	return pages[h->changed == 1 ? (h->page + 1) % COUNT_OF(pages) : h->page];
}

/* The bytes of a pattern up to one of `ends`, marks replaced. */
static void
expand(const struct happening *h, const char **at, const char *ends, struct ph_buffer *out)
{
	for (; strchr(ends, **at) == NULL; ++*at)
		switch (**at) {
		case '$':
			ph_buffer_addf(out, "%" PRIu64, h->number + pass_place(h));
			break;
		case '*':
			ph_buffer_addf(out, "%" PRIu64, 1 + roll() % 1000000);
			break;
		case '^':
			ph_buffer_adds(out, page_of(h));
			break;
		case '~':
			ph_buffer_adds(out, by_chance(2) ? "-" : "_");
			break;
		default:
			ph_buffer_add(out, *at, 1);
		}
}

/* Values. */

static void
write_id(struct ph_slice id, struct ph_buffer *out)
{
	if (id.len == strspn(id.at, "0123456789") && by_chance(2))
		ph_buffer_add(out, id.at, id.len);
	else
		write_quoted(out, id);
}

static void
write_time(int64_t time, struct ph_buffer *out)
{
	static const char *const	 zones[] = { "Z", "+0000", "+00:00", ".000Z" };
	const time_t			 s = time / 1000;
	const bool			 whole = time % 1000 == 0;
	char				 date[40];
	struct tm			 tm;

	switch (plain ? 0 : below(whole ? 7 : 3)) {
	case 0:
		ph_buffer_addf(out, "%" PRId64, time);
		break;
	case 1:
		ph_buffer_addf(out, "\"%" PRId64 "\"", time);
		break;
	case 2:
		ph_buffer_addf(out, "%" PRId64 ".0", time);
		break;
	case 3:
		ph_buffer_addf(out, "%" PRId64, time / 1000);
		break;
	case 4:
		ph_buffer_addf(out, "\"%" PRId64 "\"", time / 1000);
		break;
	default:
		assert_non_null(gmtime_r(&s, &tm));
		assert_true(strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &tm) > 0);
		ph_buffer_addf(out, "\"%s%s\"", date, zones[below(COUNT_OF(zones))]);
	}
}

static int64_t
any_time(void)
{
	return INT64_C(1767225600000) + (int64_t)below(1000000000);
}

static void
write_flag(struct ph_buffer *out)
{
	static const char *const	 flags[] = { "true", "1", "\"true\"", "\"1\"", "1.0", "{}" };

	ph_buffer_adds(out, flags[plain ? 0 : below(COUNT_OF(flags))]);
}

struct items {			/* of an object or an array, each written already */
	struct ph_buffer	 all[2 * MAX_EVENTS + 2], stale;
	size_t			 n;
};

static struct ph_buffer *
new_item(struct items *items)
{
	assert_true(items->n < COUNT_OF(items->all));
	return &items->all[items->n++];
}

/* A member with this key; perhaps it stood there before with another value: the last one wins. */
static struct ph_buffer *
new_member(struct items *items, struct ph_slice key)
{
	struct ph_buffer	*item = new_item(items);

	if (by_chance(24)) {
		write_quoted(&items->stale, key);
		ph_buffer_adds(&items->stale, ":{\"stale\":[17]},");
	}
	write_quoted(item, key);
	write_blank(item);
	ph_buffer_adds(item, ":");
	return item;
}

static void
shuffle(struct items *items)
{
	size_t			 i, j;
	struct ph_buffer	 held;

	for (i = items->n; !plain && i > 1; i--) {
		j = below(i);
		held = items->all[i - 1];
		items->all[i - 1] = items->all[j];
		items->all[j] = held;
	}
}

/* Writes brackets and what is between them, and gives the items' memory back. */
static void
write_items(struct items *items, const char *brackets, struct ph_buffer *out)
{
	size_t	 i;

	ph_buffer_add(out, brackets, 1);
	ph_buffer_add(out, items->stale.data, items->stale.len);
	for (i = 0; i < items->n; i++) {
		write_blank(out);
		ph_buffer_adds(out, i > 0 ? "," : "");
		write_blank(out);
		ph_buffer_add(out, items->all[i].data, items->all[i].len);
		ph_buffer_clear(&items->all[i]);
	}
	write_blank(out);
	ph_buffer_add(out, brackets + 1, 1);
	ph_buffer_clear(&items->stale);
}

static void	write_value(const struct happening *, const char **, struct ph_buffer *);

static void
write_object(const struct happening *h, const char **at, struct ph_buffer *out)
{
	struct items		 items = { .n = 0 };
	struct ph_buffer	 key = PH_BUFFER_INIT, *item;

	for (++*at; **at != '}'; *at += **at == ',') {
		++*at;					/* the quote */
		ph_buffer_reset(&key);
		expand(h, at, "'", &key);
		*at += 2;				/* a quote and the colon */
		item = new_member(&items, PH_SLICE(&key));
		write_blank(item);
		write_value(h, at, item);
	}
	++*at;
	ph_buffer_clear(&key);
	if (by_chance(8))
		ph_buffer_adds(new_member(&items, slice("nothing")), "null");
	shuffle(&items);
	write_items(&items, "{}", out);
}

static void
write_array(const struct happening *h, const char **at, struct ph_buffer *out)
{
	struct items	 items = { .n = 0 };

	for (++*at; **at != ']'; *at += **at == ',')
		write_value(h, at, new_item(&items));
	++*at;
	write_items(&items, "[]", out);
}

static void
write_value(const struct happening *h, const char **at, struct ph_buffer *out)
{
	struct ph_buffer	 text = PH_BUFFER_INIT;
	const char		 c = **at;

	if (c == '{')
		write_object(h, at, out);
	else if (c == '[')
		write_array(h, at, out);
	else if (c == '@' || c == '&' || c == '!') {
		++*at;
		if (c == '!')
			write_flag(out);
		else
			write_time(c == '&' ? any_time() : h->time + 60000 * pass_place(h), out);
	} else {
		*at += c == '\'' || c == '#';
		expand(h, at, c == '\'' ? "'" : ",}]", &text);
		*at += c == '\'';
		if (c == '\'')
			write_quoted(out, PH_SLICE(&text));
		else if (c == '#')
			write_id(PH_SLICE(&text), out);
		else
			ph_buffer_add(out, text.data, text.len);
	}
	ph_buffer_clear(&text);
}

/* The page is the first place; of a change, whose time is its entry's, that is the second. */
static void
write_event(const struct happening *h, struct ph_buffer *out)
{
	const char	*at = h->pattern->json;

	place = h->channel == PH_CHANGES ? 2 : 1;
	write_value(h, &at, out);
	assert_int_equal(*at, '\0');
}

/* Batches. */

struct entry {
	const struct happening	*all[2 * MAX_EVENTS];
	size_t			 n;
	int64_t			 time;		/* 0: no change is in it, so it may be any */
};

static int64_t
time_needed(const struct happening *h)
{
	return h->channel == PH_CHANGES ? h->time + 60000 * (h->changed == 2) : 0;
}

static bool
fits(const struct entry *e, const struct happening *h)
{
	return strcmp(page_of(e->all[0]), page_of(h)) == 0 && (e->time == 0 || time_needed(h) == 0 ||
	    e->time == time_needed(h));
}

/* Whether the page can be known without the entry's id. */
static bool
needs_no_id(const struct entry *e)
{
	size_t	 i;

	for (i = 0; i < e->n; i++)
		if (strchr(e->all[i]->pattern->json, '^') == NULL)
			return false;
	return true;
}

static void
write_channel(const struct entry *e, enum ph_channel channel, struct items *members)
{
	static const char *const	 names[] = { "messaging", "standby", "changes" };
	struct items			 events = { .n = 0 };
	struct ph_buffer		*item;
	size_t				 i;

	for (i = 0; i < e->n; i++)
		if (e->all[i]->channel == channel)
			write_event(e->all[i], new_item(&events));
	if (events.n == 0) {
		if (by_chance(6))
			ph_buffer_adds(new_member(members, slice(names[channel])),
			    below(2) == 0 ? "null" : "[]");
		return;
	}
	item = new_member(members, slice(names[channel]));
	if (events.n == 1 && by_chance(4)) {	/* alone, where an array belongs */
		ph_buffer_add(item, events.all[0].data, events.all[0].len);
		ph_buffer_clear(&events.all[0]);
		return;
	}
	write_items(&events, "[]", item);
}

static void
write_entry(const struct entry *e, struct ph_buffer *out)
{
	struct items	 members = { .n = 0 };
	int		 channel;

	if (!needs_no_id(e) || !by_chance(4))
		write_id(slice(page_of(e->all[0])), new_member(&members, slice("id")));
	if (e->time != 0)
		write_time(e->time, new_member(&members, slice("time")));
	else if (!by_chance(4))
		write_time(any_time(), new_member(&members, slice("time")));
	for (channel = PH_MESSAGING; channel <= PH_CHANGES; channel++)
		write_channel(e, (enum ph_channel)channel, &members);
	shuffle(&members);
	write_items(&members, "{}", out);
}

/* Puts each event into an entry that it fits, or into one of its own. */
static size_t
batch(const struct happening *const *all, size_t n, struct entry *entries)
{
	size_t	 i, e, n_entries = 0;

	for (i = 0; i < n; i++) {
		for (e = 0; e < n_entries && (!fits(&entries[e], all[i]) || !by_chance(2)); e++)
			continue;
		if (e == n_entries)
			entries[n_entries++] = (struct entry){ .n = 0 };
		entries[e].all[entries[e].n++] = all[i];
		if (entries[e].time == 0)
			entries[e].time = time_needed(all[i]);
	}
	return n_entries;
}

/* The body in hand: all n events in some order, a few of them twice. */
static void
write_body(const struct happening *events, size_t n)
{
	static struct entry	 entries[2 * MAX_EVENTS];
	const struct happening	*all[2 * MAX_EVENTS], *held;
	struct items		 members = { .n = 0 }, list = { .n = 0 };
	size_t			 i, j, n_all = 0, n_entries;

	for (i = 0; i < n; i++) {
		all[n_all++] = &events[i];
		if (by_chance(8))
			all[n_all++] = &events[i];
	}
	for (i = n_all; !plain && i > 1; i--) {
		j = below(i);
		held = all[i - 1];
		all[i - 1] = all[j];
		all[j] = held;
	}
	n_entries = batch(all, n_all, entries);
	for (i = 0; i < n_entries; i++)
		write_entry(&entries[i], new_item(&list));
	write_quoted(new_member(&members, slice("object")), slice("page"));
	write_items(&list, "[]", new_member(&members, slice("entry")));
	shuffle(&members);
	ph_buffer_reset(&body);
	write_items(&members, "{}", &body);
	assert_false(body.failed);
}

/* Keys. */

struct keys {			/* sorted, each once */
	char	*all[2 * MAX_EVENTS];
	size_t	 n;
};

static int
by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void
forget_keys(struct keys *keys)
{
	while (keys->n > 0)
		free(keys->all[--keys->n]);
}

static void
show_bodies(void)
{
	fprintf(stderr, "SEED=%" PRIu64 "\nthis body:  %s\n", seed, body.data);
	if (other.len > 0)
		fprintf(stderr, "plain body: %s\n", other.data);
}

/* The set of keys of the body in hand. */
static void
read_keys(struct keys *keys)
{
	struct ph_intake	 in = PH_INTAKE_INIT;
	struct ph_fail		 fail = PH_FAIL_INIT;
	struct ph_buffer	 key = PH_BUFFER_INIT;
	struct ph_event		 ev;
	size_t			 i, n = 0;

	if (ph_intake_read(PH_SLICE(&body), "page", &in, &fail) != PH_OK)
		show_bodies();
	assert_int_equal(fail.err, PH_OK);
	assert_in_range(in.events.n, 1, COUNT_OF(keys->all));
	for (keys->n = 0; keys->n < in.events.n; keys->n++) {
		must(ph_event_read(&in.events.all[keys->n], &ev, &fail), &fail);
		ph_buffer_reset(&key);
		ph_key_format(&ev, &key);
		assert_non_null(keys->all[keys->n] = strdup(key.data));
		ph_event_clear(&ev);
	}
	qsort(keys->all, keys->n, sizeof(keys->all[0]), by_text);
	for (i = 0; i < keys->n; i++)
		if (n > 0 && strcmp(keys->all[n - 1], keys->all[i]) == 0)
			free(keys->all[i]);
		else
			keys->all[n++] = keys->all[i];
	keys->n = n;
	ph_buffer_clear(&key);
	ph_intake_clear(&in);
}

static void
check_same(const struct keys *now, const struct keys *then)
{
	size_t	 i;

	for (i = 0; i < now->n && i < then->n && strcmp(now->all[i], then->all[i]) == 0; i++)
		continue;
	if (i == now->n && i == then->n)
		return;
	show_bodies();
	fail_msg("SEED=%" PRIu64 ": written in another way, key %s has become %s", seed,
	    i < then->n ? then->all[i] : "(none)", i < now->n ? now->all[i] : "(none)");
}

/* The key of one event, written in the way that `plain` says. */
static char *
key_of(const struct happening *h)
{
	struct keys	 keys;

	ph_buffer_reset(&other);
	write_body(h, 1);
	read_keys(&keys);
	if (keys.n != 1)
		show_bodies();
	assert_int_equal(keys.n, 1);
	return keys.all[0];
}

/* The tests. */

static const uint64_t	 first_number = UINT64_C(9007199254740993);	/* no double holds it */

static struct happening
happening_of(const struct pattern *pattern, bool overheard, uint64_t i)
{
	return (struct happening){
		.pattern = pattern,
		.channel = overheard && pattern->channel == PH_MESSAGING ? PH_STANDBY : pattern->channel,
		.page = (size_t)(i % COUNT_OF(pages)),
		.number = first_number + 2 * i,			/* the next is for who is changed */
		.time = INT64_C(1767225600000) + 1000 * (int64_t)(i / 4) + (i % 16 < 4 ? 250 : 0),
	};
}

TEST(a_body_written_in_another_way_has_the_same_keys)
{
	struct happening	 events[MAX_EVENTS];
	struct keys		 then, now;
	size_t			 i, n, way;
	uint64_t		 number = 0, round;

	for (round = 0; round < BODIES; round++) {
		n = 1 + below(MAX_EVENTS);
		for (i = 0; i < n; i++)
			events[i] = happening_of(&patterns[below(COUNT_OF(patterns))], below(4) == 0, number++);
		plain = true;
		write_body(events, n);
		ph_buffer_reset(&other);
		ph_buffer_add(&other, body.data, body.len);
		read_keys(&then);
		if (then.n != n)
			show_bodies();
		assert_int_equal(then.n, n);		/* different events, different keys */
		plain = false;
		for (way = 0; way < WAYS; way++) {
			write_body(events, n);
			read_keys(&now);
			check_same(&now, &then);
			forget_keys(&now);
		}
		forget_keys(&then);
	}
}

/* One place after the other of one event, on each channel: what 2.3 calls a part tells it apart. */
TEST(an_event_with_one_part_changed_has_another_key)
{
	struct happening	 h, twin;
	unsigned		 places;
	char			*key, *twins;
	size_t			 i;

	plain = true;
	for (i = 0; i < 2 * COUNT_OF(patterns); i++) {
		h = happening_of(&patterns[i / 2], i % 2 > 0, i);
		key = key_of(&h);
		places = place;
		assert_true(places >= 2);
		for (twin = h, twin.changed = 1; twin.changed <= places; twin.changed++) {
			twins = key_of(&twin);
			if (strcmp(key, twins) == 0)
				fail_msg("place %u of %s makes no difference: %s", twin.changed,
				    h.pattern->json, key);
			free(twins);
		}
		free(key);
	}
}

/* One person, one moment, one number everywhere, and yet as many events as there are kinds. */
TEST(no_kind_passes_for_another)
{
	char	*keys[2 * COUNT_OF(patterns)];
	size_t	 i, n = 0;

	plain = true;
	for (i = 0; i < 2 * COUNT_OF(patterns); i++) {
		struct happening	 h = happening_of(&patterns[i / 2], i % 2 > 0, 1);

		if (i % 2 == 0 || h.channel == PH_STANDBY)
			keys[n++] = key_of(&h);
	}
	qsort(keys, n, sizeof(keys[0]), by_text);
	for (i = 1; i < n; i++)
		if (strcmp(keys[i - 1], keys[i]) == 0)
			fail_msg("two events are called %s", keys[i]);
	for (i = 0; i < n; i++)
		free(keys[i]);
}

/* A stranger writes what stands in a part: it must not look like two, nor like none. */
TEST(no_part_reaches_into_the_next)
{
	static const struct pattern	 pairs[][2] = {
		{ { PH_MESSAGING, "{" C_T ",'reaction':{'action':'a|b','reaction':'c'}}" },
		  { PH_MESSAGING, "{" C_T ",'reaction':{'action':'a','reaction':'b|c'}}" } },
		{ { PH_MESSAGING, "{" C_T ",'reaction':{'mid':'m|7','action':'a'}}" },
		  { PH_MESSAGING, "{" C_T ",'reaction':{'mid':'m%7C7','action':'a'}}" } },
		{ { PH_MESSAGING, "{'timestamp':@,'postback':{'payload':'P'}}" },
		  { PH_MESSAGING, "{'timestamp':@,'postback':{'mid':'||1767225600250|P'}}" } },
		{ { PH_CHANGES, "{'field':'f','value':{'item':'i|v','verb':'x'}}" },
		  { PH_CHANGES, "{'field':'f','value':{'item':'i','verb':'v|x'}}" } },
		{ { PH_MESSAGING, "{" C_T ",'referral':{'ref':'a\nb'}}" },
		  { PH_MESSAGING, "{" C_T ",'referral':{'ref':'a%0Ab'}}" } },
	};
	size_t				 i;

	plain = true;
	for (i = 0; i < COUNT_OF(pairs); i++) {
		struct happening	 one = happening_of(&pairs[i][0], false, 0);
		struct happening	 two = happening_of(&pairs[i][1], false, 0);
		char			*key = key_of(&one), *another = key_of(&two);

		assert_string_not_equal(key, another);
		free(key);
		free(another);
	}
}

static int
begin(void **state)
{
	const char	*asked = getenv("SEED");

	(void)state;
	dice = seed = asked != NULL ? strtoull(asked, NULL, 10) : 20261122;
	return 0;
}

static int
forget(void **state)
{
	(void)state;
	ph_buffer_clear(&body);
	ph_buffer_clear(&other);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		cmocka_unit_test_setup(a_body_written_in_another_way_has_the_same_keys, begin),
		cmocka_unit_test_setup(an_event_with_one_part_changed_has_another_key, begin),
		cmocka_unit_test_setup(no_kind_passes_for_another, begin),
		cmocka_unit_test_setup(no_part_reaches_into_the_next, begin),
	};

	return cmocka_run_group_tests_name("same events", tests, NULL, forget);
}
