/* Tools that draw: brush, eraser, polygon, box; by pointer, or by the keyboard's crosshair. */

import { boxMask } from "./server.js";

export const TOOLS = {
  brush: { name: "Brush", key: "B", path: "M4 20c3 0 4-2 4-4l3-1L20 5l-2-2-9 9-1 3c-2 0-4 2-4 5z" },
  eraser: { name: "Eraser", key: "E", path: "M3 15l9-9 8 8-6 6H8zM9 20h11" },
  polygon: { name: "Polygon", key: "P", path: "M5 18L3 8l9-5 9 7-4 9z" },
  box: { name: "Box", key: "X", path: "M4 5h16v14H4z" },
  hand: { name: "Move", key: "H", path: "M12 3v18M3 12h18M12 3l-3 3M12 3l3 3M12 21l-3-3M12 21l3-3M3 12l3-3M3 12l3 3M21 12l-3-3M21 12l-3 3" },
};
const CLOSE = 10; // pixels of the window from the first corner of a polygon
const LEAST_BOX = 3, CLICK = 8; // pixels of the picture, of the window: less was hardly meant as a box

export class Tools {
  /* app: knows the picture, its labels and the object; see app.js. */
  constructor(app, view) {
    this.app = app;
    this.view = view;
    this.tool = "brush";
    this.radius = 12;
    this.corners = [];
    this.from = null; // where a stroke or a box began or was last
    this.cursor = null;
    this.crosshair = null; // the keyboard's pen
    this.panning = null;
    this.pointer = null; // that is down; a second finger draws nothing
    const stage = view.stage;
    stage.addEventListener("pointerdown", event => this.down(event));
    stage.addEventListener("pointermove", event => this.move(event));
    stage.addEventListener("pointerup", event => this.up(event));
    for (const end of ["pointercancel", "lostpointercapture"]) stage.addEventListener(end, event => { if (this.lift(event)) this.cancel(); });
    stage.addEventListener("pointerleave", () => { if (!this.from) { this.cursor = null; this.marks(); } });
    stage.addEventListener("dblclick", () => { if (this.tool === "polygon") this.close(); });
    stage.addEventListener("wheel", event => {
      event.preventDefault();
      const box = stage.getBoundingClientRect();
      view.zoom(Math.exp(-event.deltaY / 300), { x: event.clientX - box.left, y: event.clientY - box.top });
    }, { passive: false });
  }

  /* Whether something is begun that is not finished. */
  get busy() { return Boolean(this.from || this.corners.length); }

  get draws() { return this.app.writes && this.tool !== "hand"; }

  choose(tool) {
    this.cancel();
    if (tool === "hand") this.crosshair = null; // arrows move the picture then
    this.tool = tool;
    this.marks();
  }

  /* By pointer */

  down(event) {
    if (event.target.closest("button") || ![null, event.pointerId].includes(this.pointer)) return; // of a hint
    this.view.stage.focus({ preventScroll: true });
    const moves = event.button === 1 || (event.button === 0 && (!this.draws || event.altKey));
    if (!moves && event.button !== 0) return;
    this.pointer = event.pointerId;
    this.view.stage.setPointerCapture(event.pointerId);
    if (moves) {
      event.preventDefault();
      this.panning = { x: event.clientX, y: event.clientY };
    } else {
      this.press(this.view.point(event));
    }
  }

  /* Whether this was the pointer that was down. */
  lift(event) {
    if (event.pointerId !== this.pointer) return false;
    this.pointer = null;
    return true;
  }

  move(event) {
    if (this.pointer !== null && event.pointerId !== this.pointer) return;
    if (this.panning) {
      this.view.pan(event.clientX - this.panning.x, event.clientY - this.panning.y);
      this.panning = { x: event.clientX, y: event.clientY };
      return;
    }
    this.crosshair = null;
    for (const each of event.getCoalescedEvents?.() ?? [event]) this.drag(this.view.point(each));
    this.drag(this.view.point(event));
  }

  up(event) {
    if (!this.lift(event)) return;
    if (this.panning) this.panning = null;
    else this.release(this.view.point(event));
  }

  /* What both do */

  press(point) {
    if (!this.draws || !this.app.drawing.can(this.tool)) return;
    if (this.tool === "polygon") {
      const [first] = this.corners, near = first && this.view.onStage(first), here = this.view.onStage(point);
      if (this.corners.length > 2 && Math.hypot(near.x - here.x, near.y - here.y) < CLOSE) this.close();
      else this.corners.push(point);
    } else {
      this.from = point;
      if (this.tool !== "box") {
        this.app.drawing.begin();
        this.app.drawing.changed(this.app.labels.line(point, point, this.radius, this.ink()));
      }
    }
    this.cursor = point;
    this.marks();
  }

  drag(point) {
    if (this.from && this.tool !== "box") {
      this.app.drawing.changed(this.app.labels.line(this.from, point, this.radius, this.ink()));
      this.from = point;
    }
    this.cursor = point;
    this.marks();
  }

  release(point) {
    const from = this.from;
    this.from = null;
    if (!from) return;
    if (this.tool === "box") this.box(from, point);
    else this.app.drawing.end();
    this.marks();
  }

  /* A corner where the crosshair is; without it, or twice in one place, the polygon is closed. */
  enter() {
    const last = this.corners.at(-1), here = this.crosshair;
    if (here && !(this.tool === "polygon" && last && last.x === here.x && last.y === here.y)) this.strike();
    else this.close();
  }

  ink() { return this.tool === "eraser" ? 0 : this.app.object; }

  close() {
    const corners = this.corners.filter((p, n, all) => !n || p.x !== all[n - 1].x || p.y !== all[n - 1].y);
    this.corners = [];
    if (corners.length > 2) {
      this.app.drawing.begin();
      this.app.drawing.changed(this.app.labels.polygon(corners, this.app.object));
      this.app.drawing.end();
    }
    this.marks();
  }

  /* Takes back what is not finished; whether there was anything. */
  cancel() {
    const was = this.busy;
    if (this.from && this.tool !== "box") this.app.drawing.end();
    this.from = null;
    this.corners = [];
    this.panning = null;
    this.marks();
    return was;
  }

  async box(a, b) {
    const { app } = this, { width, height } = app.labels;
    const side = (value, most) => Math.max(0, Math.min(most, Math.round(value)));
    const box = [side(Math.min(a.x, b.x), width), side(Math.min(a.y, b.y), height), side(Math.max(a.x, b.x), width), side(Math.max(a.y, b.y), height)];
    if (Math.min(box[2] - box[0], box[3] - box[1]) < Math.max(LEAST_BOX, CLICK / this.view.scale)) {
      app.say("This box is too small: drag one around the whole object.");
      return;
    }
    const { place, object } = app;
    app.say("Looking for the object in the box…");
    try {
      const found = await boxMask(place, object, box, app.labels);
      if (app.place !== place) return;
      if (app.drawing.before) this.cancel(); // a stroke is under way: it ends here
      const had = app.labels.data.includes(object), { name } = app.objects.find(each => each.id === object);
      app.drawing.begin();
      app.drawing.changed(app.labels.replaceObject(object, found));
      app.drawing.end();
      app.say(had ? `The box has replaced the mask of ${name}. For another object press N first.` : "");
    } catch (error) {
      app.say(error.message);
    }
  }

  /* The keyboard's crosshair */

  toggleCrosshair() {
    const { width, height } = this.app.labels;
    this.cancel();
    this.crosshair = this.crosshair ? null : { x: width / 2, y: height / 2 };
    this.cursor = this.crosshair;
    this.marks();
    this.app.say(this.crosshair ? "Crosshair: arrows move it (Shift: finely), Enter presses and releases, K ends." : "");
  }

  steer(dx, dy) {
    const { width, height } = this.app.labels;
    this.crosshair = { x: Math.max(0, Math.min(width, this.crosshair.x + dx)), y: Math.max(0, Math.min(height, this.crosshair.y + dy)) };
    this.view.reveal(this.crosshair);
    this.drag(this.crosshair);
  }

  strike() {
    if (this.from) this.release(this.crosshair);
    else this.press(this.crosshair);
  }

  /* Marks on top */

  marks() {
    const { view, cursor } = this, shapes = [];
    const line = (points, attributes) => {
      const text = points.map(p => view.onStage(p)).map(p => `${p.x},${p.y}`).join(" ");
      shapes.push(["polyline", { points: text, class: "under" }], ["polyline", { points: text, class: "over", ...attributes }]);
    };
    if (this.tool === "polygon" && this.corners.length) {
      line(cursor ? [...this.corners, cursor] : this.corners);
      this.corners.forEach((corner, n) => {
        const { x, y } = view.onStage(corner);
        shapes.push(["circle", { cx: x, cy: y, r: n ? 3 : 6, class: "corner" }]);
      });
    }
    if (this.tool === "box" && this.from && cursor) {
      line([this.from, { x: cursor.x, y: this.from.y }, cursor, { x: this.from.x, y: cursor.y }, this.from]);
    }
    if (cursor && (this.tool === "brush" || this.tool === "eraser") && this.app.writes) {
      const { x, y } = view.onStage(cursor), r = Math.max(1, this.radius * view.scale);
      shapes.push(["circle", { cx: x, cy: y, r, class: "under" }], ["circle", { cx: x, cy: y, r, class: "over" }]);
    }
    if (this.crosshair) {
      const { x, y } = view.onStage(this.crosshair);
      for (const kind of ["under", "over"]) {
        shapes.push(["path", { d: `M${x - 14} ${y}h28M${x} ${y - 14}v28`, class: kind }]);
      }
    }
    view.mark(shapes);
  }
}
