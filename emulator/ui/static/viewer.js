// One picture in full size, with what it was made of.
import { copyButton, html, nothing, render } from "./show.js";

const dialog = document.getElementById("viewer");
dialog?.addEventListener("click", (event) => event.target === dialog && dialog.close()); // beside the picture

// Shows a picture: {taskId, links, sources, index, rows: [[name, value]], useAsReference?}, where
// links are what the API answered, and sources are where this page has the pictures from.
export function view(picture) {
  const { taskId, links, sources, index, rows, useAsReference } = picture;
  const path = sources[index];
  const step = (by) => view({ ...picture, index: (index + by + sources.length) % sources.length });
  dialog.onkeydown = (event) => {
    if (event.key === "ArrowRight") step(1);
    if (event.key === "ArrowLeft") step(-1);
  };
  render(html`
    <div class="viewer-head">
      <h2>Picture ${index + 1} of ${sources.length}</h2>
      <button type="button" aria-label="Close" @click=${() => dialog.close()}>×</button>
    </div>
    <a class="stage" href=${path} target="_blank" rel="noopener" title="Open the file"><img src=${path} alt="Picture ${index + 1} of ${sources.length}"></a>
    <dl class="facts">${rows.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>
    <div class="buttons">
      ${sources.length > 1 ? html`
        <button type="button" @click=${() => step(-1)}>Previous</button>
        <button type="button" @click=${() => step(1)}>Next</button>` : nothing}
      ${links[index] ? copyButton(() => links[index], "Copy link") : nothing}
      ${useAsReference ? html`<button type="button" @click=${() => {
        dialog.close();
        useAsReference(links[index]);
      }}>Use as reference</button>` : nothing}
      <a class="button primary" href=${path} download="${taskId}-${index + 1}.png">Download</a>
    </div>`, dialog);
  if (!dialog.open) dialog.showModal();
}
