#!/usr/bin/perl
# If this fails, Meta sends something we do not understand: it is answered 500 until the Page is
# unsubscribed, or lost, or a person is answered who said nothing, or is not answered.
# SPDX-License-Identifier: ISC
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use File::Glob qw(bsd_glob);
use JSON::PP;
use Pagehook;
use POSIX qw(strftime);
use Test::More;

my $absent = Pagehook->missing(qw(lighttpd openssl sqlite3));
plan skip_all => $absent if $absent;

my @kinds = (qw(message.text message.quick_reply message.attachment message.sticker message.echo
    message.deleted message.unsupported message.edit postback referral optin optout delivery read
    reaction account_linking handover.pass handover.take handover.request handover.app_roles
    policy_enforcement feedback response_feedback order lead_form customer_information
    message_request payment game_play branded_camera change test empty unknown));
my $replied = qr/^(?:message\.(?:text|quick_reply|attachment|sticker)|postback)$/;
my $shift;
my @corpus = map { cases($_) } bsd_glob("$FindBin::Bin/data/corpus/*.txt");

# The corpus, bytes all the way; its README says how it is written.

sub cases {
	my ($file) = @_;
	open my $f, '<:raw', $file or die "$file: $!";
	my (undef, @texts) = split /^= /m, do { local $/; <$f> };
	return map { one_case(retimed($_), $file =~ m{([^/]+)\.txt$}) } @texts;
}

# The corpus is of the first minute of 2026; what is older than some hours is not answered.  So bodies
# and expectations move to the last four hours, by whole seconds; each to a minute of its own, for most
# are of one conversation, and more than 20 replies in a minute of it are held.
sub retimed {
	my ($text) = @_;
	$shift //= time - 4 * 3600 - 1767225600;
	$shift += 60;
	$text =~ s/\b(17672\d{5})(\d{3})?\b/($1 + $shift) . ($2 \/\/ '')/ge;
	$text =~ s{\b2026-01-01T00:00:(\d\d)}{strftime '%Y-%m-%dT%H:%M:%S', gmtime 1767225600 + $1 + $shift}ge;
	return $text;
}

sub one_case {
	my ($text, $theme) = @_;
	my ($title, $body, $arrows) = $text =~ /\A(.*)\n((?:(?!-> ).*\n)*)((?:-> .*\n)+)\n*\z/
	    or die "$theme: not a case: $text";
	chomp $body;
	my %case = (name => "$theme: $title", body => $body, status => 200, events => []);
	my @arrows = $arrows =~ /^-> (.*)/mg;
	if ($arrows[0] =~ /^(\d{3}) ?(.*)/) {
		@case{qw(status says)} = ($1, $2 || qr/./);
	} elsif ($arrows[0] ne 'nothing') {
		$case{events} = [ map { event($_) // die "$theme: $title: not an event: $_\n" } @arrows ];
	}
	$_->{object} = $body =~ /"object":"instagram"/ ? 'instagram' : 'page' for @{$case{events}};
	return \%case;
}

sub event {
	my %e;
	(@e{qw(channel page conversation mid time answer key)}) = split / /, $_[0], 7;
	return if !defined $e{key};
	($e{channel}, $e{field}) = split /:/, $e{channel};
	for (@e{qw(page conversation mid time)}) {
		$_ = $_ eq '-' ? undef : /^"/ ? JSON::PP->new->allow_nonref->decode($_) : $_;
	}
	($e{kind}) = $e{key} =~ /^(?:standby:)?([^|]*)/;
	return \%e;
}

sub quoted {
	my ($text) = @_;
	return 'null' if !defined $text;
	$text =~ s/(["\\])/\\$1/g;
	$text =~ s/\n/\\n/g;
	$text =~ s/([\x00-\x1f])/sprintf '\\u%04x', ord $1/ge;
	return qq("$text");
}

sub line {
	my ($e) = @_;
	my @pairs = map { qq("$_":) . quoted($e->{$_}) } qw(page conversation kind channel field mid);
	push @pairs, '"time":' . ($e->{time} // 'null');
	push @pairs, '"answerable":' . ($e->{answer} =~ /yes/ ? 'true' : 'false');
	push @pairs, '"duplicate":' . ($e->{answer} =~ /dup/ ? 'true' : 'false');
	return '{' . join(',', @pairs, '"key":' . quoted($e->{key})) . "}\n";
}

# What "pagehook parse" makes of a body: what it prints, what it says, how it exits.
sub parsed {
	my ($hook, $body) = @_;
	WebServer::spill("$hook->{dir}/body", $body);
	unlink "$hook->{dir}/says";
	my ($out, $status) = Children::output([Pagehook->program('pagehook'), 'parse',
	    "$hook->{dir}/body"], env => $hook->env, log => "$hook->{dir}/says");
	open my $says, '<', "$hook->{dir}/says" or die $!;
	return ($out, do { local $/; <$says> // '' },
	    $status & 127 ? 'signal ' . ($status & 127) : $status >> 8);
}

sub is_refused {
	my ($case, $out, $says, $status) = @_;
	my ($said, @more) = split /^/, $says;
	my $expected = ref $case->{says} ? $case->{says} : qr/\A(?:pagehook: )?\Q$case->{says}\E\n\z/;
	is "$status $out", '65 ', $case->{name};
	like $said // '', $expected, '  and says why';
	is "@more", '', '  in one line';
}

# A test: the same rows, in whatever order; says which are too many and which are missing.
sub same_rows {
	my ($got, $expected, $name, @columns) = @_;
	my %surplus;
	$surplus{join ' ', map { $_ // '-' } @$_{@columns}}++ for @$got;
	$surplus{join ' ', map { $_ // '-' } @$_{@columns}}-- for @$expected;
	is join("\n", map { $surplus{$_} ? "$surplus{$_} $_" : () } sort keys %surplus), '', $name;
}

sub unique { my %seen; return grep { !$seen{$_->{key}}++ } map { @{$_->{events}} } @_ }

# Echoes of a person's words are among the bodies: they would silence the bot for the rest of them.
my $hook = Pagehook->new(MESSENGER_OBJECTS => 'page,instagram', PAGEHOOK_HUMAN_PAUSE => 0);

subtest 'the corpus holds what it should' => sub {
	cmp_ok scalar(@corpus), '>=', 120, 'bodies';
	my %bodies;
	for my $case (@corpus) {
		my %here = map { ($_->{kind} => 1) } @{$case->{events}};
		$bodies{$_}++ for keys %here;
	}
	is join(' ', grep { ($bodies{$_} // 0) < 2 } @kinds), '', 'each kind in two of them';
	my %known = map { ($_ => 1) } @kinds;
	is join(' ', grep { !$known{$_} } sort keys %bodies), '', 'no other kind';
};

subtest 'each body parses as documented' => sub {
	for my $case (@corpus) {
		my ($out, $says, $status) = parsed($hook, $case->{body});
		if ($case->{says}) {
			is_refused($case, $out, $says, $status);
			next;
		}
		is $out, join('', map { line($_) } @{$case->{events}}), $case->{name};
		is "$says$status", '0', '  and nothing is wrong' if "$says$status" ne '0';
	}
};

subtest 'an object that was not asked for is refused' => sub {
	my $pages_only = Pagehook->new;
	for my $case (grep { $_->{body} =~ /^\{"object":"instagram"/ } @corpus) {
		my %unwanted = (%$case, says => 'object "instagram" is not wanted');
		is_refused(\%unwanted, parsed($pages_only, $case->{body}));
	}
};

subtest 'each body gets its status, and its events are kept' => sub {
	$hook->graph;
	$hook->serve('lighttpd-fcgi');
	for my $case (@corpus) {
		my $got = $hook->post($case->{body});
		is $got->{status}, $case->{status}, $case->{name};
	}
	my $kept = "from event where kind != 'unreadable'";
	my @rows = $hook->store("select object, kind, page, hex(mid) as mid $kept");
	my @events = map { { %$_, mid => uc unpack 'H*', $_->{mid} // '' } } unique(@corpus);
	same_rows(\@rows, \@events, 'each event is kept, once', qw(object kind page mid));
	$hook->post($_->{body}) for @corpus;
	is scalar(my @again = $hook->store("select id $kept")),
	    scalar @rows, '  also when all of it is sent again';
};

subtest 'answered are what was said to the page, and nothing else' => sub {
	my $page = $hook->setting('MESSENGER_PAGE_ID');
	my @events = grep { $_->{page} eq $page } unique(@corpus);
	my %people = map { ($_->{conversation} => 1) } grep { defined $_->{conversation} } @events;
	my @last = map { { conversation => $_, kind => 'message.text', mid => "m_last_$_" } }
	    sort keys %people;
	$hook->post($hook->delivery(map {
		$hook->text_event(psid => $_->{conversation}, mid => $_->{mid})
	} @last));
	for my $last (@last) {
		$hook->soon(sub { grep { ($_->{mid} // '') eq $last->{mid} } answers() },
		    "$last->{conversation} gets the last word");
	}
	my @turns = grep { $_->{answer} =~ /yes/ && $_->{kind} =~ $replied } @events;
	same_rows([ answers() ], [ @turns, @last ], 'each turn of talk, once',
	    qw(kind conversation mid));
};

# The events that Graph got a reply to, one for each reply.
sub answers {
	my %event = map { ($_->{reply} => $_) } $hook->store('select reply.mid as reply, event.kind,
	    event.mid, replace(conv.person, \'user_ref:\', \'\') as conversation from reply
	    join event on event.id = reply.event join conv on conv.id = event.conv
	    where reply.mid is not null');
	return map { $event{$_->{mid} // ''} // { kind => 'nothing', conversation => $_->{to} } }
	    $hook->sent;
}

subtest 'a thousand events in one body' => sub {
	my $many = Pagehook->new;
	$many->serve('lighttpd-fcgi');
	my @events = map { $many->text_event(psid => 7000 + $_ % 50, text => 'x' x 400) } 1 .. 1000;
	for my $time ('at first', 'again') {
		my $got = $many->post($many->delivery(@events));
		is "$got->{status} $got->{body}", '200 EVENT_RECEIVED', "$time: one 200";
		my ($kept) = $many->store('select count(*) as n, count(distinct mid) as mids from event');
		is "$kept->{n} $kept->{mids}", '1000 1000', '  and each is kept once';
	}
};
# What is somebody's in a body: all but words of Meta's, which say how an event is meant.
sub said_in {
	my ($v, $name) = @_;
	return map { said_in($v->{$_}, $_) } keys %$v if ref $v eq 'HASH';
	return map { said_in($_, $name) } @$v if ref $v eq 'ARRAY';
	return () if !defined $v || ref $v || length $v < 5;
	return () if $v =~ m{^(?:\d{1,13}|false|first|messages|https://[^/]*/)$};
	return $name =~ /^(?:type|action|source|status|field|item|verb|currency|feedback|message_request|
	    \w+_type|\w+_status|\w+_frequency)$/x ? () : $v;
}

subtest 'neither the log nor a sample has anybody\'s id, words or messages' => sub {
	my $hook = Pagehook->new(MESSENGER_OBJECTS => 'page,instagram', PAGEHOOK_HUMAN_PAUSE => 0,
	    PAGEHOOK_LOG_LEVEL => 'debug');
	$hook->serve('lighttpd-fcgi');
	$hook->graph;
	my ($psid, %said) = '24110000007001';
	for my $case (@corpus) {
		my $body = $case->{body} =~ s/\b7001\b/$psid/gr;
		$hook->post($body);
		my $tree = $case->{status} == 200 && eval { JSON::PP->new->utf8->decode($body) };
		my @entries = $tree ? grep { ref eq 'HASH' } map { ref eq 'ARRAY' ? @$_ : $_ } $tree->{entry} : ();
		$said{$_} = 1 for map { my %e = %$_; delete $e{id}; said_in(\%e, '') } @entries;
	}
	$hook->soon(sub { $hook->sent(qr/"to":"$psid"/) > 50 }, 'that person is answered');
	$said{$_->{mid}} = 1 for grep { defined $_->{mid} } $hook->sent;
	delete @said{map { $_->{page} } map { @{$_->{events}} } @corpus};
	cmp_ok scalar(keys %said), '>', 200, 'so many words were said';
	for my $file (bsd_glob("$hook->{state}/pagehook.log*"), bsd_glob("$hook->{state}/samples/*")) {
		open my $f, '<', $file or die "$file: $!";
		my $text = do { local $/; <$f> };
		my @found = grep { $text =~ /(?<![\w.])\Q$_\E(?![\w.])/ } $psid, keys %said;
		is join(' | ', @found), '', $file =~ s{.*/state/}{}r;
	}
};

subtest 'what is hours old is kept, and not answered' => sub {
	my $hook = Pagehook->new;
	$hook->serve('lighttpd-fcgi');
	$hook->graph;
	my $hour = 3600 * 1000;
	for my $age (25, 7, 5) {
		my $event = $hook->text_event(text => "$age hours", ts => int(time * 1000) - $age * $hour);
		is $hook->post($hook->delivery($event))->{status}, 200, "$age hours old: taken";
	}
	$hook->soon(sub { $hook->sent }, 'something is answered');
	is_deeply [ map { $_->{text} } $hook->sent ], [ 'You said: 5 hours' ], 'the youngest alone';
	is_deeply [ $hook->store('select count(*) n from event') ], [ { n => 3 } ], 'all are kept';
};
done_testing;
