#!/usr/bin/perl
# If this fails, an operator cannot see what is not sent and why, or a word of theirs on it is lost,
# means more than was said, or a person gets an answer twice that nobody wanted sent twice.
# SPDX-License-Identifier: ISC
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use JSON::PP;
use Pagehook;
use Talk;
use Test::More;

my $absent = Pagehook->missing(qw(lighttpd openssl python3 sqlite3));
plan skip_all => $absent if $absent;

my $hook = Pagehook->new;
my $in;			# standard input of the command
my %env;		# and settings of its own

# Runs the command; what it printed, and its status.
sub queue {
	my (@words) = @_;
	unlink "$hook->{dir}/queue.err";
	my ($out, $status) = Children::output([ Pagehook->program('pagehook'), 'queue', @words ], in => $in,
	    env => { %{$hook->env}, %env }, log => "$hook->{dir}/queue.err");
	return ($out, $status >> 8);
}

# The same on a terminal, where somebody types this: all that stands on it then.
sub on_terminal {
	my ($typed, @words) = @_;
	my $spawn = 'import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))';
	return scalar Children::output([ '/usr/bin/python3', '-c', $spawn, Pagehook->program('pagehook'), 'queue', @words ],
	    in => $typed, env => $hook->env);
}

sub advice { my $said = -e "$hook->{dir}/queue.err" ? slurp("$hook->{dir}/queue.err") : ''; return $said }
sub listed {
	my ($out) = queue('list', '--json', @_);
	return map { decode_json($_) } split /\n/, $out;
}
sub ids { return join ' ', map { $_->{id} } listed(@_) }
sub first_id { return (split / /, ids(@_))[0] }
sub state_of { my ($id) = @_; return (map { $_->{state} } grep { $_->{id} eq $id } listed())[0] // 'gone' }
sub reply_to { my ($psid) = @_; return 'r' . (rows_of($hook, $psid, 'reply'))[-1]{id} }
sub shown { my ($out, $status) = queue('show', '--json', @_); return $status ? {} : decode_json($out) }
sub moments { return map { $_->{what} } @{$_[0]{timeline}} }

my $header = sprintf "%-5s  %-7s%4s  %3s  %-5s  %-6s  %-6s  %s\n", qw(ID STATE AGE TRY PAGE PERSON NEXT WHY);
is_deeply [ queue('list') ], [ $header, 0 ], 'without a store there is nothing to list';
is_deeply [ (queue('show', 'r1'))[1], (queue('hold', '-n', 'ALL'))[1] ], [ 66, 0 ], '  nor to show, or to hold';

$hook->serve('lighttpd-fcgi');
$hook->graph;
$hook->graph_faults('error 551 1545041 to=70012345');
writes($hook, 70012345, 'hello');
writes($hook, 70010001, 'hello');
my $dead;
$hook->soon(sub { ($dead) = grep { $_->{state} eq 'dead' } listed() }, 'what Graph refused is listed');

subtest 'list says whose, why, and nobody\'s words' => sub {
	is_deeply [ @$dead{qw(v state try page psid code event)} ],
	    [ 1, 'dead', 1, '9001', '70012345', 551, 'e1' ], 'as JSON: all of it';
	my ($out, $status) = queue('list');
	like $out, qr/^r1     dead    +\d+s    1  9001   …2345   -       Refused/m, 'for people: the last four digits';
	unlike $out, qr/hello|70012345/, '  and no more';
	unlike advice(), qr/next:/, '  no advice but on a terminal';
	like on_terminal('', 'list'), qr/^next: pagehook queue show r1\r$/m, '  there it comes';
	is $status, 0, '  status 0';
	is scalar(my @rest = listed()), 1, 'what was sent is not in it';
	is ids('--state', 'dead', '--person', '2345', '--page', '9001', '--code', '551'), 'r1', 'filters that fit';
	is ids(@$_), '', "  @$_ does not" for [ '--state', 'held' ], [ '--person', '0001' ],
	    [ '--page', '900' ], [ '--code', '613' ], [ '--older', '1h' ];
};

subtest 'show says what happened, and what Graph said' => sub {
	my ($out, $status) = queue('show', 'r1');
	is $status, 0, 'status 0';
	my $time = qr/\d\d:\d\d:\d\d\.\d{3}/;
	like $out, qr/^r1  dead  answers e1 \(message\.text\), page 9001, person …2345\n/, 'what it answers, whose it is';
	like $out, qr/^$time  received, fits built-in:\d+$/m, 'when it was received, which rule fits';
	like $out, qr/^$time  sending, try 1: Graph 400 in \d+ ms, fbtrace A\w+$/m, 'what came of the try';
	like $out, qr/^  \{"error":\{"message":"Refused as .*"code":551,"error_subcode":1545041/m, '  word for word';
	like $out, qr/^$time  dead$/m, 'and what became of it';
	unlike $out, qr/hello|70012345/, 'nobody\'s words';
	like((queue('show', 'r1', '--text'))[0], qr/^  \{"text":"/m, '  unless they are asked for');
	like((queue('show', 'e1', '--text'))[0], qr/^e1  done  message\.text, .*^  \{.*"text":"hello"/ms, '  the event\'s, too');
	my $json = shown('r1');
	is_deeply [ @$json{qw(v id state event psid kind)} ], [ 1, 'r1', 'dead', 'e1', '70012345', 'message.text' ], 'as JSON';
	my ($try) = grep { defined $_->{http} } @{$json->{timeline}};
	is_deeply [ $try->{http}, $try->{answer}{error}{code}, $try->{at} =~ /^\d{4}-\d\d-\d\dT.*Z$/ ],
	    [ 400, 551, 1 ], '  a try has Graph\'s status and answer';
	is_deeply [ map { (queue('show', $_))[1] } 'r999', 'e999', 'x1', 'r' ], [ 66, 66, 66, 66 ], 'what is not there';
	is +(queue('show'))[1], 64, '  and nothing at all';
};

subtest 'show knows what it can without the log' => sub {
	%env = (PAGEHOOK_LOG => 'syslog');
	my $json = shown('r1');
	like advice(), qr/PAGEHOOK_LOG is syslog/, 'it says where the log is';
	is_deeply [ moments($json) ], [ 'received', $json->{timeline}[1]{what} ], 'the row knows when it came';
	like $json->{timeline}[1]{what}, qr/^sending, try 1: Graph's code 551, subcode 1545041, fbtrace A\w+/, '  and the last try';
	%env = (PAGEHOOK_LOG => "$hook->{dir}/other.log");
	open my $log, '>', "$hook->{dir}/other.log.1" or die "other.log.1: $!";
	print $log "\0\xff\n", '{"t":"2099-01-01T00:00:00.000Z","k":"send","id":"r1","state":"to', "\n",
	    '{"t":"2099-01-01T00:00:00.000Z","k":"reply","id":"r1","state":"sent","what":"in file 1"}', "\n",
	    '{"t":"2000-01-01T00:00:00.000Z","k":"reply","id":"r1","state":"sent","what":"another r1"}', "\n",
	    '{"t":"2099-01-01T00:00:00.000Z","k":"reply","id":"r12","state":"sent"}', "\n",
	    '{"t":"2099-01-01T00:00:01.000Z","k":"x","a":{"id":"r1"},"what":"nested"}', "\n", 'x' x 20_000, "\n";
	close $log;
	WebServer::spill("$hook->{dir}/other.log", '{"t":"2099-01-01T00:00:02.000Z","k":"admin","id":"r1","order":"drop"}' . "\n");
	is_deeply [ grep { !/^(?:received|sending)/ } moments(shown('r1')) ],
	    [ 'sent: in file 1', 'drop by the operator' ], 'files that were renamed count, lines of others do not';
	%env = ();
};

subtest 'retry, hold, release, drop' => sub {
	my ($out, $status) = queue('retry', 'r1', 'r999', 'r2', 'x');
	is "$out$status", "1 ready again\n66", 'what cannot be is refused, the rest is done';
	is advice(), "pagehook: r999: there is none\npagehook: r2: it is sent\n" .
	    "pagehook: x: not an id of a reply or event, like r4901 or e4900\n", '  with the reason';
	$hook->soon(sub { state_of('r1') eq 'dead' && (listed())[0]{try} == 2 }, 'it is tried again, and refused');
	ok grep(/^retry by the operator$/, moments(shown('r1'))), '  the timeline tells';
	$hook->graph_faults();
	is_deeply decode_json((queue('retry', 'r1', '--json'))[0]), { v => 1, done => ['r1'], refused => [] },
	    'and again, as JSON';
	$hook->soon(sub { state_of('r1') eq 'gone' }, '  it is sent');
	is scalar(grep { $_->{to} eq '70012345' && $_->{outcome} eq 'sent' } $hook->sent), 1, '  once';
	is shown('r1')->{state}, 'sent', '  what is sent can be shown';
	$hook->graph_stop;
	writes($hook, 70012345, 'more');
	$hook->soon(sub { state_of('r3') eq 'ready' && (listed())[0]{try} > 0 }, 'Graph is away');
	like +(listed())[0]{due}, qr/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/, 'the next try is told';
	is +(queue('hold', 'r3'))[0], "1 held\n", 'held';
	is state_of('r3'), 'held', '  it says so';
	is +(queue('release', 'r3'))[0], "1 released\n", 'released';
	like state_of('r3'), qr/ready|sending/, '  it is owed again';
	$hook->soon(sub { (queue('drop', 'r3'))[1] == 0 }, 'dropped');
	is state_of('r3'), 'dead', '  it is dead';
	is +(queue('drop', 'r3'))[0], "1 dropped\n", 'and dropped again';
	is state_of('r3'), 'gone', '  it goes';
};

subtest 'many at once' => sub {
	my $n = 620;				# more than one look at the store, and than one order
	my @psids = map { 71000000 + $_ } 1 .. $n;
	keep($hook, map { $hook->text_event(psid => $_) } splice @psids, 0, 100) while @psids;
	$hook->soon(sub { ids('--state', 'sending') eq '' && (split / /, ids()) == $n }, 'what waits for Graph is listed');
	is +(queue('hold', 'ALL', '--person', '0620', '-n'))[0] =~ tr/\n//, 2, 'a dry run shows which';
	is ids('--state', 'held'), '', '  and changes nothing';
	my ($out, $status);
	$hook->soon(sub { ($out, $status) = queue('hold', 'ALL'); (split / /, ids('--state', 'held')) == $n }, 'all are held');
	is "$status", 0, '  status 0';
	is scalar(split / /, ids('--state', 'held', '--older', '0s')), $n, '  since a while';
	$in = join "\n", map { $_->{id} } (listed())[0 .. 504];
	is +(queue('drop', '-'))[0], "505 dropped\n", 'as many as stand on standard input';
	undef $in;
	is +(queue('release', '--page', '9001', '--state', 'held', 'ALL'))[0], '115 released' . "\n", 'what fits is released';
	is +(queue('retry', '--state', 'dead', '--page', '1111', 'ALL'))[0], "0 ready again\n", 'nothing fits another Page';
	is +(queue('drop', '--state', 'dead', 'ALL'))[0], "505 dropped\n", 'the dead go';
	$hook->soon(sub { queue('drop', 'ALL'); queue('drop', '--state', 'dead', 'ALL'); ids() eq '' }, 'all is dropped');
};

subtest 'words that make no sense' => sub {
	is +(queue(@$_))[1], 64, "queue @$_" for ['retry'], ['liste'], ['list', 'r1'], [qw(list --state lost)],
	    [qw(list --older soon)], [qw(list --code x)], [qw(retry --state dead r1)], [qw(retry --state ready ALL)],
	    [qw(hold -x r1)], [qw(list -n)];
	is +(queue('retry', 'all'))[1], 66, 'ALL is written in capitals';
	for ([ [qw(drop --code 0 ALL)], qr/^pagehook: --code takes a number, as Graph gives it, not 0;/ ],
	    [ [qw(drop --code 00 ALL)], qr/^pagehook: --code takes a number/ ],
	    [ [ 'drop', '' ], qr/^pagehook: an empty id;/ ],
	    [ [qw(retry ALL r1)], qr/^pagehook: ALL stands alone;/ ],
	    [ [qw(drop -y r1)], qr/^pagehook: queue drop has no option --yes$/ ],
	    [ [qw(hold -y r1)], qr/^pagehook: queue hold has no option --yes$/ ],
	    [ [qw(lsit r1)], qr/^pagehook: no verb 'queue lsit'; there is queue list, show, retry, drop, hold, release$/ ],
	    [ [qw(list x)], qr/^pagehook: queue list takes no words, but got x;/ ]) {
		my ($words, $told) = @$_;
		is_deeply [ queue(@$words) ], [ '', 64 ], "queue @$words";
		like advice(), $told, '  which is told';
	}
};

subtest 'an event that nobody answered' => sub {
	my $before = lives($hook);
	handler($hook, 'h', "#!/bin/sh\nexit 65\n");
	$hook->configure(PAGEHOOK_REPLIES => replies_are($hook, '"on": "text", "exec": ["./h"]'));
	$hook->graph;
	$hook->wait_for(sub { lives($hook) > $before }, 'the settings count');
	writes($hook, 7200, 'a');
	my $event = $hook->wait_for(sub { first_id('--state', 'dead') }, 'its handler gives it up');
	like join('|', moments(shown($event))), qr/received.*\|its handler, try 1, after \d+ ms: dead: replies\.json:1: /, 'show says why';
	is_deeply [ (queue('hold', $event))[1], advice() ], [ 66, "pagehook: $event: an event: only replies are held and released\n" ],
	    'it cannot be held';
	handler($hook, 'h', "#!/bin/sh\necho ok\n");
	is +(queue('retry', $event))[0], "1 ready again\n", 'it is thought about again';
	hears($hook, 7200, ['ok'], '  and answered');
	is state_of($event), 'gone', '  it is not in the queue any more';
	is_deeply [ (queue('drop', $event))[1], advice() ], [ 66, "pagehook: $event: it is done\n" ], '  and cannot be dropped';
};

subtest 'an event whose handler thinks' => sub {
	my %gate = map { ($_ => gate($hook, "gate-$_")) } qw(a b);
	replies_are($hook, '"on": "text", "exec": ["./h", "--", "{text}"]');
	handler($hook, 'h', "#!/bin/sh\nread word <gate-\$2\necho \$word\n");
	writes($hook, 7300, 'a', 'b');
	my $a = $hook->wait_for(sub { first_id('--state', 'asked') }, 'it is asked');
	is +(queue('drop', $a))[0], "1 dropped\n", 'it is dropped';
	is state_of($a), 'dead', '  it is dead';
	open_gate($gate{a}, 'of a');
	open_gate($gate{b}, 'of b');
	hears($hook, 7300, ['of b'], 'nobody hears what was dropped, and the next is answered');
	is +(queue('drop', $a))[0], "1 dropped\n", 'dropped again';
	is state_of($a), 'gone', '  it goes';
};

subtest 'bytes that could not be read' => sub {
	is $hook->post('{"object":"page","entry":[{]}')->{status}, 400, 'they are refused';
	my $event = $hook->wait_for(sub { first_id('--state', 'dead') }, '  and kept');
	is_deeply [ (queue('retry', $event))[1], advice() ],
	    [ 66, "pagehook: $event: it was never read, or is nobody's: there is nothing to answer\n" ], 'there is nothing to retry';
	is_deeply [ queue('retry', '--state', 'dead', 'ALL') ], [ "0 ready again\n", 0 ], '  and all that is dead does not mean it';
	like((queue('show', $event, '--text'))[0], qr/^$event  dead  unreadable, .*^  \{"object":"page","entry":\[\{\]\}$/ms, 'they are shown');
	is +(queue('drop', $event))[0], "1 dropped\n", 'dropped, they go';
	is ids(), '', '  nothing is left';
};

# A Page whose echoes come, so that what is unsure waits for its own for minutes.
subtest 'what is unsure may be sent twice' => sub {
	$hook->graph_stop;
	replies_are($hook, '"on": "text", "say": "{text}!"');
	$hook->graph(GRAPH_ECHO_URL => $hook->{server}->url);
	writes($hook, 7400, 'first');
	$hook->wait_for(sub { $hook->log(qr/"kind":"message\.echo"/) }, 'an echo comes');
	$hook->graph_faults(map { "drop to=$_" } 7401 .. 7403);
	writes($hook, $_, 'x') for 7401 .. 7403;
	$hook->soon(sub { (split / /, ids('--state', 'unsure')) == 3 }, 'without an answer they are unsure');
	my ($r1, $r2, $r3) = map { reply_to($_) } 7401 .. 7403;
	like((queue('show', $r1))[0], qr/sending, try 1: no answer in \d+ ms: .*\n.*unsure, looked at again /, 'show says so');
	is_deeply [ queue('retry', 'ALL'), advice() ], [ "0 ready again\n", 0, '' ], 'they are not in ALL';
	is_deeply [ queue('retry', '--state', 'unsure', 'ALL') ], [ '', 64 ], '  with their state they need a word more';
	like advice(), qr/may be sent twice: -y/, '  which is told';
	is_deeply [ queue('retry', $r1) ], [ '', 64 ], '  one of them as well';
	like advice(), qr/^pagehook: $r1: unsure: it may have been sent\npagehook: .*-y/, '  which is told';
	like on_terminal("n\n", 'retry', $r1), qr/sent twice\. Send it again\? \[y\/N\]/, 'on a terminal it is asked';
	is ids('--state', 'unsure'), "$r1 $r2 $r3", 'nothing has happened to them';
	$hook->graph_faults();
	is_deeply [ queue('retry', '-y', $r1) ], [ "1 ready again\n", 0 ], 'said so, it is sent again';
	hears($hook, 7401, ['x!'], '  and arrives');
	is_deeply [ queue('drop', $r2) ], [ "1 dropped\n", 0 ], 'what is given up needs no such word';
	like on_terminal("y\n", qw(retry --state unsure ALL)), qr/1 ready again/, 'nor who says yes on a terminal';
	hears($hook, 7403, ['x!'], '  which arrive');
};

subtest 'with no helper' => sub {
	$hook->helper_stop;
	my @before = map { -e "$hook->{state}/$_" ? 1 : 0 } qw(queue.db-wal queue.db-shm);
	is scalar(my @rows = listed()), 1, 'the list is there';
	is shown($rows[0]{id})->{state}, 'dead', '  and what happened';
	is_deeply [ $hook->helper_pids ], [], 'none was started for it';
	is +(queue('drop', '-n', 'ALL'))[1], 0, '  nor for a dry run';
	is_deeply [ $hook->helper_pids ], [], '  still none';
	is +(queue('drop', $rows[0]{id}))[0], "1 dropped\n", 'one is for what changes something';
	is ids(), '', '  which is done';
};

subtest 'a store that is none' => sub {
	mkdir "$hook->{dir}/none", 0700 or die "none: $!";
	WebServer::spill("$hook->{dir}/none/queue.db", "not a database\n" x 99);
	%env = (PAGEHOOK_STATE => "$hook->{dir}/none");
	is_deeply [ queue('list') ], [ '', 74 ], 'no head of a list';
	like advice(), qr/queue\.db: file is not a database$/, '  but why there is none';
	%env = ();
};

subtest 'somebody else' => sub {
	plan skip_all => 'the root directory is ours' if !$>;
	%env = (PAGEHOOK_STATE => '/');
	is_deeply [ map { [ queue(@$_) ] } ['list'], [qw(show r1)], [qw(hold ALL)] ], [ ([ '', 77 ]) x 3 ], 'is told so';
	queue(qw(drop --state dead --page), "it's", 'ALL', '-c', $hook->conf);
	like advice(), qr/^pagehook: \/ belongs to another user: sudo -u root .*pagehook'?\Q queue drop --state dead --page 'it'\''s' ALL -c ${\$hook->conf}\E$/, '  and what to type';
	%env = ();
};
$hook->stop;
done_testing;
