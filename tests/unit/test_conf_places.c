/*
 * test_conf_places -- settings: which place wins, and what is handed on.
 * Knows conf.  Does not know who uses a setting.
 * Called by make check.
 * Lives in a temporary directory, with an environment of its own.
 * SPDX-License-Identifier: ISC
 */
#include "given_conf.h"

TEST(request_then_environment_then_credentials_then_file)
{
	static const char *const	 request[] = { "MESSENGER_APP_SECRET=of request", NULL };

	write_conf(NEEDED);
	load();
	assert_string_equal(conf->app_secret, "as");
	room_write("MESSENGER_APP_SECRET", BYTES("of credentials\n"), 0600);
	setenv("CREDENTIALS_DIRECTORY", room, 1);
	load();
	assert_string_equal(conf->app_secret, "of credentials");
	setenv("MESSENGER_APP_SECRET", "of environment", 1);
	load();
	assert_string_equal(conf->app_secret, "of environment");
	must(load_for(request), &wrong);
	assert_string_equal(conf->app_secret, "of request");
	assert_string_equal(conf->verify_token, "vt");
}

TEST(a_request_sets_messengers_settings_and_the_file_alone)
{
	char		 config[700];
	const char	*request[] = { "PAGEHOOK_THREADS=9", "PAGEHOOK_STATE=/elsewhere",
			    "HTTP_MESSENGER_APP_SECRET=x", "MESSENGER_OBJECTS=instagram", config, NULL };

	write_conf("PAGEHOOK_THREADS=3\n");
	unsetenv("PAGEHOOK_CONFIG");
	snprintf(config, sizeof(config), "PAGEHOOK_CONFIG=%s", path_to("pagehook.conf"));
	must(load_for(request), &wrong);
	assert_int_equal(conf->threads, 3);
	assert_string_not_equal(conf->state, "/elsewhere");
	assert_null(conf->app_secret);
	assert_string_equal(conf->objects, "instagram");
	assert_true(ph_conf_of_request("MESSENGER_X=1"));
	assert_true(ph_conf_of_request("PAGEHOOK_CONFIG=/x"));
	assert_false(ph_conf_of_request("PAGEHOOK_CONFIGS=/x"));
	assert_false(ph_conf_of_request("HTTP_MESSENGER_X=1"));
}

TEST(a_named_file_must_be_there)
{
	setenv("PAGEHOOK_CONFIG", path_to("missing.conf"), 1);
	assert_int_equal(load_for(NULL), PH_CONFIG);
	assert_non_null(strstr(wrong.text, "missing.conf: no such file"));
	setenv("PAGEHOOK_CONFIG", room, 1);
	assert_int_equal(load_for(NULL), PH_CONFIG);
}

TEST(the_file_is_known_by_its_whole_path)
{
	write_conf(NEEDED);
	assert_int_equal(symlink("pagehook.conf", "link"), 0);
	setenv("PAGEHOOK_CONFIG", "./link", 1);
	load();
	assert_string_equal(conf->file, path_to("pagehook.conf"));
}

TEST(a_changed_or_new_file_is_noticed)
{
	write_conf(NEEDED);
	load();
	assert_false(ph_conf_changed(conf));
	write_conf(NEEDED "PAGEHOOK_THREADS=3\n");
	assert_true(ph_conf_changed(conf));
	load();
	assert_false(ph_conf_changed(conf));
	assert_int_equal(unlink("pagehook.conf"), 0);
	assert_true(ph_conf_changed(conf));
}

TEST(the_name_is_kept)
{
	char				 name[] = "no-such-mount-of-pagehook";
	const struct ph_conf_from	 from = { name, NULL };

	must(ph_conf_load(&from, &conf, &wrong), &wrong);
	memset(name, 'x', sizeof(name) - 1);
	assert_string_equal(conf->name, "no-such-mount-of-pagehook");
}

static bool
has(char **env, const char *line)
{
	for (; *env != NULL; env++)
		if (strcmp(*env, line) == 0)
			return true;
	return false;
}

TEST(a_helpers_environment_is_made_of_settings_alone)
{
	char	 line[700], **env;

	write_conf("MESSENGER_VERIFY_TOKEN=in file\nPAGEHOOK_STATE=/in/file\n");
	setenv("MESSENGER_APP_SECRET", "as", 1);
	setenv("PATH", "/usr/bin", 1);
	setenv("HTTPS_PROXY", "http://evil", 1);
	setenv("HTTP_HOST", "x", 1);
	setenv("LD_PRELOAD_X", "x", 1);
	load();
	assert_non_null(env = ph_conf_new_environment(conf));
	assert_true(has(env, "MESSENGER_APP_SECRET=as"));
	assert_true(has(env, "PATH=/usr/bin"));
	assert_true(has(env, "PAGEHOOK_STATE=/in/file"));
	snprintf(line, sizeof(line), "PAGEHOOK_CONFIG=%s", path_to("pagehook.conf"));
	assert_true(has(env, line));
	assert_false(has(env, "MESSENGER_VERIFY_TOKEN=in file"));
	assert_false(has(env, "HTTPS_PROXY=http://evil"));
	assert_false(has(env, "HTTP_HOST=x"));
	assert_false(has(env, "LD_PRELOAD_X=x"));
	ph_conf_free_environment(env);
}

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		in_a_room(request_then_environment_then_credentials_then_file),
		in_a_room(a_request_sets_messengers_settings_and_the_file_alone),
		in_a_room(a_named_file_must_be_there),
		in_a_room(the_file_is_known_by_its_whole_path),
		in_a_room(a_changed_or_new_file_is_noticed),
		in_a_room(the_name_is_kept),
		in_a_room(a_helpers_environment_is_made_of_settings_alone),
	};

	return cmocka_run_group_tests_name("conf_places", tests, NULL, NULL);
}
