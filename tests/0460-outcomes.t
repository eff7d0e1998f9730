#!/usr/bin/perl
# If this fails, what Graph says of one reply is taken for something else: a dead token costs
# a day's replies, one person who blocked the Page stops all others, an answer comes hours too late,
# or a person reads twice what Graph had taken without saying so.
# SPDX-License-Identifier: ISC
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Pagehook;
use Talk;
use Test::More;
use Time::HiRes qw(time);

my $absent = Pagehook->missing(qw(lighttpd openssl sqlite3));
plan skip_all => $absent if $absent;

my $speed = 50;
my $pause_ms = 60_000 / $speed;		# a limit, and the first pause of a Page
my @pages = 9101 .. 9107;

# Pages.

sub pages_are {
	my ($hook, %token) = @_;
	my $file = "$hook->{dir}/pages.json";
	my @entries = map { qq("$_": { "access_token": ") . ($token{$_} // "token-$_") . '" }' } @pages;
	WebServer::spill("$file.new", '{ ' . join(",\n", @entries) . " }\n");
	chmod 0600, "$file.new";
	rename "$file.new", $file or die "$file: $!";
	return $file;
}

sub writes_page {
	my ($hook, $page, $psid, $text, %o) = @_;
	my $event = $hook->text_event(psid => $psid, text => $text, recipient => { id => "$page" }, %o);
	my $got = $hook->post($hook->envelope({ id => "$page", messaging => [ $event ] }));
	die "a POST was answered $got->{status}\n" if $got->{status} != 200;
}

# A bot on one Page, and on all these if they are asked for; told by echoes what it said, or not.
sub bot {
	my ($many, $echoes, %settings) = @_;
	my $hook = Pagehook->new(speed => $speed, %settings);
	$hook->configure(PAGEHOOK_REPLIES => replies_are($hook, '"on": "any", "say": "{text}!"'));
	$hook->configure(MESSENGER_PAGES => pages_are($hook)) if $many;
	$hook->serve('lighttpd-fcgi');
	my @tokens = ('a-page-access-token', (map { "token-$_" } @pages), 'a-new-token');
	$hook->graph($many ? (GRAPH_PAGE => join(',', 9001, @pages, 9103),
	    GRAPH_TOKEN => join(',', @tokens)) : (),
	    $echoes ? (GRAPH_ECHO_URL => $hook->{server}->url) : ());
	return $hook;
}

# Faults, added and taken away one by one.

sub suffers {
	my ($hook, @lines) = @_;
	push @{$hook->{lines}}, @lines;
	$hook->graph_faults(@{$hook->{lines}});
}

sub recovers {
	my ($hook, @psids) = @_;
	my $theirs = join '|', @psids;
	$hook->graph_faults(@{$hook->{lines}} = grep { !/to=(?:$theirs)\b/ } @{$hook->{lines}});
}

# Looking.

sub posts_to {
	my ($hook, @psids) = @_;
	my $to = join '|', @psids;
	return $hook->sent(qr/"to":"(?:$to)"/);
}

sub outcomes { return join ' ', map { $_->{outcome} } posts_to(@_) }
sub replies_to { my ($hook, $psid) = @_; return rows_of($hook, $psid, 'reply') }
sub states { return join ' ', map { $_->{state} } replies_to(@_) }
sub why { return join '|', map { $_->{why} // '' } replies_to(@_) }

# A test: their replies are in these states, soon.
sub become {
	my ($hook, $psid, $states) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	return $hook->soon(sub { states($hook, $psid) eq $states }, "  $states");
}

sub alerts {
	my ($hook, $page) = @_;
	return grep { !defined $page || ($_->{page} // '') eq $page } $hook->log(qr/"k":"alert"/);
}

sub resumed {
	my ($hook, $page) = @_;
	return grep { ($_->{page} // '') eq $page } said($hook, "takes this Page's replies again");
}

# Milliseconds between a POST and the next: what the helper waited is never less.
sub gaps { my @at = map { $_->{at} } @_; return map { $at[$_] - $at[$_ - 1] } 1 .. $#at }

# Every try is one POST, and every POST is one try.
sub counts_agree {
	my ($hook) = @_;
	my (%posts, %tries);
	$posts{$_->{to}}++ for $hook->sent;
	$tries{$_->{person}} = $_->{n} for $hook->store("select person, sum(attempt) as n from reply
	    join conv on conv.id = reply.conv group by person having n > 0");
	return is_deeply \%posts, \%tries, 'Graph saw as many POSTs as the store counts tries';
}

my $hook = bot('many', 'with echoes');

# This one takes longest, and the others need not wait for it.
suffers($hook, 'error 2 to=7161');
writes_page($hook, 9107, 7161, $_) for qw(one two);

subtest 'a limit: its Page waits, and goes on by itself' => sub {
	suffers($hook, 'error 613 times=1 to=7111');
	writes_page($hook, 9101, 7111, 'one');
	$hook->soon(sub { said($hook, 'slower for a while') }, 'it is told');
	writes_page($hook, 9101, 7112, 'two');
	writes($hook, 7113, 'elsewhere');
	hears($hook, 7113, [ 'elsewhere!' ], '  another Page goes on');
	is outcomes($hook, 7111, 7112), 'error 613', '  meanwhile nobody of this Page got anything';
	hears($hook, 7111, [ 'one!' ], '  then who was refused is answered');
	hears($hook, 7112, [ 'two!' ], '  and who came later');
	my ($gap) = gaps(posts_to($hook, 7111, 7112));
	cmp_ok $gap, '>=', $pause_ms - 1, '  not before the limit is over';
	is scalar(alerts($hook, 9101)), 0, '  and nobody is woken';
};

subtest 'a dead token: its Page pauses and loses nothing' => sub {
	suffers($hook, map { "error 190 460 to=$_" } 7121 .. 7123);
	writes_page($hook, 9102, 7121, 'one');
	$hook->soon(sub { alerts($hook, 9102) }, 'an alert is given');
	writes_page($hook, 9102, $_, 'two') for 7122, 7123;
	writes($hook, 7124, 'elsewhere');
	hears($hook, 7124, [ 'elsewhere!' ], '  another Page goes on');
	$hook->soon(sub { posts_to($hook, 7121 .. 7123) == 2 }, '  one reply looks whether it is over');
	$hook->soon(sub { join(' ', map { states($hook, $_) } 7121 .. 7123) eq 'ready ready ready' },
	    '  all wait');
	recovers($hook, 7121 .. 7123);
	hears($hook, 7121, [ 'one!' ], '  taken again, the first is answered');
	hears($hook, $_, [ 'two!' ], "  and $_") for 7122, 7123;
	my @gaps = gaps((posts_to($hook, 7121 .. 7123))[0 .. 2]);
	cmp_ok $gaps[0], '>=', $pause_ms - 1, '  one at a time was tried';
	cmp_ok $gaps[1], '>=', 2 * $pause_ms - 1, '  and ever more rarely';
	is scalar(alerts($hook, 9102)), 1, '  after that one alert';
	$hook->soon(sub { resumed($hook, 9102) }, '  and the end of it is told');
};

subtest 'a person who cannot be reached costs nobody else' => sub {
	suffers($hook, 'error 551 1545041 times=1 to=7141');
	writes_at_once($hook, 7141, 'one', 'two', 'three');
	become($hook, 7141, 'dead dead dead');
	is outcomes($hook, 7141), 'error 551', '  after a single POST';
	like why($hook, 7141), qr/(?:\|this person cannot be reached){2}$/, '  and says why';
	writes($hook, 7141, 'four');
	hears($hook, 7141, [ 'four!' ], 'who writes again is answered');
};

for (
	[ 7151, 'their next words', sub { writes($hook, 7151, 'two') }, [ 'one!', 'two!' ] ],
	[ 7152, 'the thread that comes back', sub { keep($hook, $hook->event(psid => 7152,
	    pass_thread_control => { previous_owner_app_id => '424242', new_owner_app_id => '5001' })) },
	    [ 'one!' ] ],
) {
	my ($psid, $name, $does, $wanted) = @$_;
	subtest "another app has the thread: the reply waits for $name" => sub {
		suffers($hook, "error 10 2018300 times=1 to=$psid");
		writes($hook, $psid, 'one');
		$hook->soon(sub { grep { ($_->{code} // 0) == 10 } $hook->log(qr/2018300/) }, 'it is refused');
		become($hook, $psid, 'ready');
		is_silent_for($hook, $psid, [], '  others go on, and it waits');
		$does->();
		hears($hook, $psid, $wanted, 'then it goes out');
		is scalar(posts_to($hook, $psid)), 1 + @$wanted, '  with no try between';
	};
}

subtest 'a code that nobody knows: refused' => sub {
	suffers($hook, 'error 4711 12 times=1 to=7171', 'error 4712 transient to=7172');
	writes($hook, $_, 'one') for 7171, 7172;
	become($hook, 7171, 'dead');
	writes($hook, 7171, 'two');
	hears($hook, 7171, [ 'two!' ], '  and what comes later goes out');
	is outcomes($hook, 7171), 'error 4711 sent', '  it was not tried again';
	my ($row) = $hook->store('select code, subcode, trace from reply where code = 4711');
	is "$row->{code} $row->{subcode}", '4711 12', '  the store has its numbers';
	like $row->{trace}, qr/^A\w+$/, "  and Meta's name for it";
	become($hook, 7172, 'dead');
	is outcomes($hook, 7172), join(' ', ('error 4712') x 3), 'said to be transient: two more tries';
};

subtest 'invalid five times in a row: it is the Page' => sub {
	suffers($hook, map { "error 100 to=$_" } 7181 .. 7185);
	for my $psid (7181 .. 7185) {
		is scalar(alerts($hook, 9104)), 0, "none is told before $psid";
		writes_page($hook, 9104, $psid, 'one');
		become($hook, $psid, 'dead');
	}
	$hook->soon(sub { alerts($hook, 9104) == 1 }, 'an alert is given');
	suffers($hook, 'error 551 times=1 to=7186');
	writes_page($hook, 9104, 7186, 'two');
	become($hook, 7186, 'dead');
	cmp_ok((gaps(posts_to($hook, 7185, 7186)))[-1], '>=', $pause_ms - 1, '  once the pause is over');
	$hook->soon(sub { resumed($hook, 9104) }, '  it works, whatever is said of that one');
	writes_page($hook, 9104, 7187, 'three');
	hears($hook, 7187, [ 'three!' ], '  and the Page goes on');
	is scalar(alerts($hook, 9104)), 1, '  after that one alert';
	for my $psid (7181 .. 7185) {
		writes_page($hook, 9104, $psid, 'again');
		become($hook, $psid, 'dead dead');
	}
	suffers($hook, 'error 100 times=2 to=7188');
	writes_page($hook, 9104, 7188, 'four');
	hears($hook, 7188, [ 'four!' ], 'who only asks whether it is over loses nothing');
	is outcomes($hook, 7188), 'error 100 error 100 sent', '  though refused like the others';
};

subtest 'too old while its Page is paused: never sent' => sub {
	suffers($hook, 'error 190 to=7191');
	my $age_ms = 6 * 3600 * 1000;
	writes_page($hook, 9105, 7191, 'one', ts => 1000 * time - $age_ms + 2500);
	$hook->soon(sub { alerts($hook, 9105) }, 'the Page pauses');
	become($hook, 7191, 'dead');
	like why($hook, 7191), qr/^too old: .*PAGEHOOK_MAX_REPLY_AGE/, '  and says why';
	recovers($hook, 7191);
	writes_page($hook, 9105, 7191, 'two');
	hears($hook, 7191, [ 'two!' ], '  what is new goes out');
};

subtest 'too old while another app has the thread: never sent' => sub {
	suffers($hook, 'error 10 2018300 times=1 to=7192');
	my $age_ms = 6 * 3600 * 1000;
	keep($hook, $hook->text_event(psid => 7192, text => 'one', ts => 1000 * time - $age_ms + 2500));
	become($hook, 7192, 'dead');
	like why($hook, 7192), qr/^too old: /, '  and says why';
	is outcomes($hook, 7192), 'error 10', '  tried once';
};

subtest 'words of no Graph: a proxy, and one that asks to wait' => sub {
	suffers($hook, 'status 403 times=4 to=7195', 'status 429 times=1 to=7196',
	    'status 429 times=1 header=Retry-After:120 to=7198');
	writes_page($hook, 9106, 7195, 'one');
	$hook->soon(sub { alerts($hook, 9106) }, 'a proxy that refuses: the Page pauses');
	is outcomes($hook, 7195), join(' ', ('status 403') x 4), '  after three more tries';
	hears($hook, 7195, [ 'one!' ], '  and goes on when it lets us through');
	writes_page($hook, 9101, 7196, 'one');
	hears($hook, 7196, [ 'one!' ], 'asked to wait, it waits');
	cmp_ok((gaps(posts_to($hook, 7196)))[0], '>=', $pause_ms - 1, '  as long as for a limit');
	writes_page($hook, 9101, 7198, 'one');
	hears($hook, 7198, [ 'one!' ], 'asked to wait for so long');
	cmp_ok((gaps(posts_to($hook, 7198)))[0], '>=', 2 * $pause_ms - 1, '  it does');
};

subtest 'what headers say: how long to wait, how near a limit is' => sub {
	my $told = bot(0, 0);
	$told->graph_faults('status 429 times=1 header=Retry-After:120 to=7601',
	    'delay 0 times=1 header=X-Business-Use-Case-Usage:{"9001":[{"call_count":95}]} to=7602',
	    'delay 0 times=1 header=X-Page-Usage:{"call_count":3,"total_time":100} to=7603');
	writes($told, 7601, 'one');
	hears($told, 7601, [ 'one!' ], 'asked to wait two minutes, it goes on');
	cmp_ok((gaps(posts_to($told, 7601)))[0], '>=', 2 * $pause_ms - 1, '  after those, not after one');
	my $n = () = said($told, 'slower for a while');
	writes($told, 7602, 'one');
	hears($told, 7602, [ 'one!' ], 'near a limit');
	$told->soon(sub { said($told, 'slower for a while') > $n }, '  it goes slower');
	writes($told, 7603, 'one');
	hears($told, 7603, [ 'one!' ], 'at the limit');
	writes($told, 7604, 'one');
	hears($told, 7604, [ 'one!' ], '  the next waits');
	cmp_ok((gaps(posts_to($told, 7603, 7604)))[0], '>=', $pause_ms - 1, '  until it is over');
	$told->stop;
};

subtest 'films: ten at once, then ten a second' => sub {
	my $cinema = Pagehook->new;
	$cinema->configure(PAGEHOOK_REPLIES => replies_are($cinema,
	    '"on": "any", "video": "https://cdn.example/film.mp4"'));
	$cinema->serve('lighttpd-fcgi');
	$cinema->graph;
	keep($cinema, map { $cinema->text_event(psid => $_, text => 'a film') } 7701 .. 7714);
	$cinema->soon(sub { $cinema->sent >= 14 }, 'all get one');
	my @at = sort { $a <=> $b } map { $_->{at} } $cinema->sent;
	cmp_ok $at[13] - $at[0], '>=', 300, '  the last not with the first';
	$cinema->soon(sub { !grep { $_->{state} ne 'sent' } $cinema->store('select state from reply') }, '  and are settled');
	counts_agree($cinema);
	$cinema->stop;
};

subtest 'an error for what went out all the same' => sub {
	suffers($hook, 'error 1 1357046 taken times=1 to=7197');
	writes($hook, 7197, 'one');
	my $mid = "select mid from reply join conv on conv.id = reply.conv where person = '7197'";
	$hook->soon(sub { grep { defined $_->{mid} } $hook->store($mid) }, 'the echo brings its name');
	become($hook, 7197, 'sent');
	is scalar(posts_to($hook, 7197)), 1, '  and nothing is sent again';
};

# Unsure.

# Its time is over, and what became of it is not decided.
sub is_waited_for {
	my ($hook, $psid) = @_;
	return $hook->store("select reply.id from reply join conv on conv.id = reply.conv
	    where person = '$psid' and state = 'unsure' and reply.due > first_due");
}

sub sends_echoes {
	my ($hook, $page) = @_;
	return $hook->store("select name from meta where name = 'echoes:$page'");
}

# Meta's echo of a POST that Graph had.
sub echo_of {
	my ($hook, $post, $mid) = @_;
	keep($hook, $hook->event(sender => { id => $post->{page} }, recipient => { id => $post->{to} },
	    message => { mid => $mid, is_echo => JSON::PP::true, metadata => $post->{metadata},
	    text => $post->{text} }));
}

subtest 'taken and not answered: the echo settles it' => sub {
	suffers($hook, 'accepted-hang 3000 times=1 to=7201', 'drop taken times=1 to=7202',
	    'garbage taken times=1 to=7203', 'truncated taken times=1 to=7204');
	my @psids = 7201 .. 7204;
	writes($hook, $_, 'one') for @psids;
	become($hook, $_, 'sent') for @psids;
	$hook->soon(sub { said($hook, 'settled before|settled by') >= 4 }, 'the log says by what');
	writes($hook, $_, 'two') for @psids;
	hears($hook, $_, [ 'one!', 'two!' ], "$_ heard it once") for @psids;
	my @held = $hook->store("select id from reply where state = 'held'");
	is scalar(@held), 0, '  nothing is held';
};

subtest 'never taken: sent once more when the echo of a later one has come' => sub {
	suffers($hook, 'drop times=1 to=7212');
	writes_page($hook, 9106, 7211, 'one');
	hears($hook, 7211, [ 'one!' ], 'a Page that sends echoes');
	$hook->soon(sub { sends_echoes($hook, 9106) }, '  as is known');
	writes_page($hook, 9106, 7212, 'one');
	$hook->soon(sub { is_waited_for($hook, 7212) }, 'no later echo is here: it is waited for');
	is scalar(posts_to($hook, 7212)), 1, '  it is not sent again';
	writes_page($hook, 9106, 7211, 'two');
	hears($hook, 7212, [ 'one!' ], 'now it is');
	become($hook, 7212, 'sent');
	my @posts = posts_to($hook, 7212);
	is join(' ', map { $_->{outcome} } @posts), 'drop sent', '  once';
	is $posts[0]{metadata}, $posts[1]{metadata}, '  under the same token';
	ok scalar(said($hook, 'may arrive twice')), '  and the log says that it may arrive twice';
};

subtest 'a Page that sends no echoes: held' => sub {
	my $deaf = bot(0, 0);
	$deaf->graph_faults('drop taken times=1 to=7301');
	writes($deaf, 7301, 'one');
	become($deaf, 7301, 'held');
	my ($alert) = alerts($deaf);
	like $alert->{what}, qr/message_echoes/, '  with an alert that says what would help';
	like why($deaf, 7301), qr/message_echoes/, '  and so says the store';
	writes($deaf, 7301, 'two');
	hears($deaf, 7301, [ 'one!', 'two!' ], 'what comes later goes out');
	my ($post) = posts_to($deaf, 7301);
	echo_of($deaf, $post, 'm_late');
	become($deaf, 7301, 'sent sent');
	is_deeply [ $deaf->store("select mid from reply where mid = 'm_late'") ], [ { mid => 'm_late' } ],
	    '  by an echo that comes late';
	counts_agree($deaf);
	$deaf->stop;
};

subtest 'the echo of an earlier one proves nothing' => sub {
	my $slow = bot(0, 0);
	writes($slow, 7310, 'one');
	hears($slow, 7310, [ 'one!' ], 'a Page');
	echo_of($slow, (posts_to($slow, 7310))[0], 'm_7310');
	$slow->soon(sub { sends_echoes($slow, 9001) }, '  that sends echoes');
	$slow->graph_faults('drop taken times=1 to=7311', 'drop taken times=1 to=7312');
	for (7311, 7312) {
		writes($slow, $_, 'one');
		become($slow, $_, 'unsure');
	}
	echo_of($slow, (posts_to($slow, 7311))[0], 'm_7311');
	become($slow, 7311, 'sent');
	$slow->soon(sub { is_waited_for($slow, 7312) }, 'the later one is waited for');
	echo_of($slow, (posts_to($slow, 7312))[0], 'm_7312');
	become($slow, 7312, 'sent');
	is scalar(posts_to($slow, 7312)), 1, '  and its echo came after all';
	counts_agree($slow);
	$slow->stop;
};

subtest 'a body lay in the spool: an echo may have, so an older one proves nothing' => sub {
	my $slow = bot(0, 0);
	writes($slow, 7320, 'one');
	hears($slow, 7320, [ 'one!' ], 'a Page');
	echo_of($slow, (posts_to($slow, 7320))[0], 'm_7320');
	$slow->soon(sub { sends_echoes($slow, 9001) }, '  that sends echoes');
	$slow->graph_faults('drop times=1 to=7321');
	writes($slow, 7321, 'one');
	become($slow, 7321, 'unsure');
	writes($slow, 7322, 'one');
	hears($slow, 7322, [ 'one!' ], 'a later one is sent');
	my ($at, $body) = (int(1000 * time), $slow->delivery());
	WebServer::spill("$slow->{state}/spool/$at-1-1-1",
	    "pagehook-spool 1 $at " . length($body) . "\n$body");
	$slow->soon(sub { !grep { !/\/\.+$/ } glob "$slow->{state}/spool/*" }, '  a body lay in the spool');
	echo_of($slow, (posts_to($slow, 7322))[0], 'm_7322');
	my $due = 'select max(due) as due from reply where state = \'unsure\'';
	my ($then) = $slow->store($due);
	$slow->soon(sub { (($slow->store($due))[0]{due} // 0) > $then->{due} }, '  its echo is here');
	is states($slow, 7321), 'unsure', '  and says nothing';
	writes($slow, 7322, 'two');
	hears($slow, 7322, [ 'one!', 'two!' ], 'the next is sent');
	echo_of($slow, (posts_to($slow, 7322))[1], 'm_7322_2');
	hears($slow, 7321, [ 'one!' ], '  and its echo says that the first did not arrive');
	$slow->stop;
};

subtest 'a token like ours that no reply bears: somebody else answers this Page' => sub {
	my $here = bot(0, 0);
	writes($here, 7501, 'one');
	hears($here, 7501, [ 'one!' ], 'a Page');
	my ($post) = posts_to($here, 7501);
	echo_of($here, $post, 'm_ours');
	echo_of($here, { %$post, metadata => 'not ours at all' }, 'm_app');
	is_silent_for($here, 7501, [ 'one!' ], 'our echo, and another program\'s');
	is scalar(alerts($here)), 0, '  are nothing to tell';
	my $token = 'ph1:' . substr($post->{metadata}, 4) =~ tr/0-9a-f/1-9a-f0/r;
	echo_of($here, { %$post, metadata => $token }, "m_other_$_") for 1, 2;
	$here->soon(sub { alerts($here, 9001) }, 'a token that no reply bears is');
	is_silent_for($here, 7501, [ 'one!' ], '  once, however many come');
	is join('|', map { $_->{what} =~ /another installation/ ? 'so' : 'not' } alerts($here)), 'so', '  and says what it means';
	$here->stop;
};

subtest 'PAGEHOOK_UNSURE=hold: held, whatever other echoes say' => sub {
	my $shy = bot(0, 'with echoes', PAGEHOOK_UNSURE => 'hold');
	$shy->graph_faults('drop times=1 to=7402');
	writes($shy, $_, 'one') for 7401, 7402, 7403;
	become($shy, 7402, 'held');
	like why($shy, 7402), qr/PAGEHOOK_UNSURE=hold/, '  and says why';
	is scalar(alerts($shy)), 1, '  with an alert';
	is_silent_for($shy, 7402, [], '  it is not sent again');
	hears($shy, $_, [ 'one!' ], "$_ got theirs") for 7401, 7403;
	counts_agree($shy);
	$shy->stop;
};

subtest 'temporary five times over: then the person cannot be reached' => sub {
	become($hook, 7161, 'dead dead');
	is outcomes($hook, 7161), join(' ', ('error 2') x 6), '  after five more tries';
	like why($hook, 7161), qr/\|this person cannot be reached$/, '  and what else they were owed';
	writes_page($hook, 9107, 7162, 'hello');
	hears($hook, 7162, [ 'hello!' ], 'others are answered');
};

subtest 'a pause outlives the helper, and a new token ends it at once' => sub {
	suffers($hook, 'error 2022 times=1 to=7131');	# a day
	writes_page($hook, 9103, 7131, 'one');
	$hook->soon(sub { alerts($hook, 9103) }, 'the Page pauses');
	is_silent_for($hook, 7131, [], '  and waits');
	$hook->helper_stop;
	is_silent_for($hook, 7131, [], '  another helper waits, too');
	is scalar(posts_to($hook, 7131)), 1, '  and has not asked';
	pages_are($hook, 9103 => 'a-new-token');
	hears($hook, 7131, [ 'one!' ], 'with the new token it goes on');
	is scalar(posts_to($hook, 7131)), 2, '  by a single try';
};

counts_agree($hook);
my @open = $hook->store("select id from reply where state not in ('sent', 'dead')");
is scalar(@open), 0, 'and all is settled';
$hook->stop;
done_testing;
