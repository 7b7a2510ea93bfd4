/* The stage: a photo, its masks over it, zoom and pan, and the marks of tools on top. */

const SVG = "http://www.w3.org/2000/svg";
const MOST_ZOOM = 40;

export class View {
  constructor(stage, colours) {
    this.stage = stage;
    this.sheet = stage.querySelector("#sheet");
    this.photo = stage.querySelector("#photo");
    this.masks = stage.querySelector("#masks");
    this.marks = stage.querySelector("#marks");
    this.inks = colours.map(([r, g, b]) => [r, g, b]);
    this.opacity = 0.45;
    this.scale = 1;
    this.left = 0;
    this.top = 0;
    this.fitted = true;
    this.pen = this.masks.getContext("2d", { willReadFrequently: false });
    this.tables();
    new ResizeObserver(() => { if (this.fitted) this.fit(); }).observe(stage);
  }

  /* Colours of ids as 32-bit pixels: inside, and at the rim. */
  tables() {
    this.inside = new Uint32Array(256);
    this.rim = new Uint32Array(256);
    this.inks.forEach(([r, g, b], id) => {
      const colour = (b << 16) | (g << 8) | r;
      this.inside[id] = id ? (colour | (Math.round(255 * this.opacity) << 24)) >>> 0 : 0;
      this.rim[id] = id ? (colour | ((this.opacity ? 255 : 0) << 24)) >>> 0 : 0;
    });
  }

  show(bitmap, labels) {
    const fresh = bitmap.width !== this.photo.width || bitmap.height !== this.photo.height;
    if (fresh) {
      for (const canvas of [this.photo, this.masks]) {
        canvas.width = bitmap.width;
        canvas.height = bitmap.height;
      }
    }
    this.photo.getContext("2d").drawImage(bitmap, 0, 0);
    this.labels = labels;
    this.paint(labels.whole());
    if (fresh) this.fit();
  }

  setOpacity(opacity) {
    this.opacity = opacity;
    this.tables();
    if (this.labels) this.paint(this.labels.whole());
  }

  /* Draws masks anew in an area; a pixel beside another id is at the rim. */
  paint(changed) {
    const { labels, inside, rim } = this, { width, height, data } = labels;
    const area = labels.clamp({ x0: changed.x0 - 1, y0: changed.y0 - 1, x1: changed.x1 + 1, y1: changed.y1 + 1 });
    const w = area.x1 - area.x0, h = area.y1 - area.y0;
    if (w <= 0 || h <= 0) return;
    const image = new ImageData(w, h), pixels = new Uint32Array(image.data.buffer);
    for (let y = area.y0, to = 0; y < area.y1; y++) {
      const above = y > 0 ? -width : 0, below = y < height - 1 ? width : 0;
      for (let x = area.x0, at = y * width + area.x0; x < area.x1; x++, at++, to++) {
        const id = data[at];
        if (id === 0) continue;
        const edge = data[at + above] !== id || data[at + below] !== id || (x > 0 && data[at - 1] !== id) || (x < width - 1 && data[at + 1] !== id);
        pixels[to] = edge ? rim[id] : inside[id];
      }
    }
    this.pen.putImageData(image, area.x0, area.y0);
  }

  /* Zoom and pan */

  get least() {
    return Math.min(this.stage.clientWidth / this.photo.width, this.stage.clientHeight / this.photo.height);
  }

  fit() {
    if (!this.photo.width || !this.stage.clientWidth) return;
    this.scale = this.least;
    this.left = (this.stage.clientWidth - this.photo.width * this.scale) / 2;
    this.top = (this.stage.clientHeight - this.photo.height * this.scale) / 2;
    this.fitted = true;
    this.place();
  }

  zoom(factor, at = { x: this.stage.clientWidth / 2, y: this.stage.clientHeight / 2 }) {
    const scale = Math.max(this.least, Math.min(MOST_ZOOM, this.scale * factor));
    if (scale <= this.least) { this.fit(); return; }
    this.left = at.x - (at.x - this.left) * scale / this.scale;
    this.top = at.y - (at.y - this.top) * scale / this.scale;
    this.scale = scale;
    this.fitted = false;
    this.place();
  }

  pan(dx, dy) {
    const room = 40, w = this.photo.width * this.scale, h = this.photo.height * this.scale;
    this.left = Math.max(room - w, Math.min(this.stage.clientWidth - room, this.left + dx));
    this.top = Math.max(room - h, Math.min(this.stage.clientHeight - room, this.top + dy));
    this.fitted = false;
    this.place();
  }

  /* Pans as far as a point of the picture needs to be in sight. */
  reveal(point) {
    const room = 40, { x, y } = this.onStage(point), { clientWidth, clientHeight } = this.stage;
    const lacking = (at, most) => at < room ? room - at : Math.min(0, most - room - at);
    if (!this.fitted) this.pan(lacking(x, clientWidth), lacking(y, clientHeight));
  }

  place() {
    this.sheet.style.transform = `translate(${this.left}px, ${this.top}px) scale(${this.scale})`;
    this.sheet.classList.toggle("large", this.scale >= 2);
    this.onplace?.();
  }

  /* A point of the window in pixels of the picture. */
  point(event) {
    const box = this.stage.getBoundingClientRect();
    return { x: (event.clientX - box.left - this.left) / this.scale, y: (event.clientY - box.top - this.top) / this.scale };
  }

  /* A point of the picture in pixels of the stage. */
  onStage(point) { return { x: point.x * this.scale + this.left, y: point.y * this.scale + this.top }; }

  /* Marks: [name, attributes] of SVG elements, in pixels of the stage. */
  mark(shapes) {
    this.marks.replaceChildren(...shapes.map(([name, attributes]) => {
      const made = document.createElementNS(SVG, name);
      for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
      return made;
    }));
  }
}
