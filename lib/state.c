/*
 * state -- the state directory: made, judged and opened.
 * Knows error.  Does not know what lies in it.
 * Called by the front, the helper and verbs before they touch a file in it.
 * Lives as one descriptor, closed on exec.
 * SPDX-License-Identifier: ISC
 */
#include <sys/stat.h>
#include <sys/vfs.h>

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "state.h"

/* The parents of a home's state directory are the user's as well: 0700 like the rest of it. */
static void
make(const char *path)
{
	char	 part[4096];
	char	*slash;

	snprintf(part, sizeof(part), "%s", path);
	for (slash = strchr(part + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		(void)mkdir(part, 0700);	/* there already, or the last one tells */
		*slash = '/';
	}
	(void)mkdir(part, 0700);
}

const char *
ph_state_network(uint32_t magic)
{
	static const struct { uint32_t magic; const char *name; } networks[] = {
		{ 0x6969, "NFS" }, { 0xff534d42, "CIFS" }, { 0xfe534d42, "SMB2" },
		{ 0x517b, "SMB" }, { 0x65735546, "FUSE" }, { 0x01021997, "9p" },
		{ 0x00c36400, "Ceph" }, { 0x5346414f, "AFS" }, { 0x73757245, "Coda" },
		{ 0x0bd00bd0, "Lustre" }, { 0x7461636f, "OCFS2" }, { 0x01161970, "GFS2" },
	};
	size_t	 i;

	for (i = 0; i < sizeof(networks) / sizeof(networks[0]); i++)
		if (networks[i].magic == magic)
			return networks[i].name;
	return NULL;
}

static enum ph_error
judge(int fd, const char *path, struct ph_fail *fail)
{
	struct stat	 st;
	struct statfs	 fs;
	const char	*network;

	if (fstat(fd, &st) != 0)
		return ph_error_set(fail, PH_CONFIG, "%s: %s", path, strerror(errno));
	if (st.st_uid != geteuid())
		return ph_error_set(fail, PH_CONFIG, "%s: belongs to uid %u, this is uid %u", path,
		    (unsigned)st.st_uid, (unsigned)geteuid());
	if ((st.st_mode & 077) != 0)
		return ph_error_set(fail, PH_CONFIG, "%s: others may enter: chmod 0700 %s", path, path);
	if (fstatfs(fd, &fs) == 0 && (network = ph_state_network((uint32_t)fs.f_type)) != NULL)
		return ph_error_set(fail, PH_CONFIG, "%s: on %s, whose locks and sockets do not cross "
		    "hosts: set PAGEHOOK_STATE to a local directory", path, network);
	return PH_OK;
}

enum ph_error
ph_state_open(const char *path, int *fd, struct ph_fail *fail)
{
	const int	 flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;

	if ((*fd = open(path, flags)) == -1 && errno == ENOENT) {
		make(path);
		*fd = open(path, flags);
	}
	if (*fd == -1)
		return ph_error_set(fail, PH_CONFIG, "%s: state directory: %s", path, strerror(errno));
	if (judge(*fd, path, fail) == PH_OK)
		return PH_OK;
	close(*fd);
	*fd = -1;
	return fail != NULL ? fail->err : PH_CONFIG;
}

enum ph_error
ph_state_become_owner(const char *path, struct ph_fail *fail)
{
	struct stat	 st;

	if (geteuid() != 0 || stat(path, &st) != 0 || st.st_uid == 0)
		return PH_OK;
	if (setgroups(0, NULL) == -1 || setgid(st.st_gid) == -1 || setuid(st.st_uid) == -1)
		return ph_error_set(fail, PH_CONFIG, "%s: cannot become its owner: %s", path,
		    strerror(errno));
	return PH_OK;
}
