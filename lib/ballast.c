/*
 * ballast -- room on the disk that is given up when there is no other.
 * Knows the file system.  Does not know the store.
 * Called by disk: made while there is room, dropped when a commit finds none.
 * Lives as the file "ballast" in the current directory.
 * SPDX-License-Identifier: ISC
 */
#include <sys/stat.h>
#include <sys/statvfs.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "ballast.h"

#define NAME	"ballast"
#define ENOUGH	(1 << 20)	/* for the outcomes of all replies that may be under way */

/* Blocks, not length: a hole would give nothing back. */
static bool
is_whole(int fd)
{
	struct stat	 st;

	return fstat(fd, &st) == 0 && st.st_blocks * (blkcnt_t)512 >= PH_BALLAST_BYTES;
}

/* Only a look: a quota does not show here. */
static bool
has_room(unsigned long long bytes)
{
	struct statvfs	 fs;

	return statvfs(".", &fs) != 0 || (unsigned long long)fs.f_bavail * fs.f_frsize >= bytes;
}

/* Twice the room, of which half is given back: with less the disk would be full again at once. */
static enum ph_error
fill(int fd, struct ph_fail *fail)
{
	int	 err;

	if (is_whole(fd))
		return PH_OK;
	err = !has_room(2ULL * PH_BALLAST_BYTES) ? ENOSPC :
	    posix_fallocate(fd, 0, (off_t)2 * PH_BALLAST_BYTES);
	if (err == 0 && ftruncate(fd, PH_BALLAST_BYTES) == -1)
		err = errno;
	if (err == 0)
		return PH_OK;
	(void)unlink(NAME);
	return ph_error_set(fail, err == ENOSPC || err == EDQUOT || err == EFBIG ? PH_TOOBIG : PH_BUSY,
	    NAME ": %s", strerror(err));
}

enum ph_error
ph_ballast_make(struct ph_fail *fail)
{
	enum ph_error	 err;
	int		 fd = open(NAME, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd == -1)
		return ph_error_set(fail, PH_BUSY, NAME ": %s", strerror(errno));
	err = fill(fd, fail);
	close(fd);
	return err;
}

enum ph_error
ph_ballast_drop(void)
{
	return unlink(NAME) == 0 ? PH_OK : PH_NONE;
}

bool
ph_ballast_has_room(void)
{
	return has_room(ENOUGH);
}
