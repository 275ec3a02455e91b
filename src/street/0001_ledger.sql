-- What the street office keeps. A message is there once: site, epoch and number are its key.
CREATE TABLE message (
    site TEXT NOT NULL,
    epoch TEXT NOT NULL,
    seq INTEGER NOT NULL,
    name TEXT NOT NULL,
    newer INTEGER NOT NULL,
    late INTEGER NOT NULL,
    payload BLOB NOT NULL,
    received_wall_ms INTEGER NOT NULL,
    PRIMARY KEY (site, epoch, seq)
) WITHOUT ROWID;

-- The newest of all, of a name, of a site.
CREATE INDEX message_by_time ON message (received_wall_ms);
CREATE INDEX message_by_name ON message (name, received_wall_ms);
CREATE INDEX message_by_site ON message (site, received_wall_ms);

-- Which numbers have come, as pairs in JSON; changed only together with `message`.
CREATE TABLE known (
    site TEXT NOT NULL,
    epoch TEXT NOT NULL,
    stretches TEXT NOT NULL,
    PRIMARY KEY (site, epoch)
) WITHOUT ROWID;

-- How things stand: the latest word of each name.
CREATE TABLE state (
    site TEXT NOT NULL,
    name TEXT NOT NULL,
    newer INTEGER NOT NULL,
    payload BLOB NOT NULL,
    received_wall_ms INTEGER NOT NULL,
    PRIMARY KEY (site, name)
) WITHOUT ROWID;

-- What sites are told to do.
CREATE TABLE command (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    payload BLOB NOT NULL,
    given_wall_ms INTEGER NOT NULL,
    expires_wall_ms INTEGER NOT NULL
) WITHOUT ROWID;

CREATE INDEX command_by_time ON command (given_wall_ms);

-- Whom, and what they said: `done`, or the gateway's word for why not; nothing while it waits.
CREATE TABLE errand (
    command TEXT NOT NULL REFERENCES command (id),
    site TEXT NOT NULL,
    answer TEXT,
    answered_wall_ms INTEGER,
    PRIMARY KEY (command, site)
) WITHOUT ROWID;

CREATE INDEX errand_waiting ON errand (command, site) WHERE answer IS NULL;

-- What could not be taken, for somebody to look at.
CREATE TABLE quarantine (
    id INTEGER PRIMARY KEY,
    topic TEXT NOT NULL,
    payload BLOB NOT NULL,
    reason TEXT NOT NULL,
    detail TEXT NOT NULL,
    received_wall_ms INTEGER NOT NULL
);

-- Counts the transactions, so that a page sees cheaply whether there is anything new.
CREATE TABLE mark (n INTEGER NOT NULL);
INSERT INTO mark VALUES (0);

PRAGMA user_version = 1;
