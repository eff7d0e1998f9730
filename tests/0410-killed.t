#!/usr/bin/perl
# If this fails, a webhook whose processes are killed again and again, as hosts do it, loses what
# Meta was told is kept, answers a person twice without a word in the log, or in another order than
# they wrote.
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
my ($n, $people, $over_s) = (3000, 200, 12);

# Kills the helper or the fronts, each at a random time; three times the web server is begun anew.
# It ends in time: on a busy machine a helper may need longer to come up than a storm lets it live.
sub new_storm {
	my ($hook) = @_;
	my @servers = map { time + $over_s * $_ / 4 } 1 .. 3;
	my ($helper, $front, $end) = (time, time + 1, time + $over_s);
	my $count = { kills => 0, servers => 0 };
	return $count, sub {
		return if time > $end;
		if (@servers && time >= $servers[0]) {
			shift @servers;
			$hook->{server}->restart;
			$count->{servers}++;
		}
		if (time >= $helper) {
			my $killed = kill 'KILL', $hook->helper_pids;
			$count->{kills} += $killed;
			$helper = time + ($killed ? 0.01 + rand 0.3 : 0.03);
		}
		if (time >= $front) {
			$count->{kills} += kill 'KILL', $hook->{server}->fronts;
			$front = time + 0.5 + rand 2;
		}
	};
}

# How many sends were open when a helper was killed.
sub open_sends {
	my ($hook) = @_;
	my $n = 0;
	$n += $_->{what} =~ s/ .*//r for $hook->log(qr/\d may or may not have been sent/);
	return $n;
}

for my $echoes (1, 0) {
	subtest $echoes ? 'with echoes' : 'without echoes, PAGEHOOK_UNSURE=resend' => sub {
		srand $seed;
		my $policy = $echoes ? 'reconcile' : 'resend';
		my $hook = Pagehook->new(speed => 10, PAGEHOOK_UNSURE => $policy);
		my $meta = Meta->new($hook, people => $people, pages => 4);
		my @pages = $meta->settle_pages;
		$hook->serve('lighttpd-fcgi');
		$hook->graph(@pages, $echoes ? (GRAPH_ECHO_URL => $hook->{server}->url) : ());
		$hook->graph_faults('delay 15');	# so that a kill finds open sends
		my ($count, $storm) = new_storm($hook);
		$meta->post($n, over_s => $over_s, meanwhile => $storm);
		# A later echo tells of every Page what became of those that nobody is sure of.
		$meta->post($people, over_s => 1, who => sub { $_[0] });
		$hook->soon(sub { Checker::is_settled($hook) }, 'all is settled', 60);
		my $lives = () = $hook->log(qr/"pid \d+ listens"/);
		my $hit = open_sends($hook);
		my $r = Checker::look($hook, $meta, killed => 1, faults => $count->{kills},
		    restarts => $lives - 1 + $count->{servers});
		is Checker::verdict($r), '', 'nothing is wrong';
		note Checker::line($r), "; open sends hit by a kill: $hit";
		cmp_ok $hit, '>', 0, 'kills found open sends';
		cmp_ok scalar @{$r->{duplicates}}, '<=', $echoes ? 0 : $hit,
		    $echoes ? '  and none went out twice' : '  and no more than those went out twice';
		diag "SEED=$seed repeats this" if !Test::More->builder->is_passing;
		$hook->stop;
	};
}
done_testing;
