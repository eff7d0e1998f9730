/*
 * process -- one child process: its pipes, its start, its end and that of its group.
 * Knows program, buffer, clock.  Does not know what is said through the pipes.
 * Called by exec, coproc and alert.
 * Lives from _start to _close; until then its number, and its group's, belong to nobody else.
 * Described in cgi/pagehook-handler.7.
 * SPDX-License-Identifier: ISC
 */
#ifndef PH_PROCESS_H
#define PH_PROCESS_H

#include <sys/types.h>

#include <poll.h>
#include <stdint.h>

#include "program.h"

#define PH_PROCESS_WATCHED	3	/* descriptors to wait for, at most */

struct ph_process {
	pid_t	 pid;		/* its group's number too; 0: none */
	int	 in, out, err;	/* our ends of its standard ones, not blocking; -1: closed */
	int	 report;	/* how the child says that it could not become the program */
	bool	 ended;
	int	 exit;		/* exit status; -1: it did not get so far */
	int	 signal;	/* that ended it; 0: none */
	int	 error;		/* errno of a start that failed; 0: none */
	bool	 no_dir;	/* error is about the directory */
	int64_t	 kill_at;	/* monotonic: after TERM comes KILL; 0: nobody wants its end */
};

#define PH_PROCESS_INIT	{ .in = -1, .out = -1, .err = -1, .report = -1, .exit = -1 }

/*
 * Starts a loaded program in its directory and in a process group of its own, with its environment,
 * descriptors 0 to 2, default signals, umask 077, no core, and TERM when the thread that called
 * this ends.  What is wrong with the program shows when it has ended.  Safe in a threaded program.
 * PH_BUSY: no process or pipe to be had.
 */
enum ph_error	ph_process_start(const struct ph_program *program, struct ph_process *out,
		    struct ph_fail *fail) PH_MUST_USE;

/* Ends the group: TERM now, KILL in 2 s (by ph_process_check) or, earlier, at _close. */
void		ph_process_kill(struct ph_process *process);

/* Whether it has ended, and how: ended and what stands behind it.  Keeps the time of KILL. */
bool		ph_process_check(struct ph_process *process);

/* Reaps it; what is left of the group is killed if that was wanted.  Kills it if it still runs. */
void		ph_process_close(struct ph_process *process);

/* How it ended, for people: "exit 3", "killed by signal 11", "./bot: No such file or directory". */
void		ph_process_tell(const struct ph_process *process, const struct ph_program *program,
		    char *why, size_t size);

/* Moves what can be moved without waiting; a closed other end closes ours. */
void		ph_process_write(struct ph_process *process, struct ph_buffer *from);
void		ph_process_read(struct ph_process *process, struct ph_buffer *to, size_t most);
void		ph_process_close_in(struct ph_process *process);
void		ph_process_close_out(struct ph_process *process);

/* Its open ends; writing: there is something to write. */
size_t		ph_process_watch(const struct ph_process *process, bool writing, struct pollfd *fds,
		    size_t max);

#endif
