/*
 * test_spool -- a body that no helper took lies here whole, until somebody has it.
 * Knows spool.  Does not know what is in a body.
 * Called by make check.
 * Lives in a temporary directory.
 * SPDX-License-Identifier: ISC
 */
#include "spooled.h"

TEST(a_body_comes_back_as_it_was)
{
	struct stat	 st;

	keep(BYTES("{\"a\":\"\0\n\xff\"}"), NOW);
	keep(BYTES(""), NOW + 1);
	assert_int_equal(read_all(10), 2);
	assert_int_equal(all[0].err, PH_OK);
	assert_int_equal(all[0].arrived, NOW);
	assert_int_equal(all[0].body.len, 11);
	assert_memory_equal(all[0].body.data, "{\"a\":\"\0\n\xff\"}", 11);
	assert_int_equal(all[1].err, PH_OK);
	assert_int_equal(all[1].body.len, 0);
	assert_int_equal(fstatat(spool.fd, all[0].name, &st, AT_SYMLINK_NOFOLLOW), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(stat("spool", &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
}

TEST(the_oldest_come_first_and_no_more_than_asked_for)
{
	keep(BYTES("third"), NOW + 2000);
	keep(BYTES("first"), NOW);
	keep(BYTES("second"), NOW + 5);
	assert_int_equal(read_all(2), 2);
	assert_string_equal(all[0].body.data, "first");
	assert_string_equal(all[1].body.data, "second");
}

TEST(bodies_of_one_millisecond_do_not_meet)
{
	size_t	 i;

	for (i = 0; i < 100; i++)
		keep(BYTES("x"), NOW);
	assert_int_equal(count_files(), 100);
	assert_int_equal(read_all(1000), 100);
}

TEST(what_was_dropped_is_gone_and_the_rest_stays)
{
	keep(BYTES("a"), NOW);
	keep(BYTES("b"), NOW + 1);
	assert_int_equal(read_all(10), 2);
	ph_spool_drop(&spool, &all[0]);
	assert_int_equal(read_all(10), 1);
	assert_string_equal(all[0].body.data, "b");
	ph_spool_drop(&spool, &all[0]);
	assert_int_equal(read_all(10), 0);
	assert_int_equal(count_files(), 0);
}

/* Each reader dies without a word; the body is read three times, and not a fourth. */
TEST(a_body_that_kills_its_reader_is_given_up_after_three)
{
	static const char *const	 marks[] = { ".1", ".2", ".3" };
	size_t				 i;

	keep(BYTES("poison"), NOW);
	for (i = 0; i < PH_SPOOL_TRIES; i++) {
		open_spool();
		assert_int_equal(read_all(10), 1);
		assert_int_equal(all[0].err, PH_OK);
		assert_string_equal(all[0].name + strlen(all[0].name) - 2, marks[i]);
		assert_int_equal(faccessat(spool.fd, all[0].name, F_OK, 0), 0);
		ph_spool_close(&spool);
	}
	open_spool();
	assert_int_equal(read_all(10), 1);
	assert_int_equal(all[0].err, PH_TOOBIG);
	assert_string_equal(all[0].body.data, "poison");	/* for the quarantine */
	ph_spool_drop(&spool, &all[0]);
	assert_int_equal(count_files(), 0);
}

/* A reader that dies without a word has read this and its neighbours. */
TEST(only_the_body_that_kills_its_readers_is_given_up)
{
	size_t	 i;

	keep(BYTES("poison"), NOW);
	keep(BYTES("harmless"), NOW + 1);
	keep(BYTES("harmless too"), NOW + 2);
	assert_int_equal(read_all(10), 3);
	for (i = 1; i < PH_SPOOL_TRIES; i++) {
		assert_int_equal(read_all(10), 1);	/* noted before: it comes alone */
		assert_true(more);
		assert_int_equal(all[0].err, PH_OK);
		assert_string_equal(all[0].body.data, "poison");
	}
	assert_int_equal(read_all(10), 1);
	assert_int_equal(all[0].err, PH_TOOBIG);
	ph_spool_drop(&spool, &all[0]);
	assert_int_equal(read_all(10), 1);
	assert_true(more);
	assert_int_equal(all[0].err, PH_OK);
	assert_string_equal(all[0].body.data, "harmless");
	ph_spool_drop(&spool, &all[0]);
	assert_int_equal(read_all(10), 1);
	assert_false(more);
	assert_int_equal(all[0].err, PH_OK);
	assert_string_equal(all[0].body.data, "harmless too");
}

TEST(a_batch_ends_before_a_body_that_was_noted)
{
	keep(BYTES("noted"), NOW + 2);
	assert_int_equal(read_all(10), 1);
	keep(BYTES("a"), NOW);
	keep(BYTES("b"), NOW + 1);
	keep(BYTES("c"), NOW + 3);
	assert_int_equal(read_all(10), 2);
	assert_true(more);
	assert_string_equal(all[0].body.data, "a");
	assert_string_equal(all[1].body.data, "b");
	ph_spool_drop(&spool, &all[0]);
	ph_spool_drop(&spool, &all[1]);
	assert_int_equal(read_all(10), 1);
	assert_true(more);
	assert_string_equal(all[0].body.data, "noted");
	ph_spool_drop(&spool, &all[0]);
	assert_int_equal(read_all(10), 1);
	assert_false(more);
	assert_string_equal(all[0].body.data, "c");
}

static void
hold_all(void)
{
	size_t	 i;

	for (i = 0; i < n; i++)
		ph_spool_hold(&spool, &all[i]);
}

TEST(whether_others_wait_is_said)
{
	size_t	 i;

	assert_int_equal(read_all(3), 0);
	assert_false(more);
	for (i = 0; i < 3; i++)
		keep(BYTES("x"), NOW + (int64_t)i);
	assert_int_equal(read_all(2), 2);
	assert_true(more);
	hold_all();
	assert_int_equal(read_all(3), 3);
	assert_false(more);
	hold_all();
	assert_int_equal(read_all(4), 3);
	assert_false(more);
}

TEST(a_body_that_was_held_has_not_been_read)
{
	size_t	 i;

	keep(BYTES("harmless"), NOW);
	for (i = 0; i < 10; i++) {
		assert_int_equal(read_all(10), 1);
		assert_int_equal(all[0].err, PH_OK);
		ph_spool_hold(&spool, &all[0]);
		assert_int_equal(count_files(), 1);
	}
	assert_null(strchr(all[0].name, '.'));
}

/* A file of 256 MiB that occupies nothing. */
static void
fill(off_t len)
{
	room_write("spool/filling", BYTES(""), 0600);
	assert_int_equal(truncate("spool/filling", len), 0);
}

TEST(when_256_mib_wait_no_more_is_kept)
{
	fill((256 << 20) - 4);
	assert_int_equal(ph_spool_keep(&spool, BYTES("12345"), NOW, &wrong), PH_TOOBIG);
	assert_int_equal(count_files(), 1);
	wrong = (struct ph_fail)PH_FAIL_INIT;
	keep(BYTES("1234"), NOW);
	assert_int_equal(ph_spool_keep(&spool, BYTES("1"), NOW, &wrong), PH_TOOBIG);
}

TEST(what_cannot_be_written_leaves_nothing_half)
{
	struct stat	 st;

	assert_int_equal(fstat(spool.fd, &st), 0);
	assert_int_equal(rmdir("spool"), 0);		/* the descriptor is of a dead directory */
	assert_int_equal(ph_spool_keep(&spool, BYTES("x"), NOW, &wrong), PH_BUSY);
	assert_true(wrong.text[0] != '\0');
}

/* Gives the directory the time of its last change. */
static void
set_mtime(struct timespec mtime)
{
	assert_int_equal(futimens(spool.fd, (struct timespec[]){ mtime, mtime }), 0);
}

TEST(a_change_shows_once_and_then_is_known)
{
	const struct timespec	 long_ago = { 1767225600, 0 };

	set_mtime(long_ago);
	assert_int_equal(read_all(10), 0);
	assert_false(ph_spool_changed(&spool));
	keep(BYTES("a"), NOW);
	assert_true(ph_spool_changed(&spool));
	assert_int_equal(read_all(10), 1);
	assert_true(ph_spool_changed(&spool));	/* it still lies there */
	ph_spool_drop(&spool, &all[0]);
	set_mtime(long_ago);
	assert_int_equal(read_all(10), 0);
	assert_false(ph_spool_changed(&spool));
}

/* A directory's time moves in steps of some milliseconds: a look and a change may share one. */
TEST(a_body_kept_in_the_same_tick_as_the_look_shows)
{
	struct stat	 st;

	keep(BYTES("a"), NOW);
	assert_int_equal(read_all(10), 1);
	ph_spool_drop(&spool, &all[0]);
	assert_int_equal(read_all(10), 0);
	assert_int_equal(fstat(spool.fd, &st), 0);
	keep(BYTES("b"), NOW);
	set_mtime(st.st_mtim);
	assert_true(ph_spool_changed(&spool));
}

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		in_a_room(a_body_comes_back_as_it_was),
		in_a_room(the_oldest_come_first_and_no_more_than_asked_for),
		in_a_room(bodies_of_one_millisecond_do_not_meet),
		in_a_room(what_was_dropped_is_gone_and_the_rest_stays),
		in_a_room(a_body_that_kills_its_reader_is_given_up_after_three),
		in_a_room(only_the_body_that_kills_its_readers_is_given_up),
		in_a_room(a_batch_ends_before_a_body_that_was_noted),
		in_a_room(whether_others_wait_is_said),
		in_a_room(a_body_that_was_held_has_not_been_read),
		in_a_room(when_256_mib_wait_no_more_is_kept),
		in_a_room(what_cannot_be_written_leaves_nothing_half),
		in_a_room(a_change_shows_once_and_then_is_known),
		in_a_room(a_body_kept_in_the_same_tick_as_the_look_shows),
	};

	return cmocka_run_group_tests_name("spool", tests, NULL, NULL);
}
