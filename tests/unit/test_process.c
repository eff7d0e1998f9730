/*
 * test_process -- what a child of ours has, and what it has not.
 * Knows process, program.  Does not know handlers.
 * Called by make check.
 * Lives in a temporary directory; its children are real.
 * SPDX-License-Identifier: ISC
 */
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>

#include "clock.h"
#include "process.h"
#include "room.h"

#define WORDS(...)	((char *const *)(uintptr_t)(const char *const []){ __VA_ARGS__, NULL })
#define AT_MOST_MS	20000

static struct ph_program	 program = PH_PROGRAM_INIT;
static struct ph_process	 process = PH_PROCESS_INIT;
static struct ph_buffer		 said;

static int
leave(void **state)
{
	ph_process_close(&process);
	ph_program_clear(&program);
	ph_buffer_clear(&said);
	unsetenv("PH_TEST_SPEED");
	return room_leave(state);
}

static void
start(char *const *argv)
{
	static const struct ph_program_var	 vars[] = {
		{ "PAGEHOOK_EVENT", { "e1", 2 } },
		{ "PAGEHOOK_PSID", { "70\0" "01", 5 } },
	};
	struct ph_fail				 fail = PH_FAIL_INIT;

	ph_process_close(&process);
	ph_buffer_reset(&said);
	must(ph_program_set(&program, argv, room, vars, COUNT_OF(vars), &fail), &fail);
	must(ph_program_load(&program, &fail), &fail);
	must(ph_process_start(&program, &process, &fail), &fail);
}

/* Reads what it says until the text is there. */
static const char *
said_with(const char *text)
{
	int64_t		 by = ph_clock_mono() + AT_MOST_MS;
	struct pollfd	 fds[PH_PROCESS_WATCHED];

	ph_buffer_adds(&said, "");
	while (strstr(said.data, text) == NULL) {
		assert_int_not_equal(process.out, -1);
		(void)poll(fds, ph_process_watch(&process, false, fds, 1), ph_clock_left_ms(by));
		assert_true(ph_clock_mono() < by);
		ph_process_read(&process, &said, 100000);
	}
	return said.data;
}

/* What it says until it closes its output, and how it ended. */
static const char *
said_at_all(void)
{
	int64_t		 by = ph_clock_mono() + AT_MOST_MS;
	struct pollfd	 fds[PH_PROCESS_WATCHED];

	while (process.out != -1) {
		(void)poll(fds, ph_process_watch(&process, false, fds, 1), ph_clock_left_ms(by));
		assert_true(ph_clock_mono() < by);
		ph_process_read(&process, &said, 100000);
	}
	while (!ph_process_check(&process)) {
		assert_true(ph_clock_mono() < by);
		(void)poll(NULL, 0, 1);
	}
	ph_buffer_adds(&said, "");
	return said.data;
}

static const char *
end_of(char *const *argv)
{
	static char	 why[160];

	start(argv);
	(void)said_at_all();
	ph_process_tell(&process, &program, why, sizeof(why));
	return why;
}

static const char	 list_fds[] = "ls /proc/$$/fd; :";

/* One beyond the limit that a child has, as far as ours allows. */
static int
open_high(void)
{
	struct rlimit	 files;
	int		 fd = open("/dev/null", O_RDONLY), high;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &files), 0);
	files.rlim_cur = files.rlim_max > 3000 ? 3000 : files.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &files), 0);
	high = fcntl(fd, F_DUPFD, (int)files.rlim_cur - 2);
	assert_int_not_equal(high, -1);
	close(fd);
	return high;
}

TEST(a_child_has_three_descriptors)
{
	int	 kept = open("/dev/null", O_RDONLY), high = open_high();

	start(WORDS("sh", "-c", list_fds));
	assert_string_equal(said_at_all(), "0\n1\n2\n");
	close(kept);
	close(high);
}

TEST(its_environment_is_the_one_that_was_made)
{
	struct ph_buffer	 want = PH_BUFFER_INIT;

	setenv("PAGEHOOK_APP_SECRET", "s3cret", 1);
	setenv("LANG", "C.UTF-8", 1);
	setenv("TZ", "UTC", 1);
	setenv("HOME", "/elsewhere", 1);
	start(WORDS("perl", "-e", "print map { \"$_=$ENV{$_}\\n\" } sort grep { $_ ne 'HOME' } keys %ENV;"
	    "print $ENV{HOME} eq (getpwuid $<)[7] ? 'home' : 'not'"));
	ph_buffer_addf(&want, "LANG=C.UTF-8\nPAGEHOOK_EVENT=e1\nPAGEHOOK_PSID=7001\nPATH=%s\nTZ=UTC\nhome",
	    getenv("PATH"));
	assert_string_equal(said_at_all(), want.data);
	ph_buffer_clear(&want);
	unsetenv("PAGEHOOK_APP_SECRET");
	unsetenv("TZ");
}

TEST(without_a_path_of_ours_a_safe_one_is_given)
{
	char	*before = strdup(getenv("PATH"));

	unsetenv("PATH");
	start(WORDS("sh", "-c", "echo $PATH"));
	assert_string_equal(said_at_all(), "/usr/local/bin:/usr/bin:/bin\n");
	setenv("PATH", before, 1);
	free(before);
}

TEST(a_child_leads_a_group_of_its_own_in_the_directory)
{
	struct ph_buffer	 want = PH_BUFFER_INIT;

	start(WORDS("perl", "-MCwd", "-e", "print getpgrp == $$ ? 'own' : 'ours', ' ', getcwd, ' ', umask"));
	ph_buffer_addf(&want, "own %s 63", room);
	assert_string_equal(said_at_all(), want.data);
	ph_buffer_clear(&want);
}

TEST(no_signal_is_blocked_or_ignored)
{
	sigset_t	 usr1, before;

	sigemptyset(&usr1);
	sigaddset(&usr1, SIGUSR1);
	sigprocmask(SIG_BLOCK, &usr1, &before);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	/* 32 and 33 are glibc's own: nobody can set them, and who started us may have ignored them. */
	start(WORDS("sed", "-En", "/^Sig(Blk|Ign|Cgt)/{s/00000001(8.{7})$/00000000\\1/;s/8(.{7})$/0\\1/;p}",
	    "/proc/self/status"));
	assert_string_equal(said_at_all(), "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n"
	    "SigCgt:\t0000000000000000\n");
	sigprocmask(SIG_SETMASK, &before, NULL);
}

TEST(its_limits_are_its_own)
{
	struct ph_fail	 fail = PH_FAIL_INIT;

	must(ph_program_set(&program, WORDS("sh", "-c", "ulimit -c; ulimit -Hc; ulimit -n; ulimit -t"),
	    room, NULL, 0, &fail), &fail);
	must(ph_program_load(&program, &fail), &fail);
	program.cpu_s = 15;
	must(ph_process_start(&program, &process, &fail), &fail);
	assert_string_equal(said_at_all(), "0\n0\n1024\n15\n");
}

TEST(words_arrive_byte_for_byte)
{
	static const char	 want[] = "-n|it's \"q\"|$(id)`id`|a\nb|--|*|\xff\xfe||";

	start(WORDS("perl", "-e", "print map { \"$_|\" } @ARGV", "--", "-n", "it's \"q\"", "$(id)`id`",
	    "a\nb", "--", "*", "\xff\xfe", ""));
	assert_string_equal(said_at_all(), want);
}

TEST(how_it_ended_is_told_in_words)
{
	assert_string_equal(end_of(WORDS("sh", "-c", "exit 0")), "exit 0");
	assert_string_equal(end_of(WORDS("sh", "-c", "exit 3")), "exit 3");
	assert_string_equal(end_of(WORDS("sh", "-c", "kill -SEGV $$")), "killed by signal 11");
}

TEST(what_cannot_be_run_says_why)
{
	struct ph_buffer	 long_word = PH_BUFFER_INIT;
	size_t			 i;

	room_write("plain", slice("echo\n"), 0644);
	room_write("no-line", slice("echo\n"), 0755);
	room_write("lost", slice("#!/no/such/interpreter\n"), 0755);
	assert_string_equal(end_of(WORDS("./missing")), "./missing: No such file or directory");
	assert_string_equal(end_of(WORDS("./plain")), "./plain: Permission denied (chmod +x?)");
	assert_string_equal(end_of(WORDS("./no-line")), "./no-line: Exec format error (no #! line?)");
	assert_string_equal(end_of(WORDS("./lost")),
	    "./lost: No such file or directory: what its #! line names");
	assert_string_equal(end_of(WORDS("/")), "/: Permission denied (chmod +x?)");
	for (i = 0; i < 200000; i++)
		ph_buffer_adds(&long_word, "x");
	assert_string_equal(end_of(WORDS("/bin/echo", long_word.data)),
	    "/bin/echo: Argument list too long");
	ph_buffer_clear(&long_word);
}

TEST(a_directory_that_is_gone_is_named)
{
	char		 why[160];
	struct ph_fail	 fail = PH_FAIL_INIT;

	must(ph_program_set(&program, WORDS("/bin/true"), "/no/such/place", NULL, 0, &fail), &fail);
	must(ph_program_load(&program, &fail), &fail);
	must(ph_process_start(&program, &process, &fail), &fail);
	(void)said_at_all();
	ph_process_tell(&process, &program, why, sizeof(why));
	assert_string_equal(why, "/no/such/place: No such file or directory");
}

TEST(a_bare_name_is_looked_up_in_path_alone)
{
	struct ph_fail	 fail = PH_FAIL_INIT;
	char		*before;

	room_write("order-status", slice("#!/bin/sh\n"), 0755);
	must(ph_program_set(&program, WORDS("order-status"), room, NULL, 0, &fail), &fail);
	assert_int_equal(ph_program_load(&program, &fail), PH_CONFIG);
	assert_string_equal(fail.text, "order-status: not in PATH (./order-status?)");
	start(WORDS("sh", "-c", "echo $0 $1", "zero", "one"));
	assert_string_equal(said_at_all(), "zero one\n");

	before = strdup(getenv("PATH"));
	setenv("PATH", ".::/usr/bin:", 1);
	must(ph_program_set(&program, WORDS("order-status"), room, NULL, 0, NULL), &fail);
	assert_int_equal(ph_program_load(&program, NULL), PH_CONFIG);
	setenv("PATH", before, 1);
	free(before);
}

static bool
is_there(pid_t pid)
{
	char	 path[64], text[300] = "";
	FILE	*f;
	bool	 is;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	if ((f = fopen(path, "re")) == NULL)
		return false;
	is = fgets(text, sizeof(text), f) != NULL && strstr(text, ") Z ") == NULL;
	fclose(f);
	return is;
}

static void
wait_until_gone(pid_t pid)
{
	int64_t	 by = ph_clock_mono() + AT_MOST_MS;

	while (is_there(pid)) {
		assert_true(ph_clock_mono() < by);
		(void)ph_process_check(&process);
		(void)poll(NULL, 0, 1);
	}
}

TEST(the_whole_group_is_ended)
{
	pid_t	 grandchild;

	start(WORDS("sh", "-c", "sleep 300 & echo \"$!.\"; wait"));
	grandchild = (pid_t)strtol(said_with("."), NULL, 10);
	assert_true(is_there(grandchild));
	ph_process_kill(&process);
	wait_until_gone(grandchild);
	wait_until_gone(process.pid);
	assert_true(ph_process_check(&process));
	assert_int_equal(process.signal, SIGTERM);
}

#ifdef PH_TEST
TEST(who_does_not_heed_term_is_killed)
{
	pid_t	 grandchild;

	setenv("PH_TEST_SPEED", "10", 1);
	start(WORDS("sh", "-c", "trap '' TERM; sleep 300 & echo \"$!.\"; wait; wait; sleep 300"));
	grandchild = (pid_t)strtol(said_with("."), NULL, 10);
	ph_process_kill(&process);
	wait_until_gone(grandchild);
	wait_until_gone(process.pid);
	assert_true(ph_process_check(&process));
	assert_int_equal(process.signal, SIGKILL);
}
#endif

TEST(what_outlives_an_ended_leader_is_killed_with_it)
{
	pid_t	 grandchild;

	start(WORDS("sh", "-c", "(trap '' TERM; echo go; exec sleep 300) & echo \"$!.\"; wait"));
	(void)said_with("go");
	(void)said_with(".");
	grandchild = (pid_t)strtol(said.data + strcspn(said.data, "0123456789"), NULL, 10);
	ph_process_kill(&process);
	wait_until_gone(process.pid);
	assert_true(ph_process_check(&process));
	assert_true(is_there(grandchild));
	ph_process_close(&process);
	wait_until_gone(grandchild);
}

TEST(a_background_child_of_one_that_left_by_itself_lives_on)
{
	pid_t	 grandchild;

	start(WORDS("sh", "-c", "sleep 300 >/dev/null & echo \"$!.\""));
	grandchild = (pid_t)strtol(said_with("."), NULL, 10);
	(void)said_at_all();
	ph_process_close(&process);
	assert_true(is_there(grandchild));
	assert_int_equal(kill(grandchild, SIGKILL), 0);
	wait_until_gone(grandchild);
}

TEST(standard_ends_that_are_closed_here_do_not_mix_up_the_childs)
{
	int	 in = dup(STDIN_FILENO), out = dup(STDOUT_FILENO), err = dup(STDERR_FILENO);

	close(STDIN_FILENO);
	close(STDOUT_FILENO);
	close(STDERR_FILENO);
	start(WORDS("sh", "-c", "cat && echo out; echo err >&2"));
	ph_process_close_in(&process);
	dup2(in, STDIN_FILENO);
	close(in);
	(void)said_at_all();
	if (process.err <= STDERR_FILENO)
		ph_process_close(&process);
	dup2(out, STDOUT_FILENO);
	dup2(err, STDERR_FILENO);
	close(out);
	close(err);
	process = (struct ph_process)PH_PROCESS_INIT;
	assert_string_equal(said.data, "out\n");
}

/* From here on close_range() is refused, as by an old kernel or a container; so it comes last. */
TEST(an_old_kernel_closes_as_much)
{
	struct sock_filter	 filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_close_range, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog	 rules = { COUNT_OF(filter), filter };
	int			 kept[200], high = open_high();
	size_t			 i;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &rules) != 0)
		skip();
	for (i = 0; i < COUNT_OF(kept); i++)
		kept[i] = open("/dev/null", O_RDONLY);
	start(WORDS("sh", "-c", list_fds));
	assert_string_equal(said_at_all(), "0\n1\n2\n");
	for (i = 0; i < COUNT_OF(kept); i++)
		close(kept[i]);
	close(high);
}

#define IN_A_ROOM(test)	cmocka_unit_test_setup_teardown(test, room_enter, leave)

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		IN_A_ROOM(a_child_has_three_descriptors),
		IN_A_ROOM(its_environment_is_the_one_that_was_made),
		IN_A_ROOM(without_a_path_of_ours_a_safe_one_is_given),
		IN_A_ROOM(a_child_leads_a_group_of_its_own_in_the_directory),
		IN_A_ROOM(no_signal_is_blocked_or_ignored),
		IN_A_ROOM(its_limits_are_its_own),
		IN_A_ROOM(words_arrive_byte_for_byte),
		IN_A_ROOM(how_it_ended_is_told_in_words),
		IN_A_ROOM(what_cannot_be_run_says_why),
		IN_A_ROOM(a_directory_that_is_gone_is_named),
		IN_A_ROOM(a_bare_name_is_looked_up_in_path_alone),
		IN_A_ROOM(the_whole_group_is_ended),
#ifdef PH_TEST
		IN_A_ROOM(who_does_not_heed_term_is_killed),
#endif
		IN_A_ROOM(what_outlives_an_ended_leader_is_killed_with_it),
		IN_A_ROOM(a_background_child_of_one_that_left_by_itself_lives_on),
		IN_A_ROOM(standard_ends_that_are_closed_here_do_not_mix_up_the_childs),
		IN_A_ROOM(an_old_kernel_closes_as_much),
	};

	return cmocka_run_group_tests_name("process", tests, NULL, NULL);
}
