/*
 * test_spool -- a body that no helper took lies here whole, until somebody has it.
 * Knows spool.  Does not know what is in a body.
 * Called by make check.
 * Lives in a temporary directory.
 * SPDX-License-Identifier: ISC
 */
#include <dirent.h>

#include "clock.h"
#include "room.h"
#include "spool.h"

#define NOW	INT64_C(1767225600000)
#define NAME	"spool/1767225600000-1-0-00000000"

static struct ph_spool		 spool;
static struct ph_spooled	*all;
static size_t			 n;
static struct ph_fail		 wrong;

static void
open_spool(void)
{
	int	 state_fd = room_open();

	spool = (struct ph_spool)PH_SPOOL_INIT;
	must(ph_spool_open(&spool, state_fd, &wrong), &wrong);
	close(state_fd);
}

static int
enter(void **state)
{
	wrong = (struct ph_fail)PH_FAIL_INIT;
	all = NULL;
	n = 0;
	if (room_enter(state) != 0)
		return -1;
	open_spool();
	return 0;
}

static int
leave(void **state)
{
	ph_spooled_free(all, n);
	ph_spool_close(&spool);
	return room_leave(state);
}

static void
keep(struct ph_slice body, int64_t now)
{
	must(ph_spool_keep(&spool, body, now, &wrong), &wrong);
}

/* Reads anew, as a helper does that starts now; returns how many there were. */
static size_t
read_all(size_t max)
{
	ph_spooled_free(all, n);
	all = ph_spool_read_all(&spool, max, &n);
	return n;
}

static size_t
count_files(void)
{
	DIR		*dir = opendir("spool");
	struct dirent	*entry;
	size_t		 files = 0;

	assert_non_null(dir);
	while ((entry = readdir(dir)) != NULL)
		files += entry->d_name[0] != '.';
	closedir(dir);
	return files;
}

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

TEST(what_is_not_what_was_written_is_malformed)
{
	static const struct ph_slice	 files[] = {
		{ "", 0 }, { "x", 1 }, { "pagehook-spool 1 ", 17 }, { "pagehook-spool 1 5 3", 20 },
		{ "pagehook-spool 1 1767225600000 4\nabc", 36 },	/* too short */
		{ "pagehook-spool 1 1767225600000 2\nabc", 36 },	/* too long */
		{ "pagehook-spool 1 1767225600000\nabc", 34 }, { "pagehook-spool 1 a b\nabc", 24 },
		{ "pagehook-spool 2 1767225600000 3\nabc", 36 },
		{ "pagehook-spool 1 1767225600000 3 \nabc", 37 },
	};
	size_t				 i;

	for (i = 0; i < COUNT_OF(files); i++) {
		room_write(NAME, files[i], 0600);
		assert_int_equal(read_all(10), 1);
		if (all[0].err != PH_MALFORMED)
			fail_msg("row %zu: %s", i, ph_error_name(all[0].err));
		ph_spool_drop(&spool, &all[0]);
	}
	room_write(NAME, BYTES("pagehook-spool 1 1767225600000 3\nabc"), 0600);
	assert_int_equal(read_all(10), 1);
	assert_int_equal(all[0].err, PH_OK);
}

TEST(foreign_files_are_neither_read_nor_touched)
{
	static const char *const	 names[] = {
		"spool/README", "spool/123-4", "spool/.hidden", "spool/a1767225600000-1-0-00000000",
		"spool/17672256000000000000000000000000000000000000000000000000000000000000000000000000-1",
	};
	size_t				 i;

	for (i = 0; i < COUNT_OF(names); i++)
		room_write(names[i], BYTES("pagehook-spool 1 1767225600000 0\n"), 0600);
	assert_int_equal(read_all(10), 0);
	for (i = 0; i < COUNT_OF(names); i++)
		assert_true(room_has(names[i]));
}

TEST(a_link_or_a_directory_is_no_body)
{
	room_write("outside", BYTES("pagehook-spool 1 1767225600000 6\nsecret"), 0600);
	assert_int_equal(symlink("../outside", NAME), 0);
	assert_int_equal(mkdir("spool/1767225600001-1-0-00000000", 0700), 0);
	assert_int_equal(read_all(10), 2);
	assert_int_equal(all[0].err, PH_MALFORMED);
	assert_int_equal(all[0].body.len, 0);
	assert_int_equal(all[1].err, PH_MALFORMED);
	assert_true(room_has("outside"));
}

TEST(half_written_bodies_are_swept_after_an_hour)
{
	struct timespec	 times[2] = { { 0 } };

	room_write(NAME ".tmp", BYTES("pagehook-spool 1 17672"), 0600);
	room_write("spool/1767225600001-1-0-00000000.tmp", BYTES("pagehook-"), 0600);
	times[0].tv_sec = times[1].tv_sec = (time_t)(ph_clock_now() / 1000) - 3610;
	assert_int_equal(utimensat(AT_FDCWD, NAME ".tmp", times, 0), 0);
	assert_int_equal(read_all(10), 0);
	assert_false(room_has(NAME ".tmp"));
	assert_true(room_has("spool/1767225600001-1-0-00000000.tmp"));	/* perhaps still written */
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

TEST(a_spool_that_is_a_link_is_not_opened)
{
	struct ph_spool	 other = PH_SPOOL_INIT;
	int		 state_fd;

	assert_int_equal(rmdir("spool"), 0);
	assert_int_equal(symlink("/tmp", "spool"), 0);
	state_fd = room_open();
	assert_int_equal(ph_spool_open(&other, state_fd, &wrong), PH_BUSY);
	assert_int_equal(other.fd, -1);
	ph_spool_close(&other);
	close(state_fd);
}

#define in_a_room(test)	cmocka_unit_test_setup_teardown(test, enter, leave)

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		in_a_room(a_body_comes_back_as_it_was),
		in_a_room(the_oldest_come_first_and_no_more_than_asked_for),
		in_a_room(bodies_of_one_millisecond_do_not_meet),
		in_a_room(what_was_dropped_is_gone_and_the_rest_stays),
		in_a_room(a_body_that_kills_its_reader_is_given_up_after_three),
		in_a_room(a_body_that_was_held_has_not_been_read),
		in_a_room(what_is_not_what_was_written_is_malformed),
		in_a_room(foreign_files_are_neither_read_nor_touched),
		in_a_room(a_link_or_a_directory_is_no_body),
		in_a_room(half_written_bodies_are_swept_after_an_hour),
		in_a_room(when_256_mib_wait_no_more_is_kept),
		in_a_room(what_cannot_be_written_leaves_nothing_half),
		in_a_room(a_change_shows_once_and_then_is_known),
		in_a_room(a_body_kept_in_the_same_tick_as_the_look_shows),
		in_a_room(a_spool_that_is_a_link_is_not_opened),
	};

	return cmocka_run_group_tests_name("spool", tests, NULL, NULL);
}
