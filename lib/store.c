/*
 * store -- what all stores share.
 * Knows buffer.  Does not know any database.
 * Called by ledger and the stores.
 * Lives with the rows it clears.
 * SPDX-License-Identifier: ISC
 */
#include "store.h"

void
ph_store_reply_clear(struct ph_store_reply *reply)
{
	ph_buffer_clear(&reply->person);
	ph_buffer_clear(&reply->body);
}
