// The sliders of a case's page: the part that is judged is asked for anew and put in place, while what has the focus stays where it is.
const form = document.querySelector("[data-look]");
const said = document.getElementById("said");
const EPOCH = 719163; // the ordinal of 1 January 1970
const iso = (ordinal) => new Date((ordinal - EPOCH) * 86400000).toISOString().slice(0, 10);
const ordinal = (text) => EPOCH + Math.round(Date.parse(`${text}T00:00:00Z`) / 86400000);
const spoken = (text) => new Intl.DateTimeFormat("en-AU", { weekday: "short", day: "numeric", month: "long", year: "numeric", timeZone: "UTC" }).format(new Date(`${text}T00:00:00Z`));
const usable = (text) => /^(19|2[01])\d\d-\d\d-\d\d$/.test(text);
const sliders = [...(form?.querySelectorAll("input[type=range]") ?? [])];
const both = document.getElementById("both");
let asking = null;
let waiting = 0;

function place(name, text) {
  const slider = sliders.find((one) => one.dataset.for === name);
  if (!slider || !usable(text)) return;
  slider.value = String(ordinal(text));
  slider.setAttribute("aria-valuetext", spoken(text));
}

function address() {
  const query = new URLSearchParams(location.search);
  for (const name of ["as_of", "known_at"]) {
    const value = form.elements[name].value;
    if (usable(value)) query.set(name, value); else query.delete(name);
  }
  query.delete("part");
  const text = query.toString();
  return location.pathname + (text ? `?${text}` : "");
}

async function judge(url) {
  asking?.abort();
  const mine = asking = new AbortController();
  const part = new URL(url, location.href);
  part.searchParams.set("part", "yes");
  try {
    const answer = await fetch(part, { headers: { Accept: "text/html" }, signal: mine.signal });
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("judged");
    if (!answer.ok || answer.redirected || !fresh) { location.assign(url); return; }
    const was = document.getElementById("judged");
    const folded = new Map([...was.querySelectorAll("details[id]")].map((one) => [one.id, one.open]));
    for (const one of fresh.querySelectorAll("details[id]")) if (folded.has(one.id)) one.open = folded.get(one.id);
    const left = was.querySelector("[data-scroll]")?.scrollLeft ?? 0;
    const holder = was.contains(document.activeElement) ? document.activeElement : null;
    const kind = holder && ["data-step", "data-show"].find((name) => holder.hasAttribute(name));
    const words = holder?.textContent;
    const rel = holder?.getAttribute("rel");
    was.replaceWith(document.adoptNode(fresh));
    const scroll = fresh.querySelector("[data-scroll]");
    if (scroll) scroll.scrollLeft = left;
    if (holder) {
      const again = [...fresh.querySelectorAll(kind ? `[${kind}]` : "a, summary")].find((one) => rel ? one.getAttribute("rel") === rel : one.textContent === words);
      (again ?? document.querySelector("#as_of")).focus({ preventScroll: true });
    }
    history.replaceState(null, "", url);
    said.textContent = fresh.dataset.said;
  } catch (error) {
    if (error.name !== "AbortError") location.assign(url);
  }
}

function soon(wait) {
  clearTimeout(waiting);
  waiting = setTimeout(() => judge(address()), wait);
}

for (const slider of sliders) {
  slider.addEventListener("input", () => {
    const day = iso(Number(slider.value));
    const names = both?.checked ? ["as_of", "known_at"] : [slider.dataset.for];
    for (const name of names) {
      form.elements[name].value = day;
      place(name, day);
    }
    soon(180);
  });
}
for (const name of ["as_of", "known_at"]) {
  form?.elements[name].addEventListener("change", (event) => {
    const day = event.target.value;
    if (day && !usable(day)) return;
    if (both?.checked) for (const other of ["as_of", "known_at"]) form.elements[other].value = day;
    for (const other of ["as_of", "known_at"]) if (form.elements[other].value) place(other, form.elements[other].value);
    soon(350);
  });
}
both?.addEventListener("change", () => {
  if (!both.checked || !form.elements.as_of.value) return;
  form.elements.known_at.value = form.elements.as_of.value;
  place("known_at", form.elements.as_of.value);
  soon(0);
});
form?.addEventListener("submit", (event) => {
  event.preventDefault();
  clearTimeout(waiting);
  judge(address());
});

// Steps to the day before or after, and back to now: the fields and sliders follow.
document.addEventListener("click", (event) => {
  const step = event.target.closest?.("a[data-step]");
  if (!form || !step || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
  event.preventDefault();
  const query = new URL(step.href).searchParams;
  const now = document.getElementById("judged").dataset;
  for (const name of ["as_of", "known_at"]) form.elements[name].value = query.get(name) ?? "";
  if (both?.checked && query.get("as_of")) form.elements.known_at.value = query.get("as_of");
  judge(address()).then(() => {
    const fresh = document.getElementById("judged")?.dataset ?? now;
    place("as_of", fresh.asOf);
    place("known_at", fresh.knownAt);
  });
});

// The picture: what a sign stands for is told where the pointer rests, and a click leads to the same in words.
const tip = document.createElement("div");
tip.className = "dc-tip";
tip.hidden = true;
tip.setAttribute("aria-hidden", "true");
function tell(event) {
  const on = event.target.closest?.("[data-tip]");
  if (!on) { tip.hidden = true; return; }
  const figure = on.closest(".dc-case__figure");
  if (tip.parentElement !== figure) figure.append(tip);
  tip.textContent = on.dataset.tip;
  tip.hidden = false;
  const frame = figure.getBoundingClientRect();
  const x = Math.min(event.clientX - frame.left + 14, frame.width - tip.offsetWidth - 6);
  const below = event.clientY - frame.top + 18;
  const y = event.clientY + 18 + tip.offsetHeight > innerHeight ? below - tip.offsetHeight - 30 : below;
  tip.style.left = `${Math.max(4, x)}px`;
  tip.style.top = `${y}px`;
}
document.addEventListener("pointermove", tell, { passive: true });
document.addEventListener("keydown", (event) => { if (event.key === "Escape") tip.hidden = true; });
document.addEventListener("click", (event) => {
  const on = event.target.closest?.("[data-go]");
  if (!on) return;
  const to = on.dataset.go;
  if (!to.startsWith("#")) { location.assign(to); return; }
  const target = document.getElementById(to.slice(1));
  for (let fold = target?.closest("details"); fold; fold = fold.parentElement.closest("details")) fold.open = true;
  target?.scrollIntoView({ block: "center" });
});

// On a narrow screen the picture begins at the day that it is judged at.
const scroll = document.querySelector("[data-scroll]");
const line = scroll?.querySelector("line.asat");
if (scroll && scroll.scrollWidth > scroll.clientWidth) {
  const plot = scroll.querySelector(".dc-lane__plot");
  const at = line ? parseFloat(line.getAttribute("x1")) / 100 : 1;
  scroll.scrollLeft = plot.offsetLeft + plot.offsetWidth * at - scroll.clientWidth * 0.85;
}
