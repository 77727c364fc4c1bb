// Hears from the server what changed on the account, by server-sent events. EventSource can't send
// a key in a header, so the stream is read with fetch.
import { ApiError, headers, noAnswer, problemOf } from "./api.js";
import { showProblem } from "./show.js";

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 10_000;
const READING_PAUSE_MS = 300;
const LONGEST_SILENCE_MS = 45_000; // three signs of life that did not come

// The account's clock, as far as the last event told.
export const clock = {
  told: null,
  toldAt: 0,
  now() {
    if (!this.told) return Date.now();
    const passed = this.told.frozen ? 0 : performance.now() - this.toldAt;
    return Date.parse(this.told.now) + passed;
  },
};

// Makes reload(topics), which calls read(topics): one reading at a time and a pause after each,
// however much happens, so that what is shown last was read last.
export function reloader(read) {
  const stale = new Set();
  let isReading = false;
  return async (topics) => {
    topics.forEach((topic) => stale.add(topic));
    if (isReading) return;
    isReading = true;
    while (stale.size) {
      const changed = [...stale];
      stale.clear();
      try {
        await read(changed);
        showProblem(null);
      } catch (error) {
        showProblem(error);
      }
      await new Promise((done) => setTimeout(done, READING_PAUSE_MS));
    }
    isReading = false;
  };
}

// Calls listener(topics) at each change, and problem(error) where the stream can't be had.
export function watch(listener, problem = () => {}) {
  let stop = new AbortController();
  const follow = () => {
    stop.abort();
    if (document.hidden) return; // a tab that nobody looks at holds no connection
    stop = new AbortController();
    read(listener, problem, stop.signal);
  };
  document.addEventListener("visibilitychange", follow);
  follow();
}

async function read(listener, problem, signal) {
  let wait = FIRST_WAIT_MS;
  while (!signal.aborted) {
    try {
      const path = "/_emulator/events";
      const response = await fetch(path, { headers: headers(path), signal });
      if (!response.ok) throw problemOf(response, await response.json().catch(() => null));
      wait = FIRST_WAIT_MS;
      for await (const event of events(response.body)) {
        hear(event);
        listener(event.topics);
      }
    } catch (error) {
      if (signal.aborted) return;
      problem(error instanceof ApiError ? error : noAnswer());
      if (error.status >= 400 && error.status < 500) return; // asking again changes nothing
    }
    await new Promise((done) => setTimeout(done, wait));
    wait = Math.min(wait * 2, LONGEST_WAIT_MS);
  }
}

function hear(event) {
  clock.told = event.clock;
  clock.toldAt = performance.now();
}

async function* events(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  try {
    for (;;) {
      const { done, value } = await withinTime(reader.read());
      if (done) return;
      text += value;
      const blocks = text.split("\n\n");
      text = blocks.pop();
      for (const block of blocks) {
        const data = block.split("\n").filter((line) => line.startsWith("data:"));
        if (data.length) yield JSON.parse(data.map((line) => line.slice(5)).join("\n"));
      }
    }
  } finally {
    reader.cancel().catch(() => {}); // it may be broken already
  }
}

// After a sleep, a connection can be dead without a word.
async function withinTime(reading) {
  let timer;
  const silence = new Promise((_, fail) => (timer = setTimeout(() => fail(noAnswer()), LONGEST_SILENCE_MS)));
  try {
    return await Promise.race([reading, silence]);
  } finally {
    clearTimeout(timer);
  }
}
