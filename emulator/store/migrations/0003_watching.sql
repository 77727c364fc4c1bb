-- What who looks on asks several times a second, however much there is.

-- Counts changes of the account's deliveries.
ALTER TABLE accounts ADD COLUMN deliveries_version BIGINT NOT NULL DEFAULT 0;
CREATE INDEX tasks_by_number ON tasks (account_id, number);
