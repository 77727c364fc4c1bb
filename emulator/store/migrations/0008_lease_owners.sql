-- Who holds a lease of a delivery, so that a process does not wait for itself.
ALTER TABLE deliveries ADD COLUMN leased_by TEXT NOT NULL DEFAULT '';
