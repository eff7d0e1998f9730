/*
 * room -- a temporary directory of a test's own, which is the current one while it runs.
 * Knows the file system.  Does not know what lies in it.
 * Called by cmocka, as setup and teardown, so that nothing stays behind when an assertion fails.
 * Lives under TMPDIR, else /tmp.
 * SPDX-License-Identifier: ISC
 */
#ifndef PH_ROOM_H
#define PH_ROOM_H

#include <sys/stat.h>

#include <fcntl.h>
#include <ftw.h>
#include <stdlib.h>
#include <unistd.h>

#include "unit.h"

static char	 room[512];		/* its absolute path */

static inline int
room_enter(void **state)
{
	const char	*under = getenv("TMPDIR");

	(void)state;
	snprintf(room, sizeof(room), "%s/pagehook-unit-XXXXXX", under != NULL ? under : "/tmp");
	if (mkdtemp(room) == NULL || chdir(room) != 0)
		return -1;
	return getcwd(room, sizeof(room)) != NULL ? 0 : -1;	/* without links on the way */
}

static inline int
room_forget(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	return remove(path);
}

static inline int
room_leave(void **state)
{
	(void)state;
	return chdir("/") == 0 ? nftw(room, room_forget, 16, FTW_DEPTH | FTW_PHYS) : -1;
}

static inline int
room_open(void)
{
	int	 fd = open(room, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	assert_int_not_equal(fd, -1);
	return fd;
}

static inline void
room_write(const char *name, struct ph_slice bytes, mode_t mode)
{
	int	 fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);

	assert_int_not_equal(fd, -1);
	assert_int_equal(write(fd, bytes.at, bytes.len), bytes.len);
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
}

/* A file's bytes, appended; the caller clears them. */
static inline void
room_read(const char *name, struct ph_buffer *out)
{
	int	 fd = open(name, O_RDONLY | O_CLOEXEC);
	ssize_t	 n;
	char	*to;

	assert_int_not_equal(fd, -1);
	while ((to = ph_buffer_room(out, 65536)) != NULL && (n = read(fd, to, 65536)) > 0)
		out->len += (size_t)n;
	close(fd);
	if (out->data != NULL)
		out->data[out->len] = '\0';
}

static inline bool
room_has(const char *name)
{
	struct stat	 st;

	return lstat(name, &st) == 0;
}

#endif
