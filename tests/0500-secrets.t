#!/usr/bin/perl
# If this fails, who reads a log file or the process list can sign as Meta, speak as the Page, or
# read what people wrote to it.
# SPDX-License-Identifier: ISC
use strict;
use warnings;
use Digest::SHA qw(hmac_sha256_hex);
use File::Find;
use FindBin;
use lib $FindBin::Bin;
use Pagehook;
use Talk;
use Test::More;

my $absent = Pagehook->missing(qw(lighttpd openssl sqlite3));
plan skip_all => $absent if $absent;

my ($app_secret, $page_token, $message, $payload, $guess, $person) =
    qw(secret-90de token-c2aa umbrella-7788 PAYLOAD-8899 verify-guess-5566 70011223344556677);
my %settings = (
	MESSENGER_VERIFY_TOKEN => 'verify-4f1c',
	MESSENGER_VERIFY_TOKEN_PREVIOUS => 'verify-old-77ab',
	MESSENGER_APP_SECRET => $app_secret,
	MESSENGER_APP_SECRET_PREVIOUS => 'secret-old-31bb',
	MESSENGER_PAGE_ACCESS_TOKEN => $page_token,
);
my %private = (
	%settings,
	'an offered verify token' => $guess,
	'a message' => $message,
	'a payload' => $payload,
	'the proof of the app secret' => hmac_sha256_hex($page_token, $app_secret),
	'a whole person id' => $person,
	'most of a person id' => substr($person, 0, -4),
);

sub be_busy {
	my ($hook) = @_;
	my @turns = map { $hook->delivery($_) } (
		$hook->text_event(psid => $person, text => $message),
		$hook->event(psid => $person, postback => { payload => $payload, title => $message }),
		$hook->event(psid => $person, message => { mid => Pagehook::new_mid(), text => $message,
		    quick_reply => { payload => $payload } }),
		$hook->event(psid => $person, new_thing => { text => $message }),
	);
	$hook->handshake(7, $_) for $guess, @settings{grep { /VERIFY/ } sort keys %settings};
	for my $turn (@turns) {
		is $hook->post($turn)->{status}, 200, 'a turn is kept';
		my $got = $hook->request('POST', undef, $turn, 'X-Hub-Signature-256' => 'sha256=0');
		is $got->{status}, 401, '  a forgery is not';
	}
	my $old = $hook->sign($turns[0], $settings{MESSENGER_APP_SECRET_PREVIOUS});
	my $got = $hook->request('POST', undef, $turns[0], 'X-Hub-Signature-256' => $old);
	is $got->{status}, 200, 'under the previous secret too';
	is $hook->post("{\"object\":\"page\", $message")->{status}, 400, 'and half of one is not';
}

# Graph's own log is Graph's.
sub logs_of {
	my ($hook) = @_;
	my @files;
	find({ no_chdir => 1, wanted => sub { push @files, $_ if -f && /\.log\b/ } }, $hook->{dir});
	return grep { !m{/graph\.log$} } @files;
}

sub tells_nothing {
	my ($hook) = @_;
	my %found;
	for my $file (logs_of($hook)) {
		open my $f, '<', $file or die "$file: $!";
		my $text = do { local $/; <$f> };
		$found{$_} .= " $file" for grep { index($text, $private{$_}) >= 0 } keys %private;
	}
	is $found{$_} // '', '', "no log holds $_" for sort keys %private;
}

sub shows_nothing {
	my @argv = map { join ' ', Children::argv_of($_) } Children::pids();
	my @shown = grep { my $secret = $_; grep { index($_, $secret) >= 0 } @argv } values %private;
	is "@shown", '', 'no command line holds any of it';
}

for my $kind (qw(lighttpd-fcgi apache-fcgid apache-cgid)) {
	subtest "served by $kind" => sub {
		my $absent = WebServer::missing($kind);
		plan skip_all => $absent if $absent;
		my $hook = Pagehook->new(%settings, PAGEHOOK_LOG_LEVEL => 'debug');
		$hook->serve($kind);
		$hook->graph;
		$hook->graph_faults('error 100 2018109 times=1', 'drop times=1', 'garbage times=1');
		be_busy($hook);
		$hook->soon(sub { $hook->sent >= 2 }, 'Graph got some of it');
		shows_nothing();
		ok scalar($hook->log), 'there is a log';
		$hook->stop;
		tells_nothing($hook);
	};
}

# Replies, handlers and names have ways of their own to get what is private into a log: by the reason
# why something went wrong, above all.

my %unheard = (		# what handlers answer that is no answer
	garbage => "#!/bin/sh\necho '{\"text\":\"$message $payload'\n",
	refuse => "#!/bin/sh\nexit 65\n",
	fail => "#!/bin/sh\nexit 1\n",
	coproc => "#!/bin/sh\nread -r hello\necho '{\"pagehook\":1,\"hello\":{}}'\n" .
	    "read -r event\necho \"\$event $message\"\nread -r end\n",
);
my %talk = (
	garbage => '"exec": ["./garbage", "--", "{text}"]',
	refuse => '"exec": ["./refuse", "--", "{text}", "{user.last_name}"]',
	fail => '"exec": ["./fail", "--", "{text}"]',
	coproc => '"coproc": ["./coproc"]',
	long => '"message": { "text": "{text}" }',
	greet => '"say": "{user.first_name} {user.last_name}, {text}"',
	pause => '"say": "{text}", "pause": "1h"',
	fetch => '"say": "{text}", "handover": true',
	environment => '"exec": ["/bin/sh", "-c", "env"]',
);
my ($first_name, $last_name, $other_token) = qw(Parapluie-3344 Schirm-5577 token-9f9f);

sub pages_of {
	my ($hook, $text) = @_;
	WebServer::spill("$hook->{dir}/new.json", $text);
	chmod 0600, "$hook->{dir}/new.json";
	rename "$hook->{dir}/new.json", "$hook->{dir}/pages.json" or die "rename: $!";
}

sub talk {
	my ($hook) = @_;
	my @names = sort keys %talk;
	for my $n (0 .. $#names) {
		my $text = "$names[$n] $message" . ($names[$n] eq 'long' ? ' ' . 'x' x 2500 : '');
		writes($hook, substr($person, 0, -2) . (10 + $n), $text);
	}
	writes($hook, $person, 'a' x 60 . " $message");
	does($hook, $person, postback => { payload => $payload, title => $message });
	keep($hook, { sender => { id => $hook->setting('MESSENGER_PAGE_ID') }, recipient => { id => $person },
	    timestamp => 1000 * time, message => { mid => Pagehook::new_mid(), is_echo => \1,
	    text => $message } });
}

subtest 'replies, handlers and names' => sub {
	my $hook = Pagehook->new(%settings, PAGEHOOK_LOG_LEVEL => 'debug');
	replies_are($hook, '"on": "text", "match": "^(a+)+$", "say": "{1}"',
	    map({ qq("on": "text", "match": "^$_ ", $talk{$_}) } sort keys %talk),
	    '"on": "any", "say": "{text} {payload}"');
	handler($hook, $_, $unheard{$_}) for keys %unheard;
	pages_of($hook, "{ \"9101\": { \"access_token\": \"$other_token\" } }");
	$hook->configure(PAGEHOOK_REPLIES => replies_file($hook),
	    MESSENGER_PAGES => "$hook->{dir}/pages.json");
	$hook->serve('lighttpd-fcgi');
	$hook->graph;
	$hook->graph_faults('answer call=profile times=1 json=' .
	    "{\"first_name\":\"$first_name\",\"last_name\":\"$last_name\"}");
	talk($hook);
	$hook->soon(sub { grep { ($_->{text} // '') =~ /^PAGEHOOK_EVENT=|\nPAGEHOOK_EVENT=/ } $hook->sent },
	    'handlers answer');
	my ($env) = grep { ($_->{text} // '') =~ /PAGEHOOK_EVENT=/ } $hook->sent;
	is scalar(grep { index($env->{text}, $_) >= 0 } values %settings), 0, '  and know no secret';
	$hook->soon(sub { said($hook, $_) }, "  or fail: $_") for 'its handler: exit 65',
	    'its handler: exit 1', 'its handler: a line that is not JSON', "its handler's answer: ",
	    'text: \d+ characters', 'its pattern costs more';
	$hook->soon(sub { $hook->store("select id from event where state = 'dead'") >= 3 },
	    'some events are dead');
	my @whys = map { $_->{why} // () } $hook->store('select why from event'),
	    $hook->store('select why from reply');
	is scalar(grep { index("@whys", $_) >= 0 } $message, $payload, $first_name, $last_name), 0,
	    '  for reasons that say nothing of it';
	pages_of($hook, "{ \"9101\": { \"access_token\": $other_token } }");
	$hook->soon(sub { said($hook, 'pages\.json:1:\d+: ') }, 'a broken file of Pages is told');
	@private{'a first name', 'a last name', 'a token of another Page'} =
	    ($first_name, $last_name, $other_token);
	$hook->stop;
	tells_nothing($hook);
};

my $linked = Children::output([ 'ldd', Pagehook->program('pagehook.fcgi') ]);
like $linked, qr/libfcgi/, 'the front links libfcgi';
unlike $linked, qr/lib\Q$_\E\b/, "  and not $_" for qw(curl sqlite3 json-c pcre2 pq);
done_testing;
