/*
 * match -- a text against a pattern: the one door to PCRE2.
 * Knows buffer.  Does not know rules, events or files.
 * Called by rule_fits (compiles), reading (names) and think (tests).
 * Lives as long as the rules it belongs to.
 * SPDX-License-Identifier: ISC
 */
#define PCRE2_CODE_UNIT_WIDTH 8

#include <pcre2.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "match.h"

#define MAX_PATTERN_LEN	4096
#define MAX_STEPS	100000		/* from one place of the subject, as PCRE2 counts */
#define MAX_WORK	1000000		/* from all of them, as we count */
#define MAX_DEPTH	10000
#define MAX_HEAP_KIB	1024		/* also what JIT may use as its stack */
#define NUMBER_LEN	6		/* PCRE2 has at most 65,535 groups */

struct ph_match {
	enum ph_match_how	 how;
	pcre2_code		*code;
	pcre2_match_context	*limits;
	pcre2_match_data	*data;		/* of the last test; NULL: there was none */
	bool			 matched;	/* it did: data holds its captures */
	size_t			 jit_len;	/* 0: it runs without JIT, and data grows */
	struct ph_slice		 subject;	/* borrowed, what data points into */
	size_t			 work, last;	/* of this test: done so far; where it last stood */
	uint32_t		 n_groups, n_names, name_len;
	PCRE2_SPTR		 names;		/* entries of name_len: number in two bytes, name, NUL */
	char			(*numbers)[NUMBER_LEN];	/* "1", "2" .. */
};

/* The length of the blank at the start: ASCII's, and the two that keyboards and pasting bring. */
static size_t
blank_len(const char *p, size_t left)
{
	if (left > 0 && (*p == ' ' || (*p >= '\t' && *p <= '\r')))
		return 1;
	if (left >= 2 && memcmp(p, "\xc2\xa0", 2) == 0)
		return 2;
	return left >= 3 && memcmp(p, "\xe3\x80\x80", 3) == 0 ? 3 : 0;
}

static struct ph_slice
trim(struct ph_slice s)
{
	size_t	 n, i;

	while ((n = blank_len(s.at, s.len)) > 0)
		s = (struct ph_slice){ s.at + n, s.len - n };
	do {
		for (i = n = 1; i <= 3 && i <= s.len && n > 0; i++)
			if (blank_len(s.at + s.len - i, i) == i) {
				s.len -= i;
				n = 0;
			}
	} while (n == 0);
	return s;
}

static uint32_t
options(enum ph_match_how how)
{
	switch (how) {
	case PH_MATCH_WHOLE:
		return PCRE2_UTF | PCRE2_CASELESS | PCRE2_LITERAL | PCRE2_ANCHORED |
		    PCRE2_ENDANCHORED;
	case PH_MATCH_PART:
		return PCRE2_UTF | PCRE2_CASELESS | PCRE2_LITERAL;
	case PH_MATCH_PATTERN:
		break;
	}
	return PCRE2_UTF | PCRE2_CASELESS | PCRE2_UCP | PCRE2_NEVER_BACKSLASH_C |
	    PCRE2_AUTO_CALLOUT;
}

/*
 * Called before each item of a pattern.  PCRE2's own limit begins anew at each place of the subject,
 * and JIT does not count what "a*a*a*" gives back: minutes went by below it.
 */
static int
count(pcre2_callout_block *at, void *match)
{
	struct ph_match	*m = match;
	size_t		 here = at->current_position;

	m->work += 1 + (here > m->last ? here - m->last : m->last - here) / 64;
	m->last = here;
	return m->work > MAX_WORK ? PCRE2_ERROR_MATCHLIMIT : 0;
}

static enum ph_error
compile(struct ph_match *m, struct ph_slice text, size_t *at, struct ph_fail *fail)
{
	PCRE2_UCHAR	 why[200];
	PCRE2_SIZE	 offset = 0;
	int		 code;

	m->code = pcre2_compile((PCRE2_SPTR)(const void *)text.at, text.len, options(m->how), &code,
	    &offset, NULL);
	if (m->code == NULL) {
		*at = offset;
		pcre2_get_error_message(code, why, sizeof(why));
		return ph_error_set(fail, code == PCRE2_ERROR_HEAP_FAILED ? PH_NOMEM : PH_MALFORMED,
		    "%s", (const char *)why);
	}
	(void)pcre2_jit_compile(m->code, PCRE2_JIT_COMPLETE);	/* without it, it is only slower */
	pcre2_pattern_info(m->code, PCRE2_INFO_JITSIZE, &m->jit_len);
	if ((m->limits = pcre2_match_context_create(NULL)) == NULL)
		return ph_error_set(fail, PH_NOMEM, "out of memory for a pattern");
	pcre2_set_match_limit(m->limits, MAX_STEPS);
	pcre2_set_depth_limit(m->limits, MAX_DEPTH);
	pcre2_set_heap_limit(m->limits, MAX_HEAP_KIB);
	pcre2_set_callout(m->limits, count, m);
	return PH_OK;
}

static enum ph_error
learn_groups(struct ph_match *m, struct ph_fail *fail)
{
	uint32_t	 i;

	pcre2_pattern_info(m->code, PCRE2_INFO_CAPTURECOUNT, &m->n_groups);
	pcre2_pattern_info(m->code, PCRE2_INFO_NAMECOUNT, &m->n_names);
	pcre2_pattern_info(m->code, PCRE2_INFO_NAMEENTRYSIZE, &m->name_len);
	pcre2_pattern_info(m->code, PCRE2_INFO_NAMETABLE, &m->names);
	if (m->n_groups == 0)
		return PH_OK;
	if ((m->numbers = calloc(m->n_groups, sizeof(m->numbers[0]))) == NULL)
		return ph_error_set(fail, PH_NOMEM, "out of memory for a pattern");
	for (i = 0; i < m->n_groups; i++)
		snprintf(m->numbers[i], NUMBER_LEN, "%u", (i + 1) & 0xffff);
	return PH_OK;
}

enum ph_error
ph_match_new(struct ph_slice text, enum ph_match_how how, struct ph_match **out, size_t *at,
    struct ph_fail *fail)
{
	struct ph_slice	 bare = how == PH_MATCH_WHOLE ? trim(text) : text;
	struct ph_match	*m;
	enum ph_error	 err;

	*out = NULL;
	*at = 0;
	if (bare.len == 0)
		return ph_error_set(fail, PH_MALFORMED, "empty: it would match everything");
	if (bare.len > MAX_PATTERN_LEN) {
		*at = MAX_PATTERN_LEN;
		return ph_error_set(fail, PH_MALFORMED, "%zu bytes, at most %d", bare.len,
		    MAX_PATTERN_LEN);
	}
	if ((m = calloc(1, sizeof(*m))) == NULL)
		return ph_error_set(fail, PH_NOMEM, "out of memory for a pattern");
	m->how = how;
	if ((err = compile(m, bare, at, fail)) != PH_OK || (err = learn_groups(m, fail)) != PH_OK) {
		*at += (size_t)(bare.at - text.at);
		ph_match_free(m);
		return err;
	}
	*out = m;
	return PH_OK;
}

void
ph_match_free(struct ph_match *m)
{
	if (m == NULL)
		return;
	pcre2_match_data_free(m->data);
	pcre2_match_context_free(m->limits);
	pcre2_code_free(m->code);
	free(m->numbers);
	free(m);
}

static int
run(struct ph_match *m)
{
	m->work = m->last = 0;
	return pcre2_match(m->code, (PCRE2_SPTR)(const void *)m->subject.at, m->subject.len, 0, 0,
	    m->data, m->limits);
}

/*
 * JIT begins on 32 KiB of our own stack, which is enough for nearly all.  Only what is not gets the
 * whole: a stack for each of a thousand patterns would be a gigabyte of addresses.
 */
static int
run_with_stack(struct ph_match *m)
{
	pcre2_jit_stack	*stack = pcre2_jit_stack_create(32 * 1024, MAX_HEAP_KIB * 1024, NULL);
	int		 rc;

	if (stack == NULL)
		return PCRE2_ERROR_NOMEMORY;
	pcre2_jit_stack_assign(m->limits, NULL, stack);
	rc = run(m);
	pcre2_jit_stack_assign(m->limits, NULL, NULL);
	pcre2_jit_stack_free(stack);
	return rc;
}

static enum ph_error
judge(int rc, struct ph_fail *fail)
{
	PCRE2_UCHAR	 why[120];

	if (rc >= 0)
		return PH_OK;
	if (rc == PCRE2_ERROR_NOMATCH || (rc <= PCRE2_ERROR_UTF8_ERR1 && rc >= PCRE2_ERROR_UTF8_ERR21))
		return PH_NONE;
	pcre2_get_error_message(rc, why, sizeof(why));
	if (rc == PCRE2_ERROR_NOMEMORY)
		return ph_error_set(fail, PH_NOMEM, "out of memory for a pattern");
	/* A limit, or a recursion that goes nowhere: the pattern's fault, and nobody else's. */
	return ph_error_set(fail, PH_TOOBIG, "a pattern costs too much: %s", (const char *)why);
}

size_t
ph_match_work(const struct ph_match *m)
{
	return m->work;
}

enum ph_error
ph_match_test(struct ph_match *m, struct ph_slice subject, struct ph_fail *fail)
{
	enum ph_error	 err;
	int		 rc;

	m->matched = false;
	if (subject.at == NULL)
		return PH_NONE;
	m->subject = m->how == PH_MATCH_WHOLE ? trim(subject) : subject;
	if (m->data == NULL &&
	    (m->data = pcre2_match_data_create_from_pattern(m->code, NULL)) == NULL)
		return ph_error_set(fail, PH_NOMEM, "out of memory for a pattern");
	if ((rc = run(m)) == PCRE2_ERROR_JIT_STACKLIMIT)
		rc = run_with_stack(m);
	err = judge(rc, fail);
	m->matched = err == PH_OK;
	if (!m->matched && m->jit_len == 0) {	/* it holds some 20 KiB: too much for each of a thousand */
		pcre2_match_data_free(m->data);
		m->data = NULL;
	}
	return err;
}

static uint32_t
number_of(PCRE2_SPTR entry)
{
	return (uint32_t)entry[0] << 8 | entry[1];
}

const char *
ph_match_group(const struct ph_match *m, size_t i)
{
	PCRE2_SPTR	 entry = m->names;
	uint32_t	 n;

	if (i == 0 || i > m->n_groups)
		return NULL;
	for (n = 0; n < m->n_names; n++, entry += m->name_len)
		if (number_of(entry) == i)
			return (const char *)(entry + 2);
	return m->numbers[i - 1];
}

static struct ph_slice
captured(const struct ph_match *m, size_t i)
{
	const PCRE2_SIZE	*at = pcre2_get_ovector_pointer(m->data) + 2 * i;

	if (at[0] == PCRE2_UNSET || at[1] < at[0])
		return (struct ph_slice){ NULL, 0 };
	return (struct ph_slice){ m->subject.at + at[0], at[1] - at[0] };
}

struct ph_slice
ph_match_capture(const struct ph_match *m, const char *name)
{
	struct ph_slice	 found = { NULL, 0 };
	PCRE2_SPTR	 entry = m->names;
	uint32_t	 n;

	if (!m->matched)
		return found;
	for (n = 0; n < m->n_groups; n++)
		if (strcmp(m->numbers[n], name) == 0)
			return captured(m, n + 1);
	/* With (?J) several groups share a name: the one that took part counts. */
	for (n = 0; n < m->n_names && found.at == NULL; n++, entry += m->name_len)
		if (strcmp((const char *)(entry + 2), name) == 0)
			found = captured(m, number_of(entry));
	return found;
}
