// The history as cards.
import { useAsReference } from "./references.js";
import { draft, effective } from "./draft.js";
import { checkLinks, followAgain, isGood, isMine, isRunning, removeEntry } from "./history.js";
import { ownPath } from "./media.js";
import { pixels } from "./pricing.js";
import { announce, count, empty, focusHeading, html, instant, nothing, number, render, repeat, state } from "./show.js";
import { view } from "./viewer.js";

const place = document.getElementById("history");
const counts = document.getElementById("history-counts");

export function drawHistory(entries) {
  const running = entries.filter(isRunning).length;
  const failed = entries.filter(({ status }) => status === "failed").length;
  const completed = entries.filter((entry) => isGood(entry) || entry.status === "expired").length;
  counts.textContent = `${running} running, ${completed} completed${failed ? `, ${failed} failed` : ""}`;
  document.getElementById("clear-history").hidden = !entries.length;
  render(entries.length
    ? html`<ul class="cards">${repeat(entries, ({ taskId }) => taskId, card)}</ul>`
    : empty("Nothing yet", "Write a prompt and press Generate: the task appears here, and its pictures once it has succeeded."), place);
}

export function parameters(request) {
  const { size, resolution, quality, n, input_images: references } = effective(request);
  return [size, size === "auto" ? null : resolution, quality, count(n, "image"),
    references.length ? count(references.length, "reference") : null].filter(Boolean).join(" · ");
}

function card(entry) {
  const { taskId, request } = entry;
  return html`<li class="card entry">
    <div class="entry-head">${state(entry.status)}
      <span class="quiet">${instant(entry.createdAt)}</span>
      <span class="quiet end">${money(entry)}</span></div>
    <p class="prompt">${request.prompt}</p>
    <p class="quiet">${parameters(request)}</p>
    ${isRunning(entry) ? steps(entry) : nothing}
    ${entry.error ? html`<p class="problem"><b>${entry.error.code}</b> ${entry.error.message}</p>` : nothing}
    ${entry.problem ? html`<p class="problem">${entry.problem}
      <button type="button" class="small" @click=${() => followAgain(entry)}>Try again</button></p>` : nothing}
    ${pictures(entry)}
    <div class="buttons">
      <button type="button" class="small" @click=${() => useAgain(request)}>Use again</button>
      <a class="button small" href="/inspector/tasks/${taskId}">Inspect</a>
      <button type="button" class="small" @click=${() => remove(taskId)} aria-label="Remove from the history: ${request.prompt.slice(0, 40)}">Remove</button>
    </div>
  </li>`;
}

function remove(taskId) {
  removeEntry(taskId);
  focusHeading("history-title");
  announce("Removed from the history.");
}

function useAgain(request) {
  draft.replace(request, null);
  const prompt = document.getElementById("prompt");
  (prompt.offsetParent ? prompt : document.getElementById("json")).focus();
  announce("The request is in the form again.");
}

function money({ credits, reserved }) {
  if (!credits || credits.charged + credits.refunded === 0) return `${number(reserved)} credits reserved`;
  const refunded = credits.refunded ? `, ${number(credits.refunded)} refunded` : "";
  return `${number(credits.charged)} credits charged${refunded}`;
}

function steps(entry) {
  if (!isMine(entry)) {
    return html`<p class="problem">Made with the key ${entry.keyHint}; choose that key to follow it.</p>`;
  }
  const names = ["pending", "processing", "ended"];
  return html`<ol class="steps">${names.map((name, index) => {
    const at = names.indexOf(entry.status);
    return html`<li class=${index < at ? "done" : index === at ? "now" : ""}
      aria-current=${index === at ? "step" : nothing}>${name}</li>`;
  })}</ol>`;
}

function pictures(entry) {
  const { links, expired, mediaProblem, taskId, request } = entry;
  if (links.length && !isMine(entry)) {
    return html`<p class="quiet">Made with the key ${entry.keyHint}; choose that key to see its pictures.</p>`;
  }
  if (expired) return html`<p class="expired"><b>Expired.</b> ${expired}</p>`;
  if (mediaProblem) return html`<p class="problem">${mediaProblem}
    <button type="button" class="small" @click=${() => checkLinks(entry)}>Try again</button></p>`;
  if (isGood(entry) && !links.length) return html`<p class="problem">The task succeeded without a picture.</p>`;
  const rows = [["Task", taskId], ["Prompt", request.prompt], ["Parameters", parameters(request)], ["Credits", money(entry)]];
  const sources = links.map(ownPath);
  const [width = nothing, height = nothing] = pixels(effective(request))?.split("x") ?? [];
  return links.length ? html`<ul class="pictures">${sources.map((source, index) => html`
    <li><button type="button" aria-label="Open picture ${index + 1}" @click=${() =>
      view({ taskId, links, sources, index, rows, useAsReference })}>
      <img src=${source} alt="Picture ${index + 1} of: ${request.prompt.slice(0, 80)}" width=${width} height=${height} loading="lazy" @error=${() => checkLinks(entry)}>
    </button></li>`)}</ul>` : nothing;
}
