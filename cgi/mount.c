/*
 * mount -- where a webhook is mounted: its settings, and the helper and spool behind them.
 * Knows request, conf, state, wire, spool, refused, start.  Does not know signatures or answers.
 * Called by the front.
 * Lives as long as the thread.
 * SPDX-License-Identifier: ISC
 */
#include <sys/stat.h>

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "log.h"
#include "mount.h"
#include "signature.h"
#include "start.h"
#include "state.h"

#define MAX_MOUNTS	16
#define LOOK_EVERY_MS	1000
#define REACH_BY_MS	1000		/* of the front's 4 s: a helper listens */
#define VERDICT_BY_MS	3000		/* and has answered */
#define START_AGAIN_MS	2000		/* after a start that led to nothing */
#define ASK_AGAIN_MS	2000		/* after no verdict: what waits behind has 5 s, too */

struct mounts {
	const char	*name;
	struct mount	 all[MAX_MOUNTS];
	size_t		 n, next;	/* next: which one makes room when all are taken */
};

static void
hang_up(struct mount *m)
{
	if (m->wire_fd != -1)
		close(m->wire_fd);
	m->wire_fd = -1;
}

static void
close_doors(struct mount *m)
{
	hang_up(m);
	ph_spool_close(&m->spool);
	if (m->state_fd != -1)
		close(m->state_fd);
	m->state_fd = -1;
	m->ready = false;
}

static void
clear(struct mount *m)
{
	close_doors(m);
	ph_conf_free(m->conf);
	m->conf = NULL;
	if (m->key != NULL)
		ph_signature_wipe(m->key, strlen(m->key));
	free(m->key);
	m->key = NULL;
}

void
mounts_free(struct mounts *mounts)
{
	size_t	 i;

	if (mounts == NULL)
		return;
	for (i = 0; i < mounts->n; i++)
		clear(&mounts->all[i]);
	free(mounts);
}

bool
mount_is_ready(const struct mount *m)
{
	return m->ready;
}

/* Reads the settings and opens what lies in the state directory; m is whole then, or not ready. */
static enum ph_error
open_mount(struct mount *m, const char *name, const char *const *variables, struct ph_fail *fail)
{
	struct ph_conf_from	 from = { name, variables };

	*m = (struct mount){ .state_fd = -1, .wire_fd = -1, .spool = PH_SPOOL_INIT };
	if (ph_conf_load(&from, &m->conf, fail) != PH_OK ||
	    ph_conf_check(m->conf, fail) != PH_OK ||
	    ph_state_open(m->conf->state, &m->state_fd, fail) != PH_OK ||
	    ph_spool_open(&m->spool, m->state_fd, fail) != PH_OK)
		return fail->err;
	m->ready = true;
	return PH_OK;
}

/* Why there is no service: to the web server's error log, and to ours if its place is known. */
static void
explain(struct mount *m, struct request *rq, const struct ph_fail *fail)
{
	request_complain(rq, fail->text);
	if (m->conf == NULL || (m->state_fd == -1 &&
	    ph_state_open(m->conf->state, &m->state_fd, NULL) != PH_OK))
		return;
	ph_log_open(m->conf->log, m->conf->log_level, false);
	ph_log_fail("config", fail);
}

/* New settings in place of the old; broken ones leave the old in force.  A cause is said once. */
static void
load(struct mounts *mounts, struct mount *m, struct request *rq)
{
	struct ph_fail	 fail = PH_FAIL_INIT;
	struct mount	 fresh;
	bool		 good = open_mount(&fresh, mounts->name, request_variables(rq), &fail) == PH_OK;
	bool		 news = !good && strcmp(fail.text, m->said.text) != 0;

	if (news && m->ready)
		ph_log_say(PH_ERROR, "config", "%s (the last good settings stay)", fail.text);
	else if (news)
		explain(&fresh, rq, &fail);
	if (good) {
		fresh.key = m->key;
		m->key = NULL;
		clear(m);
		*m = fresh;
		ph_log_open(m->conf->log, m->conf->log_level, true);
	} else
		clear(&fresh);
	m->said = fail;
	m->look_at = ph_clock_mono() + LOOK_EVERY_MS;
}

/*
 * The settings that most requests will ask for are read now: a thread whose first request comes after
 * a bad edit then has good ones to keep, like its neighbours.
 */
struct mounts *
mounts_new(const char *name)
{
	struct mounts	*mounts = calloc(1, sizeof(*mounts));
	struct ph_fail	 fail = PH_FAIL_INIT;
	struct mount	*m;

	if (mounts == NULL)
		return NULL;
	mounts->name = name;
	m = &mounts->all[0];
	if (open_mount(m, name, NULL, &fail) == PH_OK && (m->key = strdup("")) != NULL) {
		ph_log_open(m->conf->log, m->conf->log_level, true);
		mounts->n = 1;
	} else
		clear(m);		/* nobody asked yet: the first request hears why */
	return mounts;
}

static bool
is_stale(struct mount *m)
{
	struct stat	 st;

	if (m->ready && ph_clock_mono() < m->look_at)
		return false;		/* who has no settings looks each time: it may be over */
	m->look_at = ph_clock_mono() + LOOK_EVERY_MS;
	if (!m->ready || ph_conf_changed(m->conf))
		return true;
	return fstat(m->state_fd, &st) != 0 || st.st_nlink == 0;	/* removed under us */
}

/* The request's own settings as one text; usually it has none, and this is "". */
static enum ph_error
read_key(struct request *rq, struct ph_buffer *key)
{
	const char *const	*vars = request_variables(rq);

	ph_buffer_adds(key, "");
	for (; vars != NULL && *vars != NULL; vars++)
		if (ph_conf_of_request(*vars)) {
			ph_buffer_adds(key, *vars);
			ph_buffer_adds(key, "\n");
		}
	return ph_buffer_check(key, NULL);
}

/* A place for a new mount: a free one, or the one that was taken longest ago. */
static struct mount *
make_room(struct mounts *mounts, const struct mount *in_use)
{
	struct mount	*m;

	if (mounts->n < MAX_MOUNTS)
		m = &mounts->all[mounts->n++];
	else {
		do
			m = &mounts->all[mounts->next++ % MAX_MOUNTS];
		while (m == in_use);
		clear(m);
	}
	*m = (struct mount){ .state_fd = -1, .wire_fd = -1, .spool = PH_SPOOL_INIT };
	return m;
}

struct mount *
mounts_find(struct mounts *mounts, struct request *rq, const struct mount *in_use)
{
	struct ph_buffer	 key = PH_BUFFER_INIT;
	struct mount		*m = NULL;
	size_t			 i;

	if (read_key(rq, &key) == PH_OK)
		for (i = 0; i < mounts->n && m == NULL; i++)
			if (mounts->all[i].key != NULL && strcmp(mounts->all[i].key, key.data) == 0)
				m = &mounts->all[i];
	if (m == NULL) {
		m = make_room(mounts, in_use);
		if (key.failed)
			ph_buffer_clear(&key);		/* half a key would be another mount's */
		m->key = key.data;
		load(mounts, m, rq);
		return m;
	}
	ph_buffer_clear(&key);
	if (is_stale(m))
		load(mounts, m, rq);
	return m;
}

static enum ph_error
connect_to(struct mount *m, struct ph_fail *fail)
{
	return ph_wire_connect(m->state_fd, m->conf->digest,
	    m->conf->file != NULL ? m->conf->file : "", &m->wire_fd, fail);
}

/* Starts one helper if nobody listens, and asks again until somebody does. */
static enum ph_error
reach_helper(struct mount *m, int64_t reach_by, struct ph_fail *fail)
{
	struct ph_fail	 busy;
	bool		 started = false;
	int		 pause_ms = 1;

	for (;;) {
		busy = (struct ph_fail)PH_FAIL_INIT;
		switch (connect_to(m, &busy)) {
		case PH_OK:
			m->start_at = 0;
			return PH_OK;
		case PH_NONE:
			if (!started && ph_clock_mono() < m->start_at)
				return ph_error_set(fail, PH_BUSY, "helper: did not come up, waiting");
			if (!started && start_helper(m->conf, m->state_fd, fail) != PH_OK) {
				m->start_at = ph_clock_mono() + START_AGAIN_MS;
				return fail->err;
			}
			started = true;
			break;
		default:			/* backlog full, or not ours to talk to */
			break;
		}
		if (ph_clock_left_ms(reach_by) == 0)
			break;
		poll(NULL, 0, pause_ms);
		pause_ms = pause_ms < 16 ? 2 * pause_ms : 20;
	}
	m->start_at = ph_clock_mono() + START_AGAIN_MS;
	return ph_error_set(fail, PH_BUSY, "%s", busy.text[0] != '\0' ? busy.text :
	    "helper: started, but does not listen; its log says why");
}

enum ph_error
mount_ask(struct mount *m, const struct ph_slice *bodies, size_t n, enum ph_verdict *verdicts,
    int64_t began, struct ph_fail *fail)
{
	struct ph_fail	 last;
	size_t		 i;
	int		 tries = m->wire_fd != -1 ? 3 : 2;	/* an old connection may be a dead helper's */
	bool		 gone;

	for (i = 0; i < n; i++)
		verdicts[i] = PH_LATER;
	if (ph_clock_mono() < m->ask_at)
		return ph_error_set(fail, PH_BUSY, "helper: gave no verdict lately, waiting");
	do {
		last = (struct ph_fail)PH_FAIL_INIT;
		if (m->wire_fd == -1 && reach_helper(m, began + REACH_BY_MS, fail) != PH_OK)
			return fail->err;
		if (ph_wire_ask(m->wire_fd, bodies, n, verdicts, began + VERDICT_BY_MS, &gone,
		    &last) == PH_OK)
			return PH_OK;
		hang_up(m);		/* late verdicts must not be taken for the next batch's */
	} while (gone && --tries > 0);
	if (!gone)
		m->ask_at = ph_clock_mono() + ASK_AGAIN_MS;
	return ph_error_set(fail, last.err, "%s", last.text);
}

enum ph_verdict
mount_spool(struct mount *m, struct ph_slice body, int64_t answer_by)
{
	struct ph_fail	 fail = PH_FAIL_INIT;

	if (ph_clock_left_ms(answer_by) == 0)
		return PH_LATER;		/* Meta has given up on this answer */
	if (ph_spool_keep(&m->spool, body, ph_clock_now(), &fail) != PH_OK) {
		ph_log_say(PH_ERROR, "spool", "answered 503: %s", fail.text);
		return PH_LATER;
	}
	ph_log_say(PH_WARN, "spool", "no helper took it: %zu bytes wait in the spool", body.len);
	return PH_KEPT;
}

void
mount_refused(struct mount *m, enum ph_refusal why)
{
	int64_t	 mono = ph_clock_mono();

	ph_refused_count(&m->refused, why, ph_clock_now());
	if (mono < m->refused_at || !ph_refused_write(m->state_fd, &m->refused))
		return;				/* with the next one */
	m->refused_at = mono + LOOK_EVERY_MS;
}

/* A helper that lives says nothing unasked; one that died left an end of file. */
static bool
helper_is_gone(const struct mount *m)
{
	struct pollfd	 pfd = { .fd = m->wire_fd, .events = POLLIN };

	return m->wire_fd == -1 || poll(&pfd, 1, 0) > 0;
}

void
mount_wake(struct mount *m)
{
	struct ph_fail	 fail = PH_FAIL_INIT;

	if (!helper_is_gone(m))
		return;
	hang_up(m);
	if (connect_to(m, &fail) != PH_NONE || ph_clock_mono() < m->start_at)
		return;
	if (start_helper(m->conf, m->state_fd, &fail) != PH_OK)
		ph_log_fail("helper", &fail);
}
