// The corner of each page: which key is used, what it has, what its clock shows.
import { call, hint, keys } from "./api.js";
import { clock, watch } from "./live.js";
import { page } from "./page.js";
import { html, nothing, number, render } from "./show.js";

const place = document.getElementById("account");
let credits = null;
let readings = 0;

// Follows the account: the corner is kept up to date, and listener(topics) hears of changes.
export function followAccount(listener = () => {}, problem = () => {}) {
  watch((topics) => {
    if (topics.includes("account")) readCredits();
    drawAccount();
    listener(topics);
  }, problem);
  setInterval(drawAccount, 1000);
  drawAccount();
}

async function readCredits() {
  const number = ++readings;
  const account = await call("GET", "/_emulator/account").catch(() => null);
  if (number !== readings) return; // a later one was quicker
  credits = account?.credits.available ?? null;
  drawAccount();
}

function clockText() {
  if (!clock.told) return nothing;
  const now = new Date(clock.now()).toISOString();
  const { frozen, offset_seconds: offset } = clock.told;
  if (!frozen && Math.abs(offset) < 1) return nothing;
  return html`<a class="chip ${frozen ? "frozen" : ""}" href="/inspector" title="The account's clock">
    <span class="wide">${frozen ? "Frozen at" : "Clock at"} ${now.slice(0, 10)}</span> ${now.slice(11, 19)}</a>`;
}

document.addEventListener("choose-key", openDialog);

export function drawAccount() {
  render(html`
    ${clockText()}
    ${credits === null ? nothing : html`<a class="chip" href="/console"><b>${number(credits)}</b> credits</a>`}
    <button type="button" class="chip" aria-haspopup="dialog" @click=${openDialog}>
      ${keys.current ? html`<span class="unseen">API key</span> <code>${hint(keys.current)}</code>` : "Choose a key"}
    </button>`, place);
}

function openDialog() {
  const dialog = document.createElement("dialog");
  dialog.className = "key-dialog";
  dialog.setAttribute("aria-labelledby", "key-dialog-title");
  render(dialogContent(dialog), dialog);
  document.body.append(dialog);
  dialog.addEventListener("close", () => dialog.remove());
  dialog.showModal();
}

function dialogContent(dialog) {
  const save = (event) => {
    event.preventDefault();
    const form = new FormData(event.target);
    keys.use(form.get("key").trim(), (form.get("token") ?? "").trim(), form.has("remember"));
    location.reload();
  };
  return html`<form @submit=${save}>
    <h2 id="key-dialog-title">API key</h2>
    <p class="help">${page.keysAreOpen
      ? "Any key that begins with sk- works. Each has an account of its own: credits, tasks, clock. Empty: sk-test."
      : "Make one in the console, or with: gpt-image-emulator keys create. Empty: none is kept."}</p>
    <label for="key">Key</label>
    <input id="key" name="key" type="password" pattern=${page.keysAreOpen ? "sk-[!-~]+" : "[!-~]*"} title="A key begins with sk- and has no other letters than ASCII's" autocomplete="off" spellcheck="false"
      .value=${keys.current} placeholder=${page.keysAreOpen ? "sk-test" : ""}>
    <label class="check"><input type="checkbox" @change=${(event) => {
      dialog.querySelector("#key").type = event.target.checked ? "text" : "password";
    }}> Show it</label>
    ${page.needsControlToken ? html`<label for="token">Control token</label>
      <input id="token" name="token" type="password" autocomplete="off" spellcheck="false" .value=${keys.token}>
      <p class="help">The token of --control-token; the console and the inspector need it.</p>` : nothing}
    <label class="check"><input type="checkbox" name="remember" ?checked=${keys.remembered}> Keep it in this browser, not only in this tab</label>
    <div class="buttons"><button type="button" @click=${() => dialog.close()}>Cancel</button><button class="primary">Use this key</button></div>
  </form>`;
}
