/*
 * helper -- "pagehook helper": takes the lock or leaves; then turns, until idle or told to leave.
 * Knows conf, state, turn.  Does not know what a turn does.
 * Called by pagehook.c; fronts, systemd or cron start it.
 * Lives as the only helper of its state directory; may be killed at any time.
 * SPDX-License-Identifier: ISC
 */
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <malloc.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "alert.h"
#include "clock.h"
#include "log.h"
#include "spool.h"
#include "state.h"
#include "survey.h"
#include "turn.h"
#include "verb.h"
#include "wire.h"

#define LOCK_WAIT_MS	10000		/* a predecessor leaves, perhaps waiting for its handlers */
#define LEAVE_BY_MS	10000		/* for what is under way at Graph and handlers */
#define HANDLERS_BY_MS	8000		/* of that: meanwhile all else goes on */
#define LOOK_EVERY_MS	1000
#define KEEP_FREE	(4 << 20)	/* bytes at the heap's end */
#define MAX_PAUSE_S	60		/* after helpers that died before their first commit */

static int	 stop_pipe[2];		/* readable when the helper is to leave: that ends a wait */
static volatile sig_atomic_t	 stopping;

static void
stop(int signo)
{
	(void)signo;
	stopping = 1;
	if (write(stop_pipe[1], "", 1) == -1)
		return;				/* full: it was told already */
}

static enum ph_error
settle_in(struct ph_fail *fail)
{
	struct sigaction	 sa = { .sa_handler = stop }, ignore = { .sa_handler = SIG_IGN };
	const struct rlimit	 no_core = { 0, 0 };

	/* Started by hand or cron: nobody else chooses whom TLS trusts, or copies its keys. */
	(void)unsetenv("SSLKEYLOGFILE");
	(void)unsetenv("SSL_CERT_FILE");
	(void)unsetenv("SSL_CERT_DIR");
	/* What a turn frees the next one takes: not to be given back to the system in between. */
	(void)mallopt(M_TRIM_THRESHOLD, KEEP_FREE);
	sigemptyset(&sa.sa_mask);
	(void)umask(077);
	(void)setrlimit(RLIMIT_CORE, &no_core);
	if (pipe2(stop_pipe, O_CLOEXEC | O_NONBLOCK) == -1 || sigaction(SIGTERM, &sa, NULL) == -1 ||
	    sigaction(SIGINT, &sa, NULL) == -1 || sigaction(SIGPIPE, &ignore, NULL) == -1 ||
	    sigaction(SIGXFSZ, &ignore, NULL) == -1)
		return ph_error_set(fail, PH_BROKEN, "helper: %s", strerror(errno));
	return PH_OK;
}

/*
 * The lock, held for life, decides who is the helper.  Its file says how many helpers in a row died
 * before they had committed anything, when the last began, and the number that the store had then,
 * by which an older copy of it can be told: "<pid> <died> <Unix ms> <generation>".  A file that is
 * missing or damaged says nothing.  pid 0: that helpers die was said.
 */
struct lock {
	int	 fd, pid, died;
	int64_t	 began, generation, written;	/* written: the generation in the file */
};

static enum ph_error
wait_for_lock(struct lock *lock, int state_fd, const struct ph_conf *conf, struct ph_fail *fail)
{
	int64_t	 by = ph_clock_mono() + LOCK_WAIT_MS;
	int	 fd;

	while (flock(lock->fd, LOCK_EX | LOCK_NB) == -1) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			return ph_error_set(fail, PH_BROKEN, "helper.lock: %s", strerror(errno));
		/* Somebody answers: there is a helper, and it is not us. */
		if (ph_wire_connect(state_fd, conf->digest, conf->file != NULL ? conf->file : "", &fd,
		    NULL) == PH_OK) {
			close(fd);
			return PH_NONE;
		}
		if (ph_clock_left_ms(by) == 0)
			return PH_NONE;
		poll(NULL, 0, 10);
	}
	return PH_OK;
}

static void
write_lock(struct lock *lock)
{
	char	 text[80];
	int	 n = snprintf(text, sizeof(text), "%d %d %" PRId64 " %" PRId64 "\n", lock->pid,
		    lock->died, lock->began, lock->generation);

	/* One write, then what an older line left behind: who is killed here leaves a good line. */
	lock->written = lock->generation;
	if (pwrite(lock->fd, text, (size_t)n, 0) != n || ftruncate(lock->fd, n) == -1)
		ph_log_say(PH_WARN, "helper", "helper.lock: %s", strerror(errno));
}

/* Whether helpers die at their start, and this one came too soon: how long they wait, else 0. */
static int
pause_s(const struct lock *lock, int64_t now)
{
	int	 s = lock->died == 0 ? 0 : lock->died < 6 ? 1 << lock->died : MAX_PAUSE_S;

	return now >= lock->began && now < lock->began + ph_clock_wait_ms(INT64_C(1000) * s) ?
	    s : 0;
}

static enum ph_error
refuse_soon(struct lock *lock, int s, struct ph_fail *fail)
{
	if (lock->pid == 0)
		return PH_NONE;
	lock->pid = 0;
	write_lock(lock);
	return ph_error_set(fail, PH_BUSY, "helper: %d in a row died before they had committed "
	    "anything; the next starts %d s after the last", lock->died, s);
}

/* PH_NONE: another helper has it.  PH_BUSY: helpers die at their start; this one came too soon. */
static enum ph_error
take_lock(struct lock *lock, int state_fd, const struct ph_conf *conf, struct ph_fail *fail)
{
	char	 text[80] = "";
	int64_t	 now = ph_clock_now();
	int	 s;

	*lock = (struct lock){ .fd = openat(state_fd, "helper.lock",
	    O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600) };
	if (lock->fd == -1)
		return ph_error_set(fail, PH_CONFIG, "helper.lock: %s", strerror(errno));
	if (wait_for_lock(lock, state_fd, conf, fail) != PH_OK)
		return fail->err != PH_OK ? fail->err : PH_NONE;
	if (pread(lock->fd, text, sizeof(text) - 1, 0) > 0 &&
	    sscanf(text, "%d %d %" SCNd64 " %" SCNd64, &lock->pid, &lock->died, &lock->began,
	    &lock->generation) >= 3 && (s = pause_s(lock, now)) != 0)
		return refuse_soon(lock, s, fail);
	lock->pid = (int)getpid();
	lock->died++;
	lock->began = now;
	write_lock(lock);
	return PH_OK;
}

struct life {				/* what a helper lives by, and why it ends */
	const struct ph_conf	*conf;
	struct ph_pages		*pages;
	struct lock		 lock;
	struct ph_fail		 lost;		/* the store was taken away */
	enum { IDLE, STOPPED, REPLACED } end;
};

/* The file we run from is gone, so a new one stands in its place: the next front starts that. */
static bool
program_changed(void)
{
	struct stat	 st;

	return stat("/proc/self/exe", &st) == 0 && st.st_nlink == 0;
}

/* Whether there are new settings to live by.  Broken ones are no reason: the good ones stay. */
static bool
settings_changed(const struct ph_conf *conf, const struct ph_pages *pages, bool *said)
{
	struct ph_conf_from	 from = { conf->name, NULL };
	struct ph_fail		 fail = PH_FAIL_INIT;
	struct ph_conf		*now;
	bool			 good;

	if (!ph_conf_changed(conf) && !ph_pages_changed(pages))
		return *said = false;
	good = ph_conf_load(&from, &now, &fail) == PH_OK && ph_conf_check(now, &fail) == PH_OK &&
	    ph_pages_check(now, &fail) == PH_OK;
	ph_conf_free(now);
	if (!good && !*said)
		ph_log_say(PH_ERROR, "config", "%s (the last good settings stay)", fail.text);
	*said = !good;
	return good;
}

/* Why to make room for a successor; NULL: stay. */
static const char *
reason_to_leave(const struct ph_turn *turn, const struct life *l, bool *said)
{
	if (settings_changed(l->conf, l->pages, said))
		return "the settings changed";
	if (program_changed())
		return "the program was replaced";
	return ph_turn_reason_to_leave(turn);
}

/* Settles what is under way, at most 10 s; what is left is unsure when the next helper starts. */
static enum ph_error
leave(struct ph_turn *turn, struct ph_fail *fail)
{
	const int64_t	 began = ph_clock_mono(), by = began + ph_clock_wait_ms(LEAVE_BY_MS);

	while (ph_turn_asks_no_more(turn) > 0 &&
	    ph_clock_left_ms(began + ph_clock_wait_ms(HANDLERS_BY_MS)) > 0)
		if (ph_turn(turn, fail) != PH_OK)
			return fail->err;
	ph_turn_leave(turn);
	do
		if (ph_turn(turn, fail) != PH_OK)
			return fail->err;
	while (ph_turn_flying(turn) > 0 && ph_clock_left_ms(by) > 0);
	return PH_OK;
}

/*
 * Whether the store was taken away: then there is nothing to settle.  Another one in its place
 * counts as an older copy, since it cannot know what this one knew last.
 */
static bool
let_go(struct ph_turn *turn, struct life *l)
{
	enum ph_error	 err = ph_turn_let_go(turn, &l->lost);

	if (err == PH_OK)
		return false;
	if (err == PH_NONE) {
		l->lock.generation++;
		write_lock(&l->lock);
	}
	return true;
}

/* Turns until idle, told to leave, or somebody else should do this. */
static enum ph_error
turn_until_the_end(struct ph_turn *turn, struct life *l, struct ph_fail *fail)
{
	const struct ph_conf	*conf = l->conf;
	const char	*why = NULL;
	int64_t		 look_at = 0, now;
	bool		 said = false, idle;

	do {
		if (ph_turn(turn, fail) != PH_OK)
			return fail->err;
		now = ph_clock_mono();
		if (now >= look_at) {
			look_at = now + LOOK_EVERY_MS;
			if (l->lock.generation != l->lock.written)
				write_lock(&l->lock);
			why = reason_to_leave(turn, l, &said);
		}
		idle = conf->idle_exit_ms > 0 && now - ph_turn_busy_at(turn) >= conf->idle_exit_ms;
	} while (!idle && why == NULL && !stopping);
	l->end = stopping ? STOPPED : why != NULL ? REPLACED : IDLE;
	if (l->end != IDLE)
		ph_log_say(PH_INFO, "helper", "leaving: %s", why != NULL ? why : "told to");
	return let_go(turn, l) ? PH_OK : leave(turn, fail);
}

/*
 * Idle exit meets an arrival: our name is gone before the last turn, and what that turn still found
 * in the backlog is ours to send; so we listen again.
 */
static enum ph_error
live(struct life *l, int state_fd, struct ph_fail *fail)
{
	const struct ph_turn_with	 with = { .conf = l->conf, .pages = l->pages,
		.state_fd = state_fd, .stop_fd = stop_pipe[0], .generation = &l->lock.generation };
	struct ph_turn	*turn;
	enum ph_error	 err;
	bool		 again;

	do {
		if (ph_turn_open(&with, &turn, fail) != PH_OK)
			return fail->err;
		l->lock.died = 0;		/* it has committed */
		write_lock(&l->lock);
		ph_log_say(PH_INFO, "helper", "pid %d listens", (int)getpid());
		err = turn_until_the_end(turn, l, fail);
		again = err == PH_OK && l->end == IDLE &&
		    ph_clock_mono() - ph_turn_busy_at(turn) < l->conf->idle_exit_ms;
		ph_turn_close(turn);
		if (err == PH_OK && l->end == IDLE && ph_spool_holds(state_fd))
			again = true;		/* answered 200 while handlers took their time to leave */
	} while (again);
	return err;
}

/* No turn can do it any more: the store is damaged, gone, or a newer program's. */
static void
call_a_person(const struct life *l, const struct ph_fail *fail)
{
	struct ph_news		 news = PH_NEWS_INIT;
	struct ph_buffer	 document = PH_BUFFER_INIT;
	struct ph_alert		*alert = NULL;
	struct pollfd		 watched[PH_ALERT_WATCHED];

	ph_news_raise(&news, PH_CAUSE_DISK, (struct ph_slice){ NULL, 0 }, NULL, fail->text);
	if (ph_alert_open(l->conf->alert, &alert, NULL) == PH_OK)
		ph_alert_take(alert, &news);
	ph_news_tell(&news);
	ph_survey_document(".", l->pages, NULL, &document);
	if (alert != NULL && ph_alert_is_due(alert))
		ph_alert_launch(alert, PH_SLICE(&document));
	while (alert != NULL && ph_alert_runs(alert)) {
		(void)poll(watched, ph_alert_watch(alert, watched, PH_ALERT_WATCHED),
		    ph_alert_patience(alert));
		ph_alert_perform(alert);
	}
	ph_alert_close(alert);
	ph_buffer_clear(&document);
	ph_news_clear(&news);
}

static enum ph_error
be_helper(struct life *l, struct ph_fail *fail)
{
	const struct ph_conf	*conf = l->conf;
	int		 state_fd;
	enum ph_error	 err;

	if (ph_state_become_owner(conf->state, fail) != PH_OK || settle_in(fail) != PH_OK ||
	    ph_state_open(conf->state, &state_fd, fail) != PH_OK) {
		ph_log_fail("helper", fail);
		return fail->err;
	}
	ph_log_open(conf->log, conf->log_level, false);
	if (fchdir(state_fd) == -1)
		err = ph_error_set(fail, PH_CONFIG, "%s: %s", conf->state, strerror(errno));
	else if ((err = ph_conf_check(conf, fail)) == PH_OK &&
	    (err = take_lock(&l->lock, state_fd, conf, fail)) == PH_OK &&
	    (err = ph_pages_load(conf, &l->pages, fail)) == PH_OK)
		err = live(l, state_fd, fail);
	if (l->lock.fd != -1)
		close(l->lock.fd);		/* who comes next need not wait for what is said */
	if (l->pages != NULL && (err == PH_BROKEN || err == PH_CONFIG))
		call_a_person(l, fail);
	else if (err != PH_OK && err != PH_NONE)
		ph_log_fail("helper", fail);
	if (l->lost.text[0] != '\0')
		call_a_person(l, &l->lost);
	ph_pages_free(l->pages);
	close(state_fd);
	return err;
}

/*
 * What is owed must not wait until somebody comes: who leaves for new settings, a new program or a
 * name that got lost becomes the successor.  Returns only if that fails; then the next front starts
 * one.
 */
static void
become_successor(const char *name)
{
	char	 path[4096] = "", verb[] = "helper";
	char	*argv[] = { (char *)(uintptr_t)name, verb, NULL };
	char	*deleted;

	if (readlink("/proc/self/exe", path, sizeof(path) - 1) <= 0)
		return;
	if ((deleted = strstr(path, " (deleted)")) != NULL)
		*deleted = '\0';		/* the new program stands where the old one stood */
	execv(path, argv);
	ph_log_say(PH_WARN, "helper", "%s: %s; the next request starts it", path, strerror(errno));
}

int
helper_run(const struct call *call)
{
	struct ph_fail	 fail = PH_FAIL_INIT;
	struct life	 life = { .conf = call->conf, .lock = { .fd = -1 }, .lost = PH_FAIL_INIT, .end = STOPPED };
	enum ph_error	 err = be_helper(&life, &fail);

	if (err == PH_OK && life.end == REPLACED)
		become_successor(call->name);
	if (err == PH_OK || err == PH_NONE)
		return EX_OK;
	return complain(&fail);
}
