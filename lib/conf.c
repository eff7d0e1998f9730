/*
 * conf -- the settings: one vocabulary, and the places they come from.
 * Knows buffer, words, layer, signature's digest and log levels.  Does not know who uses a setting.
 * Called by both programs at the start, by the front for every request.
 * Lives as a const value: a changed file makes a new one.
 * SPDX-License-Identifier: ISC
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pwd.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "conf.h"
#include "hex.h"
#include "layer.h"
#include "signature.h"
#include "words.h"

#define MAX_FILE	(256 * 1024)
#define MAX_VALUE	8192

extern char	**environ;

enum kind { TEXT, SECRET, DIGITS, PATH, URL, COMMAND, LEVEL, POLICY, COUNT, SIZE, DURATION };

static const struct setting {
	const char	*name;
	size_t		 at;		/* of the member in struct ph_conf */
	enum kind	 kind;
	const char	*value;		/* when nobody sets it; NULL: none */
	int64_t		 min, max;	/* of COUNT, SIZE and DURATION */
} settings[] = {
#define AT(member) offsetof(struct ph_conf, member)
	{ "MESSENGER_VERIFY_TOKEN", AT(verify_token), SECRET, NULL, 0, 0 },
	{ "MESSENGER_VERIFY_TOKEN_PREVIOUS", AT(verify_token_previous), SECRET, NULL, 0, 0 },
	{ "MESSENGER_APP_SECRET", AT(app_secret), SECRET, NULL, 0, 0 },
	{ "MESSENGER_APP_SECRET_PREVIOUS", AT(app_secret_previous), SECRET, NULL, 0, 0 },
	{ "MESSENGER_PAGE_ID", AT(page_id), DIGITS, NULL, 0, 0 },
	{ "MESSENGER_PAGE_ACCESS_TOKEN", AT(page_token), SECRET, NULL, 0, 0 },
	{ "MESSENGER_PAGES", AT(pages), PATH, NULL, 0, 0 },
	{ "MESSENGER_APP_ID", AT(app_id), DIGITS, NULL, 0, 0 },
	{ "MESSENGER_OBJECTS", AT(objects), TEXT, "page", 0, 0 },
	{ "MESSENGER_GRAPH_URL", AT(graph_url), URL, "https://graph.facebook.com", 0, 0 },
	{ "MESSENGER_GRAPH_VERSION", AT(graph_version), TEXT, "v25.0", 0, 0 },
	{ "MESSENGER_GRAPH_CA", AT(graph_ca), PATH, NULL, 0, 0 },
	{ "PAGEHOOK_STATE", AT(state), PATH, NULL, 0, 0 },
	{ "PAGEHOOK_REPLIES", AT(replies), PATH, NULL, 0, 0 },
	{ "PAGEHOOK_HELPER", AT(helper), PATH, NULL, 0, 0 },
	{ "PAGEHOOK_ALERT", AT(alert), COMMAND, NULL, 0, 0 },
	{ "PAGEHOOK_LOG", AT(log), TEXT, NULL, 0, 0 },
	{ "PAGEHOOK_LOG_LEVEL", AT(log_level), LEVEL, "info", 0, 0 },
	{ "PAGEHOOK_THREADS", AT(threads), COUNT, "2", 1, 64 },
	{ "PAGEHOOK_MAX_BODY", AT(max_body), SIZE, "4M", 1024, 64 << 20 },
	{ "PAGEHOOK_UNSURE", AT(unsure), POLICY, "reconcile", 0, 0 },
	{ "PAGEHOOK_MAX_REPLY_AGE", AT(max_reply_age_ms), DURATION, "6h", PH_SECOND_MS, PH_DAY_MS },
	{ "PAGEHOOK_HUMAN_PAUSE", AT(human_pause_ms), DURATION, "12h", 0, 365 * PH_DAY_MS },
	{ "PAGEHOOK_KEEP", AT(keep_ms), DURATION, "7d", PH_HOUR_MS, 365 * PH_DAY_MS },
	{ "PAGEHOOK_IDLE_EXIT", AT(idle_exit_ms), DURATION, "300s", 0, 365 * PH_DAY_MS },
#undef AT
};
#define N_SETTINGS	(sizeof(settings) / sizeof(settings[0]))

/* Where a setting may be set: the first layer that has it wins. */
enum { REQUEST, ENVIRONMENT, CREDENTIALS, CONF_FILE, N_LAYERS };

struct reading {		/* one ph_conf_load */
	struct ph_conf		*conf;
	const char		*name;
	struct ph_layer_name	 names[N_SETTINGS + 1];
	struct ph_layer		 layers[N_LAYERS];
	bool			 file_holds_secret;
	mode_t			 file_mode;
	struct ph_fail		*fail;
};

static char **
text_of(struct ph_conf *conf, const struct setting *s)
{
	return (char **)(void *)((char *)conf + s->at);
}

static int64_t *
number_of(struct ph_conf *conf, const struct setting *s)
{
	return (int64_t *)(void *)((char *)conf + s->at);
}

/* Files: read whole, and remembered with what they looked like. */

bool
ph_conf_look(struct ph_conf_watch *w)
{
	const struct ph_conf_watch	 then = *w;
	struct stat			 st;

	w->id = w->size = w->ctime_ns = 0;
	if (stat(w->path, &st) == 0) {
		w->id = (int64_t)st.st_ino;
		w->size = st.st_size;
		w->ctime_ns = st.st_ctim.tv_sec * INT64_C(1000000000) + st.st_ctim.tv_nsec;
	}
	return w->id != then.id || w->size != then.size || w->ctime_ns != then.ctime_ns;
}

static void
watch(struct ph_conf *conf, const char *path)
{
	struct ph_conf_watch	*w = &conf->watched[conf->n_watched];

	if (conf->n_watched == PH_CONF_WATCHED || (w->path = strdup(path)) == NULL)
		return;
	(void)ph_conf_look(w);
	conf->n_watched++;
}

bool
ph_conf_changed(const struct ph_conf *conf)
{
	size_t	 i;

	for (i = 0; i < conf->n_watched; i++) {
		struct ph_conf_watch	 now = conf->watched[i];

		if (ph_conf_look(&now))
			return true;
	}
	return false;
}

/* PH_NONE: no such file. */
static enum ph_error
read_file(struct reading *r, const char *path, struct ph_buffer *out, mode_t *mode)
{
	struct stat	 st;
	ssize_t		 n = 0;
	char		*room;
	int		 fd;

	watch(r->conf, path);
	if ((fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY)) == -1) {
		if (errno == ENOENT || errno == ENOTDIR)
			return PH_NONE;
		return ph_error_set(r->fail, PH_CONFIG, "%s: cannot be read: %s", path,
		    strerror(errno));
	}
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size <= MAX_FILE &&
	    (room = ph_buffer_room(out, (size_t)st.st_size + 1)) != NULL) {
		n = read(fd, room, (size_t)st.st_size + 1);
		*mode = st.st_mode;
	} else
		n = -1;
	close(fd);
	if (n < 0 || n > MAX_FILE)
		return ph_error_set(r->fail, PH_CONFIG, "%s: not a regular file of at most %d bytes",
		    path, MAX_FILE);
	out->len += (size_t)n;
	out->data[out->len] = '\0';
	if (memchr(out->data, '\0', out->len) != NULL)
		return ph_error_set(r->fail, PH_CONFIG, "%s: holds a NUL byte", path);
	return PH_OK;
}

static enum ph_error
read_settings(struct reading *r, const char *path)
{
	struct ph_buffer	 text = PH_BUFFER_INIT;
	enum ph_error		 err = read_file(r, path, &text, &r->file_mode);

	if (err == PH_OK) {
		r->conf->file = realpath(path, NULL);	/* the helper reads it from elsewhere */
		err = ph_layer_read_file(&r->layers[CONF_FILE], r->names, path, PH_SLICE(&text).at, r->fail);
	}
	if (text.data != NULL)
		ph_signature_wipe(text.data, text.cap);
	ph_buffer_clear(&text);
	return err;
}

/* The home from the password database; false: none.  Threads load settings side by side. */
static bool
find_home(char *out, size_t size)
{
	struct passwd	 pw, *found = NULL;
	char		 room[4096];

	if (getpwuid_r(geteuid(), &pw, room, sizeof(room), &found) != 0 || found == NULL)
		return false;
	snprintf(out, size, "%s", pw.pw_dir);
	return true;
}

static const char *
variable(const char *const *vars, const char *name)
{
	size_t	 n = strlen(name);

	for (; vars != NULL && *vars != NULL; vars++)
		if (strncmp(*vars, name, n) == 0 && (*vars)[n] == '=')
			return *vars + n + 1;
	return NULL;
}

/* The first of: PAGEHOOK_CONFIG, the user's own, the system's.  Only the first must exist. */
static enum ph_error
read_first_file(struct reading *r, const char *const *request)
{
	const char	*named = variable(request, "PAGEHOOK_CONFIG");
	char		 path[4096], home[2048];
	enum ph_error	 err = PH_NONE;

	if (named == NULL)
		named = getenv("PAGEHOOK_CONFIG");
	if (named != NULL) {
		if ((err = read_settings(r, named)) == PH_NONE)
			return ph_error_set(r->fail, PH_CONFIG,
			    "PAGEHOOK_CONFIG: %s: no such file", named);
		return err;
	}
	if (find_home(home, sizeof(home))) {
		snprintf(path, sizeof(path), "%s/.config/pagehook/%s.conf", home, r->name);
		err = read_settings(r, path);
	}
	if (err == PH_NONE) {
		snprintf(path, sizeof(path), "/etc/pagehook/%s.conf", r->name);
		err = read_settings(r, path);
	}
	return err == PH_NONE ? PH_OK : err;
}

/* Values: text to what the member holds. */

static bool
parse_number(const char *text, enum kind kind, int64_t *out)
{
	static const struct { enum kind kind; const char *unit; int64_t times; } units[] = {
		{ COUNT, "", 1 },
		{ SIZE, "", 1 }, { SIZE, "K", 1024 }, { SIZE, "M", 1024 * 1024 },
		{ DURATION, "", PH_SECOND_MS }, { DURATION, "s", PH_SECOND_MS },
		{ DURATION, "m", PH_MINUTE_MS }, { DURATION, "h", PH_HOUR_MS },
		{ DURATION, "d", PH_DAY_MS },
	};
	size_t	 i, n_digits = strspn(text, "0123456789");

	if (n_digits == 0 || n_digits > 9)
		return false;
	for (i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (units[i].kind == kind && strcmp(text + n_digits, units[i].unit) == 0) {
			*out = strtoll(text, NULL, 10) * units[i].times;
			return true;
		}
	return false;
}

/* https, or plain http to this very machine: a token must not cross a network in the clear. */
static bool
url_is_safe(const char *url)
{
	static const char *const	 loopback[] = { "127.", "localhost", "[::1]" };
	size_t				 i, n;

	if (strpbrk(url, " ?#@") != NULL)
		return false;
	if (strncmp(url, "https://", 8) == 0)
		return url[8] != '\0';
	if (strncmp(url, "http://", 7) != 0)
		return false;
	for (i = 0; i < sizeof(loopback) / sizeof(loopback[0]); i++) {
		n = strlen(loopback[i]);
		if (strncmp(url + 7, loopback[i], n) == 0 &&
		    (i == 0 || strchr(":/", url[7 + n]) != NULL))
			return i != 0 || strspn(url + 7, "0123456789.") == strcspn(url + 7, ":/");
	}
	return false;
}

/* Whether the program is there its caller finds out: a front that misses it must not answer 503. */
static enum ph_error
check_command(const char *value, const char *name, const char *where, struct ph_fail *fail)
{
	struct ph_fail	  odd = PH_FAIL_INIT;
	char		**words;
	enum ph_error	  err = PH_OK;

	if (ph_words_parse(value, &words, &odd) != PH_OK)
		return ph_error_set(fail, PH_CONFIG, "%s: %s: %s", where, name, odd.text);
	if (words[0][0] != '/' && strchr(words[0], '/') != NULL)
		err = ph_error_set(fail, PH_CONFIG, "%s: %s: %.100s: an absolute path, or a name in PATH",
		    where, name, words[0]);
	ph_words_free(words);
	return err;
}

static enum ph_error
take(struct reading *r, const struct setting *s, const char *value, const char *where)
{
	struct ph_conf	*conf = r->conf;
	int64_t		 number;

	if (value[0] == '\0')
		return ph_error_set(r->fail, PH_CONFIG, "%s: %s is empty", where, s->name);
	switch (s->kind) {
	case LEVEL:
		if (!ph_log_level_parse(value, &conf->log_level))
			return ph_error_set(r->fail, PH_CONFIG,
			    "%s: %s: one of error, warn, info, debug", where, s->name);
		return PH_OK;
	case POLICY:
		if (!ph_unsure_policy_parse(value, &conf->unsure))
			return ph_error_set(r->fail, PH_CONFIG, "%s: %s: one of reconcile, hold, resend",
			    where, s->name);
		return PH_OK;
	case COUNT: case SIZE: case DURATION:
		if (!parse_number(value, s->kind, &number) || number < s->min || number > s->max)
			return ph_error_set(r->fail, PH_CONFIG, "%s: %s: %.40s is not a %s from %"
			    PRId64 " to %" PRId64, where, s->name, value, s->kind == COUNT ? "number" :
			    s->kind == SIZE ? "size (600K, 4M) of bytes" : "time (90s, 15m, 2h, 7d) in ms",
			    s->min, s->max);
		*number_of(conf, s) = number;
		return PH_OK;
	case DIGITS:
		if (value[strspn(value, "0123456789")] != '\0')
			return ph_error_set(r->fail, PH_CONFIG, "%s: %s: digits only", where, s->name);
		break;
	case URL:
		if (!url_is_safe(value))
			return ph_error_set(r->fail, PH_CONFIG, "%s: %s: https://HOST, without ? # @; "
			    "plain http only for a loopback address", where, s->name);
		break;
	case PATH:
		if (value[0] != '/')
			return ph_error_set(r->fail, PH_CONFIG, "%s: %s: needs an absolute path", where,
			    s->name);
		break;
	case COMMAND:
		if (check_command(value, s->name, where, r->fail) != PH_OK)
			return r->fail->err;
		break;
	case TEXT: case SECRET:
		break;
	}
	if (strlen(value) > MAX_VALUE)
		return ph_error_set(r->fail, PH_CONFIG, "%s: %s is longer than %d bytes", where, s->name,
		    MAX_VALUE);
	if ((*text_of(conf, s) = strdup(value)) == NULL)
		return ph_error_set(r->fail, PH_NOMEM, "settings: out of memory");
	return PH_OK;
}

static enum ph_error
take_from_file(struct reading *r, const struct setting *s, const struct ph_layer_pair *named)
{
	struct ph_buffer	 text = PH_BUFFER_INIT;
	mode_t			 mode = 0;
	enum ph_error		 err = read_file(r, named->value, &text, &mode);

	if (err == PH_NONE)
		err = ph_error_set(r->fail, PH_CONFIG, "%s: %s: no such file", named->where,
		    named->value);
	else if (err == PH_OK && (mode & S_IROTH) != 0)
		err = ph_error_set(r->fail, PH_CONFIG, "%s: others can read it: chmod o-r %s",
		    named->value, named->value);
	if (err == PH_OK) {
		if (text.len > 0 && text.data[text.len - 1] == '\n')
			text.data[--text.len] = '\0';
		err = take(r, s, PH_SLICE(&text).at, named->value);
	}
	if (text.data != NULL)
		ph_signature_wipe(text.data, text.cap);
	ph_buffer_clear(&text);
	return err;
}

static enum ph_error
hand_on(struct reading *r, const char *name, const char *suffix, const char *value)
{
	struct ph_buffer	 line = PH_BUFFER_INIT;

	if (strcmp(name, "PAGEHOOK_STATE") == 0)
		return PH_OK;			/* always handed on, whoever set it */
	ph_buffer_addf(&line, "%s%s=%s", name, suffix, value);
	if (line.failed)
		return ph_error_set(r->fail, PH_NOMEM, "settings: out of memory");
	r->conf->handed_on[r->conf->n_handed_on++] = line.data;
	return PH_OK;
}

static enum ph_error
choose(struct reading *r, size_t i)
{
	const struct setting	*s = &settings[i];
	int			 n;

	for (n = 0; n < N_LAYERS; n++) {
		const struct ph_layer_pair	*set = &r->layers[n].set[i];
		const struct ph_layer_pair	*named = &r->layers[n].set_file[i];

		if (set->value != NULL && named->value != NULL)
			return ph_error_set(r->fail, PH_CONFIG, "%s: %s is already set in %s",
			    named->where, s->name, set->where);
		if (set->value == NULL && named->value == NULL)
			continue;
		if (n == CONF_FILE)
			r->file_holds_secret |= set->value != NULL && s->kind == SECRET;
		else if (hand_on(r, s->name, set->value != NULL ? "" : "_FILE",
		    set->value != NULL ? set->value : named->value) != PH_OK)
			return r->fail->err;
		return set->value != NULL ? take(r, s, set->value, set->where) :
		    take_from_file(r, s, named);
	}
	return s->value != NULL ? take(r, s, s->value, "default") : PH_OK;
}

/* System user: uid below 1000, or a home that is missing or not its own. */
static enum ph_error
choose_state(struct reading *r)
{
	struct ph_buffer	 path = PH_BUFFER_INIT;
	char			 home[2048];
	struct stat		 st;

	if (r->conf->state == NULL) {
		if (geteuid() < 1000 || !find_home(home, sizeof(home)) || stat(home, &st) != 0 ||
		    st.st_uid != geteuid())
			ph_buffer_addf(&path, "/var/lib/pagehook/%s", r->name);
		else
			ph_buffer_addf(&path, "%s/.local/state/pagehook/%s", home, r->name);
		r->conf->state = path.data;
	}
	if (r->conf->log == NULL && r->conf->state != NULL) {
		path = (struct ph_buffer)PH_BUFFER_INIT;
		ph_buffer_addf(&path, "%s/pagehook.log", r->conf->state);
		r->conf->log = path.data;
	}
	if (r->conf->state == NULL || r->conf->log == NULL)
		return ph_error_set(r->fail, PH_NOMEM, "settings: out of memory");
	if (r->conf->log[0] != '/' && strcmp(r->conf->log, "syslog") != 0 &&
	    strcmp(r->conf->log, "stderr") != 0)
		return ph_error_set(r->fail, PH_CONFIG,
		    "PAGEHOOK_LOG: an absolute path, syslog or stderr");
	return PH_OK;
}

static enum ph_error
digest_all(struct reading *r)
{
	struct ph_buffer	 all = PH_BUFFER_INIT;
	unsigned char		 sum[PH_DIGEST_LEN];
	char			 hex[2 * PH_DIGEST_LEN + 1] = "";
	size_t			 i;
	enum ph_error		 err;

	/* Numbers are each program's own affair; what is sent where, and proved by what, is not. */
	for (i = 0; i < N_SETTINGS; i++)
		if (settings[i].kind < LEVEL && *text_of(r->conf, &settings[i]) != NULL)
			ph_buffer_addf(&all, "%s=%s\n", settings[i].name, *text_of(r->conf, &settings[i]));
	if ((err = ph_buffer_check(&all, r->fail)) == PH_OK &&
	    (err = ph_signature_digest(PH_SLICE(&all), sum, r->fail)) == PH_OK) {
		ph_hex_format(sum, sizeof(sum), hex);
		if ((r->conf->digest = strdup(hex)) == NULL)
			err = ph_error_set(r->fail, PH_NOMEM, "settings: out of memory");
	}
	if (all.data != NULL)
		ph_signature_wipe(all.data, all.cap);
	ph_buffer_clear(&all);
	return err;
}

static void
forget(char *secret)
{
	if (secret != NULL)
		ph_signature_wipe(secret, strlen(secret));
	free(secret);
}

static enum ph_error
read_all(struct reading *r, const struct ph_conf_from *from)
{
	size_t	 i;

	if (ph_layer_read_variables(&r->layers[REQUEST], r->names, from->request,
	    ph_conf_of_request, r->fail) != PH_OK ||
	    ph_layer_read_variables(&r->layers[ENVIRONMENT], r->names, (const char *const *)environ,
	    NULL, r->fail) != PH_OK ||
	    ph_layer_read_credentials(&r->layers[CREDENTIALS], r->names,
	    getenv("CREDENTIALS_DIRECTORY"), r->fail) != PH_OK ||
	    read_first_file(r, from->request) != PH_OK)
		return r->fail->err;
	for (i = 0; i < N_SETTINGS; i++)
		if (choose(r, i) != PH_OK)
			return r->fail->err;
	if (r->file_holds_secret && (r->file_mode & S_IROTH) != 0)
		return ph_error_set(r->fail, PH_CONFIG, "%s: holds a secret and others can read it: "
		    "chmod o-r %s", r->conf->file, r->conf->file);
	if (choose_state(r) != PH_OK)
		return r->fail->err;
	return digest_all(r);
}

enum ph_error
ph_conf_load(const struct ph_conf_from *from, struct ph_conf **out, struct ph_fail *fail)
{
	struct ph_fail	 mine = PH_FAIL_INIT;
	struct reading	 r = { .name = from->name, .fail = &mine };
	size_t		 i;

	*out = NULL;
	for (i = 0; i < N_SETTINGS; i++)
		r.names[i] = (struct ph_layer_name){ settings[i].name, settings[i].kind == SECRET };
	if ((r.conf = calloc(1, sizeof(*r.conf))) == NULL)
		return ph_error_set(fail, PH_NOMEM, "settings: out of memory");
	if ((r.conf->name = strdup(from->name)) == NULL)
		ph_error_set(&mine, PH_NOMEM, "settings: out of memory");
	else if (read_all(&r, from) == PH_OK)
		*out = r.conf;
	if (*out == NULL)
		ph_conf_free(r.conf);
	for (i = 0; i < N_LAYERS; i++)
		ph_layer_clear(&r.layers[i]);
	return mine.err == PH_OK ? PH_OK : ph_error_set(fail, mine.err, "%s", mine.text);
}

void
ph_conf_free(struct ph_conf *conf)
{
	size_t	 i;

	if (conf == NULL)
		return;
	for (i = 0; i < N_SETTINGS; i++)
		if (settings[i].kind < LEVEL)
			forget(*text_of(conf, &settings[i]));
	for (i = 0; i < conf->n_handed_on; i++)
		forget(conf->handed_on[i]);
	for (i = 0; i < conf->n_watched; i++)
		free(conf->watched[i].path);
	free(conf->name);
	free(conf->file);
	free(conf->digest);
	free(conf);
}

bool
ph_conf_of_request(const char *variable_text)
{
	return (variable_text[0] == 'M' && strncmp(variable_text, "MESSENGER_", 10) == 0) ||
	    (variable_text[0] == 'P' && strncmp(variable_text, "PAGEHOOK_CONFIG=", 16) == 0);
}

enum ph_error
ph_conf_check(const struct ph_conf *conf, struct ph_fail *fail)
{
	const char	*missing = conf->verify_token == NULL ? "MESSENGER_VERIFY_TOKEN" :
			    conf->app_secret == NULL ? "MESSENGER_APP_SECRET" : NULL;

	if (missing == NULL)
		return PH_OK;
	if (conf->file != NULL)
		return ph_error_set(fail, PH_CONFIG, "%s: no %s; nobody can be proved without it",
		    conf->file, missing);
	return ph_error_set(fail, PH_CONFIG, "no %s, and no configuration file at %s or %s", missing,
	    conf->n_watched > 0 ? conf->watched[0].path : "PAGEHOOK_CONFIG",
	    conf->n_watched > 1 ? conf->watched[1].path : "/etc/pagehook");
}

char **
ph_conf_new_environment(const struct ph_conf *conf)
{
	static const char *const	 kept[] = { "PATH", "LANG", "TZ", "CREDENTIALS_DIRECTORY",
#ifdef PH_TEST				/* Seam: the clock's speed and the sanitizers' own settings */
	    "PH_TEST_SPEED", "ASAN_OPTIONS", "UBSAN_OPTIONS",
#endif
	};
	struct ph_buffer		 lines[PH_CONF_WATCHED] = { PH_BUFFER_INIT };
	char				**env = calloc(conf->n_handed_on + 16, sizeof(*env));
	char				 home[2048];
	size_t				 i, n = 0, n_lines = 0;

	if (env == NULL)
		return NULL;
	for (i = 0; i < sizeof(kept) / sizeof(kept[0]); i++)
		if (getenv(kept[i]) != NULL)
			ph_buffer_addf(&lines[n_lines++], "%s=%s", kept[i], getenv(kept[i]));
	if (find_home(home, sizeof(home)))
		ph_buffer_addf(&lines[n_lines++], "HOME=%s", home);
	if (conf->file != NULL)
		ph_buffer_addf(&lines[n_lines++], "PAGEHOOK_CONFIG=%s", conf->file);
	ph_buffer_addf(&lines[n_lines++], "PAGEHOOK_STATE=%s", conf->state);
	for (i = 0; i < n_lines; i++)
		if ((env[n] = lines[i].data) != NULL)
			n++;
	for (i = 0; i < conf->n_handed_on; i++)
		if ((env[n] = strdup(conf->handed_on[i])) != NULL)
			n++;
	return env;
}

void
ph_conf_free_environment(char **env)
{
	size_t	 i;

	for (i = 0; env != NULL && env[i] != NULL; i++)
		forget(env[i]);
	free(env);
}
