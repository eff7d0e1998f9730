#!/usr/bin/perl
# If this fails, an operator cannot see what is not sent and why, or a word of theirs on it is lost.
# SPDX-License-Identifier: ISC
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use JSON::PP;
use Pagehook;
use Test::More;

my $absent = Pagehook->missing(qw(lighttpd openssl sqlite3));
plan skip_all => $absent if $absent;

my $hook = Pagehook->new;

# Runs the command; what it printed, and its status.
sub queue {
	my (@words) = @_;
	my ($out, $status) = Children::output([ Pagehook->program('pagehook'), 'queue', @words ],
	    env => $hook->env, log => "$hook->{dir}/queue.err");
	return ($out, $status >> 8);
}

sub listed { my ($out) = queue('list', '--json'); return map { decode_json($_) } split /\n/, $out }
sub state_of { my ($id) = @_; return (map { $_->{state} } grep { $_->{id} eq $id } listed())[0] // 'gone' }

sub says {
	my ($psid, $text) = @_;
	$hook->post($hook->delivery($hook->text_event(psid => $psid, text => $text)));
}

is_deeply [ queue('list') ], [ sprintf("%-7s %-7s %4s %4s  %-5s %-5s  %-7s %s\n",
    qw(ID STATE AGE TRY PAGE PERSON NEXT WHY)), 0 ], 'without a store there is nothing to list';

$hook->serve('lighttpd-fcgi');
$hook->graph;
$hook->graph_faults('error 551 1545041 to=70012345');
says(70012345, 'hello');
says(70010001, 'hello');
my $dead;
$hook->soon(sub { ($dead) = grep { $_->{state} eq 'dead' } listed() }, 'what Graph refused is listed');

subtest 'it says whose, why, and nobody\'s words' => sub {
	is_deeply [ @$dead{qw(v state try page psid code event)} ],
	    [ 1, 'dead', 1, '9001', '70012345', 551, 'e1' ], 'as JSON: all of it';
	my ($out, $status) = queue('list');
	like $out, qr/^r1 +dead +\d+s +1 +9001 +\S+2345 +- +Refused/m, 'for people: the last four digits';
	unlike $out, qr/hello|70012345/, '  and no more';
	is $status, 0, '  status 0';
	is scalar(my @rest = listed()), 1, 'what was sent is not in it';
};

subtest 'retry, hold, release, drop' => sub {
	my ($out, $status) = queue('retry', 'r1', 'r999', 'x');
	is "$out$status", "1 ready again\n66", 'what cannot be is refused, the rest is done';
	$hook->soon(sub { state_of('r1') eq 'dead' && (listed())[0]{try} == 2 }, 'it is tried again, and refused');
	$hook->graph_faults();
	is_deeply decode_json((queue('retry', 'r1', '--json'))[0]), { v => 1, done => ['r1'], refused => [] },
	    'and again, as JSON';
	$hook->soon(sub { state_of('r1') eq 'gone' }, '  it is sent');
	is scalar(grep { $_->{to} eq '70012345' && $_->{outcome} eq 'sent' } $hook->sent), 1, '  once';
	$hook->graph_stop;
	says(70012345, 'more');
	$hook->soon(sub { state_of('r3') eq 'ready' && (listed())[0]{try} > 0 }, 'Graph is away');
	is +(queue('hold', 'r3'))[0], "1 held\n", 'held';
	is state_of('r3'), 'held', '  it says so';
	is +(queue('release', 'r3'))[0], "1 released\n", 'released';
	like state_of('r3'), qr/ready|sending/, '  it is owed again';
	$hook->soon(sub { (queue('drop', 'r3'))[1] == 0 }, 'dropped');
	is state_of('r3'), 'dead', '  it is dead';
	is +(queue('drop', 'r3'))[0], "1 dropped\n", 'and dropped again';
	is state_of('r3'), 'gone', '  it goes';
};

subtest 'words that make no sense' => sub {
	is +(queue('retry'))[1], 64, 'no ids';
	is +(queue('liste'))[1], 64, 'no such verb';
};
$hook->stop;
done_testing;
