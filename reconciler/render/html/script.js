// Filters and folds. Without this script the page shows everything.
const rows = [...document.querySelectorAll("tr[data-name]")];
const sections = [...document.querySelectorAll("section[data-name]")];
const unchanged = document.getElementById("unchanged");
const changes = document.getElementById("changes");
const name = document.getElementById("name");
const shown = document.getElementById("shown");
const pressed = { kind: new Set(), origin: new Set() };

function fits(item, text) {
  const { name, kind, origins } = item.dataset;
  if (!name.toLowerCase().includes(text)) return false;
  if (pressed.kind.size && !pressed.kind.has(kind)) return false;
  return !pressed.origin.size || origins.split(" ").some((origin) => pressed.origin.has(origin));
}

function filter() {
  const text = name.value.trim().toLowerCase();
  const any = text || pressed.kind.size || pressed.origin.size;
  for (const item of [...rows, ...sections]) item.hidden = !fits(item, text);
  const left = rows.filter((row) => !row.hidden);
  if (unchanged) {
    const some = left.some((row) => row.dataset.kind === "unchanged");
    unchanged.hidden = !some;
    if (any && some) unchanged.open = true;
  }
  if (changes) changes.hidden = sections.every((section) => section.hidden);
  shown.textContent = `${left.length} of ${rows.length} environments shown`;
}

function press(button, set, value) {
  const on = !set.has(value);
  if (on) set.add(value);
  else set.delete(value);
  button.setAttribute("aria-pressed", String(on));
  filter();
}

for (const item of document.querySelectorAll(".count")) {
  const kind = "filterKind" in item.dataset ? "kind" : "origin";
  const value = item.dataset.filterKind ?? item.dataset.filterOrigin;
  const button = document.createElement("button");
  button.type = "button";
  button.setAttribute("aria-pressed", "false");
  button.append(...item.childNodes);
  button.addEventListener("click", () => press(button, pressed[kind], value));
  item.append(button);
}

function fold(open) {
  for (const section of sections) section.firstElementChild.open = open;
}

function all() {
  name.value = "";
  pressed.kind.clear();
  pressed.origin.clear();
  for (const button of document.querySelectorAll(".count button")) button.setAttribute("aria-pressed", "false");
  filter();
}

name.addEventListener("input", filter);
document.getElementById("all").addEventListener("click", all);
document.getElementById("fold").addEventListener("click", () => fold(false));
document.getElementById("unfold").addEventListener("click", () => fold(true));

// Open the section that a link of the table points to.
function unfoldTarget() {
  const target = document.getElementById(location.hash.slice(1));
  const details = target?.querySelector(":scope > details");
  if (details) details.open = true;
}
addEventListener("hashchange", unfoldTarget);
unfoldTarget();

// Print everything unfolded.
let folded = [];
addEventListener("beforeprint", () => {
  folded = [...document.querySelectorAll("details:not([open])")];
  for (const each of folded) each.open = true;
});
addEventListener("afterprint", () => {
  for (const each of folded) each.open = false;
});

document.getElementById("controls").hidden = false;
filter();
