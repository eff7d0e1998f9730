#!/usr/bin/perl
# If this fails, Meta was told 200 and the event is gone, or the person gets an answer twice and
# nobody can say why.
# SPDX-License-Identifier: ISC
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Pagehook;
use Test::More;

my $absent = Pagehook->missing(qw(lighttpd openssl sqlite3));
plan skip_all => $absent if $absent;

sub texts { my ($hook) = @_; return map { $_->{text} // '' } $hook->sent }

sub state_of_reply {
	my ($hook) = @_;
	my ($first) = $hook->store('select state from reply order by id');
	return $first->{state} // '';
}

sub kill_helper {
	my ($hook) = @_;
	my $pid = $hook->helper_pid;
	kill 'KILL', $pid;
	$hook->wait_for(sub { !grep { $_ == $pid } $hook->helper_pids }, 'the helper is gone');
}

# In the same conversation, so all that was owed before it is settled once it is there.
sub last_word {
	my ($hook) = @_;
	$hook->post($hook->delivery($hook->text_event(text => 'the last word')));
	return $hook->soon(sub { grep { /the last word/ } texts($hook) }, '  the last word goes out');
}

for my $proof (qw(handshake post)) {
	subtest "killed while Graph is away, and proven traffic is a $proof" => sub {
		my $hook = Pagehook->new;
		$hook->serve('lighttpd-fcgi');
		is $hook->post($hook->delivery($hook->text_event))->{status}, 200, 'kept';
		$hook->wait_for(sub { state_of_reply($hook) eq 'ready' }, 'a reply is owed');
		kill_helper($hook);
		$hook->graph;
		is $hook->request('GET', 'hub.mode=subscribe')->{status}, 403, 'who proves nothing';
		ok !$hook->helper_pids, '  starts no helper';
		$hook->handshake(7) if $proof eq 'handshake';
		$hook->post('{"object":"page","entry":[]}') if $proof eq 'post';
		$hook->soon(sub { $hook->sent }, 'the reply goes out all the same');
		last_word($hook);
		is join('|', texts($hook)), 'You said: hello|You said: the last word', '  once';
	};
}

for ([ 'reconcile', 'held', 1, 'message_echoes' ], [ 'resend', 'sent', 2, 'more than once' ]) {
	my ($policy, $becomes, $times, $told) = @$_;
	subtest "killed while a send is open, PAGEHOOK_UNSURE=$policy" => sub {
		my $hook = Pagehook->new(speed => 20, PAGEHOOK_UNSURE => $policy);
		$hook->serve('lighttpd-fcgi');
		$hook->graph;
		$hook->graph_faults('accepted-hang 600000 times=1');
		$hook->post($hook->delivery($hook->text_event));
		$hook->soon(sub { $hook->sent }, 'Graph has it and says nothing');
		kill_helper($hook);
		is state_of_reply($hook), 'sending', 'the store says that it was on its way';
		$hook->handshake(7);
		$hook->soon(sub { state_of_reply($hook) eq $becomes }, "it is $becomes");
		last_word($hook);
		my @sent = grep { $_->{text} eq 'You said: hello' } $hook->sent;
		is scalar(@sent), $times, "  Graph got it so often: $times";
		my %tokens = map { ($_->{metadata} => 1) } @sent;
		is keys %tokens, 1, '  under the same token';
		my @said = map { $_->{what} // $_->{note} // () } $hook->log;
		ok scalar(grep { /\bunsure\b/ } @said), '  and the log calls it unsure';
		ok scalar(grep { /$told/ } @said), "  and says: $told";
	};
}

subtest 'no helper to be had: the spool keeps it' => sub {
	my $hook = Pagehook->new;
	my $helper = $hook->setting('PAGEHOOK_HELPER');
	$hook->configure(PAGEHOOK_HELPER => '/bin/false');
	$hook->serve('bare-cgi');
	$hook->graph;
	my $got = $hook->post($hook->delivery($hook->text_event));
	is "$got->{status} $got->{body}", '200 EVENT_RECEIVED', 'Meta hears 200';
	is scalar(my @waiting = glob "$hook->{state}/spool/*"), 1, '  and it lies in the spool';
	$hook->configure(PAGEHOOK_HELPER => $helper);
	$hook->handshake(7);
	$hook->soon(sub { $hook->sent }, 'the next helper answers it');
	last_word($hook);
	is join('|', texts($hook)), 'You said: hello|You said: the last word', '  once';
	$hook->soon(sub { !glob "$hook->{state}/spool/*" }, '  and the spool is empty');
};

# What happened before the front said 200.  strace prints a call when it returned, in the order in
# which all processes saw it.  The event wants no reply, so that nothing follows its commit.
sub traced_post {
	my ($hook) = @_;
	my $body = $hook->delivery($hook->event(read => { watermark => 1 }));
	my %signed = $hook->signed($body);
	my ($dir, $in) = ($hook->{dir}, File::Temp->new);
	print $in $body;
	seek $in, 0, 0;
	my $calls = 'trace=fdatasync,fsync,rename,renameat,renameat2,write,writev,pwrite64';
	my $pid = Children::start([ qw(strace -f -qq -y -s 32 -e), $calls, '-o', "$dir/trace",
	    Pagehook->program('pagehook.fcgi') ], stdin => $in, log => "$dir/answer",
	    env => { %{$hook->env}, GATEWAY_INTERFACE => 'CGI/1.1', REQUEST_METHOD => 'POST',
	    CONTENT_LENGTH => length $body, HTTP_X_HUB_SIGNATURE_256 => $signed{'X-Hub-Signature-256'},
	    ASAN_OPTIONS => ($ENV{ASAN_OPTIONS} // '') . ':detect_leaks=0' });
	$hook->soon(sub { slurp("$dir/answer") =~ /EVENT_RECEIVED/ }, 'the traced front answers');
	$hook->helper_stop;
	Children::end($pid);
	my ($before) = slurp("$dir/trace") =~ /^(.*?)^[^\n]*"Status: 200/ms;
	ok defined $before, '  and the trace shows it';
	return $before // '';
}

sub slurp { my ($file) = @_; open my $f, '<', $file or return ''; local $/; return <$f> // '' }

subtest 'nothing is acknowledged before it is on disk' => sub {
	plan skip_all => 'strace not installed' if Pagehook->missing('strace');
	my (undef, $forbidden) = Children::output([qw(strace -o /dev/null true)]);
	plan skip_all => 'ptrace is forbidden here' if $forbidden;
	my $done = qr{\) += 0};
	my $before = traced_post(Pagehook->new);
	my ($since_written) = $before =~ /.*pwrite64\(\N*queue\.db-wal>(.*)/s;
	like $since_written, qr{sync\(\N*queue\.db-wal>(?:$done| <unfinished.*sync resumed>$done)}s,
	    'by the helper: what was written is synced first';
	$before = traced_post(Pagehook->new(PAGEHOOK_HELPER => '/bin/false'));
	like $before, qr{sync\([^\n]*/spool/\N*$done\n.*rename\N*$done\n.*fsync\(\N*/spool>$done}s,
	    'by the spool: the file, its name and the directory are synced first';
};
subtest 'what an echo says settles what nobody was sure of' => sub {
	my $hook = Pagehook->new;
	$hook->serve('lighttpd-fcgi');
	$hook->graph;
	$hook->graph_faults('drop taken times=1');
	$hook->post($hook->delivery($hook->text_event(text => 'sent or not?')));
	$hook->soon(sub { grep { ($_->{state} // '') eq 'unsure' } $hook->log }, 'the answer is lost');
	my ($sent) = $hook->sent;
	$hook->post($hook->delivery($hook->event(message => { mid => 'm_echoed', is_echo => JSON::PP::true,
		metadata => $sent->{metadata}, text => $sent->{text} })));
	$hook->soon(sub { grep { ($_->{what} // '') =~ /echo/ } $hook->log }, 'the echo settles it');
	is_deeply [ $hook->store('select state, mid from reply') ], [ { state => 'sent', mid => 'm_echoed' } ],
	    'it is sent, and bears the name that Meta gave it';
	is scalar(() = $hook->sent), 1, 'and Graph has it once';
};
done_testing;
