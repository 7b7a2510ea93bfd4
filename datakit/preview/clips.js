/* The page of clips: all of them show the same frame, those in sight are painted. */

const SPEEDS = [2, 4, 8, 12, 24];
const stills = readStills();
const clips = stills.flatMap(still => still.clips);
const longest = Math.max(...clips.map(clip => clip.frames));
let frame = 0, masks = true, speed = 8, timer = null;

/* Every still of the page; its clips know where their pictures are. */
function readStills() {
  const stills = readBlocks("still");
  for (const still of stills) still.clips.forEach((clip, nth) => Object.assign(clip, { nth, still, recipe: header.recipes[nth], seen: false, layers: null }));
  return stills;
}

/* Promise of the two pictures of a clip: all its frames, and all that is drawn over them. */
function layersOf(clip) {
  clip.layers ||= Promise.all([0, 1].map(which => pictureAt(clip.still.pictures, 2 * clip.nth + which)));
  return clip.layers;
}

async function paintClip(clip) {
  if (!clip.seen) return;
  const [photo, veil] = await layersOf(clip);
  const at = frame % clip.frames, { side, columns, canvas } = clip;
  const x = at % columns * side, y = Math.floor(at / columns) * side, context = canvas.getContext("2d");
  context.drawImage(photo, x, y, side, side, 0, 0, side, side);
  if (masks) context.drawImage(veil, x, y, side, side, 0, 0, side, side);
  canvas.dataset.painted = `${at} ${masks ? "masks" : "photo"}`;
}

function show(next) {
  frame = (next + longest) % longest;
  $("frame").value = frame;
  $("number").textContent = frame;
  clips.forEach(paintClip);
}

function play(is) {
  clearInterval(timer);
  timer = is ? setInterval(() => show(frame + 1), 1000 / speed) : null;
  $("play").textContent = is ? "Pause" : "Play";
  document.documentElement.dataset.playing = is ? "yes" : "no";
}

function step(by) {
  play(false);
  show(frame + by);
}

function setSpeed(value) {
  speed = value;
  $("speed").value = value;
  if (timer) play(true);
}

function setMasks(is) {
  masks = is;
  $("masks").setAttribute("aria-pressed", is);
  clips.forEach(paintClip);
}

function nextSpeed(by) {
  const place = SPEEDS.indexOf(speed) + by;
  if (place >= 0 && place < SPEEDS.length) setSpeed(SPEEDS[place]);
}

function makeFigure(clip) {
  clip.canvas = element("canvas");
  clip.canvas.width = clip.canvas.height = clip.side;
  clip.canvas.setAttribute("role", "img");
  clip.canvas.setAttribute("aria-label", `Clip of ${clip.still.key} by ${clip.recipe.name}: ${clip.about}`);
  return element("figure", "", clip.canvas, element("figcaption", "", element("b", "", `${clip.recipe.name}: `), clip.about));
}

function makeStill(still) {
  const grid = element("div", "clips", ...still.clips.map(makeFigure));
  grid.style.setProperty("--columns", header.recipes.length);
  grid.style.setProperty("--few", Math.min(2, header.recipes.length));
  return element("section", "still", element("h2", "", still.key), grid);
}

function fillHeads() {
  $("heads").style.setProperty("--columns", header.recipes.length);
  $("heads").append(...header.recipes.map(recipe => {
    return element("div", "", element("strong", "", recipe.name), element("span", "soft", recipe.about));
  }));
}

function showLegend() {
  const { rough, void: unknown } = header.colours, entries = [];
  if (clips.some(clip => clip.rough)) entries.push([rough, true, "rough mask"]);
  if (clips.some(clip => clip.void)) entries.push([unknown, false, "ignored: the source knows nothing"]);
  $("legend").hidden = !entries.length;
  fillLegend(entries);
}

/* Only what is near the window is decoded and painted. */
function watch() {
  const byCanvas = new Map(clips.map(clip => [clip.canvas, clip]));
  const observer = new IntersectionObserver(entries => {
    for (const entry of entries) {
      const clip = byCanvas.get(entry.target);
      clip.seen = entry.isIntersecting;
      if (!clip.seen) clip.layers = null;
      paintClip(clip);
    }
  }, { rootMargin: "300px" });
  byCanvas.forEach((_, canvas) => observer.observe(canvas));
}

function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches("select, input")) return;
  const keys = {
    ArrowLeft: () => step(-1), ArrowRight: () => step(1), m: () => setMasks(!masks), M: () => setMasks(!masks),
    "+": () => nextSpeed(1), "-": () => nextSpeed(-1),
  };
  if (event.key === " " && !event.target.matches("button")) keys[" "] = () => play(!timer);
  if (!keys[event.key]) return;
  event.preventDefault();
  keys[event.key]();
}

fillHeads();
showLegend();
$("stills").classList.toggle("many", header.recipes.length === 1);
$("stills").append(...stills.map(makeStill));
$("frame").max = longest - 1;
$("speed").append(...SPEEDS.map(value => {
  const option = element("option", "", `${value} frames a second`);
  option.value = value;
  return option;
}));
$("play").addEventListener("click", () => play(!timer));
$("previous").addEventListener("click", () => step(-1));
$("next").addEventListener("click", () => step(1));
$("frame").addEventListener("input", () => { play(false); show(Number($("frame").value)); });
$("speed").addEventListener("input", () => setSpeed(Number($("speed").value)));
$("masks").addEventListener("click", () => setMasks(!masks));
addEventListener("keydown", onKey);
setSpeed(speed);
watch();
play(!matchMedia("(prefers-reduced-motion: reduce)").matches);
document.documentElement.dataset.ready = "yes";
