// What somebody types is kept in this tab until it is saved: a session that ends, a failing network or a wrong click loses nothing.
// It stays in sessionStorage, under the person who typed it, and is offered again to nobody else.  Signing out forgets it.
const STORE = "duecare.drafts";

function read() {
  try { return JSON.parse(sessionStorage.getItem(STORE)) ?? {}; } catch { return {}; }
}
function write(kept) {
  try {
    if (Object.keys(kept.drafts ?? {}).length) sessionStorage.setItem(STORE, JSON.stringify(kept)); else sessionStorage.removeItem(STORE);
  } catch { /* no storage, or full: the form itself still holds the text */ }
}

const forms = [...document.querySelectorAll("form[data-draft]")];
const person = forms[0]?.dataset.person;
let kept = read();
kept.drafts ??= {};
if (document.querySelector("[data-forget]") || (person && kept.person && kept.person !== person)) kept = { drafts: {} };
const saved = document.querySelector("[data-saved], .dc-flash[role=status]");
for (const [name, draft] of Object.entries(kept.drafts)) {
  if (draft.sent && saved) delete kept.drafts[name];
  draft.sent = false;
}
write(kept);

const fields = (form) => [...form.elements].filter((field) => field.name && !["hidden", "submit", "file"].includes(field.type));
const chosen = (field) => (field.type === "radio" || field.type === "checkbox" ? field.checked : true);
const first = (field) => {
  if (field.type === "radio" || field.type === "checkbox") return field.defaultChecked;
  if (field.tagName === "SELECT") return ([...field.options].find((option) => option.defaultSelected) ?? field.options[0])?.value ?? "";
  return field.defaultValue;
};
const now = (field) => (field.type === "radio" || field.type === "checkbox" ? field.checked : field.value);

function values(form) {
  const found = {};
  for (const field of fields(form)) if (chosen(field) && field.value) found[field.name] = field.value;
  return found;
}

function remember(form) {
  const changed = fields(form).some((field) => now(field) !== first(field));
  if (changed) kept = { person, drafts: { ...kept.drafts, [form.dataset.draft]: { values: values(form), at: Date.now() } } };
  else delete kept.drafts[form.dataset.draft];
  write(kept);
}

function put(form, draft) {
  for (const field of fields(form)) {
    const value = draft.values[field.name];
    if (field.type === "radio" || field.type === "checkbox") field.checked = field.value === value;
    else if (value !== undefined) field.value = value;
  }
  remember(form);
}

function words(form, draft) {
  const parts = [];
  for (const field of fields(form)) {
    const value = draft.values[field.name];
    if (value === undefined || value === "") continue;
    if (field.type === "radio") { if (field.value === value) parts.push(form.querySelector(`label[for="${CSS.escape(field.id)}"]`)?.textContent ?? value); continue; }
    parts.push(field.tagName === "SELECT" ? [...field.options].find((option) => option.value === value)?.textContent ?? value : value);
  }
  return parts.join("\n");
}

function button(text, style, press) {
  const made = document.createElement("button");
  made.type = "button";
  made.className = style;
  made.textContent = text;
  made.addEventListener("click", press);
  return made;
}

function offer(form, draft) {
  const box = document.createElement("div");
  box.className = "dc-draft";
  box.setAttribute("role", "status");
  const lead = document.createElement("p");
  lead.innerHTML = "<strong>You began to write here, and it was not saved.</strong>";
  const text = document.createElement("blockquote");
  text.textContent = words(form, draft);
  text.tabIndex = 0;
  text.setAttribute("aria-label", "What you wrote");
  text.setAttribute("role", "group");
  const group = document.createElement("div");
  group.className = "govuk-button-group";
  group.append(
    button("Put it back", "govuk-button govuk-button--secondary", () => {
      put(form, draft);
      box.remove();
      (form.querySelector("textarea") ?? form).focus();
    }),
    button("Throw it away", "dc-linkbutton", () => {
      delete kept.drafts[form.dataset.draft];
      write(kept);
      box.remove();
    }),
  );
  box.append(lead, text, group);
  form.prepend(box);
}

for (const form of forms) {
  const draft = kept.drafts[form.dataset.draft];
  if (draft) {
    const same = JSON.stringify(Object.entries(values(form)).sort()) === JSON.stringify(Object.entries(draft.values).sort());
    if (!same && words(form, draft)) offer(form, draft);
  }
  for (const kind of ["input", "change"]) {
    form.addEventListener(kind, () => {
      form.querySelector(".dc-draft")?.remove();
      remember(form);
    });
  }
  form.addEventListener("submit", () => {
    remember(form);
    const mine = kept.drafts[form.dataset.draft] ?? { values: values(form), at: Date.now() };
    kept = { person, drafts: { ...kept.drafts, [form.dataset.draft]: { ...mine, sent: true } } };
    write(kept);
  });
}
document.documentElement.dataset.drafts = "ready";
