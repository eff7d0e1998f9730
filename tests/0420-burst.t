#!/usr/bin/perl
# If this fails, the flood after an outage, when Meta posts again what was missed, is the next
# outage: Meta hears something else than 200, or Graph is asked faster than it allows, or who waited
# longest is answered last.
# SPDX-License-Identifier: ISC
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Checker;
use Meta;
use Pagehook;
use Test::More;
use Time::HiRes qw(time);

my $absent = Pagehook->missing(qw(lighttpd openssl sqlite3));
plan skip_all => $absent if $absent;

my $seed = $ENV{SEED} // int(time * 1000) % 1_000_000;
my $full = defined $ENV{SOAK_SECONDS};
my ($n, $over_s) = $full ? (10_000, 10) : (1_500, 1.5);
my $allowed = 300;		# a second and Page; as many at once, if none left lately
my $flying = 64;		# may have been held up on their way, and then come together

# By how much most came beyond what was allowed for so long, of all stretches between two arrivals.
sub excess {
	my @at = map { $_->{at} / 1000 } @_;
	my ($most, $least) = (-$flying, 0);
	for my $i (0 .. $#at) {
		my $over = $i - $allowed * ($at[$i] - $at[0]);
		$least = $over if $over < $least || $i == 0;
		$most = $over - $least if $over - $least > $most;
	}
	return $most + 1 - $allowed - $flying;
}

# Of the last third of the events: those answered before some of the first.  Who was to be tried again,
# since no connection came about, waits for that.
sub before_their_turn {
	my ($r) = @_;
	my %again = map { ($_->{attempt} // 0) > 1 ? ($_->{mid} => 1) : () } @{$r->{rows}};
	my %waits = map { $again{$_->{mid}} ? ($_->{psid} => 1) : () } @{$r->{events}};
	my @answered = grep { defined $_->{arrived} && !$waits{$_->{psid}} } @{$r->{events}};
	my $third = int @answered / 3;
	my ($last) = sort { $b <=> $a } map { $_->{arrived} } @answered[0 .. $third - 1];
	return grep { $_->{arrived} < $last } @answered[2 * $third .. $#answered];
}

# No helper can be had before a third of the flood has come.
sub comes_late {
	my ($hook, $meta) = @_;
	my $helper = $hook->setting('PAGEHOOK_HELPER');
	$hook->configure(PAGEHOOK_HELPER => "$hook->{dir}/none");
	return sub {
		return if !$helper || @{$meta->events} < $n / 3;
		note scalar(my @files = glob "$hook->{state}/spool/*"), ' lie in the spool';
		$hook->configure(PAGEHOOK_HELPER => $helper);
		$helper = undef;
	};
}

# It hangs, as on a disk that does not answer, until the flood is over.
sub hangs {
	my ($hook, $meta) = @_;
	my @frozen;
	return sub {
		kill 'STOP', @frozen = $hook->helper_pids if !@frozen && @{$meta->events} > $n * 0.9;
	}, sub { kill 'CONT', @frozen };
}

for ([ 'a flood', sub { sub {} } ], [ 'and no helper can be started at first', \&comes_late ],
    [ 'and the helper hangs', \&hangs ]) {
	my ($name, $suffers) = @$_;
	subtest $name => sub {
		srand $seed;
		my $hook = Pagehook->new;
		my $meta = Meta->new($hook, people => $n / 5, pages => 1);
		my @pages = $meta->settle_pages;
		my ($meanwhile, $then) = $suffers->($hook, $meta);
		$hook->serve('lighttpd-fcgi');
		$hook->graph(@pages);
		my $began = time;
		ok eval { $meta->post($n, over_s => $over_s, meanwhile => $meanwhile); 1 }, 'all is acknowledged';
		my $took_s = time - $began;
		$then->() if $then;
		is $meta->refused, 0, 'Meta hears nothing but 200';
		cmp_ok $meta->worst_s, '<', 5, '  each time before it gives up';
		my $patience_s = 30 + $n / $allowed;
		$hook->soon(sub { Checker::is_settled($hook) }, 'all is answered', $patience_s);
		my $r = Checker::look($hook, $meta, killed => defined $then, restarts => 0, faults => 0);
		is Checker::verdict($r), '', '  once, in order';
		is scalar(my @early = before_their_turn($r)), 0, '  who came first at first';
		my @graph = @{$r->{graph}};
		cmp_ok excess(@graph), '<=', 0, '  not faster than Graph allows';
		my $drained_s = ($graph[-1]{at} - $graph[0]{at}) / 1000;
		note sprintf '%d events acknowledged in %.1f s, the slowest answer took %.2f s; ' .
		    'all answered in %.1f s', $n, $took_s, $meta->worst_s, $drained_s;
		diag "SEED=$seed repeats this" if !Test::More->builder->is_passing;
		$hook->stop;
	};
}
done_testing;
