#!/usr/bin/perl
# A bot that stays.  In the replies file: { "on": "text", "coproc": ["./bot.pl"] }
#
# pagehook writes one JSON object a line to our standard input, we write one a line to our standard
# output: first a hello each, then an answer for each event.  Described in pagehook-handler(7).
# This one writes to pagehook's log, too: what its owner must know, never what people say.
# SPDX-License-Identifier: ISC
use strict;
use warnings;
use JSON::PP;

my $json = JSON::PP->new->utf8;
my ($greeted, $n) = (0, 0);
$| = 1;			# not flushed, pagehook would wait in vain

sub put {
	my ($line) = @_;
	print {*STDOUT} $json->encode($line), "\n";
}

sub answer {
	my ($event) = @_;
	put({ log => 'warn', msg => "$event->{id} is asked again" }) if ($event->{attempt} // 1) > 1;
	put({ log => 'info', msg => "$n events so far" }) if ++$n % 100 == 0;
	put({ id => $event->{id}, reply => 'You said: ' . ($event->{text} // '') });
}

while (defined(my $line = <STDIN>)) {
	my $message = $json->decode($line);
	if ($message->{hello}) {
		put({ pagehook => 1, hello => { name => 'bot.pl' } }) if !$greeted++;
	} elsif (defined $message->{id}) {	# whatever else may come one day is not for us
		answer($message);
	}
}
# End of file: pagehook wants us to leave.
