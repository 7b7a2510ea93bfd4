/* The page: filters, order, plots and the large view, over the draws of `cards.js`. */

const $ = id => document.getElementById(id);
const header = JSON.parse($("header").textContent);
const footer = JSON.parse($("footer").textContent);
const draws = readDraws();
const sampleCount = new Set(draws.map(draw => draw.sample.key)).size;
let kept = draws, shown = null, show = "differences";

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

/* A canvas is painted when its photo is decoded, unless it has left the page or been given to another draw. */
async function paintDraw(draw, canvas, size, isWanted, line = 1) {
  canvas.setAttribute("aria-label", describe(draw, show));
  canvas.dataset.draw = draw.key;
  const picture = await pictureOf(draw.sample);
  if (!isWanted() || canvas.dataset.draw !== draw.key) return;
  const ratio = Math.min(2, devicePixelRatio || 1);
  canvas.style.width = `${size[0]}px`;
  canvas.style.height = `${size[1]}px`;
  paint(canvas, Math.round(size[0] * ratio), Math.round(size[1] * ratio), picture, masksOf(draw), show, header.colours, line * ratio);
  canvas.dataset.painted = show;
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
  fillSwitches(VIEWS, setShow);
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
  for (const button of document.querySelectorAll("[data-switch] button")) button.setAttribute("aria-pressed", button.value === value);
  for (const [index, item] of cards.items) paintDraw(cards.draws[index], item.querySelector("canvas"), cards.picture, () => item.isConnected);
  if (shown) paintLarge();
}

function openView(draw) {
  shown = draw;
  fillView();
  if (!$("view").open) $("view").showModal();
  paintLarge();
}

function paintLarge() {
  const stage = $("large").parentNode, style = getComputedStyle(stage), [height, width] = shown.sample.size;
  const across = stage.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
  const room = [across, Math.max(200, innerWidth < 760 ? innerHeight * 0.55 : innerHeight - 230)];
  const zoom = Math.min(room[0] / width, room[1] / height);
  paintDraw(shown, $("large"), [Math.round(width * zoom), Math.round(height * zoom)], () => shown !== null, 1.5);
}

function fillView() {
  const draw = shown, sample = draw.sample, at = kept.indexOf(draw), [H, W] = sample.photo;
  $("view-key").textContent = sample.key;
  $("place").textContent = at < 0 ? "outside the filter" : `${number(at + 1)} of ${number(kept.length)}`;
  $("previous").disabled = neighbour(-1) === null;
  $("next").disabled = neighbour(1) === null;
  $("view-flags").replaceChildren(...draw.flags.map(flag => element("span", "badge", header.flags[flag] || flag)));
  const facts = [
    ["IoU with the target", draw.iou.toFixed(3)], ["Area ratio", `×${draw.area_ratio.toFixed(3)}`],
    ["Recipe", `${draw.recipe}, draw ${draw.variant}`], ["Kind", draw.kind], ["Source", sample.source],
    ["Object", `${number(sample.area)} px, ${(100 * sample.area / (H * W)).toPrecision(2)} % of the photo`],
    ["Photo", `${W} × ${H} px`], ["Redraws", `${draw.redraws}`],
  ];
  $("measures").replaceChildren(...facts.flatMap(([name, value]) => [element("dt", "", name), element("dd", "", value)]));
  $("words").replaceChildren(...(draw.words.length ? draw.words : ["the target as it is"]).map(text => element("li", "", text)));
  $("siblings").replaceChildren(...sample.draws.map(other => {
    const button = element("button", "plain", `${other.recipe} ${other.variant} · ${other.iou.toFixed(2)}`);
    button.type = "button";
    button.setAttribute("aria-current", other === draw);
    button.addEventListener("click", () => openView(other));
    return button;
  }));
  fillRaw(draw);
  paintLocator(sample);
}

function fillRaw(draw) {
  const names = header.recipes[draw.recipe].parameters;
  $("raw").hidden = !names.length;
  $("raw").querySelector("tbody").replaceChildren(...names.map((name, k) => {
    const row = element("tr"), value = draw.numbers[k];
    row.append(element("td", "", name), element("td", "", value === null ? "not applied" : `${value}`));
    return row;
  }));
}

/* Where only a part of the photo is shown: the whole of it, with a frame around that part. */
async function paintLocator(sample) {
  const [x0, y0, x1, y1] = sample.region, [H, W] = sample.photo;
  $("locator").hidden = x0 === 0 && y0 === 0 && x1 === W && y1 === H;
  if ($("locator").hidden) return;
  const picture = await pictureOf(sample, 1), canvas = $("whole");
  if (!shown || shown.sample !== sample) return;
  paintWhole(canvas, picture, sample.region, sample.photo);
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

function setUpView() {
  const view = $("view");
  $("previous").addEventListener("click", () => stepView(-1));
  $("next").addEventListener("click", () => stepView(1));
  $("close").addEventListener("click", () => view.close());
  view.addEventListener("click", event => { if (event.target === view) view.close(); });
  view.addEventListener("close", () => { const last = shown; shown = null; cards.focus(last); });
  view.addEventListener("keydown", event => {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (step) { event.preventDefault(); stepView(step); }
  });
  addEventListener("resize", () => { if (shown) paintLarge(); });
}

function fillHead() {
  const entries = [...header.legend];
  if (draws.some(draw => draw.sample.void)) entries.push(header.legend_void);
  for (const flag of new Set(draws.flatMap(draw => draw.flags))) entries.push([header.flag_colour, true, header.flags[flag] || flag]);
  $("legend").replaceChildren(...entries.map(([colour, hollow, text]) => {
    const entry = element("li"), swatch = element("i", hollow ? "hollow" : "");
    swatch.style.setProperty("--swatch", `rgb(${colour})`);
    entry.append(swatch, text);
    return entry;
  }));
  const rest = footer.triples > draws.length ? `, the first of ${number(footer.triples)} draws` : "";
  const cut = footer.cut ? " More may be in the sources: --count sets how many are shown, spread evenly." : "";
  $("about").textContent = `${number(sampleCount)} objects with ${number(draws.length)} guide masks${rest}.${cut} Click a picture to enlarge it.`;
  $("problems").hidden = !footer.problem_count;
  $("problems").querySelector("summary").textContent = `Not shown, and why: ${number(footer.problem_count)}`;
  $("problems").querySelector("ul").replaceChildren(...footer.problems.map(([key, detail]) => element("li", "", `${key}: ${detail}`)));
}

fitAreaScale(draws);
setUpControls();
setUpView();
fillHead();
setShow(show);
applyFilters();
requestAnimationFrame(() => requestAnimationFrame(() => { document.documentElement.dataset.ready = "yes"; }));
