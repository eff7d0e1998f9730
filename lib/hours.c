/*
 * hours -- "mon-fri 09:00-17:00", and whether a moment lies in it.
 * Knows buffer.  Does not know rules or events.
 * Called by rule_fits (parses) and think (asks).
 * Lives in the rule that it belongs to.
 * SPDX-License-Identifier: ISC
 */
#include <strings.h>
#include <time.h>

#include "hours.h"

#define DAY	(24 * 60)		/* minutes */

struct reading {
	const char	*at, *end;
};

static bool
is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool
next_is(struct reading *r, char c)
{
	if (r->at == r->end || *r->at != c)
		return false;
	r->at++;
	return true;
}

/* A day's three letters, or all of them; -1: none. */
static int
read_day(struct reading *r)
{
	static const char *const	 names[] = {
		"sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday",
	};
	const char			*from = r->at, *p = from;
	size_t				 n;
	int				 day;

	while (p < r->end && is_letter(*p))
		p++;
	n = (size_t)(p - from);
	for (day = 0; day < 7; day++)
		if (n >= 3 && strncasecmp(from, names[day], n) == 0 &&
		    (n == 3 || names[day][n] == '\0')) {
			r->at = p;
			return day;
		}
	return -1;
}

static bool
read_days(struct reading *r, unsigned *days)
{
	int	 from, to;

	*days = 0;
	do {
		if ((to = from = read_day(r)) < 0 || (next_is(r, '-') && (to = read_day(r)) < 0))
			return false;
		for (; from != to; from = (from + 1) % 7)	/* "fri-mon" goes round */
			*days |= 1u << from;
		*days |= 1u << to;
	} while (next_is(r, ','));
	return true;
}

static bool
read_time(struct reading *r, int latest, int *minutes)
{
	const char	*p = r->at;
	int		 hour, minute;

	if (r->end - p < 5 || !is_digit(p[0]) || !is_digit(p[1]) || p[2] != ':' ||
	    !is_digit(p[3]) || !is_digit(p[4]))
		return false;
	hour = (p[0] - '0') * 10 + p[1] - '0';
	minute = (p[3] - '0') * 10 + p[4] - '0';
	if (minute > 59 || (*minutes = hour * 60 + minute) > latest)
		return false;
	r->at += 5;
	return true;
}

static const char *
read_times(struct reading *r, struct ph_hours *out)
{
	const char	*from = r->at;

	if (!read_time(r, DAY - 1, &out->from))
		return "expected a time, 00:00 to 23:59";
	if (!next_is(r, '-'))
		return "expected \"-\" and the time when it ends";
	if (!read_time(r, DAY, &out->to))
		return "expected a time, 00:00 to 24:00";
	if (out->from == out->to) {
		r->at = from;
		return "it ends when it begins; all day is 00:00-24:00";
	}
	return NULL;
}

/* NULL: read; else what was expected where r stands. */
static const char *
read_all(struct reading *r, struct ph_hours *out)
{
	if (r->at == r->end || (!is_letter(*r->at) && !is_digit(*r->at)))
		return "expected days, times or both, like \"mon-fri 09:00-17:00\"";
	if (is_letter(*r->at)) {
		if (!read_days(r, &out->days))
			return "expected a day: sun, mon, tue, wed, thu, fri or sat";
		if (r->at == r->end)
			return NULL;
		if (!next_is(r, ' '))
			return "expected \",\" and a day, or a blank and times";
		while (next_is(r, ' '))
			continue;
	}
	return read_times(r, out);
}

enum ph_error
ph_hours_parse(struct ph_slice text, struct ph_hours *out, size_t *at, struct ph_fail *fail)
{
	struct reading	 r = { text.at, text.at + text.len };
	const char	*wrong;

	*out = (struct ph_hours){ .days = 0x7f, .from = 0, .to = DAY };
	wrong = read_all(&r, out);
	if (wrong == NULL && r.at < r.end)
		wrong = "expected the end";
	*at = (size_t)(r.at - text.at);
	return wrong == NULL ? PH_OK : ph_error_set(fail, PH_MALFORMED, "%s", wrong);
}

static bool
has_day(const struct ph_hours *hours, int day)
{
	return (hours->days >> (day + 7) % 7 & 1) != 0;
}

bool
ph_hours_hold(const struct ph_hours *hours, int64_t at)
{
	time_t		 seconds = (time_t)(at / 1000);
	struct tm	 tm;
	int		 now;

	if (localtime_r(&seconds, &tm) == NULL)
		return false;
	now = tm.tm_hour * 60 + tm.tm_min;
	if (hours->from < hours->to)
		return has_day(hours, tm.tm_wday) && now >= hours->from && now < hours->to;
	return (has_day(hours, tm.tm_wday) && now >= hours->from) ||
	    (has_day(hours, tm.tm_wday - 1) && now < hours->to);
}
