/*
 * survey -- gathers what status shows from what lies on disk.
 * Knows glance_count, refused, pages, status.  Does not know the helper's turns or the command line.
 * Called by the helper's turn and by the verb, where no helper runs.
 * Lives for one call.
 * SPDX-License-Identifier: ISC
 */
#ifndef PH_SURVEY_H
#define PH_SURVEY_H

#include "pages.h"
#include "status.h"

/* Fills out, but for what the helper alone knows.  What cannot be read is said in out. */
void	ph_survey(const char *state_dir, const struct ph_pages *pages, struct ph_status *out);

/* The document of it; live: what the helper knows, NULL: nobody does. */
void	ph_survey_document(const char *state_dir, const struct ph_pages *pages,
	    const struct ph_status_live *live, struct ph_buffer *out);

/* Memory that this process has in use, in bytes; 0: not known. */
int64_t	ph_survey_memory(void);

#endif
