// The lists of alerts and the parts that are read again, without ever taking away what somebody is using;
// and the forms, which are sent without leaving the page.

import { $, keep, recall } from "./page.js";

// Never takes away a form that somebody is using.
function inUse(article) {
  if (article.contains(document.activeElement) && document.activeElement !== article) return true;
  return [...article.querySelectorAll("input:not([type=hidden]), select")].some((field) =>
    field.type === "radio"
      ? field.checked
      : field.tagName === "SELECT"
        ? field.selectedIndex > 0
        : field.value !== (field.dataset.given || ""),
  );
}

const isBusy = (node) =>
  node.tagName === "ARTICLE" ? inUse(node) : [...node.querySelectorAll("article")].some(inUse);

// Parts of a card that are no form of their own may change under a form in use: how long an alert waits, who
// was told, whether it is saved. Each is marked with `data-fresh` and its name.
function refresh(old, node) {
  old.dataset.edition = node.dataset.edition;
  for (const part of node.querySelectorAll("[data-fresh]")) {
    const here = old.querySelector(`[data-fresh="${part.dataset.fresh}"]`);
    if (here && here.outerHTML !== part.outerHTML && !here.contains(document.activeElement)) {
      here.replaceWith(part);
    }
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
      if (same) refresh(old, node);
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
// Told of the first of the alerts that have come, if any have, whenever the lists were read.
let told = () => {};

async function readAlerts() {
  const next = await part("/alerts");
  const fresh = [...next.querySelectorAll("article.open")].map((node) => node.id);
  for (const id of ["pending", "resolved"]) merge($(id), next.getElementById(id));
  const added = fresh.filter((id) => !known.has(id));
  known = new Set(fresh);
  told(added.length > 0 ? $(added[0]) : null);
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
export const refreshSummary = reader(readSummary);

function watchChanges() {
  const changes = new EventSource("/changes");
  changes.addEventListener("changed", () => {
    refreshAlerts();
    refreshSummary();
  });
  // The browser tries again by itself, but not after an answer that was no stream (no seat, no session).
  changes.addEventListener("error", () => {
    if (changes.readyState === EventSource.CLOSED) setTimeout(watchChanges, 5000);
  });
}

export function watchLists(whenRead) {
  told = whenRead;
  watchChanges();
  setInterval(refreshSummary, 5000);
  // The minutes that an alert waits.
  setInterval(refreshAlerts, 30000);
}

// Whether somebody is in the middle of a form.
export const isWriting = () => [...document.querySelectorAll("#alerts article")].some(inUse);

/* ---------- forms ---------- */

function remember(root) {
  for (const field of root.querySelectorAll("[data-remember]")) {
    const kept = recall(field.dataset.remember, "");
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

// Sends a form without leaving the page. Where the gateway does not answer, what is filled in stays.
$("alerts").addEventListener("submit", async (event) => {
  const form = event.target;
  const button = event.submitter || form.querySelector("button");
  event.preventDefault();
  if (button.disabled) return;
  button.disabled = true;
  for (const field of form.querySelectorAll("[data-remember]")) {
    keep(field.dataset.remember, field.value.trim());
  }
  let answer;
  try {
    answer = await fetch(form.action, {
      method: "POST",
      body: new URLSearchParams(new FormData(form, event.submitter)),
      referrerPolicy: "same-origin",
    });
  } catch {
    failed($("unsent").innerHTML);
    return;
  } finally {
    button.disabled = false;
  }
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
