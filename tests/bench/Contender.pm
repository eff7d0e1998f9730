package Contender;
# Contender -- who is measured: pagehook in each of its ways, and what it is measured beside.
# Knows how each is started and asked whether it does its work.  Does not know loads or goals.
# Called by bench and Cost.
# Lives from start to stop in a directory of its own, with a state of its own.
# SPDX-License-Identifier: ISC
use strict;
use warnings;
use Children;
use File::Basename qw(dirname);
use File::Copy qw(copy);
use JSON::PP;
use Load;
use Pagehook;
use WebServer;

my @eight = ('export PAGEHOOK_THREADS=1', 'exec 3<&0', 'for i in 1 2 3 4 5 6 7 8; do',
    '"@program@" <&3 3<&- & pids="$pids $!"; done', 'trap "kill $pids" TERM', 'wait', 'wait');

# name => [ what it is, how it starts ]
my %who = (
	pagehook => [ 'pagehook, lighttpd', sub { $_[0]->pagehook('lighttpd-fcgi') } ],
	eight => [ 'pagehook, lighttpd, eight processes of one thread', sub {
		$_[0]->pagehook('lighttpd-fcgi', \@eight) } ],
	fcgid => [ 'pagehook, Apache mod_fcgid', sub { $_[0]->pagehook('apache-fcgid') } ],
	proxy => [ 'pagehook, Apache mod_proxy_fcgi', sub { $_[0]->pagehook('apache-proxy-fcgi') } ],
	cgi => [ 'pagehook, lighttpd mod_cgi', sub { $_[0]->pagehook('lighttpd-cgi') } ],
	null => [ 'null responder, 16 threads', sub {
		$_[0]->null('lighttpd-fcgi', 'NULL_THREADS=16') } ],
	tuned => [ 'null responder, one thread, no wait at close', sub {
		$_[0]->null('lighttpd-fcgi', 'LIBFCGI_OS_CLOSE_POLL_TIMEOUT=0') } ],
	synced => [ 'null responder and one fdatasync', sub {
		$_[0]->null('lighttpd-fcgi', 'LIBFCGI_OS_CLOSE_POLL_TIMEOUT=0',
		    "NULL_FILE=$_[0]{dir}/kept") } ],
	null_fcgid => [ 'null responder, mod_fcgid', sub { $_[0]->null('apache-fcgid') } ],
	null_proxy => [ 'null responder, mod_proxy_fcgi', sub {
		$_[0]->null('apache-proxy-fcgi', 'NULL_THREADS=16') } ],
	hmac => [ 'minimal C program with HMAC', sub {
		WebServer::spill("$_[0]{dir}/secret", $Load::Secret);
		$_[0]->serve('lighttpd-cgi', Pagehook->program('bench/hmac'), "$_[0]{dir}/secret") } ],
	express => [ 'Express, keeps nothing', sub { $_[0]->express } ],
	webhook => [ 'adnanh/webhook, runs /bin/true', sub { $_[0]->webhook } ],
	replying => [ 'pagehook', sub { $_[0]->graph; $_[0]->pagehook('lighttpd-fcgi') } ],
	fetching => [ 'Express with fetch', sub { $_[0]->graph; $_[0]->express(
	    GRAPH => "https://127.0.0.1:$_[0]{hook}{graph_port}", PAGES => "$_[0]{hook}{dir}/pages.json",
	    NODE_EXTRA_CA_CERTS => "$_[0]{hook}{dir}/ca.pem") } ],
	owing => [ 'pagehook', sub { $_[0]->owing } ],
	loop => [ 'bare libcurl multi loop', sub { $_[0]->graph } ],
	big => [ 'pagehook', sub { $_[0]->owing } ],
	small => [ 'an empty store', sub { $_[0]->owing } ],
);

sub says { return $who{$_[-1]}[0] }

# store: a database to begin with; beside: a file that is only copied; front: lines of a script that runs @program@ as the front.
sub start {
	my ($class, $name, %o) = @_;
	my $self = bless { name => $name, %o }, $class;
	$self->{temp} = File::Temp->newdir('pagehook-XXXXXXXX', TMPDIR => 1);
	$self->{dir} = "$self->{temp}";
	$self->{hook} = Pagehook->new;
	$self->begin_with($o{store}) if $o{store};
	$who{$name}[1]->($self);
	return $self;
}

sub begin_with {
	my ($self, $store) = @_;
	my $state = $self->{hook}{state};
	mkdir $state, 0700 or die "$state: $!\n";
	system('cp', '--reflink=auto', $store, "$state/queue.db") == 0 or die "cannot copy $store\n";
	chmod 0600, "$state/queue.db";
	return if !$self->{beside};		# a disk that was given less to do before is a faster one
	system('cp', $self->{beside}, "$self->{dir}/beside") == 0 or die "cannot copy $self->{beside}\n";
}

sub stop {
	my ($self) = @_;
	(delete $self->{server})->stop if $self->{server};
	$self->{hook}->stop;
}

sub url { my ($self) = @_; return $self->{server}->url }

# Asks once whether it does its work: who takes what is not signed is no match.
sub prove {
	my ($self, $i) = @_;
	my $body = Load::body('silent', $i);
	my $got = $self->post($body);
	die "$self->{name} answered $got->{status} $got->{body}\n" . $self->{server}->logs
	    if $got->{status} != 200 || $got->{body} !~ /EVENT_RECEIVED/;
	return if $self->{name} =~ /null|tuned|synced/;
	$got = $self->{server}->request('POST', undef, $body, 'Content-Type' => 'application/json',
	    'X-Hub-Signature-256' => Load::signature("$body "));
	die "$self->{name} takes a forged body\n" if $got->{body} =~ /EVENT_RECEIVED/;
}

sub post {
	my ($self, $body) = @_;
	return $self->{server}->request('POST', undef, $body, Load::headers($body));
}

sub token { return "token-of-$_[-1]" }

# The Pages and the stand-in that knows them.
sub graph {
	my ($self) = @_;
	my $hook = $self->{hook};
	my %pages = map { ($_ => { access_token => token($_) }) } @Load::Pages;
	umask 077;
	WebServer::spill("$hook->{dir}/pages.json", encode_json(\%pages));
	$self->{settings} = { MESSENGER_PAGES => "$hook->{dir}/pages.json",
	    MESSENGER_PAGE_ID => undef, MESSENGER_PAGE_ACCESS_TOKEN => undef };
	$hook->graph(GRAPH_PAGE => join(',', @Load::Pages),
	    GRAPH_TOKEN => join(',', map { token($_) } @Load::Pages));
	$hook->configure(%{$self->{settings}});
}

# One whose replies wait until it may speak.
sub owing {
	my ($self) = @_;
	$self->graph;
	$self->silence;
	$self->pagehook('lighttpd-fcgi');
}

# n messages by the bare loop.
sub send_bare {
	my ($self, $n) = @_;
	my ($hook, $page) = ($self->{hook}, $Load::Pages[0]);
	my $url = "https://127.0.0.1:$hook->{graph_port}/v25.0/$page/messages";
	my @loop = (Pagehook->program('bench/loop'), $url, "$hook->{dir}/ca.pem", token($page));
	my (undef, $status) = Children::output([@loop, $Load::Secret, $n]);
	die "the bare loop failed\n" if $status;
}

# Without Pages replies are owed, and wait; with them they go.
sub silence {
	my ($self) = @_;
	$self->{hook}->configure(%{$self->{settings}}, MESSENGER_PAGES => undef);
}

sub speak {
	my ($self) = @_;
	$self->{hook}->helper_stop;
	$self->{hook}->configure(%{$self->{settings}});
	$self->{hook}->handshake('1');		# starts a helper
}

sub program_by {
	my ($self, $name, $program, @lines) = @_;
	my $script = join "\n", '#!/bin/sh', @lines, '';
	WebServer::spill("$self->{dir}/$name", $script =~ s/\@program\@/$program/r);
	chmod 0755, "$self->{dir}/$name";
	return "$self->{dir}/$name";
}

sub pagehook {
	my ($self, $kind, $lines) = @_;
	my $front = Pagehook->program('pagehook.fcgi');
	$lines //= $self->{front};
	$front = $self->program_by('front.sh', $front, @$lines) if $lines;
	$self->serve($kind, $front, $self->{hook}->conf);
	$self->{hook}{server} = $self->{server};
}

sub null {
	my ($self, $kind, @env) = @_;
	my @lines = ((map { "export $_" } @env), 'exec "@program@"');
	my $null = $self->program_by('null.sh', Pagehook->program('bench/null'), @lines);
	$self->serve($kind, $null, '/dev/null');
}

sub serve {
	my ($self, $kind, $front, $conf) = @_;
	my %env = (PATH => $ENV{PATH}, PAGEHOOK_CONFIG => $conf);
	$self->{server} = WebServer->start(kind => $kind, dir => $self->{dir}, env => \%env,
	    front => $front);
}

# A program that listens by itself, on the port in its environment.
sub listen_by {
	my ($self, $command, %env) = @_;
	my $server = $self->{server} = bless { dir => $self->{dir}, path => $Load::Path,
	    env => { PATH => $ENV{PATH}, %env } }, 'WebServer';
	$server->listen_on(sub { $_[0]{env}{PORT} = $_[0]{port} }, '/bin/sh', '-c', "exec $command");
}

sub express {
	my ($self, %env) = @_;
	$self->listen_by('node ' . dirname(__FILE__) . '/express.js', SECRET => $Load::Secret,
	    NODE_PATH => '/usr/share/nodejs', NODE_ENV => 'production', %env);
}

sub webhook {
	my ($self) = @_;
	my %signed = (type => 'payload-hmac-sha256', secret => $Load::Secret,
	    parameter => { source => 'header', name => 'X-Hub-Signature-256' });
	my %hook = (id => 'webhook', 'execute-command' => '/bin/true',
	    'response-message' => 'EVENT_RECEIVED', 'trigger-rule' => { match => \%signed });
	WebServer::spill("$self->{dir}/hooks.json", encode_json([\%hook]));
	$self->listen_by("webhook -hooks $self->{dir}/hooks.json -ip 127.0.0.1 -port \$PORT " .
	    '-urlprefix messenger');
}

# The front that lighttpd started.
sub front_pid {
	my ($self) = @_;
	my ($pid) = grep { ((Children::stat_of($_))[1] // 0) == $self->{server}{pid} } Children::pids();
	return $pid;
}

# Resident MiB of a process, and its descriptors.
sub weight {
	my ($pid) = @_;
	open my $f, '<', "/proc/$pid/status" or return;
	my ($kib) = do { local $/; <$f> } =~ /^VmRSS:\s+(\d+)/m;
	return { mib => $kib / 1024, fds => scalar(my @fds = glob "/proc/$pid/fd/*") };
}

1;
