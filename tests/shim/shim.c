/*
 * shim -- a preloaded library: a process dies before its N-th system call, or a call fails.
 * Knows the C library's names of system calls.  Does not know pagehook.
 * Called by whatever runs with LD_PRELOAD; the tests put it there, see shim in tests/Pagehook.pm.
 * Lives in a process of the test; the children that it forks count with it until they exec.
 * SPDX-License-Identifier: ISC
 *
 * Nothing happens unless the environment says so; what is empty there is not said:
 *
 *	PH_SHIM_ONLY=ROLE       only where "PROGRAM ARGUMENT" contains it: "pagehook helper"
 *	PH_SHIM_FROM=FILE       nothing counts or fails before that file exists
 *	PH_SHIM_KILL_AT=N       SIGKILL just before the N-th point
 *	PH_SHIM_KILLED=FILE     gets that point's line; nobody dies any more once it exists
 *	PH_SHIM_COUNT=FILE      a line for each call: pid, program, number of the point or 0, call, path
 *	PH_SHIM_FAIL=CALL:NTH:COUNT:ERRNO[,..]   that call of that name fails, and COUNT - 1 after it
 *	PH_SHIM_FAIL=CALL:short:NTH:COUNT        it moves half of its bytes instead
 *	PH_SHIM_DIR=DIR         where disks are bad: regular files below it
 *	PH_SHIM_FULL=FILE       while FILE exists nothing can be written there: ENOSPC
 *	PH_SHIM_EIO=FILE        while FILE exists nothing can be synced there: EIO
 *
 * A call goes by its plain name: pwrite64 is pwrite.  Each is a point but an open that creates
 * nothing; one that may create is "create", and for PH_SHIM_FAIL "open" as well.
 */
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAX_FAILS	8
#define SHORT		(-1)	/* instead of an errno: half of it */

#define FOR_EACH(X) \
	X(open) X(open64) X(openat) X(openat64) X(write) X(writev) X(pwrite) X(pwrite64) X(read) \
	X(pread) X(pread64) X(fsync) X(fdatasync) X(ftruncate) X(ftruncate64) X(fallocate) \
	X(fallocate64) X(posix_fallocate) X(posix_fallocate64) X(rename) X(renameat) X(unlink) \
	X(unlinkat) X(connect) X(accept) X(accept4) X(send) X(sendto) X(sendmsg) X(recv) X(recvfrom) \
	X(recvmsg) X(fork) X(execve) X(execv)

#define DECLARE(name)	static __typeof__(name)	*next_##name;
FOR_EACH(DECLARE)

#define NEXT(name)	(find_next(), next_##name)

/* By our constructor, if no other library's was earlier. */
static void
find_next(void)
{
	if (next_execv != NULL)
		return;
#define FIND(name)	next_##name = dlsym(RTLD_NEXT, #name);
	FOR_EACH(FIND)
}

struct failing {
	char	 call[16];
	long	 nth, count;
	int	 err;
};

/* What a process and the children it forked have counted. */
struct counted {
	atomic_bool	 began;
	atomic_long	 points, calls[MAX_FAILS];
};

static struct {
	bool		 on;
	char		 role[64];
	const char	*from, *count, *killed, *dir, *full, *eio;
	long		 kill_at;
	struct failing	 fails[MAX_FAILS];
	size_t		 n_fails;
	struct counted	*counted;
} shim;

/* One call, as it is met: fd, or dirfd and path.  A zero fd with a path is none. */
struct call {
	const char	*name;
	int		 fd;
	const char	*path;
	bool		 passes;	/* no point: it changes nothing and nobody hears of it */
	bool		 grows, syncs, creates;
};

static int
error_of(const char *name)
{
	static const struct { const char *name; int err; } errors[] = {
		{ "EIO", EIO }, { "ENOSPC", ENOSPC }, { "EDQUOT", EDQUOT }, { "EINTR", EINTR },
		{ "EAGAIN", EAGAIN }, { "ENOMEM", ENOMEM }, { "EMFILE", EMFILE }, { "ENFILE", ENFILE },
		{ "EACCES", EACCES }, { "EROFS", EROFS }, { "EPIPE", EPIPE }, { "EFBIG", EFBIG },
		{ "ECONNREFUSED", ECONNREFUSED }, { "ECONNRESET", ECONNRESET },
		{ "ECONNABORTED", ECONNABORTED }, { "ETIMEDOUT", ETIMEDOUT }, { "ENOBUFS", ENOBUFS },
		{ "ENOENT", ENOENT }, { "ETXTBSY", ETXTBSY },
	};
	size_t	 i;

	for (i = 0; i < sizeof(errors) / sizeof(errors[0]); i++)
		if (strcmp(errors[i].name, name) == 0)
			return errors[i].err;
	return 0;
}

/* A test that is misspelt must not pass because nothing happened. */
static void
refuse(const char *what)
{
	dprintf(STDERR_FILENO, "shim: cannot read %s\n", what);
	_exit(70);
}

static void
parse_fails(const char *at)
{
	struct failing	*f;
	char		 error[16];

	for (; at != NULL; at = strchr(at, ',') != NULL ? strchr(at, ',') + 1 : NULL) {
		if (shim.n_fails == MAX_FAILS)
			refuse(at);
		f = &shim.fails[shim.n_fails++];
		if (sscanf(at, "%15[a-z]:short:%ld:%ld", f->call, &f->nth, &f->count) == 3)
			f->err = SHORT;
		else if (sscanf(at, "%15[a-z]:%ld:%ld:%15[A-Z]", f->call, &f->nth, &f->count,
		    error) != 4 || (f->err = error_of(error)) == 0)
			refuse(at);
	}
}

/* "PROGRAM ARGUMENT": the base name of argv[0], and argv[1]. */
static void
read_role(void)
{
	char	 argv[4096] = "", *first = argv, *slash, *second;
	int	 fd = (int)syscall(SYS_openat, AT_FDCWD, "/proc/self/cmdline", O_RDONLY | O_CLOEXEC);

	if (fd == -1 || syscall(SYS_read, fd, argv, sizeof(argv) - 2) <= 0)
		refuse("/proc/self/cmdline");
	syscall(SYS_close, fd);
	second = argv + strlen(argv) + 1;
	if ((slash = strrchr(argv, '/')) != NULL)
		first = slash + 1;
	snprintf(shim.role, sizeof(shim.role), "%.40s%s%.20s", first, *second ? " " : "", second);
}

/* An empty setting is none. */
static const char *
setting(const char *name)
{
	const char	*value = getenv(name);

	return value != NULL && value[0] != '\0' ? value : NULL;
}

static __attribute__((constructor)) void
begin(void)
{
	const char	*only = setting("PH_SHIM_ONLY"), *kill_at = setting("PH_SHIM_KILL_AT");

	find_next();
	read_role();
	if (only != NULL && strstr(shim.role, only) == NULL)
		return;
	shim.from = setting("PH_SHIM_FROM");
	shim.count = setting("PH_SHIM_COUNT");
	shim.killed = setting("PH_SHIM_KILLED");
	shim.dir = setting("PH_SHIM_DIR");
	shim.full = setting("PH_SHIM_FULL");
	shim.eio = setting("PH_SHIM_EIO");
	shim.kill_at = kill_at != NULL ? strtol(kill_at, NULL, 10) : 0;
	parse_fails(setting("PH_SHIM_FAIL"));
	shim.counted = mmap(NULL, sizeof(*shim.counted), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	shim.on = shim.counted != MAP_FAILED;
}

/* From here on a call may stand between fork and exec: no lock, no memory, no library. */

static bool
exists(const char *path)
{
	return path != NULL && syscall(SYS_faccessat, AT_FDCWD, path, F_OK) == 0;
}

static bool
has_begun(void)
{
	if (!shim.on)
		return false;
	if (!shim.counted->began && (shim.from == NULL || exists(shim.from)))
		shim.counted->began = true;
	return shim.counted->began;
}

/* Where a descriptor leads: an absolute path, or "socket:[123]". */
static void
path_of_fd(int fd, char *out, size_t size)
{
	char	 link[40] = "/proc/self/fd/", digits[12];
	size_t	 at = strlen(link), n = 0;
	long	 len;

	if (fd == AT_FDCWD)
		memcpy(link, "/proc/self/cwd", sizeof("/proc/self/cwd"));
	else if (fd >= 0) {
		do
			digits[n++] = (char)('0' + fd % 10);
		while ((fd /= 10) > 0);
		while (n > 0)
			link[at++] = digits[--n];
	}
	len = syscall(SYS_readlinkat, AT_FDCWD, link, out, size - 1);
	out[len > 0 ? len : 0] = '\0';
}

static void
path_of(const struct call *c, char *out, size_t size)
{
	size_t	 at = 0;

	out[0] = '\0';
	if (c->path == NULL || c->path[0] != '/')
		path_of_fd(c->fd, out, size);
	if (c->path == NULL)
		return;
	at = strlen(out);
	if (at > 0 && at < size - 1)
		out[at++] = '/';
	for (const char *p = c->path; *p != '\0' && at < size - 1; p++)
		out[at++] = *p;
	out[at] = '\0';
}

static size_t
add_number(char *out, long n)
{
	char	 digits[24];
	size_t	 len = 0, at = 0;

	do
		digits[len++] = (char)('0' + n % 10);
	while ((n /= 10) > 0);
	while (len > 0)
		out[at++] = digits[--len];
	return at;
}

static size_t
add_text(char *out, const char *text, char blank)
{
	size_t	 at = 0;

	for (; text[at] != '\0'; at++)
		out[at] = text[at] == ' ' ? blank : text[at];
	return at;
}

/* Adds the point's line to a file; how says O_EXCL if there is to be one line.  False: not added. */
static bool
note(const char *file, int how, const struct call *c, long n)
{
	char	 line[1400], path[1200];
	size_t	 at = 0;
	int	 fd = (int)syscall(SYS_openat, AT_FDCWD, file,
		    O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | how, 0600);

	if (fd == -1)
		return false;
	path_of(c, path, sizeof(path));
	at += add_number(line, syscall(SYS_getpid));
	line[at++] = ' ';
	at += add_text(line + at, shim.role, ':');
	line[at++] = ' ';
	at += add_number(line + at, n);
	line[at++] = ' ';
	at += add_text(line + at, c->name, ':');
	line[at++] = ' ';
	at += add_text(line + at, path, ' ');
	line[at++] = '\n';
	(void)!syscall(SYS_write, fd, line, at);
	syscall(SYS_close, fd);
	return true;
}

static void
count(const struct call *c)
{
	long	 n = c->passes ? 0 : ++shim.counted->points;

	if (shim.count != NULL)
		(void)note(shim.count, 0, c, n);
	if (n == 0 || n != shim.kill_at || (shim.killed != NULL && !note(shim.killed, O_EXCL, c, n)))
		return;
	for (;;)
		syscall(SYS_kill, syscall(SYS_getpid), SIGKILL);
}

/* A regular file below that directory; one that an open may create: if it is not there. */
static bool
is_on_bad_disk(const struct call *c)
{
	char		 path[1200];
	struct stat	 st;
	size_t		 len = shim.dir != NULL ? strlen(shim.dir) : 0;

	path_of(c, path, sizeof(path));
	if (len == 0 || strncmp(path, shim.dir, len) != 0 || path[len] != '/')
		return false;
	return c->creates ? !exists(path) : fstat(c->fd, &st) == 0 && S_ISREG(st.st_mode);
}

static int
wanted_failure(const struct call *c)
{
	size_t	 i;
	int	 err = 0;

	for (i = 0; i < shim.n_fails; i++) {
		const struct failing	*f = &shim.fails[i];
		long			 n;

		if (strcmp(f->call, c->name) != 0 && !(c->creates && strcmp(f->call, "open") == 0))
			continue;
		n = ++shim.counted->calls[i];
		if (n >= f->nth && n < f->nth + f->count)
			err = f->err;
	}
	return err;
}

/* Each call comes here first: the errno it is to fail with, SHORT, or 0. */
static int
meet(const struct call *c)
{
	int	 before = errno, err;

	if (!has_begun()) {
		errno = before;
		return 0;
	}
	count(c);
	err = wanted_failure(c);
	if (err == 0 && (c->grows || c->creates) && exists(shim.full) && is_on_bad_disk(c))
		err = ENOSPC;
	if (err == 0 && c->syncs && exists(shim.eio) && is_on_bad_disk(c))
		err = EIO;
	errno = err > 0 ? err : before;
	return err;
}

static size_t
some(size_t len, int err)
{
	return err == SHORT && len > 1 ? len / 2 : len;
}

/* The calls, by the C library's names. */

static int
meet_open(int dirfd, const char *path, int flags)
{
	bool	 creates = (flags & O_CREAT) != 0;

	return meet(&(struct call){ creates ? "create" : "open", .fd = dirfd, .path = path,
	    .passes = !creates, .creates = creates });
}

#define MODE(flags, mode) do {						\
	va_list	 args;							\
	va_start(args, flags);						\
	(mode) = (flags) & (O_CREAT | __O_TMPFILE) ? va_arg(args, mode_t) : 0;	\
	va_end(args);							\
} while (0)

#define OPEN(name) int							\
name(const char *path, int flags, ...)					\
{									\
	mode_t	 mode;							\
									\
	MODE(flags, mode);						\
	return meet_open(AT_FDCWD, path, flags) > 0 ? -1 : NEXT(name)(path, flags, mode); \
}
OPEN(open)
OPEN(open64)

#define OPENAT(name) int						\
name(int dirfd, const char *path, int flags, ...)			\
{									\
	mode_t	 mode;							\
									\
	MODE(flags, mode);						\
	return meet_open(dirfd, path, flags) > 0 ? -1 : NEXT(name)(dirfd, path, flags, mode); \
}
OPENAT(openat)
OPENAT(openat64)

ssize_t
write(int fd, const void *bytes, size_t len)
{
	int	 err = meet(&(struct call){ "write", .fd = fd, .grows = true });

	return err > 0 ? -1 : NEXT(write)(fd, bytes, some(len, err));
}

ssize_t
writev(int fd, const struct iovec *parts, int n)
{
	int	 err = meet(&(struct call){ "writev", .fd = fd, .grows = true });

	return err > 0 ? -1 : NEXT(writev)(fd, parts, (int)some((size_t)n, err));
}

#define PWRITE(name, offset) ssize_t					\
name(int fd, const void *bytes, size_t len, offset at)			\
{									\
	int	 err = meet(&(struct call){ "pwrite", .fd = fd, .grows = true }); \
									\
	return err > 0 ? -1 : NEXT(name)(fd, bytes, some(len, err), at); \
}
PWRITE(pwrite, off_t)
PWRITE(pwrite64, off64_t)

ssize_t
read(int fd, void *bytes, size_t len)
{
	int	 err = meet(&(struct call){ "read", .fd = fd });

	return err > 0 ? -1 : NEXT(read)(fd, bytes, some(len, err));
}

#define PREAD(name, offset) ssize_t					\
name(int fd, void *bytes, size_t len, offset at)			\
{									\
	int	 err = meet(&(struct call){ "pread", .fd = fd, .passes = true }); \
									\
	return err > 0 ? -1 : NEXT(name)(fd, bytes, some(len, err), at); \
}
PREAD(pread, off_t)
PREAD(pread64, off64_t)

#define SYNC(name) int							\
name(int fd)								\
{									\
	return meet(&(struct call){ #name, .fd = fd, .syncs = true }) > 0 ? -1 : NEXT(name)(fd); \
}
SYNC(fsync)
SYNC(fdatasync)

#define FTRUNCATE(name, offset) int					\
name(int fd, offset len)						\
{									\
	struct stat	 st = { .st_size = 0 };				\
	bool		 grows = fstat(fd, &st) == 0 && len > st.st_size; \
									\
	return meet(&(struct call){ "ftruncate", .fd = fd, .grows = grows }) > 0 ? -1 : \
	    NEXT(name)(fd, len);					\
}
FTRUNCATE(ftruncate, off_t)
FTRUNCATE(ftruncate64, off64_t)

#define FALLOCATE(name, offset) int					\
name(int fd, int mode, offset at, offset len)				\
{									\
	bool	 grows = (mode & FALLOC_FL_PUNCH_HOLE) == 0;		\
									\
	return meet(&(struct call){ "fallocate", .fd = fd, .grows = grows }) > 0 ? -1 : \
	    NEXT(name)(fd, mode, at, len);				\
}
FALLOCATE(fallocate, off_t)
FALLOCATE(fallocate64, off64_t)

/* Alone among them it returns the error. */
#define POSIX_FALLOCATE(name, offset) int				\
name(int fd, offset at, offset len)					\
{									\
	int	 err = meet(&(struct call){ "fallocate", .fd = fd, .grows = true }); \
									\
	return err > 0 ? err : NEXT(name)(fd, at, len);			\
}
POSIX_FALLOCATE(posix_fallocate, off_t)
POSIX_FALLOCATE(posix_fallocate64, off64_t)

int
rename(const char *from, const char *to)
{
	return meet(&(struct call){ "rename", .fd = AT_FDCWD, .path = from }) > 0 ? -1 :
	    NEXT(rename)(from, to);
}

int
renameat(int from_dir, const char *from, int to_dir, const char *to)
{
	return meet(&(struct call){ "rename", .fd = from_dir, .path = from }) > 0 ? -1 :
	    NEXT(renameat)(from_dir, from, to_dir, to);
}

int
unlink(const char *path)
{
	return meet(&(struct call){ "unlink", .fd = AT_FDCWD, .path = path }) > 0 ? -1 :
	    NEXT(unlink)(path);
}

int
unlinkat(int dirfd, const char *path, int flags)
{
	return meet(&(struct call){ "unlink", .fd = dirfd, .path = path }) > 0 ? -1 :
	    NEXT(unlinkat)(dirfd, path, flags);
}

int
connect(int fd, const struct sockaddr *to, socklen_t len)
{
	return meet(&(struct call){ "connect", .fd = fd }) > 0 ? -1 : NEXT(connect)(fd, to, len);
}

int
accept(int fd, struct sockaddr *peer, socklen_t *len)
{
	return meet(&(struct call){ "accept", .fd = fd }) > 0 ? -1 : NEXT(accept)(fd, peer, len);
}

int
accept4(int fd, struct sockaddr *peer, socklen_t *len, int flags)
{
	return meet(&(struct call){ "accept", .fd = fd }) > 0 ? -1 :
	    NEXT(accept4)(fd, peer, len, flags);
}

ssize_t
send(int fd, const void *bytes, size_t len, int flags)
{
	int	 err = meet(&(struct call){ "send", .fd = fd });

	return err > 0 ? -1 : NEXT(send)(fd, bytes, some(len, err), flags);
}

ssize_t
sendto(int fd, const void *bytes, size_t len, int flags, const struct sockaddr *to,
    socklen_t to_len)
{
	int	 err = meet(&(struct call){ "send", .fd = fd });

	return err > 0 ? -1 : NEXT(sendto)(fd, bytes, some(len, err), flags, to, to_len);
}

ssize_t
sendmsg(int fd, const struct msghdr *msg, int flags)
{
	struct msghdr	 less = *msg;
	int		 err = meet(&(struct call){ "send", .fd = fd });

	less.msg_iovlen = some(msg->msg_iovlen, err);
	return err > 0 ? -1 : NEXT(sendmsg)(fd, err == SHORT ? &less : msg, flags);
}

ssize_t
recv(int fd, void *bytes, size_t len, int flags)
{
	int	 err = meet(&(struct call){ "recv", .fd = fd });

	return err > 0 ? -1 : NEXT(recv)(fd, bytes, some(len, err), flags);
}

ssize_t
recvfrom(int fd, void *bytes, size_t len, int flags, struct sockaddr *from, socklen_t *from_len)
{
	int	 err = meet(&(struct call){ "recv", .fd = fd });

	return err > 0 ? -1 : NEXT(recvfrom)(fd, bytes, some(len, err), flags, from, from_len);
}

ssize_t
recvmsg(int fd, struct msghdr *msg, int flags)
{
	return meet(&(struct call){ "recv", .fd = fd }) > 0 ? -1 : NEXT(recvmsg)(fd, msg, flags);
}

pid_t
fork(void)
{
	return meet(&(struct call){ "fork", .fd = AT_FDCWD }) > 0 ? -1 : NEXT(fork)();
}

int
execve(const char *path, char *const argv[], char *const envp[])
{
	return meet(&(struct call){ "execve", .fd = AT_FDCWD, .path = path }) > 0 ? -1 :
	    NEXT(execve)(path, argv, envp);
}

int
execv(const char *path, char *const argv[])
{
	return meet(&(struct call){ "execve", .fd = AT_FDCWD, .path = path }) > 0 ? -1 :
	    NEXT(execv)(path, argv);
}
