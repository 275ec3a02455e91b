-- Schema 1: the journal of events, what is derived from it, the outbox and the audit.
--
-- Times: `*_wall_ms` are milliseconds since 1970 UTC as the wall clock had it (it may jump),
-- `*_monotonic_ns` are nanoseconds since the start numbered in `boot` (they never run backwards),
-- `trust` says whether the wall clock had been set: order by (boot, monotonic), show wall.
-- Temperatures: °C (`*_c`), differences and uncertainties: K (`*_k`); uncertainties are standard
-- ones (k = 1). REAL columns keep the exact value; the text of a number in JSON is exact too, but
-- its reader may be off by one unit in the last of 17 places.

-- The identities that this database has had: the last row is the present one. A copy that is
-- restored, and what was salvaged from a damaged file, go on under a new one, so that no key is
-- ever given out twice.
CREATE TABLE epoch (
    -- Place.
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    -- UUID: half of every key given out from then on.
    id TEXT NOT NULL UNIQUE CHECK (length(id) = 36),
    -- The first event of it.
    first_seq INTEGER NOT NULL CHECK (first_seq > 0),
    -- When it began.
    began_wall_ms INTEGER NOT NULL,
    -- made: with the database; restored: the file was found to be a copy; salvaged: from a
    -- damaged one.
    why TEXT NOT NULL CHECK (why IN ('made', 'restored', 'salvaged'))
) STRICT;

-- Marks this file as a copy, so that the start which finds the row begins a new epoch and takes
-- the row away. None in a database that is in use.
CREATE TABLE copy (
    -- Always 1, so that there is one row.
    only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
    -- Why the file was written.
    why TEXT NOT NULL CHECK (why IN ('restored', 'salvaged')),
    -- What is to be said in the audit.
    note TEXT NOT NULL
) STRICT;

-- Starts of the gateway on this database.
CREATE TABLE boot (
    -- Number of the start, from 1, never used twice; it leaps where a new epoch begins, so that an
    -- alert's id is not given out again by a restored copy.
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    -- When it started.
    started_wall_ms INTEGER NOT NULL,
    -- Whether that wall time can be believed.
    started_trust TEXT NOT NULL CHECK (started_trust IN ('synced', 'unsynced')),
    -- Version of the program.
    version TEXT NOT NULL,
    -- Schema that the program knew: a header that says more than this is damaged.
    schema INTEGER NOT NULL,
    -- Number of the file in its file system: another one means that the file was copied.
    inode INTEGER NOT NULL,
    -- How long it ran at least; retention counts by it where the wall clock cannot be believed.
    ran_ms INTEGER NOT NULL DEFAULT 0,
    -- When the store was closed in order; NULL while running and after a crash or a power cut.
    stopped_wall_ms INTEGER
) STRICT;

-- Everything that happened, in order. Rows are never changed; retention erases old ones.
CREATE TABLE event (
    -- Number within the epoch, from 1. A transaction that fails takes its numbers back, so there
    -- is no gap; AUTOINCREMENT keeps a number from being used again once old rows are erased.
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    -- Kind of event.
    kind TEXT NOT NULL CHECK (kind IN ('screened', 'alert_raised', 'alert_acknowledged',
        'alert_resolved', 'alert_reminded', 'alert_step_taken', 'fault_raised', 'fault_cleared', 'self_checked',
        'numbers_void', 'commanded', 'reported', 'people_due')),
    -- When it happened, by the wall clock.
    at_wall_ms INTEGER NOT NULL,
    -- When it happened, since the start.
    at_monotonic_ns INTEGER NOT NULL CHECK (at_monotonic_ns >= 0),
    -- Start in which it happened (0: a replay).
    boot INTEGER NOT NULL CHECK (boot >= 0),
    -- Whether the wall time can be believed.
    trust TEXT NOT NULL CHECK (trust IN ('synced', 'unsynced')),
    -- Everything else, as JSON of the store's row types.
    body TEXT NOT NULL CHECK (json_valid(body))
) STRICT;

-- How old an event is: by a wall clock that was right …
CREATE INDEX event_by_time ON event (at_wall_ms) WHERE trust = 'synced';
-- … or by how long the gateway has run since.
CREATE INDEX event_by_run ON event (boot, at_monotonic_ns);

-- Alerts as they stand now, derived from the events.
CREATE TABLE alert (
    -- Id: start of the gateway …
    boot INTEGER NOT NULL CHECK (boot >= 0),
    -- … and number of the track within it.
    track INTEGER NOT NULL CHECK (track >= 0),
    -- The event that raised it.
    raised_seq INTEGER NOT NULL UNIQUE,
    -- When it was raised, by the wall clock.
    raised_wall_ms INTEGER NOT NULL,
    -- When it was raised, since the start.
    raised_monotonic_ns INTEGER NOT NULL,
    -- Start in which it was raised.
    raised_boot INTEGER NOT NULL,
    -- Whether that wall time can be believed.
    raised_trust TEXT NOT NULL CHECK (raised_trust IN ('synced', 'unsynced')),
    -- What was measured, with its uncertainty and the way to it, as JSON.
    reading TEXT NOT NULL,
    -- Threshold in force.
    threshold_c REAL NOT NULL,
    -- How far it has come.
    state TEXT NOT NULL CHECK (state IN ('open', 'acknowledged', 'resolved')),
    -- Who took it, NULL where nobody did.
    acknowledged_by TEXT,
    -- When, as a JSON stamp {boot, monotonic_ns, wall_ms, trust}.
    acknowledged_at TEXT,
    -- Who recorded the outcome.
    resolved_by TEXT,
    -- When, as a JSON stamp.
    resolved_at TEXT,
    -- What was found, as JSON.
    outcome TEXT,
    -- The event that resolved it.
    resolved_seq INTEGER,
    PRIMARY KEY (boot, track),
    CHECK ((acknowledged_by IS NULL) = (acknowledged_at IS NULL)),
    CHECK (state <> 'open' OR acknowledged_by IS NULL),
    CHECK (state <> 'acknowledged' OR acknowledged_by IS NOT NULL),
    CHECK ((state = 'resolved') = (resolved_by IS NOT NULL
        AND resolved_at IS NOT NULL AND outcome IS NOT NULL))
) STRICT;

-- The list of alerts that staff must still look after.
CREATE INDEX alert_not_resolved ON alert (raised_seq) WHERE state <> 'resolved';

-- Screenings, derived from the events: what tallies are counted from, until retention erases them.
CREATE TABLE screening (
    -- Id: start of the gateway …
    boot INTEGER NOT NULL CHECK (boot >= 0),
    -- … and number of the track within it.
    track INTEGER NOT NULL CHECK (track >= 0),
    -- The event.
    seq INTEGER NOT NULL UNIQUE,
    -- When the person was last seen, by the wall clock.
    last_wall_ms INTEGER NOT NULL,
    -- Class of the verdict.
    verdict TEXT NOT NULL CHECK (verdict IN ('clear', 'possible_fever', 'retest', 'cannot_judge')),
    -- Reason of the verdict, where the class has one.
    reason TEXT CHECK ((reason IS NOT NULL) = (verdict IN ('retest', 'cannot_judge'))),
    -- 1 where the person came to be screened, 0 where a face merely passed.
    presented INTEGER NOT NULL CHECK (presented IN (0, 1)),
    -- Warmest skin of the upper face; NULL where not judged, or judged without a reference.
    face_c REAL,
    -- Estimate of body temperature; NULL as above.
    estimate_c REAL,
    PRIMARY KEY (boot, track)
) STRICT;

-- Tallies ask for a stretch of wall time.
CREATE INDEX screening_by_time ON screening (last_wall_ms, verdict, reason);

-- Readings of the clear are erased first.
CREATE INDEX screening_clear ON screening (seq) WHERE verdict = 'clear';

-- How many people were screened, by the hour, where their screenings are erased already.
CREATE TABLE tally (
    -- Begin of the hour in UTC.
    hour_wall_ms INTEGER NOT NULL,
    -- Class of the verdict.
    verdict TEXT NOT NULL,
    -- Reason of the verdict; empty where the class has none.
    reason TEXT NOT NULL,
    -- How many.
    people INTEGER NOT NULL CHECK (people > 0),
    PRIMARY KEY (hour_wall_ms, verdict, reason)
) STRICT, WITHOUT ROWID;

-- Faults that were raised and are not over.
CREATE TABLE standing_fault (
    -- The fault's word.
    fault TEXT PRIMARY KEY,
    -- The event that raised it.
    seq INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- The last number that each channel gave out: it outlives the messages, so that none comes twice.
CREATE TABLE channel (
    -- The way out: 'broker', or 'notify.' and a notifier's name.
    name TEXT PRIMARY KEY CHECK (name <> ''),
    -- The number.
    last INTEGER NOT NULL CHECK (last >= 0)
) STRICT, WITHOUT ROWID;

-- Messages for the broker and for notifiers, each channel in the order in which they go out. A row
-- says all that is needed to send it, so that it goes out whatever became of the event.
CREATE TABLE outbox (
    -- The way out.
    channel TEXT NOT NULL REFERENCES channel (name),
    -- Number within the channel, ascending: half of the key that the receiver counts by. Within
    -- one epoch there is no gap but those that an event numbers_void has told.
    number INTEGER NOT NULL CHECK (number > 0),
    -- The other half: the epoch in which the number was given out.
    epoch TEXT NOT NULL CHECK (length(epoch) = 36),
    -- The event that caused it …
    seq INTEGER NOT NULL,
    -- … and when that happened: by the wall clock,
    at_wall_ms INTEGER NOT NULL,
    -- since the start,
    at_monotonic_ns INTEGER NOT NULL CHECK (at_monotonic_ns >= 0),
    -- in which start,
    boot INTEGER NOT NULL CHECK (boot >= 0),
    -- and whether the wall time can be believed.
    trust TEXT NOT NULL CHECK (trust IN ('synced', 'unsynced')),
    -- Full topic; for a notifier the kind of event.
    topic TEXT NOT NULL,
    -- Bytes to publish; never above 8 KiB.
    payload BLOB NOT NULL CHECK (length(payload) <= 8192),
    -- 1 where the broker keeps it for late subscribers.
    retain INTEGER NOT NULL CHECK (retain IN (0, 1)),
    -- Whether it may be given up where the outbox grows beyond its bound.
    keep TEXT NOT NULL CHECK (keep IN ('live', 'hourly', 'always')),
    -- saved: here only; accepted: the broker said PUBACK (which is not yet the street office);
    -- received: the street office's collector has it; parked: refused again and again, put aside.
    state TEXT NOT NULL DEFAULT 'saved'
        CHECK (state IN ('saved', 'accepted', 'received', 'parked')),
    -- When the broker accepted it.
    accepted_wall_ms INTEGER,
    -- When the street office's receipt came.
    received_wall_ms INTEGER,
    -- How often it was refused.
    refusals INTEGER NOT NULL DEFAULT 0 CHECK (refusals >= 0),
    -- Why, the last time.
    refused_why TEXT,
    PRIMARY KEY (channel, number)
) STRICT, WITHOUT ROWID;

-- The messages that are not safe yet: here only …
CREATE INDEX outbox_saved ON outbox (channel, number) WHERE state = 'saved';
-- … or not known to be with the street office.
CREATE INDEX outbox_waiting ON outbox (channel, number) WHERE state IN ('saved', 'accepted');
-- The messages that retention may erase.
CREATE INDEX outbox_sent ON outbox (channel, state, seq) WHERE state IN ('accepted', 'received');
-- The messages that may be given up.
CREATE INDEX outbox_to_give_up ON outbox (keep, seq) WHERE keep <> 'always';

-- How many messages there are of each sort: kept by the triggers below, so that a page which shows
-- them does not count a million rows.
CREATE TABLE outbox_count (
    -- Their channel.
    channel TEXT NOT NULL,
    -- Their state.
    state TEXT NOT NULL,
    -- Whether they may be given up.
    keep TEXT NOT NULL,
    -- How many.
    messages INTEGER NOT NULL,
    -- Bytes of their topics and payloads.
    bytes INTEGER NOT NULL,
    PRIMARY KEY (channel, state, keep)
) STRICT, WITHOUT ROWID;

-- Commands that were done: what comes twice with one id is done once, also after a restart.
CREATE TABLE command (
    -- Chosen by whoever asked.
    id TEXT PRIMARY KEY CHECK (length(id) BETWEEN 1 AND 64),
    -- The event in which it was done.
    seq INTEGER NOT NULL UNIQUE REFERENCES event (seq)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER outbox_count_in AFTER INSERT ON outbox
BEGIN
    INSERT INTO outbox_count (channel, state, keep, messages, bytes)
    VALUES (NEW.channel, NEW.state, NEW.keep, 1, length(NEW.payload) + octet_length(NEW.topic))
    ON CONFLICT (channel, state, keep) DO UPDATE
    SET messages = messages + 1, bytes = bytes + excluded.bytes;
END;

CREATE TRIGGER outbox_count_out AFTER DELETE ON outbox
BEGIN
    UPDATE outbox_count
    SET messages = messages - 1, bytes = bytes - length(OLD.payload) - octet_length(OLD.topic)
    WHERE channel = OLD.channel AND state = OLD.state AND keep = OLD.keep;
END;

CREATE TRIGGER outbox_count_moves AFTER UPDATE OF state ON outbox WHEN NEW.state <> OLD.state
BEGIN
    UPDATE outbox_count
    SET messages = messages - 1, bytes = bytes - length(OLD.payload) - octet_length(OLD.topic)
    WHERE channel = OLD.channel AND state = OLD.state AND keep = OLD.keep;
    INSERT INTO outbox_count (channel, state, keep, messages, bytes)
    VALUES (NEW.channel, NEW.state, NEW.keep, 1, length(NEW.payload) + octet_length(NEW.topic))
    ON CONFLICT (channel, state, keep) DO UPDATE
    SET messages = messages + 1, bytes = bytes + excluded.bytes;
END;

-- Who did what and when. Rows are never changed; retention erases old ones.
CREATE TABLE audit (
    -- Place.
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    -- The event in which it was done; NULL for what is no event (a start of the gateway).
    seq INTEGER,
    -- Who: the name that staff gave, or 'gateway'.
    who TEXT NOT NULL CHECK (who <> ''),
    -- What: a word, such as alert_resolved.
    what TEXT NOT NULL,
    -- To what: an id, a fault, a version.
    subject TEXT NOT NULL,
    -- When, by the wall clock.
    at_wall_ms INTEGER NOT NULL,
    -- When, since the start.
    at_monotonic_ns INTEGER NOT NULL,
    -- Start in which it was done.
    boot INTEGER NOT NULL,
    -- Whether the wall time can be believed.
    trust TEXT NOT NULL CHECK (trust IN ('synced', 'unsynced'))
) STRICT;

CREATE TRIGGER event_is_never_changed BEFORE UPDATE ON event
BEGIN SELECT RAISE(ABORT, 'events are never changed'); END;

CREATE TRIGGER audit_is_never_changed BEFORE UPDATE ON audit
BEGIN SELECT RAISE(ABORT, 'audit rows are never changed'); END;
