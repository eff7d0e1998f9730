/*
 * given_conf -- settings as a test writes them, in an environment of its own.
 * Knows conf.  Does not know what a test asks of it.
 * Called by the tests of conf.
 * Lives in a temporary directory.
 * SPDX-License-Identifier: ISC
 */
#ifndef PH_GIVEN_CONF_H
#define PH_GIVEN_CONF_H

#include "conf.h"
#include "room.h"

#define NEEDED	"MESSENGER_VERIFY_TOKEN=vt\nMESSENGER_APP_SECRET=as\n"

extern char	**environ;

static struct ph_conf	*conf;
static struct ph_fail	 wrong;
static char		**outer;	/* the environment we were started in */

/* Nothing is set, but for how cmocka shall print. */
static inline int
enter(void **state)
{
	static char	*inner[2];
	size_t		 i;

	conf = NULL;
	wrong = (struct ph_fail)PH_FAIL_INIT;
	outer = environ;
	inner[0] = NULL;
	for (i = 0; outer[i] != NULL; i++)
		if (strncmp(outer[i], "CMOCKA_", 7) == 0)
			inner[0] = outer[i];
	if (room_enter(state) != 0)
		return -1;
	environ = inner;
	return 0;
}

static inline int
leave(void **state)
{
	environ = outer;
	ph_conf_free(conf);
	return room_leave(state);
}

static inline const char *
path_to(const char *name)
{
	static char	 path[600];

	snprintf(path, sizeof(path), "%s/%s", room, name);
	return path;
}

static inline void
write_conf(const char *text)
{
	room_write("pagehook.conf", slice(text), 0600);
	setenv("PAGEHOOK_CONFIG", path_to("pagehook.conf"), 1);
}

static inline enum ph_error
load_for(const char *const *request)
{
	const struct ph_conf_from	 from = { "no-such-mount-of-pagehook", request };

	ph_conf_free(conf);
	wrong = (struct ph_fail)PH_FAIL_INIT;
	return ph_conf_load(&from, &conf, &wrong);
}

static inline void
load(void)
{
	must(load_for(NULL), &wrong);
}

#define in_a_room(test)	cmocka_unit_test_setup_teardown(test, enter, leave)

#endif
