-- One text for every engine. Time is always a parameter: no query asks what time it is.

-- name: meta
SELECT value FROM meta WHERE name = :name;

-- name: add_meta
INSERT INTO meta (name, value) VALUES (:name, :value) ON CONFLICT (name) DO NOTHING;

-- name: caller
SELECT k.revoked_at, k.budget_credits, k.requests_per_minute, k.models,
    a.id, a.seed, a.id_seed, a.available, a.clock_offset_ms, a.clock_frozen_at,
    a.faults_version
FROM api_keys k JOIN accounts a ON a.id = k.account_id
WHERE k.hash = :hash;

-- name: account
SELECT id, seed, clock_offset_ms, clock_frozen_at, granted, available, reserved, charged
FROM accounts WHERE id = :id;

-- name: add_account
INSERT INTO accounts (id, seed, id_seed, created_at) VALUES (:id, :seed, :seed, :created_at)
ON CONFLICT (id) DO NOTHING;

-- name: set_clock
UPDATE accounts SET clock_offset_ms = :offset_ms, clock_frozen_at = :frozen_at WHERE id = :id;

-- name: next_upload_number
UPDATE accounts SET uploads_created = uploads_created + 1 WHERE id = :id
RETURNING uploads_created;

-- name: add_key
INSERT INTO api_keys
    (hash, account_id, name, hint, budget_credits, requests_per_minute, models, created_at)
VALUES
    (:hash, :account_id, :name, :hint, :budget_credits, :requests_per_minute, :models, :created_at);

-- name: keys
SELECT hash, account_id, name, hint, budget_credits, budget_used, requests_per_minute, models,
    created_at, revoked_at
FROM api_keys ORDER BY created_at, hash;

-- name: revoke_keys
UPDATE api_keys SET revoked_at = :now
WHERE revoked_at IS NULL AND (hash = :hash OR name = :name);

-- name: count_request
UPDATE api_keys SET
    window_requests = CASE WHEN :now - window_started_at BETWEEN 0 AND :window_ms - 1
        THEN window_requests + 1 ELSE 1 END,
    window_started_at = CASE WHEN :now - window_started_at BETWEEN 0 AND :window_ms - 1
        THEN window_started_at ELSE :now END
WHERE hash = :hash
RETURNING window_requests, window_started_at;

-- name: use_budget
UPDATE api_keys SET budget_used = budget_used + :credits
WHERE hash = :hash AND (budget_credits IS NULL OR budget_used + :credits <= budget_credits)
RETURNING budget_used;

-- name: give_back_budget
UPDATE api_keys SET budget_used = budget_used - :credits
WHERE hash = :hash AND budget_credits IS NOT NULL;

-- name: move_credits
UPDATE accounts SET
    granted = granted + :granted,
    available = available + :available,
    reserved = reserved + :reserved,
    charged = charged + :charged,
    tasks_created = tasks_created + :tasks,
    ledger_entries = ledger_entries + 1
WHERE id = :id AND available + :available >= 0 AND reserved + :reserved >= 0
RETURNING available, ledger_entries, tasks_created, clock_offset_ms, clock_frozen_at;

-- name: add_ledger_entry
INSERT INTO ledger_entries
    (account_id, number, kind, task_id, granted, available, reserved, charged, available_after, at)
VALUES
    (:id, :number, :kind, :task_id, :granted, :available, :reserved, :charged, :after, :at);

-- name: ledger
SELECT number, kind, task_id, granted, available, reserved, charged, available_after, at
FROM ledger_entries WHERE account_id = :id AND number > :after ORDER BY number LIMIT :limit;

-- name: add_task
INSERT INTO tasks
    (id, account_id, number, seed, key_hash, model, callback_url, width_px, height_px, created_at,
    starts_at, ends_at, images, error_code, reserved, charge, wake_at, base_url, request_id,
    request)
VALUES
    (:id, :account_id, :number, :seed, :key_hash, :model, :callback_url, :width_px, :height_px,
    :created_at, :starts_at, :ends_at, :images, :error_code, :reserved, :charge, :wake_at,
    :base_url, :request_id, :request);

-- name: task
SELECT a.clock_offset_ms, a.clock_frozen_at, t.id, t.account_id, t.number, t.seed, t.key_hash,
    t.model, t.callback_url, t.created_at, t.starts_at, t.ends_at, t.images, t.error_code,
    t.reserved, t.charge, t.settled, t.base_url, t.request_id
FROM tasks t JOIN accounts a ON a.id = t.account_id
WHERE t.id = :id;

-- name: caller_and_task
SELECT k.revoked_at, k.budget_credits, k.requests_per_minute, k.models,
    a.id, a.seed, a.id_seed, a.available, a.clock_offset_ms, a.clock_frozen_at,
    a.faults_version,
    t.id, t.account_id, t.number, t.seed, t.key_hash, t.model, t.callback_url, t.created_at,
    t.starts_at, t.ends_at, t.images, t.error_code, t.reserved, t.charge, t.settled, t.base_url,
    t.request_id
FROM api_keys k
JOIN accounts a ON a.id = k.account_id
LEFT JOIN tasks t ON t.id = :task_id AND t.account_id = a.id
WHERE k.hash = :hash;

-- name: request
SELECT request, width_px, height_px FROM tasks WHERE id = :id;

-- name: claim_task
UPDATE tasks SET settled = 1, wake_at = NULL WHERE id = :id AND settled = 0
RETURNING id, account_id, number, seed, key_hash, model, callback_url, created_at, starts_at, ends_at,
    images, error_code, reserved, charge, settled, base_url, request_id;

-- name: claim_ended
UPDATE tasks SET settled = 1, wake_at = NULL
WHERE settled = 0 AND id IN (
    SELECT id FROM tasks WHERE wake_at <= :real_now ORDER BY wake_at LIMIT :limit
)
RETURNING id, account_id, number, seed, key_hash, model, callback_url, created_at, starts_at, ends_at,
    images, error_code, reserved, charge, settled, base_url, request_id;

-- name: first_task_due
SELECT id, ends_at FROM tasks
WHERE account_id = :id AND settled = 0 AND ends_at <= :until ORDER BY ends_at LIMIT 1;

-- name: task_starts_between
SELECT id, starts_at FROM tasks
WHERE account_id = :id AND settled = 0 AND starts_at > :after AND starts_at <= :until
    AND starts_at < ends_at
ORDER BY starts_at LIMIT :limit;

-- name: tasks_ended_between
SELECT id, ends_at, error_code FROM tasks
WHERE account_id = :id AND settled = 1 AND ends_at > :after AND ends_at <= :until
ORDER BY ends_at LIMIT :limit;

-- name: wake_tasks
UPDATE tasks SET wake_at = CASE
    WHEN :frozen_at IS NULL THEN ends_at - :offset_ms
    WHEN ends_at <= :frozen_at THEN :real_now
END
WHERE account_id = :id AND settled = 0;

-- name: next_wake
SELECT min(wake_at) FROM (
    SELECT min(wake_at) AS wake_at FROM tasks WHERE wake_at IS NOT NULL
    UNION ALL
    SELECT min(wake_at) FROM deliveries WHERE wake_at IS NOT NULL
) AS due;

-- name: add_delivery
INSERT INTO deliveries (id, task_id, account_id, url, state, due_at, wake_at, created_at)
VALUES (:id, :task_id, :account_id, :url, 'pending', :due_at, :wake_at, :created_at);

-- name: delivery
SELECT id, task_id, account_id, url, state, attempts_made, due_at
FROM deliveries WHERE id = :id;

-- name: deliveries_to_wake
SELECT id, task_id, account_id, url, state, attempts_made, due_at
FROM deliveries WHERE wake_at <= :real_now ORDER BY wake_at LIMIT :limit;

-- name: lease_delivery
UPDATE deliveries SET wake_at = :leased_until
WHERE id = :id AND state = 'pending' AND attempts_made = :attempts_made;

-- name: first_delivery_due
SELECT id, task_id, account_id, url, state, attempts_made, due_at
FROM deliveries WHERE account_id = :id AND due_at <= :until ORDER BY due_at LIMIT 1;

-- name: update_delivery
UPDATE deliveries SET state = :state, attempts_made = :attempts_made, due_at = :due_at,
    wake_at = :wake_at
WHERE id = :id AND state = 'pending' AND attempts_made = :attempts_made - 1;

-- name: wake_deliveries
UPDATE deliveries SET wake_at = CASE
    WHEN :frozen_at IS NULL THEN due_at - :offset_ms
    WHEN due_at <= :frozen_at THEN :real_now
END
WHERE account_id = :id AND due_at IS NOT NULL;

-- name: release_deliveries
UPDATE deliveries SET wake_at = due_at - (
    SELECT clock_offset_ms FROM accounts WHERE id = deliveries.account_id
)
WHERE wake_at IS NOT NULL;

-- name: deliveries_of_account
SELECT id, task_id, account_id, url, state, attempts_made, due_at
FROM deliveries WHERE account_id = :id ORDER BY created_at DESC, id LIMIT :limit;

-- name: add_attempt
INSERT INTO attempts (delivery_id, number, at, status, duration_ms, answer, error)
VALUES (:delivery_id, :number, :at, :status, :duration_ms, :answer, :error);

-- name: attempts
SELECT number, at, status, duration_ms, answer, error
FROM attempts WHERE delivery_id = :delivery_id ORDER BY number;

-- name: add_upload
INSERT INTO uploads (id, account_id, media_type, content, created_at)
VALUES (:id, :account_id, :media_type, :content, :created_at);

-- name: upload
SELECT u.media_type, u.content, u.account_id, a.clock_offset_ms, a.clock_frozen_at
FROM uploads u JOIN accounts a ON a.id = u.account_id
WHERE u.id = :id;

-- name: claim_journal_numbers
UPDATE accounts SET journal_entries = journal_entries + :made WHERE id = :id
RETURNING journal_entries;

-- name: add_journal_entry
INSERT INTO journal_entries
    (account_id, number, at, operation, method, path, status, duration_ms, request_id, task_id,
    request, answer, notes)
VALUES
    (:account_id, :number, :at, :operation, :method, :path, :status, :duration_ms, :request_id,
    :task_id, :request, :answer, :notes);

-- name: trim_journal
DELETE FROM journal_entries WHERE account_id = :id AND number <= :until;

-- name: clear_journal
DELETE FROM journal_entries WHERE account_id = :id;

-- name: reset_journal_numbers
UPDATE accounts SET journal_entries = 0 WHERE id = :id;

-- name: journal
SELECT at, operation, method, path, status, duration_ms, request_id, task_id, request, answer,
    notes, number
FROM journal_entries
WHERE account_id = :id AND number > :after
    AND operation = COALESCE(:operation, operation) AND method = COALESCE(:method, method)
    AND COALESCE(task_id, '') = COALESCE(:task_id, task_id, '')
    AND status BETWEEN :least_status AND :most_status
    AND lower(path) LIKE lower(:path) ESCAPE '!'
    AND (lower(request) LIKE lower(:body) ESCAPE '!'
        OR lower(request) LIKE lower(:json_body) ESCAPE '!')
ORDER BY number LIMIT :limit;

-- name: count_journal
SELECT count(*)
FROM journal_entries
WHERE account_id = :id AND number > :after
    AND operation = COALESCE(:operation, operation) AND method = COALESCE(:method, method)
    AND COALESCE(task_id, '') = COALESCE(:task_id, task_id, '')
    AND status BETWEEN :least_status AND :most_status
    AND lower(path) LIKE lower(:path) ESCAPE '!'
    AND (lower(request) LIKE lower(:body) ESCAPE '!'
        OR lower(request) LIKE lower(:json_body) ESCAPE '!');

-- name: lost_journal_entries
SELECT a.journal_entries - (SELECT count(*) FROM journal_entries j WHERE j.account_id = a.id)
FROM accounts a WHERE a.id = :id;
