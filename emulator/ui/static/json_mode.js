// The JSON mode of the request: the same draft as text, with problems at their places.
import { draft } from "./draft.js";
import { JsonProblem, lineAndColumn, parseWithPlaces } from "./json_places.js";
import { problems } from "./request_rules.js";
import { html, nothing, render } from "./show.js";

const area = document.getElementById("json");
const gutter = document.getElementById("gutter");
const list = document.getElementById("json-problems");
const ME = "json";
let places = {}; // where the text's members begin
let broken = null; // what keeps the text from being a request: a JsonProblem
let isBehind = false; // whether the form has gone on without the broken text
let refusals = []; // what the server said of the text

// Calls changed() whenever the text became, or ceased to be, what Generate would send.
export function bindJson(changed) {
  area.addEventListener("input", () => {
    refusals = [];
    const value = read();
    if (!broken) draft.replace(value, ME);
    changed();
    draw();
  });
  area.addEventListener("scroll", () => (gutter.scrollTop = area.scrollTop));
  draft.listen((request, by) => {
    if (by === ME) return;
    isBehind = broken !== null; // what somebody is writing is not taken away
    if (!broken) show(request);
    draw();
  });
}

export const isBroken = () => broken !== null;
export const rawText = () => area.value; // a number keeps its digits, a name its place

// Leads the reader to what keeps the text from being sent.
export function goToBroken() {
  goTo(broken.at);
}

function read() {
  broken = null;
  isBehind = false;
  try {
    const parsed = parseWithPlaces(area.value);
    places = parsed.places;
    const [problem] = problems(parsed.value);
    if (problem?.field === null) broken = new JsonProblem(problem.message, 0);
    return parsed.value;
  } catch (error) {
    if (!(error instanceof JsonProblem)) throw error;
    broken = error;
    return null;
  }
}

function show(request) {
  area.value = JSON.stringify(request, null, 2);
  refusals = [];
  read();
}

// Shows what the server refused, where it stands.
export function showRefusal(refusal) {
  refusals = refusal.param ? [{ field: refusal.param, message: refusal.message }] : [];
  draw();
}

function found() {
  if (broken) return [{ at: broken.at, message: broken.message }];
  const refused = refusals.map(({ field }) => field);
  return [...refusals, ...problems(draft.request).filter(({ field }) => !refused.includes(field))]
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
    <li><button type="button" @click=${() => goTo(at)}>Line ${line}, column ${column}</button> ${message}</li>`)}
    ${isBehind ? html`<li>The form has changed meanwhile. <button type="button" @click=${takeForm}>Take its request</button></li>` : nothing}</ul>`, list);
}

function takeForm() {
  broken = null;
  draft.replace(draft.request, null);
  area.focus();
}

function goTo(at) {
  area.focus();
  area.setSelectionRange(at, at + 1);
}
