/* What all pages need: elements, numbers, data blocks, legends, and what is decoded once. */
"use strict";
const SVG = "http://www.w3.org/2000/svg";
const ARROWS = { ArrowLeft: -1, ArrowRight: 1 };
const $ = id => document.getElementById(id);
const header = JSON.parse($("header").textContent);
const byName = new Intl.Collator("en", { numeric: true }).compare;

/* Elements and texts may be in it. */
function element(name, classes = "", ...content) {
  const made = document.createElement(name);
  if (classes) made.className = classes;
  made.append(...content);
  return made;
}

function buttonOf(classes, act, ...content) {
  const button = element("button", classes, ...content);
  button.type = "button";
  button.addEventListener("click", act);
  return button;
}

/* 12 345 with thin spaces, so that it breaks nowhere. */
function number(value) {
  return String(value).replace(/\B(?=(\d{3})+$)/g, "\u202f");
}

function svgElement(name, attributes, ...content) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...content);
  return made;
}

/* What the data blocks of a kind hold, each with its place and the block of its pictures. */
function readBlocks(kind) {
  return [...document.querySelectorAll(`script.${kind}`)].map((block, index) => {
    const value = Object.assign(JSON.parse(block.textContent), { index, pictures: block.nextElementSibling });
    block.remove();
    return value;
  });
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

/* Promise of a picture of a block, WebP in base64; plain grey of [height, width] where there is none. */
async function pictureAt(pictures, place, size) {
  const encoded = pictures.textContent.split(",")[place];
  if (!encoded) return plainGround(size);
  const bytes = Uint8Array.from(atob(encoded), letter => letter.charCodeAt(0));
  return createImageBitmap(new Blob([bytes], { type: "image/webp" }));
}

function plainGround([height, width]) {
  const canvas = element("canvas"), scale = Math.min(1, 480 / Math.max(height, width));
  canvas.width = Math.max(1, Math.round(width * scale));
  canvas.height = Math.max(1, Math.round(height * scale));
  const context = canvas.getContext("2d");
  context.fillStyle = "rgb(110, 110, 110)";
  context.fillRect(0, 0, canvas.width, canvas.height);
  return canvas;
}

/* A button for every view, value -> text, in each of these places. */
function fillSwitches(places, views, choose) {
  for (const place of document.querySelectorAll(places)) {
    for (const [value, text] of Object.entries(views)) {
      const button = buttonOf("", () => choose(value), text);
      button.value = value;
      place.append(button);
    }
  }
}

function press(places, value) {
  for (const button of document.querySelectorAll(`${places} button`)) button.setAttribute("aria-pressed", button.value === value);
}

/* entries: [colour or null, whether only its edge bears it, text] each. */
function fillLegend(entries) {
  $("legend").replaceChildren(...entries.map(([colour, hollow, text]) => {
    const swatch = element("i", hollow ? "hollow" : "");
    swatch.style.setProperty("--swatch", `rgb(${colour})`);
    return element("li", "", ...(colour ? [swatch] : []), text);
  }));
}

/* When the first frame has been drawn. */
function tellReady() {
  requestAnimationFrame(() => requestAnimationFrame(() => { document.documentElement.dataset.ready = "yes"; }));
}
