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

sub texts_to {
	my ($psid) = @_;
	return map { $_->{text} // '' } grep { $_->{to} eq $psid } $hook->sent;
}

# All that came before it in this conversation is settled once this one is answered.
sub last_word {
	my ($psid) = @_;
	$hook->post($hook->delivery($hook->text_event(psid => $psid, text => 'the last word')));
	my $said = sub { grep { $_ eq 'You said: the last word' } texts_to($psid) };
	return $hook->soon($said, "  $psid gets the last word");
}

subtest 'each turn of talk gets its reply' => sub {
	my $image = { type => 'image', payload => { url => 'https://cdn.example/1' } };
	my $sticker = { type => 'sticker', payload => { sticker_id => 777 } };
	my $odd = qq(Gr\x{fc}\x{df}e "\\\x{1f600}\n{text});
	my @turns = (
		[ 'You said: hello', message => { text => 'hello' } ],
		[ "You said: $odd", message => { text => $odd } ],
		[ 'You said: Red', message => { text => 'Red', quick_reply => { payload => 'R' } } ],
		[ 'I received your attachment.', message => { attachments => [$image] } ],
		[ 'I received your attachment.', message => { attachments => [$sticker] } ],
		[ 'Welcome. Tell me what you need.', postback => { payload => 'GET_STARTED' } ],
		[ 'Postback received: MENU {1}', postback => { payload => 'MENU {1}' } ],
	);
	for my $n (0 .. $#turns) {
		my ($reply, $kind, $said) = @{$turns[$n]};
		my $psid = 7000 + $n;
		$said->{mid} = Pagehook::new_mid();
		my $got = $hook->post($hook->delivery($hook->event(psid => $psid, $kind => $said)));
		is "$got->{status} $got->{body}", '200 EVENT_RECEIVED', "turn $n is kept";
		$hook->soon(sub { texts_to($psid) }, '  and answered');
		is join('|', texts_to($psid)), $reply, '  with its text, once';
	}
	my $rows = sub { $hook->store("select mid from reply where state = 'sent' order by mid") };
	$hook->soon(sub { $rows->() == @turns }, 'all are settled');
	is_deeply [ map { $_->{mid} } $rows->() ], [ sort map { $_->{mid} } $hook->sent ],
	    '  each by the mid Graph gave';
	is scalar(grep { $_->{metadata} =~ /^ph1:./ } $hook->sent), @turns, '  and bore its token';
};

subtest 'nothing else is ever answered' => sub {
	my $page = { sender => { id => '9001' }, recipient => { id => '7100' } };
	my @events = (
		{ %{$hook->text_event(text => 'an echo')}, %$page },
		$hook->event(psid => 7100, delivery => { mids => ['m_1'], watermark => 1 }),
		$hook->event(psid => 7100, read => { watermark => 1 }),
		$hook->event(psid => 7100, reaction => { mid => 'm_1', action => 'react', emoji => '!' }),
		$hook->event(psid => 7100, message_edit => { mid => 'm_1', text => 'x', num_edit => 1 }),
		$hook->event(psid => 7100, new_thing => { text => 'unknown' }),
		$hook->event(psid => 7100, message => { mid => 'm_2', is_deleted => \1 }),
		$hook->event(psid => 7100),
	);
	$events[0]{message}{is_echo} = \1;
	$events[0]{message}{app_id} = 4242;	# another bot's: a person's would silence ours
	my $overheard = $hook->text_event(psid => 7100, text => 'overheard');
	my $comment = { field => 'feed', value => { item => 'comment', message => 'a comment' } };
	my $got = $hook->post($hook->envelope({ messaging => \@events, standby => [$overheard],
	    changes => [$comment] }));
	is $got->{status}, 200, 'they are kept';
	last_word(7100);
	is join('|', texts_to(7100)), 'You said: the last word', '  and nothing was said to them';
	ok !texts_to(9001), '  nor to the page itself';
};

subtest 'a batch is walked to its end' => sub {
	my @said = map { $hook->text_event(psid => 7200 + $_) } 1 .. 4;
	my $got = $hook->post($hook->envelope({ messaging => [ @said[0, 1] ] }, {}, { messaging => undef },
	    { messaging => [], standby => undef }, { messaging => [ @said[2, 3] ] }));
	is $got->{status}, 200, 'several entries are kept';
	$hook->soon(sub { texts_to(7200 + $_) }, "  event $_ is answered") for 1 .. 4;
	my $ago = 1000 * (time - 10);
	my @talk = map { $hook->text_event(psid => 7210, text => "$_", ts => $ago + $_) } 1 .. 9;
	$hook->post($hook->delivery(reverse @talk));
	last_word(7210);
	is join(' ', texts_to(7210)), join(' ', map { "You said: $_" } 1 .. 9, 'the last word'),
	    'a conversation is answered in order of event time';
};

subtest 'a bad event does not spoil its neighbours' => sub {
	my ($first, $last) = map { $hook->text_event(psid => $_) } 7301, 7302;
	my @bad = (undef, 5, 'x', \1, [], {}, { message => 7 }, { sender => 3, message => {} });
	is $hook->post($hook->delivery($first, @bad, $last))->{status}, 200, 'the whole is kept';
	$hook->soon(sub { texts_to($_) }, "  $_ is answered") for 7301, 7302;
	my @seen = $hook->store("select id from event where kind in ('unknown', 'empty')");
	cmp_ok scalar(@seen), '>=', 5, '  and the bad ones can be seen';
};

subtest 'the same POST sixteen times at once' => sub {
	my $event = $hook->text_event(psid => 7400, text => 'once', mid => 'm_once');
	my $body = $hook->delivery($event);
	my @got = $hook->post_at_once(16, $body);
	is join(' ', map { $_->{status} } @got), join(' ', (200) x 16), 'every copy gets 200';
	my $retry = $hook->envelope({ messaging => [ $event ], time => 1 });
	is $hook->post($retry)->{status}, 200, '  and so does a retry in another envelope';
	last_word(7400);
	is scalar(my @rows = $hook->store("select id from event where mid = 'm_once'")), 1, 'one event';
	is join('|', texts_to(7400)), 'You said: once|You said: the last word', 'one reply';
};
done_testing;
