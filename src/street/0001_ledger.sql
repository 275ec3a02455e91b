-- What the street office keeps. A message is there once: site, epoch and number are its key.
CREATE TABLE message (
    site TEXT NOT NULL,
    epoch TEXT NOT NULL,
    seq INTEGER NOT NULL,
    name TEXT NOT NULL,
    newer INTEGER NOT NULL,
    payload BLOB NOT NULL,
    received_wall_ms INTEGER NOT NULL,
    PRIMARY KEY (site, epoch, seq)
) WITHOUT ROWID;

-- Which numbers have come, as pairs in JSON; changed only together with `message`.
CREATE TABLE known (
    site TEXT NOT NULL,
    epoch TEXT NOT NULL,
    stretches TEXT NOT NULL,
    PRIMARY KEY (site, epoch)
) WITHOUT ROWID;

-- What could not be taken, for somebody to look at.
CREATE TABLE quarantine (
    id INTEGER PRIMARY KEY,
    topic TEXT NOT NULL,
    payload BLOB NOT NULL,
    reason TEXT NOT NULL,
    detail TEXT NOT NULL,
    received_wall_ms INTEGER NOT NULL
);

PRAGMA user_version = 1;
