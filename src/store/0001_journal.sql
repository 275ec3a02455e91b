-- Schema 1: the journal of events, what is derived from it, the outbox and the audit.
--
-- Times: `*_wall_ms` are milliseconds since 1970 UTC as the wall clock had it (it may jump),
-- `*_monotonic_ns` are nanoseconds since the start numbered in `boot` (they never run backwards),
-- `trust` says whether the wall clock had been set: order by (boot, monotonic), show wall.
-- Temperatures: °C (`*_c`), differences and uncertainties: K (`*_k`); uncertainties are standard
-- ones (k = 1). REAL columns keep the exact value; the text of a number in JSON is exact too, but
-- its reader may be off by one unit in the last of 17 places.

-- Which database this is. One row.
CREATE TABLE device (
    -- Always 1, so that there is one row.
    only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
    -- UUID made with the database: half of every event's key. Never changed.
    epoch TEXT NOT NULL CHECK (length(epoch) = 36),
    -- When the database was made.
    created_wall_ms INTEGER NOT NULL
) STRICT;

-- Starts of the gateway on this database.
CREATE TABLE boot (
    -- Number of the start, from 1, never used twice.
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    -- When it started.
    started_wall_ms INTEGER NOT NULL,
    -- Whether that wall time can be believed.
    started_trust TEXT NOT NULL CHECK (started_trust IN ('synced', 'unsynced')),
    -- Version of the program.
    version TEXT NOT NULL,
    -- When the store was closed in order; NULL while running and after a crash or a power cut.
    stopped_wall_ms INTEGER
) STRICT;

-- Everything that happened, in order. Rows are never changed.
CREATE TABLE event (
    -- Number within the epoch, from 1. A transaction that fails takes its numbers back, so there
    -- is no gap; AUTOINCREMENT keeps a number from being used again once old rows are erased.
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    -- Kind of event.
    kind TEXT NOT NULL CHECK (kind IN ('screened', 'alert_raised', 'alert_acknowledged',
        'alert_resolved', 'alert_reminded', 'fault_raised', 'fault_cleared', 'self_checked',
        'numbers_void')),
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

-- Alerts as they stand now, derived from the events.
CREATE TABLE alert (
    -- Id: start of the gateway …
    boot INTEGER NOT NULL CHECK (boot >= 0),
    -- … and number of the track within it.
    track INTEGER NOT NULL CHECK (track >= 0),
    -- The event that raised it.
    raised_seq INTEGER NOT NULL UNIQUE REFERENCES event (seq),
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
    PRIMARY KEY (boot, track),
    CHECK ((acknowledged_by IS NULL) = (acknowledged_at IS NULL)),
    CHECK (state <> 'open' OR acknowledged_by IS NULL),
    CHECK (state <> 'acknowledged' OR acknowledged_by IS NOT NULL),
    CHECK ((state = 'resolved') = (resolved_by IS NOT NULL
        AND resolved_at IS NOT NULL AND outcome IS NOT NULL))
) STRICT;

-- The list of alerts that staff must still look after.
CREATE INDEX alert_not_resolved ON alert (raised_seq) WHERE state <> 'resolved';

-- Screenings, derived from the events: what tallies are counted from. Retention (a later issue)
-- may erase the readings of people who were clear, here and in `event`, once they are counted.
CREATE TABLE screening (
    -- Id: start of the gateway …
    boot INTEGER NOT NULL CHECK (boot >= 0),
    -- … and number of the track within it.
    track INTEGER NOT NULL CHECK (track >= 0),
    -- The event.
    seq INTEGER NOT NULL UNIQUE REFERENCES event (seq),
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

-- Messages for the broker and for notifiers, each channel in the order in which they go out.
CREATE TABLE outbox (
    -- The way out: 'broker', or 'notify.' and a notifier's name.
    channel TEXT NOT NULL CHECK (channel <> ''),
    -- Number within the channel, from 1 without gaps: half of the key that the receiver counts by.
    number INTEGER NOT NULL CHECK (number > 0),
    -- The event that caused it.
    seq INTEGER NOT NULL REFERENCES event (seq),
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

-- The messages that are not safe yet.
CREATE INDEX outbox_waiting ON outbox (channel, number) WHERE state IN ('saved', 'accepted');

-- The last number that each channel gave out: it outlives the messages, so that none comes twice.
CREATE TABLE channel (
    -- Its name.
    name TEXT PRIMARY KEY CHECK (name <> ''),
    -- The number.
    last INTEGER NOT NULL CHECK (last >= 0)
) STRICT, WITHOUT ROWID;

-- Who did what and when. Rows are never changed.
CREATE TABLE audit (
    -- Place.
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    -- The event in which it was done; NULL for what is no event (a start of the gateway).
    seq INTEGER REFERENCES event (seq),
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
