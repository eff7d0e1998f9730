/*
 * signature -- who sent these bytes: the one door to OpenSSL.
 * Knows hex.  Does not know settings, requests or JSON.
 * Called by the front before anything is parsed; by the helper for proofs, keys and tokens.
 * Lives on the caller's stack.
 * SPDX-License-Identifier: ISC
 */
#define OPENSSL_SUPPRESS_DEPRECATED	/* of the SHA256_ functions: see hash */

#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <openssl/sha.h>
#include <string.h>

#include "hex.h"
#include "signature.h"

static const char	 prefix[] = "sha256=";

/*
 * SHA-256 of a and b, one after the other.  Why not EVP, which OpenSSL would rather see: before the
 * first hash it sets up all its algorithms and reads openssl.cnf, a third of what a plain CGI process
 * takes, and for a body of Meta's it costs more than the hashing, which is the same code.
 */
static bool
hash(struct ph_slice a, struct ph_slice b, unsigned char out[PH_DIGEST_LEN])
{
	SHA256_CTX	 ctx;
	bool		 done;

	done = SHA256_Init(&ctx) == 1 && SHA256_Update(&ctx, a.at, a.len) == 1 &&
	    SHA256_Update(&ctx, b.at, b.len) == 1 && SHA256_Final(out, &ctx) == 1;
	OPENSSL_cleanse(&ctx, sizeof(ctx));
	return done;
}

/* HMAC-SHA256, RFC 2104: the key as one block, masked once for the bytes and once for their hash. */
static bool
sign(struct ph_slice key, struct ph_slice bytes, unsigned char out[PH_DIGEST_LEN])
{
	const struct ph_slice	 none = { "", 0 };
	char			 block[SHA256_CBLOCK] = "";
	struct ph_slice		 masked = { block, sizeof(block) };
	unsigned char		 inner[PH_DIGEST_LEN];
	size_t			 i;
	bool			 done = true;

	if (key.len > sizeof(block))
		done = hash(none, key, (unsigned char *)block);
	else
		memcpy(block, key.at, key.len);
	for (i = 0; i < sizeof(block); i++)
		block[i] ^= 0x36;
	done = done && hash(masked, bytes, inner);
	for (i = 0; i < sizeof(block); i++)
		block[i] ^= 0x36 ^ 0x5c;
	done = done && hash(masked, (struct ph_slice){ (char *)inner, sizeof(inner) }, out);
	OPENSSL_cleanse(block, sizeof(block));
	return done;
}

static enum ph_error
hmac(const char *secret, struct ph_slice bytes, unsigned char out[PH_DIGEST_LEN],
    struct ph_fail *fail)
{
	if (secret == NULL || secret[0] == '\0')	/* anybody can sign with an empty key */
		return ph_error_set(fail, PH_CONFIG, "the app secret is empty");
	if (!sign((struct ph_slice){ secret, strlen(secret) }, bytes, out))
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
	char			 bytes[PH_DIGEST_LEN];
	const struct ph_slice	 key = { bytes, sizeof(bytes) };
	unsigned char		 a[PH_DIGEST_LEN], b[PH_DIGEST_LEN];

	/* Two MACs under a key of this moment: lengths and shared beginnings leave no trace. */
	if (RAND_bytes((unsigned char *)bytes, sizeof(bytes)) != 1 ||
	    !sign(key, (struct ph_slice){ offered, strlen(offered) }, a) ||
	    !sign(key, (struct ph_slice){ expected, strlen(expected) }, b))
		return false;
	return CRYPTO_memcmp(a, b, sizeof(a)) == 0;
}

enum ph_error
ph_signature_digest(struct ph_slice bytes, unsigned char out[PH_DIGEST_LEN], struct ph_fail *fail)
{
	if (!hash((struct ph_slice){ "", 0 }, bytes, out))
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
