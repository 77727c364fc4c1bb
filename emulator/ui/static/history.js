// What was generated, kept in this browser, and followed until it ends.
import { call, hint, keys, mark } from "./api.js";
import { clock } from "./live.js";
import { hasExpired, linkProblem, ownPath } from "./media.js";
import { announce, toldStatus } from "./show.js";

const STORED = "history";
const MOST_ENTRIES = 100;
const FIRST_POLL_MS = 400;
const LONGEST_POLL_MS = 3_000;
const GOOD = ["succeeded", "completed"];
const ENDED = [...GOOD, "failed", "expired"];

let entries = restored();
let listener = () => {};
const followed = new Set();

function restored() {
  try {
    const found = JSON.parse(localStorage.getItem(STORED));
    if (!Array.isArray(found)) return [];
    return found.map((entry) => ({ ...entry, links: entry.links.filter(ownPath) }));
  } catch {
    return [];
  }
}

// What is stored is read first, since another tab may have changed it. The browser's room is small:
// pictures that are inside requests go first, then the oldest entries.
function update(change) {
  entries = change(restored());
  while (!isStored(entries)) {
    entries = entries.some(hasPictures) ? entries.map(withoutPictures) : entries.slice(0, -1);
  }
  listener(entries);
}

function isStored(kept) {
  try {
    localStorage.setItem(STORED, JSON.stringify(kept));
    return true;
  } catch {
    return kept.length === 0; // there is no room at all
  }
}

const isPicture = (value) => typeof value === "string" && value.startsWith("data:");
const hasPictures = ({ request }) => Object.values(request).flat().some(isPicture);

function withoutPictures(entry) {
  const kept = Object.entries(entry.request).map(([name, value]) => [
    name,
    Array.isArray(value) ? value.filter((each) => !isPicture(each)) : isPicture(value) ? "" : value,
  ]);
  return { ...entry, request: Object.fromEntries(kept) };
}

// Calls changed(entries) at each change, and goes on with what was running before a reload.
export function openHistory(changed) {
  listener = changed;
  window.addEventListener("storage", (event) => {
    if (event.key !== STORED) return;
    entries = restored();
    listener(entries);
    entries.forEach(follow);
  });
  listener(entries);
  entries.forEach(follow);
}

export const isRunning = (entry) => !ENDED.includes(entry.status) && !entry.problem;
export const isGood = (entry) => GOOD.includes(entry.status);
export const isMine = (entry) => entry.keyMark === mark(keys.current);

export function addEntry(created, request) {
  const entry = {
    taskId: created.task_id,
    status: created.status,
    reserved: created.credits.reserved,
    keyHint: hint(keys.current),
    keyMark: mark(keys.current),
    createdAt: new Date(clock.now()).toISOString(),
    request,
    links: [],
  };
  update((known) => [entry, ...known].slice(0, MOST_ENTRIES));
  follow(entry);
}

// Goes on with a task that could not be read.
export function followAgain({ taskId }) {
  change(taskId, { problem: undefined });
  follow({ taskId });
}

export function removeEntry(taskId) {
  update((known) => known.filter((entry) => entry.taskId !== taskId));
}

export function clearHistory() {
  update(() => []);
}

function change(taskId, fields) {
  update((known) => known.map((entry) => (entry.taskId === taskId ? { ...entry, ...fields } : entry)));
}

// Polls a task, as any client of the API does, until it ends.
async function follow({ taskId }) {
  if (followed.has(taskId)) return;
  followed.add(taskId);
  let wait = FIRST_POLL_MS;
  for (;;) {
    const entry = entries.find((other) => other.taskId === taskId);
    if (!entry || !isRunning(entry) || !isMine(entry)) break;
    await new Promise((done) => setTimeout(done, wait));
    wait = Math.min(wait * 1.5, LONGEST_POLL_MS);
    try {
      take(taskId, await call("GET", `/v1/tasks/${encodeURIComponent(taskId)}`));
    } catch (error) {
      if ([401, 403, 404].includes(error.status)) change(taskId, { problem: error.message });
      wait = Math.max(wait, error.retryAfterSeconds * 1000);
    }
  }
  followed.delete(taskId);
}

function take(taskId, task) {
  const known = entries.find((entry) => entry.taskId === taskId);
  if (!known || (known.status === task.status && known.createdAt === task.created_at)) return;
  change(taskId, {
    status: task.status,
    createdAt: task.created_at,
    completedAt: task.completed_at,
    credits: task.credits,
    error: task.error,
    links: task.result?.data.map(({ url }) => url) ?? [],
    expired: task.status === "expired" ? "The pictures are no longer kept." : undefined,
  });
  if (known.status !== task.status) announce(toldStatus(task.status));
}

// Asks why a picture of an entry did not arrive; once there is no reason, it is tried again.
export async function checkLinks({ taskId, links, mediaProblem }) {
  const problem = await linkProblem(links[0]);
  if (problem?.isExpired) change(taskId, { expired: problem.message });
  else if (problem) change(taskId, { mediaProblem: problem.message });
  else change(taskId, { mediaProblem: mediaProblem ? undefined : "A picture did not arrive." });
}

// Notes whose links are dead by now. Nothing is asked for that: a link says how long it lives.
export function checkExpiry() {
  for (const { taskId, expired, links } of entries) {
    const end = expired ? null : hasExpired(links[0]);
    if (end) change(taskId, { expired: `The links stopped working at ${end}, on the account's clock.` });
  }
}
