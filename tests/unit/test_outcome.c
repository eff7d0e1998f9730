/*
 * test_outcome -- what became of a send: by Graph's words, and without them by what left us.
 * Knows outcome.  Does not know queues or the network.
 * Called by make check.
 * Lives on its stack.
 * SPDX-License-Identifier: ISC
 */
#include <inttypes.h>

#include "clock.h"
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
		{ 400, "{'error':{'code':551,'error_subcode':1545041}}", PH_UNREACHABLE },
		{ 400, "{'error':{'code':551}}", PH_UNREACHABLE },
		{ 400, "{'error':{'code':'551','error_subcode':'7'}}", PH_UNREACHABLE },
		{ 403, "{'error':{'code':200,'error_subcode':1545041}}", PH_UNREACHABLE },
		{ 400, "{'error':{'code':10,'error_subcode':2018278}}", PH_REFUSED },
		{ 400, "{'error':{'code':100,'error_subcode':2018001}}", PH_UNREACHABLE },
		{ 400, "{'error':{'code':613}}", PH_RETRY },	/* rate limits come as 400 */
		{ 400, "{'error':{'code':4}}", PH_RETRY },
		{ 500, "{'error':{'code':2}}", PH_RETRY },
		{ 500, "{'error':{'code':1200}}", PH_RETRY },
		{ 401, "{'error':{'code':190,'error_subcode':463}}", PH_PAGE },
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

TEST(a_mid_is_the_same_however_it_is_written)
{
	static const struct { const char *body, *mid; } rows[] = {
		{ "{'message_id':'m_c1'}", "m_c1" }, { " { 'message_id' : 'm_c1' } ", "m_c1" },
		{ "{'message_id':'m\\u005fc1'}", "m_c1" }, { "{'message\\u005fid':'m_c1'}", "m_c1" },
		{ "{'message_id':'m_c0','message_id':'m_c1'}", "m_c1" },
		{ "{'message_id':'m_c1'} x", "" }, { "{'message_id':'m_c1'", "" },
		{ "{'message_id':12}", "" }, { "{'message_id':''}", "" }, { "['message_id','m_c1']", "" },
	};
	size_t	 i;

	for (i = 0; i < COUNT_OF(rows); i++) {
		struct ph_result	 r = judge(true, 200, rows[i].body, NULL);

		assert_string_equal(r.mid, rows[i].mid);
		assert_int_equal(r.outcome, rows[i].mid[0] != '\0' ? PH_SENT : PH_UNSURE);
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

TEST(graphs_error_object_is_kept_as_it_came_on_one_line)
{
	static const struct { const char *body, *error; } rows[] = {
		{ "{'error': {\n  'code' : 10,\t'message':'a \\\\ b  c'} }",
		    "{'code':10,'message':'a \\\\ b  c'}" },
		{ "{'x':1,'error':{'code':1}}", "{'code':1}" },
		{ "{'error':{'message':'say \\'hi :} \\''}}", "{'message':'say \\'hi :} \\''}" },
		{ "{'message_id':'m_1'}", "" }, { "{'error':[1]}", "" }, { "<html>", "" }, { "{}", "" },
	};
	char	 bytes[200];
	size_t	 i;

	for (i = 0; i < COUNT_OF(rows); i++) {
		struct ph_result	 r = judge(true, 400, rows[i].body, NULL);
		struct ph_slice		 wanted = quoted(rows[i].error, bytes, sizeof(bytes));

		assert_int_equal(strlen(r.error), wanted.len);
		assert_memory_equal(r.error, wanted.at, wanted.len);
		assert_int_equal(r.status, 400);
	}
}

TEST(an_error_object_that_is_too_long_for_a_line_is_left_out)
{
	char			 body[4000];
	int			 n, room = (int)sizeof(((struct ph_result *)0)->error) - 1;
	struct ph_answer	 answer = { .handed = true, .status = 400 };
	struct ph_result	 r;

	for (n = room - 40; n < room + 10; n++) {
		answer.body = (struct ph_slice){ body, (size_t)snprintf(body, sizeof(body),
		    "{\"error\":{\"code\":10,\"message\":\"%0*d\"}}", n, 0) };
		ph_outcome_judge(&answer, &r);
		assert_int_equal(r.code, 10);
		if (r.error[0] != '\0') {	/* then all of it */
			assert_true(strlen(r.error) == answer.body.len - 10);
			assert_in_range(strlen(r.error), 1, room);
		}
	}
	assert_string_equal(r.error, "");
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

#define LIMIT	(60 * PH_SECOND_MS)

/* Every row of the table; -1: without a subcode, -2: with one that no row names. */
static const struct expected {
	int64_t code, subcode; enum ph_outcome outcome; int retries; enum ph_outcome then;
	int64_t wait_ms; bool page_waits;
} expected[] = {
	{ 1, 1357046, PH_SENT, 0, 0, 0, false },
	{ 1, 99, PH_RETRY, 2, PH_PAGE, 0, false },
	{ 1, -1, PH_RETRY, 2, PH_REFUSED, 0, false },
	{ 1, -2, PH_RETRY, 2, PH_REFUSED, 0, false },
	{ 2, 2018344, PH_REFUSED, 0, 0, 0, false },
	{ 2, -1, PH_RETRY, 5, PH_UNREACHABLE, 0, false },
	{ 2, -2, PH_RETRY, 5, PH_UNREACHABLE, 0, false },
	{ 3, -1, PH_PAGE, 0, 0, 0, false }, { 3, -2, PH_PAGE, 0, 0, 0, false },
	{ 10, -1, PH_PAGE, 0, 0, 0, false }, { 10, -2, PH_PAGE, 0, 0, 0, false },
	{ 10, 2018028, PH_PAGE, 0, 0, 0, false },
	{ 200, -1, PH_PAGE, 0, 0, 0, false }, { 200, 2018028, PH_PAGE, 0, 0, 0, false },
	{ 200, 2018027, PH_PAGE, 0, 0, 0, false }, { 200, 2018021, PH_PAGE, 0, 0, 0, false },
	{ 230, -1, PH_PAGE, 0, 0, 0, false }, { 299, -2, PH_PAGE, 0, 0, 0, false },
	{ 300, -1, PH_REFUSED, 0, 0, 0, false }, { 199, -1, PH_REFUSED, 0, 0, 0, false },
	{ 4, -1, PH_RETRY, 0, 0, LIMIT, true }, { 4, 2018022, PH_RETRY, 0, 0, LIMIT, true },
	{ 17, -1, PH_RETRY, 0, 0, LIMIT, true }, { 17, -2, PH_RETRY, 0, 0, LIMIT, true },
	{ 32, -1, PH_RETRY, 0, 0, LIMIT, true },
	{ 613, -1, PH_RETRY, 0, 0, LIMIT, true }, { 613, 1893016, PH_RETRY, 0, 0, LIMIT, true },
	{ 80000, -1, PH_RETRY, 0, 0, LIMIT, true }, { 80006, -2, PH_RETRY, 0, 0, LIMIT, true },
	{ 80014, -1, PH_RETRY, 0, 0, LIMIT, true },
	{ 79999, -1, PH_REFUSED, 0, 0, 0, false }, { 80015, -1, PH_REFUSED, 0, 0, 0, false },
	{ 4, 2018354, PH_REFUSED, 0, 0, 0, false }, { 9, 2018352, PH_REFUSED, 0, 0, 0, false },
	{ 10, 2018065, PH_REFUSED, 0, 0, 0, false }, { 10, 2018278, PH_REFUSED, 0, 0, 0, false },
	{ 10, 2018108, PH_UNREACHABLE, 0, 0, 0, false },
	{ 10, 2018300, PH_THREAD, 0, 0, 0, false },
	{ 10, 1893063, PH_PAGE, 0, 0, 30 * PH_MINUTE_MS, false },
	{ 100, 33, PH_UNREACHABLE, 0, 0, 0, false },
	{ 100, 2018001, PH_UNREACHABLE, 0, 0, 0, false },
	{ 100, 2018032, PH_REFUSED, 0, 0, 0, false }, { 100, 2018034, PH_REFUSED, 0, 0, 0, false },
	{ 100, 2018109, PH_REFUSED, 0, 0, 0, false },
	{ 100, -1, PH_REFUSED, 0, 0, 0, false }, { 100, -2, PH_REFUSED, 0, 0, 0, false },
	{ 102, -1, PH_PAGE, 0, 0, 0, false }, { 102, 463, PH_PAGE, 0, 0, 0, false },
	{ 190, -1, PH_PAGE, 0, 0, 0, false }, { 190, 460, PH_PAGE, 0, 0, 0, false },
	{ 190, 463, PH_PAGE, 0, 0, 0, false }, { 190, 467, PH_PAGE, 0, 0, 0, false },
	{ 200, 1545041, PH_UNREACHABLE, 0, 0, 0, false },
	{ 551, 1545041, PH_UNREACHABLE, 0, 0, 0, false },
	{ 551, -1, PH_UNREACHABLE, 0, 0, 0, false }, { 551, -2, PH_UNREACHABLE, 0, 0, 0, false },
	{ 368, -1, PH_PAGE, 0, 0, 0, false },
	{ 508, 2534122, PH_RETRY, 2, PH_REFUSED, 0, false },
	{ 508, -1, PH_REFUSED, 0, 0, 0, false },
	{ 1200, 2018024, PH_RETRY, 0, 0, 0, false }, { 1200, -1, PH_RETRY, 0, 0, 0, false },
	{ 2022, -1, PH_PAGE, 0, 0, PH_DAY_MS, false }, { 2022, -2, PH_PAGE, 0, 0, PH_DAY_MS, false },
	{ 10303, -1, PH_REFUSED, 0, 0, 0, false }, { 10900, -1, PH_REFUSED, 0, 0, 0, false },
	{ 10903, -1, PH_REFUSED, 0, 0, 0, false }, { 2018382, -1, PH_REFUSED, 0, 0, 0, false },
	{ 4711, -1, PH_REFUSED, 0, 0, 0, false }, { 0, -1, PH_REFUSED, 0, 0, 0, false },
	{ -1, -1, PH_REFUSED, 0, 0, 0, false },
};

/* Graph's words by these numbers, as numbers or as text; -1: no subcode. */
static struct ph_result
judge_code(int64_t code, int64_t subcode, bool as_text, bool transient)
{
	const char	*mark = as_text ? "'" : "";
	char		 body[256], sub[64] = "";

	if (subcode != -1)
		snprintf(sub, sizeof(sub), ",'error_subcode':%s%" PRId64 "%s", mark,
		    subcode == -2 ? 7654321 : subcode, mark);
	snprintf(body, sizeof(body), "{'error':{'code':%s%" PRId64 "%s%s,'is_transient':%s}}", mark, code,
	    mark, sub, transient ? "true" : "false");
	return judge(true, 400, body, NULL);
}

static void
is_as_expected(const struct expected *e, const struct ph_result *r)
{
	if (r->outcome != e->outcome || r->retries != e->retries || r->wait_ms != e->wait_ms ||
	    r->page_waits != e->page_waits || (e->retries != 0 && r->then != e->then))
		fail_msg("%" PRId64 "/%" PRId64 ": %s x%d, then %s, after %" PRId64 " ms%s", e->code, e->subcode,
		    ph_outcome_name(r->outcome), r->retries, ph_outcome_name(r->then), r->wait_ms,
		    r->page_waits ? ", the page" : "");
}

TEST(each_code_has_its_row)
{
	struct ph_result	 r;
	size_t			 i;

	for (i = 0; i < COUNT_OF(expected); i++) {
		r = judge_code(expected[i].code, expected[i].subcode, false, false);
		is_as_expected(&expected[i], &r);
		r = judge_code(expected[i].code, expected[i].subcode, true, false);
		is_as_expected(&expected[i], &r);
	}
}

/* Of a code alone that ends a reply, "transient" is believed twice; of a pair that is known, never. */
TEST(transient_puts_off_what_no_pair_has_decided)
{
	struct ph_result	 r;
	struct expected		 e;
	size_t			 i;

	for (i = 0; i < COUNT_OF(expected); i++) {
		e = expected[i];
		if (e.subcode < 0 && (e.outcome == PH_REFUSED || e.outcome == PH_UNREACHABLE)) {
			e.then = e.outcome;
			e.outcome = PH_RETRY;
			e.retries = 2;
		}
		r = judge_code(e.code, e.subcode, false, true);
		is_as_expected(&e, &r);
		assert_true(r.perhaps_taken);
	}
}

TEST(without_graphs_words_it_is_known_how_often_and_who_waits)
{
	static const struct {
		bool handed; long status; const char *transport; struct expected e;
	} rows[] = {
		{ false, 0, "could not resolve", { 0, 0, PH_RETRY, 0, 0, 0, false } },
		{ true, 429, NULL, { 0, 0, PH_RETRY, 0, 0, LIMIT, true } },
		{ true, 302, NULL, { 0, 0, PH_RETRY, 3, PH_PAGE, 0, false } },
		{ true, 400, NULL, { 0, 0, PH_RETRY, 3, PH_PAGE, 0, false } },
		{ true, 404, NULL, { 0, 0, PH_RETRY, 3, PH_PAGE, 0, false } },
		{ true, 499, NULL, { 0, 0, PH_RETRY, 3, PH_PAGE, 0, false } },
		{ true, 200, NULL, { 0, 0, PH_UNSURE, 0, 0, 0, false } },
		{ true, 500, NULL, { 0, 0, PH_UNSURE, 0, 0, 0, false } },
		{ true, 429, "reset", { 0, 0, PH_UNSURE, 0, 0, 0, false } },
	};
	struct ph_result	 r;
	size_t			 i;

	for (i = 0; i < COUNT_OF(rows); i++) {
		r = judge(rows[i].handed, rows[i].status, "", rows[i].transport);
		is_as_expected(&rows[i].e, &r);
	}
}

TEST(who_is_not_proved_to_be_graph_gets_nothing_of_that_page)
{
	const struct ph_answer	 answer = { .transport = "certificate", .distrusted = true };
	struct ph_result	 r;

	ph_outcome_judge(&answer, &r);
	assert_int_equal(r.outcome, PH_PAGE);
	assert_int_equal(r.wait_ms, 0);
	assert_string_equal(r.why, "certificate");
}

static struct ph_result
judge_after(long status, const char *body, int64_t retry_after_ms)
{
	char			 bytes[256];
	const struct ph_answer	 answer = { .handed = true, .status = status, .usage = 37,
		.body = quoted(body, bytes, sizeof(bytes)), .retry_after_ms = retry_after_ms };
	struct ph_result	 result;

	ph_outcome_judge(&answer, &result);
	return result;
}

TEST(retry_after_says_how_long_of_what_is_tried_again)
{
	struct ph_result	 r = judge_after(429, "", 7000);

	assert_int_equal(r.wait_ms, 7000);
	assert_true(r.page_waits);
	assert_int_equal(r.usage, 37);
	assert_int_equal(judge_after(400, "{'error':{'code':613}}", 120000).wait_ms, 120000);
	assert_int_equal(judge_after(500, "{'error':{'code':2}}", 5000).wait_ms, 5000);
	assert_int_equal(judge_after(500, "{'error':{'code':2}}", 0).wait_ms, 0);
	assert_int_equal(judge_after(400, "{'error':{'code':551}}", 5000).wait_ms, 0);
	assert_int_equal(judge_after(400, "{'error':{'code':2022}}", 5000).wait_ms, PH_DAY_MS);
	r = judge_after(503, "", 5000);
	assert_int_equal(r.outcome, PH_UNSURE);	/* it may have been taken all the same */
	assert_int_equal(r.wait_ms, 0);
}

/* So Graph answers where no message is made. */
TEST(success_without_a_message_is_taken)
{
	assert_int_equal(judge(true, 200, "{'success':true}", NULL).outcome, PH_SENT);
	assert_int_equal(judge(true, 200, "{'success':false}", NULL).outcome, PH_UNSURE);
	assert_int_equal(judge(true, 500, "{'success':true}", NULL).outcome, PH_UNSURE);
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
	assert_string_equal(ph_outcome_name(PH_UNREACHABLE), "unreachable");
	assert_string_equal(ph_outcome_name(PH_PAGE), "page");
	assert_string_equal(ph_outcome_name(PH_THREAD), "thread");
	assert_string_equal(ph_outcome_name(PH_UNSURE), "unsure");
}

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		cmocka_unit_test(graphs_words_decide_and_not_the_status),
		cmocka_unit_test(a_mid_is_the_same_however_it_is_written),
		cmocka_unit_test(words_that_have_come_for_messages_that_went_out_are_known),
		cmocka_unit_test(graphs_error_object_is_kept_as_it_came_on_one_line),
		cmocka_unit_test(an_error_object_that_is_too_long_for_a_line_is_left_out),
		cmocka_unit_test(without_graphs_words_a_byte_that_left_makes_it_unsure),
		cmocka_unit_test(each_code_has_its_row),
		cmocka_unit_test(transient_puts_off_what_no_pair_has_decided),
		cmocka_unit_test(without_graphs_words_it_is_known_how_often_and_who_waits),
		cmocka_unit_test(who_is_not_proved_to_be_graph_gets_nothing_of_that_page),
		cmocka_unit_test(retry_after_says_how_long_of_what_is_tried_again),
		cmocka_unit_test(success_without_a_message_is_taken),
		cmocka_unit_test(what_graph_said_is_kept_for_people),
		cmocka_unit_test(odd_types_and_lengths_are_no_crash),
		cmocka_unit_test(each_outcome_has_a_name),
	};

	return cmocka_run_group_tests_name("outcome", tests, NULL, NULL);
}
