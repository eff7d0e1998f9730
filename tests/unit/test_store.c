/*
 * test_store -- the contract of every store, asked of each of them in turn.
 * Knows store's operations alone.  Does not know which database answers.
 * Called by make check.
 * Lives in a temporary directory; a new store is a row in stores[].
 * SPDX-License-Identifier: ISC
 */
#include <inttypes.h>

#include "asked_store.h"

static const struct store_row	 stores[] = {
	{ &ph_store_sqlite, "queue.db" },
};

TEST(an_event_is_kept_once)
{
	int64_t	 conv, again = -1;

	assert_int_equal(keep("k1", "7001", &conv), PH_OK);
	assert_int_equal(keep("k1", "7001", &again), PH_NONE);
	assert_int_equal(keep("k2", "7001", &again), PH_OK);
	assert_int_equal(conv, again);
	assert_int_equal(keep("k3", "7002", &again), PH_OK);
	assert_int_not_equal(conv, again);
	assert_int_equal(keep("k4", NULL, &again), PH_OK);
	assert_int_equal(again, 0);
	reopen();
	assert_int_equal(keep("k1", "7001", &again), PH_NONE);
	assert_int_equal(keep("k5", "7001", &again), PH_OK);
	assert_int_equal(conv, again);
}

TEST(a_claim_says_who_and_what_and_bears_a_token)
{
	static const unsigned char	 zero[PH_STORE_TOKEN_LEN];

	owe(conversation("7001"), 10, "{\"text\":\"a\"}");
	owe(conversation("7002"), 10, "{\"text\":\"b\"}");
	assert_int_equal(claim(10, MAX), 2);
	assert_int_equal(found[0].attempt, 1);
	assert_int_equal(found[0].resends, 0);
	assert_int_equal(found[0].person.len, 4);
	assert_memory_equal(found[0].body.data, "{\"text\":\"", 9);
	assert_memory_not_equal(found[0].token, zero, sizeof(zero));
	assert_memory_not_equal(found[0].token, found[1].token, sizeof(zero));
	assert_int_equal(claim(1000000, MAX), 0);	/* both are in flight */
}

TEST(tokens_come_in_the_order_of_their_claims_and_nobody_guesses_the_rest)
{
	unsigned char	 token[PH_STORE_TOKEN_LEN];
	size_t		 rest = sizeof(token) - 10;

	owe(conversation("7001"), 10, "first");
	owe(conversation("7002"), 1000, "second");
	assert_int_equal(claim(255, MAX), 1);
	memcpy(token, found[0].token, sizeof(token));
	assert_int_equal(claim(1000, MAX), 1);
	assert_true(memcmp(token, found[0].token, sizeof(token)) < 0);
	assert_memory_not_equal(token + rest, found[0].token + rest, 10);
}

TEST(one_reply_of_a_conversation_flies_and_the_next_waits_behind_it)
{
	int64_t	 conv = conversation("7001");

	owe(conv, 30, "first");
	owe(conv, 10, "second");		/* due earlier, but owed later */
	owe(conv, 20, "third");
	assert_int_equal(next_due(), 30);
	assert_int_equal(claim(29, MAX), 0);
	assert_int_equal(claim(30, MAX), 1);
	assert_string_equal(found[0].body.data, "first");
	assert_int_equal(next_due(), 0);
	owe(conv, 1, "fourth");
	assert_int_equal(next_due(), 0);
	assert_int_equal(claim(100, MAX), 0);
	assert_int_equal(flying("sending", INT64_MAX), 1);
	assert_int_equal(move(&found[0], "sent", 30), PH_OK);
	assert_int_equal(next_due(), 10);
	assert_int_equal(claim(100, MAX), 1);
	assert_string_equal(found[0].body.data, "second");
}

TEST(a_reply_put_back_keeps_its_place_and_its_token)
{
	unsigned char	 token[PH_STORE_TOKEN_LEN];
	int64_t		 conv = conversation("7001");

	owe(conv, 10, "first");
	owe(conv, 10, "second");
	assert_int_equal(claim(10, MAX), 1);
	memcpy(token, found[0].token, sizeof(token));
	assert_int_equal(move(&found[0], "ready", 500), PH_OK);
	assert_int_equal(next_due(), 500);
	assert_int_equal(claim(499, MAX), 0);	/* the second does not overtake it */
	assert_int_equal(claim(500, MAX), 1);
	assert_string_equal(found[0].body.data, "first");
	assert_int_equal(found[0].attempt, 2);
	assert_memory_equal(found[0].token, token, sizeof(token));
}

TEST(unsure_blocks_its_conversation_and_held_and_dead_do_not)
{
	static const struct { const char *state; size_t claimed; int64_t due; } rows[] = {
		{ "unsure", 0, 77 }, { "held", 1, 10 }, { "dead", 1, 10 }, { "sent", 1, 10 },
	};
	char	 person[8];
	size_t	 i;

	for (i = 0; i < COUNT_OF(rows); i++) {
		int64_t	 conv;

		snprintf(person, sizeof(person), "700%zu", i % 10);
		conv = conversation(person);
		owe(conv, 10, "first");
		owe(conv, 10, "second");
		assert_int_equal(claim(10, MAX), 1);
		assert_int_equal(move(&found[0], rows[i].state, 77), PH_OK);
		assert_int_equal(next_due(), rows[i].due);
		assert_int_equal(claim(100, MAX), rows[i].claimed);
		row->ops->abandon(store);
		must(row->ops->begin(store, &wrong), &wrong);
	}
}

TEST(an_unsure_reply_takes_nobodys_turn)
{
	owe(conversation("7001"), 10, "unsure");
	owe(conversation("7002"), 30, "another's");
	assert_int_equal(claim(10, 1), 1);
	assert_int_equal(move(&found[0], "unsure", 20), PH_OK);
	assert_int_equal(claim(100, 1), 1);
	assert_string_equal(found[0].body.data, "another's");
}

TEST(only_heads_that_are_due_and_the_oldest_of_them)
{
	static const int64_t	 dues[] = { 50, 10, 30, 20, 60, 40 };
	char			 person[8];
	size_t			 i;

	for (i = 0; i < COUNT_OF(dues); i++) {
		snprintf(person, sizeof(person), "70%02zu", i % 100);
		owe(conversation(person), dues[i], person);
	}
	assert_int_equal(next_due(), 10);
	assert_int_equal(claim(55, 2), 2);	/* 10 and 20, in whatever order */
	for (i = 0; i < n; i++)
		assert_true(strcmp(found[i].body.data, "7001") == 0 ||
		    strcmp(found[i].body.data, "7003") == 0);
	assert_int_equal(next_due(), 30);
	assert_int_equal(claim(55, MAX), 3);
	assert_int_equal(next_due(), 60);
	assert_int_equal(claim(59, MAX), 0);
}

TEST(pages_do_not_meet)
{
	int64_t	 due = -1;

	owe(conversation("7001"), 10, "x");
	ask(claim, BYTES("9002"), 100, found, MAX, &n);
	assert_int_equal(n, 0);
	ask(next_due, BYTES("9002"), &due);
	assert_int_equal(due, 0);
	ask(next_due, ((struct ph_slice){ NULL, 0 }), &due);
	assert_int_equal(due, 0);
	assert_int_equal(claim(100, MAX), 1);
}

static int64_t
conversation_on(const char *page)
{
	struct ph_store_conv	 conv;

	ask(find, slice(page), BYTES("7001"), true, &conv);
	return conv.id;
}

TEST(the_pages_of_which_replies_wait_are_told_one_by_one)
{
	static const struct { const char *page; int64_t due; } rows[] = { { "9001", 10 }, { "9003", 5 } };
	struct ph_buffer	 page = PH_BUFFER_INIT;
	int64_t			 due = -1;
	size_t			 i;

	owe(conversation_on("9003"), 5, "x");
	owe(conversation_on("9001"), 10, "x");
	owe(conversation("7002"), 20, "x");	/* of the same Page, later */
	owe(conversation_on("9002"), 1, "in flight");
	ask(claim, BYTES("9002"), 1, found, MAX, &n);
	for (i = 0; i < COUNT_OF(rows); i++) {
		ask(next_page, &page, &due);
		assert_string_equal(page.data, rows[i].page);
		assert_int_equal(due, rows[i].due);
	}
	assert_int_equal(row->ops->next_page(store, &page, &due, &wrong), PH_NONE);
	ph_buffer_clear(&page);
}

TEST(a_wrong_token_moves_nothing)
{
	const struct ph_store_move	 by_hand = { .state = "sent" };
	struct ph_store_move		 m = by_hand;
	struct ph_store_reply		 other;

	owe(conversation("7001"), 10, "x");
	assert_int_equal(claim(10, MAX), 1);
	other = found[0];
	other.token[0] ^= 1;
	assert_int_equal(move(&other, "sent", 0), PH_NONE);
	assert_int_equal(flying("sending", INT64_MAX), 1);
	m.id = found[0].id;
	m.conv = found[0].conv;
	assert_int_equal(row->ops->move(store, &m, &wrong), PH_OK);	/* any token */
	assert_int_equal(row->ops->move(store, &m, &wrong), PH_NONE);	/* it is sent */
	assert_int_equal(move(&found[0], "ready", 0), PH_NONE);
	assert_int_equal(claim(100, MAX), 0);
}

TEST(what_is_due_beyond_a_limit_becomes_due_now)
{
	int64_t	 far = conversation("7001");

	owe(far, 9000, "first");
	owe(far, 9000, "second");
	owe(conversation("7002"), 2000, "at the limit");
	ask(advance, 2000, 50);
	assert_int_equal(next_due(), 50);
	assert_int_equal(claim(49, MAX), 0);
	assert_int_equal(claim(50, MAX), 1);
	assert_string_equal(found[0].body.data, "first");
	assert_int_equal(next_due(), 2000);
	assert_int_equal(move(&found[0], "sent", 0), PH_OK);
	assert_int_equal(next_due(), 50);	/* what waited behind it was moved, too */
	assert_int_equal(claim(50, MAX), 1);
	assert_string_equal(found[0].body.data, "second");
	ask(advance, 2000, 60);			/* nothing is beyond it any more */
	assert_int_equal(next_due(), 2000);
}

TEST(what_is_unsure_beyond_a_limit_is_looked_at_now)
{
	owe(conversation("7001"), 10, "x");
	owe(conversation("7002"), 10, "y");
	assert_int_equal(claim(10, MAX), 2);
	assert_int_equal(move(&found[0], "unsure", 9000), PH_OK);
	assert_int_equal(move(&found[1], "unsure", 2000), PH_OK);
	ask(advance, 2000, 50);
	assert_int_equal(next_due(), 50);
	assert_int_equal(flying("unsure", 49), 0);
	assert_int_equal(flying("unsure", 50), 1);
	assert_int_equal(move(&found[0], "ready", 50), PH_OK);
	assert_int_equal(claim(50, MAX), 1);
	assert_int_equal(next_due(), 2000);
}

TEST(what_flies_is_found_by_state_and_time)
{
	owe(conversation("7001"), 10, "a");
	owe(conversation("7002"), 20, "b");
	assert_int_equal(claim(20, MAX), 2);
	found[0].resends = 1;
	assert_int_equal(move(&found[0], "unsure", 300), PH_OK);
	assert_int_equal(next_due(), 300);
	assert_int_equal(flying("sending", INT64_MAX), 1);
	assert_int_equal(found[0].attempt, 1);
	assert_int_equal(flying("unsure", 299), 0);
	assert_int_equal(flying("unsure", 300), 1);
	assert_int_equal(found[0].resends, 1);
	assert_int_equal(move(&found[0], "ready", 5), PH_OK);
	assert_int_equal(next_due(), 5);
	assert_int_equal(flying("unsure", INT64_MAX), 0);
}

TEST(what_was_abandoned_did_not_happen)
{
	int64_t	 conv = conversation("7001"), again;

	owe(conv, 10, "kept");
	commit();
	assert_int_equal(keep("k1", "7001", &again), PH_OK);
	owe(conv, 10, "undone");
	assert_int_equal(claim(10, MAX), 1);
	row->ops->abandon(store);
	row->ops->abandon(store);		/* again is harmless */
	must(row->ops->begin(store, &wrong), &wrong);
	assert_int_equal(keep("k1", "7001", &again), PH_OK);
	assert_int_equal(claim(10, MAX), 1);
	assert_int_equal(found[0].attempt, 1);
	assert_string_equal(found[0].body.data, "kept");
	assert_int_equal(move(&found[0], "sent", 0), PH_OK);
	assert_int_equal(claim(10, MAX), 0);
}

TEST(what_was_committed_survives)
{
	owe(conversation("7001"), 10, "a");
	owe(conversation("7002"), 10, "b");
	commit();
	assert_int_equal(claim(10, 1), 1);
	reopen();
	assert_int_equal(flying("sending", INT64_MAX), 1);
	assert_int_equal(next_due(), 10);
	assert_int_equal(claim(10, MAX), 1);
}

TEST(what_was_not_committed_does_not)
{
	int64_t	 conv;

	conversation("7001");
	row->ops->close(store);			/* as the kernel does for a helper that died */
	open_store();
	assert_int_equal(keep("7001", "7001", &conv), PH_OK);
}

TEST(a_page_is_paused_for_a_reason)
{
	ask(pause, BYTES("9001"), "no token", 0);
	assert_int_equal(row->ops->pause(store, BYTES("9001"), "no token", 0, &wrong), PH_NONE);
	ask(pause, BYTES("9001"), "token expired", 0);
	reopen();
	assert_int_equal(row->ops->pause(store, BYTES("9001"), "token expired", 0, &wrong), PH_NONE);
	ask(pause, BYTES("9002"), "token expired", 0);
	ask(pause, BYTES("9001"), NULL, 0);
	ask(pause, BYTES("9001"), "token expired", 0);
}

TEST(bytes_are_kept_as_they_are)
{
	struct ph_store_event	 ev = { .key = "k", .object = "page", .kind = "message.text",
		.state = "done", .page = BYTES("9001"), .person = BYTES("a\0'b"),
		.body = BYTES("\0\xff") };
	struct ph_store_owed	 owed = { .due = 10, .body = BYTES("{\"\0\xff'\"}") };
	struct ph_store_conv	 conv;
	int64_t			 said;

	ask(keep, &ev, &owed.event, &conv);
	owed.conv = conv.id;
	ask(owe, &owed, &owed.event, &said);
	reopen();
	assert_int_equal(claim(10, MAX), 1);
	assert_int_equal(found[0].person.len, 4);
	assert_memory_equal(found[0].person.data, "a\0'b", 4);
	assert_int_equal(found[0].body.len, 7);
	assert_memory_equal(found[0].body.data, "{\"\0\xff'\"}", 7);
}

TEST(an_echo_settles_a_reply_whatever_it_was)
{
	unsigned char	 other[PH_STORE_TOKEN_LEN] = { 1 };
	int64_t		 conv = conversation("7001"), id = 0, left_at = -1;
	bool		 moved = false;

	owe(conv, 10, "a");
	owe(conv, 10, "b");
	assert_int_equal(claim(15, MAX), 1);
	assert_int_equal(row->ops->confirm(store, other, slice("m_1"), &id, &left_at, &moved, &wrong),
	    PH_NONE);
	ask(confirm, found[0].token, slice("m_1"), &id, &left_at, &moved);
	assert_int_equal(id, found[0].id);
	assert_int_equal(left_at, 15);
	assert_true(moved);
	ask(confirm, found[0].token, slice("m_2"), &id, &left_at, &moved);
	assert_int_equal(left_at, 15);
	assert_false(moved);
	assert_int_equal(claim(15, MAX), 1);		/* nothing holds the next one back */
}

TEST(notes_and_housekeeping_lose_nothing)
{
	owe(conversation("7001"), 10, "a");
	ask(note, "started", 5);
	ask(note, "started", 6);
	must(row->ops->commit(store, &wrong), &wrong);
	must(row->ops->tidy(store, false, &wrong), &wrong);
	must(row->ops->tidy(store, true, &wrong), &wrong);
	must(row->ops->tidy(store, true, &wrong), &wrong);
	must(row->ops->begin(store, &wrong), &wrong);
	assert_int_equal(claim(10, MAX), 1);
}

/* Events that wait. */

TEST(what_waits_goes_in_the_order_it_happened_and_one_at_a_time)
{
	static const int64_t	 at[] = { 300, 100, 100, 200 };	/* of the same time: as they came */
	static const size_t	 order[] = { 1, 2, 3, 0 };
	static const char *const keys[] = { "a", "b", "c", "d" };
	int64_t			 ids[COUNT_OF(at)], now = 5000;
	size_t			 i;

	for (i = 0; i < COUNT_OF(at); i++)
		ids[i] = wait_for(keys[i], "7001", at[i], now);
	for (i = 0; i < COUNT_OF(at); i++, now++) {
		assert_int_equal(due_at(now), 1);
		assert_int_equal(waiting[0].id, ids[order[i]]);
		assert_int_equal(waiting[0].at, at[order[i]]);
		assert_int_equal(step(0, "asked", 0, now), PH_OK);
		assert_int_equal(due_at(now), 0);	/* nothing overtakes what is asked */
		assert_int_equal(step_closed(ids[order[i]], now + 1), PH_OK);
	}
	assert_int_equal(due_at(now + 1000), 0);
	assert_int_equal(next_open(0), 0);
}

TEST(an_event_that_waits_says_all_that_thinking_needs)
{
	struct ph_store_conv	 conv;
	int64_t			 first = 0, id;

	assert_int_equal(keep_event("a", "7001", 100, true, &first, &conv), PH_OK);
	ask(silence, conv.id, 90);
	id = wait_for("b", "7001", 200, 5000);
	assert_int_equal(due_at(4999), 0);
	assert_int_equal(due_at(5000), 1);
	assert_int_equal(waiting[0].id, id);
	assert_int_equal(waiting[0].at, 200);
	assert_int_equal(waiting[0].due, 5000);
	assert_int_equal(waiting[0].tries, 0);
	assert_int_equal(waiting[0].conv.id, conv.id);
	assert_int_equal(waiting[0].conv.first, first);
	assert_int_equal(waiting[0].conv.silent_until, 90);
	assert_int_equal(waiting[0].conv.turn_at, 200);
	assert_string_equal(waiting[0].page.data, "9001");
	assert_string_equal(waiting[0].person.data, "7001");
	assert_string_equal(waiting[0].body.data, "{}");
}

TEST(an_event_that_comes_late_goes_before_what_happened_after_it)
{
	int64_t	 soon = wait_for("a", "7001", 200, 5000), late = wait_for("b", "7001", 100, 5010);

	assert_int_equal(due_at(5020), 1);
	assert_int_equal(waiting[0].id, late);
	assert_int_equal(step(0, "done", 0, 5030), PH_OK);
	assert_int_equal(due_at(5030), 1);
	assert_int_equal(waiting[0].id, soon);
}

TEST(an_event_that_is_closed_wakes_the_next)
{
	(void)wait_for("a", "7001", 100, 5000);
	(void)wait_for("b", "7001", 200, 5000);
	assert_int_equal(due_at(5000), 1);
	assert_int_equal(step(0, "done", 0, 6000), PH_OK);
	assert_int_equal(due_at(5999), 0);
	assert_int_equal(next_open(5999), 6000);
	assert_int_equal(due_at(6000), 1);
	assert_int_equal(waiting[0].at, 200);
	assert_int_equal(step(0, "dead", 0, 7000), PH_OK);
	assert_int_equal(next_open(0), 0);
}

TEST(what_is_asked_is_closed_though_an_earlier_event_came_late)
{
	int64_t	 soon = wait_for("a", "7001", 200, 5000), late;

	assert_int_equal(due_at(5000), 1);
	assert_int_equal(step(0, "asked", 0, 5000), PH_OK);
	late = wait_for("b", "7001", 100, 5010);
	assert_int_equal(due_at(5010), 1);
	assert_int_equal(waiting[0].id, late);
	assert_int_equal(step_closed(soon, 5020), PH_OK);
	assert_int_equal(due_at(5020), 1);
	assert_int_equal(waiting[0].id, late);
}

TEST(conversations_do_not_wait_for_each_other_and_all_are_reached)
{
	char	 key[8], person[8];
	int64_t	 due = 0, id = 0;
	size_t	 i, seen = 0;

	for (i = 0; i < 40; i++) {		/* two of each: the second is behind the first */
		snprintf(key, sizeof(key), "k%zu", i % 100);
		snprintf(person, sizeof(person), "70%02zu", i / 2);
		(void)wait_for(key, person, (int64_t)(100 + i), (int64_t)(5000 - i / 4));
	}
	while (due_behind(6000, due, id, 7) > 0) {
		for (i = 0; i < n_waiting; i++) {
			assert_true(waiting[i].due > due || (waiting[i].due == due && waiting[i].id > id));
			due = waiting[i].due;
			id = waiting[i].id;
		}
		seen += n_waiting;
	}
	assert_int_equal(seen, 20);
	assert_int_equal(due_behind(4992, 0, 0, MAX), 4);	/* due then, and not a ms later */
}

TEST(an_event_put_back_waits_and_blocks_its_conversation)
{
	int64_t	 first = wait_for("a", "7001", 100, 5000);

	(void)wait_for("b", "7001", 200, 5000);
	assert_int_equal(due_at(5000), 1);
	assert_int_equal(step(0, "kept", 9000, 5000), PH_OK);
	assert_int_equal(due_at(8999), 0);
	assert_int_equal(next_open(5000), 9000);
	assert_int_equal(next_open(9000), 0);
	assert_int_equal(due_at(9000), 1);
	assert_int_equal(waiting[0].id, first);
	assert_int_equal(waiting[0].tries, 1);
}

TEST(a_conversation_is_open_while_one_of_its_events_is)
{
	struct ph_store_conv	 conv;
	int64_t			 id = 0;
	bool			 open = true;

	assert_int_equal(keep_event("a", "7001", 100, true, &id, &conv), PH_OK);
	ask(is_open, conv.id, &open);
	assert_false(open);
	ask(put_off, id, conv.id, 5000);
	ask(is_open, conv.id, &open);
	assert_true(open);
	assert_int_equal(due_at(5000), 1);
	assert_int_equal(step(0, "asked", 0, 5000), PH_OK);
	ask(is_open, conv.id, &open);
	assert_true(open);
	assert_int_equal(step(0, "dead", 0, 5000), PH_OK);
	ask(is_open, conv.id, &open);
	assert_false(open);
	assert_int_equal(step(0, "done", 0, 5000), PH_NONE);	/* closed is closed */
	assert_int_equal(step(0, "kept", 1, 5000), PH_NONE);
	assert_int_equal(due_at(9000), 0);
}

TEST(what_was_asked_in_another_life_is_due_again)
{
	int64_t	 n_open = -1, asked = wait_for("a", "7001", 100, 5000);

	(void)wait_for("b", "7001", 200, 5000);
	(void)wait_for("c", "7002", 100, 5000);
	assert_int_equal(due_at(5000), 2);
	assert_int_equal(waiting[0].id, asked);
	assert_int_equal(step(0, "asked", 0, 5000), PH_OK);
	assert_int_equal(step(1, "kept", 9000, 5000), PH_OK);
	reopen();
	ask(reopen, 6000, &n_open);
	assert_int_equal(n_open, 3);
	assert_int_equal(due_at(6000), 1);	/* the other was put back, and waits on */
	assert_int_equal(waiting[0].id, asked);
	assert_int_equal(waiting[0].tries, 1);
}

TEST(an_event_due_beyond_a_limit_becomes_due_now)
{
	(void)wait_for("a", "7001", 100, 9000);
	(void)wait_for("b", "7002", 100, 2000);
	ask(advance, 2000, 50);
	assert_int_equal(next_open(0), 50);
	assert_int_equal(due_at(50), 1);
	assert_int_equal(next_open(50), 2000);
}

/* Conversations. */

TEST(a_conversation_is_found_or_made)
{
	struct ph_store_conv	 conv, again;

	assert_int_equal(row->ops->find(store, BYTES("9001"), BYTES("7001"), false, &conv, &wrong),
	    PH_NONE);
	ask(find, BYTES("9001"), BYTES("7001"), true, &conv);
	assert_true(conv.id > 0);
	assert_int_equal(conv.first, 0);
	assert_int_equal(conv.silent_until, 0);
	assert_int_equal(conv.turn_at, 0);
	assert_false(conv.foreign);
	ask(find, BYTES("9001"), BYTES("7001"), false, &again);
	assert_int_equal(conv.id, again.id);
	ask(find, BYTES("9001"), BYTES("7001"), true, &again);
	assert_int_equal(conv.id, again.id);
	assert_int_equal(row->ops->find(store, BYTES("9002"), BYTES("7001"), false, &conv, &wrong),
	    PH_NONE);
	assert_int_equal(conversation("7001"), again.id);
}

TEST(a_person_has_one_first_turn_and_a_newest)
{
	struct ph_store_conv	 conv;
	int64_t			 first = 0, id = 0;

	ask(find, BYTES("9001"), BYTES("7001"), true, &conv);	/* spoken to before a word of theirs */
	assert_int_equal(keep_event("a", "7001", 100, false, &id, &conv), PH_OK);
	assert_int_equal(conv.first, 0);
	assert_int_equal(conv.turn_at, 0);
	assert_int_equal(keep_event("b", "7001", 300, true, &first, &conv), PH_OK);
	assert_int_equal(conv.first, first);
	assert_int_equal(conv.turn_at, 300);
	assert_int_equal(keep_event("c", "7001", 200, true, &id, &conv), PH_OK);
	assert_int_equal(conv.first, first);
	assert_int_equal(conv.turn_at, 300);		/* an older one came late */
	assert_int_equal(keep_event("d", "7001", 400, false, &id, &conv), PH_OK);
	assert_int_equal(conv.turn_at, 300);
	reopen();
	ask(find, BYTES("9001"), BYTES("7001"), false, &conv);
	assert_int_equal(conv.first, first);
	assert_int_equal(conv.turn_at, 300);
	assert_int_equal(keep_event("e", "7002", 500, true, &id, &conv), PH_OK);
	assert_int_equal(conv.first, id);
	assert_int_equal(conv.turn_at, 500);
}

TEST(silence_lasts_and_ends)
{
	int64_t			 conv = conversation("7001"), other = conversation("7002"), until = -1;
	struct ph_store_conv	 found_conv;

	ask(silent_until, conv, &until);
	assert_int_equal(until, 0);
	ask(silence, conv, INT64_MAX);
	reopen();
	ask(silent_until, conv, &until);
	assert_true(until == INT64_MAX);
	ask(find, BYTES("9001"), BYTES("7001"), false, &found_conv);
	assert_true(found_conv.silent_until == INT64_MAX);
	ask(silent_until, other, &until);
	assert_int_equal(until, 0);
	ask(silence, conv, 0);
	ask(silent_until, conv, &until);
	assert_int_equal(until, 0);
	ask(silent_until, 4711, &until);		/* nobody's */
	assert_int_equal(until, 0);
}

TEST(a_persons_name_is_known_once_it_was_set)
{
	struct ph_store_person	 person = { .asked_at = -1 };
	int64_t			 conv = conversation("7001");

	ask(person, conv, &person);
	assert_int_equal(person.asked_at, 0);
	assert_int_equal(person.first_name.len, 0);
	ask(set_person, conv, BYTES("Zo\xc3\xab"), BYTES("O'Neil"), 5000);
	reopen();
	ask(person, conv, &person);
	assert_int_equal(person.asked_at, 5000);
	assert_string_equal(person.first_name.data, "Zo\xc3\xab");
	assert_string_equal(person.last_name.data, "O'Neil");
	ph_store_person_clear(&person);
	ask(set_person, conv, BYTES(""), ((struct ph_slice){ NULL, 0 }), 6000);
	ask(person, conv, &person);
	assert_int_equal(person.asked_at, 6000);
	assert_string_equal(person.first_name.data, "Zo\xc3\xab");	/* not to be had is not lost */
	assert_string_equal(person.last_name.data, "O'Neil");
	ph_store_person_clear(&person);
}

/* Replies. */

TEST(what_is_said_is_counted_from_the_first_in_a_window_on)
{
	static const struct { int64_t at, said; } rows[] = {
		{ 1000, 1 }, { 1000, 2 }, { 1059, 3 },		/* the window is 60 long */
		{ 999, 3 },					/* before it began: not counted */
		{ 0, 3 },					/* by hand: neither */
		{ 1060, 1 }, { 1119, 2 }, { 1000, 2 }, { 1120, 1 }, { 9000, 1 },
	};
	int64_t	 conv = conversation("7001"), other = conversation("7002"), said = 0;
	size_t	 i;

	for (i = 0; i < COUNT_OF(rows); i++) {
		(void)owe_for(conv, 1, rows[i].at, NULL, "x", &said);
		assert_int_equal(said, rows[i].said);
		(void)owe_for(other, 1, (int64_t)(1 + i), NULL, "y", &said);
		assert_int_equal(said, i + 1);
	}
}

TEST(what_is_held_is_not_claimed_and_holds_up_nobody)
{
	int64_t	 conv = conversation("7001"), said, first, second;

	first = owe_for(conv, 1, 0, NULL, "first", &said);
	second = owe_for(conv, 1, 0, NULL, "second", &said);
	ask(hold, first, conv, "too many");
	assert_int_equal(next_due(), 10);
	assert_int_equal(claim(10, MAX), 1);
	assert_int_equal(found[0].id, second);
	ask(hold, second, conv, "too late");		/* it is on its way */
	assert_int_equal(flying("sending", INT64_MAX), 1);
	assert_int_equal(move(&found[0], "sent", 0), PH_OK);
	assert_int_equal(claim(100, MAX), 0);
	assert_int_equal(next_due(), 0);
}

TEST(the_rest_of_an_answer_can_be_dropped)
{
	struct ph_store_told	 told;
	int64_t			 conv = conversation("7001"), said, first, rest, before, gone;

	before = owe_for(conv, 7, 0, NULL, "before", &said);
	first = owe_for(conv, 7, 0, NULL, "first", &said);
	rest = owe_for(conv, 7, 0, NULL, "rest", &said);
	(void)owe_for(conv, 8, 0, NULL, "of another event", &said);
	assert_int_equal(claim(10, MAX), 1);
	assert_int_equal(found[0].id, before);
	assert_int_equal(move(&found[0], "sent", 0), PH_OK);
	assert_int_equal(claim(10, MAX), 1);
	assert_int_equal(found[0].id, first);
	assert_int_equal(move(&found[0], "dead", 0), PH_OK);
	ask(drop_rest, &found[0], "refused before", &gone);
	assert_int_equal(gone, 1);
	ask(tell, rest, &told);
	assert_string_equal(told.state, "dead");
	assert_string_equal(told.why, "refused before");
	ask(tell, before, &told);
	assert_string_equal(told.state, "sent");
	assert_int_equal(claim(10, MAX), 1);
	assert_string_equal(found[0].body.data, "of another event");
}

TEST(the_rest_of_an_answer_is_words_and_not_what_is_of_another_kind)
{
	int64_t	 conv = conversation("7001"), said, gone;

	(void)owe_for(conv, 7, 0, NULL, "first", &said);
	(void)owe_for(conv, 7, 0, NULL, "rest", &said);
	(void)owe_for(conv, 7, 0, "pass_thread_control", "{}", &said);
	assert_int_equal(claim(10, MAX), 1);
	assert_int_equal(move(&found[0], "dead", 0), PH_OK);
	ask(drop_rest, &found[0], "refused before", &gone);
	assert_int_equal(gone, 1);
	assert_int_equal(claim(10, MAX), 1);
	assert_string_equal(found[0].kind, "pass_thread_control");
}

TEST(a_claim_says_which_event_it_answers_and_its_kind)
{
	int64_t	 said, event = 0;

	ask(owe, (&(struct ph_store_owed){ .conv = conversation("7001"), .due = 10, .kind = "update",
	    .body = BYTES("x") }), &event, &said);
	(void)owe_for(conversation("7002"), 77, 0, NULL, "y", &said);
	assert_int_equal(claim(10, MAX), 2);
	if (found[0].event == 0) {
		assert_string_equal(found[0].kind, "update");
		assert_int_equal(found[1].event, 77);
		assert_string_equal(found[1].kind, "");
	} else {
		assert_string_equal(found[1].kind, "update");
		assert_int_equal(found[0].event, 77);
		assert_string_equal(found[0].kind, "");
	}
}

TEST(what_became_of_a_reply_is_told)
{
	struct ph_store_move	 m = { .state = "dead", .mid = "m_1", .why = "refused", .code = 10 };
	struct ph_store_told	 told;
	int64_t			 said, id = owe_for(conversation("7001"), 1, 0, NULL, "x", &said);

	ask(tell, id, &told);
	assert_string_equal(told.state, "ready");
	assert_string_equal(told.mid, "");
	assert_string_equal(told.why, "");
	assert_int_equal(told.code, 0);
	assert_int_equal(claim(10, MAX), 1);
	m.id = found[0].id;
	m.conv = found[0].conv;
	ask(move, &m);
	ask(tell, id, &told);
	assert_string_equal(told.state, "dead");
	assert_string_equal(told.mid, "m_1");
	assert_string_equal(told.why, "refused");
	assert_int_equal(told.code, 10);
	assert_int_equal(row->ops->tell(store, id + 1, &told, &wrong), PH_NONE);
}

/* An operator's word. */

static enum ph_error
steer(enum ph_store_order order, int64_t id, bool unsure)
{
	const struct ph_store_steer	 s = { .order = order, .id = id, .now = 500, .unsure = unsure };

	return row->ops->steer(store, &s, &wrong);
}

static const char *
state_of(int64_t id)
{
	static struct ph_store_told	 told;

	return row->ops->tell(store, id, &told, &wrong) == PH_OK ? told.state : "gone";
}

TEST(a_word_on_a_reply_does_what_it_says_and_only_where_it_applies)
{
	static const struct { const char *state, *after[4]; } rows[] = {	/* retry drop hold release */
		{ "ready", { NULL, "dead", "held", NULL } }, { "sending", { NULL, NULL, NULL, NULL } },
		{ "unsure", { "ready", "dead", NULL, NULL } }, { "held", { "ready", "dead", NULL, "ready" } },
		{ "dead", { "ready", "gone", NULL, NULL } }, { "sent", { NULL, NULL, NULL, NULL } },
	};
	int64_t	 said, id;
	size_t	 i, k;
	char	 who[16];

	for (i = 0; i < COUNT_OF(rows); i++)
		for (k = 0; k < 4; k++) {
			snprintf(who, sizeof(who), "7%zu%zu", i, k);
			id = owe_for(conversation(who), 1, 0, NULL, "x", &said);
			assert_int_equal(claim(10, MAX), 1);
			if (strcmp(rows[i].state, "sending") != 0)
				assert_int_equal(move(&found[0], rows[i].state, 9000), PH_OK);
			assert_int_equal(steer((enum ph_store_order)k, id, true),
			    rows[i].after[k] != NULL ? PH_OK : PH_NONE);
			assert_string_equal(state_of(id), rows[i].after[k] != NULL ? rows[i].after[k] :
			    rows[i].state);
			assert_int_equal(claim(500, MAX), strcmp(state_of(id), "ready") == 0 &&
			    rows[i].after[k] != NULL);
		}
	assert_int_equal(steer(PH_STORE_DROP, 9999, true), PH_NONE);
}

TEST(what_is_unsure_must_be_meant)
{
	int64_t	 said, id = owe_for(conversation("7001"), 1, 0, NULL, "x", &said);

	assert_int_equal(claim(10, MAX), 1);
	assert_int_equal(move(&found[0], "unsure", 9000), PH_OK);
	assert_int_equal(steer(PH_STORE_RETRY, id, false), PH_NONE);
	assert_int_equal(steer(PH_STORE_DROP, id, false), PH_NONE);
	assert_int_equal(steer(PH_STORE_RETRY, id, true), PH_OK);
	assert_int_equal(claim(500, MAX), 1);
	assert_int_equal(found[0].resends, 1);	/* it may arrive twice */
}

TEST(what_was_unsure_once_must_be_meant_whatever_it_is_now)
{
	const char	*after[] = { "held", "dead" };
	int64_t		 said, id;
	size_t		 i;

	for (i = 0; i < COUNT_OF(after); i++) {
		id = owe_for(conversation(after[i]), 1, 0, NULL, "x", &said);
		assert_int_equal(claim(10, MAX), 1);
		assert_int_equal(move(&found[0], "unsure", 9000), PH_OK);
		assert_int_equal(move(&found[0], after[i], 9000), PH_OK);
		assert_int_equal(steer(PH_STORE_RETRY, id, false), PH_NONE);
		assert_int_equal(steer(PH_STORE_RELEASE, id, false), PH_NONE);
		assert_int_equal(steer(i == 0 ? PH_STORE_RELEASE : PH_STORE_RETRY, id, true), PH_OK);
		assert_int_equal(claim(500, MAX), 1);
		assert_int_equal(found[0].resends, 1);
	}
}

TEST(a_retried_reply_goes_before_what_was_owed_later)
{
	int64_t	 said, conv = conversation("7001"), id = owe_for(conv, 1, 0, NULL, "first", &said);

	assert_int_equal(claim(10, MAX), 1);
	assert_int_equal(move(&found[0], "dead", 10), PH_OK);
	owe(conv, 400, "second");
	assert_int_equal(steer(PH_STORE_RETRY, id, false), PH_OK);
	assert_int_equal(claim(500, MAX), 1);
	assert_string_equal(found[0].body.data, "first");
	assert_int_equal(found[0].retries, 0);
}

/* Two at once would arrive in any order, and nothing may overtake what may come back. */
TEST(a_retried_reply_waits_for_what_was_owed_later_and_is_under_way)
{
	static const char *const	 states[] = { "sending", "unsure" };
	struct ph_store_reply		 later;
	int64_t				 said, conv, id;
	size_t				 i;

	for (i = 0; i < COUNT_OF(states); i++) {
		conv = conversation(states[i]);
		id = owe_for(conv, 1, 0, NULL, "first", &said);
		assert_int_equal(claim(10, MAX), 1);
		assert_int_equal(move(&found[0], "dead", 10), PH_OK);
		owe(conv, 10, "second");
		owe(conv, 10, "third");
		assert_int_equal(claim(10, MAX), 1);
		if (strcmp(states[i], "unsure") == 0)
			assert_int_equal(move(&found[0], "unsure", 9000), PH_OK);
		later = found[0];
		assert_int_equal(steer(PH_STORE_RETRY, id, false), PH_OK);
		assert_int_equal(next_due(), i == 0 ? 0 : 9000);
		assert_int_equal(claim(500, MAX), 0);
		assert_int_equal(steer(PH_STORE_HOLD, id, false), PH_OK);
		assert_int_equal(steer(PH_STORE_RELEASE, id, false), PH_OK);
		assert_int_equal(claim(500, MAX), 0);
		assert_int_equal(move(&later, "sent", 500), PH_OK);
		assert_int_equal(claim(500, MAX), 1);
		assert_int_equal(found[0].id, id);
	}
}

static enum ph_error
steer_event(enum ph_store_order order, int64_t id, int *opened)
{
	const struct ph_store_steer	 s = { .order = order, .id = id, .now = 500 };

	*opened = 77;
	return row->ops->steer_event(store, &s, opened, &wrong);
}

static const char *
event_state(int64_t id)
{
	static struct ph_store_told	 told;

	return row->ops->tell_event(store, id, &told, &wrong) == PH_OK ? told.state : "gone";
}

TEST(a_dead_event_is_thought_about_again_before_what_happened_later)
{
	int64_t	 first = wait_for("k1", "7001", 100, 10);
	int	 opened;

	assert_int_equal(due_at(10), 1);
	assert_int_equal(step(0, "dead", 0, 20), PH_OK);
	assert_int_not_equal(wait_for("k2", "7001", 200, 30), first);
	assert_int_equal(steer_event(PH_STORE_RETRY, first, &opened), PH_OK);
	assert_int_equal(opened, 1);
	assert_string_equal(event_state(first), "kept");
	assert_int_equal(due_at(499), 0);	/* the later one waits behind it */
	assert_int_equal(due_at(500), 1);
	assert_int_equal(waiting[0].id, first);
	assert_int_equal(waiting[0].tries, 0);
	assert_int_equal(steer_event(PH_STORE_RETRY, first, &opened), PH_NONE);
	assert_int_equal(opened, 0);
}

TEST(a_dropped_event_wakes_the_next_and_is_over_when_it_is_dropped_again)
{
	int64_t	 first = wait_for("k1", "7001", 100, 10), second = wait_for("k2", "7001", 200, 10);
	int	 opened;

	assert_int_equal(steer_event(PH_STORE_HOLD, first, &opened), PH_NONE);
	assert_int_equal(steer_event(PH_STORE_RELEASE, first, &opened), PH_NONE);
	assert_int_equal(steer_event(PH_STORE_DROP, first, &opened), PH_OK);
	assert_int_equal(opened, -1);
	assert_string_equal(event_state(first), "dead");
	assert_int_equal(due_at(500), 1);
	assert_int_equal(waiting[0].id, second);
	assert_int_equal(steer_event(PH_STORE_DROP, first, &opened), PH_OK);
	assert_int_equal(opened, 0);
	assert_string_equal(event_state(first), "done");
	assert_int_equal(steer_event(PH_STORE_DROP, first, &opened), PH_NONE);
}

TEST(an_event_of_nobody_has_nothing_to_be_thought)
{
	struct ph_store_event	 ev = { .object = "unknown", .kind = "unreadable", .state = "dead",
		.why = "no JSON", .page = BYTES(""), .body = BYTES("[") };
	struct ph_store_told	 told;
	struct ph_store_conv	 conv;
	int64_t			 id;
	int			 opened;

	ask(keep, &ev, &id, &conv);
	assert_int_equal(steer_event(PH_STORE_RETRY, id, &opened), PH_NONE);
	ask(tell_event, id, &told);
	assert_string_equal(told.state, "dead");
	assert_string_equal(told.why, "no JSON");
	assert_true(told.nobodys);
	assert_int_equal(steer_event(PH_STORE_DROP, id, &opened), PH_OK);
	assert_int_equal(opened, 0);
}

/* Pages, threads, notes. */

TEST(a_pause_says_until_when)
{
	int64_t	 until = -1;

	assert_int_equal(row->ops->paused(store, BYTES("9001"), &until, &wrong), PH_NONE);
	ask(pause, BYTES("9001"), "restricted", 5000);
	assert_int_equal(row->ops->pause(store, BYTES("9001"), "restricted", 5000, &wrong), PH_NONE);
	ask(pause, BYTES("9001"), "restricted", 9000);	/* the same for longer is news */
	reopen();
	ask(paused, BYTES("9001"), &until);
	assert_int_equal(until, 9000);
	ask(pause, BYTES("9001"), "token expired", 0);
	ask(paused, BYTES("9001"), &until);
	assert_int_equal(until, 0);
	assert_int_equal(row->ops->paused(store, BYTES("9002"), &until, &wrong), PH_NONE);
	ask(pause, BYTES("9001"), NULL, 0);
	assert_int_equal(row->ops->pause(store, BYTES("9001"), NULL, 0, &wrong), PH_NONE);
	assert_int_equal(row->ops->paused(store, BYTES("9001"), &until, &wrong), PH_NONE);
}

/* Takes names into a text; "stop" ends it. */
static enum ph_error
take_name(void *arg, const char *rest, int64_t value, struct ph_fail *fail)
{
	ph_buffer_addf(arg, "%s=%" PRId64 " ", rest, value);
	return strcmp(rest, "stop") == 0 ? ph_error_set(fail, PH_TOOBIG, "stop") : PH_OK;
}

TEST(what_was_noted_is_found_by_how_its_name_begins)
{
	struct ph_buffer	 names = PH_BUFFER_INIT;

	ask(note, "started", 5);
	ask(note, "echoes:9001", 1);
	ask(note, "echoes:9002", 2);
	ask(note, "echoes:9002", 3);
	ask(note, "echoes", 4);
	ask(note, "echoes;9003", 5);
	reopen();
	ask(noted, "echoes:", take_name, &names);
	assert_string_equal(names.data, "9001=1 9002=3 ");
	ph_buffer_reset(&names);
	ask(noted, "no such:", take_name, &names);
	assert_int_equal(names.len, 0);
	ask(note, "x:stop", 1);
	ask(note, "x:tail", 1);
	assert_int_equal(row->ops->noted(store, "x:", take_name, &names, &wrong), PH_TOOBIG);
	assert_string_equal(names.data, "stop=1 ");
	ph_buffer_clear(&names);
}

TEST(a_thread_that_is_lent_keeps_its_replies_until_it_comes_back)
{
	struct ph_store_conv	 conv;
	int64_t			 id = conversation("7001");

	owe(id, 10, "first");
	owe(id, 20, "second");
	owe(conversation("7002"), 30, "another's");
	ask(lend, id, 5000, 40);
	assert_int_equal(claim(4999, MAX), 1);
	assert_string_equal(found[0].body.data, "another's");
	owe(id, 10, "third");
	assert_int_equal(claim(4999, MAX), 0);		/* what is owed later overtakes nothing */
	ask(find, BYTES("9001"), BYTES("7001"), false, &conv);
	assert_true(conv.foreign);
	reopen();
	assert_int_equal(next_due(), 5000);
	ask(lend, id, 0, 100);
	assert_int_equal(next_due(), 100);
	ask(find, BYTES("9001"), BYTES("7001"), false, &conv);
	assert_false(conv.foreign);
	assert_int_equal(claim(100, MAX), 1);
	assert_string_equal(found[0].body.data, "first");
}

TEST(a_claim_that_was_not_launched_was_no_try)
{
	unsigned char	 token[PH_STORE_TOKEN_LEN];
	int64_t		 conv = conversation("7001");

	owe(conv, 10, "first");
	owe(conv, 10, "second");
	assert_int_equal(claim(10, MAX), 1);
	memcpy(token, found[0].token, sizeof(token));
	ask(unclaim, found[0].id, conv, 110);
	assert_int_equal(flying("sending", INT64_MAX), 0);
	assert_int_equal(next_due(), 110);
	assert_int_equal(claim(109, MAX), 0);
	assert_int_equal(claim(110, MAX), 1);
	assert_string_equal(found[0].body.data, "first");
	assert_int_equal(found[0].attempt, 1);
	assert_memory_equal(found[0].token, token, sizeof(token));
}

TEST(all_that_is_ready_in_a_conversation_can_be_dropped)
{
	struct ph_store_told	 told;
	int64_t			 conv = conversation("7001"), said, first, by_hand, other, gone;

	first = owe_for(conv, 7, 0, NULL, "first", &said);
	(void)owe_for(conv, 8, 0, NULL, "of another event", &said);
	by_hand = owe_for(conv, 0, 0, "update", "by hand", &said);
	other = owe_for(conversation("7002"), 7, 0, NULL, "another's", &said);
	assert_int_equal(claim(10, 1), 1);
	assert_int_equal(found[0].id, first);
	ask(drop_all, conv, "nobody there", &gone);
	assert_int_equal(gone, 2);
	ask(tell, first, &told);
	assert_string_equal(told.state, "sending");	/* it is on its way */
	ask(tell, by_hand, &told);
	assert_string_equal(told.state, "dead");
	assert_string_equal(told.why, "nobody there");
	ask(tell, other, &told);
	assert_string_equal(told.state, "ready");
	assert_int_equal(move(&found[0], "dead", 0), PH_OK);
	assert_int_equal(claim(10, MAX), 1);
	assert_int_equal(found[0].id, other);
	owe(conv, 10, "anew");
	assert_int_equal(claim(10, MAX), 1);
}

TEST(an_echo_says_when_its_message_left_whatever_became_of_it)
{
	static const char *const	 states[] = { "unsure", "ready", "held", "dead", "sent" };
	struct ph_store_told		 told;
	char				 person[8];
	int64_t				 id, left_at;
	bool				 moved;
	size_t				 i;

	for (i = 0; i < COUNT_OF(states); i++) {
		snprintf(person, sizeof(person), "700%zu", i % 10);
		owe(conversation(person), 10, "x");
		assert_int_equal(claim(15, MAX), 1);
		assert_int_equal(move(&found[0], states[i], 7000), PH_OK);
		ask(confirm, found[0].token, slice("m_echo"), &id, &left_at, &moved);
		assert_int_equal(left_at, 15);
		assert_int_equal(moved, strcmp(states[i], "sent") != 0);
		ask(tell, id, &told);
		assert_string_equal(told.state, "sent");
		assert_int_equal(next_due(), 0);
	}
}

TEST(what_is_unsure_remembers_when_it_was_first_to_be_looked_at)
{
	int64_t	 id;

	owe(conversation("7001"), 10, "x");
	assert_int_equal(claim(10, MAX), 1);
	id = found[0].id;
	assert_int_equal(move(&found[0], "unsure", 300), PH_OK);
	assert_int_equal(flying("unsure", 300), 1);
	assert_int_equal(found[0].first_due, 300);
	assert_string_equal(found[0].page, "9001");
	assert_int_equal(move(&found[0], "unsure", 600), PH_OK);
	assert_int_equal(flying("unsure", 599), 0);
	assert_int_equal(flying("unsure", 600), 1);
	assert_int_equal(found[0].first_due, 300);
	assert_int_equal(move(&found[0], "ready", 700), PH_OK);
	assert_int_equal(claim(700, MAX), 1);
	assert_int_equal(found[0].id, id);
	assert_int_equal(move(&found[0], "unsure", 900), PH_OK);
	assert_int_equal(flying("unsure", 900), 1);
	assert_int_equal(found[0].first_due, 900);	/* another time, another doubt */
	ask(advance, 500, 50);
	assert_int_equal(flying("unsure", 50), 1);
	assert_int_equal(found[0].first_due, 50);
}

TEST(a_claim_says_when_what_it_answers_happened_and_the_newest_turn)
{
	struct ph_store_conv	 conv;
	int64_t			 said, id = 0;

	assert_int_equal(keep_event("a", "7001", 300, true, &id, &conv), PH_OK);
	(void)owe_for(conv.id, id, 200, NULL, "x", &said);
	owe(conversation("7002"), 20, "by hand");
	assert_int_equal(claim(10, MAX), 1);
	assert_int_equal(found[0].at, 200);
	assert_int_equal(found[0].turn_at, 300);
	assert_int_equal(claim(20, MAX), 1);
	assert_int_equal(found[0].at, 0);
	assert_int_equal(found[0].turn_at, 1000);
}

#define in_a_room(test)	cmocka_unit_test_setup_teardown(test, enter, leave)

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		in_a_room(an_event_is_kept_once),
		in_a_room(a_claim_says_who_and_what_and_bears_a_token),
		in_a_room(tokens_come_in_the_order_of_their_claims_and_nobody_guesses_the_rest),
		in_a_room(one_reply_of_a_conversation_flies_and_the_next_waits_behind_it),
		in_a_room(a_reply_put_back_keeps_its_place_and_its_token),
		in_a_room(unsure_blocks_its_conversation_and_held_and_dead_do_not),
		in_a_room(an_unsure_reply_takes_nobodys_turn),
		in_a_room(only_heads_that_are_due_and_the_oldest_of_them),
		in_a_room(pages_do_not_meet),
		in_a_room(the_pages_of_which_replies_wait_are_told_one_by_one),
		in_a_room(a_wrong_token_moves_nothing),
		in_a_room(what_is_due_beyond_a_limit_becomes_due_now),
		in_a_room(what_is_unsure_beyond_a_limit_is_looked_at_now),
		in_a_room(what_flies_is_found_by_state_and_time),
		in_a_room(what_was_abandoned_did_not_happen),
		in_a_room(what_was_committed_survives),
		in_a_room(what_was_not_committed_does_not),
		in_a_room(a_page_is_paused_for_a_reason),
		in_a_room(bytes_are_kept_as_they_are),
		in_a_room(an_echo_settles_a_reply_whatever_it_was),
		in_a_room(notes_and_housekeeping_lose_nothing),
		in_a_room(what_waits_goes_in_the_order_it_happened_and_one_at_a_time),
		in_a_room(an_event_that_waits_says_all_that_thinking_needs),
		in_a_room(an_event_that_comes_late_goes_before_what_happened_after_it),
		in_a_room(an_event_that_is_closed_wakes_the_next),
		in_a_room(what_is_asked_is_closed_though_an_earlier_event_came_late),
		in_a_room(conversations_do_not_wait_for_each_other_and_all_are_reached),
		in_a_room(an_event_put_back_waits_and_blocks_its_conversation),
		in_a_room(a_conversation_is_open_while_one_of_its_events_is),
		in_a_room(what_was_asked_in_another_life_is_due_again),
		in_a_room(an_event_due_beyond_a_limit_becomes_due_now),
		in_a_room(a_conversation_is_found_or_made),
		in_a_room(a_person_has_one_first_turn_and_a_newest),
		in_a_room(silence_lasts_and_ends),
		in_a_room(a_persons_name_is_known_once_it_was_set),
		in_a_room(what_is_said_is_counted_from_the_first_in_a_window_on),
		in_a_room(what_is_held_is_not_claimed_and_holds_up_nobody),
		in_a_room(the_rest_of_an_answer_can_be_dropped),
		in_a_room(the_rest_of_an_answer_is_words_and_not_what_is_of_another_kind),
		in_a_room(a_claim_says_which_event_it_answers_and_its_kind),
		in_a_room(what_became_of_a_reply_is_told),
		in_a_room(a_word_on_a_reply_does_what_it_says_and_only_where_it_applies),
		in_a_room(what_is_unsure_must_be_meant),
		in_a_room(what_was_unsure_once_must_be_meant_whatever_it_is_now),
		in_a_room(a_retried_reply_waits_for_what_was_owed_later_and_is_under_way),
		in_a_room(a_retried_reply_goes_before_what_was_owed_later),
		in_a_room(a_dead_event_is_thought_about_again_before_what_happened_later),
		in_a_room(a_dropped_event_wakes_the_next_and_is_over_when_it_is_dropped_again),
		in_a_room(an_event_of_nobody_has_nothing_to_be_thought),
		in_a_room(a_pause_says_until_when),
		in_a_room(what_was_noted_is_found_by_how_its_name_begins),
		in_a_room(a_thread_that_is_lent_keeps_its_replies_until_it_comes_back),
		in_a_room(a_claim_that_was_not_launched_was_no_try),
		in_a_room(all_that_is_ready_in_a_conversation_can_be_dropped),
		in_a_room(an_echo_says_when_its_message_left_whatever_became_of_it),
		in_a_room(what_is_unsure_remembers_when_it_was_first_to_be_looked_at),
		in_a_room(a_claim_says_when_what_it_answers_happened_and_the_newest_turn),
	};
	int	 failed = 0;

	for (row = stores; row < stores + COUNT_OF(stores); row++)
		failed += cmocka_run_group_tests_name(row->ops->name, tests, NULL, NULL);
	return failed;
}
