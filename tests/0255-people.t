#!/usr/bin/perl
# If this fails, the bot talks over the person who answers by hand, or two bots talk to each other for
# ever; it calls people by wrong names or keeps them waiting for one; or a Page's people are answered
# with another Page's words, or not at all.
# SPDX-License-Identifier: ISC
use strict;
use warnings;
use utf8;
use FindBin;
use JSON::PP qw(encode_json);
use lib $FindBin::Bin;
use Pagehook;
use Talk;
use Test::More;
use Time::HiRes qw(time);

my $absent = Pagehook->missing(qw(lighttpd openssl sqlite3));
plan skip_all => $absent if $absent;
binmode $_, ':utf8' for Test::More->builder->output, Test::More->builder->failure_output;

my $inbox = '263902037430900';		# the app id of Meta's own
my $echo = '"on": "any", "say": "You said: {text}"';

# A bot of these settings that lives by these entries and is told all it says.
sub bot {
	my ($settings, @entries) = @_;
	my $hook = Pagehook->new(%$settings);
	$hook->configure(PAGEHOOK_REPLIES => replies_are($hook, @entries, $echo));
	$hook->serve('lighttpd-fcgi');
	$hook->graph(GRAPH_ECHO_URL => $hook->{server}->url);
	return $hook;
}

# Names.

my $me = bot({},
    '"on": "text", "is": "who", "say": "You are {user.first_name} {user.last_name}."',
    '"on": "text", "is": "raw", "message": { "text": "<{user.first_name}>", "quick_replies": [
	{ "content_type": "text", "title": "{user.last_name}", "payload": "P_{user.first_name}" } ] }',
    '"on": "text", "is": "run", "exec": ["./args", "--", "{user.first_name}"], "timeout": "60s"',
    '"on": "text", "is": "hush", "say": "Quiet now.", "pause": "1h"',
    '"on": "text", "is": "nap", "say": "A nap.", "pause": "30m"',
    '"on": "text", "is": "human", "say": ["One moment.", "I fetch somebody."], "handover": true',
    '"on": "text", "is": "another bot", "handover": "424242"',
    '"on": "text", "is": "two", "say": ["a", "b"]',
    '"on": "optin", "ref": "BOX*", "typing": true, "say": "Thank you."',
    '"on": "optin", "ref": "NAME", "say": "Thank you, {user.first_name}."');
handler($me, 'args', "#!/bin/sh\nprintf '%s arguments: <%s>' \$# \"\$2\"\n");

sub looks_at { my ($psid) = @_; return grep { $_->{call} eq 'profile' } calls_to($me, $psid) }

subtest 'a name is fetched once' => sub {
	writes($me, 7001, 'who');
	hears($me, 7001, [ 'You are Ann Lee.' ], 'and said');
	writes_at_once($me, 7001, 'who', 'who');
	hears($me, 7001, [ ('You are Ann Lee.') x 3 ], '  again and again');
	is scalar(my @looks = looks_at(7001)), 1, '  Meta was asked once';
	writes_at_once($me, 7002, 'who', 'who');
	hears($me, 7002, [ ('You are Ann Lee.') x 2 ], 'two texts at once');
	is scalar(@looks = looks_at(7002)), 1, '  ask once';
	writes($me, 7003, 'hello');
	hears($me, 7003, [ 'You said: hello' ], 'who needs no name');
	is scalar(@looks = looks_at(7003)), 0, '  is not looked at';
};

subtest 'a name that is not to be had is empty' => sub {
	$me->graph_faults('delay 60000 call=profile to=7010', 'error 100 2018218 call=profile to=7011',
	    'garbage call=profile to=7012', 'answer call=profile to=7013 json={"id":"7013"}',
	    'drop call=profile to=7014', 'answer call=profile to=7015 json={"first_name":["x"]}');
	my @never = 7010 .. 7015;
	writes($me, $_, 'who') for @never;
	writes($me, 7016, 'who');
	hears($me, 7016, [ 'You are Ann Lee.' ], 'others go on');
	# The usual time-out of a call to Graph is 20 s: who comes after half of that did not wait for it.
	hears($me, $_, [ 'You are  .' ], "$_ is answered all the same", 10) for @never;
	writes($me, $_, 'who') for @never;
	hears($me, $_, [ ('You are  .') x 2 ], '  and again') for @never;
	is_deeply [ map { scalar(my @looks = looks_at($_)) } @never ], [ (1) x @never ],
	    'Meta is not asked each time';
};

subtest 'a name is data' => sub {
	my ($first, $last) = ("Zoë \"Q\"\n\\ {text} \x{1f469}\x{200d}\x{1f680}", "\$(id); 'x' `id`");
	my $json = encode_json({ first_name => $first, last_name => $last });
	$me->graph_faults("answer call=profile to=7020 json=$json");
	writes($me, 7020, 'who');
	hears($me, 7020, [ "You are $first $last." ], 'in a text');
	writes($me, 7020, 'raw');
	$me->soon(sub { texts_to($me, 7020) == 2 }, 'in a message object');
	is_deeply [ bodies_to($me, 7020) ]->[1], { text => "<$first>", quick_replies => [
	    { content_type => 'text', title => $last, payload => "P_$first" } ] }, '  inside its strings';
	writes($me, 7020, 'run');
	$me->soon(sub { texts_to($me, 7020) == 3 }, 'in an argument');
	is ((texts_to($me, 7020))[2], "2 arguments: <$first>", '  of which it stays one');
	$me->graph_faults();
};

# The bot is silent.

# What the Page itself said to this person, as Meta tells it.
sub page_says {
	my ($hook, $psid, %message) = @_;
	my $page = $hook->setting('MESSENGER_PAGE_ID');
	keep($hook, { sender => { id => $page }, recipient => { id => "$psid" },
	    timestamp => int(1000 * time), message => { mid => Pagehook::new_mid(), is_echo => \1,
	    text => 'I am here.', %message } });
}

subtest 'a person who answers by hand silences the bot' => sub {
	my @by_hand = ([ 'no app' ], [ 'the inbox', app_id => 0 + $inbox ],
	    [ 'the inbox, as a text', app_id => $inbox ]);
	for my $n (0 .. $#by_hand) {
		my ($who, %app) = @{$by_hand[$n]};
		my $psid = 7100 + $n;
		writes($me, $psid, 'hello');
		hears($me, $psid, [ 'You said: hello' ], "$who: answered at first");
		page_says($me, $psid, %app);
		writes($me, $psid, 'thanks', 'who');
		does($me, $psid, postback => { payload => 'X' });
		is_silent_for($me, $psid, [ 'You said: hello' ], '  then the bot is silent');
	}
	is scalar(my @told = said($me, "^a person answers in the Page's inbox")), 3, 'this is told';
};

subtest 'another app does not, nor do we' => sub {
	page_says($me, 7110, app_id => 4242, text => 'another bot speaks');
	page_says($me, 7110, app_id => '4242', metadata => 'ph1: not ours');
	writes($me, 7110, 'two');
	hears($me, 7110, [ 'a', 'b' ], 'the bot goes on');
	my ($ours) = $me->sent(qr/"to":"7110"/);
	page_says($me, 7110, text => $ours->{text}, map { $_ => $ours->{$_} } qw(mid metadata));
	writes($me, 7110, 'hello');
	hears($me, 7110, [ 'a', 'b', 'You said: hello' ], '  after an echo of ours without an app, too');
};

subtest 'pause' => sub {
	writes($me, 7120, 'hush', 'hello');
	writes_at_once($me, 7121, 'hush', 'hello', 'who');
	is_silent_for($me, $_, [ 'Quiet now.' ], 'says its words and is silent') for 7120, 7121;
	is join(' ', map { $_->{state} } rows_of($me, 7121, 'event')), 'done done done done',
	    '  what came is kept';
	my $hour_ago = 1000 * (time - 3600);
	keep($me, map { $me->text_event(psid => 7122, text => $_->[0], ts => $hour_ago + $_->[1]) }
	    [ 'nap', 0 ], [ 'within', 29 * 60_000 ], [ 'after', 31 * 60_000 ]);
	hears($me, 7122, [ 'A nap.', 'You said: after' ], 'it counts from the event, and ends');
};

# The thread moves.

sub passes { return grep { $_->{call} eq 'pass_thread_control' } calls_to(@_) }

sub passed_to {
	my ($hook, $psid, $app) = @_;
	keep($hook, $hook->event(psid => $psid, pass_thread_control => {
	    previous_owner_app_id => $inbox, new_owner_app_id => $app }));
}

subtest 'handover passes the thread' => sub {
	writes_at_once($me, 7130, 'human', 'hello?');
	$me->soon(sub { passes($me, 7130) }, 'to the inbox');
	is join('|', map { $_->{text} // $_->{call} } calls_to($me, 7130)),
	    'One moment.|I fetch somebody.|pass_thread_control', '  after what is said';
	my ($pass) = passes($me, 7130);
	is "$pass->{body}{target_app_id} $pass->{outcome}", "$inbox sent", '  whole';
	my @said = ('One moment.', 'I fetch somebody.');
	my $standby = $me->text_event(psid => 7130, text => 'said to a person');
	$me->post($me->envelope({ standby => [ $standby ] }));
	writes($me, 7130, 'are you there?');
	is_silent_for($me, 7130, \@said, 'the bot is silent');
	passed_to($me, 7130, 777);
	writes($me, 7130, 'and now?');
	hears($me, 7130, [ @said, 'You said: and now?' ], '  until the thread comes back');
	writes($me, 7131, 'another bot');
	$me->soon(sub { passes($me, 7131) }, 'to an app, without a word');
	is ((passes($me, 7131))[0]{body}{target_app_id}, '424242', '  by its id');
	is_silent_for($me, 7131, [], '  and silent');
};

subtest 'a thread that Graph does not pass' => sub {
	$me->graph_faults('error 100 call=pass_thread_control to=7140',
	    'status 500 call=pass_thread_control to=7141 times=1', 'error 100 to=7142 text=One moment');
	my @said = ('One moment.', 'I fetch somebody.');
	writes($me, $_, 'human') for 7140 .. 7142;
	my $refused = sub { grep { $_->{state} eq 'dead' } rows_of($me, 7140, 'reply') };
	$me->soon($refused, 'is refused');
	writes($me, 7140, 'hello');
	hears($me, 7140, [ @said, 'You said: hello' ], '  and the bot speaks again');
	$me->soon(sub { passes($me, 7141) == 2 }, 'no answer is asked for again');
	$me->soon(sub { passes($me, 7142) }, 'it is passed though what goes before it was refused');
	is_silent_for($me, 7141, \@said, '  and the bot is silent');
	is_silent_for($me, 7142, [], '  and silent here too');
	$me->graph_faults();
};

# Loops.

subtest 'two bots do not talk for ever' => sub {
	my $psid = '70000007150';	# long enough for its end to stand in the log
	my $base = int(1000 * (time - 300));
	my @talk = map { $me->text_event(psid => $psid, text => "talk $_", ts => $base + $_) } 1 .. 25;
	keep($me, @talk[0 .. 9]);
	keep($me, $_) for @talk[10 .. 24];
	my $rows = sub { my ($state) = @_; grep { $_->{state} eq $state } rows_of($me, $psid, 'reply') };
	$me->soon(sub { $rows->('sent') == 20 && $rows->('held') == 5 }, '20 are answered, 5 held');
	is_silent_for($me, $psid, [ map { "You said: talk $_" } 1 .. 20 ], '  the first 20');
	my @alerts = grep { $_->{k} eq 'alert' && $_->{l} eq 'error' } said($me, 'more than 20 automatic');
	cmp_ok scalar(@alerts), '>=', 1, 'somebody is told';
	is scalar(grep { $_->{who} !~ /7150$/ } @alerts), 0, '  about this conversation alone';
	keep($me, $me->text_event(psid => $psid, text => 'later', ts => $base + 61_000));
	hears($me, $psid, [ (map { "You said: talk $_" } 1 .. 20), 'You said: later' ],
	    'it goes on a minute later');
};

subtest 'no echo is ever answered' => sub {
	my $echoes = sub { $me->store("select id from event where kind = 'message.echo'") };
	my $n = grep { $_->{outcome} eq 'sent' } $me->sent;
	$me->soon(sub { $echoes->() >= $n }, "$n and more came");
	my @odd = $me->store('select 1 from reply join event on event.id = reply.event ' .
	    "where event.kind = 'message.echo'");
	is scalar(@odd), 0, 'none has a reply';
	is scalar(my @ours = $me->sent(qr/"to":"9001"/)), 0, 'the Page is not told anything';
};

subtest 'who is known by a user_ref alone' => sub {
	my ($ref, $digits) = ('ref "1"/x', '7001');
	for ($ref, $digits) {
		my $event = $me->event(optin => { ref => 'BOX-1', user_ref => $_ });
		delete $event->{sender};
		keep($me, $event);
	}
	for my $n (0, 1) {
		my $who = ($ref, $digits)[$n];
		my $calls = sub { grep { $_->{user_ref} } $me->asked_graph(qr/"user_ref":true/) };
		my $of = sub { grep { $_->{to} eq $who } $calls->() };
		$me->soon(sub { grep { $_->{text} } $of->() }, "$who is answered by it");
		is join('|', map { $_->{action} // $_->{text} } $of->()), 'typing_on|Thank you.',
		    '  in its order';
	}
	is scalar(grep { !$_->{user_ref} && ($_->{text} // '') =~ /^Thank/ } calls_to($me, $digits)), 0,
	    'a person of the same number is not meant';
	my $event = $me->event(optin => { ref => 'NAME', user_ref => 'nameless' });
	delete $event->{sender};
	keep($me, $event);
	$me->soon(sub { texts_to($me, 'nameless') }, 'has no name');
	is join('|', texts_to($me, 'nameless')), 'Thank you, .', '  which is empty';
	is scalar(grep { $_->{call} eq 'profile' } $me->asked_graph(qr/nameless/)), 0, '  and not asked for';
};
$me->stop;

subtest 'PAGEHOOK_HUMAN_PAUSE=0' => sub {
	my $hook = bot({ PAGEHOOK_HUMAN_PAUSE => 0 });
	page_says($hook, 7200);
	page_says($hook, 7200, app_id => $inbox);
	writes($hook, 7200, 'hello');
	hears($hook, 7200, [ 'You said: hello' ], 'the bot never gives way');
	$hook->stop;
};

subtest 'MESSENGER_APP_ID' => sub {
	my $hook = bot({ MESSENGER_APP_ID => '5001' }, '"on": "text", "is": "human", "handover": true');
	writes($hook, 7210, 'human');
	$hook->soon(sub { passes($hook, 7210) }, 'a thread is passed');
	passed_to($hook, 7210, 777);
	writes($hook, 7210, 'hello');
	is_silent_for($hook, 7210, [], '  and passed on to another app: the bot is silent');
	passed_to($hook, 7210, 5001);
	writes($hook, 7210, 'hello');
	hears($hook, 7210, [ 'You said: hello' ], '  and back to us: it speaks');
	$hook->stop;
};

# Several Pages.

sub pages_are {
	my ($hook, $text) = @_;
	my $file = "$hook->{dir}/pages.json";
	WebServer::spill("$file.new", $text);
	chmod 0600, "$file.new";
	rename "$file.new", $file or die "$file: $!";
	return $file;
}

sub writes_page {
	my ($hook, $page, $psid, $text) = @_;
	my $event = $hook->text_event(psid => $psid, text => $text, recipient => { id => "$page" });
	my $got = $hook->post($hook->envelope({ id => "$page", messaging => [ $event ] }));
	die "a POST was answered $got->{status}\n" if $got->{status} != 200;
}

sub heard_by {
	my ($hook, $psid) = @_;
	return join '|', map { "$_->{page}: $_->{text}" } calls_to($hook, $psid);
}

subtest 'several Pages' => sub {
	my $hook = Pagehook->new;
	replies_are($hook, \'roses.json', '"on": "any", "say": "Roses: {text}"');
	replies_are($hook, \'shared.json', '"on": "text", "page": "9102", "say": "Two: {text}"', $echo);
	WebServer::spill("$hook->{dir}/two.token", "token-two\n");
	chmod 0600, "$hook->{dir}/two.token";
	my $two = '"9101": { "access_token": "token-one", "replies": "replies/roses.json" },
	    "9102": { "access_token_file": "two.token" }';
	my $file = pages_are($hook, "{ $two }");
	$hook->configure(MESSENGER_PAGES => $file, PAGEHOOK_REPLIES => replies_file($hook, 'shared.json'));
	$hook->serve('lighttpd-fcgi');
	$hook->graph(GRAPH_PAGE => '9001,9101,9102,9103',
	    GRAPH_TOKEN => 'a-page-access-token,token-one,token-two,token-three');
	writes_page($hook, @$_, 'hello') for [ 9001, 7301 ], [ 9101, 7302 ], [ 9102, 7303 ], [ 9103, 7304 ];
	hears($hook, 7301, [ 'You said: hello' ], 'that of the settings');
	hears($hook, 7302, [ 'Roses: hello' ], 'one with replies of its own');
	hears($hook, 7303, [ 'Two: hello' ], 'one with a token in a file, and a rule for it');
	is join(' ', map { heard_by($hook, $_) } 7301 .. 7303),
	    '9001: You said: hello 9101: Roses: hello 9102: Two: hello', '  each by its own token';
	$hook->soon(sub { said($hook, '^Page 9103 has no access token') }, 'one without a token is told of');
	is join(' ', map { $_->{state} } rows_of($hook, 7304, 'reply')), 'ready', '  its reply waits';

	my $lives = lives($hook);
	pages_are($hook, "{ $two, \"9103\": { \"access_token\": token-three } }");
	$hook->soon(sub { said($hook, 'pages\.json:2:\d+: ') }, 'a broken edit is told, with its place');
	writes_page($hook, 9101, 7302, 'still there?');
	hears($hook, 7302, [ 'Roses: hello', 'Roses: still there?' ], '  and the last good one stays');
	is lives($hook), $lives, '  in the same helper';

	pages_are($hook, "{ $two, \"9103\": { \"access_token\": \"token-three\" } }");
	my ($n, $after) = (0, 0);
	while ($after < 5 && $n < 1000) {	# before the edit is seen, while helpers change, and after
		writes_page($hook, 9103, 7400 + ++$n, 'hello');
		writes_page($hook, 9101, 9400 + $n, 'hello');
		$hook->wait_for(sub { texts_to($hook, 9400 + $n) }, 'the other Page is answered');
		$after++ if lives($hook) > $lives;
	}
	is $after, 5, 'an added Page is seen';
	hears($hook, 7304, [ 'You said: hello' ], '  and served: what waited,');
	$hook->soon(sub { texts_to($hook, 7400 + $n) }, '  and what is new');
	my %heard = map { $_->{to} => 1 } $hook->sent;
	is join(' ', grep { !$heard{$_} } map { (7400 + $_, 9400 + $_) } 1 .. $n), '', '  nothing is lost';
	writes_page($hook, 9102, 7304, 'elsewhere');
	hears($hook, 7304, [ 'You said: hello', 'Two: elsewhere' ],
	    'the same number on another Page is another person');
	ok !said($hook, 'token-'), 'no token is told';
	$hook->stop;
};
subtest 'who waits for a broken file keeps nobody else waiting' => sub {
	my $hook = Pagehook->new(speed => 20);
	replies_are($hook, \'broken.json', '"on": "any", "sya": "Roses: {text}"');
	handler($hook, 'once', "#!/bin/sh\n[ \$PAGEHOOK_ATTEMPT = 2 ] || exit 75\necho at last\n");
	replies_are($hook, \'good.json', '"on": "text", "is": "go", "exec": ["./once"]',
	    '"on": "any", "say": "You said: {text}"');
	my $file = "$hook->{dir}/pages.json";
	WebServer::spill($file, '{ "9101": { "access_token": "token-one", "replies": "replies/broken.json" } }');
	chmod 0600, $file;
	$hook->configure(MESSENGER_PAGES => $file, PAGEHOOK_REPLIES => replies_file($hook, 'good.json'));
	$hook->serve('lighttpd-fcgi');
	$hook->graph(GRAPH_PAGE => '9001,9101', GRAPH_TOKEN => 'a-page-access-token,token-one');
	my @theirs = map { $hook->text_event(psid => 5000 + $_, recipient => { id => '9101' }) } 1 .. 40;
	is $hook->post($hook->envelope({ id => '9101', messaging => \@theirs }))->{status}, 200, '40 wait';
	writes($hook, 7001, 'go');
	writes($hook, 7001, 'after');
	hears($hook, 7001, ['at last', 'You said: after'], 'another Page\'s person is answered');
	$hook->stop;
};

done_testing;
