/* The panel beside the stage: objects, what runs, what to look at next, exports. */

const $ = id => document.getElementById(id);

export function element(name, classes = "", ...content) {
  const made = document.createElement(name);
  if (classes) made.className = classes;
  made.append(...content);
  return made;
}

export function button(classes, text, title, act) {
  const made = element("button", classes, text);
  made.type = "button";
  made.title = title;
  made.addEventListener("click", act);
  return made;
}

/* app: `objects`, `object`, `writes`, `choose(id)`, `rename(id, name)`, `remove(id)`. */
export function showObjects(app, colours) {
  if ($("objects").contains(document.activeElement) && document.activeElement.matches("input")) return; // a name is being written
  const shown = JSON.stringify([app.objects, app.object, app.writes]);
  if ($("objects").dataset.shown === shown) return; // else a button would be another one before it is let go
  $("objects").dataset.shown = shown;
  $("objects").replaceChildren(...app.objects.map(({ id, name }, n) => {
    const swatch = element("i", "swatch");
    swatch.style.background = `rgb(${colours[id]})`;
    const key = n < 9 ? ` (${n + 1})` : "";
    const choose = button("object", "", `Draw ${name}${key}`, () => app.choose(id));
    choose.append(swatch, element("span", "name", name), element("kbd", "", n < 9 ? String(n + 1) : ""));
    choose.setAttribute("aria-pressed", id === app.object);
    const row = element("li", id === app.object ? "now" : "", choose);
    row.dataset.id = id;
    if (app.writes) {
      row.append(button("icon", "✎", `Rename ${name} (F2)`, () => editName(app, id)), button("icon", "✕", `Remove ${name} from all pictures`, () => app.remove(id)));
    }
    return row;
  }));
  const list = $("objects"), now = list.querySelector(".now"); // in sight, without moving the page
  if (now) list.scrollTop = Math.max(Math.min(list.scrollTop, now.offsetTop), now.offsetTop + now.offsetHeight - list.clientHeight);
}

export function editName(app, id) {
  const row = $("objects").querySelector(`[data-id="${id}"]`), object = app.objects.find(each => each.id === id);
  if (!row || !object) return;
  const field = element("input");
  field.value = object.name;
  field.maxLength = 100;
  field.setAttribute("aria-label", `Name of ${object.name}`);
  let over = false;
  const end = keep => {
    if (over) return;
    over = true;
    field.remove();
    delete $("objects").dataset.shown;
    if (keep && field.value.trim() && field.value !== object.name) app.rename(id, field.value);
    else app.redraw();
    $("stage").focus({ preventScroll: true });
  };
  field.addEventListener("keydown", event => {
    if (event.key === "Enter") end(true);
    if (event.key === "Escape") { event.stopPropagation(); end(false); }
  });
  field.addEventListener("blur", () => end(true));
  row.replaceChildren(field);
  field.focus();
  field.select();
}

export function time(seconds) {
  const whole = Math.ceil(seconds), two = value => String(value).padStart(2, "0");
  return whole < 60 ? `${whole}\u00a0s` : `${Math.floor(whole / 60)}:${two(whole % 60)} min`;
}

const DONE = { propagate: "Propagated.", learn: "Learned. Propagate again (G).", forget: "Forgotten: new masks are made by the network as it was given." };
const RUNS = { propagate: "Propagating", export: "Exporting", learn: "Learning", forget: "Forgetting" };
const STOPPED = { learn: "Stopped; nothing has changed." };

/* Buttons can be pressed where there is something for them to do, and no job is under way. */
export function enable({ signs, kind, isBlank }, job) {
  const runs = job.state === "running";
  for (const id of ["backwards", "both", "forwards", "learn"]) $(id).disabled = runs || !signs.includes("d");
  for (const id of ["export-go", "forget"]) $(id).disabled = runs;
  $("open-export").disabled = isBlank;
  $("accept").disabled = isBlank && kind !== "stills";
}

export function showJob(job, folder) {
  const runs = job.state === "running", all = job.done + job.left;
  $("job").hidden = !job.state;
  if (!job.state) return;
  $("stop").disabled = !runs;
  $("stop").hidden = !runs;
  $("progress").hidden = !runs;
  $("progress").value = all ? job.done / all : 0;
  $("job").dataset.state = job.state;
  if (runs) {
    const left = job.seconds_left === null ? "" : ` · ${time(job.seconds_left)} left`;
    $("job-text").textContent = all ? `${RUNS[job.job]}: ${Math.floor(100 * job.done / all)} %${left}` : `${RUNS[job.job]}…`;
  } else if (job.state === "failed") {
    $("job-text").textContent = job.message;
  } else {
    $("job-text").textContent = job.state === "stopped" ? STOPPED[job.job] ?? "Stopped; what was made is kept." : job.left === 0 && job.done === 0 && job.job === "propagate" ? "All is up to date."
      : job.job === "export" ? `Exported to ${folder}/export.` : DONE[job.job];
  }
}

export function fillFormats(formats, folder) {
  $("formats").replaceChildren(...Object.entries(formats).map(([name, about], n) => {
    const box = element("input");
    box.type = "checkbox";
    box.name = name;
    box.checked = n === 0;
    return element("label", "check", box, ` ${about}`);
  }));
  $("export-place").textContent = `Will be written to ${folder}/export.`;
}

/* What an export of these pictures would lack, and what it has to wait for, in words. */
export function warnOfExport({ signs, kind }, job) {
  const count = sign => signs.filter(each => each === sign).length, said = [], runs = job.state === "running";
  const pictures = n => `${n} ${kind === "stills" ? "photo" : "frame"}${n === 1 ? "" : "s"}`;
  const remedy = runs && job.job === "propagate" ? "" : ": propagate first to have them made again";
  if (runs) said.push(`${RUNS[job.job]}: wait until it has ended, or close this and stop it (S).`);
  if (count("o")) said.push(`Masks of ${pictures(count("o"))} are older than the drawings or the network${remedy}.`);
  if (count(".")) said.push(kind === "stills" ? `${pictures(count("."))} without a drawing will be left out.` : `${pictures(count("."))} without masks will be exported as showing nothing.`);
  $("export-lack").textContent = said.join(" ");
  $("export-lack").hidden = !said.length;
}

export const chosenFormats = () => [...$("formats").querySelectorAll(":checked")].map(box => box.name);
