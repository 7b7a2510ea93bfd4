/* All keys: one table that is obeyed and shown. */

const NAMES = { " ": "Space", ArrowLeft: "←", ArrowRight: "→", ArrowUp: "↑", ArrowDown: "↓" };
const REPEATED = new Set(["Ctrl+Z", "Ctrl+Shift+Z", "Ctrl+Y", "PageUp", "PageDown", "[", "]", ",", ".", "+", "=", "-", "O", "Shift+O", ...["←", "→", "↑", "↓"].flatMap(key => [key, `Shift+${key}`])]);

/* A key as the table writes it: Ctrl+Shift+Z, Shift+F, g. Shift is named with letters and arrows alone. */
export function keyOf(event) {
  const letter = /^[a-zA-Z]$/.test(event.key), named = event.key.length > 1;
  const parts = [];
  if (event.ctrlKey || event.metaKey) parts.push("Ctrl");
  if (event.shiftKey && (letter || named)) parts.push("Shift");
  parts.push(letter ? event.key.toUpperCase() : NAMES[event.key] ?? event.key);
  return parts.join("+");
}

/* table: [keys, what they do, action] each; most act once, however long they are held. `when` says whether keys are for the page at all. */
export function obey(table, when) {
  const actions = new Map(table.flatMap(([keys, , act]) => keys.map(key => [key, act])));
  document.addEventListener("keydown", event => {
    const act = actions.get(keyOf(event)), target = event.target;
    if (!act || event.altKey || !when() || target.matches("input:not([type=range]):not([type=checkbox]), select, textarea")) return;
    const presses = ["Space", "Enter"].includes(keyOf(event)) && target.matches("button, summary, input, a");
    if (presses || (target.matches("input[type=range]") && /^Arrow|Home|End/.test(event.key))) return;
    event.preventDefault();
    if (!event.repeat || REPEATED.has(keyOf(event))) act();
  });
}

export function fillHelp(list, table) {
  for (const [keys, text] of table) {
    if (!text) continue;
    const term = document.createElement("dt"), about = document.createElement("dd");
    keys.forEach((key, n) => {
      if (n) term.append(" ");
      const shown = document.createElement("kbd");
      shown.textContent = key;
      term.append(shown);
    });
    about.textContent = text;
    list.append(term, about);
  }
}
