-- The logbook of the checklist: what people wrote, line by line. Everything else about the rounds, the
-- reports, the pledge and the procedure follows from it.
CREATE TABLE logbook (
    -- Place.
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    -- The last event when it was written, by which its age is told; of a submitted report the event of
    -- its last part.
    seq INTEGER NOT NULL CHECK (seq >= 0),
    -- To which day it belongs, as 2020-02-24, in the site's zone.
    day TEXT NOT NULL CHECK (length(day) = 10),
    -- What it is about: a word, such as ticked.
    kind TEXT NOT NULL CHECK (kind <> ''),
    -- The item or the alert that it is about; empty where it is about neither.
    subject TEXT NOT NULL,
    -- Who wrote it; NULL: the gateway.
    who TEXT CHECK (who <> ''),
    -- What it says, JSON (logbook_row.rs).
    body TEXT NOT NULL,
    -- When, by the wall clock,
    at_wall_ms INTEGER NOT NULL,
    -- since the start,
    at_monotonic_ns INTEGER NOT NULL CHECK (at_monotonic_ns >= 0),
    -- in which start,
    boot INTEGER NOT NULL CHECK (boot >= 0),
    -- and whether the wall time can be believed.
    trust TEXT NOT NULL CHECK (trust IN ('synced', 'unsynced'))
) STRICT;

CREATE INDEX logbook_by_day ON logbook (day, number);
CREATE INDEX logbook_by_subject ON logbook (kind, subject, number);
-- A day's self-checks stand in its report.
CREATE INDEX event_self_checked ON event (at_wall_ms) WHERE kind = 'self_checked';

CREATE TRIGGER logbook_is_never_changed BEFORE UPDATE ON logbook
BEGIN SELECT RAISE(ABORT, 'lines of the logbook are never changed'); END;
