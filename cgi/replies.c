/*
 * replies -- "pagehook replies check" and "replies test": is the file right, and which reply fits.
 * Knows pages, try.  Does not know the store or Graph.
 * Called by pagehook.c.
 * Lives for one command.
 * SPDX-License-Identifier: ISC
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "try.h"

/* check */

/* The line of the file, and a caret under the place: a tab stays a tab, so that both line up. */
static void
print_caret(struct ph_slice text, const struct ph_flaw *flaw)
{
	const char	*at = text.at, *end = text.at + text.len, *stop;
	size_t		 i;

	for (i = 1; i < flaw->line && at < end; i++)
		at = (stop = memchr(at, '\n', (size_t)(end - at))) != NULL ? stop + 1 : end;
	if ((stop = memchr(at, '\n', (size_t)(end - at))) == NULL)
		stop = end;
	if (stop - at > 200)
		return;				/* a file on one line: nobody would see the caret */
	printf("    %.*s\n    ", (int)(stop - at), at);
	for (i = 1; i < flaw->column && at < stop; at++)
		if (((unsigned char)*at & 0xc0) != 0x80) {	/* a character's first byte */
			putchar(*at == '\t' ? '\t' : ' ');
			i++;
		}
	printf("^\n");
}

static void
print_flaws(const char *path, const struct ph_flaws *flaws, bool warnings)
{
	size_t	 i, n = 0;

	for (i = 0; i < flaws->n; i++) {
		char	 where[600];

		if (flaws->all[i].warning != warnings)
			continue;
		snprintf(where, sizeof(where), "%s:%zu:%zu", path, flaws->all[i].line, flaws->all[i].column);
		printf("%s{\"where\":", n++ > 0 ? "," : "");
		try_print_json(where);
		printf(",\"what\":");
		try_print_json(flaws->all[i].text);
		printf("}");
	}
}

static void
print_check(const char *path, const struct ph_flaws *flaws, size_t n_replies, bool json)
{
	size_t	 i;

	if (json) {
		printf("{\"v\":1,\"ok\":%s,\"file\":", flaws->n_errors == 0 ? "true" : "false");
		try_print_json(path);
		printf(",\"replies\":%zu,\"errors\":[", n_replies);
		print_flaws(path, flaws, false);
		printf("],\"warnings\":[");
		print_flaws(path, flaws, true);
		printf("]}\n");
		return;
	}
	for (i = 0; i < flaws->n; i++) {
		printf("%s:%zu:%zu  %s%s\n", path, flaws->all[i].line, flaws->all[i].column,
		    flaws->all[i].warning ? "warning: " : "", flaws->all[i].text);
		print_caret(flaws->text, &flaws->all[i]);
	}
	if (flaws->n_errors == 0)
		printf("%s: %zu %s\n", path, n_replies, n_replies == 1 ? "reply" : "replies");
	else if (flaws->n_errors > flaws->n)
		printf("%s: %zu errors in all\n", path, flaws->n_errors);
}

/* EX_OK, or the exit status. */
static int
check_file(const char *path, bool json)
{
	struct ph_buffer	 text = PH_BUFFER_INIT;
	struct ph_flaws		 flaws = { .n = 0 };
	struct ph_fail		 fail = PH_FAIL_INIT;
	struct ph_replies	*replies = NULL;
	int			 status = EX_OK;

	if (access(path, F_OK) == -1) {
		fprintf(stderr, "pagehook: %s: %s\n", path, strerror(errno));
		return EX_NOINPUT;
	}
	if (ph_pages_read(path, &text, &replies, &flaws, &fail) != PH_OK && flaws.n_errors == 0)
		status = complain(&fail);
	else {
		print_check(path, &flaws, replies != NULL ? ph_replies_count(replies) : 0, json);
		status = flaws.n_errors > 0 ? EX_CONFIG : EX_OK;
	}
	ph_replies_free(replies);
	ph_buffer_clear(&text);
	return status;
}

int
replies_check_run(const struct call *call)
{
	const bool	 json = option(call, "json") != NULL;
	struct ph_fail	 fail = PH_FAIL_INIT;
	struct ph_pages	*pages;
	int		 status = EX_OK, one;
	size_t		 i;

	if (call->argc > 1)
		return usage("one FILE at a time, not also ", call->argv[1]);
	if (call->argc == 1)
		return check_file(call->argv[0], json);
	ph_log_open("/dev/null", PH_ERROR, false);	/* what is wrong is said below, once */
	if (ph_pages_load(call->conf, &pages, &fail) != PH_OK)
		return complain(&fail);
	for (i = 0; i < pages->n_rules; i++)
		if (pages->rules[i]->path == NULL)
			fprintf(stderr, "no PAGEHOOK_REPLIES: the built-in replies are used\n");
		else if ((one = check_file(pages->rules[i]->path, json)) != EX_OK)
			status = one;
	ph_pages_free(pages);
	return status;
}

/* test */

static void
print_handler_json(char *const *argv)
{
	size_t	 i;

	if (argv == NULL) {
		printf("null");
		return;
	}
	for (i = 0; argv[i] != NULL; i++) {
		printf("%s", i > 0 ? "," : "[");
		try_print_json(argv[i]);
	}
	printf("]");
}

static void
print_test_json(const struct try *t)
{
	struct ph_slice	 rest = PH_SLICE(&t->messages), line;
	const char	*comma = "";

	printf("{\"v\":1,\"rule\":");
	try_print_json(t->thought.rule);
	printf(",\"captures\":%s,\"handler\":", t->thought.captures.len > 0 ? t->thought.captures.data : "{}");
	print_handler_json(t->thought.argv);
	printf(",\"messages\":[");
	for (; try_next_line(&rest, &line); comma = ",")
		printf("%s%.*s", comma, (int)line.len, line.at);
	printf("]");
	if (t->why[0] != '\0') {
		printf(",\"why\":");
		try_print_json(t->why);
	}
	printf("}\n");
}

/* n="12345", from {"n":"12345"} */
static void
print_captures(struct ph_slice captures)
{
	struct ph_json	*tree;
	const char	*name;
	size_t		 i;

	if (ph_json_parse(captures, &tree, NULL) != PH_OK)
		return;
	for (i = 0; (name = ph_json_name(tree, i)) != NULL; i++) {
		printf("  %s=", name);
		try_print_json(ph_json_text(ph_json_get(tree, name)).at);
	}
	ph_json_free(tree);
}

static void
print_test(const struct try *t)
{
	const struct ph_thought	*th = &t->thought;
	struct ph_slice		 rest = PH_SLICE(&t->messages), line;
	size_t			 i;

	printf("%s", th->rule);
	print_captures(PH_SLICE(&th->captures));
	printf("%s%s", th->seen ? "  seen" : "", th->typing ? "  typing" : "");
	if (th->argv != NULL) {
		printf("%s%s", th->typing || th->seen ? ", " : "  ", th->coproc ? "coproc" : "exec");
		for (i = 0; th->argv[i] != NULL; i++)
			printf(" %s", th->argv[i]);
		if (!t->ran)
			printf("%s", t->why[0] == '\0' ? " (not run: --run)" : "");
	}
	if (th->pause_ms != 0)
		printf("  pause %" PRId64 " s", th->pause_ms / PH_SECOND_MS);
	if (th->handover)
		printf("  handover to %s", th->handover_to != NULL ? th->handover_to : "the Page inbox");
	if (t->why[0] != '\0')
		printf("  no answer: %s", t->why);
	printf("\n");
	while (try_next_line(&rest, &line)) {
		printf("  ");
		try_print_message(line);
		printf("\n");
	}
}

/* 2026-11-22T14:30, in local time, or Unix seconds; -1: neither. */
static int64_t
parse_at(const char *text)
{
	struct tm	 tm = { .tm_isdst = -1 };
	const char	*end = strptime(text, "%Y-%m-%dT%H:%M", &tm);

	if (end != NULL && *end == '\0')
		return mktime(&tm) * PH_SECOND_MS;
	if (text[0] != '\0' && text[strspn(text, "0123456789")] == '\0' && strlen(text) < 12)
		return strtoll(text, NULL, 10) * PH_SECOND_MS;
	return -1;
}

static int
take_words(const struct call *call, struct try_said *said)
{
	const char	*at = option(call, "at");

	*said = (struct try_said){ .quick = option(call, "quick"), .postback = option(call, "postback"),
	    .attachment = option(call, "attachment"), .page = option(call, "page"),
	    .at = ph_clock_now(), .first = option(call, "first") != NULL };
	if (at != NULL && (said->at = parse_at(at)) == -1)
		return usage("--at needs a time like 2026-11-22T14:30, not ", at);
	if (call->argc > 1)
		return usage("one TEXT, in quotes; what is ", call->argv[1]);
	if (call->argc == 1)
		said->text = call->argv[0];
	if (said->text == NULL && said->quick == NULL && said->postback == NULL && said->attachment == NULL)
		return usage("replies test needs a TEXT, --quick, --postback or --attachment", "");
	return EX_OK;
}

int
replies_test_run(const struct call *call)
{
	struct try	 t;
	struct try_said	 said;
	struct ph_fail	 fail = PH_FAIL_INIT;
	int		 status = take_words(call, &said);

	if (status != EX_OK)
		return status;
	if (try_open(&t, call->conf, &fail) == PH_OK &&
	    try_say(&t, &said, option(call, "run") != NULL, &fail) == PH_OK) {
		status = t.thought.rule == NULL || t.why[0] != '\0';
		if (option(call, "json") != NULL)
			print_test_json(&t);
		else if (t.thought.rule != NULL)
			print_test(&t);
		else
			printf("no reply fits: nothing is said\n");
	}
	if (fail.err != PH_OK)
		status = complain(&fail);
	try_close(&t);
	return status;
}
