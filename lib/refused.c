/*
 * refused -- what fronts answered with no 200, since a delivery was last kept.
 * Knows buffer.  Does not know signatures, HTTP or who is told.
 * Called by the front, which counts; by the helper, which knows when a delivery was kept; by status.
 * Lives as the file "refused" in the state directory.
 * SPDX-License-Identifier: ISC
 */
#include <sys/file.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "refused.h"

#define FILE_NAME	"refused"
#define HEAD		"pagehook-refused 1 "
#define MAX_FILE	1024

static const struct { const char *name, *says; } reasons[PH_REFUSALS] = {
	[PH_UNSIGNED] = { "unsigned", "without signature" },
	[PH_MISFORMED] = { "misformed", "with half a signature" },
	[PH_MISMATCH] = { "mismatch", "signed with another secret" },
	[PH_BROKEN_BODY] = { "body", "cut off or no JSON" },
	[PH_FOREIGN_OBJECT] = { "object", "of another object" },
	[PH_LONG_BODY] = { "long", "too long" },
	[PH_NOT_KEPT] = { "503", "not to be kept" },
};

const char *
ph_refused_name(enum ph_refusal why)
{
	return reasons[why].says;
}

static void
add(struct ph_refused_count *to, const struct ph_refused_count *c)
{
	if (c->n == 0)
		return;
	if (to->n == 0 || c->first < to->first)
		to->first = c->first;
	if (c->last > to->last)
		to->last = c->last;
	to->n += c->n;
}

void
ph_refused_count(struct ph_refused *r, enum ph_refusal why, int64_t now)
{
	add(&r->by[why], &(struct ph_refused_count){ 1, now, now });
}

struct ph_refused_count
ph_refused_sum(const struct ph_refused *r, enum ph_refusal from, enum ph_refusal to)
{
	struct ph_refused_count	 sum = { 0, 0, 0 };
	size_t			 i;

	for (i = from; i <= (size_t)to; i++)
		add(&sum, &r->by[i]);
	return sum;
}

/* The file, locked: nobody waits for it. */
static int
take_file(int state_fd, int flags, int lock)
{
	int	 fd = openat(state_fd, FILE_NAME, flags | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY, 0600);

	if (fd != -1 && flock(fd, lock | LOCK_NB) == 0)
		return fd;
	if (fd != -1)
		close(fd);
	return -1;
}

/* What stands in it; what cannot be read counts as nothing, whoever wrote it. */
static bool
parse(int fd, struct ph_refused *out)
{
	char			 text[MAX_FILE + 1], *line;
	ssize_t			 n = pread(fd, text, MAX_FILE, 0);
	struct ph_refused_count	 c;
	size_t			 i, len;

	*out = (struct ph_refused){ .kept_at = 0 };
	if (n <= 0)
		return false;
	text[n] = '\0';
	if (sscanf(text, HEAD "%" SCNd64 "\n", &out->kept_at) != 1)
		return false;
	for (line = strchr(text, '\n'); line != NULL && *++line != '\0'; line = strchr(line, '\n'))
		for (i = 0; i < PH_REFUSALS; i++) {
			len = strlen(reasons[i].name);
			if (strncmp(line, reasons[i].name, len) == 0 && sscanf(line + len, " %" SCNd64 " %"
			    SCNd64 " %" SCNd64 "\n", &c.n, &c.first, &c.last) == 3 && c.n > 0)
				out->by[i] = c;
		}
	return true;
}

static bool
put(int fd, const struct ph_refused *r)
{
	char	 text[MAX_FILE];
	int	 n = snprintf(text, sizeof(text), HEAD "%" PRId64 "\n", r->kept_at);
	size_t	 i;

	for (i = 0; i < PH_REFUSALS; i++)
		if (r->by[i].n > 0)
			n += snprintf(text + n, sizeof(text) - (size_t)n, "%s %" PRId64 " %" PRId64 " %"
			    PRId64 "\n", reasons[i].name, r->by[i].n, r->by[i].first, r->by[i].last);
	return pwrite(fd, text, (size_t)n, 0) == n && ftruncate(fd, n) == 0;
}

/* Leaves what came after the last delivery that was kept; of several how many did nobody knows. */
static void
forget_older(struct ph_refused_count *c, int64_t kept_at)
{
	if (c->n == 0 || c->first > kept_at)
		return;
	c->first = c->last;
	c->n = c->last > kept_at ? 1 : 0;
}

bool
ph_refused_write(int state_fd, struct ph_refused *more)
{
	int			 fd = take_file(state_fd, O_RDWR | O_CREAT, LOCK_EX);
	struct ph_refused	 all;
	size_t			 i;
	bool			 done;

	if (fd == -1)
		return false;
	(void)parse(fd, &all);
	for (i = 0; i < PH_REFUSALS; i++) {
		forget_older(&more->by[i], all.kept_at);
		add(&all.by[i], &more->by[i]);
	}
	if ((done = put(fd, &all)))
		*more = (struct ph_refused){ .kept_at = 0 };
	close(fd);
	return done;
}

bool
ph_refused_end(int state_fd, int64_t kept_at)
{
	int			 fd = take_file(state_fd, O_RDWR | O_CREAT, LOCK_EX);
	struct ph_refused	 all;
	size_t			 i;
	bool			 done;

	if (fd == -1)
		return false;
	(void)parse(fd, &all);
	all.kept_at = kept_at;
	for (i = 0; i < PH_REFUSALS; i++)
		forget_older(&all.by[i], kept_at);
	done = put(fd, &all);
	close(fd);
	return done;
}

enum ph_error
ph_refused_read(int state_fd, struct ph_refused *out, struct ph_fail *fail)
{
	int	 fd = take_file(state_fd, O_RDONLY, LOCK_SH), why = errno;
	bool	 any;

	*out = (struct ph_refused){ .kept_at = 0 };
	if (fd == -1)
		return why == EWOULDBLOCK ?
		    ph_error_set(fail, PH_BUSY, "refused: somebody writes it") : PH_NONE;
	any = parse(fd, out);
	close(fd);
	return any ? PH_OK : PH_NONE;
}
