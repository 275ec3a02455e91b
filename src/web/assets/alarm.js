// A new alert is heard and seen, and heard again until somebody takes it. Muting is for a few minutes, it
// shows, and the next alert ends it: there is no off for good.

import { $ } from "./page.js";
import * as sound from "./sound.js";

const AGAIN_MS = 30_000;
const MUTED_MS = 300_000;

const plainTitle = document.title;
let unseen = false;
let mutedUntil = 0; // performance.now()
let soundedAt = 0;

const spoken = (id) => ({ zh: $(id).dataset.zh, en: $(id).dataset.en });
const open = () => Number($("pending").dataset.open || 0);
const isMuted = () => performance.now() < mutedUntil;

function ring() {
  soundedAt = performance.now();
  sound.melody("alarm");
  // After the melody.
  setTimeout(() => sound.speak(spoken("spoken-alert")), 1200);
}

function title() {
  const word = $("title-alert").textContent;
  document.title = open() === 0 ? plainTitle : `(${open()}) ${word} · ${plainTitle}`;
  if (open() === 0) unseen = false;
}

function show() {
  const heard = sound.isHeard();
  $("silent").hidden = heard;
  $("mute").setAttribute("aria-pressed", String(isMuted()));
  const left = Math.max(0, Math.ceil((mutedUntil - performance.now()) / 1000));
  $("muted-left").textContent = `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`;
  const missing = sound.voiceless();
  for (const language of ["zh", "en"]) $(`voiceless-${language}`).hidden = !missing.includes(language);
}

export function mute() {
  mutedUntil = isMuted() ? 0 : performance.now() + MUTED_MS;
  if (isMuted()) sound.hush();
  show();
}

export function tryOut() {
  sound.arm();
  sound.melody("alarm");
  setTimeout(() => sound.speak(spoken("spoken-test")), 1200);
}

// After each reading of the lists: whether an alert has come.
export function listsWereRead(article) {
  if (article) {
    unseen = true;
    mutedUntil = 0;
    ring();
    const head = article.querySelector("h3").textContent.trim();
    const value = article.querySelector(".value").textContent.trim();
    const flood = article.closest("#flood")?.querySelector("summary").textContent.trim();
    $("alerts-told").textContent = flood || `${head} ${value}`;
  }
  title();
  show();
}

// Once a second: below the three flashes a second that WCAG 2.3.1 allows.
let lit = false;
setInterval(() => {
  if (open() > 0 && !isMuted() && performance.now() - soundedAt >= AGAIN_MS) ring();
  show();
  if (!unseen || matchMedia("(prefers-reduced-motion: reduce)").matches) return;
  lit = !lit;
  if (lit) {
    document.title = `▲ ${$("title-alert").textContent} ▲`;
  } else {
    title();
  }
}, 1000);
for (const kind of ["pointerdown", "keydown", "focusin"]) {
  window.addEventListener(kind, () => {
    if (unseen) {
      unseen = false;
      title();
    }
  });
}

$("sound").hidden = false;
$("mute").addEventListener("click", mute);
$("try-sound").addEventListener("click", tryOut);
sound.onVoices(show);
sound.onHeard(show);
title();
