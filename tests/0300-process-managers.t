#!/usr/bin/perl
# If this fails, the helper takes the web server down with it: requests hang, a reload or a restart
# leaves a dead site, or a stranger's query string becomes a command line.
# SPDX-License-Identifier: ISC
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Pagehook;
use Test::More;

my $good = '{"object":"page","entry":[]}';

sub answers { my ($hook) = @_; return $hook->handshake(7)->{body} eq '7' }

# What a process has open: descriptor => what it is.
sub open_files {
	my ($pid) = @_;
	return map { my $to = readlink; $to ? (m{(\d+)$} => $to) : () } glob "/proc/$pid/fd/*";
}

sub holds_nothing_of_the_servers {
	my ($hook) = @_;
	my %of_helper = open_files($hook->helper_pid);
	return fail "what the helper holds cannot be seen" if !%of_helper;
	my @server = map { $_ ? Children::group($_) : () } @{$hook->{server}}{qw(pid front_pid)};
	my %theirs = map { my %open = open_files($_); reverse %open } @server;
	my $own = qr{^/dev/null$|^anon_inode:|^\Q$hook->{state}\E(?:/|$)};
	my @held = grep { !/$own/ && ($theirs{$_} || !/^(?:socket|pipe):/) } values %of_helper;
	is "@held", '', 'the helper holds nothing but what is its own';
	is "@of_helper{0, 1}", '/dev/null /dev/null', '  its input and output lead nowhere';
}

# The response would hang for as long as somebody holds its other end.
sub outlives_its_request {
	my ($hook) = @_;
	my $got = $hook->post($good);
	is "$got->{status} $got->{body}", '200 EVENT_RECEIVED', 'the answer is complete';
	my $pid = $hook->helper_pid;
	ok $pid, '  while the helper lives on';
	is $hook->post($good)->{status}, 200, '  and takes the next one';
	is $hook->helper_pid, $pid, '  itself';
}

sub no_command_line {
	my ($hook) = @_;
	for my $query ('--help+-x', '-c+/etc/passwd', 'helper', 'help') {
		my $got = $hook->request('GET', $query);
		is "$got->{status} $got->{body}", '404 ', "?$query is no command line";
	}
}

# How often the server has said that it is ready.
sub times_ready {
	my ($hook) = @_;
	return scalar(() = $hook->{server}->logs =~ /resuming normal operations|server started/g);
}

sub survives_a_reload {
	my ($hook) = @_;
	my $helper = $hook->helper_pid;
	my $ready = times_ready($hook);
	$hook->{server}->reload;
	$hook->soon(sub { times_ready($hook) > $ready }, 'the server reloads');
	$hook->soon(sub { answers($hook) }, '  and the webhook answers');
	is $hook->post($good)->{status}, 200, '  and takes events';
	is $hook->helper_pid, $helper, '  by the same helper';
}

sub survives_a_restart {
	my ($hook, $kind) = @_;
	my $helper = $hook->helper_pid;
	my $port = $hook->{server}{port};
	$hook->{server}->stop;
	is $hook->helper_pid, $helper, 'the helper outlives the server';
	$hook->serve($kind, port => $port);
	is $hook->{server}{port}, $port, '  whose port is free again';
	$hook->soon(sub { answers($hook) }, '  and started again it answers');
	is $hook->post($good)->{status}, 200, '  and takes events';
	is $hook->helper_pid, $helper, '  by the same helper';
}

for my $kind (WebServer::kinds()) {
	subtest "served by $kind" => sub {
		my $absent = WebServer::missing($kind);
		plan skip_all => $absent if $absent;
		my $hook = Pagehook->new;
		$hook->serve($kind);
		outlives_its_request($hook);
		holds_nothing_of_the_servers($hook);
		no_command_line($hook);
		return if $kind !~ /^(?:apache|lighttpd)/;
		survives_a_reload($hook);
		survives_a_restart($hook, $kind);
	};
}
done_testing;
