/* Curves of several methods over each other, one for each of them, and what all say at the frame under the pointer. */

const COLOURS_OF_METHODS = 7;

/* The classes that give a method its colour, and a dash from the eighth method on. */
function styleOf(method) {
  const again = Math.floor(method / COLOURS_OF_METHODS) % 4;
  return `m${method % COLOURS_OF_METHODS}${again ? ` again${again}` : ""}`;
}

/* A short piece of a method's curve, for legends. */
function strokeOf(method) {
  const stroke = svgElement("path", { d: "M0 4H30", class: `curve ${styleOf(method)}` });
  return svgElement("svg", { viewBox: "0 0 30 8", class: `stroke ${styleOf(method)}`, "aria-hidden": "true" }, stroke);
}

/* Values of a method in every frame of an object, by a measure. */
function valuesOf(object, method, measure) {
  if (measure !== "J&F") return object[measure][method];
  return object.J[method].map((J, place) => (J + object.F[method][place]) / 2);
}

function drawCurves(svg, object) {
  for (const old of svg.querySelectorAll(".curve")) old.remove();
  const cursor = svg.querySelector(".cursor");
  header.methods.forEach((_, method) => {
    svg.insertBefore(curve(valuesOf(object, method, measure), styleOf(method)), cursor);
  });
  const ranges = header.methods.map((name, method) => rangeOf(name, valuesOf(object, method, measure)));
  svg.setAttribute("aria-label", `${measure} over ${object.frames.length} frames: ${ranges.join(", ")}. Arrow keys move, Enter shows the frame.`);
}

function drawComparison(object, open) {
  const svg = emptyPlot({ role: "button", tabindex: "0" }, [object.apart], object.frames.length);
  const plot = element("div", "plot-area", svg, ...heights(y => `${(1 - y) * 100}%`));
  object.svg = svg;
  readCurves(plot, svg, object, open);
  drawCurves(svg, object);
  return element("div", "chart", plot, axisOf(object.frames));
}

/* What the curves say at the frame next to the pointer or the cursor; a click or Enter shows it. */
function readCurves(plot, svg, object, open) {
  let at = object.apart;
  const count = object.frames.length;
  const reading = new Reading(plot, svg, count, element("div", "reading"), x => `${x * 100}%`, place => {
    at = place;
    return [element("b", "", object.frames[at]), ...header.methods.map((name, method) => {
      return element("div", "", strokeOf(method), `${valuesOf(object, method, measure)[at].toFixed(3)} ${name}`);
    })];
  });
  svg.append(reading.cursor);
  svg.addEventListener("click", event => { reading.show(reading.placeOf(event)); open(object, object.frames[at]); });
  svg.addEventListener("focus", () => { if (svg.matches(":focus-visible")) reading.show(at); });
  svg.addEventListener("blur", () => reading.hide());
  svg.addEventListener("keydown", event => {
    const step = ARROWS[event.key];
    if (step) { event.preventDefault(); reading.show(Math.min(count - 1, Math.max(0, at + step))); }
    if (event.key === "Enter") { event.preventDefault(); open(object, object.frames[at]); }
  });
}
