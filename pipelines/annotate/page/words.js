/* What the page says of the picture in sight and of the one to look at next. */

export const GONE = "The program does not answer; it may have ended.";
export const OLD = "The pictures are others than when this page was opened. Reload it.";
export const NEEDS_A_LOOK = "This is the one that most needs a look: correct it, or accept it as it is (A).";
export const NOTHING_TO_ACCEPT = "Nothing is drawn or made in this film yet, so there is nothing to accept: draw an object first.";
export const NOTHING_TO_EXPORT = "There is nothing to export yet: draw an object first.";

/* A picture by its place, counted from 1, and its name, which files and the command line know. */
export const pictureName = ({ kind, names }, place) => `${kind === "stills" ? "photo" : "frame"} ${place + 1} · ${names[place]}`;

/* What to begin with where nothing is drawn. */
export function firstStep(kind) {
  return `Draw a box around an object (X): the network makes its mask.${kind === "stills" ? "" : " Then propagate it through the film (G)."}`;
}

/* sign: of the picture, `d` drawn, `m` made, `o` made by what has changed since; about: confidence or agreement of its masks. */
export function aboutPicture(sign, { confidence, agreement } = {}) {
  if (sign === "d") return "This one was drawn by hand.";
  if (sign === "o") return "To be made again: drawings or the network have changed since.";
  if (agreement !== undefined) return `Made; both runs agree to ${agreement.toFixed(2)}.`;
  return confidence !== undefined ? `Made; confidence ${confidence.toFixed(2)}.` : "Nothing is drawn here yet.";
}

export function offerPhoto(next, drawn) {
  if (next !== null) return "Next photo";
  return drawn ? "All photos are drawn" : "All other photos are drawn";
}

export function offerFrame(app) {
  if (app.next === null) return "Nothing to look at yet";
  return app.next === app.place ? "This frame needs a look" : `Look at ${pictureName(app, app.next)}`;
}
