package Checker;
# Checker -- joins what Meta was told, what Graph got and what the store says, and counts what is
# wrong.
# Knows the ledgers of Meta and of Graph's stand-in, the store's rows, the log.  Does not know faults.
# Called by tests/04*.t and tests/soak once all is settled.
# Lives for one look; what it counted goes to the directory PH_TALLY, for the last lines of check.
# SPDX-License-Identifier: ISC
use strict;
use warnings;
use Time::HiRes qw(time);

my @counts = ('faults', 'restarts', 'events', 'acknowledged', 'lost', 'unexpected', 'duplicates',
    'unexplained duplicates', 'out of order', 'skipped');
my $near = 50;		# of one person's words: each is compared with so many after it
my $told = 10;		# of what is wrong

# Whether nothing is on its way any more.  A helper that was killed last is woken by a handshake.
sub is_settled {
	my ($hook) = @_;
	return 0 if time < ($hook->{looked_at} // 0) + 0.2;
	$hook->{looked_at} = time;
	$hook->handshake(7);
	return 0 if grep { !/\.tmp$/ } glob "$hook->{state}/spool/*";	# that is of a killed front
	my ($open) = $hook->store("select
	    (select count(*) from reply where state in ('ready','sending','unsure')) +
	    (select count(*) from event where state in ('kept','asked')) as n");
	return $open && $open->{n} == 0;
}

# What check compares, of an installation; %more: faults, restarts, killed.
sub look {
	my ($hook, $meta, %more) = @_;
	my @rows = $hook->store("select e.mid, e.state as event, e.why, r.id, r.state, r.attempt,
	    r.resends from event e left join reply r on r.event = e.id where e.mid glob 'm_meta_*'");
	my @unreadable = $hook->store("select cast(body as text) as body from event
	    where kind = 'unreadable'");
	return check(events => $meta->events, graph => [ $hook->sent ], rows => \@rows,
	    unreadable => \@unreadable, log => [ $hook->log(qr/"id":"r/) ], %more);
}

# What is wrong, in lists by the names of the line; numbers of events.  events: Meta's ledger; graph:
# lines of its own; rows: each an event's and its reply's; log: lines that name a reply; killed: some
# claims never left, for the helper was killed or hung, and Graph may have had fewer POSTs than the
# store counts.
sub check {
	my (%in) = @_;
	my $r = { %in, map { ($_ => []) } @counts[4 .. 8] };
	my %row = map { ($_->{mid} => $_) } @{$in{rows}};
	my $posts = posts_of($r);
	for my $event (@{$in{events}}) {
		my @posts = @{$posts->{$event->{n}} // []};
		$event->{arrived} = @posts ? $posts[0]{at} : undef;
		judge($r, $event, $row{$event->{mid}}, @posts);
	}
	push @{$r->{'out of order'}}, in_wrong_order($in{events}, \%row);
	$r->{acknowledged} = grep { defined $_->{acknowledged} } @{$in{events}};
	return $r;
}

# What Graph got for each event, in the order of arrival.
sub posts_of {
	my ($r) = @_;
	my %known = map { ($_->{n} => $_) } @{$r->{events}};
	my (%posts, $i);
	for my $line (@{$r->{graph}}) {
		my ($n) = ($line->{text} // '') =~ /(\d+)$/;
		my $event = $known{$n // ''};
		if (!$event || $event->{psid} ne $line->{to} || $event->{page} ne $line->{page}) {
			push @{$r->{unexpected}}, $n // '?';
			next;
		}
		push @{$posts{$n}}, { at => ++$i, taken => $line->{outcome} eq 'sent' };
	}
	return \%posts;
}

# One event: answered, or to be seen; once, or the log says why not; by as many POSTs as were claimed.
sub judge {
	my ($r, $event, $row, @posts) = @_;
	my $n = $event->{n};
	my $taken = grep { $_->{taken} } @posts;
	my $claimed = $row ? $row->{attempt} // 0 : 0;
	push @{$r->{lost}}, $n
	    if defined $event->{acknowledged} && !$taken && !is_visible($r, $event, $row);
	push @{$r->{unexpected}}, $n if $r->{killed} ? @posts > $claimed : @posts != $claimed;
	return if $taken < 2;
	push @{$r->{duplicates}}, $n;
	push @{$r->{'unexplained duplicates'}}, $n if $taken > 2 || !$row->{resends} ||
	    !grep { $_->{id} eq "r$row->{id}" && is_word_of_doubt($_) } @{$r->{log}};
}

# An operator finds it: given up, not to be answered, or doubtful.
sub is_visible {
	my ($r, $event, $row) = @_;
	return scalar grep { $_->{body} =~ /"\Q$event->{mid}\E"/ } @{$r->{unreadable}} if !$row;
	return $row->{event} eq 'dead' || defined $row->{why} ||
	    ($row->{state} // '') =~ /^(?:held|dead|unsure)$/;
}

sub is_word_of_doubt {
	my ($line) = @_;
	return grep { defined && /\bunsure\b|more than once/ } @$line{qw(what note state)};
}

# Two words of a person whose order was certain, and which Graph got the other way round: in the order
# of the replies' rows; of one POST, by their times; posted after the older one was acknowledged.
sub in_wrong_order {
	my ($events, $row) = @_;
	my (%of, @wrong);
	push @{$of{"$_->{page} $_->{psid}"}}, $_ for grep { defined $_->{arrived} } @$events;
	for my $words (values %of) {
		for my $i (0 .. $#$words) {
			my $last = $i + $near < $#$words ? $i + $near : $#$words;
			push @wrong, map { $_->{n} } grep { is_swapped($words->[$i], $_, $row) }
			    @$words[$i + 1 .. $last];
		}
	}
	return @wrong;
}

# first was posted before second, or with it.
sub is_swapped {
	my ($first, $second, $row) = @_;
	my ($one, $two) = map { $row->{$_->{mid}} } $first, $second;
	my $came_first = $first->{arrived} < $second->{arrived};
	return 1 if $one && $two && ($one->{id} < $two->{id}) != $came_first;
	return 0 if $first->{post} != $second->{post} &&
	    !(defined $first->{acknowledged} && $first->{acknowledged} < $second->{posted});
	return $first->{post} == $second->{post} ? ($first->{at} < $second->{at}) != $came_first :
	    $first->{at} < $second->{at} && !$came_first;
}

# The one line.
sub line {
	my ($r) = @_;
	return join ', ', map { my $v = $r->{$_} // 0; "$_ " . (ref $v ? scalar @$v : $v) } @counts;
}

# Leaves the line for the end of the run, also of who counted otherwise.
sub leave {
	my ($r) = @_;
	return if !defined $ENV{PH_TALLY};
	open my $f, '>>', "$ENV{PH_TALLY}/$$" or die "$ENV{PH_TALLY}: $!";
	print $f line($r), "\n";
	close $f or die "$ENV{PH_TALLY}: $!";
}

# Leaves the line, and returns what must not be, in words; '' if all is well.
sub verdict {
	my ($r) = @_;
	leave($r);
	return join '; ', map { @{$r->{$_}} ? "$_: " . some(@{$r->{$_}}) : () }
	    'lost', 'unexpected', 'unexplained duplicates', 'out of order';
}

sub some { return join ' ', @_ > $told ? (@_[0 .. $told - 1], '..') : @_ }

1;
