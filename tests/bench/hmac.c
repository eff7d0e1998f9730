/*
 * hmac -- a minimal CGI program: is the body signed?  Then 200.
 * Knows OpenSSL.  Does not know events; keeps nothing.
 * Called by web servers while `make bench` measures what a CGI request costs at least.
 * Lives for one request.  PAGEHOOK_CONFIG names a file that holds nothing but the secret.
 * SPDX-License-Identifier: ISC
 */
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_BODY	(64 * 1024)
#define PREFIX		"sha256="

static const char *
variable(const char *name)
{
	const char	*value = getenv(name);

	return value != NULL ? value : "";
}

static size_t
read_secret(char *secret, size_t size)
{
	FILE	*f = fopen(variable("PAGEHOOK_CONFIG"), "r");
	size_t	 len = f != NULL ? fread(secret, 1, size, f) : 0;

	if (f != NULL)
		fclose(f);
	return len;
}

static bool
is_signed(const unsigned char *body, size_t len)
{
	const char	*offered = variable("HTTP_X_HUB_SIGNATURE_256");
	unsigned char	 digest[EVP_MAX_MD_SIZE];
	char		 secret[256], ours[sizeof(PREFIX) + 64] = PREFIX;
	size_t		 secret_len = read_secret(secret, sizeof(secret));
	unsigned	 i, n = 0;

	if (secret_len == 0 || strlen(offered) != sizeof(ours) - 1 ||
	    HMAC(EVP_sha256(), secret, (int)secret_len, body, len, digest, &n) == NULL)
		return false;
	for (i = 0; i < n; i++)
		snprintf(ours + sizeof(PREFIX) - 1 + 2 * i, 3, "%02x", digest[i]);
	return CRYPTO_memcmp(offered, ours, sizeof(ours) - 1) == 0;
}

int
main(void)
{
	static unsigned char	 body[MAX_BODY];
	size_t			 len = strtoul(variable("CONTENT_LENGTH"), NULL, 10);
	bool			 good = len <= sizeof(body) && fread(body, 1, len, stdin) == len &&
				    is_signed(body, len);

	printf("Status: %d\r\nContent-Type: text/plain\r\n\r\n%s", good ? 200 : 401,
	    good ? "EVENT_RECEIVED" : "");
	return 0;
}
