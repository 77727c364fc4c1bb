// How things look: numbers, times, problems, JSON.
import { html, nothing, render } from "./vendor/lit-html/lit-html.js";
import { repeat } from "./vendor/lit-html/directives/repeat.js";

export { html, nothing, render, repeat };

const NUMBER = new Intl.NumberFormat("en");
const DOLLARS = new Intl.NumberFormat("en", { minimumFractionDigits: 2, maximumFractionDigits: 4 });

export const number = (value) => NUMBER.format(value);
export const count = (value, one, many = one + "s") => `${number(value)} ${value === 1 ? one : many}`;
export const dollars = (value) => (value >= 100 ? number(Math.round(value)) : DOLLARS.format(value));
export const signed = (value) => (value > 0 ? `+${number(value)}` : value < 0 ? `−${number(-value)}` : "0");

// An instant in UTC, as the API writes it, but for people: 2026-11-23 11:40:12
export function instant(text) {
  return html`<time datetime=${text} title=${text}><span>${text.slice(0, 10)}</span> <span>${text.slice(11, 19)}</span></time>`;
}

export function duration(ms) {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 120_000) return `${Number((ms / 1000).toFixed(1))} s`;
  if (ms < 7_200_000) return `${Number((ms / 60_000).toFixed(1))} min`;
  if (ms < 172_800_000) return `${Number((ms / 3_600_000).toFixed(1))} h`;
  return `${number(Number((ms / 86_400_000).toFixed(1)))} days`;
}

export const json = (value) => (typeof value === "string" ? value : JSON.stringify(value, null, 2));

export const code = (value, label) =>
  html`<pre class="code" tabindex="0" role="group" aria-label=${label}>${json(value)}</pre>`;

export const empty = (title, text) => html`<div class="empty"><p><b>${title}</b></p><p>${text}</p></div>`;

export const GOOD = ["succeeded", "completed", "delivered"];
const BAD = ["failed", "exhausted", "refused", "expired", "dropped"];

export function state(word) {
  const kind = GOOD.includes(word) ? "good" : BAD.includes(word) ? "bad" : "busy";
  return html`<span class="state ${kind}">${word}</span>`;
}

export function status(number) {
  const kind = number >= 400 || number === 0 ? "bad" : "good";
  return html`<b class="status ${kind}">${number || "none"}</b>`;
}

// What became of a task, in words.
export const toldStatus = (status) => (GOOD.includes(status) || BAD.includes(status) ? `The task ${status}.` : `The task is ${status}.`);

// After what had the focus is gone: the heading of where it was is next.
export function focusHeading(id) {
  const heading = document.getElementById(id);
  heading.tabIndex = -1;
  heading.focus();
}

// Says something to a screen reader, without a place on the page.
export function announce(text) {
  document.getElementById("announcer").textContent = text;
}

function problem(error) {
  if (!("status" in error)) console.error(error); // a mistake of these scripts
  const choose = () => document.dispatchEvent(new Event("choose-key"));
  const what = error.code === "invalid_control_token" ? "Enter the token" : "Choose a key";
  return html`<span>${error.message}</span>${error.status === 401
    ? html` <button type="button" class="small" @click=${choose}>${what}</button>` : nothing}`;
}

// Shows what keeps the page from being up to date; null: nothing does.
export function showProblem(error) {
  render(error ? html`<p class="problem">${problem(error)}</p>` : nothing, document.getElementById("problem"));
}

// Shows what a button could not do, until one does, or the reader has read it.
export function showRefused(error) {
  const dismiss = html`<button type="button" class="small dismiss" aria-label="Dismiss" @click=${() => showRefused(null)}>×</button>`;
  render(error ? html`<p class="problem">${problem(error)}${dismiss}</p>` : nothing, document.getElementById("refused"));
}

// Runs what a button does, once at a time, and shows what goes wrong.
export async function attempt(button, work) {
  if (button.hasAttribute("aria-busy")) return undefined;
  button.setAttribute("aria-busy", "true");
  try {
    const result = await work();
    showRefused(null);
    return result;
  } catch (error) {
    showRefused(error);
    return undefined;
  } finally {
    button.removeAttribute("aria-busy");
  }
}

async function copy(text, button, name) {
  try {
    await navigator.clipboard.writeText(text);
    button.textContent = "Copied";
  } catch {
    button.textContent = "Can't copy";
  }
  announce(button.textContent);
  setTimeout(() => (button.textContent = name), 1500);
}

export const copyButton = (text, name = "Copy") =>
  html`<button type="button" class="small" @click=${(event) => copy(text(), event.currentTarget, name)}>${name}</button>`;
