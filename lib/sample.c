/*
 * sample -- the first event seen of each kind, kept without what is anybody's.
 * Knows event.  Does not know the store or when an event counts as seen.
 * Called by delivery.
 * Lives as files samples/KIND.json in the current directory.
 * SPDX-License-Identifier: ISC
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "sample.h"

#define SMALL	1000000		/* a number below this is a count, a screen, a price; above, an id or a time */

/* Members whose words are Meta's, not a person's. */
static const char *const	 plain[] = {
	"type", "action", "reaction", "source", "status", "field", "item", "verb", "feedback",
	"messaging_type", "template_type", "user_token_status", "notification_messages_status",
	"notification_messages_frequency", "currency", "message_request",
};

static bool
is_plain(const char *name)
{
	size_t	 i;

	for (i = 0; i < sizeof(plain) / sizeof(plain[0]); i++)
		if (strcmp(name, plain[i]) == 0)
			return true;
	return false;
}

/* id, mid, mids, post_id, user_ref, ...: whatever names a person, a page or a message. */
static bool
is_id(const char *name)
{
	size_t	 n = strlen(name);

	return strcmp(name, "mids") == 0 || strcmp(name, "user_ref") == 0 ||
	    (n >= 2 && strcmp(name + n - 2, "id") == 0);
}

static void
add_link(struct ph_buffer *out, struct ph_slice link)
{
	const char	*host = memchr(link.at, '/', link.len);
	size_t		 len = 0;

	host += 2;
	while (host + len < link.at + link.len && strchr("/?#", host[len]) == NULL)
		len++;
	ph_buffer_adds(out, "\"https://");
	ph_buffer_add_json(out, (struct ph_slice){ host, len });
	ph_buffer_adds(out, "/\"");
}

static void
add_string(struct ph_buffer *out, const char *name, struct ph_slice text)
{
	if (is_id(name))
		ph_buffer_adds(out, "\"1\"");
	else if (is_plain(name)) {
		ph_buffer_adds(out, "\"");
		ph_buffer_add_json(out, text);
		ph_buffer_adds(out, "\"");
	} else if (text.len > 8 && strncmp(text.at, "https://", 8) == 0)
		add_link(out, text);
	else
		ph_buffer_addf(out, "\"%zu bytes\"", text.len);
}

/* Recursion ends with the scan's 32 levels. */
static void
add_value(struct ph_buffer *out, const char *name, const struct ph_json *v)
{
	struct ph_slice	 text = ph_json_text(v);
	const char	*member;
	int64_t		 number;
	double		 fraction;
	size_t		 i;

	if (ph_json_is_object(v)) {
		for (i = 0; (member = ph_json_name(v, i)) != NULL; i++) {
			ph_buffer_adds(out, i == 0 ? "{\"" : ",\"");
			if (strspn(member, "0123456789") == strlen(member))
				ph_buffer_adds(out, "1");	/* app_roles: an id for a name */
			else
				ph_buffer_add_json(out, (struct ph_slice){ member, strlen(member) });
			ph_buffer_adds(out, "\":");
			add_value(out, member, ph_json_get(v, member));
		}
		ph_buffer_adds(out, i == 0 ? "{}" : "}");
	} else if (ph_json_is_array(v)) {
		for (i = 0; i < ph_json_count(v); i++) {
			ph_buffer_adds(out, i == 0 ? "[" : ",");
			add_value(out, name, ph_json_at(v, i));
		}
		ph_buffer_adds(out, i == 0 ? "[]" : "]");
	} else if (text.at != NULL)
		add_string(out, name, text);
	else if (ph_json_integer(v, &number))
		ph_buffer_addf(out, "%" PRId64, is_id(name) ? 1 : number < SMALL ? number : 0);
	else if (ph_json_number(v, &fraction))
		ph_buffer_adds(out, "0.5");		/* a place, an amount */
	else
		ph_buffer_adds(out, v == NULL ? "null" : ph_json_flag(v) ? "true" : "false");
}

void
ph_sample_format(const struct ph_event *ev, const char *object, struct ph_buffer *out)
{
	static const char *const	 channels[] = {
		[PH_MESSAGING] = "messaging", [PH_STANDBY] = "standby", [PH_CHANGES] = "changes",
	};
	struct ph_json			*whole;

	if (ph_json_parse(ev->raw, &whole, NULL) == PH_NOMEM)
		out->failed = true;
	ph_buffer_adds(out, "{\"object\":\"");
	ph_buffer_add_json(out, (struct ph_slice){ object, strlen(object) });
	ph_buffer_addf(out, "\",\"entry\":[{\"id\":\"%s\",\"time\":0,\"%s\":[",
	    ph_slice_is(ev->page, "0") ? "0" : "1", channels[ev->channel]);
	if (ph_json_is_object(whole))
		add_value(out, "", whole);
	else
		ph_buffer_adds(out, "0");
	ph_buffer_adds(out, "]}]}\n");
	ph_json_free(whole);
}

static void
path_of(const char *kind, char *out, size_t size)
{
	snprintf(out, size, "samples/%s.json", kind);
}

bool
ph_sample_is_kept(const char *kind)
{
	char	 path[128];

	path_of(kind, path, sizeof(path));
	return access(path, F_OK) == 0;
}

enum ph_error
ph_sample_keep(const char *kind, struct ph_slice body, struct ph_fail *fail)
{
	char	 path[128];
	bool	 whole;
	int	 fd;

	path_of(kind, path, sizeof(path));
	(void)mkdir("samples", 0700);		/* there already, or the next call tells */
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd == -1 && errno == EEXIST)
		return PH_NONE;
	if (fd == -1)
		return ph_error_set(fail, PH_BUSY, "%s: %s", path, strerror(errno));
	whole = write(fd, body.at, body.len) == (ssize_t)body.len;
	if (close(fd) != 0 || !whole) {
		(void)unlink(path);		/* half a sample helps nobody */
		return ph_error_set(fail, PH_BUSY, "%s: %s", path, strerror(errno));
	}
	return PH_OK;
}
