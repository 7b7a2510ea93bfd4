/* Plots: a histogram a group, all in grey, what the filter leaves in colour, the median as a line. */

const BINS = 48;

const SCALES = {
  iou: { heading: "IoU with the target", of: draw => draw.iou, place: value => value, ticks: () => [0, 0.25, 0.5, 0.75, 1] },
  area: { heading: "Area ratio, guide mask to target (doubling scale)", of: draw => draw.area_ratio },
};

/* The area axis runs over the whole powers of two that hold all draws. */
function fitAreaScale(draws) {
  let low = -1, high = 1;
  for (const draw of draws) {
    const power = Math.log2(Math.max(draw.area_ratio, 1 / 16));
    low = Math.min(low, power);
    high = Math.max(high, power);
  }
  low = Math.max(-4, Math.floor(low));
  high = Math.min(5, Math.ceil(high));
  SCALES.area.place = value => (Math.log2(Math.max(value, 1 / 16)) - low) / (high - low);
  SCALES.area.ticks = () => Array.from({ length: high - low + 1 }, (_, k) => 2 ** (low + k));
}

function medianOf(values) {
  if (!values.length) return NaN;
  const sorted = Float64Array.from(values).sort(), half = sorted.length >> 1;
  return sorted.length % 2 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
}

function binsOf(values, scale) {
  const bins = new Uint32Array(BINS);
  for (const value of values) bins[Math.min(BINS - 1, Math.max(0, Math.floor(scale.place(value) * BINS)))]++;
  return bins;
}

function barsPath(bins, most) {
  let path = "";
  bins.forEach((count, k) => {
    if (count) path += `M${k + 0.06} 40V${(40 - 38 * count / most).toFixed(2)}H${k + 0.94}V40Z`;
  });
  return path;
}

function histogram(name, all, kept, scale) {
  const bins = binsOf(all, scale), most = Math.max(1, ...bins), median = medianOf(kept);
  const svg = svgElement("svg", { viewBox: `0 0 ${BINS} 40`, preserveAspectRatio: "none", role: "img", class: "histogram" });
  svg.setAttribute("aria-label", `${scale.heading} of ${name}: ${kept.length} of ${all.length}, median ${kept.length ? median.toFixed(2) : "none"}`);
  svg.append(svgElement("path", { d: barsPath(bins, most), class: "bars-all" }));
  svg.append(svgElement("path", { d: barsPath(binsOf(kept, scale), most), class: "bars-now" }));
  if (kept.length) {
    const x = Math.min(1, Math.max(0, scale.place(median))) * BINS;
    svg.append(svgElement("path", { d: `M${x} 0V40`, class: "median" }));
  }
  return svg;
}

/* groups: [name, all draws, kept draws] each. */
function drawPlot(figure, scale, groups) {
  const ticks = scale.ticks(), axis = element("div", "axis");
  const caption = element("figcaption", "", scale.heading);
  const rows = groups.map(([name, all, kept]) => {
    const values = kept.map(scale.of), median = medianOf(values);
    const label = element("div", "plot-label", element("strong", "", name),
      element("span", "soft", values.length ? `${number(values.length)}, median ${median.toFixed(2)}` : "none left"));
    label.title = `${name}: ${kept.length} of ${all.length} draws, median ${values.length ? median.toFixed(3) : "none"}`;
    return element("div", "plot", label, histogram(name, all.map(scale.of), values, scale));
  });
  for (const tick of ticks) {
    const mark = element("span", "", tick < 1 && scale === SCALES.area ? `1/${1 / tick}` : `${tick}`);
    mark.style.left = `${scale.place(tick) * 100}%`;
    axis.append(mark);
  }
  figure.replaceChildren(caption, ...rows, axis);
}
