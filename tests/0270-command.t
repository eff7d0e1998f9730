#!/usr/bin/perl
# If this fails, the person who writes replies is told something wrong about them before they are in
# force, or what they send by hand is lost, sent twice, or refused without a word.
# SPDX-License-Identifier: ISC
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use JSON::PP;
use Pagehook;
use Test::More;
use Time::HiRes qw(time);

my $json = JSON::PP->new->utf8;
my $replies = <<'END';
{ "replies": [
  { "on": "postback", "payload": "GET_STARTED", "say": "Welcome.",
    "quick": [ { "title": "Hours", "payload": "HOURS" } ] },
  { "on": "quick_reply", "payload": "HOURS", "say": "9-17" },
  { "on": "text", "first": true, "is": "first", "say": "A new face." },
  { "on": "text", "has": "open", "when": "mon-fri 09:00-17:00", "say": "Open." },
  { "on": "text", "has": "open", "say": "Closed." },
  { "on": "text", "match": "order\\s*#?(?<n>[0-9]{4,8})", "typing": true,
    "exec": ["./order", "--", "{n}"] },
  { "on": "text", "match": "my name is (?<name>.+)$", "say": "Nice to meet you, {name}!" },
  { "on": "text", "is": "count", "coproc": ["./count"] },
  { "on": "attachment", "type": "image", "say": ["A picture.", "Nice."] },
  { "on": "text", "page": "9002", "is": "page", "say": "The other page." },
  { "on": "text", "is": "human", "say": "Ana will write.", "pause": "12h" },
  { "on": "text", "is": "pass", "handover": true },
  { "on": "text", "is": "fails", "exec": ["./fails"] }
] }
END
my %programs = (
	order => qq(#!/bin/sh\necho "Order \$2 is on its way."\n),
	fails => "#!/bin/sh\nexit 3\n",
	count => <<'END',
#!/usr/bin/perl
$| = 1;
while (<STDIN>) {
	if (/^\{"pagehook"/) { print qq({"pagehook":1,"hello":{}}\n); next }
	my ($id) = /"id":"(e\d+)"/ or next;
	$n++;
	print qq({"id":"$id","reply":"$n so far"}\n);
}
END
);

sub slurp { my ($file) = @_; open my $f, '<', $file or return ''; local $/; return <$f> // '' }

sub put {
	my ($file, $text, $mode) = @_;
	WebServer::spill("$file.new", $text);
	chmod $mode // 0644, "$file.new" or die "$file: $!";
	rename "$file.new", $file or die "$file: $!";
}

sub installation {
	my $hook = Pagehook->new(@_);
	put("$hook->{dir}/replies.json", $replies);
	put("$hook->{dir}/$_", $programs{$_}, 0755) for keys %programs;
	$hook->configure(PAGEHOOK_REPLIES => "$hook->{dir}/replies.json");
	return $hook;
}

# What pagehook prints, says and exits with.  in: its input; env: more of its environment.
sub pagehook {
	my ($hook, @words) = @_;
	my %o = ref $words[0] ? %{shift @words} : ();
	my $log = "$hook->{dir}/said";
	unlink $log;
	my ($out, $status) = Children::output([ Pagehook->program('pagehook'), @words ], log => $log,
	    in => $o{in}, env => { %{$hook->env}, TZ => 'UTC', %{$o{env} // {}} });
	return { out => $out, err => slurp($log) =~ s/\Q$hook->{dir}\E/DIR/gr, exit => $status >> 8 };
}

# The exit status, then all that was printed, the directory's name left out.
sub screen {
	my ($hook, $words, $exit, $want, $name) = @_;
	my $got = pagehook($hook, ref $words ? @$words : split / /, $words);
	my $out = $got->{out} =~ s/\Q$hook->{dir}\E/DIR/gr;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	is "$out-> $got->{exit}", "$want-> $exit", $name or diag $got->{err};
}

# One that prints nothing but advice.
sub refused {
	my ($hook, $words, $exit, $said) = @_;
	my $got = pagehook($hook, ref $words ? @$words : split / /, $words);
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	is "$got->{out}-> $got->{exit}", "-> $exit", join(' ', map { substr $_, 0, 40 }
	    ref $words ? grep { !ref } @$words : $words) || 'no word';
	like $got->{err}, $said, '  and says why';
}

subtest 'help, and words that are no command' => sub {
	my $hook = installation();
	my $help = pagehook($hook, 'help');
	is $help->{exit}, 0, 'help';
	like $help->{out}, qr/\Apagehook status  .*^pagehook replies check  .*^usage: pagehook \[-c FILE\] VERB/ms,
	    '  opens with examples';
	like $help->{out}, qr/^  \Q$_\E  +\S/m, "  and lists $_" for 'helper', 'parse', 'sign',
	    'replies check', 'replies test', 'chat', 'send', 'status', 'help';
	is pagehook($hook, '--help')->{out}, $help->{out}, '--help says the same';
	like pagehook($hook, '--version')->{out}, qr/\Apagehook \d+\.\d+\.\d+\n\z/, '--version';
	refused($hook, '', 64, qr/^pagehook: no verb; pagehook help lists the verbs$/);
	refused($hook, 'statsu', 64, qr/no verb 'statsu'; did you mean 'status'\?/);
	refused($hook, 'xyzzy', 64, qr/no verb xyzzy; pagehook help/);
	refused($hook, 'replies', 64, qr/; there is replies check, test$/);
	refused($hook, 'replies tset x', 64, qr/; there is replies check, test$/);
	refused($hook, 'chat --tag x', 64, qr/chat has no option --tag/);
	refused($hook, 'chat --nonsense', 64, qr/no option --nonsense/);
	refused($hook, 'chat hello', 64, qr/what is hello/);
	refused($hook, 'replies test', 64, qr/needs a TEXT/);
	refused($hook, 'replies test a b', 64, qr/in quotes; what is b/);
	refused($hook, 'replies test a --at', 64, qr/a value is needed after --at/);
	refused($hook, 'replies test a --run=1', 64, qr/no value goes with --run=1/);
	refused($hook, 'replies test a --at noon', 64, qr/a time like \S+, not noon/);
	refused($hook, 'replies check a b', 64, qr/one FILE at a time, not also b/);
	refused($hook, "-c $hook->{dir}/absent replies check", 78, qr{DIR/absent});
	screen($hook, [ 'replies', 'test', '--', '--run' ], 1, "no reply fits: nothing is said\n",
	    'after -- everything is text');
	my $asked = pagehook($hook, { env => { REQUEST_METHOD => 'GET' } }, '-c', '/etc/passwd', 'help');
	is $asked->{out}, "Status: 404 Not Found\r\nContent-Type: text/plain\r\n\r\n", 'as a CGI: 404';
	is "$asked->{exit}$asked->{err}", '0', '  and no word of it is read';
	ok !-e $hook->{state}, 'nothing of it needs a state directory';
};

subtest 'replies check' => sub {
	my $hook = installation();
	my $file = "$hook->{dir}/file.json";
	screen($hook, 'replies check', 0, "DIR/replies.json: 13 replies\n", 'a good file');
	screen($hook, 'replies check --json', 0, qq({"v":1,"ok":true,"file":"DIR/replies.json",)
	    . qq("replies":13,"errors":[],"warnings":[]}\n), '  as JSON');
	put($file, qq({ "replies": [\n\t{ "on": "text", "exec": ["./order", "{text}"] } ] }\n));
	screen($hook, "replies check $file", 0, <<"END", 'a warning, and the place under a tab');
DIR/file.json:2:38  warning: exec: this word may begin with "-" and be taken for an option: put "--" before it
    \t{ "on": "text", "exec": ["./order", "{text}"] } ] }
    \t                                    ^
DIR/file.json: 1 reply
END
	put($file, <<'END');
{ "replies": [
  { "on": "text", "has": "Größe", "sya": "y", "say": "x" },
  { "on": "text", "match": "order\\s*#?(?<n>\\d{4,8}", "say": "{m}" } ] }
END
	my $got = pagehook($hook, 'replies', 'check', $file);
	is $got->{exit}, 78, 'errors: 78';
	like $got->{out}, qr/^\Q$file\E:2:35  .*sya.*\n    .*"Größe", "sya".*\n {38}\^$/m,
	    '  a key that is none, the caret by characters';
	like $got->{out}, qr/^\Q$file\E:3:\d+  match: missing closing parenthesis/m, '  a pattern';
	my $told = $json->decode(pagehook($hook, qw(replies check --json), $file)->{out});
	ok !$told->{ok}, '  as JSON';
	is $told->{errors}[0]{where}, "$file:2:35", '  with the place';
	like $told->{errors}[1]{what}, qr/^match: missing/, '  and all of them';
	put($file, qq({ "replies": [ { "on": "text", "say": "a" }, ] }\n));
	like pagehook($hook, 'replies', 'check', $file)->{out}, qr/^\Q$file\E:1:44  no comma/,
	    'a comma before a bracket';
	refused($hook, 'replies check absent.json', 66, qr/^pagehook: absent\.json: No such file/);
	put($file, $replies, 0666);
	refused($hook, "replies check $file", 78, qr{DIR/file\.json: others can write it: chmod o-w});
	put("$hook->{dir}/replies.json", '{', 0644);
	my $broken = pagehook($hook, 'replies', 'check');
	like $broken->{out}, qr{/replies\.json:1:\d+  }, 'the one in force, broken: the place';
	is $broken->{exit}, 78, '  and 78';
	$hook->configure(PAGEHOOK_REPLIES => undef);
	my $none = pagehook($hook, 'replies', 'check');
	like "$none->{exit} $none->{err}", qr/^0 no PAGEHOOK_REPLIES: the built-in replies/,
	    'none: built in';
	ok !-e $hook->{state}, 'no state directory is needed';
};

subtest 'replies test' => sub {
	my $hook = installation();
	my $name = 'my name is Bo';
	screen($hook, [ qw(replies test), 'Order #12345' ], 0,
	    qq(replies.json:8  n="12345"  typing, exec ./order -- 12345 (not run: --run)\n), 'a handler');
	screen($hook, [ qw(replies test --run), 'order 12345' ], 0, qq(replies.json:8  n="12345"  typing,)
	    . qq( exec ./order -- 12345\n  Order 12345 is on its way.\n), '  run');
	screen($hook, [ qw(replies test --run fails) ], 1,
	    "replies.json:16  exec ./fails  no answer: exit 3\n", '  which fails');
	screen($hook, [ qw(replies test), $name ], 0,
	    qq(replies.json:10  name="Bo"\n  Nice to meet you, Bo!\n), 'a text');
	screen($hook, 'replies test nothing', 1, "no reply fits: nothing is said\n", 'no entry fits');
	screen($hook, 'replies test --postback GET_STARTED', 0,
	    "replies.json:2\n  Welcome.  [Hours]\n", '--postback');
	screen($hook, 'replies test --quick HOURS', 0, "replies.json:4\n  9-17\n", '--quick');
	screen($hook, 'replies test --attachment=image', 0,
	    "replies.json:12\n  A picture.\n  Nice.\n", '--attachment');
	my @at = ([ '2026-11-23T10:00', 6, 'Open.' ], [ '2026-11-22T10:00', 7, 'Closed.' ],
	    [ '2026-11-23T17:00', 7, 'Closed.' ], [ '1795424400', 6, 'Open.' ]);
	screen($hook, "replies test open --at $_->[0]", 0, "replies.json:$_->[1]\n  $_->[2]\n",
	    "--at $_->[0]") for @at;
	screen($hook, 'replies test page --page 9002', 0, "replies.json:13\n  The other page.\n",
	    '--page');
	screen($hook, 'replies test page', 1, "no reply fits: nothing is said\n", '  and without');
	screen($hook, 'replies test first --first', 0, "replies.json:5\n  A new face.\n", '--first');
	screen($hook, 'replies test first', 1, "no reply fits: nothing is said\n", '  and without');
	screen($hook, 'replies test human', 0, "replies.json:14  pause 43200 s\n  Ana will write.\n",
	    'pause');
	screen($hook, 'replies test pass', 0, "replies.json:15  handover to the Page inbox\n", 'handover');
	screen($hook, [ qw(replies test --json), $name ], 0, qq({"v":1,"rule":"replies.json:10",)
	    . qq("captures":{"name":"Bo"},"handler":null,"messages":[{"text":"Nice to meet you, Bo!"}]}\n), '--json');
	screen($hook, [ qw(replies test --json --run), 'order 12345' ], 0,
	    qq({"v":1,"rule":"replies.json:8","captures":{"n":"12345"},"handler":["./order","--","12345"],"messages":)
	    . qq([{"text":"Order 12345 is on its way."}]}\n), '  of a handler');
	screen($hook, 'replies test --json nothing', 1,
	    qq({"v":1,"rule":null,"captures":{},"handler":null,"messages":[]}\n), '  of no entry');
	put("$hook->{dir}/replies.json", '{ "replies": [ { "on": "text" } ] }');
	refused($hook, 'replies test x', 78, qr/replies\.json/);
	ok !-e $hook->{state}, 'no state directory is needed';
};

# Talks line by line, and waits for each answer: what is between two lines happens between them.
sub chat {
	my ($hook, @turns) = @_;
	pipe(my $from, my $to) or die "pipe: $!";
	my ($log, $heard) = ("$hook->{dir}/chat", '');
	unlink $log;
	my $pid = Children::start([ Pagehook->program('pagehook'), 'chat' ], stdin => $from, log => $log,
	    env => $hook->env);
	close $from;
	for (@turns) {
		my ($line, $want) = @$_;
		ref $line ? $line->() : syswrite $to, "$line\n";
		local $Test::Builder::Level = $Test::Builder::Level + 1;
		my $said = sub { substr(slurp($log), length $heard) =~ $want };
		$hook->soon($said, ref $line ? '  meanwhile' : $line) or diag substr slurp($log), length $heard;
		$heard = slurp($log);
	}
	close $to;
	$hook->soon(sub { !Children::lives($pid) }, 'it ends at the end of its input');
	Children::end($pid);
}

subtest 'chat' => sub {
	my $hook = installation();
	my $in = "my name is Bo\n\n/image\n/postback GET_STARTED\r\n/quick HOURS\ncount\ncount\nhuman\n"
	    . "/what\nnothing\norder 5555\nfails";
	my $got = pagehook($hook, { in => $in }, 'chat');
	is $got->{out} =~ s/ +$//gmr, <<'END', 'answers, handlers, and a coproc that remembers';
bot> Nice to meet you, Bo!    replies.json:10
bot> A picture.    replies.json:12
bot> Nice.
bot> Welcome.  [Hours]    replies.json:2
bot> 9-17    replies.json:4
bot> 1 so far    replies.json:11
bot> 2 so far    replies.json:11
bot> Ana will write.    replies.json:14
     (silent for 720 min)
     (says nothing)    no reply fits
bot> Order 5555 is on its way.    replies.json:8
     (no answer: exit 3)    replies.json:16
END
	is $got->{exit}, 0, '  0 at the end';
	like $got->{err}, qr{^/postback PAYLOAD, /quick PAYLOAD, .*, or a text$}m,
	    '  help for a word it has not';
	$got = pagehook($hook, { in => "my name is Bo\n/image\ncount\nnothing\n" }, 'chat', '--json');
	is $got->{out}, <<'END', '--json';
{"v":1,"you":"my name is Bo","rule":"replies.json:10","messages":[{"text":"Nice to meet you, Bo!"}]}
{"v":1,"you":"/image","rule":"replies.json:12","messages":[{"text":"A picture."},{"text":"Nice."}]}
{"v":1,"you":"count","rule":"replies.json:11","messages":[{"text":"1 so far"}]}
{"v":1,"you":"nothing","rule":null,"messages":[]}
END
	my $file = "$hook->{dir}/replies.json";
	chat($hook, [ 'my name is Bo', qr/meet you, Bo!/ ], [ 'count', qr/1 so far/ ],
	    [ sub { put($file, $replies =~ s/Nice to meet/Hello to/r) }, qr/\A\z/ ],
	    [ 'my name is Al', qr/Hello to you, Al!/ ],
	    [ sub { put($file, '{ "replies": [') }, qr/\A\z/ ],
	    [ 'my name is Cy', qr/replies\.json:1:\d+.*Hello to you, Cy!/s ],
	    [ sub { put($file, $replies) }, qr/\A\z/ ], [ 'my name is Di', qr/meet you, Di!/ ]);
	ok !-e $hook->{state}, 'no state directory is needed';
};

# An installation whose person 7001 wrote a moment ago, and which no helper serves now.
sub sending {
	my (%o) = @_;
	my $hook = installation(%o);
	$hook->serve('lighttpd-fcgi');
	$hook->graph;
	my $day_ms = 24 * 3600 * 1000;
	my %wrote = (7001 => 0, 7002 => 25 / 24, 7003 => 8);
	my @events = map { $hook->text_event(psid => $_, ts => int(1000 * time - $wrote{$_} * $day_ms)) }
	    sort keys %wrote;
	is $hook->post($hook->delivery(@events))->{status}, 200, 'people wrote';
	$hook->soon(sub { 3 == $hook->store('select id from event') }, '  which is kept');
	$hook->helper_stop;
	return $hook;
}

sub sent_to { my ($hook, $psid) = @_; return grep { $_->{to} eq $psid } $hook->sent }

subtest 'send' => sub {
	my $absent = Pagehook->missing(qw(lighttpd openssl sqlite3));
	plan skip_all => $absent if $absent;
	my $hook = sending();
	my $got = pagehook($hook, qw(send 7001), 'Your order is ready.');
	like $got->{out}, qr/\Ar\d+ sent in \d+ ms, m_\w+\n\z/, 'a text, where no helper ran';
	is "$got->{exit}$got->{err}", 0, '  0';
	my ($sent) = sent_to($hook, 7001);
	is $sent->{text}, 'Your order is ready.', '  and Graph has it';
	like $got->{out}, qr/, \Q$sent->{mid}\E$/, '  under the mid that was told';
	my $helper = $hook->helper_pid;
	my $told = $json->decode(pagehook($hook, qw(send --json 7001 -- --again))->{out});
	is join(' ', sort keys %$told), 'mid ms reply state v', '--json';
	is "$told->{v} $told->{state}", '1 sent', '  says that it is sent';
	is((sent_to($hook, 7001))[1]{text}, '--again', '  and after -- everything is text');
	is pagehook($hook, { in => "by a pipe\n" }, qw(send 7001 -))->{exit}, 0, 'from standard input';
	like((sent_to($hook, 7001))[2]{text}, qr/^by a pipe\n?$/, '  as it is');
	is pagehook($hook, qw(send --reply 7001 answer))->{exit}, 0, '--reply';
	is pagehook($hook, qw(send --tag HUMAN_AGENT 7002 late))->{exit}, 0,
	    '--tag HUMAN_AGENT, after 25 h';
	my @kinds = map { $_->{kind} // '' } $hook->store('select kind from reply order by id');
	is join(' ', @kinds[0, -2, -1]), 'update  human_agent', '  each is kept as what it is';
	put("$hook->{dir}/message.json", qq({"text":"Red?","quick_replies":[\n)
	    . qq({"content_type":"text","title":"Yes","payload":"Y"}]}\n));
	is pagehook($hook, qw(send 7001 --message), "$hook->{dir}/message.json")->{exit}, 0, '--message';
	is((sent_to($hook, 7001))[-1]{body}{quick_replies}[0]{title}, 'Yes', '  as it stands');
	my $long = join ' ', map { "word-$_" } 1 .. 500;
	$got = pagehook($hook, qw(send 7001), $long);
	my @parts = map { $_->{text} } splice @{[ sent_to($hook, 7001) ]}, 5;
	is join(' ', @parts), $long, 'a long text goes as several, whole and in order';
	is scalar(split /\n/, $got->{out}), scalar(@parts), '  each with its line';
	cmp_ok scalar(@parts), '>', 1, '  which are more than one';
	is join(' ', $hook->helper_pids), $helper, 'one helper did it all';
	refused($hook, 'send 7001', 64, qr/send needs a PSID and a TEXT/);
	refused($hook, "send 7001 --tag $_ x", 64, qr/the only tag left is HUMAN_AGENT, .*not $_/)
	    for qw(ACCOUNT_UPDATE POST_PURCHASE_UPDATE CONFIRMED_EVENT_UPDATE human_agent);
	refused($hook, 'send 7002 x', 65, qr/older than 24 h/);
	refused($hook, 'send 7003 --tag HUMAN_AGENT x', 65, qr/older than 7 days/);
	refused($hook, 'send 7009 x', 65, qr/has not written/);
	refused($hook, 'send 7001 --page 9002 x', 66, qr/no access token for that Page/);
	refused($hook, 'send 7001 --message absent', 66, qr/absent/);
	put("$hook->{dir}/message.json", '{"txt":"Red?"}');
	refused($hook, "send 7001 --message $hook->{dir}/message.json", 65, qr/^pagehook: /);
	is scalar(sent_to($hook, $_)), 0, "$_ got nothing" for 7003, 7009;
	$hook->stop;
};

# What Graph says to one, and what the command makes of it.
sub refuses {
	my ($hook, $fault, $exit, $state) = @_;
	$hook->graph_faults($fault) if $fault;
	my $got = pagehook($hook, { env => { PH_TEST_SPEED => 20 } }, qw(send 7001), $fault || 'down');
	is $got->{exit}, $exit, ($fault || 'Graph is down') . ": $exit";
	like $got->{out}, qr/\Ar\d+ is $state: \S/, "  it is $state, and why";
}

subtest 'send, when Graph does not take it' => sub {
	my $absent = Pagehook->missing(qw(lighttpd openssl sqlite3));
	plan skip_all => $absent if $absent;
	my $hook = sending(speed => 20);
	refuses($hook, 'error 10 2018278 times=1', 77, 'dead');
	refuses($hook, 'error 200 1545041 times=1', 77, 'dead');
	refuses($hook, 'error 100 times=1', 76, 'dead');
	refuses($hook, 'error 551 times=1', 76, 'dead');
	$hook->graph_faults();
	$hook->graph_stop;
	refuses($hook, undef, 75, 'ready');
	$hook->graph;
	$hook->soon(sub { grep { $_->{text} eq 'down' && $_->{outcome} eq 'sent' } $hook->sent },
	    'what waited goes out by itself');
	refuses($hook, 'error 190', 75, 'ready');
	$hook->stop;
};

subtest 'send, of several Pages' => sub {
	my $absent = Pagehook->missing(qw(lighttpd openssl sqlite3));
	plan skip_all => $absent if $absent;
	my $hook = installation();
	put("$hook->{dir}/other.token", "another-token\n", 0600);
	put("$hook->{dir}/pages.json",
	    qq({"9002":{"access_token_file":"$hook->{dir}/other.token"}}\n), 0600);
	$hook->configure(MESSENGER_PAGES => "$hook->{dir}/pages.json");
	$hook->serve('lighttpd-fcgi');
	$hook->graph(GRAPH_PAGE => '9001,9002', GRAPH_TOKEN => 'a-page-access-token,another-token');
	my $event = $hook->text_event(psid => 7005);
	$event->{recipient}{id} = '9002';
	$hook->post($hook->envelope({ id => '9002', messaging => [$event] }));
	$hook->soon(sub { $hook->store('select id from event') }, 'somebody wrote to the other Page');
	refused($hook, 'send 7005 x', 66, qr/several Pages: say which, --page ID/);
	refused($hook, 'send 7005 x --page 9001', 65, qr/has not written to this Page/);
	is pagehook($hook, qw(send 7005 x --page 9002))->{exit}, 0, '--page says which';
	is((sent_to($hook, 7005))[0]{page}, '9002', '  and it goes from there');
	$hook->stop;
};
done_testing;
