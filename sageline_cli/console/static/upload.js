// A file goes from this page to S3 in parts: three at a time, each by a URL that the console has signed.
"use strict";

const AT_A_TIME = 3;
const TRIES = 6;
const SPEED_SECONDS = 12; // over which the speed is taken

const form = document.getElementById("upload");
const drop = document.getElementById("drop");
const fileField = document.getElementById("file");
const nameField = document.getElementById("name");
let file = null;
let current = null;

function show(id, shown = true) {
  document.getElementById(id).hidden = !shown;
}

function problem(text) {
  const place = document.getElementById("upload-problem");
  place.textContent = text;
  place.hidden = !text;
}

function size(bytes) {
  const units = ["bytes", "kB", "MB", "GB", "TB"];
  let unit = 0;
  while (bytes >= 1000 && unit < units.length - 1) { bytes /= 1000; unit += 1; }
  return `${unit && bytes < 100 ? bytes.toFixed(1) : Math.round(bytes)} ${units[unit]}`;
}

function time(seconds) {
  if (seconds < 90) return `${Math.ceil(seconds)} s`;
  return seconds < 5400 ? `${Math.round(seconds / 60)} min` : `${(seconds / 3600).toFixed(1)} h`;
}

function proposedName(fileName) {
  const called = fileName.toLowerCase().replace(/\.[a-z]+(\.(gz|zst))?$/, "").normalize("NFKD").replace(/[^\x00-\x7f]/g, "");
  return called.replace(/[^a-z0-9]+/g, "-").replace(/^-+|-+$/g, "").slice(0, 32).replace(/-+$/, "");
}

function choose(chosen) {
  if (current || !chosen) return;
  file = chosen;
  problem("");
  document.getElementById("chosen-file").textContent = `${file.name}, ${size(file.size)}`;
  nameField.value = proposedName(file.name);
  show("chosen");
  nameField.focus();
  nameField.select();
}

// What the console says to a form; an error has the words of its answer.
async function ask(path, fields) {
  const answer = await fetch(`${base}/new/uploads${path}`, {
    method: "POST",
    headers: { Accept: "application/json" },
    body: new URLSearchParams(fields),
  });
  if (answer.status === 204) return null;
  const said = await answer.json().catch(() => null);
  if (answer.ok) return said;
  const error = new Error(said?.error?.message ?? `The console answered ${answer.status}.`);
  error.status = answer.status;
  throw error;
}

function put(upload, url, blob, number) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    upload.requests.add(request);
    request.open("PUT", url);
    request.upload.onprogress = (event) => { upload.sent.set(number, event.loaded); };
    request.onloadend = () => {
      upload.requests.delete(request);
      if (request.status === 200) { upload.sent.set(number, blob.size); resolve(); return; }
      upload.sent.delete(number);
      const error = new Error(request.status ? `S3 answered ${request.status}` : "S3 was not reached");
      error.status = request.status;
      reject(error);
    };
    request.send(blob);
  });
}

async function sendPart(upload, number) {
  const start = (number - 1) * upload.part_bytes;
  const blob = upload.file.slice(start, start + upload.part_bytes);
  for (let tried = 0; ; ) {
    if (upload.cancelled) return;
    try {
      const { url } = await ask("/part", { key: upload.key, upload_id: upload.upload_id, part: number });
      await put(upload, url, blob, number);
      return;
    } catch (error) {
      if (upload.cancelled) return;
      // S3 knows the upload no more: a stack on this machine forgets unfinished ones when it is restarted.
      if (error.status === 404) throw Object.assign(new Error("S3 has let go of what was sent"), { status: 404 });
      const isAway = error.status === 503; // the stack: however long that takes
      tried += isAway ? 0 : 1;
      if (upload.stopped || tried === TRIES) throw error;
      upload.trouble = `${error.message.replace(/\.$/, "")}; trying again.`;
      await new Promise((done) => setTimeout(done, isAway ? 3000 : 500 * 2 ** tried));
      upload.trouble = "";
    }
  }
}

async function sendParts(upload) {
  upload.stopped = false;
  const work = async () => {
    while (upload.left.length && !upload.stopped && !upload.cancelled) {
      const number = upload.left.shift();
      try {
        await sendPart(upload, number);
      } catch (error) {
        upload.left.unshift(number);
        upload.stopped = true;
        throw error;
      }
    }
  };
  const outcomes = await Promise.allSettled(Array.from({ length: AT_A_TIME }, work));
  const failed = outcomes.find((outcome) => outcome.status === "rejected");
  if (failed) throw failed.reason;
}

function report(upload) {
  const sent = [...upload.sent.values()].reduce((sum, bytes) => sum + bytes, 0);
  const now = performance.now() / 1000;
  upload.history.push([now, sent]);
  while (upload.history.length > 2 && now - upload.history[0][0] > SPEED_SECONDS) upload.history.shift();
  const [since, before] = upload.history[0];
  const speed = now > since ? Math.max(sent - before, 0) / (now - since) : 0;
  const left = speed > 0 && sent < upload.file.size ? `, ${time((upload.file.size - sent) / speed)} left` : "";
  const share = Math.floor((100 * sent) / upload.file.size);
  document.getElementById("progress").value = sent / upload.file.size;
  document.getElementById("sending-how").textContent =
    `${share} %, ${size(sent)} of ${size(upload.file.size)}${speed ? `, ${size(speed)}/s` : ""}${left}. ${upload.trouble}`;
  if (share >= upload.said + 25) {
    upload.said = share - (share % 25);
    say(`${upload.said} % uploaded`);
  }
}

async function run(upload) {
  problem("");
  show("resume", false);
  const ticking = setInterval(() => report(upload), 250);
  try {
    await sendParts(upload);
    if (upload.cancelled) return;
    report(upload);
    document.getElementById("sending-what").textContent = `Putting ${upload.file.name} together`;
    const done = await ask("/complete", { key: upload.key, upload_id: upload.upload_id, bytes: upload.file.size, file: upload.file.name });
    current = null;
    location.assign(done.next);
  } catch (error) {
    if (upload.cancelled) return;
    const told = `The upload has stopped: ${error.message.replace(/\.$/, "")}.`;
    if (error.status === 404 || error.status === 409) {
      abandon(upload);
      startAnew(told);
      problem(`${told} Upload the file again.`);
      return;
    }
    problem(`${told} What was sent is kept.`);
    show("resume");
    document.getElementById("resume").focus();
  } finally {
    clearInterval(ticking);
  }
}

async function begin() {
  problem("");
  document.getElementById("send").disabled = true;
  try {
    const begun = await ask("", { file: file.name, name: nameField.value.trim(), bytes: file.size });
    current = {
      ...begun, file, left: Array.from({ length: begun.parts }, (_, index) => index + 1),
      sent: new Map(), requests: new Set(), history: [], said: 0, trouble: "", cancelled: false, stopped: false,
    };
  } catch (error) {
    problem(error.message);
    nameField.focus();
    return;
  } finally {
    document.getElementById("send").disabled = false;
  }
  show("drop", false);
  show("chosen", false);
  show("sending");
  document.getElementById("sending-what").textContent = `Uploading ${file.name}`;
  document.getElementById("cancel").focus();
  run(current);
}

function abandon(upload) {
  upload.cancelled = true;
  for (const request of upload.requests) request.abort();
  const fields = new URLSearchParams({ key: upload.key, upload_id: upload.upload_id });
  navigator.sendBeacon(`${base}/new/uploads/abort`, fields); // goes out even when the page is being left
  current = null;
}

function startAnew(told) {
  show("sending", false);
  show("drop");
  show("chosen", Boolean(file));
  say(told);
  fileField.focus();
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  if (file && !current) begin();
});
fileField.addEventListener("change", () => choose(fileField.files[0]));
document.getElementById("cancel").addEventListener("click", () => {
  if (current) abandon(current);
  problem("");
  startAnew("The upload is cancelled.");
});
document.getElementById("resume").addEventListener("click", () => { if (current) run(current); });
// A file that misses the frame would be opened by the browser in the place of this page.
for (const kind of ["dragenter", "dragover", "dragleave", "drop"]) {
  document.addEventListener(kind, (event) => {
    event.preventDefault();
    drop.classList.toggle("over", kind === "dragenter" || kind === "dragover");
    if (kind === "drop") {
      if (event.dataTransfer.files.length > 1) problem("One file at a time: of several, `sageline submit` makes one dataset.");
      else choose(event.dataTransfer.files[0]);
    }
  });
}
window.addEventListener("beforeunload", (event) => { if (current) event.preventDefault(); });
window.addEventListener("pagehide", () => { if (current) abandon(current); });
window.addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });
