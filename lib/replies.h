/*
 * replies -- replies.json: what its owner wants the bot to say.
 * Knows strict, raw, entry, rule.  Does not know where the file lies, nor events.
 * Called by pages (the helper's), "replies check" and chat to read it; think asks its rules.
 * Lives as an immutable value but for what matching leaves behind: one thread.
 * Described in cgi/pagehook-replies.5; cgi/replies.schema.json says the same to editors.
 * SPDX-License-Identifier: ISC
 */
#ifndef PH_REPLIES_H
#define PH_REPLIES_H

#include "flaw.h"

struct ph_replies;

/* What a bot says whose owner has written nothing: a replies file like any other. */
extern const char	ph_replies_builtin[];

/*
 * Reads a file's text: JSON with // and slash-star comments.  name: the file's, for "replies.json:7" in
 * logs; copied, as is the text.  flaws gets every flaw, warnings too; its text is set to this one.
 * PH_CONFIG: it cannot be used; fail's text is the first error, "replies.json:7:46: ...".
 * *out: ph_replies_free.
 */
enum ph_error	ph_replies_parse(const char *name, struct ph_slice text, struct ph_replies **out,
		    struct ph_flaws *flaws, struct ph_fail *fail) PH_MUST_USE;
void		ph_replies_free(struct ph_replies *replies);

size_t		ph_replies_count(const struct ph_replies *replies);	/* rules */

#endif
