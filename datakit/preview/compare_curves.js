/* Curves of several methods over each other, one for each of them, and what all say at the frame under the pointer. */

const COLOURS_OF_METHODS = 7;

/* The classes that give a method its colour, and a dash from the eighth method on. */
function styleOf(method) {
  const again = Math.floor(method / COLOURS_OF_METHODS) % 4;
  return `m${method % COLOURS_OF_METHODS}${again ? ` again${again}` : ""}`;
}

/* A short piece of a method's curve, for legends. */
function strokeOf(method) {
  const svg = svgElement("svg", { viewBox: "0 0 30 8", class: `stroke ${styleOf(method)}`, "aria-hidden": "true" });
  svg.append(svgElement("path", { d: "M0 4H30", class: `curve ${styleOf(method)}` }));
  return svg;
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
    svg.insertBefore(svgElement("path", { d: curvePath(valuesOf(object, method, measure)), class: `curve ${styleOf(method)}` }), cursor);
  });
  const ranges = header.methods.map((name, method) => {
    const values = valuesOf(object, method, measure);
    return `${name} ${Math.min(...values).toFixed(2)} to ${Math.max(...values).toFixed(2)}`;
  });
  svg.setAttribute("aria-label", `${measure} over ${object.frames.length} frames: ${ranges.join(", ")}. Arrow keys move, Enter shows the frame.`);
}

function drawComparison(object, open) {
  const chart = element("div", "chart"), count = object.frames.length;
  const svg = svgElement("svg", { viewBox: `0 0 ${CURVE.width} ${CURVE.height}`, preserveAspectRatio: "none", role: "button", tabindex: "0" });
  for (const y of [0, 0.5, 1]) svg.append(line(0, (1 - y) * CURVE.height, CURVE.width, (1 - y) * CURVE.height, y === 0.5 ? "grid half" : "grid"));
  const x = across(object.apart, count) * CURVE.width;
  svg.append(line(x, 0, x, CURVE.height, "worst"), line(0, 0, 0, CURVE.height, "cursor"));
  const plot = element("div", "plot-area"), axis = element("div", "x");
  axis.append(...[...new Set([0, (count - 1) >> 1, count - 1])].map(place => element("span", "", object.frames[place])));
  chart.append(plot, axis);
  plot.append(svg, ...[0, 0.5, 1].map(y => positioned("y", `${y}`, { top: `${(1 - y) * 100}%` })));
  object.svg = svg;
  readCurves(plot, svg, object, open);
  drawCurves(svg, object);
  return chart;
}

/* What the curves say at the frame next to the pointer or the cursor; a click or Enter shows it. */
function readCurves(plot, svg, object, open) {
  const reading = element("div", "reading"), cursor = svg.querySelector(".cursor"), count = object.frames.length;
  let at = object.apart;
  reading.hidden = true;
  cursor.style.display = "none";
  plot.append(reading);
  const hide = () => { reading.hidden = true; cursor.style.display = "none"; };
  const show = place => {
    at = Math.min(count - 1, Math.max(0, place));
    const x = across(at, count);
    cursor.setAttribute("d", `M${x * CURVE.width} 0V${CURVE.height}`);
    cursor.style.display = "";
    reading.replaceChildren(element("b", "", object.frames[at]), ...header.methods.map((name, method) => {
      const row = element("div");
      row.append(strokeOf(method), `${valuesOf(object, method, measure)[at].toFixed(3)} ${name}`);
      return row;
    }));
    reading.hidden = false;
    reading.style.left = `${x * 100}%`;
    reading.style.transform = `translateX(${x > 0.5 ? "calc(-100% - 8px)" : "8px"})`;
  };
  const placeOf = event => {
    const box = svg.getBoundingClientRect(), share = Math.min(1, Math.max(0, (event.clientX - box.x) / box.width));
    return Math.round(share * (count - 1));
  };
  svg.addEventListener("pointermove", event => show(placeOf(event)));
  svg.addEventListener("pointerleave", hide);
  svg.addEventListener("click", event => { show(placeOf(event)); open(object, object.frames[at]); });
  svg.addEventListener("focus", () => { if (svg.matches(":focus-visible")) show(at); });
  svg.addEventListener("blur", hide);
  svg.addEventListener("keydown", event => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (step) { event.preventDefault(); show(at + step); }
    if (event.key === "Enter") { event.preventDefault(); open(object, object.frames[at]); }
  });
}
