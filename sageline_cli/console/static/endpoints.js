// Sliders of a split, dialogs, copying, and what was typed into the form of a row: what neither HTML nor htmx does.
"use strict";

const plain = (value) => String(Math.round(value * 100) / 100);

// The others share what one slider leaves, in the proportion that they have.
function balance(form, moved) {
  const numbers = [...form.querySelectorAll('input[name^="share:"]')];
  const index = numbers.indexOf(moved);
  const others = numbers.filter((number) => number !== moved);
  const left = 100 - Math.min(Math.max(Number(moved.value) || 0, 0), 100);
  const sum = others.reduce((total, number) => total + (Number(number.value) || 0), 0);
  others.forEach((number) => {
    number.value = plain(sum > 0 ? ((Number(number.value) || 0) * left) / sum : left / others.length);
  });
  // What rounding has left over goes to the last of the others.
  const rest = numbers.reduce((total, number) => total - (Number(number.value) || 0), 100);
  if (others.length && index >= 0) others.at(-1).value = plain(Number(others.at(-1).value) + rest);
  showSplit(form);
}

function showSplit(form) {
  const numbers = [...form.querySelectorAll('input[name^="share:"]')];
  const sliders = [...form.querySelectorAll('input[type="range"]')];
  numbers.forEach((number, index) => {
    if (document.activeElement !== sliders[index]) sliders[index].value = number.value;
  });
  const total = numbers.reduce((sum, number) => sum + (Number(number.value) || 0), 0);
  const isWhole = Math.abs(total - 100) < 0.05;
  const output = form.querySelector("output");
  output.textContent = isWhole ? "100 % in all" : `${plain(total)} % in all: it must be 100 %`;
  output.classList.toggle("bad-total", !isWhole);
}

document.addEventListener("input", (event) => {
  const split = event.target.closest("[data-split]");
  if (split) {
    const numbers = [...split.querySelectorAll('input[name^="share:"]')];
    if (event.target.type === "range") {
      const moved = numbers[[...split.querySelectorAll('input[type="range"]')].indexOf(event.target)];
      moved.value = event.target.value;
      balance(split, moved);
    } else if (numbers.length === 2) balance(split, event.target);
    else showSplit(split);
  }
  const confirmed = event.target.closest("[data-confirms]");
  if (confirmed) confirmed.querySelector("button[type=submit]").disabled = event.target.value.trim() !== confirmed.dataset.confirms;
  if (event.target.id === "end-hours") document.getElementById("ends-hours").checked = true;
  const kept = event.target.closest("[data-keeps]");
  if (kept) keep(kept);
});

document.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (!button) return;
  if (button.dataset.closes) document.getElementById(button.dataset.closes).close();
  if (button.dataset.empties) document.getElementById(button.dataset.empties).remove();
  if (button.dataset.copies) copy(button, document.getElementById(button.dataset.copies));
});

async function copy(button, source) {
  const told = button.dataset.told ?? button.textContent;
  button.dataset.told = told;
  try {
    await navigator.clipboard.writeText(source.textContent);
    button.textContent = "Copied";
    say("Copied.");
  } catch {
    getSelection().selectAllChildren(source);
    button.textContent = "Selected: copy it with the keyboard";
  }
  setTimeout(() => { button.textContent = told; }, 3000);
}

// A row that was typed is there again when the browser goes back to the page. Only this tab has it.
const keyOf = (form) => `${location.pathname}#${form.dataset.keeps}`;

function keep(form) {
  const typed = [...form.elements].filter((field) => field.name && !["file", "hidden"].includes(field.type));
  sessionStorage.setItem(keyOf(form), JSON.stringify(typed.map((field) => [field.name, field.value])));
}

function restore(form) {
  for (const [name, value] of JSON.parse(sessionStorage.getItem(keyOf(form)) ?? "[]")) {
    const field = [...form.elements].find((element) => element.name === name);
    if (field) field.value = value;
  }
}

document.addEventListener("htmx:afterSwap", (event) => {
  const target = event.detail.target;
  const dialog = target.closest("dialog");
  if (dialog && !dialog.open) dialog.showModal();
  document.querySelectorAll("[data-split]").forEach(showSplit);
  const form = target.querySelector("[data-keeps]");
  if (form) restore(form);
  target.querySelector("[data-focus]")?.focus();
});

// What a person has opened stays open when the part is fetched anew.
let opened = [];
document.addEventListener("htmx:beforeSwap", (event) => {
  opened = [...event.detail.target.querySelectorAll("details[open]")].map((details) => details.id || details.querySelector("summary").textContent);
});
document.addEventListener("htmx:afterSettle", (event) => {
  event.detail.target.querySelectorAll("details").forEach((details) => {
    if (opened.includes(details.id || details.querySelector("summary").textContent)) details.open = true;
  });
});

document.addEventListener("endpoint-changed", () => say("What the endpoint serves has changed."));
