/* Plots of curves over the frames of an object, and what they say at the frame next to the pointer. */

const CURVE = { width: 1000, height: 100 };

/* Where a frame stands from left to right, 0..1. */
function across(place, count) {
  return count > 1 ? place / (count - 1) : 0.5;
}

function curvePath(values) {
  const points = values.map((value, place) => `${(across(place, values.length) * CURVE.width).toFixed(1)} ${((1 - value) * CURVE.height).toFixed(2)}`);
  return points.length > 1 ? `M${points.join("L")}` : `M0 ${points[0].split(" ")[1]}H${CURVE.width}`;
}

function curve(values, classes) {
  return svgElement("path", { d: curvePath(values), class: `curve ${classes}` });
}

function line(x0, y0, x1, y1, name) {
  return svgElement("path", { d: `M${x0} ${y0}L${x1} ${y1}`, class: name });
}

function positioned(name, text, style) {
  const made = element("span", name, text);
  Object.assign(made.style, style);
  return made;
}

function rangeOf(name, values) {
  return `${name} ${Math.min(...values).toFixed(2)} to ${Math.max(...values).toFixed(2)}`;
}

/* A plot with its grid, and a dotted line at each of the places. */
function emptyPlot(attributes, places, count) {
  const svg = svgElement("svg", { viewBox: `0 0 ${CURVE.width} ${CURVE.height}`, preserveAspectRatio: "none", ...attributes });
  for (const y of [0, 0.5, 1]) svg.append(line(0, (1 - y) * CURVE.height, CURVE.width, (1 - y) * CURVE.height, y === 0.5 ? "grid half" : "grid"));
  for (const x of places.map(place => across(place, count) * CURVE.width)) svg.append(line(x, 0, x, CURVE.height, "worst"));
  return svg;
}

/* The numbers beside the grid; `top` gives the place of a value. */
function heights(top) {
  return [0, 0.5, 1].map(y => positioned("y", `${y}`, { top: top(y) }));
}

function axisOf(frames) {
  const last = frames.length - 1, places = new Set([0, last >> 1, last]);
  return element("div", "x", ...[...places].map(place => element("span", "", frames[place])));
}

/* What the curves say at a frame: it follows the pointer. `left` gives the place of a share of the width, `words` what
   to say at a frame. */
class Reading {
  constructor(plot, svg, count, box, left, words) {
    Object.assign(this, { svg, count, box, left, words, cursor: line(0, 0, 0, CURVE.height, "cursor") });
    this.hide();
    plot.append(box);
    svg.addEventListener("pointermove", event => this.show(this.placeOf(event)));
    svg.addEventListener("pointerleave", () => this.hide());
  }

  placeOf(event) {
    const box = this.svg.getBoundingClientRect(), share = Math.min(1, Math.max(0, (event.clientX - box.x) / box.width));
    return Math.round(share * (this.count - 1));
  }

  show(place) {
    const x = across(place, this.count);
    this.cursor.setAttribute("d", `M${x * CURVE.width} 0V${CURVE.height}`);
    this.cursor.style.display = "";
    this.box.replaceChildren(...this.words(place));
    this.box.hidden = false;
    this.box.style.left = this.left(x);
    this.box.style.transform = `translateX(${x > 0.5 ? "calc(-100% - 8px)" : "8px"})`;
  }

  hide() {
    this.box.hidden = true;
    this.cursor.style.display = "none";
  }
}
