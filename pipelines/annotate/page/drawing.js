/* What is drawn on the picture in sight: strokes, accepting, taking back; and undoing and redoing each of them. */

import { History, difference, union } from "./labels.js";
import { NOTHING_TO_ACCEPT, OLD, pictureName } from "./words.js";

export class Drawing {
  /* app: the picture in sight as `place`, `labels` and `about`; `signs`, `objects`, `saver`, `view`, `tools`, `go(place)`. */
  constructor(app) {
    this.app = app;
    this.history = new History();
    this.before = null; // the picture as a stroke found it
    this.edits = 0; // strokes begun and pictures kept: masks that were asked for before the last of them are old
  }

  /* Whether the picture in sight is the one to draw on, and may be. */
  get isOpen() {
    const { app } = this;
    return app.writes && !app.old && app.labels !== null && app.place === app.wanted;
  }

  get isDrawn() { return this.app.signs[this.app.place] === "d"; }

  /* A picture comes into sight as the program has it: where another tab has drawn on it, what was done before fits it no more. */
  found(place, { drawing, version }) {
    const { app } = this, { bases, waiting, unanswered } = app.saver;
    if (!bases.has(place)) bases.set(place, drawing); // of any version: a mask that is made changes no drawing
    if (version < app.versions[place] || waiting.has(place) || unanswered.has(place)) return; // a later one comes, or its own
    const other = bases.get(place) !== drawing;
    bases.set(place, drawing);
    if (other && this.history.forget(place)) app.say("Another tab has changed this picture: what you did here before cannot be undone any more.");
  }

  /* A stroke */

  can(tool) {
    const { app } = this;
    if (app.old) app.say(OLD);
    if (!this.isOpen) return false;
    if (app.object !== null || tool === "eraser") return true;
    app.say("Add an object first (N).");
    return false;
  }

  begin() {
    this.edits++;
    this.before = this.app.labels.clone();
    this.dirty = null;
  }

  changed(area) {
    this.dirty = union(this.dirty, area);
    this.app.view.paint(area);
  }

  end() {
    const { before, dirty } = this, { labels, place, about } = this.app;
    this.before = null;
    const area = dirty && difference(before, labels, dirty);
    if (!area) return;
    const settled = about.settled ?? [], seen = [...new Set([...settled, ...before.ids(), ...labels.ids()])];
    this.history.add({ place, area, before: before.copy(area), after: labels.copy(area), drawnBefore: this.isDrawn, drawnAfter: true, settledBefore: settled, settledAfter: seen });
    this.keep(true, seen);
  }

  /* A whole picture */

  /* The picture is right as it is: as if it had been drawn so, and objects that are not seen are not there. */
  accept() {
    if (!this.isOpen || this.isDrawn) return;
    const { place, labels, objects, isBlank, kind } = this.app;
    if (isBlank && kind !== "stills") { this.app.say(NOTHING_TO_ACCEPT); return; }
    const area = { x0: 0, y0: 0, x1: 1, y1: 1 }, all = objects.map(each => each.id);
    this.history.add({ place, area, before: labels.copy(area), after: labels.copy(area), drawnBefore: false, drawnAfter: true, settledAfter: all });
    this.keep(true, all);
  }

  /* Saves the picture in sight as drawn, or takes its drawing back; `settled`: ids that are gone if it does not show them. */
  keep(drawn, settled = []) {
    const { app } = this;
    this.edits++;
    app.signs[app.place] = drawn ? "d" : ".";
    app.about = { drawn, settled };
    app.saver.save(app.place, drawn ? Object.assign(app.labels.clone(), { settled }) : null);
    app.redraw();
  }

  /* Takes the drawing of the picture in sight back. */
  clear() {
    this.clearing ??= this.takeBack().finally(() => { this.clearing = null; });
    return this.clearing;
  }

  async takeBack() {
    const { app } = this, { place, labels } = app;
    if (!this.isDrawn || !app.writes || app.old) return;
    const own = new Set(app.about.settled);
    const before = labels.data.map(id => own.has(id) ? id : 0); // what goes on below the drawing is none of it
    const change = { place, area: labels.whole(), before, after: before, drawnBefore: true, drawnAfter: false, settledBefore: app.about.settled };
    this.history.add(change);
    this.keep(false);
    await this.showSaved(place);
    if (app.place === place) change.after = app.labels.data.slice();
  }

  /* The picture as it is without a drawing, or with what goes on below it. */
  async showSaved(place) {
    const { app } = this;
    while (app.saver.pending(place) !== undefined) await new Promise(done => setTimeout(done, 30));
    await app.reload();
  }

  /* Undoing */

  /* Undoes or redoes; one after the other, as each may have to show another picture first. */
  step(back) {
    this.stepping = (this.stepping ?? Promise.resolve()).then(() => this.takeStep(back)).catch(error => this.app.say(error.message));
    return this.stepping;
  }

  async takeStep(back) {
    const { app } = this;
    app.tools.cancel();
    await this.clearing; // else the change before it would be undone
    const change = this.history.step(back);
    if (!change) app.say(back ? "Nothing to undo." : "Nothing to do again.");
    else if (change.removed !== undefined) await this.stepObject(change, back);
    else await this.stepPicture(change, back);
  }

  async stepObject(change, back) {
    const { app } = this;
    await app.change({ do: back ? "restore" : "remove", id: change.removed });
    app.say(`${back ? "Brought back" : "Removed"} ${change.name}.`);
  }

  async stepPicture(change, back) {
    const { app } = this;
    await app.go(change.place);
    if (![...this.history.done, ...this.history.undone].includes(change)) return; // another tab has drawn there
    if (app.place !== change.place || app.wanted !== change.place || app.old) {
      this.history.step(!back);
      app.say(app.old ? OLD : `Nothing was changed in ${pictureName(app, change.place)}: it is not shown.`);
      return;
    }
    app.labels.paste(change.area, back ? change.before : change.after);
    app.view.paint(change.area);
    const drawn = back ? change.drawnBefore : change.drawnAfter;
    this.keep(drawn, back ? change.settledBefore : change.settledAfter);
    if (!drawn || !change.drawnAfter) this.showSaved(change.place);
  }
}
