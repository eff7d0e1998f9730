/*
 * bot -- a handler in C that stays: { "on": "text", "coproc": ["./bot"] } in the replies file.
 * Knows json and buffer of libpagehook, and the lines of pagehook-handler(7).  Knows no Facebook.
 * Called by pagehook's helper, which writes events to its standard input, a line of JSON each.
 * Lives until its standard input ends.
 * SPDX-License-Identifier: ISC
 *
 * Built by `make build/examples/bot`; elsewhere: cc -Ilib -o bot bot.c libpagehook.a -ljson-c
 */
#include <stdio.h>
#include <stdlib.h>

#include "json.h"

/* Writes the line in out.  Not flushed, pagehook would wait in vain. */
static void
tell(struct ph_buffer *out)
{
	ph_buffer_adds(out, "\n");
	if (out->failed || fwrite(out->data, 1, out->len, stdout) != out->len || fflush(stdout) != 0)
		exit(1);		/* pagehook starts us again and asks again */
	ph_buffer_reset(out);
}

/* The answer to one event: a list of two messages, sent in this order. */
static void
answer(const struct ph_json *event, struct ph_buffer *out)
{
	struct ph_slice	 text = ph_json_text(ph_json_get(event, "text"));

	ph_buffer_adds(out, "{\"id\":\"");
	ph_buffer_add_json(out, ph_json_text(ph_json_get(event, "id")));
	ph_buffer_adds(out, "\",\"reply\":[\"You said: ");
	if (text.at != NULL)		/* what is no text has none */
		ph_buffer_add_json(out, text);
	ph_buffer_addf(out, "\",{\"text\":\"Bytes of UTF-8: %zu\"}]}", text.len);
	tell(out);
}

static void
greet(struct ph_buffer *out)
{
	ph_buffer_adds(out, "{\"pagehook\":1,\"hello\":{\"name\":\"bot in C\"}}");
	tell(out);
}

int
main(void)
{
	struct ph_buffer	 out = PH_BUFFER_INIT;
	struct ph_json		*line;
	char			*bytes = NULL;
	size_t			 size = 0;
	ssize_t			 len;
	bool			 greeted = false;

	while ((len = getline(&bytes, &size, stdin)) > 0) {
		bytes[len - 1] = '\0';	/* the newline */
		if (ph_json_parse((struct ph_slice){ bytes, (size_t)len - 1 }, &line, NULL) != PH_OK)
			break;
		if (ph_json_get(line, "hello") != NULL && !greeted) {
			greet(&out);
			greeted = true;
		} else if (ph_json_text(ph_json_get(line, "id")).at != NULL)
			answer(line, &out);	/* whatever else may come one day is not for us */
		ph_json_free(line);
	}
	ph_buffer_clear(&out);
	free(bytes);
	return 0;			/* end of file: pagehook wants us to leave */
}
