#!/usr/bin/perl
# If this fails, a system call that failed once -- no descriptor left, a disk error, a signal -- cost
# an event that Meta was told 200 for, or the webhook did not get over it.
# Two POSTs each time, and one call of the front or the helper fails.  Not more than one of them may be
# refused, Meta's repetition of that one must be taken, and both people are answered.
# SPDX-License-Identifier: ISC
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Lanes;
use Pagehook;
use Test::More;

my $absent = Pagehook->missing(qw(lighttpd openssl sqlite3));
plan skip_all => $absent if $absent;

my ($n_lanes, $up_to) = (8, 8);		# the first call of a name to the eighth
my $graph = Pagehook->new;
$graph->graph;

# What can become of a call.  Two of them are tried on each, in turn.
my %fails = (
	open => [qw(EMFILE EIO ENOMEM EINTR)],
	create => [qw(ENOSPC EDQUOT EMFILE)],
	read => [qw(EIO EINTR EAGAIN short ENOMEM)],
	pread => [qw(EIO EINTR)],
	write => [qw(EIO ENOSPC EDQUOT EINTR EAGAIN short)],
	pwrite => [qw(EIO ENOSPC EDQUOT EINTR short)],
	fsync => [qw(EIO ENOSPC)],
	fdatasync => [qw(EIO ENOSPC EDQUOT)],
	ftruncate => [qw(EIO ENOSPC)],
	rename => [qw(EIO ENOSPC)],
	unlink => [qw(EIO EMFILE)],
	connect => [qw(EAGAIN ENOMEM EINTR ECONNREFUSED)],
	accept => [qw(EMFILE ENOMEM EINTR EAGAIN ECONNABORTED)],
	send => [qw(EAGAIN EINTR ENOBUFS EPIPE short)],
	recv => [qw(EAGAIN EINTR ENOMEM ECONNRESET)],
	fork => [qw(EAGAIN ENOMEM)],
	execve => [qw(ENOMEM EMFILE EIO ETXTBSY)],
);

# Whose calls fail, and when.  warm: after a first POST was answered.  spool: no helper is to be had.
my @stories = (
	{ name => 'a helper that starts', fails => 'helper' },
	{ name => 'a helper at work', fails => 'helper', warm => 1 },
	{ name => 'a front of plain CGI that starts a helper', fails => 'front' },
	{ name => 'a front of plain CGI that finds none', fails => 'front', spool => 1 },
	{ name => 'a FastCGI front', fails => 'front', fastcgi => 1, warm => 1 },
);

sub slurp { my ($file) = @_; open my $f, '<', $file or return ''; local $/; return <$f> // '' }

sub body { my ($hook, $psid) = @_; return $hook->delivery($hook->text_event(psid => $psid)) }
sub is_kept { my ($hook, $body) = @_; return $hook->post($body)->{status} == 200 }

sub installation {
	my ($story, $fail) = @_;
	my $hook = $graph->beside(speed => 20, PAGEHOOK_UNSURE => 'resend');
	my %shimmed = $hook->shim(ONLY => $story->{fails} eq 'front' ? 'pagehook.fcgi' : 'helper',
	    FAIL => $fail, COUNT => "$hook->{dir}/calls", FROM => "$hook->{dir}/from now on");
	$hook->helper_with(%shimmed) if $story->{fails} eq 'helper';
	$hook->serve($story->{fastcgi} ? 'cgi-fcgi-bind' : 'bare-cgi',
	    env => { %{$hook->env}, $story->{fails} eq 'front' ? %shimmed : () });
	return $hook;
}

# All works again: who starts from now on is not touched, and who lives has had its failure.
sub mend {
	my ($hook, $story, $helper) = @_;
	$hook->helper_with(LD_PRELOAD => undef);
	$hook->configure(PAGEHOOK_HELPER => $helper) if $story->{spool};
	$hook->serve('bare-cgi') if !$story->{fastcgi};
}

sub live {
	my ($story, $fail, $psid) = @_;
	my $hook = installation($story, $fail);
	my $helper = $hook->setting('PAGEHOOK_HELPER');
	my @bodies = map { body($hook, $_) } $psid, "${psid}9";
	my %o = (fail => $fail);
	$hook->configure(PAGEHOOK_HELPER => "$hook->{dir}/none") if $story->{spool};
	eval {
		if ($story->{warm}) {
			is_kept($hook, body($hook, "${psid}8"));
			$hook->wait_for(sub { $hook->owes_nothing(1) }, 'the first is answered');
		}
		WebServer::spill("$hook->{dir}/from now on", '');
		my @refused = grep { !is_kept($hook, $_) } $bodies[0];
		mend($hook, $story, $helper);
		push @refused, grep { !is_kept($hook, $_) } $bodies[1];
		$o{refused} = @refused;
		$o{again} = grep { !is_kept($hook, $_) } @refused;
		$hook->wait_for(sub {
			$hook->handshake(1);
			return $hook->owes_nothing($story->{warm} ? 3 : 2);
		}, 'nothing is owed any more');
		$hook->{server}->stop;
		$hook->helper_stop;
		1;
	} or $o{died} = join '', $@, $hook->log_end(5);
	return { %o, judge($hook, $psid) };
}

sub judge {
	my ($hook, $psid) = @_;
	my ($check) = $hook->store('pragma integrity_check');
	my $explained = slurp("$hook->{state}/pagehook.log") =~ /\bunsure\b/;
	my @n = map { scalar(() = $hook->sent(qr/"to":"$_"/)) } $psid, "${psid}9";
	return (calls => [ map { (split)[3] } split /^/, slurp("$hook->{dir}/calls") ],
		lost => scalar(grep { $_ == 0 } @n),
		unexplained => scalar(grep { $_ > ($explained ? 2 : 1) } @n),
		broken => ($check->{integrity_check} // '') ne 'ok');
}

# For each call that was seen, two ways to fail.
sub failures {
	my (%n, @all);
	for my $call (grep { $fails{$_} } @_) {
		my $nth = ++$n{$call};
		next if $nth > $up_to;
		for my $error (@{$fails{$call}}[map { $_ % @{$fails{$call}} } 2 * $nth, 2 * $nth + 1]) {
			push @all, $error eq 'short' ? "$call:short:$nth:1" : "$call:$nth:1:$error";
		}
	}
	return @all;
}

my %means = (died => 'all that is owed is settled', lost => 'nobody waits for an answer',
	unexplained => 'nobody gets it twice', broken => 'the store is whole',
	twice => 'one POST at most is not answered 200', again => '  and it is when it is repeated');
my $n_people = 0;
for my $story (@stories) {
	subtest $story->{name} => sub {
		my ($learnt) = Lanes::run(1, [ 0 ], sub { live($story, '', 9_000_000 + $n_people * 10) });
		$n_people++;
		is $learnt->{died}, undef, 'nothing fails' or return;
		my @jobs = map { [ $_, 9_000_000 + $n_people++ * 10 ] } failures(@{$learnt->{calls}});
		my @lives = Lanes::run($n_lanes, \@jobs, sub { live($story, @{$_[0]}) });
		$_->{twice} = $_->{refused} > 1 for grep { !$_->{died} } @lives;
		for my $bad (qw(died lost unexplained broken twice again)) {
			is join('', map { $_->{$bad} ? "\n$_->{fail}: $_->{$bad}" : () } @lives), '',
			    $means{$bad};
		}
		note scalar(@jobs), ' failures, ', scalar(grep { $_->{refused} } @lives), ' of them told to Meta';
	};
}
done_testing;
