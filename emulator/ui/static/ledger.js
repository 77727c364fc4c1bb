// Movements of credits as a table, each with the balance after it.
import { html, instant, nothing, number, repeat, signed } from "./show.js";

export function ledgerTable(entries) {
  return html`<div class="scroll" tabindex="0" role="group" aria-label="Ledger entries"><table>
    <thead><tr><th scope="col">No.</th><th scope="col">At</th><th scope="col">What</th>
      <th scope="col" class="amount">Available</th><th scope="col" class="amount">Reserved</th><th scope="col" class="amount">Charged</th><th scope="col" class="amount">Balance</th><th scope="col">Task</th></tr></thead>
    <tbody>${repeat(entries, (entry) => entry.number, row)}</tbody></table></div>`;
}

function row(entry) {
  const amount = (value) => html`<td class="amount ${value > 0 ? "plus" : value < 0 ? "minus" : "quiet"}">${signed(value)}</td>`;
  return html`<tr><td>${entry.number}</td><td>${instant(entry.at)}</td><td>${entry.kind.replaceAll("_", " ")}</td>
    ${amount(entry.available)}${amount(entry.reserved)}${amount(entry.charged)}
    <td class="amount"><b>${number(entry.available_after)}</b></td>
    <td>${entry.task_id ? html`<a href="/inspector/tasks/${entry.task_id}"><code>${entry.task_id}</code></a>` : nothing}</td></tr>`;
}
