/* The page of scores: totals, the table, a section an object, and the large view of its worst frames. */

const $ = id => document.getElementById(id);
const header = JSON.parse($("header").textContent);
const VIEWS = { differences: "Differences", outlines: "Outlines", photo: "Frame" };
const PARTS = ["mean", "recall", "decay"];
const objects = readObjects();
const frames = objects.flatMap(object => object.worst);
frames.forEach((frame, rank) => { frame.rank = rank; });
let show = "differences", shown = null;

/* Every object of the page; its worst frames know it, and where their pictures are. */
function readObjects() {
  return [...document.querySelectorAll("script.object")].map((block, index) => {
    const object = JSON.parse(block.textContent), pictures = block.nextElementSibling;
    object.index = index;
    object.name = object.several ? `${object.sequence}, object ${object.id}` : object.sequence;
    object.worst.forEach((frame, nth) => Object.assign(frame, { object, pictures, nth, key: `${index} ${nth}` }));
    block.remove();
    return object;
  });
}

/* Promise of a picture of a frame: 0 the part that is shown, 1 all of it; plain grey where there is none. */
function pictureOf(frame, which = 0) {
  return remembered(`picture ${frame.key} ${which}`, () => {
    const encoded = frame.pictures.textContent.split(",")[2 * frame.nth + which];
    return encoded ? decodePicture(encoded) : plainGround(which ? frame.frame : frame.size);
  });
}

function plainGround([height, width]) {
  const canvas = element("canvas"), scale = Math.min(1, 480 / Math.max(height, width));
  canvas.width = Math.max(1, Math.round(width * scale));
  canvas.height = Math.max(1, Math.round(height * scale));
  const context = canvas.getContext("2d");
  context.fillStyle = "rgb(110, 110, 110)";
  context.fillRect(0, 0, canvas.width, canvas.height);
  return canvas;
}

function masksOf(frame) {
  const [height, width] = frame.size;
  const decode = name => frame[name] && remembered(`${name} ${frame.key}`, () => decodeMask(frame[name], height, width));
  return { size: frame.size, target: decode("target"), rough: decode("rough"), void: decode("void") };
}

function measuresOf(frame) {
  return { J: frame.object.J[frame.place], F: frame.object.F[frame.place] };
}

async function paintFrame(frame, canvas, size, isWanted, line = 1) {
  const { J, F } = measuresOf(frame), name = frame.object.frames[frame.place];
  canvas.setAttribute("aria-label", `${VIEWS[show]} of ${frame.object.name}, frame ${name}: J ${J.toFixed(2)}, F ${F.toFixed(2)}`);
  canvas.dataset.frame = frame.key;
  const picture = await pictureOf(frame);
  if (!isWanted() || canvas.dataset.frame !== frame.key) return;
  const ratio = Math.min(2, devicePixelRatio || 1);
  canvas.style.width = `${size[0]}px`;
  canvas.style.height = `${size[1]}px`;
  paint(canvas, Math.round(size[0] * ratio), Math.round(size[1] * ratio), picture, masksOf(frame), show, header.colours, line * ratio);
  canvas.dataset.painted = show;
}

function makeCard(frame) {
  const card = element("button", "card"), canvas = element("canvas"), holder = element("span", "frame");
  const { J, F } = measuresOf(frame), caption = element("span", "card-measures");
  card.type = "button";
  canvas.setAttribute("role", "img");
  holder.append(canvas);
  caption.append(element("b", "", frame.object.frames[frame.place]), ` · J ${J.toFixed(2)} · F ${F.toFixed(2)}`);
  card.append(holder, caption);
  card.addEventListener("click", () => openView(frame));
  frame.canvas = canvas;
  return card;
}

function paintCard(frame) {
  const box = frame.canvas.parentNode.getBoundingClientRect();
  return paintFrame(frame, frame.canvas, [Math.round(box.width), Math.round(box.height)], () => true);
}

/* Cards are painted when they come near the window. */
const near = new Set();
const watcher = new IntersectionObserver(entries => {
  for (const entry of entries) {
    const frame = frames[Number(entry.target.dataset.card)];
    if (entry.isIntersecting) { near.add(frame); paintCard(frame); } else near.delete(frame);
  }
}, { rootMargin: "400px" });

/* The others are painted when nothing else is to do, so that the page can be printed: a browser waits for nothing then. */
const MOST_PAINTED = 1000;
const idle = window.requestIdleCallback || (task => setTimeout(task, 20));
let round = 0;

async function paintOthers() {
  const mine = ++round;
  for (const frame of frames.slice(0, MOST_PAINTED)) {
    if (frame.canvas.dataset.painted === show) continue;
    await new Promise(done => idle(done, { timeout: 500 }));
    if (mine !== round) return;
    await paintCard(frame);
  }
}

/* Three digits, and no minus before nothing. */
function digits(value) {
  const text = value.toFixed(3);
  return text === "-0.000" ? "0.000" : text;
}

function figures(scores) {
  return PARTS.map((part, k) => `${part} ${digits(scores[k])}`).join(", ");
}

function makeSection(object) {
  const section = element("section", "object"), heading = element("h2", "", object.name);
  section.id = `object-${object.index}`;
  heading.append(element("small", "", `J ${figures(object.scores.J)} · F ${figures(object.scores.F)} · ${number(object.frames.length)} frames`));
  const strip = element("div", "strip");
  for (const frame of object.worst) {
    const card = makeCard(frame);
    card.dataset.card = frame.rank;
    strip.append(card);
    watcher.observe(card);
  }
  section.append(heading, drawChart(object), element("h3", "", "Worst frames, at the dotted lines"), strip);
  return section;
}

const COLUMNS = [
  ["Sequence", object => object.sequence, "ascending"], ["Object", object => object.id, "ascending"],
  ["Frames", object => object.frames.length, "descending"],
  ...["J&F", "J", "F"].flatMap(name => PARTS.map((part, k) => [`${name} ${part}`, object => object.scores[name][k], part === "decay" ? "descending" : "ascending", k === 0])),
];

function makeTable() {
  const head = element("tr");
  COLUMNS.forEach(([name, , , first], column) => {
    const cell = element("th", column ? `figure${first ? " first" : ""}` : ""), button = element("button", "", name);
    cell.scope = "col";
    button.type = "button";
    button.addEventListener("click", () => sortBy(column));
    cell.append(button);
    head.append(cell);
  });
  $("table").tHead.append(head);
  sortBy(0);
}

function cellOf(object, column) {
  const value = COLUMNS[column][1](object), cell = element("td", column ? `figure${COLUMNS[column][3] ? " first" : ""}` : "");
  if (column) cell.textContent = column < 3 ? number(value) : digits(value);
  else {
    const link = element("a", "", value);
    link.href = `#object-${object.index}`;
    cell.append(link);
  }
  return cell;
}

/* The table and the sections below it, in one order; a second click turns it around. */
function sortBy(column) {
  const cells = [...$("table").tHead.rows[0].cells], was = cells[column].getAttribute("aria-sort");
  const way = was ? { ascending: "descending", descending: "ascending" }[was] : COLUMNS[column][2];
  cells.forEach((cell, k) => (k === column ? cell.setAttribute("aria-sort", way) : cell.removeAttribute("aria-sort")));
  const order = new Intl.Collator("en", { numeric: true }).compare, sign = way === "ascending" ? 1 : -1, of = COLUMNS[column][1];
  const compare = (a, b) => sign * (column ? of(a) - of(b) : order(of(a), of(b))) || a.index - b.index;
  const sorted = [...objects].sort(compare);
  $("table").tBodies[0].replaceChildren(...sorted.map(object => {
    const row = element("tr");
    row.append(...COLUMNS.map((_, k) => cellOf(object, k)));
    return row;
  }));
  for (const object of sorted) $("objects").append(object.section);
}

function fillHead() {
  $("about").textContent = header.about.join(" · ");
  $("totals").replaceChildren(...["J&F", "J", "F"].flatMap(name => {
    const [mean, recall, decay] = header.scores[name], value = element("dd", "", digits(mean));
    value.append(element("small", "", `recall ${digits(recall)}, decay ${digits(decay)}`));
    const group = element("div");
    group.append(element("dt", "", name), value);
    return [group];
  }));
  $("remarks").hidden = !header.remarks.length;
  $("remarks").replaceChildren(...header.remarks.map(text => element("li", "", text)));
  const entries = frames.some(frame => frame.void) ? [...header.legend, header.legend_void] : header.legend;
  $("legend").replaceChildren(...entries.map(([colour, hollow, text]) => {
    const entry = element("li"), swatch = element("i", hollow ? "hollow" : "");
    swatch.style.setProperty("--swatch", `rgb(${colour})`);
    entry.append(swatch, text);
    return entry;
  }));
}

function setShow(value) {
  show = value;
  for (const button of document.querySelectorAll("[data-switch] button")) button.setAttribute("aria-pressed", button.value === value);
  near.forEach(paintCard);
  if (shown) paintLarge();
  paintOthers();
}

function openView(frame) {
  shown = frame;
  const { J, F } = measuresOf(frame), object = frame.object, [H, W] = frame.frame, ordered = inOrder(), at = ordered.indexOf(frame);
  $("view-key").textContent = `${object.name}, frame ${object.frames[frame.place]}`;
  $("place").textContent = `worst frames of all objects, ${number(at + 1)} of ${number(ordered.length)}`;
  $("previous").disabled = at === 0;
  $("next").disabled = at === ordered.length - 1;
  const facts = [
    ["J", J.toFixed(4)], ["F", F.toFixed(4)], ["Prediction", `${number(frame.found_area)} px`],
    ["Ground truth", `${number(frame.target_area)} px`], ["Frame", `${W} × ${H} px`],
    ["Object's mean", `J ${object.scores.J[0].toFixed(3)}, F ${object.scores.F[0].toFixed(3)}`],
  ];
  $("measures").replaceChildren(...facts.flatMap(([name, value]) => [element("dt", "", name), element("dd", "", value)]));
  if (!$("view").open) $("view").showModal();
  paintLarge();
  paintLocator(frame);
}

/* Worst frames as the sections follow each other now. */
function inOrder() {
  return [...$("objects").children].flatMap(section => objects[Number(section.id.slice(7))].worst);
}

function stepView(step) {
  const ordered = inOrder(), next = ordered[ordered.indexOf(shown) + step];
  if (next) openView(next);
}

function paintLarge() {
  const stage = $("large").parentNode, style = getComputedStyle(stage), [height, width] = shown.size;
  const across = stage.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
  const room = [across, Math.max(200, innerWidth < 760 ? innerHeight * 0.55 : innerHeight - 230)];
  const zoom = Math.min(room[0] / width, room[1] / height);
  paintFrame(shown, $("large"), [Math.round(width * zoom), Math.round(height * zoom)], () => shown !== null, 1.5);
}

async function paintLocator(frame) {
  const [x0, y0, x1, y1] = frame.region, [H, W] = frame.frame;
  $("locator").hidden = x0 === 0 && y0 === 0 && x1 === W && y1 === H;
  if ($("locator").hidden) return;
  const picture = await pictureOf(frame, 1);
  if (shown === frame) paintWhole($("whole"), picture, frame.region, frame.frame);
}

function setUpView() {
  const view = $("view");
  fillSwitches(VIEWS, setShow);
  $("previous").addEventListener("click", () => stepView(-1));
  $("next").addEventListener("click", () => stepView(1));
  $("close").addEventListener("click", () => view.close());
  view.addEventListener("click", event => { if (event.target === view) view.close(); });
  view.addEventListener("close", () => { const last = shown; shown = null; last.canvas.closest("button").focus(); });
  view.addEventListener("keydown", event => {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (step) { event.preventDefault(); stepView(step); }
  });
  addEventListener("resize", () => { near.forEach(paintCard); if (shown) paintLarge(); });
}

for (const object of objects) object.section = makeSection(object);
setUpView();
fillHead();
makeTable();
setShow(show);
requestAnimationFrame(() => requestAnimationFrame(() => { document.documentElement.dataset.ready = "yes"; }));
