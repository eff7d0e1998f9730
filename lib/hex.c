/*
 * hex -- bytes as hexadecimal digits and back.
 * Knows nothing else.  Does not allocate.
 * Called by signature, message and the stores' neighbours.
 * Lives on the caller's stack.
 * SPDX-License-Identifier: ISC
 */
#include "hex.h"

void
ph_hex_format(const unsigned char *bytes, size_t len, char *out)
{
	static const char	 digits[] = "0123456789abcdef";
	size_t			 i;

	for (i = 0; i < len; i++) {
		*out++ = digits[bytes[i] >> 4];
		*out++ = digits[bytes[i] & 15];
	}
	*out = '\0';
}

int
ph_hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

bool
ph_hex_parse(const char *digits, size_t n_digits, unsigned char *out, size_t len)
{
	size_t	 i;

	if (n_digits != 2 * len)
		return false;
	for (i = 0; i < len; i++) {
		int	 high = ph_hex_digit(digits[2 * i]), low = ph_hex_digit(digits[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		out[i] = (unsigned char)(high << 4 | low);
	}
	return true;
}
