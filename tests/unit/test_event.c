/*
 * test_event -- what each event is, whose it is, and whether a bot may answer it.
 * Knows event.  Does not know keys or replies.
 * Called by make check.
 * Lives on its stack; the shapes are those of Meta's reference and of running software.
 * SPDX-License-Identifier: ISC
 */
#include "events.h"

static const struct { const char *json, *kind; bool answerable; } kinds[] = {
	{ "{" S ",'message':{'mid':'m_a1','text':'hello'}}", "message.text", true },
	{ "{" S ",'message':{'mid':'m','text':'hi','referral':{'ref':'R'}}}", "message.text", true },
	{ "{" S ",'message':{'mid':'m','text':'x','attachments':[{'type':'fallback','payload':null}]}}",
	    "message.text", true },
	{ "{" S ",'message':{'mid':'m_a6','text':'Red','quick_reply':{'payload':'RED'}}}",
	    "message.quick_reply", true },
	{ "{" S ",'message':{'mid':'m_a7','attachments':[{'type':'image','payload':{'url':'U'}}]}}",
	    "message.attachment", true },
	{ "{" S ",'message':{'mid':'m','attachments':[{'type':'never_seen'}]}}", "message.attachment",
	    true },
	{ "{" S ",'message':{'mid':'m','attachments':{'type':'like_heart'}}}", "message.attachment",
	    true },
	{ "{" S ",'message':{'mid':'m','text':' \\n ','attachments':[{}]}}", "message.attachment", true },
	{ "{" S ",'message':{'mid':'m','sticker_id':777,'attachments':[{'type':'image'},"
	    "{'type':'sticker'}]}}", "message.sticker", true },
	{ "{" S ",'message':{'mid':'m','attachments':[{'type':'sticker'}]}}", "message.sticker", true },
	{ "{" S ",'message':{'mid':'m','attachments':[{'type':'image','payload':{'sticker_id':7}}]}}",
	    "message.sticker", true },
	{ "{" S ",'message':{'mid':'m','is_echo':true,'text':'hi'}}", "message.echo", false },
	{ "{" S ",'message':{'mid':'m','is_echo':'yes','is_deleted':true}}", "message.echo", false },
	{ "{" S ",'message':{'mid':'m','is_echo':'false','text':'hi'}}", "message.text", true },
	{ "{" S ",'message':{'mid':'m_a1','is_deleted':true}}", "message.deleted", false },
	{ "{" S ",'message':{'mid':'m_a9','is_unsupported':true}}", "message.unsupported", false },
	{ "{" S ",'message':{'mid':'m','new_thing':1}}", "message.unsupported", false },
	{ "{" S ",'message':{'mid':'m','text':'','attachments':[]}}", "message.unsupported", false },
	{ "{" S ",'message':{}}", "message.unsupported", false },
	{ "{" S ",'message_edit':{'mid':'m_a1','text':'hello!','num_edit':1}}", "message.edit", false },
	{ "{" S ",'postback':{'mid':'m_b1','title':'Start','payload':'GET_STARTED',"
	    "'referral':{'ref':'R'}}}", "postback", true },
	{ "{" S ",'postback':{}}", "postback", true },
	{ "{" S ",'referral':{'ref':'R','source':'SHORTLINK'}}", "referral", true },
	{ "{" S ",'optin':{'ref':'R'}}", "optin", true },
	{ "{" S ",'optin':{'type':'one_time_notif_req','one_time_notif_token':'tok'}}", "optin", true },
	{ "{" S ",'optin':{'type':'notification_messages'}}", "optin", false },
	{ "{" S ",'optin':{'notification_messages_token':'tok'}}", "optin", false },
	{ "{" S ",'optout':{}}", "optout", false },
	{ "{" S ",'delivery':{'mids':['m_c1'],'watermark':1767225600900}}", "delivery", false },
	{ "{" S ",'read':{'watermark':1767225600950}}", "read", false },
	{ "{" S ",'reaction':{'mid':'m_c1','action':'react','reaction':'love'}}", "reaction", false },
	{ "{" S ",'account_linking':{'status':'linked'}}", "account_linking", true },
	{ "{" S ",'pass_thread_control':{'new_owner_app_id':'5001'}}", "handover.pass", false },
	{ "{" S ",'take_thread_control':{'new_owner_app_id':5002}}", "handover.take", false },
	{ "{" S ",'request_thread_control':{}}", "handover.request", false },
	{ "{'recipient':{'id':'9001'},'app_roles':{'5001':[]}}", "handover.app_roles", false },
	{ "{'recipient':{'id':'9001'},'policy-enforcement':{'action':'block'}}", "policy_enforcement",
	    false },
	{ "{'recipient':{'id':'9001'},'policy_enforcement':{'action':'warning'}}",
	    "policy_enforcement", false },
	{ "{" S ",'messaging_feedback':{'feedback_screens':[]}}", "feedback", false },
	{ "{" S ",'response_feedback':{'feedback':'Good response','mid':'m'}}", "response_feedback",
	    false },
	{ "{" S ",'order':{'products':[]}}", "order", false },
	{ "{" S ",'messaging_in_thread_lead_form_submit':{}}", "lead_form", false },
	{ "{" S ",'messaging_customer_information':{'screens':[]}}", "customer_information", false },
	{ "{" S ",'message_request':'accept'}", "message_request", false },
	{ "{" S ",'message_request':{'status':'accept'}}", "message_request", false },
	{ "{" S ",'message_request':true}", "message_request", false },
	{ "{" S ",'payment':{'payload':'P'}}", "payment", false },
	{ "{" S ",'checkout_update':{}}", "payment", false },
	{ "{" S ",'pre_checkout':{}}", "payment", false },
	{ "{" S ",'game_play':{'game_id':'1'}}", "game_play", false },
	{ "{" S ",'branded_camera':{'event':'E'}}", "branded_camera", false },
	{ "{" S "}", "empty", false },
	{ "{}", "empty", false },
	{ "{" S ",'message':null,'new':null}", "empty", false },
	{ "{" S ",'new_thing':{'a':1}}", "unknown", false },
	{ "{" S ",'message':'a text'}", "unknown", false },
	{ "{" S ",'message':['a']}", "unknown", false },
	{ "'a text'", "unknown", false },
	{ "[]", "unknown", false },
	{ "17", "unknown", false },
	{ "null", "unknown", false },
	/* The first key of the list decides; the others are context. */
	{ "{" S ",'read':{},'postback':{},'message':{'text':'x'}}", "message.text", true },
	{ "{" S ",'message':null,'postback':{},'referral':{}}", "postback", true },
	{ "{" S ",'prior_message':{},'message':{'text':'x'},'tags':[]}", "message.text", true },
};

TEST(each_shape_has_its_kind)
{
	struct ph_event	 ev;
	size_t		 i;

	for (i = 0; i < COUNT_OF(kinds); i++) {
		read_message(kinds[i].json, &ev);
		if (strcmp(ev.kind->name, kinds[i].kind) != 0 || ev.answerable != kinds[i].answerable)
			fail_msg("%s: %s%s", kinds[i].json, ev.kind->name,
			    ev.answerable ? ", answerable" : "");
		assert_non_null(ev.page.at);
		ph_event_clear(&ev);
	}
}

TEST(nothing_overheard_is_ever_answerable)
{
	struct ph_event	 ev;
	size_t		 i;

	for (i = 0; i < COUNT_OF(kinds); i++) {
		read_event(PH_STANDBY, kinds[i].json, "'9001'", NULL, &ev);
		assert_string_equal(ev.kind->name, kinds[i].kind);
		assert_false(ev.answerable);
		ph_event_clear(&ev);
		read_event(PH_CHANGES, kinds[i].json, "'9001'", NULL, &ev);
		assert_string_equal(ev.kind->name, "change");
		assert_false(ev.answerable);
		ph_event_clear(&ev);
	}
}

TEST(an_entry_without_a_page_is_a_test_on_every_channel)
{
	static const char *const	 ids[] = { "'0'", "0" };
	struct ph_event			 ev;
	enum ph_channel			 channel;
	size_t				 i;

	for (channel = PH_MESSAGING; channel <= PH_CHANGES; channel++)
		for (i = 0; i < 2; i++) {
			read_event(channel, "{" S ",'message':{'mid':'m','text':'x'}}", ids[i], NULL,
			    &ev);
			assert_string_equal(ev.kind->name, "test");
			assert_string_equal(shown(ev.mid), "(absent)");
			assert_false(ev.answerable);
			ph_event_clear(&ev);
		}
}

TEST(whose_it_is_is_found)
{
	static const struct { enum ph_channel channel; const char *json, *id, *page, *who; } rows[] = {
		{ PH_MESSAGING, "{" S "}", "'9001'", "9001", "7001" },
		{ PH_MESSAGING, "{" S "}", "9001", "9001", "7001" },
		{ PH_MESSAGING, "{" S "}", "'9002'", "9002", "7001" },	/* the entry chooses the token */
		{ PH_MESSAGING, "{" S "}", NULL, "9001", "7001" },
		{ PH_MESSAGING, "{" S "}", "null", "9001", "7001" },
		{ PH_STANDBY, "{" S "}", NULL, "9001", "7001" },
		{ PH_MESSAGING, "{'sender':{'id':9007199254740993}}", "9007199254740995",
		    "9007199254740995", "9007199254740993" },
		{ PH_MESSAGING, "{'sender':{'id':'9001'},'recipient':{'id':'7001'},"
		    "'message':{'is_echo':true}}", NULL, "9001", "7001" },
		{ PH_MESSAGING, "{'recipient':{'user_ref':'u-1'},'message':{'is_echo':true}}", "'9001'",
		    "9001", "u-1" },
		{ PH_MESSAGING, "{'sender':{'user_ref':'u-1'},'postback':{}}", "'9001'", "9001", "u-1" },
		{ PH_MESSAGING, "{'recipient':{'id':'9001'},'optin':{'user_ref':'u-1'}}", NULL, "9001",
		    "u-1" },
		{ PH_MESSAGING, "{'recipient':{'id':'9001'},'app_roles':{}}", NULL, "9001", "(absent)" },
		{ PH_MESSAGING, "{'sender':'7001','recipient':[]}", NULL, "", "(absent)" },
		{ PH_MESSAGING, "17", NULL, "", "(absent)" },
		{ PH_CHANGES, "{" S ",'field':'feed'}", "'9001'", "9001", "(absent)" },
		{ PH_CHANGES, "{" S ",'field':'feed'}", NULL, "", "(absent)" },
	};
	struct ph_event	 ev;
	size_t		 i;

	for (i = 0; i < COUNT_OF(rows); i++) {
		read_event(rows[i].channel, rows[i].json, rows[i].id, NULL, &ev);
		assert_string_equal(shown(ev.page), rows[i].page);
		assert_string_equal(shown(ev.conversation), rows[i].who);
		ph_event_clear(&ev);
	}
}

TEST(without_a_person_nothing_is_answerable)
{
	struct ph_event	 ev;

	read_message("{'recipient':{'id':'9001'},'message':{'mid':'m','text':'hello'}}", &ev);
	assert_string_equal(ev.kind->name, "message.text");
	assert_false(ev.answerable);
	ph_event_clear(&ev);
}

TEST(times_come_in_many_forms)
{
	static const struct { const char *json; int64_t time; } rows[] = {
		{ "1767225600000", 1767225600000 }, { "'1767225600000'", 1767225600000 },
		{ "1767225600", 1767225600000 }, { "'1767225600'", 1767225600000 },
		{ "1767225600000.0", 1767225600000 }, { "'1767225600.0'", 1767225600000 },
		{ "'2026-01-01T00:00:00Z'", 1767225600000 },
		{ "'2026-01-01T00:00:00+0000'", 1767225600000 },
		{ "'2026-01-01T01:00:00+01:00'", 1767225600000 },
		{ "'2025-12-31T22:30:00-0130'", 1767225600000 },
		{ "'2026-01-01T00:00:00.250Z'", 1767225600250 },
		{ "999999999999", INT64_C(999999999999000) }, { "1000000000000", 1000000000000 },
		{ "0", 0 }, { "-5", 0 }, { "'0'", 0 }, { "1000000000000000", 0 }, { "1e300", 0 }, { "null", 0 },
		{ "''", 0 }, { "'soon'", 0 }, { "'inf'", 0 }, { "'nan'", 0 }, { "true", 0 }, { "{}", 0 },
		{ "[1767225600]", 0 }, { "'2026-01-01'", 0 }, { "'2026-01-01T00:00:00'", 0 },
		{ "'2026-01-01T00:00:00Zulu'", 0 },
		{ "'11111111111111111111111111111111111111111111'", 0 },
	};
	char		 bytes[64], event[96];
	struct ph_json	*v;
	struct ph_event	 ev;
	size_t		 i;

	for (i = 0; i < COUNT_OF(rows); i++) {
		assert_int_equal(ph_json_parse(quoted(rows[i].json, bytes, sizeof(bytes)), &v, NULL),
		    PH_OK);
		if (ph_event_time(v) != rows[i].time)
			fail_msg("%s: %lld", rows[i].json, (long long)ph_event_time(v));
		ph_json_free(v);
		snprintf(event, sizeof(event), "{'timestamp':%s}", rows[i].json);
		read_event(PH_MESSAGING, event, NULL, rows[i].json, &ev);
		assert_int_equal(ev.time, rows[i].time);
		ph_event_clear(&ev);
	}
}

TEST(an_event_without_a_time_has_its_entrys)
{
	struct ph_event	 ev;

	read_event(PH_MESSAGING, "{'timestamp':0,'read':{}}", "'9001'", "1767225600500", &ev);
	assert_int_equal(ev.time, 1767225600500);
	ph_event_clear(&ev);
	read_event(PH_MESSAGING, "{" S ",'read':{}}", "'9001'", "5", &ev);
	assert_int_equal(ev.time, 1767225600000);
	ph_event_clear(&ev);
	read_event(PH_CHANGES, "{" S ",'value':{}}", "'9001'", "1767225600", &ev);
	assert_int_equal(ev.time, 1767225600000);
	ph_event_clear(&ev);
	read_event(PH_MESSAGING, "{'read':{}}", "'9001'", NULL, &ev);
	assert_int_equal(ev.time, 0);
	ph_event_clear(&ev);
}

TEST(what_was_said_is_taken_by_its_length)
{
	struct ph_event	 ev;

	read_message("{" S ",'message':{'mid':'m_a1','text':'a\\u0000b'}}", &ev);
	assert_int_equal(ev.text.len, 3);
	assert_memory_equal(ev.text.at, "a\0b", 3);
	assert_string_equal(shown(ev.mid), "m_a1");
	assert_true(ev.raw.len > 60);
	ph_event_clear(&ev);
	ph_event_clear(&ev);			/* again is harmless */
	read_message("{" S ",'postback':{'mid':17,'payload':'P'}}", &ev);
	assert_string_equal(shown(ev.payload), "P");
	assert_string_equal(shown(ev.mid), "17");
	ph_event_clear(&ev);
}

TEST(members_are_known_by_what_their_keys_mean)
{
	struct ph_event	 ev;

	read_message("{'s\\u0065nder':{'\\u0069d':'7\\u0030\\u00301'},'recipient':{'id':'9001'},"
	    "'timestam\\u0070':1767225600000,'\\u0072ead':{'watermark':5,'m\\u0069d':'m\\/1'}}", &ev);
	assert_string_equal(ev.kind->name, "read");
	assert_string_equal(shown(ev.conversation), "7001");
	assert_string_equal(shown(ev.mid), "m/1");
	assert_int_equal(ev.time, 1767225600000);
	ph_event_clear(&ev);
}

TEST(of_a_repeated_member_the_last_counts)
{
	struct ph_event	 ev;

	read_message("{" S ",'sender':{'id':'1','id':'7002'},'message':{'text':'a'},'read':{},"
	    "'timestamp':1767225600001,'message':null,'read':{'mid':'m_1'}}", &ev);
	assert_string_equal(ev.kind->name, "read");
	assert_string_equal(shown(ev.conversation), "7002");
	assert_string_equal(shown(ev.mid), "m_1");
	assert_int_equal(ev.time, 1767225600001);
	ph_event_clear(&ev);
}

TEST(no_member_is_one_too_many)
{
	struct ph_buffer	 json = PH_BUFFER_INIT;
	struct ph_event		 ev;
	size_t			 i, n;

	for (n = PH_EVENT_MAX_MEMBERS - 1; n <= PH_EVENT_MAX_MEMBERS + 1; n++) {
		ph_buffer_reset(&json);
		ph_buffer_adds(&json, "{" S ",'read':{'mid':'m_1','watermark':1");
		for (i = 3; i < n; i++)
			ph_buffer_adds(&json, ",'more':1");
		ph_buffer_adds(&json, ",'mid':'m_2'}}");
		read_message(json.data, &ev);
		assert_int_equal(ev.n_members, n);
		assert_string_equal(shown(ev.mid), "m_2");
		assert_string_equal(shown(ph_event_find(&ev, "watermark")), "1");
		assert_null(ph_event_find(&ev, "mids").at);
		ph_event_clear(&ev);
	}
	ph_buffer_clear(&json);
}

TEST(the_parser_sees_what_is_asked_about_alone)
{
	struct ph_event	 ev;

	read_message("{" S ",'reaction':{'mid':'m_c1','action':'react'}}", &ev);
	assert_null(ev.object);
	assert_null(ev.whole);
	assert_string_equal(shown(ev.named), "{\"mid\":\"m_c1\",\"action\":\"react\"}");
	ph_event_clear(&ev);
	read_message("{" S ",'message':{'mid':'m','text':'a'}}", &ev);
	assert_true(ph_json_is_object(ev.object));
	assert_null(ev.whole);
	ph_event_clear(&ev);
	read_message("{" S ",'message':{'mid':'m','text':'a'},'referral':{'ref':'R'}}", &ev);
	assert_string_equal(shown(ph_json_text(ph_json_get(ev.object, "text"))), "a");
	assert_string_equal(shown(ph_json_text(ph_json_get(ph_json_get(ev.whole, "referral"), "ref"))),
	    "R");
	ph_event_clear(&ev);
}

TEST(what_no_scan_has_passed_is_unknown)
{
	static const char *const	 rows[] = { "{" S ",'message':{'text':'x'}", "{" S ",'read':{}}}",
		"{" S ",'read':{'a':nul}}", "" };
	struct ph_event	 ev;
	size_t		 i;

	for (i = 0; i < COUNT_OF(rows); i++) {
		read_message(rows[i], &ev);
		assert_string_equal(ev.kind->name, "unknown");
		assert_string_equal(shown(ev.conversation), "(absent)");
		ph_event_clear(&ev);
	}
}

TEST(what_is_too_long_is_told_of_each_kind)
{
	static const struct { const char *begin, *end, *why; size_t len; } rows[] = {
		{ "'message':{'mid':'m','text':'", "'}", "a text of more than 65,536 bytes", 65537 },
		{ "'message':{'mid':'m','text':'", "'}", NULL, 65536 },
		{ "'reaction':{'mid':'m','text':'", "'}", "a text of more than 65,536 bytes", 65537 },
		{ "'reaction':{'mid':'m','text':'", "'}", NULL, 65536 },
		{ "'read':{'mid':'", "'}", "an id of more than 512 bytes", 513 },
		{ "'read':{'mid':'", "'}", NULL, 512 },
		{ "'read':{},'sender':{'id':'", "'}", "an id of more than 512 bytes", 513 },
	};
	struct ph_buffer	 text = PH_BUFFER_INIT;
	char			*quotes;
	struct ph_event		 ev;
	size_t			 i, n;

	for (i = 0; i < COUNT_OF(rows); i++) {
		struct ph_event_source	 source = { .entry_id = BYTES("9001") };

		ph_buffer_reset(&text);
		ph_buffer_addf(&text, "{" S ",%s", rows[i].begin);
		for (n = 0; n < rows[i].len; n++)
			ph_buffer_adds(&text, "x");
		ph_buffer_addf(&text, "%s}", rows[i].end);
		while ((quotes = strchr(text.data, '\'')) != NULL)
			*quotes = '"';
		source.event = PH_SLICE(&text);
		assert_int_equal(ph_event_read(&source, &ev, NULL), PH_OK);
		if (rows[i].why == NULL)
			assert_null(ev.why);
		else
			assert_string_equal(ev.why, rows[i].why);
		ph_event_clear(&ev);
	}
	ph_buffer_clear(&text);
}

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		cmocka_unit_test(each_shape_has_its_kind),
		cmocka_unit_test(nothing_overheard_is_ever_answerable),
		cmocka_unit_test(an_entry_without_a_page_is_a_test_on_every_channel),
		cmocka_unit_test(whose_it_is_is_found),
		cmocka_unit_test(without_a_person_nothing_is_answerable),
		cmocka_unit_test(times_come_in_many_forms),
		cmocka_unit_test(an_event_without_a_time_has_its_entrys),
		cmocka_unit_test(what_was_said_is_taken_by_its_length),
		cmocka_unit_test(members_are_known_by_what_their_keys_mean),
		cmocka_unit_test(of_a_repeated_member_the_last_counts),
		cmocka_unit_test(no_member_is_one_too_many),
		cmocka_unit_test(the_parser_sees_what_is_asked_about_alone),
		cmocka_unit_test(what_no_scan_has_passed_is_unknown),
		cmocka_unit_test(what_is_too_long_is_told_of_each_kind),
	};

	return cmocka_run_group_tests_name("event", tests, NULL, NULL);
}
