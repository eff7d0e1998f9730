#!/usr/bin/perl
# If this fails, Meta is told something else than what is true: a forged POST is believed, a good
# one refused until Meta cuts the Page off, or the webhook cannot be connected at all.
# SPDX-License-Identifier: ISC
use strict;
use warnings;
use Digest::SHA qw(hmac_sha1_hex);
use FindBin;
use lib $FindBin::Bin;
use Pagehook;
use Test::More;

my $good = '{"object":"page","entry":[]}';
my $mode = 'hub.mode=subscribe';
my $token = 'hub.verify_token=a-verify-token';
my $seven = 'hub.challenge=7';

sub challenges {
	my ($hook, $kind) = @_;
	my %sent_as = (
		'1158201444' => '1158201444',
		'CHALLENGE_ACCEPTED' => 'CHALLENGE_ACCEPTED',
		'0' => '0',
		'a+b%20c' => 'a b c',
		'%3Cb%3E%26%22%27' => q{<b>&"'},
		'%c3%A4%E2%82%ac' => "\xc3\xa4\xe2\x82\xac",
		'x%0D%0Ay%0A' => "x\r\ny\n",
		'100%25' => '100%',
		'x' x 1024 => 'x' x 1024,
	);
	delete $sent_as{'x%0D%0Ay%0A'} if $kind =~ /^lighttpd/;	# refuses such URLs itself
	for my $challenge (sort keys %sent_as) {
		my $got = $hook->handshake($challenge);
		my $name = substr $challenge, 0, 20;
		is $got->{status}, 200, "the challenge $name is answered";
		is $got->{body}, $sent_as{$challenge}, "  byte for byte";
		like $got->{headers}{'content-type'}, qr{^text/plain\b}, '  as text';
		is $got->{headers}{'cache-control'}, 'no-store', '  no cache keeps it';
		is $got->{headers}{'x-content-type-options'}, 'nosniff', '  no browser guesses';
		is $got->{headers}{'content-security-policy'}, q(default-src 'none'), '  or runs a word of it';
	}
	my $got = $hook->request('GET',
	    'hub.challenge=7&hub.verify_token=a%2Dverify%2dtoken&x=&hub.mode=subscribe');
	is "$got->{status} $got->{body}", '200 7', 'order is free and the token may be encoded';
	$got = $hook->request('HEAD', "$mode&$token&$seven");
	is "$got->{status} $got->{body}", '200 ', 'HEAD is GET without a body';
}

sub refused_handshakes {
	my ($hook) = @_;
	my %query = (
		'a wrong token' => "$mode&hub.verify_token=a-verify-toke&$seven",
		'a longer token' => "$mode&${token}s&$seven",
		'an empty token' => "$mode&hub.verify_token=&$seven",
		'no token' => "$mode&$seven",
		'the app secret for a token' => "$mode&hub.verify_token=an-app-secret&$seven",
		'no mode' => "$token&$seven",
		'another mode' => "hub.mode=unsubscribe&$token&$seven",
		'no challenge' => "$mode&$token",
		'two challenges' => "$mode&$token&$seven&hub.challenge=8",
		'a challenge over 1 KiB' => "$mode&$token&hub.challenge=" . 'x' x 1025,
	);
	for my $name (sort keys %query) {
		my $got = $hook->request('GET', $query{$name});
		is $got->{status}, 403, "$name is refused";
		unlike $got->{body}, qr/7|xx/, '  and not echoed';
	}
	my $got = $hook->request('GET', "$mode&$token&$seven%00");
	like $got->{status}, qr/^40[03]$/, 'a NUL is refused';
	$got = $hook->request('HEAD', $query{'a wrong token'});
	is "$got->{status} $got->{body}", '403 ', 'HEAD with a wrong token is refused';
	for my $other (undef, 'a=b', "$mode&$token&$seven" =~ tr/./_/r, '--help+-x') {
		$got = $hook->request('GET', $other);
		is $got->{status}, 404, 'GET ' . ($other // 'without a query') . ' finds nothing';
	}
	for my $page (qw(status health metrics)) {
		$got = $hook->request('GET', undef, undef, ':path' => "/$page");
		is $got->{status}, 404, "/$page is switched off";
	}
}

sub forgeries {
	my ($hook) = @_;
	my ($right) = $hook->sign($good) =~ /^sha256=(.*)$/;
	my %signature = (
		'a wrong signature' => 'sha256=' . '0' x 64,
		'63 digits' => 'sha256=' . substr($right, 0, 63),
		'65 digits' => "sha256=${right}0",
		'a bare digest' => $right,
		'a digest of another name' => "sha1=$right",
		'two signatures' => "sha256=$right, sha256=$right",
		'an empty signature' => '',
		'a digit that is none' => 'sha256=' . substr($right, 0, 63) . 'g',
		'the verify token for a key' => $hook->sign($good, 'a-verify-token'),
		'a signature of other bytes' => $hook->sign("$good\n"),
	);
	for my $name (sort keys %signature) {
		my $got = $hook->request('POST', undef, $good,
		    'X-Hub-Signature-256' => $signature{$name});
		is "$got->{status} $got->{body}", '401 ', "$name is refused with an empty body";
	}
	my $got = $hook->request('POST', undef, $good);
	is "$got->{status} $got->{body}", '401 ', 'an unsigned POST is refused with an empty body';
	$got = $hook->request('POST', undef, $good,
	    'X-Hub-Signature' => 'sha1=' . hmac_sha1_hex($good, 'an-app-secret'));
	is "$got->{status} $got->{body}", '401 ', 'SHA-1 alone proves nothing';
	$got = $hook->request('POST', undef, 'not JSON');
	is $got->{status}, 401, 'what is not proved is not parsed';
}

sub bodies {
	my ($hook) = @_;
	my $deep = '[' x 100 . ']' x 100;
	my %answer = (
		$good => 200,
		$hook->delivery($hook->event(new_thing => { a => 1 })) => 200,
		'{"object":"page"}' => 200,
		qq({"object":"page","entry":[],"x":"caf\\u00e9 \\/ \\ud83d\\ude00"}) => 200,
		qq({"object":"page","entry":[],"deep":$deep}) => 200,
		" $good\n" => 200,
		'{"object":"user","entry":[]}' => 404,
		'{"object":"Page","entry":[]}' => 404,
		'{"entry":[]}' => 404,
		'' => 400,
		'not JSON' => 400,
		'[]' => 400,
		'null' => 400,
		'{"object":"page","entry":[' => 400,
		"$good$good" => 400,
		qq({"object":"page","x":"\xff"}) => 400,
	);
	for my $body (sort keys %answer) {
		my $got = $hook->post($body);
		my $name = '"' . substr($body, 0, 40) =~ s/[^ -~]/?/gr . '"';
		is $got->{status}, $answer{$body}, "signed $name gets $answer{$body}";
		is $got->{body}, 'EVENT_RECEIVED', '  and no newline' if $answer{$body} == 200;
	}
	my $max = $hook->setting('PAGEHOOK_MAX_BODY');
	my $longest = $good . ' ' x ($max - length $good);
	is $hook->post($longest)->{status}, 200, "a body of $max bytes is taken";
	is $hook->post("$longest ")->{status}, 413, '  and of one more is not';
	is $hook->request('POST', undef, "$longest ")->{status}, 413, '  signed or not';
}

sub methods {
	my ($hook) = @_;
	for my $method (qw(PUT DELETE)) {
		my $got = $hook->request($method, undef, $good, $hook->signed($good));
		is $got->{status}, 405, "$method is not allowed";
		is $got->{headers}{allow}, 'GET, HEAD, POST', '  and it says what is';
	}
}

sub short_bodies {
	my ($hook) = @_;
	my $got = $hook->post($good, ':length' => length($good) + 1);
	is $got->{status}, 400, 'a body shorter than announced is malformed';
	for my $length ('-1', '28x', '1e2') {
		$got = $hook->post($good, ':length' => $length);
		is $got->{status}, 400, "a length of $length is malformed";
	}
}

# Without a secret anybody could sign.  Which log says what is missing depends on what can be read.
sub not_configured {
	my ($kind) = @_;
	for my $setting (qw(MESSENGER_APP_SECRET MESSENGER_VERIFY_TOKEN)) {
		my $hook = Pagehook->new($setting => undef);
		$hook->serve($kind);
		my $signature = $hook->sign($good, $hook->setting('MESSENGER_APP_SECRET') // '');
		my @got = map { $hook->request(@$_)->{status} }
		    [ 'POST', undef, $good, 'X-Hub-Signature-256' => $signature ],
		    [ 'GET', "$mode&$token&$seven" ];
		is "@got", '503 503', "without $setting there is no service";
		my $said = sub { join "\n", map({ $_->{what} // '' } $hook->log), $hook->{server}->logs };
		$hook->soon(sub { $said->() =~ /pagehook\.conf\b.*\b$setting\b/ },
		    '  and a log names it and the file');
	}
}

sub nowhere_to_keep_it {
	my ($kind) = @_;
	my $hook = Pagehook->new(PAGEHOOK_HELPER => '/bin/false');
	mkdir "$hook->{dir}/state";
	WebServer::spill("$hook->{dir}/state/spool", '');
	$hook->serve($kind);
	my $got = $hook->post($good);
	is $got->{status}, 503, 'an event that cannot be kept stays with Meta';
	ok $got->{headers}{'retry-after'}, '  who is told to come again';
}

for my $kind (WebServer::kinds()) {
	subtest "served by $kind" => sub {
		my $absent = WebServer::missing($kind);
		plan skip_all => $absent if $absent;
		# Over mod_fcgid's own limit, which an .htaccess alone cannot raise.
		my $max = $kind eq 'htaccess-fcgid' ? 100_000 : 300_000;
		my $hook = Pagehook->new(PAGEHOOK_MAX_BODY => $max);
		$hook->serve($kind);
		challenges($hook, $kind);
		$_->($hook) for \&refused_handshakes, \&forgeries, \&bodies, \&methods;
		short_bodies($hook) if $kind =~ /^(?:cgi-fcgi-bind|bare-cgi)$/;
		$hook->stop;
		not_configured($kind);
		nowhere_to_keep_it($kind);
	};
}
done_testing;
