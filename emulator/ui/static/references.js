// Reference images: uploaded, dropped or pasted, shown as thumbnails, and part of the draft.
import { call } from "./api.js";
import { draft, effective } from "./draft.js";
import { linkProblem, ownPath } from "./media.js";
import { page } from "./page.js";
import { announce, html, nothing, number, render, repeat } from "./show.js";

const TYPES = ["image/png", "image/jpeg", "image/webp"];
const ME = "references";
const toggle = document.getElementById("use-references");
const panel = document.getElementById("references");
const drop = document.getElementById("drop");
const files = document.getElementById("reference-files");
const place = document.getElementById("thumbnails");

let items = []; // {name, url, preview, problem}; without url and problem: on its way
let dropped = [];

export function bindReferences() {
  toggle.addEventListener("change", () => {
    panel.hidden = !toggle.checked;
    keep();
  });
  files.addEventListener("change", () => {
    add([...files.files]);
    files.value = "";
  });
  document.addEventListener("paste", (event) => {
    const pasted = [...(event.clipboardData?.files ?? [])];
    const isText = event.clipboardData?.types.includes("text/plain") && event.target.matches("input, textarea");
    if (!pasted.length || isText) return;
    event.preventDefault();
    add(pasted);
  });
  bindDrop();
  draft.listen((request, by) => {
    if (by === ME) return;
    const asked = effective(request).input_images;
    const urls = Array.isArray(asked) ? asked : [];
    if (!urls.length && !toggle.checked) return; // switched off, the images wait
    const onTheWay = items.filter(({ url, problem }) => !url || problem); // not in the draft, but here
    items = [...urls.map((url) => items.find((item) => item.url === url) ?? itemOf(String(url))), ...onTheWay];
    open(items.length > 0);
    draw();
  });
}

// A picture that the request names: it may be written into it.
function itemOf(url) {
  return url.startsWith("data:") ? { name: "A picture in the request", url, preview: url } : { name: url, url };
}

function bindDrop() {
  const hasFiles = (event) => event.dataTransfer.types.includes("Files");
  document.addEventListener("dragover", (event) => hasFiles(event) && event.preventDefault());
  drop.addEventListener("dragenter", () => drop.classList.add("over"));
  drop.addEventListener("dragleave", () => drop.classList.remove("over"));
  document.addEventListener("drop", (event) => {
    drop.classList.remove("over");
    if (!hasFiles(event)) return;
    event.preventDefault();
    add([...event.dataTransfer.files]);
  });
}

function open(isOpen) {
  if (!isOpen && panel.hidden) return;
  toggle.checked = toggle.checked || isOpen;
  panel.hidden = !toggle.checked;
}

// Adds a picture that the server already has.
export function useAsReference(url) {
  if (items.filter(isUsable).length >= page.mostReferences) return announce(`At most ${page.mostReferences} reference images.`);
  items.push({ name: "A generated picture", url });
  open(true);
  keep();
  panel.scrollIntoView({ block: "center" });
  announce("Added as reference image.");
}

function add(chosen) {
  open(true);
  const free = page.mostReferences - items.filter(isUsable).length;
  dropped = chosen.slice(Math.max(0, free)).map(({ name }) => name);
  for (const file of chosen.slice(0, Math.max(0, free))) {
    const item = { name: file.name || "pasted image", preview: URL.createObjectURL(file) };
    items.push(item);
    upload(item, file);
  }
  draw();
}

async function upload(item, file) {
  const most = page.mostReferenceBytes;
  if (!TYPES.includes(file.type)) item.problem = `${file.type || "This"} is not JPEG, PNG or WebP.`;
  else if (file.size > most) item.problem = `${number(file.size)} bytes are more than ${number(most)}.`;
  else {
    const form = new FormData();
    form.append("file", file, item.name);
    try {
      item.url = (await call("POST", "/v1/images/upload", form)).url;
      announce(`${item.name} is uploaded.`);
    } catch (error) {
      item.problem = error.message;
    }
  }
  keep();
}

function remove(item) {
  items = items.filter((other) => other !== item);
  dropped = [];
  if (item.preview) URL.revokeObjectURL(item.preview); // of a file; of others it does nothing
  keep();
  toggle.focus();
  announce(`${item.name} is removed.`);
}

function keep() {
  const urls = items.filter((item) => item.url && isUsable(item)).map(({ url }) => url);
  draft.change({ input_images: toggle.checked && urls.length ? urls : undefined }, ME);
  draw();
}

// A link that an earlier visit left, and that works no more: it is not sent again.
async function lose(item) {
  const problem = item.preview ? null : await linkProblem(item.url);
  if (!problem) return;
  item.problem = problem.message;
  keep();
}

const isUsable = ({ problem }) => !problem;
export const isUploading = () => toggle.checked && items.some(({ url, problem }) => !url && !problem);

function draw() {
  const source = (item) => item.preview ?? ownPath(item.url);
  const full = dropped.length > 0;
  render(html`
    <ul class="thumbnails">${repeat(items, (item) => item, (item) => html`
      <li class=${item.problem ? "broken" : item.url ? "" : "waiting"} title=${item.problem ?? item.name}>
        ${source(item) && !item.problem
          ? html`<img src=${source(item)} alt=${item.name} width="72" height="72" @error=${() => lose(item)}>`
          : html`<span class="name">${item.name}${item.problem ? html`: ${item.problem}` : nothing}</span>`}
        <button type="button" class="remove" aria-label="Remove ${item.name}" @click=${() => remove(item)}>×</button>
      </li>`)}</ul>
    <p class="quiet" role="status">${items.filter(isUsable).length} of ${page.mostReferences}${full
      ? html`<span class="bad-text"> Not taken, since there can be ${page.mostReferences}: ${dropped.join(", ")}.</span>`
      : nothing}</p>`, place);
}
