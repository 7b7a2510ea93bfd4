/* Scored objects: their numbers, sections, a table to sort them by, and pictures painted in time. */

const PARTS = ["mean", "recall", "decay"];
const MEAN_FIRST = ["J&F", "J", "F"];

/* Three digits, and no minus before nothing. */
function digits(value) {
  const text = value.toFixed(3);
  return text === "-0.000" ? "0.000" : text;
}

function nameOf(sequence, id, isOneOfSeveral) {
  return isOneOfSeveral ? `${sequence}, object ${id}` : sequence;
}

function fillHead() {
  $("about").textContent = header.about.join(" · ");
  $("remarks").hidden = !header.remarks.length;
  $("remarks").replaceChildren(...header.remarks.map(text => element("li", "", text)));
}

function sectionOf(object, about, ...content) {
  const section = element("section", "object", element("h2", "", object.name, element("small", "", about)), ...content);
  section.id = `object-${object.index}`;
  return section;
}

function linkTo(object, text) {
  const link = element("a", "", text);
  link.href = `#${object.section.id}`;
  return link;
}

/* A heading of a "row" or a "col". */
function headOf(scope, classes, content) {
  const head = element("th", classes, content);
  head.scope = scope;
  return head;
}

/* The table and the sections below it, in one order, which a click on a heading chooses; another turns it around. */
class ObjectTable {
  /* columns: { text, classes, of: value of an object, falls: whether its first click puts the highest first } each;
     rowOf: cells of an object. */
  constructor(objects, columns, rowOf) {
    Object.assign(this, { objects, columns, rowOf, column: 0, way: 1 });
    const heads = columns.map(({ text, classes }, column) => headOf("col", classes, buttonOf("", () => this.sortBy(column), text)));
    $("table").tHead.append(element("tr", "", ...heads));
  }

  sortBy(column) {
    this.way = column === this.column ? -this.way : this.columns[column].falls ? -1 : 1;
    this.column = column;
    this.fill();
  }

  fill() {
    const { column, way } = this, { of } = this.columns[column];
    const compare = (a, b) => way * (column ? of(a) - of(b) : byName(of(a), of(b))) || a.index - b.index;
    const ordered = [...this.objects].sort(compare);
    $("table").tBodies[0].replaceChildren(...ordered.map(object => element("tr", "", ...this.rowOf(object))));
    [...$("table").tHead.rows[0].cells].forEach((cell, k) => {
      if (k === column) cell.setAttribute("aria-sort", way > 0 ? "ascending" : "descending");
      else cell.removeAttribute("aria-sort");
    });
    $("objects").append(...ordered.map(object => object.section));
  }
}

/* Pictures are painted when they come near the window; the others, up to a number of places, when nothing else is to do,
   so that the page can be printed: a browser waits for nothing then. */
const idle = window.requestIdleCallback || (task => setTimeout(task, 20));

class Painter {
  constructor(most) {
    Object.assign(this, { most, tasks: new Map(), near: new Set(), round: 0 });
    this.watcher = new IntersectionObserver(entries => {
      for (const { target, isIntersecting } of entries) {
        if (isIntersecting) { this.near.add(target); this.tasks.get(target)(); } else this.near.delete(target);
      }
    }, { rootMargin: "400px" });
  }

  add(place, task) {
    this.tasks.set(place, task);
    this.watcher.observe(place);
  }

  paintNear() {
    for (const place of this.near) this.tasks.get(place)();
  }

  async paintAll() {
    const mine = ++this.round;
    this.paintNear();
    for (const [place, task] of [...this.tasks].slice(0, this.most)) {
      if (this.near.has(place)) continue;
      await new Promise(done => idle(done, { timeout: 500 }));
      if (mine !== this.round) return;
      await task();
    }
  }
}
