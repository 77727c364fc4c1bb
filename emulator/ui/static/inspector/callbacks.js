// Deliveries with every attempt, and the built-in inboxes.
import { call } from "../api.js";
import { announce, attempt, code, count, duration, empty, html, instant, nothing, number, render, repeat, state, status } from "../show.js";
import { Paging } from "./paging.js";

const place = document.getElementById("section");
const paging = new Paging(100);
let deliveries = [];
let inboxes = [];

async function load() {
  const [found, boxes] = await Promise.all([call("GET", `/_emulator/deliveries?limit=${paging.limit}`), call("GET", "/_emulator/inbox")]);
  deliveries = found.data;
  inboxes = await Promise.all(boxes.data.map(({ name }) => call("GET", `/_emulator/inbox/${encodeURIComponent(name)}`)));
}

function draw() {
  render(html`
    <section class="card" aria-labelledby="deliveries-title"><h2 id="deliveries-title">Deliveries</h2>
      ${deliveries.length ? html`<ul class="cards">${repeat(deliveries, (each) => each.delivery_id, deliveryCard)}</ul>
        ${paging.older("Older deliveries", deliveries.length)}`
      : empty("No deliveries yet", "A task that was created with callback_url is called back when it ends.")}</section>
    <section class="card" aria-labelledby="inboxes-title"><h2 id="inboxes-title">Inboxes</h2>
      <p class="quiet">Use <code>${location.origin}/_emulator/inbox/NAME</code> as callback_url: what arrives is kept here, and no receiver is needed.</p>
      ${inboxes.length ? inboxes.map(inbox) : empty("No inbox yet", "One appears when its address is first used.")}</section>`, place);
}

// One delivery with its attempts; also on the page of its task.
export function deliveryCard(delivery) {
  const again = (event) => {
    const button = event.currentTarget;
    return attempt(button, async () => {
      const after = await call("POST", `/_emulator/deliveries/${encodeURIComponent(delivery.delivery_id)}/redeliver`, {});
      announce(`Delivered again: ${after.state}.`);
      document.dispatchEvent(new Event("reload"));
    });
  };
  return html`<li class="delivery"><div class="entry-head">${state(delivery.state)} <code class="break">${delivery.url}</code></div>
    <p class="quiet"><a href="/inspector/tasks/${delivery.task_id}"><code>${delivery.task_id}</code></a>
      ${delivery.next_attempt_at ? html` · next attempt ${instant(delivery.next_attempt_at)}` : nothing}</p>
    ${delivery.attempts.length ? html`<div class="scroll" tabindex="0" role="group" aria-label="Attempts"><table><thead><tr><th scope="col">No.</th><th scope="col">At</th><th scope="col">Answer</th><th scope="col">Took</th></tr></thead>
      <tbody>${delivery.attempts.map((each) => html`<tr><td>${each.number}</td><td>${instant(each.at)}</td>
        <td class="break">${each.error === null ? html`${status(each.status)} ${each.answer}` : html`<span class="bad-text">${each.error}</span>`}</td><td>${duration(each.duration_ms)}</td></tr>`)}</tbody></table></div>`
    : html`<p class="quiet">No attempt was made.</p>`}
    <button type="button" class="small" @click=${again} aria-label="Redeliver the callback of ${delivery.task_id}">Redeliver</button></li>`;
}

function inbox({ name, data, answers }) {
  const shown = [...data].reverse();
  return html`<article class="inbox"><h3>${name} <span class="quiet">${count(data.length, "message")}</span></h3>
    ${answers.length ? html`<p class="quiet">It answers ${answers.map(({ status: number }) => number).join(", then ")}, in turn.</p>` : nothing}
    <ul class="journal">${repeat(shown, (message) => message.number, (message) => html`<li><details>
      <summary><span class="quiet">${number(message.number)}</span> ${instant(message.at)} ${message.status === null ? html`<b class="status bad">timeout</b>` : status(message.status)}
        ${message.task_id ? html`<code>${message.task_id}</code>` : nothing} ${typeof message.body?.status === "string" ? state(message.body.status) : nothing}</summary>
      ${code(message.headers, "Headers")}${code(message.body, "Body")}</details></li>`)}</ul></article>`;
}

export const callbacks = { topics: ["deliveries", "inbox"], load, draw, ticks: false };
