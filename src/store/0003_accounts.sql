-- Accounts of staff: who may sign in, who is signed in, and who tried in vain.

-- Somebody who may sign in, or a screen.
CREATE TABLE account (
    -- Number, never used twice.
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    -- A person's name, or what the screen is called.
    name TEXT NOT NULL UNIQUE COLLATE NOCASE CHECK (name <> ''),
    -- What they are here.
    role TEXT NOT NULL CHECK (role IN ('kiosk', 'guard', 'manager', 'street_viewer', 'admin')),
    -- Whether it is a screen that several people use.
    shared INTEGER NOT NULL CHECK (shared IN (0, 1)),
    -- Whether it may not be used any more.
    disabled INTEGER NOT NULL DEFAULT 0 CHECK (disabled IN (0, 1)),
    -- Argon2id of the password as a PHC string; NULL until one was chosen.
    password TEXT,
    -- Argon2id of the PIN, likewise.
    pin TEXT,
    -- SHA-256 of the code with which a password is chosen; NULL where none is out.
    invitation BLOB CHECK (length(invitation) = 32),
    -- When that code was given out, as JSON.
    invited_at TEXT
) STRICT;

-- Who is signed in, on which browser.
CREATE TABLE session (
    -- SHA-256 of the token in the browser's cookie.
    token BLOB PRIMARY KEY CHECK (length(token) = 32),
    -- Whose.
    account INTEGER NOT NULL REFERENCES account (number),
    -- Since when, as JSON.
    begun_at TEXT NOT NULL,
    -- When they last did something, as JSON.
    seen_at TEXT NOT NULL
) STRICT;

-- What was tried in vain within the last hour.
CREATE TABLE sign_in_failure (
    -- Place.
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    -- Which account, PIN or address, as a word of the web.
    subject TEXT NOT NULL,
    -- When, as JSON.
    at TEXT NOT NULL
) STRICT;

CREATE INDEX sign_in_failure_by_subject ON sign_in_failure (subject);
