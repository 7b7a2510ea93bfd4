/* Opens the page: asks for what is open, makes the tools, binds keys and buttons, listens. */

import { App } from "./app.js";
import { bindButtons, bindKeys } from "./bindings.js";
import { button, fillFormats } from "./panel.js";
import { get, listen } from "./server.js";
import { TOOLS } from "./tools.js";
import { firstStep } from "./words.js";

const $ = id => document.getElementById(id);
const root = document.documentElement;

function icon(path) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg"), line = document.createElementNS("http://www.w3.org/2000/svg", "path");
  svg.setAttribute("viewBox", "0 0 24 24");
  line.setAttribute("d", path);
  svg.append(line);
  return svg;
}

function fillTools(app) {
  for (const [tool, { name, key, path }] of Object.entries(TOOLS)) {
    const made = button("tool", "", `${name} (${key})`, () => app.use(tool));
    made.value = tool;
    made.append(icon(path), name);
    made.disabled = !app.writes && tool !== "hand";
    $("tools").append(made);
  }
}

function setUp(app, { title, formats, remark }) {
  document.title = `${title} – annotate`;
  $("title").textContent = title;
  root.dataset.kind = app.kind;
  root.dataset.writes = app.writes;
  fillTools(app);
  fillFormats(formats, app.folder);
  bindButtons(app);
  bindKeys(app);
  window.addEventListener("beforeunload", event => { if (!app.saver.isIdle) event.preventDefault(); });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => app.film.draw());
  app.setRadius(12);
  app.setOpacity(45);
  app.use(app.isBlank ? "box" : "brush");
  if (!app.writes) app.use("hand");
  app.background.show();
  app.toldSaved(app.writes ? "Saved" : "To look at only", false);
  app.say(remark || (app.isBlank && app.writes ? firstStep(app.kind) : ""));
}

const state = await get("state");
const app = new App(state);
setUp(app, state);
if (app.writes && !app.objects.length) await app.add();
await app.go(state.at);
listen(event => app.background.heard(event), is => app.background.connection(is));
$("stage").focus({ preventScroll: true });
requestAnimationFrame(() => requestAnimationFrame(() => { root.dataset.ready = "yes"; }));
