// The live list of tasks.
import { call } from "../api.js";
import { empty, html, instant, number, render, repeat, state } from "../show.js";
import { Paging } from "./paging.js";
import { bar } from "./timeline.js";

const place = document.getElementById("section");
let rows = [];
const paging = new Paging(50);

async function load() {
  rows = (await call("GET", `/_emulator/tasks?limit=${paging.limit}`)).data;
}

function draw() {
  render(html`<section class="card" aria-labelledby="tasks-title"><h2 id="tasks-title">Tasks</h2>
    ${rows.length ? html`<div class="scroll" tabindex="0" role="group" aria-label="Tasks"><table class="tasks">
      <thead><tr><th scope="col">State</th><th scope="col">Task</th><th scope="col">Timeline</th><th scope="col">Created</th><th scope="col" class="amount">Credits</th></tr></thead>
      <tbody>${repeat(rows, (row) => row.task_id, taskRow)}</tbody></table></div>
      ${paging.older("Older tasks", rows.length)}`
    : empty("No tasks yet", html`Generate a picture in the <a href="/">playground</a>, or send a request with this key: it appears here at once.`)}
  </section>`, place);
}

function taskRow(task) {
  const { request, credits } = task;
  return html`<tr><td>${state(task.status)}</td>
    <th scope="row" class="what"><a href="/inspector/tasks/${task.task_id}"><code>${task.task_id}</code></a>
      <span class="prompt">${request.prompt}</span></th>
    <td>${bar(task)}</td><td>${instant(task.created_at)}</td>
    <td class="amount">${number(task.settled ? credits.charged : credits.reserved)}
      <small class="quiet">${!task.settled ? "reserved" : credits.refunded ? `${number(credits.refunded)} refunded` : "charged"}</small></td></tr>`;
}

export const tasks = { topics: ["tasks", "clock"], load, draw, ticks: true };
