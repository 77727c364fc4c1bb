// The inspector: the clock on each page, and the section that the address names.
import { followAccount } from "./account.js";
import { bindClock } from "./inspector/clock.js";
import { callbacks } from "./inspector/callbacks.js";
import { faults } from "./inspector/faults.js";
import { journal } from "./inspector/journal.js";
import { task } from "./inspector/task.js";
import { tasks } from "./inspector/tasks.js";
import { section } from "./page.js";
import { showProblem } from "./show.js";

// A section: the topics that it shows, load() that reads them, draw() that shows them; draw is also
// called once a second where ticks is set, since what it shows depends on the time.
const SECTIONS = { tasks, task, callbacks, faults, journal };
const { topics: shown, load, draw, ticks } = SECTIONS[section];

const LOAD_PAUSE_MS = 300; // between two readings, however much happens
let isLoading = false;
let isStale = false;

async function reload() {
  isStale = true;
  if (isLoading) return;
  isLoading = true;
  while (isStale) {
    isStale = false;
    try {
      await load();
      draw();
      showProblem(null);
    } catch (error) {
      showProblem(error);
    }
    await new Promise((done) => setTimeout(done, LOAD_PAUSE_MS));
  }
  isLoading = false;
}

const drawClock = bindClock();
followAccount((topics) => {
  drawClock();
  if (topics.some((topic) => shown.includes(topic))) reload();
}, (error) => error && showProblem(error));
document.addEventListener("reload", reload);
setInterval(() => {
  drawClock();
  if (ticks) draw();
}, 1000);
