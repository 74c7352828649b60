// Dialogs, and saying aloud what has changed in a part of the page that renews itself.
"use strict";

document.addEventListener("click", (event) => {
  const opener = event.target.closest("[data-opens]");
  if (opener) {
    const dialog = document.getElementById(opener.dataset.opens);
    dialog.dataset.opener = opener.id;
    dialog.showModal();
  }
  event.target.closest("[data-closes]")?.closest("dialog").close();
});

// The button that opened it may have been renewed meanwhile, or be gone.
document.addEventListener("close", (event) => {
  const opener = document.getElementById(event.target.dataset.opener);
  (opener ?? document.getElementById("main")).focus();
}, true);

let told = document.getElementById("live")?.dataset.status;

// A log shows its end, unless somebody has scrolled away from it.
const away = new Map();
function scrollLogs() {
  for (const log of document.querySelectorAll("pre.tail")) log.scrollTop = away.get(log.id) ?? log.scrollHeight;
}
document.addEventListener("scroll", (event) => {
  const log = event.target;
  if (!(log instanceof Element) || !log.matches("pre.tail")) return;
  if (log.scrollTop + log.clientHeight < log.scrollHeight - 8) away.set(log.id, log.scrollTop);
  else away.delete(log.id);
}, true);
scrollLogs();

document.addEventListener("htmx:afterSettle", (event) => {
  if (event.target.id === "inspection") {
    say(event.target.querySelector("[role=alert] .message, .lead")?.textContent ?? "");
  }
  const now = document.getElementById("live")?.dataset.status;
  if (now && now !== told) {
    told = now;
    say(now);
  }
  scrollLogs();
  if (event.target.querySelector?.("[data-stopped]")) {
    document.getElementById("stop-dialog").close();
    htmx.trigger(document.body, "run-changed");
  }
});
