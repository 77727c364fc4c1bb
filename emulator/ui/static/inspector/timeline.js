// A task's life on the account's clock: what is done, and what is planned.
import { clock } from "../live.js";
import { duration, html, instant, nothing } from "../show.js";
import { svg } from "../vendor/lit-html/lit-html.js";

const WIDTH = 100;

// The points of a task's life in order: {name, at, isDone}.
export function points(task) {
  const now = clock.now();
  const ended = task.error_code ? `fails: ${task.error_code}` : "succeeds";
  const all = [["created", task.created_at], ["starts", task.starts_at], [ended, task.ends_at]];
  if (task.media_expire_at) all.push(["links expire", task.media_expire_at]);
  return all.map(([name, at]) => ({ name, at, isDone: Date.parse(at) <= now }));
}

// A bar from creation to end: the queue, the work, and how far the clock is.
export function bar(task) {
  const [created, starts, ends] = [task.created_at, task.starts_at, task.ends_at].map(Date.parse);
  const share = (at) => (ends === created ? WIDTH : (WIDTH * (Math.min(Math.max(at, created), ends) - created)) / (ends - created));
  const now = share(clock.now());
  const text = now >= WIDTH ? `took ${duration(ends - created)}` : `${duration(clock.now() - created)} of ${duration(ends - created)}`;
  return html`<span class="bar"><svg viewBox="0 0 ${WIDTH} 8" preserveAspectRatio="none" role="img" aria-label=${text}>
      ${svg`<rect class="queue" width=${share(starts)} height="8"></rect><rect class="work" x=${share(starts)} width=${WIDTH - share(starts)} height="8"></rect>
      <rect class="done ${task.error_code ? "bad" : ""}" width=${now} height="8"></rect>`}
    </svg><small class="quiet">${text}</small></span>`;
}

export function timeline(task) {
  return html`<ol class="timeline">${points(task).map(({ name, at, isDone }, index, all) => html`
    <li class="${isDone ? "done" : "planned"} ${name.startsWith("fails") ? "bad" : ""}"><b>${name}</b> ${instant(at)}
      <small class="quiet">${isDone ? "done" : "planned"}${index ? html`, ${duration(Date.parse(at) - Date.parse(all[0].at))} after creation` : nothing}</small></li>`)}</ol>`;
}
