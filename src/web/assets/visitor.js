// The visitor screen while it is open: it shows what the gateway says, and says itself only that the gateway
// is gone or back. Until the first word has come the page stands as it was sent: out of service.

import { $, both } from "./page.js";
import * as sound from "./sound.js";

const GONE_MS = 2500; // The gateway says something once a second.
const DIM_AFTER_MS = 180_000;
const ASK_AGAIN_MS = 5000;

const body = document.body;
const { build, sound: sounding } = body.dataset;
const spoken = (id) => ({ zh: $(id).dataset.zh, en: $(id).dataset.en });

let heardAt = null; // performance.now()
let isGone = true;
let restsSince = 0;
let last = "";

/* ---------- what is shown ---------- */

function place(cue, words, more, part, also) {
  const item = $("place").content.cloneNode(true).firstElementChild;
  item.dataset.cue = cue;
  item.querySelector("use").setAttribute("href", `#s-${cue}`);
  item.querySelector(".words").append(...both(words));
  if (more) item.querySelector(".more").append(...both(more));
  if (also) item.querySelector(".also").append(...also);
  const bar = item.querySelector("progress");
  bar.hidden = part === null;
  if (part !== null) bar.value = part;
  return item;
}

function show(said) {
  const alone = said.people.length === 1 && said.scene === "people";
  const places = said.people.map((it) => (alone
    ? place(it.cue, it.words, it.more, it.part)
    : place(it.cue, it.briefly, null, it.part)));
  if (places.length === 0) places.push(place(said.scene, said.words, said.more, null, said.why ? both(said.why) : [said.count ?? ""]));
  body.dataset.scene = said.scene;
  body.dataset.places = String(places.length);
  $("crowd").hidden = said.scene !== "crowd";
  if (said.scene === "crowd") $("crowd").replaceChildren(...both(said.words));
  $("places").replaceChildren(...places);
}

/* ---------- what is heard ---------- */

const TONES = { clear: "good", staff: "staff", indoors: "staff", cannot: "staff" };
const told = new Map(); // person → what they were told last
let asked = { what: "", at: 0 };

function say(name, words) {
  if (sounding !== "yes") return;
  sound.melody(name);
  setTimeout(() => sound.speak(words), 500);
}

function hear(said) {
  const here = new Set(said.people.map((it) => it.n));
  for (const n of told.keys()) if (!here.has(n)) told.delete(n);
  for (const it of said.people) {
    const isNew = told.get(it.n) !== it.cue;
    told.set(it.n, it.cue);
    if (isNew && TONES[it.cue]) say(TONES[it.cue], it.words);
  }
  // One who stands alone is asked, too; not again and again.
  const [only] = said.people;
  const what = said.scene === "crowd" ? "crowd" : only && said.people.length === 1 ? only.cue : "";
  if (["crowd", "closer", "middle", "look", "glasses", "hold"].includes(what)) {
    const now = performance.now();
    if (what !== asked.what || now - asked.at > ASK_AGAIN_MS) {
      const again = what === asked.what;
      asked = { what, at: now };
      if (!again || what !== "hold") say("ask", what === "crowd" ? said.words : only.words);
    }
  } else if (what === "") {
    asked = { what: "", at: 0 };
  }
}

/* ---------- the connection ---------- */

function arrive(event) {
  const said = JSON.parse(event.data);
  if (said.build !== build) location.reload();
  if (isGone && heardAt !== null) {
    $("back").hidden = false;
    setTimeout(() => { $("back").hidden = true; }, 6000);
  }
  heardAt = performance.now();
  isGone = false;
  $("lost").hidden = true;
  body.dataset.heard = String(Number(body.dataset.heard || 0) + 1);
  if (said.scene !== "rest") restsSince = heardAt;
  if (event.data === last) return;
  last = event.data;
  show(said);
  hear(said);
}

function gone() {
  isGone = true;
  last = "";
  told.clear();
  sound.hush();
  body.dataset.scene = "out";
  body.dataset.places = "1";
  $("crowd").hidden = true;
  $("places").replaceChildren($("out").content.cloneNode(true));
  $("lost").hidden = false;
}

function listen() {
  const words = new EventSource("/visitor/words");
  words.addEventListener("words", arrive);
  // The browser tries again by itself, but not after an answer that was no stream: then nobody is signed in
  // any more, or there are too many screens.
  words.addEventListener("error", async () => {
    if (words.readyState !== EventSource.CLOSED) return;
    try {
      const answer = await fetch("/visitor", { redirect: "manual" });
      if (answer.type === "opaqueredirect" || answer.status === 401) location.reload();
    } catch {
      // Not there yet.
    }
    setTimeout(listen, 2000);
  });
}

setInterval(() => {
  const now = performance.now();
  if (!isGone && now - heardAt > GONE_MS) gone();
  body.classList.toggle("dim", body.dataset.scene === "rest" && now - restsSince > DIM_AFTER_MS);
}, 250);

if (sounding === "yes") sound.onHeard(() => { $("silent").hidden = sound.isHeard(); });
listen();
body.dataset.ready = "yes";
