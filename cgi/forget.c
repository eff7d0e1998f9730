/*
 * forget -- "pagehook forget": erases what is known of a person, once the operator has said yes.
 * Knows ask, order's JSON, glance.  Does not know the store: the helper does it, step by step.
 * Called by pagehook.c.
 * Lives for one command; cut short, it goes on where it was when it is called again.
 * SPDX-License-Identifier: ISC
 */
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "ask.h"
#include "clock.h"
#include "glance_count.h"
#include "message.h"
#include "spool.h"
#include "verb.h"

#define EMPTY_BY_MS	10000		/* the store's log, which a reader may hold */

struct forgetting {
	const struct call	*call;
	const char		*psid, *page;	/* page NULL: on every one */
	struct ask		 ask;
	int64_t			 n_events, n_replies, n_copies, after;
	bool			 more;
};

/* The answer to any order says that what lay in the spool has been taken in, if there was room. */
static int
have_spool_taken_in(struct forgetting *f)
{
	struct ph_buffer	 order = PH_BUFFER_INIT;
	struct ph_json		*answer;
	int			 status, fd;

	ph_buffer_adds(&order, "{\"do\":\"retry\",\"ids\":[]}");
	status = ask_order(&f->ask, &order, &answer);
	ph_json_free(answer);
	ph_buffer_clear(&order);
	fd = open(f->call->conf->state, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (status == EX_OK && fd != -1 && ph_spool_holds(fd)) {
		fprintf(stderr, "pagehook: the helper cannot take in what lies in the spool, which may be of "
		    "this person, too: pagehook status says why; nothing was erased\n");
		status = EX_TEMPFAIL;
	}
	if (fd != -1)
		close(fd);
	return status;
}

static void
print_counts(FILE *to, int64_t n_events, int64_t n_replies)
{
	fprintf(to, "%" PRId64 " event%s, %" PRId64 " %s", n_events, n_events == 1 ? "" : "s",
	    n_replies, n_replies == 1 ? "reply" : "replies");
}

/* What a person on a terminal says to it, or -y in their stead. */
static int
confirm(const struct forgetting *f, const struct ph_glance_person *known)
{
	char	 word[16];

	if (option(f->call, "yes") != NULL)
		return EX_OK;
	if (!isatty(STDIN_FILENO))
		return usage("forget erases for good: -y says that it is meant", "");
	fprintf(stderr, "Erase ");
	print_counts(stderr, known->n_events, known->n_replies);
	fprintf(stderr, " of %s? [y/N] ", f->psid);
	if (fgets(word, sizeof(word), stdin) != NULL && (word[0] == 'y' || word[0] == 'Y'))
		return EX_OK;
	fprintf(stderr, "pagehook: nothing was erased\n");
	return EXIT_FAILURE;
}

static int64_t
number(const struct ph_json *answer, const char *name)
{
	int64_t	 n = 0;

	(void)ph_json_integer(ph_json_get(answer, name), &n);
	return n;
}

static int
erase_some(struct forgetting *f)
{
	struct ph_buffer	 order = PH_BUFFER_INIT;
	struct ph_json		*answer;
	int			 status;

	ph_buffer_addf(&order, "{\"do\":\"forget\",\"after\":%" PRId64 ",\"psid\":\"", f->after);
	ph_buffer_add_json(&order, (struct ph_slice){ f->psid, strlen(f->psid) });
	if (f->page != NULL) {
		ph_buffer_adds(&order, "\",\"page\":\"");
		ph_buffer_add_json(&order, (struct ph_slice){ f->page, strlen(f->page) });
	}
	ph_buffer_adds(&order, "\"}");
	if ((status = ask_order(&f->ask, &order, &answer)) == EX_OK) {
		f->n_events += number(answer, "events");
		f->n_replies += number(answer, "replies");
		f->n_copies += number(answer, "copies");
		f->after = number(answer, "after");
		f->more = ph_json_flag(ph_json_get(answer, "more"));
	}
	ph_json_free(answer);
	ph_buffer_clear(&order);
	return status;
}

/* Behind the last row it waits until no file of the store holds an old page any more. */
static int
erase_all(struct forgetting *f)
{
	int64_t	 by = 0;
	int	 status;

	while ((status = erase_some(f)) == EX_OK && f->more) {
		if (f->after != -1) {
			by = 0;
			continue;
		}
		if (by == 0)
			by = ph_clock_mono() + ph_clock_wait_ms(EMPTY_BY_MS);
		else if (ph_clock_left_ms(by) == 0) {
			fprintf(stderr, "pagehook: erased, but queue.db-wal still holds it, since "
			    "another program reads the store: try again when that has ended\n");
			return EX_TEMPFAIL;
		}
		(void)poll(NULL, 0, 10);
	}
	return status;
}

static void
print_erased(const struct forgetting *f)
{
	if (option(f->call, "json") != NULL) {
		printf("{\"v\":1,\"events\":%" PRId64 ",\"replies\":%" PRId64 ",\"copies\":%" PRId64
		    "}\n", f->n_events, f->n_replies, f->n_copies);
		return;
	}
	printf("erased ");
	print_counts(stdout, f->n_events, f->n_replies);
	printf("; not touched: Meta's copy, your backups, what your handlers keep\n");
	if (f->n_copies > 0)
		printf("removed, for it held everybody: "
		    "the copy of queue.db from before an upgrade\n");
}

static int
forget(struct forgetting *f)
{
	struct ph_glance_person	 known;
	struct ph_fail		 fail = PH_FAIL_INIT;
	int			 status = have_spool_taken_in(f);

	if (status != EX_OK)
		return status;
	if (ph_glance_person(f->call->conf->state, f->page, f->psid, &known, &fail) != PH_OK)
		return complain(&fail);
	if (!known.known) {
		fprintf(stderr, "pagehook: nothing is known of %s%s%s\n", f->psid,
		    f->page != NULL ? " on Page " : "", f->page != NULL ? f->page : "");
		return EX_NOINPUT;
	}
	if ((status = confirm(f, &known)) == EX_OK && (status = erase_all(f)) == EX_OK)
		print_erased(f);
	return status;
}

/* Less than a whole id stands in other people's bytes as well. */
static bool
is_whole(const char *psid)
{
	const size_t	 n = strlen(PH_MESSAGE_USER_REF);

	if (strncmp(psid, PH_MESSAGE_USER_REF, n) == 0)
		return psid[n] != '\0';
	return psid[0] != '\0' && psid[strspn(psid, "0123456789")] == '\0';
}

int
forget_run(const struct call *call)
{
	struct forgetting	 f = { .call = call, .page = option(call, "page"),
		.ask = ASK_INIT };
	struct ph_fail		 fail = PH_FAIL_INIT;
	int			 status;

	if (call->argc != 1 || !is_whole(call->argv[0]))
		return usage("forget needs a PSID, all its digits", "");
	if ((status = become_owner(call)) != EX_OK)
		return status;
	f.psid = call->argv[0];
	if (ph_conf_check(call->conf, &fail) != PH_OK ||
	    ask_open(&f.ask, call->conf, &fail) != PH_OK)
		status = complain(&fail);
	else
		status = forget(&f);
	ask_close(&f.ask);
	return status;
}
