/* Label maps: an id for each pixel, row by row; their runs as the server sends them, and what changes undo and redo. */

export class Labels {
  constructor(width, height, data = new Uint8Array(width * height)) {
    this.width = width;
    this.height = height;
    this.data = data;
  }

  /* Runs: 32-bit numbers, length times 256 plus id. */
  static fromRuns(buffer, width, height) {
    const found = new Labels(width, height);
    let at = 0;
    for (const run of new Uint32Array(buffer)) {
      const end = at + (run >>> 8);
      if (run & 255) found.data.fill(run & 255, at, end);
      at = end;
    }
    return found;
  }

  runs() {
    const { data } = this, runs = [];
    let begin = 0;
    for (let at = 1; at <= data.length; at++) {
      if (at === data.length || data[at] !== data[begin] || at - begin === 0xffffff) {
        runs.push(((at - begin) * 256 + data[begin]) >>> 0);
        begin = at;
      }
    }
    return new Uint32Array(runs);
  }

  clamp({ x0, y0, x1, y1 }) {
    const { width, height } = this;
    return {
      x0: Math.max(0, Math.floor(x0)), y0: Math.max(0, Math.floor(y0)),
      x1: Math.min(width, Math.ceil(x1)), y1: Math.min(height, Math.ceil(y1)),
    };
  }

  copy(area) {
    const w = area.x1 - area.x0, copied = new Uint8Array(w * (area.y1 - area.y0));
    for (let y = area.y0; y < area.y1; y++) {
      const from = y * this.width + area.x0;
      copied.set(this.data.subarray(from, from + w), (y - area.y0) * w);
    }
    return copied;
  }

  paste(area, pixels) {
    const w = area.x1 - area.x0;
    for (let y = area.y0; y < area.y1; y++) {
      this.data.set(pixels.subarray((y - area.y0) * w, (y - area.y0 + 1) * w), y * this.width + area.x0);
    }
  }

  whole() { return { x0: 0, y0: 0, x1: this.width, y1: this.height }; }

  clone() { return new Labels(this.width, this.height, this.data.slice()); }

  /* A thick line between two points; gives the area that it may have changed. */
  line(from, to, radius, id) {
    const area = this.clamp({
      x0: Math.min(from.x, to.x) - radius - 1, y0: Math.min(from.y, to.y) - radius - 1,
      x1: Math.max(from.x, to.x) + radius + 1, y1: Math.max(from.y, to.y) + radius + 1,
    });
    const dx = to.x - from.x, dy = to.y - from.y, length = dx * dx + dy * dy, reach = radius * radius;
    for (let y = area.y0; y < area.y1; y++) {
      for (let x = area.x0; x < area.x1; x++) {
        const px = x + 0.5 - from.x, py = y + 0.5 - from.y;
        const along = length ? Math.max(0, Math.min(1, (px * dx + py * dy) / length)) : 0;
        const qx = px - along * dx, qy = py - along * dy;
        if (qx * qx + qy * qy <= reach) this.data[y * this.width + x] = id;
      }
    }
    return area;
  }

  /* Fills a polygon by the even-odd rule; gives the area that it may have changed. */
  polygon(points, id) {
    const xs = points.map(p => p.x), ys = points.map(p => p.y);
    const area = this.clamp({ x0: Math.min(...xs), y0: Math.min(...ys), x1: Math.max(...xs) + 1, y1: Math.max(...ys) + 1 });
    for (let y = area.y0; y < area.y1; y++) {
      const middle = y + 0.5, crossings = [];
      points.forEach((a, n) => {
        const b = points[(n + 1) % points.length];
        if ((a.y <= middle) !== (b.y <= middle)) crossings.push(a.x + (middle - a.y) / (b.y - a.y) * (b.x - a.x));
      });
      crossings.sort((a, b) => a - b);
      for (let n = 0; n + 1 < crossings.length; n += 2) {
        const from = Math.max(area.x0, Math.ceil(crossings[n] - 0.5)), to = Math.min(area.x1, Math.ceil(crossings[n + 1] - 0.5));
        if (from < to) this.data.fill(id, y * this.width + from, y * this.width + to);
      }
    }
    return area;
  }

  /* Another mask for an object: its pixels go, those of `found` come where no other object is. */
  replaceObject(id, found) {
    for (let at = 0; at < this.data.length; at++) {
      if (this.data[at] === id) this.data[at] = 0;
      if (found.data[at] === id && this.data[at] === 0) this.data[at] = id;
    }
    return this.whole();
  }

  ids() {
    const seen = new Uint8Array(256);
    for (const id of this.data) seen[id] = 1;
    return [...seen.keys()].filter(id => id && seen[id]);
  }
}

export function union(a, b) {
  if (!a) return b;
  return { x0: Math.min(a.x0, b.x0), y0: Math.min(a.y0, b.y0), x1: Math.max(a.x1, b.x1), y1: Math.max(a.y1, b.y1) };
}

/* The smallest part of an area in which two label maps differ; null where they are equal. */
export function difference(before, after, area) {
  let x0 = Infinity, y0 = Infinity, x1 = -1, y1 = -1;
  for (let y = area.y0; y < area.y1; y++) {
    for (let x = area.x0, at = y * after.width + area.x0; x < area.x1; x++, at++) {
      if (before.data[at] === after.data[at]) continue;
      if (x < x0) x0 = x;
      if (x >= x1) x1 = x + 1;
      if (y < y0) y0 = y;
      y1 = y + 1;
    }
  }
  return x1 < 0 ? null : { x0, y0, x1, y1 };
}

/* Changes of pictures that can be undone and redone, the latest up to so many bytes. */
const MOST_BYTES = 100e6;

export class History {
  constructor() {
    this.done = [];
    this.undone = [];
  }

  add(change) {
    this.done.push(change);
    this.undone = [];
    let bytes = 0, keep = this.done.length;
    while (keep > 1 && bytes < MOST_BYTES) bytes += 2 * (this.done[--keep].before?.length ?? 0);
    this.done.splice(0, bytes < MOST_BYTES ? 0 : keep);
  }

  /* Drops all changes of a picture; whether there were any. */
  forget(place) {
    const count = this.done.length + this.undone.length;
    for (const side of ["done", "undone"]) this[side] = this[side].filter(change => change.place !== place);
    return this.done.length + this.undone.length < count;
  }

  /* Gives the change to take back or to make again, and moves it to the other side; where nothing came of it, back. */
  step(back) {
    const change = (back ? this.done : this.undone).pop();
    if (change) (back ? this.undone : this.done).push(change);
    return change;
  }
}
