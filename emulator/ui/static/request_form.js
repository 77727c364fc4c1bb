// The form mode of the request: fields show the draft and change it.
import { draft, effective } from "./draft.js";
import { page } from "./page.js";
import { pixels } from "./pricing.js";
import { DEFAULTS, problems } from "./request_rules.js";

const form = document.getElementById("form");
const custom = document.getElementById("custom-size");
const touched = new Set();
const ME = "form";

export function bindForm() {
  form.addEventListener("input", (event) => {
    const { name } = event.target;
    if (name) read(name);
  });
  form.addEventListener("focusout", (event) => {
    if (!event.target.name || event.target.value === "") return;
    touched.add(event.target.name);
    showProblems(draft.request);
  });
  document.getElementById("use-inbox").addEventListener("click", () => {
    form.elements.callback_url.value = `${location.origin}/_emulator/inbox/playground`;
    read("callback_url");
  });
  draft.listen((request, by) => {
    if (by !== ME) write(request);
    showPixels(request);
    showProblems(request);
  });
}

function read(name) {
  const { value } = form.elements[name];
  if (name === "n") draft.change({ n: value === "" ? value : Number(value) }, ME);
  else if (name === "callback_url") draft.change({ callback_url: value.trim() || undefined }, ME);
  else draft.change({ [name]: value }, ME);
}

function write(request) {
  const shown = { ...DEFAULTS, callback_url: "", ...request, ...effective(request) };
  for (const name of ["prompt", "n", "callback_url"]) form.elements[name].value = shown[name];
  if (shown.callback_url) form.querySelector("details.more").open = true;
  const isCustom = !page.sizes.includes(shown.size);
  custom.hidden = !isCustom;
  custom.querySelector("input").value = isCustom ? shown.size : "";
  custom.querySelector("span").textContent = isCustom ? shown.size : "";
  for (const name of ["size", "resolution", "quality"]) {
    for (const radio of form.elements[name]) radio.checked = radio.value === String(shown[name]);
  }
}

function showPixels(request) {
  const { resolution } = effective(request);
  for (const radio of form.elements.size) {
    if (radio.value) radio.parentElement.title = pixels({ size: radio.value, resolution }) ?? "";
  }
}

// Shows under each field what is wrong with it; before it is left or sent, it is not yet wrong.
export function showProblems(request, { all = false, more = [] } = {}) {
  const found = [...problems(request), ...more];
  for (const place of form.querySelectorAll(".field-problem")) {
    const name = place.id.replace("-problem", "");
    const problem = found.find(({ field }) => field === name);
    const isShown = problem && (all || touched.has(name) || more.includes(problem));
    place.hidden = !isShown;
    place.textContent = isShown ? problem.message : "";
    const control = document.getElementById(name);
    if (isShown) control?.setAttribute("aria-invalid", "true");
    else control?.removeAttribute("aria-invalid");
  }
  return found;
}

export function focusField(name) {
  const field = document.getElementById(name) ?? form.elements[name]?.[0];
  field?.focus();
}
