// The people in the picture as a list: one line for each, kept while the person is there, so that a
// table that somebody has unfolded stays unfolded and keeps the focus.

import { $, both, chinese, english, inEnglish, say, signed, tenth } from "./page.js";

export const LOOK = {
  looking: { icon: "…", color: "#0b5cad", dash: [6, 5], line: 3 },
  clear: { icon: "✓", color: "#155a38", dash: [], line: 3 },
  possible_fever: { icon: "▲", color: "#a30f1b", dash: [], line: 6 },
  retest: { icon: "↻", color: "#6f4300", dash: [14, 6], line: 4 },
  cannot_judge: { icon: "?", color: "#3f4c59", dash: [3, 5], line: 3 },
};

// A temperature; without a reference a difference with its sign; nothing where nothing was measured.
function sayValue(person) {
  if (person.relative) return signed(person.difference_k);
  return person.estimate_c === undefined ? "" : tenth(person.estimate_c);
}

export function sayPerson(person) {
  const look = LOOK[person.state.code] || LOOK.cannot_judge;
  const parts = [`${look.icon} ${say(person.state)}`];
  if (person.looks) parts.push(`${person.looks[0]}/${person.looks[1]}`);
  const value = sayValue(person);
  if (value) parts.push(`${value} ± ${tenth(person.expanded_u_k)} ${person.relative ? "K" : "°C"}`);
  if (person.relative) parts.push(say(person.relative));
  return parts.join(" ");
}

// On a phone the words would cover each other; they stand in the list below the picture.
export function sayBriefly(person) {
  const { icon } = LOOK[person.state.code] || LOOK.cannot_judge;
  const value = sayValue(person);
  if (value) return [`${icon} ${value} ± ${tenth(person.expanded_u_k)}${person.relative ? " K" : ""}`];
  return [person.looks ? `${icon} ${person.looks[0]}/${person.looks[1]}` : icon];
}

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
  if (person.reason) text.append(" · ", ...both(person.reason));
  if (person.advice) text.append(" · ", ...both(person.advice));
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

export function listPeople(people) {
  const list = $("people");
  const items = people.map(linePerson);
  const there = new Set(people.map((person) => person.track));
  for (const track of lines.keys()) if (!there.has(track)) lines.delete(track);
  // Moved only where somebody came or went: an element that is moved loses the focus.
  const same = items.length === list.childElementCount
    && items.every((item, at) => list.children[at] === item);
  if (!same) list.replaceChildren(...items);
}

export function nobody() {
  $("people").replaceChildren();
  lines.clear();
}
