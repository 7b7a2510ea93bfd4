/* Pictures of one frame: the ground truth and every method, side by side; few below the curves, any in the large view. */

const BRIGHT = [[92, 179, 240], [255, 154, 90], [63, 206, 159], [238, 143, 196], [167, 155, 255], [216, 189, 60], [196, 201, 206]];
const VIEWS = { outlines: "Outlines", differences: "Differences", photo: "Frame" };
let view = "outlines";

/* The frame of an object that can be looked at and stands next to one of a name. */
function nearest(object, name) {
  const wanted = object.frames.indexOf(name), distance = nth => Math.abs(object.frames.indexOf(object.shown[nth].frame) - wanted);
  return object.shown.map((_, nth) => nth).reduce((best, nth) => (distance(nth) < distance(best) ? nth : best), 0);
}

/* Masks of an object in a frame: the ground truth, and what a method made of it, or the ground truth twice. */
function masksOf(frame, object, method) {
  const mask = (name, code) => maskOf(`${name} ${frame.key}`, code, frame.size);
  const target = mask(`target ${object.id}`, frame.target[object.id]);
  const rough = method < 0 ? target : mask(`found ${object.id} ${method}`, frame.found[object.id][method]);
  return { size: frame.size, target, rough, void: mask("void", frame.void) };
}

async function paintPanel(canvas, frame, object, method) {
  const way = method < 0 && view === "differences" ? "outlines" : view, key = `${frame.key} ${object.id} ${method} ${view}`;
  const asked = remembered(`picture ${frame.key}`, () => pictureAt(object.sequence.pictures, frame.nth, frame.size));
  const picture = await pictureFor(canvas, key, asked, () => canvas.isConnected);
  const box = canvas.parentNode.getBoundingClientRect(), ratio = pixelRatio();
  if (!picture || !box.width) return;
  const size = [box.width, box.height].map(side => Math.max(1, Math.round(side * ratio)));
  const own = method < 0 ? header.colours.target : view === "outlines" ? BRIGHT[method % BRIGHT.length] : header.colours.rough;
  paint(canvas, ...size, picture, masksOf(frame, object, method), way, { ...header.colours, rough: own }, ratio);
  canvas.dataset.painted = view;
}

/* A picture with its caption; a button where `open` is given. */
function makePanel(frame, object, method, open) {
  const holder = makeFrame();
  const caption = element(open ? "span" : "figcaption", "caption"), place = object.frames.indexOf(frame.frame);
  holder.style.setProperty("--shape", `${frame.size[1]} / ${frame.size[0]}`);
  if (method < 0) caption.append(element("span", "", "ground truth"));
  else {
    const [J, F] = ["J", "F"].map(name => object[name].map(values => values[place].toFixed(3)));
    const best = list => list[method] === list.reduce((a, b) => (a > b ? a : b)) && new Set(list).size > 1 ? "best" : "";
    caption.append(strokeOf(method), element("span", "", header.methods[method]),
      element("span", best(J), `J ${J[method]}`), element("span", best(F), `F ${F[method]}`));
  }
  holder.firstChild.setAttribute("aria-label", `${VIEWS[view]} of ${object.name}, frame ${frame.frame}: ${caption.textContent}`);
  return open ? buttonOf("panel", open, holder, caption) : element("figure", "panel", holder, caption);
}

/* The ground truth and every method; gives what paints them. */
function fillPanels(place, frame, object, open) {
  const methods = [-1, ...header.methods.keys()], panels = methods.map(method => makePanel(frame, object, method, open));
  place.replaceChildren(...panels);
  return () => Promise.all(methods.map((method, k) => paintPanel(panels[k].querySelector("canvas"), frame, object, method)));
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
  showView(`${object.name}, frame ${frame.frame}`, `${number(nth + 1)} of ${number(count)}`, nth === 0, nth === count - 1);
  $("slider").max = count - 1;
  $("slider").value = nth;
  $("slider").setAttribute("aria-valuetext", `frame ${frame.frame}`);
  const paintAll = fillPanels($("panels"), frame, object, null);
  shown.paint = () => { arrange(frame, header.methods.length + 1); return paintAll(); };
  shown.paint();
}

function stepView(step) {
  const next = shown.nth + step;
  if (next >= 0 && next < shown.object.shown.length) showFrame(shown.object, next);
}
