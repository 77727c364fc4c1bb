// What was generated, kept in this browser, and followed until it ends.
import { call, hint, keys, mark } from "./api.js";
import { clock } from "./live.js";
import { hasExpired, linkProblem, ownPath } from "./media.js";
import { announce, count, GOOD, toldStatus } from "./show.js";

const STORED = "gpt-image-emulator.history."; // an item for each task: tabs write at the same time
const MOST_ENTRIES = 100;
const FIRST_POLL_MS = 200;
const LONGEST_POLL_MS = 3_000;
const LONGEST_PAUSE_MS = 60_000; // that the server may ask for
const ENDED = [...GOOD, "failed", "expired"];

let listener = () => {};
const followed = new Set();
const unstored = new Map(); // entries that there was no room for
let entries = restored();

function restored() {
  const stored = Object.keys(localStorage).filter((name) => name.startsWith(STORED)).map(parsed).filter(isEntry);
  return [...stored, ...unstored.values()]
    .map((entry) => ({ ...entry, links: entry.links.filter(ownPath) }))
    .sort((one, other) => other.addedAt - one.addedAt);
}

function parsed(name) {
  try {
    return JSON.parse(localStorage.getItem(name));
  } catch {
    return null;
  }
}

// Whether it is one of this version's: what stands in the browser, anybody may have written.
function isEntry(entry) {
  const texts = [entry?.taskId, entry?.status, entry?.createdAt, entry?.request?.prompt];
  return texts.every((text) => typeof text === "string") && Array.isArray(entry.links);
}

function refresh() {
  entries = restored();
  listener(entries);
}

// The browser's room is small: pictures that are inside requests go first, then the oldest entries.
function store(entry) {
  let kept = entry;
  while (!isStored(kept)) {
    const others = restored().filter(({ taskId }) => taskId !== kept.taskId && !unstored.has(taskId));
    const full = others.find(hasPictures);
    if (hasPictures(kept)) kept = withoutPictures(kept);
    else if (full) isStored(withoutPictures(full));
    else if (others.length) localStorage.removeItem(STORED + others.at(-1).taskId);
    else break;
  }
  refresh();
}

function isStored(entry) {
  try {
    localStorage.setItem(STORED + entry.taskId, JSON.stringify(entry));
    unstored.delete(entry.taskId);
    return true;
  } catch {
    unstored.set(entry.taskId, entry);
    return false;
  }
}

function forget(taskIds) {
  for (const taskId of taskIds) {
    localStorage.removeItem(STORED + taskId);
    unstored.delete(taskId);
  }
  refresh();
}

const isPicture = (value) => typeof value === "string" && value.startsWith("data:image/");
const hasPictures = ({ request }) => Object.values(request).some((value) => Array.isArray(value) && value.some(isPicture));

function withoutPictures(entry) {
  const kept = Object.entries(entry.request).map(([name, value]) => [
    name,
    Array.isArray(value) ? value.filter((each) => !isPicture(each)) : value,
  ]);
  return { ...entry, request: Object.fromEntries(kept) };
}

// Calls changed(entries) at each change, and goes on with what was running before a reload.
export function openHistory(changed) {
  listener = changed;
  window.addEventListener("storage", (event) => {
    if (event.key !== null && !event.key.startsWith(STORED)) return;
    refresh();
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
    addedAt: Date.now(),
    createdAt: new Date(clock.now()).toISOString(),
    request,
    links: [],
  };
  store(entry);
  forget(entries.slice(MOST_ENTRIES).map(({ taskId }) => taskId));
  follow(entry);
}

// Goes on with a task that could not be read.
export function followAgain({ taskId }) {
  change(taskId, { problem: undefined });
  follow({ taskId });
}

export function removeEntry(taskId) {
  forget([taskId]);
}

export function clearHistory() {
  forget(entries.map(({ taskId }) => taskId));
}

function change(taskId, fields) {
  const known = entries.find((entry) => entry.taskId === taskId);
  if (known) store({ ...known, ...fields });
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
      wait = Math.max(wait, Math.min((error.retryAfterSeconds ?? 0) * 1000, LONGEST_PAUSE_MS));
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
    credits: task.credits,
    error: task.error,
    links: task.result?.data?.map(({ url }) => url) ?? [],
    expired: task.status === "expired" ? "The pictures are no longer kept." : undefined,
  });
  if (known.status === task.status) return;
  const made = task.result?.data?.length;
  announce(made ? `The task succeeded with ${count(made, "picture")}.` : toldStatus(task.status));
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
  for (const { taskId, links } of entries.filter((entry) => isMine(entry) && !entry.expired)) {
    const end = hasExpired(links[0]);
    if (end) change(taskId, { expired: `The links stopped working at ${end}, on the account's clock.` });
  }
}
