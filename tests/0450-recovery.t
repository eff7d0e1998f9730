#!/usr/bin/perl
# If this fails, a person reads answers in another order than they wrote, or a slip of the
# administrator's -- a typo, a file removed, a helper told to leave -- costs a webhook or an answer.
# SPDX-License-Identifier: ISC
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Pagehook;
use Test::More;
use Time::HiRes qw(time);

my $absent = Pagehook->missing(qw(lighttpd openssl sqlite3));
plan skip_all => $absent if $absent;

sub texts { my ($hook) = @_; return map { ($_->{text} // '') =~ s/^You said: //r } $hook->sent }
sub slurp { my ($file) = @_; open my $f, '<', $file or return ''; local $/; return <$f> // '' }
sub spooled { my ($hook) = @_; return glob "$hook->{state}/spool/*" }

sub said {
	my ($hook, $words) = @_;
	return grep { /$words/ } map { $_->{what} // () } $hook->log;
}

# Posts a word and returns the status; the next one is of another millisecond.
# Said one after the other, not so fast that it would look like two bots talking.
my $said_at = 1000 * (time - 3 * 3600);

sub post_word {
	my ($hook, $word) = @_;
	my $event = $hook->text_event(text => $word, ts => $said_at += 4000);
	my $status = $hook->post($hook->delivery($event))->{status};
	my $ms = int(time * 1000);
	$hook->wait_for(sub { int(time * 1000) > $ms }, 'time goes on');
	return $status;
}

sub posted {
	my ($hook, @words) = @_;
	my @refused = grep { post_word($hook, $_) != 200 } @words;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	return is "@refused", '', scalar(@words) . ' posted, and answered 200';
}

sub in_order {
	my ($hook, @words) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	$hook->soon(sub { grep { $_ eq $words[-1] } texts($hook) }, 'the newest is answered');
	$hook->soon(sub { texts($hook) >= @words && !spooled($hook) }, '  and all the others');
	return is join(' ', texts($hook)), "@words", '  once each, in the order of their arrival';
}

# A stranger's transaction, which keeps everybody else from writing until let_go.
sub lock_store {
	my ($hook) = @_;
	my $said = "$hook->{dir}/stranger";
	pipe(my $from, my $to) or die "pipe: $!";
	my @sqlite3 = ('/usr/bin/sqlite3', '-bail', '-cmd', '.timeout 20000');
	my $pid = Children::start([@sqlite3, "$hook->{state}/queue.db"], stdin => $from, log => $said);
	syswrite $to, "BEGIN IMMEDIATE;\nSELECT 'it is mine';\n";
	$hook->wait_for(sub { slurp($said) =~ /it is mine/ }, 'a stranger locks the store');
	return { pid => $pid, to => $to };
}

sub let_go { my ($stranger) = @_; close $stranger->{to}; Children::end($stranger->{pid}) }

for my $n (3, 300) {		# the helper takes 64 at once
	subtest "$n in the spool, and then a helper" => sub {
		my $hook = Pagehook->new;
		my $helper = $hook->setting('PAGEHOOK_HELPER');
		my $none = $n > 64 ? "$hook->{dir}/none" : '/bin/false';	# who is not there takes no time
		$hook->configure(PAGEHOOK_HELPER => $none);
		$hook->serve('lighttpd-cgi');	# a front of its own for each: none waits before it tries again
		$hook->graph;
		my @words = map { "word-$_" } 1 .. $n;
		posted($hook, @words);
		is scalar(my @waiting = spooled($hook)), $n, 'all lie in the spool';
		$hook->configure(PAGEHOOK_HELPER => $helper);
		posted($hook, 'newer');
		in_order($hook, @words, 'newer');
	};
}

subtest 'in the spool, while a helper lives that could not be found' => sub {
	my $hook = Pagehook->new;
	my ($helper, $link) = ($hook->setting('PAGEHOOK_HELPER'), "$hook->{dir}/helper");
	my ($name, $elsewhere) = map { "$hook->{state}/$_" } qw(helper.sock elsewhere);
	symlink $helper, $link or die "symlink: $!";
	$hook->configure(PAGEHOOK_HELPER => $link);
	$hook->serve('lighttpd-cgi');
	$hook->graph;
	posted($hook, 'first');
	in_order($hook, 'first');
	unlink $link or die "unlink: $!";
	rename $name, $elsewhere or die "rename: $!";
	posted($hook, 'second', 'third');
	symlink $helper, $link or die "symlink: $!";
	rename $elsewhere, $name or die "rename: $!";
	posted($hook, 'newer');
	in_order($hook, qw(first second third newer));
};

# A settings file as an editor leaves it.
sub edit {
	my ($hook, $change) = @_;
	my $text = slurp($hook->conf);
	WebServer::spill("$hook->{dir}/edited", $change->($text));
	chmod 0600, "$hook->{dir}/edited";
	rename "$hook->{dir}/edited", $hook->conf or die "rename: $!";
}

# A thread that is given its first request after a bad edit has no good settings to keep.  So one
# waits for a helper's verdict while the other answers.
sub let_both_threads_serve {
	my ($hook, $word) = @_;
	my $body = $hook->delivery($hook->text_event(text => $word));
	my $pid = $hook->helper_pid;
	my $socket = $hook->{server}->connect;
	kill 'STOP', $pid;
	$hook->{server}->send($socket, 'POST', undef, $body, $hook->signed($body));
	$hook->handshake($_) for 1 .. 20;
	kill 'CONT', $pid;
	return WebServer::receive($socket)->{status};
}

my $typo = sub { my ($text) = @_; return "MESSENGER_APP_SECERT=x\n$text" };
my $lost = sub { my ($text) = @_; return $text =~ s/^MESSENGER_APP_SECRET=.*\n//mr };
my @edits = (
	[ 'a line with a typo', $typo, qr{\bpagehook\.conf:1: no setting MESSENGER_APP_SECERT} ],
	[ 'a secret removed', $lost, qr{\bpagehook\.conf: no MESSENGER_APP_SECRET} ],
);
for (@edits) {
	my ($name, $change, $told) = @$_;
	subtest "a broken edit of the settings: $name" => sub {
		my $hook = Pagehook->new;
		$hook->serve('lighttpd-fcgi');
		$hook->graph;
		posted($hook, 'first');
		in_order($hook, 'first');
		my $helper = $hook->helper_pid;
		is let_both_threads_serve($hook, 'second'), 200, 'both threads serve';
		in_order($hook, qw(first second));
		edit($hook, $change);
		# For some looks at the file, and until the front and the helper have said what they think.
		my ($until, @statuses) = time + 3;
		while (time < $until) {
			push @statuses, $hook->handshake(scalar @statuses)->{status};
			push @statuses, $hook->post('{"object":"page","entry":[]}')->{status};
		}
		is scalar(grep { $_ != 200 } @statuses), 0, 'every request goes on being answered 200';
		$hook->soon(sub { said($hook, $told) }, 'the log names the place');
		posted($hook, 'third');
		in_order($hook, qw(first second third));
		is join(' ', $hook->helper_pids), $helper, '  by the same helper';
		my @said = said($hook, 'last good settings stay');
		is scalar(grep { !/$told/ } @said), 0, 'nothing else is wrong';
		cmp_ok scalar(@said), '<=', 3, '  and each thread and the helper say it once';
		$hook->configure(MESSENGER_VERIFY_TOKEN => 'a-new-token');
		my $counts = sub { 5 == grep { $hook->handshake($_)->{status} == 200 } 1 .. 5 };
		$hook->soon($counts, 'mended, and the new token counts');
		my $old = sub { grep { $hook->handshake($_, 'a-verify-token')->{status} != 403 } 1 .. 5 };
		$hook->soon(sub { !$old->() }, '  and the old one does not');
		$hook->soon(sub { said($hook, qr/^pid \d+ listens/) == 2 }, '  and the helper has begun anew');
		posted($hook, 'fourth');
		in_order($hook, qw(first second third fourth));
	};
}

subtest 'helper.sock is removed under a living helper' => sub {
	my $hook = Pagehook->new;
	$hook->serve('lighttpd-cgi');
	$hook->graph;
	posted($hook, 'word-0');
	in_order($hook, 'word-0');
	unlink "$hook->{state}/helper.sock" or die "unlink: $!";
	my ($n, @refused) = (0);
	my $taken = sub {
		my $before = said($hook, 'wait in the spool');
		push @refused, $n + 1 if post_word($hook, 'word-' . ++$n) != 200;
		return said($hook, 'wait in the spool') == $before;
	};
	$hook->soon($taken, 'a helper takes a later one');
	is "@refused", '', '  and what came before was answered 200';
	in_order($hook, map { "word-$_" } 0 .. $n);
	is scalar(said($hook, qr/^pid \d+ listens/)), 2, '  by a helper that can be found';
};

subtest 'new settings while a reply waits for its next try' => sub {
	my $hook = Pagehook->new(speed => 5);
	$hook->serve('lighttpd-fcgi');
	$hook->graph;
	$hook->graph_faults('error 1 times=1');
	posted($hook, 'first');
	$hook->soon(sub { grep { ($_->{state} // '') eq 'ready' } $hook->log }, 'it is refused for now');
	$hook->configure(MESSENGER_VERIFY_TOKEN => 'a-new-token');
	$hook->soon(sub { said($hook, qr/^pid \d+ listens/) == 2 }, 'the helper begins anew by itself');
	in_order($hook, 'first');
};

subtest 'told to leave while a send is open and the store is locked' => sub {
	my $hook = Pagehook->new;
	$hook->serve('lighttpd-fcgi');
	$hook->graph;
	$hook->graph_faults('delay 3000 times=1');
	posted($hook, 'first');
	$hook->soon(sub { $hook->sent }, 'Graph has it and does not answer yet');
	my $helper = $hook->helper_pid;
	my $stranger = lock_store($hook);
	kill 'TERM', $helper;
	# Graph has answered then: nothing else is there to be written.
	$hook->soon(sub { said($hook, qr/locked by another program: sqlite3, pid $stranger->{pid}\b/) }, 'its answer cannot be written');
	let_go($stranger);
	$hook->wait_for(sub { !grep { $_ == $helper } $hook->helper_pids }, 'the helper is gone');
	is join(' ', map { $_->{state} } $hook->store('select state from reply')), 'sent',
	    'the helper settled it before it left';
	posted($hook, 'second');
	in_order($hook, qw(first second));
};
done_testing;
