package WebServer;
# WebServer -- every way a front is served: the real servers with the very files users include.
# Knows their configuration, HTTP and CGI.  Does not know Messenger, the store or the helper.
# Called by Pagehook.
# Lives in a directory of its own, unprivileged, on a free port of the loopback.
# SPDX-License-Identifier: ISC
use strict;
use warnings;
use Children;
use Cwd qw(abs_path);
use File::Basename qw(basename dirname);
use File::Copy qw(copy);
use File::Temp;
use IO::Socket::INET;
use IO::Socket::UNIX;
use Time::HiRes qw(sleep time);

my $here = dirname(abs_path(__FILE__));
my $modules = '/usr/lib/apache2/modules';
my %program = (lighttpd => '/usr/sbin/lighttpd', apache => '/usr/sbin/apache2',
    cgi => '/usr/bin/cgi-fcgi');
my @apache = qw(authz_core authz_host alias env mime);

my %kinds = (
	'lighttpd-fcgi' => [ \&lighttpd, 'lighttpd/50-pagehook.conf', 'fastcgi' ],
	'lighttpd-cgi' => [ \&lighttpd, 'lighttpd/51-pagehook-cgi.conf', 'cgi' ],
	'apache-fcgid' => [ \&apache, 'apache/pagehook-fcgid.conf', 'mpm_event', 'fcgid' ],
	'apache-proxy-fcgi' => [ \&apache, 'apache/pagehook-proxy-fcgi.conf', 'mpm_event',
	    'proxy', 'proxy_fcgi' ],
	'apache-cgid' => [ \&apache, 'apache/pagehook-cgi.conf', 'mpm_event', 'cgid' ],
	'apache-cgi' => [ \&apache, 'apache/pagehook-cgi.conf', 'mpm_prefork', 'cgi' ],
	'htaccess-cgi' => [ \&apache, 'apache/htaccess', 'mpm_event', 'cgid' ],
	'htaccess-fcgid' => [ \&apache, 'apache/htaccess', 'mpm_event', 'fcgid' ],
	'cgi-fcgi-bind' => [ \&cgi_fcgi ],
	'bare-cgi' => [ sub {} ],
);

sub kinds { return sort keys %kinds }

# Why this kind cannot be served here; nothing if it can.
sub missing {
	my ($kind) = @_;
	my (undef, undef, @with) = @{$kinds{$kind} // die "no kind $kind"};
	my ($server) = $kind =~ /^(lighttpd|apache|cgi)/;
	$server //= $kind eq 'bare-cgi' ? undef : 'apache';
	return if !$server;
	return basename($program{$server}) . ' not installed' if !-x $program{$server};
	my ($absent) = $server eq 'apache' ? grep { !-e "$modules/mod_$_.so" } @apache, @with : ();
	return $absent && "mod_$absent not installed";
}

# kind; dir: an empty directory; front: the program; env: its environment; path: of the URL; port.
sub start {
	my ($class, %o) = @_;
	my $self = bless { path => '/messenger/webhook', %o }, $class;
	$self->{front} = $self->without_blanks($self->{front}) if $self->{kind} =~ /d-fcgi$|fcgid$/;
	my ($serve, @how) = @{$kinds{$self->{kind}}};
	$self->$serve(@how);
	return $self;
}

# lighttpd's bin-path and mod_fcgid cut a path at its blanks, whatever stands around it.
sub without_blanks {
	my ($self, $path) = @_;
	return $path if $path !~ /\s/;
	$self->{links} = File::Temp->newdir('pagehook-XXXXXXXX', DIR => $ENV{TMPDIR} // '/tmp');
	my $link = "$self->{links}/" . basename($path);
	symlink $path, $link or die "$link: $!";
	return $link;
}

sub url { my ($self) = @_; return "http://127.0.0.1:$self->{port}$self->{path}" }

sub fill {
	my ($in, $out, %value) = @_;
	open my $template, '<', $in or die "$in: $!";
	my @pairs = map { "$_=$value{$_}" } sort keys %value;
	my ($text, $status) = Children::output(["$here/fill", @pairs],
	    in => do { local $/; <$template> }, log => dirname($out) . '/fill.log');
	die "$in cannot be filled: see fill.log beside $out\n" if $status;
	spill($out, $text);
}

sub spill {
	my ($file, $text) = @_;
	open my $f, '>', $file or die "$file: $!";
	print $f $text;
	close $f or die "$file: $!";
}

sub free_port {
	my $socket = IO::Socket::INET->new(Listen => 1, ReuseAddr => 1, LocalAddr => '127.0.0.1',
	    LocalPort => $_[0] // 0);
	return $socket && $socket->sockport;
}

# Starts a server by argv once it is configured for a free port; another port if that one was taken.
sub listen_on {
	my ($self, $configure, @argv) = @_;
	my @wanted = $self->{port} // ();
	for (1 .. 10) {
		$self->{port} = shift @wanted // free_port();
		$self->$configure;
		$self->{pid} = Children::start(\@argv, env => $self->{env},
		    log => "$self->{dir}/server.log");
		my $where = "127.0.0.1:$self->{port}";
		return if await(sub { IO::Socket::INET->new(PeerAddr => $where) },
		    sub { !Children::lives($self->{pid}) });
		Children::end($self->{pid});
	}
	die "$argv[0] does not start, see $self->{dir}:\n" . $self->logs;
}

sub await {
	my ($true, $vain) = @_;
	for (my $until = time + 20; time < $until && !$vain->(); sleep 0.01) {
		return 1 if $true->();
	}
	return 0;
}

# The file that users include, for this installation.
sub fill_snippet {
	my ($self, $snippet) = @_;
	fill("$here/../$snippet", "$self->{dir}/snippet.conf", bin => $self->{front},
	    path => $self->{path}, socket => "$self->{dir}/front.sock");
}

sub lighttpd {
	my ($self, $snippet, $module) = @_;
	my $dir = $self->{dir};
	$self->listen_on(sub {
		$self->fill_snippet($snippet);
		spill("$dir/lighttpd.conf", <<"END");
server.bind = "127.0.0.1"
server.port = $self->{port}
server.document-root = "$dir"
server.errorlog = "$dir/error.log"
server.upload-dirs = ( "$dir" )
server.modules = ( "mod_setenv", "mod_alias", "mod_$module" )
setenv.add-environment = ( "PAGEHOOK_CONFIG" => "$self->{env}{PAGEHOOK_CONFIG}" )
include "$dir/snippet.conf"
END
	}, $program{lighttpd}, '-D', '-f', "$dir/lighttpd.conf");
}

sub apache {
	my ($self, $snippet, @with) = @_;
	my $dir = $self->{dir};
	my $load = join '', map { "LoadModule ${_}_module $modules/mod_$_.so\n" } @with, @apache;
	mkdir "$dir/$_" for qw(docs docs/hook);
	$self->front_on("$dir/front.sock") if $snippet =~ /proxy/;
	$self->in_directory(basename($snippet)) if $snippet =~ /htaccess/;
	$self->listen_on(sub {
		my $main = $snippet =~ /htaccess/ ? '' : "Include \"$dir/snippet.conf\"";
		$self->fill_snippet($snippet);
		spill("$dir/httpd.conf", <<"END");
$load
ServerRoot "$dir"
ServerName 127.0.0.1
Listen 127.0.0.1:$self->{port}
PidFile "$dir/httpd.pid"
ErrorLog "$dir/error.log"
TypesConfig /dev/null
DefaultRuntimeDir "$dir"
Mutex pthread default
DocumentRoot "$dir/docs"
<IfModule mod_cgid.c>
  ScriptSock "$dir/cgid.sock"
</IfModule>
<IfModule mod_fcgid.c>
  FcgidSpawnScoreUpLimit 64
  FcgidIPCDir "$dir"
  FcgidProcessTableFile "$dir/fcgid.shm"
</IfModule>
<Directory />
  Require all denied
  AllowOverride None
</Directory>
<Directory "$dir/docs/hook">
  Require all granted
  AllowOverride FileInfo Options
</Directory>
SetEnv PAGEHOOK_CONFIG "$self->{env}{PAGEHOOK_CONFIG}"
$main
END
	}, $program{apache}, '-f', "$dir/httpd.conf", '-DFOREGROUND');
}

# Shared hosting: a copy of the front and an .htaccess in one directory, nothing in the main file.
sub in_directory {
	my ($self) = @_;
	my $name = $self->{kind} eq 'htaccess-cgi' ? 'pagehook.cgi' : 'pagehook.fcgi';
	my $hook = "$self->{dir}/docs/hook";
	copy($self->{front}, "$hook/$name") or die "$hook/$name: $!";
	chmod 0755, "$hook/$name";
	copy("$here/../apache/htaccess", "$hook/.htaccess") or die "$hook/.htaccess: $!";
	$self->{path} = "/hook/$name";
}

# Somebody else starts the front: descriptor 0 listens, as spawn-fcgi and systemd do it.
sub front_on {
	my ($self, $path) = @_;
	unlink $path;
	my $socket = IO::Socket::UNIX->new(Local => $path, Listen => 1024) or die "$path: $!";
	$self->{front_pid} = Children::start([$self->{front}], stdin => $socket,
	    env => $self->{env}, log => "$self->{dir}/front.log");
}

sub cgi_fcgi {
	my ($self) = @_;
	my $dir = $self->{dir};
	$self->{socket} = "$dir/front.sock";
	my @argv = ($program{cgi}, '-start', '-connect', $self->{socket}, $self->{front}, 1);
	$self->{front_pid} = Children::start(\@argv, env => $self->{env}, log => "$dir/front.log",
	    leaves => 1);
	await(sub { IO::Socket::UNIX->new(Peer => $self->{socket}) }, sub { 0 })
	    or die "no front at $self->{socket}";
}

sub stop {
	my ($self) = @_;
	Children::end($_) for grep { defined } delete @$self{qw(pid front_pid)};
}

# Ended and begun anew, where it was.
sub restart {
	my ($self) = @_;
	my ($serve, @how) = @{$kinds{$self->{kind}}};
	$self->stop;
	$self->$serve(@how);
}

# The processes that the server started: fronts, where it starts them itself.
sub fronts { my ($self) = @_; return grep { $_ != $self->{pid} } Children::group($self->{pid}) }

# Graceful: what administrators do after every change.
sub reload { my ($self) = @_; kill 'USR1', $self->{pid} }

sub logs {
	my ($self) = @_;
	local $/;
	local @ARGV = grep { -e } map { "$self->{dir}/$_.log" } qw(server error front);
	return @ARGV ? join '', <> : '';
}

# One request, whichever way it is served: { status, headers, body }.
# Of %headers ':path' goes behind the URL's path, ':length' announces another length.
sub request {
	my ($self, $method, $query, $body, %headers) = @_;
	return $self->cgi_request($method, $query, $body, %headers) if !$self->{port};
	my $socket = $self->connect;
	$self->send($socket, $method, $query, $body, %headers);
	return receive($socket);
}

sub connect {
	my ($self) = @_;
	my $socket = IO::Socket::INET->new(PeerAddr => "127.0.0.1:$self->{port}", Timeout => 20)
	    or die "port $self->{port}: $@";
	return $socket;
}

sub send {
	my ($self, $socket, $method, $query, $body, %headers) = @_;
	my $path = $self->{path} . (delete $headers{':path'} // '');
	my $target = defined $query ? "$path?$query" : $path;
	my $length = delete $headers{':length'} // (defined $body ? length $body : undef);
	$headers{'Content-Length'} = $length if defined $length;
	my @lines = ("$method $target HTTP/1.1", 'Host: 127.0.0.1', 'Connection: close',
	    map { "$_: $headers{$_}" } sort keys %headers);
	local $SIG{PIPE} = 'IGNORE';	# a server may refuse before it has read all
	print $socket join("\r\n", @lines, '', '') . ($body // '');
	$socket->flush;
}

sub receive {
	my ($socket) = @_;
	my $text = Children::within(60, sub { local $/; <$socket> }) // '';
	my ($head, $body) = split /\r\n\r\n/, $text, 2;
	my ($line, @headers) = split /\r\n/, $head // '';
	my ($status) = ($line // '') =~ m{^HTTP/1\.[01] (\d{3})};
	my %headers = map { /^([^:]+):\s*(.*)$/ ? (lc $1, $2) : () } @headers;
	$body = unchunk($body) if ($headers{'transfer-encoding'} // '') eq 'chunked';
	return { status => $status // 0, headers => \%headers, body => $body // '' };
}

sub unchunk {
	my ($text, $body) = (@_, '');
	while ($text =~ s/^([0-9a-fA-F]+)[^\r]*\r\n// && hex $1) {
		my $n = hex $1;
		$body .= substr $text, 0, $n, '';
		$text =~ s/^\r\n//;
	}
	return $body;
}

sub cgi_request {
	my ($self, $method, $query, $body, %headers) = @_;
	my $path = $self->{path} . (delete $headers{':path'} // '');
	my %variables = (%{$self->{env}}, REQUEST_METHOD => $method, SCRIPT_NAME => $self->{path},
	    REQUEST_URI => defined $query ? "$path?$query" : $path, QUERY_STRING => $query // '',
	    GATEWAY_INTERFACE => 'CGI/1.1', REMOTE_ADDR => '127.0.0.1');
	my $length = delete $headers{':length'} // (defined $body ? length $body : undef);
	$variables{CONTENT_LENGTH} = $length if defined $length;
	for (keys %headers) {
		my $name = uc =~ tr/-/_/r;
		$variables{$name eq 'CONTENT_TYPE' ? $name : "HTTP_$name"} = $headers{$_};
	}
	my @bind = ($program{cgi}, '-bind', '-connect', $self->{socket});
	my $text = Children::output($self->{socket} ? \@bind : [$self->{front}], env => \%variables,
	    in => $body, log => "$self->{dir}/front.log");
	my ($head, $rest) = split /\r?\n\r?\n/, $text, 2;
	my %answered = map { /^([^:]+):\s*(.*?)\r?$/ ? (lc $1, $2) : () } split /\n/, $head // '';
	my ($status) = (delete $answered{status} // ($text eq '' ? 0 : 200)) =~ /^(\d+)/;
	return { status => $status, headers => \%answered, body => $rest // '' };
}

1;
