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

void
ph_store_open_clear(struct ph_store_open *event)
{
	ph_buffer_clear(&event->page);
	ph_buffer_clear(&event->person);
	ph_buffer_clear(&event->body);
}

void
ph_store_person_clear(struct ph_store_person *person)
{
	ph_buffer_clear(&person->first_name);
	ph_buffer_clear(&person->last_name);
}
