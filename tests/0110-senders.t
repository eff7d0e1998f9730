#!/usr/bin/perl
# If this fails, one web server's worker that stops in the middle of a request holds up everybody
# else's until Meta gives up, or a request gets the answer of its neighbour: an event is lost, or
# one that was refused is believed.
# SPDX-License-Identifier: ISC
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use IO::Socket::UNIX;
use Pagehook;
use Test::More;

my ($begin, $end, $params, $stdin, $stdout) = (1, 3, 4, 5, 6);
my $good = '{"object":"page","entry":[]}';
my $max = 200_000;

my $hook = Pagehook->new(PAGEHOOK_THREADS => 1, PAGEHOOK_MAX_BODY => $max);
my $socket = "$hook->{dir}/front.sock";

# FastCGI, as a web server speaks it.
sub record {
	my ($type, $content, $padding) = ($_[0], $_[1] // '', $_[2] // 0);
	return pack('CCnnCx', 1, $type, 1, length $content, $padding) . $content . 'x' x $padding;
}

sub parameter {
	my @lengths = map { my $n = length; $n > 127 ? pack 'N', $n | 1 << 31 : chr $n } @_;
	return join '', @lengths, @_;
}

sub head {
	my (%variables) = (REQUEST_METHOD => 'POST', SCRIPT_NAME => '/hook', @_);
	my $parameters = join '', map { parameter($_, $variables{$_}) } sort keys %variables;
	return record($begin, pack 'nCx5', 1, 0) . record($params, $parameters) . record($params);
}

sub signed_head {
	my ($body, @more) = @_;
	return head(CONTENT_LENGTH => length $body, HTTP_X_HUB_SIGNATURE_256 => $hook->sign($body), @more);
}

sub delivery { my ($body, @more) = @_; return signed_head($body, @more) . record($stdin, $body) . record($stdin) }

sub connect_front {
	return IO::Socket::UNIX->new(Peer => $socket) // die "no front: $!";
}

sub say_to {
	my ($socket, @bytes) = @_;
	for my $bytes (@bytes) {
		local $SIG{PIPE} = 'IGNORE';
		while (length $bytes) {
			my $n = syswrite $socket, $bytes or return;
			substr $bytes, 0, $n, '';
		}
	}
	return $socket;
}

# What a connection is told: the status and the body, once the request is ended as it should be.
sub answer {
	my ($socket) = @_;
	my $bytes = Children::within(60, sub { local $/; <$socket> }) // '';
	my ($text, @types) = ('');
	while (length $bytes >= 8) {
		my ($version, $type, $id, $length, $padding) = unpack 'CCnnC', $bytes;
		my $content = substr $bytes, 8, $length;
		$bytes = length $bytes < 8 + $length + $padding ? '' : substr $bytes, 8 + $length + $padding;
		push @types, $type;
		$text .= $content if $type == $stdout;
	}
	return 'nothing' if !@types;
	return 'no end' if $types[-1] != $end || grep({ $_ == $end } @types) != 1;
	return $text =~ /^Status: (\d{3}).*?\r\n\r\n(.*)\z/s ? join ' ', $1, $2 || () : "what? $text";
}

sub ask { return answer(say_to(connect_front(), @_)) }

# What is said while the front sleeps is there at once when it wakes.
sub while_it_sleeps {
	my ($talk) = @_;
	my $front = $hook->{server}{front_pid};
	kill 'STOP', $front or die "no front sleeps\n";
	my @sockets = $talk->();
	kill 'CONT', $front;
	return @sockets;
}

$hook->serve('bare-cgi');
$hook->{server}->front_on($socket);
my $yes = '200 EVENT_RECEIVED';
is ask(delivery($good)), $yes, 'an event is taken';

subtest 'a request in any pieces' => sub {
	is ask(delivery($good, HTTP_COOKIE => 'x' x 5000)), $yes, 'a variable of 5000 bytes';
	is ask(delivery($good, map { ("HTTP_X_$_" => $_) } 1 .. 200)), $yes, '200 variables';
	is ask(signed_head($good) . join '', map { record($stdin, $_, 7) } split(//, $good), ''), $yes,
	    'a record for each byte, all of them padded';
	is ask(split //, delivery($good)), $yes, 'a write for each byte';
	my $long = $good . ' ' x ($max - length $good);
	is ask(signed_head($long), map { record($stdin, $_) } unpack('(a60000)*', $long), ''), $yes,
	    'a body of several records';
	is ask(signed_head($good) . record($stdin, "$good and more") . record($stdin)), $yes,
	    'what comes behind the announced length is not looked at';
	is ask(signed_head($good, REQUEST_METHOD => 'GET') . record($stdin, $good) . record($stdin)), 404,
	    'a body that nobody wants';
};

subtest 'each gets its own answer' => sub {
	my %due = (
		delivery($good) => $yes,
		delivery('{"object":"user","entry":[]}') => 404,
		delivery('not JSON') => 400,
		delivery($good, HTTP_X_HUB_SIGNATURE_256 => 'sha256=' . '0' x 64) => 401,
		delivery($good, REQUEST_METHOD => 'PUT') => 405,
		delivery($good, REQUEST_METHOD => 'HEAD') => 404,
		head(REQUEST_METHOD => 'GET', QUERY_STRING => 'hub.mode=subscribe&hub.challenge=7&' .
		    'hub.verify_token=a-verify-token') . record($stdin) => '200 7',
	);
	my @said = map { sort keys %due } 1 .. 20;	# more than a batch holds
	my @sockets = while_it_sleeps(sub { map { say_to(connect_front(), $_) } @said });
	is_deeply [ map { answer($_) } @sockets ], [ @due{@said} ], scalar(@said) . ' requests at once';
};

subtest 'who stops in the middle' => sub {
	my $whole = delivery($good);
	for my $cut (1, 20, length(signed_head($good)) + 10, length($whole) - 1) {
		my ($before, $slow, $after) = while_it_sleeps(sub {
			map { say_to(connect_front(), $_) } $whole, substr($whole, 0, $cut), $whole;
		});
		is answer($before), $yes, "the one before does not wait for who stopped at byte $cut";
		say_to($slow, substr $whole, $cut);
		is answer($slow), $yes, '  who goes on and is answered';
		is answer($after), $yes, '  like the one behind';
		my ($gone, $next) = while_it_sleeps(sub {
			close say_to(connect_front(), substr $whole, 0, $cut);
			return undef, say_to(connect_front(), $whole);
		});
		is answer($next), $yes, '  who hangs up there is forgotten';
	}
	is ask("GET / HTTP/1.1\r\n\r\n"), 'nothing', 'what is not FastCGI is not answered';
	is ask($whole), $yes, '  and harms nobody';
};

sub resident_kib {
	open my $f, '<', "/proc/$hook->{server}{front_pid}/status" or die "no front: $!\n";
	return (map { /^VmRSS:\s*(\d+)/ } <$f>)[0];
}

# How many wait before a long one decides where it is read to: each place gets one.
subtest 'a long body is not kept in memory' => sub {
	plan skip_all => 'the sanitizers keep what is given back' if Pagehook->program('') =~ m{/asan/};
	my $forged = 'x' x $max;
	my $head = head(CONTENT_LENGTH => $max, HTTP_X_HUB_SIGNATURE_256 => 'sha256=' . '0' x 64);
	my $before = resident_kib();
	my @said;
	for my $n (1 .. 20) {
		my ($long, @usual) = reverse while_it_sleeps(sub {
			map { say_to(connect_front(), $_) } (delivery($good)) x $n, $head;
		});
		push @said, map { answer($_) } @usual;
		say_to($long, map { record($stdin, $_) } unpack('(a60000)*', $forged), '');
		push @said, answer($long);
	}
	is_deeply [ grep { $_ ne $yes } @said ], [ (401) x 20 ], 'twenty of them come between others';
	cmp_ok resident_kib() - $before, '<', 5 * $max / 1024, '  and their memory is given back';
};

subtest 'who says nothing more' => sub {
	is ask(signed_head("$good ") . record($stdin, $good)), 400, 'is answered: half of a body is malformed';
	is answer(connect_front()), 'nothing', '  or, who said nothing at all, left alone';
	is ask(delivery($good)), $yes, '  and the next one is served';
};
$hook->stop;

# The lowest descriptor that a process has not open: with that as its limit it opens none.
sub free_descriptor {
	my ($pid) = @_;
	my %taken = map { m{(\d+)$} ? ($1 => 1) : () } glob "/proc/$pid/fd/*";
	return (grep { !$taken{$_} } 0 .. 1000)[0];
}

subtest 'a front that can open nothing any more makes room for another' => sub {
	my $starved = Pagehook->new(PAGEHOOK_THREADS => 2);
	$starved->serve('bare-cgi');
	$starved->{server}->front_on("$starved->{dir}/front.sock");
	my $front = $starved->{server}{front_pid};
	$starved->wait_for(sub { 2 == grep { (readlink // '') =~ /eventpoll/ } glob "/proc/$front/fd/*" },
	    'both of its threads wait');
	Children::output([ 'prlimit', "--pid=$front", '--nofile=' . free_descriptor($front) . ':' ]);
	my $waits = IO::Socket::UNIX->new(Peer => "$starved->{dir}/front.sock") // die "no front: $!";
	$starved->soon(sub { !Children::lives($front) }, 'it ends, with all of its threads');
	$starved->stop;
};
done_testing;
