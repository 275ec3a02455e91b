// The live picture: the newest frame wins. Nothing is queued: what cannot be painted in time is left out,
// and said.

import { $, say, tenth } from "./page.js";
import { palettes, ramp } from "./palette.js";
import { LOOK, listPeople, nobody, sayBriefly, sayPerson } from "./people.js";

const STALE_MS = 1500; // As in page.rs.
// So many frames missing between two is no thinning to ten a second any more.
const MANY = 5;

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
let unpainted = 0;
let lastSkipped = 0;

function open(buffer) {
  const view = new DataView(buffer);
  const length = view.getUint32(0, true);
  const head = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, length)));
  const count = head.width * head.height;
  if (head.v !== 2 || buffer.byteLength !== 4 + length + 2 * count) {
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
    words[i] = ramp[level < 0 ? 0 : level > 255 ? 255 : level | 0];
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

function label(lines, x, y, color, dense) {
  const size = (isNarrow() ? 12 : 15) * dense;
  screen.font = `600 ${size}px "Noto Sans CJK SC", "Noto Sans SC", "PingFang SC", "Microsoft YaHei", sans-serif`;
  const pad = 7 * dense;
  const wide = Math.max(...lines.map((line) => screen.measureText(line).width)) + 2 * pad;
  const each = size * 1.35;
  const high = each * lines.length + size * 0.35;
  const left = Math.max(0, Math.min(x, canvas.width - wide));
  const top = y - high >= 0 ? y - high : Math.min(y, canvas.height - high);
  screen.fillStyle = color;
  screen.fillRect(left, top, wide, high);
  screen.fillStyle = "#fff";
  screen.textBaseline = "middle";
  lines.forEach((line, n) => {
    screen.fillText(line, left + pad, top + size * 0.175 + each * (n + 0.5));
  });
}

function sayOnPicture(person) {
  if (isNarrow()) return sayBriefly(person);
  const why = person.reason ?? person.advice;
  return why ? [sayPerson(person), say(why)] : [sayPerson(person)];
}

function drawReference({ x, y, radius, reading_c, flaw }, zoom, dense) {
  for (const [color, line] of [["#fff", 5], ["#0b5cad", 2.5]]) {
    screen.strokeStyle = color;
    screen.lineWidth = line * dense;
    screen.setLineDash(flaw ? [5 * dense, 4 * dense] : []);
    screen.beginPath();
    screen.arc(x * zoom, y * zoom, (radius + 2) * zoom, 0, 2 * Math.PI);
    screen.stroke();
  }
  screen.setLineDash([]);
  const sign = flaw ? `◎ ! ${say(flaw)}` : "◎ ✓";
  label([`${sign} ${reading_c.toFixed(2)} °C`], (x - radius) * zoom, (y - radius - 3) * zoom, "#0b5cad", dense);
}

function drawProbe(zoom, dense) {
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
  label([sayProbe()], x + 14 * dense, y - 8 * dense, "#14202b", dense);
}

function draw() {
  const { head } = frame;
  const { dense, zoom } = fit();
  screen.imageSmoothingEnabled = true;
  screen.imageSmoothingQuality = "high";
  screen.setLineDash([]);
  screen.drawImage(small, 0, 0, canvas.width, canvas.height);
  for (const reference of head.references) drawReference(reference, zoom, dense);
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
    label(sayOnPicture(person), left, top - 3 * dense, look.color, dense);
  }
  if (probe) drawProbe(zoom, dense);
}

// One pixel, with what it is unsure by (k = 2) where it may be measured at all.
function sayProbe() {
  const { head, pixels } = frame;
  const here = pixels[probe.y * head.width + probe.x] / 100;
  if (!head.pixel) return `${tenth(here)} °C ?`;
  const { surest_c, least_u_k, slope } = head.pixel;
  const expanded = 2 * Math.hypot(least_u_k, slope * (here - surest_c));
  return `${tenth(here)} ± ${tenth(expanded)} °C`;
}

function sayReference({ reading_c, set_point_c, quality }) {
  return `${reading_c.toFixed(2)} °C → ${set_point_c.toFixed(2)} °C · ${Math.round(100 * quality)} %`;
}

function tell() {
  const { head } = frame;
  $("view-empty").hidden = true;
  $("view-clock").textContent = head.clock;
  $("dropped").textContent = String(head.dropped);
  $("skipped").textContent = String(head.skipped + unpainted);
  $("reference").textContent = head.references.map(sayReference).join(" / ") || "–";
  const flaw = head.references.find((it) => it.flaw)?.flaw;
  $("reference-flaw").textContent = flaw ? `! ${say(flaw)}` : "";
  $("scale-low").textContent = `${tenth(range.low / 100)} °C`;
  $("scale-high").textContent = `${tenth(range.high / 100)} °C`;
  $("probe").textContent = probe ? sayProbe() : "–";
  $("probe-unsure").hidden = head.pixel !== null;
}

function show() {
  drawn = true;
  if (!frame) return;
  rgb();
  draw();
  tell();
  listPeople(frame.head.people);
}

// Asked for at most once per painted picture of the screen: a newer frame replaces an older one.
function soon() {
  if (drawn) {
    drawn = false;
    requestAnimationFrame(show);
  }
}

let hideLag = 0;

// A gap is said for a moment beside the picture, and stays in the count below it.
function sayGap(missing) {
  if (missing < MANY) return;
  $("lag-frames").textContent = String(missing);
  $("lag").hidden = false;
  clearTimeout(hideLag);
  hideLag = setTimeout(() => { $("lag").hidden = true; }, 4000);
}

function arrive(buffer) {
  const next = open(buffer);
  // A page in the background is not painted; that is no lag.
  if (!drawn && frame && !document.hidden) unpainted += 1;
  if (frame) {
    const dropped = Math.max(0, next.head.dropped - frame.head.dropped);
    sayGap(dropped + Math.max(0, next.head.skipped - lastSkipped));
  }
  lastSkipped = next.head.skipped;
  frame = next;
  const { head } = frame;
  lastArrived = performance.now() - (head.age_ms === null ? STALE_MS + 1 : head.age_ms);
  lastClock = head.clock;
  if (probe && (probe.x >= head.width || probe.y >= head.height)) probe = null;
  document.body.dataset.frames = String(Number(document.body.dataset.frames || 0) + 1);
  soon();
  watchPicture();
  return head;
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
    if (stale) nobody();
  }
}
setInterval(watchPicture, 250);

/* ---------- the probe ---------- */

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
    // Said once for each press, not ten times a second.
    $("probe-told").textContent = sayProbe();
  } else {
    return;
  }
  soon();
});
window.addEventListener("resize", soon);
export const nextPalette = palettes(soon);

/* ---------- the connection ---------- */

let wait = 500;

// Calls back with the head of each frame, and with null when the connection is gone.
export function watchLive(heard) {
  const socket = new WebSocket(`${location.origin.replace("http", "ws")}/live`);
  socket.binaryType = "arraybuffer";
  socket.onmessage = (event) => {
    wait = 500;
    try {
      heard(arrive(event.data));
    } catch (error) {
      console.warn(error);
      heard({ build: "" });
    }
  };
  socket.onclose = () => {
    heard(null);
    setTimeout(watchLive, wait, heard);
    wait = Math.min(wait * 2, 5000);
  };
}
