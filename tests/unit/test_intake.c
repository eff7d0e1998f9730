/*
 * test_intake -- all of a body's events, in order, and no body that is none.
 * Knows intake.  Does not know what an event means.
 * Called by make check.
 * Lives on its stack; one intake is used again and again, as the helper does.
 * SPDX-License-Identifier: ISC
 */
#include <stdlib.h>

#include "events.h"
#include "intake.h"

static struct ph_intake	 in = PH_INTAKE_INIT;
static struct ph_fail	 wrong;

static int
forget(void **state)
{
	(void)state;
	ph_intake_clear(&in);
	ph_intake_clear(&in);			/* again is harmless */
	return 0;
}

static enum ph_error
take(const char *body, const char *objects)
{
	static char	 bytes[8192];

	wrong = (struct ph_fail)PH_FAIL_INIT;
	return ph_intake_read(quoted(body, bytes, sizeof(bytes)), objects, &in, &wrong);
}

/* What was found as "channel entry_id@time event" each, between blanks. */
static const char *
found(void)
{
	static const char *const	 channels[] = { "m", "s", "c" };
	static char			 text[2048];
	size_t				 i, n = 0;

	text[0] = '\0';
	for (i = 0; i < in.events.n; i++) {
		const struct ph_event_source	*e = &in.events.all[i];

		n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%s%.*s@%.*s%.*s",
		    i > 0 ? " " : "", channels[e->channel],
		    (int)e->entry_id.len, e->entry_id.at != NULL ? e->entry_id.at : "",
		    (int)e->entry_time.len, e->entry_time.at != NULL ? e->entry_time.at : "",
		    (int)e->event.len, e->event.at);
	}
	return text;
}

TEST(every_event_is_found_in_order)
{
	static const struct { const char *entries, *found; } rows[] = {
		/* Messaging, standby, changes: whatever the order of the keys. */
		{ "[{'id':1,'time':5,'messaging':[{},[]],'standby':[2],'changes':['x']}]",
		    "m1@5{} m1@5[] s1@52 c1@5\"x\"" },
		{ "[{'changes':[3],'standby':[2],'messaging':[1],'time':5,'id':1}]",
		    "m1@51 s1@52 c1@53" },
		{ "[{'id':1,'standby':[1]},{'id':2,'messaging':[2]},{'id':1,'messaging':[3]}]",
		    "s1@1 m2@2 m1@3" },
		/* Missing, null, empty: valid, holds nothing. */
		{ "[]", "" }, { "null", "" }, { "[{}]", "" }, { "[{'id':1,'messaging':null}]", "" },
		{ "[{'id':1,'messaging':[],'standby':null,'changes':[]}]", "" },
		{ "[null,17,'x',[{'messaging':[1]}],{'messaging':[2]}]", "m@2" },
		/* Another value where an array belongs is an array of one. */
		{ "{'id':1,'messaging':{'a':1}}", "m1@{\"a\":1}" },
		{ "[{'messaging':17,'standby':'x','changes':true}]", "m@17 s@\"x\" c@true" },
		{ "[{'messaging':[null]}]", "m@null" },
		/* Of a doubled key the last one wins. */
		{ "[{'id':1,'id':2,'time':5,'time':6,'messaging':[1,2],'messaging':[3]}]", "m2@63" },
		{ "[{'messaging':[1],'messaging':null}]", "" },
		{ "[{'m\\u0065ssaging':[1],'st\\u0061ndby':[2]}]", "m@1 s@2" },
		{ "[ { 'id' : 'a b' , 'messaging' : [ { 'x' : 1 } ] , 'new' : [ [ ] ] } ]",
		    "m\"a b\"@{ \"x\" : 1 }" },
	};
	char	 body[512];
	size_t	 i;

	for (i = 0; i < COUNT_OF(rows); i++) {
		snprintf(body, sizeof(body), "{'object':'page','entry':%s}", rows[i].entries);
		must(take(body, "page"), &wrong);
		assert_string_equal(found(), rows[i].found);
	}
}

TEST(the_order_of_the_outer_keys_is_free)
{
	must(take("{'entry':[{'messaging':[1]}],'object':'page'}", "page"), &wrong);
	assert_string_equal(found(), "m@1");
	must(take(" {'new':{'entry':[]},'entry':[{'messaging':[1]}],'object':'page','x':[]} ", "page"),
	    &wrong);
	assert_string_equal(found(), "m@1");
	must(take("{'object':'page'}", "page"), &wrong);
	assert_string_equal(found(), "");
	must(take("{'object':'user','entry':[{'messaging':[1]}],'object':'page',"
	    "'entry':[{'messaging':[2]}]}", "page"), &wrong);
	assert_string_equal(found(), "m@2");
	must(take("{'object':'page','entry':[{'messaging':[1]}],'entry':null}", "page"), &wrong);
	assert_string_equal(found(), "");
}

TEST(only_wanted_objects_are_taken)
{
	static const struct { const char *object, *objects; bool wanted; } rows[] = {
		{ "'page'", "page", true }, { "'page'", "instagram,page", true },
		{ "'instagram'", "page,instagram", true }, { "'p\\u0061ge'", "page", true },
		{ "'page'", "pages", false }, { "'pages'", "page", false }, { "'Page'", "page", false },
		{ "'user'", "page,instagram", false }, { "'page,instagram'", "page,instagram", false },
		{ "''", "page", false }, { "''", "page,,x", false }, { "null", "page", false },
		{ "17", "page", false }, { "['page']", "page", false }, { "{'page':1}", "page", false },
		{ "'pagepagepagepagepagepagepagepagepagepagepagepagepagepagepagepagepage'", "page", false },
	};
	char	 body[256];
	size_t	 i;

	for (i = 0; i < COUNT_OF(rows); i++) {
		snprintf(body, sizeof(body), "{'object':%s,'entry':[]}", rows[i].object);
		if (take(body, rows[i].objects) != (rows[i].wanted ? PH_OK : PH_NONE))
			fail_msg("%s of %s: %s", rows[i].object, rows[i].objects, wrong.text);
	}
	assert_int_equal(take("{'entry':[{'messaging':[1]}]}", "page"), PH_NONE);
	assert_int_equal(take("{'object':'user','entry':[]}", "page"), PH_NONE);
	assert_non_null(strstr(wrong.text, "user"));
}

/* "Compared exactly", and text goes by its length, not by its NUL. */
TEST(an_object_is_compared_beyond_a_nul)
{
	assert_int_equal(take("{'object':'page\\u0000x','entry':[]}", "page"), PH_NONE);
}

TEST(what_is_no_json_object_is_malformed)
{
	static const char *const	 bodies[] = {
		"", " ", "[]", "null", "'x'", "17", "{", "{'object':'page'", "{'object':'page'}}",
		"{'object':'page','entry':[{]}", "{'object':'page','entry':[{'messaging':[1,]}]}",
		"{'object':'page','entry':[{'messaging':[1}]}", "{'object':'page'} x",
		"{'object':'user','entry':[NaN]}", "[{'object':'page'}]",
		"{'object':'page','entry':[{'messaging':[{'a':'\xff'}]}]}",
	};
	size_t				 i;

	for (i = 0; i < COUNT_OF(bodies); i++)
		if (take(bodies[i], "page") != PH_MALFORMED)
			fail_msg("%s: %s", bodies[i], wrong.text);
}

/* A body of n events in one entry. */
static enum ph_error
take_events(size_t n)
{
	struct ph_buffer	 body = PH_BUFFER_INIT;
	enum ph_error		 err;

	ph_buffer_adds(&body, "{\"object\":\"page\",\"entry\":[{\"messaging\":[0");
	while (--n > 0)
		ph_buffer_adds(&body, ",0");
	ph_buffer_adds(&body, "]}]}");
	wrong = (struct ph_fail)PH_FAIL_INIT;
	err = ph_intake_read(PH_SLICE(&body), "page", &in, &wrong);
	ph_buffer_clear(&body);
	return err;
}

TEST(beyond_a_limit_is_too_big)
{
	char	 deep[200] = "{'object':'page','entry':[{'messaging':[";

	assert_int_equal(take_events(PH_INTAKE_MAX_EVENTS), PH_OK);
	assert_int_equal(in.events.n, PH_INTAKE_MAX_EVENTS);
	assert_int_equal(take_events(PH_INTAKE_MAX_EVENTS + 1), PH_TOOBIG);
	assert_int_equal(take_events(200000), PH_TOOBIG);
	memset(deep + strlen(deep), '[', 29);
	assert_int_equal(take(deep, "page"), PH_TOOBIG);
}

TEST(nothing_of_the_last_body_is_left)
{
	must(take("{'object':'page','entry':[{'messaging':[1,2,3]}]}", "page"), &wrong);
	assert_int_equal(take("{'object':'user'}", "page"), PH_NONE);
	assert_string_equal(in.object, "user");
	assert_int_equal(take("x", "page"), PH_MALFORMED);
	assert_int_equal(in.events.n, 0);
	assert_string_equal(in.object, "");
	must(take("{'object':'page'}", "page"), &wrong);
	assert_int_equal(in.events.n, 0);
}

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		cmocka_unit_test(every_event_is_found_in_order),
		cmocka_unit_test(the_order_of_the_outer_keys_is_free),
		cmocka_unit_test(only_wanted_objects_are_taken),
		cmocka_unit_test(an_object_is_compared_beyond_a_nul),
		cmocka_unit_test(what_is_no_json_object_is_malformed),
		cmocka_unit_test(beyond_a_limit_is_too_big),
		cmocka_unit_test(nothing_of_the_last_body_is_left),
	};

	return cmocka_run_group_tests_name("intake", tests, NULL, forget);
}
