/* What the page asks of its server: pictures, masks, changes; and the saving of drawings, which waits for nothing and loses nothing. */

import { Labels } from "./labels.js";
import { pictureName } from "./words.js";

const RETRY_MS = 1000;

async function ask(method, path, body) {
  const answer = await fetch(path, { method, body: body && !(body instanceof Uint32Array) ? JSON.stringify(body) : body })
    .catch(() => { throw new Error("The program does not answer; it may have ended."); });
  if (!answer.ok) {
    const text = await answer.text();
    let said = text;
    try { said = JSON.parse(text).error; } catch { /* it is plain text */ }
    throw Object.assign(new Error(said), { status: answer.status });
  }
  return answer;
}

export const get = path => ask("GET", path).then(answer => answer.json());
export const post = (path, body = {}) => ask("POST", path, body).then(answer => answer.json());

export async function photo(place, identity) {
  return createImageBitmap(await (await ask("GET", `photo/${place}?v=${identity}`)).blob());
}

export async function mask(place) {
  const answer = await ask("GET", `mask/${place}`);
  const about = JSON.parse(answer.headers.get("X-Mask"));
  return { ...about, labels: Labels.fromRuns(await answer.arrayBuffer(), about.size[1], about.size[0]) };
}

export async function boxMask(place, id, box, size) {
  const answer = await ask("POST", `box/${place}`, { id, box });
  return Labels.fromRuns(await answer.arrayBuffer(), size.width, size.height);
}

/* Drawings on their way to disk: of each picture the latest; null takes its drawing back. */
export class Saver {
  /* app: `names` of the pictures, `kind`; told of how it goes by `toldSaved`, `heardSaved`, `heardRefused`. */
  constructor(app) {
    this.app = app;
    this.waiting = new Map();
    this.unanswered = new Map(); // sent, and perhaps on disk: goes again before what was drawn since
    this.bases = new Map(); // place -> digest of the drawing that the program has, as far as this page knows
    this.busy = false;
    this.saves = 0; // rounds of saving that came to their end
  }

  get isIdle() { return !this.busy && !this.waiting.size; }

  /* What a picture will be once it is saved; undefined where nothing waits. */
  pending(place) { return this.waiting.get(place); }

  save(place, labels) {
    this.waiting.set(place, labels);
    this.app.toldSaved("Saving…", false);
    if (!this.busy) this.run();
  }

  async run() {
    this.busy = true;
    await new Promise(done => setTimeout(done)); // a stroke is shown before it is packed
    let refused = "";
    while (this.waiting.size) {
      const [place, latest] = this.waiting.entries().next().value;
      const labels = this.unanswered.has(place) ? this.unanswered.get(place) : latest;
      const over = () => { if (this.waiting.get(place) === labels) this.waiting.delete(place); };
      try {
        this.unanswered.set(place, labels);
        const answer = await this.send(place, labels);
        this.unanswered.delete(place);
        this.bases.set(place, answer.drawing);
        over();
        this.app.heardSaved(place, answer);
      } catch (error) {
        const why = error.status ? error.message : "the program does not answer. Start it again and keep this page open";
        this.app.toldSaved(`Not saved: ${why}`, true);
        if (error.status) this.unanswered.delete(place);
        if ([400, 404, 409, 413].includes(error.status)) {
          refused = `${pictureName(this.app, place)}: ${why}`;
          over();
          this.app.heardRefused(place, `Not saved: ${refused}.`);
          continue;
        }
        const still = this.waiting.get(place); // the others first
        this.waiting.delete(place);
        this.waiting.set(place, still);
        await new Promise(done => setTimeout(done, RETRY_MS));
      }
    }
    this.busy = false;
    this.saves++;
    this.app.toldSaved(refused ? `Not saved: ${refused}` : "Saved", Boolean(refused));
  }

  /* By the picture's name, as the folder may be another by now; and the drawing that it changes, as another tab may have drawn. */
  async send(place, labels) {
    const path = `mask/${place}?name=${encodeURIComponent(this.app.names[place])}&base=${this.bases.get(place)}`;
    const answer = labels ? await ask("PUT", `${path}&settled=${labels.settled}`, labels.runs()) : await ask("DELETE", path);
    return answer.json();
  }
}

/* Events of the background; begins anew when the connection is lost. */
export function listen(heard, connected) {
  const open = () => {
    const socket = new WebSocket(new URL("live", location.href).href.replace(/^http/, "ws"));
    let was = false;
    socket.onopen = () => { was = true; connected(true); };
    socket.onmessage = event => heard(JSON.parse(event.data));
    socket.onclose = () => { if (was) connected(false); setTimeout(open, RETRY_MS); };
  };
  open();
}
