// Keeps the member's card, or parcels, readable without a network. The page is asked for each
// time; the copy kept serves only where there is no answer. Signing out drops it.

const KEPT = "{{ kept }}";

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

async function answer(request) {
  const cache = await caches.open(KEPT);
  try {
    const response = await fetch(request);
    if (request.mode === "navigate") {
      if (response.ok && !response.redirected) await cache.put(request.url, response.clone());
      else if (response.redirected || response.type === "opaqueredirect") await caches.delete(KEPT);
    } else if (response.ok) {
      await cache.put(request.url, response.clone());
    }
    return response;
  } catch (error) {
    const held = await cache.match(request.url);
    if (held) return held;
    throw error;
  }
}

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const isOurs = new URL(request.url).origin === self.location.origin;
  if (request.method === "GET" && isOurs) event.respondWith(answer(request));
});
