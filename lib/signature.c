/*
 * signature -- who sent these bytes: the one door to OpenSSL.
 * Knows hex.  Does not know settings, requests or JSON.
 * Called by the front before anything is parsed; by the helper for proofs, keys and tokens.
 * Lives on the caller's stack.
 * SPDX-License-Identifier: ISC
 */
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <string.h>

#include "hex.h"
#include "signature.h"

static const char	 prefix[] = "sha256=";

static enum ph_error
hmac(const char *secret, struct ph_slice bytes, unsigned char out[PH_DIGEST_LEN],
    struct ph_fail *fail)
{
	if (secret == NULL || secret[0] == '\0')	/* anybody can sign with an empty key */
		return ph_error_set(fail, PH_CONFIG, "the app secret is empty");
	if (HMAC(EVP_sha256(), secret, (int)strlen(secret), (const unsigned char *)bytes.at,
	    bytes.len, out, NULL) == NULL)
		return ph_error_set(fail, PH_BROKEN, "OpenSSL computes no HMAC-SHA256");
	return PH_OK;
}

static enum ph_error
matches(const char *secret, struct ph_slice body, const unsigned char offered[PH_DIGEST_LEN],
    struct ph_fail *fail)
{
	unsigned char	 mac[PH_DIGEST_LEN];
	enum ph_error	 err = hmac(secret, body, mac, fail);

	if (err == PH_OK && CRYPTO_memcmp(mac, offered, sizeof(mac)) != 0)
		err = PH_FORGED;
	return err;
}

static bool
parse(const char *header, unsigned char out[PH_DIGEST_LEN])
{
	const size_t	 n = sizeof(prefix) - 1;

	return strncmp(header, prefix, n) == 0 &&
	    ph_hex_parse(header + n, strlen(header + n), out, PH_DIGEST_LEN);
}

bool
ph_signature_is_formed(const char *header)
{
	unsigned char	 ignored[PH_DIGEST_LEN];

	return parse(header, ignored);
}

enum ph_error
ph_signature_check(const struct ph_secrets *secrets, struct ph_slice body, const char *header,
    struct ph_fail *fail)
{
	unsigned char	 offered[PH_DIGEST_LEN];
	enum ph_error	 err;

	if (secrets->current == NULL || secrets->current[0] == '\0')
		return ph_error_set(fail, PH_CONFIG, "no app secret");
	if (header == NULL)
		return ph_error_set(fail, PH_FORGED, "signature missing");
	if (!parse(header, offered))
		return ph_error_set(fail, PH_FORGED, "signature malformed");
	err = matches(secrets->current, body, offered, fail);
	if (err == PH_FORGED && secrets->previous != NULL)
		err = matches(secrets->previous, body, offered, fail);
	if (err == PH_FORGED)
		return ph_error_set(fail, PH_FORGED, "signature does not match the app secret");
	return err;
}

enum ph_error
ph_signature_format(const char *secret, struct ph_slice bytes, char out[PH_SIGNATURE_LEN + 1],
    struct ph_fail *fail)
{
	unsigned char	 mac[PH_DIGEST_LEN];
	enum ph_error	 err = hmac(secret, bytes, mac, fail);

	if (err == PH_OK)
		ph_hex_format(mac, sizeof(mac), out);
	return err;
}

bool
ph_signature_same(const char *offered, const char *expected)
{
	unsigned char	 key[PH_DIGEST_LEN], a[PH_DIGEST_LEN], b[PH_DIGEST_LEN];

	/* Two MACs under a key of this moment: lengths and shared beginnings leave no trace. */
	if (RAND_bytes(key, sizeof(key)) != 1 ||
	    HMAC(EVP_sha256(), key, sizeof(key), (const unsigned char *)offered, strlen(offered), a,
	    NULL) == NULL ||
	    HMAC(EVP_sha256(), key, sizeof(key), (const unsigned char *)expected, strlen(expected), b,
	    NULL) == NULL)
		return false;
	return CRYPTO_memcmp(a, b, sizeof(a)) == 0;
}

enum ph_error
ph_signature_digest(struct ph_slice bytes, unsigned char out[PH_DIGEST_LEN], struct ph_fail *fail)
{
	if (EVP_Digest(bytes.at, bytes.len, out, NULL, EVP_sha256(), NULL) != 1)
		return ph_error_set(fail, PH_BROKEN, "OpenSSL computes no SHA-256");
	return PH_OK;
}

enum ph_error
ph_signature_random(unsigned char *out, size_t len, struct ph_fail *fail)
{
	if (RAND_bytes(out, (int)len) != 1)
		return ph_error_set(fail, PH_BROKEN, "OpenSSL has no random bytes");
	return PH_OK;
}

void
ph_signature_wipe(void *bytes, size_t len)
{
	OPENSSL_cleanse(bytes, len);
}
