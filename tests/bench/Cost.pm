package Cost;
# Cost -- what one event, one reply costs: instructions and system calls, counted, not timed.
# Knows callgrind and strace.  Does not know rates or goals.
# Called by bench and the test of the budget.
# Lives for a run of pagehook under a tool; a long run less a short one leaves out how they start.
# SPDX-License-Identifier: ISC
use strict;
use warnings;
use Children;
use Contender;
use Load;
use Pagehook;

my %tool = (
	# The front and the helper keep their pids: who ends them need not know of the tool.
	instructions => {
		program => 'valgrind',
		by => 'exec valgrind -q --tool=callgrind ' .
		    '"--callgrind-out-file=%s.%%p" "@program@" "$@"',
		read => \&read_callgrind,
	},
	calls => {
		program => 'strace',
		by => 'exec strace -D -f -c -o "%s" "@program@" "$@"',
		read => \&read_strace,
	},
);

sub missing { return Pagehook->missing('lighttpd', 'openssl', map { $_->{program} } values %tool) }

# { front => { name => count }, helper => .. } of one event.  kind: as Load has it; at_once: how many
# are posted together; n_pages: how many Pages there are.
sub of_one {
	my ($tool, $kind, $at_once, $n_pages, $n) = @_;
	local @Load::Pages = @Load::Pages[0 .. $n_pages - 1];
	my ($short, $long) = map { of_many($tool, $kind, $at_once, $_) } $at_once * 2, $at_once * 2 + $n;
	my %one;
	for my $who (qw(front helper)) {
		my ($more, $less) = ($long->{$who}, $short->{$who});
		$one{$who}{$_} = ($more->{$_} - ($less->{$_} // 0)) / $n for keys %$more;
	}
	return \%one;
}

sub sum {
	my ($one) = @_;
	my $n = 0;
	$n += $_ for map { values %$_ } values %$one;
	return $n;
}

sub of_many {
	my ($tool, $kind, $at_once, $n) = @_;
	my $dir = File::Temp->newdir('pagehook-XXXXXXXX', TMPDIR => 1);
	my $line = sub { sprintf $tool{$tool}{by}, "$dir/$_[0]" };
	my $c = Contender->start($kind eq 'text' ? 'replying' : 'pagehook', front => [$line->('front')]);
	my $hook = $c->{hook};
	my $helper = $c->program_by('helper.sh', Pagehook->program('pagehook'), $line->('helper'));
	my $pid = Children::start([$helper, 'helper'], env => $hook->env, log => "$dir/log");
	$hook->wait_for(sub { $hook->log('listens') }, 'a helper listens', 60);
	utime 1, 1, "$hook->{state}/spool";	# while it is new it is read again and again
	for (my $i = 0; $i < $n; $i += $at_once) {
		post($c, $kind, $i, $at_once);
		replied($hook, $i + $at_once) if $kind eq 'text';
	}
	Children::end($pid);	# what is counted is written at the end
	$c->stop;
	my %read = map { ($_ => $tool{$tool}{read}->("$dir/$_")) } qw(front helper);
	return \%read;
}

# Each on a connection of its own: all but the last byte first, then all last bytes.
sub post {
	my ($c, $kind, $i, $n) = @_;
	my @bodies = map { Load::body($kind, $_) } $i .. $i + $n - 1;
	my @sockets = map { $c->{server}->connect } @bodies;
	for (0 .. $#bodies) {
		$c->{server}->send($sockets[$_], 'POST', undef, substr($bodies[$_], 0, -1),
		    Load::headers($bodies[$_]), ':length' => length $bodies[$_]);
	}
	syswrite $sockets[$_], substr $bodies[$_], -1 for 0 .. $#bodies;
	my @bad = grep { $_->{status} != 200 } map { WebServer::receive($_) } @sockets;
	die "a counted event was answered $bad[0]{status}\n" if @bad;
}

sub replied {
	my ($hook, $n) = @_;
	$hook->wait_for(sub { $hook->asked_graph >= $n }, "$n replies at Graph", 60);
}

sub read_callgrind {
	my ($prefix) = @_;
	my $n = 0;
	local @ARGV = glob "$prefix.*";
	while (my $line = <>) {
		$n += $1 if $line =~ /^totals: (\d+)/;
	}
	return { instructions => $n };
}

sub read_strace {
	my ($file) = @_;
	open my $f, '<', $file or die "$file: $!\n";
	my $line = qr/^\s*[\d.]+\s+[\d.]+\s+\d+\s+(\d+)\s+(?:\d+\s+)?(\w+)$/;	# times, calls, errors, name
	return { map { /$line/ && $2 ne 'total' ? ($2 => $1) : () } <$f> };
}

1;
