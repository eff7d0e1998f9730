/*
 * store_sqlite -- the store in one SQLite file: its tables, its statements, its operations.
 * Knows sqlite, store.  Does not know Messenger, Graph, or which state follows which.
 * Called by ledger through ph_store_sqlite.
 * Lives as one connection: see sqlite.h.
 * SPDX-License-Identifier: ISC
 */
#include <stdlib.h>

#include "store_sqlite.h"

/* SQLite uses a partial index only when a query repeats its term to the letter. */
#define EVENT_OPEN	"state IN ('kept','asked')"
#define REPLY_OPEN	"(state='ready' OR state='sending' OR state='unsure')"
#define REPLY_FLYING	"state IN ('sending','unsure')"

/* The state is no parameter: SQLite would prepare it anew each time, to see which partial index fits. */
#define FLYING(state)	"SELECT r.id, r.conv, r.event, r.attempt, r.resends, r.token, r.at," \
	" coalesce(r.first_due, r.due), c.page FROM reply r JOIN conv c ON c.id=r.conv" \
	" WHERE r." REPLY_FLYING " AND r.state='" state "' AND r.due<=?1 ORDER BY r.due LIMIT ?2"

#define HEAD_DUE	"(SELECT CASE state WHEN 'ready' THEN due END FROM reply WHERE conv=?1 AND " \
	REPLY_OPEN " ORDER BY id LIMIT 1)"

#define FORGOTTEN	"'forgotten ' || "
#define THEIRS		"id BETWEEN ?1 AND ?2 AND (conv=?3 OR (conv IS NULL AND " \
	PH_SQLITE_NAMES("body", "?4") "))"
#define NONE		"9223372036854775807"

static const char	 first_tables[] =
"CREATE TABLE seen (key BLOB PRIMARY KEY, day INTEGER NOT NULL) WITHOUT ROWID, STRICT;"
"CREATE TABLE conv (id INTEGER PRIMARY KEY, page TEXT NOT NULL, person TEXT NOT NULL, due INTEGER,"
"  silent_until INTEGER, UNIQUE (page, person)) STRICT;"
"CREATE TABLE event (id INTEGER PRIMARY KEY, conv INTEGER, object TEXT NOT NULL, page TEXT NOT NULL,"
"  kind TEXT NOT NULL, mid TEXT, at INTEGER NOT NULL, came INTEGER NOT NULL, state TEXT NOT NULL,"
"  due INTEGER, tries INTEGER NOT NULL DEFAULT 0, why TEXT, body BLOB) STRICT;"
"CREATE TABLE page (id TEXT PRIMARY KEY, paused_until INTEGER, why TEXT) STRICT;"
"CREATE TABLE meta (name TEXT PRIMARY KEY, value ANY) STRICT;"
"CREATE TABLE reply (id INTEGER PRIMARY KEY, conv INTEGER NOT NULL, event INTEGER,"
"  state TEXT NOT NULL, due INTEGER NOT NULL, attempt INTEGER NOT NULL DEFAULT 0,"
"  resends INTEGER NOT NULL DEFAULT 0, token BLOB, mid TEXT, code INTEGER, subcode INTEGER,"
"  trace TEXT, why TEXT, body BLOB) STRICT;"
"CREATE INDEX conv_due ON conv (page, due) WHERE due IS NOT NULL;"
"CREATE INDEX event_open ON event (conv, at, id) WHERE " EVENT_OPEN ";"
"CREATE INDEX reply_open ON reply (conv, id) WHERE " REPLY_OPEN ";"
"CREATE INDEX reply_flying ON reply (due) WHERE " REPLY_FLYING ";"
"CREATE UNIQUE INDEX reply_token ON reply (token) WHERE token IS NOT NULL;";

/* Replies that a person can write: events that wait, people's names, silence, what was said lately. */
static const char	 waiting_events[] =
"ALTER TABLE conv ADD COLUMN first INTEGER;"	/* the event of the first turn; 0: long ago */
"ALTER TABLE conv ADD COLUMN turn_at INTEGER;"
"ALTER TABLE conv ADD COLUMN said INTEGER NOT NULL DEFAULT 0;"
"ALTER TABLE conv ADD COLUMN said_from INTEGER NOT NULL DEFAULT 0;"
"ALTER TABLE conv ADD COLUMN first_name TEXT;"
"ALTER TABLE conv ADD COLUMN last_name TEXT;"
"ALTER TABLE conv ADD COLUMN asked_at INTEGER;"
"ALTER TABLE reply ADD COLUMN kind TEXT;"
"ALTER TABLE event ADD COLUMN failed INTEGER;"	/* its handler, at the last try */
"CREATE INDEX event_due ON event (due) WHERE due IS NOT NULL;"
"UPDATE conv SET first=0;"
"UPDATE conv SET turn_at=turns.at FROM (SELECT conv, max(at) AS at FROM event WHERE kind IN"	/* one pass */
"  ('message.text','message.quick_reply','message.attachment','message.sticker','postback','optin',"
"  'account_linking','referral') GROUP BY conv) AS turns WHERE turns.conv=conv.id;";

/* Replies too old to be sent, threads that another app has. */
static const char	 ages[] =
"ALTER TABLE reply ADD COLUMN at INTEGER;"
"ALTER TABLE reply ADD COLUMN retries INTEGER NOT NULL DEFAULT 0;"
"ALTER TABLE reply ADD COLUMN first_due INTEGER;"	/* of one that is unsure: when it was looked at first */
"ALTER TABLE reply ADD COLUMN left_at INTEGER;"	/* when it was claimed last */
"ALTER TABLE conv ADD COLUMN foreign_thread INTEGER;"
"UPDATE reply SET at=(SELECT at FROM event WHERE event.id=reply.event);";

/* What an operator looks at, in the order it came; and what waits for one is counted by itself. */
static const char	 unfinished[] =
"ALTER TABLE reply ADD COLUMN doubt INTEGER;"	/* 1: it may have been sent, whatever became of it since */
"UPDATE reply SET doubt=1 WHERE " REPLY_FLYING ";"
"CREATE INDEX reply_unfinished ON reply (id) WHERE state<>'sent';"
"CREATE INDEX event_unfinished ON event (id) WHERE state<>'done';"
"CREATE INDEX reply_over ON reply (state) WHERE state IN ('dead','held');"
"CREATE INDEX event_dead ON event (kind) WHERE state='dead';";

/*
 * Keys that are not in `seen` yet, in the order they came.  And each change of a reply asks whether it is
 * open: an IN of three builds a table in memory to look in.
 */
static const char	 cheaper[] =
"CREATE TABLE fresh (id INTEGER PRIMARY KEY, key BLOB NOT NULL) STRICT;"
"DROP INDEX reply_open;"
"CREATE INDEX reply_open ON reply (conv, id) WHERE " REPLY_OPEN ";";

/* A row has all keys of a transaction, 16 bytes each, in place of one. */
static const char	 keys_together[] = "ALTER TABLE fresh RENAME COLUMN key TO keys;";

static const char *const	 migrations[] = { first_tables, waiting_events, ages, unfinished, cheaper,
	keys_together };

static const char *const	 sql[N_STATEMENTS] = {
	PH_SQLITE_TRANSACTION,
	[SEEN] = "SELECT 1 FROM seen WHERE key=?1",
	[LIST_FRESH] = "SELECT keys FROM fresh",
	[FIRST_FRESH] = "SELECT min(id) FROM fresh",
	[LAST_FRESH] = "SELECT max(id) FROM fresh",
	[ADD_FRESH] = "INSERT INTO fresh (keys) VALUES (?1)",
	[DROP_FRESH] = "DELETE FROM fresh WHERE id<=?1 AND id<(SELECT min(id) FROM fresh)+?2",
	[SEE] = "INSERT INTO seen (key, day) VALUES (?1, ?2) ON CONFLICT DO NOTHING",
	[FIND_CONV] = "SELECT id, first, silent_until, turn_at, foreign_thread FROM conv"
	    " WHERE page=?1 AND person=?2",
	[TURN_CONV] = "UPDATE conv SET turn_at=?2 WHERE id=?1",
	[ADD_CONV] = "INSERT INTO conv (page, person, turn_at) VALUES (?1, ?2, ?3)",
	[MEET] = "UPDATE conv SET first=?2 WHERE id=?1",
	[ADD_EVENT] = "INSERT INTO event (conv, object, page, kind, mid, at, came, state, why, body)"
	    " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
	[SILENCE] = "UPDATE conv SET silent_until=?2 WHERE id=?1",
	[SILENT] = "SELECT silent_until FROM conv WHERE id=?1",
	[PERSON] = "SELECT asked_at, first_name, last_name FROM conv WHERE id=?1",
	[SET_PERSON] = "UPDATE conv SET first_name=coalesce(nullif(?2, ''), first_name),"
	    " last_name=coalesce(nullif(?3, ''), last_name), asked_at=?4 WHERE id=?1",
	/* Only the first open event of a conversation has a due time; the others wait behind it. */
	[PUT_OFF] = "UPDATE event SET state='kept' WHERE id=?1",
	[WAKE_EVENT] = "UPDATE event SET due=?2 WHERE id=(SELECT id FROM event WHERE conv=?1 AND "
	    EVENT_OPEN " ORDER BY at, id LIMIT 1) AND state='kept' AND due IS NULL",
	[IS_OPEN] = "SELECT 1 FROM event WHERE conv=?1 AND " EVENT_OPEN " LIMIT 1",
	[DUE_EVENTS] = "SELECT e.id, e.conv, e.at, e.due, e.tries, c.first, c.silent_until, c.turn_at,"
	    " e.page, c.person, e.body, e.failed FROM event e JOIN conv c ON c.id=e.conv"
	    " WHERE e.due IS NOT NULL AND e.due<=?1 AND (e.due, e.id)>(?2, ?3) AND e.id=(SELECT x.id"
	    " FROM event x WHERE x.conv=e.conv AND x." EVENT_OPEN " ORDER BY x.at, x.id LIMIT 1)"
	    " ORDER BY e.due, e.id LIMIT ?4",
	[STEP_EVENT] = "UPDATE event SET state=?2, due=?3, tries=?4, why=coalesce(?5, why),"
	    " failed=CASE ?2 WHEN 'kept' THEN ?6 ELSE failed END"
	    " WHERE id=?1 AND " EVENT_OPEN,
	[REOPEN] = "UPDATE event SET state='kept', due=?1 WHERE " EVENT_OPEN " AND state='asked'",
	[COUNT_OPEN] = "SELECT count(*) FROM event WHERE " EVENT_OPEN,
	[NEXT_OPEN] = "SELECT due FROM event WHERE due IS NOT NULL AND due>?1 ORDER BY due LIMIT 1",
	[ADD_REPLY] = "INSERT INTO reply (conv, event, state, due, kind, body, at)"
	    " VALUES (?1, ?2, 'ready', ?3, ?4, ?5, ?6)",
	/*
	 * Only the first open reply makes its conversation due; the others wait behind it.  What is said
	 * is counted from the first in a window on; RETURNING would build a table in memory for it.
	 */
	[WAKE_CONV] = "UPDATE conv SET due=CASE WHEN due IS NULL AND NOT EXISTS (SELECT 1 FROM reply WHERE"
	    " conv=?1 AND id<?3 AND " REPLY_OPEN ") THEN ?2 ELSE due END,"
	    " said=CASE WHEN ?4=0 THEN said WHEN ?4 BETWEEN said_from AND said_from+?5-1 THEN said+1"
	    " WHEN ?4<said_from THEN said ELSE 1 END,"
	    " said_from=CASE WHEN ?4>=said_from+?5 THEN ?4 ELSE said_from END WHERE id=?1",
	[SAID] = "SELECT said FROM conv WHERE id=?1",
	[HOLD] = "UPDATE reply SET state='held', why=?2 WHERE id=?1 AND state='ready'",
	[DROP_REST] = "UPDATE reply SET state='dead', why=?4 WHERE conv=?1 AND event=?2 AND id>?3 AND "
	    REPLY_OPEN " AND state='ready' AND kind IS NULL",
	[DROP_ALL] = "UPDATE reply SET state='dead', why=?2 WHERE conv=?1 AND " REPLY_OPEN
	    " AND state='ready'",
	[LEND] = "UPDATE reply SET due=?2 WHERE conv=?1 AND " REPLY_OPEN " AND state='ready'",
	[LEND_CONV] = "UPDATE conv SET foreign_thread=?2 WHERE id=?1",
	[UNCLAIM] = "UPDATE reply SET state='ready', attempt=attempt-1, due=?2 WHERE id=?1 AND "
	    REPLY_FLYING " AND state='sending'",
	[RETRY] = "UPDATE reply SET state='ready', due=?2, first_due=NULL, retries=0,"
	    " resends=resends+coalesce(doubt, 0) WHERE id=?1 AND state IN ('dead','held','unsure')"
	    " AND (?3 OR doubt IS NULL) RETURNING conv",
	[DROP] = "UPDATE reply SET state='dead', due=?2, why='dropped by the operator' WHERE id=?1"
	    " AND (state IN ('ready','held') OR (?3 AND state='unsure')) RETURNING conv",
	[REMOVE] = "DELETE FROM reply WHERE id=?1 AND state='dead' RETURNING conv",
	[RETRY_EVENT] = "UPDATE event SET state='kept', due=NULL, tries=0, failed=NULL, why=NULL"
	    " WHERE id=?1 AND state='dead' AND conv IS NOT NULL RETURNING conv",
	[DROP_EVENT] = "UPDATE event SET state='dead', due=NULL, why='dropped by the operator' WHERE id=?1"
	    " AND " EVENT_OPEN " RETURNING conv",
	/* The row stays until it is pruned: its number may not be another's while a handler bears it. */
	[REMOVE_EVENT] = "UPDATE event SET state='done' WHERE id=?1 AND state='dead' RETURNING id",
	[TELL_EVENT] = "SELECT state, 0, '', why, conv IS NULL, 0 FROM event WHERE id=?1",
	[HOLD_ONE] = "UPDATE reply SET state='held', due=?2, why='held by the operator' WHERE id=?1"
	    " AND state='ready' RETURNING conv",
	[RELEASE] = "UPDATE reply SET state='ready', due=?2, resends=resends+coalesce(doubt, 0) WHERE id=?1"
	    " AND state='held' AND (?3 OR doubt IS NULL) RETURNING conv",
	[TELL] = "SELECT state, code, mid, why, 0, doubt IS NOT NULL FROM reply WHERE id=?1",
	/* Heads of conversations, page by page: a paused page's rows are never read. */
	[DUE_HEADS] = "SELECT r.id, r.conv, r.event, r.attempt+1, r.resends, r.token, r.at, r.kind, r.body,"
	    " r.retries, c.person, c.turn_at FROM conv c JOIN reply r ON r.id=(SELECT id FROM reply WHERE"
	    " conv=c.id AND " REPLY_OPEN " ORDER BY id LIMIT 1) WHERE c.page=?1 AND c.due<=?2"
	    " AND r.state='ready' ORDER BY c.due LIMIT ?3",
	[CLAIM] = "UPDATE reply SET state='sending', attempt=attempt+1, due=?2, left_at=?2, token=?3"
	    " WHERE id=?1",
	[TAKE_CONV] = "UPDATE conv SET due=NULL WHERE id=?1",
	[SENDING] = FLYING("sending"),
	[UNSURE] = FLYING("unsure"),
	[MOVE] = "UPDATE reply SET state=?2, due=?3, attempt=attempt-?11, retries=max(retries, ?12),"
	    " first_due=CASE ?2 WHEN 'unsure' THEN coalesce(first_due, ?3) END,"
	    " doubt=CASE ?2 WHEN 'unsure' THEN 1 ELSE doubt END, resends=?4, mid=coalesce(?5, mid),"
	    " code=coalesce(?6, code), subcode=coalesce(?7, subcode), trace=coalesce(?8, trace),"
	    " why=coalesce(?9, why) WHERE id=?1 AND " REPLY_FLYING
	    " AND (?10 IS NULL OR token=?10)",
	/* NULL when the head is not ready: nothing may overtake what is in flight or unsure. */
	[NEXT_CONV] = "UPDATE conv SET due=" HEAD_DUE " WHERE id=?1 AND due IS NOT " HEAD_DUE,
	/* What an operator made ready may stand before what is in flight. */
	[WAIT_CONV] = "UPDATE conv SET due=NULL WHERE id=?1 AND EXISTS (SELECT 1 FROM reply WHERE conv=?1"
	    " AND " REPLY_OPEN " AND " REPLY_FLYING ")",
	[READY_PAGE] = "SELECT page, due FROM conv WHERE due IS NOT NULL AND page>?1"
	    " ORDER BY page, due LIMIT 1",
	[NEXT_READY] = "SELECT min(due) FROM conv WHERE page=?1 AND due IS NOT NULL",
	[NEXT_UNSURE] = "SELECT due FROM reply WHERE " REPLY_FLYING " AND state='unsure'"
	    " ORDER BY due LIMIT 1",
	[PAUSE] = "INSERT INTO page (id, paused_until, why) VALUES (?1, ?3, ?2) ON CONFLICT (id) DO UPDATE"
	    " SET why=excluded.why, paused_until=excluded.paused_until WHERE why IS NOT excluded.why"
	    " OR paused_until IS NOT excluded.paused_until",
	[PAUSED] = "SELECT coalesce(paused_until, 0) FROM page WHERE id=?1",
	[GO_ON] = "DELETE FROM page WHERE id=?1",
	[NOTE] = "INSERT INTO meta (name, value) VALUES (?1, ?2)"
	    " ON CONFLICT (name) DO UPDATE SET value=excluded.value",
	[NOTED] = "SELECT substr(name, length(?1)+1), value FROM meta WHERE name>=?1 AND name<?1||char(1114111)",
	[FIND_TOKEN] = "SELECT id, coalesce(left_at, 0), conv, state<>'sent', mid IS NULL FROM reply"
	    " WHERE token IS NOT NULL AND token=?1",
	[CONFIRM] = "UPDATE reply SET state='sent', mid=coalesce(mid, ?2) WHERE id=?1",
	[RECALL] = "SELECT value FROM meta WHERE name=?1",
	[COUNT_OWED] = "SELECT count(*) FROM reply WHERE " REPLY_OPEN,
	[HOLD_ALL] = "UPDATE reply SET state='held', due=?1, why=?2, doubt=1 WHERE " REPLY_OPEN,
	[HOLD_CONVS] = "UPDATE conv SET due=NULL WHERE due IS NOT NULL",
	[DROP_EVENTS] = "UPDATE event SET state='dead', due=NULL, why=?1 WHERE " EVENT_OPEN,
	/*
	 * A walk along the primary keys: the age of a row needs no index, and no scan.  The newest stays,
	 * or its number would be another's: handlers remember it, and the log.
	 */
	[PRUNE_EVENT_END] = "SELECT max(id) FROM (SELECT id FROM event WHERE id>?1 ORDER BY id LIMIT 500)",
	[PRUNE_EVENT] = "DELETE FROM event WHERE id>?1 AND id<=?2 AND ((state='done' AND came<?3)"
	    " OR (state='dead' AND came<?4)) AND id<(SELECT max(id) FROM event)",
	[PRUNE_REPLY_END] = "SELECT max(id) FROM (SELECT id FROM reply WHERE id>?1 ORDER BY id LIMIT 500)",
	[PRUNE_REPLY] = "DELETE FROM reply WHERE id>?1 AND id<=?2 AND ((state='sent' AND due<?3)"
	    " OR (state IN ('dead','held') AND due<?4)) AND id<(SELECT max(id) FROM reply)",
	[PRUNE_SEEN_END] = "SELECT max(key) FROM (SELECT key FROM seen WHERE key>?1 ORDER BY key LIMIT 500)",
	[PRUNE_SEEN] = "DELETE FROM seen WHERE key>?1 AND key<=?2 AND day<?3",
	/* A person who is being forgotten bears another name; erasing goes on where it was begun. */
	[NEXT_PAGE] = "SELECT min(page) FROM conv WHERE page>?1",
	[FIND_PERSON] = "SELECT id, person<>?2 FROM conv WHERE page=?1 AND person IN (?2, " FORGOTTEN "?2)"
	    " ORDER BY 2 DESC LIMIT 1",
	[IN_FLIGHT] = "SELECT 1 WHERE EXISTS (SELECT 1 FROM reply WHERE conv=?1 AND " REPLY_OPEN
	    " AND state='sending') OR EXISTS (SELECT 1 FROM event WHERE conv=?1 AND " EVENT_OPEN
	    " AND state='asked')",
	[CLOSE_EVENTS] = "UPDATE event SET state='done', due=NULL WHERE conv=?1 AND " EVENT_OPEN,
	[CLOSE_REPLIES] = "UPDATE reply SET state='dead' WHERE conv=?1 AND " REPLY_OPEN,
	[PART] = "UPDATE conv SET person=" FORGOTTEN "person, first_name=NULL, last_name=NULL, due=NULL"
	    " WHERE id=?1",
	[NEXT_ROW] = "SELECT nullif(min(coalesce((SELECT min(id) FROM event WHERE id>?1), " NONE "),"
	    " coalesce((SELECT min(id) FROM reply WHERE id>?1), " NONE ")), " NONE ")",
	/* The newest keeps its number: a handler must not meet it again on somebody else's event. */
	[FORGET_NEWEST] = "UPDATE event SET conv=NULL, mid=NULL, state='done', why=NULL, body=NULL"
	    " WHERE id=(SELECT max(id) FROM event) AND " THEIRS,
	[FORGET_EVENTS] = "DELETE FROM event WHERE " THEIRS,
	[FORGET_REPLIES] = "DELETE FROM reply WHERE id BETWEEN ?1 AND ?2 AND conv=?3",
	[FORGET_CONV] = "DELETE FROM conv WHERE id=?1",
	[ADVANCE_CONV] = "UPDATE conv SET due=?2 WHERE due IS NOT NULL AND due>?1",
	[ADVANCE_REPLY] = "UPDATE reply SET due=?2, first_due=min(first_due, ?2) WHERE " REPLY_OPEN
	    " AND due>?1",
	[ADVANCE_EVENT] = "UPDATE event SET due=?2 WHERE due IS NOT NULL AND due>?1",
};

static const struct ph_sqlite_schema	 schema = {
	migrations, sizeof(migrations) / sizeof(migrations[0]), sql, N_STATEMENTS,
};

static void
sqlite_close(struct ph_store *s)
{
	if (s != NULL) {
		ph_sqlite_close(&s->sq);
		ph_buffer_clear(&s->pruned_key);
		ph_fresh_clear(&s->fresh);
		ph_fresh_clear(&s->merging);
		ph_buffer_clear(&s->new_keys);
	}
	free(s);
}

static enum ph_error
sqlite_open(const char *path, struct ph_store **out, struct ph_fail *fail)
{
	struct ph_store	*s = calloc(1, sizeof(*s));
	enum ph_error	 err;

	*out = NULL;
	if (s == NULL)
		return ph_error_set(fail, PH_NOMEM, "store: out of memory");
	if ((err = ph_sqlite_open(&s->sq, path, &schema, fail)) == PH_OK)
		*out = s;
	else
		free(s);
	return err;
}

static enum ph_error
sqlite_in_place(struct ph_store *s, struct ph_fail *fail)
{
	return ph_sqlite_in_place(&s->sq, fail);
}

/* Nothing is promised by a file that nobody will find. */
static enum ph_error
sqlite_begin(struct ph_store *s, struct ph_fail *fail)
{
	struct ph_fail	 gone = PH_FAIL_INIT;

	s->changed = false;
	if (ph_sqlite_in_place(&s->sq, &gone) != PH_OK)
		return ph_error_set(fail, PH_BUSY, "%s", gone.text);
	if (ph_sqlite_run(&s->sq, PH_SQLITE_BEGIN, WITH_NOTHING, fail) != PH_OK)
		return fail->err;
	return ph_store_sqlite_know_keys(s, fail);
}

static enum ph_error
sqlite_commit(struct ph_store *s, struct ph_fail *fail)
{
	if (ph_store_sqlite_write_keys(s, fail) != PH_OK)
		return fail->err;
	return ph_sqlite_run(&s->sq, PH_SQLITE_COMMIT, WITH_NOTHING, fail);
}

static void
sqlite_abandon(struct ph_store *s)
{
	ph_buffer_reset(&s->new_keys);
	s->knows_fresh &= !s->changed;		/* else a merge would begin anew each time, and never end */
	ph_sqlite_abandon(&s->sq);
}

static enum ph_error
sqlite_pause(struct ph_store *s, struct ph_slice page, const char *why, int64_t until,
    struct ph_fail *fail)
{
	if (why == NULL)
		return ph_sqlite_change(&s->sq, GO_ON, WITH(TEXT(page)), fail);
	return ph_sqlite_change(&s->sq, PAUSE, WITH(TEXT(page), WORD(why), INT_OR_NULL(until)), fail);
}

static enum ph_error
sqlite_paused(struct ph_store *s, struct ph_slice page, int64_t *until, struct ph_fail *fail)
{
	return ph_sqlite_ask(&s->sq, PAUSED, WITH(TEXT(page)), until, fail);
}

static enum ph_error
sqlite_advance(struct ph_store *s, int64_t limit, int64_t now, struct ph_fail *fail)
{
	static const enum statement	 all[] = { ADVANCE_CONV, ADVANCE_REPLY, ADVANCE_EVENT };
	enum ph_error			 err = PH_OK;
	size_t				 i;

	for (i = 0; i < sizeof(all) / sizeof(all[0]) && err == PH_OK; i++)
		err = ph_sqlite_run(&s->sq, all[i], WITH(INT(limit), INT(now)), fail);
	return err;
}

static enum ph_error
sqlite_note(struct ph_store *s, const char *name, int64_t value, struct ph_fail *fail)
{
	return ph_sqlite_run(&s->sq, NOTE, WITH(WORD(name), INT(value)), fail);
}

static enum ph_error
sqlite_recall(struct ph_store *s, const char *name, int64_t *value, struct ph_fail *fail)
{
	return ph_sqlite_ask(&s->sq, RECALL, WITH(WORD(name)), value, fail);
}

static enum ph_error
sqlite_count_open(struct ph_store *s, int64_t *n_events, int64_t *n_replies, struct ph_fail *fail)
{
	enum ph_error	 err = ph_sqlite_ask(&s->sq, COUNT_OPEN, WITH_NOTHING, n_events, fail);

	return err == PH_OK ? ph_sqlite_ask(&s->sq, COUNT_OWED, WITH_NOTHING, n_replies, fail) : err;
}

static enum ph_error
sqlite_hold_all(struct ph_store *s, int64_t now, const char *why, int64_t *n_events,
    int64_t *n_replies, struct ph_fail *fail)
{
	enum ph_error	 err = sqlite_count_open(s, n_events, n_replies, fail);

	if (err == PH_OK)
		err = ph_sqlite_run(&s->sq, HOLD_ALL, WITH(INT(now), WORD(why)), fail);
	if (err == PH_OK)
		err = ph_sqlite_run(&s->sq, HOLD_CONVS, WITH_NOTHING, fail);
	return err == PH_OK ? ph_sqlite_run(&s->sq, DROP_EVENTS, WITH(WORD(why)), fail) : err;
}

static enum ph_error
sqlite_noted(struct ph_store *s, const char *prefix,
    enum ph_error (*take)(void *arg, const char *rest, int64_t value, struct ph_fail *fail),
    void *arg, struct ph_fail *fail)
{
	sqlite3_stmt	*st = ph_sqlite_start(&s->sq, NOTED, WITH(WORD(prefix)));
	enum ph_error	 err;

	while ((err = ph_sqlite_next(&s->sq, NOTED, fail)) == PH_OK)
		if ((err = take(arg, (const char *)sqlite3_column_text(st, 0),
		    sqlite3_column_int64(st, 1), fail)) != PH_OK)
			break;
	ph_sqlite_end(&s->sq, NOTED);
	return err == PH_NONE ? PH_OK : err;
}

static enum ph_error
sqlite_tidy(struct ph_store *s, bool idle, struct ph_fail *fail)
{
	return ph_sqlite_tidy(&s->sq, idle, fail);
}

const struct ph_store_ops	 ph_store_sqlite = {
	.name = "sqlite",
	.open = sqlite_open,
	.close = sqlite_close,
	.begin = sqlite_begin,
	.commit = sqlite_commit,
	.abandon = sqlite_abandon,
	.in_place = sqlite_in_place,
	.keep = ph_store_sqlite_keep,
	.find = ph_store_sqlite_find,
	.silence = ph_store_sqlite_silence,
	.silent_until = ph_store_sqlite_silent_until,
	.person = ph_store_sqlite_person,
	.set_person = ph_store_sqlite_set_person,
	.put_off = ph_store_sqlite_put_off,
	.is_open = ph_store_sqlite_is_open,
	.due = ph_store_sqlite_due,
	.step = ph_store_sqlite_step,
	.reopen = ph_store_sqlite_reopen,
	.next_open = ph_store_sqlite_next_open,
	.owe = ph_store_sqlite_owe,
	.hold = ph_store_sqlite_hold,
	.drop_rest = ph_store_sqlite_drop_rest,
	.drop_all = ph_store_sqlite_drop_all,
	.lend = ph_store_sqlite_lend,
	.unclaim = ph_store_sqlite_unclaim,
	.steer = ph_store_sqlite_steer,
	.steer_event = ph_store_sqlite_steer_event,
	.tell = ph_store_sqlite_tell,
	.tell_event = ph_store_sqlite_tell_event,
	.claim = ph_store_sqlite_claim,
	.flying = ph_store_sqlite_flying,
	.move = ph_store_sqlite_move,
	.confirm = ph_store_sqlite_confirm,
	.next_page = ph_store_sqlite_next_page,
	.next_due = ph_store_sqlite_next_due,
	.pause = sqlite_pause,
	.paused = sqlite_paused,
	.note = sqlite_note,
	.recall = sqlite_recall,
	.count_open = sqlite_count_open,
	.hold_all = sqlite_hold_all,
	.noted = sqlite_noted,
	.advance = sqlite_advance,
	.prune = ph_store_sqlite_prune,
	.forget = ph_store_sqlite_forget,
	.tidy = sqlite_tidy,
};
