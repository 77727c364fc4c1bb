-- What who looks on asks several times a second, however much there is.

-- Count changes of the account's deliveries, and of what its inboxes answer.
ALTER TABLE accounts ADD COLUMN deliveries_version BIGINT NOT NULL DEFAULT 0;
ALTER TABLE accounts ADD COLUMN inboxes_version BIGINT NOT NULL DEFAULT 0;
CREATE INDEX tasks_by_number ON tasks (account_id, number);
