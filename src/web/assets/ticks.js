// Ticks while walking. A tap is kept in this phone before anything else, and stays there until the gateway
// has answered for it: over a lost connection, a reload and a sign-out. Ticks go out in the order of their
// taps. Each has the id that its form brought along, so that one which is sent twice is one. What the gateway
// refuses stays in the list with its reason until somebody has read it. The page says what is not sent yet.
//
// The phone's clock does not matter: a tap's time is the gateway's own, which the page brought along, and
// what has passed since. Where not even that can be kept, the browser sends the form in its own way.
//
// While the gateway is away, `rounds-worker.js` serves the page as it last came: where the browser has such
// workers, which is where it trusts the gateway's certificate. The page then says how old it is, and takes
// over how things stand as soon as the gateway answers.

const KEY = "menshen.tick.";
const FORM = 'form[action="/rounds/tick"]';
const SOON = 3000;
const LATER = 60000;

const $ = (id) => document.getElementById(id);

/* ---------- the gateway's time ---------- */

const clock = (at) => new Date(at).toLocaleTimeString("zh-CN", { hour: "2-digit", minute: "2-digit" });

let loaded;

function set(page) {
  const { loaded: gateway, kept } = page.getElementById("rounds").dataset;
  loaded = { gateway: Number(gateway), wall: Number(kept) || Date.now(), ran: performance.now() };
  $("kept").hidden = !kept;
  $("kept-at").textContent = clock(Number(gateway));
}

// A phone that sleeps stops the one clock, somebody who sets the time moves the other one back.
function gatewayNow() {
  const passed = Math.max(Date.now() - loaded.wall, performance.now() - loaded.ran);
  return Math.round(loaded.gateway + passed);
}

/* ---------- what is kept ---------- */

function kept() {
  const found = [];
  for (let n = 0; n < localStorage.length; n += 1) {
    const key = localStorage.key(n);
    if (key.startsWith(KEY)) found.push(JSON.parse(localStorage.getItem(key)));
  }
  return found.sort((a, b) => a.fields.tapped - b.fields.tapped || a.order - b.order);
}

const keep = (tick) => localStorage.setItem(KEY + tick.fields.id, JSON.stringify(tick));
const drop = (tick) => localStorage.removeItem(KEY + tick.fields.id);
const waiting = () => kept().filter((tick) => !tick.refused);
const articleOf = ({ fields }) => $(`slot-${fields.date}-${fields.item}-${fields.time}`);

/* ---------- what is shown ---------- */

let why = "";

function line(tick) {
  const node = $("queue-line").content.cloneNode(true);
  node.querySelector("[data-what]").textContent = tick.what;
  node.querySelector("[data-when]").textContent = clock(tick.fields.tapped);
  if (tick.refused) {
    node.querySelector("[data-refused]").hidden = false;
    node.querySelector("[data-reason]").textContent = tick.refused;
    const button = node.querySelector("[data-drop]");
    button.hidden = false;
    button.addEventListener("click", () => {
      drop(tick);
      location.reload();
    });
  }
  return node;
}

function mark(article, isWaiting) {
  article.classList.toggle("waiting", isWaiting);
  for (const part of article.querySelectorAll("form, details")) part.hidden = isWaiting;
  const there = article.querySelector(".unsent");
  if (isWaiting && !there) article.append($("queue-mark").content.cloneNode(true));
  if (!isWaiting && there) there.remove();
}

function show() {
  const ticks = kept();
  $("queue").hidden = ticks.length === 0;
  $("queue-number").textContent = ticks.length;
  $("queue-list").replaceChildren(...ticks.map(line));
  for (const text of $("queue").querySelectorAll("[data-why]")) text.hidden = text.dataset.why !== why;
  const marked = new Set(ticks.map(articleOf));
  for (const article of document.querySelectorAll(".slot")) mark(article, marked.has(article));
}

// What somebody is writing in stays as it is.
const isInUse = (article) =>
  article.contains(document.activeElement) ||
  article.querySelector("details[open]") ||
  [...article.querySelectorAll("input")].some((field) => field.value !== field.defaultValue);

// Takes over how things stand from a page that was just made.
function take(page, done) {
  set(page);
  $("numbers").replaceWith(page.getElementById("numbers"));
  for (const old of document.querySelectorAll(".slot")) {
    const fresh = page.getElementById(old.id);
    if (!fresh || (old !== done && isInUse(old))) continue;
    const hadFocus = old.contains(document.activeElement);
    old.replaceWith(fresh);
    remember(fresh);
    if (hadFocus) fresh.focus({ preventScroll: true });
  }
  const csrf = page.querySelector('[name="csrf"]').value;
  for (const field of document.querySelectorAll('[name="csrf"]')) field.value = csrf;
}

/* ---------- sending ---------- */

const parsed = (html) => new DOMParser().parseFromString(html, "text/html");

function reason(page) {
  const texts = page.querySelectorAll("#problem h1, #problem p:not(.code):not(:last-child)");
  return [...texts].map((node) => node.textContent.trim()).join(" ");
}

async function post(tick) {
  const csrf = document.querySelector('[name="csrf"]').value;
  const { at } = $("rounds").dataset;
  const body = new URLSearchParams({ ...tick.fields, csrf, at });
  const answer = await fetch("/rounds/tick", { method: "POST", body, headers: { Accept: "text/html" } });
  return { status: answer.status, page: parsed(await answer.text()) };
}

// Somebody signed in again meanwhile: the page's forms are of a session that is over.
async function renew() {
  const answer = await fetch(location.pathname, { headers: { Accept: "text/html" } });
  if (answer.ok) take(parsed(await answer.text()));
  return answer.status;
}

// Whether the next one may go; throws where the gateway cannot be reached.
async function send(tick) {
  let { status, page } = await post(tick);
  if (status === 403) {
    status = await renew();
    if (status === 200) ({ status, page } = await post(tick));
  }
  if (status === 401) why = "signed_out";
  else if (status >= 500 || status === 429) why = "busy";
  else {
    if (status === 200) {
      drop(tick);
      take(page, articleOf(tick));
    } else keep({ ...tick, refused: reason(page) || String(status) });
    why = "";
    return true;
  }
  return false;
}

const isCopy = () => !$("kept").hidden;

let busy = false;
let pause = SOON;
let timer;

async function sendAll() {
  if (busy) return;
  busy = true;
  clearTimeout(timer);
  try {
    if (isCopy()) await renew();
    for (let next = waiting()[0]; next; next = waiting()[0]) {
      if (!(await send(next))) break;
      pause = SOON;
      show();
    }
  } catch {
    why = "offline";
  }
  busy = false;
  show();
  if (waiting().length > 0 || isCopy()) {
    timer = setTimeout(sendAll, pause);
    pause = Math.min(pause * 2, LATER);
  }
}

/* ---------- tapping ---------- */

function remember(root) {
  const name = localStorage.getItem("menshen.by") || "";
  for (const field of root.querySelectorAll('[data-remember="by"]')) {
    if (!field.value) field.value = field.defaultValue = name;
  }
}

let order = Date.now();

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!form.matches(FORM)) return;
  const fields = Object.fromEntries(new FormData(form));
  fields.tapped = gatewayNow();
  order += 1;
  const what = form.closest(".slot").querySelector("h3 .zh").textContent;
  const said = form.querySelector("button").textContent.trim();
  try {
    if (!localStorage.getItem(KEY + fields.id)) keep({ fields, order, what: `${what} · ${said}`, refused: "" });
    localStorage.setItem("menshen.by", fields.by);
  } catch {
    // No room, or none allowed.
    return;
  }
  event.preventDefault();
  show();
  sendAll();
});

// The page that is here came before its worker was.
async function serveWhileAway(workers) {
  const wasThere = workers.controller;
  await workers.register("/rounds-worker.js", { scope: "/rounds" });
  const { active } = await workers.ready;
  if (!wasThere) active.postMessage(location.href);
}

// No worker where the browser does not trust the certificate, or has none.
if (navigator.serviceWorker) serveWhileAway(navigator.serviceWorker).catch(() => {});
set(document);
remember(document);
show();
sendAll();
for (const [target, event] of [[window, "online"], [window, "pageshow"], [document, "visibilitychange"], [window, "storage"]]) {
  target.addEventListener(event, () => {
    show();
    sendAll();
  });
}
