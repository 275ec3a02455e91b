// What moves on the page. Without this file the page still shows and records everything but the
// live picture. Words are in the page or come from the gateway; none are made here.

const $ = (id) => document.getElementById(id);
const STALE_MS = 1500; // As in page.rs.

/* ---------- live picture ---------- */

// Cividis (Nuñez, Anderton, Renslow 2018, doi:10.1371/journal.pone.0199239), every tenth part:
// even in lightness and the same to colour-blind eyes. It has no red: red means an alert.
const CIVIDIS = [
  [0, 34, 78], [18, 53, 112], [59, 73, 108], [87, 93, 109], [112, 113, 115], [138, 134, 120],
  [165, 156, 116], [195, 179, 105], [225, 204, 85], [254, 232, 56],
];
const RAMP = new Uint32Array(256);
for (let i = 0; i < 256; i += 1) {
  const at = (i / 255) * (CIVIDIS.length - 1);
  const low = Math.min(Math.floor(at), CIVIDIS.length - 2);
  const mix = CIVIDIS[low].map((c, k) => Math.round(c + (CIVIDIS[low + 1][k] - c) * (at - low)));
  RAMP[i] = (255 << 24) | (mix[2] << 16) | (mix[1] << 8) | mix[0];
}

const LOOK = {
  looking: { icon: "…", color: "#0b5cad", dash: [6, 5], line: 3 },
  clear: { icon: "✓", color: "#155a38", dash: [], line: 3 },
  possible_fever: { icon: "▲", color: "#a30f1b", dash: [], line: 6 },
  retest: { icon: "↻", color: "#6f4300", dash: [14, 6], line: 4 },
  cannot_judge: { icon: "?", color: "#3f4c59", dash: [3, 5], line: 3 },
};

const canvas = $("picture");
const screen = canvas.getContext("2d");
const small = document.createElement("canvas");
const paint = small.getContext("2d");
let frame = null; // the newest: { head, pixels }
let image = null;
let words = null;
let range = null; // shown temperatures, hundredths of °C
let probe = null; // pixel of the picture, { x, y }
let lastArrived = null; // performance.now() at which the newest picture was taken
let lastClock = "";
let drawn = true;

// In the language that the page shows; on the picture there is room for one.
const inEnglish = document.documentElement.dataset.words === "en";
const say = (both) => (inEnglish ? both.en : both.zh);

const tenth = (value) => value.toFixed(1);
const signed = (value) => `${value < 0 ? "−" : "+"}${tenth(Math.abs(value))}`;

function open(buffer) {
  const view = new DataView(buffer);
  const length = view.getUint32(0, true);
  const head = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, length)));
  const count = head.width * head.height;
  if (head.v !== 1 || buffer.byteLength !== 4 + length + 2 * count) {
    throw new Error("not a picture of this version; reload the page");
  }
  const pixels = new Int16Array(count);
  for (let i = 0, at = 4 + length; i < count; i += 1, at += 2) {
    pixels[i] = view.getInt16(at, true);
  }
  return { head, pixels };
}

// The scale follows the scene slowly and always reaches 39 °C, so that skin keeps its colour.
function follow(pixels) {
  const sample = [];
  const step = Math.max(1, Math.floor(pixels.length / 2000));
  for (let i = 0; i < pixels.length; i += step) sample.push(pixels[i]);
  sample.sort((a, b) => a - b);
  const low = sample[Math.floor(sample.length * 0.02)] - 100;
  const high = Math.max(3900, sample[Math.floor(sample.length * 0.995)]);
  range = range
    ? { low: range.low * 0.95 + low * 0.05, high: range.high * 0.95 + high * 0.05 }
    : { low, high };
  if (range.high - range.low < 200) range.low = range.high - 200;
}

function rgb() {
  const { head, pixels } = frame;
  if (small.width !== head.width || small.height !== head.height || !image) {
    small.width = head.width;
    small.height = head.height;
    image = paint.createImageData(head.width, head.height);
    words = new Uint32Array(image.data.buffer);
    range = null;
  }
  follow(pixels);
  const scale = 255 / (range.high - range.low);
  for (let i = 0; i < pixels.length; i += 1) {
    const level = (pixels[i] - range.low) * scale;
    words[i] = RAMP[level < 0 ? 0 : level > 255 ? 255 : level | 0];
  }
  paint.putImageData(image, 0, 0);
}

function fit() {
  const { head } = frame;
  // The whole picture is in view without scrolling, whatever way the sensor is mounted.
  const tallest = Math.max(320, window.innerHeight * 0.62);
  const width = Math.min(
    canvas.parentElement.clientWidth,
    Math.round((tallest * head.width) / head.height),
  );
  canvas.style.width = `${width}px`;
  const dense = Math.min(window.devicePixelRatio || 1, 2);
  const wanted = [Math.round(width * dense), Math.round((width * head.height * dense) / head.width)];
  if (canvas.width !== wanted[0] || canvas.height !== wanted[1]) {
    [canvas.width, canvas.height] = wanted;
  }
  return { dense, zoom: canvas.width / head.width };
}

const isNarrow = () => canvas.clientWidth < 440;

function label(text, x, y, color, dense) {
  const size = (isNarrow() ? 12 : 15) * dense;
  screen.font = `600 ${size}px "Noto Sans CJK SC", "Noto Sans SC", "PingFang SC", "Microsoft YaHei", sans-serif`;
  const pad = 7 * dense;
  const wide = screen.measureText(text).width + 2 * pad;
  const high = size * 1.7;
  const left = Math.max(0, Math.min(x, canvas.width - wide));
  const top = y - high >= 0 ? y - high : Math.min(y, canvas.height - high);
  screen.fillStyle = color;
  screen.fillRect(left, top, wide, high);
  screen.fillStyle = "#fff";
  screen.textBaseline = "middle";
  screen.fillText(text, left + pad, top + high / 2);
}

// A temperature; without a reference a difference with its sign; nothing where nothing was measured.
function sayValue(person) {
  if (person.relative) return signed(person.difference_k);
  return person.estimate_c === undefined ? "" : tenth(person.estimate_c);
}

function sayPerson(person) {
  const look = LOOK[person.state.code] || LOOK.cannot_judge;
  const parts = [`${look.icon} ${say(person.state)}`];
  if (person.looks) parts.push(`${person.looks[0]}/${person.looks[1]}`);
  const value = sayValue(person);
  if (value) parts.push(`${value} ± ${tenth(person.expanded_u_k)} ${person.relative ? "K" : "°C"}`);
  if (person.relative) parts.push(say(person.relative));
  return parts.join(" ");
}

// On a phone the words would cover each other; they stand in the list below the picture.
function sayBriefly(person) {
  const { icon } = LOOK[person.state.code] || LOOK.cannot_judge;
  const value = sayValue(person);
  if (value) return `${icon} ${value}${person.relative ? " K" : ""}`;
  return person.looks ? `${icon} ${person.looks[0]}/${person.looks[1]}` : icon;
}

function draw() {
  const { head } = frame;
  const { dense, zoom } = fit();
  screen.imageSmoothingEnabled = true;
  screen.imageSmoothingQuality = "high";
  screen.setLineDash([]);
  screen.drawImage(small, 0, 0, canvas.width, canvas.height);
  if (head.reference) {
    const { x, y, radius, reading_c } = head.reference;
    for (const [color, line] of [["#fff", 5], ["#0b5cad", 2.5]]) {
      screen.strokeStyle = color;
      screen.lineWidth = line * dense;
      screen.beginPath();
      screen.arc(x * zoom, y * zoom, (radius + 2) * zoom, 0, 2 * Math.PI);
      screen.stroke();
    }
    label(`◎ ${reading_c.toFixed(2)} °C`, (x - radius) * zoom, (y - radius - 3) * zoom, "#0b5cad", dense);
  }
  for (const person of head.people) {
    const look = LOOK[person.state.code] || LOOK.cannot_judge;
    const [left, top, right, bottom] = person.area.map((edge) => edge * zoom);
    for (const [color, more, dash] of [["#fff", 3, []], [look.color, 0, look.dash]]) {
      screen.strokeStyle = color;
      screen.lineWidth = (look.line + more) * dense;
      screen.setLineDash(dash.map((part) => part * dense));
      screen.strokeRect(left, top, right - left, bottom - top);
    }
    screen.setLineDash([]);
    label(isNarrow() ? sayBriefly(person) : sayPerson(person), left, top - 3 * dense, look.color, dense);
  }
  if (probe) {
    const x = (probe.x + 0.5) * zoom;
    const y = (probe.y + 0.5) * zoom;
    for (const [color, line] of [["#fff", 4], ["#14202b", 1.5]]) {
      screen.strokeStyle = color;
      screen.lineWidth = line * dense;
      screen.beginPath();
      screen.moveTo(x - 10 * dense, y);
      screen.lineTo(x + 10 * dense, y);
      screen.moveTo(x, y - 10 * dense);
      screen.lineTo(x, y + 10 * dense);
      screen.stroke();
    }
  }
}

function chinese(text) {
  const span = document.createElement("span");
  span.className = "zh";
  span.textContent = text;
  return span;
}

function english(text) {
  const span = document.createElement("span");
  span.className = "en";
  span.lang = "en";
  span.textContent = text;
  return span;
}

// One line for each person, kept while the person is there, so that a table that somebody has
// unfolded stays unfolded and keeps the focus.
const lines = new Map();

function linePerson(person) {
  let line = lines.get(person.track);
  if (!line) {
    const item = document.createElement("li");
    const text = document.createElement("p");
    const why = $("why").content.cloneNode(true).firstElementChild;
    item.append(text, why);
    line = { item, text, why };
    lines.set(person.track, line);
  }
  const { item, text, why } = line;
  item.className = `v-${person.state.code}`;
  const state = document.createElement("b");
  state.textContent = sayPerson(person);
  text.replaceChildren(state, " ", inEnglish ? "" : english(person.state.en));
  if (person.reason) text.append(" · ", chinese(person.reason.zh), " ", english(person.reason.en));
  if (person.advice) text.append(" · ", chinese(person.advice.zh), " ", english(person.advice.en));
  if (person.face_c !== undefined) {
    text.append(" · ", chinese("面部"), " ", english("face"), ` ${tenth(person.face_c)} °C`);
  }
  if (person.relative) {
    text.append(" · ", chinese(`对照 ${person.people} 人`), " ", english(`${person.relative.en}, against ${person.people} people`));
  }
  why.hidden = person.budget === null || person.expanded_u_k === undefined;
  if (!why.hidden) {
    why.querySelector("[data-u]").textContent = tenth(person.expanded_u_k);
    const all = { ...person.budget, face: person.face_u_k, estimate: person.expanded_u_k / 2 };
    for (const cell of why.querySelectorAll("[data-part]")) {
      cell.textContent = all[cell.dataset.part].toFixed(2);
    }
  }
  return item;
}

function listPeople() {
  const list = $("people");
  const items = frame.head.people.map(linePerson);
  const there = new Set(frame.head.people.map((person) => person.track));
  for (const track of lines.keys()) if (!there.has(track)) lines.delete(track);
  // Moved only where somebody came or went: an element that is moved loses the focus.
  const same = items.length === list.childElementCount
    && items.every((item, at) => list.children[at] === item);
  if (!same) list.replaceChildren(...items);
}

function tell() {
  const { head, pixels } = frame;
  $("view-empty").hidden = true;
  $("view-clock").textContent = head.clock;
  $("dropped").textContent = String(head.dropped);
  $("skipped").textContent = String(head.skipped);
  $("reference").textContent = head.reference ? `${head.reference.reading_c.toFixed(2)} °C` : "–";
  $("scale-low").textContent = `${tenth(range.low / 100)} °C`;
  $("scale-high").textContent = `${tenth(range.high / 100)} °C`;
  const here = probe && pixels[probe.y * head.width + probe.x];
  $("probe").textContent = probe ? `${(here / 100).toFixed(2)} °C` : "–";
}

function show() {
  drawn = true;
  if (!frame) return;
  rgb();
  draw();
  tell();
  listPeople();
}

// Asked for at most once per painted picture of the screen: a newer frame replaces an older one.
function soon() {
  if (drawn) {
    drawn = false;
    requestAnimationFrame(show);
  }
}

function arrive(buffer) {
  frame = open(buffer);
  const { head } = frame;
  lastArrived = performance.now() - (head.age_ms === null ? STALE_MS + 1 : head.age_ms);
  lastClock = head.clock;
  if (probe && (probe.x >= head.width || probe.y >= head.height)) probe = null;
  document.body.dataset.frames = String(Number(document.body.dataset.frames || 0) + 1);
  soon();
  watchPicture();
}

function watchPicture() {
  const stale = lastArrived === null
    ? performance.now() > STALE_MS + 1000
    : performance.now() - lastArrived > STALE_MS;
  const banner = $("lost");
  if (banner.hidden === stale) {
    $("lost-since").textContent = lastClock || "–";
    banner.hidden = !stale;
    $("stage").classList.toggle("lost", stale);
    // A verdict beside an old picture would be read as one of now.
    if (stale) {
      $("people").replaceChildren();
      lines.clear();
    }
  }
}
setInterval(watchPicture, 250);

function move(event) {
  if (!frame) return;
  const box = canvas.getBoundingClientRect();
  const { width, height } = frame.head;
  const part = (at, size, count) => Math.max(0, Math.min(count - 1, Math.floor((at / size) * count)));
  probe = {
    x: part(event.clientX - box.left, box.width, width),
    y: part(event.clientY - box.top, box.height, height),
  };
  soon();
}
canvas.addEventListener("pointermove", move);
canvas.addEventListener("pointerdown", move);
canvas.addEventListener("pointerleave", (event) => {
  if (event.pointerType === "mouse") {
    probe = null;
    soon();
  }
});
canvas.addEventListener("keydown", (event) => {
  const ways = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  if (event.key === "Escape") {
    probe = null;
  } else if (frame && ways[event.key]) {
    const { width, height } = frame.head;
    const [dx, dy] = ways[event.key].map((step) => step * (event.shiftKey ? 10 : 1));
    probe ??= { x: width >> 1, y: height >> 1 };
    probe = {
      x: Math.max(0, Math.min(width - 1, probe.x + dx)),
      y: Math.max(0, Math.min(height - 1, probe.y + dy)),
    };
    event.preventDefault();
  } else {
    return;
  }
  soon();
});
window.addEventListener("resize", soon);

let wait = 500;
function watch() {
  // http becomes ws, and https wss.
  const socket = new WebSocket(`${location.origin.replace("http", "ws")}/live`);
  socket.binaryType = "arraybuffer";
  socket.onmessage = (event) => {
    wait = 500;
    arrive(event.data);
  };
  socket.onclose = () => {
    setTimeout(watch, wait);
    wait = Math.min(wait * 2, 10000);
  };
}
watch();

/* ---------- lists ---------- */

// Never takes away a form that somebody is using.
function inUse(article) {
  if (article.contains(document.activeElement) && document.activeElement !== article) return true;
  return [...article.querySelectorAll("input, select")].some((field) =>
    field.type === "radio"
      ? field.checked
      : field.tagName === "SELECT"
        ? field.selectedIndex > 0
        : field.value !== (field.dataset.given || ""),
  );
}

const isBusy = (node) =>
  node.tagName === "ARTICLE" ? inUse(node) : [...node.querySelectorAll("article")].some(inUse);

// How long an alert waits, who was told and whether it is saved may change under a form in use.
function sayWaits(old, node) {
  if (old.dataset.edition === node.dataset.edition) return;
  old.dataset.edition = node.dataset.edition;
  old.querySelector(".waits")?.replaceWith(node.querySelector(".waits"));
  const [steps, next] = [old, node].map((card) => card.querySelector("form.emergency"));
  if (steps && next && !inUse(steps)) {
    steps.replaceWith(next);
    remember(next);
  }
}

// A card has one place in the page: it leaves the old one unless somebody is using it there.
function makeRoom(node) {
  for (const card of node.tagName === "ARTICLE" ? [node] : node.querySelectorAll("article")) {
    const here = $(card.id);
    if (!here) continue;
    if (!inUse(here)) {
      here.remove();
    } else if (card === node) {
      return false;
    } else {
      card.remove();
    }
  }
  return true;
}

function merge(now, next) {
  now.dataset.open = next.dataset.open || "0";
  const wanted = [...next.children];
  const ids = new Set(wanted.map((node) => node.id));
  for (const node of [...now.children]) {
    if (ids.has(node.id)) continue;
    if (!isBusy(node)) {
      node.remove();
    } else if (node.tagName === "ARTICLE" && !next.ownerDocument.getElementById(node.id)) {
      node.dataset.changed = $("word-changed").textContent;
    }
  }
  let at = 0;
  for (const node of wanted) {
    const old = node.id && [...now.children].find((child) => child.id === node.id);
    if (!old) {
      if (makeRoom(node)) {
        now.insertBefore(node, now.children[at] || null);
        remember(node);
        at += 1;
      }
      continue;
    }
    if (now.children[at] === old) at += 1;
    if (node.id === "flood") {
      old.querySelector("summary").replaceWith(node.querySelector("summary"));
      merge($("flooding"), node.querySelector("#flooding"));
      continue;
    }
    const same = old.tagName === "ARTICLE" && old.dataset.state === node.dataset.state;
    if (same || (old.tagName === "ARTICLE" && inUse(old))) {
      if (same) sayWaits(old, node);
      else old.dataset.changed = $("word-changed").textContent;
      continue;
    }
    old.replaceWith(node);
    remember(node);
  }
}

async function part(path) {
  const answer = await fetch(path, { headers: { Accept: "text/html" } });
  // Signed out: the page itself leads to where one signs in.
  if (answer.status === 401) location.reload();
  if (!answer.ok) throw new Error(String(answer.status));
  return new DOMParser().parseFromString(await answer.text(), "text/html");
}

let known = new Set([...document.querySelectorAll("article.open")].map((node) => node.id));

async function readAlerts() {
  const next = await part("/alerts");
  const fresh = [...next.querySelectorAll("article.open")].map((node) => node.id);
  for (const id of ["pending", "resolved"]) merge($(id), next.getElementById(id));
  const added = fresh.filter((id) => !known.has(id));
  known = new Set(fresh);
  if (added.length > 0) announce($(added[0]));
  title();
}

async function readSummary() {
  const next = await part("/summary");
  for (const node of next.querySelectorAll("[data-swap]")) {
    const old = $(node.id);
    if (old && old.outerHTML !== node.outerHTML) old.replaceWith(node);
  }
}

// One reading at a time; whatever changes meanwhile is read once more after it.
function reader(read) {
  let running = null;
  let again = false;
  const run = async () => {
    do {
      again = false;
      try {
        await read();
      } catch (error) {
        console.warn("could not be read again:", error);
      }
    } while (again);
    running = null;
  };
  return () => {
    again = true;
    running ??= run();
    return running;
  };
}
const refreshAlerts = reader(readAlerts);
const refreshSummary = reader(readSummary);

const changes = new EventSource("/changes");
changes.addEventListener("changed", () => {
  refreshAlerts();
  refreshSummary();
});
setInterval(refreshSummary, 5000);
// The minutes that an alert waits.
setInterval(refreshAlerts, 30000);

/* ---------- forms ---------- */

function remember(root) {
  for (const field of root.querySelectorAll("[data-remember]")) {
    const kept = localStorage.getItem(`menshen.${field.dataset.remember}`) || "";
    field.dataset.given = kept;
    if (!field.value) field.value = kept;
  }
}
remember(document);

function failed(html) {
  const box = $("alerts-failed");
  box.hidden = !html;
  box.replaceChildren();
  if (html) {
    const page = new DOMParser().parseFromString(html, "text/html");
    const texts = page.querySelectorAll("#problem h1, #problem p:not(.code):not(:last-child)");
    for (const node of texts) {
      const line = document.createElement("span");
      line.append(...node.childNodes);
      box.append(line);
    }
    box.scrollIntoView({ block: "nearest" });
  }
}

// Sends a form without leaving the page; where that fails the browser sends it in its own way.
$("alerts").addEventListener("submit", async (event) => {
  const form = event.target;
  const button = event.submitter || form.querySelector("button");
  event.preventDefault();
  if (button.disabled) return;
  button.disabled = true;
  for (const field of form.querySelectorAll("[data-remember]")) {
    localStorage.setItem(`menshen.${field.dataset.remember}`, field.value.trim());
  }
  let answer;
  try {
    answer = await fetch(form.action, {
      method: "POST",
      body: new URLSearchParams(new FormData(form, event.submitter)),
      referrerPolicy: "same-origin",
    });
  } catch {
    // Sent without its button, a form does not say which.
    form.append(Object.assign(document.createElement("input"), { type: "hidden", name: button.name, value: button.value }));
    form.submit();
    return;
  }
  button.disabled = false;
  if (answer.status === 401) location.reload();
  if (!answer.ok) {
    failed(await answer.text());
    refreshAlerts();
    return;
  }
  failed("");
  const article = form.closest("article");
  const { id } = article;
  form.reset();
  for (const field of article.querySelectorAll("[data-remember]")) field.dataset.given = field.value;
  document.activeElement.blur();
  // A step leaves the rest of the card as it is: somebody may have begun to fill it in.
  if (!form.matches(".emergency")) article.dataset.state = "sent";
  refreshSummary();
  await refreshAlerts();
  $(id)?.focus();
});

/* ---------- a new alert is heard and seen ---------- */

const plainTitle = document.title;
let unseen = false;
let sound = null;

function title() {
  const open = Number($("pending").dataset.open || 0);
  const word = $("title-alert").textContent;
  document.title = open === 0 ? plainTitle : `(${open}) ${word} · ${plainTitle}`;
  if (open === 0) unseen = false;
}

// Once a second: below the three flashes a second that WCAG 2.3.1 allows.
let lit = false;
setInterval(() => {
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

function beep() {
  if (!sound) return;
  for (const [start, pitch] of [[0, 880], [0.28, 660], [0.56, 880]]) {
    const tone = sound.createOscillator();
    const loud = sound.createGain();
    tone.frequency.value = pitch;
    loud.gain.setValueAtTime(0.0001, sound.currentTime + start);
    loud.gain.exponentialRampToValueAtTime(0.4, sound.currentTime + start + 0.02);
    loud.gain.exponentialRampToValueAtTime(0.0001, sound.currentTime + start + 0.24);
    tone.connect(loud).connect(sound.destination);
    tone.start(sound.currentTime + start);
    tone.stop(sound.currentTime + start + 0.25);
  }
}

function announce(article) {
  unseen = true;
  beep();
  const head = article.querySelector("h3").textContent.trim();
  const value = article.querySelector(".value").textContent.trim();
  const flood = article.closest("#flood")?.querySelector("summary").textContent.trim();
  $("alerts-told").textContent = flood || `${head} ${value}`;
}

const button = $("sound");
button.hidden = false;
button.addEventListener("click", () => {
  if (sound) {
    sound.close();
    sound = null;
  } else {
    sound = new AudioContext();
    beep();
  }
  button.setAttribute("aria-pressed", String(sound !== null));
});
title();
document.body.dataset.ready = "yes";
