-- What the street office keeps, as in 0001_ledger.sql, which says what each table is for. Texts are
-- ordered by their bytes, as they are there and in the program.
CREATE TABLE ledger (schema BIGINT NOT NULL);
INSERT INTO ledger VALUES (1);

CREATE TABLE message (
    site TEXT COLLATE "C" NOT NULL,
    epoch TEXT COLLATE "C" NOT NULL,
    seq BIGINT NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    newer BOOLEAN NOT NULL,
    late BOOLEAN NOT NULL,
    payload BYTEA NOT NULL,
    received_wall_ms BIGINT NOT NULL,
    PRIMARY KEY (site, epoch, seq)
);

CREATE INDEX message_by_time ON message (received_wall_ms);
CREATE INDEX message_by_name ON message (name, received_wall_ms);
CREATE INDEX message_by_site ON message (site, received_wall_ms);

-- Rewritten with every batch: room on the page keeps that cheap.
CREATE TABLE known (
    site TEXT COLLATE "C" NOT NULL,
    epoch TEXT COLLATE "C" NOT NULL,
    stretches TEXT NOT NULL,
    PRIMARY KEY (site, epoch)
) WITH (fillfactor = 60);

CREATE TABLE state (
    site TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    newer BOOLEAN NOT NULL,
    payload BYTEA NOT NULL,
    received_wall_ms BIGINT NOT NULL,
    PRIMARY KEY (site, name)
) WITH (fillfactor = 60);

CREATE TABLE command (
    id TEXT COLLATE "C" PRIMARY KEY,
    name TEXT NOT NULL,
    payload BYTEA NOT NULL,
    given_wall_ms BIGINT NOT NULL,
    expires_wall_ms BIGINT NOT NULL
);

CREATE INDEX command_by_time ON command (given_wall_ms);

CREATE TABLE errand (
    command TEXT COLLATE "C" NOT NULL REFERENCES command (id),
    site TEXT COLLATE "C" NOT NULL,
    answer TEXT,
    answered_wall_ms BIGINT,
    PRIMARY KEY (command, site)
);

CREATE INDEX errand_waiting ON errand (command, site) WHERE answer IS NULL;

CREATE TABLE quarantine (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    topic TEXT NOT NULL,
    payload BYTEA NOT NULL,
    reason TEXT NOT NULL,
    detail TEXT NOT NULL,
    received_wall_ms BIGINT NOT NULL
);
