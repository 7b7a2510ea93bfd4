/* The page of `datakit annotate`: the picture in sight, the objects, and what is told of them. Parts of their own draw, play and wait. */

import { Background } from "./background.js";
import { Drawing } from "./drawing.js";
import { Film } from "./film.js";
import { button, enable, showObjects } from "./panel.js";
import { Photos } from "./photos.js";
import { Saver, get, mask, post } from "./server.js";
import { Tools } from "./tools.js";
import { View } from "./view.js";
import { NEEDS_A_LOOK, OLD, aboutPicture, firstStep, offerFrame, offerPhoto } from "./words.js";

const LEAVE_MS = 400; // a picture shown so long is where one left
const HINT_MS = 6000;
const $ = id => document.getElementById(id);

export class App {
  /* state: as the program tells it; see `Session.state`. */
  constructor(state) {
    const { names, kind, folder, fps, writes, identity, colours, objects, offer, learned } = state;
    Object.assign(this, { names, kind, folder, fps, writes, identity, colours, objects, offer, learned });
    this.count = names.length;
    this.signs = [...state.signs]; // of each picture: `d` drawn, `m` made, `o` made by what has changed since, `.` nothing
    this.freshen();
    this.place = -1; // of the picture in sight, of the one to come into sight
    this.wanted = state.at;
    this.labels = this.about = null;
    this.object = objects[0]?.id ?? null;
    this.added = 0; // id of the last object that this page added
    this.old = false; // the program has other pictures open by now
    this.view = new View($("stage"), colours);
    this.photos = new Photos(this.count, identity);
    this.drawing = new Drawing(this);
    this.tools = new Tools(this, this.view);
    this.view.onplace = () => this.tools.marks();
    this.film = new Film(this, $("line"), $("strip"));
    this.saver = new Saver(this);
    this.background = new Background(this, state);
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
        const [bitmap, found] = await Promise.all([this.photos.get(place), this.found(place)]);
        if (place === this.wanted) this.show(place, bitmap, found);
      } catch (error) {
        this.wanted = this.place;
        this.say(error.message);
        return;
      }
    }
    this.photos.around(this.place);
  }

  /* Masks of a picture: those that wait to be saved, or the program's. */
  async found(place) {
    const waiting = this.saver.pending(place);
    return waiting ? { labels: waiting.clone(), drawn: true, settled: waiting.settled, drawing: this.saver.bases.get(place) } : mask(place);
  }

  show(place, bitmap, found) {
    this.place = place;
    this.labels = found.labels;
    this.about = found;
    this.drawing.found(place, found);
    this.view.show(bitmap, found.labels);
    $("stage").dataset.place = place;
    this.redraw();
    this.film.thumbs();
    clearTimeout(this.leaving);
    if (this.writes) this.leaving = setTimeout(() => post("at", { place }).catch(() => {}), LEAVE_MS);
    if (found.version < this.versions[place]) this.reload(); // made while the photo was loaded
  }

  /* The masks of the picture in sight anew; what is drawn meanwhile goes before. */
  async reload() {
    const { place, drawing, saver } = this, { edits } = drawing;
    if (place < 0 || drawing.before || saver.pending(place) !== undefined) return;
    const found = await mask(place).catch(() => null);
    if (!found || found.version < this.versions[place]) return; // one that was asked for later was here before
    if (place !== this.place || edits !== drawing.edits || saver.pending(place) !== undefined) return;
    this.labels = this.view.labels = found.labels;
    this.about = found;
    this.drawing.found(place, found);
    this.view.paint(found.labels.whole());
    this.redraw();
  }

  /* All masks that were fetched may be others by now; a program that is started again counts versions from 0. */
  freshen() {
    this.versions = [];
    this.started = Date.now().toString(36);
  }

  /* Whether nothing is drawn or made anywhere. */
  get isBlank() { return this.signs.every(sign => sign === "."); }

  /* The picture to look at next, or null: of photos one that was not drawn on, of a film the one that most needs it. */
  get next() {
    if (this.kind !== "stills") return this.offer;
    const order = [...this.signs.keys()].map(n => (this.place + 1 + n) % this.count);
    return order.find(place => this.signs[place] !== "d" && place !== this.place) ?? null;
  }

  goNext() {
    const { next } = this;
    if (next !== null && next === this.place) this.say(NEEDS_A_LOOK);
    else if (next !== null) this.go(next);
  }

  /* Saving */

  toldSaved(text, bad) {
    $("saved").textContent = this.old ? OLD : text;
    $("saved").classList.toggle("bad", bad || this.old);
    $("saved").dataset.count = this.saver.saves;
  }

  heardSaved(place, answer) {
    if (place === this.place && this.versions[place] > answer.version) this.reload(); // another tab has drawn since
    else this.versions[place] = answer.version;
    this.background.changes(answer);
    this.film.refresh();
  }

  /* What the program does not take is not shown any longer. */
  async heardRefused(place, why) {
    if (place === this.place) await this.reload();
    this.say(why);
    const state = await get("state").catch(() => null);
    if (state) this.background.changes(state);
  }

  /* Objects */

  choose(id) {
    this.object = id;
    if (this.tools.tool === "eraser" || this.tools.tool === "hand") this.use("brush");
    this.redraw();
    $("objects").querySelector(".now")?.scrollIntoView({ block: "nearest" });
  }

  async change(body) {
    try {
      const answer = await post("objects", body);
      if (answer.id > this.added) this.object = this.added = answer.id;
      this.background.changes(answer);
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
    const { name } = this.objects.find(each => each.id === id), { history } = this.drawing;
    if (!await this.change({ do: "remove", id })) return;
    const change = { removed: id, name };
    history.add(change);
    this.say("");
    $("hint").replaceChildren(`Removed ${name} from all pictures. `, button("plain", "Bring it back", "", () => {
      if (history.done.at(-1) === change) { this.drawing.step(true); return; }
      this.say("");
      this.change({ do: "restore", id });
    }));
    $("hint").hidden = false;
    this.redraw();
  }

  /* What is shown */

  say(text) {
    $("hint").textContent = text;
    $("hint").hidden = !text;
    clearTimeout(this.saying);
    if (text) this.saying = setTimeout(() => { $("hint").hidden = true; }, HINT_MS);
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
    enable(this, this.background.job);
    $("undo").disabled = !this.drawing.history.done.length;
    $("redo").disabled = !this.drawing.history.undone.length;
    $("learned").hidden = !this.learned;
    $("learned-text").textContent = `New masks are made by what was learned from ${this.learned} drawings.`;
    if (this.place >= 0) this.redrawPicture();
  }

  redrawPicture() {
    const { place, next, drawing: { isDrawn } } = this, isStill = this.kind === "stills";
    $("where").textContent = `${isStill ? "Photo" : "Frame"} ${place + 1} of ${this.count} · ${this.names[place]}`;
    $("about").textContent = this.isBlank && this.writes ? firstStep(this.kind) : aboutPicture(this.signs[place], this.about ?? {});
    $("clear").hidden = !isDrawn || !this.writes;
    $("accept").hidden = isDrawn || !this.writes;
    $("offer").disabled = next === null;
    $("offer").textContent = isStill ? offerPhoto(next, isDrawn) : offerFrame(this);
    this.film.draw();
  }
}
