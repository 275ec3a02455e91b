// What is heard: short melodies that are made here, and the browser's own voice where it has one that works
// without network. A browser makes no sound before somebody has touched the page, unless it was started
// with --autoplay-policy=no-user-gesture-required; whether it does is never guessed.

const shown = document.documentElement.dataset.words;
const LANGUAGES = shown === "zh" ? ["zh"] : shown === "en" ? ["en"] : ["zh", "en"];

// Start in seconds and pitch in hertz of each tone: up is good, down is to staff.
const MELODIES = {
  alarm: [[0, 880], [0.28, 660], [0.56, 880], [0.84, 660]],
  good: [[0, 659], [0.16, 988]],
  staff: [[0, 659], [0.22, 440], [0.6, 659], [0.82, 440]],
  ask: [[0, 587]],
};

let context = null;
const listeners = new Set();

export const isHeard = () => context?.state === "running";

// Tries to be heard: on a touch or a key it may, without one only where the browser was told so.
export function arm() {
  if (!context) {
    if (!window.AudioContext) return;
    context = new AudioContext();
    context.addEventListener("statechange", () => listeners.forEach((told) => told()));
  }
  if (context.state !== "running") context.resume().catch(() => {});
}

// Calls back whenever it can or can no longer be heard.
export function onHeard(told) {
  listeners.add(told);
  for (const kind of ["pointerdown", "keydown"]) window.addEventListener(kind, arm);
  arm();
  told();
}

export function melody(name) {
  document.body.dataset.melody = `${name} ${Number((document.body.dataset.melody || " 0").split(" ")[1]) + 1}`;
  if (!isHeard()) return;
  for (const [start, pitch] of MELODIES[name]) {
    const tone = context.createOscillator();
    const loud = context.createGain();
    const at = context.currentTime + start;
    tone.frequency.value = pitch;
    loud.gain.setValueAtTime(0.0001, at);
    loud.gain.exponentialRampToValueAtTime(0.4, at + 0.02);
    loud.gain.exponentialRampToValueAtTime(0.0001, at + 0.2);
    tone.connect(loud).connect(context.destination);
    tone.start(at);
    tone.stop(at + 0.22);
  }
}

// A voice of another machine would send what is said through the network.
function voice(language) {
  const all = window.speechSynthesis?.getVoices() ?? [];
  return all.find((it) => it.localService && it.lang.toLowerCase().startsWith(language));
}

// The languages of the page that this machine cannot speak.
export const voiceless = () => LANGUAGES.filter((language) => !voice(language));

export const onVoices = (told) => window.speechSynthesis?.addEventListener("voiceschanged", told);

// Says it in the page's languages, instead of whatever was being said.
export function speak(words) {
  if (!isHeard() || !window.speechSynthesis) return;
  speechSynthesis.cancel();
  for (const language of LANGUAGES) {
    const speaker = voice(language);
    if (!speaker) continue;
    const said = new SpeechSynthesisUtterance(words[language]);
    said.voice = speaker;
    said.lang = speaker.lang;
    speechSynthesis.speak(said);
  }
}

export const hush = () => window.speechSynthesis?.cancel();
