// Everything about one task.
import { call, headers } from "../api.js";
import { ledgerTable } from "../ledger.js";
import { clock } from "../live.js";
import { announce, attempt, code, empty, html, instant, nothing, number, render, repeat, state, toldStatus } from "../show.js";
import { view } from "../viewer.js";
import { deliveryCard } from "./callbacks.js";
import { entryDetails } from "./journal.js";
import { timeline } from "./timeline.js";

const NEWEST = 10 ** 15;
const JOURNAL_ROWS = 50;
const place = document.getElementById("section");
const taskId = decoded(location.pathname.split("/").at(-1));
const FAILURES = ["image_safety", "content_filter", "content_policy", "not_found", "rate_limit", "service_unavailable"];
let found = null;

function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

let sources = [];

// A server without a journal answers 404 for it.
function noJournal(error) {
  if (error.status !== 404) throw error;
  return null;
}

async function load() {
  const id = encodeURIComponent(taskId);
  const read = async (path) => (await call("GET", `/_emulator/${path}`)).data;
  const [answer, rows, entries, deliveries, journal, [creation] = []] = await Promise.all([
    call("GET", `/_emulator/tasks/${id}`),
    read(`tasks?task_id=${id}`),
    read(`ledger?task_id=${id}`),
    read(`deliveries?task_id=${id}`),
    read(`journal?task_id=${id}&before=${NEWEST}&limit=${JOURNAL_ROWS}`).catch(noJournal),
    read(`journal?task_id=${id}&limit=1`).catch(() => undefined), // the first that named it
  ]);
  found = { answer, task: rows[0], entries, deliveries, journal, creation };
  if (found.task.settled && !sources.length) await loadPictures(found.task.images);
}

// Not over their links: to look on is no request of a client, and no fault meets it.
async function loadPictures(images) {
  const read = async (index) => {
    const path = `/_emulator/tasks/${encodeURIComponent(taskId)}/images/${index}`;
    const response = await fetch(path, { headers: headers(path) });
    return response.ok ? URL.createObjectURL(await response.blob()) : "";
  };
  sources = await Promise.all(Array.from({ length: images }, (_, index) => read(index + 1)));
}

function draw() {
  if (!found?.task) return;
  const { answer, task, entries, deliveries, journal, creation } = found;
  const links = answer.result?.data.map(({ url }) => url) ?? [];
  render(html`
    <section class="card" aria-labelledby="task-title"><div class="card-head"><h2 id="task-title"><code>${taskId}</code></h2>${state(answer.status)}</div>
      <p class="prompt whole" tabindex="0" role="group" aria-label="Prompt">${task.request.prompt}</p>${timeline(task)}${finishForm(task)}</section>
    ${picturesCard(task, answer, links)}
    <div class="columns">
      <section class="card" aria-labelledby="request-title"><h2 id="request-title">Request</h2>${facts(task)}${sent(creation)}</section>
      <section class="card" aria-labelledby="answer-title"><h2 id="answer-title">Answer</h2>${code(answer, "The task as polling shows it")}</section>
    </div>
    <section class="card" aria-labelledby="entries-title"><h2 id="entries-title">Ledger</h2>${ledgerTable(entries)}</section>
    <section class="card" aria-labelledby="deliveries-title"><h2 id="deliveries-title">Callback</h2>
      ${deliveries.length ? html`<ul class="cards">${repeat(deliveries, (each) => each.delivery_id, deliveryCard)}</ul>`
      : empty("No delivery", task.callback_url ? "The callback goes out when the task ends." : "The task was created without callback_url.")}</section>
    <section class="card" aria-labelledby="journal-title"><h2 id="journal-title">Journal</h2>
      ${journal?.length === JOURNAL_ROWS ? html`<p class="quiet">The newest ${JOURNAL_ROWS}; all: <a href="/inspector/journal?task_id=${taskId}">journal of this task</a>.</p>` : nothing}
      ${journal === null ? html`<p class="quiet">This server keeps no journal.</p>`
      : journal.length ? html`<ul class="journal">${repeat(journal, (entry) => entry.number, entryDetails)}</ul>` : empty("No entries", "Requests about this task are listed here.")}</section>`, place);
}

function facts(task) {
  const { request } = task;
  const rows = [["Model", request.model], ["Size", request.size], ["Resolution", request.resolution], ["Quality", request.quality],
    ["Pixels", request.pixels], ["Images", request.n], ["References", request.references], ["Callback URL", task.callback_url]];
  return html`<dl class="facts">${rows.filter(([, value]) => value !== undefined && value !== null).map(([name, value]) =>
    html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>`;
}

function sent(creation) {
  return creation?.method === "POST" ? code(creation.request.body, "The body that was sent") : nothing;
}

function picturesCard(task, answer, links) {
  const failure = answer.error;
  const [width, height] = task.request.pixels.split("x");
  return html`<section class="card" aria-labelledby="pictures-title"><h2 id="pictures-title">Pictures</h2>
    ${failure ? html`<p class="problem"><b>${failure.code}</b> ${failure.message}</p>` : nothing}
    ${sources.length ? html`<ul class="pictures">${sources.map((source, index) => html`<li>
        <button type="button" aria-label="Open picture ${index + 1}" @click=${() =>
          view({ taskId, links, sources, index, rows: [["Prompt", task.request.prompt]] })}>
          <img src=${source} alt="Picture ${index + 1}" width=${width} height=${height}></button></li>`)}</ul>${linkState(task.media_expire_at)}`
    : failure ? nothing : empty("No pictures", task.settled ? "The task succeeded without one." : "They are drawn once the task has succeeded.")}</section>`;
}

function linkState(expireAt) {
  return clock.now() < Date.parse(expireAt)
    ? html`<p class="quiet">The links work until ${instant(expireAt)}, on the account's clock.</p>`
    : html`<p class="expired"><b>The links are dead</b> since ${instant(expireAt)}: a client is told that they expired.</p>`;
}

function finishForm(task) {
  if (task.settled) return nothing;
  const finish = async (event) => {
    event.preventDefault();
    const choice = new FormData(event.target).get("end");
    const body = choice === "succeeded" ? { status: choice } : { status: "failed", code: choice };
    const ended = await attempt(event.submitter, () => call("POST", `/_emulator/tasks/${encodeURIComponent(taskId)}/finish`, body));
    if (ended) announce(toldStatus(ended.status));
  };
  return html`<form class="with-button" @submit=${finish}><label for="end">End it now</label>
    <select id="end" name="end"><option value="succeeded">as a success</option>
      ${FAILURES.map((name) => html`<option value=${name}>failed: ${name}</option>`)}</select><button>End</button></form>`;
}

export const task = { topics: ["tasks", "deliveries", "journal", "clock"], load, draw, ticks: true };
