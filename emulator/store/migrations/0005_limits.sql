-- What an account may have at once.

-- Tasks that are not settled, so that a creation need not count them.
ALTER TABLE accounts ADD COLUMN tasks_in_flight BIGINT NOT NULL DEFAULT 0
    CHECK (tasks_in_flight >= 0);
UPDATE accounts SET tasks_in_flight = (
    SELECT count(*) FROM tasks t WHERE t.account_id = accounts.id AND t.settled = 0
);
