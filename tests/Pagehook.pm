package Pagehook;
# Pagehook -- one installation in a directory of its own, and Graph's stand-in; the test is Meta.
# Knows settings, deliveries, the ledger of the stand-in, the store.  Does not know web servers.
# Called by tests/*.t and tests/run.
# Lives as long as its object; stop ends the server, the stand-in and the helper, by pid.
# SPDX-License-Identifier: ISC
use strict;
use warnings;
use Children;
use Cwd qw(abs_path);
use Digest::SHA qw(hmac_sha256_hex);
use File::Basename qw(dirname);
use File::Temp;
use JSON::PP;
use Scalar::Util qw(refaddr weaken);
use Test::More ();
use Time::HiRes qw(sleep time);
use WebServer;

my $top = dirname(dirname(abs_path(__FILE__)));
my $build = abs_path($ENV{PH_BUILD} // "$top/build/test") // die "PH_BUILD: no such directory\n";
my $json = JSON::PP->new->utf8->ascii->canonical;	# as Meta writes it
my $n_mids = 0;
my %open;		# by the process that opened it

END { Children::at_end(sub { $_ && $_->stop for values %{$open{$$}} }) }

sub top { return $top }
sub program { return "$build/$_[-1]" }

# Why a test that needs these programs cannot run here.
sub missing {
	my (undef, @needed) = @_;
	my @path = split /:/, "$ENV{PATH}:/usr/sbin";
	my ($absent) = grep { my $name = $_; !grep { -x "$_/$name" } @path } @needed;
	return $absent && "$absent not installed";
}

# Settings by name; undef takes one away.  dir: where it lives, else a temporary directory.
# speed: by how much the helper's waits are shortened.
sub new {
	my ($class, %settings) = @_;
	my ($dir, $speed) = delete @settings{qw(dir speed)};
	my $self = bless { graph_port => WebServer::free_port() }, $class;
	$self->{temp} = File::Temp->newdir('pagehook-XXXXXXXX', TMPDIR => 1) if !$dir;
	$self->{dir} = $dir // "$self->{temp}";
	$self->{state} = "$self->{dir}/state";
	my $helper = $self->helper_with(PH_TEST_SPEED => $speed // $ENV{PH_TEST_SPEED},
	    map { ($_ => $ENV{$_}) } qw(ASAN_OPTIONS UBSAN_OPTIONS));
	$self->{settings} = {
		MESSENGER_VERIFY_TOKEN => 'a-verify-token',
		MESSENGER_APP_SECRET => 'an-app-secret',
		MESSENGER_PAGE_ID => '9001',
		MESSENGER_PAGE_ACCESS_TOKEN => 'a-page-access-token',
		MESSENGER_GRAPH_CA => "$self->{dir}/ca.pem",
		PAGEHOOK_STATE => $self->{state},
		PAGEHOOK_HELPER => $helper,
		%settings,
	};
	$self->configure;
	$self->{owner} = $$;
	weaken($open{$$}{refaddr $self} = $self);
	return $self;
}

# Another installation that sends to the same stand-in for Graph.
sub beside {
	my ($graph, %settings) = @_;
	my $self = Pagehook->new(MESSENGER_GRAPH_URL => "https://127.0.0.1:$graph->{graph_port}",
	    MESSENGER_GRAPH_CA => "$graph->{dir}/ca.pem", %settings);
	$self->{ledger} = "$graph->{dir}/ledger";
	return $self;
}

# FastCGI servers hand the front no environment, so what the helper needs of it stands in a script.
# The next helper gets this too; undef takes one away.
sub helper_with {
	my ($self, %env) = @_;
	%env = %{$self->{helper_env} = { %{$self->{helper_env} // {}}, %env }};
	my @names = grep { defined $env{$_} } sort keys %env or return program('pagehook');
	my $file = "$self->{dir}/helper.sh";
	my @exports = map { "export $_=\"\${$_-$env{$_}}\"" } @names;
	my $exec = "exec '" . program('pagehook') . "' \"\$@\"";
	WebServer::spill("$file.new", join "\n", '#!/bin/sh', @exports, $exec, '');
	chmod 0755, "$file.new";
	rename "$file.new", $file or die "rename: $!";
	return $file;
}

# What puts the shim into a program's environment, with these orders (tests/shim/shim.c) and no others.
sub shim {
	my ($self, %orders) = @_;
	$self->{shim} //= WebServer::without_blanks($self, program('shim.so'));
	my %none = map { ("PH_SHIM_$_" => undef) } qw(ONLY FROM KILL_AT KILLED COUNT FAIL DIR FULL EIO);
	return (%none, LD_PRELOAD => $self->{shim}, map { ("PH_SHIM_$_" => $orders{$_}) } keys %orders);
}

# Writes the settings file, with these changes.
sub configure {
	my ($self, %change) = @_;
	my $settings = $self->{settings} = { %{$self->{settings}}, %change };
	my %all = (MESSENGER_GRAPH_URL => "https://127.0.0.1:$self->{graph_port}", %$settings);
	umask 077;
	WebServer::spill("$self->{dir}/new.conf",
	    join '', map { defined $all{$_} ? "$_=$all{$_}\n" : () } sort keys %all);
	rename "$self->{dir}/new.conf", $self->conf or die "rename: $!";
}

sub conf { return "$_[0]{dir}/pagehook.conf" }
sub setting { return $_[0]{settings}{$_[1]} }

# What every program of this installation gets for an environment.
sub env {
	my ($self) = @_;
	my @given = grep { defined $ENV{$_} } qw(PATH LANG TZ TMPDIR ASAN_OPTIONS UBSAN_OPTIONS);
	return { PAGEHOOK_CONFIG => $self->conf, map { ($_ => $ENV{$_}) } @given };
}

# Starts Graph's stand-in with these GRAPH_ variables besides the usual ones.
sub graph {
	my ($self, %env) = @_;
	my ($dir, $set) = ($self->{dir}, $self->{settings});
	my $server = bless { env => {
		%{$self->env},
		GRAPH_LEDGER => "$dir/ledger",
		GRAPH_CONTROL => "$dir/faults",
		GRAPH_PAGE => $set->{MESSENGER_PAGE_ID},
		GRAPH_TOKEN => $set->{MESSENGER_PAGE_ACCESS_TOKEN},
		GRAPH_SECRET => $set->{MESSENGER_APP_SECRET},
		GRAPH_APP_ID => '5001',
		%env,
	} }, 'WebServer';
	my $bin = $server->without_blanks(program('graph.fcgi'));
	$self->graph_listens($server, sub {
		WebServer::fill("$top/tests/graph/lighttpd.conf.in", "$dir/graph.conf", dir => $dir,
		    port => $server->{port}, bin => $bin);
	}, '/usr/sbin/lighttpd', '-D', '-f', "$dir/graph.conf");
}

# Starts the one that is made by hand instead, for faults of the connection itself.
sub graph_raw {
	my ($self) = @_;
	my $server = bless { env => $self->env }, 'WebServer';
	$self->graph_listens($server, sub { WebServer::spill("$self->{dir}/raw.port", $server->{port}) },
	    '/usr/bin/python3', "$top/tests/graph/raw.py", $self->{dir});
}

sub graph_listens {
	my ($self, $server, $configure, @argv) = @_;
	make_ca($self->{dir}) if !-e "$self->{dir}/ca.pem";
	@$server{qw(dir port)} = ($self->{dir}, $self->{graph_port});
	$server->listen_on($configure, @argv);
	$self->{graph} = $server;
	return if $server->{port} == $self->{graph_port};
	$self->{graph_port} = $server->{port};
	$self->configure;
}

# Who vouches for Graph, and Graph's certificates, bad ones too if they are named.
sub make_ca {
	my ($dir, @bad) = @_;
	my (undef, $status) = Children::output(["$top/tests/graph/make-ca", $dir, @bad]);
	die "no certificate: is openssl installed?" if $status;
}

sub graph_stop { my $graph = delete $_[0]{graph}; $graph->stop if $graph }

# What Graph shall do wrong from now on: lines as tests/graph/faults.h has them.
sub graph_faults {
	my ($self, @lines) = @_;
	WebServer::spill("$self->{dir}/faults.new", join '', map { "$_\n" } @lines);
	rename "$self->{dir}/faults.new", "$self->{dir}/faults" or die "rename: $!";
}

# What Graph got, in the order of arrival: every call but a look at the Page; the messages alone.
# like: only lines that match, which saves reading all the others.
sub asked_graph { return lines_of($_[0]{ledger} // "$_[0]{dir}/ledger", $_[1]) }
sub sent {
	my ($self, $like) = @_;
	return grep { ($_->{call} // '') eq 'messages' && !defined $_->{action} } $self->asked_graph($like);
}

sub log { return lines_of("$_[0]{state}/pagehook.log", $_[1]) }

sub lines_of {
	my ($file, $like) = @_;
	open my $f, '<', $file or return;
	return map { /\n\z/ && (!$like || /$like/) ? $json->decode($_) : () } <$f>;
}

# Serves the front in this way; further options are WebServer's.
sub serve {
	my ($self, $kind, %o) = @_;
	my $dir = "$self->{dir}/$kind";
	mkdir $dir;
	return $self->{server} = WebServer->start(kind => $kind, dir => $dir, env => $self->env,
	    front => program('pagehook.fcgi'), %o);
}

sub request { my $self = shift; return $self->{server}->request(@_) }

# Meta's side.

sub handshake {
	my ($self, $challenge, $token) = @_;
	my $query = join '&', 'hub.mode=subscribe', "hub.challenge=$challenge",
	    'hub.verify_token=' . ($token // $self->{settings}{MESSENGER_VERIFY_TOKEN});
	return $self->request('GET', $query);
}

sub sign {
	my ($self, $body, $secret) = @_;
	$secret //= $self->setting('MESSENGER_APP_SECRET');
	return 'sha256=' . hmac_sha256_hex($body, $secret);
}

sub signed {
	my ($self, $body) = @_;
	return ('Content-Type' => 'application/json', 'X-Hub-Signature-256' => $self->sign($body));
}

sub post {
	my ($self, $body, %headers) = @_;
	return $self->request('POST', undef, $body, $self->signed($body), %headers);
}

# The same signed body on n connections: all of it but the last byte first, then all last bytes.
sub post_at_once {
	my ($self, $n, $body) = @_;
	my $server = $self->{server};
	my @sockets = map { $server->connect } 1 .. $n;
	my @but_one = (substr($body, 0, -1), $self->signed($body), ':length' => length $body);
	$server->send($_, 'POST', undef, @but_one) for @sockets;
	syswrite $_, substr $body, -1 for @sockets;
	return map { WebServer::receive($_) } @sockets;
}

# One event; message, postback ... as Meta has them.  ts: ms, now if not said.
sub event {
	my ($self, %o) = @_;
	my ($psid, $ts) = delete @o{qw(psid ts)};
	return { sender => { id => $psid // '7001' }, timestamp => int($ts // time * 1000),
	    recipient => { id => $self->setting('MESSENGER_PAGE_ID') }, %o };
}

sub new_mid { return "m_$$." . ++$n_mids }

sub text_event {
	my ($self, %o) = @_;
	my $mid = delete $o{mid} // new_mid();
	return $self->event(message => { mid => $mid, text => delete $o{text} // 'hello' }, %o);
}

# The body of a POST that brings these events, or these entries.
sub delivery {
	my ($self, @events) = @_;
	return $self->envelope({ messaging => \@events });
}

sub envelope {
	my ($self, @entries) = @_;
	my %head = (id => $self->setting('MESSENGER_PAGE_ID'), time => int(time * 1000));
	return $json->encode({ object => 'page', entry => [ map { { %head, %$_ } } @entries ] });
}

# Looking.

# Rows of the store, read without touching it; none while there is no store.
sub store {
	my ($self, $sql) = @_;
	return if !-e "$self->{state}/queue.db";
	my @sqlite3 = ('/usr/bin/sqlite3', '-readonly', '-json', '-cmd', '.timeout 5000');
	my $rows = Children::output([@sqlite3, "$self->{state}/queue.db", $sql],
	    log => "$self->{dir}/sqlite3.log");
	return @{$json->decode($rows || '[]')};
}

# Whether at least n replies were made, and neither they nor an event wait for anything.
sub owes_nothing {
	my ($self, $n) = @_;
	my ($row) = $self->store("select (select count(*) from event where state in ('kept','asked')) open,
	    count(*) made, coalesce(sum(state in ('sent','held','dead')), 0) over from reply");
	return $row && !$row->{open} && $row->{made} >= $n && $row->{made} == $row->{over};
}

# Waits until the condition holds and returns its value; dies when it never does.
sub wait_for {
	my ($self, $true, $what, $patience_s) = @_;
	for (my $until = time + ($patience_s // 20); time < $until; sleep 0.01) {
		my $value = $true->();
		return $value if $value;
	}
	die "waited in vain: $what\n";
}

# A test: this comes true within the patience of wait_for.
sub soon {
	my ($self, $true, $name, $patience_s) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	return Test::More::ok(eval { $self->wait_for($true, $name, $patience_s) }, $name);
}

# The helper that holds this state directory, and any that is on its way there.
sub helper_pids {
	my ($self) = @_;
	return helpers_of($self->{settings}{PAGEHOOK_STATE});
}

sub helpers_of {
	my ($state) = @_;
	my $inode = (stat "$state/helper.lock")[1] // 0;
	open my $locks, '<', '/proc/locks' or die "/proc/locks: $!";
	my %holds = map { /FLOCK +ADVISORY +WRITE +(\d+) \S+:$inode / ? ($1 => 1) : () } <$locks>;
	return grep {
		((Children::argv_of($_))[1] // '') eq 'helper' &&
		    ((Children::stat_of($_))[0] // 'Z') ne 'Z' &&
		    ($holds{$_} || (readlink "/proc/$_/cwd" // '') eq $state);
	} Children::pids();
}

sub helper_pid {
	my ($self) = @_;
	return $self->wait_for(sub { ($self->helper_pids)[0] }, 'a helper runs');
}

sub helper_stop { my ($self) = @_; end_helpers($self->{settings}{PAGEHOOK_STATE}) }

# TERM once, then as long as a helper may take to settle what is in flight, and some more.
sub end_helpers {
	my ($state) = @_;
	my %told;
	for (my $until = time + 15; my @pids = helpers_of($state); sleep 0.01) {
		kill 'TERM', grep { !$told{$_}++ } @pids;
		next if time < $until;
		print STDERR "# killed, for TERM did not end it: the helper of $state\n";
		kill 'KILL', @pids;
	}
}

sub stop {
	my ($self) = @_;
	$self->tell if $self->{server} && !Test::More->builder->is_passing;
	(delete $self->{server})->stop if $self->{server};
	$self->helper_stop;
	$self->graph_stop;
	delete $open{$$}{refaddr $self};
}

# What the log said last.
sub log_end {
	my ($self, $n) = @_;
	open my $f, '<', "$self->{state}/pagehook.log" or return;
	my @lines = map { "  $_" } <$f>;
	splice @lines, 0, -$n if @lines > $n;
	return @lines;
}

# After a failure.
sub tell {
	my ($self) = @_;
	Test::More::diag("last lines of pagehook.log:\n", $self->log_end(15));
	Test::More::diag($self->{server}->logs);
}

sub DESTROY { my ($self) = @_; local ($?, $@, $!); $self->stop if $$ == $self->{owner} }

1;
