#!/usr/bin/perl
# If this fails, there is a moment in which a power cut or the kernel's killer loses an event that
# Meta was told 200 for, or sends a person two answers, and nobody can say why.
# One POST and its reply, again and again: each time a process dies just before its N-th system call,
# Meta repeats what was not answered 200, the next processes live, and it is judged what came of it.
# SPDX-License-Identifier: ISC
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Lanes;
use Checker;
use Pagehook;
use Test::More;
use Time::HiRes qw(time);

my $absent = Pagehook->missing(qw(lighttpd openssl sqlite3));
plan skip_all => $absent if $absent;

my $n_lanes = 8;
my $graph = Pagehook->new;
$graph->graph;

# Who dies, from which point on, and what else is so.  spool: no helper is to be had at first.
# policy: PAGEHOOK_UNSURE.  echoes: Meta sends them.  after: another was killed, and left its log.
my @stories = (
	{ name => 'a helper, from its start', dies => 'helper', policy => 'reconcile', echoes => 1 },
	{ name => 'a helper that comes after one that was killed', dies => 'helper', policy => 'reconcile',
	    echoes => 1, after => 1 },
	{ name => 'a helper, while echoes tell nobody, and a reply may go twice', dies => 'helper',
	    policy => 'resend', from => qr/ accept / },
	{ name => 'a helper, while echoes tell nobody, and no reply may go twice', dies => 'helper',
	    policy => 'reconcile', from => qr/ accept / },
	{ name => 'a helper that takes in the spool', dies => 'helper', policy => 'reconcile',
	    echoes => 1, spool => 1, from => qr/ unlink \S*helper\.sock/ },
	{ name => 'a front of plain CGI', dies => 'front', policy => 'reconcile', echoes => 1 },
	{ name => 'a front of plain CGI that finds no helper', dies => 'front',
	    policy => 'reconcile', echoes => 1, spool => 1 },
	{ name => 'a FastCGI front', dies => 'front', policy => 'reconcile', echoes => 1, fastcgi => 1 },
	{ name => 'a FastCGI front that finds no helper', dies => 'front', policy => 'reconcile',
	    echoes => 1, spool => 1, fastcgi => 1 },
);

sub slurp { my ($file) = @_; open my $f, '<', $file or return ''; local $/; return <$f> // '' }

# An installation that is to die at this point; 0: it only counts.
sub installation {
	my ($story, $at) = @_;
	my $hook = $graph->beside(speed => 20, PAGEHOOK_UNSURE => $story->{policy});
	my %dies = (ONLY => $story->{dies} eq 'front' ? 'pagehook.fcgi' : 'helper',
	    COUNT => "$hook->{dir}/points", KILLED => "$hook->{dir}/killed", KILL_AT => $at);
	my %shimmed = $hook->shim(%dies);
	live_before($hook) if $story->{after};
	$hook->helper_with(%shimmed) if $story->{dies} eq 'helper';
	$hook->{front_env} = { %{$hook->env}, $story->{dies} eq 'front' ? %shimmed : () };
	serve($hook, $story);
	return $hook;
}

sub live_before {
	my ($hook) = @_;
	$hook->serve('bare-cgi');
	$hook->post($hook->delivery($hook->event(read => { watermark => 1 })));
	my $pid = $hook->helper_pid;
	kill 'KILL', $pid;
	$hook->wait_for(sub { ((Children::stat_of($pid))[0] // 'Z') eq 'Z' }, 'the first helper is gone');
}

sub serve {
	my ($hook, $story) = @_;
	$hook->{server}->stop if $hook->{server};
	$hook->serve($story->{fastcgi} ? 'cgi-fcgi-bind' : 'bare-cgi', env => $hook->{front_env});
}

sub killed { my ($hook) = @_; return slurp("$hook->{dir}/killed") }

# Meta's own patience: the same bytes, until 200.
sub post_until_200 {
	my ($hook, $story, $body) = @_;
	$hook->wait_for(sub {
		return 1 if $hook->post($body)->{status} == 200;
		serve($hook, $story) if $story->{fastcgi};	# as a web server would
		return 0;
	}, 'Meta hears 200');
}

sub sent_to { my ($psid) = @_; return $graph->sent(qr/"to":"$psid"/) }

# Each message that Graph has is echoed to the webhook, once it answered 200.
sub echo {
	my ($hook, $story, $echoed, $psid) = @_;
	for my $sent (grep { !$echoed->{$_->{mid}}++ } sent_to($psid)) {
		post_until_200($hook, $story, $hook->delivery({ %{$hook->event(psid => $sent->{page})},
			recipient => { id => $psid }, message => { mid => $sent->{mid},
			is_echo => JSON::PP::true, app_id => 5001, metadata => $sent->{metadata},
			text => $sent->{text} } }));
	}
}

# Until nothing is owed.  What else Meta sends wakes helpers; the bystander's echo proves that
# echoes come, so that one that does not come means something.
sub live_on {
	my ($hook, $story, $psid) = @_;
	my (%echoed, $bystander);
	my $wake_at = time + 1;
	$hook->wait_for(sub {
		post_until_200($hook, $story, $hook->delivery($hook->text_event(psid => "${psid}9")))
		    if killed($hook) && $story->{echoes} && !$bystander++;
		if (killed($hook) || time >= $wake_at) {
			$hook->handshake(1);
			$wake_at = time + 1;
		}
		$story->{echoes} && echo($hook, $story, \%echoed, $_) for $psid, "${psid}9";
		return $hook->owes_nothing($bystander ? 2 : 1);
	}, 'nothing is owed any more');
}

sub live {
	my ($story, $at, $psid) = @_;
	my $hook = installation($story, $at);
	my $helper = $hook->setting('PAGEHOOK_HELPER');
	my $body = $hook->delivery($hook->text_event(psid => $psid, text => "word $at"));
	my $ended = eval {
		$hook->configure(PAGEHOOK_HELPER => "$hook->{dir}/none") if $story->{spool};
		post_until_200($hook, $story, $body);
		if ($story->{spool}) {
			$hook->configure(PAGEHOOK_HELPER => $helper);
			serve($hook, $story);		# one that did not just fail to start a helper
			$hook->handshake(1);
		}
		live_on($hook, $story, $psid);
		$hook->{server}->stop;
		$hook->helper_stop;
		1;
	};
	my $died = $ended ? undef : join '', $@, $hook->log_end(5);
	return { judge($hook, $story, $psid, $at), died => $died };
}

# What was promised, and what came.
sub judge {
	my ($hook, $story, $psid, $at) = @_;
	my @sent = sent_to($psid);
	my ($reply) = $hook->store("select r.state from reply r join conv c on c.id = r.conv
	    where c.person = '$psid'");
	my ($check) = $hook->store('pragma integrity_check');
	my $state = $reply->{state} // 'absent';
	my $explained = grep { /\bunsure\b/ } map { $_->{what} // $_->{note} // () } $hook->log;
	my $may_go_twice = $story->{policy} eq 'resend' && $explained && @sent == 2;
	return (at => $at, killed => killed($hook), points => [ split /^/, slurp("$hook->{dir}/points") ],
		state => $state,
		lost => !@sent && $state ne 'held',	# which the operator sees
		held => !@sent && $state eq 'held',
		duplicate => @sent > 1,
		unexplained => @sent > 1 && !$may_go_twice,
		unexpected => scalar(grep { $_->{text} ne "You said: word $at" } @sent),
		broken => ($check->{integrity_check} // '') ne 'ok');
}

# The first process and its children: their numbers rise.
sub of_one_process {
	my @lines = grep { !/^\d+ \S+ 0 / } @_;
	my ($again) = grep { $lines[$_] =~ /^\d+ \S+ 1 / } 1 .. $#lines;
	return @lines[0 .. ($again // @lines) - 1];
}

# Between two reads in a row nothing has changed that outlives the process.
sub is_same_moment {
	my ($before, $now) = map { / (\w+) \S+$/ ? $1 : '' } @_;
	return $before eq $now && $now =~ /^(?:read|recv|accept|connect)$/;
}

my $n_people = 0;
my %sum;

for my $story (@stories) {
	subtest $story->{name} => sub {
		my ($learnt) = Lanes::run(1, [ 0 ], sub { live($story, 0, 8_000_000 + $n_people * 10) });
		$n_people++;
		is $learnt->{died}, undef, 'it lives' or return;
		my @points = of_one_process(@{$learnt->{points}});
		my ($first) = grep { $points[$_ - 1] =~ ($story->{from} // qr//) } 1 .. @points;
		my @at = grep { !is_same_moment(@points[$_ - 2, $_ - 1]) } $first .. @points;
		my @jobs = map { [ $_, 8_000_000 + $n_people++ * 10 ] } @at;
		my @lives = Lanes::run($n_lanes, \@jobs, sub { live($story, @{$_[0]}) });
		for my $bad (qw(died lost unexplained unexpected broken)) {
			is join('', map { $_->{$bad} ? "\n$_->{at}: $_->{killed}$_->{$bad} $_->{state}" : () }
			    @lives), '', $bad;
		}
		my $n_killed = grep { $_->{killed} } @lives;
		cmp_ok $n_killed, '>=', @jobs / 4, "killed at $n_killed of " . @jobs . ' points';
		note scalar(grep { $_->{held} } @lives), ' held for the operator';
		$sum{faults} += $n_killed;
		$sum{restarts} += $n_killed;
		$sum{$_} += @jobs for qw(events acknowledged);
		for my $what (qw(lost unexpected duplicate unexplained)) {
			$sum{$what} += grep { $_->{$what} } @lives;
		}
	};
}

my %line = (%sum, duplicates => $sum{duplicate}, 'unexplained duplicates' => $sum{unexplained});
note Checker::line(\%line);
Checker::leave(\%line);
done_testing;
