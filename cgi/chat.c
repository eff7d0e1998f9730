/*
 * chat -- "pagehook chat": the bot in the terminal.
 * Knows try.  Does not know the store or Graph: nothing is sent.
 * Called by pagehook.c.
 * Lives until end of file.
 * SPDX-License-Identifier: ISC
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "clock.h"
#include "try.h"

static void
print_json(const char *line, const struct try *t)
{
	struct ph_slice	 rest = PH_SLICE(&t->messages), message;
	const char	*comma = "";

	printf("{\"v\":1,\"you\":");
	try_print_json(line);
	printf(",\"rule\":");
	try_print_json(t->thought.rule);
	printf(",\"messages\":[");
	for (; try_next_line(&rest, &message); comma = ",")
		printf("%s%.*s", comma, (int)message.len, message.at);
	printf("]}\n");
}

static void
print_answer(const struct try *t)
{
	struct ph_slice	 rest = PH_SLICE(&t->messages), message;
	const char	*rule = t->thought.rule != NULL ? t->thought.rule : "no reply fits";

	while (try_next_line(&rest, &message)) {
		printf("bot> ");
		try_print_message(message);
		printf("%s%s\n", rule[0] != '\0' ? "    " : "", rule);
		rule = "";
	}
	if (t->why[0] != '\0')
		printf("     (no answer: %s)    %s\n", t->why, rule);
	else if (t->messages.len == 0)
		printf("     (says nothing)    %s\n", rule);
	if (t->thought.handover)
		printf("     (the thread is passed on; silent until it comes back)\n");
	else if (t->thought.pause_ms != 0)
		printf("     (silent for %lld min)\n", (long long)(t->thought.pause_ms / PH_MINUTE_MS));
}

/* What the line means: /image, /postback X, /quick X, or a text.  False: it is not understood. */
static bool
read_line(char *line, struct try_said *said)
{
	static const char *const	 attachments[] = { "image", "video", "audio", "file", "location",
					    "sticker" };
	char				*word = strchr(line, ' ');
	size_t				 i;

	if (line[0] != '/') {
		said->text = line;
		return true;
	}
	if (word != NULL && strncmp(line, "/postback ", 10) == 0)
		said->postback = word + 1;
	else if (word != NULL && strncmp(line, "/quick ", 7) == 0)
		said->quick = word + 1;
	for (i = 0; i < sizeof(attachments) / sizeof(attachments[0]); i++)
		if (strcmp(line + 1, attachments[i]) == 0)
			said->attachment = attachments[i];
	return said->postback != NULL || said->quick != NULL || said->attachment != NULL;
}

static enum ph_error
answer(struct try *t, const struct call *call, char *line, struct ph_fail *fail)
{
	struct try_said	 said = { .page = option(call, "page"), .at = ph_clock_now(),
		.first = t->n_said == 0 };
	enum ph_error	 err;

	if (!read_line(line, &said)) {
		fprintf(stderr, "/postback PAYLOAD, /quick PAYLOAD, /image /video /audio /file /location "
		    "/sticker, or a text\n");
		return PH_OK;
	}
	err = try_say(t, &said, true, fail);
	if (err == PH_MALFORMED || err == PH_CONFIG) {	/* the file can be mended while we talk */
		fprintf(stderr, "%s\n", fail->text);
		*fail = (struct ph_fail)PH_FAIL_INIT;
		return PH_OK;
	}
	if (err == PH_OK && option(call, "json") != NULL)
		print_json(line, t);
	else if (err == PH_OK)
		print_answer(t);
	return err;
}

static void
talk(struct try *t, const struct call *call, struct ph_fail *fail)
{
	const bool	 tty = isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
	char		*line = NULL;
	size_t		 size = 0;

	do {
		if (tty)
			printf("you> ");
		(void)fflush(stdout);
		if (getline(&line, &size, stdin) <= 0)
			break;
		line[strcspn(line, "\r\n")] = '\0';
	} while (line[0] == '\0' || answer(t, call, line, fail) == PH_OK);
	free(line);
}

int
chat_run(const struct call *call)
{
	struct try	 t;
	struct ph_fail	 fail = PH_FAIL_INIT;

	if (call->argc > 0)
		return usage("chat reads from the terminal; what is ", call->argv[0]);
	if (try_open(&t, call->conf, &fail) == PH_OK)
		talk(&t, call, &fail);
	try_close(&t);
	return complain(&fail);
}
