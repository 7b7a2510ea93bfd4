/* The page of scores: totals, the table, a section an object, and the large view of its worst frames. */

const VIEWS = { differences: "Differences", outlines: "Outlines", photo: "Frame" };
const painter = new Painter(1000);
const objects = readObjects();
let show = "differences";

/* Every object of the page; its worst frames know it. */
function readObjects() {
  const found = readBlocks("object");
  for (const object of found) {
    object.name = nameOf(object.sequence, object.id, object.several);
    object.worst.forEach((frame, nth) => Object.assign(frame, { object, nth, key: `${object.index} ${nth}` }));
  }
  return found;
}

/* Promise of a picture of a frame: 0 the part that is shown, 1 all of it. */
function pictureOf(frame, which = 0) {
  const size = which ? frame.frame : frame.size;
  return remembered(`picture ${frame.key} ${which}`, () => pictureAt(frame.object.pictures, 2 * frame.nth + which, size));
}

function masksOf(frame) {
  const mask = name => maskOf(`${name} ${frame.key}`, frame[name], frame.size);
  return { size: frame.size, target: mask("target"), rough: mask("rough"), void: mask("void") };
}

function measuresOf(frame) {
  return { J: frame.object.J[frame.place], F: frame.object.F[frame.place] };
}

async function paintFrame(frame, canvas, size, isWanted, line = 1) {
  const { J, F } = measuresOf(frame), name = frame.object.frames[frame.place];
  canvas.setAttribute("aria-label", `${VIEWS[show]} of ${frame.object.name}, frame ${name}: J ${J.toFixed(2)}, F ${F.toFixed(2)}`);
  const picture = await pictureFor(canvas, frame.key, pictureOf(frame), isWanted);
  if (picture) paintSized(canvas, size, picture, masksOf(frame), show, line);
}

function makeCard(frame) {
  const { J, F } = measuresOf(frame);
  const caption = element("span", "card-measures", element("b", "", frame.object.frames[frame.place]), ` · J ${J.toFixed(2)} · F ${F.toFixed(2)}`);
  const holder = makeFrame(), card = buttonOf("card", () => openView(frame), holder, caption);
  painter.add(card, () => {
    const box = holder.getBoundingClientRect();
    return paintFrame(frame, holder.firstChild, [Math.round(box.width), Math.round(box.height)], () => true);
  });
  frame.card = card;
  return card;
}

function figures(scores) {
  return PARTS.map((part, k) => `${part} ${digits(scores[k])}`).join(", ");
}

function makeSection(object) {
  const about = `J ${figures(object.scores.J)} · F ${figures(object.scores.F)} · ${number(object.frames.length)} frames`;
  const strip = element("div", "strip", ...object.worst.map(makeCard));
  return sectionOf(object, about, drawChart(object), element("h3", "", "Worst frames, at the dotted lines"), strip);
}

const COLUMNS = [
  { text: "Sequence", classes: "", of: object => object.sequence },
  { text: "Object", classes: "figure", of: object => object.id, words: number },
  { text: "Frames", classes: "figure", of: object => object.frames.length, words: number, falls: true },
  ...MEAN_FIRST.flatMap(name => PARTS.map((part, k) => ({
    text: `${name} ${part}`, classes: k ? "figure" : "figure first", of: object => object.scores[name][k], words: digits, falls: part === "decay",
  }))),
];

function rowOf(object) {
  return COLUMNS.map(({ classes, of, words }) => element("td", classes, words ? words(of(object)) : linkTo(object, of(object))));
}

function fillTotals() {
  $("totals").replaceChildren(...MEAN_FIRST.map(name => {
    const [mean, recall, decay] = header.scores[name].map(digits);
    return element("div", "", element("dt", "", name), element("dd", "", mean, element("small", "", `recall ${recall}, decay ${decay}`)));
  }));
}

function setShow(value) {
  show = value;
  press("[data-switch]", value);
  if (shown) paintLarge();
  painter.paintAll();
}

function openView(frame) {
  shown = frame;
  const { J, F } = measuresOf(frame), object = frame.object, [H, W] = frame.frame, ordered = inOrder(), at = ordered.indexOf(frame);
  const place = `worst frames of all objects, ${number(at + 1)} of ${number(ordered.length)}`;
  showView(`${object.name}, frame ${object.frames[frame.place]}`, place, at === 0, at === ordered.length - 1);
  fillMeasures([
    ["J", J.toFixed(4)], ["F", F.toFixed(4)], ["Prediction", `${number(frame.found_area)} px`],
    ["Ground truth", `${number(frame.target_area)} px`], ["Frame", `${W} × ${H} px`],
    ["Object's mean", `J ${object.scores.J[0].toFixed(3)}, F ${object.scores.F[0].toFixed(3)}`],
  ]);
  paintLarge();
  paintLocator(frame.region, frame.frame, () => pictureOf(frame, 1), () => shown === frame);
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
  paintFrame(shown, $("large"), largeSize(shown.size), () => shown !== null, 1.5);
}

for (const object of objects) object.section = makeSection(object);
new ObjectTable(objects, COLUMNS, rowOf).fill();
setUpView(stepView, frame => frame.card.focus());
fillHead();
fillTotals();
fillSwitches("[data-switch]", VIEWS, setShow);
fillLegend(objects.some(object => object.worst.some(frame => frame.void)) ? [...header.legend, header.legend_void] : header.legend);
setShow(show);
addEventListener("resize", () => { painter.paintNear(); if (shown) paintLarge(); });
tellReady();
