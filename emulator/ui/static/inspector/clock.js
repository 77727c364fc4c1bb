// The account's clock: read it, stop it, move it, and see what each step made happen.
import { call } from "../api.js";
import { clock } from "../live.js";
import { announce, attempt, count, duration, html, instant, nothing, render, repeat } from "../show.js";

const STEPS = [["+1 min", "1m"], ["+1 h", "1h"], ["+25 h", "25h"]];
const MOST_STEPS = 20;
const WORDS = {
  task_processing: "started",
  task_succeeded: "succeeded",
  task_failed: "failed",
  media_expired: "links expired",
  callback_attempt: "callback",
};
const place = document.getElementById("clock");
let steps = [];

export function bindClock() {
  draw();
  return draw;
}

async function command(button, body, name) {
  const answer = await attempt(button, () => call("POST", "/_emulator/clock", body));
  if (!answer) return;
  clock.told = answer;
  clock.toldAt = performance.now();
  if (answer.events) {
    steps = [{ name, ...answer }, ...steps].slice(0, MOST_STEPS);
    announce(`${name}: ${count(answer.events.length, "event")}.`);
  } else announce(answer.frozen ? "The clock stands still." : "The clock runs.");
  draw();
  document.dispatchEvent(new Event("reload"));
}

function draw() {
  const now = clock.told ? new Date(clock.now()).toISOString() : null;
  const frozen = clock.told?.frozen ?? false;
  const move = (event) => {
    event.preventDefault();
    const text = new FormData(event.target).get("advance").trim();
    command(event.submitter, { advance: text }, `+${text}`);
  };
  render(html`<div class="clock-face">
      <p class="now ${frozen ? "frozen" : ""}">${now ? instant(now) : "…"} <small>UTC</small></p>
      <p class="quiet">${now === null ? nothing : frozen ? "Stands still" : offsetText(clock.told.offset_seconds)}</p>
    </div>
    <div class="buttons" role="group" aria-label="Move the clock">
      <button type="button" @click=${(event) => command(event.currentTarget, frozen ? { resume: true } : { freeze: true })}>${frozen ? "Resume" : "Freeze"}</button>
      ${STEPS.map(([name, advance]) => html`<button type="button" @click=${(event) =>
        command(event.currentTarget, { advance }, name)}>${name}</button>`)}
      <form class="with-button" @submit=${move}><label class="unseen" for="advance">Advance by</label>
        <input id="advance" name="advance" placeholder="90s, 2d" required size="7"><button>Advance</button></form>
    </div>
    ${steps.length ? html`<ol class="steps-done" aria-label="What each step made happen">${repeat(steps, (step) => step, stepRow)}</ol>` : nothing}`, place);
}

function offsetText(seconds) {
  return Math.abs(seconds) < 1 ? "Real time" : `Runs, ${duration(seconds * 1000)} ahead of real time`;
}

function stepRow({ name, events, events_omitted: omitted, complete, advanced_seconds: seconds }) {
  return html`<li><details ?open=${events.length > 0 && events.length < 12}>
    <summary><b>${name}</b> <span class="quiet">${count(events.length + omitted, "event")}${complete ? ""
      : `; it stopped after ${duration(seconds * 1000)}: there was too much to do, move it on`}</span></summary>
    ${events.length ? html`<ul class="events">${events.map((event) => html`<li>${instant(event.at)}
      <a href="/inspector/tasks/${event.task_id}"><code>${event.task_id}</code></a> ${WORDS[event.event] ?? event.event}
      ${event.event === "callback_attempt" ? html`<span class="quiet">attempt ${event.attempt}: ${event.error ?? event.status}, ${event.state}</span>` : nothing}</li>`)}</ul>`
    : html`<p class="quiet">Nothing fell due.</p>`}
    ${omitted ? html`<p class="quiet">${count(omitted, "more event")}.</p>` : nothing}</details></li>`;
}
