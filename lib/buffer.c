/*
 * buffer -- bytes that grow, and slices that borrow.
 * Knows error.  Does not know what the bytes mean.
 * Called by everybody who reads or writes bytes.
 * Lives where its owner lives.
 * SPDX-License-Identifier: ISC
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "buffer.h"

void
ph_buffer_add(struct ph_buffer *b, const void *bytes, size_t len)
{
	char	*room = ph_buffer_room(b, len);

	if (room == NULL || len == 0)
		return;
	memcpy(room, bytes, len);
	b->len += len;
	b->data[b->len] = '\0';
}

/* Not by printf: each key and each line of a busy helper has one. */
void
ph_buffer_add_number(struct ph_buffer *b, int64_t number)
{
	uint64_t	 left = number < 0 ? -(uint64_t)number : (uint64_t)number;
	char		 digits[20], *first = digits + sizeof(digits);

	do
		*--first = (char)('0' + left % 10);
	while ((left /= 10) > 0);
	if (number < 0)
		*--first = '-';
	ph_buffer_add(b, first, (size_t)(digits + sizeof(digits) - first));
}

void
ph_buffer_addf(struct ph_buffer *b, const char *fmt, ...)
{
	va_list	 ap, again;
	size_t	 free_len;
	int	 n;

	if (ph_buffer_room(b, 63) == NULL)	/* most of what is formatted fits: one pass */
		return;
	free_len = b->cap - b->len;
	va_start(ap, fmt);
	va_copy(again, ap);
	n = vsnprintf(b->data + b->len, free_len, fmt, ap);
	va_end(ap);
	if (n >= 0 && (size_t)n >= free_len && ph_buffer_room(b, (size_t)n) != NULL)
		n = vsnprintf(b->data + b->len, (size_t)n + 1, fmt, again);
	va_end(again);
	if (n >= 0 && !b->failed)
		b->len += (size_t)n;
}

void
ph_buffer_add_json(struct ph_buffer *b, struct ph_slice text)
{
	size_t	 i, from = 0;

	if (text.len == 0)
		return;				/* absent, perhaps */
	for (i = 0; i < text.len; i++) {
		unsigned char	 c = (unsigned char)text.at[i];

		if (c >= 0x20 && c != '"' && c != '\\' && c != 0x7f)
			continue;
		ph_buffer_add(b, text.at + from, i - from);
		from = i + 1;
		if (c == '"' || c == '\\')
			ph_buffer_addf(b, "\\%c", c);
		else if (c == '\n')
			ph_buffer_adds(b, "\\n");
		else if (c != '\0')
			ph_buffer_addf(b, "\\u%04x", c);
	}
	ph_buffer_add(b, text.at + from, i - from);
}

char *
ph_buffer_room(struct ph_buffer *b, size_t more)
{
	size_t	 want, cap;
	char	*data;

	if (b->failed || more > SIZE_MAX / 4 - b->len) {
		b->failed = true;
		return NULL;
	}
	want = b->len + more + 1;
	if (want <= b->cap)
		return b->data + b->len;
	for (cap = b->cap < 64 ? 64 : b->cap; cap < want; cap *= 2)
		continue;
	if ((data = realloc(b->data, cap)) == NULL) {
		b->failed = true;
		return NULL;
	}
	b->data = data;
	b->cap = cap;
	b->data[b->len] = '\0';
	return b->data + b->len;
}

enum ph_error
ph_buffer_check(const struct ph_buffer *b, struct ph_fail *fail)
{
	if (b->failed)
		return ph_error_set(fail, PH_NOMEM, "out of memory at %zu bytes", b->len);
	return PH_OK;
}

void
ph_buffer_drop(struct ph_buffer *b, size_t n)
{
	if (n == 0)
		return;
	b->len -= n;
	memmove(b->data, b->data + n, b->len + 1);
}

void
ph_buffer_reset(struct ph_buffer *b)
{
	b->len = 0;
	b->failed = false;
	if (b->data != NULL)
		b->data[0] = '\0';
}

void
ph_buffer_clear(struct ph_buffer *b)
{
	free(b->data);
	*b = (struct ph_buffer)PH_BUFFER_INIT;
}
