// Create a task, poll it until it ends, download the picture: Node 20 or newer, no packages.
// Usage: [EMULATOR_URL=...] [EMULATOR_KEY=...] node javascript_fetch.mjs [FILE]
import { writeFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";

const url = process.env.EMULATOR_URL ?? "http://127.0.0.1:8080/v1";
const key = process.env.EMULATOR_KEY ?? "sk-test";
const file = process.argv[2] ?? "lighthouse.png";

async function call(path, body) {
  const response = await fetch(url + path, {
    method: body ? "POST" : "GET",
    headers: { Authorization: `Bearer ${key}`, "Content-Type": "application/json" },
    body: body && JSON.stringify(body),
  });
  if (!response.ok) throw new Error(`${response.status}: ${await response.text()}`);
  return response.json();
}

async function waitForEnd(taskId) {
  for (;;) {
    const task = await call(`/tasks/${taskId}`);
    if (["succeeded", "completed"].includes(task.status)) return task;
    if (!["pending", "processing"].includes(task.status)) {
      throw new Error(`${taskId} is ${task.status}: ${JSON.stringify(task.error)}`);
    }
    await sleep(500);
  }
}

const { task_id: taskId } = await call("/images/generations", {
  model: "gpt-image-2",
  prompt: "A lighthouse at dawn",
});
console.log(`created ${taskId}`);
const task = await waitForEnd(taskId);
// The link is signed: it needs no key, and works for 24 hours.
const picture = await fetch(task.result.data[0].url);
if (!picture.ok) throw new Error(`${picture.status}: ${await picture.text()}`);
await writeFile(file, Buffer.from(await picture.arrayBuffer()));
console.log(`saved ${file}`);
