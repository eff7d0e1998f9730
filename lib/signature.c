/*
 * signature -- who sent these bytes: the one door to OpenSSL.
 * Knows hex.  Does not know settings, requests or JSON.
 * Called by the front before anything is parsed; by the helper for proofs, keys and tokens.
 * Lives on the caller's stack.
 * SPDX-License-Identifier: ISC
 */
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/rand.h>
#include <pthread.h>
#include <string.h>

#include "hex.h"
#include "signature.h"

static const char	 prefix[] = "sha256=";

/*
 * OpenSSL looks an algorithm up by its name for each message, which costs more than to hash a short
 * one: here that is done once a process.  Threads share what was found, and only read it.
 */
static pthread_once_t	 once = PTHREAD_ONCE_INIT;
static EVP_MD		*sha256;
static EVP_MAC_CTX	*hmac_sha256;	/* without a key: each message has a copy */

static void
find(void)
{
	char		 digest[] = "SHA256";
	OSSL_PARAM	 params[] = { OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
		OSSL_PARAM_construct_end() };
	EVP_MAC		*mac = EVP_MAC_fetch(NULL, "HMAC", NULL);

	sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
	if (mac != NULL && (hmac_sha256 = EVP_MAC_CTX_new(mac)) != NULL &&
	    EVP_MAC_CTX_set_params(hmac_sha256, params) != 1) {
		EVP_MAC_CTX_free(hmac_sha256);
		hmac_sha256 = NULL;
	}
	EVP_MAC_free(mac);
}

static bool
sign(const void *key, size_t key_len, struct ph_slice bytes, unsigned char out[PH_DIGEST_LEN])
{
	EVP_MAC_CTX	*ctx = NULL;
	size_t		 len;
	bool		 done;

	(void)pthread_once(&once, find);
	done = hmac_sha256 != NULL && (ctx = EVP_MAC_CTX_dup(hmac_sha256)) != NULL &&
	    EVP_MAC_init(ctx, key, key_len, NULL) == 1 &&
	    EVP_MAC_update(ctx, (const unsigned char *)bytes.at, bytes.len) == 1 &&
	    EVP_MAC_final(ctx, out, &len, PH_DIGEST_LEN) == 1;
	EVP_MAC_CTX_free(ctx);
	return done;
}

static enum ph_error
hmac(const char *secret, struct ph_slice bytes, unsigned char out[PH_DIGEST_LEN],
    struct ph_fail *fail)
{
	if (secret == NULL || secret[0] == '\0')	/* anybody can sign with an empty key */
		return ph_error_set(fail, PH_CONFIG, "the app secret is empty");
	if (!sign(secret, strlen(secret), bytes, out))
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
	    !sign(key, sizeof(key), (struct ph_slice){ offered, strlen(offered) }, a) ||
	    !sign(key, sizeof(key), (struct ph_slice){ expected, strlen(expected) }, b))
		return false;
	return CRYPTO_memcmp(a, b, sizeof(a)) == 0;
}

enum ph_error
ph_signature_digest(struct ph_slice bytes, unsigned char out[PH_DIGEST_LEN], struct ph_fail *fail)
{
	(void)pthread_once(&once, find);
	if (sha256 == NULL || EVP_Digest(bytes.at, bytes.len, out, NULL, sha256, NULL) != 1)
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
