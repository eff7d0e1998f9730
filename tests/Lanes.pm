package Lanes;
# Lanes -- many small installations side by side, each lane a process of its own.
# Knows Children.  Does not know what is done in them.
# Called by tests that repeat one story with another fault each time.
# Lives as long as the jobs; who ends the test ends the lanes, and each ends what it started.
# SPDX-License-Identifier: ISC
use strict;
use warnings;
use Children;
use JSON::PP;

# What do returned for each job, a hash, in the order of the jobs; { died => why } if it did not.
sub run {
	my ($n_lanes, $jobs, $do) = @_;
	pipe(my $next, my $queue) or die "pipe: $!";
	pipe(my $results, my $tell) or die "pipe: $!";
	my $job = sub { my ($i) = @_; return eval { $do->($jobs->[$i]) } // { died => "$@" } };
	my $lane = sub { close $_ for $queue, $results; work($next, $tell, $job) };
	my @lanes = map { Children::apart($lane) } 1 .. $n_lanes;
	close $_ for $next, $tell;
	syswrite $queue, pack 'N*', 0 .. $#$jobs;
	close $queue;
	my @all = map { { died => 'its lane ended' } } @$jobs;
	while (<$results>) {
		my ($i, $result) = @{decode_json $_};
		$all[$i] = $result;
	}
	Children::end($_) for @lanes;
	return @all;
}

sub work {
	my ($next, $tell, $job) = @_;
	while ((sysread $next, my $four, 4) // 0) {
		my $i = unpack 'N', $four;
		syswrite $tell, encode_json([ $i, $job->($i) ]) . "\n";
	}
}

1;
