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

my %secret = (
	MESSENGER_VERIFY_TOKEN => 'verify-4f1c', MESSENGER_VERIFY_TOKEN_PREVIOUS => 'verify-old-77ab',
	MESSENGER_APP_SECRET => 'secret-90de', MESSENGER_APP_SECRET_PREVIOUS => 'secret-old-31bb',
	MESSENGER_PAGE_ACCESS_TOKEN => 'token-c2aa',
);
my %private = (
	%secret,
	'an offered verify token' => 'verify-guess-5566',
	'a message' => 'umbrella-7788',
	'a payload' => 'PAYLOAD-8899',
	'the title of a button' => 'button-9900',
	'the proof of the app secret' => hmac_sha256_hex($secret{MESSENGER_PAGE_ACCESS_TOKEN}, $secret{MESSENGER_APP_SECRET}),
	'a whole person id' => '70011223344556677',
);

sub be_busy {
	my ($hook) = @_;
	my @who = (psid => $private{'a whole person id'});
	my @turns = map { $hook->delivery($_) } (
		$hook->text_event(@who, text => $private{'a message'}),
		$hook->event(@who, postback => { mid => 'm_p', payload => $private{'a payload'}, title => $private{'the title of a button'} }),
		$hook->event(@who, message => { mid => 'm_q', text => $private{'a message'}, quick_reply => { payload => $private{'a payload'} } }),
		$hook->event(@who, new_thing => { text => $private{'a message'} }),
	);
	$hook->handshake(7, $_) for @private{'an offered verify token', 'MESSENGER_VERIFY_TOKEN', 'MESSENGER_VERIFY_TOKEN_PREVIOUS'};
	is $hook->post($_)->{status}, 200, 'a turn is kept' for @turns;
	my $again = $hook->delivery($hook->text_event(@who, text => $private{'a message'}));
	my $old = $hook->sign($again, $secret{MESSENGER_APP_SECRET_PREVIOUS});
	is $hook->request('POST', undef, $again, 'X-Hub-Signature-256' => $old)->{status}, 200, 'under the previous secret too';
	is $hook->request('POST', undef, $_, 'X-Hub-Signature-256' => 'sha256=0')->{status}, 401, 'a forgery is not' for @turns;
	is $hook->post("{\"object\":\"page\", $private{'a message'}")->{status}, 400, 'nor is half of one';
}

sub logs_of {
	my ($hook) = @_;
	my @files;
	find({ no_chdir => 1, wanted => sub { push @files, $_ if -f && /\.log(?:\.\d+)?$/ } }, $hook->{dir});
	return grep { !m{/graph\.log$} } @files;	# Graph's own
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

for my $kind (qw(lighttpd-fcgi apache-fcgid apache-cgid)) {
	subtest "served by $kind" => sub {
		my $absent = WebServer::missing($kind);
		plan skip_all => $absent if $absent;
		my $hook = Pagehook->new(%secret, PAGEHOOK_LOG_LEVEL => 'debug');
		$hook->serve($kind);
		$hook->graph;
		# A refusal's words are logged as Graph said them; a page that is refused is logged too.
		$hook->graph_faults('error 100 33 times=1', 'drop times=1', 'garbage times=1', 'error 190 460 times=1');
		be_busy($hook);
		$hook->soon(sub { $hook->sent >= 2 }, 'Graph got some of it');
		my %argv = map { ($_ => join ' ', Children::argv_of($_)) } Children::pids();
		my @shown = grep { my $argv = $_; grep { index($argv, $_) >= 0 } values %private } values %argv;
		is "@shown", '', 'no command line holds any of it';
		ok scalar($hook->log), 'there is a log';
		$hook->stop;
		tells_nothing($hook);
	};
}

my $linked = Children::output([ 'ldd', Pagehook->program('pagehook.fcgi') ]);
like $linked, qr/libfcgi/, 'the front links libfcgi';
unlike $linked, qr/lib\Q$_\E\b/, "  and not $_" for qw(curl sqlite3 json-c pcre2 pq);
done_testing;
