"use strict";
/* What all pages need: elements, numbers, and what is decoded once. */

const SVG = "http://www.w3.org/2000/svg";

function element(name, classes = "", text = "") {
  const made = document.createElement(name);
  if (classes) made.className = classes;
  if (text !== "") made.textContent = text;
  return made;
}

/* 12 345 with thin spaces, so that it breaks nowhere. */
function number(value) {
  return String(value).replace(/\B(?=(\d{3})+$)/g, "\u202f");
}

function svgElement(name, attributes) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}

/* Decoded pictures and masks, the latest few hundred. */
const KEPT = 256;
const decoded = new Map();

function remembered(key, make) {
  const value = decoded.get(key) || make();
  decoded.delete(key);
  decoded.set(key, value);
  if (decoded.size > KEPT) decoded.delete(decoded.keys().next().value);
  return value;
}

/* Promise of the WebP picture that a text in base64 holds. */
function decodePicture(encoded) {
  const bytes = Uint8Array.from(atob(encoded), letter => letter.charCodeAt(0));
  return createImageBitmap(new Blob([bytes], { type: "image/webp" }));
}

/* A button for every view, value -> text, in each place of the page that switches between them. */
function fillSwitches(views, choose) {
  for (const place of document.querySelectorAll("[data-switch]")) {
    place.append(...Object.entries(views).map(([value, text]) => {
      const button = element("button", "", text);
      button.type = "button";
      button.value = value;
      button.addEventListener("click", () => choose(value));
      return button;
    }));
  }
}
