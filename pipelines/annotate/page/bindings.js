/* What each key and each button does. */

import { fillHelp, obey } from "./keys.js";
import { editName } from "./panel.js";
import { TOOLS } from "./tools.js";

const $ = id => document.getElementById(id);

/* Keys, what they do as the help tells it, and the action. */
function table(app) {
  const { drawing, background, tools, view } = app;
  const arrows = (dx, dy, step) => () => {
    if (tools.crosshair) tools.steer(dx, dy);
    else if (tools.tool === "hand" && !view.fitted) view.pan(-4 * dx, -4 * dy);
    else if (step) app.go(app.wanted + step);
  };
  const zoom = factor => () => view.zoom(factor, tools.crosshair ? view.onStage(tools.crosshair) : undefined);
  const beside = step => () => {
    const other = app.objects[app.objects.findIndex(each => each.id === app.object) + step];
    if (other) app.choose(other.id);
  };
  const escape = () => { if (!tools.cancel() && tools.crosshair) tools.toggleCrosshair(); };
  return [
    ...Object.entries(TOOLS).map(([tool, { name, key }]) => [[key], `${name} tool`, () => app.use(tool)]),
    [["1 – 9"], "choose an object", null],
    [["PageUp"], "", beside(-1)], [["PageDown"], "", beside(1)], [["PageUp", "PageDown"], "previous, next object", null],
    [["N"], "new object", () => app.add()],
    [["F2"], "rename the object", () => app.writes && editName(app, app.object)],
    [["["], "", () => app.setRadius(Math.floor(tools.radius / 1.25))],
    [["]"], "", () => app.setRadius(Math.ceil(tools.radius * 1.25))],
    [["[ ]"], "smaller, larger brush", null],
    [["Ctrl+Z"], "undo", () => drawing.step(true)],
    [["Ctrl+Shift+Z", "Ctrl+Y"], "do again", () => drawing.step(false)],
    [["Ctrl+Backspace"], "take the drawing of this picture back", () => drawing.clear()],
    [["A"], "accept the picture as it is; objects that it does not show are gone", () => drawing.accept()],
    [["Enter"], "close the polygon; with the crosshair, press and release", () => tools.enter()],
    [["Escape"], "take back what is not finished", escape],
    [["K"], "crosshair for drawing without a mouse", () => app.writes && tools.toggleCrosshair()],
    [["←", "→"], "previous, next picture; or move the crosshair, or with Move the picture, if it is zoomed", null],
    [[","], "", () => app.go(app.wanted - 1)],
    [["."], "", () => app.go(app.wanted + 1)],
    [[", ."], "previous, next picture, also with the crosshair", null],
    [["←"], "", arrows(-10, 0, -1)], [["→"], "", arrows(10, 0, 1)], [["↑"], "", arrows(0, -10, 0)], [["↓"], "", arrows(0, 10, 0)],
    [["Shift+←"], "", arrows(-1, 0, -10)], [["Shift+→"], "", arrows(1, 0, 10)], [["Shift+↑"], "", arrows(0, -1, 0)], [["Shift+↓"], "", arrows(0, 1, 0)],
    [["Shift+←", "Shift+→"], "ten pictures back, on; or move the crosshair finely", null],
    [["Home"], "first picture", () => app.go(0)],
    [["End"], "last picture", () => app.go(app.count - 1)],
    [["Space"], "play, pause", () => app.kind !== "stills" && app.film.togglePlay()],
    [["W"], "the picture that most needs a look", () => app.goNext()],
    [["G"], "propagate both ways", () => background.propagate("both")],
    [["Shift+F"], "propagate forwards", () => background.propagate("forwards")],
    [["Shift+B"], "propagate backwards", () => background.propagate("backwards")],
    [["L"], "learn from the drawings", () => background.learn()],
    [["S"], "stop", () => background.stop()],
    [["+", "="], "zoom in", zoom(1.4)],
    [["-"], "zoom out", zoom(1 / 1.4)],
    [["0"], "whole picture", () => view.fit()],
    [["O"], "masks fainter", () => app.setOpacity(Number($("opacity").value) - 15)],
    [["Shift+O"], "masks stronger", () => app.setOpacity(Number($("opacity").value) + 15)],
    [["Ctrl+E"], "export", () => background.openExport()],
    [["?"], "these keys", () => $("help").showModal()],
  ];
}

export function bindKeys(app) {
  const keys = table(app), digits = [..."123456789"].map((key, n) => [[key], "", () => app.objects[n] && app.choose(app.objects[n].id)]);
  fillHelp($("keys"), keys);
  obey([...keys.filter(([, , act]) => act), ...digits], () => !document.querySelector("dialog[open]"));
}

export function bindButtons(app) {
  const { drawing, background } = app;
  const on = (id, act) => $(id).addEventListener("click", act);
  on("undo", () => drawing.step(true));
  on("redo", () => drawing.step(false));
  on("clear", () => drawing.clear());
  on("accept", () => drawing.accept());
  on("add", () => app.add());
  on("offer", () => app.goNext());
  on("previous", () => app.go(app.wanted - 1));
  on("next", () => app.go(app.wanted + 1));
  on("play", () => app.film.togglePlay());
  on("learn", () => background.learn());
  on("forget", () => background.forget());
  on("stop", () => background.stop());
  for (const direction of ["backwards", "both", "forwards"]) on(direction, () => background.propagate(direction));
  on("open-help", () => $("help").showModal());
  on("open-export", () => background.openExport());
  for (const close of document.querySelectorAll("[data-close]")) close.addEventListener("click", () => close.closest("dialog").close());
  $("export-form").addEventListener("submit", () => background.export());
  $("radius").addEventListener("input", event => app.setRadius(Number(event.target.value)));
  $("opacity").addEventListener("input", event => app.setOpacity(Number(event.target.value)));
}
