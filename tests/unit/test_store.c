/*
 * test_store -- the contract of every store, asked of each of them in turn.
 * Knows store's operations alone.  Does not know which database answers.
 * Called by make check.
 * Lives in a temporary directory; a new store is a row in stores[].
 * SPDX-License-Identifier: ISC
 */
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
	ask(pause, BYTES("9001"), "no token");
	assert_int_equal(row->ops->pause(store, BYTES("9001"), "no token", &wrong), PH_NONE);
	ask(pause, BYTES("9001"), "token expired");
	reopen();
	assert_int_equal(row->ops->pause(store, BYTES("9001"), "token expired", &wrong), PH_NONE);
	ask(pause, BYTES("9002"), "token expired");
	ask(pause, BYTES("9001"), NULL);
	ask(pause, BYTES("9001"), "token expired");
}

TEST(bytes_are_kept_as_they_are)
{
	struct ph_store_event	 ev = { .key = "k", .object = "page", .kind = "message.text",
		.state = "done", .page = BYTES("9001"), .person = BYTES("a\0'b"),
		.body = BYTES("\0\xff") };
	int64_t			 id, conv;

	ask(keep, &ev, &id, &conv);
	ask(owe, conv, id, 10, BYTES("{\"\0\xff'\"}"));
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
	int64_t		 conv = conversation("7001"), id = 0;

	owe(conv, 10, "a");
	owe(conv, 10, "b");
	assert_int_equal(claim(10, MAX), 1);
	assert_int_equal(row->ops->confirm(store, other, slice("m_1"), &id, &wrong), PH_NONE);
	ask(confirm, found[0].token, slice("m_1"), &id);
	assert_int_equal(id, found[0].id);
	assert_int_equal(row->ops->confirm(store, found[0].token, slice("m_2"), &id, &wrong), PH_NONE);
	assert_int_equal(claim(10, MAX), 1);		/* nothing holds the next one back */
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

#define in_a_room(test)	cmocka_unit_test_setup_teardown(test, enter, leave)

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		in_a_room(an_event_is_kept_once),
		in_a_room(a_claim_says_who_and_what_and_bears_a_token),
		in_a_room(one_reply_of_a_conversation_flies_and_the_next_waits_behind_it),
		in_a_room(a_reply_put_back_keeps_its_place_and_its_token),
		in_a_room(unsure_blocks_its_conversation_and_held_and_dead_do_not),
		in_a_room(an_unsure_reply_takes_nobodys_turn),
		in_a_room(only_heads_that_are_due_and_the_oldest_of_them),
		in_a_room(pages_do_not_meet),
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
	};
	int	 failed = 0;

	for (row = stores; row < stores + COUNT_OF(stores); row++)
		failed += cmocka_run_group_tests_name(row->ops->name, tests, NULL, NULL);
	return failed;
}
