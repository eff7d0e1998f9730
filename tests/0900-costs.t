#!/usr/bin/perl
# If this fails, an event or a reply has become dearer, and nobody decided so: the same server carries
# less on its worst day.  Instructions are counted, not time: that is the same on a busy machine.
# SPDX-License-Identifier: ISC
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin, "$FindBin::Bin/bench";
use Cost;
use Test::More;

my $absent = Cost->missing;
plan skip_all => $absent if $absent;
plan skip_all => 'the sanitizers count too' if Pagehook->program('') =~ m{/asan/};

# In thousands, of both programs, with room for another libc or SQLite.  `make bench` tells what it is
# of the programs as shipped.
my %budget = (
	'an event that is kept, 64 at once' => [ 135, 'silent', 64 ],
	'an event that is answered' => [ 720, 'text', 1 ],
);
for my $what (sort keys %budget) {
	my ($thousand, $kind, $at_once) = @{$budget{$what}};
	my $cost = Cost::sum(Cost::of_one('instructions', $kind, $at_once, 1, 64)) / 1000;
	note sprintf '%s: %.0f thousand instructions', $what, $cost;
	cmp_ok $cost, '>', 50, "$what: both programs are counted";
	cmp_ok $cost, '<', $thousand, '  and it is within its budget';
}
done_testing;
