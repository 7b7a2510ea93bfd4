/* Masks: COCO run-length strings into pixels, and a photo with its masks onto a canvas. */

/* (h, w) pixels, row by row, 0 or 1; the string is that of the shards: 5 bits a character, low first. */
function decodeMask(code, height, width) {
  const mask = new Uint8Array(height * width), runs = [];
  for (let at = 0; at < code.length;) {
    let value = 0, shift = 0, letter;
    do {
      letter = code.charCodeAt(at++) - 48;
      value |= (letter & 31) << shift;
      shift += 5;
    } while (letter & 32);
    if (letter & 16) value |= -1 << shift;
    runs.push(runs.length > 2 ? value + runs[runs.length - 2] : value);
  }
  let place = 0, on = 0;
  for (const run of runs) {
    if (on) for (let k = place; k < place + run; k++) mask[(k % height) * width + Math.floor(k / height)] = 1;
    place += run;
    on = 1 - on;
  }
  return mask;
}

function maskOf(key, code, [height, width]) {
  return code && remembered(key, () => decodeMask(code, height, width));
}

/* The outline of a mask between its pixels, so that it is exact at any size; the photo's border is none. */
function outlineOf(mask, height, width) {
  const path = new Path2D();
  for (let y = 1; y < height; y++) {
    for (let x = 0, start = -1; x <= width; x++) {
      const differs = x < width && mask[y * width + x] !== mask[(y - 1) * width + x];
      if (differs && start < 0) start = x;
      if (!differs && start >= 0) { path.moveTo(start, y); path.lineTo(x, y); start = -1; }
    }
  }
  for (let x = 1; x < width; x++) {
    for (let y = 0, start = -1; y <= height; y++) {
      const differs = y < height && mask[y * width + x] !== mask[y * width + x - 1];
      if (differs && start < 0) start = y;
      if (!differs && start >= 0) { path.moveTo(x, start); path.lineTo(x, y); start = -1; }
    }
  }
  return path;
}

/* Grey where guide mask and target agree (bright inside, dark outside), coloured where they differ. */
function shadeDifferences(context, box, masks, colours) {
  const image = context.getImageData(box.x, box.y, box.width, box.height), data = image.data;
  const [height, width] = masks.size, { target, rough, void: voided } = masks;
  for (let y = 0, at = 0; y < box.height; y++) {
    const row = Math.floor((y + 0.5) * height / box.height) * width;
    for (let x = 0; x < box.width; x++, at += 4) {
      const k = row + Math.floor((x + 0.5) * width / box.width);
      const grey = 0.299 * data[at] + 0.587 * data[at + 1] + 0.114 * data[at + 2];
      const colour = rough[k] > target[k] ? colours.added : target[k] > rough[k] ? colours.lost : null;
      const plain = rough[k] ? grey * 0.55 + 110 : grey * 0.42 + 12;
      for (let c = 0; c < 3; c++) {
        let value = colour ? 0.82 * colour[c] + 0.18 * grey : plain;
        if (voided && voided[k]) value = 0.5 * value + 0.5 * colours.void[c];
        data[at + c] = value;
      }
    }
  }
  context.putImageData(image, box.x, box.y);
}

function strokeMask(context, box, mask, size, colour, line) {
  const [height, width] = size, path = new Path2D();
  path.addPath(outlineOf(mask, height, width),
    new DOMMatrix([box.width / width, 0, 0, box.height / height, box.x, box.y]));
  context.lineJoin = context.lineCap = "round";
  context.strokeStyle = "rgba(0, 0, 0, 0.65)";
  context.lineWidth = 3.2 * line;
  context.stroke(path);
  context.strokeStyle = `rgb(${colour})`;
  context.lineWidth = 1.4 * line;
  context.stroke(path);
}

/* Draw a photo and its masks in the middle of a canvas of width x height device pixels.
   show: "differences", "outlines" or "photo"; line: device pixels of a thin line. */
function paint(canvas, width, height, picture, masks, show, colours, line) {
  if (canvas.width !== width || canvas.height !== height) { canvas.width = width; canvas.height = height; }
  const context = canvas.getContext("2d", { willReadFrequently: true });
  const zoom = Math.min(width / picture.width, height / picture.height);
  const box = { width: Math.max(1, Math.round(picture.width * zoom)), height: Math.max(1, Math.round(picture.height * zoom)) };
  box.x = Math.floor((width - box.width) / 2);
  box.y = Math.floor((height - box.height) / 2);
  context.clearRect(0, 0, width, height);
  context.imageSmoothingQuality = "high";
  context.drawImage(picture, box.x, box.y, box.width, box.height);
  if (show === "differences") shadeDifferences(context, box, masks, colours);
  context.save();
  context.beginPath();
  context.rect(box.x, box.y, box.width, box.height);
  context.clip();
  if (show === "outlines") strokeMask(context, box, masks.target, masks.size, colours.target, line);
  if (show !== "photo") strokeMask(context, box, masks.rough, masks.size, colours.rough, line);
  context.restore();
}

/* A place for a picture, with its canvas in it. */
function makeFrame() {
  const canvas = element("canvas");
  canvas.setAttribute("role", "img");
  return element("span", "frame", canvas);
}

/* The picture that a promise holds, or null where the canvas has left the page or been given to another until then. */
async function pictureFor(canvas, key, promise, isWanted) {
  canvas.dataset.draw = key;
  const picture = await promise;
  return isWanted() && canvas.dataset.draw === key ? picture : null;
}

function pixelRatio() {
  return Math.min(2, devicePixelRatio || 1);
}

/* Paint a canvas of [width, height] on the page; the rest as in `paint`. */
function paintSized(canvas, [width, height], picture, masks, show, line) {
  const ratio = pixelRatio();
  canvas.style.width = `${width}px`;
  canvas.style.height = `${height}px`;
  paint(canvas, Math.round(width * ratio), Math.round(height * ratio), picture, masks, show, header.colours, line * ratio);
  canvas.dataset.painted = show;
}

/* A small picture of a whole photo of [H, W] pixels, with a frame around the part that is shown elsewhere. */
function paintWhole(canvas, picture, region, [H, W]) {
  const [x0, y0, x1, y1] = region;
  canvas.width = picture.width * 2;
  canvas.height = picture.height * 2;
  canvas.setAttribute("aria-label", `Whole photo; the part shown is x ${x0} to ${x1}, y ${y0} to ${y1}`);
  const context = canvas.getContext("2d"), zoom = canvas.width / W;
  context.drawImage(picture, 0, 0, canvas.width, canvas.height);
  for (const [colour, line] of [["black", 5], ["white", 2]]) {
    context.strokeStyle = colour;
    context.lineWidth = line;
    context.strokeRect(x0 * zoom + 2, y0 * zoom + 2, (x1 - x0) * zoom - 4, (y1 - y0) * zoom - 4);
  }
}
