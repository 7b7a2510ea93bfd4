/* Curves: J and F of an object over its frames, with its worst frames marked and a reading under the pointer. */

const MEASURES = ["J", "F"];

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
  const count = object.frames.length;
  const svg = emptyPlot({ role: "img" }, object.worst.map(frame => frame.place), count);
  const ranges = MEASURES.map(name => rangeOf(name, object[name]));
  svg.setAttribute("aria-label", `Curves over ${count} frames: ${ranges.join(", ")}`);
  for (const name of MEASURES) svg.append(curve(object[name], `of-${name}`));
  const chart = element("div", "chart", svg, ...heights(atHeight), ...endLabels(object), axisOf(object.frames));
  const reading = new Reading(chart, svg, count, element("span", "reading"), atFrame, place => {
    return [`${object.frames[place]}  J ${object.J[place].toFixed(3)}  F ${object.F[place].toFixed(3)}`];
  });
  svg.append(reading.cursor);
  return chart;
}
