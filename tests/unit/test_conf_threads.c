/*
 * test_conf_threads -- settings are loaded by threads side by side, and each finds its own.
 * Knows conf.  Does not know who uses a setting.
 * Called by make check.
 * Lives in a temporary directory, with an environment of its own and a password database to match.
 * SPDX-License-Identifier: ISC
 */
#include <errno.h>
#include <pthread.h>
#include <pwd.h>
#include <sched.h>

#include "given_conf.h"

#define LOADS	3000

/*
 * Seam: a password database that takes its time.  Where two threads share the memory of an answer,
 * one of them sees half of it.
 */
int
getpwuid_r(uid_t uid, struct passwd *pw, char *text, size_t size, struct passwd **found)
{
	static const char	 home[] = "/no-such-home-of-pagehook/of-a-user";
	size_t			 i;

	if (size < sizeof(home))
		return ERANGE;
	*pw = (struct passwd){ .pw_uid = uid, .pw_dir = text };
	memset(text, 0, sizeof(home));
	for (i = 0; i < sizeof(home); i++) {
		*(volatile char *)(text + i) = home[i];
		if (i % 8 == 0)
			sched_yield();
	}
	*found = pw;
	return 0;
}

struct passwd *
getpwuid(uid_t uid)
{
	static struct passwd	 pw;
	static char		 text[64];
	struct passwd		*found;

	return getpwuid_r(uid, &pw, text, sizeof(text), &found) == 0 ? found : NULL;
}

/* Whether two loads looked for the same files and chose the same places. */
static bool
agree(const struct ph_conf *a, const struct ph_conf *b)
{
	size_t	 i;

	if (strcmp(a->state, b->state) != 0 || strcmp(a->log, b->log) != 0 ||
	    strcmp(a->name, b->name) != 0 || a->n_watched != b->n_watched)
		return false;
	for (i = 0; i < a->n_watched; i++)
		if (strcmp(a->watched[i].path, b->watched[i].path) != 0)
			return false;
	return true;
}

/* Loads again and again; how often it was not what the first load said. */
static void *
load_often(void *differed)
{
	const struct ph_conf_from	 from = { "no-such-mount-of-pagehook", NULL };
	struct ph_conf			*mine;
	int				 i;

	for (i = 0; i < LOADS; i++) {
		if (ph_conf_load(&from, &mine, NULL) != PH_OK || !agree(mine, conf))
			++*(int *)differed;
		ph_conf_free(mine);
	}
	return NULL;
}

TEST(threads_that_load_side_by_side_find_the_same_places)
{
	pthread_t	 threads[2];
	int		 differed[2] = { 0, 0 };
	size_t		 i;

	load();
	assert_string_equal(conf->watched[0].path,
	    "/no-such-home-of-pagehook/of-a-user/.config/pagehook/no-such-mount-of-pagehook.conf");
	for (i = 0; i < COUNT_OF(threads); i++)
		assert_int_equal(pthread_create(&threads[i], NULL, load_often, &differed[i]), 0);
	for (i = 0; i < COUNT_OF(threads); i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(differed[0], 0);
	assert_int_equal(differed[1], 0);
}

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		in_a_room(threads_that_load_side_by_side_find_the_same_places),
	};

	return cmocka_run_group_tests_name("conf_threads", tests, NULL, NULL);
}
