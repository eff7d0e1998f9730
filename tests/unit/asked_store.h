/*
 * asked_store -- a store in a temporary directory, and short words to ask it with.
 * Knows store's operations alone.  Does not know which database answers.
 * Called by test_store, which sets the row that is asked.
 * Lives in a temporary directory, within one transaction that a test may end and begin anew.
 * SPDX-License-Identifier: ISC
 */
#ifndef PH_ASKED_STORE_H
#define PH_ASKED_STORE_H

#include "room.h"
#include "store.h"

#define MAX	32

struct store_row {
	const struct ph_store_ops	*ops;
	const char			*where;
};

static const struct store_row	*row;		/* the store that is asked now */
static struct ph_store		*store;
static struct ph_fail		 wrong;
static struct ph_store_reply	 found[MAX];
static size_t			 n;

#define ask(op, ...)	must(row->ops->op(store, __VA_ARGS__, &wrong), &wrong)

static inline void
forget_found(void)
{
	for (; n > 0; n--)
		ph_store_reply_clear(&found[n - 1]);
}

static inline void
open_store(void)
{
	must(row->ops->open(row->where, &store, &wrong), &wrong);
	must(row->ops->begin(store, &wrong), &wrong);
}

static inline int
enter(void **state)
{
	wrong = (struct ph_fail)PH_FAIL_INIT;
	store = NULL;
	if (room_enter(state) != 0)
		return -1;
	if (row->ops->open(row->where, &store, &wrong) != PH_OK)
		return -1;
	return row->ops->begin(store, &wrong) == PH_OK ? 0 : -1;
}

static inline int
leave(void **state)
{
	forget_found();
	row->ops->abandon(store);
	row->ops->close(store);
	return room_leave(state);
}

static inline void
commit(void)
{
	must(row->ops->commit(store, &wrong), &wrong);
	must(row->ops->begin(store, &wrong), &wrong);
}

/* What follows comes from another life of the helper. */
static inline void
reopen(void)
{
	must(row->ops->commit(store, &wrong), &wrong);
	row->ops->close(store);
	open_store();
}

static inline enum ph_error
keep(const char *key, const char *person, int64_t *conv)
{
	struct ph_store_event	 ev = { .object = "page", .kind = "message.text", .state = "done",
		.page = BYTES("9001"), .at = 1000, .came = 2000, .body = BYTES("{}") };
	int64_t			 id = 0;
	enum ph_error		 err;

	memcpy(ev.key, key, strlen(key));
	if (person != NULL)
		ev.person = slice(person);
	err = row->ops->keep(store, &ev, &id, conv, &wrong);
	if (err == PH_OK)
		assert_true(id > 0);
	return err;
}

static inline int64_t
conversation(const char *person)
{
	int64_t	 conv = 0;

	assert_int_equal(keep(person, person, &conv), PH_OK);
	assert_true(conv > 0);
	return conv;
}

static inline void
owe(int64_t conv, int64_t due, const char *body)
{
	ask(owe, conv, 0, due, slice(body));
}

static inline size_t
claim(int64_t now, size_t max)
{
	forget_found();
	ask(claim, BYTES("9001"), now, found, max, &n);
	return n;
}

static inline size_t
flying(const char *state, int64_t before)
{
	forget_found();
	ask(flying, state, before, found, MAX, &n);
	return n;
}

static inline enum ph_error
move(const struct ph_store_reply *r, const char *state, int64_t due)
{
	const struct ph_store_move	 m = { .id = r->id, .conv = r->conv, .token = r->token,
		.state = state, .due = due, .resends = r->resends };

	return row->ops->move(store, &m, &wrong);
}

static inline int64_t
next_due(void)
{
	int64_t	 due = -1;

	ask(next_due, BYTES("9001"), &due);
	return due;
}

#endif
