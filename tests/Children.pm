package Children;
# Children -- what a test starts: each in a process group of its own, each ended by its pid.
# Knows /proc.  Does not know pagehook or web servers.
# Called by Pagehook and WebServer.
# Lives as long as the test: END ends all that is left, also after die, Ctrl-C and TERM.
# SPDX-License-Identifier: ISC
use strict;
use warnings;
use Fcntl qw(O_RDONLY O_WRONLY O_CREAT O_APPEND);
use File::Temp;
use POSIX qw(WNOHANG);
use Time::HiRes qw(sleep time);

our $Owner = $$;	# a forked copy of the test ends nothing
my %started;		# pid of the leader => whether it is still ours to wait for
my %all;		# pid of the leader => whether TERM goes to its whole group

my @signals = qw(INT TERM HUP PIPE);	# PIPE: who read our results was killed
$SIG{$_} = sub { exit 1 } for @signals;
END { at_end(sub { end($_) for keys %started }) }

# What an END block does, undisturbed, and only in the test itself.
sub at_end {
	my ($do) = @_;
	return if $$ != $Owner;
	local $?;
	$SIG{$_} = 'IGNORE' for @signals;
	$do->();
}

# Starts argv and returns its pid.  stdin: a handle; log: a file for what it says; env: all of it;
# leaves: it starts others and goes, they are to be told when it is time.
sub start {
	my ($argv, %o) = @_;
	my $pid = fork // die "fork: $!";
	if (!$pid) {
		POSIX::setpgid(0, 0);
		become($argv, %o);
	}
	POSIX::setpgid($pid, $pid);
	$started{$pid} = 1;
	$all{$pid} = $o{leaves};
	return $pid;
}

# Does this in a process of its own, which ends what it starts; returns its pid.
sub apart {
	my ($do) = @_;
	my $pid = fork // die "fork: $!";
	if (!$pid) {
		POSIX::setpgid(0, 0);
		($Owner, %started, %all) = ($$);
		$do->();
		exit 0;
	}
	POSIX::setpgid($pid, $pid);
	$started{$pid} = 1;
	return $pid;
}

# Runs argv to its end: what it printed, and its status.  in: what it reads.
sub output {
	my ($argv, %o) = @_;
	my $in = File::Temp->new;
	print $in $o{in} // '';
	seek $in, 0, 0;
	pipe(my $from, my $to) or die "pipe: $!";
	my $pid = fork // die "fork: $!";
	become($argv, %o, stdin => $in, stdout => $to) if !$pid;
	close $to;
	my $out = within(60, sub { local $/; <$from> }) // (kill('KILL', $pid) && '');
	waitpid $pid, 0;
	return wantarray ? ($out, $?) : $out;
}

# What sub returns, or undef when it hangs: a test that waits for ever tells nobody anything.
sub within {
	my ($s, $sub) = @_;
	local $SIG{ALRM} = sub { die "hangs\n" };
	alarm $s;
	my $value = eval { $sub->() };
	alarm 0;
	return $value;
}

# exec with descriptors 0 to 2 and nothing else: the rest closes, for it is above $^F.
sub become {
	my ($argv, %o) = @_;
	my $in = $o{stdin} ? fileno $o{stdin} : POSIX::open('/dev/null', O_RDONLY);
	my $log = POSIX::open($o{log} // '/dev/null', O_WRONLY | O_CREAT | O_APPEND, 0600);
	POSIX::dup2($in, 0);
	POSIX::dup2($o{stdout} ? fileno $o{stdout} : $log, 1);
	POSIX::dup2($log, 2);
	POSIX::close($_) for grep { $_ > 2 } $in, $log;
	$SIG{$_} = 'DEFAULT' for keys %SIG;
	%ENV = (%{$o{env}}) if $o{env};
	{ no warnings 'exec'; exec { $argv->[0] } @$argv; }
	print STDERR "$argv->[0]: $!\n";
	POSIX::_exit(127);
}

# Whether the leader still runs.
sub lives {
	my ($pid) = @_;
	$started{$pid} &&= waitpid($pid, WNOHANG) == 0;
	return $started{$pid};
}

# TERM to the leader, which ends what it started, or to all; KILL to who has not gone in time.
sub end {
	my ($pid) = @_;
	return if !exists $started{$pid};
	kill 'TERM', $all{$pid} ? -$pid : $pid if lives($pid) || $all{$pid} && group($pid);
	for (my $until = time + 15; (lives($pid) || group($pid)) && time < $until; ) {
		sleep 0.01;
	}
	for my $stubborn (group($pid)) {
		print STDERR "# killed, for TERM did not end it: ", join(' ', argv_of($stubborn)), "\n";
		kill 'KILL', $stubborn;
	}
	waitpid $pid, 0 if delete $started{$pid};
}

# The pids of a process group, those already dead left out.
sub group {
	my ($pgid) = @_;
	return grep {
		my ($state, undef, $of) = stat_of($_);
		$of && $of == $pgid && $state ne 'Z';
	} pids();
}

sub pids { return map { m{^/proc/(\d+)$} } glob '/proc/[0-9]*' }

# State, parent, process group.
sub stat_of {
	my ($pid) = @_;
	open my $f, '<', "/proc/$pid/stat" or return;
	return (<$f> // '') =~ /^.*\) (\S) (\d+) (\d+)/s;
}

sub argv_of {
	my ($pid) = @_;
	open my $f, '<', "/proc/$pid/cmdline" or return;
	return split /\0/, <$f> // '';
}

1;
