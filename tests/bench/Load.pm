package Load;
# Load -- deliveries as Meta signs them, made beforehand; and wrk, which sends them.
# Knows bodies, signatures, wrk.  Does not know who answers, nor how well it should.
# Called by bench and Cost.
# Lives as files of whole requests, all of one length.
# SPDX-License-Identifier: ISC
use strict;
use warnings;
use Children;
use Digest::SHA qw(hmac_sha256_hex);
use File::Basename qw(dirname);
use JSON::PP;
use Time::HiRes qw(time);

our $Secret = 'an-app-secret';		# Pagehook's
our $Path = '/messenger/webhook';	# WebServer's
our @Pages = map { 9000 + $_ } 1 .. 32;	# as many as the stand-in knows; each may send 300 replies a second
our $N_people = 10_000;

# Each of them writes to two of 32 Pages, by the way in which both are counted.
sub n_conversations { return 2 * $N_people }

my $began_ms = int((time - 3 * 3600) * 1000);	# old enough for all that follows, too young to be given up

# What stands in an event: one is kept and there is nothing to say to it, the other is answered.
my %said = (
	silent => '"reaction":{"reaction":"love","emoji":"\u2764","action":"react","mid":"m_%032d"}',
	text => '"message":{"mid":"m_%032d","text":"hello"}',
);

# The i-th event; the next one of that person comes 4 s later, so that nobody takes them for bots.
sub event {
	my ($kind, $i, $n_people, $page) = @_;
	my $round = int($i / $n_people);
	return sprintf '{"sender":{"id":"%016d"},"recipient":{"id":"%d"},"timestamp":%d,' .
	    $said{$kind} . '}', 7e15 + $i % $n_people, $page, $began_ms + 4000 * $round, $i;
}

# The body that brings n events from the i-th on.
sub body {
	my ($kind, $i, $n, $n_people) = (@_, 1, $N_people)[0 .. 3];
	my $page = $Pages[$i / $n % @Pages];
	my @events = map { event($kind, $_, $n_people, $page) } $i .. $i + $n - 1;
	return sprintf '{"object":"page","entry":[{"id":"%d","time":%d,"messaging":[%s]}]}',
	    $page, $began_ms, join ',', @events;
}

sub signature { return 'sha256=' . hmac_sha256_hex($_[0], $Secret) }

sub headers {
	my ($body) = @_;
	return ('Content-Type' => 'application/json', 'X-Hub-Signature-256' => signature($body));
}

sub request {
	my ($body) = @_;
	my %h = (headers($body), Host => '127.0.0.1', 'User-Agent' => 'facebookexternalua',
	    Accept => '*/*', 'Accept-Encoding' => 'deflate, gzip', 'Content-Length' => length $body);
	return join "\r\n", "POST $Path HTTP/1.1", (map { "$_: $h{$_}" } sort keys %h), '', $body;
}

# A file of n requests from the first on.
sub requests {
	my ($file, $kind, $first, $n) = @_;
	open my $f, '>', $file or die "$file: $!\n";
	my $length = length request(body($kind, $first));
	for my $i ($first .. $first + $n - 1) {
		my $request = request(body($kind, $i));
		die "requests of different lengths\n" if length $request != $length;
		print $f $request;
	}
	close $f or die "$file: $!\n";
	return { file => $file, length => $length, n => $n };
}

# What wrk saw: rate, waits in ms, how often it had to begin the file again, how many requests failed
# and how many connections were closed before they were answered.
sub wrk {
	my ($url, $requests, $n_connections, $seconds) = @_;
	my @wrk = ('/usr/bin/wrk', '-t1', "-c$n_connections", "-d${seconds}s", '--timeout', '20s', '--latency',
	    '-s', dirname(__FILE__) . '/post.lua', $url, '--', @$requests{qw(file length)});
	my ($said, $status) = Children::output(\@wrk);
	my ($line) = $said =~ /^(\{.*\})$/m or die "wrk ended with $status:\n$said";
	my $got = decode_json($line);
	my %ms = map { ($_ => $got->{"${_}_us"} / 1000) } qw(p50 p99 max);
	return { rate => $got->{n} / $got->{us} * 1e6, %ms,
	    map { ($_ => $got->{$_}) } qw(n rounds closed failed) };
}

1;
