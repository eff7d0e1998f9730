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
my $hub = 'hub.mode=subscribe&hub.verify_token=a-verify-token';

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
	delete $sent_as{'x%0D%0Ay%0A'} if $kind =~ /^lighttpd/;	# it refuses control characters itself
	for my $challenge (sort keys %sent_as) {
		my $got = $hook->handshake($challenge);
		my $name = substr $challenge, 0, 20;
		is $got->{status}, 200, "the challenge $name is answered";
		is $got->{body}, $sent_as{$challenge}, "  byte for byte";
		like $got->{headers}{'content-type'}, qr{^text/plain\b}, '  as text';
	}
	my $got = $hook->request('GET', "hub.challenge=7&hub.verify_token=a%2Dverify%2dtoken&x=&hub.mode=subscribe");
	is "$got->{status} $got->{body}", '200 7', 'order is free and the token may be encoded';
	$got = $hook->request('HEAD', "$hub&hub.challenge=7");
	is "$got->{status} $got->{body}", '200 ', 'HEAD is GET without a body';
}

sub refused_handshakes {
	my ($hook) = @_;
	my %query = (
		'a wrong token' => 'hub.mode=subscribe&hub.verify_token=a-verify-toke&hub.challenge=7',
		'a longer token' => "${hub}s&hub.challenge=7",
		'an empty token' => 'hub.mode=subscribe&hub.verify_token=&hub.challenge=7',
		'no token' => 'hub.mode=subscribe&hub.challenge=7',
		'no mode' => 'hub.verify_token=a-verify-token&hub.challenge=7',
		'another mode' => 'hub.mode=unsubscribe&hub.verify_token=a-verify-token&hub.challenge=7',
		'no challenge' => $hub,
		'two challenges' => "$hub&hub.challenge=7&hub.challenge=8",
		'a challenge over 1 KiB' => "$hub&hub.challenge=" . 'x' x 1025,
		'the app secret for a token' => 'hub.mode=subscribe&hub.verify_token=an-app-secret&hub.challenge=7',
	);
	for my $name (sort keys %query) {
		my $got = $hook->request('GET', $query{$name});
		is $got->{status}, 403, "$name is refused";
		unlike $got->{body}, qr/7|xx/, '  and not echoed';
	}
	like $hook->request('GET', "$hub&hub.challenge=7%00")->{status}, qr/^40[03]$/, 'a NUL is refused';
	is $hook->request('HEAD', $query{'a wrong token'})->{status}, 403, 'HEAD with a wrong token is refused';
	is $hook->request('GET', $_)->{status}, 404, 'GET ' . ($_ // 'without a query') . ' finds nothing'
	    for undef, 'a=b', 'hub_mode=subscribe&hub_verify_token=a-verify-token&hub_challenge=7', '--help+-x';
	is $hook->request('GET', undef, undef, ':path' => "/$_")->{status}, 404, "/$_ is switched off"
	    for qw(status health metrics);
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
		my $got = $hook->request('POST', undef, $good, 'X-Hub-Signature-256' => $signature{$name});
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
	is $hook->post($good . ' ' x ($max - length $good))->{status}, 200, "a body of $max bytes is taken";
	is $hook->post($good . ' ' x ($max + 1 - length $good))->{status}, 413, '  and of one more is not';
	is $hook->request('POST', undef, 'x' x ($max + 1))->{status}, 413, '  signed or not';
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
	is $hook->post($good, ':length' => $_)->{status}, 400, "a length of $_ is malformed" for '-1', '28x', '1e2';
}

# Without a secret anybody could sign; the process stays, and the log says what is missing.
sub not_configured {
	my ($kind) = @_;
	for my $setting (qw(MESSENGER_APP_SECRET MESSENGER_VERIFY_TOKEN)) {
		my $hook = Pagehook->new($setting => undef);
		$hook->serve($kind);
		my @got = ($hook->request('POST', undef, $good, 'X-Hub-Signature-256' => $hook->sign($good, '')),
		    $hook->request('GET', "$hub&hub.challenge=7"));
		is "@{[ map { $_->{status} } @got ]}", '503 503', "without $setting there is no service";
		my @said = grep { $_->{what} && $_->{what} =~ /\b$setting\b/ } $hook->log;
		ok @said, '  and the log names it';
		like $said[0]{what} // '', qr/pagehook\.conf/, '  and the file';
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
		# Over mod_fcgid's own limit, but where only an .htaccess speaks and cannot raise it.
		my $hook = Pagehook->new(PAGEHOOK_MAX_BODY => $kind eq 'htaccess-fcgid' ? 100_000 : 300_000);
		$hook->serve($kind);
		$_->($hook, $kind) for \&challenges, \&refused_handshakes, \&forgeries, \&bodies, \&methods;
		short_bodies($hook) if $kind =~ /^(?:cgi-fcgi-bind|bare-cgi)$/;
		$hook->stop;
		not_configured($kind);
		nowhere_to_keep_it($kind);
	};
}
done_testing;
