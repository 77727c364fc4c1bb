-- One text for every engine. Time is always a parameter: no query asks what time it is.

-- name: ping
SELECT 1;

-- name: meta
SELECT value FROM meta WHERE name = :name;

-- name: add_meta
INSERT INTO meta (name, value) VALUES (:name, :value) ON CONFLICT (name) DO NOTHING;

-- name: caller
SELECT k.revoked_at, k.budget_credits, k.requests_per_minute, k.models,
    a.id, a.seed, a.id_seed, a.available, a.clock_offset_ms, a.clock_frozen_at,
    a.faults_version, k.used_at
FROM api_keys k JOIN accounts a ON a.id = k.account_id
WHERE k.hash = :hash;

-- name: lock_account
SELECT id FROM accounts WHERE id = :id FOR NO KEY UPDATE;

-- name: lease_clock
UPDATE accounts SET clock_leased_until = :leased_until, clock_leased_by = :owner
WHERE id = :id AND (clock_leased_until <= :real_now OR clock_leased_by = :owner);

-- name: release_clock
UPDATE accounts SET clock_leased_until = 0 WHERE id = :id AND clock_leased_by = :owner;

-- name: account
SELECT id, seed, clock_offset_ms, clock_frozen_at, granted, available, reserved, charged,
    faults_version, clock_leased_until
FROM accounts WHERE id = :id;

-- name: fingerprint
WITH watched AS (
    SELECT a.*, COALESCE(a.clock_frozen_at, :real_now + a.clock_offset_ms) AS now
    FROM api_keys k JOIN accounts a ON a.id = k.account_id
    WHERE k.hash = :hash AND k.revoked_at IS NULL
)
SELECT w.ledger_entries, w.available, w.granted,
    w.tasks_created,
    (SELECT count(*) FROM task_ends e WHERE e.account_id = w.id AND e.settled = 0),
    (SELECT count(*) FROM task_ends e
        WHERE e.account_id = w.id AND e.settled = 0 AND e.starts_at <= w.now),
    w.deliveries_version,
    (SELECT count(*) FROM inboxes i WHERE i.account_id = w.id),
    (SELECT CAST(COALESCE(sum(i.messages_received), 0) AS BIGINT) FROM inboxes i WHERE i.account_id = w.id),
    w.inboxes_version,
    w.journal_entries,
    w.faults_version,
    (SELECT CAST(COALESCE(sum(f.seen), 0) AS BIGINT) FROM faults f WHERE f.account_id = w.id),
    (SELECT CAST(COALESCE(sum(f.hits), 0) AS BIGINT) FROM faults f WHERE f.account_id = w.id),
    w.clock_offset_ms, w.clock_frozen_at,
    (SELECT min(CASE WHEN e.starts_at > w.now THEN e.starts_at ELSE e.ends_at END)
        FROM task_ends e WHERE e.account_id = w.id AND e.settled = 0 AND e.ends_at > w.now)
FROM watched w;

-- name: account_of_id_seed
SELECT id FROM accounts WHERE id_seed = :id_seed;

-- name: add_account
INSERT INTO accounts (id, seed, id_seed, created_at) VALUES (:id, :seed, :id_seed, :created_at)
ON CONFLICT (id) DO NOTHING;

-- name: count_accounts
SELECT count(*) FROM (SELECT 1 FROM accounts LIMIT :limit) AS counted;

-- name: set_clock
UPDATE accounts SET clock_offset_ms = :offset_ms, clock_frozen_at = :frozen_at WHERE id = :id;

-- name: next_upload_number
UPDATE accounts SET uploads_created = uploads_created + 1 WHERE id = :id
RETURNING uploads_created, id_seed;

-- name: add_key
INSERT INTO api_keys
    (hash, account_id, name, hint, budget_credits, requests_per_minute, models, created_at, used_at)
VALUES
    (:hash, :account_id, :name, :hint, :budget_credits, :requests_per_minute, :models, :created_at,
    :created_at);

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
    tasks_in_flight = tasks_in_flight + :tasks - :ended,
    ledger_entries = ledger_entries + :entries
WHERE id = :id AND available + :available >= 0 AND reserved + :reserved >= 0
    AND tasks_in_flight + :tasks - :ended <= :most_in_flight
RETURNING available, ledger_entries, tasks_created, clock_offset_ms, clock_frozen_at, seed,
    id_seed, wake_at;

-- name: add_ledger_entry
INSERT INTO ledger_entries
    (account_id, number, kind, task_id, granted, available, reserved, charged, available_after, at)
VALUES
    (:id, :number, :kind, :task_id, :granted, :available, :reserved, :charged, :after, :at);

-- name: ledger
SELECT number, kind, task_id, granted, available, reserved, charged, available_after, at
FROM ledger_entries
WHERE account_id = :id AND number > :after
    AND COALESCE(task_id, '') = COALESCE(:task_id, task_id, '')
ORDER BY number LIMIT :limit;

-- name: newest_ledger
SELECT number, kind, task_id, granted, available, reserved, charged, available_after, at
FROM ledger_entries
WHERE account_id = :id AND number < :before
    AND COALESCE(task_id, '') = COALESCE(:task_id, task_id, '')
ORDER BY number DESC LIMIT :limit;

-- name: add_task
INSERT INTO tasks
    (id, account_id, number, seed, key_hash, model, callback_url, width_px, height_px, created_at,
    starts_at, ends_at, images, error_code, reserved, charge, base_url, request_id, request)
VALUES
    (:id, :account_id, :number, :seed, :key_hash, :model, :callback_url, :width_px, :height_px,
    :created_at, :starts_at, :ends_at, :images, :error_code, :reserved, :charge, :base_url,
    :request_id, :request);

-- name: add_task_end
INSERT INTO task_ends (account_id, settled, ends_at, task_id, starts_at)
VALUES (:account_id, :settled, :ends_at, :id, :starts_at);

-- name: task
SELECT a.clock_offset_ms, a.clock_frozen_at, a.seed, a.faults_version, t.id, t.account_id,
    t.number, t.seed, t.key_hash, t.model, t.callback_url, t.created_at, t.starts_at, t.ends_at,
    t.images, t.error_code, t.reserved, t.charge,
    CASE WHEN e.task_id IS NULL THEN 1 ELSE 0 END, t.base_url, t.request_id
FROM tasks t
JOIN accounts a ON a.id = t.account_id
LEFT JOIN task_ends e
    ON e.account_id = t.account_id AND e.settled = 0 AND e.ends_at = t.ends_at
    AND e.task_id = t.id
WHERE t.id = :id;

-- name: caller_and_task
SELECT k.revoked_at, k.budget_credits, k.requests_per_minute, k.models,
    a.id, a.seed, a.id_seed, a.available, a.clock_offset_ms, a.clock_frozen_at,
    a.faults_version, k.used_at,
    t.id, t.account_id, t.number, t.seed, t.key_hash, t.model, t.callback_url, t.created_at,
    t.starts_at, t.ends_at, t.images, t.error_code, t.reserved, t.charge,
    CASE WHEN e.task_id IS NULL THEN 1 ELSE 0 END, t.base_url, t.request_id
FROM api_keys k
JOIN accounts a ON a.id = k.account_id
LEFT JOIN tasks t ON t.id = :task_id AND t.account_id = a.id
LEFT JOIN task_ends e
    ON e.account_id = t.account_id AND e.settled = 0 AND e.ends_at = t.ends_at
    AND e.task_id = t.id
WHERE k.hash = :hash;

-- name: end_task
UPDATE tasks SET starts_at = :starts_at, ends_at = :ends_at, images = :images,
    error_code = :error_code, charge = :charge
WHERE id = :id;

-- name: move_task_end
UPDATE task_ends SET starts_at = :starts_at, ends_at = :ends_at
WHERE account_id = :account_id AND settled = 0 AND task_id = :id AND ends_at > :ends_at
    AND ends_at = (SELECT t.ends_at FROM tasks t WHERE t.id = :id);

-- name: tasks_of_account
SELECT t.id, t.account_id, t.number, t.seed, t.key_hash, t.model, t.callback_url, t.created_at,
    t.starts_at, t.ends_at, t.images, t.error_code, t.reserved, t.charge,
    CASE WHEN e.task_id IS NULL THEN 1 ELSE 0 END, t.base_url, t.request_id, t.request,
    t.width_px, t.height_px
FROM tasks t
LEFT JOIN task_ends e
    ON e.account_id = t.account_id AND e.settled = 0 AND e.ends_at = t.ends_at
    AND e.task_id = t.id
WHERE t.account_id = :account_id AND t.id BETWEEN :first AND :last ORDER BY t.id DESC;

-- name: callback_ahead
SELECT t.id FROM task_ends e JOIN tasks t ON t.id = e.task_id
WHERE e.account_id = :id AND e.settled = 0 AND t.callback_url IS NOT NULL LIMIT 1;

-- name: request
SELECT request, width_px, height_px FROM tasks WHERE id = :id;

-- name: claim_task
UPDATE task_ends SET settled = 1
WHERE account_id = :account_id AND settled = 0 AND ends_at = :ends_at AND task_id = :id;

-- name: accounts_to_settle
SELECT a.id FROM accounts a
WHERE a.wake_at <= :real_now AND EXISTS (
    SELECT 1 FROM task_ends e
    WHERE e.account_id = a.id AND e.settled = 0
        AND e.ends_at <= COALESCE(a.clock_frozen_at, :real_now + a.clock_offset_ms)
    ORDER BY e.ends_at LIMIT 1
    FOR NO KEY UPDATE SKIP LOCKED
)
ORDER BY a.wake_at LIMIT :limit;

-- name: ended_tasks
SELECT t.id, t.account_id, t.number, t.seed, t.key_hash, t.model, t.callback_url, t.created_at,
    t.starts_at, t.ends_at, t.images, t.error_code, t.reserved, t.charge, 1, t.base_url,
    t.request_id
FROM task_ends e JOIN tasks t ON t.id = e.task_id
WHERE e.account_id = :id AND e.settled = 0 AND e.ends_at <= :until
ORDER BY e.ends_at, e.task_id LIMIT :limit;

-- name: claim_ended
UPDATE task_ends SET settled = 1
WHERE account_id = :id AND settled = 0 AND (ends_at, task_id) <= (:ends_at, :task_id);

-- name: first_task_due
SELECT task_id, ends_at FROM task_ends
WHERE account_id = :id AND settled = 0 AND ends_at <= :until ORDER BY ends_at, task_id LIMIT 1;

-- name: task_starts_between
SELECT task_id, starts_at FROM task_ends
WHERE account_id = :id AND settled = 0 AND starts_at > :after AND starts_at <= :until
    AND starts_at < ends_at
ORDER BY starts_at LIMIT :limit;

-- name: tasks_ended_between
SELECT e.task_id, e.ends_at, t.error_code FROM task_ends e JOIN tasks t ON t.id = e.task_id
WHERE e.account_id = :id AND e.settled = 1 AND e.ends_at > :after AND e.ends_at <= :until
ORDER BY e.ends_at LIMIT :limit;

-- name: wake_account
UPDATE accounts SET wake_at = (
    SELECT CASE WHEN accounts.clock_frozen_at IS NULL THEN e.ends_at - accounts.clock_offset_ms
        WHEN e.ends_at <= accounts.clock_frozen_at THEN CAST(:real_now AS BIGINT) END
    FROM task_ends e WHERE e.account_id = accounts.id AND e.settled = 0
    ORDER BY e.ends_at LIMIT 1
)
WHERE id = :id;

-- name: next_wake
SELECT min(wake_at) FROM (
    SELECT min(wake_at) AS wake_at FROM accounts WHERE wake_at IS NOT NULL
    UNION ALL
    SELECT min(wake_at) FROM deliveries WHERE wake_at IS NOT NULL
) AS due;

-- name: note_deliveries
UPDATE accounts SET deliveries_version = deliveries_version + 1 WHERE id = :id;

-- name: add_delivery
INSERT INTO deliveries
    (id, task_id, account_id, url, host, state, due_at, wake_at, created_at, copies_left, held)
VALUES
    (:id, :task_id, :account_id, :url, :host, :state, :due_at, :wake_at, :created_at, :copies_left,
    :held);

-- name: delivery
SELECT id, task_id, account_id, url, state, attempts_made, due_at, copies_left, held
FROM deliveries WHERE id = :id;

-- name: delivery_due
SELECT 1 FROM deliveries WHERE wake_at <= :real_now LIMIT 1;

-- name: claim_deliveries
UPDATE deliveries SET leased_until = :leased_until, leased_by = :owner, wake_at = :leased_until
WHERE id IN (
    SELECT d.id FROM deliveries d
    WHERE d.wake_at <= :real_now AND :busy_hosts NOT LIKE '%|' || d.host || '|%'
        AND NOT EXISTS (
            SELECT 1 FROM accounts a
            WHERE a.id = d.account_id AND a.clock_leased_until > :real_now
        )
    ORDER BY d.wake_at LIMIT :limit
    FOR NO KEY UPDATE SKIP LOCKED
)
RETURNING id, task_id, account_id, url, state, attempts_made, due_at, copies_left, held;

-- name: lease_delivery
UPDATE deliveries SET leased_until = :leased_until, leased_by = :owner,
    wake_at = CASE WHEN due_at IS NOT NULL THEN :leased_until END
WHERE id = :id AND (leased_until <= :real_now OR leased_by = :owner);

-- name: renew_delivery
UPDATE deliveries SET leased_until = :leased_until,
    wake_at = CASE WHEN wake_at IS NOT NULL THEN :leased_until END
WHERE id = :id AND leased_until > 0 AND leased_by = :owner;

-- name: first_delivery_due
SELECT id, task_id, account_id, url, state, attempts_made, due_at, copies_left, held
FROM deliveries WHERE account_id = :id AND due_at <= :until ORDER BY due_at LIMIT 1;

-- name: update_delivery
UPDATE deliveries SET state = :state, attempts_made = :attempts_made, due_at = :due_at,
    wake_at = :wake_at, copies_left = :copies_left, held = 0, leased_until = 0
WHERE id = :id AND attempts_made = :attempts_made - 1;

-- name: wake_deliveries
UPDATE deliveries SET wake_at = CASE
    WHEN leased_until > :real_now THEN leased_until
    WHEN CAST(:frozen_at AS BIGINT) IS NULL THEN due_at - :offset_ms
    WHEN due_at <= :frozen_at THEN :real_now
END
WHERE account_id = :id AND due_at IS NOT NULL;

-- name: deliveries_of_account
SELECT id, task_id, account_id, url, state, attempts_made, due_at, copies_left, held
FROM deliveries
WHERE account_id = :id AND (CAST(:task_id AS TEXT) IS NULL OR task_id = :task_id)
ORDER BY created_at DESC, id LIMIT :limit;

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

-- name: faults_version
SELECT faults_version FROM accounts WHERE id = :id;

-- An account that is made anew must not repeat the versions of the one before it.

-- name: change_faults
UPDATE accounts SET faults_version = CASE WHEN faults_version = 0 THEN created_at
    ELSE faults_version + 1 END
WHERE id = :id;

-- name: next_fault_number
UPDATE accounts SET faults_created = faults_created + 1 WHERE id = :id RETURNING faults_created;

-- name: add_fault
INSERT INTO faults (account_id, number, spec, directive, times)
VALUES (:id, :number, :spec, :directive, :times);

-- name: faults
SELECT number, spec, seen, hits FROM faults WHERE account_id = :id ORDER BY number;

-- name: count_faults
SELECT count(*) FROM faults WHERE account_id = :id;

-- name: fault_of_directive
SELECT number FROM faults WHERE account_id = :id AND directive = :directive;

-- name: see_fault
UPDATE faults SET seen = seen + 1
WHERE account_id = :id AND number = :number AND (times IS NULL OR hits < times)
RETURNING seen;

-- name: hit_fault
UPDATE faults SET hits = hits + 1 WHERE account_id = :id AND number = :number
RETURNING hits, times;

-- name: remove_faults
DELETE FROM faults WHERE account_id = :id AND (CAST(:number AS BIGINT) IS NULL OR number = :number);

-- name: has_held_delivery
SELECT 1 FROM deliveries WHERE account_id = :id AND held = 1 AND due_at IS NOT NULL LIMIT 1;

-- name: release_held_deliveries
UPDATE deliveries SET held = 0, due_at = :now, wake_at = :wake_at
WHERE account_id = :id AND held = 1 AND id <> :except AND due_at > :now;

-- name: note_inboxes
UPDATE accounts SET inboxes_version = inboxes_version + 1 WHERE id = :id;

-- name: open_inbox
INSERT INTO inboxes (account_id, name, answers)
SELECT id, :name, :answers FROM accounts WHERE id = :account_id
ON CONFLICT (account_id, name) DO NOTHING;

-- name: inboxes
SELECT i.name, count(m.number) FROM inboxes i
LEFT JOIN inbox_messages m ON m.account_id = i.account_id AND m.inbox = i.name
WHERE i.account_id = :account_id GROUP BY i.name ORDER BY i.name;

-- name: inbox
SELECT answers, messages_received FROM inboxes WHERE account_id = :account_id AND name = :name;

-- name: set_inbox_plan
UPDATE inboxes SET answers = :answers WHERE account_id = :account_id AND name = :name;

-- name: next_message
UPDATE inboxes SET messages_received = messages_received + 1
WHERE account_id = :account_id AND name = :name
RETURNING messages_received, answers;

-- name: add_message
INSERT INTO inbox_messages
    (account_id, inbox, number, at, delivery_id, headers, body, signature, status)
VALUES
    (:account_id, :name, :number, :at, :delivery_id, :headers, :body, :signature, :status);

-- name: drop_messages
DELETE FROM inbox_messages
WHERE account_id = :account_id AND inbox = :name AND number <= :last;

-- name: messages
SELECT m.number, m.at, m.delivery_id, d.task_id, m.headers, m.body, m.signature, m.status
FROM inbox_messages m
LEFT JOIN deliveries d ON d.id = m.delivery_id AND d.account_id = m.account_id
WHERE m.account_id = :account_id AND m.inbox = :name AND m.number > :after
ORDER BY m.number LIMIT :limit;

-- name: delete_messages
DELETE FROM inbox_messages WHERE account_id = :account_id AND inbox = :name;

-- name: delete_inbox
DELETE FROM inboxes WHERE account_id = :account_id AND name = :name;
-- An account as one file: name, then the same columns out and in.

-- name: export_tasks
SELECT t.id, t.number, t.seed, t.width_px, t.height_px, t.created_at, t.starts_at, t.ends_at,
    t.images, t.error_code, t.reserved, t.charge, e.settled, t.request
FROM task_ends e JOIN tasks t ON t.id = e.task_id
WHERE e.account_id = :account_id
ORDER BY t.number;

-- name: import_tasks
INSERT INTO tasks
    (id, number, seed, width_px, height_px, created_at, starts_at, ends_at, images, error_code,
    reserved, charge, request, account_id, key_hash, model, callback_url, base_url, request_id)
VALUES
    (:id, :number, :seed, :width_px, :height_px, :created_at, :starts_at, :ends_at, :images,
    :error_code, :reserved, :charge, :request, :account_id, :key_hash, :model, :callback_url,
    :base_url, :request_id)
ON CONFLICT (id) DO NOTHING;

-- name: clear_tasks
DELETE FROM tasks
WHERE id IN (SELECT task_id FROM task_ends WHERE account_id = :account_id);

-- name: clear_task_ends
DELETE FROM task_ends
WHERE account_id = :account_id;

-- name: export_ledger
SELECT number, kind, task_id, granted, available, reserved, charged, available_after, at
FROM ledger_entries WHERE account_id = :account_id
ORDER BY number;

-- name: import_ledger
INSERT INTO ledger_entries
    (number, kind, task_id, granted, available, reserved, charged, available_after, at, account_id)
VALUES
    (:number, :kind, :task_id, :granted, :available, :reserved, :charged, :available_after, :at,
    :account_id);

-- name: clear_ledger
DELETE FROM ledger_entries
WHERE account_id = :account_id;

-- name: export_deliveries
SELECT id, task_id, url, state, attempts_made, due_at, created_at, copies_left, held
FROM deliveries WHERE account_id = :account_id
ORDER BY created_at, id;

-- name: import_deliveries
INSERT INTO deliveries
    (id, task_id, url, host, state, attempts_made, due_at, created_at, copies_left, held,
    account_id)
VALUES
    (:id, :task_id, :url, :host, :state, :attempts_made, :due_at, :created_at, :copies_left, :held,
    :account_id)
ON CONFLICT (id) DO NOTHING;

-- name: clear_deliveries
DELETE FROM deliveries
WHERE account_id = :account_id;

-- name: export_attempts
SELECT delivery_id, number, at, status, duration_ms, answer, error
FROM attempts WHERE delivery_id IN (SELECT id FROM deliveries WHERE account_id = :account_id)
ORDER BY delivery_id, number;

-- name: import_attempts
INSERT INTO attempts
    (delivery_id, number, at, status, duration_ms, answer, error)
VALUES
    (:delivery_id, :number, :at, :status, :duration_ms, :answer, :error);

-- name: clear_attempts
DELETE FROM attempts
WHERE delivery_id IN (SELECT id FROM deliveries WHERE account_id = :account_id);

-- name: export_uploads
SELECT id, media_type, content, created_at
FROM uploads WHERE account_id = :account_id
ORDER BY created_at, id;

-- name: import_uploads
INSERT INTO uploads
    (id, media_type, content, created_at, account_id)
VALUES
    (:id, :media_type, :content, :created_at, :account_id)
ON CONFLICT (id) DO NOTHING;

-- name: clear_uploads
DELETE FROM uploads
WHERE account_id = :account_id;

-- name: export_faults
SELECT number, spec, directive, times, seen, hits
FROM faults WHERE account_id = :account_id
ORDER BY number;

-- name: import_faults
INSERT INTO faults
    (number, spec, directive, times, seen, hits, account_id)
VALUES
    (:number, :spec, :directive, :times, :seen, :hits, :account_id);

-- name: clear_faults
DELETE FROM faults
WHERE account_id = :account_id;

-- name: export_journal
SELECT number, at, operation, method, path, status, duration_ms, request_id, task_id, request,
    answer, notes
FROM journal_entries WHERE account_id = :account_id
ORDER BY number;

-- name: import_journal
INSERT INTO journal_entries
    (number, at, operation, method, path, status, duration_ms, request_id, task_id, request, answer,
    notes, account_id)
VALUES
    (:number, :at, :operation, :method, :path, :status, :duration_ms, :request_id, :task_id,
    :request, :answer, :notes, :account_id);

-- name: clear_journal
DELETE FROM journal_entries
WHERE account_id = :account_id;

-- name: export_inboxes
SELECT name, answers, messages_received
FROM inboxes WHERE account_id = :account_id
ORDER BY name;

-- name: import_inboxes
INSERT INTO inboxes
    (name, answers, messages_received, account_id)
VALUES
    (:name, :answers, :messages_received, :account_id);

-- name: clear_inboxes
DELETE FROM inboxes
WHERE account_id = :account_id;

-- name: export_inbox_messages
SELECT inbox, number, at, delivery_id, headers, body, signature, status
FROM inbox_messages WHERE account_id = :account_id
ORDER BY inbox, number;

-- name: import_inbox_messages
INSERT INTO inbox_messages
    (inbox, number, at, delivery_id, headers, body, signature, status, account_id)
VALUES
    (:inbox, :number, :at, :delivery_id, :headers, :body, :signature, :status, :account_id);

-- name: clear_inbox_messages
DELETE FROM inbox_messages
WHERE account_id = :account_id;

-- name: export_account
SELECT seed, id_seed, clock_offset_ms, clock_frozen_at, granted, available, reserved, charged,
    tasks_created, uploads_created, faults_created, journal_entries
FROM accounts WHERE id = :account_id;

-- name: import_account
UPDATE accounts SET seed = :seed, id_seed = :id_seed, granted = :granted, available = :available,
    reserved = :reserved, charged = :charged, tasks_created = :tasks_created,
    uploads_created = :uploads_created, ledger_entries = :ledger_entries,
    tasks_in_flight = :tasks_in_flight,
    faults_created = :faults_created, journal_entries = :journal_entries,
    deliveries_version = deliveries_version + 1,
    faults_version = CASE WHEN faults_version > 0 THEN faults_version + 1
        WHEN :faults > 0 THEN created_at ELSE 0 END
WHERE id = :account_id;

-- name: set_budget_used
UPDATE api_keys SET budget_used = :credits, window_requests = 0, window_started_at = 0
WHERE account_id = :account_id;

-- name: delete_keys_of_account
DELETE FROM api_keys WHERE account_id = :account_id;

-- name: delete_account
DELETE FROM accounts WHERE id = :account_id;

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

-- name: forget_journal
DELETE FROM journal_entries WHERE account_id = :id;

-- name: reset_journal_numbers
UPDATE accounts SET journal_entries = 0 WHERE id = :id;

-- name: journal
SELECT at, operation, method, path, status, duration_ms, request_id, task_id, request, answer,
    notes, number
FROM journal_entries
WHERE account_id = :id AND number > :after AND number < :before
    AND operation = COALESCE(:operation, operation) AND method = COALESCE(:method, method)
    AND COALESCE(task_id, '') = COALESCE(:task_id, task_id, '')
    AND status BETWEEN :least_status AND :most_status
    AND lower(path) LIKE lower(:path) ESCAPE '!'
    AND (lower(request) LIKE lower(:body) ESCAPE '!'
        OR lower(request) LIKE lower(:json_body) ESCAPE '!')
ORDER BY number * :direction LIMIT :limit;

-- name: count_journal
SELECT count(*)
FROM journal_entries
WHERE account_id = :id AND number > :after AND number < :before
    AND operation = COALESCE(:operation, operation) AND method = COALESCE(:method, method)
    AND COALESCE(task_id, '') = COALESCE(:task_id, task_id, '')
    AND status BETWEEN :least_status AND :most_status
    AND lower(path) LIKE lower(:path) ESCAPE '!'
    AND (lower(request) LIKE lower(:body) ESCAPE '!'
        OR lower(request) LIKE lower(:json_body) ESCAPE '!');

-- name: lost_journal_entries
SELECT a.journal_entries - (SELECT count(*) FROM journal_entries j WHERE j.account_id = a.id)
FROM accounts a WHERE a.id = :id;

-- Retention: what is old, a few rows at a time.

-- name: take_lease
UPDATE meta SET value = :until
WHERE name = :name AND (value = :held OR CAST(value AS BIGINT) <= :now);

-- name: accounts_after
SELECT id FROM accounts WHERE id > :after ORDER BY id LIMIT :limit;

-- name: oldest_ledger
SELECT number, at, granted, available, reserved, charged FROM ledger_entries
WHERE account_id = :id ORDER BY number LIMIT :limit;

-- name: carry_ledger_forward
UPDATE ledger_entries SET kind = :kind, task_id = NULL, granted = :granted,
    available = :available, reserved = :reserved, charged = :charged
WHERE account_id = :id AND number = :number;

-- name: drop_ledger
DELETE FROM ledger_entries WHERE account_id = :id AND number < :number;

-- name: old_tasks
SELECT e.task_id, e.ends_at, d.id FROM task_ends e LEFT JOIN deliveries d ON d.task_id = e.task_id
WHERE e.account_id = :id AND e.settled = 1 AND e.ends_at < :before AND d.due_at IS NULL
ORDER BY e.ends_at LIMIT :limit;

-- name: remove_attempts
DELETE FROM attempts WHERE delivery_id = :id;

-- name: remove_delivery
DELETE FROM deliveries WHERE id = :id;

-- name: remove_task
DELETE FROM tasks WHERE id = :id;

-- name: remove_task_end
DELETE FROM task_ends
WHERE account_id = :account_id AND settled = 1 AND ends_at = :ends_at AND task_id = :id;

-- name: old_uploads
SELECT id FROM uploads WHERE account_id = :id AND created_at < :before
ORDER BY created_at LIMIT :limit;

-- name: remove_upload
DELETE FROM uploads WHERE id = :id;

-- name: oldest_journal
SELECT number, at FROM journal_entries WHERE account_id = :id ORDER BY number LIMIT :limit;

-- name: old_messages
SELECT inbox, number FROM inbox_messages WHERE account_id = :id AND at < :before LIMIT :limit;

-- name: remove_message
DELETE FROM inbox_messages WHERE account_id = :id AND inbox = :inbox AND number = :number;

-- name: mark_used
UPDATE api_keys SET used_at = :now WHERE hash = :hash;

-- name: remove_unused_key
DELETE FROM api_keys WHERE hash = :hash AND used_at < :before;

-- name: unused_account
SELECT k.hash, a.seed FROM accounts a JOIN api_keys k ON k.account_id = a.id
WHERE a.id = :id AND a.clock_offset_ms = 0 AND a.clock_frozen_at IS NULL
    AND k.name = a.id AND k.revoked_at IS NULL AND k.used_at < :before
    AND NOT EXISTS (SELECT 1 FROM task_ends e WHERE e.account_id = a.id)
    AND NOT EXISTS (SELECT 1 FROM deliveries d WHERE d.account_id = a.id)
    AND NOT EXISTS (SELECT 1 FROM uploads u WHERE u.account_id = a.id)
    AND NOT EXISTS (SELECT 1 FROM journal_entries j WHERE j.account_id = a.id)
    AND NOT EXISTS (SELECT 1 FROM inbox_messages m WHERE m.account_id = a.id)
    AND NOT EXISTS (
        SELECT 1 FROM faults f
        WHERE f.account_id = a.id AND f.directive IS NULL
            AND (f.times IS NULL OR f.hits < f.times)
    );
