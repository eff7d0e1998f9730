/*
 * pagehook -- the operator's command: a table of verbs.
 * Knows conf and the table.  Does not know what a verb does.
 * Called by a person, by cron, and by the front for "helper".
 * Lives for one command; the helper's may be long.
 * SPDX-License-Identifier: ISC
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "guess.h"
#include "verb.h"

enum need { NOTHING, SETTINGS };	/* what main provides before the verb runs */

static int	help_run(const struct call *);

#define WHICH	"state page person code older"	/* of the queue */
#define STEERS	"json dry-run " WHICH

static const struct verb {
	const char	*name, *args, *says;
	const char	*options;		/* that it takes, blank-separated */
	enum need	 need;
	int		(*run)(const struct call *);
} verbs[] = {				/* one file each; pagehook.1 lists them */
	{ "helper", "", "keep what fronts hand over and send what is owed", "", SETTINGS, helper_run },
	{ "parse", "[FILE]", "print the events of a body, one JSON line each", "", SETTINGS, parse_run },
	{ "sign", "[FILE]", "print the X-Hub-Signature-256 of a body", "", SETTINGS, sign_run },
	{ "replies check", "[FILE]", "read a replies file as the helper would, say what is wrong",
	    "json", SETTINGS, replies_check_run },
	{ "replies test", "[TEXT]", "which reply fits, and what it says",
	    "json run postback quick attachment page at first", SETTINGS, replies_test_run },
	{ "chat", "", "talk to the bot here; nothing is sent", "json page", SETTINGS, chat_run },
	{ "send", "PSID [TEXT|-]", "send a message through the queue",
	    "json message reply tag page", SETTINGS, send_run },
	{ "status", "", "how it is going", "json", SETTINGS, status_run },
	{ "queue list", "", "all that is not finished, and why", "json " WHICH, SETTINGS,
	    queue_list_run },
	{ "queue show", "ID", "what happened to a reply or event", "json text", SETTINGS,
	    queue_show_run },
	{ "queue retry", "ID...|-|ALL", "send again what is dead, held or unsure", "yes " STEERS,
	    SETTINGS, queue_retry_run },
	{ "queue drop", "ID...|-|ALL", "give up what waits; take dead ones off the list", STEERS,
	    SETTINGS, queue_drop_run },
	{ "queue hold", "ID...|-|ALL", "do not send for now", STEERS, SETTINGS, queue_hold_run },
	{ "queue release", "ID...|-|ALL", "send what is held", "yes " STEERS, SETTINGS,
	    queue_release_run },
	{ "forget", "PSID", "erase what is known of a person", "json page yes", SETTINGS,
	    forget_run },
	{ "help", "", "print this", "", NOTHING, help_run },
};
#define N_VERBS	(sizeof(verbs) / sizeof(verbs[0]))

/* Every option of every verb. */
static const struct {
	const char	*name;
	bool		 takes_value;
	char		 letter;		/* -y for --yes; 0: none */
} options[] = {
	{ "json", false, 0 }, { "run", false, 0 }, { "first", false, 0 }, { "reply", false, 0 },
	{ "text", false, 0 }, { "yes", false, 'y' }, { "dry-run", false, 'n' },
	{ "postback", true, 0 }, { "quick", true, 0 }, { "attachment", true, 0 }, { "page", true, 0 },
	{ "at", true, 0 }, { "message", true, 0 }, { "tag", true, 0 },
	{ "state", true, 0 }, { "person", true, 0 }, { "code", true, 0 }, { "older", true, 0 },
};
#define N_OPTIONS	(sizeof(options) / sizeof(options[0]))

static int
help_run(const struct call *call)
{
	size_t	 i;

	(void)call;
	printf("pagehook status                         # how is it going?\n"
	    "pagehook replies check                  # is my replies file right?\n"
	    "pagehook replies test \"order 12345\"     # which reply fits, and what does it say?\n"
	    "pagehook chat                           # talk to the bot here\n\n"
	    "usage: pagehook [-c FILE] VERB [OPTIONS] [ARGS]\n\n");
	for (i = 0; i < N_VERBS; i++)
		printf("  %-14s %-14s %s\n", verbs[i].name, verbs[i].args, verbs[i].says);
	printf("\nEach verb's options: pagehook(1).  Settings: pagehook.conf(5).  Replies:\n"
	    "pagehook-replies(5), pagehook-handler(7).  The webhook itself: pagehook.fcgi(8).\n");
	return EX_OK;
}

int
complain(const struct ph_fail *fail)
{
	static const int	 statuses[] = {
		[PH_OK] = EX_OK, [PH_NONE] = EX_NOINPUT, [PH_MALFORMED] = EX_DATAERR,
		[PH_FORGED] = EX_DATAERR, [PH_TOOBIG] = EX_DATAERR, [PH_BUSY] = EX_TEMPFAIL,
		[PH_NOMEM] = EX_OSERR, [PH_CONFIG] = EX_CONFIG, [PH_BROKEN] = EX_IOERR,
	};

	if (fail->text[0] != '\0')
		fprintf(stderr, "pagehook: %s\n", fail->text);
	return statuses[fail->err];
}

int
usage(const char *why, const char *what)
{
	fprintf(stderr, "pagehook: %s%s; pagehook help lists the verbs\n", why, what);
	return EX_USAGE;
}

const char *
option(const struct call *call, const char *name)
{
	size_t	 i;

	for (i = 0; i < call->n_options; i++)
		if (strcmp(call->options[i].name, name) == 0)
			return call->options[i].value;
	return NULL;
}

bool
is_one_of(const char *words, const char *word)
{
	const char	*at = words;
	size_t		 n = strlen(word);

	for (; n > 0 && (at = strstr(at, word)) != NULL; at += n)
		if ((at == words || at[-1] == ' ') && (at[n] == ' ' || at[n] == '\0'))
			return true;
	return false;
}

static bool
is_option(size_t i, const char *word, size_t len)
{
	const size_t	 n = strlen(options[i].name);

	if (word[1] != '-')
		return len == 2 && options[i].letter != 0 && word[1] == options[i].letter;
	return len == n + 2 && memcmp(word + 2, options[i].name, n) == 0;
}

/* Takes --name VALUE or --name=VALUE; word, and perhaps the next.  Returns the last word taken. */
static char **
take_option(struct call *call, char **word, char **end)
{
	const char	*equals = strchr(*word, '='), *value = "";
	size_t		 i, n = equals != NULL ? (size_t)(equals - *word) : strlen(*word);

	for (i = 0; i < N_OPTIONS; i++)
		if (is_option(i, *word, n))
			break;
	if (i == N_OPTIONS ||
	    call->n_options == sizeof(call->options) / sizeof(call->options[0])) {
		(void)usage("no option ", *word);
		return NULL;
	}
	if (options[i].takes_value != (equals != NULL) && !(options[i].takes_value && word + 1 < end)) {
		(void)usage(options[i].takes_value ? "a value is needed after " : "no value goes with ",
		    *word);
		return NULL;
	}
	if (options[i].takes_value)
		value = equals != NULL ? equals + 1 : *++word;
	call->options[call->n_options].name = options[i].name;
	call->options[call->n_options++].value = value;
	return word;
}

/* Takes options, wherever they stand before "--", out of the words; 0, or an exit status. */
static int
take_options(struct call *call)
{
	char	**in = call->argv, **out = call->argv, **end = call->argv + call->argc;

	for (; in < end && strcmp(*in, "--") != 0; in++) {
		if (strcmp(*in, "-c") == 0) {
			if (in + 1 == end)
				return usage("-c needs a FILE", "");
			call->config = *++in;
		} else if (strcmp(*in, "--help") == 0)
			exit(help_run(call));
		else if (strcmp(*in, "--version") == 0) {
			printf("pagehook %s\n", PH_VERSION);
			exit(EX_OK);
		} else if ((*in)[0] == '-' && (*in)[1] != '\0') {
			if ((in = take_option(call, in, end)) == NULL)
				return EX_USAGE;
		} else
			*out++ = *in;
	}
	for (in += in < end; in < end; in++)
		*out++ = *in;
	call->argc = (int)(out - call->argv);
	return EX_OK;
}

/* How many words of the call are this verb's name; 0: it is another. */
static int
words_of(const struct verb *verb, const struct call *call)
{
	const char	*blank = strchr(verb->name, ' ');
	size_t		 n = blank != NULL ? (size_t)(blank - verb->name) : strlen(verb->name);

	if (call->argc == 0 || strlen(call->argv[0]) != n || strncmp(call->argv[0], verb->name, n) != 0)
		return 0;
	if (blank == NULL)
		return 1;
	return call->argc > 1 && strcmp(call->argv[1], blank + 1) == 0 ? 2 : 0;
}

/* Whether there are verbs of two words that begin with the first one: then they are told. */
static bool
print_seconds(const struct call *call)
{
	const char	*word = call->argv[0];
	size_t		 i, n = strlen(word);
	bool		 any = false;

	for (i = 0; i < N_VERBS; i++)
		if (strncmp(verbs[i].name, word, n) == 0 && verbs[i].name[n] == ' ') {
			if (!any)
				fprintf(stderr, "pagehook: no verb '%s%s%s'; there is %s", word,
				    call->argc > 1 ? " " : "", call->argc > 1 ? call->argv[1] : "",
				    word);
			fprintf(stderr, "%s%s", any ? "," : "", verbs[i].name + n);
			any = true;
		}
	if (any)
		fprintf(stderr, "\n");
	return any;
}

static int
no_verb(const struct call *call)
{
	const char	*word = call->argv[0];
	struct ph_guess	 guess = PH_GUESS_INIT(((struct ph_slice){ word, strlen(word) }));
	size_t		 i;

	if (print_seconds(call))
		return EX_USAGE;
	for (i = 0; i < N_VERBS; i++)
		ph_guess_try(&guess, verbs[i].name);
	if (guess.nearest == NULL)
		return usage("no verb ", word);
	fprintf(stderr, "pagehook: no verb '%s'; did you mean '%s'?\n", word, guess.nearest);
	return EX_USAGE;
}

static int
run(const struct verb *verb, struct call *call)
{
	struct ph_conf_from	 from = { call->name, NULL };
	struct ph_fail		 fail = PH_FAIL_INIT;
	struct ph_conf		*conf = NULL;
	size_t			 i;
	int			 status;

	for (i = 0; i < call->n_options; i++)
		if (!is_one_of(verb->options, call->options[i].name)) {
			fprintf(stderr, "pagehook: %s has no option --%s\n", verb->name,
			    call->options[i].name);
			return EX_USAGE;
		}
	if (verb->run != helper_run)		/* what the library says of its own, for people */
		ph_log_open("/dev/null", PH_WARN, true);
	if (call->config != NULL && setenv("PAGEHOOK_CONFIG", call->config, 1) != 0)
		return EX_OSERR;
	if (verb->need == SETTINGS && ph_conf_load(&from, &conf, &fail) != PH_OK)
		return complain(&fail);
	call->conf = conf;
	status = verb->run(call);
	ph_conf_free(conf);
	return status;
}

static int
choose(struct call *call)
{
	size_t	 i;
	int	 n, status = take_options(call);

	if (status != EX_OK)
		return status;
	if (call->argc == 0)
		return usage("no verb", "");
	for (i = 0; i < N_VERBS; i++)
		if ((n = words_of(&verbs[i], call)) > 0) {
			call->argc -= n;
			call->argv += n;
			return run(&verbs[i], call);
		}
	return no_verb(call);
}

int
main(int argc, char **argv)
{
	struct call	 call = { .name = "pagehook", .typed = argv };
	const char	*slash;
	char		**words;
	int		 i, status;

	/* Put into a cgi-bin by mistake: then the words are a stranger's. */
	if (getenv("GATEWAY_INTERFACE") != NULL || getenv("REQUEST_METHOD") != NULL) {
		printf("Status: 404 Not Found\r\nContent-Type: text/plain\r\n\r\n");
		return EX_OK;
	}
	if (argc > 0 && argv[0][0] != '\0')
		call.name = (slash = strrchr(argv[0], '/')) != NULL ? slash + 1 : argv[0];
	if ((words = calloc((size_t)argc + 1, sizeof(*words))) == NULL)
		return EX_OSERR;
	for (i = 1; i < argc; i++)
		words[call.argc++] = argv[i];
	call.argv = words;
	status = choose(&call);
	free(words);
	return status;
}
