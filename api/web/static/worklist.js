// The work list beyond plain HTML: choosing rows, steps that change the rows where they stand, and news that waits until it is asked for.
// Without this, the same forms work with whole pages.
const form = document.getElementById("steps");
const table = document.querySelector("[data-list=breaches]");
const answer = document.getElementById("answer");
const words = form?.querySelector("[data-count]");
const person = document.getElementById("assignee");
const fresh = form?.querySelector("[data-fresh]");
const all = table?.querySelector("[data-all]");
const boxes = () => [...(table?.querySelectorAll("input[name=chosen]") ?? [])];
const rowOf = (element) => element?.closest("[data-row]");
const current = () => table?.querySelector("[data-row].is-current");
const plural = (number, one, many) => `${number} ${number === 1 ? one : many}`;

// A page that came back from a step stands under the address of the list.
if (form && location.pathname !== new URL(form.dataset.here, location.href).pathname) history.replaceState(null, "", form.dataset.here);

// --- choosing ------------------------------------------------------------------------------------------------------------
let last = null;
const usual = words?.textContent;
function counted() {
  const chosen = boxes().filter((box) => box.checked);
  for (const box of boxes()) rowOf(box).classList.toggle("is-chosen", box.checked);
  if (words) words.textContent = chosen.length ? `${plural(chosen.length, "breach", "breaches")} chosen` : usual;
  if (all) { all.checked = chosen.length > 0 && chosen.length === boxes().length; all.indeterminate = chosen.length > 0 && !all.checked; }
}
function choose(row, reach) {
  const box = row?.querySelector("input[name=chosen]");
  if (!box) return;
  const [list, from] = [boxes(), boxes().indexOf(last)];
  if (reach && from >= 0) {
    const to = list.indexOf(box);
    for (const one of list.slice(Math.min(from, to), Math.max(from, to) + 1)) one.checked = last.checked;
  } else box.checked = !box.checked;
  last = box;
  counted();
}
table?.addEventListener("click", (event) => {
  const box = event.target.closest("input[name=chosen]");
  if (!box) return;
  if (event.shiftKey && last && last !== box) { box.checked = !box.checked; choose(rowOf(box), true); } else last = box;
});
table?.addEventListener("change", (event) => {
  if (event.target === all) for (const box of boxes()) box.checked = all.checked;
  counted();
});
counted();

// --- steps ---------------------------------------------------------------------------------------------------------------
function show(parts, partly) {
  answer.replaceChildren(...parts);
  answer.classList.toggle("is-partly", partly);
}
function say(text) {
  const line = document.createElement("p");
  line.textContent = text;
  show([line], true);
}
let busy = false;
form?.addEventListener("submit", async (event) => {
  const button = event.submitter;
  event.preventDefault();
  if (busy) return;
  busy = true;
  const focused = document.activeElement;
  const at = rowOf(focused) ?? current();
  try {
    const sent = await fetch(form.getAttribute("action"), { method: "POST", body: new FormData(form, button), headers: { "X-Part": "rows" }, redirect: "error" });
    const told = new DOMParser().parseFromString(await sent.text(), "text/html");
    const parts = told.getElementById("answer-parts");
    if (!parts) { whole(button); return; }
    const stood = at?.getBoundingClientRect().top;
    for (const row of told.querySelectorAll("[data-row]")) {
      const old = document.getElementById(row.id);
      if (!old) continue;
      row.classList.toggle("is-current", old.classList.contains("is-current"));
      old.replaceWith(document.adoptNode(row));
    }
    show([...parts.children].map((part) => document.adoptNode(part)), !sent.ok || parts.querySelector("li") !== null);
    if (sent.ok && person) person.value = "";
    last = null;
    counted();
    const place = at && document.getElementById(at.id);
    // A row above may have become shorter: the reader's own stays where the eye is.
    if (place) scrollBy({ top: place.getBoundingClientRect().top - stood, behavior: "instant" });
    if (place && (at !== place || focused === person || !document.contains(focused))) place.querySelector("a")?.focus({ preventScroll: true });
  } catch {
    say("The service could not be reached. Whether anything was changed is not known: try again, or load the page again.");
  } finally {
    busy = false;
  }
});
// What came back is a page of its own (the session is over, say): sent again as a whole page, so that it can be read.
function whole(button) {
  const field = document.createElement("input");
  Object.assign(field, { type: "hidden", name: button?.name ?? "", value: button?.value ?? "" });
  form.append(field);
  HTMLFormElement.prototype.submit.call(form);
}
person?.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && person.value) { event.preventDefault(); form.requestSubmit(form.querySelector("button[value=assign]")); }
  if (event.key === "Escape") { event.preventDefault(); current()?.querySelector("a")?.focus({ preventScroll: true }); }
});

// --- news ----------------------------------------------------------------------------------------------------------------
const EVERY = 30_000;
let asked = 0;
async function news() {
  if (!form || document.hidden || Date.now() - asked < 1_000) return;
  asked = Date.now();
  const address = new URL(form.dataset.news, location.href);
  address.searchParams.set("drawn", form.dataset.drawn);
  address.searchParams.set("known", form.dataset.known);
  const rows = [...(table?.querySelectorAll("[data-row]") ?? [])];
  for (const row of rows) address.searchParams.append("seen", `${row.id.slice(2)}:${row.dataset.version}`);
  try {
    const got = await fetch(address, { headers: { Accept: "application/json" }, redirect: "error" });
    if (!got.ok) return;
    const told = await got.json();
    if (fresh && told.new && fresh.textContent !== `${told.new}: show`) {
      fresh.textContent = `${told.new}: show`;
      fresh.hidden = false;
    }
    for (const row of rows) mark(row, told.changed.includes(row.id.slice(2)));
  } catch { /* away for a moment, or signed out: the next step tells */ }
}
function mark(row, changed) {
  const there = row.querySelector(".dc-meanwhile");
  if (!changed) { there?.remove(); return; }
  if (there) return;
  const told = document.createElement("li");
  told.className = "dc-meanwhile";
  told.textContent = "Changed meanwhile";
  row.querySelector(".dc-meta")?.append(told);
}
fresh?.addEventListener("click", () => {
  const row = current();
  if (row) fresh.hash = row.id;
});
setInterval(news, EVERY);
document.addEventListener("visibilitychange", news);

// --- keyboard: what pages.js does not know itself ------------------------------------------------------------------------
const keys = {
  x: () => choose(current(), false),
  X: () => choose(current(), true),
  s: () => {
    if (!person) return false;
    const row = current();
    if (row && !boxes().some((box) => box.checked)) choose(row, false);
    person.focus();
  },
  a: () => {
    if (!boxes().some((box) => box.checked)) return false;
    form.requestSubmit(form.querySelector("button[value=acknowledge]"));
  },
  e: () => {
    const tool = document.getElementById("export");
    tool.open = true;
    tool.querySelector("a").focus();
  },
  n: () => { if (fresh && !fresh.hidden) fresh.click(); },
};
document.addEventListener("duecare:key", (event) => {
  const act = keys[event.detail];
  if (act && act() !== false) event.preventDefault();
});
table?.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && event.target.matches("input[name=chosen]")) { event.preventDefault(); rowOf(event.target).querySelector("a")?.click(); }
});
