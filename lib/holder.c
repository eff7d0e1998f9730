/*
 * holder -- which program holds a lock on a file.
 * Knows /proc.  Does not know what the lock is for.
 * Called by sqlite_error, to name who is in the way.
 * Lives for one look; the file itself is not opened: to close it would drop our own locks on it.
 * SPDX-License-Identifier: ISC
 */
#include <sys/stat.h>

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "holder.h"

/* What the system calls that process; "" when it does not tell. */
static void
read_name(int pid, char *out, size_t size)
{
	char	 path[64];
	FILE	*f;

	snprintf(path, sizeof(path), "/proc/%d/comm", pid);
	out[0] = '\0';
	if ((f = fopen(path, "re")) == NULL)
		return;
	if (fgets(out, (int)size, f) != NULL)
		out[strcspn(out, "\n")] = '\0';
	fclose(f);
}

/* The process of a line of /proc/locks, if it holds a write lock on that file; 0: it does not. */
static int
writer_of(const char *line, unsigned long inode)
{
	unsigned long	 locked = 0;
	int		 pid = 0;

	/* 1: POSIX  ADVISORY  WRITE 4711 fd:01:1234 120 120; one that waits has "->" before its kind. */
	if (sscanf(line, "%*d: %*[A-Z] ADVISORY WRITE %d %*x:%*x:%lu", &pid, &locked) != 2 ||
	    locked != inode || pid == (int)getpid())
		return 0;
	return pid;
}

bool
ph_holder_find(const char *path, char *out, size_t size)
{
	char		 line[256], name[32];
	struct stat	 st;
	FILE		*locks;
	int		 pid = 0;

	if (stat(path, &st) != 0 || (locks = fopen("/proc/locks", "re")) == NULL)
		return false;
	while (pid <= 0 && fgets(line, sizeof(line), locks) != NULL)
		pid = writer_of(line, (unsigned long)st.st_ino);
	fclose(locks);
	if (pid <= 0)
		return false;			/* none, or one of another container: that has no number */
	read_name(pid, name, sizeof(name));
	snprintf(out, size, "%s%spid %d", name, name[0] != '\0' ? ", " : "", pid);
	return true;
}
