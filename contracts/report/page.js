"use strict";
(() => {
  const filters = document.getElementById("filters");
  const search = document.getElementById("search");
  const section = document.getElementById("section");
  const count = document.getElementById("count");
  const nothing = document.getElementById("nothing");
  const boxes = [...filters.querySelectorAll("input[type=checkbox]")];
  const bodies = [...document.querySelectorAll("table.claims tbody")];
  const texts = new Map();

  const textOf = (row) => {
    if (!texts.has(row)) texts.set(row, row.textContent.toLowerCase());
    return texts.get(row);
  };

  const apply = () => {
    const verdicts = new Set(boxes.filter((box) => box.checked).map((box) => box.value));
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    let all = 0;
    for (const body of bodies) {
      let inside = 0;
      for (const row of body.querySelectorAll("tr[data-verdict]")) {
        const fits = verdicts.has(row.dataset.verdict)
          && (section.value === "" || section.value === body.dataset.section)
          && words.every((word) => textOf(row).includes(word));
        row.hidden = !fits;
        inside += fits ? 1 : 0;
        all += 1;
      }
      body.hidden = inside === 0;
      shown += inside;
    }
    count.textContent = shown === all ? "" : `${shown} of ${all} claims`;
    nothing.hidden = shown > 0;
  };

  // Browsers open the details around a target themselves, but not rows that a filter hides.
  const reveal = () => {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!target || !target.closest("details")) return;
    const row = target.closest("tr");
    if (row && row.hidden) {
      search.value = "";
      section.value = "";
      for (const box of boxes) box.checked = true;
      apply();
    }
    const details = target.closest("details");
    details.open = true;
    details.scrollIntoView();
  };

  filters.hidden = false;
  filters.addEventListener("input", apply);
  window.addEventListener("hashchange", reveal);
  apply();
  if (location.hash) reveal();
})();
