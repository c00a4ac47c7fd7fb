// What the pages do beyond plain HTML: components, copying, the filters on a narrow screen, and the keyboard of the lists.
// Every page works without it.
const own = document.querySelector("script[data-components]");
const { createAll, Button, ErrorSummary, PasswordInput, ServiceNavigation, SkipLink, isSupported } = await import(own.dataset.components);
if (isSupported()) for (const component of [Button, ErrorSummary, PasswordInput, ServiceNavigation, SkipLink]) createAll(component);

for (const button of document.querySelectorAll("[data-copy]")) {
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(button.dataset.copy);
    const was = button.textContent;
    button.textContent = "Copied";
    setTimeout(() => { button.textContent = was; }, 1500);
  });
}

const toggle = document.querySelector(".dc-filters__toggle");
toggle?.addEventListener("click", () => {
  const open = toggle.closest(".dc-filters").classList.toggle("is-open");
  toggle.setAttribute("aria-expanded", String(open));
});

// A filter that was left empty need not stand in the address that people share.
for (const form of document.querySelectorAll("form[method=get]")) {
  form.addEventListener("formdata", (event) => {
    for (const [name, value] of [...event.formData]) if (value === "") event.formData.delete(name);
  });
}

// Where the list was: a breach leads back to the same list and the same row, in this tab.
const LIST = "duecare.list";
const ROW = "duecare.row";
function remember(key, value) { try { sessionStorage.setItem(key, value); } catch { /* no storage: back leads to the whole list */ } }
function recall(key) { try { return sessionStorage.getItem(key); } catch { return null; } }
const list = document.querySelector("[data-list=breaches]");
if (list) remember(LIST, list.dataset.here ?? location.pathname + location.search);
const back = document.querySelector("[data-back]");
if (back && recall(LIST)) back.setAttribute("href", `${recall(LIST)}#b-${back.dataset.back}`);

const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
if (target instanceof HTMLDetailsElement) target.open = true;
document.querySelector("[data-focus]")?.focus();

// Work that is under way: its part of the page is asked for again until it is over; then the page as a whole, since more may be possible.
async function follow() {
  const parts = [...document.querySelectorAll("[data-live]")];
  if (!parts.length) return;
  try {
    const answer = await fetch(location.href, { headers: { Accept: "text/html" }, redirect: "error" });
    if (answer.ok) {
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
      for (const part of parts) {
        const now = fresh.getElementById(part.id);
        const busy = part.contains(document.activeElement) || [...document.querySelectorAll("main textarea")].some((field) => field.value !== field.defaultValue);
        if (!now?.hasAttribute("data-live") && !busy) { location.reload(); return; }
        for (const name of ["[role=status]", "progress"]) {
          const [was, is] = [part.querySelector(name), now?.querySelector(name)];
          if (was && is && was.outerHTML !== is.outerHTML) was.replaceWith(is);
        }
      }
    }
  } catch { /* signed out or away for a moment: the link on the page does the same by hand */ }
  setTimeout(follow, 3000);
}
if (document.querySelector("[data-live]")) setTimeout(follow, 1500);

// Keyboard.  Single keys can be switched off (they disturb speech input), and do nothing while something is typed.
const STORE = "duecare.keys";
const dialog = document.getElementById("keys");
const on = document.getElementById("keys-on");
const rows = () => [...document.querySelectorAll("[data-row]")];  // asked for each time: a step exchanges rows
let keys = true;
try { keys = localStorage.getItem(STORE) !== "off"; } catch { /* no storage: the keys stay on */ }
if (on) {
  on.checked = keys;
  on.addEventListener("change", () => {
    keys = on.checked;
    try { localStorage.setItem(STORE, keys ? "on" : "off"); } catch { /* it holds for this page only */ }
  });
}

function mark(row) {
  for (const other of rows()) other.classList.toggle("is-current", other === row);
}
const current = () => rows().findIndex((row) => row.classList.contains("is-current"));
function go(step) {
  const all = rows();
  if (!all.length) return;
  const at = current();
  const next = all[Math.min(all.length - 1, Math.max(0, at < 0 ? (step > 0 ? 0 : all.length - 1) : at + step))];
  mark(next);
  next.querySelector("a")?.focus({ preventScroll: true });
  next.scrollIntoView({ block: "nearest" });
}
document.addEventListener("focusin", (event) => {
  const row = event.target.closest?.("[data-row]");
  if (row) mark(row);
});
if (rows().length && location.hash.startsWith("#b-")) {
  // The row that was worked on; where it has left the list, the one that took its place.
  const all = rows();
  const row = all.includes(target) ? target : all[Math.min(all.length - 1, Number(recall(ROW) ?? 0))];
  mark(row);
  row.querySelector("a")?.focus({ preventScroll: true });
  row.scrollIntoView({ block: "nearest" });
}
document.addEventListener("click", (event) => {
  const row = event.target.closest?.("[data-row]");
  if (row && event.target.closest("a")) remember(ROW, String(rows().indexOf(row)));
});

function acknowledge() {
  const all = rows();
  const step = (all.length ? all[current()] : document)?.querySelector("[data-acknowledge]");
  if (step instanceof HTMLFormElement) step.requestSubmit(); else step?.click();
}
function help() {
  if (dialog.open) dialog.close(); else dialog.showModal();
}
const typing = (element) => element instanceof HTMLElement && (element.isContentEditable || element.matches("textarea, select, input:not([type=checkbox]):not([type=radio])"));
document.addEventListener("keydown", (event) => {
  if (!dialog || event.ctrlKey || event.metaKey || event.altKey || event.repeat && event.key === "a" || typing(event.target)) return;
  if (!keys && event.key !== "?") return;
  if (dialog.open && event.key !== "?") return;
  // A page may have keys of its own: they come first.
  const own = new CustomEvent("duecare:key", { detail: event.key, cancelable: true });
  if (!document.dispatchEvent(own)) { event.preventDefault(); return; }
  const action = { j: () => go(1), k: () => go(-1), a: acknowledge, "?": help, "/": () => {
    const search = document.querySelector("[data-search]");
    if (!search) return;
    const filters = search.closest(".dc-filters");
    if (toggle && filters && !filters.classList.contains("is-open") && getComputedStyle(toggle).display !== "none") toggle.click();
    search.focus();
    search.select();
  } }[event.key];
  if (action) { event.preventDefault(); action(); }
});
document.documentElement.dataset.ready = "yes";
