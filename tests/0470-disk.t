#!/usr/bin/perl
# If this fails, trouble with the disk costs somebody an answer: Meta was told 200 for what nobody
# kept, a reply went out twice, or the webhook did not come back when the disk did.
# SPDX-License-Identifier: ISC
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Pagehook;
use Test::More;

# A disk of our own, to be filled: a small one in memory, in a namespace that ends with us.
my @private = qw(unshare --user --map-root-user --mount);
my $may_mount = $ENV{PH_PRIVATE_MOUNTS};
if (!$may_mount && system("@private mount -t tmpfs -o size=1m tmpfs /mnt 2>/dev/null") == 0) {
	$ENV{PH_PRIVATE_MOUNTS} = 1;
	exec @private, $^X, $0 or die "unshare: $!";
}
my $no_mounts = $may_mount ? undef :
    'a disk of our own cannot be mounted here: unprivileged user namespaces are switched off';

my $absent = Pagehook->missing(qw(lighttpd openssl sqlite3));
plan skip_all => $absent if $absent;

sub slurp { my ($file) = @_; open my $f, '<', $file or return ''; local $/; return <$f> // '' }
sub spooled { my ($hook) = @_; return scalar(my @files = glob "$hook->{state}/spool/*") }
sub texts {		# that Graph took
	my ($hook) = @_;
	return map { ($_->{text} // '') =~ s/^You said: //r } grep { $_->{outcome} eq 'sent' } $hook->sent;
}
sub rows { my ($hook, $sql) = @_; return map { values %$_ } $hook->store($sql) }
sub states { my ($hook) = @_; return rows($hook, 'select state from reply order by id') }
sub touch { my ($file) = @_; WebServer::spill($file, '') }
sub forget { my ($file) = @_; unlink $file or die "unlink $file: $!" }

# Where the log is read from: its own place may be the disk that is in trouble.
sub log_elsewhere { my ($hook) = @_; $hook->configure(PAGEHOOK_LOG => "$hook->{dir}/log") }
sub said {
	my ($hook, $words) = @_;
	my $elsewhere = $hook->setting('PAGEHOOK_LOG');
	my @lines = $elsewhere ? Pagehook::lines_of($elsewhere) : $hook->log;
	return scalar(my @said = grep { /$words/ } map { $_->{what} // () } @lines);
}
sub lives { my ($hook) = @_; return said($hook, qr/^pid \d+ listens/) }

# Each word is another person's, and is posted as often as Meta would until it is answered 200.
my $n_people = 0;
my %body;

sub post_word {
	my ($hook, $word, $len) = @_;
	my %new = (unknown => 'x' x ($len // 0));
	$body{$word} //= $hook->delivery($hook->text_event(text => $word, psid => 7100 + $n_people++,
	    %new));
	return $hook->post($body{$word})->{status};
}

sub posted {
	my ($hook, @words) = @_;
	my @refused = grep { post_word($hook, $_) != 200 } @words;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	return is "@refused", '', scalar(@words) . ' posted, and answered 200';
}

# All that was answered 200, and nothing else, is answered: once.
sub all_answered {
	my ($hook, @words) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	my %wanted = map { ($_ => 1) } @words;
	$hook->soon(sub { my %got = map { ($_ => 1) } texts($hook); !grep { !$got{$_} } keys %wanted },
	    'everything acknowledged is answered');
	$hook->soon(sub { !spooled($hook) && !grep { !/^sent$/ } states($hook) }, '  and settled');
	is join(' ', sort(texts($hook))), join(' ', sort keys %wanted), '  exactly once';
	return is join(' ', rows($hook, 'pragma integrity_check')), 'ok', '  and the store is sound';
}

# An installation that answers; the helper's disk obeys orders (tests/shim/shim.c).
sub installed {
	my (%orders) = @_;
	my $hook = Pagehook->new(PAGEHOOK_UNSURE => 'resend', speed => 10);
	if (%orders) {
		my %at = map { ($_ => $orders{$_} =~ s/^DIR/$hook->{dir}/r) } keys %orders;
		my %shim = $hook->shim(ONLY => 'pagehook helper', DIR => $hook->{state}, %at);
		$hook->configure(PAGEHOOK_HELPER => $hook->helper_with(%shim));
		log_elsewhere($hook);
	}
	$hook->serve('lighttpd-fcgi');
	$hook->graph;
	posted($hook, 'first');
	all_answered($hook, 'first');
	return $hook;
}

# One reply is with Graph, which has not answered yet.
sub send_one {
	my ($hook, $word) = @_;
	$hook->graph_faults('delay 1500 times=1');
	posted($hook, $word);
	$hook->wait_for(sub { grep { $_ eq $word } texts($hook) }, 'Graph has it and does not answer yet');
}

# An operator's word on a reply; its exit status.
sub order {
	my ($hook, @words) = @_;
	my (undef, $status) = Children::output([ Pagehook->program('pagehook'), 'queue', @words ],
	    env => $hook->env, log => "$hook->{dir}/queue.err");
	return $status;
}

subtest 'nothing can be written any more, not even an outcome' => sub {
	my $hook = installed(FULL => 'DIR/full');
	my $helper = $hook->helper_pid;
	send_one($hook, 'flying');
	touch("$hook->{dir}/full");
	posted($hook, map { "late-$_" } 1 .. 5);
	is spooled($hook), 5, '  and each of them is in the spool';
	$hook->soon(sub { said($hook, qr/queue\.db: disk full/) }, 'the log says why');
	posted($hook, 'late-6');
	forget("$hook->{dir}/full");
	all_answered($hook, 'first', 'flying', map { "late-$_" } 1 .. 6);
	is $hook->helper_pid, $helper, 'by the same helper';
	is said($hook, qr/nothing new is taken in/), 1, 'which said once that it was full';
	is said($hook, qr/can be written again/), 1, '  and once that it is over';
};

subtest 'a sync that fails' => sub {
	my $hook = installed(EIO => 'DIR/eio');
	my $helper = $hook->helper_pid;
	touch("$hook->{dir}/eio");
	posted($hook, 'second');
	$hook->wait_for(sub { !grep { $_ == $helper } $hook->helper_pids }, 'the helper leaves');
	is spooled($hook), 1, '  and what it was given is in the spool';
	$hook->soon(sub { said($hook, qr/queue\.db: cannot be synced/) }, '  and the log says why');
	posted($hook, map { "more-$_" } 1 .. 10);
	is spooled($hook), 11, 'what comes now is there, too';
	cmp_ok said($hook, qr/in a row died/), '<=', 4, 'who dies at the start is not started all the time';
	forget("$hook->{dir}/eio");
	my $n = lives($hook);
	$hook->soon(sub { post_word($hook, 'third'); lives($hook) > $n }, 'the next one lives');
	all_answered($hook, 'first', 'second', 'third', map { "more-$_" } 1 .. 10);
};

subtest 'read-only for a while' => sub {
	my $hook = installed(FROM => 'DIR/readonly', FAIL => 'pwrite:1:3:EROFS');
	my $helper = $hook->helper_pid;
	touch("$hook->{dir}/readonly");
	posted($hook, 'second', 'third');
	$hook->soon(sub { said($hook, qr/queue\.db: .*read-only/) }, 'the log says why');
	all_answered($hook, qw(first second third));
	is $hook->helper_pid, $helper, 'by the same helper';
};

subtest 'a damaged store' => sub {
	my $hook = installed();
	$hook->helper_stop;
	my $db = "$hook->{state}/queue.db";
	Children::output(['/usr/bin/sqlite3', $db, 'pragma wal_checkpoint(truncate)'],
	    log => "$hook->{dir}/sqlite3.log");
	my $good = slurp($db);
	WebServer::spill("$hook->{dir}/bad", substr($good, 0, 100) . 'x' x (length($good) - 100));
	rename "$hook->{dir}/bad", $db or die "rename: $!";
	posted($hook, map { "spooled-$_" } 1 .. 5);
	$hook->soon(sub { said($hook, qr/queue\.db: damaged: nothing was touched/) },
	    'the log names the file');
	is substr(slurp($db), 100) =~ tr/x//c, 0, '  and it was not touched';
	WebServer::spill("$hook->{dir}/good", $good);
	rename "$hook->{dir}/good", $db or die "rename: $!";
	my $n = lives($hook);
	$hook->soon(sub { post_word($hook, 'newer'); lives($hook) > $n },
	    'put right by hand, a helper lives');
	all_answered($hook, 'first', 'newer', map { "spooled-$_" } 1 .. 5);
};

sub copy_of {
	my ($hook, $to) = @_;
	my @sqlite3 = ('/usr/bin/sqlite3', '-readonly', "$hook->{state}/queue.db");
	Children::output([@sqlite3, "VACUUM INTO '$to'"],
	    log => "$hook->{dir}/copy.log");
	ok -s $to, 'a copy is made';
}

subtest 'the store is moved away under a living helper' => sub {
	my $hook = installed();
	my ($db, $old) = ("$hook->{state}/queue.db", "$hook->{dir}/old.db");
	$hook->graph_faults('error 190 to=7777');
	$hook->post($hook->delivery($hook->text_event(text => 'owed', psid => '7777')));
	$hook->soon(sub { grep { $_ eq 'ready' } states($hook) }, 'a reply is owed');
	rename $db, $old or die "rename: $!";
	my $told = qr/queue\.db: replaced or removed .*: 1 replies and 0 events were open/;
	$hook->soon(sub { said($hook, $told) }, 'what was open is said');
	$hook->soon(sub { lives($hook) == 2 }, 'a successor begins');
	$hook->graph_faults();
	posted($hook, 'second', 'third');
	all_answered($hook, qw(first second third));
	$hook->helper_stop;
	forget($_) for grep { -e } "$db-wal", "$db-shm";
	rename $old, $db or die "rename: $!";
	is join(' ', states($hook)), 'sent ready', 'what was moved away is whole without its log';
};

subtest 'only its log is removed' => sub {
	my $hook = installed();
	$hook->graph_faults('error 190 to=7777');
	$hook->post($hook->delivery($hook->text_event(text => 'owed', psid => '7777')));
	$hook->soon(sub { grep { $_ eq 'ready' } states($hook) }, 'a reply is owed');
	forget("$hook->{state}/queue.db-wal");
	$hook->soon(sub { lives($hook) == 2 }, 'a successor begins');
	$hook->graph_faults();
	$hook->soon(sub { !grep { $_ ne 'sent' } states($hook) }, '  which owes what was owed');
	posted($hook, 'second');
	all_answered($hook, qw(first owed second));
};

subtest 'an older copy is put in its place' => sub {
	my $hook = installed();
	my ($db, $copy) = ("$hook->{state}/queue.db", "$hook->{dir}/copy.db");
	$hook->graph_faults('error 4');
	posted($hook, 'second');
	$hook->soon(sub { grep { $_ eq 'ready' } states($hook) }, 'a reply is owed');
	$hook->helper_stop;
	copy_of($hook, $copy);
	$hook->graph_faults();
	posted($hook, 'third');
	all_answered($hook, qw(first second third));
	$hook->helper_stop;
	forget($_) for grep { -e } "$db-wal", "$db-shm";
	rename $copy, $db or die "rename: $!";
	posted($hook, 'fourth');
	$hook->soon(sub { said($hook, qr/older or new: 1 replies open in it are held/) }, 'the log says so');
	$hook->soon(sub { grep { $_ eq 'fourth' } texts($hook) }, 'what comes now is answered');
	$hook->soon(sub { join(' ', states($hook)) eq 'sent held sent' }, '  what had been owed is held');
	is scalar(grep { $_ eq 'second' } texts($hook)), 1, '  and was not sent twice';
	is order($hook, qw(retry r2)) >> 8, 64, 'who wants it all the same must say so';
	is order($hook, qw(retry -y r2)), 0, 'a person may decide otherwise';
	$hook->soon(sub { 2 == grep { $_ eq 'second' } texts($hook) }, '  then it is sent');
	$hook->helper_stop;
	posted($hook, 'fifth');
	$hook->soon(sub { grep { $_ eq 'fifth' } texts($hook) }, 'the next helper');
	is said($hook, qr/older or new/), 1, '  has nothing to object';
};

# A small disk is the state directory.
sub mounted {
	my ($size) = @_;
	my $hook = Pagehook->new(PAGEHOOK_UNSURE => 'resend', speed => 10);
	log_elsewhere($hook);
	mkdir $hook->{state}, 0700 or die "mkdir: $!";
	my @mount = ('mount', '-t', 'tmpfs', '-o', "size=$size,mode=0700", 'tmpfs', $hook->{state});
	system(@mount) == 0 or die "@mount";
	$hook->serve('lighttpd-fcgi');
	$hook->graph;
	posted($hook, 'first');
	all_answered($hook, 'first');
	return $hook;
}

sub unmount {
	my ($hook) = @_;
	$hook->stop;
	system('umount', $hook->{state}) == 0 or die 'umount';
}

sub unique { my %n = map { ($_ => 1) } @_; return sort keys %n }

# Until not a byte more can be written; then so many can.
sub fill {
	my ($hook, $left) = @_;
	open my $f, '>>', "$hook->{state}/filler" or die "filler: $!";
	for (my $n = 1 << 20; $n > 0; ) {
		my $wrote = syswrite $f, "\0" x $n;
		$n = int($n / 2) if !defined $wrote || $wrote < $n;
	}
	truncate $f, (-s $f) - ($left // 0) or die "truncate: $!";
	close $f;
}

sub room {
	my ($hook) = @_;
	my ($out) = Children::output(['df', '--block-size=1', '--output=avail', $hook->{state}]);
	return $out =~ /(\d+)\s*\z/ ? $1 : die "df: $out";
}

subtest 'a full disk, and room again' => sub {
	plan skip_all => $no_mounts if $no_mounts;
	my $hook = mounted('32m');
	ok -s "$hook->{state}/ballast", 'there is ballast';
	send_one($hook, 'flying');
	$hook->graph_faults('delay 1500 times=1', 'error 1200 text=You said: refused');
	posted($hook, 'refused');
	$hook->soon(sub { order($hook, qw(hold r3)) == 0 }, 'a reply that was refused for now is held');
	fill($hook);
	my %status = map { ($_ => post_word($hook, $_, 200_000)) } map { "big-$_" } 1 .. 20;
	is_deeply [ unique(values %status) ], [ 200, 503 ], 'there is room for some in the spool, not for all';
	$hook->soon(sub { (states($hook))[1] eq 'sent' },
	    'what was under way is settled while the disk is full');
	ok !-e "$hook->{state}/ballast", '  by the room that the ballast gave';
	cmp_ok room($hook), '>', 1 << 20, '  of which there is some left';
	fill($hook, 500_000);
	$hook->graph_faults();
	is order($hook, qw(release r3)), 0, '  enough to release a reply';
	my $due = "select due from reply where id=3 and state='ready'";
	$hook->soon(sub { ((rows($hook, $due))[0] // 9e15) < 1000 * (time - 2) },
	    '  but nothing is claimed that could not be noted');
	is join(' ', map { $status{$_} = post_word($hook, $_) } qw(more-1 more-2)), '503 503',
	    '  and Meta keeps what comes';
	my @kept = grep { $status{$_} == 200 } keys %status;
	my ($n_events) = rows($hook, 'select count(*) from event');
	is $n_events - 3 + spooled($hook), scalar @kept, 'each 200 is a row or a file in the spool';
	forget("$hook->{state}/filler");
	$hook->soon(sub { -s "$hook->{state}/ballast" }, 'there is ballast again');
	posted($hook, grep { $status{$_} == 503 } keys %status);
	all_answered($hook, qw(first flying refused), keys %status);
	is lives($hook), 1, 'all by one helper';
	unmount($hook);
};

subtest 'a disk that is full when the helper starts' => sub {
	plan skip_all => $no_mounts if $no_mounts;
	my $hook = mounted('32m');
	$hook->helper_stop;
	fill($hook);
	posted($hook, 'second');
	ok !-e "$hook->{state}/ballast", '  by the room that the ballast gave';
	fill($hook);
	is post_word($hook, 'third'), 503, 'without any room it is Meta that keeps it';
	forget("$hook->{state}/filler");
	$hook->soon(sub { post_word($hook, 'third') == 200 }, 'once there is room it is taken');
	all_answered($hook, qw(first second third));
	unmount($hook);
};

subtest 'a directory that is read-only when the helper starts' => sub {
	plan skip_all => $no_mounts if $no_mounts;
	my $hook = mounted('32m');
	$hook->helper_stop;
	my $remount = sub {
		system('mount', '-o', "remount,bind,$_[0]", $hook->{state}) == 0 or die "remount: $_[0]";
	};
	$remount->('ro');
	is post_word($hook, 'second'), 503, 'it is Meta that keeps it';
	$hook->soon(sub { said($hook, qr/Read-only file system/) }, '  and the log says why');
	$remount->('rw');
	my $n = lives($hook);
	$hook->soon(sub { post_word($hook, 'second') == 200 && lives($hook) > $n },
	    'once it can be written it is taken');
	all_answered($hook, qw(first second));
	unmount($hook);
};
done_testing;
