/*
 * test_conf -- settings: what a value may be, and what a mistake is told.
 * Knows conf.  Does not know who uses a setting.
 * Called by make check.
 * Lives in a temporary directory, with an environment of its own.
 * SPDX-License-Identifier: ISC
 */
#include "given_conf.h"

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
	assert_int_equal(conf->unsure, PH_RECONCILE);
	assert_non_null(strstr(conf->state, "/pagehook/no-such-mount-of-pagehook"));
	assert_int_equal(conf->state[0], '/');
	assert_non_null(strstr(conf->log, "/pagehook.log"));
	assert_null(conf->file);
	assert_null(conf->app_secret);
}

TEST(values_are_read_by_their_kind)
{
	write_conf("PAGEHOOK_MAX_BODY=600K\nPAGEHOOK_IDLE_EXIT=2h\nPAGEHOOK_LOG_LEVEL=debug\n"
	    "PAGEHOOK_LOG=stderr\nMESSENGER_OBJECTS=page,instagram\nMESSENGER_PAGE_ID=12\n"
	    "PAGEHOOK_UNSURE=hold");
	load();
	assert_int_equal(conf->max_body, 600 * 1024);
	assert_int_equal(conf->idle_exit_ms, 7200000);
	assert_int_equal(conf->log_level, PH_DEBUG);
	assert_int_equal(conf->unsure, PH_HOLD);
	assert_string_equal(conf->log, "stderr");
	assert_string_equal(conf->objects, "page,instagram");
	assert_string_equal(conf->page_id, "12");
	assert_string_equal(conf->file, path_to("pagehook.conf"));
}

TEST(a_mistake_is_told_with_its_place)
{
	static const struct { const char *text, *told; } rows[] = {
		{ "\n\nMESSENGER_APP_SECERT=x\n",
		    "pagehook.conf:3: no setting MESSENGER_APP_SECERT; MESSENGER_APP_SECRET?" },
		{ "MESSENGER_APP_SECRET=x\nMESSENGER_APP_SECRET_FILE=/x\n",
		    "pagehook.conf:2: MESSENGER_APP_SECRET is already set in pagehook.conf:1" },
		{ "MESSENGER_APP_SECRET=\n", "pagehook.conf:1: MESSENGER_APP_SECRET is empty" },
		{ "MESSENGER_APP_SECRET=\"\"\n", "pagehook.conf:1: MESSENGER_APP_SECRET is empty" },
		{ "PAGEHOOK_THREADS=0\n", "pagehook.conf:1: PAGEHOOK_THREADS: 0 is not a number from 1 to 64" },
		{ "PAGEHOOK_THREADS=65\n", "pagehook.conf:1: PAGEHOOK_THREADS" },
		{ "PAGEHOOK_THREADS=2x\n", "pagehook.conf:1: PAGEHOOK_THREADS" },
		{ "PAGEHOOK_THREADS=-1\n", "pagehook.conf:1: PAGEHOOK_THREADS" },
		{ "PAGEHOOK_MAX_BODY=4G\n", "pagehook.conf:1: PAGEHOOK_MAX_BODY" },
		{ "PAGEHOOK_MAX_BODY=65M\n", "pagehook.conf:1: PAGEHOOK_MAX_BODY" },
		{ "PAGEHOOK_MAX_BODY=9999999999\n", "pagehook.conf:1: PAGEHOOK_MAX_BODY" },
		{ "PAGEHOOK_IDLE_EXIT=1w\n", "pagehook.conf:1: PAGEHOOK_IDLE_EXIT" },
		{ "PAGEHOOK_LOG_LEVEL=loud\n", "pagehook.conf:1: PAGEHOOK_LOG_LEVEL: one of" },
		{ "PAGEHOOK_UNSURE=maybe\n",
		    "pagehook.conf:1: PAGEHOOK_UNSURE: one of reconcile, hold, resend" },
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

TEST(equal_settings_have_equal_digests)
{
	char	 first[65];

	write_conf(NEEDED "PAGEHOOK_LOG_LEVEL=debug\n");
	load();
	assert_int_equal(strlen(conf->digest), 64);
	memcpy(first, conf->digest, sizeof(first));
	write_conf("# the same\n" NEEDED "PAGEHOOK_THREADS=3\n");	/* numbers are no difference */
	load();
	assert_string_equal(conf->digest, first);
	write_conf(NEEDED "MESSENGER_OBJECTS=page,instagram\n");
	load();
	assert_string_not_equal(conf->digest, first);
}

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		in_a_room(without_anything_the_defaults_hold),
		in_a_room(values_are_read_by_their_kind),
		in_a_room(a_mistake_is_told_with_its_place),
		in_a_room(a_token_crosses_no_network_in_the_clear),
		in_a_room(a_secret_that_others_can_read_is_refused),
		in_a_room(one_final_newline_of_a_secrets_file_is_cut),
		in_a_room(what_receiving_needs_is_asked_for_by_name),
		in_a_room(equal_settings_have_equal_digests),
	};

	return cmocka_run_group_tests_name("conf", tests, NULL, NULL);
}
