// The card's and the parcels' pages work without this file; with it, they open without a
// network too.

const { worker, cache: kept } = document.currentScript.dataset;

async function keep() {
  await navigator.serviceWorker.register(worker);
  const cache = await caches.open(kept);
  const parts = [...document.querySelectorAll("link[rel=stylesheet], link[rel=icon], script[src], main img, header img")];
  await cache.addAll([location.href.split("#")[0], ...new Set(parts.map((part) => part.href || part.src))]);
}

if (worker && "serviceWorker" in navigator) keep().catch(() => {});
