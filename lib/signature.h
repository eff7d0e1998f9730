/*
 * signature -- who sent these bytes: the one door to OpenSSL.
 * Knows hex.  Does not know settings, requests or JSON.
 * Called by the front before anything is parsed; by the helper for proofs, keys and tokens.
 * Lives on the caller's stack.
 * SPDX-License-Identifier: ISC
 */
#ifndef PH_SIGNATURE_H
#define PH_SIGNATURE_H

#include <stdbool.h>

#include "buffer.h"

#define PH_SIGNATURE_LEN	64	/* hex digits of an HMAC-SHA256 */
#define PH_DIGEST_LEN		32	/* bytes of a SHA-256 */

struct ph_secrets {		/* while rotating there are two; previous is NULL otherwise */
	const char	*current, *previous;
};

/*
 * Whether body was signed with one of secrets.  Borrows everything.
 * header: the value of X-Hub-Signature-256, "sha256=" and 64 hex digits; NULL when absent.
 * PH_FORGED: absent, malformed or different; fail's text says which, for the log alone: neither
 * the answer nor its timing tells.  PH_CONFIG: no secret, or an empty one: nobody can be proved.
 * Source: Meta, Webhooks, payload validation: HMAC-SHA256 over the bytes as they came.
 */
enum ph_error	ph_signature_check(const struct ph_secrets *secrets, struct ph_slice body,
		    const char *header, struct ph_fail *fail) PH_MUST_USE;

/* Whether such a value could be a signature at all: what else is no word of Meta's. */
bool		ph_signature_is_formed(const char *header) PH_MUST_USE;

/*
 * HMAC-SHA256 of bytes under secret as hex digits with a NUL: a signature to send, or an
 * appsecret_proof (secret = app secret, bytes = access token).  PH_CONFIG: the secret is empty.
 */
enum ph_error	ph_signature_format(const char *secret, struct ph_slice bytes,
		    char out[PH_SIGNATURE_LEN + 1], struct ph_fail *fail) PH_MUST_USE;

/* Whether two texts are equal, in a time that tells nothing about where they differ. */
bool		ph_signature_same(const char *offered, const char *expected) PH_MUST_USE;

/* SHA-256 of bytes, for keys that must not say what they stand for. */
enum ph_error	ph_signature_digest(struct ph_slice bytes, unsigned char out[PH_DIGEST_LEN],
		    struct ph_fail *fail) PH_MUST_USE;

/* Random bytes that nobody can guess. */
enum ph_error	ph_signature_random(unsigned char *out, size_t len, struct ph_fail *fail)
		    PH_MUST_USE;

/* Overwrites memory that held a secret, so that the compiler cannot leave it out. */
void		ph_signature_wipe(void *bytes, size_t len);

#endif
