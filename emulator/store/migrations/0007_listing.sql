-- Ids of an account's tasks follow each other like their numbers, so the key lists them as well:
-- an index less to write at each creation.
DROP INDEX tasks_by_number;
