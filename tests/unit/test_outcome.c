/*
 * test_outcome -- what became of a send: by Graph's words, and without them by what left us.
 * Knows outcome.  Does not know queues or the network.
 * Called by make check.
 * Lives on its stack.
 * SPDX-License-Identifier: ISC
 */
#include "events.h"
#include "outcome.h"

static struct ph_result
judge(bool handed, long status, const char *body, const char *transport)
{
	char			 bytes[2048];
	const struct ph_answer	 answer = { .handed = handed, .status = status,
		.body = quoted(body, bytes, sizeof(bytes)), .transport = transport };
	struct ph_result	 result;

	ph_outcome_judge(&answer, &result);
	return result;
}

TEST(graphs_words_decide_and_not_the_status)
{
	static const struct { long status; const char *body; enum ph_outcome outcome; } rows[] = {
		{ 200, "{'recipient_id':'7001','message_id':'m_c1'}", PH_SENT },
		{ 200, "{'message_id':'m_c1'}", PH_SENT },	/* no recipient_id after user_ref */
		{ 500, "{'message_id':'m_c1'}", PH_SENT },
		{ 200, "{'error':{'code':100}}", PH_REFUSED },
		{ 400, "{'error':{'code':1,'error_subcode':1357046}}", PH_SENT },
		{ 400, "{'error':{'code':551,'error_subcode':1545041}}", PH_REFUSED },
		{ 400, "{'error':{'code':551}}", PH_REFUSED },
		{ 400, "{'error':{'code':'551','error_subcode':'7'}}", PH_REFUSED },
		{ 403, "{'error':{'code':200,'error_subcode':1545041}}", PH_REFUSED },
		{ 400, "{'error':{'code':10,'error_subcode':2018278}}", PH_REFUSED },
		{ 400, "{'error':{'code':100,'error_subcode':2018001}}", PH_REFUSED },
		{ 400, "{'error':{'code':613}}", PH_RETRY },	/* rate limits come as 400 */
		{ 400, "{'error':{'code':4}}", PH_RETRY },
		{ 500, "{'error':{'code':2}}", PH_RETRY },
		{ 500, "{'error':{'code':1200}}", PH_RETRY },
		{ 401, "{'error':{'code':190,'error_subcode':463}}", PH_RETRY },
		/* Transient, without an exact pair: tried again; with one: the pair stands. */
		{ 400, "{'error':{'code':100,'is_transient':true}}", PH_RETRY },
		{ 400, "{'error':{'code':551,'error_subcode':7,'is_transient':true}}", PH_RETRY },
		{ 400, "{'error':{'code':10,'error_subcode':2018278,'is_transient':true}}", PH_REFUSED },
		{ 400, "{'error':{'code':100,'is_transient':false}}", PH_REFUSED },
	};
	size_t	 i;

	for (i = 0; i < COUNT_OF(rows); i++) {
		struct ph_result	 r = judge(true, rows[i].status, rows[i].body, NULL);

		if (r.outcome != rows[i].outcome)
			fail_msg("%s: %s", rows[i].body, ph_outcome_name(r.outcome));
	}
}

TEST(words_that_have_come_for_messages_that_went_out_are_known)
{
	static const struct { const char *body; bool perhaps; } rows[] = {
		{ "{'error':{'code':1}}", true }, { "{'error':{'code':2}}", true },
		{ "{'error':{'code':1200}}", true }, { "{'error':{'code':'1200'}}", true },
		{ "{'error':{'code':4,'is_transient':true}}", true },
		{ "{'error':{'code':4}}", false }, { "{'error':{'code':613}}", false },
		{ "{'error':{'code':190}}", false }, { "{'error':{'code':12}}", false },
		{ "{'error':{'code':613,'is_transient':false}}", false },
		{ "{'error':{}}", false }, { "{'message_id':'m_c1'}", false },
	};
	size_t	 i;

	for (i = 0; i < COUNT_OF(rows); i++)
		if (judge(true, 400, rows[i].body, NULL).perhaps_taken != rows[i].perhaps)
			fail_msg("%s", rows[i].body);
}

TEST(without_graphs_words_a_byte_that_left_makes_it_unsure)
{
	static const struct {
		bool handed; long status; const char *body, *transport; enum ph_outcome outcome;
	} rows[] = {
		{ false, 0, "", "could not resolve", PH_RETRY },
		{ false, 0, "", "connection refused", PH_RETRY },
		{ true, 0, "", "timed out", PH_UNSURE },
		{ true, 0, "", "reset", PH_UNSURE },
		{ true, 200, "", "reset", PH_UNSURE },
		{ true, 302, "", "reset", PH_UNSURE },
		{ true, 200, "{'message_id':'m_c1'}", "truncated", PH_UNSURE },
		{ true, 400, "{'error':{'code':100}}", "truncated", PH_UNSURE },
		{ true, 200, "", NULL, PH_UNSURE },
		{ true, 200, "{}", NULL, PH_UNSURE },
		{ true, 200, "{'message_id':''}", NULL, PH_UNSURE },
		{ true, 200, "{'message_id':null}", NULL, PH_UNSURE },
		{ true, 200, "{'recipient_id':'7001'}", NULL, PH_UNSURE },
		{ true, 200, "{'error':'a text'}", NULL, PH_UNSURE },
		{ true, 200, "<html>", NULL, PH_UNSURE },
		{ true, 200, "{'message_id':'m_c1'", NULL, PH_UNSURE },
		{ true, 500, "", NULL, PH_UNSURE },
		{ true, 502, "<html>bad gateway</html>", NULL, PH_UNSURE },
		{ true, 429, "", NULL, PH_RETRY },
		{ true, 302, "", NULL, PH_RETRY },		/* a proxy speaks, not Graph */
		{ true, 407, "<html>", NULL, PH_RETRY },
	};
	size_t	 i;

	for (i = 0; i < COUNT_OF(rows); i++) {
		struct ph_result	 r = judge(rows[i].handed, rows[i].status, rows[i].body,
					    rows[i].transport);

		if (r.outcome != rows[i].outcome)
			fail_msg("row %zu: %s", i, ph_outcome_name(r.outcome));
		assert_string_equal(r.mid, "");
		assert_string_not_equal(r.why, "");
	}
}

TEST(what_graph_said_is_kept_for_people)
{
	struct ph_result	 r = judge(true, 400, "{'error':{'message':'No such person','code':551,"
				    "'error_subcode':1545041,'fbtrace_id':'A1b'}}", NULL);

	assert_int_equal(r.code, 551);
	assert_int_equal(r.subcode, 1545041);
	assert_string_equal(r.trace, "A1b");
	assert_string_equal(r.why, "No such person");
	assert_string_equal(r.mid, "");
	r = judge(true, 200, "{'message_id':'m_c1'}", NULL);
	assert_string_equal(r.mid, "m_c1");
	assert_int_equal(r.code, 0);
	r = judge(true, 0, "", "timed out");
	assert_string_equal(r.why, "timed out");
}

TEST(odd_types_and_lengths_are_no_crash)
{
	char			 body[1600];
	struct ph_result	 r;

	r = judge(true, 400, "{'error':{'code':{},'error_subcode':[],'message':7,'fbtrace_id':null}}", NULL);
	assert_int_equal(r.code, 0);
	assert_string_equal(r.why, "");
	snprintf(body, sizeof(body), "{'error':{'code':100,'message':'%01000d','fbtrace_id':'%0200d'}}", 1, 2);
	r = judge(true, 400, body, NULL);
	assert_int_equal(r.outcome, PH_REFUSED);
	assert_int_equal(strlen(r.why), sizeof(r.why) - 1);
	assert_int_equal(strlen(r.trace), sizeof(r.trace) - 1);
	judge(true, 200, "[]", NULL);
	judge(true, 200, "null", NULL);
}

TEST(each_outcome_has_a_name)
{
	assert_string_equal(ph_outcome_name(PH_SENT), "sent");
	assert_string_equal(ph_outcome_name(PH_RETRY), "retry");
	assert_string_equal(ph_outcome_name(PH_REFUSED), "refused");
	assert_string_equal(ph_outcome_name(PH_UNSURE), "unsure");
}

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		cmocka_unit_test(graphs_words_decide_and_not_the_status),
		cmocka_unit_test(words_that_have_come_for_messages_that_went_out_are_known),
		cmocka_unit_test(without_graphs_words_a_byte_that_left_makes_it_unsure),
		cmocka_unit_test(what_graph_said_is_kept_for_people),
		cmocka_unit_test(odd_types_and_lengths_are_no_crash),
		cmocka_unit_test(each_outcome_has_a_name),
	};

	return cmocka_run_group_tests_name("outcome", tests, NULL, NULL);
}
