/*
 * test_status -- figures become a screen and a document, and each its word.
 * Knows status, and json to read the document.  Does not know where figures come from.
 * Called by make check.
 * Lives in memory alone.
 * SPDX-License-Identifier: ISC
 */
#include "clock.h"
#include "json.h"
#include "status.h"
#include "unit.h"

#define NOW	INT64_C(1790000000000)

static struct ph_status		 status;
static struct ph_buffer		 out;

static int
enter(void **state)
{
	(void)state;
	status = (struct ph_status){ .at = NOW };
	return 0;
}

static int
leave(void **state)
{
	(void)state;
	ph_buffer_clear(&out);
	return 0;
}

/* The row of that name; "" when it is left out. */
static const char *
row(const char *name)
{
	static char	 line[2000];
	const char	*at;

	ph_buffer_reset(&out);
	ph_status_format_lines(&status, &out);
	for (at = out.data; *at != '\0'; at += strcspn(at, "\n") + 1)
		if (strncmp(at, name, strlen(name)) == 0) {
			snprintf(line, sizeof(line), "%.*s", (int)strcspn(at, "\n"), at);
			return line;
		}
	return "";
}

static void
refused(enum ph_refusal why, int64_t n, int64_t first_ago, int64_t last_ago)
{
	status.refused.by[why] = (struct ph_refused_count){ n, NOW - first_ago, NOW - last_ago };
}

static void
is(const char *name, const char *line)
{
	assert_string_equal(row(name), line);
}

TEST(without_figures_all_is_well)
{
	is("webhook", "webhook  OK    no delivery kept yet");
	is("forged", "forged   OK    none since the last 200");
	is("queue", "queue    OK    nothing waits");
	is("helper", "helper   OK    none runs: the next delivery starts one; store 0 KB; spool 0, quarantine 0");
	is("send", "");
	is("pages", "");
	is("replies", "");
	is("store", "");
	assert_int_equal(ph_status_worst(&status), PH_STATUS_OK);
}

TEST(durations_and_counts_are_for_people)
{
	static const struct { int64_t ms; const char *says; } rows[] = {
		{ 0, "0 s" }, { 1999, "1 s" }, { 119000, "119 s" }, { 120000, "2 min" },
		{ 119 * PH_MINUTE_MS, "119 min" }, { 2 * PH_HOUR_MS, "2 h" }, { 47 * PH_HOUR_MS, "47 h" },
		{ 2 * PH_DAY_MS, "2 d" }, { -5, "0 s" },
	};
	char	 line[80];
	size_t	 i;

	for (i = 0; i < COUNT_OF(rows); i++) {
		status.refused.kept_at = NOW - rows[i].ms;
		snprintf(line, sizeof(line), "webhook  OK    last 200 %s ago", rows[i].says);
		is("webhook", line);
	}
	status.live = (struct ph_status_live){ .pid = 4127, .began = NOW - 3 * PH_HOUR_MS,
	    .rss_bytes = 11 << 20, .tally = { .sent = 1234567, .refused = 4, .unsure = 1000 } };
	is("send", "send     OK    1,234,567 sent, 4 refused, 1,000 unsure since the helper began");
	status.store_bytes = 18 << 20;
	is("helper", "helper   OK    pid 4127 up 3 h, 11 MB; store 18 MB; spool 0, quarantine 0");
}

/* Strangers sign nothing: they make no failure of the webhook's. */
TEST(deliveries_fail_when_signed_ones_are_refused_for_minutes)
{
	static const struct { int64_t n, first_ago; enum ph_status_word worst; } rows[] = {
		{ 2, 20 * PH_MINUTE_MS, PH_STATUS_OK }, { 3, 5 * PH_MINUTE_MS - 1, PH_STATUS_OK },
		{ 3, 5 * PH_MINUTE_MS, PH_STATUS_WARN }, { 3, 15 * PH_MINUTE_MS - 1, PH_STATUS_WARN },
		{ 3, 15 * PH_MINUTE_MS, PH_STATUS_FAIL },
	};
	size_t	 i;

	for (i = 0; i < COUNT_OF(rows); i++) {
		refused(PH_NOT_KEPT, rows[i].n, rows[i].first_ago, 0);
		assert_int_equal(ph_status_worst(&status), rows[i].worst);
	}
	is("webhook", "webhook  FAIL  no delivery kept yet; 3 refused: 3 not to be kept; "
	    "failing for 15 min, Meta disables the webhook after about an hour");
	status.refused = (struct ph_refused){ .kept_at = NOW };
	refused(PH_UNSIGNED, 9, PH_DAY_MS, 0);
	assert_int_equal(ph_status_worst(&status), PH_STATUS_OK);
}

TEST(ten_bad_signatures_in_a_row_are_worth_a_look)
{
	refused(PH_UNSIGNED, 6, 60000, 50000);
	refused(PH_MISFORMED, 3, 70000, 4000);
	is("forged", "forged   OK    9 since the last 200, last 4 s ago: 6 without signature, 3 with half a "
	    "signature");
	refused(PH_MISMATCH, 1, 3000, 3000);
	is("forged", "forged   WARN  10 since the last 200, last 3 s ago: 6 without signature, 3 with half a "
	    "signature, 1 signed with another secret; is MESSENGER_APP_SECRET right?");
	refused(PH_MISFORMED, 3, PH_HOUR_MS, 4000);
	assert_int_equal(strncmp(row("forged"), "forged   FAIL", 13), 0);
}

TEST(sends_fail_by_their_ratio_once_there_are_enough)
{
	status.live.pid = 1;
	status.live.tally = (struct ph_tally){ .refused = 19 };
	assert_int_equal(ph_status_worst(&status), PH_STATUS_OK);
	status.live.tally = (struct ph_tally){ .sent = 980, .refused = 10, .unsure = 10 };
	assert_int_equal(ph_status_worst(&status), PH_STATUS_WARN);
	status.live.tally = (struct ph_tally){ .sent = 80, .refused = 20 };
	assert_int_equal(ph_status_worst(&status), PH_STATUS_FAIL);
}

TEST(the_queue_says_what_waits_and_how_long)
{
	status.counts = (struct ph_glance_counts){ .ready = 1, .unsure = 1, .dead = 1, .oldest = NOW - PH_HOUR_MS * 2 };
	is("queue", "queue    FAIL  1 ready, 1 unsure, 1 dead; oldest 2 h");
	status.counts = (struct ph_glance_counts){ .sending = 3, .held = 2, .events_open = 1, .events_dead = 2 };
	is("queue", "queue    WARN  3 sending, 2 held, 1 event waits, 2 events dead");
	status.counts = (struct ph_glance_counts){ .ready = PH_GLANCE_MOST, .oldest = NOW - 1000, .more = true };
	is("queue", "queue    OK    more than 100,000 ready; oldest 1 s");
	status.counts = (struct ph_glance_counts){ .dead = 50 };
	is("queue", "queue    FAIL  50 dead");
}

TEST(what_does_not_work_has_a_row)
{
	status.counts = (struct ph_glance_counts){ .n_pages = 2, .pages = {
	    { "1029384756", "(#190) token", NOW + 40000 }, { "9001", "no access token for this Page", 0 } } };
	is("pages", "pages    FAIL  \xe2\x80\xa6" "4756 waits: (#190) token; tried again in 40 s; 9001 waits: no "
	    "access token for this Page");
	status.counts.n_pages = PH_GLANCE_PAGES + 3;
	assert_non_null(strstr(row("pages"), "; and 3 more"));
	status.n_broken = 1;
	snprintf(status.broken[0], sizeof(status.broken[0]), "/etc/ana.json");
	is("replies", "replies  FAIL  /etc/ana.json cannot be used: pagehook replies check");
	snprintf(status.store_trouble, sizeof(status.store_trouble), "queue.db: not a database");
	is("store", "store    FAIL  queue.db: not a database");
	snprintf(status.live.trouble, sizeof(status.live.trouble), "the disk is full");
	is("store", "store    FAIL  the disk is full");
	snprintf(status.unanswered, sizeof(status.unanswered), "no answer in time");
	assert_int_equal(strncmp(row("helper"), "helper   FAIL  does not answer: no answer in time;", 49), 0);
}

TEST(without_a_helper_what_is_owed_is_worth_a_look)
{
	status.spool_files = 1;
	assert_int_equal(strncmp(row("helper"), "helper   WARN", 13), 0);
}

TEST(the_document_can_be_read)
{
	struct ph_json	*tree = NULL;
	struct ph_fail	 wrong = PH_FAIL_INIT;
	int64_t		 n;

	status.live = (struct ph_status_live){ .pid = 7, .began = NOW - 5000, .trouble = "a \"b\" \\" };
	status.counts = (struct ph_glance_counts){ .dead = 3, .n_pages = 1, .pages = { { "9001", "w", 0 } } };
	status.n_broken = 2;
	refused(PH_MISMATCH, 4, 400000, 0);
	ph_buffer_reset(&out);
	ph_status_format_json(&status, &out);
	must(ph_json_parse(PH_SLICE(&out), &tree, &wrong), &wrong);
	assert_string_equal(shown(ph_json_text(ph_json_get(tree, "at"))), "2026-09-21T14:13:20.000Z");
	assert_string_equal(shown(ph_json_text(ph_json_get(tree, "failing_since"))), "2026-09-21T14:06:40.000Z");
	assert_string_equal(shown(ph_json_text(ph_json_get(tree, "worst"))), "fail");
	assert_string_equal(shown(ph_json_text(ph_json_get(ph_json_get(tree, "store"), "trouble"))), "a \"b\" \\");
	assert_true(ph_json_integer(ph_json_get(ph_json_get(tree, "queue"), "dead"), &n));
	assert_int_equal(n, 3);
	assert_true(ph_json_integer(ph_json_get(ph_json_get(tree, "helper"), "up_s"), &n));
	assert_int_equal(n, 5);
	assert_int_equal(ph_json_count(ph_json_get(tree, "pages")), 1);
	assert_int_equal(ph_json_count(ph_json_get(tree, "replies_broken")), 2);
	ph_json_free(tree);
}

#define in_order(test)	cmocka_unit_test_setup_teardown(test, enter, leave)

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		in_order(without_figures_all_is_well),
		in_order(durations_and_counts_are_for_people),
		in_order(deliveries_fail_when_signed_ones_are_refused_for_minutes),
		in_order(ten_bad_signatures_in_a_row_are_worth_a_look),
		in_order(sends_fail_by_their_ratio_once_there_are_enough),
		in_order(the_queue_says_what_waits_and_how_long),
		in_order(what_does_not_work_has_a_row),
		in_order(without_a_helper_what_is_owed_is_worth_a_look),
		in_order(the_document_can_be_read),
	};

	return cmocka_run_group_tests_name("status", tests, NULL, NULL);
}
