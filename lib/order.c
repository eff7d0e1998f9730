/*
 * order -- what an operator asks of the helper: JSON in, JSON out.
 * Knows scan, json, ledger, pages, message, waiting, survey, status.  Does not know sockets or the
 * command line.
 * Called by turn, inside its transaction, since there is one writer.
 * Lives for one order.
 * SPDX-License-Identifier: ISC
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "clock.h"
#include "bounds.h"
#include "log.h"
#include "message.h"
#include "order.h"
#include "scan.h"
#include "survey.h"

struct order {
	const struct ph_order_with	*with;
	int64_t			 now;
	struct ph_json		*tree;
	struct ph_slice		 message;	/* raw */
	struct ph_buffer	*answer;
};

static void
add_text(struct ph_buffer *b, const char *before, const char *text)
{
	ph_buffer_adds(b, before);
	ph_buffer_add_json(b, (struct ph_slice){ text, strlen(text) });
	ph_buffer_adds(b, "\"");
}

static enum ph_error
refuse(struct ph_buffer *answer, int status, const char *what)
{
	ph_buffer_reset(answer);
	ph_buffer_addf(answer, "{\"error\":{\"exit\":%d", status);
	add_text(answer, ",\"what\":\"", what);
	ph_buffer_adds(answer, "}}");
	return PH_OK;
}

void
ph_order_refuse(struct ph_buffer *answer, const char *why)
{
	(void)refuse(answer, EX_TEMPFAIL, why);
}

/* Why Meta would not have it now; NULL: it would. */
static const char *
outside_window(const struct ph_store_conv *conv, const char *kind, int64_t now)
{
	const bool	 agent = strcmp(kind, PH_MESSAGE_HUMAN_AGENT) == 0;

	if (conv->turn_at == 0)
		return "this person has not written to this Page: Meta takes nothing that is not an answer";
	if (now - conv->turn_at <= (agent ? PH_MESSAGE_AGENT_WINDOW_MS : PH_MESSAGE_WINDOW_MS))
		return NULL;
	return agent ? "the person's last words are older than 7 days: Meta takes no more, whoever writes" :
	    "the person's last words are older than 24 h: only --tag HUMAN_AGENT, of a person, may go";
}

static enum ph_error
owe(struct order *o, const struct ph_page *page, struct ph_slice psid, const char *kind,
    struct ph_fail *fail)
{
	struct ph_store_conv	 conv = { .id = 0 };
	const char		*why;
	enum ph_error		 err;
	int64_t			 id;

	err = ph_ledger_find(o->with->ledger, page->id, psid, false, &conv, fail);
	if (err != PH_OK && err != PH_NONE)
		return err;
	if ((why = outside_window(&conv, kind, o->now)) != NULL)
		return refuse(o->answer, EX_DATAERR, why);
	if (ph_ledger_send(o->with->ledger, conv.id, kind, o->now, o->message, &id, fail) != PH_OK)
		return fail->err;
	ph_buffer_addf(o->answer, "{\"reply\":\"r%" PRId64 "\"}", id);
	return PH_OK;
}

static const char *
kind_of(struct ph_slice name)
{
	static const char *const	 kinds[] = { "", PH_MESSAGE_UPDATE, PH_MESSAGE_HUMAN_AGENT };
	size_t				 i;

	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (ph_slice_is(name, kinds[i]))
			return kinds[i];
	return NULL;
}

static enum ph_error
send_message(struct order *o, struct ph_fail *fail)
{
	struct ph_slice		 psid = ph_json_text(ph_json_get(o->tree, "psid"));
	struct ph_slice		 page_id = ph_json_text(ph_json_get(o->tree, "page"));
	const char		*kind = kind_of(ph_json_text(ph_json_get(o->tree, "kind")));
	const struct ph_page	*page;
	struct ph_fail		 odd = PH_FAIL_INIT;

	if (page_id.at != NULL)
		page = ph_pages_find(o->with->pages, page_id);
	else
		page = o->with->pages->n == 1 ? &o->with->pages->all[0] : NULL;
	if (page == NULL)
		return refuse(o->answer, EX_NOINPUT, page_id.at == NULL && o->with->pages->n > 1 ?
		    "several Pages: say which, --page ID" : "no access token for that Page");
	if (psid.len == 0 || kind == NULL || o->message.at == NULL)
		return refuse(o->answer, EX_USAGE, "psid, kind and message are needed");
	if (ph_bounds_check(o->message, NULL, NULL, &odd) != PH_OK)
		return refuse(o->answer, EX_DATAERR, odd.text);
	return owe(o, page, psid, kind, fail);
}

/* The number of an id like r4901 or e4900; 0: it is none of that letter. */
static int64_t
number_of(struct ph_slice name, char letter)
{
	char	 digits[20];

	if (name.len < 2 || name.len > sizeof(digits) || name.at[0] != letter)
		return 0;
	snprintf(digits, sizeof(digits), "%.*s", (int)name.len - 1, name.at + 1);
	return digits[strspn(digits, "0123456789")] == '\0' ? strtoll(digits, NULL, 10) : 0;
}

static enum ph_error
tell(struct order *o, struct ph_fail *fail)
{
	struct ph_slice		 name = ph_json_text(ph_json_get(o->tree, "reply"));
	struct ph_store_told	 told;
	int64_t			 id = number_of(name, 'r');
	enum ph_error		 err = ph_ledger_tell(o->with->ledger, id, &told, fail);

	if (err == PH_NONE)
		return refuse(o->answer, EX_NOINPUT, "no such reply");
	if (err != PH_OK)
		return err;
	ph_buffer_addf(o->answer, "{\"reply\":\"r%" PRId64 "\"", id);
	add_text(o->answer, ",\"state\":\"", told.state);
	add_text(o->answer, ",\"mid\":\"", told.mid);
	ph_buffer_addf(o->answer, ",\"code\":%" PRId64, told.code);
	add_text(o->answer, ",\"why\":\"", told.why);
	ph_buffer_adds(o->answer, "}");
	return PH_OK;
}

/* Steering: a word on each of some replies and events. */

static const char *const	 words[] = {
	[PH_STORE_RETRY] = "retry", [PH_STORE_DROP] = "drop", [PH_STORE_HOLD] = "hold",
	[PH_STORE_RELEASE] = "release",
};

/* Whether the order would do it, were it not that the reply may have been sent. */
static bool
is_unsure(const struct ph_store_steer *s, const struct ph_store_told *told)
{
	const char	*state = told->state;

	if (s->unsure || s->order == PH_STORE_HOLD)
		return false;
	if (s->order == PH_STORE_DROP)
		return strcmp(state, "unsure") == 0;
	return told->doubt && (strcmp(state, "held") == 0 ||
	    (s->order == PH_STORE_RETRY && (strcmp(state, "dead") == 0 || strcmp(state, "unsure") == 0)));
}

/* Why one was not in a state for it; *unsure: it may be meant all the same. */
static enum ph_error
find_reason(struct order *o, const struct ph_store_steer *s, bool reply, char *why, size_t size,
    bool *unsure, struct ph_fail *fail)
{
	struct ph_store_told	 told = { .state = "" };
	enum ph_error		 err = reply ? ph_ledger_tell(o->with->ledger, s->id, &told, fail) :
				    ph_ledger_tell_event(o->with->ledger, s->id, &told, fail);

	*unsure = err == PH_OK && is_unsure(s, &told);
	if (err == PH_NONE)
		snprintf(why, size, "there is none");
	else if (!reply && s->order != PH_STORE_RETRY && s->order != PH_STORE_DROP)
		snprintf(why, size, "an event: only replies are held and released");
	else if (*unsure)
		snprintf(why, size, "unsure: it may have been sent");
	else if (told.nobodys && strcmp(told.state, "dead") == 0)
		snprintf(why, size, "it was never read, or is nobody's: there is nothing to answer");
	else
		snprintf(why, size, "it is %s", told.state);
	return err == PH_NONE ? PH_OK : err;
}

static void
add_name(struct ph_buffer *b, const char *before, struct ph_slice name)
{
	ph_buffer_adds(b, b->len > 0 ? "," : "");
	ph_buffer_adds(b, before);
	ph_buffer_add_json(b, name);
	ph_buffer_adds(b, "\"");
}

static void
say_steered(struct order *o, const struct ph_store_steer *s, char letter)
{
	struct ph_buffer	 fields = PH_BUFFER_INIT;

	ph_log_id(&fields, "id", letter, s->id);
	ph_log_text(&fields, "order", words[s->order]);
	ph_log_add(&o->with->news->said, PH_INFO, "admin", &fields);
	ph_buffer_clear(&fields);
}

static enum ph_error
steer_one(struct order *o, struct ph_store_steer *s, struct ph_slice name, struct ph_buffer *done,
    struct ph_buffer *refused, struct ph_fail *fail)
{
	const bool	 reply = name.len > 0 && name.at[0] == 'r';
	char		 why[80] = "not an id of a reply or event, like r4901 or e4900";
	bool		 unsure = false;
	enum ph_error	 err = PH_NONE;

	if ((s->id = number_of(name, reply ? 'r' : 'e')) != 0) {
		err = reply ? ph_ledger_steer(o->with->ledger, s, fail) :
		    ph_ledger_steer_event(o->with->ledger, s, fail);
		if (err == PH_NONE && find_reason(o, s, reply, why, sizeof(why), &unsure, fail) != PH_OK)
			return fail->err;
	}
	if (err == PH_OK) {
		add_name(done, "\"", name);
		say_steered(o, s, reply ? 'r' : 'e');
		if (!reply)
			ph_waiting_look_at_new(o->with->waiting);
		return PH_OK;
	}
	if (err != PH_NONE)
		return err;
	add_name(refused, "{\"id\":\"", name);
	add_text(refused, ",\"why\":\"", why);
	ph_buffer_adds(refused, unsure ? ",\"unsure\":true}" : "}");
	return PH_OK;
}

static enum ph_error
steer(struct order *o, enum ph_store_order which, struct ph_fail *fail)
{
	const struct ph_json	*ids = ph_json_get(o->tree, "ids");
	struct ph_store_steer	 s = { .order = which, .now = o->now,
		.unsure = ph_json_flag(ph_json_get(o->tree, "unsure")) };
	struct ph_buffer	 done = PH_BUFFER_INIT, refused = PH_BUFFER_INIT;
	enum ph_error		 err = PH_OK;
	size_t			 i, n = ids != NULL ? ph_json_count(ids) : 0;

	if (n > PH_ORDER_IDS)
		return refuse(o->answer, EX_USAGE, "too many ids in one order");
	for (i = 0; i < n && err == PH_OK; i++)
		err = steer_one(o, &s, ph_json_text(ph_json_at(ids, i)), &done, &refused, fail);
	ph_buffer_addf(o->answer, "{\"done\":[%s],\"refused\":[%s]}", PH_SLICE(&done).at,
	    PH_SLICE(&refused).at);
	o->answer->failed |= done.failed || refused.failed;
	ph_buffer_clear(&done);
	ph_buffer_clear(&refused);
	return err;
}

static enum ph_error
forget(struct order *o, struct ph_fail *fail)
{
	struct ph_slice		 psid = ph_json_text(ph_json_get(o->tree, "psid"));
	struct ph_slice		 page = ph_json_text(ph_json_get(o->tree, "page"));
	struct ph_store_erasure	 step = { .after = 0 };

	if (psid.len == 0 || !ph_json_integer(ph_json_get(o->tree, "after"), &step.after))
		return refuse(o->answer, EX_USAGE, "psid and after are needed");
	if (ph_ledger_forget(o->with->ledger, page, psid, &step, fail) != PH_OK)
		return fail->err;
	if (step.in_flight)
		return refuse(o->answer, EX_TEMPFAIL, "a reply to this person is on its way, or a handler "
		    "thinks about one: try again in a moment");
	ph_buffer_addf(o->answer, "{\"events\":%" PRId64 ",\"replies\":%" PRId64 ",\"copies\":%" PRId64
	    ",\"after\":%" PRId64 ",\"more\":%s}", step.n_events, step.n_replies, step.n_copies, step.after,
	    step.more ? "true" : "false");
	return PH_OK;
}

static enum ph_error
retry(struct order *o, struct ph_fail *fail)
{
	return steer(o, PH_STORE_RETRY, fail);
}

static enum ph_error
drop(struct order *o, struct ph_fail *fail)
{
	return steer(o, PH_STORE_DROP, fail);
}

static enum ph_error
hold(struct order *o, struct ph_fail *fail)
{
	return steer(o, PH_STORE_HOLD, fail);
}

static enum ph_error
release(struct order *o, struct ph_fail *fail)
{
	return steer(o, PH_STORE_RELEASE, fail);
}

/* The raw bytes of "message": they are kept as they came. */
static void
find_message(struct order *o, struct ph_slice order)
{
	struct ph_scan	 scan;
	struct ph_slice	 key, value;

	ph_scan_begin(&scan, order);
	if (!ph_scan_enter(&scan, '{'))
		return;
	while (ph_scan_member(&scan, &key)) {
		ph_scan_skip(&scan, &value);
		if (scan.err == PH_OK && ph_scan_key_is(key, "message"))
			o->message = value;
	}
}

enum ph_error
ph_order_take(const struct ph_order_with *with, struct ph_slice order, int64_t now,
    struct ph_buffer *answer, struct ph_fail *fail)
{
	static const struct { const char *name; enum ph_error (*run)(struct order *, struct ph_fail *); }
			 orders[] = { { "send", send_message }, { "tell", tell }, { "retry", retry },
			    { "drop", drop }, { "hold", hold }, { "release", release },
			    { "forget", forget } };
	struct order	 o = { .with = with, .now = now, .answer = answer };
	enum ph_error	 err = refuse(answer, EX_USAGE, "no such order");
	struct ph_slice	 what;
	size_t		 i;

	find_message(&o, order);
	if (ph_json_parse(order, &o.tree, NULL) != PH_OK)
		return refuse(answer, EX_DATAERR, "an order is a JSON object");
	what = ph_json_text(ph_json_get(o.tree, "do"));
	for (i = 0; i < sizeof(orders) / sizeof(orders[0]); i++)
		if (ph_slice_is(what, orders[i].name)) {
			ph_buffer_reset(answer);
			err = orders[i].run(&o, fail);
		}
	ph_json_free(o.tree);
	return err == PH_OK ? ph_buffer_check(answer, fail) : err;
}

bool
ph_order_show(const struct ph_pages *pages, const struct ph_status_live *live, struct ph_slice order,
    struct ph_buffer *answer)
{
	struct ph_buffer	 lines = PH_BUFFER_INIT;
	struct ph_status	 status;
	struct ph_json		*tree = NULL;
	bool			 ours = ph_json_parse(order, &tree, NULL) == PH_OK &&
				    ph_slice_is(ph_json_text(ph_json_get(tree, "do")), "status");

	if (ours) {
		ph_buffer_reset(answer);
		ph_survey(".", pages, &status);
		status.live = *live;
		if (ph_slice_is(ph_json_text(ph_json_get(tree, "as")), "json"))
			ph_status_format_json(&status, answer);
		else {
			ph_status_format_lines(&status, &lines);
			add_text(answer, "{\"lines\":\"", PH_SLICE(&lines).at);
			ph_buffer_adds(answer, "}");
		}
	}
	ph_buffer_clear(&lines);
	ph_json_free(tree);
	return ours;
}
