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
		$hook->graph_faults('error 100 33 times=1', 'drop times=1', 'garbage times=1');
		be_busy($hook);
		$hook->soon(sub { $hook->sent >= 2 }, 'Graph got some of it');
		shows_nothing();
		ok scalar($hook->log), 'there is a log';
		$hook->stop;
		tells_nothing($hook);
	};
}

my $linked = Children::output([ 'ldd', Pagehook->program('pagehook.fcgi') ]);
like $linked, qr/libfcgi/, 'the front links libfcgi';
unlike $linked, qr/lib\Q$_\E\b/, "  and not $_" for qw(curl sqlite3 json-c pcre2 pq);
done_testing;
