// Keeps the rounds' pages on the phone as they were when they last came, so that one which is reloaded or
// opened by a code on a wall while the gateway is away is there all the same. The gateway is asked first,
// always. A page that is served from here says when it was kept; `ticks.js` shows that and keeps the taps.
// Whoever is signed out has no copies: the first answer that says so takes them all away.

const KEPT = "menshen.rounds";
const AT = "menshen-kept";
const PAGE = /^\/rounds(\/at\/[^/]+)?$/;
const ASSETS = ["/assets/app.css", "/assets/door.svg", "/assets/ticks.js"];

async function keep(request, answer) {
  const kept = await caches.open(KEPT);
  const headers = new Headers(answer.headers);
  headers.set(AT, String(Date.now()));
  await kept.put(request, new Response(await answer.blob(), { headers }));
}

async function asked(request) {
  const answer = await fetch(request);
  if (answer.ok) await keep(request.url ?? request, answer.clone());
  else if (answer.status < 500 && answer.status !== 429) await caches.delete(KEPT);
  return answer;
}

async function copied(request) {
  const copy = await (await caches.open(KEPT)).match(request.url);
  if (!copy || request.mode !== "navigate") return copy;
  const html = await copy.text();
  const mark = `id="rounds" data-kept="${copy.headers.get(AT)}"`;
  return new Response(html.replace('id="rounds"', mark), { headers: copy.headers });
}

async function answered(request) {
  try {
    return await asked(request);
  } catch (gone) {
    const copy = await copied(request);
    if (copy) return copy;
    throw gone;
  }
}

self.addEventListener("install", (event) => {
  self.skipWaiting();
  event.waitUntil(Promise.all(ASSETS.map(asked)));
});

self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

// A page that was there before this worker was.
self.addEventListener("message", (event) => event.waitUntil(asked(event.data).catch(() => {})));

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  if (request.method !== "GET" || origin !== self.location.origin) return;
  const isPage = request.mode === "navigate" && PAGE.test(pathname);
  if (isPage || ASSETS.includes(pathname)) event.respondWith(answered(request));
});
