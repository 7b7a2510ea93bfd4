/* The page: filters, order, plots and the large view, over the draws of `cards.js`. */

const footer = JSON.parse($("footer").textContent);
const draws = readDraws();
const sampleCount = new Set(draws.map(draw => draw.sample.key)).size;
let kept = draws, show = "differences";

const ORDERS = {
  key: ["Key", (a, b) => a.rank - b.rank],
  "iou-up": ["IoU, lowest first", (a, b) => a.iou - b.iou],
  "iou-down": ["IoU, highest first", (a, b) => b.iou - a.iou],
  "area-up": ["Area ratio, smallest first", (a, b) => a.area_ratio - b.area_ratio],
  "area-down": ["Area ratio, largest first", (a, b) => b.area_ratio - a.area_ratio],
  "size-up": ["Object, smallest first", (a, b) => a.sample.area - b.sample.area],
  "redraws-down": ["Redraws, most first", (a, b) => b.redraws - a.redraws],
};
const VIEWS = { differences: "Differences", outlines: "Outlines", photo: "Photo" };
const GROUPS = { recipe: draw => draw.recipe, source: draw => draw.sample.source, kind: draw => draw.kind };

async function paintDraw(draw, canvas, size, isWanted, line = 1) {
  canvas.setAttribute("aria-label", describe(draw, show));
  const picture = await pictureFor(canvas, draw.key, pictureOf(draw.sample), isWanted);
  if (picture) paintSized(canvas, size, picture, masksOf(draw), show, line);
}

const cards = new CardList($("list"), paintDraw, openView);

function fillSelect(select, first, values) {
  select.replaceChildren(...(first === null ? values : [["", first], ...values]).map(([value, text]) => new Option(text, value)));
  select.closest(".field").hidden = first !== null && values.length < 2;
}

function valuesOf(of) {
  const counts = new Map();
  for (const draw of draws) for (const value of [of(draw)].flat()) counts.set(value, (counts.get(value) || 0) + 1);
  return [...counts].sort((a, b) => (a[0] < b[0] ? -1 : 1)).map(([value, count]) => [value, `${value} (${number(count)})`]);
}

function setUpControls() {
  fillSelect($("source"), "All", valuesOf(GROUPS.source));
  fillSelect($("recipe"), "All", valuesOf(GROUPS.recipe));
  fillSelect($("kind"), "All", valuesOf(GROUPS.kind));
  const flags = valuesOf(draw => draw.flags), flagged = draws.filter(draw => draw.flags.length).length;
  fillSelect($("flags"), "All", [[" any", `any flag (${number(flagged)})`], [" none", `no flag (${number(draws.length - flagged)})`], ...flags]);
  $("flags").closest(".field").hidden = !flags.length;
  fillSelect($("sort"), null, Object.entries(ORDERS).map(([value, [text]]) => [value, text]));
  const groups = Object.keys(GROUPS).filter(name => valuesOf(GROUPS[name]).length > 1);
  fillSelect($("plots-by"), null, (groups.length ? groups : ["recipe"]).map(name => [name, name]));
  fillSwitches("[data-switch]", VIEWS, setShow);
  for (const input of document.querySelectorAll("#controls input, #controls select")) input.addEventListener("input", applyFilters);
  $("controls").addEventListener("submit", event => event.preventDefault());
  $("plots-by").addEventListener("input", drawPlots);
  $("reset").addEventListener("click", () => { $("controls").reset(); applyFilters(); });
  $("unfold").addEventListener("click", () => {
    const open = $("bar").classList.toggle("open");
    $("unfold").setAttribute("aria-expanded", open);
  });
}

/* The two handles of a range may pass each other: the lower of them is the lower end. */
function iouRange() {
  const ends = [Number($("iou-low").value), Number($("iou-high").value)];
  return [Math.min(...ends), Math.max(...ends)];
}

function chosenFilters() {
  const [low, high] = iouRange(), text = $("search").value.trim().toLowerCase();
  const tests = [];
  for (const name of ["source", "recipe", "kind"]) {
    const value = $(name).value;
    if (value) tests.push(draw => GROUPS[name](draw) === value);
  }
  const flag = $("flags").value;
  if (flag === " any") tests.push(draw => draw.flags.length > 0);
  else if (flag === " none") tests.push(draw => draw.flags.length === 0);
  else if (flag) tests.push(draw => draw.flags.includes(flag));
  if (low > 0 || high < 1) tests.push(draw => draw.iou >= low - 1e-9 && draw.iou <= high + 1e-9);
  if (text) tests.push(draw => draw.key.toLowerCase().includes(text));
  return tests;
}

function applyFilters() {
  const tests = chosenFilters(), [low, high] = iouRange(), order = ORDERS[$("sort").value][1];
  kept = draws.filter(draw => tests.every(test => test(draw))).sort((a, b) => order(a, b) || a.rank - b.rank);
  $("iou-text").textContent = `${low.toFixed(2)} to ${high.toFixed(2)}`;
  $("iou-low").parentNode.style.setProperty("--low", low);
  $("iou-low").parentNode.style.setProperty("--high", high);
  $("reset").hidden = !tests.length;
  const samples = new Set(kept.map(draw => draw.sample.key)).size;
  const of = (count, all) => (count === all ? number(all) : `${number(count)} of ${number(all)}`);
  $("count").textContent = `${of(kept.length, draws.length)} guide masks · ${of(samples, sampleCount)} objects`;
  $("none").hidden = kept.length > 0;
  const bar = $("bar").getBoundingClientRect(), top = $("cards").getBoundingClientRect().top;
  cards.show(kept);
  if (top < bar.height) scrollTo(0, scrollY + top - bar.height - 12);
  drawPlots();
}

function drawPlots() {
  const of = GROUPS[$("plots-by").value], groups = new Map();
  for (const draw of draws) {
    if (!groups.has(of(draw))) groups.set(of(draw), [[], []]);
    groups.get(of(draw))[0].push(draw);
  }
  for (const draw of kept) groups.get(of(draw))[1].push(draw);
  const rows = [...groups].sort((a, b) => (a[0] < b[0] ? -1 : 1)).map(([name, [all, now]]) => [name, all, now]);
  drawPlot($("plot-iou"), SCALES.iou, rows);
  drawPlot($("plot-area"), SCALES.area, rows);
}

function setShow(value) {
  show = value;
  press("[data-switch]", value);
  for (const [index, item] of cards.items) paintDraw(cards.draws[index], item.querySelector("canvas"), cards.picture, () => item.isConnected);
  if (shown) paintLarge();
}

function openView(draw) {
  const sample = draw.sample, at = kept.indexOf(draw), [H, W] = sample.photo;
  shown = draw;
  const place = at < 0 ? "outside the filter" : `${number(at + 1)} of ${number(kept.length)}`;
  showView(sample.key, place, neighbour(-1) === null, neighbour(1) === null);
  $("view-flags").replaceChildren(...draw.flags.map(flag => element("span", "badge", header.flags[flag] || flag)));
  fillMeasures([
    ["IoU with the target", draw.iou.toFixed(3)], ["Area ratio", `×${draw.area_ratio.toFixed(3)}`],
    ["Recipe", `${draw.recipe}, draw ${draw.variant}`], ["Kind", draw.kind], ["Source", sample.source],
    ["Object", `${number(sample.area)} px, ${(100 * sample.area / (H * W)).toPrecision(2)} % of the photo`],
    ["Photo", `${W} × ${H} px`], ["Redraws", `${draw.redraws}`],
  ]);
  $("words").replaceChildren(...(draw.words.length ? draw.words : ["the target as it is"]).map(text => element("li", "", text)));
  $("siblings").replaceChildren(...sample.draws.map(other => {
    const button = buttonOf("plain", () => openView(other), `${other.recipe} ${other.variant} · ${other.iou.toFixed(2)}`);
    button.setAttribute("aria-current", other === draw);
    return button;
  }));
  fillRaw(draw);
  paintLarge();
  paintLocator(sample.region, sample.photo, () => pictureOf(sample, 1), () => shown && shown.sample === sample);
}

function paintLarge() {
  paintDraw(shown, $("large"), largeSize(shown.sample.size), () => shown !== null, 1.5);
}

function fillRaw(draw) {
  const names = header.recipes[draw.recipe].parameters;
  $("raw").hidden = !names.length;
  $("raw").querySelector("tbody").replaceChildren(...names.map((name, k) => {
    const value = draw.numbers[k];
    return element("tr", "", element("td", "", name), element("td", "", value === null ? "not applied" : `${value}`));
  }));
}

/* The draw `step` places further in the filtered order, or null at its ends. */
function neighbour(step) {
  const at = kept.indexOf(shown);
  return at < 0 ? kept[0] || null : kept[at + step] || null;
}

function stepView(step) {
  const next = neighbour(step);
  if (next) openView(next);
}

function fillHead() {
  const entries = [...header.legend];
  if (draws.some(draw => draw.sample.void)) entries.push(header.legend_void);
  for (const flag of new Set(draws.flatMap(draw => draw.flags))) entries.push([header.flag_colour, true, header.flags[flag] || flag]);
  fillLegend(entries);
  const rest = footer.triples > draws.length ? `, the first of ${number(footer.triples)} draws` : "";
  const cut = footer.cut ? " More may be in the sources: --count sets how many are shown, spread evenly." : "";
  $("about").textContent = `${number(sampleCount)} objects with ${number(draws.length)} guide masks${rest}.${cut} Click a picture to enlarge it.`;
  $("problems").hidden = !footer.problem_count;
  $("problems").querySelector("summary").textContent = `Not shown, and why: ${number(footer.problem_count)}`;
  $("problems").querySelector("ul").replaceChildren(...footer.problems.map(([key, detail]) => element("li", "", `${key}: ${detail}`)));
}

fitAreaScale(draws);
setUpControls();
setUpView(stepView, cards.focus.bind(cards));
fillHead();
setShow(show);
applyFilters();
addEventListener("resize", () => { if (shown) paintLarge(); });
tellReady();
