-- Instants are milliseconds since the Unix epoch. Columns that end in _at are on the account's
-- clock; wake_at is real time, and NULL where nothing is due or the account's clock stands still.

CREATE TABLE meta (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
);

CREATE TABLE accounts (
    id TEXT PRIMARY KEY,
    seed BIGINT NOT NULL,
    clock_offset_ms BIGINT NOT NULL DEFAULT 0,
    clock_frozen_at BIGINT,
    granted BIGINT NOT NULL DEFAULT 0,
    available BIGINT NOT NULL DEFAULT 0 CHECK (available >= 0),
    reserved BIGINT NOT NULL DEFAULT 0 CHECK (reserved >= 0),
    charged BIGINT NOT NULL DEFAULT 0 CHECK (charged >= 0),
    tasks_created BIGINT NOT NULL DEFAULT 0,
    uploads_created BIGINT NOT NULL DEFAULT 0,
    ledger_entries BIGINT NOT NULL DEFAULT 0,
    created_at BIGINT NOT NULL,
    CHECK (granted = available + reserved + charged)
);

CREATE TABLE api_keys (
    hash TEXT PRIMARY KEY,
    account_id TEXT NOT NULL REFERENCES accounts (id),
    name TEXT NOT NULL,
    hint TEXT NOT NULL,
    budget_credits BIGINT,
    budget_used BIGINT NOT NULL DEFAULT 0 CHECK (budget_used >= 0),
    requests_per_minute BIGINT,
    window_started_at BIGINT NOT NULL DEFAULT 0,
    window_requests BIGINT NOT NULL DEFAULT 0,
    models TEXT,
    created_at BIGINT NOT NULL,
    revoked_at BIGINT
);

CREATE TABLE tasks (
    id TEXT PRIMARY KEY,
    account_id TEXT NOT NULL REFERENCES accounts (id),
    number BIGINT NOT NULL,
    seed BIGINT NOT NULL,
    key_hash TEXT NOT NULL,
    model TEXT NOT NULL,
    callback_url TEXT,
    width_px INTEGER NOT NULL,
    height_px INTEGER NOT NULL,
    created_at BIGINT NOT NULL,
    starts_at BIGINT NOT NULL,
    ends_at BIGINT NOT NULL,
    images INTEGER NOT NULL,
    error_code TEXT,
    reserved BIGINT NOT NULL CHECK (reserved >= 0),
    charge BIGINT NOT NULL CHECK (charge BETWEEN 0 AND reserved),
    settled INTEGER NOT NULL DEFAULT 0,
    wake_at BIGINT,
    base_url TEXT NOT NULL,
    request_id TEXT NOT NULL,
    request TEXT NOT NULL
);
CREATE INDEX tasks_to_wake ON tasks (wake_at) WHERE wake_at IS NOT NULL;
CREATE INDEX tasks_of_account ON tasks (account_id, settled, ends_at);

CREATE TABLE ledger_entries (
    account_id TEXT NOT NULL REFERENCES accounts (id),
    number BIGINT NOT NULL,
    kind TEXT NOT NULL,
    task_id TEXT,
    granted BIGINT NOT NULL,
    available BIGINT NOT NULL,
    reserved BIGINT NOT NULL,
    charged BIGINT NOT NULL,
    available_after BIGINT NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (account_id, number)
);

CREATE TABLE deliveries (
    id TEXT PRIMARY KEY,
    task_id TEXT NOT NULL UNIQUE REFERENCES tasks (id),
    account_id TEXT NOT NULL REFERENCES accounts (id),
    url TEXT NOT NULL,
    state TEXT NOT NULL,
    attempts_made INTEGER NOT NULL DEFAULT 0,
    due_at BIGINT,
    wake_at BIGINT,
    created_at BIGINT NOT NULL
);
CREATE INDEX deliveries_to_wake ON deliveries (wake_at) WHERE wake_at IS NOT NULL;
CREATE INDEX deliveries_due ON deliveries (account_id, due_at) WHERE due_at IS NOT NULL;
CREATE INDEX deliveries_of_account ON deliveries (account_id, created_at);

CREATE TABLE attempts (
    delivery_id TEXT NOT NULL REFERENCES deliveries (id),
    number INTEGER NOT NULL,
    at BIGINT NOT NULL,
    status INTEGER,
    duration_ms BIGINT NOT NULL,
    answer TEXT NOT NULL,
    error TEXT,
    PRIMARY KEY (delivery_id, number)
);

CREATE TABLE uploads (
    id TEXT PRIMARY KEY,
    account_id TEXT NOT NULL REFERENCES accounts (id),
    media_type TEXT NOT NULL,
    content BLOB NOT NULL,
    created_at BIGINT NOT NULL
);
