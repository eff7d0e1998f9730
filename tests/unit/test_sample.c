/*
 * test_sample -- a sample keeps an event's shape and nobody's words.
 * Knows sample, event.  Does not know the helper.
 * Called by make check.
 * Lives in a temporary directory.
 * SPDX-License-Identifier: ISC
 */
#include "events.h"
#include "room.h"
#include "sample.h"

static void
is_redacted(enum ph_channel channel, const char *event, const char *expected)
{
	struct ph_event_source	 source = { .channel = channel, .event = slice(event) };
	struct ph_buffer	 out = PH_BUFFER_INIT;
	struct ph_fail		 fail = PH_FAIL_INIT;
	struct ph_event		 ev;

	must(ph_event_read(&source, &ev, &fail), &fail);
	ph_sample_format(&ev, "page", &out);
	assert_string_equal(out.data, expected);
	ph_event_clear(&ev);
	ph_buffer_clear(&out);
}

TEST(ids_texts_links_and_times_are_nobodys)
{
	is_redacted(PH_MESSAGING, "{\"sender\":{\"id\":\"7001\"},\"timestamp\":1767225600000,\"message\":"
	    "{\"mid\":\"m_a7\",\"text\":\"my secret\",\"is_echo\":true,\"app_id\":5001,\"attachments\":[{"
	    "\"type\":\"image\",\"payload\":{\"url\":\"https://cdn.example/1?token=x\"}}],\"x\":1.25}}",
	    "{\"object\":\"page\",\"entry\":[{\"id\":\"1\",\"time\":0,\"messaging\":[{\"sender\":{\"id\":"
	    "\"1\"},\"timestamp\":0,\"message\":{\"mid\":\"1\",\"text\":\"9 bytes\",\"is_echo\":true,"
	    "\"app_id\":1,\"attachments\":[{\"type\":\"image\",\"payload\":{\"url\":"
	    "\"https://cdn.example/\"}}],\"x\":0.5}}]}]}\n");
}

TEST(what_says_how_an_event_is_meant_stays)
{
	is_redacted(PH_STANDBY, "{\"reaction\":{\"mid\":\"m\",\"action\":\"react\",\"reaction\":\"love\"}}",
	    "{\"object\":\"page\",\"entry\":[{\"id\":\"1\",\"time\":0,\"standby\":[{\"reaction\":{\"mid\":"
	    "\"1\",\"action\":\"react\",\"reaction\":\"love\"}}]}]}\n");
	is_redacted(PH_MESSAGING, "{\"app_roles\":{\"5001\":[\"primary_receiver\"]}}",
	    "{\"object\":\"page\",\"entry\":[{\"id\":\"1\",\"time\":0,\"messaging\":[{\"app_roles\":{\"1\":"
	    "[\"16 bytes\"]}}]}]}\n");
}

TEST(the_first_of_a_kind_is_kept_and_no_other)
{
	struct ph_fail	 fail = PH_FAIL_INIT;

	assert_false(ph_sample_is_kept("message.text"));
	must(ph_sample_keep("message.text", slice("{}\n"), &fail), &fail);
	assert_true(ph_sample_is_kept("message.text"));
	assert_int_equal(ph_sample_keep("message.text", slice("[]\n"), &fail), PH_NONE);
	assert_true(room_has("samples/message.text.json"));
}

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		cmocka_unit_test(ids_texts_links_and_times_are_nobodys),
		cmocka_unit_test(what_says_how_an_event_is_meant_stays),
		cmocka_unit_test_setup_teardown(the_first_of_a_kind_is_kept_and_no_other, room_enter,
		    room_leave),
	};

	return cmocka_run_group_tests_name("sample", tests, NULL, NULL);
}
