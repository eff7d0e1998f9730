/*
 * sign -- "pagehook sign [FILE]": the signature Meta would send with this body.
 * Knows conf, signature.  Does not know what is in the body.
 * Called by pagehook.c.
 * Lives for one command.
 * SPDX-License-Identifier: ISC
 */
#include <stdio.h>
#include <sysexits.h>

#include "signature.h"
#include "verb.h"

int
sign_run(const struct call *call)
{
	struct ph_buffer	 body = PH_BUFFER_INIT;
	struct ph_fail		 fail = PH_FAIL_INIT;
	char			 hex[PH_SIGNATURE_LEN + 1];
	int			 status = read_input(call, &body);

	if (status == EX_OK) {
		if (call->conf->app_secret == NULL)
			ph_error_set(&fail, PH_CONFIG, "%s: no MESSENGER_APP_SECRET to sign with",
			    call->conf->file != NULL ? call->conf->file : "no configuration file");
		else if (ph_signature_format(call->conf->app_secret, PH_SLICE(&body), hex, &fail) == PH_OK)
			printf("sha256=%s\n", hex);
		status = complain(&fail);
	}
	ph_buffer_clear(&body);
	return status;
}
