#!/usr/bin/php
<?php
// A bot that stays.  In the replies file: { "on": "text", "coproc": ["./bot.php"] }
//
// pagehook writes one JSON object a line to our standard input, we write one a line to our standard
// output: first a hello each, then an answer for each event.  Described in pagehook-handler(7).
// This one answers with two messages, of which the second is any message object that the Send API
// takes: here a text with quick replies.
// SPDX-License-Identifier: ISC

ini_set('display_errors', 'stderr');	// PHP's own words go to pagehook's log, not into our lines

function tell(array $line): void
{
	fwrite(STDOUT, json_encode($line, JSON_INVALID_UTF8_SUBSTITUTE) . "\n");
	fflush(STDOUT);
}

function think(array $event): array
{
	$choice = fn (string $title) => [
		'content_type' => 'text', 'title' => $title, 'payload' => strtoupper($title),
	];
	return [
		'You said: ' . ($event['text'] ?? ''),	// pagehook cuts it if it is too long for one
		[ 'text' => 'Did I get that right?', 'quick_replies' => [ $choice('Yes'), $choice('No') ] ],
	];
}

$greeted = false;
while (($line = fgets(STDIN)) !== false) {
	$message = json_decode($line, true);
	if (isset($message['hello'])) {
		if (!$greeted)
			tell(['pagehook' => 1, 'hello' => ['name' => 'bot.php']]);
		$greeted = true;
	} elseif (isset($message['id']))	// whatever else may come one day is not for us
		tell(['id' => $message['id'], 'reply' => think($message)]);
}
// End of file: pagehook wants us to leave.
