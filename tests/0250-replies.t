#!/usr/bin/perl
# If this fails, the owner of a Page wrote replies that the manual allows, and people get others, none,
# half of them or in a wrong order; or a slip in that file silences the bot.
# SPDX-License-Identifier: ISC
use strict;
use warnings;
use utf8;
use Encode ();
use File::Glob qw(bsd_glob);
use FindBin;
use JSON::PP qw(decode_json);
use lib $FindBin::Bin;
use POSIX ();
use Pagehook;
use Talk;
use Test::More;

my $absent = Pagehook->missing(qw(lighttpd openssl sqlite3));
plan skip_all => $absent if $absent;
binmode $_, ':utf8' for Test::More->builder->output, Test::More->builder->failure_output;

my $examples = Pagehook::top() . '/cgi/examples';
my $echo = '"on": "any", "say": "You said: {text}"';

# A bot that lives by this replies file.
sub bot {
	my (%o) = @_;
	my $hook = Pagehook->new(%o);
	$hook->configure(PAGEHOOK_REPLIES => replies_file($hook));
	$hook->serve('lighttpd-fcgi');
	$hook->graph;
	return $hook;
}

sub choices { return [ map { { content_type => 'text', title => $_->[0], payload => $_->[1] } } @_ ] }

# The shop.

my @known = ([ 'Opening hours', 'HOURS' ], [ 'Our bouquets', 'BOUQUETS' ],
    [ 'Talk to a person', 'PERSON' ]);
my $pictures = 'https://www.example.org/flowers';
my @cards = map {
	my ($title, $subtitle, $name) = @$_;
	{ title => $title, subtitle => $subtitle, image_url => "$pictures/\L$name.jpg",
	    buttons => [ { type => 'postback', title => 'I want this one',
	    payload => $name eq 'Spring' ? 'BUY_SPRING' : 'BUY_ROSES' } ] };
} [ 'Spring meadow', 'Tulips and daffodils, 24 euros', 'Spring' ],
    [ 'Red roses', 'A dozen, 39 euros', 'Roses' ];

my @visit = (		# what one person does in the shop, and all that comes of it
	[ 'Get Started greets by name, with three choices', postback => { payload => 'GET_STARTED' },
	    { text => "Welcome Ann\nThis is Ana's Flowers. What can I do for you?",
	    quick_replies => choices(@known) } ],
	[ 'a name is captured and said, as it was written',
	    message => { text => 'My name is Zoë "Q" \\ {text}' },
	    { text => 'Nice to meet you, Zoë "Q" \\ {text}!' } ],
	[ 'a tap on a quick reply is its title',
	    message => { text => 'Opening hours', quick_reply => { payload => 'HOURS' } },
	    qr/^We are (open|closed) now/ ],
	[ 'a text with buttons', message => { text => 'Hm, where are you?' },
	    { attachment => { type => 'template', payload => { template_type => 'button',
	    text => "Ana's Flowers, 12 Garden Street. How can we help you to find us?", buttons => [
	    { type => 'postback', title => 'Show me a picture', payload => 'PICTURE' },
	    { type => 'web_url', title => 'Our website', url => $pictures } ] } } } ],
	[ 'one of them brings a picture', postback => { payload => 'PICTURE', title => 'Show me' },
	    { attachment => { type => 'image', payload => { url => "$pictures/shop.jpg" } } } ],
	[ 'a message written as the Send API has it', message => { text => 'your bouquets please' },
	    { attachment => { type => 'template', payload => { template_type => 'generic',
	    elements => \@cards } } } ],
	[ 'two messages, the choices under the last', postback => { payload => 'BUY_ROSES' },
	    { text => 'A good choice!' }, { text => 'Shall we deliver it, or will you fetch it?',
	    quick_replies => choices([ 'Deliver it', 'DELIVER' ], [ 'I fetch it', 'FETCH' ]) } ],
	[ 'one of which asks for the phone number',
	    message => { text => 'I fetch it', quick_reply => { payload => 'FETCH' } },
	    { text => 'Noted: I fetch it. May we have your phone number, for questions?',
	    quick_replies => [ { content_type => 'user_phone_number' } ] } ],
	[ 'an order is looked up by a program', message => { text => 'where is my order #1235?' },
	    { text => 'Order 1235 is on its way to you.' } ],
	[ '  which knows what it does not know', message => { text => 'order 99999999' },
	    { text => 'I know no order 99999999. Please look at the number once more.' } ],
	[ '  and gets numbers only', message => { text => 'order $(id) --help' },
	    qr/^I did not understand that/ ],
	[ 'a picture', message => { attachments => [ { type => 'image', payload => { url => 'x' } } ] },
	    qr/^What a lovely picture!/ ],
	[ 'a recording', message => { attachments => [ { type => 'audio', payload => { url => 'x' } } ] },
	    qr/^Thank you. I am only a robot/ ],
	[ 'a thumb up is ignored', message => { attachments => [ { type => 'image',
	    payload => { url => 'x', sticker_id => 369239263222822 } } ] } ],
	[ 'a link of the summer', referral => { ref => 'SUMMER-26', source => 'SHORTLINK' },
	    { text => 'You found our summer offer: ten per cent on every bouquet. Just say "bouquets".' } ],
	[ 'what fits nothing gets help', message => { text => 'colourless green ideas' },
	    { text => 'I did not understand that. I know our opening hours, our bouquets, and how your ' .
	    'order is doing.', quick_replies => choices(@known) } ],
	[ 'a person is wanted', message => { text => 'Can I talk to a person' },
	    { text => 'Ana or Bo will write to you here as soon as they can.' } ],
	[ '  and then the bot is silent', message => { text => 'are you open?' } ],
);

sub is_answer {
	my ($got, $wanted, $name) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	return like $got->{text} // '', $wanted, $name if ref $wanted eq 'Regexp';
	return is_deeply $got, $wanted, $name;
}

sub visits {
	my ($hook, $psid, $turns) = @_;
	my $n = 0;
	for my $turn (@$turns) {
		my ($name, $kind, $what, @wanted) = @$turn;
		does($hook, $psid, $kind, $what);
		eval { $hook->wait_for(sub { bodies_to($hook, $psid) >= $n + @wanted }, $name) };
		my @got = bodies_to($hook, $psid);
		is_answer($got[$n++], $_, $name) for @wanted;
	}
	$hook->soon(sub { said($hook, "^the bot is silent") }, "the last event is kept");
	is scalar(my @all = bodies_to($hook, $psid)), $n, "  and nothing else was said";
}

subtest 'the shop' => sub {
	my $hook = bot();
	handler($hook, "$examples/$_") for qw(order-status orders.txt);
	replies_are($hook, slurp("$examples/shop.json"));
	visits($hook, 7001, \@visit);
	my @order = map { $_->{action} // $_->{text} } calls_to($hook, 7001);
	my ($at) = grep { ($order[$_] // '') =~ /^Order 1235/ } 0 .. $#order;
	is $order[$at - 1], 'typing_on', 'typing is shown before the program answers';
	writes($hook, 7002, 'hello');
	hears($hook, 7002, [ "Hello Ann\nThis is Ana's Flowers. Ask me for our opening hours, our bouquets, " .
	    'or your order.' ], 'somebody else is greeted the first time');
	writes($hook, 7002, 'hello');
	$hook->soon(sub { texts_to($hook, 7002) == 2 }, '  and answered the second');
	like ((texts_to($hook, 7002))[1], qr/^I did not/, '  as one who is known');
};

# Handlers, and rules of our own: one bot for the rest of it.

my $hook = bot();

# How each example answers a text that begins with its name.
my @bots = (
	[ sh => 'order-status', '/bin/sh' ],
	[ py => 'bot.py', '/usr/bin/python3', sub { [ "You said: $_[0]\nThat makes 1." ] } ],
	[ php => 'bot.php', '/usr/bin/php', sub { [ "You said: $_[0]", 'Did I get that right?' ] } ],
	[ pl => 'bot.pl', '/usr/bin/perl', sub { [ "You said: $_[0]" ] } ],
	[ c => 'bot', undef, sub { my $n = length Encode::encode('UTF-8', $_[0]);
	    [ "You said: $_[0]", "Bytes of UTF-8: $n" ] } ],
);

my @handlers = ('"on": "text", "match": "^sh: order ([0-9]+)", "exec": ["./order-status", "--", "{1}"]',
    map { qq("on": "text", "match": "^$_->[0]: ", "coproc": ["./$_->[1]"], "timeout": "60s") }
    @bots[1 .. $#bots]);

handler($hook, "$examples/$_") for qw(order-status orders.txt bot.py bot.php bot.pl);
handler($hook, Pagehook::program('examples/bot'));
my $slow = gate($hook, 'slow.gate');
handler($hook, 'slow', "#!/bin/sh\nread -r word <./slow.gate\necho \"slow: \$word\"\n");

my $again = gate($hook, 'again.gate');
handler($hook, 'again', "#!/bin/sh\nread -r word <./again.gate\n" .
    "echo \"try \$PAGEHOOK_ATTEMPT: \$word\"\n");

my @rules = (@handlers,
	'"on": "text", "is": "again", "exec": ["./again"], "timeout": "5m"',
	'"on": "text", "is": "slow", "typing": true, "exec": ["./slow"], "timeout": "5m"',
	'"on": "text", "is": "dots", "seen": true, "typing": true, "say": "Dots."',
	'"on": "text", "is": "three", "say": ["one", "two", "three"]',
	'"on": "text", "is": "mixed", "say": "first", "image": "https://example.org/a.png",
	    "message": { "text": "third" }', $echo);
replies_are($hook, @rules);

for my $n (0 .. $#bots) {
	my ($language, $file, $interpreter, $answers) = @{$bots[$n]};
	subtest "a handler in $language: $file" => sub {
		plan skip_all => "$interpreter not installed" if $interpreter && !-x $interpreter;
		my $psid = 7100 + $n;
		my $odd = qq($language: Grüße "\\ \x{1f600}\n{text} \$(id) `id` 'x');
		my $text = $answers ? $odd : 'sh: order 4711';
		my $wanted = $answers ? $answers->($odd) : [ 'Order 4711 is delivered.' ];
		writes($hook, $psid, $text);
		hears($hook, $psid, $wanted, 'answers, and nothing it was told is lost or run');
		my ($event) = rows_of($hook, $psid, 'event');
		is $event->{state}, 'done', '  and its event is done';
	};
}

subtest 'typing is shown while a slow handler thinks' => sub {
	writes($hook, 7200, 'slow');
	$hook->soon(sub { acts_to($hook, 7200) }, 'Graph is told');
	is join(' ', acts_to($hook, 7200)), 'typing_on', '  once';
	is scalar(my @said = texts_to($hook, 7200)), 0, '  and nothing else yet';
	open_gate($slow, 'done');
	hears($hook, 7200, [ 'slow: done' ], 'then comes the answer');
	is join(' ', map { $_->{action} // $_->{text} } calls_to($hook, 7200)), 'typing_on slow: done',
	    '  in this order';
};

subtest 'typing that Graph does not show changes nothing else' => sub {
	my @faults = ('error 100', 'drop', 'status 500', 'delay 60000');
	$hook->graph_faults(map { "$faults[$_] call=action to=" . (7240 + $_) } 0 .. $#faults);
	writes($hook, 7240 + $_, 'dots', 'more') for 0 .. $#faults;
	# The usual time-out of a call to Graph is 20 s: what comes after half of that did not wait for it.
	hears($hook, 7240 + $_, [ 'Dots.', 'You said: more' ], "$faults[$_]: the reply comes", 10)
	    for 0 .. $#faults;
	is join(' ', sort(acts_to($hook, 7240))), 'mark_seen typing_on', 'each is tried once';
	$hook->graph_faults();
};

subtest 'a conversation waits for its handler, others do not' => sub {
	writes_at_once($hook, 7210, 'slow', 'second', 'third');
	$hook->soon(sub { acts_to($hook, 7210) }, 'a handler thinks');
	writes($hook, 7210, 'fourth');
	writes($hook, 7211, 'three', 'and more');
	hears($hook, 7211, [ 'one', 'two', 'three', 'You said: and more' ], 'others are answered');
	is scalar(my @said = texts_to($hook, 7210)), 0, '  and this one waits';
	is join(' ', map { $_->{state} } rows_of($hook, 7210, 'event')), 'asked kept kept kept',
	    '  with its next events kept';
	open_gate($slow, 'first');
	hears($hook, 7210, [ 'slow: first', map { "You said: $_" } qw(second third fourth) ],
	    'it goes on in its order');
};

# The processes that wait at the gate of `again`.
sub askers {
	return grep {
		join(' ', Children::argv_of($_)) =~ m{\./again$} &&
		    (readlink "/proc/$_/cwd" // '') eq "$hook->{dir}/replies";
	} Children::pids();
}

subtest 'a helper that dies while a handler thinks' => sub {
	writes($hook, 7250, 'again', 'and on');
	$hook->soon(\&askers, 'a handler thinks');
	kill 'KILL', $hook->helper_pid;
	$hook->soon(sub { !askers() }, '  and does not outlive it');
	writes($hook, 7251, 'hello');
	hears($hook, 7251, [ 'You said: hello' ], 'the next helper answers');
	open_gate($again, 'hello');
	hears($hook, 7250, [ 'try 2: hello', 'You said: and on' ], '  and asks once more, for one answer');
};

subtest 'several messages of one event' => sub {
	writes($hook, $_, 'three', 'mixed') for 7220 .. 7225;
	for my $psid (7220 .. 7225) {
		hears($hook, $psid, [ qw(one two three first), '', 'third' ], "$psid gets them in their order");
	}
	is ((bodies_to($hook, 7220))[4]{attachment}{type}, 'image', '  pictures among them');
};

# So many characters of words, some of them outside the first plane.
sub long_text {
	my ($len) = @_;
	my ($text, $n) = ('', 0);
	$text .= ($n++ % 7 ? "Wört$n" : "\x{1f469}\x{200d}\x{1f680}$n") . ' ' while length $text < $len;
	return substr($text, 0, $len - 1) . '.';
}

subtest 'a long text' => sub {
	my $text = long_text(5000);
	for (my $n = 0; $n < 2; $n++) {
		my ($psid, $by, $is) = (7230 + $n, $n ? ('a handler', "pl: $text") : ('a rule', $text));
		my $whole = "You said: $is";
		my $all_of = sub { my $all = join ' ', texts_to($hook, $psid); $all =~ /\.$/ && $all };
		writes($hook, $psid, $is);
		$hook->soon($all_of, "said by $by, arrives to its end");
		my @parts = texts_to($hook, $psid);
		cmp_ok scalar(@parts), '>=', 3, '  in several messages';
		cmp_ok scalar(grep { length > 2000 } @parts), '==', 0, '  none of them too long';
		ok join(' ', @parts) eq $whole, '  split at blanks, and nothing lost';
	}
};

subtest 'a message that Graph refuses' => sub {
	$hook->graph_faults('error 100 times=1 to=7260 text=one',
	    'error 100 times=1 to=7261 text=two');
	for my $psid (7260, 7261) {
		writes($hook, $psid, 'three', 'and on');
		hears($hook, $psid, [ $psid == 7261 ? 'one' : (), 'You said: and on' ],
		    'makes what follows it void, and the conversation goes on');
		my $last = sub { (rows_of($hook, $psid, 'reply'))[-1] };
		$hook->soon(sub { $last->()->{state} eq 'sent' }, '  which is noted');
		my @dead = grep { $_->{state} eq 'dead' } rows_of($hook, $psid, 'reply');
		is scalar(@dead), $psid == 7261 ? 2 : 3, '  the rest of that event is dead';
		is scalar(grep { ($_->{why} // '') eq '' } @dead), 0, '  each with a reason';
	}
	$hook->graph_faults();
};

# Edits.

subtest 'an edit counts at once' => sub {
	my $lives = lives($hook);
	replies_are($hook, '"on": "text", "is": "hello", "say": "Hello, {psid}."', @rules);
	writes($hook, 7300, 'hello', 'three');
	hears($hook, 7300, [ 'Hello, 7300.', qw(one two three) ], 'for the next event');
	replies_are($hook, '"on": "text", "is": "hello", "say": "Good evening."', @rules);
	writes($hook, 7300, 'hello');
	hears($hook, 7300, [ 'Hello, 7300.', qw(one two three), 'Good evening.' ], '  and again');
	is lives($hook), $lives, '  in the same helper';
};

# Lines of the log as they stand: to read them all each time would take long.
sub config_errors {
	return grep { /"l":"error","k":"config"/ } split /^/, slurp("$hook->{state}/pagehook.log");
}

my @broken = bsd_glob("$FindBin::Bin/data/replies/bad/*.json");

subtest scalar(@broken) . ' broken edits, one after the other' => sub {
	my $lives = lives($hook);
	cmp_ok scalar(@broken), '>=', 40, 'there are many ways';
	my (@silent, @untold);
	my $n_told = config_errors();
	for my $n (0 .. $#broken) {
		my ($psid, $text) = (7400 + $n, slurp($broken[$n]));
		my ($place, $flaw) = $text =~ m{^// (\d+:\d+)  (.*)} or die "$broken[$n] does not say where";
		utf8::decode($flaw);
		my $file = replies_are($hook, $text);
		writes($hook, $psid, 'hello');
		my $heard = sub { join '|', texts_to($hook, $psid) };
		eval { $hook->wait_for($heard, 'an answer') };
		if ($heard->() ne 'Good evening.') {
			push @silent, $broken[$n];
			last;			# the others would be waited for as long
		}
		my @all = config_errors();
		my @told = map { decode_json($_)->{what} } splice @all, $n_told;
		push @untold, "$broken[$n]: @told"
		    if @told != 1 || index($told[0], "$file:$place: ") || index($told[0], $flaw) < 0;
		$n_told += @told;
	}
	is join("\n", @silent), '', 'the bot goes on with the last good replies';
	is join("\n", @untold), '', 'each is told once, with file, line and column';
	is lives($hook), $lives, 'in the same helper';
	replies_are($hook, $echo);
	writes($hook, 7399, 'hello');
	hears($hook, 7399, [ 'You said: hello' ], 'a mended file counts');
};
$hook->stop;

subtest 'a helper that starts with a broken file' => sub {
	for my $file ([ 'broken', '{ "replies": [ { "on": "text", "sya": "x" } ] }' ], [ 'missing' ]) {
		my ($how, $text) = @$file;
		my $hook = bot();
		replies_are($hook, $text) if $text;
		writes_at_once($hook, 7500, 'one', 'two');
		does($hook, 7501, postback => { payload => 'x' });
		$hook->soon(sub { said($hook, $text ? 'replies\.json:1:32: ' : 'replies\.json: No such file') },
		    "$how: it is said");
		is join(' ', map { $_->{state} } $hook->store('select state from event')), 'kept kept kept',
		    '  and events are kept';
		is scalar(my @sent = $hook->sent), 0, '  not answered';
		replies_are($hook, $echo);
		hears($hook, 7500, [ 'You said: one', 'You said: two' ], '  until it is mended');
		hears($hook, 7501, [ 'You said: ' ], '  each conversation');
		$hook->stop;
	}
};

subtest 'a file that others can write' => sub {
	my $hook = bot();
	chmod 0666, replies_are($hook, $echo);
	writes($hook, 7510, 'one');
	$hook->soon(sub { said($hook, 'others can write it: chmod o-w') }, 'is not used, and it is said why');
	is scalar(my @sent = $hook->sent), 0, '  nobody is answered by it';
	chmod 0644, replies_file($hook);
	hears($hook, 7510, [ 'You said: one' ], '  until the command that was told is typed');
	$hook->stop;
};
done_testing;
