// The street office's overview: what has changed is read again and swapped in; an alert that is new and not old
// news is heard and said. Late ones are marked on the page, and silent.

import { $ } from "./page.js";
import * as sound from "./sound.js";

const MUTED_MS = 300_000;
const plainTitle = document.title;
let mutedUntil = 0; // performance.now()
// Alerts that have come since somebody last touched the page.
let unseen = new Set();

const alerts = (root) => [...root.querySelectorAll("#open li[id]")];
let known = new Set(alerts(document).map((node) => node.id));

const isMuted = () => performance.now() < mutedUntil;

function show() {
  $("silent").hidden = sound.isHeard();
  $("mute").setAttribute("aria-pressed", String(isMuted()));
  document.title = unseen.size > 0 ? `(${unseen.size}) ▲ ${plainTitle}` : plainTitle;
}

function tell(fresh) {
  for (const { id } of fresh) unseen.add(id);
  const told = $("alerts-told");
  told.textContent = fresh.map((node) => node.textContent.replace(/\s+/g, " ").trim()).join("; ");
  if (!isMuted()) {
    sound.melody("alarm");
    // After the melody.
    setTimeout(() => sound.speak({ zh: told.dataset.zh, en: told.dataset.en }), 1200);
  }
}

async function read() {
  const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
  // Signed out: the page itself leads to where one signs in.
  if (answer.status === 401 || answer.redirected) location.reload();
  if (!answer.ok) throw new Error(String(answer.status));
  const next = new DOMParser().parseFromString(await answer.text(), "text/html");
  const fresh = alerts(next).filter((node) => !known.has(node.id) && node.dataset.late !== "true");
  known = new Set(alerts(next).map((node) => node.id));
  for (const node of next.querySelectorAll("[data-swap]")) {
    const old = $(node.id);
    // What somebody is moving through by keyboard is left alone until they are out of it.
    if (old && old.outerHTML !== node.outerHTML && !old.contains(document.activeElement)) {
      old.replaceWith(node);
    }
  }
  if (fresh.length > 0) tell(fresh);
  unseen = new Set([...unseen].filter((id) => known.has(id)));
  for (const id of unseen) $(id)?.classList.add("fresh");
  document.body.dataset.read = String(Number(document.body.dataset.read || 0) + 1);
  show();
}

// One reading at a time; whatever changes meanwhile is read once more after it.
let running = null;
let again = false;
async function run() {
  do {
    again = false;
    try {
      await read();
    } catch (error) {
      console.warn("could not be read again:", error);
    }
    await new Promise((done) => setTimeout(done, 1000));
  } while (again);
  running = null;
}
function refresh() {
  again = true;
  running ??= run();
}

function watch() {
  const changes = new EventSource("/changes");
  changes.addEventListener("changed", refresh);
  // The browser tries again by itself, but not after an answer that was no stream (no seat, no session).
  changes.addEventListener("error", () => {
    if (changes.readyState === EventSource.CLOSED) setTimeout(watch, 5000);
  });
}
watch();
// Ages.
setInterval(refresh, 30_000);

for (const kind of ["pointerdown", "keydown", "focusin"]) {
  window.addEventListener(kind, () => {
    unseen.clear();
    show();
  });
}
$("mute").hidden = false;
$("mute").addEventListener("click", () => {
  mutedUntil = isMuted() ? 0 : performance.now() + MUTED_MS;
  if (isMuted()) sound.hush();
  show();
});
sound.onHeard(show);
setInterval(show, 1000);
