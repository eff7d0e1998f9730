/*
 * test_layer -- where a setting stands, and what a mistake is told.
 * Knows layer.  Does not know what a setting means.
 * Called by make check.
 * Lives in a temporary directory.
 * SPDX-License-Identifier: ISC
 */
#include "layer.h"
#include "room.h"

static const struct ph_layer_name	 names[] = {
	{ "TOKEN", true }, { "TOKEN_OLD", true }, { "LONG_SECRET_NAME", true }, { "SIZE", false },
	{ NULL, false },
};
enum { TOKEN, TOKEN_OLD, LONG, SIZE };

static struct ph_layer	 layer;
static struct ph_fail	 wrong;

static int
leave(void **state)
{
	(void)state;
	ph_layer_clear(&layer);
	ph_layer_clear(&layer);			/* again is harmless */
	wrong = (struct ph_fail)PH_FAIL_INIT;
	return 0;
}

static enum ph_error
read_text(const char *text)
{
	ph_layer_clear(&layer);
	wrong = (struct ph_fail)PH_FAIL_INIT;
	return ph_layer_read_file(&layer, names, "/etc/pagehook/bot.conf", text, &wrong);
}

TEST(a_line_is_a_name_and_a_value)
{
	static const struct { const char *text, *value; } rows[] = {
		{ "TOKEN=a b#c", "a b#c" }, { "TOKEN=a\n", "a" }, { "TOKEN=a\r\n", "a" },
		{ " \t TOKEN = a \t\n", "a" }, { "TOKEN=\"a\"\n", "a" }, { "TOKEN='a'\r\n", "a" },
		{ "TOKEN= \" a ' \" \n", " a ' " }, { "TOKEN=a=b", "a=b" }, { "TOKEN=a\"b", "a\"b" },
		{ "TOKEN=", "" }, { "TOKEN=\"\"", "" }, { "# TOKEN=b\n;TOKEN=c\n\n \t\nTOKEN=a", "a" },
	};
	size_t	 i;

	for (i = 0; i < COUNT_OF(rows); i++) {
		must(read_text(rows[i].text), &wrong);
		assert_string_equal(layer.set[TOKEN].value, rows[i].value);
		assert_null(layer.set[TOKEN_OLD].value);
	}
}

TEST(each_name_is_told_from_its_like)
{
	must(read_text("TOKEN_OLD=old\nTOKEN_FILE=/f\n\nSIZE=5\nTOKEN_OLD_FILE=/g\n"), &wrong);
	assert_null(layer.set[TOKEN].value);
	assert_string_equal(layer.set_file[TOKEN].value, "/f");
	assert_string_equal(layer.set[TOKEN_OLD].value, "old");
	assert_string_equal(layer.set_file[TOKEN_OLD].value, "/g");
	assert_string_equal(layer.set[SIZE].value, "5");
	assert_string_equal(layer.set[SIZE].where, "bot.conf:4");
}

TEST(a_mistake_is_told_with_its_line)
{
	static const struct { const char *text, *told; } rows[] = {
		{ "\n\nLONG_SECERT_NAME=x\n", "bot.conf:3: no setting LONG_SECERT_NAME; LONG_SECRET_NAME?" },
		{ "WHATEVER_ELSE_IT_IS=x\n", "bot.conf:1: no setting WHATEVER_ELSE_IT_IS" },
		{ "token=x\n", "bot.conf:1: no setting token" },
		{ "SIZE_FILE=/x\n", "bot.conf:1: no setting SIZE_FILE" },
		{ "TOKEN\n", "bot.conf:1: no NAME=value" },
		{ "=x\n", "bot.conf:1: no setting " },
		{ "export TOKEN=x\n", "bot.conf:1: no setting export TOKEN" },
		{ "TOKEN=x\nSIZE=1\nTOKEN=x\n", "bot.conf:3: TOKEN is already set in bot.conf:1" },
		{ "TOKEN=\"x\n", "bot.conf:1: TOKEN: the quotes do not match" },
		{ "TOKEN='x\" \n", "bot.conf:1: TOKEN: the quotes do not match" },
		{ "TOKEN=\"a\"b\"\n", "bot.conf:1: TOKEN: the quotes do not match" },
		{ "TOKEN=\"\n", "bot.conf:1: TOKEN: the quotes do not match" },
	};
	size_t	 i;

	for (i = 0; i < COUNT_OF(rows); i++) {
		assert_int_equal(read_text(rows[i].text), PH_CONFIG);
		if (strncmp(wrong.text, rows[i].told, strlen(rows[i].told)) != 0)
			fail_msg("told: %s\nnot: %s", wrong.text, rows[i].told);
	}
}

TEST(a_mistake_tells_no_secret)
{
	assert_int_equal(read_text("TOKEN=hushhush\nTOKEN=hushhush\n"), PH_CONFIG);
	assert_null(strstr(wrong.text, "hush"));
	assert_int_equal(read_text("TOKEN=\"hushhush\n"), PH_CONFIG);
	assert_null(strstr(wrong.text, "hush"));
}

static bool
short_ones(const char *variable)
{
	return strncmp(variable, "LONG", 4) != 0;
}

TEST(of_variables_those_that_count_are_taken)
{
	static const char *const	 variables[] = { "TOKEN=a", "TOKEN=b", "LONG_SECRET_NAME=x", "HOME=/",
		"TOKEN_OLD_FILE=/f", "SIZE", "TOKENS=1", "SIZE=", NULL };

	must(ph_layer_read_variables(&layer, names, variables, short_ones, &wrong), &wrong);
	assert_string_equal(layer.set[TOKEN].value, "a");	/* the first, as getenv has it */
	assert_string_equal(layer.set[TOKEN].where, "TOKEN");
	assert_null(layer.set[LONG].value);
	assert_string_equal(layer.set_file[TOKEN_OLD].value, "/f");
	assert_string_equal(layer.set[SIZE].value, "");
	must(ph_layer_read_variables(&layer, names, NULL, NULL, &wrong), &wrong);
}

TEST(credentials_are_files_named_like_secrets)
{
	char	 path[600];

	room_write("TOKEN", BYTES("t"), 0600);
	room_write("SIZE", BYTES("5"), 0600);
	must(ph_layer_read_credentials(&layer, names, room, &wrong), &wrong);
	snprintf(path, sizeof(path), "%s/TOKEN", room);
	assert_string_equal(layer.set_file[TOKEN].value, path);
	assert_null(layer.set[TOKEN].value);
	assert_null(layer.set_file[SIZE].value);
	assert_null(layer.set_file[LONG].value);
	must(ph_layer_read_credentials(&layer, names, NULL, &wrong), &wrong);
}

static int
leave_room(void **state)
{
	leave(state);
	return room_leave(state);
}

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		cmocka_unit_test_teardown(a_line_is_a_name_and_a_value, leave),
		cmocka_unit_test_teardown(each_name_is_told_from_its_like, leave),
		cmocka_unit_test_teardown(a_mistake_is_told_with_its_line, leave),
		cmocka_unit_test_teardown(a_mistake_tells_no_secret, leave),
		cmocka_unit_test_teardown(of_variables_those_that_count_are_taken, leave),
		cmocka_unit_test_setup_teardown(credentials_are_files_named_like_secrets, room_enter,
		    leave_room),
	};

	return cmocka_run_group_tests_name("layer", tests, NULL, NULL);
}
