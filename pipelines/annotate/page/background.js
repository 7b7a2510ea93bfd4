/* What goes on in the program: jobs that are asked for, masks that come, changes by this page or another, a connection that is lost. */

import { chosenFormats, enable, showJob, warnOfExport } from "./panel.js";
import { get, post } from "./server.js";
import { GONE, NOTHING_TO_EXPORT } from "./words.js";

const $ = id => document.getElementById(id);

export class Background {
  /* app: the page; its `objects`, `signs`, `offer` and `learned` are kept as the program has them. */
  constructor(app, { revision, job }) {
    this.app = app;
    this.revision = revision; // of the project, as far as this page knows
    this.job = job;
    this.made = new Map(); // place -> revision of the masks made there last
    this.lost = false;
  }

  show() {
    showJob(this.job, this.app.folder);
    enable(this.app, this.job);
    warnOfExport(this.app, this.job);
  }

  /* What is heard */

  heard(event) {
    if (event.kind === "job") {
      this.job = event;
      this.show();
    } else if (event.kind === "changes") this.changes(event);
    else if (event.kind === "drawn") this.drawn(event);
    else if (event.kind === "made") this.masks(event);
    else if (event.kind === "trouble") this.app.say(event.message);
  }

  /* A drawing of this page or of another. */
  drawn({ place, version }) {
    const { app } = this, known = app.versions[place] === version;
    app.versions[place] = version;
    if (!known && place === app.place) app.reload();
    app.film.refresh();
  }

  masks({ place, version, revision }) {
    const { app } = this;
    app.versions[place] = version;
    this.made.set(place, revision);
    if (app.signs[place] !== "d") app.signs[place] = "m";
    app.film.refresh();
    if (place === app.place) app.reload();
    else if ($("follow").checked && !app.drawing.before && !app.tools.busy && !app.loading) app.go(place);
  }

  changes({ revision, objects, signs, offer, learned }) {
    const { app } = this;
    if (revision < this.revision || app.old || signs.length !== app.count) return; // overtaken, or of other pictures
    const ids = each => JSON.stringify(each.map(({ id }) => id)), others = ids(objects) !== ids(app.objects);
    this.revision = revision;
    Object.assign(app, { objects, offer, learned, signs: [...signs] });
    for (const [place, at] of this.made) {
      if (at < revision) this.made.delete(place);
      else if (signs[place] !== "d") app.signs[place] = "m"; // these masks came before an answer that knows nothing of them
    }
    for (const [place, labels] of app.saver.waiting) app.signs[place] = labels ? "d" : ".";
    if (!objects.some(each => each.id === app.object)) app.object = objects[0]?.id ?? null;
    if (others) {
      app.freshen();
      app.reload();
    }
    app.redraw();
    app.film.refresh();
  }

  async connection(is) {
    const { app } = this;
    if (!is) {
      app.toldSaved(`${GONE} Start it again and keep this page open.`, true);
      this.job = {};
      this.lost = true;
      this.show();
      return;
    }
    const state = await get("state").catch(() => null);
    if (!state) return;
    app.old = state.identity !== app.identity || state.names.join("/") !== app.names.join("/");
    if (app.old) app.toldSaved("", true);
    else this.again(state);
  }

  /* Goes on with the program, which may have been started again. */
  again(state) {
    const { app, lost } = this;
    if (lost) app.freshen();
    this.lost = false;
    this.changes(state);
    this.job = state.job;
    this.show();
    if (lost && app.saver.isIdle) app.toldSaved(app.writes ? "Saved" : "To look at only", false);
    app.reload();
  }

  /* What is asked for */

  propagate(direction) {
    if (this.job.state === "running" && this.job.job === "propagate" && this.works) {
      this.app.say("It is propagating, and takes in what you draw meanwhile. S stops it.");
    } else this.start("propagate", { direction, at: this.app.place });
  }

  learn() { this.start("learn"); }

  get works() { return this.app.kind !== "stills" && this.app.writes; }

  /* Begins when all drawings are saved; not at all where they wait for a program that does not answer. */
  async start(name, body) {
    const { app } = this;
    if (!this.works) return;
    while (!app.saver.isIdle) {
      if (this.lost) { app.say(`${GONE} Nothing was begun.`); return; }
      await new Promise(done => setTimeout(done, 20));
    }
    this.ask(name, body);
  }

  forget() { this.ask("forget"); }

  stop() { this.ask("stop"); }

  openExport() {
    if (!this.app.writes) return;
    if (this.app.isBlank) { this.app.say(NOTHING_TO_EXPORT); return; }
    warnOfExport(this.app, this.job);
    $("export").showModal();
  }

  export() {
    if (chosenFormats().length) this.ask("export", { formats: chosenFormats() });
    else this.app.say("No format was chosen.");
  }

  ask(name, body) { post(name, body).catch(error => this.app.say(error.message)); }
}
