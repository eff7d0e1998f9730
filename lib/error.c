/*
 * error -- what can go wrong, as a closed list, and the cause beside it.
 * Knows nothing else.  Does not log.
 * Called by everybody.
 * Lives on the caller's stack.
 * SPDX-License-Identifier: ISC
 */
#include <stdarg.h>
#include <stdio.h>

#include "error.h"

enum ph_error
ph_error_set(struct ph_fail *fail, enum ph_error err, const char *fmt, ...)
{
	va_list	 ap;

	if (fail == NULL || fail->err != PH_OK)
		return err;
	fail->err = err;
	va_start(ap, fmt);
	vsnprintf(fail->text, sizeof(fail->text), fmt, ap);
	va_end(ap);
	return err;
}

const char *
ph_error_name(enum ph_error err)
{
	static const char *const names[] = {
		[PH_OK] = "ok", [PH_NONE] = "none", [PH_MALFORMED] = "malformed",
		[PH_FORGED] = "forged", [PH_TOOBIG] = "too big", [PH_BUSY] = "busy",
		[PH_NOMEM] = "out of memory", [PH_CONFIG] = "configuration",
		[PH_BROKEN] = "broken",
	};

	return names[err];
}
