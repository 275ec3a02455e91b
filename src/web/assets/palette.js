// Colours for temperatures: three that are even in lightness, so that they say the same to eyes with any
// kind of colour blindness and on a grey print. None has red in it: red means an alert.
//
// Cividis: Nuñez, Anderton, Renslow 2018, doi:10.1371/journal.pone.0199239. Viridis: S. van der Walt and
// N. Smith 2015 (CC0). Every tenth part of each; between them straight lines. Grey: warm is white.

import { $, keep, recall } from "./page.js";

const CORNERS = {
  cividis: [
    [0, 34, 78], [18, 53, 112], [59, 73, 108], [87, 93, 109], [112, 113, 115], [138, 134, 120],
    [165, 156, 116], [195, 179, 105], [225, 204, 85], [254, 232, 56],
  ],
  viridis: [
    [68, 1, 84], [72, 40, 120], [62, 74, 137], [49, 104, 142], [38, 130, 142], [31, 158, 137],
    [53, 183, 121], [109, 205, 89], [180, 222, 44], [253, 231, 37],
  ],
  grey: [[0, 0, 0], [255, 255, 255]],
};
const NAMES = Object.keys(CORNERS);

function made(corners) {
  const colours = new Uint32Array(256);
  for (let i = 0; i < 256; i += 1) {
    const at = (i / 255) * (corners.length - 1);
    const low = Math.min(Math.floor(at), corners.length - 2);
    const mix = corners[low].map((c, k) => Math.round(c + (corners[low + 1][k] - c) * (at - low)));
    colours[i] = (255 << 24) | (mix[2] << 16) | (mix[1] << 8) | mix[0];
  }
  return colours;
}

// The one in use, as 256 pixels from cold to warm.
export let ramp;

function use(name) {
  ramp = made(CORNERS[name] ?? CORNERS.cividis);
  const strip = $("ramp");
  const paint = strip.getContext("2d");
  const image = paint.createImageData(256, 1);
  new Uint32Array(image.data.buffer).set(ramp);
  paint.putImageData(image, 0, 0);
  for (const button of document.querySelectorAll("[data-palette]")) {
    button.setAttribute("aria-pressed", String(button.dataset.palette === name));
  }
}

// Shows the chosen one, and calls back whenever another is chosen.
export function palettes(changed) {
  const choose = (name) => {
    keep("palette", name);
    use(name);
    changed();
  };
  use(recall("palette", "cividis"));
  for (const button of document.querySelectorAll("[data-palette]")) {
    button.addEventListener("click", () => choose(button.dataset.palette));
  }
  return () => choose(NAMES[(NAMES.indexOf(recall("palette", "cividis")) + 1) % NAMES.length]);
}
