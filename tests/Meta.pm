package Meta;
# Meta -- Facebook's side of a webhook: what many people write, signed and posted until it is
# answered 200, some of it twice, some of it late; and a ledger of it.
# Knows an installation's settings and its server's port.  Does not know the store or Graph.
# Called by tests/04*.t and tests/soak; rand decides, so srand repeats a run.
# Lives in the test: one loop over all connections, which calls back between its steps.
# SPDX-License-Identifier: ISC
use strict;
use warnings;
use Digest::SHA qw(hmac_sha256_hex);
use Errno qw(EINPROGRESS);
use Socket;
use Time::HiRes qw(time);
use WebServer;

my $apart_ms = 4000;		# of a person's words: faster, and they would look like a bot's
my $patience_s = 5;		# Meta's
my $at_last_s = 60;		# for what must be posted again
my $max_open = 400;		# connections

# people, pages: how many; base_ms: when their talk begins, an hour ago if not said.
sub new {
	my ($class, $hook, %o) = @_;
	my $self = bless { hook => $hook, events => [], open => {}, again => [], worst_s => 0,
	    refused => 0, base_ms => int(1000 * (time - 3600)), %o }, $class;
	my @ids = map { 9100 + $_ } 1 .. $o{pages};
	$self->{crowd} = [ map { { psid => 7_000_000 + $_, page => $ids[$_ % @ids], said => 0 } }
	    0 .. $o{people} - 1 ];
	$self->{ids} = \@ids;
	return $self;
}

# The settings for these Pages; returns what Graph's stand-in must be told of them.
sub settle_pages {
	my ($self) = @_;
	my ($hook, @ids) = ($self->{hook}, @{$self->{ids}});
	my $file = "$hook->{dir}/pages.json";
	my $entries = join ', ', map { qq("$_": { "access_token": "token-$_" }) } @ids;
	WebServer::spill($file, "{ $entries }\n");
	chmod 0600, $file;
	$hook->configure(MESSENGER_PAGES => $file);
	return (GRAPH_PAGE => join(',', 9001, @ids),
	    GRAPH_TOKEN => join(',', 'a-page-access-token', map { "token-$_" } @ids));
}

# The ledger, of each event: n (its number, which is its text), mid, page, psid, at (its time, ms),
# post (which POST brought it), posted (first), acknowledged (s, absent: never).
sub events { return $_[0]{events} }

# The longest that an answer took; the tries that got another one than 200, or none.
sub worst_s { return $_[0]{worst_s} }
sub refused { return $_[0]{refused} }

# Posts n events within over_s seconds, and all again that is to be, until each is acknowledged.
# who: the number of the person who says the n-th, a random one if not said; meanwhile: called often.
sub post {
	my ($self, $n, %o) = @_;
	my ($began, $done) = (time, 0);
	my $who = $o{who} // sub { int rand @{$self->{crowd}} };
	while ($done < $n || $self->is_busy) {
		die "waited in vain: all is acknowledged\n" if time > $began + $o{over_s} + $at_last_s;
		while ($done < $n && time >= $began + $o{over_s} * $done / $n && $self->has_room) {
			my $size = rand() < 0.05 ? 2 + int rand 39 : 1;	# the majority come alone
			$size = $n - $done if $size > $n - $done;
			$self->post_new(map { $self->new_event($who->($done++)) } 1 .. $size);
		}
		$self->step;
		$o{meanwhile}->($self) if $o{meanwhile};
	}
}

sub is_busy { my ($self) = @_; return %{$self->{open}} || @{$self->{again}} }
sub has_room { my ($self) = @_; return keys %{$self->{open}} < $max_open }

# Some are late: their time lies before that of the person's words that were posted just now.
sub new_event {
	my ($self, $who) = @_;
	my $person = $self->{crowd}[$who];
	my $at = $self->{base_ms} + $apart_ms * $person->{said}++;
	$at -= 1.5 * $apart_ms if rand() < 0.05;
	my $n = 1 + @{$self->{events}};
	my $event = { n => $n, mid => "m_meta_$n", at => $at, page => $person->{page},
	    psid => $person->{psid} };
	push @{$self->{events}}, $event;
	return $event;
}

# One POST in ten comes twice.
sub post_new {
	my ($self, @events) = @_;
	my $post = { id => ++$self->{n_posts}, events => \@events };
	for (@events) {
		$_->{post} = $post->{id};
		$_->{posted} = time;
	}
	$self->try_post($post);
	push @{$self->{again}}, { %$post, due => time + rand 0.5 } if rand() < 0.1;
}

# Each try is another body: what is the same in it is the events.
sub body {
	my ($self, $post) = @_;
	my %of;
	push @{$of{$_->{page}}}, sprintf '{"sender":{"id":"%s"},"recipient":{"id":"%s"},' .
	    '"timestamp":%d,"message":{"mid":"%s","text":"%d"}}', @$_{qw(psid page at mid n)}
	    for @{$post->{events}};
	my @entries = map { sprintf '{"id":"%s","time":%d,"messaging":[%s]}', $_, 1000 * time,
	    join ',', @{$of{$_}} } sort keys %of;
	return '{"object":"page","entry":[' . join(',', @entries) . ']}';
}

sub try_post {
	my ($self, $post) = @_;
	my $server = $self->{hook}{server};
	my $body = $self->body($post);
	my $mac = hmac_sha256_hex($body, $self->{hook}->setting('MESSENGER_APP_SECRET'));
	my $out = join "\r\n", "POST $server->{path} HTTP/1.1", 'Host: 127.0.0.1',
	    'Connection: close', 'Content-Type: application/json', "X-Hub-Signature-256: sha256=$mac",
	    'Content-Length: ' . length $body, '', $body;
	my $try = { post => $post, out => $out, in => '', since => time };
	socket my $socket, PF_INET, SOCK_STREAM, 0 or die "socket: $!";
	$socket->blocking(0);
	my $there = pack_sockaddr_in($server->{port}, INADDR_LOOPBACK);
	return $self->finish($try) if !connect($socket, $there) && $! != EINPROGRESS;
	$try->{socket} = $socket;
	$self->{open}{fileno $socket} = $try;
}

# One look at all connections, 10 ms at most.
sub step {
	my ($self) = @_;
	my ($open, $now, $in, $out) = ($self->{open}, time, '', '');
	my @due = grep { $_->{due} <= $now } @{$self->{again}};
	if (@due) {
		$self->{again} = [ grep { $_->{due} > $now } @{$self->{again}} ];
		$self->try_post($_) for @due;
	}
	vec($in, $_, 1) = 1 for keys %$open;
	vec($out, $_, 1) = 1 for grep { length $open->{$_}{out} } keys %$open;
	select $in, $out, undef, 0.01;
	for my $fd (keys %$open) {
		my $try = $open->{$fd};
		speak($try) if vec $out, $fd, 1;
		my $over = vec($in, $fd, 1) && has_ended($try);
		next if !$over && time - $try->{since} < $patience_s;
		delete $open->{$fd};
		$self->finish($try);
	}
}

sub speak {
	my ($try) = @_;
	local $SIG{PIPE} = 'IGNORE';
	my $n = syswrite $try->{socket}, $try->{out};
	substr $try->{out}, 0, $n, '' if $n;
}

sub has_ended {
	my ($try) = @_;
	my $n = sysread $try->{socket}, $try->{in}, 65536, length $try->{in};
	return defined $n ? $n == 0 : !$!{EAGAIN};
}

# 200 is the only answer that counts; after any other, or none, it is posted again, ever later.
sub finish {
	my ($self, $try) = @_;
	my ($post, $now) = ($try->{post}, time);
	my $took_s = $now - $try->{since};
	$self->{worst_s} = $took_s if $took_s > $self->{worst_s};
	if ($try->{in} =~ m{^HTTP/1\.1 200 .*\r\n\r\n}s) {
		$_->{acknowledged} //= $now for @{$post->{events}};
		return;
	}
	$self->{refused}++;
	$post->{tries}++;
	my $gap_s = $post->{tries} < 5 ? 0.05 * 2 ** $post->{tries} : 1;
	push @{$self->{again}}, { %$post, due => $now + $gap_s };
}

1;
