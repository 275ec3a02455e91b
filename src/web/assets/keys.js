// Single keys for whoever works at a keyboard all day. They are shown on the page, do nothing while somebody
// writes, and can be switched off (WCAG 2.2, 2.1.4).

import { mute, tryOut } from "./alarm.js";
import { $, keep, recall } from "./page.js";
import { nextPalette } from "./picture.js";

function firstAlert() {
  const card = document.querySelector("#pending article.open");
  const field = card?.querySelector(".take input:not([type=hidden]), .take select, .take button");
  const filled = field?.tagName === "INPUT" && field.value;
  (filled ? card.querySelector(".take button") : field)?.focus();
  card?.scrollIntoView({ block: "center" });
}

function nextAlert() {
  const cards = [...document.querySelectorAll("#pending article")].filter((it) => it.offsetParent);
  const at = cards.indexOf(document.activeElement.closest("article"));
  cards[(at + 1) % cards.length]?.focus();
}

function picture() {
  $("picture").focus();
  $("picture").scrollIntoView({ block: "nearest" });
}

const DO = {
  a: firstAlert, n: nextAlert, p: picture, c: nextPalette, m: mute, t: tryOut,
  "?": () => { $("keys").open = !$("keys").open; },
};

const box = $("keys-on");
box.checked = recall("keys", "on") === "on";
box.addEventListener("change", () => keep("keys", box.checked ? "on" : "off"));
$("keys").hidden = false;

window.addEventListener("keydown", (event) => {
  if (!box.checked || event.ctrlKey || event.altKey || event.metaKey || event.isComposing) return;
  const { target } = event;
  if (target.matches("select, textarea, input:not([type=checkbox])")) return;
  const act = DO[event.key.toLowerCase()];
  if (!act) return;
  event.preventDefault();
  act();
});
