/* Curves: J and F of an object over its frames, with its worst frames marked and a reading under the pointer. */

const CURVE = { width: 1000, height: 100 };
const MEASURES = ["J", "F"];

/* Where a frame stands from left to right, 0..1. */
function across(place, count) {
  return count > 1 ? place / (count - 1) : 0.5;
}

function curvePath(values) {
  const points = values.map((value, place) => `${(across(place, values.length) * CURVE.width).toFixed(1)} ${((1 - value) * CURVE.height).toFixed(2)}`);
  return points.length > 1 ? `M${points.join("L")}` : `M0 ${points[0].split(" ")[1]}H${CURVE.width}`;
}

function line(x0, y0, x1, y1, name) {
  return svgElement("path", { d: `M${x0} ${y0}L${x1} ${y1}`, class: name });
}

function positioned(name, text, style) {
  const made = element("span", name, text);
  Object.assign(made.style, style);
  return made;
}

/* A height of the plot, as far as its own box reaches: its 150 pixels. */
const HEIGHT = 150;
const atHeight = value => `${(1 - value) * HEIGHT}px`;
const atFrame = share => `calc(34px + (100% - 56px) * ${share})`;

/* The two letters at the curves' right end, moved apart where they would cover each other. */
function endLabels(object) {
  const last = MEASURES.map(name => object[name][object[name].length - 1]);
  const gap = 14 / HEIGHT, over = last[0] >= last[1] ? 1 : -1, middle = Math.min(1 - gap / 2, Math.max(gap / 2, (last[0] + last[1]) / 2));
  const places = Math.abs(last[0] - last[1]) >= gap ? last : [middle + over * gap / 2, middle - over * gap / 2];
  return MEASURES.map((name, k) => positioned(`end of-${name}`, name, { top: atHeight(places[k]) }));
}

function drawChart(object) {
  const chart = element("div", "chart"), count = object.frames.length;
  const svg = svgElement("svg", { viewBox: `0 0 ${CURVE.width} ${CURVE.height}`, preserveAspectRatio: "none", role: "img" });
  const least = MEASURES.map(name => `${name} ${Math.min(...object[name]).toFixed(2)} to ${Math.max(...object[name]).toFixed(2)}`);
  svg.setAttribute("aria-label", `Curves over ${count} frames: ${least.join(", ")}`);
  for (const y of [0, 0.5, 1]) svg.append(line(0, (1 - y) * CURVE.height, CURVE.width, (1 - y) * CURVE.height, y === 0.5 ? "grid half" : "grid"));
  object.worst.forEach(({ place }) => {
    const x = across(place, count) * CURVE.width;
    svg.append(line(x, 0, x, CURVE.height, "worst"));
  });
  for (const name of MEASURES) svg.append(svgElement("path", { d: curvePath(object[name]), class: `curve of-${name}` }));
  chart.append(svg, ...[0, 0.5, 1].map(y => positioned("y", y === 0.5 ? "0.5" : `${y}`, { top: atHeight(y) })), ...endLabels(object));
  const axis = element("div", "x");
  axis.append(...[...new Set([0, (count - 1) >> 1, count - 1])].map(place => element("span", "", object.frames[place])));
  chart.append(axis);
  follow(chart, svg, object);
  return chart;
}

/* What the curves say at the frame next to the pointer. */
function follow(chart, svg, object) {
  const reading = element("span", "reading"), cursor = line(0, 0, 0, CURVE.height, "cursor"), count = object.frames.length;
  reading.hidden = true;
  cursor.style.display = "none";
  svg.append(cursor);
  chart.append(reading);
  svg.addEventListener("pointermove", event => {
    const box = svg.getBoundingClientRect(), share = Math.min(1, Math.max(0, (event.clientX - box.x) / box.width));
    const place = Math.round(share * (count - 1)), x = across(place, count);
    cursor.setAttribute("d", `M${x * CURVE.width} 0V${CURVE.height}`);
    cursor.style.display = "";
    reading.textContent = `${object.frames[place]}  J ${object.J[place].toFixed(3)}  F ${object.F[place].toFixed(3)}`;
    reading.hidden = false;
    reading.style.left = atFrame(x);
    reading.style.transform = `translateX(${x > 0.5 ? "calc(-100% - 8px)" : "8px"})`;
  });
  svg.addEventListener("pointerleave", () => { reading.hidden = true; cursor.style.display = "none"; });
}
