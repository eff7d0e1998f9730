#!/usr/bin/perl
# If this fails, an editor underlines what the bot takes, or is silent where the bot refuses the file:
# whoever trusts the editor puts a file online that is not used.
# SPDX-License-Identifier: ISC
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use File::Basename qw(basename);
use Pagehook;
use Test::More;

my $python = '/usr/bin/python3';
plan skip_all => 'python3 not installed' if !-x $python;
plan skip_all => 'python3-jsonschema not installed'
    if system($python, '-c', 'import importlib.util as u, sys; sys.exit(u.find_spec("jsonschema") is None)');

# Prints "yes FILE" or "no FILE" for each file, its comments taken out: whether the schema accepts it.
my $judge = <<'PYTHON';
import json, re, sys
import jsonschema

def text_of(path):
    parts = re.compile(r'("(?:\\.|[^"\\\n])*")|//[^\n]*|/\*.*?\*/', re.S)
    with open(path, encoding="utf-8") as file:
        return parts.sub(lambda m: m.group(1) or " ", file.read())

with open(sys.argv[1], encoding="utf-8") as file:
    schema = json.load(file)
jsonschema.Draft7Validator.check_schema(schema)
judge = jsonschema.Draft7Validator(schema)
for path in sys.argv[2:]:
    print("yes" if judge.is_valid(json.loads(text_of(path))) else "no", path)
PYTHON

my $top = Pagehook->top;
my $cases = "$top/tests/data/replies";
my @good = ("$top/cgi/replies.json", glob qq("$cases/good/*.json"));
my @bad = grep { !cannot_say($_) } glob qq("$cases/bad/*.json");

# Whether a file is broken in a way that is beyond a schema: its second line says so.
sub cannot_say {
	my ($file) = @_;
	open my $f, '<', $file or die "$file: $!";
	<$f>;
	return (<$f> // '') eq "// schema: cannot say\n";
}

sub verdicts {
	open my $out, '-|', $python, '-c', $judge, "$top/cgi/replies.schema.json", @_ or die "$python: $!";
	my %verdict = map { /^(\w+) (.*)$/ ? ($2 => $1) : () } <$out>;
	ok close $out, 'the schema is one, and each file could be judged';
	return %verdict;
}

my %verdict = verdicts(@good, @bad);
cmp_ok scalar(@good), '>', 5, 'there are files to accept';
cmp_ok scalar(@bad), '>', 40, 'and files to refuse';
is $verdict{$_}, 'yes', 'accepted: ' . basename($_) for @good;
is $verdict{$_}, 'no', 'refused: ' . basename($_) for @bad;
done_testing;
