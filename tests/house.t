#!/usr/bin/perl
# If this fails, the next reader cannot rely on the card any more: a layer looks down, a library has
# a second door, a function no longer fits one look, or a setting is not described.
# SPDX-License-Identifier: ISC
use strict;
use warnings;
use FindBin;
use Test::More;

chdir "$FindBin::Bin/.." or die "chdir: $!";

sub slurp { my ($file) = @_; open my $f, '<', $file or return ''; local $/; return <$f> // '' }

# Code alone: comments and the insides of texts become blanks, lines stay lines.
sub code {
	my ($file) = @_;
	my $text = slurp($file);
	$text =~ s{(/\*.*?\*/|//[^\n]*)|("(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*')}
	    {defined $1 ? $1 =~ s/[^\n]/ /gr : substr($2, 0, 1) x 2}gse;
	return $text;
}

my @lib = glob 'lib/*.[ch]';
my @ours = (@lib, glob('cgi/*.[ch]'));
my @sources = (@ours, glob('tests/graph/*.[ch]'), glob('tests/unit/*.[ch]'),
    glob('tests/fuzz/*.[ch]'));

subtest 'a module includes only what stands before it' => sub {
	my $makefile = slurp('Makefile') =~ s/\\\n\s*/ /gr;
	my @order = map { $makefile =~ /^$_\s*:=\s*(.*)$/m ? split ' ', $1 : () } qw(BASE PURE DOORS FLOW);
	my %place = map { ($order[$_] => $_) } 0 .. $#order;
	for my $file (@lib) {
		my ($module) = $file =~ m{^lib/(.*)\.[ch]$};
		next if !ok defined $place{$module}, "$module stands in a layer";
		my @included = slurp($file) =~ /^#include "([^"]+)\.h"/mg;
		my @below = grep { $_ ne $module && ($place{$_} // 99) >= $place{$module} } @included;
		is "@below", '', "$file looks up only";
	}
};

subtest 'each library has one door' => sub {
	my %door = (
		qr{^fcgi} => qr{^cgi/request\.c$},
		qr{^openssl/} => qr{^lib/signature\.c$},
		qr{^json-c/} => qr{^lib/json\.c$},
		qr{^curl/} => qr{^lib/graph\.c$},
		qr{^sqlite3\.h} => qr{^lib/sqlite(?:_wal|_error)?\.[ch]$},
		qr{^libpq-fe\.h} => qr{^lib/store_postgres\.c$},
		qr{^pcre2} => qr{^lib/match\.c$},
	);
	for my $library (sort keys %door) {
		my @through = grep { grep { /$library/ } slurp($_) =~ /^#include <([^>]+)>/mg } @ours;
		is join(' ', grep { !/$door{$library}/ } @through), '', "$library";
	}
};

subtest 'no function that invites a mistake' => sub {
	for my $file (@sources) {
		my @lines = split /\n/, code($file);
		my $risky = qr/\b(?:strcpy|strcat|v?sprintf|atoi|atol|system|gets)\s*\(/;
		my @bad = grep { $lines[$_ - 1] =~ $risky } 1 .. @lines;
		is join(' ', map { "$file:$_" } @bad), '', $file;
	}
};

subtest 'a function fits one look' => sub {
	for my $file (grep { /\.c$/ } @ours, glob('tests/graph/*.c')) {
		my ($n, $began, @long) = (0);
		for (split /\n/, slurp($file)) {
			$n++;
			$began = $n if /^\{/;
			push @long, "$file:$began" if /^\}/ && defined $began && $n - $began + 1 > 60;
		}
		is "@long", '', $file;
	}
};

subtest 'every setting is described, and every setting described exists' => sub {
	my @settings = slurp('lib/conf.c') =~ /^\t\{ "([A-Z_]+)", AT\(/mg;
	my $page = slurp('cgi/pagehook.conf.5');
	cmp_ok scalar(@settings), '>', 10, 'the settings are found';
	like $page, qr/^\.It (?:Ev |Cm |Va )?$_\b/m, $_ for @settings;
	my %known = map { ($_ => 1) } @settings, 'PAGEHOOK_CONFIG';
	my @named = $page =~ /^\.It (?:Ev |Cm |Va )?((?:MESSENGER|PAGEHOOK)_[A-Z_]+)/mg;
	my %named = map { (s/_FILE$//r => 1) } @named;
	is join(' ', grep { !$known{$_} } sort keys %named), '', 'and no other';
};

subtest 'the top level is the card' => sub {
	my %card = map { ($_ => 1) } qw(cgi lib tests apache lighttpd build Makefile README.md LICENSE);
	opendir my $dir, '.' or die "opendir: $!";
	is join(' ', grep { !/^\./ && !$card{$_} } sort readdir $dir), '', 'nothing lies around';
};
done_testing;
