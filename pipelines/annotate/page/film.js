/* The film below the stage: the line to scrub on, thumbnails, playing. */

const THUMB = 112; // pixels of the window that a thumbnail takes
const REFRESH_MS = 600;

export class Film {
  /* app: `names`, `signs`, `versions`, `place`, `offer`, `kind`, `fps`, and `go(place)`. */
  constructor(app, line, strip) {
    this.app = app;
    this.line = line;
    this.strip = strip;
    this.playing = null;
    this.stale = this.loading = false;
    const scrub = event => {
      const box = line.getBoundingClientRect(), share = (event.clientX - box.left) / box.width;
      app.go(Math.max(0, Math.min(app.count - 1, Math.floor(share * app.count))));
    };
    line.addEventListener("pointerdown", event => { line.setPointerCapture(event.pointerId); scrub(event); });
    line.addEventListener("pointermove", event => { if (event.buttons & 1) scrub(event); });
    new ResizeObserver(() => { this.draw(); this.thumbs(); }).observe(strip);
  }

  /* The line: a colour for each picture, notches where it was drawn by hand. */
  draw() {
    const { line, app } = this, ratio = window.devicePixelRatio || 1;
    const width = Math.max(1, Math.round(line.clientWidth * ratio)), height = Math.max(1, Math.round(line.clientHeight * ratio));
    if (line.width !== width || line.height !== height) Object.assign(line, { width, height });
    const pen = line.getContext("2d"), style = getComputedStyle(line), colour = name => style.getPropertyValue(name).trim();
    const x = place => place * width / app.count, each = Math.max(1, width / app.count);
    const ground = { ".": colour("--none"), m: colour("--made"), o: colour("--old"), d: colour("--drawn") };
    pen.clearRect(0, 0, width, height);
    for (let place = 0; place < app.count; place++) {
      let end = place + 1;
      while (end < app.count && app.signs[end] === app.signs[place]) end++;
      pen.fillStyle = ground[app.signs[place]];
      pen.fillRect(x(place), height * 0.3, x(end) - x(place) + 0.5, height * 0.5);
      place = end - 1;
    }
    pen.fillStyle = ground.d;
    app.signs.forEach((sign, place) => {
      if (sign === "d") pen.fillRect(x(place) + each / 2 - Math.max(1.5 * ratio, each / 2), height * 0.1, Math.max(3 * ratio, each), height * 0.7);
    });
    if (app.offer !== null) {
      const at = x(app.offer) + each / 2, r = 4 * ratio;
      pen.fillStyle = colour("--offer");
      pen.beginPath();
      pen.moveTo(at - r, 0); pen.lineTo(at + r, 0); pen.lineTo(at, 1.6 * r);
      pen.fill();
    }
    pen.fillStyle = colour("--ink");
    pen.fillRect(x(app.place) + each / 2 - ratio, 0, 2 * ratio, height);
    line.setAttribute("aria-valuemax", app.count);
    line.setAttribute("aria-valuenow", app.place + 1);
    line.setAttribute("aria-valuetext", `picture ${app.place + 1} of ${app.count}, ${app.names[app.place]}`);
  }

  /* Which pictures have a thumbnail: of a film some, evenly spaced; of photos those around. */
  chosen() {
    const { app } = this, room = Math.max(1, Math.floor(this.strip.clientWidth / THUMB));
    if (app.count <= room) return [...Array(app.count).keys()];
    if (app.kind === "stills") {
      const first = Math.max(0, Math.min(app.count - room, app.place - (room >> 1)));
      return [...Array(room).keys()].map(n => first + n);
    }
    return [...Array(room).keys()].map(n => Math.round(n * (app.count - 1) / (room - 1 || 1)));
  }

  thumbs() {
    const { app } = this, chosen = this.chosen();
    const cards = new Map([...this.strip.children].map(card => [Number(card.dataset.place), card]));
    this.strip.replaceChildren(...chosen.map(place => {
      const card = cards.get(place) ?? this.card(place);
      card.dataset.version = `${app.versions[place] ?? 0}-${app.started}`;
      card.classList.toggle("drawn", app.signs[place] === "d");
      card.setAttribute("aria-current", place === app.place); // none where the picture in sight has no thumbnail: the line shows its place
      return card;
    }));
    this.load();
  }

  /* One after the other: a browser asks a server six things at once, and what somebody waits for must not queue behind these. */
  async load() {
    if (this.loading) return;
    this.loading = true;
    const next = () => [...this.strip.children].find(card => card.dataset.asked !== card.dataset.version);
    for (let card = next(); card; card = next()) {
      const { place, version } = card.dataset, image = card.firstChild;
      card.dataset.asked = version; // one that fails is asked for again when the page is connected again
      await new Promise(done => {
        image.onload = done;
        image.onerror = () => { image.removeAttribute("src"); done(); }; // else a browser shows that it is broken
        image.src = `thumb/${place}?v=${version}`;
      });
    }
    this.loading = false;
  }

  card(place) {
    const card = document.createElement("button"), image = document.createElement("img"), name = document.createElement("span");
    card.type = "button";
    card.tabIndex = -1;
    card.dataset.place = place;
    card.className = "thumb";
    image.alt = "";
    image.draggable = false;
    name.textContent = this.app.names[place];
    card.title = this.app.names[place];
    card.append(image, name);
    card.addEventListener("click", () => this.app.go(place));
    return card;
  }

  /* Both, soon: masks may come tens of times a second. */
  refresh() {
    this.draw();
    if (this.stale) return;
    this.stale = true;
    setTimeout(() => { this.stale = false; this.thumbs(); }, REFRESH_MS);
  }

  togglePlay() {
    if (this.playing) { this.playing = null; return; }
    const token = this.playing = {}, { app } = this;
    const started = performance.now(), first = app.place === app.count - 1 ? 0 : app.place;
    const step = async () => {
      if (this.playing !== token) return;
      const place = first + Math.floor((performance.now() - started) / 1000 * app.fps);
      if (place >= app.count) { this.playing = null; app.go(app.count - 1); return; }
      if (place !== app.place) await app.go(place);
      requestAnimationFrame(step);
    };
    step();
  }
}
