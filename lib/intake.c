/*
 * intake -- a body's events, in order: all entries, all channels.
 * Knows scan, event's source.  Does not know what an event means.
 * Called by delivery, for every body.
 * Lives where delivery does; its events borrow the body.
 * SPDX-License-Identifier: ISC
 */
#include <stdlib.h>
#include <string.h>

#include "intake.h"
#include "scan.h"

static const char *const	 channel_names[] = {
	[PH_MESSAGING] = "messaging", [PH_STANDBY] = "standby", [PH_CHANGES] = "changes",
};
#define N_CHANNELS	3

static enum ph_error
add(struct ph_intake_list *list, const struct ph_event_source *one, struct ph_fail *fail)
{
	struct ph_event_source	*grown;
	size_t			 cap = list->cap == 0 ? 16 : 2 * list->cap;

	if (list->n == list->cap) {
		if ((grown = realloc(list->all, cap * sizeof(*grown))) == NULL)
			return ph_error_set(fail, PH_NOMEM, "out of memory for events");
		list->all = grown;
		list->cap = cap;
	}
	list->all[list->n++] = *one;
	return PH_OK;
}

static bool
is_null(struct ph_slice value)
{
	return ph_slice_is(value, "null");
}

/* The elements of an array; another value counts as an array of one, null as none. */
static enum ph_error
read_channel(struct ph_scan *scan, enum ph_channel channel, struct ph_intake_list *list,
    struct ph_fail *fail)
{
	struct ph_event_source	 one = { .channel = channel };
	enum ph_error		 err = PH_OK;

	list->n = 0;				/* a repeated key: the last one wins */
	if (ph_scan_enter(scan, '[')) {
		while (err == PH_OK && ph_scan_element(scan)) {
			ph_scan_skip(scan, &one.event);
			err = add(list, &one, fail);
		}
		return err;
	}
	ph_scan_skip(scan, &one.event);
	return is_null(one.event) ? PH_OK : add(list, &one, fail);
}

/* Appends what the entry's channels hold, now that its id and time are known. */
static enum ph_error
take_entry(struct ph_intake *in, struct ph_slice id, struct ph_slice time, struct ph_fail *fail)
{
	size_t	 c, i;

	for (c = 0; c < N_CHANNELS; c++)
		for (i = 0; i < in->channels[c].n; i++) {
			in->channels[c].all[i].entry_id = id;
			in->channels[c].all[i].entry_time = time;
			if (add(&in->events, &in->channels[c].all[i], fail) != PH_OK)
				return PH_NOMEM;
		}
	return PH_OK;
}

static enum ph_error
read_entry(struct ph_scan *scan, struct ph_intake *in, struct ph_fail *fail)
{
	struct ph_slice	 key, id = { NULL, 0 }, time = { NULL, 0 };
	enum ph_error	 err = PH_OK;
	size_t		 c;

	for (c = 0; c < N_CHANNELS; c++)
		in->channels[c].n = 0;
	if (!ph_scan_enter(scan, '{')) {
		ph_scan_skip(scan, NULL);
		return PH_OK;
	}
	while (err == PH_OK && ph_scan_member(scan, &key)) {
		for (c = 0; c < N_CHANNELS && !ph_scan_key_is(key, channel_names[c]); c++)
			continue;
		if (c < N_CHANNELS)
			err = read_channel(scan, (enum ph_channel)c, &in->channels[c], fail);
		else if (ph_scan_key_is(key, "id"))
			ph_scan_skip(scan, &id);
		else if (ph_scan_key_is(key, "time"))
			ph_scan_skip(scan, &time);
		else
			ph_scan_skip(scan, NULL);
	}
	return err == PH_OK ? take_entry(in, id, time, fail) : err;
}

static enum ph_error
read_entries(struct ph_scan *scan, struct ph_intake *in, struct ph_fail *fail)
{
	enum ph_error	 err = PH_OK;

	in->events.n = 0;
	if (!ph_scan_enter(scan, '['))
		return read_entry(scan, in, fail);
	while (err == PH_OK && ph_scan_element(scan))
		err = read_entry(scan, in, fail);
	return err;
}

static enum ph_error
read_object(struct ph_slice value, struct ph_intake *in, struct ph_fail *fail)
{
	struct ph_slice	 text = { NULL, 0 };
	struct ph_json	*tree = NULL;

	if (value.at[0] == '"' && (text = ph_json_plain_id(value)).at == NULL) {
		if (ph_json_parse(value, &tree, NULL) == PH_NOMEM)
			return ph_error_set(fail, PH_NOMEM, "out of memory for a body");
		text = ph_json_text(tree);
	}
	if (text.at != NULL && text.len < sizeof(in->object) && memchr(text.at, '\0', text.len) == NULL) {
		memcpy(in->object, text.at, text.len);
		in->object[text.len] = '\0';
	}
	ph_json_free(tree);
	return PH_OK;
}

static bool
is_wanted(const char *object, const char *objects)
{
	const char	*at = objects;
	size_t		 len;

	for (; object[0] != '\0' && *at != '\0'; at += len + (at[len] == ',')) {
		len = strcspn(at, ",");
		if (strlen(object) == len && strncmp(object, at, len) == 0)
			return true;
	}
	return false;
}

enum ph_error
ph_intake_read(struct ph_slice body, const char *objects, struct ph_intake *in, struct ph_fail *fail)
{
	struct ph_scan	 scan;
	struct ph_slice		 key, object = { NULL, 0 };
	enum ph_error		 err = PH_OK;

	in->events.n = 0;
	in->object[0] = '\0';
	ph_scan_begin(&scan, body);
	if (!ph_scan_enter(&scan, '{'))
		return ph_error_set(fail, PH_MALFORMED, "not a JSON object");
	while (err == PH_OK && ph_scan_member(&scan, &key)) {
		if (ph_scan_key_is(key, "object"))
			ph_scan_skip(&scan, &object);
		else if (ph_scan_key_is(key, "entry"))
			err = read_entries(&scan, in, fail);
		else
			ph_scan_skip(&scan, NULL);
	}
	if (err != PH_OK || (err = ph_scan_end(&scan, fail)) != PH_OK)
		return err;
	if (object.at != NULL && (err = read_object(object, in, fail)) != PH_OK)
		return err;
	if (!is_wanted(in->object, objects))
		return ph_error_set(fail, PH_NONE, "object \"%s\" is not wanted", in->object);
	if (in->events.n > PH_INTAKE_MAX_EVENTS)
		return ph_error_set(fail, PH_TOOBIG, "%zu events in one body, at most %d are read",
		    in->events.n, PH_INTAKE_MAX_EVENTS);
	return PH_OK;
}

void
ph_intake_clear(struct ph_intake *in)
{
	size_t	 c;

	free(in->events.all);
	for (c = 0; c < N_CHANNELS; c++)
		free(in->channels[c].all);
	*in = (struct ph_intake)PH_INTAKE_INIT;
}
