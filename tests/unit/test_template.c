/*
 * test_template -- fields in texts, addresses and JSON, and what is refused.
 * Knows template, json.  Does not know what the fields mean.
 * Called by make check.
 * Lives on its stack.
 * SPDX-License-Identifier: ISC
 */
#include "json.h"
#include "template.h"
#include "unit.h"

static struct ph_buffer	 out;

static bool
known(void *arg, const char *name)
{
	return arg == &out && (strcmp(name, "text") == 0 || strcmp(name, "user.first_name") == 0 ||
	    strcmp(name, "1") == 0 || strcmp(name, "_n2") == 0 || strcmp(name, "nul") == 0);
}

static struct ph_slice
value(void *arg, const char *name)
{
	assert_ptr_equal(arg, &out);
	if (strcmp(name, "text") == 0)
		return slice("a \"{1}\" \\ \xc3\xa9\n&/~");
	if (strcmp(name, "1") == 0)
		return slice("ONE");
	if (strcmp(name, "nul") == 0)
		return BYTES("\0a\0\0b\0");
	return (struct ph_slice){ NULL, 0 };
}

static const char *
fill(const char *text, enum ph_template_is is)
{
	struct ph_template	*t;
	struct ph_fail		 fail = PH_FAIL_INIT;
	size_t			 at;

	must(ph_template_new(slice(text), is, known, &out, &t, &at, &fail), &fail);
	ph_buffer_reset(&out);
	ph_template_fill(t, value, &out, &out);
	ph_template_free(t);
	return out.data != NULL ? out.data : "";
}

static int
forget(void **state)
{
	(void)state;
	ph_buffer_clear(&out);
	return 0;
}

TEST(fields_are_replaced_and_braces_stay)
{
	static const struct { const char *text, *becomes; } rows[] = {
		{ "", "" }, { "plain", "plain" }, { "{1}", "ONE" }, { "<{1}{1}>", "<ONEONE>" },
		{ "Hi {user.first_name}!", "Hi !" }, { "{_n2}", "" }, { "a {{ b } c }} d", "a { b } c }} d" },
		{ "{{1}", "{1}" }, { "{{{1}}", "{ONE}" }, { "{{{{", "{{" }, { "\xc3\xa9{1}\xc3\xa9", "\xc3\xa9ONE\xc3\xa9" },
	};
	size_t	 i;

	for (i = 0; i < COUNT_OF(rows); i++)
		assert_string_equal(fill(rows[i].text, PH_TEMPLATE_TEXT), rows[i].becomes);
}

TEST(a_value_is_never_looked_at_again)
{
	assert_string_equal(fill("<{text}>", PH_TEMPLATE_TEXT), "<a \"{1}\" \\ \xc3\xa9\n&/~>");
}

TEST(a_value_in_a_text_loses_its_nuls)
{
	assert_string_equal(fill("<{nul}>", PH_TEMPLATE_TEXT), "<ab>");
	assert_int_equal(out.len, 4);
}

TEST(a_value_in_an_address_is_percent_encoded_and_the_address_is_not)
{
	assert_string_equal(fill("https://x/?q={text}&n={1}", PH_TEMPLATE_URL),
	    "https://x/?q=a%20%22%7B1%7D%22%20%5C%20%C3%A9%0A%26%2F~&n=ONE");
	assert_string_equal(fill("{nul}", PH_TEMPLATE_URL), "%00a%00%00b%00");
}

TEST(json_comes_out_on_one_line_with_its_values_escaped)
{
	static const struct { const char *text, *becomes; } rows[] = {
		{ "{\n\t\"text\" : \"Hi  {1}\" ,\r\n \"n\": [ 1, true ] }",
		    "{\"text\":\"Hi  ONE\",\"n\":[1,true]}" },
		{ "{\"text\":\"{text}\"}", "{\"text\":\"a \\\"{1}\\\" \\\\ \xc3\xa9\\n&/~\"}" },
		{ "{\"t\":\"{{1} \\\" {1} \\\\\"}", "{\"t\":\"{1} \\\" ONE \\\\\"}" },
		{ "{\"{1}\" : \"{nul}\", \"{bad\":\"\\u007b1}\"}", "{\"{1}\":\"ab\",\"{bad\":\"\\u007b1}\"}" },
		{ "[\"{1}\",{\"a\":{\"b\":\"{1}\"}}]", "[\"ONE\",{\"a\":{\"b\":\"ONE\"}}]" },
	};
	struct ph_fail	 fail = PH_FAIL_INIT;
	struct ph_json	*v;
	size_t		 i;

	for (i = 0; i < COUNT_OF(rows); i++) {
		assert_string_equal(fill(rows[i].text, PH_TEMPLATE_JSON), rows[i].becomes);
		must(ph_json_parse(PH_SLICE(&out), &v, &fail), &fail);
		ph_json_free(v);
	}
}

TEST(what_is_no_field_is_refused_with_its_byte)
{
	static const char	 brace[] = "no field begins here: write {{ for a brace";
	static const struct { const char *text; enum ph_template_is is; size_t at; const char *says; } rows[] = {
		{ "Hi {nmae}!", PH_TEMPLATE_TEXT, 3, "no field {nmae}" },
		{ "\xc3\xa9{2}", PH_TEMPLATE_TEXT, 2, "no field {2}" },
		{ "{1}{Text}", PH_TEMPLATE_URL, 3, "no field {Text}" },
		{ "{1", PH_TEMPLATE_TEXT, 0, brace }, { "a{", PH_TEMPLATE_TEXT, 1, brace },
		{ "{}", PH_TEMPLATE_TEXT, 0, brace }, { "{ 1 }", PH_TEMPLATE_TEXT, 0, brace },
		{ "{1a}", PH_TEMPLATE_TEXT, 0, brace }, { "{.a}", PH_TEMPLATE_TEXT, 0, brace },
		{ "{a-b}", PH_TEMPLATE_TEXT, 0, brace }, { "{{{", PH_TEMPLATE_TEXT, 2, brace },
		{ "{\"a\": \"x{nmae}\"}", PH_TEMPLATE_JSON, 8, "no field {nmae}" },
		{ "[ \"{1\",\"}\"]", PH_TEMPLATE_JSON, 3, brace },
	};
	struct ph_template	*t = NULL;
	size_t			 i, at;

	for (i = 0; i < COUNT_OF(rows); i++) {
		struct ph_fail	 fail = PH_FAIL_INIT;

		assert_int_equal(ph_template_new(slice(rows[i].text), rows[i].is, known, &out, &t, &at, &fail),
		    PH_MALFORMED);
		assert_null(t);
		assert_string_equal(fail.text, rows[i].says);
		assert_int_equal(at, rows[i].at);
	}
}

TEST(its_fields_can_be_named)
{
	struct ph_template	*t;
	struct ph_fail		 fail = PH_FAIL_INIT;
	size_t			 at;

	must(ph_template_new(BYTES("{{x} {text} and {1}, {1}"), PH_TEMPLATE_TEXT, known, &out, &t, &at,
	    &fail), &fail);
	assert_string_equal(ph_template_field(t, 0), "text");
	assert_string_equal(ph_template_field(t, 1), "1");
	assert_string_equal(ph_template_field(t, 2), "1");
	assert_null(ph_template_field(t, 3));
	ph_template_free(t);
	ph_template_free(NULL);
}

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		cmocka_unit_test(fields_are_replaced_and_braces_stay),
		cmocka_unit_test(a_value_is_never_looked_at_again),
		cmocka_unit_test(a_value_in_a_text_loses_its_nuls),
		cmocka_unit_test(a_value_in_an_address_is_percent_encoded_and_the_address_is_not),
		cmocka_unit_test(json_comes_out_on_one_line_with_its_values_escaped),
		cmocka_unit_test(what_is_no_field_is_refused_with_its_byte),
		cmocka_unit_test(its_fields_can_be_named),
	};

	return cmocka_run_group_tests_name("template", tests, NULL, forget);
}
