-- A task's row is written once. What its life changes, and what is looked for by time, has rows of
-- its own: short ones, of which many stand on the pages that a settlement writes.
CREATE TABLE task_ends (
    account_id TEXT NOT NULL REFERENCES accounts (id),
    settled INTEGER NOT NULL,
    ends_at BIGINT NOT NULL,
    task_id TEXT NOT NULL,
    starts_at BIGINT NOT NULL,
    PRIMARY KEY (account_id, settled, ends_at, task_id)
)
-- sqlite: WITHOUT ROWID
;
INSERT INTO task_ends (account_id, settled, ends_at, task_id, starts_at)
SELECT account_id, settled, ends_at, id, starts_at FROM tasks;

-- Real time at which the first of an account's tasks ends, of those that are not settled.
ALTER TABLE accounts ADD COLUMN wake_at BIGINT;
UPDATE accounts SET wake_at = (SELECT min(wake_at) FROM tasks t WHERE t.account_id = accounts.id);
CREATE INDEX accounts_to_wake ON accounts (wake_at) WHERE wake_at IS NOT NULL;

DROP INDEX tasks_to_wake;
DROP INDEX tasks_of_account;
ALTER TABLE tasks DROP COLUMN settled;
ALTER TABLE tasks DROP COLUMN wake_at;
-- Without that index, PostgreSQL would read all tasks whenever an account is deleted.
-- postgresql: ALTER TABLE tasks DROP CONSTRAINT tasks_account_id_fkey;
