// The console: balance and recharge, keys, the ledger.
import { followAccount } from "./account.js";
import { call, hint, keys } from "./api.js";
import { ledgerTable } from "./ledger.js";
import { reloader } from "./live.js";
import { page } from "./page.js";
import { announce, attempt, copyButton, count, empty, focusHeading, html, instant, nothing, number, render, repeat, showProblem } from "./show.js";

const LEDGER_ROWS = 50;
const MOST_ROWS = 1000;
const KEY_ROWS = 20;
const NEWEST = 10 ** 15;

let entries = [];
let wantedRows = LEDGER_ROWS;
let allKeys = [];
let shownKeys = KEY_ROWS;
let recharge = { rate: "entry", dollars: 10 };

function drawBalance({ account_id: account, credits }) {
  const stats = [["Available", credits.available], ["Reserved", credits.reserved], ["Charged", credits.charged], ["Granted", credits.granted]];
  render(html`<dl class="stats">${stats.map(([name, value]) => html`
      <div><dt>${name}</dt><dd>${number(value)}</dd></div>`)}</dl>
    <p class="quiet">Account <code>${account}</code> of the key <code>${hint(keys.current)}</code>. Granted = available + reserved + charged.</p>`,
    document.getElementById("balance"));
}

function drawRecharge() {
  const credits = Math.max(0, Math.floor(recharge.dollars * page.creditsPerDollar[recharge.rate]));
  const names = { entry: "Entry package", largest: "Largest package" };
  const buy = (event) => {
    event.preventDefault();
    attempt(event.submitter, async () => {
      await call("POST", "/_emulator/account/credits", { purchase: credits });
      announce(`${count(credits, "credit")} added.`);
    });
  };
  render(html`<form class="recharge" @submit=${buy}>
    <fieldset><legend class="unseen">Package</legend>
      ${Object.entries(page.creditsPerDollar).map(([rate, perDollar]) => html`<label class="choice">
        <input type="radio" name="rate" value=${rate} .checked=${rate === recharge.rate}
          @change=${() => drawRecharge((recharge = { ...recharge, rate }))}>
        <span><b>${names[rate]}</b> <span class="quiet">$1 = ${number(perDollar)} credits</span></span></label>`)}
    </fieldset>
    <div class="with-button"><label for="dollars">Dollars</label>
      <input id="dollars" type="number" min="1" max="100000" step="1" required value="10"
        @input=${(event) => drawRecharge((recharge = { ...recharge, dollars: Number(event.target.value) }))}>
      <button class="primary" ?disabled=${!(credits > 0)}>Add ${count(credits, "credit")}</button></div>
    <p class="help">Free here: nothing is paid, the credits are there at once.</p>
  </form>`, document.getElementById("recharge"));
}

async function loadKeys() {
  allKeys = (await call("GET", "/_emulator/keys")).data.reverse();
  drawKeys();
}

function drawKeys() {
  const shown = allKeys.slice(0, shownKeys);
  render(html`
    <details class="create"><summary>Create a key</summary>${createForm()}</details>
    ${allKeys.length ? html`<div class="scroll" tabindex="0" role="group" aria-label="API keys"><table>
      <thead><tr><th scope="col">Name</th><th scope="col">Key</th><th scope="col">Budget</th><th scope="col">Requests a minute</th>
        <th scope="col">Models</th><th scope="col">Created</th><th scope="col"><span class="unseen">Actions</span></th></tr></thead>
      <tbody>${repeat(shown, (key) => key.name + key.hint + key.created_at, keyRow)}</tbody></table></div>
      ${allKeys.length > shown.length ? html`<button type="button" @click=${() => drawKeys((shownKeys = Infinity))}>Show all ${number(allKeys.length)} keys</button>` : nothing}`
    : empty("No keys yet", page.keysAreOpen ? "Any key that begins with sk- works; it is listed here after its first use." : "Create the first one.")}`,
    document.getElementById("keys"));
}

function keyRow(key) {
  const revoke = (event) => {
    const button = event.currentTarget;
    if (!confirm(`Revoke all keys named ${key.name}? Requests with them are refused from then on.`)) return;
    attempt(button, async () => {
      await call("DELETE", `/_emulator/keys/${encodeURIComponent(key.name)}`);
      await loadKeys();
      focusHeading("keys-title");
      announce(`${key.name} is revoked.`);
    });
  };
  const { budget_credits: budget, budget_used: used, requests_per_minute: rate } = key;
  return html`<tr class=${key.revoked_at ? "gone" : ""}>
    <th scope="row" class="break">${key.name}</th><td><code>${key.hint}</code></td>
    <td>${budget === null ? html`<span class="quiet">none</span>` : `${number(used)} of ${number(budget)} used`}</td>
    <td>${rate === null ? html`<span class="quiet">any</span>` : number(rate)}</td>
    <td>${key.models === null ? html`<span class="quiet">all</span>` : key.models.join(", ")}</td>
    <td>${instant(key.created_at)}</td>
    <td>${key.revoked_at ? html`revoked ${instant(key.revoked_at)}`
      : html`<button type="button" class="small" @click=${revoke} aria-label="Revoke ${key.name}">Revoke</button>`}</td></tr>`;
}

function createForm() {
  const whole = (id, label, help, attributes) => html`<div class="field"><label for=${id}>${label}</label>
    <input id=${id} name=${id} type="number" step="1" min=${attributes.min} max=${attributes.max} aria-describedby="${id}-help">
    <p class="help" id="${id}-help">${help}</p></div>`;
  return html`<form class="create-form" @submit=${create}>
    <div class="field"><label for="name">Name</label><input id="name" name="name" required maxlength="100" placeholder="ci"></div>
    ${whole("credits", "Credits", "What its account begins with.", { min: 0, max: 10 ** 12 })}
    ${whole("budget_credits", "Budget", "The most credits that the key may spend; refunds return to it.", { min: 0, max: 10 ** 12 })}
    ${whole("requests_per_minute", "Requests a minute", "More are answered with 429.", { min: 1, max: 10 ** 6 })}
    <div class="field"><label for="models">Models</label><input id="models" name="models" aria-describedby="models-help" placeholder=${page.model}>
      <p class="help" id="models-help">With commas between them; empty: all.</p></div>
    <button class="primary">Create</button></form>`;
}

function create(event) {
  event.preventDefault();
  const form = event.target;
  const filled = Object.fromEntries([...new FormData(form)].filter(([, value]) => value.trim() !== ""));
  const { name, models, ...limits } = filled;
  const body = { name, ...Object.fromEntries(Object.entries(limits).map(([limit, value]) => [limit, Number(value)])) };
  if (models) body.models = models.split(",").map((model) => model.trim()).filter(Boolean);
  attempt(event.submitter, async () => {
    showOnce(await call("POST", "/_emulator/keys", body));
    form.reset();
    await loadKeys();
  });
}

function showOnce({ key, name }) {
  const dialog = document.createElement("dialog");
  dialog.setAttribute("aria-labelledby", "new-key-title");
  const use = () => {
    keys.use(key, keys.token, keys.remembered);
    location.reload();
  };
  render(html`<h2 id="new-key-title">The key ${name}</h2>
    <p>It is shown this once: only its hash is kept. Copy it now.</p>
    <p class="new-key"><code>${key}</code></p>
    <div class="buttons">${copyButton(() => key)}<button type="button" @click=${use}>Use it here</button>
      <button type="button" class="primary" @click=${() => dialog.close()}>Done</button></div>`, dialog);
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}

// The balance and the entries that explain it are shown together.
async function loadCredits() {
  const path = `/_emulator/ledger?before=${NEWEST}&limit=${wantedRows}`;
  const [account, newest] = await Promise.all([call("GET", "/_emulator/account"), call("GET", path)]);
  entries = newest.data;
  drawBalance(account);
  drawLedger();
}

function drawLedger() {
  const older = () => {
    wantedRows = Math.min(MOST_ROWS, wantedRows + LEDGER_ROWS);
    reload(["account"]);
  };
  const isWhole = entries.length < wantedRows || entries.at(-1).number === 1 || wantedRows === MOST_ROWS;
  render(entries.length ? html`${ledgerTable(entries)}
      ${isWhole ? nothing : html`<button type="button" @click=${older}>Older entries</button>`}
      <p class="quiet">${count(entries.length, "entry", "entries")}, newest first.</p>`
    : empty("No entries yet", "Each movement of credits is listed here."), document.getElementById("ledger"));
}

const SHOWN = ["account", "tasks"]; // a task takes from its key's budget
const reload = reloader((topics) => Promise.all([topics.includes("account") ? loadCredits() : null, loadKeys()]));

drawRecharge();
loadKeys().catch(() => {}); // without an account too, so that the first key can be made; else the events tell
followAccount((topics) => reload(topics.filter((topic) => SHOWN.includes(topic))), showProblem);
