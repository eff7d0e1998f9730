/*
 * orders -- one word on many replies and events, handed to the helper some hundred at a time.
 * Knows ask, order's JSON.  Does not know what is meant or what the word does.
 * Called by queue_steer.
 * Lives for one command.
 * SPDX-License-Identifier: ISC
 */
#include <stdio.h>
#include <sysexits.h>

#include "order.h"
#include "orders.h"

static void
add_id(struct orders_ids *ids, struct ph_slice id)
{
	ph_buffer_adds(&ids->text, ids->n++ > 0 ? ",\"" : "\"");
	ph_buffer_add_json(&ids->text, id);
	ph_buffer_adds(&ids->text, "\"");
}

static void
empty(struct orders_ids *ids)
{
	ph_buffer_reset(&ids->text);
	ids->n = 0;
}

static void
take_answer(struct orders *s, const struct ph_json *answer)
{
	const struct ph_json	*done = ph_json_get(answer, "done");
	const struct ph_json	*refused = ph_json_get(answer, "refused");
	size_t			 i;

	for (i = 0; i < ph_json_count(done); i++)
		add_id(&s->done, ph_json_text(ph_json_at(done, i)));
	for (i = 0; i < ph_json_count(refused); i++) {
		const struct ph_json	*one = ph_json_at(refused, i);
		struct ph_slice		 id = ph_json_text(ph_json_get(one, "id"));

		if (ph_json_flag(ph_json_get(one, "unsure")) && !s->final)
			add_id(&s->doubtful, id);
		else
			orders_refuse(s, id, ph_json_text(ph_json_get(one, "why")));
	}
}

int
orders_hand_over(struct orders *s)
{
	struct ph_buffer	 order = PH_BUFFER_INIT;
	struct ph_json		*answer = NULL;
	int			 status;

	if (s->next.n == 0)
		return EX_OK;
	ph_buffer_addf(&order, "{\"do\":\"%s\",%s\"ids\":[", s->word,
	    s->unsure ? "\"unsure\":true," : "");
	ph_buffer_add(&order, s->next.text.data, s->next.text.len);
	ph_buffer_adds(&order, "]}");
	order.failed |= s->next.text.failed;
	empty(&s->next);
	if ((status = ask_order(&s->ask, &order, &answer)) == EX_OK)
		take_answer(s, answer);
	ph_json_free(answer);
	ph_buffer_clear(&order);
	return status;
}

int
orders_add(struct orders *s, struct ph_slice id)
{
	add_id(&s->next, id);
	return s->next.n == PH_ORDER_IDS ? orders_hand_over(s) : EX_OK;
}

void
orders_refuse(struct orders *s, struct ph_slice id, struct ph_slice why)
{
	ph_buffer_addf(&s->refused, "%s{\"id\":\"", s->n_refused++ > 0 ? "," : "");
	ph_buffer_add_json(&s->refused, id);
	ph_buffer_adds(&s->refused, "\",\"why\":\"");
	ph_buffer_add_json(&s->refused, why);
	ph_buffer_adds(&s->refused, "\"}");
	if (!s->quiet)
		fprintf(stderr, "pagehook: %.*s: %.*s\n", (int)id.len, id.at, (int)why.len,
		    why.at);
}

void
orders_clear(struct orders *s)
{
	ask_close(&s->ask);
	ph_buffer_clear(&s->next.text);
	ph_buffer_clear(&s->done.text);
	ph_buffer_clear(&s->doubtful.text);
	ph_buffer_clear(&s->refused);
}
