// The playground: write a request, send it, follow it, look at its pictures.
import { followAccount } from "./account.js";
import { ApiError, call } from "./api.js";
import { draft, effective } from "./draft.js";
import { showExamples } from "./examples.js";
import { addEntry, checkExpiry, clearHistory, openHistory } from "./history.js";
import { drawHistory } from "./history_view.js";
import { bindJson, goToBroken, isBroken, rawText, showRefusal } from "./json_mode.js";
import { estimate, pixels } from "./pricing.js";
import { bindReferences, isUploading } from "./references.js";
import { problems } from "./request_rules.js";
import { bindForm, focusField, showProblems } from "./request_form.js";
import { announce, attempt, count, dollars, focusHeading, html, number, render, showProblem, showRefused } from "./show.js";
import { bindTabs } from "./tabs.js";

const form = document.getElementById("form");
const button = document.getElementById("generate");

const isJsonMode = () => document.getElementById("form-panel").hidden;

function showEstimate(request) {
  const asked = effective(request);
  const place = document.getElementById("estimate");
  const isUnknown = (isJsonMode() && isBroken()) || problems(asked).some(({ field }) => field in asked);
  if (isUnknown) return render(html`<span class="quiet">No estimate</span>`, place);
  const { credits, leastDollars, mostDollars } = estimate(asked);
  const frame = pixels(asked);
  render(html`<span><b>${number(credits)}</b> credits</span>
    <span class="quiet">USD estimate ${"$"}${dollars(leastDollars)}–${"$"}${dollars(mostDollars)}</span>
    <span class="quiet">${count(asked.n, "image")}${frame ? ` of ${frame.replace("x", "×")} px` : ""}</span>`, place);
}

async function generate() {
  if (isJsonMode() && isBroken()) return goToBroken();
  if (!isJsonMode()) {
    const [first] = showProblems(draft.request, { all: true });
    if (first) return focusField(first.field);
  }
  if (isUploading()) return showRefused(new ApiError(0, { message: "A reference image is still on its way." }));
  const request = structuredClone(draft.request);
  await attempt(button, async () => {
    try {
      addEntry(await call("POST", "/v1/images/generations", isJsonMode() ? rawText() : request), request);
      announce("The task is created.");
    } catch (error) {
      if (error.param) {
        showRefusal(error);
        showProblems(draft.request, { more: [{ field: error.param.split("[")[0], message: error.message }] });
      }
      throw error;
    }
  });
}

const showAnew = () => showEstimate(draft.request);
bindTabs(document.querySelector("[role=tablist]"), showAnew);
bindForm();
bindJson(showAnew);
bindReferences();
draft.listen((request) => {
  showEstimate(request);
  showRefused(null);
});
openHistory(drawHistory);
form.addEventListener("submit", (event) => {
  event.preventDefault();
  generate();
});
form.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) generate();
});
document.getElementById("clear-history").addEventListener("click", () => {
  if (!confirm("Forget the history of this browser? The tasks stay on the server.")) return;
  clearHistory();
  focusHeading("history-title");
  announce("The history is empty.");
});
followAccount(() => {
  showProblem(null);
  checkExpiry();
}, (error) => {
  // Without the events the page works all the same, so being kept from them is no problem here.
  if (error.status === 0 || error.code === "invalid_api_key") showProblem(error);
});
showExamples();
