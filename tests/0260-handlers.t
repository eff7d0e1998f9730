#!/usr/bin/perl
# If this fails, a program that answers for the Page can lose an event, answer it twice, hold up
# other people's, be made to run what a stranger wrote, or see a secret; or nobody can say why it is
# silent.
# SPDX-License-Identifier: ISC
#
# SEED=n repeats a run of the handler that does everything wrong.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use JSON::PP;
use Pagehook;
use Test::More;
use Time::HiRes qw(time);

my $absent = Pagehook->missing(qw(lighttpd openssl sqlite3));
plan skip_all => $absent if $absent;

my $json = JSON::PP->new->utf8->ascii->canonical;
my $long = '10m';		# a time-out that no test waits for, even when time is shortened
my $echo = { on => 'text', say => 'said: {text}' };

sub slurp { my ($file) = @_; open my $f, '<:raw', $file or return ''; local $/; return <$f> // '' }
sub lines { return split /\n/, slurp(@_) }

# An installation with these entries, one on a line from line 2 on, and these programs beside them.
sub bot {
	my ($entries, $programs, %o) = @_;
	my $env = delete $o{env};
	my $hook = Pagehook->new(%o);
	mkdir bot_dir($hook) or die "bot: $!";
	program($hook, $_, $programs->{$_}) for keys %$programs;
	my $all = join ",\n", map { $json->encode($_) } @$entries;
	WebServer::spill(bot_dir($hook) . '/replies.json', qq({"replies": [\n$all\n]}\n));
	$hook->configure(PAGEHOOK_REPLIES => bot_dir($hook) . '/replies.json',
	    $env ? (PAGEHOOK_HELPER => $hook->helper_with(%$env)) : ());
	$hook->serve('lighttpd-fcgi');
	$hook->graph;
	return $hook;
}

sub bot_dir { return "$_[0]{dir}/bot" }
sub in_bot { my ($hook, $name) = @_; return bot_dir($hook) . "/$name" }

# As an editor saves it: the old one is whole until the new one is.
sub program {
	my ($hook, $name, $text) = @_;
	my $new = in_bot($hook, "$name.new");
	WebServer::spill($new, $text);
	chmod 0755, $new;
	rename $new, in_bot($hook, $name) or die "$name: $!";
}

sub says { my ($hook, $psid, @texts) = @_; return post_all($hook, map { [ $psid, $_ ] } @texts) }

# One POST for all of them; each is later than the one before.
my ($clock, $step) = (int(1000 * time) - 100_000, 1);
sub post_all {
	my ($hook, @turns) = @_;
	my @events = map { $hook->text_event(psid => $_->[0], text => $_->[1],
	    ts => $clock += $step) } @turns;
	my $got = $hook->post($hook->delivery(@events));
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	$got->{status} == 200 or fail("a delivery is answered $got->{status}");
}

sub texts_to {
	my ($hook, $psid) = @_;
	return map { $_->{text} // '' } grep { $_->{to} eq $psid } $hook->sent;
}

# Event rows of a conversation, in order of time.
sub rows_of {
	my ($hook, $psid) = @_;
	return $hook->store("select event.id, state, tries, why from event join conv on conv.id = conv"
	    . " where person = '$psid' order by at");
}

sub is_answered {
	my ($hook, $psid, $want, $name) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	$hook->soon(sub { grep { $_ eq $want } texts_to($hook, $psid) }, $name);
}

sub log_says {
	my ($hook, $words) = @_;
	return grep { /$words/ } map { $_->{what} // $_->{note} // () } $hook->log;
}

sub runs { my ($pid) = @_; return (((Children::stat_of($pid))[0]) // 'Z') ne 'Z' }

# A coproc: $body sees $id, $text, $attempt; reply answers, and what it is asked is noted in the file
# asked.  No JSON parser: a text of these tests has nothing to unescape.
sub coproc {
	my ($body, $hello) = @_;
	$hello //= '{"pagehook":1,"hello":{"name":"t","inflight":4}}';
	return <<"END";
#!/usr/bin/perl
\$| = 1;
open my \$notes, '>>', 'asked' or die; { my \$old = select \$notes; \$| = 1; select \$old }
sub reply { my (\$id, \$text) = \@_; print qq({"id":"\$id","reply":"\$text"}\\n) }
sub until_there { select undef, undef, undef, 0.005 until -e \$_[0] }
while (<STDIN>) {
	if (/^\{"pagehook"/) { print \$notes "hello \$\$\\n"; print qq($hello\\n); next }
	my (\$id, \$attempt) = /^\\{"id":"(e\\d+)","attempt":(\\d+)/ or next;
	my (\$text) = /"text":"([^"]*)"/;
	print \$notes "\$text \$attempt \$\$\\n";
$body
}
print \$notes "left \$\$\\n";
END
}

sub asked { my ($hook) = @_; return lines(in_bot($hook, 'asked')) }

# What a program may do, and what becomes of its event: name, program, state, tries, why, texts.
my $sh = '#!/bin/sh';
my $quick = join ',', map { qq({"content_type":"text","title":"$_","payload":"P"}) } 1 .. 14;
my @endings = (
	[ text => 'printf "one\ntwo \303\274\n\n"', 'done', 1, undef, "one\ntwo \x{fc}" ],
	[ nothing => ':', 'done', 1, undef ],
	[ blanks => 'printf " \n\t\n"', 'done', 1, undef ],
	[ objects => q(echo '{"text":"a"}'; echo; echo '{"text":"b"}'),
	    'done', 1, undef, 'a', 'b' ],
	[ deaf => 'exec <&-; echo heard nothing', 'done', 1, undef, 'heard nothing' ],
	[ later => '[ $PAGEHOOK_ATTEMPT = 3 ] || exit 75; echo "third: $PAGEHOOK_ATTEMPT"',
	    'done', 3, qr/its handler: exit 75$/, 'third: 3' ],
	[ never => 'echo unheard; exit 65', 'dead', 1, qr/its handler: exit 65$/ ],
	[ fails => 'echo $PAGEHOOK_ATTEMPT >>fails.asked; echo unheard; exit 3', 'dead', 5,
	    qr/its handler: exit 3$/ ],
	[ signal => 'echo unheard; kill -SEGV $$', 'dead', 5, qr/its handler: killed by signal 11$/ ],
	[ late => 'sleep 600 & echo $! >>late.pids; trap "" TERM; echo $$ >>late.pids; wait; sleep 600',
	    'dead', 5, qr/its handler: no answer in 20 s$/ ],
	[ floods => 'exec yes', 'dead', 5, qr/its handler: more than 256 KiB$/ ],
	[ chatters => 'yes chatter | head -n 20000 >&2; echo done', 'done', 1, undef, 'done' ],
	[ missing => undef, 'dead', 5, qr/its handler: \.\/missing: No such file or directory$/ ],
	[ plain => 'echo unheard', 'dead', 5, qr/its handler: \.\/plain: Permission denied \(chmod/ ],
	[ parent => 'sleep 600 & echo $! >parent.pid; echo said', 'done', 1, undef, 'said' ],
	[ bytes => 'printf "a\377b"', 'dead', 1, qr/its handler's answer: not UTF-8 at byte 1$/ ],
	[ junk => q(echo '{"text":"a"}'; echo nonsense), 'dead', 1, qr/its handler's answer: line 2: / ],
	[ quick => qq(echo '{"text":"a","quick_replies":[$quick]}'), 'dead', 1,
	    qr/its handler's answer: line 1: quick_replies: 14, at most 13$/ ],
);

sub ends_as {
	my ($hook, $line, $name, $state, $tries, $why, @texts) = @_;
	my @row = rows_of($hook, "8$line");
	is "$row[0]{state} $row[0]{tries}", "$state $tries", "$name: $state after $tries";
	is join('|', texts_to($hook, "8$line")), join('|', @texts, 'said: next'),
	    '  says what it should, and the next event is answered';
	return is $row[0]{why}, undef, '  and nothing is wrong' if !$why;
	like $row[0]{why}, qr/^replies\.json:$line: $why/, '  and the row names the entry and the reason';
}

subtest 'however a program ends, its event ends as it should, and the next is answered' => sub {
	my @entries = map { { on => 'text', is => $_->[0], exec => ["./$_->[0]"],
	    timeout => $_->[0] eq 'late' ? '20s' : $long } } @endings;
	my %programs = map { ($_->[0] => "$sh\n$_->[1]\n") } grep { defined $_->[1] } @endings;
	my $hook = bot([ @entries, $echo ], \%programs, speed => 100);
	chmod 0644, in_bot($hook, 'plain');
	says($hook, '8' . ($_ + 2), $endings[$_][0], 'next') for 0 .. $#endings;
	for (0 .. $#endings) {
		is_answered($hook, '8' . ($_ + 2), 'said: next', "$endings[$_][0] is over");
		ends_as($hook, $_ + 2, @{$endings[$_]}[0, 2 .. $#{$endings[$_]}]);
	}
	is join(' ', lines(in_bot($hook, 'fails.asked'))), '1 2 3 4 5', 'the attempts were counted';
	my @late = lines(in_bot($hook, 'late.pids'));
	cmp_ok scalar(@late), q(>=), 2, 'who was late ran, with a child';
	$hook->soon(sub { !grep { runs($_) } @late }, '  and all of them are gone');
	kill 'KILL', grep { runs($_) } @late;
	my @chatter = grep { ($_->{program} // '') eq './chatters' } $hook->log;
	cmp_ok scalar(@chatter), '<=', 201, 'a flood of words is cut in the log';
	cmp_ok scalar(@chatter), '>=', 100, '  but not kept from it';
	my ($child) = lines(in_bot($hook, 'parent.pid'));
	kill 'KILL', $child;
	$hook->stop;
};

my @hostile = (
	q(it's "quoted" `touch pwned` $(touch pwned) ${IFS} \\), 'a; touch pwned', 'a | touch pwned &',
	"a\ntouch pwned\n", "a\r\n\t\x0b\x1b[2J\x7f", '--version', '-rf', '--', '-', '{n} {text} {1} {{ }',
	'%s%n%%$PATH ~ * ? [a-z] !!', '<(touch pwned) > pwned', " blanks \x{a0} around ",
	"\\x41 \\u0041 \\n \\",
	"\x{5e9}\x{5dc}\x{202e}evil\x{2066}\x{200b}\x{1f469}\x{200d}\x{1f4bb}\x{1f1e9}\x{1f1ea}",
	'$(touch pwned)' x 4000, 'a"}],"exec":["touch","pwned"],"x":"', "\x{feff}\x{fffd}\x{10ffff}",
);

sub hex_of { my ($text) = @_; utf8::encode($text); return unpack 'H*', $text }

# What no encoder writes: JSON as it stands in the body, and what becomes of it.
my @raw = (
	[ 'a\u0000b', 'ab' ], [ '\u0000-x', '-x' ], [ '\ud83d\ude00', "\x{1f600}" ],
	[ 'a\ud800b', "a\x{fffd}b" ], [ '\udc00\ud83d', "\x{fffd}\x{fffd}" ], [ '\/\b\f', "/\b\f" ],
);

sub arrived_is {
	my ($hook, $psid, $name, @argv) = @_;
	is_answered($hook, $psid, 'seen', "$name: the program ran");
	is slurp(in_bot($hook, "argv.$psid")), join('', map { hex_of($_) . "\n" } @argv),
	    '  and got its words as they were written, byte for byte';
}

sub harmless { my ($text) = @_; return substr $text =~ s/[^ -~]/./gr, 0, 40 }

subtest 'nothing that a person writes is run' => sub {
	my @words = ('./argv', '--', '{text}', '<{text}>');
	my @entries = (
		{ on => 'text', match => '^cap (?<n>(?s:.+))$', exec => [ './argv', '{n}', 'n={1};' ] },
		{ on => 'text', exec => \@words },
	);
	my $argv = <<'END';
#!/usr/bin/perl
open my $f, '>', "argv.$ENV{PAGEHOOK_PSID}.new" or die;
print $f map { unpack('H*', $_) . "\n" } @ARGV;
close $f;
rename "argv.$ENV{PAGEHOOK_PSID}.new", "argv.$ENV{PAGEHOOK_PSID}";
print 'seen';
END
	my $hook = bot(\@entries, { argv => $argv });
	post_all($hook, (map { [ 1000 + $_, $hostile[$_] ] } 0 .. $#hostile),
	    (map { [ 2000 + $_, "cap $hostile[$_]" ] } 0 .. $#hostile));
	for (0 .. $#hostile) {
		my $text = $hostile[$_];
		arrived_is($hook, 1000 + $_, harmless($text), '--', $text, "<$text>");
		arrived_is($hook, 2000 + $_, '  captured', $text, "n=$text;");
	}
	for (0 .. $#raw) {
		my ($written, $text) = @{$raw[$_]};
		my $body = $hook->delivery($hook->text_event(psid => 3000 + $_, text => 'RAW'));
		$hook->post($body =~ s/RAW/$written/r);
		arrived_is($hook, 3000 + $_, $written, '--', $text, "<$text>");
	}
	my $wrong = $hook->delivery($hook->text_event(psid => 4000, text => 'RAW')) =~ s/RAW/\\x41\\q/r;
	is $hook->post($wrong)->{status}, 400, 'an escape that JSON does not have is refused';
	my @files = map { glob "$_/*" } $hook->{dir}, "$hook->{dir}/*", "$hook->{dir}/*/*";
	is join(' ', grep { m{/[^/]*pwned} } @files), '', 'no file was made';
	$hook->stop;
};

# Two programs that tell all about themselves; env: what the helper has.
my $told = <<'END';
#!/bin/sh
tr '\0' '\n' </proc/$$/environ | sort >$1.env
{ pwd; umask; ulimit -c; grep ^Sig[BI] /proc/self/status; } >$1.all
echo $$ >$1.new && mv $1.new $1.pid
END
my %keeps = (LANG => 'C.UTF-8', TZ => 'Europe/Vienna', PATH => '/usr/bin:/bin',
    map { defined $ENV{$_} ? ($_ => $ENV{$_}) : () } qw(LANG TZ PATH));

sub check_self {
	my ($hook, $who, @vars) = @_;
	my ($home) = (getpwuid $>)[7];
	my @env = lines(in_bot($hook, "$who.env"));
	is_deeply \@env, [ sort @vars, "HOME=$home", map { "$_=$keeps{$_}" } keys %keeps ],
	    "$who: its environment is what the manual lists";
	my ($cwd, $umask, $core, @signals) = lines(in_bot($hook, "$who.all"));
	is $cwd, bot_dir($hook), '  it stands where the replies file lies';
	is "$umask $core", '0077 0', '  umask and core limit are tight';
	# 32 and 33 are glibc's own: nobody can set them, and who started us may have ignored them.
	is join(' ', grep { !/:\s*0{7}[01][08]0{7}$/ } @signals), '', '  no signal is blocked or ignored';
}

# The descriptors of a process that sleeps, its own script left out.
sub descriptors {
	my ($pid) = @_;
	my @open = grep { (readlink // '') !~ m{/bot/} } glob "/proc/$pid/fd/*";
	return map { [ m{(\d+)$}, readlink // '' ] } @open;
}

sub check_process {
	my ($hook, $who) = @_;
	my ($pid) = lines(in_bot($hook, "$who.pid"));
	my %fds = map { ($_->[0] => $_->[1]) } descriptors($pid);
	is join(' ', sort keys %fds), '0 1 2', "$who: descriptors 0 to 2 and no other";
	is scalar(grep { !/^pipe:/ } values %fds), 0, '  which are pipes: no socket, no file';
	my (undef, $parent, $group) = Children::stat_of($pid);
	is $parent, $hook->helper_pid, '  the helper is its parent';
	is $group, $pid, '  and its group is its own';
}

subtest 'a handler has what it needs and nothing of ours' => sub {
	my $exec = "$told\nwhile [ ! -e go ]; do sleep 0.02; done\necho it went";
	my $coproc = "$told\n" . <<'END';
while read -r line; do
	case $line in
	*hello*) echo '{"pagehook":1,"hello":{}}' ;;
	*) id=${line#*\"id\":\"}; echo "{\"id\":\"${id%%\"*}\",\"reply\":\"yes\"}" ;;
	esac
done
END
	my @entries = ({ on => 'text', is => 'exec', exec => [ './one', 'exec' ], timeout => $long },
	    { on => 'text', coproc => [ './two', 'coproc' ] });
	my $hook = bot(\@entries, { one => $exec, two => $coproc },
	    env => { %keeps, MESSENGER_APP_SECRET => 'an-app-secret', OTHER => 'a-page-access-token' });
	my @secrets = map { $hook->setting("MESSENGER_$_") } qw(APP_SECRET PAGE_ACCESS_TOKEN VERIFY_TOKEN);
	says($hook, 7001, 'exec');
	says($hook, 7002, 'coproc');
	is_answered($hook, 7002, 'yes', 'the coproc answers');
	$hook->soon(sub { -e in_bot($hook, 'exec.pid') }, 'the other one runs');
	my ($event) = rows_of($hook, 7001);
	my @five = ("PAGEHOOK_EVENT=e$event->{id}", qw(PAGEHOOK_ATTEMPT=1 PAGEHOOK_ON=text
	    PAGEHOOK_PAGE=9001 PAGEHOOK_PSID=7001));
	check_self($hook, 'exec', @five);
	check_self($hook, 'coproc');
	check_process($hook, $_) for qw(exec coproc);
	for my $who (qw(exec coproc)) {
		my ($pid) = lines(in_bot($hook, "$who.pid"));
		my $all = join '', map { slurp("/proc/$pid/$_") } qw(environ cmdline);
		is scalar(grep { index($all, $_) >= 0 } @secrets), 0, "$who: no secret can be seen in it";
	}
	WebServer::spill(in_bot($hook, 'go'), '');
	is_answered($hook, 7001, 'it went', 'and it answers');
	$hook->stop;
};

# Two that wait for a file named go at their first attempt: what a crash meets is still open.
my $thinks = coproc(<<'END');
	until_there('go') if $attempt == 1 && $text =~ /^think/;
	reply($id, "thought: $text, $attempt");
END
my $runs = <<'END';
#!/bin/sh
echo "$1 $PAGEHOOK_ATTEMPT $$" >>asked
[ $PAGEHOOK_ATTEMPT != 1 ] || until [ -e go ]; do sleep 0.02; done
echo "ran: $1, $PAGEHOOK_ATTEMPT"
END

sub thinking_bot {
	my $hook = bot([ { on => 'text', has => 'run', exec => [ './runs', '{text}' ], timeout => $long },
	    { on => 'text', has => 'think', coproc => ['./thinks'], timeout => $long }, $echo ],
	    { thinks => $thinks, runs => $runs }, @_);
	says($hook, 7001, 'think');
	says($hook, 7002, 'run');
	$hook->wait_for(sub { 2 == grep { /^(?:think|run) 1 / } asked($hook) }, 'both think');
	return $hook;
}

sub pids_asked { my %pids = map { /(\d+)$/ ? ($1 => 1) : () } asked(@_); return keys %pids }

sub asked_of {
	my ($hook, $text) = @_;
	return join ' ', map { /^\Q$text\E (\d+)/ ? $1 : () } asked($hook);
}

subtest 'the helper is killed while handlers think' => sub {
	my $hook = thinking_bot();
	my ($pid, @handlers) = ($hook->helper_pid, pids_asked($hook));
	kill 'KILL', $pid;
	$hook->soon(sub { !grep { runs($_) } $pid, @handlers }, 'it is gone, and so are they');
	ok !$hook->helper_pids, '  and no helper runs';
	says($hook, 7003, 'hello');
	is_answered($hook, 7003, 'said: hello', 'the next request starts one');
	is_answered($hook, 7001, 'thought: think, 2', 'what the coproc was asked is asked again');
	is_answered($hook, 7002, 'ran: run, 2', '  and what the program was');
	$hook->soon(sub { 3 == $hook->store("select id from event where state = 'done'") }, 'all is done');
	is join('|', map { texts_to($hook, $_) } 7001, 7002), 'thought: think, 2|ran: run, 2',
	    '  once each';
	is asked_of($hook, $_), '1 2', "  $_: asked twice" for qw(think run);
	$hook->stop;
	is scalar(grep { runs($_) } pids_asked($hook)), 0, 'nothing is left running';
};

subtest 'the helper is told to leave while handlers think' => sub {
	my $hook = thinking_bot();
	my ($pid, @handlers) = ($hook->helper_pid, pids_asked($hook));
	says($hook, 7001, 'next');
	kill 'TERM', $pid;
	$hook->soon(sub { log_says($hook, 'leaving: told to') }, 'it heard');
	WebServer::spill(in_bot($hook, 'go'), '');
	$hook->soon(sub { !grep { runs($_) } $pid, @handlers }, 'it leaves when they have answered');
	is scalar(grep { /^left/ } asked($hook)), 1, '  the coproc by the end of its input';
	my $rows = join ' ', map { "$_->{state} $_->{tries}" } map { (rows_of($hook, $_))[0] } 7001, 7002;
	is $rows, 'done 1 done 1', 'the answers were taken';
	says($hook, 7003, 'hello');
	is_answered($hook, 7001, 'said: next', 'the next helper goes on');
	is_answered($hook, 7002, 'ran: run, 1', '  and what was owed goes out');
	is join('|', texts_to($hook, 7001)), 'thought: think, 1|said: next', '  once, in order';
	is asked_of($hook, $_), '1', "  $_: asked once" for qw(think run);
	$hook->stop;
};

subtest 'an idle helper leaves no coproc behind' => sub {
	my $hook = bot([ { on => 'text', coproc => ['./bot'] } ], { bot => coproc('reply($id, "yes")') },
	    PAGEHOOK_IDLE_EXIT => '1s');
	says($hook, 7001, 'hello');
	is_answered($hook, 7001, 'yes', 'it answered');
	my ($pid, @handlers) = ($hook->helper_pid, pids_asked($hook));
	$hook->soon(sub { !grep { runs($_) } $pid, @handlers }, 'then both are gone');
	is scalar(grep { /^left/ } asked($hook)), 1, '  and the coproc was let go, not killed';
	says($hook, 7002, 'hello');
	is_answered($hook, 7002, 'yes', 'the next request starts both again');
	$hook->stop;
};

subtest 'a helper is not idle while a coproc rests and events wait for it' => sub {
	my $crashes = coproc('kill "KILL", $$ if $text eq "crash" && $attempt == 1; reply($id, "yes")',
	    '{"pagehook":1,"hello":{}}');
	my $hook = bot([ { on => 'text', coproc => ['./bot'], timeout => $long } ], { bot => $crashes },
	    PAGEHOOK_IDLE_EXIT => '1s', speed => 10);
	post_all($hook, (map { [ 7000 + $_, 'crash' ] } 1 .. 5), [ 7006, 'hello' ]);
	is_answered($hook, 7000 + $_, 'yes', "$_ is answered") for 1 .. 6;
	is scalar($hook->sent), 6, '  once each';
	is scalar(log_says($hook, 'pid \d+ listens')), 1, '  by one helper';
	ok scalar(log_says($hook, 'not started again for 16 s')), '  which waited longer than it may idle';
	$hook->stop;
};

sub version {
	my ($v) = @_;
	return coproc("until_there('go') if \$text eq 'think'; reply(\$id, '$v');");
}

subtest 'an edited coproc takes over by itself, and no event is lost' => sub {
	my $hook = bot([ { on => 'text', coproc => ['./bot'], timeout => $long } ],
	    { bot => version('v1') });
	says($hook, 7001, 'hello');
	is_answered($hook, 7001, 'v1', 'the old one answers');
	my $helper = $hook->helper_pid;
	says($hook, 7001, 'think');
	$hook->soon(sub { asked_of($hook, 'think') eq '1' }, 'and is asked once more');
	program($hook, 'bot', version('v2'));
	my $n = 7100;
	says($hook, $n++, 'hello') for 1 .. 5;
	WebServer::spill(in_bot($hook, 'go'), '');
	$hook->soon(sub { texts_to($hook, 7001) == 2 }, 'what the old one was thinking about is answered');
	is asked_of($hook, 'think'), '1', '  by itself';
	my $new = sub {
		says($hook, ++$n, 'hello');
		$hook->wait_for(sub { texts_to($hook, $n) }, "$n is answered");
		return (texts_to($hook, $n))[0] eq 'v2';
	};
	$hook->soon($new, 'the new one answers');
	$hook->soon(sub { !$hook->store("select id from event where state <> 'done'") }, 'all is done');
	my @events = $hook->store('select id from event');
	is scalar($hook->sent), @events, '  once each';
	is_deeply [ $hook->store('select id from event where tries > 1') ], [], '  at the first try';
	is join(' ', $hook->helper_pids), $helper, '  by the same helper';
	my ($old) = map { /^hello (\d+)/ } asked($hook);
	ok !runs($old), '  and the old one has left';
	$hook->stop;
};

subtest 'a coproc that does not flush is told so' => sub {
	my $silent = coproc('reply($id, "unheard")') =~ s/^\$\| = 1;\n//mr;
	my $hook = bot([ { on => 'text', is => 'hello', coproc => ['./silent'], timeout => $long },
	    $echo ], { silent => $silent }, speed => 50);
	says($hook, 7001, 'hello', 'next');
	is_answered($hook, 7001, 'said: next', 'the conversation goes on');
	my ($row) = rows_of($hook, 7001);
	is "$row->{state} $row->{tries}", 'dead 5', '  without what it was asked';
	like $row->{why}, qr/^replies\.json:2: its handler: no hello in 5 s: stdout not flushed\?$/,
	    '  and the row says why';
	ok scalar(log_says($hook, qr/^\.\/silent: no hello in 5 s: stdout not flushed\?/)),
	    '  and the log';
	is join('|', texts_to($hook, 7001)), 'said: next', '  and nothing else was said';
	$hook->stop;
};

subtest 'while handlers hang, everybody else is answered' => sub {
	my $hang = "#!/bin/sh\necho \"\$1 1 \$\$\" >>asked\nuntil [ -e go ]; do sleep 0.02; done\n"
	    . "echo \"went: \$1\"\n";
	my $stuck = coproc('until_there("go"); reply($id, "went: $text");', '{"pagehook":1,"hello":{}}');
	my $hook = bot([ { on => 'text', has => 'hang', exec => [ './hang', '{text}' ], timeout => $long },
	    { on => 'text', has => 'stuck', coproc => ['./stuck'], timeout => $long },
	    { on => 'text', has => 'bot', coproc => ['./bot'] }, $echo ],
	    { hang => $hang, stuck => $stuck, bot => coproc('reply($id, "bot: $text")') });
	post_all($hook, (map { [ 7000 + $_, "hang $_" ] } 1 .. 6),
	    map { [ 7100 + $_, "stuck $_" ] } 1 .. 3);
	$hook->soon(sub { 5 == grep { /^(?:hang|stuck) / } asked($hook) },
	    'four programs and a coproc hang');
	post_all($hook, map { ([ 7200 + $_, 'hello' ], [ 7300 + $_, "bot $_" ]) } 1 .. 20);
	$hook->soon(sub { 20 == grep { $_->{text} eq 'said: hello' } $hook->sent }, 'others are answered');
	$hook->soon(sub { 20 == grep { $_->{text} =~ /^bot: / } $hook->sent }, '  and by another coproc');
	is scalar(grep { /^(?:hang|stuck) / } asked($hook)), 5, '  while these still hang, and no fifth';
	ok !grep({ $_->{text} =~ /^went/ } $hook->sent), '  and have said nothing';
	WebServer::spill(in_bot($hook, 'go'), '');
	$hook->soon(sub { 9 == grep { $_->{text} =~ /^went: / } $hook->sent },
	    'then they go on, all of them');
	$hook->stop;
};

# Everything wrong at once.  What becomes of an event is drawn from seed, text and attempt.
my $wild = <<'END';
#!/usr/bin/perl
use Digest::MD5 qw(md5);
$| = 1;
my ($seed) = @ARGV;
open my $notes, '>>', 'notes' or die; { my $old = select $notes; $| = 1; select $old }
my %ways = (crash => 3, hopeless => 3, garbage => 3, late => 1, retry => 20, dead => 15, bad => 15,
    silent => 20, twice => 40, two => 40, unknown => 20, log => 30, sleep => 40, hold => 200);
sub draw { unpack 'L', md5(join ' ', $seed, @_) }
sub way {
	my ($text, $attempt) = @_;
	return 'hopeless' if draw($text) % 1000 < $ways{hopeless};
	my $n = draw($text, $attempt) % 1000;
	for (sort keys %ways) { return $_ if $_ ne 'hopeless' && ($n -= $ways{$_}) < 0 }
	return 'plain';
}
my (@held, $rest);
sub answer {
	my ($id, $text, $attempt, $way) = @_;
	my ($n, $parts) = (1, qq("$text $attempt 1"));
	($n, $parts) = (2, qq([$parts,{"text":"$text $attempt 2"}])) if $way eq 'two';
	($n, $parts) = (0, 'null') if $way eq 'silent';
	$n = 'dead' if $way =~ /^(?:dead|bad)$/;
	print $notes "$text $attempt $n\n" if $way ne 'retry';
	return print qq({"id":"$id","retry":0.5}\n) if $way eq 'retry';
	return print qq({"id":"$id","dead":"spam"}\n) if $way eq 'dead';
	return print qq({"id":"$id","reply":{"txt":7}}\n) if $way eq 'bad';
	print qq({"id":"e99999999","reply":"to nobody"}\n) if $way eq 'unknown';
	print qq({"log":"info","msg":"words"}\n) if $way eq 'log';
	print qq({"id":"$id","reply":$parts}\n) x ($way eq 'twice' ? 2 : 1);
}
sub hear {
	my ($line) = @_;
	return print qq({"pagehook":1,"hello":{"inflight":8}}\n) if $line =~ /^\{"pagehook"/;
	my ($id, $attempt) = $line =~ /^\{"id":"(e\d+)","attempt":(\d+)/ or return;
	my ($text) = $line =~ /"text":"([^"]*)"/;
	my $way = way($text, $attempt);
	kill 'KILL', $$ if $way eq 'crash' || $way eq 'hopeless';
	return print qq({"id":"$id","reply":\n) if $way eq 'garbage';
	return if $way eq 'late';
	select undef, undef, undef, 0.01 if $way eq 'sleep';
	return push @held, [ $id, $text, $attempt ] if $way eq 'hold';
	answer($id, $text, $attempt, $way);
}
for (;;) {
	my $in = '';
	vec($in, 0, 1) = 1;
	if (select($in, undef, undef, @held ? 0.004 : undef) > 0) {
		sysread(STDIN, $rest, 65536, length($rest // '')) or last;
		hear($1) while $rest =~ s/^(.*)\n//;
	} else {
		answer(@$_, 'plain') for reverse splice @held;
	}
}
answer(@$_, 'plain') for splice @held;
END

my $n_events = 500;

# In 50 conversations, ten events a POST; texts are PERSON-NUMBER, numbers rise in a conversation.
sub talk_wildly {
	my ($hook) = @_;
	my %said;
	($clock, $step) = (int(1000 * time) - 7_200_000, 10_000);	# no 20 answers in a minute
	for (1 .. $n_events / 10) {
		my @turns = map { my $psid = 7000 + int rand 50; [ $psid, "$psid-" . ++$said{$psid} ] } 1 .. 10;
		post_all($hook, @turns);
	}
}

# What is wrong with the end of one event, by its row, what its handler noted and what Graph got.
sub odd_end {
	my ($row, $noted, @sent) = @_;
	my $what = "e$row->{id} $row->{state}, try $row->{tries}: ";
	return @sent ? "$what but said @sent" : !$row->{why} ? "$what without a reason" : ()
	    if $row->{state} eq 'dead';
	my $parts = $noted->{$row->{tries}} // return "$what never answered";
	my @want = $parts eq 'dead' ? 'nothing, for it is dead' : map { "$row->{tries} $_" } 1 .. $parts;
	return "@want" eq "@sent" ? () : "$what said (@sent), should have (@want)";
}

subtest 'a pattern that fails stops nobody' => sub {
	my $hook = bot([ { on => 'text', match => '(*NO_JIT)^((?1)|zz)', say => 'x' }, $echo ], {});
	says($hook, 7001, 'hello');
	is_answered($hook, 7001, 'said: hello', 'the next reply fits');
	ok scalar(log_says($hook, qr/costs more than is allowed/)), '  and it is said';
	$hook->stop;
};

subtest 'who writes while an idle helper waits for its coproc to leave is answered' => sub {
	my $hook = bot([ { on => 'text', is => 'co', coproc => ['./co'] }, $echo ], { co => <<'END' },
#!/usr/bin/perl
$| = 1;
while (<STDIN>) {
	print qq({"pagehook":1,"hello":{}}\n) if /^\{"pagehook/;
	print qq({"id":"$1","reply":"ok"}\n) if /"id":"(e\d+)/;
}
open my $f, '>', 'leaving';
select undef, undef, undef, 0.05 until -e 'go';
END
	    PAGEHOOK_IDLE_EXIT => '1s', env => { TZ => 'UTC' });
	says($hook, 7001, 'co');
	is_answered($hook, 7001, 'ok', 'the coproc runs');
	$hook->soon(sub { -e in_bot($hook, 'leaving') }, '  it is told to leave, and takes its time');
	chmod 0, $hook->setting('PAGEHOOK_HELPER');	# nobody else comes: it is up to this one
	says($hook, 7002, 'hello');
	WebServer::spill(in_bot($hook, 'go'), '');
	is_answered($hook, 7002, 'said: hello', '  and who wrote meanwhile is answered');
	$hook->stop;
};

subtest 'a coproc that does everything wrong: each event ends once, in order' => sub {
	my $seed = $ENV{SEED} // int rand 1e9;
	srand $seed;
	my $hook = bot([ { on => 'text', coproc => [ './wild', "$seed" ], timeout => '60s' } ],
	    { wild => $wild }, speed => 100);
	$hook->handshake(7);
	my $helper = $hook->helper_pid;
	talk_wildly($hook);
	my $open = sub { $hook->store("select id from event where state not in ('done', 'dead') union all"
	    . " select id from reply where state <> 'sent'") };
	ok eval { $hook->wait_for(sub { !$open->() }, 'the end', 60) }, 'all ends';
	my @rows = $hook->store('select event.id, person, state, tries, why,'
	    . " json_extract(cast(body as text), '\$.message.text') as text from event join conv on"
	    . ' conv.id = conv');
	is scalar(@rows), $n_events, 'every event is there';
	my (%noted, %sent, %order, @odd);
	for (lines(in_bot($hook, 'notes'))) {
		my ($text, $attempt, $n) = split;
		$noted{$text}{$attempt} = $n;
	}
	for ($hook->sent) {
		my ($text, $part) = $_->{text} =~ /^(\S+) (\d+ \d+)$/ or push @odd, "strange: $_->{text}";
		push @{$sent{$text}}, $part;
		my ($n) = $text =~ /-(\d+)$/;
		push @odd, "$text after $order{$_->{to}}" if $n < ($order{$_->{to}} // 0);
		push @odd, "$text to $_->{to}" if $text !~ /^$_->{to}-/;
		$order{$_->{to}} = $n;
	}
	push @odd, map { odd_end($_, $noted{$_->{text}}, @{$sent{$_->{text}} // []}) } @rows;
	is join("\n", @odd), '', 'each was answered once, or is dead and says why, in order';
	my $dead = grep { $_->{state} eq 'dead' } @rows;
	ok $dead > 0 && $dead < $n_events / 4, "  $dead of them dead";
	is join(' ', $hook->helper_pids), $helper, 'and the helper is the one it was';
	diag "SEED=$seed repeats this" if !Test::More->builder->is_passing;
	$hook->stop;
};
done_testing;
