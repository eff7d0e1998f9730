/*
 * order -- what an operator asks of the helper: JSON in, JSON out.
 * Knows scan, json, ledger, pages, message, waiting, survey, status.  Does not know sockets or the
 * command line.
 * Called by turn, inside its transaction, since there is one writer.
 * Lives for one order.
 *
 *	{"do":"send","page":S?,"psid":S,"kind":"update"|"human_agent"|"","message":{..}}
 *	    -> {"reply":"r4901"}     kind as in message.h; page: which, if there are several
 *	{"do":"tell","reply":"r4901"}
 *	    -> {"reply":"r4901","state":"sent","mid":S,"code":N,"why":S}
 *	{"do":"retry"|"drop"|"hold"|"release","ids":["r4901","e4900",..],"unsure":true?}
 *	    -> {"done":["r4901",..],"refused":[{"id":"r4902","why":S,"unsure":true?},..]}
 *	    unsure: replies that are unsure are meant, too; one refused for that alone says so
 *	{"do":"forget","page":S?,"psid":S,"after":N}
 *	    -> {"events":N,"replies":N,"copies":N,"after":N,"more":true|false}
 *	    a step, from after 0 on; as long as there is more: again, with the after that came back
 *	{"do":"status","as":"json"|"lines"}
 *	    -> the document of status.h, or {"lines":S}
 *	-> {"error":{"exit":65,"what":S}}     exit: of sysexits(3)
 * SPDX-License-Identifier: ISC
 */
#ifndef PH_ORDER_H
#define PH_ORDER_H

#include "ledger.h"
#include "pages.h"
#include "status.h"
#include "waiting.h"

#define PH_ORDER_IDS	500		/* in one order, at most: a turn is not held up */

struct ph_order_with {			/* what orders are about; borrowed for the call */
	struct ph_ledger	*ledger;
	const struct ph_pages	*pages;
	struct ph_waiting	*waiting;
	struct ph_news		*news;
};

/*
 * Does what the order says and appends the answer.  An order that cannot be done is no error here but
 * an answer; an error is the store's, and nothing of the turn may be committed.
 */
enum ph_error	ph_order_take(const struct ph_order_with *with, struct ph_slice order, int64_t now,
		    struct ph_buffer *answer, struct ph_fail *fail) PH_MUST_USE;

/*
 * Answers an order that only looks, which needs no transaction and no store that works; false: it is
 * another.  live: of this helper.
 */
bool		ph_order_show(const struct ph_pages *pages, const struct ph_status_live *live,
		    struct ph_slice order, struct ph_buffer *answer);

/* The answer when the turn could not be committed. */
void		ph_order_refuse(struct ph_buffer *answer, const char *why);

#endif
