/* Pictures of one frame: the ground truth and every method, side by side; few below the curves, any in the large view. */

const BRIGHT = [[92, 179, 240], [255, 154, 90], [63, 206, 159], [238, 143, 196], [167, 155, 255], [216, 189, 60], [196, 201, 206]];
const VIEWS = { outlines: "Outlines", differences: "Differences", photo: "Frame" };
let view = "outlines", shown = null;

/* The frame of an object that can be looked at and stands next to one of a name. */
function nearest(object, name) {
  const wanted = object.frames.indexOf(name), distance = nth => Math.abs(object.frames.indexOf(object.shown[nth].frame) - wanted);
  return object.shown.map((_, nth) => nth).reduce((best, nth) => (distance(nth) < distance(best) ? nth : best), 0);
}

/* Promise of the small picture of a frame; plain grey where there is none. */
function pictureOf(frame) {
  return remembered(`picture ${frame.key}`, () => {
    const encoded = frame.pictures.textContent.split(",")[frame.nth];
    return encoded ? decodePicture(encoded) : plainGround(frame.size);
  });
}

function plainGround([height, width]) {
  const canvas = element("canvas");
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext("2d");
  context.fillStyle = "rgb(110, 110, 110)";
  context.fillRect(0, 0, width, height);
  return canvas;
}

/* Masks of an object in a frame: the ground truth, and what a method made of it, or the ground truth twice. */
function masksOf(frame, object, method) {
  const [height, width] = frame.size;
  const decode = (name, code) => code && remembered(`${name} ${frame.key}`, () => decodeMask(code, height, width));
  const target = decode(`target ${object.id}`, frame.target[object.id]);
  const rough = method < 0 ? target : decode(`found ${object.id} ${method}`, frame.found[object.id][method]);
  return { size: frame.size, target, rough, void: decode("void", frame.void) };
}

async function paintPanel(canvas, frame, object, method, isWanted) {
  const way = method < 0 && view === "differences" ? "outlines" : view, key = `${frame.key} ${object.id} ${method} ${view}`;
  canvas.dataset.wanted = key;
  const picture = await pictureOf(frame);
  const box = canvas.parentNode.getBoundingClientRect(), ratio = Math.min(2, devicePixelRatio || 1);
  if (!isWanted() || canvas.dataset.wanted !== key || !box.width) return;
  const size = [box.width, box.height].map(side => Math.max(1, Math.round(side * ratio)));
  const own = method < 0 ? header.colours.target : view === "outlines" ? BRIGHT[method % BRIGHT.length] : header.colours.rough;
  paint(canvas, ...size, picture, masksOf(frame, object, method), way, { ...header.colours, rough: own }, ratio);
  canvas.dataset.painted = view;
}

/* A picture with its caption; a button where `open` is given. */
function makePanel(method, open) {
  const panel = element(open ? "button" : "figure", "panel"), holder = element("span", "frame"), canvas = element("canvas");
  const caption = element(open ? "span" : "figcaption", "caption");
  if (open) { panel.type = "button"; panel.addEventListener("click", open); }
  canvas.setAttribute("role", "img");
  holder.append(canvas);
  panel.append(holder, caption);
  return { panel, canvas, holder, caption, method };
}

/* What stands below a picture, and what a reader that sees none is told. */
function captionPanel(made, frame, object) {
  const { method, caption, canvas, holder } = made, place = object.frames.indexOf(frame.frame);
  holder.style.setProperty("--shape", `${frame.size[1]} / ${frame.size[0]}`);
  if (method < 0) caption.replaceChildren(element("span", "", "ground truth"));
  else {
    const [J, F] = ["J", "F"].map(name => object[name].map(values => values[place].toFixed(3)));
    const best = list => list[method] === list.reduce((a, b) => (a > b ? a : b)) && new Set(list).size > 1 ? "best" : "";
    caption.replaceChildren(strokeOf(method), element("span", "", header.methods[method]),
      element("span", best(J), `J ${J[method]}`), element("span", best(F), `F ${F[method]}`));
  }
  canvas.setAttribute("aria-label", `${VIEWS[view]} of ${object.name}, frame ${frame.frame}: ${caption.textContent}`);
}

function fillPanels(place, frame, object, open) {
  const panels = [-1, ...header.methods.keys()].map(method => makePanel(method, open));
  place.replaceChildren(...panels.map(made => made.panel));
  for (const made of panels) captionPanel(made, frame, object);
  return () => Promise.all(panels.map(made => paintPanel(made.canvas, frame, object, made.method, () => made.canvas.isConnected)));
}

/* As many columns as make the pictures largest: all in sight where they can be, else none narrower than `LEAST`. */
const LEAST = 280;
function arrange(frame, count) {
  const body = $("panels").parentNode, style = getComputedStyle(body), gap = 14, caption = 30;
  const room = [body.clientWidth - 2 * parseFloat(style.paddingLeft), body.clientHeight - 2 * parseFloat(style.paddingTop)];
  const widthOf = columns => (room[0] - gap * (columns - 1)) / columns;
  const fitting = columns => {
    const rows = Math.ceil(count / columns), least = room[1] / rows - caption - gap;
    return Math.min(widthOf(columns), least * frame.size[1] / frame.size[0]);
  };
  const ways = Array.from({ length: count }, (_, k) => k + 1).filter(columns => columns === 1 || widthOf(columns) >= LEAST);
  const best = ways.reduce((a, b) => (fitting(b) > fitting(a) ? b : a)), width = fitting(best);
  $("panels").style.setProperty("--columns", best);
  $("panels").style.maxWidth = width >= LEAST ? `${Math.floor(width * best + gap * (best - 1))}px` : "";
}

function openView(object, name) {
  if (!object.shown.length) return;
  showFrame(object, nearest(object, name));
}

function showFrame(object, nth) {
  const frame = object.shown[nth], count = object.shown.length;
  shown = { object, nth };
  $("view-key").textContent = `${object.name}, frame ${frame.frame}`;
  $("place").textContent = `${number(nth + 1)} of ${number(count)}`;
  $("slider").max = count - 1;
  $("slider").value = nth;
  $("slider").setAttribute("aria-valuetext", `frame ${frame.frame}`);
  $("previous").disabled = nth === 0;
  $("next").disabled = nth === count - 1;
  if (!$("view").open) $("view").showModal();
  const paintAll = fillPanels($("panels"), frame, object, null);
  shown.paint = () => { arrange(frame, header.methods.length + 1); return paintAll(); };
  shown.paint();
}

function stepView(step) {
  const next = shown.nth + step;
  if (next >= 0 && next < shown.object.shown.length) showFrame(shown.object, next);
}

function setUpView() {
  const dialog = $("view");
  $("previous").addEventListener("click", () => stepView(-1));
  $("next").addEventListener("click", () => stepView(1));
  $("slider").addEventListener("input", () => showFrame(shown.object, Number($("slider").value)));
  $("close").addEventListener("click", () => dialog.close());
  dialog.addEventListener("click", event => { if (event.target === dialog) dialog.close(); });
  dialog.addEventListener("close", () => { const { object } = shown; shown = null; object.svg.focus(); });
  dialog.addEventListener("keydown", event => {
    if (event.altKey || event.ctrlKey || event.metaKey || event.target === $("slider")) return;
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (step) { event.preventDefault(); stepView(step); }
  });
}
