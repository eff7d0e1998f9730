#!/usr/bin/perl
# If this fails, nobody is called when a token has died, a secret is wrong or Meta is about to disable
# the webhook; or what is shown of it is not so, or tells what people wrote.
# SPDX-License-Identifier: ISC
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use JSON::PP;
use Pagehook;
use Talk;
use Test::More;
use Time::HiRes qw(sleep time);

my $absent = Pagehook->missing(qw(lighttpd openssl sqlite3));
plan skip_all => $absent if $absent;

my $speed = 10;		# a command has 1 s, five minutes are 30 s
my ($secret, $token, $psid, $words) = qw(secret-7be1 token-51aa 70011223344556677 umbrella-5512);

# Shows how it is going: what is printed, and the status.
sub status {
	my ($hook, @words) = @_;
	my ($out, $status) = Children::output([ Pagehook->program('pagehook'), 'status', @words ],
	    env => $hook->env, log => "$hook->{dir}/status.err");
	return wantarray ? ($out, $status >> 8) : $out;
}

sub document { my ($hook) = @_; return decode_json(scalar status($hook, '--json')) }

# A command that keeps what it is told: a directory for each time it is run, done when "end" is in it.
my $keeps = <<'SH';
#!/bin/sh
d=$(mktemp -d "$1/XXXXXX") || exit 1
ls /proc/$$/fd >"$d/fds"
env >"$d/env"
cat >"$d/document"
: >"$d/end"
SH

sub with_alert {
	my ($hook, $script) = @_;
	mkdir "$hook->{dir}/alerts";
	handler($hook, 'call', $script);
	$hook->configure(PAGEHOOK_ALERT => qq('"$hook->{dir}/replies/call" "$hook->{dir}/alerts"'));
}

sub alerts {
	my ($hook, $cause) = @_;
	my @all;
	for my $end (glob "$hook->{dir}/alerts/*/end") {
		my ($dir) = $end =~ m{(.*)/end$};
		my %env = map { /^(\w+)=(.*)/ ? ($1 => $2) : () } split /\n/, slurp("$dir/env");
		push @all, { env => \%env, cause => $env{PAGEHOOK_CAUSE}, why => $env{PAGEHOOK_WHY},
			document => slurp("$dir/document"), fds => slurp("$dir/fds") };
	}
	return grep { !$cause || $_->{cause} eq $cause } @all;
}

sub one_alert {
	my ($hook, $cause) = @_;
	return $hook->wait_for(sub { (alerts($hook, $cause))[0] }, "an alert: $cause");
}

# The next helper calls for whatever it finds, as if an hour were over.
sub forget_told {
	my ($hook) = @_;
	$hook->helper_stop;
	unlink "$hook->{state}/alerts";
}

sub forged {
	my ($hook, $n) = @_;
	my $body = $hook->delivery($hook->text_event(psid => $psid, text => $words));
	my $by = $hook->sign($body, 'another secret');
	my @got = map { $hook->request('POST', undef, $body, 'X-Hub-Signature-256' => $by)->{status} } 1 .. $n;
	return "@got";
}

sub refused { my ($hook) = @_; return -e "$hook->{state}/refused" ? slurp("$hook->{state}/refused") : '' }

# What fronts would have noted had they refused n deliveries for so many seconds.
sub have_been_refused {
	my ($hook, $n, $for_s, $kept_s) = @_;
	my $now = int(1000 * time);
	WebServer::spill("$hook->{state}/refused", sprintf "pagehook-refused 1 %d\nmismatch %d %d %d\n",
	    $now - 1000 * $kept_s, $n, $now - 1000 * $for_s, $now);
}

my $hook = Pagehook->new(speed => $speed, PAGEHOOK_THREADS => 1, MESSENGER_APP_SECRET => $secret,
    MESSENGER_PAGE_ACCESS_TOKEN => $token);

subtest 'where nothing has happened yet' => sub {
	my ($out, $status) = status($hook);
	is $out, <<'END', 'it says so';
webhook  OK    no delivery kept yet
forged   OK    none since the last 200
queue    OK    nothing waits
helper   OK    none runs: the next delivery starts one; no store yet; spool 0, quarantine 0
END
	is $status, 0, '  status 0';
	ok !-e $hook->{state}, '  and makes nothing';
};

$hook->serve('lighttpd-fcgi');
$hook->graph;
with_alert($hook, $keeps);

subtest 'a wrong secret, and no helper' => sub {
	is forged($hook, 12), join(' ', (401) x 12), 'refused';
	like refused($hook), qr/^mismatch [1-9]/m, 'the first is noted at once';
	$hook->soon(sub { forged($hook, 1); refused($hook) =~ /^mismatch (\d\d)/m }, 'then all of them');
	my $out = status($hook);
	like $out, qr/^webhook  OK    no delivery kept yet; \d\d+ refused: \d\d+ signed with another secret$/m,
	    'it is shown';
	like $out, qr/^forged   WARN  \d\d+ since the last 200, last \d s ago: \d\d+ signed with another secret; is MESSENGER_APP_SECRET right\?$/m,
	    '  and what may be wrong';
	is +(document($hook))->{worst}, 'warn', '  in the document too';
	is_deeply [ $hook->helper_pids ], [], 'and nobody starts a helper for that';
	is scalar(alerts($hook)), 0, '  so nobody is called';
};

subtest 'a good one ends it' => sub {
	writes($hook, $psid, $words);
	hears($hook, $psid, [ "You said: $words" ], 'it is answered');
	$hook->soon(sub { refused($hook) =~ /\Apagehook-refused 1 [1-9]\d+\n\z/ }, 'what was refused is over');
	my ($out, $status) = status($hook);
	like $out, qr/\A
	    webhook\ \ OK\ {4}last\ 200\ \d+\ s\ ago\n
	    forged\ \ \ OK\ {4}none\ since\ the\ last\ 200\n
	    send\ {5}OK\ {4}1\ sent,\ 0\ refused,\ 0\ unsure\ since\ the\ helper\ began;\ last\ \d+\ s\ ago\n
	    queue\ {4}OK\ {4}nothing\ waits\n
	    helper\ \ \ OK\ {4}pid\ \d+\ up\ \d+\ s,\ \d+\ MB;\ store\ \d+\ [KM]B;\ spool\ 0,\ quarantine\ 0\n\z/x,
	    'the whole screen';
	is $status, 0, '  status 0';
	my $doc = document($hook);
	is_deeply [ @$doc{qw(v worst failing_since)}, @{$doc->{metrics}{throughput}}{qw(kept known dead)},
	    $doc->{metrics}{send}{sent}, $doc->{helper}{pid} ], [ 1, 'ok', undef, 1, 0, 0, 1, $hook->helper_pid ],
	    'the document';
	like $doc->{at}, qr/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/, '  its time';
};

subtest 'a wrong secret, and a helper' => sub {
	$hook->wait_for(sub { forged($hook, 4); alerts($hook, 'signature') }, 'somebody is called');
	my ($alert) = alerts($hook, 'signature');
	like $alert->{why}, qr/is MESSENGER_APP_SECRET right\? \d\d+ refused: \d\d+ signed with another secret\.$/,
	    'called, and told why';
	my $doc = decode_json($alert->{document});
	cmp_ok $doc->{metrics}{signature}{mismatch}, '>=', 10, '  with the document';
	my %known = map { ($_ => 1) } qw(PATH HOME LANG TZ PAGEHOOK_CAUSE PAGEHOOK_WHY PWD OLDPWD SHLVL _);
	is join(' ', grep { !$known{$_} } sort keys %{$alert->{env}}), '', '  in an environment of its own';
	is join(' ', grep { $_ > 2 && $_ < 10 } split ' ', $alert->{fds}), '', '  without our descriptors';
	my @lines = grep { $_->{cause} eq 'signature' } $hook->log(qr/"k":"alert"/);
	is scalar(@lines), 1, '  and once in the log';
	forged($hook, 12);
	writes($hook, 70010001, 'hello');
	hears($hook, 70010001, [ 'You said: hello' ], 'it goes on meanwhile');
};

subtest 'a token that has died, a reply that is given up' => sub {
	$hook->graph_faults('error 551 1545041 to=70019991');
	writes($hook, 70019991, $words);
	my $dead = one_alert($hook, 'dead');
	is $dead->{why}, '1 given up: pagehook queue list says why.', 'dead: told';
	is +(decode_json($dead->{document}))->{queue}{dead}, 1, '  and counted';
	$hook->graph_faults('error 551 1545041 to=70019992', 'error 190 463 to=70019993');
	writes($hook, 70019992, 'once more');
	$hook->soon(sub { document($hook)->{queue}{dead} == 2 }, 'another one');
	$hook->soon(sub { slurp("$hook->{state}/alerts") =~ /^dead - \d+ 1$/m }, '  is counted for the next alert');
	is scalar(alerts($hook, 'dead')), 1, '  and wakes nobody';
	writes($hook, 70019993, 'hello');
	my $dead_token = one_alert($hook, 'token');
	is $dead_token->{why}, "Page 9001: Graph refuses this Page's token: its replies wait for a new one.",
	    'token: told';
	like scalar(status($hook)), qr/^pages    FAIL  9001 waits: .*; tried again in \d+ s$/m, '  and shown';
	is +(document($hook))->{worst}, 'fail', '  as failing';
	$hook->graph_faults();
	hears($hook, 70019993, [ 'You said: hello' ], 'until it is taken again');
	$hook->soon(sub { status($hook) !~ /^pages/m }, '  then it is not shown any more');
};

subtest 'no delivery is kept' => sub {
	have_been_refused($hook, 9, 40, 45);
	my $alert = one_alert($hook, 'failing');
	like $alert->{why}, qr/^no delivery was kept for 0 min; 9 refused: 9 signed with another secret; Meta disables the webhook after about 60 min of this, in about 59 min\.$/,
	    'for five minutes: told, with what is left';
	have_been_refused($hook, 9, 17 * 60, 20 * 60);
	like one_alert($hook, 'disabling')->{why}, qr/for 17 min; .* in about 43 min\.$/, 'for fifteen: told again';
	$hook->helper_stop;
	like scalar(status($hook)), qr/^webhook  FAIL  last 200 20 min ago; since then 9 refused: 9 signed with another secret; failing for 17 min, Meta disables the webhook after about an hour$/m,
	    'and shown, without a helper';
	ok defined document($hook)->{failing_since}, '  in the document too';
	writes($hook, 70010002, 'hello');
	$hook->soon(sub { status($hook) =~ /^webhook  OK    last 200 \d+ s ago$/m }, 'a good one ends that, too');
};

subtest 'without a helper' => sub {
	$hook->helper_stop;
	my $out = status($hook);
	like $out, qr/^queue    WARN  2 dead$/m, 'the store still tells';
	like $out, qr/^helper   OK    none runs: .* store \d+ [KM]B; spool 0, quarantine 0$/m, '  and that none runs';
	unlike $out, qr/^send/m, '  what it alone knew is left out';
	is_deeply [ $hook->helper_pids ], [], '  to look does not start one';
	is document($hook)->{helper}, undef, '  nor to ask for the document';
};

subtest 'a broken replies file, a body in quarantine' => sub {
	$hook->configure(PAGEHOOK_REPLIES => replies_are($hook, '{ "replies": [ { "on": "txt" } ] }'));
	like scalar(status($hook)), qr/^replies  FAIL  .*replies\.json cannot be used: pagehook replies check$/m,
	    'shown without a helper';
	$hook->post('{"object":"page", and no more');
	my $alert = one_alert($hook, 'quarantine');
	like $alert->{why}, qr/^a signed body is in quarantine/, 'quarantine: told';
	my $out = status($hook);
	like $out, qr/^replies  FAIL/m, 'shown by the helper';
	like $out, qr/^queue    WARN  2 dead, 1 event dead$/m, '  the dead event';
	like $out, qr/quarantine 1$/m, '  the quarantine';
	$hook->configure(PAGEHOOK_REPLIES => undef);
};

subtest 'a command that hangs, one that fails, one that is not there' => sub {
	with_alert($hook, "#!/bin/sh\necho no phone >&2\nsleep 1000 & echo \$! >\"\$1/pid\"; wait\n");
	forget_told($hook);
	$hook->post('{"object":"page", two');
	$hook->soon(sub { said($hook, 'took longer than 10 s: ended') }, 'it is ended');
	$hook->soon(sub { said($hook, '^no phone$') }, '  what it complained of is in the log');
	my $pid = slurp("$hook->{dir}/alerts/pid") + 0;
	$hook->soon(sub { !kill 0, $pid }, '  and what it had started is gone');
	writes($hook, 70010003, 'hello');
	hears($hook, 70010003, [ 'You said: hello' ], '  nobody waited for it');
	with_alert($hook, "#!/bin/sh\nexit 3\n");
	forget_told($hook);
	$hook->post('{"object":"page", three');
	$hook->soon(sub { said($hook, '^exit 3$') }, 'one that fails is told in the log');
	unlink "$hook->{dir}/replies/call";
	forget_told($hook);
	$hook->post('{"object":"page", four');
	$hook->soon(sub { said($hook, 'No such file or directory') }, 'one that is not there, too');
};

subtest 'a store that a stranger has locked' => sub {
	my $said = "$hook->{dir}/stranger.said";
	WebServer::spill($said, '');
	open my $stranger, '|-', "/usr/bin/sqlite3 '$hook->{state}/queue.db' >'$said'" or die "sqlite3: $!";
	syswrite $stranger, "BEGIN IMMEDIATE;\nSELECT 'it is mine';\n";
	$hook->wait_for(sub { slurp($said) =~ /it is mine/ }, 'a stranger locks it');
	$hook->post($hook->delivery($hook->text_event(psid => 70010004)));
	my $out;
	$hook->soon(sub { ($out = status($hook)) =~ /^store    FAIL  .*locked/m }, 'it is shown');
	like $out, qr/^helper   OK    pid \d+ .* spool [1-9]/m, '  by the helper, and what waits for it';
	like document($hook)->{store}{trouble}, qr/locked/, '  in the document too';
	syswrite $stranger, "ROLLBACK;\n";
	close $stranger;
	hears($hook, 70010004, [ 'You said: hello' ], 'until it is free again');
	$hook->soon(sub { status($hook) !~ /^store|spool [1-9]/m }, '  then no more');
};

subtest 'a helper that does not answer' => sub {
	writes($hook, 70010006, 'hello');
	hears($hook, 70010006, [ 'You said: hello' ], 'it did a moment ago');
	my $pid = $hook->helper_pid;
	kill STOP => $pid;
	my ($out, $status) = status($hook);
	like $out, qr/^helper   FAIL  does not answer: helper: no answer in time; store /m, 'it is shown, and why';
	my $doc = document($hook);
	kill CONT => $pid;
	is $status, 0, '  status 0';
	like $doc->{helper_trouble}, qr/^helper: no answer in time$/, '  in the document too';
	is $doc->{worst}, 'fail', '  as failing';
};

subtest 'somebody else' => sub {
	plan skip_all => 'the root directory is ours' if !$>;
	unlink "$hook->{dir}/status.err";
	my ($out, $status) = Children::output([ Pagehook->program('pagehook'), 'status' ],
	    env => { %{$hook->env}, PAGEHOOK_STATE => '/' }, log => "$hook->{dir}/status.err");
	is_deeply [ $out, $status >> 8 ], [ '', 77 ], 'is not told that all is well';
	like slurp("$hook->{dir}/status.err"), qr{^pagehook: / belongs to another user: sudo -u root .*/pagehook'? status$},
	    '  but who may look';
};

subtest 'a helper does not leave while deliveries are refused' => sub {
	with_alert($hook, $keeps);
	$hook->configure(PAGEHOOK_IDLE_EXIT => '3s');
	forget_told($hook);
	unlink "$hook->{state}/refused";	# of the helper before
	writes($hook, 70010005, 'hello');
	my $pid = $hook->helper_pid;
	$hook->wait_for(sub { refused($hook) =~ /\A.*\n\z/ }, 'it has noted what it kept');
	have_been_refused($hook, 3, 2, 5);
	my $began = time;
	$hook->wait_for(sub { time > $began + 5 || !$hook->helper_pids }, 'it has been idle for long enough');
	is join(' ', $hook->helper_pids), $pid, 'it stays';
	writes($hook, 70010005, 'good bye');
	$hook->soon(sub { !$hook->helper_pids }, 'then it leaves');
};

subtest 'the helper leaves while the command runs' => sub {
	my $leaving = Pagehook->new(speed => 2);
	$leaving->serve('lighttpd-fcgi');
	my $gate = gate($leaving, 'gate');
	with_alert($leaving, "#!/bin/sh\nread word <'$gate'\n" . $keeps =~ s/^.*?\n//r);
	$leaving->handshake(7);
	$leaving->post('{"object":');		# what nobody can read
	my $pid = $leaving->helper_pid;
	$leaving->soon(sub { $leaving->log(qr/"cause":"quarantine"/) }, 'something needs a person');
	kill 'TERM', $pid;
	$leaving->soon(sub { $leaving->log(qr/leaving: told to/) }, 'it is told to leave');
	open_gate($gate, 'go');
	is one_alert($leaving, 'quarantine')->{cause}, 'quarantine', '  and lets the command end';
	$leaving->soon(sub { !$leaving->helper_pids }, '  then it is gone');
	$leaving->stop;
};

subtest 'a store that no helper can open' => sub {
	my $broken = Pagehook->new(speed => $speed);
	$broken->serve('lighttpd-fcgi');
	with_alert($broken, $keeps);
	mkdir $broken->{state}, 0700;
	WebServer::spill("$broken->{state}/queue.db", 'x' x 8192);
	is $broken->post($broken->delivery($broken->text_event))->{status}, 200, 'the spool keeps what comes';
	my $alert = one_alert($broken, 'disk');
	like $alert->{why}, qr/queue\.db/, 'a person is called, and told which file';
	is decode_json($alert->{document})->{worst}, 'fail', '  with the document';
	$broken->stop;
};

subtest 'plain CGI' => sub {
	my $cgi = Pagehook->new(speed => $speed);
	$cgi->serve('lighttpd-cgi');
	forged($cgi, 3);
	$cgi->request('POST', undef, '{}');
	$cgi->request('POST', undef, '{}', 'X-Hub-Signature-256' => 'sha1=00');
	like refused($cgi), qr/^unsigned 1 \d+ \d+\nmisformed 1 \d+ \d+\nmismatch 3 \d+ \d+$/m,
	    'each process counts what it refused';
	is $cgi->post('{"object":"instagram","entry":[]}')->{status}, 404, 'another object is refused';
	is $cgi->post('{"object":"page"')->{status}, 400, '  half of a body, too';
	$cgi->soon(sub { refused($cgi) =~ /^body 1 \d+ \d+\nobject 1 /m }, '  and counted, once they are answered');
	$cgi->stop;
};

subtest 'a command that makes no sense is an error' => sub {
	for ([ '"/bin/x', qr/without its other/ ], [ 'bin/x y', qr/an absolute path, or a name in PATH/ ]) {
		my ($value, $told) = @$_;
		$hook->configure(PAGEHOOK_ALERT => "'$value'");
		my (undef, $status) = status($hook);
		is $status, 78, $value;
		like slurp("$hook->{dir}/status.err"), $told, '  and says why';
	}
};

subtest 'nobody\'s words, and no secret' => sub {
	my %private = (words => $words, secret => $secret, token => $token, person => $psid,
	    'a person' => '70019991');
	my @files = (glob("$hook->{dir}/alerts/*/*"), "$hook->{state}/refused", "$hook->{state}/pagehook.log");
	push @files, grep { -e } "$hook->{state}/alerts";
	$hook->configure(PAGEHOOK_ALERT => undef);
	my $all = join "\n", map({ slurp($_) } @files), scalar(status($hook)), scalar(status($hook, '--json'));
	cmp_ok scalar(@files), '>', 10, 'there is much to look at';
	is index($all, $private{$_}), -1, "no $_" for sort keys %private;
};
$hook->stop;
done_testing;
