/*
 * queue_steer -- "pagehook queue retry, drop, hold, release": a word on what is not finished.
 * Knows queue, ask, orders, glance.  Does not know what a word does: the helper does it.
 * Called by pagehook.c.
 * Lives for one command.
 * SPDX-License-Identifier: ISC
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "clock.h"
#include "orders.h"
#include "queue.h"

struct word {
	const char	*name, *done_words;
	const char	*states;	/* in which it applies */
	bool		 sends;		/* then what may have been sent may be sent twice */
};

struct steering {
	const struct call	*call;
	const struct word	*word;
	struct queue_filter	 filter;
	bool			 all;		/* that fit, not some ids */
	bool			 json, dry_run;
	int64_t			 now;
	struct ph_glance	*glance;	/* NULL: there is no store */
	struct orders		 orders;
	int			 status;	/* of what ended a walk */
};

/* Which are meant. */

/* What a dry run says of one. */
static int
show(struct steering *s, struct ph_slice name)
{
	struct ph_glance_row	 row = { .left_at = 0 };
	struct ph_fail		 fail = PH_FAIL_INIT;
	enum ph_error		 err = PH_NONE;
	int64_t			 id;
	char			 text[24], letter, why[64] = "there is none";

	snprintf(text, sizeof(text), "%.*s", (int)name.len, name.at);
	if (queue_id_parse(text, &letter, &id) && s->glance != NULL)
		err = ph_glance_find(s->glance, letter, id, &row, &fail);
	if (err == PH_OK && is_one_of(s->word->states, row.item.state)) {
		queue_print(&row.item, s->json, s->now);
		s->orders.done.n++;
	} else if (err == PH_OK || err == PH_NONE) {
		if (err == PH_OK)
			snprintf(why, sizeof(why), "it is %s", row.item.state);
		orders_refuse(&s->orders, name, (struct ph_slice){ why, strlen(why) });
	}
	ph_glance_row_clear(&row);
	return complain(&fail);
}

/* Quarantined bytes belong to nobody: nothing can be answered. */
static enum ph_error
choose_item(void *arg, const struct ph_glance_item *it, struct ph_fail *fail)
{
	struct steering	*s = arg;
	char		 id[24];
	int		 n;

	if (!queue_filter_fits(&s->filter, it) || !is_one_of(s->word->states, it->state) ||
	    (strcmp(it->state, "unsure") == 0 && !s->orders.unsure) ||
	    (it->letter == 'e' && it->person[0] == '\0' && strcmp(s->word->name, "retry") == 0))
		return PH_OK;
	if (s->dry_run) {
		queue_print(it, s->json, s->now);
		s->orders.done.n++;
		return PH_OK;
	}
	n = snprintf(id, sizeof(id), "%c%" PRId64, it->letter, it->id);
	s->status = orders_add(&s->orders, (struct ph_slice){ id, (size_t)n });
	return s->status == EX_OK ? PH_OK :
	    ph_error_set(fail, PH_BUSY, "the rest was left as it is");
}

static int
choose_all(struct steering *s)
{
	struct ph_fail	 fail = PH_FAIL_INIT;
	int		 status;

	if (s->glance == NULL || ph_glance_queue(s->glance, choose_item, s, &fail) == PH_OK)
		return s->status;
	status = complain(&fail);
	return s->status != EX_OK ? s->status : status;
}

static int
choose_words(struct steering *s, const char *text)
{
	static const char	 blanks[] = " \t\r\n,\"";
	int			 status = EX_OK;
	size_t			 n;

	while (status == EX_OK && (n = strcspn(text += strspn(text, blanks), blanks)) > 0) {
		const struct ph_slice	 id = { text, n };

		status = s->dry_run ? show(s, id) : orders_add(&s->orders, id);
		text += n;
	}
	return status;
}

static int
choose_ids(struct steering *s)
{
	struct ph_buffer	 in = PH_BUFFER_INIT;
	int			 i, status = EX_OK;

	for (i = 0; i < s->call->argc && status == EX_OK; i++)
		if (strcmp(s->call->argv[i], "-") != 0)
			status = choose_words(s, s->call->argv[i]);
		else if ((status = read_input(&(struct call){ .argc = 0 }, &in)) == EX_OK)
			status = choose_words(s, PH_SLICE(&in).at);
	ph_buffer_clear(&in);
	return status;
}

/* What may be sent twice. */

static bool
is_confirmed(const struct steering *s)
{
	char	 answer[16] = "";

	if (option(s->call, "yes") != NULL)
		return true;
	if (!isatty(STDIN_FILENO) || !isatty(STDERR_FILENO))
		return false;
	fprintf(stderr, "What is unsure may be sent twice. Send it again? [y/N] ");
	return fgets(answer, sizeof(answer), stdin) != NULL &&
	    (answer[0] == 'y' || answer[0] == 'Y');
}

static int
not_confirmed(void)
{
	fprintf(stderr, "pagehook: what is unsure may be sent twice: -y if that is meant\n");
	return EX_USAGE;
}

/* Those that the helper found to be unsure: again, if they are meant. */
static int
settle_doubts(struct steering *s)
{
	int	 status;

	if (s->orders.doubtful.n == 0)
		return EX_OK;
	s->orders.final = true;
	s->orders.unsure = is_confirmed(s);
	if ((status = choose_words(s, s->orders.doubtful.text.data)) == EX_OK)
		status = orders_hand_over(&s->orders);
	return status != EX_OK || s->orders.unsure ? status : not_confirmed();
}

/* All of it. */

static int
steer_all(struct steering *s)
{
	struct ph_fail	 fail = PH_FAIL_INIT;
	int		 status;

	if (!s->dry_run && (ph_conf_check(s->call->conf, &fail) != PH_OK ||
	    ask_open(&s->orders.ask, s->call->conf, &fail) != PH_OK))
		return complain(&fail);
	if ((s->all || s->dry_run) && ph_glance_open(s->call->conf->state, PH_GLANCE_WAIT_MS,
	    &s->glance, &fail) != PH_OK && fail.err != PH_OK)
		return complain(&fail);
	if (s->dry_run)
		queue_print_header(s->json);
	status = s->all ? choose_all(s) : choose_ids(s);
	if (status == EX_OK)
		status = orders_hand_over(&s->orders);
	return status == EX_OK ? settle_doubts(s) : status;
}

static int
print_done(const struct steering *s, int status)
{
	if (s->dry_run)
		fprintf(stderr, "%zu would be %s\n", s->orders.done.n, s->word->done_words);
	else if (s->json)
		printf("{\"v\":1,\"done\":[%s],\"refused\":[%s]}\n",
		    PH_SLICE(&s->orders.done.text).at, PH_SLICE(&s->orders.refused).at);
	else if (status == EX_OK || s->orders.done.n > 0)
		printf("%zu %s\n", s->orders.done.n, s->word->done_words);
	if (status == EX_OK && s->orders.n_refused > 0 && !s->all)
		status = EX_NOINPUT;
	return status;
}

/* Whether what may have been sent is meant, too.  EX_OK, or a status after a line. */
static int
read_doubt(struct steering *s)
{
	const char	*state = s->filter.state;
	const bool	 chosen = !s->all || state != NULL;	/* ALL alone leaves it as it is */

	s->orders.unsure = state != NULL && strcmp(state, "unsure") == 0;
	s->orders.final = !chosen || !s->word->sends;
	if (!s->word->sends)
		s->orders.unsure |= !s->all;	/* what is given up is not sent twice */
	else if (s->orders.unsure && !s->dry_run && !is_confirmed(s))
		return not_confirmed();
	else
		s->orders.unsure |= chosen && option(s->call, "yes") != NULL;
	return EX_OK;
}

/* EX_OK, or a status after a line. */
static int
read_words(struct steering *s)
{
	const struct queue_filter	*f = &s->filter;
	const struct call		*call = s->call;
	int				 i, status = queue_filter_read(call, s->now, &s->filter);

	if (status != EX_OK)
		return status;
	if (call->argc == 0)
		return usage("which? ids like r4901, - or ALL are needed: pagehook queue ",
		    s->word->name);
	for (i = 0; i < call->argc; i++)
		if (call->argv[i][0] == '\0')
			return usage("an empty id", "");
		else if (call->argc > 1 && strcmp(call->argv[i], "ALL") == 0)
			return usage("ALL stands alone", "");
	s->all = strcmp(call->argv[0], "ALL") == 0;
	if (!s->all && (f->state != NULL || f->page != NULL || f->person != NULL || f->code != 0 ||
	    f->before != 0))
		return usage("--state --page --person --code --older choose among ALL: "
		    "pagehook queue ", s->word->name);
	if (f->state != NULL && !is_one_of(s->word->states, f->state)) {
		fprintf(stderr, "pagehook: queue %s is for what is one of: %s\n", s->word->name,
		    s->word->states);
		return EX_USAGE;
	}
	return read_doubt(s);
}

static int
steer(const struct call *call, const struct word *word)
{
	struct steering	 s = { .call = call, .word = word, .json = option(call, "json") != NULL,
		.dry_run = option(call, "dry-run") != NULL, .now = ph_clock_now(),
		.orders = { .word = word->name, .ask = ASK_INIT } };
	int		 status;

	if ((status = read_words(&s)) != EX_OK || (status = become_owner(call)) != EX_OK)
		return status;
	s.orders.quiet = s.json;
	status = print_done(&s, steer_all(&s));
	orders_clear(&s.orders);
	ph_glance_close(s.glance);
	return status;
}

int
queue_retry_run(const struct call *call)
{
	static const struct word	 retry = { "retry", "ready again", "dead held unsure",
		true };

	return steer(call, &retry);
}

int
queue_drop_run(const struct call *call)
{
	static const struct word	 drop = { "drop", "dropped",
		"ready unsure held dead kept asked", false };

	return steer(call, &drop);
}

int
queue_hold_run(const struct call *call)
{
	static const struct word	 hold = { "hold", "held", "ready", false };

	return steer(call, &hold);
}

int
queue_release_run(const struct call *call)
{
	static const struct word	 release = { "release", "released", "held", true };

	return steer(call, &release);
}
