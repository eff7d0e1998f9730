package Lanes;
# Lanes -- many small installations side by side, each lane a process of its own.
# Knows Children.  Does not know what is done in them.
# Called by tests that repeat one story with another fault each time.
# Lives as long as the jobs; who ends the test ends the lanes, and each ends what it started.
# SPDX-License-Identifier: ISC
use strict;
use warnings;
use Children;
use File::Temp;
use JSON::PP;

# What do returned for each job, a hash, in the order of the jobs; { died => why } if it did not.
sub run {
	my ($n_lanes, $jobs, $do) = @_;
	my $results = File::Temp->new;
	pipe(my $next, my $queue) or die "pipe: $!";
	pipe(my $ended, my $working) or die "pipe: $!";
	my $job = sub { my ($i) = @_; return eval { $do->($jobs->[$i]) } // { died => "$@" } };
	my $lane = sub { close $queue; work($next, "$results", $job) };
	my @lanes = map { Children::apart($lane) } 1 .. $n_lanes;
	close $_ for $next, $working;
	syswrite $queue, pack 'N*', 0 .. $#$jobs;
	close $queue;
	<$ended>;				# the end of file: no lane holds the other end any more
	Children::end($_) for @lanes;
	my %done = map { @{decode_json $_} } <$results>;
	return map { $done{$_} // { died => 'its lane ended' } } 0 .. $#$jobs;
}

# Appends a line for each job: [number, result].
sub work {
	my ($next, $results, $job) = @_;
	open my $out, '>>', $results or die "$results: $!";
	while ((sysread $next, my $four, 4) // 0) {
		my $i = unpack 'N', $four;
		syswrite $out, encode_json([ $i, $job->($i) ]) . "\n";
	}
}

1;
