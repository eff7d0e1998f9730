/*
 * start -- starts the helper, so that nothing of the web server's goes with it.
 * Knows conf.  Does not know requests or the wire.
 * Called by the front when nobody listens.
 * Lives between fork and exec: there only calls that are safe in a signal handler are allowed,
 * since other threads may have held any lock when we forked.
 * SPDX-License-Identifier: ISC
 */
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "start.h"

/* Everything the child needs, made before the fork. */
struct start {
	char	 program[4096];
	char	*argv[3];	/* the name chooses the settings, there as here */
	char	**env;
	int	 state_fd, null_fd;
	int	 report[2];	/* the child's errno, or its end of file when exec succeeded */
};

static void
find_program(const struct ph_conf *conf, char *out, size_t size)
{
	char	 self[4000] = "", *slash;

	if (conf->helper != NULL) {
		snprintf(out, size, "%s", conf->helper);
		return;
	}
	if (readlink("/proc/self/exe", self, sizeof(self) - 1) > 0 &&
	    (slash = strrchr(self, '/')) != NULL) {
		*slash = '\0';
		snprintf(out, size, "%s/pagehook", self);
		if (access(out, X_OK) == 0)
			return;
	}
	snprintf(out, size, "%s/pagehook", PH_BINDIR);
}

static void
close_all_from(int fd)
{
	struct rlimit	 limit;

	if (close_range((unsigned)fd, ~0U, 0) == 0)
		return;
	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		limit.rlim_cur = 1024;
	for (; (rlim_t)fd < limit.rlim_cur; fd++)
		close(fd);
}

static void
reset_signals(void)
{
	struct sigaction	 plain = { .sa_handler = SIG_DFL };
	sigset_t		 none;
	int			 signo;

	for (signo = 1; signo < NSIG; signo++)
		(void)sigaction(signo, &plain, NULL);	/* KILL and STOP refuse, as they should */
	sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}

static _Noreturn void
become_helper(const struct start *s)
{
	const struct rlimit	 no_core = { 0, 0 };
	const int		 report = 3;
	int			 err;

	reset_signals();
	(void)umask(077);
	(void)setrlimit(RLIMIT_CORE, &no_core);		/* a core would hold every secret */
	if (fchdir(s->state_fd) == -1 || dup2(s->null_fd, STDIN_FILENO) == -1 ||
	    dup2(s->null_fd, STDOUT_FILENO) == -1 || dup2(s->null_fd, STDERR_FILENO) == -1 ||
	    dup2(s->report[1], report) == -1 || fcntl(report, F_SETFD, FD_CLOEXEC) == -1)
		_exit(1);
	close_all_from(report + 1);
	execve(s->program, s->argv, s->env);
	err = errno;
	if (write(report, &err, sizeof(err)) == -1)
		_exit(126);
	_exit(127);
}

/* The middle child leaves at once, so that the helper is nobody's child but init's. */
static enum ph_error
spawn(const struct start *s, struct ph_fail *fail)
{
	pid_t	 middle = fork();

	if (middle == -1)
		return ph_error_set(fail, PH_BUSY, "helper: fork: %s", strerror(errno));
	if (middle == 0) {
		(void)setsid();
		switch (fork()) {
		case -1:
			_exit(1);
		case 0:
			become_helper(s);
		default:
			_exit(0);
		}
	}
	while (waitpid(middle, NULL, 0) == -1 && errno == EINTR)
		continue;
	return PH_OK;
}

static enum ph_error
hear(const struct start *s, struct ph_fail *fail)
{
	ssize_t	 got;
	int	 err = 0;

	while ((got = read(s->report[0], &err, sizeof(err))) == -1 && errno == EINTR)
		continue;
	if (got > 0)
		return ph_error_set(fail, PH_BUSY, "helper: %s: %s", s->program, strerror(err));
	return PH_OK;
}

enum ph_error
start_helper(const struct ph_conf *conf, int state_fd, struct ph_fail *fail)
{
	char		 verb[] = "helper";
	struct start	 s = { .state_fd = state_fd, .null_fd = -1, .report = { -1, -1 },
			    .argv = { conf->name, verb, NULL } };
	enum ph_error	 err;

	find_program(conf, s.program, sizeof(s.program));
	if ((s.env = ph_conf_new_environment(conf)) == NULL)
		return ph_error_set(fail, PH_NOMEM, "helper: out of memory");
	s.null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (s.null_fd == -1 || pipe2(s.report, O_CLOEXEC) == -1)
		err = ph_error_set(fail, PH_BUSY, "helper: %s", strerror(errno));
	else if ((err = spawn(&s, fail)) == PH_OK) {
		close(s.report[1]);
		s.report[1] = -1;
		err = hear(&s, fail);
	}
	if (s.null_fd != -1)
		close(s.null_fd);
	if (s.report[0] != -1)
		close(s.report[0]);
	if (s.report[1] != -1)
		close(s.report[1]);
	ph_conf_free_environment(s.env);
	return err;
}
