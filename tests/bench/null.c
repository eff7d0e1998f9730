/*
 * null -- a FastCGI responder that reads the body, keeps nothing and answers 200.
 * Knows libfcgi.  Does not know signatures, events or pagehook.
 * Called by web servers while `make bench` measures what a web server and libfcgi cost alone.
 * Lives in NULL_THREADS threads, one if that is not set.
 * With NULL_FILE each body is appended to that file and synced first: the least that durable costs.
 * SPDX-License-Identifier: ISC
 */
#include <fcgiapp.h>

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

#define MAX_BODY	(64 * 1024)

static int	 file = -1;

static bool
keep(const char *body, int len)
{
	return file == -1 || (write(file, body, (size_t)len) == len && fdatasync(file) == 0);
}

static void *
serve(void *unused)
{
	static _Thread_local char	 body[MAX_BODY];
	FCGX_Request			 rq;
	int				 len;

	FCGX_InitRequest(&rq, 0, 0);
	while (FCGX_Accept_r(&rq) == 0) {
		len = FCGX_GetStr(body, sizeof(body), rq.in);
		FCGX_FPrintF(rq.out, "Status: %d\r\nContent-Type: text/plain\r\n\r\nEVENT_RECEIVED",
		    keep(body, len) ? 200 : 503);
		FCGX_Finish_r(&rq);
	}
	return unused;
}

int
main(void)
{
	const char	*threads = getenv("NULL_THREADS"), *path = getenv("NULL_FILE");
	pthread_t	 thread;
	int		 i;

	signal(SIGPIPE, SIG_IGN);
	if (path != NULL && (file = open(path, O_WRONLY | O_CREAT | O_APPEND, 0600)) == -1)
		return 73;
	FCGX_Init();
	for (i = 1; threads != NULL && i < (int)strtol(threads, NULL, 10); i++)
		if (pthread_create(&thread, NULL, serve, NULL) != 0)
			return 71;
	serve(NULL);
	return 0;
}
