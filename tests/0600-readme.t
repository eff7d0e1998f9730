#!/usr/bin/perl
# If this fails, the first thing a newcomer types from the README does not work.
# SPDX-License-Identifier: ISC
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Pagehook;
use Test::More;

my $absent = Pagehook->missing(qw(lighttpd openssl curl cgi-fcgi));
plan skip_all => $absent if $absent;

open my $readme, '<', Pagehook->top . '/README.md' or die "README.md: $!";
my @fences = do { local $/; <$readme> } =~ /^```sh\n(.*?)^```/msg;
my ($by_curl) = grep { /^curl/m && /build\/run/ } @fences;
my ($by_hand) = grep { /^cgi-fcgi/m } @fences;

# The lines as they stand, where a tree would be that was built and run; only W and S are ours.
my $hook = Pagehook->new(MESSENGER_VERIFY_TOKEN => 'dev-token');
$hook->graph;
$hook->serve('lighttpd-fcgi');
my $tree = "$hook->{dir}/a tree";
mkdir $_ or die "$_: $!" for $tree, "$tree/build", "$tree/build/run", "$tree/tests";
symlink Pagehook->program($_), "$tree/build/$_" or die $! for qw(pagehook pagehook.fcgi);
symlink $hook->conf, "$tree/build/run/pagehook.conf" or die $!;
symlink Pagehook->top . '/tests/data', "$tree/tests/data" or die $!;

sub typed {
	my ($lines, %ours) = @_;
	$lines =~ s/\b$_=\S+/$_=$ours{$_}/ for keys %ours;
	local $ENV{PATH} = "$ENV{PATH}:/usr/sbin";
	open my $sh, '-|', 'sh', '-c', "cd '$tree' && exec 2>/dev/null </dev/null; $lines" or die "sh: $!";
	local $/;
	return <$sh>;
}

ok $by_curl, 'the README says how by curl';
is typed($by_curl, W => $hook->{server}->url), 'CHALLENGE_ACCEPTEDEVENT_RECEIVED', 'and it works';
$hook->soon(sub { grep { ($_->{text} // '') eq 'You said: hello' } $hook->sent }, 'the reply is at Graph');

my ($by_chat) = grep { /pagehook chat/ } @fences;
ok $by_chat, 'the README says how in the terminal';
like typed($by_chat), qr/You said: hello.*Welcome\. Tell me what you need\./s, 'and it works';

ok $by_hand, 'the README says how by cgi-fcgi';
my $socket = "$hook->{dir}/by-hand.sock";
my $heard = typed($by_hand, S => $socket);
like $heard, qr/^Status: 200 .*^CHALLENGE_ACCEPTEDStatus: 200 .*^EVENT_RECEIVED\z/ms, 'and it works';
for my $proc (glob '/proc/[0-9]*') {		# it was started to stay
	kill TERM => $proc =~ /(\d+)$/ if (readlink "$proc/exe" // '') eq Pagehook->program('pagehook.fcgi')
	    && (readlink "$proc/cwd" // '') eq $tree;
}
$hook->stop;
done_testing;
