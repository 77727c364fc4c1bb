// What clients sent and were answered, and why something was refused.
import { call } from "../api.js";
import { announce, attempt, code, count, duration, empty, html, instant, nothing, number, render, repeat, status } from "../show.js";
import { Paging } from "./paging.js";

const NEWEST = 10 ** 15;
export const OPERATIONS = ["createImageTask", "createImageSync", "editImage", "uploadImage", "getTask", "getBalance", "listModels", "getImage", "headImage", "getUpload", "headUpload", "unknown"];
const place = document.getElementById("section");
let found = { data: [], total: 0, lost: 0 };
// The form begins with the address's filter; from then on its fields are the reader's alone, since
// what is drawn when an answer comes must not undo what is being typed.
const opened = Object.fromEntries(new URLSearchParams(location.search));
let filter = opened;
const paging = new Paging(50);

async function load() {
  const query = new URLSearchParams({ ...filter, before: NEWEST, limit: paging.limit });
  found = await call("GET", `/_emulator/journal?${query}`);
}

function draw() {
  const reload = () => document.dispatchEvent(new Event("reload"));
  const choose = (event) => {
    event.preventDefault();
    const form = event.currentTarget;
    filter = Object.fromEntries([...new FormData(form)].filter(([, value]) => value !== ""));
    history.replaceState(null, "", `${location.pathname}?${new URLSearchParams(filter)}`);
    reload();
  };
  const clear = (event) => confirm("Forget the journal of this account?") && attempt(event.currentTarget, async () => {
    await call("DELETE", "/_emulator/journal");
    announce("The journal is empty.");
    reload();
  });
  const options = (name, values) => html`<select id="filter-${name}" name=${name}><option value="">any</option>${values.map(([value, text]) =>
    html`<option value=${value} ?selected=${opened[name] === value}>${text}</option>`)}</select>`;
  const field = (name, label, control) => html`<div class="field"><label for="filter-${name}">${label}</label>${control}</div>`;
  const text = (name) => html`<input id="filter-${name}" name=${name} .value=${opened[name] ?? ""} maxlength="1000">`;
  render(html`<section class="card" aria-labelledby="journal-title"><div class="card-head"><h2 id="journal-title">Journal</h2>
      <span class="quiet" role="status">${count(found.total, "request")}${found.lost && !Object.keys(filter).length ? `, ${number(found.lost)} older are no longer kept` : ""}</span>
      <button type="button" class="small" @click=${clear}>Clear</button></div>
    <form class="filters" role="search" @change=${choose} @submit=${choose}>
      ${field("status", "Status", options("status", [["2xx", "2xx"], ["4xx", "4xx, refused"], ["5xx", "5xx"], ["400", "400"], ["401", "401"], ["402", "402"], ["404", "404"], ["410", "410"], ["429", "429"]]))}
      ${field("operation", "Operation", options("operation", OPERATIONS.map((name) => [name, name])))}
      ${field("method", "Method", options("method", [["GET", "GET"], ["POST", "POST"], ["HEAD", "HEAD"]]))}
      ${field("path", "Path contains", text("path"))}${field("body", "Body contains", text("body"))}${field("task_id", "Task", text("task_id"))}
      <button class="unseen">Filter</button>
    </form>
    ${found.data.length ? html`<ul class="journal">${repeat(found.data, (entry) => entry.number, entryDetails)}</ul>
      ${paging.older("Older requests", found.data.length)}`
    : empty("No requests", Object.keys(filter).length ? "None matches the filter." : "Requests of this key's account under /v1 and /media are listed here.")}
  </section>`, place);
}

// One request with its answer; also on the page of its task.
export function entryDetails(entry) {
  const { refusal, nearest_valid: nearest, ignored_fields: ignored, faults } = entry;
  return html`<li><details>
    <summary>${status(entry.status)} <b class="method">${entry.method}</b> <code class="break">${entry.path}</code>
      <span class="quiet when">${instant(entry.at)}, ${duration(entry.duration_ms)}</span>
      ${refusal ? html`<span class="reason"><code>${refusal.code}</code> ${refusal.message}</span>` : nothing}
      ${faults.length ? html`<span class="reason">met ${faults.join(", ")}</span>` : nothing}</summary>
    ${refusal ? html`<dl class="facts"><div><dt>Refused because</dt><dd>${refusal.message}</dd></div>
      ${refusal.param ? html`<div><dt>Field</dt><dd><code>${refusal.param}</code></dd></div>` : nothing}
      ${refusal.claim ? html`<div><dt>Claim</dt><dd><a href="/reference#${refusal.claim}">${refusal.claim}</a></dd></div>` : nothing}</dl>` : nothing}
    ${nearest ? html`<p>The nearest request that would be taken: ${nearest.changes.map(({ param, accepted }) => html`<code>${param}: ${JSON.stringify(accepted)}</code> `)}</p>` : nothing}
    ${ignored.length ? html`<p>Ignored, since no document names them: ${ignored.map((name) => html`<code>${name}</code> `)}</p>` : nothing}
    <p class="quiet">${entry.operation} · ${entry.request_id}${entry.request.user_agent ? ` · ${entry.request.user_agent}` : ""}</p>
    ${entry.request.body === null ? nothing : html`<h3>Request</h3>${code(entry.request.body, "Request body")}`}
    ${entry.answer.body === null ? nothing : html`<h3>Answer</h3>${code(entry.answer.body, "Answer body")}`}
    ${entry.task_id ? html`<p><a href="/inspector/tasks/${entry.task_id}">The task</a></p>` : nothing}
  </details></li>`;
}

export const journal = { topics: ["journal"], load, draw, ticks: false };
