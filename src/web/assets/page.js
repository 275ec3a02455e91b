// What every script of the pages needs. Words are in the page or come from the gateway; none are made here.

export const $ = (id) => document.getElementById(id);

// In the language that the page shows; where there is room for one.
export const inEnglish = document.documentElement.dataset.words === "en";
export const say = (both) => (inEnglish ? both.en : both.zh);

export const tenth = (value) => value.toFixed(1);
export const signed = (value) => `${value < 0 ? "−" : "+"}${tenth(Math.abs(value))}`;

function span(className, text) {
  const node = document.createElement("span");
  node.className = className;
  node.textContent = text;
  return node;
}

export const chinese = (text) => span("zh", text);

export function english(text) {
  const node = span("en", text);
  node.lang = "en";
  return node;
}

export const both = (words) => [chinese(words.zh), " ", english(words.en)];

// What somebody chose on this machine. Where nothing can be kept, it holds until the page is left.
const chosen = new Map();

export function recall(name, usual) {
  if (chosen.has(name)) return chosen.get(name);
  try {
    return localStorage.getItem(`menshen.${name}`) ?? usual;
  } catch {
    return usual;
  }
}

export function keep(name, value) {
  chosen.set(name, value);
  try {
    localStorage.setItem(`menshen.${name}`, value);
  } catch {
    // Kept in `chosen`.
  }
}
