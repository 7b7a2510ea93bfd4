/* The page of `datakit annotate`: what is open, what is drawn, what is heard of the background. */

import { fillHelp, obey } from "./keys.js";
import { Film } from "./film.js";
import { History, difference, union } from "./labels.js";
import { button, chosenFormats, editName, fillFormats, showJob, showObjects, warnOfExport } from "./panel.js";
import { Saver, get, listen, mask, photo, post } from "./server.js";
import { TOOLS, Tools } from "./tools.js";
import { View } from "./view.js";

const KEPT_PIXELS = 40e6; // of photos that were looked at
const LEAVE_MS = 400;
const GONE = "The program does not answer; it may have ended.";
const OLD = "The pictures are others than when this page was opened. Reload it.";
const $ = id => document.getElementById(id);
const root = document.documentElement;

class App {
  constructor(state) {
    Object.assign(this, state, { count: state.names.length, signs: [...state.signs], versions: [], started: Date.now().toString(36) });
    this.place = -1;
    this.wanted = this.at;
    this.labels = null;
    this.object = this.objects[0]?.id ?? null;
    this.history = new History();
    this.photos = new Map();
    this.made = new Map(); // place -> revision of the masks made there last
    this.before = null; // the picture as a stroke found it
    this.added = 0; // id of the last object that this page added
    this.edits = 0; // strokes begun and pictures kept: what was asked for before the last of them is old
    this.view = new View($("stage"), state.colours);
    this.tools = new Tools(this, this.view);
    this.view.onplace = () => this.tools.marks();
    this.film = new Film(this, $("line"), $("strip"));
    this.saver = new Saver(this);
  }

  /* Pictures */

  /* Shows a picture; of many that are asked for while one is loaded, the last. */
  go(place) {
    this.wanted = Math.max(0, Math.min(this.count - 1, place));
    this.tools.cancel();
    this.loading ??= this.load().finally(() => { this.loading = null; });
    return this.loading;
  }

  async load() {
    while (this.place !== this.wanted) {
      const place = this.wanted;
      try {
        const [bitmap, found] = await Promise.all([this.bitmap(place), this.found(place)]);
        if (place !== this.wanted) continue;
        this.show(place, bitmap, found);
      } catch (error) {
        this.wanted = this.place;
        this.say(error.message);
        return;
      }
    }
    for (const beside of [this.place + 1, this.place - 1]) {
      if (beside >= 0 && beside < this.count) this.bitmap(beside).catch(() => {});
    }
  }

  bitmap(place) {
    const kept = this.photos.get(place) ?? photo(place, this.identity);
    this.photos.delete(place);
    this.photos.set(place, kept);
    kept.then(bitmap => {
      const most = Math.max(3, Math.floor(KEPT_PIXELS / (bitmap.width * bitmap.height)));
      for (const old of [...this.photos.keys()].slice(0, Math.max(0, this.photos.size - most))) this.photos.delete(old);
    }, () => this.photos.delete(place));
    return kept;
  }

  /* Masks of a picture: those that wait to be saved, or the server's. */
  async found(place) {
    const waiting = this.saver.pending(place);
    return waiting ? { labels: waiting.clone(), drawn: true, settled: waiting.settled } : mask(place);
  }

  show(place, bitmap, found) {
    this.place = place;
    this.labels = found.labels;
    this.about = found;
    this.view.show(bitmap, found.labels);
    $("stage").dataset.place = place;
    this.redraw();
    this.film.thumbs();
    clearTimeout(this.leaving);
    if (this.writes) this.leaving = setTimeout(() => post("at", { place }).catch(() => {}), LEAVE_MS);
    if (found.version < this.versions[place]) this.reload(); // made while the photo was loaded
  }

  /* The masks of the picture in sight anew. */
  async reload() {
    const { place, edits } = this;
    if (place < 0 || this.before || this.saver.pending(place) !== undefined) return;
    const found = await mask(place).catch(() => null);
    if (!found || place !== this.place || edits !== this.edits || this.saver.pending(place) !== undefined) return;
    this.labels = this.about = null;
    Object.assign(this, { labels: found.labels, about: found });
    this.view.labels = found.labels;
    this.view.paint(found.labels.whole());
    this.redraw();
  }

  /* Drawing */

  canDraw(tool) {
    if (this.old) this.say(OLD);
    if (this.old || !this.labels || this.place !== this.wanted) return false;
    if (this.object !== null || tool === "eraser") return true;
    this.say("Add an object first (N).");
    return false;
  }

  begin() {
    this.edits++;
    this.before = this.labels.clone();
    this.dirty = null;
  }

  changed(area) {
    this.dirty = union(this.dirty, area);
    this.view.paint(area);
  }

  end() {
    const { before, labels, place, dirty } = this;
    this.before = null;
    const area = dirty && difference(before, labels, dirty);
    if (!area) return;
    const settled = this.about.settled ?? [], seen = [...new Set([...settled, ...before.ids(), ...labels.ids()])];
    const drawn = this.signs[place] === "d";
    this.history.add({ place, area, before: before.copy(area), after: labels.copy(area), drawnBefore: drawn, drawnAfter: true, settledBefore: settled, settledAfter: seen });
    this.keep(true, seen);
  }

  /* The picture is right as it is: as if it had been drawn so, and objects that are not seen are not there. */
  accept() {
    const { place, labels } = this, area = { x0: 0, y0: 0, x1: 1, y1: 1 };
    if (!this.writes || this.old || !labels || this.place !== this.wanted || this.signs[place] === "d") return;
    const all = this.objects.map(each => each.id);
    this.history.add({ place, area, before: labels.copy(area), after: labels.copy(area), drawnBefore: false, drawnAfter: true, settledAfter: all });
    this.keep(true, all);
  }

  /* Saves the picture in sight as drawn, or takes its drawing back; `settled`: ids that are gone if it does not show them. */
  keep(drawn, settled = []) {
    const { place } = this;
    this.edits++;
    this.signs[place] = drawn ? "d" : ".";
    this.about = { drawn, settled };
    this.saver.save(place, drawn ? Object.assign(this.labels.clone(), { settled }) : null);
    this.redraw();
  }

  /* Undoes or redoes; one after the other, as each may have to show another picture first. */
  step(back) {
    this.stepping = (this.stepping ?? Promise.resolve()).then(() => this.takeStep(back)).catch(error => this.say(error.message));
    return this.stepping;
  }

  async takeStep(back) {
    this.tools.cancel();
    await this.clearing; // else the change before it would be undone
    const change = this.history.step(back);
    if (!change) { this.say(back ? "Nothing to undo." : "Nothing to do again."); return; }
    if (change.removed !== undefined) {
      await this.change({ do: back ? "restore" : "remove", id: change.removed });
      this.say(`${back ? "Brought back" : "Removed"} ${change.name}.`);
      return;
    }
    await this.go(change.place);
    if (this.place !== change.place || this.wanted !== change.place || this.old) {
      this.history.step(!back);
      this.say(this.old ? OLD : `Picture ${change.place + 1} is not shown, so nothing was changed in it.`);
      return;
    }
    this.labels.paste(change.area, back ? change.before : change.after);
    this.view.paint(change.area);
    const drawn = back ? change.drawnBefore : change.drawnAfter;
    this.keep(drawn, back ? change.settledBefore : change.settledAfter);
    if (!drawn || !change.drawnAfter) this.showSaved(change.place);
  }

  /* The picture as it is without a drawing, or with what goes on below it. */
  async showSaved(place) {
    while (this.saver.pending(place) !== undefined) await new Promise(done => setTimeout(done, 30));
    await this.reload();
  }

  clear() {
    this.clearing ??= this.takeBack().finally(() => { this.clearing = null; });
    return this.clearing;
  }

  async takeBack() {
    if (this.signs[this.place] !== "d" || !this.writes || this.old) return;
    const { place, labels } = this, own = new Set(this.about.settled);
    const before = labels.data.map(id => own.has(id) ? id : 0); // what goes on below the drawing is none of it
    const change = { place, area: labels.whole(), before, after: before, drawnBefore: true, drawnAfter: false, settledBefore: this.about.settled };
    this.history.add(change);
    this.keep(false);
    await this.showSaved(place);
    if (this.place === place) change.after = this.labels.data.slice();
  }

  toldSaved(text, bad) {
    $("saved").textContent = this.old ? OLD : text;
    $("saved").classList.toggle("bad", bad || this.old === true);
    $("saved").dataset.count = this.saver?.saves ?? 0;
  }

  heardSaved(place, answer) {
    this.versions[place] = answer.version;
    this.heardChanges(answer);
    this.film.refresh();
  }

  /* What the server does not take is not shown any longer. */
  async heardRefused(place) {
    if (place === this.place) await this.reload();
    const state = await get("state").catch(() => null);
    if (state) this.heardChanges(state);
  }

  /* Objects */

  choose(id) {
    this.object = id;
    if (this.tools.tool === "eraser" || this.tools.tool === "hand") this.use("brush");
    this.redraw();
  }

  async change(body) {
    try {
      const answer = await post("objects", body);
      if (answer.id > this.added) this.object = this.added = answer.id;
      this.heardChanges(answer);
      this.redraw();
      return answer;
    } catch (error) {
      this.say(error.message);
      return null;
    }
  }

  add() { return this.writes && this.change({ do: "add" }); }

  rename(id, name) { this.change({ do: "name", id, name }); }

  async remove(id) {
    const name = this.objects.find(each => each.id === id).name;
    if (!await this.change({ do: "remove", id })) return;
    const change = { removed: id, name };
    this.history.add(change);
    this.say("");
    $("hint").replaceChildren(`Removed ${name} from all pictures. `, button("plain", "Bring it back", "", () => {
      if (this.history.done.at(-1) === change) { this.step(true); return; }
      this.say("");
      this.change({ do: "restore", id });
    }));
    $("hint").hidden = false;
    this.redraw();
  }

  /* Background */

  heard(event) {
    if (event.kind === "job") {
      this.job = event;
      showJob(event, this.folder);
    } else if (event.kind === "changes") {
      this.heardChanges(event);
    } else if (event.kind === "drawn") { // by this page or another
      const known = this.versions[event.place] === event.version;
      this.versions[event.place] = event.version;
      if (!known && event.place === this.place) this.reload();
      this.film.refresh();
    } else if (event.kind === "trouble") {
      this.say(event.message);
    } else if (event.kind === "made") {
      this.versions[event.place] = event.version;
      this.made.set(event.place, event.revision);
      if (this.signs[event.place] !== "d") this.signs[event.place] = "m";
      this.film.refresh();
      if ($("follow").checked && !this.before && !this.tools.busy && !this.loading && event.place !== this.place) this.go(event.place);
      else if (event.place === this.place) this.reload();
    }
  }

  heardChanges({ revision, objects, signs, offer, learned }) {
    if (revision < this.revision || this.old || signs.length !== this.count) return; // overtaken, or of other pictures
    const ids = JSON.stringify(this.objects.map(each => each.id));
    Object.assign(this, { revision, objects, offer, learned, signs: [...signs] });
    for (const [place, at] of this.made) {
      if (at < revision) this.made.delete(place);
      else if (signs[place] !== "d") this.signs[place] = "m"; // these masks came before an answer that knows nothing of them
    }
    for (const place of this.saver.waiting.keys()) this.signs[place] = this.saver.waiting.get(place) ? "d" : ".";
    if (!objects.some(each => each.id === this.object)) this.object = objects[0]?.id ?? null;
    if (JSON.stringify(objects.map(each => each.id)) !== ids) {
      this.freshen();
      this.reload();
    }
    this.redraw();
    this.film.refresh();
  }

  /* All masks that were fetched may be others by now; a program that is started again counts versions from 0. */
  freshen() {
    this.versions = [];
    this.started = Date.now().toString(36);
  }

  async heardConnection(is) {
    if (!is) {
      this.toldSaved(`${GONE} Start it again and keep this page open.`, true);
      this.job = {};
      this.lost = true;
      showJob(this.job);
      return;
    }
    const state = await get("state").catch(() => null);
    if (!state) return;
    if (state.identity !== this.identity || state.names.join("/") !== this.names.join("/")) {
      this.old = true;
      this.toldSaved("", true);
      return;
    }
    this.old = false;
    const { lost } = this;
    if (lost) this.freshen();
    this.lost = false;
    this.heardChanges(state);
    this.job = state.job;
    showJob(this.job, this.folder);
    if (lost && this.saver.isIdle) this.toldSaved(this.writes ? "Saved" : "To look at only", false);
    this.reload();
  }

  async propagate(direction) {
    if (this.kind === "stills" || !this.writes) return;
    if (this.job.state === "running" && this.job.job === "propagate") {
      this.say("It is propagating, and takes in what you draw meanwhile. S stops it.");
      return;
    }
    await this.startJob("propagate", { direction, at: this.place });
  }

  async learn() {
    if (this.kind === "stills" || !this.writes) return;
    await this.startJob("learn");
  }

  /* Begins when all drawings are saved; not at all where they wait for a program that does not answer. */
  async startJob(name, body) {
    while (!this.saver.isIdle) {
      if (this.lost) { this.say(`${GONE} Nothing was begun.`); return; }
      await new Promise(done => setTimeout(done, 20));
    }
    post(name, body).catch(error => this.say(error.message));
  }

  forget() { post("forget").catch(error => this.say(error.message)); }

  stop() { post("stop").catch(error => this.say(error.message)); }

  openExport() {
    if (!this.writes) return;
    warnOfExport(this.signs, this.kind);
    $("export").showModal();
  }

  async export() {
    if (!chosenFormats().length) { this.say("No format was chosen."); return; }
    post("export", { formats: chosenFormats() }).catch(error => this.say(error.message));
  }

  next() {
    const place = this.kind === "stills" ? this.undone() : this.offer;
    if (place !== null && place === this.place) this.say("This is the one that most needs a look: correct it, or accept it as it is (A).");
    else if (place !== null) this.go(place);
  }

  /* The next photo that was not drawn on, or null. */
  undone() {
    const order = [...this.signs.keys()].map(n => (this.place + 1 + n) % this.count);
    return order.find(place => this.signs[place] !== "d" && place !== this.place) ?? null;
  }

  /* What is shown */

  say(text) {
    $("hint").textContent = text;
    $("hint").hidden = !text;
    clearTimeout(this.saying);
    if (text) this.saying = setTimeout(() => { $("hint").hidden = true; }, 6000);
  }

  use(tool) {
    if (!this.writes && tool !== "hand") return;
    this.tools.choose(tool);
    for (const each of $("tools").children) each.setAttribute("aria-pressed", each.value === tool);
    $("stage").dataset.tool = tool;
  }

  setRadius(radius) {
    this.tools.radius = Math.max(1, Math.min(200, radius));
    $("radius").value = this.tools.radius;
    $("radius-text").textContent = `${this.tools.radius} px`;
    this.tools.marks();
  }

  setOpacity(percent) {
    const opacity = Math.max(0, Math.min(100, percent));
    $("opacity").value = opacity;
    $("opacity-text").textContent = `${opacity} %`;
    this.view.setOpacity(opacity / 100);
  }

  redraw() {
    showObjects(this, this.colours);
    $("undo").disabled = !this.history.done.length;
    $("redo").disabled = !this.history.undone.length;
    $("learned").hidden = !this.learned;
    $("learned-text").textContent = `New masks are made by what was learned from ${this.learned} drawings.`;
    if (this.place < 0) return;
    const drawn = this.signs[this.place] === "d", next = this.kind === "stills" ? this.undone() : this.offer;
    const noun = this.kind === "stills" ? "Photo" : "Frame";
    $("where").textContent = `${noun} ${this.place + 1} of ${this.count} · ${this.names[this.place]}`;
    $("about").textContent = this.told();
    $("clear").hidden = !drawn || !this.writes;
    $("accept").hidden = drawn || !this.writes;
    $("offer").disabled = next === null;
    $("offer").textContent = this.kind === "stills" ? offerPhoto(next, drawn) : offerFrame(next, this.place);
    this.film.draw();
  }

  /* What is known of the picture in sight. */
  told() {
    const sign = this.signs[this.place], { confidence, agreement } = this.about ?? {};
    if (sign === "d") return "This one was drawn by hand.";
    if (sign === "o") return "To be made again: drawings or the network have changed since.";
    if (agreement !== undefined) return `Made; both runs agree to ${agreement.toFixed(2)}.`;
    return confidence !== undefined ? `Made; confidence ${confidence.toFixed(2)}.` : "Nothing is drawn here yet.";
  }
}

function offerPhoto(next, drawn) {
  if (next !== null) return "Next photo";
  return drawn ? "All photos are drawn" : "All other photos are drawn";
}

function offerFrame(next, place) {
  if (next === null) return "Nothing to look at yet";
  return next === place ? "This frame needs a look" : `Look at frame ${next + 1}`;
}

function table(app) {
  const arrows = (dx, dy, step) => () => app.tools.crosshair ? app.tools.steer(dx, dy) : step && app.go(app.wanted + step);
  const escape = () => { if (!app.tools.cancel() && app.tools.crosshair) app.tools.toggleCrosshair(); };
  return [
    ...Object.entries(TOOLS).map(([tool, { name, key }]) => [[key], `${name} tool`, () => app.use(tool)]),
    [["1 – 9"], "choose an object", null],
    [["N"], "new object", () => app.add()],
    [["F2"], "rename the object", () => app.writes && editName(app, app.object)],
    [["["], "", () => app.setRadius(Math.floor(app.tools.radius / 1.25))],
    [["]"], "", () => app.setRadius(Math.ceil(app.tools.radius * 1.25))],
    [["[ ]"], "smaller, larger brush", null],
    [["Ctrl+Z"], "undo", () => app.step(true)],
    [["Ctrl+Shift+Z", "Ctrl+Y"], "do again", () => app.step(false)],
    [["Ctrl+Backspace"], "take the drawing of this picture back", () => app.clear()],
    [["A"], "accept the picture as it is; objects that it does not show are gone", () => app.accept()],
    [["Enter"], "close the polygon; with the crosshair, press and release", () => app.tools.crosshair && app.tools.tool !== "polygon" ? app.tools.strike() : enterPolygon(app)],
    [["Escape"], "take back what is not finished", escape],
    [["K"], "crosshair for drawing without a mouse", () => app.writes && app.tools.toggleCrosshair()],
    [["←", "→"], "previous, next picture; or move the crosshair", null],
    [[","], "", () => app.go(app.wanted - 1)],
    [["."], "", () => app.go(app.wanted + 1)],
    [[", ."], "previous, next picture, also with the crosshair", null],
    [["←"], "", arrows(-10, 0, -1)], [["→"], "", arrows(10, 0, 1)], [["↑"], "", arrows(0, -10, 0)], [["↓"], "", arrows(0, 10, 0)],
    [["Shift+←"], "", arrows(-1, 0, -10)], [["Shift+→"], "", arrows(1, 0, 10)], [["Shift+↑"], "", arrows(0, -1, 0)], [["Shift+↓"], "", arrows(0, 1, 0)],
    [["Shift+←", "Shift+→"], "ten pictures back, on; or move the crosshair finely", null],
    [["Home"], "first picture", () => app.go(0)],
    [["End"], "last picture", () => app.go(app.count - 1)],
    [["Space"], "play, pause", () => app.kind !== "stills" && app.film.togglePlay()],
    [["W"], "the picture that most needs a look", () => app.next()],
    [["G"], "propagate both ways", () => app.propagate("both")],
    [["Shift+F"], "propagate forwards", () => app.propagate("forwards")],
    [["Shift+B"], "propagate backwards", () => app.propagate("backwards")],
    [["L"], "learn from the drawings", () => app.learn()],
    [["S"], "stop", () => app.stop()],
    [["+", "="], "zoom in", () => app.view.zoom(1.4)],
    [["-"], "zoom out", () => app.view.zoom(1 / 1.4)],
    [["0"], "whole picture", () => app.view.fit()],
    [["O"], "masks fainter", () => app.setOpacity(Number($("opacity").value) - 15)],
    [["Shift+O"], "masks stronger", () => app.setOpacity(Number($("opacity").value) + 15)],
    [["Ctrl+E"], "export", () => app.openExport()],
    [["?"], "these keys", () => $("help").showModal()],
  ];
}

/* With the crosshair Enter sets a corner; twice in one place, or without it, it closes. */
function enterPolygon(app) {
  const { tools } = app, last = tools.corners.at(-1), here = tools.crosshair;
  if (here && !(last && last.x === here.x && last.y === here.y)) tools.strike();
  else tools.close();
}

function icon(path) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg"), line = document.createElementNS("http://www.w3.org/2000/svg", "path");
  svg.setAttribute("viewBox", "0 0 24 24");
  line.setAttribute("d", path);
  svg.append(line);
  return svg;
}

function setUp(app) {
  document.title = `${app.title} – annotate`;
  $("title").textContent = app.title;
  root.dataset.kind = app.kind;
  root.dataset.writes = app.writes;
  for (const [tool, { name, key, path }] of Object.entries(TOOLS)) {
    const made = button("tool", "", `${name} (${key})`, () => app.use(tool));
    made.value = tool;
    made.append(icon(path), name);
    made.disabled = !app.writes && tool !== "hand";
    $("tools").append(made);
  }
  const on = (id, act) => $(id).addEventListener("click", act);
  on("undo", () => app.step(true));
  on("redo", () => app.step(false));
  on("add", () => app.add());
  on("clear", () => app.clear());
  on("accept", () => app.accept());
  on("offer", () => app.next());
  on("learn", () => app.learn());
  on("forget", () => app.forget());
  on("stop", () => app.stop());
  on("previous", () => app.go(app.wanted - 1));
  on("next", () => app.go(app.wanted + 1));
  on("play", () => app.film.togglePlay());
  on("open-help", () => $("help").showModal());
  on("open-export", () => app.openExport());
  for (const direction of ["backwards", "both", "forwards"]) on(direction, () => app.propagate(direction));
  for (const close of document.querySelectorAll("[data-close]")) close.addEventListener("click", () => close.closest("dialog").close());
  $("export-form").addEventListener("submit", () => app.export());
  $("radius").addEventListener("input", event => app.setRadius(Number(event.target.value)));
  $("opacity").addEventListener("input", event => app.setOpacity(Number(event.target.value)));
  window.addEventListener("beforeunload", event => { if (!app.saver.isIdle) event.preventDefault(); });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => app.film.draw());
  const keys = table(app), digits = [..."123456789"].map((key, n) => [[key], "", () => app.objects[n] && app.choose(app.objects[n].id)]);
  fillHelp($("keys"), keys);
  obey([...keys.filter(([, , act]) => act), ...digits], () => !document.querySelector("dialog[open]"));
  fillFormats(app.formats, app.folder);
  app.setRadius(12);
  app.setOpacity(45);
  app.use(app.writes ? "brush" : "hand");
  showJob(app.job, app.folder);
  app.toldSaved(app.writes ? "Saved" : "To look at only", false);
  app.say(app.remark);
}

const app = new App(await get("state"));
setUp(app);
if (app.writes && !app.objects.length) await app.add();
await app.go(app.at);
listen(event => app.heard(event), is => app.heardConnection(is));
$("stage").focus({ preventScroll: true });
requestAnimationFrame(() => requestAnimationFrame(() => { root.dataset.ready = "yes"; }));
