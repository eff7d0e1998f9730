/*
 * spool -- where a front keeps a body when no helper takes it.
 * Knows buffer and clock.  Does not know what is in a body.
 * Called by the front to keep; by the helper to take in, commit and remove.
 * Lives as files in STATE/spool, one a body.
 * SPDX-License-Identifier: ISC
 */
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/uio.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "spool.h"

#define MAX_BYTES	(INT64_C(256) << 20)
#define MAX_FILE	(80 << 20)
#define MAX_AT_ONCE	(8u << 20)	/* bytes read at once, unless one body is longer */
#define LEFT_FOR_HELPER	(2 << 20)	/* bytes of a disk that is nearly full: half of the helper's ballast */
#define COUNT_EVERY_MS	1000
#define SETTLED_NS	INT64_C(1000000000)	/* more than any file system's tick */
#define MAGIC		"pagehook-spool 1 "

enum ph_error
ph_spool_open(struct ph_spool *spool, int state_fd, struct ph_fail *fail)
{
	(void)mkdirat(state_fd, "spool", 0700);		/* there already, or opening tells */
	spool->fd = openat(state_fd, "spool", O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (spool->fd == -1)
		return ph_error_set(fail, PH_BUSY, "spool: %s", strerror(errno));
	return PH_OK;
}

void
ph_spool_close(struct ph_spool *spool)
{
	if (spool->fd != -1)
		close(spool->fd);
	*spool = (struct ph_spool)PH_SPOOL_INIT;
}

/* A directory stream of its own over the same directory; the descriptor stays ours. */
static DIR *
list(const struct ph_spool *spool)
{
	int	 fd = openat(spool->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR	*dir = fd != -1 ? fdopendir(fd) : NULL;

	if (dir == NULL && fd != -1)
		close(fd);
	return dir;
}

static void
count(struct ph_spool *spool)
{
	struct dirent	*entry;
	struct stat	 st;
	DIR		*dir;

	if (spool->counted_at != 0 && ph_clock_mono() < spool->counted_at + COUNT_EVERY_MS)
		return;
	if ((dir = list(spool)) == NULL)
		return;
	spool->bytes = 0;
	while ((entry = readdir(dir)) != NULL)
		if (fstatat(spool->fd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		    S_ISREG(st.st_mode))
			spool->bytes += st.st_size;
	closedir(dir);
	spool->counted_at = ph_clock_mono();
}

/* The last of the room is for what became of the replies under way: no front can note that. */
static bool
is_full(const struct ph_spool *spool, size_t len)
{
	struct statvfs	 fs;

	return fstatvfs(spool->fd, &fs) == 0 &&
	    (unsigned long long)fs.f_bavail * fs.f_frsize < LEFT_FOR_HELPER + len;
}

static enum ph_error
write_synced(int fd, struct ph_slice body, int64_t now, struct ph_fail *fail)
{
	char		 head[64];
	int		 n = snprintf(head, sizeof(head), MAGIC "%" PRId64 " %zu\n", now, body.len);
	size_t		 at;
	ssize_t		 wrote;

	if (write(fd, head, (size_t)n) != n)
		return ph_error_set(fail, PH_BUSY, "spool: %s", strerror(errno));
	for (at = 0; at < body.len; at += (size_t)wrote)
		if ((wrote = write(fd, body.at + at, body.len - at)) <= 0)
			return ph_error_set(fail, PH_BUSY, "spool: %s", strerror(errno));
	if (fsync(fd) != 0)
		return ph_error_set(fail, PH_BUSY, "spool: fsync: %s", strerror(errno));
	return PH_OK;
}

enum ph_error
ph_spool_keep(struct ph_spool *spool, struct ph_slice body, int64_t now, struct ph_fail *fail)
{
	static unsigned	 counter;
	char		 name[72], tmp[80];
	uint32_t	 random = 0;
	enum ph_error	 err;
	int		 fd;

	count(spool);
	if (spool->bytes + (int64_t)body.len > MAX_BYTES)
		return ph_error_set(fail, PH_TOOBIG, "spool: full: %" PRId64 " bytes wait for a helper",
		    spool->bytes);
	if (is_full(spool, body.len))
		return ph_error_set(fail, PH_TOOBIG, "spool: the disk is full");
	if (getrandom(&random, sizeof(random), 0) != sizeof(random))
		random = (uint32_t)ph_clock_mono();	/* pid and counter still make it unique */
	snprintf(name, sizeof(name), "%013" PRId64 "-%d-%u-%08x", now, (int)getpid(),
	    __atomic_fetch_add(&counter, 1, __ATOMIC_RELAXED), random);
	snprintf(tmp, sizeof(tmp), "%s.tmp", name);
	fd = openat(spool->fd, tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd == -1)
		return ph_error_set(fail, PH_BUSY, "spool: %s", strerror(errno));
	err = write_synced(fd, body, now, fail);
	if (close(fd) != 0 && err == PH_OK)
		err = ph_error_set(fail, PH_BUSY, "spool: close: %s", strerror(errno));
	if (err == PH_OK && (renameat(spool->fd, tmp, spool->fd, name) != 0 || fsync(spool->fd) != 0))
		err = ph_error_set(fail, PH_BUSY, "spool: %s", strerror(errno));
	if (err != PH_OK)
		(void)unlinkat(spool->fd, tmp, 0);
	else
		spool->bytes += (int64_t)body.len;
	return err;
}

static int64_t
mtime_of(const struct ph_spool *spool)
{
	struct stat	 st;

	if (fstat(spool->fd, &st) != 0)
		return 0;
	return st.st_mtim.tv_sec * INT64_C(1000000000) + st.st_mtim.tv_nsec;
}

bool
ph_spool_changed(const struct ph_spool *spool)
{
	return mtime_of(spool) != spool->mtime_ns;
}

/* ".tmp" of a front that died in the middle: nobody was told 200 for it. */
static void
sweep(const struct ph_spool *spool, const char *name)
{
	struct stat	 st;

	if (fstatat(spool->fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    st.st_mtim.tv_sec * INT64_C(1000) < ph_clock_now() - PH_HOUR_MS)
		(void)unlinkat(spool->fd, name, 0);
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(((const struct ph_spooled *)a)->name, ((const struct ph_spooled *)b)->name);
}

static bool
is_ours(const struct ph_spool *spool, const char *name)
{
	struct stat	 st;

	return strspn(name, "0123456789") == 13 && name[13] == '-' &&
	    fstatat(spool->fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode) &&
	    st.st_uid == geteuid() && st.st_size <= MAX_FILE;
}

/* The names alone; what is not ours is left alone. */
static struct ph_spooled *
names(const struct ph_spool *spool, size_t *n)
{
	struct ph_spooled	*all = NULL, *grown;
	struct dirent		*entry;
	DIR			*dir = list(spool);
	size_t			 cap = 0, len;

	for (*n = 0; dir != NULL && (entry = readdir(dir)) != NULL; ) {
		len = strlen(entry->d_name);
		if (len > 4 && strcmp(entry->d_name + len - 4, ".tmp") == 0) {
			sweep(spool, entry->d_name);
			continue;
		}
		if (len >= sizeof(all->name) - 2 || !is_ours(spool, entry->d_name))
			continue;
		if (*n == cap) {
			cap = cap == 0 ? 64 : 2 * cap;
			if ((grown = realloc(all, cap * sizeof(*all))) == NULL)
				break;		/* the rest is found the next time */
			all = grown;
		}
		all[*n] = (struct ph_spooled){ .body = PH_BUFFER_INIT };
		memcpy(all[(*n)++].name, entry->d_name, len + 1);
	}
	if (dir != NULL)
		closedir(dir);
	if (*n > 1)
		qsort(all, *n, sizeof(*all), by_name);
	return all;
}

bool
ph_spool_holds(int state_fd)
{
	struct ph_spool	 spool = PH_SPOOL_INIT;
	size_t		 n = 0;

	if (ph_spool_open(&spool, state_fd, NULL) == PH_OK)
		free(names(&spool, &n));
	ph_spool_close(&spool);
	return n > 0;
}

/* Notes that this body is about to be read; how often it was, counting this time. */
static int
mark(const struct ph_spool *spool, struct ph_spooled *one)
{
	char	 marked[sizeof(one->name)];
	char	*dot = strchr(one->name, '.');
	int	 tries = dot != NULL ? (int)strtol(dot + 1, NULL, 10) + 1 : 1;

	if (tries > PH_SPOOL_TRIES)
		return tries;
	snprintf(marked, sizeof(marked), "%.*s.%d",
	    dot != NULL ? (int)(dot - one->name) : (int)strlen(one->name), one->name, tries);
	if (renameat(spool->fd, one->name, spool->fd, marked) == 0)
		memcpy(one->name, marked, sizeof(marked));
	return tries;
}

static enum ph_error
parse(struct ph_spooled *one)
{
	char	*end, *line = one->body.data;
	size_t	 len;

	if (one->body.len < sizeof(MAGIC) || strncmp(line, MAGIC, sizeof(MAGIC) - 1) != 0)
		return PH_MALFORMED;
	one->arrived = strtoll(line + sizeof(MAGIC) - 1, &end, 10);
	len = (size_t)strtoull(end, &end, 10);
	if (*end != '\n' || one->body.len - (size_t)(end + 1 - line) != len)
		return PH_MALFORMED;
	ph_buffer_drop(&one->body, (size_t)(end + 1 - line));
	return PH_OK;
}

/* PH_BUSY: not to be read now, which says nothing about what is in it. */
static enum ph_error
read_one(const struct ph_spool *spool, struct ph_spooled *one)
{
	struct stat	 st;
	char		*room;
	ssize_t		 got = -1;
	int		 fd = openat(spool->fd, one->name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

	if (fd == -1)
		return PH_BUSY;
	if (fstat(fd, &st) == 0)
		while ((room = ph_buffer_room(&one->body, (size_t)st.st_size + 1)) != NULL &&
		    (got = read(fd, room, (size_t)st.st_size + 1)) > 0)
			one->body.len += (size_t)got;
	close(fd);
	if (got != 0)
		return PH_BUSY;
	one->body.data[one->body.len] = '\0';
	return parse(one);
}

struct ph_spooled *
ph_spool_read_all(struct ph_spool *spool, size_t max, size_t *n, bool *more)
{
	int64_t			 mtime = mtime_of(spool), begun = ph_clock_now() * 1000000;
	size_t			 found, len = 0;
	struct ph_spooled	*all = names(spool, &found);

	/*
	 * A body that was being read when a helper died is read alone: only the one that did it may be
	 * given up, never its neighbours.
	 */
	for (*n = 0; *n < found && *n < max && len < MAX_AT_ONCE; (*n)++) {
		struct ph_spooled	*one = &all[*n];
		bool			 marked = strchr(one->name, '.') != NULL;
		int			 tries;

		if (marked && *n > 0)
			break;
		tries = mark(spool, one);
		one->err = read_one(spool, one);
		if (one->err == PH_OK && tries > PH_SPOOL_TRIES)
			one->err = PH_TOOBIG;
		len += one->body.len;
		if (marked) {
			(*n)++;
			break;
		}
	}
	*more = *n < found;
	/* A time is noted once it is old: another change in the same tick would look the same. */
	spool->mtime_ns = found == 0 && mtime < begun - SETTLED_NS ? mtime : 0;
	return all;
}

void
ph_spool_drop(struct ph_spool *spool, const struct ph_spooled *one)
{
	(void)unlinkat(spool->fd, one->name, 0);	/* still there: read again, known again */
}

void
ph_spool_hold(struct ph_spool *spool, struct ph_spooled *one)
{
	char	 marked[sizeof(one->name)];
	char	*dot = strchr(one->name, '.');

	memcpy(marked, one->name, sizeof(marked));
	if (dot == NULL)
		return;
	*dot = '\0';
	(void)renameat(spool->fd, marked, spool->fd, one->name);
}

void
ph_spooled_free(struct ph_spooled *all, size_t n)
{
	size_t	 i;

	for (i = 0; i < n; i++)
		ph_buffer_clear(&all[i].body);
	free(all);
}
