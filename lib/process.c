/*
 * process -- one child process: its pipes, its start, its end and that of its group.
 * Knows program, buffer, clock.  Does not know what is said through the pipes.
 * Called by exec, coproc and alert.
 * Lives between fork and exec too: there only calls that are safe in a signal handler are allowed,
 * since other threads may have held any lock when we forked.
 * SPDX-License-Identifier: ISC
 */
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "process.h"

#define KILL_AFTER_MS	2000
#define MAX_FILES	1024		/* descriptors of a child: what programs expect */
#define REPORT_FD	3
#define READ_AT_ONCE	(64 * 1024)

struct start {			/* everything the child needs, made before the fork */
	const struct ph_program	*program;
	int			 in[2], out[2], err[2], report[2];
	pid_t			 parent;
};

struct report {
	int	 error;
	bool	 no_dir;
};

static void
close_one(int *fd)
{
	if (*fd != -1)
		close(*fd);
	*fd = -1;
}

/* Close-on-exec all: a handler that another thread starts meanwhile must not hold them. */
static bool
open_pipes(struct start *s)
{
	return pipe2(s->in, O_CLOEXEC) == 0 && pipe2(s->out, O_CLOEXEC) == 0 &&
	    pipe2(s->err, O_CLOEXEC) == 0 && pipe2(s->report, O_CLOEXEC) == 0 &&
	    fcntl(s->in[1], F_SETFL, O_NONBLOCK) == 0 &&
	    fcntl(s->out[0], F_SETFL, O_NONBLOCK) == 0 &&
	    fcntl(s->err[0], F_SETFL, O_NONBLOCK) == 0 &&
	    fcntl(s->report[0], F_SETFL, O_NONBLOCK) == 0;
}

static void
close_pipes(struct start *s)
{
	int	*const pipes[] = { s->in, s->out, s->err, s->report };
	size_t	 i;

	for (i = 0; i < sizeof(pipes) / sizeof(pipes[0]); i++) {
		close_one(&pipes[i][0]);
		close_one(&pipes[i][1]);
	}
}

/* The child, from here to execve. */

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

static void
limit(int resource, rlim_t soft, rlim_t hard)
{
	struct rlimit	 now;

	if (getrlimit(resource, &now) != 0)
		return;
	now.rlim_max = hard < now.rlim_max ? hard : now.rlim_max;
	now.rlim_cur = soft < now.rlim_max ? soft : now.rlim_max;
	(void)setrlimit(resource, &now);
}

static int
number_of(const char *name)			/* -1: not a descriptor, as "." */
{
	int	 n = 0;

	for (; *name >= '0' && *name <= '9' && n < 100000000; name++)
		n = 10 * n + (*name - '0');
	return *name == '\0' ? n : -1;
}

/* By the kernel's own list, since opendir() would allocate. */
static bool
close_listed(int from)
{
	_Alignas(struct dirent64) char	 room[2048];
	const struct dirent64		*entry;
	ssize_t				 at, got;
	int				 fd, list = open("/proc/self/fd", O_RDONLY | O_DIRECTORY);

	if (list == -1)
		return false;
	while ((got = getdents64(list, room, sizeof(room))) > 0)
		for (at = 0; at < got; at += entry->d_reclen) {
			entry = (const void *)(room + at);
			if ((fd = number_of(entry->d_name)) >= from && fd != list)
				close(fd);
		}
	close(list);
	return got == 0;
}

static void
close_all_from(int from)
{
	struct rlimit	 files;

	if (close_range((unsigned)from, ~0U, 0) == 0 || close_listed(from))
		return;
	if (getrlimit(RLIMIT_NOFILE, &files) != 0)
		files.rlim_cur = MAX_FILES;
	for (; (rlim_t)from < files.rlim_cur; from++)
		close(from);
}

/* First out of the way, where no dup2 can meet what it is about to need. */
static bool
place_descriptors(const struct start *s)
{
	int	 in = fcntl(s->in[0], F_DUPFD_CLOEXEC, REPORT_FD + 1);
	int	 out = fcntl(s->out[1], F_DUPFD_CLOEXEC, REPORT_FD + 1);
	int	 err = fcntl(s->err[1], F_DUPFD_CLOEXEC, REPORT_FD + 1);
	int	 report = fcntl(s->report[1], F_DUPFD_CLOEXEC, REPORT_FD + 1);

	if (in == -1 || out == -1 || err == -1 || report == -1 ||
	    dup2(in, STDIN_FILENO) == -1 || dup2(out, STDOUT_FILENO) == -1 ||
	    dup2(err, STDERR_FILENO) == -1 || dup2(report, REPORT_FD) == -1 ||
	    fcntl(REPORT_FD, F_SETFD, FD_CLOEXEC) == -1)
		return false;
	close_all_from(REPORT_FD + 1);
	return true;
}

static _Noreturn void
become(const struct start *s)
{
	const struct ph_program	*p = s->program;
	struct report		 report = { 0, false };

	(void)setpgid(0, 0);
	(void)prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != s->parent)
		_exit(126);		/* it ended before it could take us along */
	reset_signals();
	(void)umask(077);
	limit(RLIMIT_CORE, 0, 0);
	limit(RLIMIT_NOFILE, MAX_FILES, RLIM_INFINITY);
	if (p->cpu_s > 0)
		limit(RLIMIT_CPU, (rlim_t)p->cpu_s, (rlim_t)p->cpu_s + 2);
	if (!place_descriptors(s))
		_exit(126);
	if (chdir(p->dir) == 0)
		execve(p->path, p->argv, p->env);
	else
		report.no_dir = true;
	report.error = errno;
	if (write(REPORT_FD, &report, sizeof(report)) == -1)
		_exit(126);
	_exit(127);
}

/* The parent. */

static void
keep_our_ends(struct start *s, struct ph_process *p)
{
	p->in = s->in[1];
	p->out = s->out[0];
	p->err = s->err[0];
	p->report = s->report[0];
	s->in[1] = s->out[0] = s->err[0] = s->report[0] = -1;
}

enum ph_error
ph_process_start(const struct ph_program *program, struct ph_process *p, struct ph_fail *fail)
{
	struct start	 s = { program, { -1, -1 }, { -1, -1 }, { -1, -1 }, { -1, -1 }, getpid() };
	const char	*name = ph_program_name(program);
	sigset_t	 all, before;

	*p = (struct ph_process)PH_PROCESS_INIT;
	if (!open_pipes(&s)) {
		ph_error_set(fail, PH_BUSY, "%s: pipe: %s", name, strerror(errno));
		close_pipes(&s);
		return PH_BUSY;
	}
	/* A signal to the child before it is reset would run our handlers, on our descriptors. */
	sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	if ((p->pid = fork()) == 0)
		become(&s);
	if (p->pid > 0) {
		(void)setpgid(p->pid, p->pid);		/* so that it holds when we next kill it */
		keep_our_ends(&s, p);
	} else {
		p->pid = 0;
		ph_error_set(fail, PH_BUSY, "%s: fork: %s", name, strerror(errno));
	}
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	close_pipes(&s);
	return p->pid != 0 ? PH_OK : PH_BUSY;
}

void
ph_process_kill(struct ph_process *p)
{
	if (p->pid == 0 || p->kill_at != 0)
		return;
	(void)kill(-p->pid, SIGTERM);
	p->kill_at = ph_clock_mono() + ph_clock_wait_ms(KILL_AFTER_MS);
}

static void
read_report(struct ph_process *p)
{
	struct report	 report;

	if (p->report != -1 && read(p->report, &report, sizeof(report)) == sizeof(report)) {
		p->error = report.error;
		p->no_dir = report.no_dir;
	}
	close_one(&p->report);
}

/* It is seen here and reaped at _close: as long as it lies there, its number names our group. */
bool
ph_process_check(struct ph_process *p)
{
	siginfo_t	 info = { .si_pid = 0 };

	if (p->pid == 0 || p->ended)
		return p->ended;
	if (waitid(P_PID, (id_t)p->pid, &info, WEXITED | WNOHANG | WNOWAIT) == -1)
		info.si_pid = errno == ECHILD ? p->pid : 0;
	if (info.si_pid == 0) {
		if (p->kill_at != 0 && ph_clock_mono() >= p->kill_at) {
			(void)kill(-p->pid, SIGKILL);
			p->kill_at = INT64_MAX;
		}
		return false;
	}
	if (info.si_code == CLD_EXITED)
		p->exit = info.si_status;
	else
		p->signal = info.si_status;
	read_report(p);
	p->ended = true;
	return true;
}

void
ph_process_close(struct ph_process *p)
{
	close_one(&p->in);
	close_one(&p->out);
	close_one(&p->err);
	close_one(&p->report);
	if (p->pid == 0)
		return;
	if (!p->ended || p->kill_at != 0)
		(void)kill(-p->pid, SIGKILL);
	while (waitpid(p->pid, NULL, 0) == -1 && errno == EINTR)
		continue;
	*p = (struct ph_process)PH_PROCESS_INIT;
}

/* What a person does about it, where the system's word alone does not tell. */
static const char *
advice(const struct ph_process *p, const struct ph_program *program)
{
	struct ph_buffer	 path = PH_BUFFER_INIT;
	bool			 there;

	if (p->error == EACCES && !p->no_dir)
		return " (chmod +x?)";
	if (p->error == ENOEXEC)
		return " (no #! line?)";
	if (p->error != ENOENT || p->no_dir)
		return "";
	ph_buffer_addf(&path, "%s/%s", program->path[0] == '/' ? "" : program->dir, program->path);
	there = !path.failed && access(path.data, F_OK) == 0;
	ph_buffer_clear(&path);
	return there ? ": what its #! line names" : "";
}

void
ph_process_tell(const struct ph_process *p, const struct ph_program *program, char *why,
    size_t size)
{
	if (p->error != 0)
		snprintf(why, size, "%s: %s%s", p->no_dir ? program->dir : ph_program_name(program),
		    strerror(p->error), advice(p, program));
	else if (p->exit != -1)
		snprintf(why, size, "exit %d", p->exit);
	else if (p->signal != 0)
		snprintf(why, size, "killed by signal %d", p->signal);
	else
		snprintf(why, size, "gone, nobody knows how");
}

void
ph_process_write(struct ph_process *p, struct ph_buffer *from)
{
	ssize_t	 put;

	while (p->in != -1 && from->len > 0) {
		if ((put = write(p->in, from->data, from->len)) > 0)
			ph_buffer_drop(from, (size_t)put);
		else if (put == -1 && errno == EAGAIN)
			return;
		else if (put == -1 && errno != EINTR)
			close_one(&p->in);	/* it need not read to answer well */
	}
	if (p->in == -1)
		ph_buffer_reset(from);
}

void
ph_process_read(struct ph_process *p, struct ph_buffer *to, size_t most)
{
	size_t	 n;
	ssize_t	 got;
	char	*room;

	for (; p->out != -1 && most > 0; most -= (size_t)got) {
		n = most < READ_AT_ONCE ? most : READ_AT_ONCE;
		if ((room = ph_buffer_room(to, n)) == NULL)
			return;
		if ((got = read(p->out, room, n)) > 0) {
			to->len += (size_t)got;
			to->data[to->len] = '\0';
		} else if (got == -1 && errno == EINTR)
			got = 0;
		else if (got == -1 && errno == EAGAIN)
			return;
		else {
			close_one(&p->out);
			return;
		}
	}
}

void
ph_process_close_in(struct ph_process *p)
{
	close_one(&p->in);
}

void
ph_process_close_out(struct ph_process *p)
{
	close_one(&p->out);
}

size_t
ph_process_watch(const struct ph_process *p, bool writing, struct pollfd *fds, size_t max)
{
	const struct pollfd	 ends[] = { { p->out, POLLIN, 0 }, { p->err, POLLIN, 0 },
				    { writing ? p->in : -1, POLLOUT, 0 } };
	size_t			 i, n = 0;

	for (i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
		if (ends[i].fd != -1 && n < max)
			fds[n++] = ends[i];
	return n;
}
