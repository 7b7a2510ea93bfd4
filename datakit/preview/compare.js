/* The page of several methods: what they score, a table of all objects, and a section with curves and pictures for each. */

const $ = id => document.getElementById(id);
const header = JSON.parse($("header").textContent);
const SHOWN_MEASURES = { J: "J", F: "F", "J&F": "J&F" };
const PARTS = ["mean", "recall", "decay"];
let measure = "J";
const objects = readObjects();

/* Every object of the page, with the frames of its sequence that can be looked at. */
function readObjects() {
  const found = [];
  document.querySelectorAll("script.sequence").forEach((block, index) => {
    const sequence = JSON.parse(block.textContent), pictures = block.nextElementSibling;
    sequence.shown.forEach((frame, nth) => Object.assign(frame, { nth, pictures, key: `${index} ${nth}` }));
    for (const object of sequence.objects) {
      const counted = new Set(object.frames);
      object.name = sequence.objects.length > 1 ? `${sequence.name}, object ${object.id}` : sequence.name;
      object.shown = sequence.shown.filter(frame => counted.has(frame.frame));
      found.push(Object.assign(object, { sequence, index: found.length }));
    }
    block.remove();
  });
  return found;
}

/* Three digits, and no minus before nothing. */
function digits(value) {
  const text = value.toFixed(3);
  return text === "-0.000" ? "0.000" : text;
}

/* A cell for every method, the best of them in bold; where all are alike none is. */
function cells(values, least = false) {
  const texts = values.map(digits), best = (least ? Math.min : Math.max)(...texts.map(Number));
  return texts.map(text => element("td", `figure${Number(text) === best && new Set(texts).size > 1 ? " best" : ""}`, text));
}

function headOf(table, words, sort) {
  const row = element("tr");
  [...words, ...header.methods].forEach((text, column) => {
    const cell = element("th", column < words.length ? "" : "figure");
    cell.scope = "col";
    if (sort) {
      const button = element("button", "", text);
      button.type = "button";
      button.addEventListener("click", () => sort(column));
      cell.append(button);
    } else cell.textContent = text;
    row.append(cell);
  });
  table.tHead.replaceChildren(row);
}

function makeSummary() {
  headOf($("summary"), [header.total]);
  const rows = ["J&F", "J", "F"].flatMap(name => PARTS.map((part, k) => {
    const row = element("tr", k ? "" : "first"), title = element("th", "", `${name} ${part}`);
    title.scope = "row";
    row.append(title, ...cells(header.scores.map(scores => scores[name][k]), part === "decay"));
    return row;
  }));
  $("summary").tBodies[0].replaceChildren(...rows);
}

let sorted = { column: 0, way: 1 };

/* The table and the sections below it, in one order: by name, or by what a method scores, the worst first. */
function sortBy(column) {
  sorted = { column, way: sorted.column === column ? -sorted.way : 1 };
  fillTable();
}

function fillTable() {
  const { column, way } = sorted, order = new Intl.Collator("en", { numeric: true }).compare;
  const of = object => object.scores[column - 1][measure][0];
  const compare = (a, b) => way * (column ? of(a) - of(b) : order(a.sequence.name, b.sequence.name)) || a.index - b.index;
  const ordered = [...objects].sort(compare);
  $("table").tBodies[0].replaceChildren(...ordered.map(object => {
    const row = element("tr"), title = element("th"), link = element("a", "", object.name);
    link.href = `#object-${object.index}`;
    title.scope = "row";
    title.append(link);
    row.append(title, ...cells(object.scores.map(scores => scores[measure][0])));
    return row;
  }));
  [...$("table").tHead.rows[0].cells].forEach((cell, k) => {
    if (k === column) cell.setAttribute("aria-sort", way > 0 ? "ascending" : "descending");
    else cell.removeAttribute("aria-sort");
  });
  for (const object of ordered) $("objects").append(object.section);
}

function makeSection(object) {
  const section = element("section", "object"), heading = element("h2", "", object.name);
  section.id = `object-${object.index}`;
  const part = object.sequence.part ? ` · ${object.sequence.part}` : "";
  heading.append(element("small", "", `${number(object.frames.length)} frames${part}`));
  section.append(heading, drawComparison(object, openView));
  if (object.shown.length) {
    const frame = object.shown[nearest(object, object.frames[object.apart])], panels = element("div", "panels");
    const title = element("h3", "", `Frame ${frame.frame}, where the methods differ most (dotted line)`);
    title.append(element("span", "hint", "; click or tap the curves to see any other"));
    object.paint = fillPanels(panels, frame, object, () => openView(object, frame.frame));
    section.append(title, panels);
    object.panels = panels;
    watcher.observe(panels);
  }
  return section;
}

/* Pictures are painted when they come near the window. */
const near = new Set();
const watcher = new IntersectionObserver(entries => {
  for (const entry of entries) {
    const object = objects.find(each => each.panels === entry.target);
    if (entry.isIntersecting) { near.add(object); object.paint(); } else near.delete(object);
  }
}, { rootMargin: "400px" });

/* The others when nothing else is to do, so that the page can be printed: a browser waits for nothing then. */
const MOST_PAINTED = 200;
const idle = window.requestIdleCallback || (task => setTimeout(task, 20));
let round = 0;

async function paintOthers() {
  const mine = ++round;
  for (const object of objects.slice(0, MOST_PAINTED)) {
    if (!object.paint || near.has(object)) continue;
    await new Promise(done => idle(done, { timeout: 500 }));
    if (mine !== round) return;
    await object.paint();
  }
}

function fillHead() {
  $("about").textContent = header.about.join(" · ");
  $("remarks").hidden = !header.remarks.length;
  $("remarks").replaceChildren(...header.remarks.map(text => element("li", "", text)));
}

/* What the colours of the pictures mean, in the way they are shown now. */
function fillLegend() {
  const voided = objects.some(object => object.shown.some(frame => frame.void)) ? [header.legend_void] : [];
  const entries = { outlines: header.legend_outlines, differences: [...header.legend, ...voided], photo: [] }[view];
  $("legend").replaceChildren(...entries.map(([colour, hollow, text]) => {
    const entry = element("li"), swatch = element("i", hollow ? "hollow" : "");
    if (colour) { swatch.style.setProperty("--swatch", `rgb(${colour})`); entry.append(swatch); }
    entry.append(text);
    return entry;
  }));
}

function pressed(places, value) {
  for (const button of document.querySelectorAll(`${places} button`)) button.setAttribute("aria-pressed", button.value === value);
}

function setMeasure(value) {
  measure = value;
  pressed("[data-measure]", value);
  $("methods").replaceChildren(...header.methods.map((name, method) => {
    const entry = element("li");
    entry.append(strokeOf(method), name, element("b", "", digits(header.scores[method][measure][0])));
    return entry;
  }));
  for (const object of objects) drawCurves(object.svg, object);
  fillTable();
}

function setView(value) {
  view = value;
  pressed("[data-switch]", value);
  fillLegend();
  near.forEach(object => object.paint());
  if (shown) shown.paint();
  paintOthers();
}

for (const object of objects) object.section = makeSection(object);
fillSwitches(VIEWS, setView);
document.querySelector("[data-measure]").append(...Object.entries(SHOWN_MEASURES).map(([value, text]) => {
  const button = element("button", "", text);
  button.type = "button";
  button.value = value;
  button.addEventListener("click", () => setMeasure(value));
  return button;
}));
setUpView();
fillHead();
makeSummary();
headOf($("table"), ["Sequence"], sortBy);
setMeasure(measure);
setView(view);
addEventListener("resize", () => { near.forEach(object => object.paint()); if (shown) shown.paint(); });
requestAnimationFrame(() => requestAnimationFrame(() => { document.documentElement.dataset.ready = "yes"; }));
