// The JSON mode of the request: the same draft as text, with problems at their places.
import { draft } from "./draft.js";
import { JsonProblem, lineAndColumn, parseWithPlaces } from "./json_places.js";
import { problems } from "./request_rules.js";
import { html, render } from "./show.js";

const area = document.getElementById("json");
const gutter = document.getElementById("gutter");
const list = document.getElementById("json-problems");
const ME = "json";
let broken = null; // what keeps the text from being JSON
let refusals = []; // what the server said of the text

export function bindJson() {
  area.addEventListener("input", () => {
    refusals = [];
    try {
      const { value } = parseWithPlaces(area.value);
      broken = null;
      if (problems(value)[0]?.field !== null) draft.replace(value, ME);
    } catch (error) {
      if (!(error instanceof JsonProblem)) throw error;
      broken = error;
    }
    draw();
  });
  area.addEventListener("scroll", () => (gutter.scrollTop = area.scrollTop));
  draft.listen((request, by) => {
    if (by === ME) return;
    area.value = JSON.stringify(request, null, 2);
    broken = null;
    refusals = [];
    draw();
  });
}

// Whether the text can be sent; else the reader is led to the place.
export function isSendable() {
  if (broken) goTo(broken.at);
  return !broken;
}

// Shows what the server refused, where it stands.
export function showRefusal(refusal) {
  refusals = refusal.param ? [{ field: refusal.param, message: refusal.message }] : [];
  draw();
}

function found() {
  if (broken) return [{ at: broken.at, message: `${broken.message}.` }];
  const { value, places } = parseWithPlaces(area.value);
  return [...refusals, ...problems(value)]
    .map(({ field, message }) => ({ at: places[String(field).split("[")[0]] ?? 0, message }))
    .sort((one, other) => one.at - other.at);
}

function draw() {
  const shown = found().map((problem) => ({ ...problem, ...lineAndColumn(area.value, problem.at) }));
  const wrong = new Set(shown.map(({ line }) => line));
  const lines = area.value.split("\n").map((_, index) => index + 1);
  render(lines.map((line) => html`<span class=${wrong.has(line) ? "wrong" : ""}>${line}</span>`), gutter);
  if (shown.length) area.setAttribute("aria-invalid", "true");
  else area.removeAttribute("aria-invalid");
  render(html`<ul class="json-problems">${shown.map(({ at, line, column, message }) => html`
    <li><button type="button" @click=${() => goTo(at)}>Line ${line}, column ${column}</button> ${message}</li>`)}</ul>`, list);
}

function goTo(at) {
  area.focus();
  area.setSelectionRange(at, at + 1);
}
