/*
 * test_forget -- a person leaves the store, in steps, and nobody else does.
 * Knows the store's operations and, by SQL from outside, its rows.  Does not know turns.
 * Called by make check.
 * Lives in a temporary directory.
 * SPDX-License-Identifier: ISC
 */
#include "glance_count.h"
#include "queried.h"
#include "room.h"
#include "store.h"

#define NOW	INT64_C(1767225700000)
#define ABSENT	((struct ph_slice){ NULL, 0 })

static struct ph_store		*store;
static struct ph_store_erasure	 step;
static struct ph_fail		 wrong;
static int			 n_keys;

#define ask(op, ...)	must(ph_store_sqlite.op(store, __VA_ARGS__, &wrong), &wrong)

static int
enter(void **state)
{
	wrong = (struct ph_fail)PH_FAIL_INIT;
	if (room_enter(state) != 0)
		return -1;
	must(ph_store_sqlite.open("queue.db", &store, &wrong), &wrong);
	must(ph_store_sqlite.begin(store, &wrong), &wrong);
	return 0;
}

static int
leave(void **state)
{
	ph_store_sqlite.abandon(store);
	ph_store_sqlite.close(store);
	return room_leave(state);
}

static void
commit(void)
{
	must(ph_store_sqlite.commit(store, &wrong), &wrong);
	must(ph_store_sqlite.tidy(store, false, &wrong), &wrong);
	must(ph_store_sqlite.begin(store, &wrong), &wrong);
}

/* An event of this person, or of nobody; its id. */
static int64_t
keep_bytes(const char *page, const char *person, struct ph_slice body)
{
	struct ph_store_event	 ev = { .object = "page", .kind = "message.text", .state = "done",
		.page = slice(page), .mid = BYTES("m_1"), .at = NOW, .came = NOW, .turn = true, .body = body };
	struct ph_store_conv	 conv;
	int64_t			 id = 0;

	if (person != NULL)
		ev.person = slice(person);
	snprintf((char *)ev.key, sizeof(ev.key), "k%d", ++n_keys);
	ask(keep, &ev, &id, &conv);
	return id;
}

static int64_t
keep(const char *page, const char *person, const char *body)
{
	return keep_bytes(page, person, slice(body));
}

/* How many events an operator is told of, before any goes. */
static int64_t
known(const char *person)
{
	struct ph_glance_person	 out;

	commit();
	must(ph_glance_person(room, NULL, person, &out, &wrong), &wrong);
	return out.n_events;
}

static int64_t
conv_of(const char *page, const char *person)
{
	struct ph_store_conv	 conv;

	ask(find, slice(page), slice(person), true, &conv);
	return conv.id;
}

/* A reply to this person in this state. */
static void
owe(const char *person, const char *state)
{
	struct ph_store_owed	 owed = { .conv = conv_of("9001", person), .due = NOW, .body = slice(person) };
	struct ph_store_move	 move = { .conv = owed.conv, .state = state, .due = NOW, .mid = "m_r" };
	struct ph_store_reply	 r;
	int64_t			 said;
	size_t			 n;

	ask(owe, &owed, &move.id, &said);
	if (strcmp(state, "ready") == 0)
		return;
	ask(claim, BYTES("9001"), NOW, &r, 1, &n);
	assert_int_equal(n, 1);
	ph_store_reply_clear(&r);
	if (strcmp(state, "sending") != 0)
		ask(move, &move);
}

/* The next step, and its commit. */
static void
forget(struct ph_slice page, const char *person)
{
	ask(forget, page, slice(person), &step);
	commit();
}

/* All steps; how many they were. */
static int
forget_all(struct ph_slice page, const char *person)
{
	int	 n = 0;

	step = (struct ph_store_erasure){ .after = 0 };
	do {
		forget(page, person);
		n++;
	} while (step.more && n < 100);
	return n;
}

#define EVENTS	"SELECT coalesce(person, 'nobody') FROM event LEFT JOIN conv ON conv.id=event.conv" \
	" ORDER BY event.id"
#define REPLIES	"SELECT person||'.'||state FROM reply JOIN conv ON conv.id=reply.conv ORDER BY reply.id"

TEST(rows_of_every_state_go_and_those_of_others_stay)
{
	static const char *const	 states[] = { "dead", "held", "sent", "unsure" };
	size_t				 i;

	for (i = 0; i < COUNT_OF(states); i++) {
		keep("9001", "7001", "{}");
		keep("9001", "7002", "{}");
		owe("7002", states[i]);
		owe("7001", states[i]);
	}
	keep("9001", "7002", "7001 is somebody I know");
	forget_all(ABSENT, "7001");
	assert_string_equal(query(EVENTS), "7002 7002 7002 7002 7002");
	assert_string_equal(query(REPLIES), "7002.dead 7002.held 7002.sent 7002.unsure");
	assert_string_equal(query("SELECT person FROM conv"), "7002");
	assert_string_equal(query("SELECT sum(length(keys))/16 FROM fresh"), "9");
}

TEST(bytes_of_no_conversation_go_when_the_id_stands_in_them)
{
	keep("9001", "7002", "{}");
	keep("", NULL, "broken \"7001\"");
	keep("", NULL, "broken \"7002\"");
	forget_all(ABSENT, "7001");		/* who is known by nothing else */
	assert_string_equal(query("SELECT body FROM event"), "{} broken \"7002\"");
}

/* What stands behind a NUL is not looked at so closely: rather too much than too little. */
TEST(bytes_of_no_conversation_stay_when_it_is_a_longer_id_that_stands_in_them)
{
	static const char *const	 others[] = { "70019999", "x 97001", "970019 17001" };
	static const char *const	 theirs[] = { "7001", "70019 7001", "\xff""7001\xff", "{\"id\":7001}",
		"7001-70019", "\xc3""7001" };
	size_t				 i;

	for (i = 0; i < COUNT_OF(theirs); i++) {
		keep("", NULL, theirs[i]);
		if (i < COUNT_OF(others))
			keep("", NULL, others[i]);
	}
	keep_bytes("", NULL, (struct ph_slice){ "\0""7001", 5 });
	keep("", NULL, "the newest");
	assert_int_equal(known("7001"), COUNT_OF(theirs) + 1);
	forget_all(ABSENT, "7001");
	assert_string_equal(query("SELECT body FROM event"), "70019999 x 97001 970019 17001 the newest");
}

/* Its words may be anything, and none of them a pattern. */
TEST(bytes_go_when_a_reference_of_ours_stands_in_them)
{
	keep("", NULL, "user_ref:a[x]*b");
	keep("", NULL, "user_ref:axb");
	keep("", NULL, "the newest");
	assert_int_equal(known("user_ref:a[x]*b"), 1);
	forget_all(ABSENT, "user_ref:a[x]*b");
	assert_string_equal(query("SELECT body FROM event"), "user_ref:axb the newest");
}

TEST(a_handler_never_meets_an_erased_number_again)
{
	int64_t	 id = keep("9001", "7001", "{}");

	forget_all(ABSENT, "7001");
	assert_string_equal(query("SELECT count(*) FROM event WHERE coalesce(conv, mid, body) IS NOT NULL"), "0");
	assert_int_equal(keep("9001", "7002", "{}"), id + 1);
}

TEST(what_is_on_its_way_is_waited_for)
{
	struct ph_store_step	 asked = { .state = "asked" };

	owe("7001", "sending");
	asked.conv = conv_of("9001", "7002");
	asked.id = keep("9001", "7002", "{}");
	ask(put_off, asked.id, asked.conv, NOW);
	ask(step, &asked);
	assert_int_equal(forget_all(ABSENT, "7001"), 1);
	assert_true(step.in_flight);
	assert_int_equal(forget_all(ABSENT, "7002"), 1);
	assert_true(step.in_flight);
	assert_string_equal(query("SELECT person FROM conv"), "7001 7002");
}

TEST(what_waited_waits_no_more)
{
	int64_t	 id = keep("9001", "7001", "{}"), due;
	bool	 open;

	ask(put_off, id, conv_of("9001", "7001"), NOW);
	owe("7001", "ready");
	step = (struct ph_store_erasure){ .after = 0 };
	ask(forget, ABSENT, BYTES("7001"), &step);
	assert_int_equal(step.n_closed, 1);
	ask(next_due, BYTES("9001"), &due);
	assert_int_equal(due, 0);
	ask(next_open, 0, &due);
	assert_int_equal(due, 0);
	ask(is_open, 1, &open);
	assert_false(open);
}

TEST(thousands_go_in_steps_and_who_writes_meanwhile_goes_too)
{
	int	 i;

	for (i = 0; i < 1200; i++)
		keep("9001", i % 3 == 0 ? "7001" : "7002", "{}");
	step = (struct ph_store_erasure){ .after = 0 };
	forget(ABSENT, "7001");
	assert_true(step.more);
	assert_int_equal(step.n_events, 167);
	keep("9001", "7001", "more");
	step = (struct ph_store_erasure){ .after = 0 };	/* as after a command that was cut short */
	while (forget(ABSENT, "7001"), step.more)
		;
	assert_string_equal(query("SELECT DISTINCT coalesce(conv, 0) FROM event"), "2 0");
	assert_string_equal(query("SELECT person FROM conv"), "7002");
}

TEST(one_page_alone_or_every_one)
{
	static const char *const	 pages[] = { "9001", "9002", "9003" };
	size_t				 i;

	for (i = 0; i < COUNT_OF(pages); i++) {
		keep(pages[i], "7001", "{}");
		keep(pages[i], "7002", "{}");
	}
	forget_all(BYTES("9002"), "7001");
	assert_string_equal(query("SELECT page FROM conv WHERE person='7001'"), "9001 9003");
	forget_all(ABSENT, "7001");
	assert_string_equal(query("SELECT page||person FROM conv"), "90017002 90027002 90037002");
	assert_string_equal(query("SELECT count(*) FROM event"), "3");
}

TEST(copies_go_and_the_log_is_emptied)
{
	struct stat	 log;

	keep("9001", "7001", "{}");
	commit();
	room_write("queue.db.v1", BYTES("7001"), 0600);
	room_write("queue.db.v2", BYTES("7001"), 0600);
	room_write("queue.db.mine", BYTES("7001"), 0600);
	assert_int_equal(stat("queue.db-wal", &log), 0);
	assert_int_not_equal(log.st_size, 0);
	step = (struct ph_store_erasure){ .after = 0 };
	forget(ABSENT, "7001");
	forget(ABSENT, "7001");
	assert_int_equal(step.n_copies, 2);
	assert_false(room_has("queue.db.v1"));
	assert_false(room_has("queue.db.v2"));
	assert_true(room_has("queue.db.mine"));
	assert_int_equal(stat("queue.db-wal", &log), 0);
	assert_int_equal(log.st_size, 0);
	forget(ABSENT, "7001");
	assert_false(step.more);
}

/* How often this stands in a file. */
static int
count(const char *file, const char *needle)
{
	struct ph_buffer	 bytes = PH_BUFFER_INIT;
	const char		*at;
	int			 n = 0;

	room_read(file, &bytes);
	for (at = bytes.data; (at = memmem(at, (size_t)(bytes.data + bytes.len - at), needle,
	    strlen(needle))) != NULL; at++)
		n++;
	ph_buffer_clear(&bytes);
	return n;
}

/* Rows of all lengths, of some that go and some that stay; each has the word once. */
static void
live(int n)
{
	static const int	 lengths[] = { 5, 50, 300, 900, 3000, 9000 };
	char			 person[16], words[10000];
	uint32_t		 chance = 1;
	int			 i;

	for (i = 0; i < n; i++) {
		chance = chance * 1103515245 + 12345;
		snprintf(person, sizeof(person), "%d", 7001 + (int)(chance >> 16) % 40);
		snprintf(words, sizeof(words), "a word%0*d", lengths[(chance >> 8) % 6], 0);
		keep("9001", person, words);
		if (i % 50 == 0)
			commit();
	}
	commit();
}

/* SQLite spreads rows over pages anew, and leaves images of them where they were. */
TEST(no_page_keeps_an_image_of_what_was_moved)
{
	char	 person[16];
	int	 i, n;

	live(2000);
	for (i = 0; i < 10; i++) {
		snprintf(person, sizeof(person), "%d", 7001 + i);
		forget_all(BYTES("9001"), person);
	}
	assert_string_equal(query("PRAGMA integrity_check"), "ok");
	n = (int)strtol(query("SELECT count(body) FROM event"), NULL, 10);
	assert_int_equal(count("queue.db", "a word"), n);
	for (i = 1; i <= 2000; i++)		/* each page once more, into the log */
		ask(put_off, i, 0, NOW);
	commit();
	assert_int_equal(count("queue.db-wal", "a word"), n);
}

#define in_a_room(test)	cmocka_unit_test_setup_teardown(test, enter, leave)

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		in_a_room(rows_of_every_state_go_and_those_of_others_stay),
		in_a_room(bytes_of_no_conversation_go_when_the_id_stands_in_them),
		in_a_room(bytes_of_no_conversation_stay_when_it_is_a_longer_id_that_stands_in_them),
		in_a_room(bytes_go_when_a_reference_of_ours_stands_in_them),
		in_a_room(a_handler_never_meets_an_erased_number_again),
		in_a_room(what_is_on_its_way_is_waited_for),
		in_a_room(what_waited_waits_no_more),
		in_a_room(thousands_go_in_steps_and_who_writes_meanwhile_goes_too),
		in_a_room(one_page_alone_or_every_one),
		in_a_room(copies_go_and_the_log_is_emptied),
		in_a_room(no_page_keeps_an_image_of_what_was_moved),
	};

	return cmocka_run_group_tests_name("forget", tests, NULL, NULL);
}
