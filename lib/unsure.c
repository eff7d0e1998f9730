/*
 * unsure -- what becomes of a reply of which nobody knows whether it arrived.
 * Knows buffer, clock's waits.  Does not know the store or what time it is.
 * Called by ledger, which tells it of echoes and asks it once a reply's grace is over.
 * Lives as long as the helper; that a Page sends echoes at all is noted in the store.
 * SPDX-License-Identifier: ISC
 */
#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "unsure.h"

#define MAX_RESENDS	1			/* no second one, whatever happens */
#define PROOF_BY_MS	(15 * PH_MINUTE_MS)	/* so long another message's echo is waited for */

static const char *const	 policies[] = {
	[PH_RECONCILE] = "reconcile", [PH_HOLD] = "hold", [PH_RESEND] = "resend",
};

bool
ph_unsure_policy_parse(const char *name, enum ph_unsure_policy *out)
{
	int	 i;

	for (i = PH_RECONCILE; i <= PH_RESEND; i++)
		if (strcmp(name, policies[i]) == 0) {
			*out = (enum ph_unsure_policy)i;
			return true;
		}
	return false;
}

static const struct ph_unsure_page *
find(const struct ph_unsure *u, struct ph_slice page)
{
	size_t	 i;

	for (i = 0; i < u->n_pages; i++)
		if (ph_slice_is(page, u->pages[i].id))
			return &u->pages[i];
	return NULL;
}

bool
ph_unsure_echo(struct ph_unsure *u, struct ph_slice page, int64_t left_at)
{
	const struct ph_unsure_page	*known = find(u, page);
	struct ph_unsure_page		*p;

	if (known == NULL && (u->n_pages == PH_UNSURE_PAGES || page.len >= sizeof(p->id)))
		return false;
	p = known != NULL ? &u->pages[known - u->pages] : &u->pages[u->n_pages++];
	if (known == NULL)
		snprintf(p->id, sizeof(p->id), "%.*s", (int)page.len, page.at);
	if (left_at > p->left_at)
		p->left_at = left_at;
	return known == NULL;
}

void
ph_unsure_doubt(struct ph_unsure *u, int64_t at)
{
	if (at > u->held_up_at)
		u->held_up_at = at;
}

void
ph_unsure_reset_clock(struct ph_unsure *u, int64_t now)
{
	size_t	 i;

	if (u->held_up_at > now)
		u->held_up_at = now;
	for (i = 0; i < u->n_pages; i++)
		if (u->pages[i].left_at > now)
			u->pages[i].left_at = 0;
}

static enum ph_unsure_verdict
hold(const char *because, const char **why)
{
	*why = because;
	return PH_UNSURE_HOLD;
}

enum ph_unsure_verdict
ph_unsure_judge(const struct ph_unsure *u, struct ph_slice page, int64_t since, int64_t resends,
    int64_t now, const char **why)
{
	const struct ph_unsure_page	*p = find(u, page);

	*why = NULL;
	if (resends >= MAX_RESENDS)
		return hold("unsure twice: may have been sent already", why);
	if (u->policy == PH_HOLD)
		return hold("unsure: may have been sent already (PAGEHOOK_UNSURE=hold)", why);
	if (u->policy == PH_RESEND)
		return PH_UNSURE_AGAIN;
	if (p == NULL)
		return hold("unsure, and this Page sends no echoes that would tell: subscribe to "
		    "message_echoes", why);
	if (p->left_at > since && p->left_at > u->held_up_at)	/* a later one's echo is here, not its own */
		return PH_UNSURE_AGAIN;
	if (now - since >= ph_clock_wait_ms(PROOF_BY_MS))
		return hold("unsure, and no echo has come since that would tell", why);
	return PH_UNSURE_WAIT;
}
