#!/usr/bin/perl
# If this fails, a person who asked to be forgotten is still in a file here, is known again by what
# Meta repeats, or took somebody else's words along.
# SPDX-License-Identifier: ISC
use strict;
use warnings;
use File::Find ();
use FindBin;
use JSON::PP;
use lib $FindBin::Bin;
use Pagehook;
use Talk;
use Test::More;
use Time::HiRes qw(time);

my $absent = Pagehook->missing(qw(lighttpd openssl sqlite3 python3));
plan skip_all => $absent if $absent;

my ($ann, $bob) = ('24110000004411', '24110000009120');
my $hook = bot(
    '"on": "text", "is": "who", "say": "You are {user.first_name} {user.last_name}."',
    '"on": "text", "match": "^later", "exec": ["./later"]',
    '"on": "text", "match": "^gate", "exec": ["./waits"]',
    '"on": "any", "say": "{text}{payload}!"');

sub bot {
	my (@entries) = @_;
	my $hook = Pagehook->new(PAGEHOOK_HUMAN_PAUSE => 0, speed => 2);
	$hook->configure(PAGEHOOK_REPLIES => replies_are($hook, @entries));
	$hook->serve('lighttpd-fcgi');
	$hook->graph;
	return $hook;
}

# Runs the command; what it printed, and its status.
sub forget {
	my ($hook, @words) = @_;
	my ($out, $status) = Children::output([ Pagehook->program('pagehook'), 'forget', @words ],
	    env => { %{$hook->env}, PH_TEST_SPEED => 20 }, log => "$hook->{dir}/forget.err");
	return ($out, $status >> 8);
}

# The same by somebody at a terminal, who says this.
sub forget_on_tty {
	my ($hook, $says, @words) = @_;
	my $python = q{
import os, pty, sys
pid, fd = pty.fork()
if pid == 0:
    os.execv(sys.argv[2], sys.argv[2:])
os.write(fd, sys.argv[1].encode() + b"\n")
try:
    while sys.stdout.buffer.write(os.read(fd, 4096)): pass
except OSError: pass
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
};
	my ($out, $status) = Children::output([ 'python3', '-c', $python, $says,
	    Pagehook->program('pagehook'), 'forget', @words ], env => $hook->env);
	return ($out, $status >> 8);
}

# Which of these stand in which file of the state directory.
sub found {
	my ($hook, @needles) = @_;
	my %found;
	File::Find::find(sub {
		return if !-f;
		my $bytes = slurp($_);
		$found{"$_ in " . substr $File::Find::name, length $hook->{state}}++
		    for grep { index($bytes, $_) >= 0 } @needles;
	}, $hook->{state});
	return sort keys %found;
}

sub is_in_store { my ($hook, $needle) = @_; return grep { m{ in /queue\.db} } found($hook, $needle) }

# What one person says and does: of each kind something, and the bodies that brought it.
sub lives_here {
	my ($hook, $psid, $name) = @_;
	my ($n, @bodies) = (0);
	my $ts = int(1000 * time) - 300_000;
	my $does = sub {
		my ($kind, $what, %o) = @_;
		$what->{mid} = "mid-$name-" . ++$n . '-end' if $kind eq 'message';
		push @bodies, $hook->delivery($hook->event(psid => $psid, ts => $ts += 5000, $kind => $what, %o));
		is $hook->post($bodies[-1])->{status}, 200, "$name: $kind";
	};
	my $page = $hook->setting('MESSENGER_PAGE_ID');
	$does->(message => { text => 'who' });
	$does->(message => { text => "$name-text" });
	$does->(message => { text => "$name-tap", quick_reply => { payload => "$name-quick" } });
	$does->(message => { attachments => [ { type => 'image',
	    payload => { url => "https://cdn.example/$name-picture.jpg" } } ] });
	$does->(postback => { title => "$name-title", payload => "$name-payload", mid => "mid-$name-pb-end" });
	$does->(delivery => { mids => [ "mid-$name-1-end" ], watermark => $ts });
	$does->(read => { watermark => $ts });
	$does->(reaction => { reaction => 'love', action => 'react', mid => "mid-$name-2-end" });
	$does->(message => { text => "$name-echo", is_echo => JSON::PP::true, app_id => 4242 },
	    sender => { id => $page }, recipient => { id => $psid });
	$does->(message => { text => "later $name-later" });
	$does->(message => { text => "$name-refused" });
	return @bodies;
}

handler($hook, 'later', "#!/bin/sh\nexit 75\n");
my $gate = gate($hook, 'gate');
handler($hook, 'waits', "#!/bin/sh\nread word <'$gate'\necho \"\$word\"\n");

my %name = ($ann => 'Wilhelmina', $bob => 'Bartholomew');
my @bodies = map {
	$hook->graph_faults(map { "answer call=profile to=$_ json={\"first_name\":\"$name{$_}\"," .
	    "\"last_name\":\"$name{$_}son\"}" } $ann, $bob);
	[ lives_here($hook, $_, $name{$_}) ];
} $ann, $bob;
my @words = qw(text tap quick picture title payload echo later);
my %needles = map { my $psid = $_; ($psid => [ $psid, $name{$psid}, "mid-$name{$psid}" ]) } $ann, $bob;

subtest 'what is known of two persons' => sub {
	for my $psid ($ann, $bob) {
		$hook->soon(sub { texts_to($hook, $psid) >= 5 }, "$name{$psid} is answered");
		$hook->soon(sub { grep { ($_->{why} // '') =~ /75/ } rows_of($hook, $psid, 'event') },
		    '  and something waits for a handler');
		$hook->soon(sub { is_in_store($hook, "$name{$psid}-$_") }, "  $_") for @words;
		push @{$needles{$psid}}, map { $_->{mid} } $hook->sent(qr/"to":"$psid"/);
	}
	is_deeply [ map { $_->{text} } grep { $_->{text} =~ /You are/ } $hook->sent(qr/$ann/) ],
	    [ 'You are Wilhelmina Wilhelminason.' ], 'names were said';
	$hook->post("{\"entry\": \"$ann Wilhelmina-broken");
	$hook->post('{"entry": "' . $bob . ' Bartholomew-broken');
	$hook->soon(sub { is_in_store($hook, "$name{$_}-broken") }, 'and bytes that nobody can read') for $ann, $bob;
	WebServer::spill("$hook->{state}/queue.db.v1", "the old store: $ann Wilhelmina");
};

subtest 'asked first' => sub {
	is_deeply [ forget($hook, $ann) ], [ '', 64 ], 'without a terminal it needs -y';
	like slurp("$hook->{dir}/forget.err"), qr/-y/, '  and says so';
	my ($out, $status) = forget_on_tty($hook, 'n', $ann);
	like $out, qr/Erase 1\d events, \d replies of $ann\? \[y\/N\]/, 'on a terminal it asks';
	is $status, 1, '  and no is no';
	ok scalar(is_in_store($hook, 'Wilhelmina-text')), '  nothing is gone';
	is +(forget($hook, '-y', '7001'))[1], 66, 'nobody knows that one';
	is +(forget($hook, '-y'))[1], 64, 'who?';
	is_deeply [ map { (forget($hook, '-y', $_))[1] } '', 'e', "$ann,", "$ann\n", 'user_ref:' ], [ (64) x 5 ],
	    '  and nobody is named so';
};

subtest 'not while something of theirs may lie in the spool' => sub {
	plan skip_all => 'root reads what nobody may' if $> == 0;
	my $body = "$hook->{state}/spool/1700000000000-1-1-0123456789abcdef";
	WebServer::spill($body, "$ann");
	chmod 0, $body;
	is +(forget($hook, '-y', $ann))[1], 75, 'what cannot be taken in may be of the person';
	unlink glob "$body*";		# it was marked as being read
	ok scalar(is_in_store($hook, 'Wilhelmina-text')), '  nothing is gone';
};

subtest 'not while a reply is being made' => sub {
	writes($hook, $ann, 'gate Wilhelmina-gate');
	handler($hook, 'later', "#!/bin/sh\necho now\n");	# of the one before it
	$hook->soon(sub { (rows_of($hook, $ann, 'event'))[-1]{state} eq 'asked' }, 'a handler thinks');
	is +(forget($hook, '-y', $ann))[1], 75, '  again in a moment';
	ok scalar(is_in_store($hook, 'Wilhelmina-text')), '  nothing is gone';
	open_gate($gate, 'Wilhelmina-answer');
	$hook->soon(sub { grep { /Wilhelmina-answer/ } texts_to($hook, $ann) }, '  it has thought');
};

subtest 'then there is nothing of the person in any file' => sub {
	handler($hook, 'later', "#!/bin/sh\nexit 75\n");
	writes($hook, $ann, 'later Wilhelmina-again');
	$hook->soon(sub { grep { ($_->{why} // '') =~ /75/ && $_->{state} eq 'kept' }
	    rows_of($hook, $ann, 'event') }, 'an event waits');
	push @{$needles{$ann}}, map { $_->{mid} // () } $hook->sent(qr/"to":"$ann"/);
	$hook->helper_stop;
	my $helper = $hook->setting('PAGEHOOK_HELPER');
	rename $helper, "$helper.away" or die $!;
	push @{$bodies[0]}, $hook->delivery($hook->text_event(psid => $ann, text => 'Wilhelmina-spooled'));
	is $hook->post($bodies[0][-1])->{status}, 200, 'a body is taken without a helper';
	ok scalar(grep { m{ in /spool} } found($hook, 'Wilhelmina-spooled')), '  it lies in the spool';
	rename "$helper.away", $helper or die $!;
	my ($out, $status) = forget_until($hook, '--json', '-y', $ann);
	is $status, 0, 'forgotten';
	my $told = decode_json($out);
	cmp_ok $told->{events}, '>=', 15, '  so many events';
	cmp_ok $told->{replies}, '>=', 6, '  so many replies';
	is $told->{copies}, 1, '  and the copy from before an upgrade';
	is_deeply [ found($hook, @{$needles{$ann}}) ], [], 'nothing is left';
	# Some pages may have come since: that this helper has looked for what is over.
	cmp_ok -s "$hook->{state}/queue.db-wal", '<', 8 * 4096, '  and the log was emptied';
	is +(forget($hook, '-y', $ann))[1], 66, 'and nobody is known by that id';
};

# What started a moment ago may send first what it finds owed.
sub forget_until {
	my ($hook, @words) = @_;
	my @got;
	$hook->wait_for(sub { @got = forget($hook, @words); $got[1] != 75 }, 'nothing is on its way');
	return @got;
}

subtest 'others are all there' => sub {
	ok scalar(is_in_store($hook, "Bartholomew-$_")), $_ for @words, 'broken';
	is +($hook->store("select first_name from conv where person = '$bob'"))[0]{first_name},
	    'Bartholomew', 'with their names';
	writes($hook, '24110000001111', 'and me');
	hears($hook, '24110000001111', [ 'and me!' ], 'and are answered');
};

subtest 'what Meta repeats brings nobody back' => sub {
	my $before = () = $hook->sent(qr/"to":"$ann"/);
	is $hook->post($_)->{status}, 200, 'again' for @{$bodies[0]};
	writes($hook, '24110000002222', 'the bell');
	hears($hook, '24110000002222', [ 'the bell!' ], 'all is taken in');
	is scalar(my @sent = $hook->sent(qr/"to":"$ann"/)), $before, 'nothing is answered';
	is_deeply [ found($hook, @{$needles{$ann}}) ], [], 'nothing is known';
};

subtest 'who writes again is new' => sub {
	$hook->graph_faults();
	my @before = texts_to($hook, $ann);
	writes($hook, $ann, 'hello');
	hears($hook, $ann, [ @before, 'hello!' ], 'and answered');
	is +(forget_until($hook, '-y', $ann))[1], 0, 'and forgotten again';
	is_deeply [ found($hook, @{$needles{$ann}}) ], [], '  altogether';
};

subtest 'thousands of events, between those of others' => sub {
	my ($carl, $dora) = ('24110000003333', '24110000005555');
	my $ts = int(1000 * time) - 4 * 3600_000;
	for my $round (1 .. 4) {
		keep($hook, map {
			my $i = 400 * $round + $_;
			map { $hook->event(psid => $_, ts => $ts + 1000 * $i, message => { mid => "mid-$_-$i-end",
			    is_echo => JSON::PP::true, text => "words-of-$_-" . 'x' x ($i % 300) },
			    sender => { id => '9001' }, recipient => { id => $_ }) } $carl, $dora;
		} 1 .. 400);
	}
	is +(forget($hook, '-y', $carl, '--page', '9002'))[1], 66, 'nobody knows that one on another Page';
	my ($out, $status) = forget_until($hook, '-y', '--json', $carl, '--page', '9001');
	is_deeply decode_json($out), { v => 1, events => 1600, replies => 0, copies => 0 }, 'all are counted';
	is_deeply [ found($hook, $carl) ], [], 'and gone';
	is_deeply [ $hook->store("select count(*) n from event where instr(body, cast('$dora' as blob))") ],
	    [ { n => 1600 } ], 'the others are there';
};

subtest 'while somebody reads the store, its log cannot be emptied, and that is said' => sub {
	writes($hook, $ann, 'Wilhelmina-read');
	$hook->soon(sub { grep { /-read/ } texts_to($hook, $ann) }, 'a person');
	my $out = "$hook->{dir}/reader";
	my $pid = open my $reader, '|-', "exec sqlite3 -readonly '$hook->{state}/queue.db' >'$out'" or die $!;
	$reader->autoflush(1);
	print $reader "begin; select count(*) from event;\n";
	$hook->wait_for(sub { -s $out }, 'it reads');
	is +(forget_until_erased($hook, $ann))[1], 75, 'somebody reads';
	like slurp("$hook->{dir}/forget.err"), qr/another program reads/, '  which is the reason given';
	close $reader;
	$hook->soon(sub { !found($hook, 'Wilhelmina') }, 'when that has ended it is empty');
};

# Not the refusal that a reply is on its way.
sub forget_until_erased {
	my ($hook, $psid) = @_;
	my @got;
	$hook->wait_for(sub {
		unlink "$hook->{dir}/forget.err";
		@got = forget($hook, '-y', $psid);
		slurp("$hook->{dir}/forget.err") !~ /on its way/;
	}, 'nothing is on its way');
	return @got;
}

subtest 'somebody else' => sub {
	plan skip_all => 'the root directory is ours' if !$>;
	my ($out, $status) = Children::output([ Pagehook->program('pagehook'), qw(forget -y), $ann ],
	    env => { %{$hook->env}, PAGEHOOK_STATE => '/' }, log => "$hook->{dir}/other.err");
	is_deeply [ $out, $status >> 8 ], [ '', 77 ], 'may not';
	like slurp("$hook->{dir}/other.err"), qr{^pagehook: / belongs to another user: sudo -u root .*/pagehook'? forget -y $ann$},
	    '  and is told who may';
};
$hook->stop;
done_testing;
