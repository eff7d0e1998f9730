/*
 * test_bounds -- which message objects the Send API takes, and what is said of those it does not.
 * Knows limits.  Does not know who made the object.
 * Called by make check.
 * Lives on its stack.
 * SPDX-License-Identifier: ISC
 */
#include "bounds.h"
#include "unit.h"

static struct ph_buffer	 text, warnings;

static void
repeat(const char *what, size_t times)
{
	while (times-- > 0)
		ph_buffer_adds(&text, what);
}

static int
begin(void **state)
{
	(void)state;
	ph_buffer_reset(&text);
	return 0;
}

static int
forget(void **state)
{
	(void)state;
	ph_buffer_clear(&text);
	ph_buffer_clear(&warnings);
	return 0;
}

static void
note(void *arg, const char *words)
{
	assert_ptr_equal(arg, &warnings);
	ph_buffer_addf(&warnings, "%s\n", words);
}

/* What check says of a message written with single quotes: "" when it is taken. */
static const char *
verdict(const char *message)
{
	static struct ph_fail	 fail;
	struct ph_buffer	 json = PH_BUFFER_INIT;
	enum ph_error		 err;
	char			*p;

	ph_buffer_adds(&json, message);
	for (p = json.data; p != NULL && *p != '\0'; p++)
		if (*p == '\'')
			*p = '"';
	ph_buffer_reset(&warnings);
	fail = (struct ph_fail)PH_FAIL_INIT;
	err = ph_bounds_check(PH_SLICE(&json), note, &warnings, &fail);
	ph_buffer_clear(&json);
	assert_int_equal(err, fail.err);
	assert_true(err == PH_OK || err == PH_MALFORMED);
	return fail.text;
}

#define TEMPLATE(is, rest)	"{'attachment':{'type':'template','payload':{'template_type':'" is "'," rest "}}}"
#define BUTTON			"{'type':'postback','title':'T','payload':'P'}"
#define QUICK			"{'content_type':'text','title':'T','payload':'P'}"
#define FOUR(x)			x "," x "," x "," x

TEST(messages_that_the_send_api_takes_pass)
{
	static const char *const	 rows[] = {
		"{'text':'hi'}", " { 'text' : 'hi', 'more' : [1] } ", "{'sticker_id':777}",
		"{'text':'hi','quick_replies':[" QUICK "]}",
		"{'text':'hi','quick_replies':[{'content_type':'user_email'},{'content_type':'user_phone_number'}]}",
		"{'text':'hi','quick_replies':[{'content_type':'text','title':'','image_url':'u','payload':'P'}]}",
		"{'attachment':{'type':'image','payload':{'url':'https://x/y.png','is_reusable':true}}}",
		"{'attachment':{'type':'file','payload':{'attachment_id':'77'}},'quick_replies':[" QUICK "]}",
		TEMPLATE("button", "'text':'T','buttons':[" BUTTON ",{'type':'web_url','url':'u','title':'T'},"
		    "{'type':'account_unlink'}]"),
		TEMPLATE("button", "'text':'T','buttons':[{'type':'account_link','url':'u'},"
		    "{'type':'phone_number','title':'T','payload':'+1'}]"),
		TEMPLATE("generic", "'elements':[{'title':'T','subtitle':'S','buttons':[" BUTTON "]},{'title':'U'}]"),
		TEMPLATE("media", "'elements':[{'media_type':'image','attachment_id':'1','buttons':[" BUTTON "]}]"),
		TEMPLATE("receipt", "'order_number':7"),
	};
	size_t	 i;

	for (i = 0; i < COUNT_OF(rows); i++) {
		assert_string_equal(verdict(rows[i]), "");
		assert_int_equal(warnings.len, 0);
	}
}

TEST(messages_that_it_would_not_take_are_refused_with_their_place)
{
	static const struct { const char *message, *says; } rows[] = {
		{ "", "not JSON at byte 0: expected a value" }, { "[]", "expected a message object" },
		{ "'hi'", "expected a message object" }, { "{'text':NaN}", "not JSON at byte 8: expected a value" },
		{ "{'text':'hi'} {}", "not JSON at byte 14: expected the end" },
		{ "{}", "expected a text, an attachment or a sticker_id" },
		{ "{'text':null}", "expected a text, an attachment or a sticker_id" },
		{ "{'text':7}", "text: expected a text" }, { "{'text':' \\n'}", "text: blank" },
		{ "{'text':'a\\u0000b'}", "a NUL at byte 10" },
		{ "{'text':'hi','metadata':'x'}", "metadata: it is pagehook's own" },
		{ "{'text':'hi','meta\\u0064ata':null}", "metadata: it is pagehook's own" },
		{ "{'text':'hi','attachment':{}}", "text: not beside an attachment" },
		{ "{'text':'hi','quick_replies':{}}", "quick_replies: expected a list" },
		{ "{'text':'hi','quick_replies':[]}", "quick_replies: empty" },
		{ "{'text':'hi','quick_replies':[7]}", "quick_replies[0]: expected an object" },
		{ "{'text':'hi','quick_replies':[" FOUR(QUICK) "," FOUR(QUICK) "," FOUR(QUICK) "," QUICK "," QUICK "]}",
		    "quick_replies: 14, at most 13" },
		{ "{'text':'hi','quick_replies':[{'title':'T'}]}", "quick_replies[0].content_type: missing" },
		{ "{'text':'hi','quick_replies':[" QUICK ",{'content_type':'text','payload':'P'}]}",
		    "quick_replies[1].title: missing" },
		{ "{'text':'hi','quick_replies':[{'content_type':'text','title':'','payload':'P'}]}",
		    "quick_replies[0].title: blank" },
		{ "{'text':'hi','quick_replies':[{'content_type':'text','title':'T'}]}",
		    "quick_replies[0].payload: missing" },
		{ "{'text':'hi','quick_replies':[{'content_type':'user_email','title':'T'}]}",
		    "quick_replies[0].title: this kind of quick reply has none" },
		{ "{'attachment':7}", "attachment: expected an object" },
		{ "{'attachment':{'payload':{}}}", "attachment.type: missing" },
		{ "{'attachment':{'type':'pdf','payload':{}}}",
		    "attachment.type: expected image, audio, video, file or template" },
		{ "{'attachment':{'type':'image'}}", "attachment.payload: missing" },
		{ "{'attachment':{'type':'image','payload':'u'}}", "attachment.payload: expected an object" },
		{ "{'attachment':{'type':'image','payload':{}}}",
		    "attachment.payload: expected a url or an attachment_id" },
		{ "{'attachment':{'type':'video','payload':{'url':7}}}", "attachment.payload.url: expected a text" },
		{ "{'attachment':{'type':'template','payload':{}}}", "attachment.payload.template_type: missing" },
		{ TEMPLATE("button", "'buttons':[" BUTTON "]"), "attachment.payload.text: missing" },
		{ TEMPLATE("button", "'text':'T'"), "attachment.payload.buttons: missing" },
		{ TEMPLATE("button", "'text':'T','buttons':[" FOUR(BUTTON) "]"),
		    "attachment.payload.buttons: 4, at most 3" },
		{ TEMPLATE("button", "'text':'T','buttons':[{'type':'web_url','title':'T'}]"),
		    "attachment.payload.buttons[0].url: missing" },
		{ TEMPLATE("button", "'text':'T','buttons':[{'title':'T'}]"),
		    "attachment.payload.buttons[0].type: missing" },
		{ TEMPLATE("generic", "'elements':[]"), "attachment.payload.elements: empty" },
		{ TEMPLATE("generic", "'elements':[{'title':'T'},{'subtitle':'S'}]"),
		    "attachment.payload.elements[1].title: missing" },
		{ TEMPLATE("generic", "'elements':[{'title':'T','buttons':[" FOUR(BUTTON) "]}]"),
		    "attachment.payload.elements[0].buttons: 4, at most 3" },
		{ TEMPLATE("generic", "'elements':[" FOUR("{'title':'T'}") "," FOUR("{'title':'T'}") ","
		    FOUR("{'title':'T'}") "]"), "attachment.payload.elements: 12, at most 10" },
		{ TEMPLATE("media", "'elements':7"), "attachment.payload.elements: expected a list" },
	};
	size_t	 i;

	for (i = 0; i < COUNT_OF(rows); i++)
		assert_string_equal(verdict(rows[i].message), rows[i].says);
}

/* The longest that passes, and one unit more; a smiley is two. */
TEST(lengths_are_counted_in_units)
{
	static const struct { const char *before, *after; size_t max; const char *says; } rows[] = {
		{ "{'text':'", "'}", 2000, "text: 2001 characters, at most 2000" },
		{ "{'attachment':{'type':'template','payload':{'template_type':'button','buttons':[" BUTTON "],'text':'",
		    "'}}}", 640, "attachment.payload.text: 641 characters, at most 640" },
		{ "{'attachment':{'type':'template','payload':{'template_type':'generic','elements':[{'title':'",
		    "'}]}}}", 80, "attachment.payload.elements[0].title: 81 characters, at most 80" },
		{ "{'attachment':{'type':'template','payload':{'template_type':'generic','elements':[{'title':'T',"
		    "'subtitle':'", "'}]}}}", 80, "attachment.payload.elements[0].subtitle: 81 characters, at most 80" },
	};
	size_t	 i;
	int	 over;

	for (i = 0; i < COUNT_OF(rows); i++)
		for (over = 0; over < 2; over++) {
			ph_buffer_reset(&text);
			ph_buffer_adds(&text, rows[i].before);
			repeat("\xf0\x9f\x98\x80", rows[i].max / 2);
			repeat("x", (size_t)over);
			ph_buffer_adds(&text, rows[i].after);
			assert_string_equal(verdict(text.data), over ? rows[i].says : "");
		}
}

TEST(what_is_not_certain_is_a_warning)
{
	static const struct { const char *message, *says; } rows[] = {
		{ "{'text':'hi','quick_replies':[{'content_type':'text','title':'123456789012345678901','payload':'P'}]}",
		    "quick_replies[0].title: 21 characters, more than 20 may be cut or refused\n" },
		{ TEMPLATE("button", "'text':'T','buttons':[{'type':'new','x':1}]"),
		    "attachment.payload.buttons[0].type: a kind of button that is not known here\n" },
		{ "{'text':'hi','quick_replies':[{'content_type':'new'}]}",
		    "quick_replies[0].content_type: a kind of quick reply that is not known here\n" },
		{ TEMPLATE("media", "'elements':[{},{}]"),
		    "attachment.payload.elements: more than one may be refused\n" },
	};
	size_t	 i;

	for (i = 0; i < COUNT_OF(rows); i++) {
		assert_string_equal(verdict(rows[i].message), "");
		assert_string_equal(warnings.data, rows[i].says);
	}
	ph_buffer_adds(&text, "{'text':'hi','quick_replies':[{'content_type':'text','title':'T','payload':'");
	repeat("x", 1001);
	ph_buffer_adds(&text, "'}]}");
	assert_string_equal(verdict(text.data), "");
	assert_string_equal(warnings.data,
	    "quick_replies[0].payload: 1001 characters, more than 1000 may be cut or refused\n");
	assert_int_equal(ph_bounds_check(BYTES("{\"text\":\"hi\",\"quick_replies\":"
	    "[{\"content_type\":\"new\"}]}"), NULL, NULL, NULL), PH_OK);
}

TEST(a_message_nested_too_deeply_is_malformed)
{
	ph_buffer_adds(&text, "{'text':'hi','x':");
	repeat("[", 40);
	repeat("]", 40);
	ph_buffer_adds(&text, "}");
	assert_non_null(strstr(verdict(text.data), "at most 32 levels"));
}

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		cmocka_unit_test(messages_that_the_send_api_takes_pass),
		cmocka_unit_test(messages_that_it_would_not_take_are_refused_with_their_place),
		cmocka_unit_test_setup(lengths_are_counted_in_units, begin),
		cmocka_unit_test_setup(what_is_not_certain_is_a_warning, begin),
		cmocka_unit_test_setup(a_message_nested_too_deeply_is_malformed, begin),
	};

	return cmocka_run_group_tests_name("limits", tests, NULL, forget);
}
