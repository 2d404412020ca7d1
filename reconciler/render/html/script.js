// Filters and folds; the page says all without it.
const rows = [...document.querySelectorAll("tr[data-name]")];
const sections = [...document.querySelectorAll("section[data-name]")];
const unchanged = document.getElementById("unchanged");
const changes = document.getElementById("changes");
const name = document.getElementById("name");
const shown = document.getElementById("shown");
const pressed = { kind: new Set(), hand: new Set() };

function fits(item, text) {
  const { name, kind, hands } = item.dataset;
  if (!name.toLowerCase().includes(text)) return false;
  if (pressed.kind.size && !pressed.kind.has(kind)) return false;
  return !pressed.hand.size || hands.split(" ").some((hand) => pressed.hand.has(hand));
}

function filter() {
  const text = name.value.trim().toLowerCase();
  const any = text || pressed.kind.size || pressed.hand.size;
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
  const kind = "filterKind" in item.dataset ? "kind" : "hand";
  const value = item.dataset.filterKind ?? item.dataset.filterHand;
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
  pressed.hand.clear();
  for (const button of document.querySelectorAll(".count button")) button.setAttribute("aria-pressed", "false");
  filter();
}

name.addEventListener("input", filter);
document.getElementById("all").addEventListener("click", all);
document.getElementById("fold").addEventListener("click", () => fold(false));
document.getElementById("unfold").addEventListener("click", () => fold(true));

// A link of the table leads to an open section.
function unfoldTarget() {
  const target = document.getElementById(location.hash.slice(1));
  const details = target?.querySelector(":scope > details");
  if (details) details.open = true;
}
addEventListener("hashchange", unfoldTarget);
unfoldTarget();

// What is printed is unfolded, whole.
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
