// The card's page works without this file; with it, it opens without a network too.

const worker = document.currentScript.dataset.worker;

async function keep() {
  await navigator.serviceWorker.register(worker);
  const cache = await caches.open("card-1");
  const parts = [...document.querySelectorAll("link[rel=stylesheet], link[rel=icon], script[src], main img, header img")];
  await cache.addAll([location.href.split("#")[0], ...new Set(parts.map((part) => part.href || part.src))]);
}

if (worker && "serviceWorker" in navigator) keep().catch(() => {});
