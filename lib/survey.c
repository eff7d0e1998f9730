/*
 * survey -- gathers what status shows from what lies on disk.
 * Knows glance_count, refused, pages, status.  Does not know the helper's turns or the command line.
 * Called by the helper's turn and by the verb, where no helper runs.
 * Lives for one call.
 * SPDX-License-Identifier: ISC
 */
#include <sys/stat.h>

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "survey.h"

static int64_t
size_of(int state_fd, const char *name)
{
	struct stat	 st;

	return fstatat(state_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 ? st.st_size : 0;
}

static int64_t
count_files(int state_fd, const char *name)
{
	int		 fd = openat(state_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	DIR		*dir = fd != -1 ? fdopendir(fd) : NULL;
	struct dirent	*entry;
	int64_t		 n = 0;

	if (dir == NULL) {
		if (fd != -1)
			close(fd);
		return 0;
	}
	while ((entry = readdir(dir)) != NULL)
		n += entry->d_name[0] != '.';
	closedir(dir);
	return n;
}

static void
look_at_replies(const struct ph_pages *pages, struct ph_status *out)
{
	size_t	 i;

	for (i = 0; i < pages->n_rules; i++)
		if (pages->rules[i]->broken && out->n_broken++ < PH_STATUS_BROKEN)
			snprintf(out->broken[out->n_broken - 1], sizeof(out->broken[0]), "%s",
			    pages->rules[i]->path);
}

void
ph_survey(const char *state_dir, const struct ph_pages *pages, struct ph_status *out)
{
	struct ph_fail	 fail = PH_FAIL_INIT;
	int		 fd = open(state_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	*out = (struct ph_status){ .at = ph_clock_now() };
	out->no_store = ph_glance_count(state_dir, &out->counts, &fail) == PH_NONE;
	snprintf(out->store_trouble, sizeof(out->store_trouble), "%s", fail.text);
	if (pages != NULL)
		look_at_replies(pages, out);
	if (fd == -1)
		return;
	(void)!ph_refused_read(fd, &out->refused, NULL);
	out->store_bytes = size_of(fd, "queue.db");
	out->log_bytes = size_of(fd, "queue.db-wal");
	out->spool_files = count_files(fd, "spool");
	close(fd);
}

void
ph_survey_document(const char *state_dir, const struct ph_pages *pages,
    const struct ph_status_live *live, struct ph_buffer *out)
{
	struct ph_status	 status;

	ph_survey(state_dir, pages, &status);
	if (live != NULL)
		status.live = *live;
	ph_status_format_json(&status, out);
	ph_buffer_adds(out, "\n");
}

int64_t
ph_survey_memory(void)
{
	FILE	*f = fopen("/proc/self/statm", "re");
	int64_t	 pages = 0;

	if (f != NULL && fscanf(f, "%*s %" SCNd64, &pages) != 1)
		pages = 0;
	if (f != NULL)
		fclose(f);
	return pages * sysconf(_SC_PAGESIZE);
}
