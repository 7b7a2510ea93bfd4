/* Cards: the data blocks as draws, pictures decoded when first looked at, and a list that holds only what is in sight. */

/* Every draw of the page; `sample` holds what the draws of one photo share. */
function readDraws() {
  const draws = readBlocks("sample").flatMap(sample => sample.draws.map(draw => {
    return Object.assign(draw, { sample, key: `${sample.key}@${draw.recipe}/${draw.variant}` });
  }));
  draws.sort((a, b) => byName(a.sample.key, b.sample.key) || (a.recipe < b.recipe ? -1 : a.recipe > b.recipe) || a.variant - b.variant);
  draws.forEach((draw, rank) => { draw.rank = rank; });
  return draws;
}

/* Promise of a picture of a sample: 0 what is shown, 1 the whole photo where only a part is shown. */
function pictureOf(sample, which = 0) {
  return remembered(`picture ${sample.index} ${which}`, () => pictureAt(sample.pictures, which));
}

function masksOf(draw) {
  const { sample } = draw, { size } = sample;
  return {
    size,
    target: maskOf(`target ${sample.index}`, sample.target, size),
    void: maskOf(`void ${sample.index}`, sample.void, size),
    rough: maskOf(`${draw.recipe}/${draw.variant} ${sample.index}`, draw.rough, size),
  };
}

function describe(draw, show) {
  const what = { differences: "Difference between guide mask and target", outlines: "Outlines of guide mask and target", photo: "Photo" }[show];
  return `${what}: ${draw.sample.key}, ${draw.recipe} draw ${draw.variant}, IoU ${draw.iou.toFixed(2)}, area ratio ${draw.area_ratio.toFixed(2)}`
    + (draw.flags.length ? `, flagged ${draw.flags.join(", ")}` : "");
}

function makeCard(draw, open) {
  const frame = makeFrame(), { flags, sample } = draw, end = Math.max(0, sample.key.length - 8); // the end tells objects apart
  if (flags.length) frame.append(element("span", "badge", flags.join(", ")));
  const key = element("span", "card-key", element("span", "", sample.key.slice(0, end)), element("span", "", sample.key.slice(end)));
  key.title = sample.key;
  return buttonOf(flags.length ? "card flagged" : "card", () => open(draw), frame, key,
    element("span", "card-measures", element("b", "", `IoU ${draw.iou.toFixed(2)}`), ` · area ×${draw.area_ratio.toFixed(2)}`),
    element("span", "card-draw soft", `${draw.recipe} · draw ${draw.variant}`));
}

/* A grid as long as all its cards that holds only the cards in sight and two rows on either side. */
class CardList {
  constructor(list, painter, open) {
    Object.assign(this, { list, painter, open, draws: [], items: new Map(), waiting: false });
    const later = () => { if (!this.waiting) { this.waiting = true; requestAnimationFrame(() => this.update()); } };
    addEventListener("scroll", later, { passive: true });
    new ResizeObserver(() => { this.measure(); later(); }).observe(list);
  }

  show(draws) {
    this.draws = draws;
    this.clear();
    this.measure();
    this.update();
  }

  clear() {
    this.items.clear();
    this.list.replaceChildren();
  }

  /* Columns and row height from the width; the caption's height is the style's. */
  measure() {
    const width = this.list.clientWidth, gap = width < 600 ? 10 : 16, least = width < 600 ? 150 : 216;
    const columns = Math.max(1, Math.floor((width + gap) / (least + gap)));
    const cardWidth = Math.floor((width - gap * (columns - 1)) / columns);
    const picture = [cardWidth, Math.round(cardWidth * 0.75)];
    if (columns !== this.columns || cardWidth !== this.cardWidth) this.clear();
    Object.assign(this, { columns, cardWidth, gap, picture, rowHeight: picture[1] + 74 + gap });
    this.list.style.height = `${Math.ceil(this.draws.length / columns) * this.rowHeight}px`;
  }

  update() {
    this.waiting = false;
    const top = this.list.getBoundingClientRect().top, rows = Math.ceil(this.draws.length / this.columns);
    const first = Math.max(0, Math.floor(-top / this.rowHeight) - 2) * this.columns;
    const end = Math.min(rows, Math.max(0, Math.ceil((innerHeight - top) / this.rowHeight)) + 2) * this.columns;
    const last = Math.min(this.draws.length, end);
    for (const [index, item] of this.items) {
      if ((index < first || index >= last) && !item.contains(document.activeElement)) {
        item.remove();
        this.items.delete(index);
      }
    }
    for (let index = first; index < last; index++) if (!this.items.has(index)) this.add(index);
  }

  /* In the order of the list, so that Tab walks as the eye does. */
  add(index) {
    const draw = this.draws[index], card = makeCard(draw, this.open), item = element("div", "item", card);
    item.setAttribute("role", "listitem");
    item.setAttribute("aria-setsize", this.draws.length);
    item.setAttribute("aria-posinset", index + 1);
    item.dataset.index = index;
    const column = index % this.columns, row = Math.floor(index / this.columns);
    item.style.width = `${this.cardWidth}px`;
    item.style.transform = `translate(${column * (this.cardWidth + this.gap)}px, ${row * this.rowHeight}px)`;
    const follower = Array.from(this.list.children).find(other => Number(other.dataset.index) > index) || null;
    this.list.insertBefore(item, follower);
    this.items.set(index, item);
    this.painter(draw, card.querySelector("canvas"), this.picture, () => item.isConnected);
  }

  /* Bring the card of a draw into sight and give it the focus. */
  focus(draw) {
    const index = this.draws.indexOf(draw);
    if (index < 0) return;
    const top = this.list.getBoundingClientRect().top + scrollY + Math.floor(index / this.columns) * this.rowHeight;
    const bar = document.getElementById("bar").offsetHeight;
    if (top < scrollY + bar || top + this.rowHeight > scrollY + innerHeight) scrollTo(0, top - bar - 16);
    this.update();
    this.items.get(index)?.querySelector("button").focus({ preventScroll: true });
  }
}
