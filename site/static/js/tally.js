// Taps on "+" and "−" at a shop's counter. Each is sent by itself, one after the other, and
// only the number and the words beside it change, so that nothing moves under the thumb.
// Without this file each tap sends its form and brings the page anew.

const taps = [];
let isSending = false;

const numberIn = (tally) => tally.querySelector(".quantity__number");

function show(tally, number) {
  const place = numberIn(tally);
  place.setAttribute("aria-live", "polite");
  place.textContent = number;
}

async function post({ url, body }) {
  // Done is a redirect, which the page need not follow while other taps wait.
  const answer = await fetch(url, { method: "POST", body, redirect: "manual", keepalive: true });
  if (answer.type !== "opaqueredirect") throw new Error("refused");
}

// The page as it is now; a session that is over leads elsewhere, and the page follows it.
async function read(tallies) {
  const { tally: url } = [...tallies][0].dataset;
  const answer = await fetch(url, { headers: { Accept: "text/html" } });
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  if (!answer.ok || [...tallies].some((tally) => !page.getElementById(tally.id))) {
    throw new Error("elsewhere");
  }
  return page;
}

function swap(tally, fresh, said) {
  const held = tally.contains(document.activeElement) ? document.activeElement : null;
  const isOpen = tally.querySelector("details")?.open;
  tally.replaceChildren(...fresh.childNodes, ...said);
  const details = tally.querySelector("details");
  if (details) details.open = Boolean(isOpen);
  if (!held) return;
  const again = tally.querySelector(`.quantity [value="${held.value}"]`);
  (again ?? tally.querySelector(".quantity button"))?.focus({ preventScroll: true });
}

async function send() {
  isSending = true;
  const touched = new Set();
  try {
    while (taps.length) {
      touched.add(taps[0].tally);
      await post(taps[0]);
      taps.shift();
      if (taps.length) continue;
      const page = await read(touched);
      if (taps.length) continue;
      const said = [...page.querySelectorAll("main > [role=status]")];
      for (const tally of touched) swap(tally, page.getElementById(tally.id), said.splice(0));
    }
  } catch (error) {
    taps.length = 0;
    isSending = false;
    if (!(error instanceof TypeError)) {
      location.assign([...touched][0].dataset.tally);
      return;
    }
    for (const tally of touched) {
      show(tally, "?");
      tally.querySelector("[data-offline]").hidden = false;
    }
  }
  isSending = false;
}

for (const tally of document.querySelectorAll("[data-tally]")) {
  tally.addEventListener("submit", (event) => {
    const form = event.target;
    if (!form.matches(".quantity") || !event.submitter) return;
    event.preventDefault();
    const act = event.submitter.value;
    const body = new URLSearchParams(new FormData(form));
    body.set("faire", act);
    taps.push({ tally, url: form.action, body });
    const seen = Number.parseInt(numberIn(tally).textContent, 10) || 0;
    show(tally, Math.max(0, seen + (act === "plus" ? 1 : -1)));
    if (!isSending) send();
  });
}

// Whoever leaves while taps wait is asked first: the last ones would be lost.
window.addEventListener("beforeunload", (event) => {
  if (isSending) event.preventDefault();
});
