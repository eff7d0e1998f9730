/*
 * test_think -- which rule fits an event, what is said then, and to whom nothing is said.
 * Knows think, replies, event.  Does not know where replies go.
 * Called by make check.
 * Lives on its stack; the rules and the thought of the current test are static.
 * SPDX-License-Identifier: ISC
 */
#include <stdlib.h>

#include "events.h"
#include "bounds.h"
#include "think.h"

#define AT	INT64_C(1767225600123)		/* a Thursday, 2026-01-01T00:00:00.123Z */

#define TEXT(t)		"{" S ",'message':{'mid':'m_1','text':'" t "'}}"
#define QUICK(t, p)	"{" S ",'message':{'mid':'m_1','text':'" t "','quick_reply':{'payload':'" p "'}}}"
#define SENT(types)	"{" S ",'message':{'mid':'m_1','attachments':[" types "]}}"
#define POSTBACK(p)	"{" S ",'postback':{'mid':'m_1','payload':'" p "'}}"

static struct ph_replies	*replies;
static struct ph_event		 ev;
static struct ph_thought	 thought = PH_THOUGHT_INIT;
static struct ph_facts		 facts;
static struct ph_fail		 fail;

static int
forget(void **state)
{
	(void)state;
	ph_thought_clear(&thought);
	ph_replies_free(replies);
	ph_event_clear(&ev);
	replies = NULL;
	return 0;
}

/* Begins a test: nobody is known, the first attempt, not the first turn. */
static int
begin(void **state)
{
	(void)state;
	facts = (struct ph_facts){ .id = 4821, .attempt = 1, .at = AT };
	fail = (struct ph_fail)PH_FAIL_INIT;
	return 0;
}

static void
use(struct ph_slice text)
{
	static struct ph_flaws	 flaws;

	ph_thought_clear(&thought);		/* it borrows from the rules */
	ph_replies_free(replies);
	must(ph_replies_parse("replies.json", text, &replies, &flaws, &fail), &fail);
}

/* Entries as they stand in the list, with ' for ". */
static void
rules(const char *entries)
{
	static char	 given[65536], text[65536];

	snprintf(given, sizeof(given), "{'replies':[\n%s\n]}", entries);
	use(quoted(given, text, sizeof(text)));
}

static enum ph_error
think_in(enum ph_channel channel, const char *json)
{
	ph_event_clear(&ev);
	read_event(channel, json, "'9001'", NULL, &ev);
	return ph_think(replies, &ev, &facts, &thought, &fail);
}

static const char *
text_of(const struct ph_buffer *b)
{
	return b->data != NULL ? b->data : "";
}

/* The messages for an event, each on its line. */
static const char *
answer_to(const char *json)
{
	must(think_in(PH_MESSAGING, json), &fail);
	return text_of(&thought.messages);
}

/* The line of the rule that fits; 0: none. */
static int
fitting(const char *json)
{
	must(think_in(PH_MESSAGING, json), &fail);
	if (thought.rule == NULL)
		return 0;
	assert_memory_equal(thought.rule, "replies.json:", 13);
	return (int)strtol(thought.rule + 13, NULL, 10);
}

static size_t
count_lines(const char *text)
{
	size_t	 n = 0;

	for (; *text != '\0'; text++)
		n += *text == '\n';
	return n;
}

/* The built-in replies. */

TEST(the_built_in_replies_are_these)
{
	static const struct { const char *json, *answer; } rows[] = {
		{ TEXT("hello"), "{\"text\":\"You said: hello\"}\n" },
		{ TEXT("a \\'b\\' \\\\ \\u00e9\\n"), "{\"text\":\"You said: a \\\"b\\\" \\\\ \xc3\xa9\\n\"}\n" },
		{ TEXT("{text} {{"), "{\"text\":\"You said: {text} {{\"}\n" },
		{ QUICK("Red", "RED"), "{\"text\":\"You said: Red\"}\n" },
		{ SENT("{'type':'image'}"), "{\"text\":\"I received your attachment.\"}\n" },
		{ SENT("{'type':'image'},{'type':'audio'}"), "{\"text\":\"I received your attachment.\"}\n" },
		{ "{" S ",'message':{'mid':'m','sticker_id':777}}",
		    "{\"text\":\"I received your attachment.\"}\n" },
		{ POSTBACK("GET_STARTED"), "{\"text\":\"Welcome. Tell me what you need.\"}\n" },
		{ POSTBACK("HOURS"), "{\"text\":\"Postback received: HOURS\"}\n" },
		{ POSTBACK("get_started"), "{\"text\":\"Postback received: get_started\"}\n" },
		{ "{" S ",'postback':{}}", "{\"text\":\"Postback received: \"}\n" },
	};
	size_t	 i;

	use(slice(ph_replies_builtin));
	for (i = 0; i < COUNT_OF(rows); i++)
		assert_string_equal(answer_to(rows[i].json), rows[i].answer);
}

TEST(the_others_are_met_with_silence)
{
	static const char *const	 events[] = {
		"{" S ",'message':{'mid':'m','is_echo':true,'text':'You said: hello'}}",
		"{" S ",'message':{'mid':'m','is_deleted':true}}", "{" S ",'message':{'mid':'m'}}",
		"{" S ",'message_edit':{'mid':'m','text':'hello!'}}", "{" S ",'delivery':{'mids':['m']}}",
		"{" S ",'read':{'watermark':1}}", "{" S ",'reaction':{'mid':'m','action':'react'}}",
		"{" S ",'referral':{'ref':'R'}}", "{" S ",'optin':{'ref':'R'}}", "{" S ",'optout':{}}",
		"{" S ",'account_linking':{'status':'linked'}}", "{" S ",'pass_thread_control':{}}",
		"{" S ",'message_request':'accept'}", "{" S ",'order':{}}", "{" S "}", "{" S ",'new':{}}", "17",
		"{'message':{'mid':'m','text':'nobody said it'}}",
	};
	size_t				 i;

	use(slice(ph_replies_builtin));
	for (i = 0; i < COUNT_OF(events); i++)
		if (fitting(events[i]) != 0 || thought.messages.len > 0)
			fail_msg("%s: %s", events[i], text_of(&thought.messages));
}

TEST(what_another_app_was_told_is_not_answered)
{
	use(slice(ph_replies_builtin));
	must(think_in(PH_STANDBY, TEXT("hello")), &fail);
	assert_null(thought.rule);
	must(think_in(PH_CHANGES, TEXT("hello")), &fail);
	assert_null(thought.rule);
	assert_int_equal(thought.messages.len, 0);
}

/* Conditions. */

TEST(each_event_is_known_by_its_word)
{
	static const struct { const char *json, *on; int line; } rows[] = {
		{ TEXT("a"), "text", 3 }, { QUICK("a", "A"), "quick_reply", 2 },
		{ SENT("{'type':'image'}"), "attachment", 4 },
		{ "{" S ",'message':{'mid':'m','sticker_id':777}}", "attachment", 4 },
		{ POSTBACK("A"), "postback", 5 }, { "{" S ",'referral':{'ref':'R'}}", "referral", 6 },
		{ "{" S ",'optin':{'ref':'R'}}", "optin", 7 },
		{ "{" S ",'account_linking':{'status':'linked'}}", "account_linking", 8 },
	};
	size_t	 i;

	rules("{'on':'quick_reply','say':'a'},\n{'on':'text','say':'a'},\n{'on':'attachment','say':'a'},\n"
	    "{'on':'postback','say':'a'},\n{'on':'referral','say':'a'},\n{'on':'optin','say':'a'},\n"
	    "{'on':'account_linking','say':'a'}");
	for (i = 0; i < COUNT_OF(rows); i++) {
		assert_int_equal(fitting(rows[i].json), rows[i].line);
		assert_string_equal(thought.on, rows[i].on);
	}
}

TEST(any_is_what_a_person_says_or_presses)
{
	rules("{'on':'any','say':'a'}");
	assert_int_equal(fitting(TEXT("a")), 2);
	assert_int_equal(fitting(QUICK("a", "A")), 2);
	assert_int_equal(fitting(SENT("{'type':'image'}")), 2);
	assert_int_equal(fitting(POSTBACK("A")), 2);
	assert_int_equal(fitting("{" S ",'referral':{'ref':'R'}}"), 0);
	assert_int_equal(fitting("{" S ",'optin':{'ref':'R'}}"), 0);
	assert_int_equal(fitting("{" S ",'account_linking':{'status':'linked'}}"), 0);
}

TEST(a_quick_reply_is_a_text_too)
{
	rules("{'on':'text','payload':'RED','say':'a'},\n{'on':'text','is':'red','say':'b'}");
	assert_int_equal(fitting(QUICK("Red", "RED")), 2);
	assert_int_equal(fitting(QUICK("Red", "BLUE")), 3);
	assert_int_equal(fitting(TEXT("Red")), 3);
}

TEST(a_text_is_compared_whole_in_part_or_by_a_pattern)
{
	rules("{'on':'any','is':['yes','ja'],'say':'a'},\n{'on':'any','has':['open','hours'],'say':'a'},\n"
	    "{'on':'any','match':['^a+$','\xc3\xa9'],'say':'a'}");
	assert_int_equal(fitting(TEXT(" Yes ")), 2);
	assert_int_equal(fitting(TEXT("JA")), 2);
	assert_int_equal(fitting(TEXT("yes, please")), 0);
	assert_int_equal(fitting(TEXT("Are you OPEN?")), 3);
	assert_int_equal(fitting(TEXT("AAA")), 4);
	assert_int_equal(fitting(TEXT("caf\xc3\x89")), 4);
	assert_int_equal(fitting(TEXT("b")), 0);
	assert_int_equal(fitting(SENT("{'type':'image'}")), 0);
	assert_int_equal(fitting(POSTBACK("yes")), 0);
}

TEST(a_payload_is_equal_or_begins_so)
{
	rules("{'on':'postback','payload':['A','B*'],'say':'a'},\n{'on':'postback','payload':'*','say':'a'},\n"
	    "{'on':'postback','say':'a'}");
	assert_int_equal(fitting(POSTBACK("A")), 2);
	assert_int_equal(fitting(POSTBACK("a")), 3);
	assert_int_equal(fitting(POSTBACK("AB")), 3);
	assert_int_equal(fitting(POSTBACK("B")), 2);
	assert_int_equal(fitting(POSTBACK("BC")), 2);
	assert_int_equal(fitting(POSTBACK("")), 3);
	assert_int_equal(fitting("{" S ",'postback':{'mid':'m'}}"), 4);
}

TEST(a_ref_is_found_wherever_it_stands)
{
	rules("{'on':['any','referral','optin'],'ref':'R*','say':'{payload}'}");
	assert_int_equal(fitting("{" S ",'referral':{'ref':'R1'}}"), 2);
	assert_string_equal(text_of(&thought.messages), "{\"text\":\"R1\"}\n");	/* there it is the payload */
	assert_int_equal(fitting("{" S ",'postback':{'mid':'m','payload':'A','referral':{'ref':'R'}}}"), 2);
	assert_string_equal(text_of(&thought.messages), "{\"text\":\"A\"}\n");
	assert_int_equal(fitting("{" S ",'message':{'mid':'m','text':'a','referral':{'ref':'R'}}}"), 2);
	assert_int_equal(fitting("{" S ",'message':{'mid':'m','text':'a'},'referral':{'ref':'R'}}"), 2);
	assert_int_equal(fitting("{" S ",'optin':{'ref':'R','payload':'O'}}"), 2);
	assert_string_equal(text_of(&thought.messages), "{\"text\":\"O\"}\n");
	assert_int_equal(fitting("{" S ",'referral':{'ref':'S'}}"), 0);
	assert_int_equal(fitting("{" S ",'referral':{'ref':null}}"), 0);
	assert_int_equal(fitting(TEXT("R")), 0);
	rules("{'on':'referral','payload':'R','say':'a'}");
	assert_int_equal(fitting("{" S ",'referral':{'ref':'R'}}"), 2);
}

TEST(an_attachment_has_its_type_and_a_sticker_is_a_sticker)
{
	rules("{'on':'any','type':['audio','video'],'say':'{type}'},\n{'on':'any','type':'sticker','say':'{type}'},\n"
	    "{'on':'attachment','type':'image','say':'{type}'}");
	assert_int_equal(fitting(SENT("{'type':'image'},{'type':'audio'}")), 2);
	assert_int_equal(fitting(SENT("{'type':'image'}")), 4);
	assert_string_equal(text_of(&thought.messages), "{\"text\":\"image\"}\n");
	assert_int_equal(fitting(SENT("{'type':'image','payload':{'sticker_id':7}}")), 3);
	assert_string_equal(text_of(&thought.messages), "{\"text\":\"sticker\"}\n");
	assert_int_equal(fitting("{" S ",'message':{'mid':'m','sticker_id':777}}"), 3);
	assert_int_equal(fitting(SENT("{'type':'file'}")), 0);
	assert_int_equal(fitting(SENT("{}")), 0);
	assert_int_equal(fitting(TEXT("image")), 0);
}

TEST(page_first_turn_and_hours_are_conditions)
{
	rules("{'on':'any','page':['1','900*'],'say':'a'},\n{'on':'any','first':true,'say':'a'},\n"
	    "{'on':'any','page':'9001','when':['mon 09:00-17:00','fri-sun'],'say':'a'}");
	assert_int_equal(fitting(TEXT("a")), 0);
	facts.at += INT64_C(2) * 24 * 3600 * 1000;	/* a Saturday in every time zone */
	assert_int_equal(fitting(TEXT("a")), 4);
	facts.first = true;
	assert_int_equal(fitting(TEXT("a")), 3);
}

TEST(a_pattern_that_costs_too_much_does_not_match_and_is_told)
{
	static char	 json[8192];

	rules("{'on':'text','match':'^(a+)+$|(?=(a+))*b','say':'a'},\n{'on':'text','match':'^((a|aa)+)+$','say':'a'},"
	    "\n{'on':'text','say':'b'}");
	snprintf(json, sizeof(json), TEXT("%.*sX"), 60,
	    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
	assert_int_equal(fitting(json), 4);
	assert_string_equal(thought.limit, "replies.json:2");
	assert_int_equal(fitting(TEXT("hello")), 4);
	assert_string_equal(thought.limit, "");
	rules("{'on':'text','match':'^((a|aa)+)+$','say':'a'},\n{'on':'text','say':'{user.first_name}'}");
	assert_int_equal(fitting(json), 0);
	assert_true(thought.wants_person);
	assert_string_equal(thought.limit, "");			/* it is told when it is thought again */
}

TEST(a_rule_is_known_by_its_line_whatever_comments_stand_before_it)
{
	rules("/* one\n two */ {'on':'text','say':'a'}, // three\n {'on':'postback','say':'b'}");
	assert_int_equal(fitting(TEXT("a")), 3);
	assert_int_equal(fitting(POSTBACK("A")), 4);
}

/* What is said. */

TEST(fields_become_what_the_event_has)
{
	rules("{'on':'any','match':'my name is (?<name>\\\\w+)( and )?','say':"
	    "'{name}|{1}|{2}|{text}|{payload}|{psid}|{page}|{mid}|{time}|{{name}'}");
	assert_string_equal(answer_to(QUICK("my name is Bo", "P")), "{\"text\":\"Bo|Bo||my name is Bo|P|7001|9001|"
	    "m_1|2026-01-01T00:00:00.123Z|{name}\"}\n");
	assert_string_equal(text_of(&thought.captures), "{\"name\":\"Bo\"}");
}

TEST(messages_go_out_in_the_order_in_which_they_stand)
{
	rules("{'on':'text','image':'https://example.org/?q={text}','say':['one','two {text}'],"
	    "'message':[{'text':'three'},{ 'attachment' : {'type':'file',\n'payload':{'url':'https://example.org/'}} }],"
	    "'typing':true,'seen':true}");
	assert_string_equal(answer_to(TEXT("a \\'b\\'&c")),
	    "{\"attachment\":{\"type\":\"image\",\"payload\":{\"url\":\"https://example.org/?q=a%20%22b%22%26c\"}}}\n"
	    "{\"text\":\"one\"}\n{\"text\":\"two a \\\"b\\\"&c\"}\n{\"text\":\"three\"}\n"
	    "{\"attachment\":{\"type\":\"file\",\"payload\":{\"url\":\"https://example.org/\"}}}\n");
	assert_true(thought.typing && thought.seen);
	assert_null(thought.argv);
}

TEST(quick_replies_go_onto_the_last_message)
{
	rules("{'on':'text','say':['one','two'],'quick':['user_email',"
	    "{'title':'{text}','payload':'RED','image_url':'https://example.org/r.png'}]}");
	assert_string_equal(answer_to(TEXT("a\\'b")), "{\"text\":\"one\"}\n{\"text\":\"two\",\"quick_replies\":["
	    "{\"content_type\":\"user_email\"},{\"content_type\":\"text\",\"title\":\"a\\\"b\",\"payload\":\"RED\","
	    "\"image_url\":\"https://example.org/r.png\"}]}\n");
	rules("{'on':'any','message':{'text':'one'},'quick':['user_email']}");
	assert_string_equal(answer_to(TEXT("a")),
	    "{\"text\":\"one\",\"quick_replies\":[{\"content_type\":\"user_email\"}]}\n");
	rules("{'on':'any','say':['one','{text}'],'quick':['user_email']}");
	assert_string_equal(answer_to(POSTBACK("A")),
	    "{\"text\":\"one\",\"quick_replies\":[{\"content_type\":\"user_email\"}]}\n");
}

TEST(buttons_turn_the_last_text_into_a_template)
{
	static const char	 template[] = "{\"attachment\":{\"type\":\"template\",\"payload\":{\"template_type\":"
	    "\"button\",\"text\":\"two\",\"buttons\":[{\"type\":\"postback\",\"title\":\"A\",\"payload\":\"P a\"},"
	    "{\"type\":\"web_url\",\"title\":\"B\",\"url\":\"https://example.org/7001\"}]}}";

	rules("{'on':'text','say':['one','two'],'buttons':[{'title':'A','payload':'P {text}'},"
	    "{'url':'https://example.org/{psid}','title':'B'}],'image':'https://example.org/'}");
	assert_memory_equal(answer_to(TEXT("a")), "{\"text\":\"one\"}\n", 15);
	assert_memory_equal(thought.messages.data + 15, template, sizeof(template) - 1);
	assert_int_equal(count_lines(thought.messages.data), 3);
}

/* A text event of a word again and again, until the text has `bytes`. */
static const char *
long_event(const char *word, size_t bytes)
{
	static char	 event[16384];
	size_t		 n = (size_t)snprintf(event, sizeof(event), "{" S ",'message':{'mid':'m','text':'");

	for (bytes += n; n + strlen(word) <= bytes; n += strlen(word))
		memcpy(event + n, word, strlen(word) + 1);
	memcpy(event + n, "'}}", 4);
	return event;
}

/* Whether the line is a message that Meta takes; returns its end. */
static const char *
check_line(const char *line)
{
	const char	*end = strchr(line, '\n');

	assert_non_null(end);
	must(ph_bounds_check((struct ph_slice){ line, (size_t)(end - line) }, NULL, NULL, &fail), &fail);
	return end + 1;
}

static size_t
count_messages(const char *lines)
{
	size_t	 n;

	for (n = 0; *lines != '\0'; n++)
		lines = check_line(lines);
	return n;
}

static size_t
count_words(const char *text, const char *word)
{
	size_t	 n;

	for (n = 0; (text = strstr(text, word)) != NULL; n++)
		text += strlen(word);
	return n;
}

TEST(a_long_answer_is_split_at_a_word)
{
	const char	*said;

	use(slice(ph_replies_builtin));
	said = answer_to(long_event("seven77 ", 4800));		/* 600 words */
	assert_memory_equal(said, "{\"text\":\"You said: seven77 ", 26);
	assert_int_equal(count_messages(said), 3);
	assert_int_equal(count_words(said, "seven77"), 600);
	assert_int_equal(count_words(said, "seven77\"}\n") + count_words(said, "seven77 \"}\n"), 3);
}

TEST(no_character_is_split)
{
	const char	*said;

	use(slice(ph_replies_builtin));
	said = answer_to(long_event("\xf0\x9f\x98\x80", 4 * 2500));	/* two UTF-16 units each */
	assert_int_equal(count_messages(said), 4);		/* the first ends at its only blank */
	assert_int_equal(count_words(said, "\xf0\x9f\x98\x80"), 2500);
}

TEST(a_text_too_long_for_buttons_goes_before_them)
{
	static const size_t	 lengths[] = { 100, 640, 641, 1300, 2000, 2001, 2600, 2640, 4100, 6000 };
	const char		*said;
	size_t			 i, n;

	rules("{'on':'text','say':'{text}','buttons':[{'title':'A','payload':'A'}],'quick':['user_email']}");
	for (i = 0; i < COUNT_OF(lengths); i++) {
		said = answer_to(long_event("seven77 ", lengths[i]));
		n = count_messages(said);
		assert_int_equal(count_words(said, "seven77"), lengths[i] / 8);
		assert_int_equal(count_words(said, "template_type"), 1);
		assert_int_equal(count_words(said, "quick_replies"), 1);
		assert_int_equal(count_lines(strstr(said, "template_type")), 1);	/* the last */
		assert_true(n <= 2 + lengths[i] / 2000 + 1);
	}
}

TEST(a_text_of_nothing_is_no_message)
{
	rules("{'on':'any','say':'{text}','typing':true}");
	assert_string_equal(answer_to(POSTBACK("A")), "");
	assert_string_equal(thought.rule, "replies.json:2");
}

TEST(a_value_is_escaped_and_loses_its_nul)
{
	rules("{'on':'any','message':{'text':'<{text}>'}}");
	assert_string_equal(answer_to(TEXT("a\\u0000\\'},{\\n\\\\")), "{\"text\":\"<a\\\"},{\\n\\\\>\"}\n");
}

TEST(a_message_that_grows_beyond_a_limit_is_refused_with_its_rule)
{
	rules("{'on':'any','say':'a','pause':'1h'},\n{'on':'any','say':'b'}");
	assert_int_equal(fitting(TEXT("a")), 2);
	rules("{'on':'postback','say':'a'},\n\n{'on':'any','message':{'text':'{text}'}}");
	assert_int_equal(think_in(PH_MESSAGING, long_event("seven77 ", 4800)), PH_MALFORMED);
	assert_memory_equal(fail.text, "replies.json:4: text: ", 22);
}

TEST(a_persons_name_is_asked_for_once_a_rule_needs_it)
{
	const struct ph_person	 bo = { { "Bo \"B\"", 6 }, { NULL, 0 } };

	rules("{'on':'postback','say':'a'},\n{'on':'any','say':'Hi {user.first_name} {user.last_name}!','typing':true}");
	assert_int_equal(fitting(POSTBACK("A")), 2);
	assert_false(thought.wants_person);
	assert_int_equal(fitting(TEXT("a")), 0);
	assert_true(thought.wants_person);
	assert_false(thought.typing);
	assert_int_equal(thought.messages.len, 0);
	facts.person = &bo;
	assert_string_equal(answer_to(TEXT("a")), "{\"text\":\"Hi Bo \\\"B\\\" !\"}\n");
	assert_false(thought.wants_person);
}

TEST(pause_and_handover_stand_beside_what_is_said)
{
	rules("{'on':'text','is':'a','say':'a','pause':'12h','handover':263902037430900},\n"
	    "{'on':'text','is':'b','handover':true},\n{'on':'text','is':'c','ignore':true,'pause':'15m'},\n"
	    "{'on':'text','say':'d'}");
	assert_int_equal(fitting(TEXT("a")), 2);
	assert_int_equal(thought.pause_ms, INT64_C(12) * 3600 * 1000);
	assert_true(thought.handover);
	assert_string_equal(thought.handover_to, "263902037430900");
	assert_int_equal(fitting(TEXT("b")), 3);
	assert_true(thought.handover);
	assert_null(thought.handover_to);
	assert_int_equal(thought.pause_ms, 0);
	assert_int_equal(fitting(TEXT("c")), 4);
	assert_int_equal(thought.pause_ms, INT64_C(15) * 60 * 1000);
	assert_int_equal(thought.messages.len, 0);
	assert_int_equal(fitting(TEXT("d")), 5);
	assert_int_equal(thought.pause_ms, 0);
	assert_false(thought.handover);
}

/* Handlers. */

TEST(a_handler_gets_its_words_as_text_and_the_event_as_a_line)
{
	rules("{'on':'text','match':'order (?<n>\\\\d+)(x)?(.*)','exec':['./a','--','{n}','<{text}>','$(id) {{','']}");
	assert_int_equal(fitting("{" S ",\n'message':{'mid':'m_1',\r\n'text':'order 12 $(id)\\u0000\\n\\'-x'}}"), 2);
	assert_string_equal(thought.argv[0], "./a");
	assert_string_equal(thought.argv[2], "12");
	assert_string_equal(thought.argv[3], "<order 12 $(id)\n\"-x>");
	assert_string_equal(thought.argv[4], "$(id) {");
	assert_string_equal(thought.argv[5], "");
	assert_null(thought.argv[6]);
	assert_false(thought.coproc);
	assert_int_equal(thought.timeout_ms, 10000);
	assert_string_equal(text_of(&thought.line), "{\"id\":\"e4821\",\"attempt\":1,\"on\":\"text\",\"page\":\"9001\","
	    "\"psid\":\"7001\",\"time\":\"2026-01-01T00:00:00.123Z\",\"text\":\"order 12 $(id)\\n\\\"-x\","
	    "\"payload\":null,\"captures\":{\"n\":\"12\",\"3\":\" $(id)\"},\"event\":{\"sender\":{\"id\":\"7001\"},"
	    "\"recipient\":{\"id\":\"9001\"},\"timestamp\":1767225600000, \"message\":{\"mid\":\"m_1\",  "
	    "\"text\":\"order 12 $(id)\\u0000\\n\\\"-x\"}}}\n");
	assert_int_equal(thought.messages.len, 0);
}

TEST(a_coproc_is_asked_with_its_own_words_and_time)
{
	rules("{'on':'any','timeout':'2m','coproc':['./bot.py','{{x}'],'typing':true}");
	facts.attempt = 3;
	assert_int_equal(fitting(QUICK("Red", "RED")), 2);
	assert_true(thought.coproc && thought.typing);
	assert_string_equal(thought.argv[1], "{x}");
	assert_null(thought.argv[2]);
	assert_int_equal(thought.timeout_ms, 120000);
	assert_string_equal(thought.on, "quick_reply");
	assert_memory_equal(text_of(&thought.line), "{\"id\":\"e4821\",\"attempt\":3,\"on\":\"quick_reply\",", 45);
	assert_non_null(strstr(text_of(&thought.line), ",\"text\":\"Red\",\"payload\":\"RED\",\"captures\":{},"));
	assert_int_equal(fitting(SENT("{'type':'image'}")), 2);
	assert_non_null(strstr(text_of(&thought.line), ",\"text\":null,\"payload\":null,"));
}

TEST(words_beyond_128_kib_are_refused)
{
	static char	 entry[8192];
	size_t		 i, n = (size_t)snprintf(entry, sizeof(entry), "{'on':'text','exec':['./a','--'");

	for (i = 0; i < 20; i++)
		n += (size_t)snprintf(entry + n, sizeof(entry) - n, ",'{text}'");
	snprintf(entry + n, sizeof(entry) - n, "]}");
	rules(entry);
	assert_int_equal(fitting(long_event("seven77 ", 6400)), 2);
	assert_int_equal(think_in(PH_MESSAGING, long_event("seven77 ", 6600)), PH_MALFORMED);
	assert_string_equal(fail.text, "replies.json:2: the words for the handler are longer than 128 KiB");
	assert_int_equal(fitting(TEXT("a")), 2);		/* and the next event is answered */
	ph_thought_clear(&thought);
	ph_thought_clear(&thought);
}

#define ON(test)	cmocka_unit_test_setup_teardown(test, begin, forget)

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		ON(the_built_in_replies_are_these),
		ON(the_others_are_met_with_silence),
		ON(what_another_app_was_told_is_not_answered),
		ON(each_event_is_known_by_its_word),
		ON(any_is_what_a_person_says_or_presses),
		ON(a_quick_reply_is_a_text_too),
		ON(a_text_is_compared_whole_in_part_or_by_a_pattern),
		ON(a_payload_is_equal_or_begins_so),
		ON(a_ref_is_found_wherever_it_stands),
		ON(an_attachment_has_its_type_and_a_sticker_is_a_sticker),
		ON(page_first_turn_and_hours_are_conditions),
		ON(a_pattern_that_costs_too_much_does_not_match_and_is_told),
		ON(a_rule_is_known_by_its_line_whatever_comments_stand_before_it),
		ON(fields_become_what_the_event_has),
		ON(messages_go_out_in_the_order_in_which_they_stand),
		ON(quick_replies_go_onto_the_last_message),
		ON(buttons_turn_the_last_text_into_a_template),
		ON(a_long_answer_is_split_at_a_word),
		ON(no_character_is_split),
		ON(a_text_too_long_for_buttons_goes_before_them),
		ON(a_text_of_nothing_is_no_message),
		ON(a_value_is_escaped_and_loses_its_nul),
		ON(a_message_that_grows_beyond_a_limit_is_refused_with_its_rule),
		ON(a_persons_name_is_asked_for_once_a_rule_needs_it),
		ON(pause_and_handover_stand_beside_what_is_said),
		ON(a_handler_gets_its_words_as_text_and_the_event_as_a_line),
		ON(a_coproc_is_asked_with_its_own_words_and_time),
		ON(words_beyond_128_kib_are_refused),
	};

	return cmocka_run_group_tests_name("think", tests, NULL, NULL);
}
