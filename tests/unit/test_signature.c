/*
 * test_signature -- who sent these bytes, by the vectors that were published for it.
 * Knows signature.  Does not know requests or settings.
 * Called by make check.
 * Lives on its stack.
 * SPDX-License-Identifier: ISC
 */
#include "signature.h"
#include "unit.h"

#define SECRET		"example-app-secret"
#define BODY		"{\"object\":\"page\",\"entry\":[]}"
#define DIGITS		"ad8be1d70c23fcbf13161e2bdec3804c9dc74496ff7ef30b79d9ac1c3a791649"

static enum ph_error
check(const char *current, const char *previous, struct ph_slice body, const char *header)
{
	const struct ph_secrets	 secrets = { current, previous };
	struct ph_fail		 fail = PH_FAIL_INIT;
	enum ph_error		 err = ph_signature_check(&secrets, body, header, &fail);

	assert_int_equal(err, fail.err);
	assert_null(strstr(fail.text, SECRET));
	return err;
}

TEST(the_published_vectors_hold)
{
	static const char	 escaped[] =	/* the escapes are bytes of the body */
	    "{\"object\":\"page\",\"entry\":[],\"x\":\"caf\\u00e9 \\/ \\ud83d\\ude00\"}";

	assert_int_equal(strlen(BODY), 28);
	assert_int_equal(strlen(escaped), 60);
	assert_int_equal(check(SECRET, NULL, BYTES(BODY), "sha256=" DIGITS), PH_OK);
	assert_int_equal(check(SECRET, NULL, slice(escaped),
	    "sha256=c9943f7c06791f24da99fdf21b36d4b7b69f0a6621fc270876082e9abb27c48f"), PH_OK);
}

TEST(the_published_proof_of_a_token_is_made)
{
	char	 proof[PH_SIGNATURE_LEN + 1];

	assert_int_equal(ph_signature_format(SECRET, BYTES("example-page-token"), proof, NULL), PH_OK);
	assert_string_equal(proof, "e75a16661b8f87292c3cd5928bbf1068a3d1a20b169fdc3cd07327329b894ffc");
}

/* RFC 4231, 4.3 and 4.7; between them, by openssl dgst -hmac, keys of a block and of one byte more. */
TEST(a_secret_has_any_length)
{
	static const struct { size_t n; const char *part, *text, *digits; } vectors[] = {
		{ 1, "Jefe", "what do ya want for nothing?",
		    "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843" },
		{ 64, "k", "what do ya want for nothing?",
		    "63f12563e45dcef7c354a6ba71d0c713aa28eea869b5a199da814b225867f54c" },
		{ 65, "k", "what do ya want for nothing?",
		    "58b6aa8aff9a0a75db8f453becc657e29cdde625b22acf3febfb296484223f22" },
		{ 131, "\xaa", "Test Using Larger Than Block-Size Key - Hash Key First",
		    "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54" },
	};
	char	 signature[PH_SIGNATURE_LEN + 1];
	size_t	 i, n;

	for (i = 0; i < COUNT_OF(vectors); i++) {
		struct ph_buffer	 secret = PH_BUFFER_INIT;

		for (n = 0; n < vectors[i].n; n++)
			ph_buffer_adds(&secret, vectors[i].part);
		assert_int_equal(ph_signature_format(PH_SLICE(&secret).at, slice(vectors[i].text),
		    signature, NULL), PH_OK);
		assert_string_equal(signature, vectors[i].digits);
		ph_buffer_clear(&secret);
	}
}

TEST(a_header_with_63_digits_is_forged)
{
	assert_int_equal(check(SECRET, NULL, BYTES(BODY),
	    "sha256=ad8be1d70c23fcbf13161e2bdec3804c9dc74496ff7ef30b79d9ac1c3a79164"), PH_FORGED);
}

TEST(anything_but_the_one_form_is_forged)
{
	static const char *const	 headers[] = {
		NULL, "", "sha256=", DIGITS, "sha1=" DIGITS, "SHA256=" DIGITS, "sha512=" DIGITS,
		" sha256=" DIGITS, "sha256= " DIGITS, "sha256=" DIGITS " ", "sha256=" DIGITS "0",
		"sha256=" DIGITS ", sha256=" DIGITS, "sha256=" DIGITS ",",
		"sha1=da39a3ee5e6b4b0d3255bfef95601890afd80709", "sha256=\"" DIGITS "\"",
		"sha256=gd8be1d70c23fcbf13161e2bdec3804c9dc74496ff7ef30b79d9ac1c3a791649",
	};
	size_t	 i;

	for (i = 0; i < COUNT_OF(headers); i++)
		if (check(SECRET, NULL, BYTES(BODY), headers[i]) != PH_FORGED)
			fail_msg("%s is no signature", headers[i] != NULL ? headers[i] : "(absent)");
}

TEST(each_bit_of_the_signature_counts)
{
	char	 header[] = "sha256=" DIGITS;
	size_t	 i;

	for (i = 7; header[i] != '\0'; i++) {
		char	 right = header[i];

		header[i] = right == '0' ? '1' : '0';
		assert_int_equal(check(SECRET, NULL, BYTES(BODY), header), PH_FORGED);
		header[i] = right;
	}
	assert_int_equal(check(SECRET, NULL, BYTES(BODY), header), PH_OK);
}

TEST(each_byte_of_the_body_counts)
{
	assert_int_equal(check(SECRET, NULL, BYTES(BODY "\n"), "sha256=" DIGITS), PH_FORGED);
	assert_int_equal(check(SECRET, NULL, BYTES(BODY "\0"), "sha256=" DIGITS), PH_FORGED);
	assert_int_equal(check(SECRET, NULL, BYTES(""), "sha256=" DIGITS), PH_FORGED);
}

TEST(while_rotating_the_previous_secret_counts_too)
{
	assert_int_equal(check("new", SECRET, BYTES(BODY), "sha256=" DIGITS), PH_OK);
	assert_int_equal(check(SECRET, "old", BYTES(BODY), "sha256=" DIGITS), PH_OK);
	assert_int_equal(check("new", "old", BYTES(BODY), "sha256=" DIGITS), PH_FORGED);
	assert_int_equal(check("new", NULL, BYTES(BODY), "sha256=" DIGITS), PH_FORGED);
}

TEST(with_an_empty_secret_nobody_can_be_proved)
{
	/* The HMAC of the body under an empty key: anybody can compute it. */
	static const char	 anybody[] =
	    "sha256=f117fbb4e9c49c36968d7e5c1ff0c517e23b08385791fe533b642dbc519df4d9";
	char			 out[PH_SIGNATURE_LEN + 1];

	assert_int_equal(check("", NULL, BYTES(BODY), anybody), PH_CONFIG);
	assert_int_equal(check(NULL, NULL, BYTES(BODY), anybody), PH_CONFIG);
	assert_int_equal(check(NULL, SECRET, BYTES(BODY), "sha256=" DIGITS), PH_CONFIG);
	assert_int_not_equal(check(SECRET, "", BYTES(BODY), anybody), PH_OK);
	assert_int_equal(ph_signature_format("", BYTES("token"), out, NULL), PH_CONFIG);
}

TEST(texts_are_the_same_or_not)
{
	assert_true(ph_signature_same("token", "token"));
	assert_true(ph_signature_same("", ""));
	assert_false(ph_signature_same("token", "Token"));
	assert_false(ph_signature_same("toke", "token"));
	assert_false(ph_signature_same("tokens", "token"));
	assert_false(ph_signature_same("", "token"));
}

TEST(a_digest_is_a_sha256)
{
	static const unsigned char	 of_abc[] = { 0xba, 0x78, 0x16, 0xbf, 0x8f, 0x01, 0xcf, 0xea };
	unsigned char			 out[PH_DIGEST_LEN];

	assert_int_equal(ph_signature_digest(BYTES("abc"), out, NULL), PH_OK);
	assert_memory_equal(out, of_abc, sizeof(of_abc));
}

TEST(random_bytes_differ_and_wiped_bytes_are_gone)
{
	unsigned char	 a[16] = { 0 }, b[16] = { 0 }, zero[16] = { 0 };

	assert_int_equal(ph_signature_random(a, sizeof(a), NULL), PH_OK);
	assert_int_equal(ph_signature_random(b, sizeof(b), NULL), PH_OK);
	assert_memory_not_equal(a, b, sizeof(a));
	assert_memory_not_equal(a, zero, sizeof(a));
	ph_signature_wipe(a, sizeof(a));
	assert_memory_equal(a, zero, sizeof(a));
}

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		cmocka_unit_test(the_published_vectors_hold),
		cmocka_unit_test(the_published_proof_of_a_token_is_made),
		cmocka_unit_test(a_secret_has_any_length),
		cmocka_unit_test(a_header_with_63_digits_is_forged),
		cmocka_unit_test(anything_but_the_one_form_is_forged),
		cmocka_unit_test(each_bit_of_the_signature_counts),
		cmocka_unit_test(each_byte_of_the_body_counts),
		cmocka_unit_test(while_rotating_the_previous_secret_counts_too),
		cmocka_unit_test(with_an_empty_secret_nobody_can_be_proved),
		cmocka_unit_test(texts_are_the_same_or_not),
		cmocka_unit_test(a_digest_is_a_sha256),
		cmocka_unit_test(random_bytes_differ_and_wiped_bytes_are_gone),
	};

	return cmocka_run_group_tests_name("signature", tests, NULL, NULL);
}
