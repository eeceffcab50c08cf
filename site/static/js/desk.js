// The desk: scans are kept, sent one by one in order, and answered under the box.
// Without this file the same forms work with full pages.

const SAME_CODE = 2000; // ms in which the same code is a trembling hand
const LONE_DIGIT = 90; // ms; a scanner's next character comes sooner
const ANSWER_WITHIN = 15000; // ms before a request counts as lost
const BOARD_AFTER = 400; // ms of calm before the board is read again
const BOARD_EVERY = 60000; // ms
const RETRIES = [1000, 2000, 5000, 10000]; // ms between two tries without a network
const TONES = {
  done: [[880, 0.09], [1320, 0.12]],
  returned: [[660, 0.09], [440, 0.14]],
  attention: [[587, 0.12], [0, 0.06], [587, 0.12], [0, 0.06], [587, 0.12]],
  refused: [[185, 0.45]],
  in: [[880, 0.09], [1320, 0.12]],
  walk_in: [[880, 0.09], [1175, 0.12]],
  already: [[587, 0.1], [0, 0.05], [587, 0.1]],
  forced: [[587, 0.1], [440, 0.1], [587, 0.1]],
  wrong: [[440, 0.15], [330, 0.2]],
  cancelled: [[185, 0.45]],
  waiting: [[523, 0.25]],
  unpaid: [[698, 0.1], [0, 0.05], [698, 0.1], [0, 0.05], [698, 0.2]],
  unknown: [[220, 0.15], [0, 0.05], [220, 0.15]],
  full: [[330, 0.3], [0, 0.05], [330, 0.3]],
  out: [[660, 0.09], [440, 0.14]],
};
const HARSH = new Set(["refused", "cancelled", "unknown"]);
const TO_REVIEW = new Set([
  "attention", "refused", "forced", "wrong", "cancelled", "waiting", "unpaid", "unknown", "full",
]);

const box = document.querySelector("[data-box]");

// -- Sounds: made here, begun by the first key as browsers ask ------------------------

let audio = null;

function allowSound() {
  audio ??= window.AudioContext ? new AudioContext() : null;
  audio?.resume();
}

function play(kind) {
  if (audio?.state !== "running") return;
  let at = audio.currentTime;
  for (const [pitch, length] of TONES[kind] ?? []) {
    if (pitch) {
      const tone = audio.createOscillator();
      const volume = audio.createGain();
      tone.type = HARSH.has(kind) ? "square" : "sine";
      tone.frequency.value = pitch;
      volume.gain.value = 0.15;
      tone.connect(volume).connect(audio.destination);
      tone.start(at);
      tone.stop(at + length);
    }
    at += length;
  }
}

// -- Keys: an element that names a key in aria-keyshortcuts is pressed by it -----------

function keyed(key) {
  return document.querySelector(`[aria-keyshortcuts="${key}"]`);
}

function isTyping(element) {
  return element?.matches("input:not([type=checkbox], [type=radio]), textarea, select");
}

document.addEventListener("keydown", (event) => {
  allowSound();
  if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing) return;
  if (/^(F\d+|Escape)$/.test(event.key)) {
    const target = keyed(event.key);
    if (target) {
      event.preventDefault();
      target.click();
    }
    return;
  }
  if (box) return typedAtTheCounter(event);
  const digit = /^(?:Digit|Numpad)([1-8])$/.exec(event.code);
  const target = digit && !isTyping(document.activeElement) && keyed(digit[1]);
  if (target) {
    event.preventDefault();
    target.click();
  }
});

for (const button of document.querySelectorAll("[data-print]")) {
  button.hidden = false;
  button.addEventListener("click", () => window.print());
}

// -- The counter ---------------------------------------------------------------------

const input = box?.elements.texte;
const live = document.querySelector("[data-live]");
const journal = document.querySelector("[data-journal]");
const queue = [];
const prefix = `${box?.dataset.queue ?? "desk"}.${box?.dataset.scope}.`;
const within = Number(box?.dataset.within) || ANSWER_WITHIN;
const alone = new WeakMap(); // what the page answers by itself, and when it has
let isSending = false;
let failures = 0;
let retry = 0;
let lastCode = { text: "", at: 0 };
let boardTimer = 0;

const counter = () => document.querySelector("[data-counter]");

function stateOfPage() {
  const state = {};
  for (const name of ["membre", "choix", "rendu"]) {
    const field = box.elements[name];
    if (field) state[name] = field.value;
  }
  return state;
}

function scanNumber() {
  const [high, low] = crypto.getRandomValues(new Uint32Array(2));
  return String((high & 0x1fffff) * 2 ** 32 + low);
}

function keep(entry) {
  try {
    localStorage.setItem(entry.key, JSON.stringify(entry));
  } catch {
    // A full or forbidden store: the queue still lives in this page.
  }
}

function forget(entry) {
  queue.shift();
  try {
    localStorage.removeItem(entry.key);
  } catch {
    // Nothing was kept.
  }
}

// What the page shows is known to the first in line only; each next one takes over
// what the answer before it leaves on the screen.
function add(url, fields, label = "") {
  const entry = { url, fields, label, state: queue.length ? null : stateOfPage(), waited: false };
  entry.at = Date.now();
  const number = scanNumber();
  if (fields) fields.scan = number;
  entry.key = `${prefix}${String(Date.now()).padStart(15, "0")}.${number}`;
  queue.push(entry);
  keep(entry);
  showState();
  if (failures || !navigator.onLine) answerAlone(entry);
  send();
}

// While the network is down, a page that knows the answer gives it (door.js): once each.
function answerAlone(entry) {
  if (!entry.fields || entry.fields.dit || alone.has(entry)) return;
  alone.set(entry, null);
  const tell = (fragment) => {
    show(fragment);
    announce();
  };
  const detail = { entry, keep, tell, until: (promise) => alone.set(entry, promise) };
  document.dispatchEvent(new CustomEvent("desk:alone", { detail }));
}

function showState() {
  const isOffline = failures > 0 || !navigator.onLine;
  document.querySelector("[data-online]").hidden = isOffline;
  document.querySelector("[data-offline]").hidden = !isOffline;
  const waiting = document.querySelector("[data-waiting]");
  waiting.hidden = queue.length === 0 || !(isOffline || queue.length > 1);
  const words = queue.length === 1 ? waiting.dataset.one : waiting.dataset.many;
  waiting.textContent = words.replace("%n", queue.length);
}

function ask(entry) {
  const options = { headers: { "X-Desk": "1" }, signal: AbortSignal.timeout(within) };
  if (entry.fields) {
    options.method = "POST";
    options.body = new URLSearchParams({
      ...entry.state,
      ...entry.fields,
      age: Math.max(0, Date.now() - (entry.at ?? Date.now())),
      csrfmiddlewaretoken: box.elements.csrfmiddlewaretoken.value,
    });
  }
  return fetch(entry.url, options);
}

async function send() {
  if (isSending) return;
  isSending = true;
  clearTimeout(retry);
  while (queue.length) {
    const entry = queue[0];
    let answer = null;
    try {
      await alone.get(entry);
      const response = await ask(entry);
      if (response.status >= 500 || response.status === 429) throw new Error("busy");
      if (response.redirected || response.status === 403) {
        show(document.querySelector("[data-signed-out]").content.cloneNode(true));
        break;
      }
      const isAnswer = response.headers.get("X-Desk") === "1";
      answer = isAnswer ? await response.text() : "";
    } catch {
      for (const waiting of queue) {
        waiting.waited = true;
        answerAlone(waiting);
      }
      retry = setTimeout(send, RETRIES[Math.min(failures, RETRIES.length - 1)]);
      failures += 1;
      break;
    }
    failures = 0;
    forget(entry);
    if (answer) replaceCounter(answer, entry);
    else {
      show(document.querySelector("[data-lost]").content.cloneNode(true));
      tell(entry);
    }
    if (queue.length) {
      queue[0].state = stateOfPage();
      keep(queue[0]);
    }
    showState();
  }
  isSending = false;
  showState();
  clearTimeout(boardTimer);
  boardTimer = setTimeout(readBoard, BOARD_AFTER);
}

function replaceCounter(html, entry) {
  const fresh = new DOMParser().parseFromString(html, "text/html").querySelector("[data-counter]");
  if (new URL(fresh.dataset.url, location).pathname !== location.pathname) {
    review(entry, fresh);
    return;
  }
  counter().replaceWith(fresh);
  history.replaceState(null, "", fresh.dataset.url);
  tell(entry);
}

function show(fragment) {
  const told = counter().querySelector("[data-told]") ?? counter().querySelector("[data-result]");
  told?.remove();
  counter().prepend(fragment);
}

function wordsOf(result) {
  return result?.querySelector(".result__words")?.textContent.replace(/\s+/g, " ").trim();
}

// Colour and word are in the answer; here come the sound, the spoken words, the focus.
function announce() {
  const result = counter().querySelector("[data-result]");
  live.textContent = wordsOf(result) ?? counter().querySelector("h1")?.textContent ?? "";
  if (result) play(result.dataset.result);
  if (!isTyping(document.activeElement)) input.focus();
}

function tell(entry) {
  announce();
  if (entry.waited) review(entry, counter());
}

function review(entry, answer) {
  const result = answer.querySelector("[data-result]");
  if (!TO_REVIEW.has(result?.dataset.result)) return;
  const line = document.createElement("li");
  const words = wordsOf(result);
  line.textContent = entry.label ? `${entry.label}\u00a0: ${words}` : words;
  journal.querySelector("ol").append(line);
  journal.hidden = false;
}

async function readBoard() {
  clearTimeout(boardTimer);
  boardTimer = setTimeout(readBoard, BOARD_EVERY);
  if (queue.length || document.hidden || !box.dataset.boardUrl) return;
  try {
    const response = await fetch(box.dataset.boardUrl, { headers: { "X-Desk": "1" } });
    if (!response.ok || response.redirected) return;
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    const held = document.activeElement?.closest(".board");
    if (!held) document.querySelector(".board").replaceWith(page.querySelector(".board"));
  } catch {
    // The board stays readable as it is.
  }
}

function submitBox() {
  const text = input.value.trim();
  input.value = "";
  if (!text) {
    if (!queue.length) keyed("Enter")?.click();
    return;
  }
  const now = Date.now();
  const isSame = text.length > 4 && text === lastCode.text && now - lastCode.at < SAME_CODE;
  lastCode = { text, at: now };
  if (!isSame) add(box.action, { texte: text }, text);
}

function typedAtTheCounter(event) {
  const active = document.activeElement;
  if (event.key.length !== 1) return;
  if (!isTyping(active) && !(event.key === " " && active?.matches("button, a, summary"))) {
    input.focus();
  }
  const isDigit = /^(Digit|Numpad)[1-8]$/.test(event.code);
  if (isDigit && document.activeElement === input && !input.value && box.elements.choix) {
    setTimeout(() => {
      if (input.value.length === 1 && box.elements.choix && !queue.length) submitBox();
    }, LONE_DIGIT);
  }
}

if (box) {
  history.replaceState(null, "", counter().dataset.url);

  document.addEventListener(
    "submit",
    (event) => {
      const form = event.target;
      if (form === box) {
        event.preventDefault();
        submitBox();
      } else if (form.matches("[data-desk], [data-undo]")) {
        event.preventDefault();
        const fields = Object.fromEntries(new FormData(form, event.submitter));
        delete fields.csrfmiddlewaretoken;
        delete fields.membre;
        lastCode = { text: "", at: 0 };
        add(form.action, fields, event.submitter?.textContent.trim());
        input.focus();
      }
    },
    true,
  );

  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[href]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
    if (link.matches("[data-person]") && box.elements.membre) {
      event.preventDefault();
      location.assign(`${link.href}?membre=${box.elements.membre.value}`);
    } else if (link.matches("[data-desk]")) {
      event.preventDefault();
      if (link.matches("[aria-keyshortcuts=Escape]")) {
        input.value = "";
        if (!queue.length) {
          journal.hidden = true;
          journal.querySelector("ol").replaceChildren();
        }
      }
      lastCode = { text: "", at: 0 };
      add(link.href, null);
      input.focus();
    }
  });

  window.addEventListener("online", send);
  window.addEventListener("offline", showState);

  // What an earlier page could not send: each has its number, so it takes effect once.
  try {
    const kept = Object.keys(localStorage).filter((key) => key.startsWith(prefix)).sort();
    for (const key of kept) queue.push({ ...JSON.parse(localStorage.getItem(key)), waited: true });
  } catch {
    // Nothing was kept.
  }
  input.focus();
  showState();
  if (queue.length) send();
  else boardTimer = setTimeout(readBoard, BOARD_EVERY);
}
