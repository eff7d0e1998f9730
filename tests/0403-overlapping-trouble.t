#!/usr/bin/perl
# If this fails, trouble with the disk in the middle of two turns loses an event: Meta hears 200 for what
# could not be synced, or a body leaves the spool before its event is kept.
# The test is the front; the disk stands still as long as it says, so that one turn is made while
# the other is on its way.
# SPDX-License-Identifier: ISC
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use IO::Socket::UNIX;
use Pagehook;
use Test::More;

my $absent = Pagehook->missing(qw(sqlite3));
plan skip_all => $absent if $absent;

sub touch { my ($file) = @_; WebServer::spill($file, '') }
sub slurp { my ($file) = @_; open my $f, '<', $file or return ''; local $/; return <$f> // '' }
sub n_kept { my ($hook) = @_; return ($hook->store('select count(*) n from event'))[0]{n} }
sub in_spool { my ($hook) = @_; return map { s{.*/}{}r } glob "$hook->{state}/spool/*" }

# An installation whose disk obeys orders, and a helper.
sub installed {
	my $hook = Pagehook->new;
	my $dir = $hook->{dir};
	my %shim = $hook->shim(ONLY => 'pagehook helper', DIR => $hook->{state}, EIO => "$dir/eio",
	    STUCK => "$dir/stuck");
	$hook->configure(PAGEHOOK_HELPER => $hook->helper_with(%shim));
	begin_helper($hook);
	return $hook;
}

sub begin_helper {
	my ($hook) = @_;
	my $before = grep { /listens/ } map { $_->{what} // () } $hook->log;
	Children::start([ $hook->setting('PAGEHOOK_HELPER'), 'helper' ], env => $hook->env,
	    log => "$hook->{dir}/helper.err");
	$hook->wait_for(sub { $before < grep { /listens/ } map { $_->{what} // () } $hook->log },
	    'a helper listens');
}

# A front's words, as lib/wire.h has them: hello, and a body.
sub front {
	my ($hook) = @_;
	my $front = IO::Socket::UNIX->new("$hook->{state}/helper.sock") // die "helper.sock: $!";
	syswrite $front, pack 'LLLa64', 1, 68, 2, '0' x 64;
	return $front;
}

my $n_bodies = 0;
sub body { my ($hook) = @_; return $hook->delivery($hook->event(read => { watermark => ++$n_bodies })) }

sub hand_over {
	my ($hook, $front, $n) = @_;
	syswrite $front, join '', map { pack 'LL/a*', 2, $_ } map { body($hook) } 1 .. $n;
}

# So many verdicts, or fewer if the helper hangs up.
sub verdicts {
	my ($front, $n) = @_;
	my $all = '';
	Children::within(20, sub { 1 while length $all < $n && sysread $front, $all, $n, length $all });
	return $all;
}

# A turn of two is written and on its way to a disk that stands still.
sub begin_turn {
	my ($hook, $front) = @_;
	my $n = n_kept($hook) + 2;
	touch("$hook->{dir}/stuck");
	hand_over($hook, $front, 2);
	$hook->wait_for(sub { n_kept($hook) == $n }, 'a turn is written');
}

sub end_turn { my ($hook) = @_; unlink "$hook->{dir}/stuck" or die "unlink: $!" }

subtest 'a sync fails while the next turn is made' => sub {
	my $hook = installed();
	my $front = front($hook);
	begin_turn($hook, $front);
	touch("$hook->{dir}/eio");
	hand_over($hook, $front, 1);
	end_turn($hook);
	is verdicts($front, 3), '', 'nobody hears a word';
	$hook->soon(sub { !$hook->helper_pids }, 'the helper leaves');
	unlink "$hook->{dir}/eio";
	begin_helper($hook);
	$front = front($hook);
	hand_over($hook, $front, 2);
	is verdicts($front, 2), 'kk', 'the next one keeps what comes';
};

subtest 'the next turn has read the spool, and is not kept' => sub {
	my $hook = installed();
	my $front = front($hook);
	begin_turn($hook, $front);
	my $body = body($hook);
	my $name = '1700000000000-1-1-00000001';
	WebServer::spill("$hook->{dir}/$name", 'pagehook-spool 1 ' . int(time * 1000) . ' ' . length($body) .
	    "\n$body");
	rename "$hook->{dir}/$name", "$hook->{state}/spool/$name" or die "rename: $!";
	my $said = "$hook->{dir}/stranger.said";
	WebServer::spill($said, '');
	open my $stranger, '|-', "/usr/bin/sqlite3 '$hook->{state}/queue.db' >'$said'" or die "sqlite3: $!";
	syswrite $stranger, "BEGIN IMMEDIATE;\nSELECT 'it is mine';\n";
	$hook->wait_for(sub { slurp($said) =~ /it is mine/ }, 'a stranger locks the store');
	hand_over($hook, $front, 1);
	end_turn($hook);
	is verdicts($front, 2), 'kk', 'the last turn is kept';
	$hook->soon(sub { grep { /locked/ } map { $_->{what} // () } $hook->log }, 'the next is not');
	is join(' ', in_spool($hook)) =~ s/\.\d$//r, $name, '  so its body is still in the spool';
	syswrite $stranger, "ROLLBACK;\n";
	close $stranger;
	$hook->soon(sub { !in_spool($hook) }, '  until the store is free again');
	is n_kept($hook), 3, '  and its event is kept';
};

# Of the database alone, without its log.
sub n_moved_in {
	my ($hook) = @_;
	my ($n) = Children::output([ '/usr/bin/sqlite3', "file:$hook->{state}/queue.db?immutable=1",
	    'select count(*) from event' ], log => "$hook->{dir}/sqlite3.log");
	return $n + 0;
}

# The kernel drops what it could not write, and says so once: what it still shows is not what the disk has.
subtest 'what one helper left in the log the next writes again' => sub {
	my $hook = installed();
	my $front = front($hook);
	hand_over($hook, $front, 2);
	is verdicts($front, 2), 'kk', 'kept';
	is n_moved_in($hook), 0, '  in the log';
	my ($pid) = $hook->helper_pids;
	kill 'KILL', $pid;
	$hook->wait_for(sub { !$hook->helper_pids }, 'the helper is gone');
	begin_helper($hook);
	is n_moved_in($hook), 2, 'the next one begins with it in the database';
};
done_testing;
