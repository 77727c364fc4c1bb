// A list begins with its newest rows, and shows older ones on demand.
import { html, nothing } from "../show.js";

const MOST_ROWS = 1000; // that the server answers at once

export class Paging {
  constructor(step) {
    Object.assign(this, { step, limit: step });
  }

  // The button under a list of which so many rows are shown.
  older(name, shown) {
    const more = () => {
      this.limit = Math.min(this.limit + this.step, MOST_ROWS);
      document.dispatchEvent(new Event("reload"));
    };
    const isMore = shown === this.limit && this.limit < MOST_ROWS;
    return isMore ? html`<button type="button" @click=${more}>${name}</button>` : nothing;
  }
}
