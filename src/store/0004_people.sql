-- People of the register, sealed: without the key nobody reads who they are (store/vault.rs). What stands
-- open counts and dates; marks are keyed hashes by which somebody is found.

-- A person.
CREATE TABLE person (
    -- Number, never used twice.
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    -- Which key sealed it: a name made from the key, that tells nothing of it.
    key TEXT NOT NULL CHECK (length(key) = 16),
    -- Everything about the person: nonce and XChaCha20-Poly1305 of the JSON (person_row.rs).
    sealed BLOB NOT NULL CHECK (length(sealed) > 40),
    -- How they are followed; NULL: not at all.
    colour TEXT CHECK (colour IN ('red', 'yellow', 'purple', 'orange', 'green')),
    -- When the observation is over, or the return expected, as 2020-02-24.
    due TEXT CHECK (length(due) = 10),
    -- The last day of which health was said.
    said_on TEXT CHECK (length(said_on) = 10),
    -- When they are expected in the building.
    expected TEXT CHECK (length(expected) = 10),
    -- Whether something waits for a person's word.
    waits INTEGER NOT NULL CHECK (waits IN (0, 1)),
    -- From which day on something is to be erased.
    forget_on TEXT CHECK (length(forget_on) = 10)
) STRICT;

CREATE INDEX person_by_colour ON person (colour, due) WHERE colour IS NOT NULL;
CREATE INDEX person_by_expected ON person (expected) WHERE expected IS NOT NULL;
CREATE INDEX person_that_waits ON person (number) WHERE waits = 1;
CREATE INDEX person_to_forget ON person (forget_on) WHERE forget_on IS NOT NULL;
CREATE INDEX person_by_key ON person (key);

-- By what people are found: HMAC-SHA-256 with a key of its own, cut to 16 bytes.
CREATE TABLE person_mark (
    -- Of what: a word, such as phone.
    kind TEXT NOT NULL CHECK (kind <> ''),
    -- The keyed hash.
    mark BLOB NOT NULL CHECK (length(mark) = 16),
    -- Who.
    person INTEGER NOT NULL REFERENCES person (number) ON DELETE CASCADE,
    PRIMARY KEY (kind, mark, person)
) STRICT, WITHOUT ROWID;

CREATE INDEX person_mark_by_person ON person_mark (person);

-- A list that was read in.
CREATE TABLE person_import (
    -- Number.
    number INTEGER PRIMARY KEY,
    -- Of which source: a word.
    source TEXT NOT NULL CHECK (source <> ''),
    -- Who read it in: a name of staff.
    who TEXT NOT NULL CHECK (who <> ''),
    -- When, as JSON.
    at TEXT NOT NULL,
    -- Rows that were taken.
    taken INTEGER NOT NULL CHECK (taken >= 0),
    -- Rows that were refused.
    refused INTEGER NOT NULL CHECK (refused >= 0),
    -- How it stands.
    state TEXT NOT NULL CHECK (state IN ('begun', 'ended', 'undone'))
) STRICT;

-- How many passed the gate.
CREATE TABLE gate_count (
    -- On which day, as 2020-02-24.
    day TEXT NOT NULL CHECK (length(day) = 10),
    -- Of which kind: a word, such as courier.
    passage TEXT NOT NULL CHECK (passage <> ''),
    -- How many.
    people INTEGER NOT NULL CHECK (people >= 0),
    PRIMARY KEY (day, passage)
) STRICT, WITHOUT ROWID;

-- What companies plan for a day: how many of each are in. Gone when the day is over.
CREATE TABLE gate_plan (
    -- Which day, as 2020-02-24.
    day TEXT PRIMARY KEY CHECK (length(day) = 10),
    -- Which key sealed it.
    key TEXT NOT NULL CHECK (length(key) = 16),
    -- Nonce and XChaCha20-Poly1305 of the JSON (store/gate.rs).
    sealed BLOB NOT NULL CHECK (length(sealed) > 40)
) STRICT, WITHOUT ROWID;

-- The totals by colour as they were told last on a day; they stand in its report.
CREATE TABLE colour_total (
    -- Which day, as 2020-02-24, in the site's zone.
    day TEXT NOT NULL CHECK (length(day) = 10),
    -- Which colour.
    colour TEXT NOT NULL CHECK (colour IN ('red', 'yellow', 'purple', 'orange', 'green')),
    -- How many people,
    people INTEGER NOT NULL CHECK (people >= 0),
    -- or that there is somebody, and fewer people than that.
    fewer INTEGER NOT NULL CHECK (fewer IN (0, 1)),
    -- When it was told.
    at_wall_ms INTEGER NOT NULL,
    PRIMARY KEY (day, colour)
) STRICT, WITHOUT ROWID;

-- The chain of the audit: each link is the SHA-256 of the link before it and of its row, so that no row is
-- changed or taken out unseen (audit_chain.rs). The link before the first row that is left stays.
CREATE TABLE audit_link (
    -- Which row of the audit.
    id INTEGER PRIMARY KEY,
    -- The hash.
    digest BLOB NOT NULL CHECK (length(digest) = 32)
) STRICT;

CREATE TRIGGER audit_link_is_never_changed BEFORE UPDATE ON audit_link
BEGIN SELECT RAISE(ABORT, 'links of the audit are never changed'); END;
