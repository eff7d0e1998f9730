/*
 * sign -- "pagehook sign [FILE]": the signature Meta would send with this body.
 * Knows conf, signature.  Does not know what is in the body.
 * Called by pagehook.c.
 * Lives for one command.
 * SPDX-License-Identifier: ISC
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "signature.h"
#include "verb.h"

static enum ph_error
read_all(FILE *file, const char *name, struct ph_buffer *out, struct ph_fail *fail)
{
	char	 chunk[8192];
	size_t	 n;

	while ((n = fread(chunk, 1, sizeof(chunk), file)) > 0)
		ph_buffer_add(out, chunk, n);
	if (ferror(file))
		return ph_error_set(fail, PH_NONE, "%s: %s", name, strerror(errno));
	return ph_buffer_check(out, fail);
}

int
sign_run(const struct call *call)
{
	const char		*name = call->argc > 0 ? call->argv[0] : "-";
	struct ph_buffer	 body = PH_BUFFER_INIT;
	struct ph_fail		 fail = PH_FAIL_INIT;
	char			 hex[PH_SIGNATURE_LEN + 1];
	FILE			*file = strcmp(name, "-") == 0 ? stdin : fopen(name, "rb");

	if (call->argc > 1)
		ph_error_set(&fail, PH_MALFORMED, "sign: one FILE at a time");
	else if (file == NULL)
		ph_error_set(&fail, PH_NONE, "%s: %s", name, strerror(errno));
	else if (call->conf->app_secret == NULL)
		ph_error_set(&fail, PH_CONFIG, "%s: no MESSENGER_APP_SECRET to sign with",
		    call->conf->file != NULL ? call->conf->file : "no configuration file");
	else if (read_all(file, name, &body, &fail) == PH_OK &&
	    ph_signature_format(call->conf->app_secret, PH_SLICE(&body), hex, &fail) == PH_OK)
		printf("sha256=%s\n", hex);
	if (file != NULL && file != stdin)
		fclose(file);
	ph_buffer_clear(&body);
	return call->argc > 1 ? (complain(&fail), EX_USAGE) : complain(&fail);
}
