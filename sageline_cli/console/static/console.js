// What htmx does not do: saying that the stack or the console is gone, and going on when it is back.
"use strict";

const base = document.body.dataset.base;
const connection = document.getElementById("connection");
let waiting = false;

function say(text) {
  document.getElementById("announcer").textContent = text;
}

// Asks until the stack answers, then loads the page anew: what it shows may be long past.
async function waitForStack(told) {
  if (waiting) return;
  waiting = true;
  connection.textContent = told;
  connection.hidden = false;
  for (;;) {
    await new Promise((done) => setTimeout(done, 3000));
    try {
      const answer = await fetch(`${base}/up`, { headers: { "HX-Request": "true" } });
      if (answer.ok) break;
      if (answer.status === 403) {
        connection.textContent = "Another console was started: open the address that it printed.";
        return;
      }
      connection.textContent = "The stack does not answer. This page goes on when it is back.";
    } catch {
      connection.textContent = "The console has ended: start `sageline console` again, and open the address that it prints.";
    }
  }
  location.reload();
}

document.addEventListener("htmx:sendError", () => waitForStack("The console does not answer."));
document.addEventListener("htmx:responseError", (event) => {
  if (event.detail.xhr.status === 503) waitForStack("The stack does not answer. This page goes on when it is back.");
});
// Errors of requests that a person has made are shown where the answer would have been.
document.addEventListener("htmx:beforeSwap", (event) => {
  const status = event.detail.xhr.status;
  const isPolled = event.detail.requestConfig.triggeringEvent?.type === "every" || event.detail.elt.hasAttribute("data-polls");
  if (status >= 400 && status !== 503 && !isPolled) event.detail.shouldSwap = true;
});
if (document.querySelector("[data-waits]")) waitForStack("The stack does not answer. This page goes on when it is back.");
