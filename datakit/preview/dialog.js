/* The large view: it steps by buttons and arrow keys, and closes by its button, Escape or a click beside it. */

let shown = null; // what is in it while it is open

/* step: gets -1 or 1; back: gets what was shown last, to bring the focus back to. */
function setUpView(step, back) {
  const view = $("view");
  $("previous").addEventListener("click", () => step(-1));
  $("next").addEventListener("click", () => step(1));
  $("close").addEventListener("click", () => view.close());
  view.addEventListener("click", event => { if (event.target === view) view.close(); });
  view.addEventListener("close", () => { const last = shown; shown = null; back(last); });
  view.addEventListener("keydown", event => {
    if (event.altKey || event.ctrlKey || event.metaKey || event.target.matches("input")) return;
    const by = ARROWS[event.key];
    if (by) { event.preventDefault(); step(by); }
  });
}

function showView(heading, place, isFirst, isLast) {
  $("view-key").textContent = heading;
  $("place").textContent = place;
  $("previous").disabled = isFirst;
  $("next").disabled = isLast;
  if (!$("view").open) $("view").showModal();
}
