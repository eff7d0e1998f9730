#!/usr/bin/perl
# If this fails, the helper tells a front that events are kept while they are still on their way to the
# disk: Meta hears 200, the power fails, and nobody has them.  Or the log does not tell of them yet: the
# helper is killed in the middle of what it does next, and nobody can say why a person heard it twice.
# SPDX-License-Identifier: ISC
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Pagehook;
use Test::More;

my $absent = Pagehook->missing(qw(lighttpd openssl sqlite3 strace));
plan skip_all => $absent if $absent;
my (undef, $forbidden) = Children::output([qw(strace -o /dev/null true)]);
plan skip_all => 'ptrace is forbidden here' if $forbidden;

my ($at_once, $rounds, $n_events) = (100, 4, 0);

# A helper whose system calls are written down, in the order in which all its threads made them.
sub traced {
	my ($hook) = @_;
	my @strace = (qw(strace -D -f -qq -y -s 8 -e), 'trace=pwrite64,fdatasync,write,sendto',
	    qw(-e inject=fdatasync:delay_enter=5000 -o));	# a slow disk
	my $pid = Children::start([ @strace, "$hook->{dir}/trace", Pagehook->program('pagehook'), 'helper' ],
	    env => { %{$hook->env}, ASAN_OPTIONS => ($ENV{ASAN_OPTIONS} // '') . ':detect_leaks=0' },
	    log => "$hook->{dir}/log");
	$hook->wait_for(sub { $hook->log('listens') }, 'a helper listens', 30);
	return $pid;
}

# So many at once, each on its own connection; how many heard 200.
sub flood {
	my ($hook) = @_;
	my @bodies = map { $hook->delivery($hook->event(read => { watermark => ++$n_events })) } 1 .. $at_once;
	my $server = $hook->{server};
	my @sockets = map { $server->connect } @bodies;
	for (0 .. $#bodies) {
		$server->send($sockets[$_], 'POST', undef, $bodies[$_], $hook->signed($bodies[$_]));
	}
	return grep { $_->{status} == 200 } map { WebServer::receive($_) } @sockets;
}

# Of the trace: verdicts that left, and those that left with something unsynced, or unsaid.
sub judge {
	my ($file) = @_;
	my %n = (verdicts => 0, early => 0, unsaid => 0);
	my ($written, $synced, $said, %covers) = (0, 0, 0);
	open my $f, '<', $file or die "$file: $!";
	while (<$f>) {
		my ($pid) = /^(\d+)/;
		$written++ if /pwrite64\([^>]*queue\.db-wal>/;
		$covers{$pid} = $written if /fdatasync\([^>]*queue\.db-wal>/;
		if (/fdatasync(?:\([^>]*queue\.db-wal>\)| resumed>\)) += 0/ && defined $covers{$pid}) {
			my $covered = delete $covers{$pid};
			$synced = $covered if $covered > $synced;
		}
		$said = $synced if / write\([^>]*pagehook\.log>/;
		next if !/sendto\(/;
		$n{verdicts}++;
		$n{early}++ if $synced < $written;
		$n{unsaid}++ if $said < $synced;
	}
	return \%n;
}

my $hook = Pagehook->new;
$hook->configure;
my $pid = traced($hook);
$hook->serve('lighttpd-fcgi');
my $heard = 0;
$heard += flood($hook) for 1 .. $rounds;
is $heard, $at_once * $rounds, 'each hears 200';
Children::end($pid);
$hook->wait_for(sub { !$hook->helper_pids }, 'the helper is gone');
my $n = judge("$hook->{dir}/trace");
note join ', ', map { "$_ $n->{$_}" } sort keys %$n;
cmp_ok $n->{verdicts}, '>', $rounds, 'verdicts left';
is $n->{early}, 0, '  and none before all that was written was synced';
is $n->{unsaid}, 0, '  nor before the log told of it';
is scalar(my @kept = $hook->store('select id from event')), $at_once * $rounds, 'each is kept';
done_testing;
