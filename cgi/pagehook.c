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

#include "verb.h"

enum need { NOTHING, SETTINGS };	/* what main provides before the verb runs */

static int	help_run(const struct call *);

static const struct verb {
	const char	*name, *args, *says;
	enum need	 need;
	int		(*run)(const struct call *);
} verbs[] = {				/* one file each; pagehook.1 lists them */
	{ "helper", "", "keep what fronts hand over and send what is owed", SETTINGS, helper_run },
	{ "parse", "[FILE]", "print the events of a body, one JSON line each", SETTINGS, parse_run },
	{ "sign", "[FILE]", "print the X-Hub-Signature-256 of a body", SETTINGS, sign_run },
	{ "help", "", "print this", NOTHING, help_run },
};
#define N_VERBS	(sizeof(verbs) / sizeof(verbs[0]))

static int
help_run(const struct call *call)
{
	size_t	 i;

	(void)call;
	printf("usage: pagehook [-c FILE] VERB [ARGS]\n\n");
	for (i = 0; i < N_VERBS; i++)
		printf("  %-8s %-8s %s\n", verbs[i].name, verbs[i].args, verbs[i].says);
	printf("\nSettings: pagehook.conf(5).  The webhook itself: pagehook.fcgi(8).\n");
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

static int
usage(const char *why, const char *what)
{
	fprintf(stderr, "pagehook: %s%s; pagehook help lists the verbs\n", why, what);
	return EX_USAGE;
}

/* Takes -c FILE, wherever it stands before "--", out of the words; 0, or an exit status. */
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
		} else if ((*in)[0] == '-' && (*in)[1] != '\0')
			return usage("no option ", *in);
		else
			*out++ = *in;
	}
	for (in += in < end; in < end; in++)
		*out++ = *in;
	call->argc = (int)(out - call->argv);
	return EX_OK;
}

static int
run(const struct verb *verb, struct call *call)
{
	struct ph_conf_from	 from = { call->name, NULL };
	struct ph_fail		 fail = PH_FAIL_INIT;
	struct ph_conf		*conf = NULL;
	int			 status;

	if (call->config != NULL && setenv("PAGEHOOK_CONFIG", call->config, 1) != 0)
		return EX_OSERR;
	if (verb->need == SETTINGS && ph_conf_load(&from, &conf, &fail) != PH_OK)
		return complain(&fail);
	call->conf = conf;
	status = verb->run(call);
	ph_conf_free(conf);
	return status;
}

int
main(int argc, char **argv)
{
	struct call	 call = { .name = "pagehook", .argc = argc - 1, .argv = argv + 1 };
	const char	*slash;
	size_t		 i;
	int		 status;

	/* Put into a cgi-bin by mistake: then the words are a stranger's. */
	if (getenv("GATEWAY_INTERFACE") != NULL || getenv("REQUEST_METHOD") != NULL) {
		printf("Status: 404 Not Found\r\nContent-Type: text/plain\r\n\r\n");
		return EX_OK;
	}
	if (argc > 0 && argv[0][0] != '\0')
		call.name = (slash = strrchr(argv[0], '/')) != NULL ? slash + 1 : argv[0];
	if ((status = take_options(&call)) != EX_OK)
		return status;
	if (call.argc == 0)
		return usage("no verb", "");
	for (i = 0; i < N_VERBS; i++)
		if (strcmp(call.argv[0], verbs[i].name) == 0) {
			call.argc--;
			call.argv++;
			return run(&verbs[i], &call);
		}
	return usage("no verb ", call.argv[0]);
}
