#!/usr/bin/perl
# If this fails, an event that was answered 200 may be gone after a power failure: after a sync that failed
# the kernel drops what it could not write, says so once, and goes on to show it, so that the next
# helper finds it in the log and calls a second delivery known.
# SPDX-License-Identifier: ISC
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Pagehook;
use Test::More;

my $absent = Pagehook->missing(qw(lighttpd openssl sqlite3));
plan skip_all => $absent if $absent;

# Events in the database alone, without its log.
sub n_moved_in {
	my ($hook) = @_;
	my ($n) = Children::output([ '/usr/bin/sqlite3', "file:$hook->{state}/queue.db?immutable=1",
	    'select count(*) from event' ], log => "$hook->{dir}/sqlite3.log");
	return 0 + ($n || 0);
}

sub n_begun { my ($hook) = @_; return scalar grep { /listens/ } map { $_->{what} // () } $hook->log }

# Not by the front, which waits a while when one has just died.
sub begin_helper {
	my ($hook) = @_;
	my $n = n_begun($hook);
	Children::start([ Pagehook->program('pagehook'), 'helper' ], env => $hook->env,
	    log => "$hook->{dir}/helper.err");
	return $hook->wait_for(sub { n_begun($hook) > $n }, 'a helper listens');
}

my $hook = Pagehook->new;
$hook->configure;
begin_helper($hook);
$hook->serve('lighttpd-fcgi');
is $hook->post($hook->delivery($hook->event(read => { watermark => $_ })))->{status}, 200, 'kept'
    for 1 .. 2;
is n_moved_in($hook), 0, '  in the log';
my ($pid) = $hook->helper_pids;
kill 'KILL', $pid;
$hook->wait_for(sub { !$hook->helper_pids }, 'the helper is gone');
begin_helper($hook);
is n_moved_in($hook), 2, 'the next one has written all of it again, to the database';
done_testing;
