/*
 * test_sqlite_error -- what went wrong with the file is told apart, named and said in plain words.
 * Knows sqlite_error, and the SQLite store that meets the trouble.  Does not know what is done about it.
 * Called by make check.
 * Lives in a temporary directory; another program is a child of the test.
 * SPDX-License-Identifier: ISC
 */
#include <sys/resource.h>
#include <sys/wait.h>

#include <errno.h>
#include <signal.h>

#include "room.h"
#include "sqlite_error.h"
#include "store.h"

#define FILE_NAME	"queue.db"

static const struct ph_store_ops	*const ops = &ph_store_sqlite;
static struct ph_store			*store;
static struct ph_fail			 wrong;
static pid_t				 child;
static struct rlimit			 before;

static int
enter(void **state)
{
	wrong = (struct ph_fail)PH_FAIL_INIT;
	store = NULL;
	child = -1;
	getrlimit(RLIMIT_FSIZE, &before);
	signal(SIGXFSZ, SIG_IGN);
	return room_enter(state);
}

static int
leave(void **state)
{
	setrlimit(RLIMIT_FSIZE, &before);
	if (child != -1) {
		kill(child, SIGKILL);
		waitpid(child, NULL, 0);
	}
	ops->close(store);
	return room_leave(state);
}

static void
told(enum ph_error err, const char *words)
{
	assert_int_equal(wrong.err, err);
	if (strstr(wrong.text, words) == NULL)
		fail_msg("%s: not in: %s", words, wrong.text);
	wrong = (struct ph_fail)PH_FAIL_INIT;
}

static enum ph_error
keep(const char *key)
{
	static char		 body[40000];
	struct ph_store_event	 ev = { .object = "page", .kind = "message.text", .state = "done",
		.page = BYTES("9001"), .person = BYTES("7001"), .body = { body, sizeof(body) } };
	struct ph_store_conv	 conv;
	int64_t			 id;

	memcpy(ev.key, key, strlen(key));
	if (ops->begin(store, &wrong) != PH_OK || ops->keep(store, &ev, &id, &conv, &wrong) != PH_OK ||
	    ops->commit(store, &wrong) != PH_OK) {
		ops->abandon(store);
		return wrong.err;
	}
	return PH_OK;
}

TEST(a_limit_of_file_sizes_is_a_full_disk_and_passes)
{
	struct rlimit	 small = { 20000, before.rlim_max };
	struct stat	 st;

	must(ops->open(FILE_NAME, &store, &wrong), &wrong);
	assert_int_equal(stat(FILE_NAME "-wal", &st), 0);
	small.rlim_cur += (rlim_t)st.st_size;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	assert_int_equal(keep("a"), PH_TOOBIG);
	told(PH_TOOBIG, "queue.db: disk full, or a quota or limit of file sizes");
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	must(keep("a"), &wrong);
}

/* Another program has the store for itself; returns once it has. */
static void
lock_store(void)
{
	sqlite3	*db = NULL;
	int	 ready[2];
	char	 byte;

	assert_int_equal(pipe(ready), 0);
	if ((child = fork()) == 0) {
		if (sqlite3_open(FILE_NAME, &db) == SQLITE_OK &&
		    sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL) == SQLITE_OK)
			(void)!write(ready[1], "", 1);
		for (;;)
			pause();
	}
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	close(ready[1]);
}

TEST(who_locks_the_store_is_named)
{
	char	 who[64];

	must(ops->open(FILE_NAME, &store, &wrong), &wrong);
	lock_store();
	assert_int_equal(keep("a"), PH_BUSY);
	snprintf(who, sizeof(who), "locked by another program: test_sqlite_err, pid %d", (int)child);
	told(PH_BUSY, who);
}

TEST(a_damaged_file_is_broken_and_named)
{
	char	 junk[4096];
	int	 fd;

	must(ops->open(FILE_NAME, &store, &wrong), &wrong);
	must(keep("a"), &wrong);
	must(ops->tidy(store, true, &wrong), &wrong);
	ops->close(store);
	store = NULL;
	memset(junk, 'x', sizeof(junk));
	assert_int_not_equal(fd = open(FILE_NAME, O_WRONLY | O_CLOEXEC), -1);
	assert_int_equal(pwrite(fd, junk, sizeof(junk) - 100, 100), sizeof(junk) - 100);	/* the schema */
	close(fd);
	assert_int_equal(ops->open(FILE_NAME, &store, &wrong), PH_BROKEN);
	assert_non_null(strstr(wrong.text, "nothing was touched"));
	told(PH_BROKEN, "queue.db: damaged");
}

TEST(what_may_not_be_written_is_busy_until_it_may)
{
	static const int	 codes[] = { SQLITE_READONLY, SQLITE_READONLY_DIRECTORY };
	size_t			 i;

	for (i = 0; i < COUNT_OF(codes); i++) {
		assert_int_equal(ph_sqlite_error(NULL, FILE_NAME, codes[i], "BEGIN", &wrong), PH_BUSY);
		told(PH_BUSY, "queue.db: read-only");
	}
}

/* What the kernel could not write it may have thrown away; the next sync would say that all is well. */
TEST(a_sync_that_failed_is_never_tried_again)
{
	static const int	 codes[] = { SQLITE_IOERR_FSYNC, SQLITE_IOERR_DIR_FSYNC };
	size_t			 i;

	for (i = 0; i < COUNT_OF(codes); i++) {
		assert_int_equal(ph_sqlite_error(NULL, FILE_NAME, codes[i], "COMMIT", &wrong), PH_BROKEN);
		told(PH_BROKEN, "queue.db: cannot be synced");
	}
}

TEST(every_other_failure_is_named_too)
{
	static const struct { int code; enum ph_error err; const char *words; } rows[] = {
		{ SQLITE_OK, PH_OK, "" }, { SQLITE_ROW, PH_OK, "" }, { SQLITE_DONE, PH_OK, "" },
		{ SQLITE_NOMEM, PH_NOMEM, "out of memory" },
		{ SQLITE_IOERR_NOMEM, PH_NOMEM, "out of memory" },
		{ SQLITE_FULL, PH_TOOBIG, "disk full" },
		{ SQLITE_CORRUPT, PH_BROKEN, "damaged" },
		{ SQLITE_NOTADB, PH_BROKEN, "not a database" },
		{ SQLITE_CANTOPEN, PH_BROKEN, "cannot be opened" },
		{ SQLITE_IOERR_READ, PH_BROKEN, "cannot be read or written" },
		{ SQLITE_ERROR, PH_BROKEN, "SQL logic error" },
	};
	size_t	 i;

	for (i = 0; i < COUNT_OF(rows); i++) {
		assert_int_equal(ph_sqlite_error(NULL, FILE_NAME, rows[i].code, "SELECT", &wrong), rows[i].err);
		told(rows[i].err, rows[i].words);
	}
}

#define in_a_room(test)	cmocka_unit_test_setup_teardown(test, enter, leave)

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		in_a_room(a_limit_of_file_sizes_is_a_full_disk_and_passes),
		in_a_room(who_locks_the_store_is_named),
		in_a_room(a_damaged_file_is_broken_and_named),
		in_a_room(what_may_not_be_written_is_busy_until_it_may),
		in_a_room(a_sync_that_failed_is_never_tried_again),
		in_a_room(every_other_failure_is_named_too),
	};

	return cmocka_run_group_tests_name("sqlite_error", tests, NULL, NULL);
}
