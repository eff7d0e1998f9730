/*
 * template -- a text with {fields} in it, and the text it becomes.
 * Knows buffer, scan.  Does not know what the fields mean.
 * Called by reading (compiles), say and think (fill).
 * Lives as long as the rule it belongs to.
 * SPDX-License-Identifier: ISC
 */
#include <stdlib.h>
#include <string.h>

#include "template.h"

struct piece {
	size_t	 at, len;		/* in the template's bytes; a field's name has a NUL after it */
	bool	 field;
};

struct ph_template {
	enum ph_template_is	 is;
	struct ph_buffer	 bytes, pieces;
};

struct reading {			/* where a text is read, and what becomes of it */
	const char		*start, *at, *end;
	bool			(*known)(void *arg, const char *name);
	void			*arg;
	struct ph_template	*t;
	size_t			 from;	/* in t->bytes: where the text since the last piece begins */
};

static const struct piece *
piece(const struct ph_template *t, size_t i)
{
	if (i >= t->pieces.len / sizeof(struct piece))
		return NULL;
	return (const struct piece *)(const void *)t->pieces.data + i;
}

static void
end_piece(struct reading *r, bool field)
{
	struct piece	 p = { r->from, r->t->bytes.len - r->from, field };

	if (p.len > 0)
		ph_buffer_add(&r->t->pieces, &p, sizeof(p));
	if (field)
		ph_buffer_add(&r->t->bytes, "", 1);
	r->from = r->t->bytes.len;
}

static bool
is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* The length of the name at p, 0: none; a "}" must follow it. */
static size_t
name_len(const char *p, const char *end)
{
	const char	*q = p;

	if (p < end && is_letter(*p))
		while (q < end && (is_letter(*q) || is_digit(*q) || *q == '.'))
			q++;
	else
		while (q < end && is_digit(*q))
			q++;
	return q < end && *q == '}' ? (size_t)(q - p) : 0;
}

/* At a brace: two are one; else it is a field. */
static enum ph_error
read_brace(struct reading *r, struct ph_fail *fail)
{
	const char	*name = r->at + 1;
	size_t		 len;
	enum ph_error	 err;

	if (name < r->end && *name == '{') {
		ph_buffer_adds(&r->t->bytes, "{");
		r->at += 2;
		return PH_OK;
	}
	if ((len = name_len(name, r->end)) == 0)
		return ph_error_set(fail, PH_MALFORMED, "no field begins here: write {{ for a brace");
	end_piece(r, false);
	ph_buffer_add(&r->t->bytes, name, len);
	if ((err = ph_buffer_check(&r->t->bytes, fail)) != PH_OK)
		return err;
	if (!r->known(r->arg, r->t->bytes.data + r->from))
		return ph_error_set(fail, PH_MALFORMED, "no field {%.*s}", len > 80 ? 80 : (int)len,
		    name);
	end_piece(r, true);
	r->at = name + len + 1;
	return PH_OK;
}

/* As far as end.  A name cannot go beyond: there a text ends, or stands a quote. */
static enum ph_error
read_text(struct reading *r, const char *end, struct ph_fail *fail)
{
	const char	*brace;
	enum ph_error	 err = PH_OK;

	while (r->at < end && err == PH_OK) {
		brace = memchr(r->at, '{', (size_t)(end - r->at));
		if (brace == NULL)
			brace = end;
		ph_buffer_add(&r->t->bytes, r->at, (size_t)(brace - r->at));
		r->at = brace;
		if (brace < end)
			err = read_brace(r, fail);
	}
	return err;
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* A key is a string before a colon: no field is looked for in it. */
static bool
is_key(const char *p, const char *end)
{
	while (p < end && is_blank(*p))
		p++;
	return p < end && *p == ':';
}

static enum ph_error
read_string(struct reading *r, struct ph_fail *fail)
{
	const char	*quote = r->at + 1;
	enum ph_error	 err = PH_OK;

	while (quote < r->end && *quote != '"')
		quote += *quote == '\\' && r->end - quote > 1 ? 2 : 1;
	ph_buffer_adds(&r->t->bytes, "\"");
	r->at++;
	if (quote < r->end && is_key(quote + 1, r->end)) {
		ph_buffer_add(&r->t->bytes, r->at, (size_t)(quote - r->at));
		r->at = quote;
	} else
		err = read_text(r, quote, fail);
	if (err == PH_OK && r->at < r->end) {
		ph_buffer_adds(&r->t->bytes, "\"");
		r->at++;
	}
	return err;
}

static enum ph_error
read_json(struct reading *r, struct ph_fail *fail)
{
	enum ph_error	 err = PH_OK;

	while (r->at < r->end && err == PH_OK) {
		if (*r->at == '"') {
			err = read_string(r, fail);
			continue;
		}
		if (!is_blank(*r->at))
			ph_buffer_add(&r->t->bytes, r->at, 1);
		r->at++;
	}
	return err;
}

enum ph_error
ph_template_new(struct ph_slice text, enum ph_template_is is,
    bool (*known)(void *arg, const char *name), void *arg, struct ph_template **out, size_t *at,
    struct ph_fail *fail)
{
	struct ph_template	*t = calloc(1, sizeof(*t));
	struct reading		 r = { text.at, text.at, text.at + text.len, known, arg, t, 0 };
	enum ph_error		 err;

	*out = NULL;
	*at = 0;
	if (t == NULL)
		return ph_error_set(fail, PH_NOMEM, "out of memory for a text");
	t->is = is;
	err = is == PH_TEMPLATE_JSON ? read_json(&r, fail) : read_text(&r, r.end, fail);
	if (err == PH_OK) {
		end_piece(&r, false);
		if ((err = ph_buffer_check(&t->bytes, fail)) == PH_OK)
			err = ph_buffer_check(&t->pieces, fail);
	}
	if (err != PH_OK) {
		*at = (size_t)(r.at - r.start);
		ph_template_free(t);
		return err;
	}
	*out = t;
	return PH_OK;
}

void
ph_template_free(struct ph_template *t)
{
	if (t == NULL)
		return;
	ph_buffer_clear(&t->bytes);
	ph_buffer_clear(&t->pieces);
	free(t);
}

static void
add_plain(struct ph_buffer *out, struct ph_slice value)
{
	const char	*nul;
	size_t		 n;

	while (value.len > 0) {
		nul = memchr(value.at, '\0', value.len);
		n = nul != NULL ? (size_t)(nul - value.at) : value.len;
		ph_buffer_add(out, value.at, n);
		n += nul != NULL;
		value = (struct ph_slice){ value.at + n, value.len - n };
	}
}

static void
add_percent(struct ph_buffer *out, struct ph_slice value)
{
	size_t	 i;

	for (i = 0; i < value.len; i++) {
		char	 c = value.at[i];

		if (is_letter(c) || is_digit(c) || c == '-' || c == '.' || c == '~')
			ph_buffer_add(out, &c, 1);
		else
			ph_buffer_addf(out, "%%%02X", (unsigned char)c);
	}
}

void
ph_template_fill(const struct ph_template *t,
    struct ph_slice (*value)(void *arg, const char *name), void *arg, struct ph_buffer *out)
{
	static void (*const	 add[])(struct ph_buffer *, struct ph_slice) = {
		[PH_TEMPLATE_TEXT] = add_plain,
		[PH_TEMPLATE_URL] = add_percent,
		[PH_TEMPLATE_JSON] = ph_buffer_add_json,
	};
	const struct piece	*p;
	struct ph_slice		 v;
	size_t			 i;

	for (i = 0; (p = piece(t, i)) != NULL; i++) {
		if (!p->field) {
			ph_buffer_add(out, t->bytes.data + p->at, p->len);
			continue;
		}
		v = value(arg, t->bytes.data + p->at);
		if (v.len > 0)
			add[t->is](out, v);
	}
}

const char *
ph_template_field(const struct ph_template *t, size_t i)
{
	const struct piece	*p;
	size_t			 n;

	for (n = 0; (p = piece(t, n)) != NULL; n++)
		if (p->field && i-- == 0)
			return t->bytes.data + p->at;
	return NULL;
}
