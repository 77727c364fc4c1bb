-- What a sweep of old things asks. Tasks and ledger entries need no index more.

-- Real time of a use of the key, known to a tenth of what --retain-days keeps.
ALTER TABLE api_keys ADD COLUMN used_at BIGINT NOT NULL DEFAULT 0;
UPDATE api_keys SET used_at = created_at;
CREATE INDEX keys_of_account ON api_keys (account_id);
CREATE INDEX uploads_of_account ON uploads (account_id, created_at);
