#!/usr/bin/perl
# If this fails, Meta was told 200 and the person gets no answer, a wrong one, two, or an answer to
# what nobody said.
# SPDX-License-Identifier: ISC
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Pagehook;
use Test::More;

my $absent = Pagehook->missing(qw(lighttpd openssl sqlite3));
plan skip_all => $absent if $absent;

my $hook = Pagehook->new;
$hook->serve('lighttpd-fcgi');
$hook->graph;

sub texts_to { my ($psid) = @_; return map { $_->{text} // '' } grep { $_->{to} eq $psid } $hook->sent }

# All that came before it in this conversation is settled once this one is answered.
sub last_word {
	my ($psid) = @_;
	$hook->post($hook->delivery($hook->text_event(psid => $psid, text => 'the last word')));
	return $hook->soon(sub { grep { $_ eq 'You said: the last word' } texts_to($psid) }, "  $psid gets the last word");
}

subtest 'each turn of talk gets its reply' => sub {
	my $image = { type => 'image', payload => { url => 'https://cdn.example/1' } };
	my @turns = (
		[ message => { text => 'hello' }, 'You said: hello' ],
		[ message => { text => qq(Gr\x{fc}\x{df}e "\\\x{1f600}\n) }, qq(You said: Gr\x{fc}\x{df}e "\\\x{1f600}\n) ],
		[ message => { text => 'Red', quick_reply => { payload => 'RED' } }, 'You said: Red' ],
		[ message => { attachments => [$image] }, 'I received your attachment.' ],
		[ message => { sticker_id => 777, attachments => [{ type => 'sticker' }] }, 'I received your attachment.' ],
		[ postback => { title => 'Start', payload => 'GET_STARTED' }, 'Welcome. Tell me what you need.' ],
		[ postback => { title => 'Menu', payload => 'MENU {1}' }, 'Postback received: MENU {1}' ],
	);
	for my $n (0 .. $#turns) {
		my ($kind, $said, $reply) = @{$turns[$n]};
		my $psid = 7000 + $n;
		$said->{mid} = Pagehook::new_mid();
		my $got = $hook->post($hook->delivery($hook->event(psid => $psid, $kind => $said)));
		is "$got->{status} $got->{body}", '200 EVENT_RECEIVED', "turn $n is kept";
		$hook->soon(sub { texts_to($psid) }, '  and answered');
		is join('|', texts_to($psid)), $reply, '  with its text, once';
	}
	my @rows = $hook->store("select state, mid from reply");
	is scalar(@rows), @turns, 'one row a reply';
	$hook->soon(sub { !grep { $_->{state} ne 'sent' } $hook->store('select state from reply') }, 'all are settled');
	my %mid = map { ($_->{mid} => 1) } $hook->sent;
	ok !(grep { !$mid{$_->{mid}} } $hook->store('select mid from reply')), 'each by the mid Graph gave';
	ok !(grep { ($_->{metadata} // '') !~ /^ph1:/ } $hook->sent), 'and each bore its token';
};

subtest 'nothing else is ever answered' => sub {
	my $page = { sender => { id => '9001' }, recipient => { id => '7100' } };
	my @events = (
		{ %{$hook->text_event(text => 'an echo')}, %$page },
		$hook->event(psid => 7100, delivery => { mids => ['m_1'], watermark => 1 }),
		$hook->event(psid => 7100, read => { watermark => 1 }),
		$hook->event(psid => 7100, reaction => { mid => 'm_1', action => 'react', reaction => 'love' }),
		$hook->event(psid => 7100, message_edit => { mid => 'm_1', text => 'edited', num_edit => 1 }),
		$hook->event(psid => 7100, new_thing => { text => 'unknown' }),
		$hook->event(psid => 7100, message => { mid => 'm_2', is_deleted => \1 }),
		$hook->event(psid => 7100),
	);
	$events[0]{message}{is_echo} = \1;
	my $overheard = $hook->text_event(psid => 7100, text => 'overheard');
	my $got = $hook->post($hook->envelope({ messaging => \@events, standby => [$overheard],
	    changes => [{ field => 'feed', value => { item => 'comment', message => 'a comment' } }] }));
	is $got->{status}, 200, 'they are kept';
	last_word(7100);
	is join('|', texts_to(7100)), 'You said: the last word', '  and nothing was said to them';
	ok !texts_to(9001), '  nor to the page itself';
};

subtest 'a batch is walked to its end' => sub {
	my ($a, $b, $c, $d) = map { $hook->text_event(psid => 7200 + $_, text => "number $_") } 1 .. 4;
	is $hook->post($hook->envelope({ messaging => [ $a, $b ] }, {}, { messaging => undef },
	    { messaging => [], standby => undef }, { messaging => [ $c, $d ] }))->{status}, 200, 'two entries are kept';
	$hook->soon(sub { texts_to(7200 + $_) }, "  event $_ is answered") for 1 .. 4;
	my @talk = map { $hook->text_event(psid => 7210, text => "$_", ts => 1000 * (time - 10 + $_)) } 1 .. 9;
	$hook->post($hook->delivery(reverse @talk));
	last_word(7210);
	is join(' ', texts_to(7210)), join(' ', map { "You said: $_" } 1 .. 9, 'the last word'),
	    'a conversation is answered in order of event time';
};

subtest 'a bad event does not spoil its neighbours' => sub {
	my ($first, $last) = map { $hook->text_event(psid => $_) } 7301, 7302;
	my @bad = (undef, 5, 'x', \1, [], {}, { message => 7 }, { sender => 3, message => { text => {} } });
	is $hook->post($hook->delivery($first, @bad, $last))->{status}, 200, 'the whole is kept';
	$hook->soon(sub { texts_to($_) }, "  $_ is answered") for 7301, 7302;
	my ($row) = $hook->store(q(select count(*) n from event where kind in ('unknown', 'empty')));
	cmp_ok $row->{n}, '>=', 5, '  and the bad ones can be seen';
};

subtest 'the same POST sixteen times at once' => sub {
	my $event = $hook->text_event(psid => 7400, text => 'once', mid => 'm_once');
	my $body = $hook->delivery($event);
	my @got = $hook->post_at_once(16, $body);
	is join(' ', map { $_->{status} } @got), join(' ', (200) x 16), 'every copy gets 200';
	my $retry = $hook->envelope({ messaging => [ $event ], time => 1 });
	is $hook->post($retry)->{status}, 200, '  and so does a retry in another envelope';
	last_word(7400);
	is_deeply [ $hook->store(q(select count(*) n from event where mid = 'm_once')) ], [ { n => 1 } ], 'one event';
	is join('|', texts_to(7400)), 'You said: once|You said: the last word', 'one reply';
};
done_testing;
