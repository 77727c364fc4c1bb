-- What a test suite steers and asks: faults, the journal, inboxes.

-- Ids of tasks are made of id_seed, so that two accounts may share a seed, never an id.
ALTER TABLE accounts ADD COLUMN id_seed BIGINT NOT NULL DEFAULT 0;
UPDATE accounts SET id_seed = seed;
CREATE UNIQUE INDEX accounts_id_seed ON accounts (id_seed);
-- Counts changes of the account's faults; 0: it has none.
ALTER TABLE accounts ADD COLUMN faults_version BIGINT NOT NULL DEFAULT 0;
ALTER TABLE accounts ADD COLUMN faults_created BIGINT NOT NULL DEFAULT 0;
-- Entries that were ever written, kept or not.
ALTER TABLE accounts ADD COLUMN journal_entries BIGINT NOT NULL DEFAULT 0;

CREATE TABLE faults (
    account_id TEXT NOT NULL REFERENCES accounts (id),
    number BIGINT NOT NULL,
    spec TEXT NOT NULL,
    directive TEXT,
    times BIGINT,
    seen BIGINT NOT NULL DEFAULT 0,
    hits BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (account_id, number)
);
CREATE UNIQUE INDEX faults_of_directives ON faults (account_id, directive);

CREATE TABLE journal_entries (
    account_id TEXT NOT NULL REFERENCES accounts (id),
    number BIGINT NOT NULL,
    at BIGINT NOT NULL,
    operation TEXT NOT NULL,
    method TEXT NOT NULL,
    path TEXT NOT NULL,
    status INTEGER NOT NULL,
    duration_ms BIGINT NOT NULL,
    request_id TEXT NOT NULL,
    task_id TEXT,
    request TEXT NOT NULL,
    answer TEXT NOT NULL,
    notes TEXT NOT NULL,
    PRIMARY KEY (account_id, number)
);

CREATE TABLE inboxes (
    account_id TEXT NOT NULL REFERENCES accounts (id),
    name TEXT NOT NULL,
    answers TEXT NOT NULL,
    messages_received BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (account_id, name)
);

CREATE TABLE inbox_messages (
    account_id TEXT NOT NULL,
    inbox TEXT NOT NULL,
    number BIGINT NOT NULL,
    at BIGINT NOT NULL,
    delivery_id TEXT,
    headers TEXT NOT NULL,
    body TEXT NOT NULL,
    signature TEXT NOT NULL,
    status INTEGER,
    PRIMARY KEY (account_id, inbox, number),
    FOREIGN KEY (account_id, inbox) REFERENCES inboxes (account_id, name)
);

-- Copies of a callback still to be sent after it was taken; held: waits for a later one.
ALTER TABLE deliveries ADD COLUMN copies_left INTEGER NOT NULL DEFAULT 0;
ALTER TABLE deliveries ADD COLUMN held INTEGER NOT NULL DEFAULT 0;
