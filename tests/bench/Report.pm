package Report;
# Report -- what was found: a table for people, the samples as JSON, a drawing as SVG.
# Knows rows.  Does not know how anything was measured.
# Called by bench.
# SPDX-License-Identifier: ISC
use strict;
use warnings;
use JSON::PP;

# A row: work, peer, unit, ours and theirs (lists, one for each round), values (the ratios; without
# a peer ours), and op and goal, if there is one.

sub median {
	my @sorted = sort { $a <=> $b } @_ or return;
	return ($sorted[$#sorted / 2] + $sorted[@sorted / 2]) / 2;
}

sub met {
	my ($row) = @_;
	return '' if !defined $row->{goal};
	my $is = median(@{$row->{values}}) // return 'not measured';
	return ($row->{op} eq '<=' ? $is <= $row->{goal} : $is >= $row->{goal}) ? 'met' : 'MISSED';
}

sub number {
	my ($n) = @_;
	return '-' if !defined $n;
	my $text = sprintf '%.*f', $n >= 100 ? 0 : $n >= 10 ? 1 : 2, $n;
	1 while $text =~ s/^(\d+)(\d{3})\b/$1,$2/;
	return $text;
}

sub cells {
	my ($row) = @_;
	my ($low, undef, $high) = map { number($_) } spread(@{$row->{values}});
	my $goal = defined $row->{goal} ? "$row->{op} $row->{goal}" : '';
	return ($row->{work}, number(median(@{$row->{ours}})) . " $row->{unit}", $row->{peer} // '',
	    defined $row->{peer} ? number(median(@{$row->{theirs}})) : '',
	    number(median(@{$row->{values}})), @{$row->{values}} > 1 ? "$low..$high" : '', $goal,
	    $row->{why} // met($row));
}

sub spread {
	my @sorted = sort { $a <=> $b } @_;
	return ($sorted[0], median(@sorted), $sorted[-1]);
}

sub table {
	my @lines = ([qw(work pagehook against theirs value spread goal), ''], map { [cells($_)] } @_);
	my @width = (0) x 8;
	for my $line (@lines) {
		for (0 .. 7) {
			$width[$_] = length $line->[$_] if length $line->[$_] > $width[$_];
		}
	}
	my @right = (0, 1, 0, 1, 1, 1, 1, 0);
	my $shape = join '  ', map { ($right[$_] ? '%' : '%-') . "$width[$_]s" } 0 .. 7;
	return join '', map { sprintf($shape, @$_) =~ s/\s+$//r . "\n" } @lines;
}

sub json { return JSON::PP->new->utf8->canonical->pretty->encode($_[0]) }

# A line for each row that has a goal: each round a dot, their median a bar; to the right is better.
sub svg {
	my ($title, @rows) = @_;
	@rows = grep { $_->{goal} && @{$_->{values}} } @rows;
	my ($mid, $height) = (770, 60 + 22 * @rows);
	my $x = sub {			# two doublings each way
		my ($row, $value) = @_;
		my $log = log(($value || 1e-9) / $row->{goal}) / log(2) * ($row->{op} eq '<=' ? -1 : 1);
		return $mid + 100 * ($log > 2 ? 2 : $log < -2 ? -2 : $log);
	};
	my $y = 40;
	my @lines = map {
		my $row = $_;
		$y += 22;
		my $is = median(@{$row->{values}});
		my $colour = met($row) eq 'met' ? '#2a7' : '#c43';
		(text(10, $y + 4, $row->{work} . (defined $row->{peer} ? " / $row->{peer}" : '')),
		    (map { sprintf '<circle cx="%.1f" cy="%d" r="3" fill="%s" fill-opacity=".35"/>',
		    $x->($row, $_), $y, $colour } @{$row->{values}}),
		    sprintf('<path d="M%.1f %dv14" stroke="%s" stroke-width="3"/>', $x->($row, $is),
		    $y - 7, $colour),
		    text($mid + 215, $y + 4, number($is) . " ($row->{op} $row->{goal})"));
	} @rows;
	my @grid = map {
		my $says = $_ ? 2**abs($_) . ($_ > 0 ? ' x better' : ' x short') : 'goal';
		sprintf '<path d="M%d 36V%d" stroke="#%s"/>%s', $mid + 100 * $_, $height - 12,
		    $_ ? 'ddd' : '555', text($mid + 100 * $_ - 12, 30, $says);
	} -2 .. 2;
	return join "\n", qq(<svg xmlns="http://www.w3.org/2000/svg" width="1110" height="$height" ) .
	    'font-family="sans-serif" font-size="11">', '<rect width="100%" height="100%" fill="#fff"/>',
	    text(10, 16, $title), @grid, @lines, '</svg>', '';
}

sub text {
	my ($x, $y, $words) = @_;
	my %as = ('&' => '&amp;', '<' => '&lt;', '>' => '&gt;');
	return qq(<text x="$x" y="$y">) . $words =~ s/([&<>])/$as{$1}/gr . '</text>';
}

1;
