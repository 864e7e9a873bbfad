/*
 * Brings the kiosk up when the server is away, from the cache that the page has filled. It puts nothing there itself, and
 * knows of no conversation: only GET is looked at, and only what is in the cache is answered.
 */
const CACHE = "hipwise-kiosk";
/* Milliseconds after which the copy is good enough. */
const PATIENCE = 3000;

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== location.origin) return;
  if (url.pathname.startsWith("/api/v1/conversations") || url.pathname === "/readyz") return;
  event.respondWith(answer(request));
});

async function answer(request) {
  const cache = await caches.open(CACHE);
  /* The query says what this kiosk is like, not which page it is; and nothing here differs by who asks. */
  const kept = await cache.match(request, { ignoreSearch: true, ignoreVary: true });
  if (kept && new URL(request.url).pathname.startsWith("/assets/")) return kept;
  const live = fetch(request);
  if (!kept) return live;
  const late = new Promise((resolve) => setTimeout(() => resolve(kept), PATIENCE));
  const fresh = live.then((response) => (response.status < 500 ? response : kept)).catch(() => kept);
  return Promise.race([fresh, late]);
}
