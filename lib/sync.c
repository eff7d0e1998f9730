/*
 * sync -- one file's way to the disk, while its writer goes on.
 * Knows the file's name.  Does not know what is in it.
 * Called by sqlite, for the log.
 * Lives as descriptors, and a thread from the first _begin on: it syncs, and does nothing else.
 * SPDX-License-Identifier: ISC
 */
#include <sys/eventfd.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sync.h"

struct ph_sync {
	int		 fd, done_fd;		/* the file; an eventfd */
	int		 err;			/* of the first sync that failed */
	sem_t		 asked;
	atomic_bool	 done;
	bool		 begun, has_thread, over;
	pthread_t	 thread;
};

static int
sync_file(int fd)
{
	int	 rc;

	while ((rc = fdatasync(fd)) == -1 && errno == EINTR)
		continue;
	return rc == 0 ? 0 : errno;
}

static void *
serve(void *arg)
{
	const uint64_t	 one = 1;
	struct ph_sync	*s = arg;

	for (;;) {
		while (sem_wait(&s->asked) == -1)
			continue;
		if (s->over)
			return NULL;
		if (s->err == 0)
			s->err = sync_file(s->fd);
		atomic_store(&s->done, true);
		(void)!write(s->done_fd, &one, sizeof(one));
	}
}

enum ph_error
ph_sync_open(const char *path, struct ph_sync **out, struct ph_fail *fail)
{
	struct ph_sync	*s = calloc(1, sizeof(*s));

	*out = NULL;
	if (s == NULL)
		return ph_error_set(fail, PH_NOMEM, "%s: out of memory", path);
	(void)sem_init(&s->asked, 0, 0);
	s->fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	s->done_fd = eventfd(0, EFD_CLOEXEC);
	if (s->fd == -1 || s->done_fd == -1) {
		ph_error_set(fail, PH_BUSY, "%s: %s", path, strerror(errno));
		ph_sync_close(s);
		return PH_BUSY;
	}
	*out = s;
	return PH_OK;
}

void
ph_sync_close(struct ph_sync *s)
{
	if (s == NULL)
		return;
	if (s->has_thread) {
		if (s->begun)
			(void)ph_sync_wait(s);
		s->over = true;
		(void)sem_post(&s->asked);
		(void)pthread_join(s->thread, NULL);
	}
	(void)sem_destroy(&s->asked);
	if (s->done_fd != -1)
		close(s->done_fd);
	if (s->fd != -1)
		close(s->fd);
	free(s);
}

/* No signal is for it: the process's own handlers count on being in the thread that waits. */
static bool
start(struct ph_sync *s)
{
	sigset_t	 all, before;
	int		 err;

	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	err = pthread_create(&s->thread, NULL, serve, s);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	return err == 0;
}

int
ph_sync_begin(struct ph_sync *s)
{
	if (!s->has_thread && !(s->has_thread = start(s)))
		return -1;
	s->begun = true;
	atomic_store(&s->done, false);
	(void)sem_post(&s->asked);
	return s->done_fd;
}

bool
ph_sync_is_done(const struct ph_sync *s)
{
	return s->begun && atomic_load(&s->done);
}

int
ph_sync_wait(struct ph_sync *s)
{
	uint64_t	 n;

	if (s->begun)
		while (read(s->done_fd, &n, sizeof(n)) == -1 && errno == EINTR)
			continue;
	else if (s->err == 0)
		s->err = sync_file(s->fd);
	s->begun = false;
	return s->err;
}
