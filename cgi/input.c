/*
 * input -- the FILE of a verb, or standard input.
 * Knows buffer.  Does not know what is in it.
 * Called by sign and parse.
 * Lives for one command.
 * SPDX-License-Identifier: ISC
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "verb.h"

int
read_input(const struct call *call, struct ph_buffer *out)
{
	const char	*name = call->argc > 0 ? call->argv[0] : "-";
	struct ph_fail	 fail = PH_FAIL_INIT;
	FILE		*file;
	char		 chunk[8192];
	size_t		 n;

	if (call->argc > 1) {
		ph_error_set(&fail, PH_MALFORMED, "one FILE at a time, not %s too", call->argv[1]);
		(void)complain(&fail);
		return EX_USAGE;
	}
	if ((file = strcmp(name, "-") == 0 ? stdin : fopen(name, "rb")) == NULL) {
		ph_error_set(&fail, PH_NONE, "%s: %s", name, strerror(errno));
		return complain(&fail);
	}
	while ((n = fread(chunk, 1, sizeof(chunk), file)) > 0)
		ph_buffer_add(out, chunk, n);
	if (ferror(file))
		ph_error_set(&fail, PH_NONE, "%s: %s", name, strerror(errno));
	else if (ph_buffer_check(out, &fail) != PH_OK)
		fail.err = PH_NOMEM;
	if (file != stdin)
		fclose(file);
	return complain(&fail);
}
