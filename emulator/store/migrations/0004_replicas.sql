-- Several processes share the work: who does something holds a lease, in real time, and renews it.

ALTER TABLE accounts ADD COLUMN clock_leased_until BIGINT NOT NULL DEFAULT 0;
ALTER TABLE accounts ADD COLUMN clock_leased_by TEXT NOT NULL DEFAULT '';
ALTER TABLE deliveries ADD COLUMN leased_until BIGINT NOT NULL DEFAULT 0;
-- Where a callback goes, so that a slow host does not hold up the others.
ALTER TABLE deliveries ADD COLUMN host TEXT NOT NULL DEFAULT '';
