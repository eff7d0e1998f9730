/*
 * think -- what to say to an event.
 * Knows event, view, say, replies and their rules.  Does not know the store, Graph, handlers or the clock.
 * Called by delivery for each new event that may be answered, by waiting for those that were put off,
 * and by the command that tries them.
 * Lives in memory alone.
 * SPDX-License-Identifier: ISC
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bounds.h"
#include "rule.h"
#include "say.h"
#include "think.h"
#include "view.h"

#define COUNT_OF(array)	(sizeof(array) / sizeof((array)[0]))
#define MAX_WORK	3000000		/* steps of all patterns for one text: some 60 ms */
#define MAX_ARGV_LEN	(128 * 1024)	/* bytes of all words: what any system takes */

struct turn {				/* an event's, borrowed from it */
	struct ph_view		 view;
	const struct ph_facts	*facts;
	const struct ph_rule	*rule;		/* the one that fits */
	const struct ph_match	*match;		/* what the text matched; NULL: it asks for none */
	size_t			 work;		/* that patterns have cost */
};

/* Whether a rule fits: what costs least is asked first, and patterns last. */

static bool
is_among(const struct ph_rule_words *words, struct ph_slice s)
{
	const struct ph_rule_word	*w;
	size_t				 i;

	for (i = 0; s.at != NULL && i < words->n; i++) {
		w = &words->all[i];
		if ((w->prefix ? s.len >= w->len : s.len == w->len) &&
		    memcmp(s.at, w->text, w->len) == 0)
			return true;
	}
	return words->n == 0;
}

static bool
has_type(const struct ph_rule *rule, const struct turn *t)
{
	size_t	 i, n = ph_json_count(ph_json_get(t->view.event->object, "attachments"));

	if (rule->type.n == 0)
		return true;
	for (i = 0; i == 0 || i < n; i++)
		if (is_among(&rule->type, ph_view_type(&t->view, i)))
			return true;
	return false;
}

static bool
is_open(const struct ph_rule *rule, int64_t at)
{
	size_t	 i;

	for (i = 0; i < rule->n_hours; i++)
		if (ph_hours_hold(&rule->hours[i], at))
			return true;
	return rule->n_hours == 0;
}

static bool
may_fit(const struct ph_rule *rule, const struct turn *t)
{
	const struct ph_view	*v = &t->view;

	return (rule->on & v->bit) != 0 && (!rule->first || t->facts->first) &&
	    (rule->n_matches == 0 || v->text.at != NULL) && is_among(&rule->page, v->event->page) &&
	    is_among(&rule->payload, v->payload) && is_among(&rule->ref, v->ref) &&
	    has_type(rule, t) && is_open(rule, t->facts->at);
}

static void
note_limit(const struct ph_rule *rule, struct ph_thought *out)
{
	if (out->limit[0] == '\0')
		snprintf(out->limit, sizeof(out->limit), "%s", rule->place);
}

/*
 * PH_NONE: it does not fit.  A pattern that would cost too much does not, nor do those behind it once
 * all have cost too much together: a stranger's text must not stop everybody's bot.
 */
static enum ph_error
try(const struct ph_rule *rule, struct turn *t, struct ph_thought *out)
{
	enum ph_error	 err = PH_NONE;
	size_t		 i;

	if (!may_fit(rule, t))
		return PH_NONE;
	for (i = 0; i < rule->n_matches && err == PH_NONE; i++) {
		err = t->work > MAX_WORK ? PH_TOOBIG :
		    ph_match_test(rule->matches[i], t->view.text, NULL);
		t->work += ph_match_work(rule->matches[i]);
		if (err == PH_OK)
			t->match = rule->matches[i];
		if (err == PH_TOOBIG) {
			note_limit(rule, out);
			err = PH_NONE;
		}
	}
	return rule->n_matches == 0 ? PH_OK : err;
}

static enum ph_error
choose(const struct ph_replies *replies, struct turn *t, struct ph_thought *out,
    struct ph_fail *fail)
{
	enum ph_error	 err;
	size_t		 i;

	for (i = 0; i < replies->n; i++) {
		err = try(&replies->rules[i], t, out);
		if (err == PH_NONE)
			continue;
		if (err != PH_OK)
			return ph_error_set(fail, err, "%s: the text could not be matched",
			    replies->rules[i].place);
		t->rule = &replies->rules[i];
		return PH_OK;
	}
	return PH_OK;
}

/* What fields become. */

static struct ph_slice
person_name(const struct ph_person *person, const char *name)
{
	if (person == NULL)
		return (struct ph_slice){ NULL, 0 };
	return strcmp(name, "user.first_name") == 0 ? person->first_name : person->last_name;
}

static struct ph_slice
value(void *arg, const char *name)
{
	const struct turn	*t = arg;
	const struct { const char *name; struct ph_slice value; } fields[] = {
		{ "text", t->view.text },
		{ "payload", t->view.payload },
		{ "type", ph_view_type(&t->view, 0) },
		{ "psid", t->view.event->conversation },
		{ "page", t->view.event->page },
		{ "mid", t->view.event->mid },
		{ "time", { t->view.time, strlen(t->view.time) } },
	};
	size_t			 i;

	for (i = 0; i < COUNT_OF(fields); i++)
		if (strcmp(fields[i].name, name) == 0)
			return fields[i].value;
	if (strncmp(name, "user.", 5) == 0)
		return person_name(t->facts->person, name);
	if (t->match == NULL)
		return (struct ph_slice){ NULL, 0 };
	return ph_match_capture(t->match, name);
}

static void
format_captures(const struct turn *t, struct ph_buffer *out)
{
	const char	*group;
	struct ph_slice	 captured;
	size_t		 i;
	bool		 some = false;

	ph_buffer_adds(out, "{");
	for (i = 1; t->match != NULL && (group = ph_match_group(t->match, i)) != NULL; i++) {
		captured = ph_match_capture(t->match, group);
		if (captured.at == NULL)
			continue;
		ph_buffer_addf(out, "%s\"%s\":\"", some ? "," : "", group);
		ph_buffer_add_json(out, captured);
		ph_buffer_adds(out, "\"");
		some = true;
	}
	ph_buffer_adds(out, "}");
}

/* What a handler gets. */

static void
add_text(struct ph_buffer *out, const char *key, struct ph_slice text)
{
	ph_buffer_addf(out, ",\"%s\":", key);
	if (text.at == NULL) {
		ph_buffer_adds(out, "null");
		return;
	}
	ph_buffer_adds(out, "\"");
	ph_buffer_add_json(out, text);
	ph_buffer_adds(out, "\"");
}

/* In JSON a newline can only stand between values. */
static void
add_on_one_line(struct ph_buffer *out, struct ph_slice json)
{
	size_t	 i = out->len;

	ph_buffer_add(out, json.at, json.len);
	for (; i < out->len; i++)
		if (out->data[i] == '\n' || out->data[i] == '\r')
			out->data[i] = ' ';
}

static void
format_line(const struct turn *t, const struct ph_buffer *captures, struct ph_buffer *out)
{
	ph_buffer_addf(out, "{\"id\":\"e%" PRId64 "\",\"attempt\":%" PRId64, t->facts->id,
	    t->facts->attempt);
	add_text(out, "on", (struct ph_slice){ t->view.on, strlen(t->view.on) });
	add_text(out, "page", t->view.event->page);
	add_text(out, "psid", t->view.event->conversation);
	add_text(out, "time", (struct ph_slice){ t->view.time, strlen(t->view.time) });
	add_text(out, "text", t->view.text);
	add_text(out, "payload", t->view.payload);
	ph_buffer_adds(out, ",\"captures\":");
	ph_buffer_add(out, captures->data, captures->len);
	ph_buffer_adds(out, ",\"event\":");
	add_on_one_line(out, t->view.event->raw);
	ph_buffer_adds(out, "}\n");
}

static enum ph_error
fill_argv(struct turn *t, struct ph_thought *out, struct ph_fail *fail)
{
	const struct ph_rule	*rule = t->rule;
	struct ph_buffer	 word = PH_BUFFER_INIT;
	enum ph_error		 err = PH_OK;
	size_t			 i, len = 0;

	if ((out->argv = calloc(rule->n_argv + 1, sizeof(out->argv[0]))) == NULL)
		return ph_error_set(fail, PH_NOMEM, "out of memory for a handler's words");
	for (i = 0; i < rule->n_argv && err == PH_OK; i++) {
		ph_buffer_reset(&word);
		ph_template_fill(rule->argv[i], value, t, &word);
		len += word.len + 1;
		if ((err = ph_buffer_check(&word, fail)) != PH_OK)
			continue;
		if (len > MAX_ARGV_LEN)
			err = ph_error_set(fail, PH_MALFORMED,
			    "%s: the words for the handler are longer than 128 KiB", rule->place);
		else if ((out->argv[i] = strdup(PH_SLICE(&word).at)) == NULL)
			err = ph_error_set(fail, PH_NOMEM, "out of memory for a handler's words");
	}
	ph_buffer_clear(&word);
	return err;
}

/* What filling may have brought beyond a limit. */
static enum ph_error
check_messages(const struct ph_rule *rule, const struct ph_buffer *messages, struct ph_fail *fail)
{
	struct ph_fail	 why = PH_FAIL_INIT;
	const char	*line = messages->data, *end;
	enum ph_error	 err;

	for (; line != NULL && *line != '\0'; line = end + 1) {
		end = strchr(line, '\n');
		err = ph_bounds_check((struct ph_slice){ line, (size_t)(end - line) }, NULL, NULL,
		    &why);
		if (err != PH_OK)
			return ph_error_set(fail, err, "%s: %s", rule->place, why.text);
	}
	return PH_OK;
}

static enum ph_error
answer(struct turn *t, struct ph_thought *out, struct ph_fail *fail)
{
	const struct ph_rule	*rule = t->rule;
	enum ph_error		 err = PH_OK;

	out->rule = rule->place;
	out->on = t->view.on;
	out->seen = rule->seen;
	out->typing = rule->typing;
	out->pause_ms = rule->pause_ms;
	out->handover = rule->handover;
	out->handover_to = rule->handover_to;
	format_captures(t, &out->captures);
	ph_say(rule, value, t, &out->messages);
	if (rule->n_argv > 0) {
		out->coproc = rule->coproc;
		out->timeout_ms = rule->timeout_ms;
		format_line(t, &out->captures, &out->line);
		err = fill_argv(t, out, fail);
	}
	if (err == PH_OK && (err = ph_buffer_check(&out->captures, fail)) == PH_OK &&
	    (err = ph_buffer_check(&out->messages, fail)) == PH_OK)
		err = ph_buffer_check(&out->line, fail);
	if (err == PH_OK && rule->check_again)
		err = check_messages(rule, &out->messages, fail);
	return err;
}

static void
free_argv(struct ph_thought *th)
{
	size_t	 i;

	for (i = 0; th->argv != NULL && th->argv[i] != NULL; i++)
		free(th->argv[i]);
	free(th->argv);
}

/* As INIT, but the buffers keep their memory for the next event. */
static void
forget(struct ph_thought *th)
{
	struct ph_thought	 fresh = { .messages = th->messages, .line = th->line,
	    .captures = th->captures };

	free_argv(th);
	ph_buffer_reset(&fresh.messages);
	ph_buffer_reset(&fresh.line);
	ph_buffer_reset(&fresh.captures);
	*th = fresh;
}

enum ph_error
ph_think(const struct ph_replies *replies, const struct ph_event *ev,
    const struct ph_facts *facts, struct ph_thought *out, struct ph_fail *fail)
{
	struct turn	 t = { .facts = facts };
	enum ph_error	 err;

	forget(out);
	if (!ev->answerable || !ph_view_read(&t.view, ev, facts->at))
		return PH_OK;
	if ((err = choose(replies, &t, out, fail)) != PH_OK || t.rule == NULL)
		return err;
	if (t.rule->wants_person && facts->person == NULL) {
		forget(out);
		out->wants_person = true;
		return PH_OK;
	}
	return answer(&t, out, fail);
}

void
ph_thought_clear(struct ph_thought *th)
{
	free_argv(th);
	ph_buffer_clear(&th->messages);
	ph_buffer_clear(&th->line);
	ph_buffer_clear(&th->captures);
	*th = (struct ph_thought)PH_THOUGHT_INIT;
}
