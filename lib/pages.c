/*
 * pages -- the Pages we speak for: each one's token, and what its owner wants said.
 * Knows conf, scan, json, replies, signature.  Does not know the store or Graph.
 * Called by the helper (loads), turn (reloads), and whoever needs a Page's token or rules.
 * Lives as long as the helper; rules are replaced when their file changes.
 * SPDX-License-Identifier: ISC
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pages.h"
#include "scan.h"

#define MAX_FILE	(1 << 20)
#define MAX_PAGES	4096

struct reading {		/* one ph_pages_load */
	const struct ph_conf	*conf;
	struct ph_pages		*pages;
	bool			 on_trial;	/* nothing is to be said, no rules are read */
	struct ph_flaws		 flaws;		/* of MESSENGER_PAGES */
	struct ph_scan		 scan;
	mode_t			 mode;		/* of that file */
};

struct entry {			/* one Page of MESSENGER_PAGES, as written */
	struct ph_buffer	 id, token, token_file, replies;
	const char		*at;
};

/* Files. */

/* Reads a file whole.  PH_CONFIG: it cannot be, or others could write what we would run. */
static enum ph_error
read_file(const char *path, struct ph_buffer *out, mode_t *mode, struct ph_fail *fail)
{
	struct stat	 st;
	char		*room;
	ssize_t		 n = -1;
	int		 fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

	if (fd == -1)
		return ph_error_set(fail, PH_CONFIG, "%s: %s", path, strerror(errno));
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size <= MAX_FILE &&
	    (room = ph_buffer_room(out, (size_t)st.st_size + 1)) != NULL)
		n = read(fd, room, (size_t)st.st_size + 1);
	close(fd);
	if (n < 0 || n > MAX_FILE)
		return ph_error_set(fail, PH_CONFIG, "%s: not a regular file of at most %d bytes", path,
		    MAX_FILE);
	if ((st.st_mode & S_IWOTH) != 0)
		return ph_error_set(fail, PH_CONFIG, "%s: others can write it: chmod o-w %s", path, path);
	out->len += (size_t)n;
	out->data[out->len] = '\0';
	*mode = st.st_mode;
	return PH_OK;
}

static void
watch(struct ph_pages *pages, const char *path)
{
	struct ph_conf_watch	*w = &pages->watched[pages->n_watched];

	if (pages->n_watched == PH_CONF_WATCHED || (w->path = strdup(path)) == NULL)
		return;				/* a changed MESSENGER_PAGES itself is always seen */
	(void)ph_conf_look(w);
	pages->n_watched++;
}

/* A file named in another lies beside it, unless its path is absolute. */
static void
beside(const char *file, struct ph_slice named, struct ph_buffer *out)
{
	const char	*slash = strrchr(file, '/');

	ph_buffer_reset(out);
	if (named.len > 0 && named.at[0] != '/' && slash != NULL)
		ph_buffer_add(out, file, (size_t)(slash - file) + 1);
	ph_buffer_add(out, named.at, named.len);
}

static void
wipe(struct ph_buffer *b)
{
	if (b->data != NULL)
		ph_signature_wipe(b->data, b->cap);
	ph_buffer_clear(b);
}

/* Rules. */

enum ph_error
ph_pages_read(const char *path, struct ph_buffer *text, struct ph_replies **out,
    struct ph_flaws *flaws, struct ph_fail *fail)
{
	const char	*slash = strrchr(path, '/');
	mode_t		 mode;

	*out = NULL;
	if (read_file(path, text, &mode, fail) != PH_OK)
		return fail->err;
	return ph_replies_parse(slash != NULL ? slash + 1 : path, PH_SLICE(text), out, flaws, fail);
}

/* What follows from a file that cannot be used. */
static const char *
consequence(const struct ph_rules *r)
{
	return r->replies != NULL ? " (the last good replies stay)" :
	    " (what people say waits until it can be read)";
}

static void
say_flaws(const struct ph_rules *r, const struct ph_flaws *flaws)
{
	size_t	 i;

	for (i = 0; i < flaws->n; i++)
		ph_log_say(flaws->all[i].warning ? PH_WARN : PH_ERROR, "config", "%s:%zu:%zu: %s%s", r->path,
		    flaws->all[i].line, flaws->all[i].column, flaws->all[i].text,
		    flaws->n_errors > 0 && !flaws->all[i].warning ? consequence(r) : "");
}

/* Reads the file, if it is not what it was.  True: the rules are new. */
static bool
reload(struct ph_rules *r)
{
	struct ph_buffer	 text = PH_BUFFER_INIT;
	struct ph_flaws		 flaws = { .n = 0 };
	struct ph_fail		 fail = PH_FAIL_INIT;
	struct ph_replies	*replies;

	if (r->path == NULL || !ph_conf_look(&r->seen))
		return false;
	if (ph_pages_read(r->path, &text, &replies, &flaws, &fail) == PH_OK) {
		ph_replies_free(r->replies);
		r->replies = replies;
		ph_log_say(PH_INFO, "config", "%s: %zu replies read", r->path, ph_replies_count(replies));
	} else if (flaws.n_errors == 0)
		ph_log_say(PH_ERROR, "config", "%s%s", fail.text, consequence(r));
	say_flaws(r, &flaws);
	ph_buffer_clear(&text);
	r->broken = fail.err != PH_OK;
	return !r->broken;
}

static void
free_rules(struct ph_rules *r)
{
	if (r == NULL)
		return;
	ph_replies_free(r->replies);
	free(r->path);
	free(r->dir);
	free(r);
}

static enum ph_error
read_builtin(struct ph_rules *r, struct ph_fail *fail)
{
	const struct ph_slice	 text = { ph_replies_builtin, strlen(ph_replies_builtin) };
	struct ph_flaws		 flaws;

	return ph_replies_parse("built-in", text, &r->replies, &flaws, fail);
}

/* Those of a file; the same for every Page that names it.  path NULL: the built-in ones. */
static enum ph_error
take_rules(struct ph_pages *pages, const char *path, struct ph_rules **out, struct ph_fail *fail)
{
	struct ph_rules	**grown, *r;
	size_t		  i;

	for (i = 0; i < pages->n_rules; i++) {
		*out = r = pages->rules[i];
		if (path == r->path || (path != NULL && r->path != NULL && strcmp(path, r->path) == 0))
			return PH_OK;
	}
	if ((grown = realloc(pages->rules, (pages->n_rules + 1) * sizeof(struct ph_rules *))) == NULL ||
	    (pages->rules = grown, r = calloc(1, sizeof(*r))) == NULL)
		return ph_error_set(fail, PH_NOMEM, "replies: out of memory");
	*out = pages->rules[pages->n_rules++] = r;
	if (path == NULL)
		return read_builtin(r, fail);
	r->seen.path = r->path = strdup(path);
	r->seen.id = -1;			/* not looked at: one that is not there is said, too */
	r->dir = strdup(path);
	if (r->path == NULL || r->dir == NULL)
		return ph_error_set(fail, PH_NOMEM, "replies: out of memory");
	*(strrchr(r->dir, '/') + 1) = '\0';	/* settings and beside() give absolute paths */
	(void)reload(r);
	return PH_OK;
}

/* One Page. */

static enum ph_error
add_page(struct reading *r, const char *id, const char *token, const char *replies,
    struct ph_fail *fail)
{
	struct ph_pages	*pages = r->pages;
	struct ph_page	*grown = realloc(pages->all, (pages->n + 1) * sizeof(*grown)), *page;

	if (grown == NULL)
		return ph_error_set(fail, PH_NOMEM, "pages: out of memory");
	pages->all = grown;
	page = &grown[pages->n++];
	*page = (struct ph_page){ .id_text = strdup(id), .token = strdup(token) };
	if (page->id_text == NULL || page->token == NULL)
		return ph_error_set(fail, PH_NOMEM, "pages: out of memory");
	page->id = (struct ph_slice){ page->id_text, strlen(id) };
	if ((!r->on_trial && take_rules(pages, replies, &page->rules, fail) != PH_OK) ||
	    r->conf->app_secret == NULL)
		return fail->err;
	return ph_signature_format(r->conf->app_secret, (struct ph_slice){ token, strlen(token) },
	    page->proof, fail);
}

/* A string's value; a flaw, and nothing, if it is none. */
static void
take_text(struct reading *r, struct ph_buffer *out)
{
	struct ph_slice		 raw = { NULL, 0 }, text = { NULL, 0 };
	struct ph_json		*v = NULL;

	ph_scan_skip(&r->scan, &raw);
	if (raw.at != NULL && ph_json_parse(raw, &v, NULL) == PH_OK)
		text = ph_json_text(v);
	if (text.len == 0 || memchr(text.at, '\0', text.len) != NULL)
		ph_flaw_add(&r->flaws, raw.at, "a text that is not empty was expected");
	else if (out->len > 0)
		ph_flaw_add(&r->flaws, raw.at, "said twice");
	else
		ph_buffer_add(out, text.at, text.len);
	ph_json_free(v);
}

static void
scan_entry(struct reading *r, struct entry *e)
{
	struct ph_buffer	 ignored = PH_BUFFER_INIT;
	struct ph_slice		 key;

	e->at = r->scan.at;
	if (!ph_scan_enter(&r->scan, '{')) {
		ph_flaw_add(&r->flaws, e->at, "{\"access_token\": ..} was expected");
		ph_scan_skip(&r->scan, NULL);
		return;
	}
	while (ph_scan_member(&r->scan, &key))
		if (ph_scan_key_is(key, "access_token"))
			take_text(r, &e->token);
		else if (ph_scan_key_is(key, "access_token_file"))
			take_text(r, &e->token_file);
		else if (ph_scan_key_is(key, "replies"))
			take_text(r, &e->replies);
		else {
			ph_flaw_add(&r->flaws, key.at, "one of access_token, access_token_file, replies was "
			    "expected");
			take_text(r, &ignored);
			ph_buffer_clear(&ignored);
		}
	if ((e->token.len > 0) == (e->token_file.len > 0))
		ph_flaw_add(&r->flaws, e->at, "either access_token or access_token_file is needed");
	if (e->token.len > 0 && (r->mode & S_IROTH) != 0)
		ph_flaw_add(&r->flaws, e->at, "a token, and others can read it: chmod o-r %s",
		    r->conf->pages);
}

static enum ph_error
read_token(struct reading *r, struct entry *e, struct ph_fail *fail)
{
	struct ph_buffer	 path = PH_BUFFER_INIT;
	enum ph_error		 err;
	mode_t			 mode;

	beside(r->conf->pages, PH_SLICE(&e->token_file), &path);
	if ((err = ph_buffer_check(&path, fail)) == PH_OK) {
		watch(r->pages, path.data);
		err = read_file(path.data, &e->token, &mode, fail);
	}
	if (err == PH_OK && (mode & S_IROTH) != 0)
		err = ph_error_set(fail, PH_CONFIG, "%s: others can read it: chmod o-r %s", path.data,
		    path.data);
	if (err == PH_OK && e->token.len > 0 && e->token.data[e->token.len - 1] == '\n')
		e->token.data[--e->token.len] = '\0';
	if (err == PH_OK && (e->token.len == 0 || strlen(e->token.data) != e->token.len))
		err = ph_error_set(fail, PH_CONFIG, "%s: no token in it", path.data);
	ph_buffer_clear(&path);
	return err;
}

static enum ph_error
take_entry(struct reading *r, struct entry *e, struct ph_fail *fail)
{
	const char		*replies = r->conf->replies;
	struct ph_buffer	 path = PH_BUFFER_INIT;
	enum ph_error		 err = PH_OK;

	if (e->id.len == 0 || e->id.data[strspn(e->id.data, "0123456789")] != '\0')
		ph_flaw_add(&r->flaws, e->at, "a Page is named by the digits of its id");
	if (r->pages->n == MAX_PAGES)
		ph_flaw_add(&r->flaws, e->at, "more than %d Pages", MAX_PAGES);
	if (ph_pages_find(r->pages, PH_SLICE(&e->id)) != NULL)
		ph_flaw_add(&r->flaws, e->at, "Page %.40s is named twice", e->id.data);
	if (r->flaws.n_errors > 0)
		return PH_OK;			/* no further: it will be refused */
	if (e->token_file.len > 0)
		err = read_token(r, e, fail);
	if (e->replies.len > 0) {
		beside(r->conf->pages, PH_SLICE(&e->replies), &path);
		replies = path.data;
	}
	if (err == PH_OK && (err = ph_buffer_check(&path, fail)) == PH_OK)
		err = add_page(r, e->id.data, e->token.data, replies, fail);
	ph_buffer_clear(&path);
	return err;
}

static enum ph_error
scan_pages(struct reading *r, struct ph_fail *fail)
{
	struct ph_slice	 key;
	enum ph_error	 err = PH_OK;

	if (!ph_scan_enter(&r->scan, '{'))
		ph_flaw_add(&r->flaws, r->scan.at, "{\"<page id>\": {\"access_token\": ..}, ..} was expected");
	while (err == PH_OK && ph_scan_member(&r->scan, &key)) {
		struct entry	 e = { .at = key.at };

		ph_buffer_add(&e.id, key.at, key.len);
		scan_entry(r, &e);
		e.at = key.at;
		if ((err = ph_buffer_check(&e.id, fail)) == PH_OK && r->scan.err == PH_OK)
			err = take_entry(r, &e, fail);
		ph_buffer_clear(&e.id);
		ph_buffer_clear(&e.token_file);
		ph_buffer_clear(&e.replies);
		wipe(&e.token);
	}
	return err;
}

static enum ph_error
load_file(struct reading *r, struct ph_fail *fail)
{
	struct ph_buffer	 text = PH_BUFFER_INIT;
	const char		*path = r->conf->pages;
	struct ph_fail		 odd = PH_FAIL_INIT;
	enum ph_error		 err;

	watch(r->pages, path);
	if ((err = read_file(path, &text, &r->mode, fail)) == PH_OK) {
		r->flaws = (struct ph_flaws){ .text = PH_SLICE(&text) };
		ph_scan_begin(&r->scan, PH_SLICE(&text));
		err = scan_pages(r, fail);
		if (err == PH_OK && r->flaws.n_errors == 0 && ph_scan_end(&r->scan, &odd) != PH_OK)
			ph_flaw_add(&r->flaws, r->scan.at, "%s", odd.text);
		if (err == PH_OK && r->flaws.n_errors > 0)
			err = ph_error_set(fail, PH_CONFIG, "%s:%zu:%zu: %s", path, r->flaws.all[0].line,
			    r->flaws.all[0].column, r->flaws.all[0].text);
	}
	wipe(&text);
	return err;
}

static enum ph_error
load_all(struct reading *r, struct ph_fail *fail)
{
	const struct ph_conf	*conf = r->conf;
	struct ph_rules		*others;

	if (!r->on_trial && take_rules(r->pages, conf->replies, &others, fail) != PH_OK)
		return fail->err;
	if (conf->page_id != NULL && conf->page_token != NULL &&
	    add_page(r, conf->page_id, conf->page_token, conf->replies, fail) != PH_OK)
		return fail->err;
	return conf->pages != NULL ? load_file(r, fail) : PH_OK;
}

static enum ph_error
load(const struct ph_conf *conf, bool on_trial, struct ph_pages **out, struct ph_fail *fail)
{
	struct reading	*r = calloc(1, sizeof(*r));
	enum ph_error	 err;

	*out = NULL;
	if (r == NULL || (r->pages = calloc(1, sizeof(*r->pages))) == NULL) {
		free(r);
		return ph_error_set(fail, PH_NOMEM, "pages: out of memory");
	}
	r->conf = conf;
	r->on_trial = on_trial;
	if ((err = load_all(r, fail)) == PH_OK)
		*out = r->pages;
	else
		ph_pages_free(r->pages);
	free(r);
	return err;
}

enum ph_error
ph_pages_load(const struct ph_conf *conf, struct ph_pages **out, struct ph_fail *fail)
{
	return load(conf, false, out, fail);
}

enum ph_error
ph_pages_check(const struct ph_conf *conf, struct ph_fail *fail)
{
	struct ph_pages	*pages;
	enum ph_error	 err = load(conf, true, &pages, fail);

	ph_pages_free(pages);
	return err;
}

void
ph_pages_free(struct ph_pages *pages)
{
	size_t	 i;

	if (pages == NULL)
		return;
	for (i = 0; i < pages->n; i++) {
		if (pages->all[i].token != NULL)
			ph_signature_wipe(pages->all[i].token, strlen(pages->all[i].token));
		free(pages->all[i].token);
		free(pages->all[i].id_text);
	}
	for (i = 0; i < pages->n_rules; i++)
		free_rules(pages->rules[i]);
	for (i = 0; i < pages->n_watched; i++)
		free(pages->watched[i].path);
	free(pages->all);
	free(pages->rules);
	free(pages);
}

bool
ph_pages_changed(const struct ph_pages *pages)
{
	size_t	 i;

	for (i = 0; i < pages->n_watched; i++) {
		struct ph_conf_watch	 now = pages->watched[i];

		if (ph_conf_look(&now))
			return true;
	}
	return false;
}

const struct ph_page *
ph_pages_find(const struct ph_pages *pages, struct ph_slice id)
{
	size_t	 i;

	for (i = 0; i < pages->n; i++)
		if (pages->all[i].id.len == id.len && memcmp(pages->all[i].id.at, id.at, id.len) == 0)
			return &pages->all[i];
	return NULL;
}

const struct ph_rules *
ph_pages_rules(const struct ph_pages *pages, struct ph_slice id)
{
	const struct ph_page	*page = ph_pages_find(pages, id);

	return page != NULL ? page->rules : pages->rules[0];
}

bool
ph_pages_reload(struct ph_pages *pages)
{
	bool	 any = false;
	size_t	 i;

	for (i = 0; i < pages->n_rules; i++)
		any |= reload(pages->rules[i]);
	return any;
}
