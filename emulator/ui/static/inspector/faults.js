// Faults: add one, see how often it acted, remove it.
import { call } from "../api.js";
import { OPERATIONS } from "./journal.js";
import { announce, attempt, count, empty, focusHeading, html, nothing, number, render, repeat } from "../show.js";

const place = document.getElementById("section");
const NEVER_HIT = ["headImage", "headUpload", "unknown"];
const NOT_SHOWN = ["number", "fault", "seen", "hits", "active"];
let catalogue = null;
let faultRows = [];
let chosen = "task_fails";

async function load() {
  catalogue ??= await call("GET", "/_emulator/fault-catalogue");
  faultRows = (await call("GET", "/_emulator/faults")).data;
}

function draw() {
  if (!catalogue) return;
  render(html`<div class="columns">
    <section class="card" aria-labelledby="add-title"><h2 id="add-title">Add a fault</h2>${addForm()}</section>
    <section class="card" aria-labelledby="faults-title"><div class="card-head"><h2 id="faults-title">Faults of this account</h2>
      ${faultRows.length ? html`<button type="button" class="small" @click=${(event) => remove(event, "")}>Remove all</button>` : nothing}</div>
      ${faultRows.length ? html`<ul class="cards">${repeat(faultRows, (fault) => fault.number, faultCard)}</ul>`
      : empty("Nothing goes wrong", "Add a fault and the next request that matches meets it.")}</section></div>`, place);
}

function addForm() {
  const kind = catalogue.data.find(({ fault }) => fault === chosen);
  const groups = [...new Set(catalogue.data.map(({ group }) => group))];
  return html`<form class="fault-form" @submit=${add}>
    <div class="field"><label for="fault">Fault</label><select id="fault" name="fault" aria-describedby="fault-help" @change=${(event) => {
      chosen = event.target.value;
      draw();
    }}>
      ${groups.map((group) => html`<optgroup label=${group}>${catalogue.data.filter((each) => each.group === group).map(({ fault }) =>
        html`<option value=${fault} ?selected=${fault === chosen}>${fault}</option>`)}</optgroup>`)}</select>
      <p class="help" id="fault-help">${kind.help}.</p></div>
    ${repeat(Object.entries(kind.parameters), ([name]) => `${chosen} ${name}`, ([name, parameter]) => parameterField(name, parameter))}
    <details><summary>Which requests, and how often</summary>
      <div class="field"><label for="operation">Operation</label><select id="operation" name="operation"><option value="">any</option>
        ${OPERATIONS.filter((name) => !NEVER_HIT.includes(name)).map((name) => html`<option>${name}</option>`)}</select></div>
      <div class="field"><label for="fault-prompt">The prompt contains</label><input id="fault-prompt" name="prompt" maxlength="1000"></div>
      <div class="field-row">${["times", "skip", "every"].map((name) => html`<div class="field"><label for=${name}>${name}</label>
        <input id=${name} name=${name} type="number" step="1" min=${name === "skip" ? 0 : 1} max="1000000"></div>`)}
      <div class="field"><label for="probability">probability</label><input id="probability" name="probability" type="number" step="any" min="0" max="1"></div></div>
      <p class="help">Of the requests that match, the first <code>skip</code> are let through; then every <code>every</code>-th is hit, each with <code>probability</code>, until <code>times</code> were hit. Empty: every one, always.</p>
    </details>
    <div class="buttons"><button class="primary">Add the fault</button>
      ${Object.keys(catalogue.presets ?? {}).map((preset) => html`<button type="button" title=${`${count(catalogue.presets[preset].length, "fault")}: ${[...new Set(catalogue.presets[preset].map(({ fault }) => fault))].join(", ")}`}
        @click=${(event) => send(event.currentTarget, { preset })}>Add the preset ${preset}</button>`)}</div>
  </form>`;
}

function parameterField(name, { accepted, default: value }) {
  const options = accepted.startsWith("one of ") ? accepted.slice("one of ".length).split(", ") : null;
  const id = `parameter-${name}`;
  return html`<div class="field"><label for=${id}>${name}</label>
    ${options ? html`<select id=${id} name=${name} aria-describedby="${id}-help">${options.map((option) =>
      html`<option ?selected=${option === String(value)}>${option}</option>`)}</select>`
    : html`<input id=${id} name=${name} aria-describedby="${id}-help" placeholder=${value ?? ""}>`}
    <p class="help" id="${id}-help">${accepted}.</p></div>`;
}

// A value as the API takes it: what looks like a number is one.
const typed = (text) => (/^-?[0-9]+(\.[0-9]+)?$/.test(text) ? Number(text) : text);
const TEXTS = ["prompt", "operation", "fault"];

function add(event) {
  event.preventDefault();
  const filled = [...new FormData(event.target)].filter(([, value]) => value.trim() !== "");
  send(event.submitter, Object.fromEntries(filled.map(([name, value]) => [name, TEXTS.includes(name) ? value : typed(value)])));
}

function send(button, body) {
  return attempt(button, async () => {
    const { data } = await call("POST", "/_emulator/faults", body);
    announce(`${count(data.length, "fault")} added.`);
    document.dispatchEvent(new Event("reload"));
  });
}

function remove(event, number) {
  return attempt(event.currentTarget, async () => {
    await call("DELETE", `/_emulator/faults${number && `/${number}`}`);
    focusHeading("faults-title");
    announce(number ? `Fault ${number} is removed.` : "All faults are removed.");
    document.dispatchEvent(new Event("reload"));
  });
}

function faultCard(fault) {
  const settings = Object.entries(fault).filter(([name]) => !NOT_SHOWN.includes(name));
  return html`<li class="fault ${fault.active ? "" : "gone"}">
    <div class="entry-head"><b>${fault.fault}</b><span class="quiet end">no. ${fault.number}</span></div>
    ${settings.length ? html`<p>${settings.map(([name, value]) => html`<code>${name}=${value}</code> `)}</p>` : nothing}
    <p class="quiet"><b class="hits">${count(fault.hits, "hit")}</b> of ${count(fault.seen, "match", "matches")}${fault.active ? "" : ", used up"}</p>
    <button type="button" class="small" aria-label="Remove fault ${fault.number}" @click=${(event) => remove(event, fault.number)}>Remove</button></li>`;
}

export const faults = { topics: ["faults"], load, draw, ticks: false };
