package Talk;
# Talk -- what persons say to the bot and what they get; and the replies file that makes it answer.
# Knows Pagehook, the Send API's messages, handlers' files.  Does not know settings or servers.
# Called by tests/*.t, always about a $hook and mostly about one person by psid.
# Lives in the installation's directory: replies/ there holds the file and its handlers.
# SPDX-License-Identifier: ISC
use strict;
use warnings;
use Children;
use Exporter qw(import);
use File::Basename qw(basename);
use Pagehook;
use Test::More ();
use WebServer;

our @EXPORT = qw(replies_file replies_are handler gate open_gate keep writes writes_at_once does
    calls_to acts_to bodies_to texts_to hears is_silent_for rows_of said lives slurp);

sub slurp {
	my ($file) = @_;
	open my $f, '<:raw', $file or die "$file: $!";
	local $/;
	return <$f>;
}

# The replies file.

sub directory { my ($hook) = @_; mkdir "$hook->{dir}/replies"; return "$hook->{dir}/replies" }
sub replies_file { my ($hook, $name) = @_; return directory($hook) . '/' . ($name // 'replies.json') }

# An edit as editors make it.  Entries as JSON, each without its braces; or one text, the file as it
# is to stand.
sub replies_are {
	my ($hook, @entries) = @_;
	my $file = replies_file($hook, ref $entries[0] ? ${shift @entries} : undef);
	my $text = @entries == 1 && $entries[0] =~ m{replies|^//|^$} ? $entries[0] :
	    '{ "replies": [' . join(",\n", map { "{ $_ }" } @entries) . "] }\n";
	WebServer::spill("$file.new", $text);
	rename "$file.new", $file or die "$file: $!";
	return $file;
}

# A program beside it: a text, or a file of the tree to copy.
sub handler {
	my ($hook, $from, $text) = @_;
	my $file = directory($hook) . '/' . basename($from);
	WebServer::spill($file, $text // slurp($from));
	chmod 0755, $file or die "$file: $!";
	return $file;
}

# Where a handler waits: it reads a word there, and so gets no further until the test opens it.
sub gate {
	my ($hook, $name) = @_;
	my $fifo = directory($hook) . "/$name";
	POSIX::mkfifo($fifo, 0600) or die "$fifo: $!";
	return $fifo;
}

# Returns once somebody waits there.
sub open_gate {
	my ($fifo, $word) = @_;
	my $opened = Children::within(20, sub {
		open my $f, '>', $fifo or die "$fifo: $!";
		print $f "$word\n";
		close $f;
	});
	die "nobody waits at $fifo\n" if !$opened;
}

# Persons.

sub keep {
	my ($hook, @events) = @_;
	my $got = $hook->post($hook->delivery(@events));
	die "a POST was answered $got->{status}\n" if $got->{status} != 200;
}

# Says these texts, each in a POST of its own.
sub writes {
	my ($hook, $psid, @texts) = @_;
	keep($hook, $hook->text_event(psid => $psid, text => $_)) for @texts;
}

# Says them all in one POST, a millisecond apart.
sub writes_at_once {
	my ($hook, $psid, @texts) = @_;
	my $ago = int(1000 * Time::HiRes::time()) - @texts;
	keep($hook, map { $hook->text_event(psid => $psid, text => $texts[$_], ts => $ago + $_) } 0 .. $#texts);
}

# Does something else: message, postback ... as Meta has them.
sub does {
	my ($hook, $psid, $kind, $what, %o) = @_;
	my %mid = $kind eq 'message' ? (mid => Pagehook::new_mid()) : ();
	keep($hook, $hook->event(psid => $psid, $kind => { %mid, %$what }, %o));
}

# What they get.

sub calls_to {
	my ($hook, $psid) = @_;
	return $hook->asked_graph(qr/"to":"\Q$psid\E"/);
}

sub acts_to { my ($hook, $psid) = @_; return map { $_->{action} // () } calls_to($hook, $psid) }

# Taken by Graph, as the person sees them.
sub messages_to {
	my ($hook, $psid) = @_;
	return grep { $_->{outcome} eq 'sent' } $hook->sent(qr/"to":"\Q$psid\E"/);
}

sub texts_to { return map { $_->{text} // '' } messages_to(@_) }

sub bodies_to {
	return map { my %body = %{$_->{body}}; delete $body{metadata}; \%body } messages_to(@_);
}

# A test: these are this person's messages, and they come soon.
sub hears {
	my ($hook, $psid, $wanted, $name, $patience_s) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	my ($n, @got) = scalar @$wanted;
	eval { $hook->wait_for(sub { (@got = texts_to($hook, $psid)) >= $n }, $name, $patience_s) };
	return Test::More::is_deeply(\@got, $wanted, $name);
}

# A test: nothing more was said to this person, though an event that came later has been answered.
# The bot answers "the bell" to anybody.
sub is_silent_for {
	my ($hook, $psid, $wanted, $name) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	my $other = '8' . ++$hook->{n_bells};
	writes($hook, $other, 'the bell');
	eval { $hook->wait_for(sub { texts_to($hook, $other) }, 'the bell is heard') } or
	    return Test::More::fail("$name: the bell was not heard");
	return Test::More::is_deeply([ texts_to($hook, $psid) ], $wanted, $name);
}

# Looking.

sub rows_of {
	my ($hook, $psid, $what) = @_;
	return $hook->store("select $what.id, $what.state, $what.why from $what join conv on $what.conv = conv.id
	    where conv.person = '$psid' order by $what.id");
}

# How often a helper began to live here: one that becomes its own successor keeps its pid.
sub lives { my ($hook) = @_; return scalar(my @all = $hook->log(qr/"what":"pid \d+ listens"/)) }

# Log lines that say so.
sub said {
	my ($hook, $words) = @_;
	return grep { grep { !ref && /$words/ } values %$_ } $hook->log;
}

1;
