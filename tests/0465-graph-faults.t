#!/usr/bin/perl
# If this fails, a connection to Graph that breaks at the wrong moment costs a person an answer, or
# sends it to them twice, or the store counts tries that Graph knows nothing of.
# SPDX-License-Identifier: ISC
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Checker;
use Pagehook;
use Talk;
use Test::More;

my $absent = Pagehook->missing(qw(lighttpd openssl sqlite3 python3));
plan skip_all => $absent if $absent;

my $n = 20;			# replies that meet each fault
my $last_psid = 7_200_000;
my $n_faults = 0;
my @bots;

# A bot on these Pages, and whom it is asked to speak to.
sub bot {
	my ($speed, @pages) = @_;
	my $hook = Pagehook->new(speed => $speed);
	my @entries = map { qq("$_": { "access_token": "token-$_" }) } @pages;
	WebServer::spill("$hook->{dir}/pages.json", '{ ' . join(",\n", @entries) . " }\n");
	chmod 0600, "$hook->{dir}/pages.json";
	$hook->configure(MESSENGER_PAGES => "$hook->{dir}/pages.json",
	    PAGEHOOK_REPLIES => replies_are($hook, '"on": "any", "say": "{text}!"'));
	$hook->serve('lighttpd-fcgi');
	push @bots, $hook;
	return $hook;
}

# Meta's side.

sub posts {
	my ($hook, $page, @events) = @_;
	my $got = $hook->post($hook->envelope({ id => "$page", messaging => \@events }));
	die "a POST was answered $got->{status}\n" if $got->{status} != 200;
}

# So many who never wrote before write to this Page, all in one POST; their ids.
sub write_to {
	my ($hook, $page, $count) = @_;
	my @psids = map { ++$last_psid } 1 .. $count;
	$hook->{page_of}{$_} = $page for @psids;
	posts($hook, $page, map { $hook->text_event(psid => $_, recipient => { id => "$page" }) } @psids);
	return @psids;
}

# What the Page has said by these requests.
sub echo {
	my ($hook, @sent) = @_;
	my $page = $hook->{page_of}{$sent[0]{to}};
	posts($hook, $page, map { $hook->event(
	    sender => { id => "$page" },
	    recipient => { id => $_->{to} },
	    message => { %$_{qw(mid metadata text)}, is_echo => JSON::PP::true },
	) } @sent);
}

# Looking.

# The requests that Graph has read whole.
sub posts_to {
	my ($hook, @psids) = @_;
	my $to = join '|', @psids;
	return $hook->sent(qr/"to":"(?:$to)"/);
}

# What each try came to, by the log, which shows the end of a person's id.
sub tries_of {
	my ($hook, @psids) = @_;
	my $who = join '|', map { substr $_, -4 } @psids;
	return $hook->log(qr/"k":"send".*"who":"[^"]*(?:$who)"/);
}

sub first_tries { return grep { $_->{try} == 1 } tries_of(@_) }
sub are_answered { return @_ - 1 == grep { $_->{state} eq 'sent' } tries_of(@_) }

# Tries of which not a byte was handed out.
sub unbegun { return grep { $_->{state} eq 'ready' && ($_->{why} // 'HTTP') !~ /^HTTP/ } @_ }

sub replies {
	my ($hook) = @_;
	return $hook->store('select person, state, attempt from reply join conv on conv.id = reply.conv');
}

# How often each: { unsure => 20 }.
sub counted { my %n; $n{$_}++ for @_; return \%n }

sub alerts { my ($hook, $page) = @_; return $hook->log(qr/"k":"alert".*"page":"$page"/) }

# Somebody else writes to the Page and is answered, and its echo comes.
sub another_is_answered {
	my ($hook, $page) = @_;
	my ($psid) = write_to($hook, $page, 1);
	$hook->wait_for(sub { are_answered($hook, $psid) }, 'another person is answered');
	echo($hook, posts_to($hook, $psid));
}

# Tests: they were tried, and the reply is this then, each time.
sub come_to {
	my ($hook, $state, @psids) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	my @first;
	$n_faults += $n;
	$hook->soon(sub { @psids == (@first = first_tries($hook, @psids)) }, 'all are tried');
	is_deeply counted(map { $_->{state} } @first), { $state => $n }, "  and then $state";
}

# Tests: in the end all are sent, Graph having read so many bodies of each.
sub end_as_sent {
	my ($hook, $n_bodies, @psids) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	my $ids = join '|', map { $_->{id} } first_tries($hook, @psids);
	my $sent = qr/"id":"(?:$ids)".*"state":"(?:sent|settled before)"/;
	my $are_sent = sub { $n == keys %{counted(map { $_->{id} } $hook->log($sent))} };
	ok(eval { $hook->wait_for($are_sent, '', 60) }, 'all end as sent') or
	    diag map { join(' ', map { $_ // '-' } @$_{qw(t id try state ms code why)}) . "\n" }
	    tries_of($hook, @psids);
	my @posts = posts_to($hook, @psids);
	is_deeply counted(values %{counted(map { $_->{to} } @posts)}), { $n_bodies => $n },
	    "  bodies for each: $n_bodies";
	is scalar(keys %{counted(map { $_->{metadata} } @posts)}), $n, '  all under one token';
}

# Tests: every try that handed out a byte is one body at Graph, but those that it never read; and
# everybody is answered once.
sub adds_up {
	my ($hook) = @_;
	my @replies = replies($hook);
	my %tries = map { ($_->{person} => $_->{attempt}) } @replies;
	my %bodies = %{$hook->{unread} // {}};
	$bodies{$_->{to}}++ for $hook->sent;
	my %who = map { (substr($_, -4) => $_) } keys %tries;
	$bodies{$who{substr $_->{who}, -4}}++ for unbegun($hook->log(qr/"k":"send"/));
	is_deeply \%bodies, \%tries, 'every try is one body';

	my %taken = %{counted(map { $_->{outcome} eq 'sent' ? $_->{to} : () } $hook->sent)};
	my %sent = map { $_->{state} eq 'sent' ? ($_->{person} => 1) : () } @replies;
	my $asked = $hook->{page_of};
	my %n = (
		events => scalar(keys %$asked),
		acknowledged => scalar(keys %$asked),	# or the test would have died
		lost => scalar(grep { !$taken{$_} || !$sent{$_} } keys %$asked),
		unexpected => scalar(grep { !$asked->{$_} } keys %taken),
		duplicates => scalar(grep { $_ > 1 } values %taken),
	);
	is_deeply [ @n{qw(lost unexpected duplicates)} ], [ 0, 0, 0 ], 'and everybody is answered once';
	return %n;
}

# What becomes of a connection that has been used and is used again.

my @ends = (	# Page, protocol, what is suffered, what the first try is then, bodies read of it
	[ 9301, 'h2', 'refused-stream', 'unsure', 1 ],
	[ 9302, 'h2', 'rst-stream taken', 'unsure', 1 ],
	[ 9303, 'h2', 'goaway', 'unsure', 1 ],
	[ 9304, 'h2', 'goaway-taken taken', 'unsure', 1 ],
	[ 9305, 'h2', 'goaway-answered taken', 'sent', 1 ],
	[ 9306, 'h2', 'fin', 'unsure', 1 ],
	[ 9307, 'h2', 'reset-unread', 'unsure', 0 ],
	[ 9308, 'h2', 'reset taken', 'unsure', 1 ],
	[ 9309, 'http/1.1', 'fin taken', 'unsure', 1 ],
	[ 9310, 'http/1.1', 'fin-unread', 'unsure', 0 ],
);

# One after the other, for nobody else's request may be on that connection.
sub meets {
	my ($hook, $page, $protocol, $fault) = @_;
	my ($before) = write_to($hook, $page, 1);
	$hook->wait_for(sub { are_answered($hook, $before) }, 'the connection is used');
	$hook->graph_faults("protocol $protocol", "$fault $before");
	my ($psid) = write_to($hook, $page, 1);
	$hook->wait_for(sub { tries_of($hook, $psid) }, "$fault is met");
	return $psid;
}

sub ends {
	my ($hook, $page, $protocol, $fault, $state, $n_bodies) = @_;
	$hook->graph_faults("protocol $protocol");
	another_is_answered($hook, $page);
	my @psids = map { meets($hook, $page, $protocol, $fault) } 1 .. $n;
	come_to($hook, $state, @psids);
	my @posts = posts_to($hook, @psids);
	is_deeply counted(map { $_->{protocol} } @posts), $n_bodies ? { $protocol => $n } : {},
	    "  bodies read of each: $n_bodies";
	$hook->{unread}{$_} = 1 for $n_bodies ? () : @psids;
	return \@psids;
}

sub is_taken { my ($fault) = @_; return $fault =~ / taken$/ }

# Meta's echoes tell what is to be sent again.
sub echoes_tell {
	my ($hook, $page, $fault, @psids) = @_;
	return echo($hook, posts_to($hook, @psids)) if is_taken($fault);
	another_is_answered($hook, $page);
}

sub connections_end {
	my $hook = bot(10, 9311, map { $_->[0] } @ends);
	my %psids;
	$hook->graph_raw;
	for my $row (@ends) {
		subtest "$row->[1], $row->[2]" => sub { $psids{$row->[0]} = ends($hook, @$row) };
	}
	$hook->graph_faults;
	echoes_tell($hook, @$_[0, 2], @{$psids{$_->[0]}}) for @ends;
	for (@ends) {
		my ($page, $protocol, $fault, undef, $n_bodies) = @$_;
		subtest "$protocol, $fault: then" => sub {
			end_as_sent($hook, is_taken($fault) ? 1 : $n_bodies + 1, @{$psids{$page}});
		};
	}
	return $hook;
}

# A connection reset when the body is not there yet: libcurl may have taken it from us or not.
sub reset_early {
	my ($hook) = @_;
	another_is_answered($hook, 9311);
	my @psids = map { meets($hook, 9311, 'h2', 'reset-early') } 1 .. $n;
	$hook->graph_faults;
	is scalar(grep { ($_->{why} // '') =~ /callback/ } tries_of($hook, @psids)), 0,
	    'where it has not, it repeats the request by itself';
	another_is_answered($hook, 9311);
	end_as_sent($hook, 1, @psids);
	for my $psid (@psids) {
		$hook->{unread}{$psid} = 1 if grep { $_->{state} eq 'unsure' } tries_of($hook, $psid);
	}
}

# What leaves with the handshake cannot know the limit yet, and is let through.
sub keeps_to_limit {
	my ($hook) = @_;
	$hook->graph_faults('streams 4', 'goaway-answered taken last');
	another_is_answered($hook, 9311) for 1 .. 3;
	my @psids = write_to($hook, 9311, 50);
	$hook->soon(sub { are_answered($hook, @psids) }, 'all are answered');
	my %at_once = %{counted(map { $_->{streams} } posts_to($hook, @psids))};
	ok $at_once{4}, '  4 at once';
	is join(' ', grep { $_ > 4 } sort keys %at_once), '', '  and never more';
}

# What Graph says, or does not say, when it has read a request.

my @words = (	# Page, what the stand-in is told, what the first try is then
	[ 9201, 'error 190', 'ready' ],	# first: all have left before their Page pauses
	[ 9202, 'error 613', 'ready' ],
	[ 9203, 'error 1200', 'ready' ],
	[ 9204, 'status 500', 'unsure' ],
	[ 9205, 'truncated taken', 'unsure' ],
	[ 9206, 'no-id taken', 'unsure' ],
	[ 9207, 'redirect', 'ready' ],
);
my @silences = (	# these may cost others on their connection an answer, so they stand alone
	[ 9208, 'huge', 'unsure' ],
	[ 9209, 'accepted-hang 3500 taken', 'unsure' ],	# last: lighttpd hears late that it is over
);

sub suffer {
	my ($hook, $page, $fault) = @_;
	my @psids = map { $last_psid + $_ } 1 .. $n;
	push @{$hook->{lines}}, map { "$fault times=1 to=$_" } @psids;
	$hook->graph_faults(@{$hook->{lines}});
	return [ write_to($hook, $page, $n) ];
}

# Words take effect side by side; a silence has the connection for itself.
sub words_fail {
	my @pages = map { $_->[0] } @words, @silences;
	my $hook = bot(10, @pages);
	$hook->graph(GRAPH_PAGE => join(',', 9001, @pages),
	    GRAPH_TOKEN => join(',', 'a-page-access-token', map { "token-$_" } @pages));
	another_is_answered($hook, $_) for @pages;
	for my $rows (\@words, map { [ $_ ] } @silences) {
		my %psids = map { ($_->[0] => suffer($hook, @$_)) } @$rows;
		another_is_answered($hook, 9001);
		pass 'meanwhile another Page goes on';
		for (@$rows) {
			my ($page, $fault, $state) = @$_;
			subtest $fault => sub { come_to($hook, $state, @{$psids{$page}}) };
			echoes_tell($hook, $page, $fault, @{$psids{$page}}) if $state eq 'unsure';
		}
		for (@$rows) {
			my ($page, $fault) = @$_;
			subtest "$fault: then" => sub {
				end_as_sent($hook, is_taken($fault) ? 1 : 2, @{$psids{$page}});
			};
		}
	}
	is scalar(alerts($hook, 9201)), 1, 'a dead token is told once';
	return $hook;
}

# What keeps a request from leaving at all.

sub is_kept_back {
	my ($hook, $page) = @_;
	my @psids = write_to($hook, $page, $n);
	come_to($hook, 'ready', @psids);
	is scalar(unbegun(first_tries($hook, @psids))), $n, '  not a byte was handed out';
	is scalar(posts_to($hook, @psids)), 0, '  nor read';
	return @psids;
}

# Graph begins anew, so that nobody has a connection to it.
sub begins_anew {
	my ($hook, @faults) = @_;
	$hook->graph_stop;
	$hook->graph_faults(@faults);
	$hook->graph_raw;
}

sub bad_certificates {
	my ($hook) = @_;
	my $dir = $hook->{dir};
	mkdir "$dir/stranger";
	Pagehook::make_ca($_, qw(expired elsewhere)) for $dir, "$dir/stranger";
	return ("$dir/stranger/server.pem", "$dir/expired.pem", "$dir/elsewhere.pem");
}

sub false_certificates {
	my ($hook) = @_;
	my @psids = is_kept_back($hook, 9404);
	$hook->soon(sub { alerts($hook, 9404) }, '  an alert is given');
	my $shown = counted(map { $_->{certificate} // () } $hook->asked_graph);
	cmp_ok $shown->{$_} // 0, '>', 1, "  $_" for qw(server.pem expired.pem elsewhere.pem);
	$hook->graph_faults;
	end_as_sent($hook, 1, @psids);
	is scalar(alerts($hook, 9404)), 1, 'by that one alert it was told';
}

sub nothing_leaves {
	my $host = 'x' x 64 . '.invalid';	# too long a name for the resolver to ask anybody
	my $hook = bot(20, 9401 .. 9404);
	my @bad = bad_certificates($hook);
	$hook->graph_raw;
	$hook->configure(MESSENGER_GRAPH_URL => "https://$host");
	subtest 'no such host' => sub {
		my @psids = is_kept_back($hook, 9401);
		$hook->configure(MESSENGER_GRAPH_URL => "https://127.0.0.1:$hook->{graph_port}");
		another_is_answered($hook, 9402);	# the helper hears of it
		end_as_sent($hook, 1, @psids);
	};
	subtest 'nobody listens' => sub {
		$hook->graph_stop;
		my @psids = is_kept_back($hook, 9402);
		$hook->graph_raw;
		end_as_sent($hook, 1, @psids);
	};
	begins_anew($hook, 'mute');
	subtest 'not a byte is said' => sub {
		my @psids = is_kept_back($hook, 9403);
		$hook->graph_faults;
		end_as_sent($hook, 1, @psids);
	};
	begins_anew($hook, "certificate @bad");
	subtest 'a false certificate' => sub { false_certificates($hook) };
	return $hook;
}

connections_end();
subtest 'reset before the body is there' => sub { reset_early($bots[0]) };
subtest 'as many at once as the other side allows' => sub { keeps_to_limit($bots[0]) };
words_fail();
nothing_leaves();

my %tally = (faults => $n_faults, restarts => 0, unexplained => 0, disorder => 0);
for my $hook (@bots) {
	my %n = adds_up($hook);
	$tally{$_} += $n{$_} for keys %n;
	$hook->stop;
}
Checker::leave({ %tally, 'unexplained duplicates' => $tally{unexplained} });
done_testing;
