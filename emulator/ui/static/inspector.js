// The inspector: the clock on each page, and the section that the address names.
import { followAccount } from "./account.js";
import { bindClock } from "./inspector/clock.js";
import { callbacks } from "./inspector/callbacks.js";
import { faults } from "./inspector/faults.js";
import { journal } from "./inspector/journal.js";
import { task } from "./inspector/task.js";
import { tasks } from "./inspector/tasks.js";
import { reloader } from "./live.js";
import { section } from "./page.js";
import { showProblem } from "./show.js";

// A section: the topics that it shows, load() that reads them, draw() that shows them; draw is also
// called once a second where ticks is set, since what it shows depends on the time.
const SECTIONS = { tasks, task, callbacks, faults, journal };
const { topics: shown, load, draw, ticks } = SECTIONS[section];

let isLoaded = false;
const reload = reloader(async () => {
  await load();
  isLoaded = true;
  draw();
});

const drawClock = bindClock();
followAccount((topics) => {
  drawClock();
  reload(topics.filter((topic) => shown.includes(topic)));
}, showProblem);
document.addEventListener("reload", () => reload(shown));
setInterval(() => {
  drawClock();
  if (ticks && isLoaded) draw();
}, 1000);
