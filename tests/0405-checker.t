#!/usr/bin/perl
# If this fails, the count of what was lost, doubled or turned round says 0 whatever happens, and
# the tests that kill things prove nothing.
# SPDX-License-Identifier: ISC
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Checker;
use Test::More;

# Three words of one person, each posted once the one before was acknowledged, and answered; then
# what change does to that.
sub ledgers {
	my ($change) = @_;
	my %in = (faults => 1, restarts => 2, log => [], unreadable => []);
	for my $n (1 .. 3) {
		my ($mid, %who) = ("m_meta_$n", page => 9101, psid => 7001);
		push @{$in{events}}, { n => $n, mid => $mid, at => 1000 * $n, post => $n, posted => $n,
		    acknowledged => $n + 0.5, %who };
		push @{$in{graph}}, { text => "You said: $n", to => 7001, page => 9101,
		    outcome => 'sent' };
		push @{$in{rows}}, { mid => $mid, event => 'done', why => undef, id => 10 + $n,
		    state => 'sent', attempt => 1, resends => 0 };
	}
	$change->(\%in);
	return Checker::check(%in);
}

sub swap { my ($list) = @_; @$list[0, 1] = @$list[1, 0] }

# The second is answered twice; resent: after it was unsure.
sub double {
	my ($in, $resends) = @_;
	push @{$in->{graph}}, $in->{graph}[1];
	@{$in->{rows}[1]}{qw(attempt resends)} = (2, $resends);
}

my $doubt = { id => 'r12', what => 'unsure, no echo: sent once more; it may arrive twice' };
my @cases = (
	[ 'nothing', sub {}, '' ],
	[ 'acknowledged, and not answered', sub {
		pop @{$_[0]{graph}};
		$_[0]{rows}[2]{attempt} = 0;
	}, 'lost: 3' ],
	[ '  nor even in the store', sub { pop @{$_[0]{graph}}; pop @{$_[0]{rows}} }, 'lost: 3' ],
	[ '  but held, where an operator sees it', sub {
		pop @{$_[0]{graph}};
		@{$_[0]{rows}[2]}{qw(state attempt)} = ('held', 0);
	}, '' ],
	[ '  but kept as unreadable', sub {
		pop @{$_[0]{graph}};
		pop @{$_[0]{rows}};
		push @{$_[0]{unreadable}}, { body => '{"mid":"m_meta_3"}' };
	}, '' ],
	[ '  but never acknowledged', sub {
		pop @{$_[0]{graph}};
		pop @{$_[0]{rows}};
		delete $_[0]{events}[2]{acknowledged};
	}, '' ],
	[ 'answered, and never sent', sub {
		push @{$_[0]{graph}}, { text => 'You said: 4', to => 7001, page => 9101,
		    outcome => 'sent' };
	}, 'unexpected: 4' ],
	[ 'answered to somebody else', sub {
		$_[0]{graph}[0]{to} = 7002;
		$_[0]{rows}[0]{attempt} = 0;
	}, 'lost: 1; unexpected: 1' ],
	[ 'sent without a claim', sub { $_[0]{rows}[0]{attempt} = 0 }, 'unexpected: 1' ],
	[ 'claimed twice, and sent once', sub { $_[0]{rows}[0]{attempt} = 2 }, 'unexpected: 1' ],
	[ '  by a helper that was killed', sub {
		$_[0]{rows}[0]{attempt} = 2;
		$_[0]{killed} = 1;
	}, '' ],
	[ 'answered twice', sub { double($_[0], 0) }, 'unexplained duplicates: 2' ],
	[ '  after doubt, and no log says so', sub { double($_[0], 1) }, 'unexplained duplicates: 2' ],
	[ '  after doubt', sub { double($_[0], 1); push @{$_[0]{log}}, $doubt }, '' ],
	[ '  and once more', sub {
		double($_[0], 1) for 1 .. 2;
		$_[0]{rows}[1]{attempt} = 3;
		push @{$_[0]{log}}, $doubt;
	}, 'unexplained duplicates: 2' ],
	[ 'two answers the other way round', sub { swap($_[0]{graph}) }, 'out of order: 2' ],
	[ '  as their rows were made', sub {
		swap($_[0]{graph});
		$_[0]{rows}[$_]{id} = 12 - $_ for 0, 1;
	}, 'out of order: 2' ],
	[ '  when they were posted together', sub {
		swap($_[0]{graph});
		$_[0]{rows}[$_]{id} = 12 - $_ for 0, 1;
		$_[0]{events}[1]{post} = 1;
	}, 'out of order: 2' ],
	[ '  when the first was not acknowledged yet', sub {
		swap($_[0]{graph});
		$_[0]{rows}[$_]{id} = 12 - $_ for 0, 1;
		$_[0]{events}[0]{acknowledged} = 9;
	}, '' ],
	[ '  when the later one is the older', sub {
		swap($_[0]{graph});
		$_[0]{rows}[$_]{id} = 12 - $_ for 0, 1;
		$_[0]{events}[1]{at} = 500;
	}, '' ],
);

delete local $ENV{PH_TALLY};	# these figures are no run's
for (@cases) {
	my ($name, $change, $wrong) = @$_;
	is Checker::verdict(ledgers($change)), $wrong, $name;
}

is Checker::line(ledgers(sub { double($_[0], 1); push @{$_[0]{log}}, $doubt })),
    'faults 1, restarts 2, events 3, acknowledged 3, lost 0, unexpected 0, duplicates 1, ' .
    'unexplained duplicates 0, out of order 0, skipped 0', 'the line';
done_testing;
