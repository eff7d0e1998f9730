/*
 * test_key -- what makes two deliveries the same event, and two events different ones.
 * Knows key, event.  Does not know the store that remembers keys.
 * Called by make check.
 * Lives on its stack.
 * SPDX-License-Identifier: ISC
 */
#include "events.h"
#include "key.h"
#include "signature.h"

static struct ph_buffer	 text;

static const char *
key_of(enum ph_channel channel, const char *json, const char *id, const char *time)
{
	struct ph_event	 ev;

	read_event(channel, json, id, time, &ev);
	ph_buffer_reset(&text);
	ph_key_format(&ev, &text);
	ph_event_clear(&ev);
	return text.data;
}

static int
forget(void **state)
{
	(void)state;
	ph_buffer_clear(&text);
	return 0;
}

TEST(each_kind_has_the_parts_of_the_vocabulary)
{
	static const struct { const char *json, *key; } rows[] = {
		{ "{" S ",'message':{'mid':'m_a1','text':'hello'}}", "message.text|9001|m_a1" },
		{ "{" S ",'message':{'text':'hello'}}", "message.text|9001||7001|" T "|hello" },
		{ "{" S ",'message':{'attachments':[{}]}}", "message.attachment|9001||7001|" T "|" },
		{ "{" S ",'message':{'mid':'m','quick_reply':{}}}", "message.quick_reply|9001|m" },
		{ "{" S ",'message':{'mid':'m','sticker_id':1}}", "message.sticker|9001|m" },
		{ "{" S ",'message':{'mid':'m','is_deleted':1}}", "message.deleted|9001|m" },
		{ "{" S ",'message':{}}", "message.unsupported|9001||7001|" T "|" },
		{ "{'sender':{'id':'9001'},'recipient':{'id':'7001'},'timestamp':" T
		    ",'message':{'is_echo':true,'text':'hi'}}", "message.echo|9001||7001|" T "|hi" },
		{ "{" S ",'message_edit':{'mid':'m_a1','text':'x','num_edit':1}}", "message.edit|9001|m_a1|1" },
		{ "{" S ",'message_edit':{'mid':'m_a1','num_edit':'2'}}", "message.edit|9001|m_a1|2" },
		{ "{" S ",'postback':{'mid':'m_b1','payload':'P'}}", "postback|9001|m_b1" },
		{ "{" S ",'postback':{'payload':'P'}}", "postback|9001||7001|" T "|P" },
		{ "{" S ",'referral':{'ref':'R'}}", "referral|9001|7001|" T "|R" },
		{ "{" S ",'referral':{'ref':null}}", "referral|9001|7001|" T "|" },
		{ "{" S ",'optin':{'ref':'R'}}", "optin|9001|7001|" T "|R" },
		{ "{'recipient':{'id':'9001'},'timestamp':" T ",'optin':{'ref':'R','user_ref':'u-1'}}",
		    "optin|9001|u-1|" T "|u-1" },
		{ "{" S ",'optin':{'one_time_notif_token':'t1','ref':'R'}}", "optin|9001|7001|" T "|t1" },
		{ "{" S ",'optin':{'notification_messages_token':'t2','one_time_notif_token':'t1'}}",
		    "optin|9001|7001|" T "|t2" },
		{ "{" S ",'optout':{}}", "optout|9001|7001|" T },
		{ "{" S ",'delivery':{'mids':['m_1','m_2'],'watermark':1767225600900}}",
		    "delivery|9001|7001|1767225600900|m_1,m_2" },
		{ "{" S ",'delivery':{'mids':'m_1','watermark':5}}", "delivery|9001|7001|5|m_1" },
		{ "{" S ",'delivery':{'mids':[17,null,'m\\u005f2',{}],'watermark':-5}}",
		    "delivery|9001|7001|-5|17,,m_2," },
		{ "{" S ",'delivery':{'watermark':'1767225600900'}}", "delivery|9001|7001|1767225600900|" },
		{ "{" S ",'read':{'watermark':1767225600950}}", "read|9001||7001|1767225600950" },
		{ "{" S ",'read':{'mid':'m_c1'}}", "read|9001|m_c1" },
		{ "{" S ",'reaction':{'mid':'m_c1','action':'react','reaction':'love','emoji':'E'}}",
		    "reaction|9001|m_c1|7001|react|love|" T },
		{ "{" S ",'reaction':{'mid':'m_c1','action':'react','emoji':'E'}}",
		    "reaction|9001|m_c1|7001|react|E|" T },
		{ "{" S ",'reaction':{'mid':'m_c1','acti\\u006fn':'re|act','reaction':null,'emoji':'E'}}",
		    "reaction|9001|m_c1|7001|re%7Cact|E|" T },
		{ "{" S ",'reaction':{'mid':'m_c1','action':'unreact'}}",
		    "reaction|9001|m_c1|7001|unreact||" T },
		{ "{" S ",'account_linking':{'status':'linked'}}", "account_linking|9001|7001|" T "|linked" },
		{ "{" S ",'pass_thread_control':{'previous_owner_app_id':null,'new_owner_app_id':'5001'}}",
		    "handover.pass|9001|7001|" T "||5001" },
		{ "{" S ",'take_thread_control':{'previous_owner_app_id':'5001','new_owner_app_id':5002}}",
		    "handover.take|9001|7001|" T "|5001|5002" },
		{ "{" S ",'request_thread_control':{'requested_owner_app_id':263902037430900}}",
		    "handover.request|9001|7001|" T "|263902037430900" },
		{ "{'timestamp':" T ",'app_roles':{'5002':[],'5001':['primary_receiver']}}",
		    "handover.app_roles|9001|" T "|5001,5002" },
		{ "{'timestamp':" T ",'policy-enforcement':{'action':'block'}}",
		    "policy_enforcement|9001|" T "|block" },
		{ "{" S ",'messaging_feedback':{}}", "feedback|9001|7001|" T },
		{ "{" S ",'response_feedback':{'feedback':'Good response','mid':'m_c1'}}",
		    "response_feedback|9001|m_c1|7001|Good response|" T },
		{ "{" S ",'order':{}}", "order|9001|7001|" T },
		{ "{" S ",'messaging_customer_information':{}}", "customer_information|9001|7001|" T },
		{ "{" S ",'message_request':'accept'}", "message_request|9001|7001|" T },
		{ "{" S ",'payment':{}}", "payment|9001|7001|" T "|payment" },
		{ "{" S ",'pre_checkout':{}}", "payment|9001|7001|" T "|pre_checkout" },
		{ "{" S ",'game_play':{}}", "game_play|9001|7001|" T },
		{ "{" S "}", "empty|9001|7001|" T },
		{ "{" S ",'b_new':{'a':1},'a_new':2,'null':null}", "unknown|9001|7001|" T "|a_new,b_new" },
		{ "'text'", "unknown|9001||1767225600500|" },
	};
	size_t	 i;

	for (i = 0; i < COUNT_OF(rows); i++)
		assert_string_equal(key_of(PH_MESSAGING, rows[i].json, "'9001'", "1767225600500"),
		    rows[i].key);
}

TEST(a_change_and_a_test_have_theirs)
{
	assert_string_equal(key_of(PH_CHANGES, "{'field':'feed','value':{'item':'comment','verb':'add',"
	    "'post_id':'9001_1','comment_id':'1_2','from':{'id':'7001'},'created_time':1767225600}}",
	    "'9001'", T), "change|9001|feed|comment|add|1_2|7001|1767225600|" T);
	assert_string_equal(key_of(PH_CHANGES, "{'field':'parking'}", "'9001'", T),
	    "change|9001|parking||||||" T);
	assert_string_equal(key_of(PH_CHANGES, "{'value':'x'}", NULL, NULL), "change||||||||");
	assert_string_equal(key_of(PH_CHANGES, "{'field':'messages','value':{'page_id':'9001'}}", "'0'",
	    "1767225600"), "test|0|messages|" T);
}

TEST(what_was_overheard_never_hides_what_must_be_answered)
{
	static const char	 json[] = "{" S ",'message':{'mid':'m_a1','text':'x'}}";

	assert_string_equal(key_of(PH_STANDBY, json, "'9001'", NULL), "standby:message.text|9001|m_a1");
	assert_string_equal(key_of(PH_MESSAGING, json, "'9001'", NULL), "message.text|9001|m_a1");
}

TEST(a_part_cannot_pass_for_two)
{
	assert_string_equal(key_of(PH_MESSAGING, "{" S ",'message':{'mid':'a|b%\\u0001\\u0000c'}}",
	    "'9|1'", NULL), "message.unsupported|9%7C1|a%7Cb%25%01%00c");
	assert_string_equal(key_of(PH_MESSAGING, "{" S ",'postback':{'payload':'\\u00e9 \\n'}}", "'9001'",
	    NULL), "postback|9001||7001|" T "|\xc3\xa9 %0A");
}

/* A retry has the same mid and timestamp, and that is all it has. */
TEST(a_retry_has_the_same_key)
{
	static const char	*const twice[][2] = {
		{ "{" S ",'message':{'mid':'m','attachments':[{'type':'image','payload':{'url':'U1'}}]}}",
		    "{'message':{'attachments':[{'payload':{'url':'U2'},'type':'image'}],'mid':'m'}," S "}" },
		{ "{" S ",'postback':{'payload':'P'}}", "{" S ",'postback':{'payload':'P','title':'new'}}" },
		{ "{" S ",'read':{'watermark':5}}", "{" S ",'read':{'watermark':'5'}}" },
	};
	char			 first[256];
	size_t			 i;

	for (i = 0; i < COUNT_OF(twice); i++) {
		snprintf(first, sizeof(first), "%s", key_of(PH_MESSAGING, twice[i][0], "'9001'", "1767225600500"));
		assert_string_equal(key_of(PH_MESSAGING, twice[i][1], "9001", "1767225699999"), first);
	}
}

TEST(the_store_remembers_the_rule_and_the_text)
{
	unsigned char	 key[PH_KEY_LEN], other[PH_KEY_LEN], sum[PH_DIGEST_LEN];
	struct ph_fail	 fail = PH_FAIL_INIT;

	must(ph_key_digest(BYTES("message.text|9001|m_a1"), key, &fail), &fail);
	must(ph_signature_digest(BYTES("1|message.text|9001|m_a1"), sum, &fail), &fail);
	assert_memory_equal(key, sum, PH_KEY_LEN);
	must(ph_key_digest(BYTES("message.text|9001|m_a2"), other, &fail), &fail);
	assert_memory_not_equal(key, other, PH_KEY_LEN);
}

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		cmocka_unit_test(each_kind_has_the_parts_of_the_vocabulary),
		cmocka_unit_test(a_change_and_a_test_have_theirs),
		cmocka_unit_test(what_was_overheard_never_hides_what_must_be_answered),
		cmocka_unit_test(a_part_cannot_pass_for_two),
		cmocka_unit_test(a_retry_has_the_same_key),
		cmocka_unit_test(the_store_remembers_the_rule_and_the_text),
	};

	return cmocka_run_group_tests_name("key", tests, NULL, forget);
}
