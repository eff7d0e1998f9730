/*
 * try -- what the bot would say to somebody, here in the terminal: rules and handlers for real, Graph not.
 * Knows pages, think, handler, answer.  Does not know the store or Graph.
 * Called by chat and by "replies test".
 * Lives for one command; coprocs live as long.
 * SPDX-License-Identifier: ISC
 */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "answer.h"
#include "try.h"

#define PSID	"7001"			/* whoever tries it */

enum ph_error
try_open(struct try *t, const struct ph_conf *conf, struct ph_fail *fail)
{
	const struct sigaction	 ignore = { .sa_handler = SIG_IGN };

	*t = (struct try){ .conf = conf };
	(void)sigaction(SIGPIPE, &ignore, NULL);
	if (ph_handlers_open(&t->handlers, fail) != PH_OK)
		return fail->err;
	return ph_pages_load(conf, &t->pages, fail);
}

void
try_close(struct try *t)
{
	if (t->handlers != NULL)
		ph_handlers_close(t->handlers);
	ph_thought_clear(&t->thought);
	ph_buffer_clear(&t->messages);
	ph_pages_free(t->pages);
}

/* The event as Meta would send it. */

static void
add_string(struct ph_buffer *b, const char *before, const char *text, const char *after)
{
	ph_buffer_adds(b, before);
	ph_buffer_add_json(b, (struct ph_slice){ text, strlen(text) });
	ph_buffer_adds(b, after);
}

static void
format_event(const struct try_said *said, const char *page, int64_t n, struct ph_buffer *b)
{
	add_string(b, "{\"sender\":{\"id\":\"" PSID "\"},\"recipient\":{\"id\":\"", page, "\"}");
	ph_buffer_addf(b, ",\"timestamp\":%" PRId64, said->at);
	if (said->postback != NULL) {
		ph_buffer_addf(b, ",\"postback\":{\"mid\":\"m_%" PRId64 "\"", n);
		add_string(b, ",\"payload\":\"", said->postback, "\"}}");
		return;
	}
	ph_buffer_addf(b, ",\"message\":{\"mid\":\"m_%" PRId64 "\"", n);
	if (said->attachment != NULL) {
		add_string(b, ",\"attachments\":[{\"type\":\"", said->attachment,
		    "\",\"payload\":{\"url\":\"https://example.org/attachment\"}}]}}");
		return;
	}
	add_string(b, ",\"text\":\"", said->text != NULL ? said->text : said->quick, "\"");
	if (said->quick != NULL)
		add_string(b, ",\"quick_reply\":{\"payload\":\"", said->quick, "\"}");
	ph_buffer_adds(b, "}}");
}

/* A handler, asked and waited for. */

static enum ph_error
take_answer(struct try *t, const struct ph_handler_answer *answer, struct ph_fail *fail)
{
	if (answer->end != PH_HANDLER_ANSWERED)
		snprintf(t->why, sizeof(t->why), "%s", answer->why);
	else if (answer->coproc)
		return ph_answer_read_reply(answer->reply, &t->messages, fail);
	else
		return ph_answer_read_output(answer->reply, &t->messages, fail);
	return PH_OK;
}

static enum ph_error
wait_for_answer(struct try *t, struct ph_fail *fail)
{
	struct ph_handler_answer	 answer;
	struct pollfd			 fds[PH_HANDLER_WATCHED];
	nfds_t				 n;

	for (;;) {
		ph_handlers_perform(t->handlers);
		if (ph_handlers_next(t->handlers, &answer))
			return take_answer(t, &answer, fail);
		n = ph_handlers_watch(t->handlers, fds, PH_HANDLER_WATCHED);
		(void)poll(fds, n, ph_handlers_patience(t->handlers));
	}
}

static enum ph_error
ask_handler(struct try *t, const struct ph_rules *rules, const char *page, struct ph_fail *fail)
{
	const struct ph_handler_ask	 ask = { .event = t->n_said, .attempt = 1,
		.coproc = t->thought.coproc, .argv = t->thought.argv, .dir = rules->dir,
		.timeout_ms = t->thought.timeout_ms, .line = PH_SLICE(&t->thought.line),
		.on = t->thought.on, .page = { page, strlen(page) }, .psid = { PSID, sizeof(PSID) - 1 } };

	if (ph_handlers_reserve(t->handlers, &ask, fail) != PH_OK) {
		if (fail->err != PH_BUSY)
			return fail->err;
		snprintf(t->why, sizeof(t->why), "%s", fail->text);
		*fail = (struct ph_fail)PH_FAIL_INIT;
		return PH_OK;
	}
	t->ran = true;
	ph_handlers_launch(t->handlers);
	return wait_for_answer(t, fail);
}

static enum ph_error
think(struct try *t, const struct try_said *said, const char *page, struct ph_slice event, bool run,
    struct ph_fail *fail)
{
	static const struct ph_person	 nobody = { { NULL, 0 }, { NULL, 0 } };
	const struct ph_event_source	 source = { .channel = PH_MESSAGING, .event = event };
	const struct ph_rules		*rules = ph_pages_rules(t->pages,
					    (struct ph_slice){ page, strlen(page) });
	struct ph_facts			 facts = { .id = ++t->n_said, .attempt = 1, .at = said->at,
		.first = said->first, .person = &nobody };
	struct ph_event			 ev;
	enum ph_error			 err;

	if (rules->replies == NULL)
		return ph_error_set(fail, PH_CONFIG, "%s cannot be used: pagehook replies check", rules->path);
	if (ph_event_read(&source, &ev, fail) != PH_OK)
		return fail->err;
	err = ph_think(rules->replies, &ev, &facts, &t->thought, fail);
	if (t->thought.limit[0] != '\0')
		fprintf(stderr, "%s: its pattern costs more than is allowed: no match\n", t->thought.limit);
	if (err == PH_OK) {
		ph_buffer_add(&t->messages, PH_SLICE(&t->thought.messages).at, t->thought.messages.len);
		if (run && t->thought.argv != NULL)
			err = ask_handler(t, rules, page, fail);
	}
	ph_event_clear(&ev);
	return err;
}

enum ph_error
try_say(struct try *t, const struct try_said *said, bool run, struct ph_fail *fail)
{
	const char		*page = said->page;
	struct ph_buffer	 event = PH_BUFFER_INIT;
	enum ph_error		 err;

	if (page == NULL)
		page = t->pages->n > 0 ? t->pages->all[0].id_text : "9001";
	t->ran = false;
	t->why[0] = '\0';
	ph_buffer_reset(&t->messages);
	(void)ph_pages_reload(t->pages);
	format_event(said, page, t->n_said + 1, &event);
	if ((err = ph_buffer_check(&event, fail)) == PH_OK)
		err = think(t, said, page, PH_SLICE(&event), run, fail);
	ph_buffer_clear(&event);
	return err == PH_OK ? ph_buffer_check(&t->messages, fail) : err;
}

/* For people. */

bool
try_next_line(struct ph_slice *lines, struct ph_slice *line)
{
	const char	*nl = lines->len > 0 ? memchr(lines->at, '\n', lines->len) : NULL;

	if (nl == NULL)
		return false;
	*line = (struct ph_slice){ lines->at, (size_t)(nl - lines->at) };
	*lines = (struct ph_slice){ nl + 1, lines->len - line->len - 1 };
	return true;
}

static void
print_text(const char *before, const struct ph_json *v, const char *after)
{
	struct ph_slice	 text = ph_json_text(v);

	if (text.len > 0)
		printf("%s%.*s%s", before, (int)text.len, text.at, after);
}

/* The titles of quick replies or buttons. */
static void
print_titles(const struct ph_json *list)
{
	size_t	 i;

	for (i = 0; list != NULL && i < ph_json_count(list); i++) {
		const struct ph_json	*one = ph_json_at(list, i), *title = ph_json_get(one, "title");

		print_text("  [", title != NULL ? title : ph_json_get(one, "content_type"), "]");
	}
}

static void
print_attachment(const struct ph_json *attachment)
{
	const struct ph_json	*payload = ph_json_get(attachment, "payload");
	const struct ph_json	*elements = ph_json_get(payload, "elements");
	size_t			 i;

	print_text("(", ph_json_get(attachment, "type"), ") ");
	print_text("", ph_json_get(payload, "url"), "");
	print_text("", ph_json_get(payload, "text"), "");
	print_titles(ph_json_get(payload, "buttons"));
	for (i = 0; elements != NULL && i < ph_json_count(elements); i++) {
		print_text(i > 0 ? " | " : "", ph_json_get(ph_json_at(elements, i), "title"), "");
		print_titles(ph_json_get(ph_json_at(elements, i), "buttons"));
	}
}

void
try_print_message(struct ph_slice message)
{
	const struct ph_json	*attachment;
	struct ph_json		*tree;

	if (ph_json_parse(message, &tree, NULL) != PH_OK)
		return;
	print_text("", ph_json_get(tree, "text"), "");
	if ((attachment = ph_json_get(tree, "attachment")) != NULL)
		print_attachment(attachment);
	print_titles(ph_json_get(tree, "quick_replies"));
	ph_json_free(tree);
}

void
try_print_json(const char *text)
{
	struct ph_buffer	 b = PH_BUFFER_INIT;

	if (text != NULL)
		ph_buffer_add_json(&b, (struct ph_slice){ text, strlen(text) });
	if (text != NULL)
		printf("\"%s\"", PH_SLICE(&b).at);
	else
		printf("null");
	ph_buffer_clear(&b);
}
