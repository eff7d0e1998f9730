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

static struct ph_store_open	 waiting[MAX];
static size_t			 n_waiting;

#define ask(op, ...)	must(row->ops->op(store, __VA_ARGS__, &wrong), &wrong)

static inline void
forget_found(void)
{
	for (; n > 0; n--)
		ph_store_reply_clear(&found[n - 1]);
}

static inline void
forget_waiting(void)
{
	for (; n_waiting > 0; n_waiting--)
		ph_store_open_clear(&waiting[n_waiting - 1]);
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
	forget_waiting();
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
keep_event(const char *key, const char *person, int64_t at, bool turn, int64_t *id,
    struct ph_store_conv *conv)
{
	struct ph_store_event	 ev = { .object = "page", .kind = "message.text", .state = "done",
		.page = BYTES("9001"), .at = at, .came = 2000, .turn = turn, .body = BYTES("{}") };

	memcpy(ev.key, key, strlen(key));
	if (person != NULL)
		ev.person = slice(person);
	return row->ops->keep(store, &ev, id, conv, &wrong);
}

static inline enum ph_error
keep(const char *key, const char *person, int64_t *conv)
{
	struct ph_store_conv	 kept;
	int64_t			 id = 0;
	enum ph_error		 err = keep_event(key, person, 1000, true, &id, &kept);

	if (err == PH_OK)
		assert_true(id > 0);
	*conv = kept.id;
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

/* Answers event, as so many more said at that time; the reply's id. */
static inline int64_t
owe_for(int64_t conv, int64_t event, int64_t said_at, const char *kind, const char *body,
    int64_t *said)
{
	const struct ph_store_owed	 owed = { .conv = conv, .event = event, .due = 10, .kind = kind,
		.body = slice(body), .said_at = said_at, .window_ms = 60 };
	int64_t				 id = 0;

	ask(owe, &owed, &id, said);
	assert_true(id > 0);
	return id;
}

static inline void
owe(int64_t conv, int64_t due, const char *body)
{
	const struct ph_store_owed	 owed = { .conv = conv, .due = due, .body = slice(body) };
	int64_t				 id, said;

	ask(owe, &owed, &id, &said);
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

/* Of a reply that may go, or of an unsure one that is to be decided about: whichever is sooner. */
static inline int64_t
next_due(void)
{
	int64_t	 due = -1, unsure = -1;

	ask(next_due, BYTES("9001"), &due);
	ask(next_due, ((struct ph_slice){ NULL, 0 }), &unsure);
	return due == 0 || (unsure != 0 && unsure < due) ? unsure : due;
}

/* Events that wait. */

/* Keeps what a person said then, and puts it off; the event's id. */
static inline int64_t
wait_for(const char *key, const char *person, int64_t at, int64_t now)
{
	struct ph_store_conv	 conv;
	int64_t			 id = 0;

	assert_int_equal(keep_event(key, person, at, true, &id, &conv), PH_OK);
	ask(put_off, id, conv.id, now);
	return id;
}

static inline size_t
due_behind(int64_t now, int64_t after_due, int64_t after_id, size_t max)
{
	forget_waiting();
	ask(due, now, after_due, after_id, waiting, max, &n_waiting);
	return n_waiting;
}

static inline size_t
due_at(int64_t now)
{
	return due_behind(now, 0, 0, MAX);
}

/* Moves waiting[i] on. */
static inline enum ph_error
step(size_t i, const char *state, int64_t due, int64_t now)
{
	const struct ph_store_step	 s = { .id = waiting[i].id, .conv = waiting[i].conv.id,
		.state = state, .due = due, .tries = waiting[i].tries + 1, .why = "said so", .now = now };

	return row->ops->step(store, &s, &wrong);
}

static inline enum ph_error
step_closed(int64_t id, int64_t now)
{
	const struct ph_store_step	 s = { .id = id, .conv = waiting[0].conv.id, .state = "done",
		.now = now };

	return row->ops->step(store, &s, &wrong);
}

static inline int64_t
next_open(int64_t after)
{
	int64_t	 due = -1;

	ask(next_open, after, &due);
	return due;
}

#endif
