/*
 * test_conf -- settings: which place wins, and what a mistake is told.
 * Knows conf.  Does not know who uses a setting.
 * Called by make check.
 * Lives in a temporary directory, with an environment of its own.
 * SPDX-License-Identifier: ISC
 */
#include "conf.h"
#include "room.h"

#define NEEDED	"MESSENGER_VERIFY_TOKEN=vt\nMESSENGER_APP_SECRET=as\n"

extern char	**environ;

static struct ph_conf	*conf;
static struct ph_fail	 wrong;
static char		**outer;	/* the environment we were started in */

/* Nothing is set, but for how cmocka shall print. */
static int
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

static int
leave(void **state)
{
	environ = outer;
	ph_conf_free(conf);
	return room_leave(state);
}

static const char *
path_to(const char *name)
{
	static char	 path[600];

	snprintf(path, sizeof(path), "%s/%s", room, name);
	return path;
}

static void
write_conf(const char *text)
{
	room_write("pagehook.conf", slice(text), 0600);
	setenv("PAGEHOOK_CONFIG", path_to("pagehook.conf"), 1);
}

static enum ph_error
load_for(const char *const *request)
{
	const struct ph_conf_from	 from = { "no-such-mount-of-pagehook", request };

	ph_conf_free(conf);
	wrong = (struct ph_fail)PH_FAIL_INIT;
	return ph_conf_load(&from, &conf, &wrong);
}

static void
load(void)
{
	must(load_for(NULL), &wrong);
}

TEST(without_anything_the_defaults_hold)
{
	load();
	assert_string_equal(conf->objects, "page");
	assert_string_equal(conf->graph_url, "https://graph.facebook.com");
	assert_string_equal(conf->graph_version, "v25.0");
	assert_int_equal(conf->threads, 2);
	assert_int_equal(conf->max_body, 4 << 20);
	assert_int_equal(conf->idle_exit_ms, 300000);
	assert_int_equal(conf->log_level, PH_INFO);
	assert_non_null(strstr(conf->state, "/pagehook/no-such-mount-of-pagehook"));
	assert_int_equal(conf->state[0], '/');
	assert_non_null(strstr(conf->log, "/pagehook.log"));
	assert_null(conf->file);
	assert_null(conf->app_secret);
}

TEST(lines_are_names_and_values)
{
	write_conf("# a comment\n; another\n\n  \t\nMESSENGER_VERIFY_TOKEN=a b#c\r\n"
	    " MESSENGER_APP_SECRET = \"quoted = 'x'\" \nMESSENGER_PAGE_ID='12'\n"
	    "PAGEHOOK_MAX_BODY=600K\nPAGEHOOK_IDLE_EXIT=2h\nPAGEHOOK_LOG_LEVEL=debug\n"
	    "PAGEHOOK_LOG=stderr\nMESSENGER_OBJECTS=page,instagram");
	load();
	assert_string_equal(conf->verify_token, "a b#c");
	assert_string_equal(conf->app_secret, "quoted = 'x'");
	assert_string_equal(conf->page_id, "12");
	assert_int_equal(conf->max_body, 600 * 1024);
	assert_int_equal(conf->idle_exit_ms, 7200000);
	assert_int_equal(conf->log_level, PH_DEBUG);
	assert_string_equal(conf->log, "stderr");
	assert_string_equal(conf->objects, "page,instagram");
	assert_string_equal(conf->file, path_to("pagehook.conf"));
}

TEST(a_mistake_is_told_with_its_place)
{
	static const struct { const char *text, *told; } rows[] = {
		{ "\n\nMESSENGER_APP_SECERT=x\n",
		    "pagehook.conf:3: no setting MESSENGER_APP_SECERT; MESSENGER_APP_SECRET?" },
		{ "WHATEVER=x\n", "pagehook.conf:1: no setting WHATEVER" },
		{ "messenger_app_secret=x\n", "pagehook.conf:1: no setting messenger_app_secret" },
		{ "PAGEHOOK_THREADS_FILE=/x\n", "pagehook.conf:1: no setting PAGEHOOK_THREADS_FILE" },
		{ "MESSENGER_APP_SECRET\n", "pagehook.conf:1: no NAME=value" },
		{ "=x\n", "pagehook.conf:1: no setting " },
		{ NEEDED "MESSENGER_APP_SECRET=x\n",
		    "pagehook.conf:3: MESSENGER_APP_SECRET is already set in pagehook.conf:2" },
		{ "MESSENGER_APP_SECRET=x\nMESSENGER_APP_SECRET_FILE=/x\n",
		    "pagehook.conf:2: MESSENGER_APP_SECRET is already set in pagehook.conf:1" },
		{ "MESSENGER_APP_SECRET=\n", "pagehook.conf:1: MESSENGER_APP_SECRET is empty" },
		{ "MESSENGER_APP_SECRET=\"\"\n", "pagehook.conf:1: MESSENGER_APP_SECRET is empty" },
		{ "MESSENGER_APP_SECRET=\"x\n", "pagehook.conf:1: MESSENGER_APP_SECRET: the quotes" },
		{ "MESSENGER_APP_SECRET='x\" \n", "pagehook.conf:1: MESSENGER_APP_SECRET: the quotes" },
		{ "MESSENGER_APP_SECRET=\"a\"b\"\n", "pagehook.conf:1: MESSENGER_APP_SECRET: the quotes" },
		{ "PAGEHOOK_THREADS=0\n", "pagehook.conf:1: PAGEHOOK_THREADS: 0 is not a number from 1 to 64" },
		{ "PAGEHOOK_THREADS=65\n", "pagehook.conf:1: PAGEHOOK_THREADS" },
		{ "PAGEHOOK_THREADS=2x\n", "pagehook.conf:1: PAGEHOOK_THREADS" },
		{ "PAGEHOOK_THREADS=-1\n", "pagehook.conf:1: PAGEHOOK_THREADS" },
		{ "PAGEHOOK_MAX_BODY=4G\n", "pagehook.conf:1: PAGEHOOK_MAX_BODY" },
		{ "PAGEHOOK_MAX_BODY=65M\n", "pagehook.conf:1: PAGEHOOK_MAX_BODY" },
		{ "PAGEHOOK_MAX_BODY=9999999999\n", "pagehook.conf:1: PAGEHOOK_MAX_BODY" },
		{ "PAGEHOOK_IDLE_EXIT=1w\n", "pagehook.conf:1: PAGEHOOK_IDLE_EXIT" },
		{ "PAGEHOOK_LOG_LEVEL=loud\n", "pagehook.conf:1: PAGEHOOK_LOG_LEVEL: one of" },
		{ "PAGEHOOK_LOG=here.log\n", "PAGEHOOK_LOG: an absolute path, syslog or stderr" },
		{ "PAGEHOOK_STATE=var/lib\n", "pagehook.conf:1: PAGEHOOK_STATE: needs an absolute path" },
		{ "MESSENGER_PAGE_ID=12a\n", "pagehook.conf:1: MESSENGER_PAGE_ID: digits only" },
		{ "MESSENGER_APP_SECRET_FILE=/nonexistent/x\n", "pagehook.conf:1: /nonexistent/x: no such" },
	};
	size_t	 i;

	for (i = 0; i < COUNT_OF(rows); i++) {
		write_conf(rows[i].text);
		assert_int_equal(load_for(NULL), PH_CONFIG);
		assert_null(conf);
		if (strncmp(wrong.text, rows[i].told, strlen(rows[i].told)) != 0)
			fail_msg("told: %s\nnot: %s", wrong.text, rows[i].told);
	}
}

TEST(a_token_crosses_no_network_in_the_clear)
{
	static const struct { const char *url; bool safe; } rows[] = {
		{ "https://graph.facebook.com", true }, { "https://proxy.example:8443/graph", true },
		{ "http://127.0.0.1:8080", true }, { "http://127.0.0.1", true }, { "http://localhost/x", true },
		{ "http://localhost", true }, { "http://[::1]:80", true },
		{ "http://graph.facebook.com", false }, { "http://127.0.0.1.example", false },
		{ "http://127.example/", false }, { "http://localhost.example", false },
		{ "http://localhost@example/", false }, { "https://user@example/", false },
		{ "https://example/?x", false }, { "https://example/#x", false }, { "https://", false },
		{ "ftp://example", false }, { "graph.facebook.com", false }, { "https://a b", false },
	};
	char	 line[128];
	size_t	 i;

	for (i = 0; i < COUNT_OF(rows); i++) {
		snprintf(line, sizeof(line), "MESSENGER_GRAPH_URL=%s\n", rows[i].url);
		write_conf(line);
		if (load_for(NULL) != (rows[i].safe ? PH_OK : PH_CONFIG))
			fail_msg("%s: %s", rows[i].url, wrong.text);
	}
}

TEST(a_secret_that_others_can_read_is_refused)
{
	write_conf(NEEDED);
	assert_int_equal(chmod("pagehook.conf", 0644), 0);
	assert_int_equal(load_for(NULL), PH_CONFIG);
	assert_non_null(strstr(wrong.text, "chmod o-r"));
	assert_int_equal(chmod("pagehook.conf", 0640), 0);
	load();
	write_conf("PAGEHOOK_THREADS=3\n");		/* no secret in it */
	assert_int_equal(chmod("pagehook.conf", 0644), 0);
	load();
	room_write("secret", BYTES("s\n"), 0644);
	setenv("MESSENGER_APP_SECRET_FILE", path_to("secret"), 1);
	assert_int_equal(load_for(NULL), PH_CONFIG);
	assert_non_null(strstr(wrong.text, "chmod o-r"));
}

TEST(one_final_newline_of_a_secrets_file_is_cut)
{
	room_write("secret", BYTES(" s\n\n"), 0600);
	setenv("MESSENGER_APP_SECRET_FILE", path_to("secret"), 1);
	load();
	assert_string_equal(conf->app_secret, " s\n");
	room_write("secret", BYTES("\n"), 0600);
	assert_int_equal(load_for(NULL), PH_CONFIG);	/* empty */
	room_write("secret", BYTES("a\0b"), 0600);
	assert_int_equal(load_for(NULL), PH_CONFIG);
}

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

TEST(what_receiving_needs_is_asked_for_by_name)
{
	write_conf("MESSENGER_APP_SECRET=as\n");
	load();
	assert_int_equal(ph_conf_check(conf, &wrong), PH_CONFIG);
	assert_non_null(strstr(wrong.text, "pagehook.conf: no MESSENGER_VERIFY_TOKEN"));
	write_conf(NEEDED);
	load();
	must(ph_conf_check(conf, &wrong), &wrong);
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

TEST(equal_settings_have_equal_digests)
{
	char	 first[65];

	write_conf(NEEDED "PAGEHOOK_LOG_LEVEL=debug\n");
	load();
	assert_int_equal(strlen(conf->digest), 64);
	memcpy(first, conf->digest, sizeof(first));
	write_conf("# the same\n" NEEDED);		/* how much is logged is no difference */
	load();
	assert_string_equal(conf->digest, first);
	write_conf(NEEDED "PAGEHOOK_THREADS=3\n");
	load();
	assert_string_not_equal(conf->digest, first);
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

#define in_a_room(test)	cmocka_unit_test_setup_teardown(test, enter, leave)

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		in_a_room(without_anything_the_defaults_hold),
		in_a_room(lines_are_names_and_values),
		in_a_room(a_mistake_is_told_with_its_place),
		in_a_room(a_token_crosses_no_network_in_the_clear),
		in_a_room(a_secret_that_others_can_read_is_refused),
		in_a_room(one_final_newline_of_a_secrets_file_is_cut),
		in_a_room(request_then_environment_then_credentials_then_file),
		in_a_room(a_request_sets_messengers_settings_and_the_file_alone),
		in_a_room(a_named_file_must_be_there),
		in_a_room(what_receiving_needs_is_asked_for_by_name),
		in_a_room(a_changed_or_new_file_is_noticed),
		in_a_room(equal_settings_have_equal_digests),
		in_a_room(a_helpers_environment_is_made_of_settings_alone),
	};

	return cmocka_run_group_tests_name("conf", tests, NULL, NULL);
}
