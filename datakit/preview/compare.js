/* The page of several methods: what they score, a table of all objects, and a section with curves and pictures for each. */

const SHOWN_MEASURES = { J: "J", F: "F", "J&F": "J&F" };
const painter = new Painter(200);
let measure = "J";
const objects = readObjects();

/* Every object of the page, with the frames of its sequence that can be looked at. */
function readObjects() {
  const found = readBlocks("sequence").flatMap(sequence => {
    sequence.shown.forEach((frame, nth) => Object.assign(frame, { nth, key: `${sequence.index} ${nth}` }));
    return sequence.objects.map(object => {
      const counted = new Set(object.frames), name = nameOf(sequence.name, object.id, sequence.objects.length > 1);
      return Object.assign(object, { sequence, name, shown: sequence.shown.filter(frame => counted.has(frame.frame)) });
    });
  });
  return found.map((object, index) => Object.assign(object, { index }));
}

/* A cell for every method, the best of them in bold; where all are alike none is. */
function cells(values, least = false) {
  const texts = values.map(digits), best = (least ? Math.min : Math.max)(...texts.map(Number));
  return texts.map(text => element("td", `figure${Number(text) === best && new Set(texts).size > 1 ? " best" : ""}`, text));
}

function makeSummary() {
  const heads = [headOf("col", "", header.total), ...header.methods.map(name => headOf("col", "figure", name))];
  $("summary").tHead.append(element("tr", "", ...heads));
  const rows = MEAN_FIRST.flatMap(name => PARTS.map((part, k) => {
    const scores = header.scores.map(each => each[name][k]);
    return element("tr", k ? "" : "first", headOf("row", "", `${name} ${part}`), ...cells(scores, part === "decay"));
  }));
  $("summary").tBodies[0].append(...rows);
}

function rowOf(object) {
  return [headOf("row", "", linkTo(object, object.name)), ...cells(object.scores.map(scores => scores[measure][0]))];
}

function makeSection(object) {
  const part = object.sequence.part ? ` · ${object.sequence.part}` : "";
  const section = sectionOf(object, `${number(object.frames.length)} frames${part}`);
  section.append(drawComparison(object, openView));
  if (object.shown.length) {
    const frame = object.shown[nearest(object, object.frames[object.apart])], panels = element("div", "panels");
    section.append(element("h3", "", `Frame ${frame.frame}, where the methods differ most (dotted line)`,
      element("span", "hint", "; click or tap the curves to see any other")), panels);
    painter.add(panels, fillPanels(panels, frame, object, () => openView(object, frame.frame)));
  }
  return section;
}

/* What the colours of the pictures mean, in the way they are shown now. */
function showLegend() {
  const voided = objects.some(object => object.shown.some(frame => frame.void)) ? [header.legend_void] : [];
  fillLegend({ outlines: header.legend_outlines, differences: [...header.legend, ...voided], photo: [] }[view]);
}

function setMeasure(value) {
  measure = value;
  press("[data-measure]", value);
  $("methods").replaceChildren(...header.methods.map((name, method) => {
    return element("li", "", strokeOf(method), name, element("b", "", digits(header.scores[method][measure][0])));
  }));
  for (const object of objects) drawCurves(object.svg, object);
  table.fill();
}

function setView(value) {
  view = value;
  press("[data-switch]", value);
  showLegend();
  if (shown) shown.paint();
  painter.paintAll();
}

for (const object of objects) object.section = makeSection(object);
const table = new ObjectTable(objects, [
  { text: "Sequence", classes: "", of: object => object.sequence.name },
  ...header.methods.map((text, method) => ({ text, classes: "figure", of: object => object.scores[method][measure][0] })),
], rowOf);
fillSwitches("[data-switch]", VIEWS, setView);
fillSwitches("[data-measure]", SHOWN_MEASURES, setMeasure);
$("slider").addEventListener("input", () => showFrame(shown.object, Number($("slider").value)));
setUpView(stepView, ({ object }) => object.svg.focus());
fillHead();
makeSummary();
setMeasure(measure);
setView(view);
addEventListener("resize", () => { painter.paintNear(); if (shown) shown.paint(); });
tellReady();
