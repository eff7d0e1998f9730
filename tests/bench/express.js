// express -- the receiver of Messenger guides: HMAC over the raw body, 200, then perhaps a reply.
// Knows Express, fetch.  Keeps nothing: what it has answered 200 is lost with the process.
// Called by `make bench`, by node, with PORT, SECRET, and to reply GRAPH and PAGES (a JSON file).
// SPDX-License-Identifier: ISC
'use strict';
const crypto = require('crypto');
const express = require('express');
const fs = require('fs');

const { PORT, SECRET, GRAPH, PAGES } = process.env;
const pages = GRAPH ? JSON.parse(fs.readFileSync(PAGES)) : {};
for (const page of Object.values(pages))
	page.proof = crypto.createHmac('sha256', SECRET).update(page.access_token).digest('hex');

function verify(req, res, body) {
	const offered = Buffer.from(req.get('x-hub-signature-256') || '');
	const ours = Buffer.from('sha256=' + crypto.createHmac('sha256', SECRET).update(body).digest('hex'));
	if (offered.length !== ours.length || !crypto.timingSafeEqual(offered, ours))
		throw Object.assign(new Error('not signed'), { status: 401 });
}

async function reply(event) {
	const { access_token, proof } = pages[event.recipient.id];
	const url = `${GRAPH}/v25.0/${event.recipient.id}/messages` +
	    `?access_token=${access_token}&appsecret_proof=${proof}`;
	const answer = await fetch(url, {
		method: 'POST',
		headers: { 'Content-Type': 'application/json' },
		body: JSON.stringify({
			recipient: { id: event.sender.id },
			messaging_type: 'RESPONSE',
			message: { text: `You said: ${event.message.text}` },
		}),
	});
	await answer.text();
}

const app = express();
app.use(express.json({ verify }));
app.post('/messenger/webhook', (req, res) => {
	res.status(200).send('EVENT_RECEIVED');
	if (!GRAPH)
		return;
	for (const entry of req.body.entry)
		for (const event of entry.messaging)
			if (event.message && event.message.text)
				reply(event).catch((error) => console.error(error.message));
});
app.use((error, req, res, next) => res.status(error.status || 500).end());
app.listen(Number(PORT), '127.0.0.1');
