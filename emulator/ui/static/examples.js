// Request examples in three languages; where an endpoint takes the playground's form, with that.
import { draft } from "./draft.js";
import { copyButton, html, render } from "./show.js";

const KEY = "YOUR_API_KEY";
const LANGUAGE = "gpt-image-emulator.language";
const FILES = { uploadImage: { file: "reference.png" }, editImage: { image: "picture.png" } };
const SHOWN_PICTURE = 48; // characters
const SHOWN_PROMPT = "A lighthouse at dawn";

export function showExamples() {
  draft.listen(drawAll);
}

function drawAll() {
  for (const place of document.querySelectorAll(".example")) draw(place, writer(place));
}

function writer(place) {
  const { method, path, bodyType, needsKey, operation } = place.dataset;
  return () => ({
    method,
    url: location.origin + path.replace("{task_id}", "TASK_ID").replace(/\{.*?\}/g, "ID"),
    key: needsKey === "true",
    body: bodyType === "application/json" ? shownRequest() : null,
    form: bodyType.startsWith("multipart") ? formOf(operation) : null,
  });
}

// The draft, with a prompt, and without the millions of characters of a picture that is inside it.
function shownRequest() {
  const text = JSON.stringify({ ...draft.request, prompt: draft.request.prompt || SHOWN_PROMPT });
  return JSON.parse(text, (_, value) => (isLongPicture(value) ? `${value.slice(0, SHOWN_PICTURE)}…` : value));
}

const isLongPicture = (value) => typeof value === "string" && value.startsWith("data:image/") && value.length > 2 * SHOWN_PICTURE;

function formOf(operation) {
  const fields = operation === "editImage" ? { model: draft.request.model, prompt: shownRequest().prompt } : {};
  return { fields, files: FILES[operation] };
}

const WRITERS = { curl, Python: python, JavaScript: javascript };

function draw(place, written) {
  const chosen = localStorage.getItem(LANGUAGE);
  const language = Object.hasOwn(WRITERS, chosen) ? chosen : "curl";
  const text = WRITERS[language](written());
  if (!place.querySelector(".languages")) place.textContent = "";
  const choose = (name) => {
    localStorage.setItem(LANGUAGE, name);
    drawAll();
  };
  render(html`<div class="languages" role="group" aria-label="Language">
      ${Object.keys(WRITERS).map((name) => html`<button type="button" class="small" aria-pressed=${name === language}
        @click=${() => choose(name)}>${name}</button>`)}
      ${copyButton(() => text)}
    </div><pre class="code" tabindex="0" role="group" aria-label="Request example in ${language}">${text}</pre>`, place);
}

const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;

function curl({ method, url, key, body, form }) {
  const lines = [`curl ${method === "GET" || form || body ? "" : `-X ${method} `}"${url}"`];
  if (key) lines.push(`-H "Authorization: Bearer ${KEY}"`);
  if (body) lines.push('-H "Content-Type: application/json"', `-d ${quoted(JSON.stringify(body, null, 2))}`);
  for (const [name, value] of Object.entries(form?.fields ?? {})) lines.push(`--form-string ${quoted(`${name}=${value}`)}`);
  for (const [name, file] of Object.entries(form?.files ?? {})) lines.push(`-F ${quoted(`${name}=@${file}`)}`);
  return lines.join(" \\\n  ");
}

function python({ method, url, key, body, form }) {
  const more = [`"${url}"`];
  if (key) more.push(`headers={"Authorization": "Bearer ${KEY}"}`);
  if (body) more.push(`json=${pythonValue(body, "    ")}`);
  if (form && Object.keys(form.fields).length) more.push(`data=${pythonValue(form.fields, "    ")}`);
  for (const [name, file] of Object.entries(form?.files ?? {})) more.push(`files={"${name}": open("${file}", "rb")}`);
  return `import httpx\n\nresponse = httpx.${method.toLowerCase()}(\n    ${more.join(",\n    ")},\n)\nprint(response.status_code, response.text)`;
}

function pythonValue(value, indent) {
  const inner = indent + "    ";
  if (value === null) return "None";
  if (typeof value === "boolean") return value ? "True" : "False";
  if (Array.isArray(value)) return `[${value.map((item) => pythonValue(item, inner)).join(", ")}]`;
  if (typeof value === "object") {
    const rows = Object.entries(value).map(([name, item]) => `${inner}${JSON.stringify(name)}: ${pythonValue(item, inner)},`);
    return `{\n${rows.join("\n")}\n${indent}}`;
  }
  return JSON.stringify(value);
}

function javascript({ method, url, key, body, form }) {
  const options = [];
  if (method !== "GET") options.push(`method: "${method}"`);
  const sent = [key && `Authorization: "Bearer ${KEY}"`, body && '"Content-Type": "application/json"'].filter(Boolean);
  if (sent.length) options.push(`headers: { ${sent.join(", ")} }`);
  if (body) options.push(`body: JSON.stringify(${JSON.stringify(body, null, 2).replaceAll("\n", "\n  ")})`);
  const lines = [];
  if (form) {
    lines.push("const form = new FormData();");
    for (const [name, value] of Object.entries(form.fields)) lines.push(`form.append(${JSON.stringify(name)}, ${JSON.stringify(value)});`);
    for (const [name, file] of Object.entries(form.files)) lines.push(`form.append("${name}", fileInput.files[0], "${file}");`);
    options.push("body: form");
  }
  const second = options.length ? `, {\n  ${options.join(",\n  ")},\n}` : "";
  lines.push(`const response = await fetch("${url}"${second});`, "console.log(response.status, await response.text());");
  return lines.join("\n");
}
