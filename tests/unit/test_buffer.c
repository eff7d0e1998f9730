/*
 * test_buffer -- bytes grow as they came, and memory that ran out is not forgotten.
 * Knows buffer.  Does not know what the bytes mean.
 * Called by make check.
 * Lives on its stack.
 * SPDX-License-Identifier: ISC
 */
#include "unit.h"

TEST(bytes_stay_as_they_came_however_many)
{
	struct ph_buffer	 b = PH_BUFFER_INIT;
	unsigned char		 byte;
	size_t			 i;

	for (i = 0; i < 10000; i++) {
		byte = (unsigned char)(i * 7);		/* NULs among them */
		ph_buffer_add(&b, &byte, 1);
	}
	assert_int_equal(b.len, 10000);
	for (i = 0; i < 10000; i++)
		assert_int_equal((unsigned char)b.data[i], (unsigned char)(i * 7));
	assert_int_equal(b.data[b.len], 0);
	ph_buffer_clear(&b);
}

TEST(text_and_formats_are_appended)
{
	struct ph_buffer	 b = PH_BUFFER_INIT;

	ph_buffer_adds(&b, "one ");
	ph_buffer_addf(&b, "%d %s ", 2, "three");
	ph_buffer_add(&b, "", 0);
	ph_buffer_addf(&b, "%0300d", 4);
	assert_int_equal(b.len, 4 + 8 + 300);
	assert_memory_equal(b.data, "one 2 three 000", 15);
	assert_int_equal(b.data[b.len - 1], '4');
	ph_buffer_clear(&b);
}

TEST(the_inside_of_a_json_string_is_escaped)
{
	static const struct { struct ph_slice text; const char *json; } rows[] = {
		{ { "plain", 5 }, "plain" },
		{ { "say \"hi\"", 8 }, "say \\\"hi\\\"" },
		{ { "back\\slash", 10 }, "back\\\\slash" },
		{ { "a\nb", 3 }, "a\\nb" },
		{ { "\t\r\x01\x1f\x7f", 5 }, "\\u0009\\u000d\\u0001\\u001f\\u007f" },
		{ { "a\0b", 3 }, "ab" },
		{ { "\xc3\xa9 \xf0\x9f\x98\x80", 7 }, "\xc3\xa9 \xf0\x9f\x98\x80" },
		{ { "\"", 1 }, "\\\"" },
		{ { "", 0 }, "" },
	};
	size_t	 i;

	for (i = 0; i < COUNT_OF(rows); i++) {
		struct ph_buffer	 b = PH_BUFFER_INIT;

		ph_buffer_add_json(&b, rows[i].text);
		assert_string_equal(shown(PH_SLICE(&b)), rows[i].json);
		ph_buffer_clear(&b);
	}
}

TEST(room_is_writable_to_its_end)
{
	struct ph_buffer	 b = PH_BUFFER_INIT;
	char			*room;

	ph_buffer_adds(&b, "ab");
	assert_non_null(room = ph_buffer_room(&b, 1000));
	memset(room, 'x', 1000);
	b.len += 1000;
	ph_buffer_adds(&b, "!");
	assert_int_equal(b.len, 1003);
	assert_memory_equal(b.data, "abxx", 4);
	assert_int_equal(b.data[1002], '!');
	ph_buffer_clear(&b);
}

TEST(memory_that_ran_out_is_remembered_until_reset)
{
	struct ph_buffer	 b = PH_BUFFER_INIT;
	struct ph_fail		 fail = PH_FAIL_INIT;

	ph_buffer_adds(&b, "kept");
	assert_null(ph_buffer_room(&b, SIZE_MAX));
	ph_buffer_adds(&b, "lost");
	ph_buffer_addf(&b, "%s", "lost");
	assert_string_equal(b.data, "kept");
	assert_int_equal(ph_buffer_check(&b, &fail), PH_NOMEM);
	assert_int_equal(fail.err, PH_NOMEM);
	ph_buffer_reset(&b);
	assert_int_equal(ph_buffer_check(&b, NULL), PH_OK);
	ph_buffer_adds(&b, "again");
	assert_string_equal(b.data, "again");
	ph_buffer_clear(&b);
}

TEST(dropped_bytes_leave_the_rest_in_front)
{
	struct ph_buffer	 b = PH_BUFFER_INIT;

	ph_buffer_drop(&b, 0);
	ph_buffer_adds(&b, "abcdef");
	ph_buffer_drop(&b, 2);
	assert_string_equal(b.data, "cdef");
	ph_buffer_drop(&b, 4);
	assert_int_equal(b.len, 0);
	assert_string_equal(b.data, "");
	ph_buffer_clear(&b);
}

TEST(a_buffer_may_be_cleared_again_and_again)
{
	struct ph_buffer	 b = PH_BUFFER_INIT;

	ph_buffer_clear(&b);
	ph_buffer_reset(&b);
	ph_buffer_adds(&b, "x");
	ph_buffer_clear(&b);
	ph_buffer_clear(&b);
	assert_null(b.data);
	assert_int_equal(PH_SLICE(&b).len, 0);
	assert_non_null(PH_SLICE(&b).at);
}

TEST(a_slice_is_its_text_and_absent_is_no_text)
{
	assert_true(ph_slice_is(BYTES("page"), "page"));
	assert_false(ph_slice_is(BYTES("page"), "pag"));
	assert_false(ph_slice_is(BYTES("pag"), "page"));
	assert_false(ph_slice_is(BYTES("page\0"), "page"));
	assert_true(ph_slice_is(BYTES(""), ""));
	assert_false(ph_slice_is((struct ph_slice){ NULL, 0 }, ""));
}

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		cmocka_unit_test(bytes_stay_as_they_came_however_many),
		cmocka_unit_test(text_and_formats_are_appended),
		cmocka_unit_test(the_inside_of_a_json_string_is_escaped),
		cmocka_unit_test(room_is_writable_to_its_end),
		cmocka_unit_test(memory_that_ran_out_is_remembered_until_reset),
		cmocka_unit_test(dropped_bytes_leave_the_rest_in_front),
		cmocka_unit_test(a_buffer_may_be_cleared_again_and_again),
		cmocka_unit_test(a_slice_is_its_text_and_absent_is_no_text),
	};

	return cmocka_run_group_tests_name("buffer", tests, NULL, NULL);
}
