// The door of a session off line: a scan is answered from the list that came with the
// page, and by the signature of its ticket. desk.js keeps it and sends it later, once,
// with what was told here.

const AZERTY_DIGITS = "&é\"'(-è_çà";
const TICKET = /^(T1\.([\w-]{8,12})\.(R\d{10})\.(\d{1,2}))\.([\w-]{86})$/;
const ENOUGH = 3; // letters that let in whom they name alone

let source = null;
let list = null;

// The list as it stands; each answer of the server brings a fresh one.
function known() {
  const element = document.getElementById("porte");
  if (element !== source) {
    source = element;
    list = JSON.parse(element.textContent);
  }
  return list;
}

function asScanned(raw) {
  let text = raw.replace(/[\s\u00a0]/g, "");
  if (!/\d/.test(text)) {
    text = text.replace(/^[,?]/, "M");
    text = [...text]
      .map((c) => (AZERTY_DIGITS.includes(c) ? (AZERTY_DIGITS.indexOf(c) + 1) % 10 : c))
      .join("");
  }
  text = text.toUpperCase();
  return /^\d{6}$/.test(text) ? `M${text}` : text;
}

function folded(text) {
  const plain = text.normalize("NFKD").replace(/\p{Mn}/gu, "").toLowerCase();
  return plain.replace(/[^\p{L}\p{N}]+/gu, " ").trim();
}

function bytes(text) {
  const raw = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(raw, (c) => c.charCodeAt(0));
}

// Without WebCrypto (a page that is not served over TLS) the list alone decides.
async function isSigned(body, signature) {
  if (!crypto.subtle) return known().lines.some((line) => body.includes(line.reference));
  const curve = { name: "ECDSA", namedCurve: "P-256" };
  for (const jwk of known().keys) {
    const key = await crypto.subtle.importKey("jwk", jwk, curve, false, ["verify"]);
    const way = { name: "ECDSA", hash: "SHA-256" };
    const data = new TextEncoder().encode(body);
    if (await crypto.subtle.verify(way, key, bytes(signature), data)) return true;
  }
  return false;
}

async function digestOf(text) {
  if (!crypto.subtle) return "";
  const raw = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  const hex = [...new Uint8Array(raw)].map((byte) => byte.toString(16).padStart(2, "0"));
  return hex.join("").slice(0, 16);
}

// Whose code it is: a line of the list, or an outcome that needs none.
async function lookUp(text) {
  const { lines, session, others } = known();
  const ticket = TICKET.exec(text.trim());
  if (ticket) {
    const [, body, at, reference, quantity, signature] = ticket;
    if (!(await isSigned(body, signature))) return { outcome: "unknown" };
    if (at !== session) return { outcome: "wrong", name: others[at] ?? "" };
    const line = lines.find((one) => one.reference === reference);
    if (line) return { line };
    // Signed after this page came: a true ticket, so the door opens and remembers it.
    const fresh = { reference, name: "", quantity: Number(quantity), came: 0, state: "in" };
    lines.push({ ...fresh, cards: [], tokens: [] });
    return { line: lines.at(-1) };
  }
  if (text.includes("://")) {
    const digest = await digestOf(text.trim().replace(/\/+$/, "").split("/").pop());
    return { line: lines.find((one) => digest && one.tokens.includes(digest)) };
  }
  const code = asScanned(text);
  const byCode = lines.find(
    (one) => one.reference === code || one.cards.some((number) => `M${number}` === code),
  );
  if (byCode) return { line: byCode };
  const wanted = folded(text).split(" ").filter(Boolean);
  if (wanted.join("").length < ENOUGH) return {};
  const named = lines.filter((one) => {
    const parts = (one.search ?? "").split(" ");
    return wanted.every((word) => parts.some((part) => part.startsWith(word)));
  });
  return { line: named.length === 1 ? named[0] : undefined };
}

function judge(line, fields) {
  if (!line) return { outcome: "unknown", number: 0 };
  if (line.state === "cancelled") return { outcome: "cancelled", number: 0 };
  const rest = line.quantity - line.came;
  if (rest <= 0) return { outcome: "already", number: 0 };
  if (line.state !== "in" && !fields.malgre) return { outcome: line.state, number: 0 };
  const number = Math.min(Number(fields.nombre) || rest, rest);
  line.came += number;
  line.state = "in";
  return { outcome: "in", number };
}

function countIn(number, reference) {
  const entered = document.querySelector("[data-entered]");
  if (entered) entered.textContent = Number(entered.textContent) + number;
  const mark = document.querySelector(`[data-line="${CSS.escape(reference ?? "")}"] [data-mark]`);
  if (mark) mark.hidden = false;
}

function sentence(template, name, number) {
  const { one, many } = template.dataset;
  const people = number === 1 ? one : many?.replace("%n", number);
  return [name, number ? people : ""].filter(Boolean).join(", ");
}

function fragmentFor(outcome, name, number, fields) {
  const template = document.querySelector(`template[data-alone="${outcome}"]`);
  const fragment = template.content.cloneNode(true);
  const said = sentence(template, name, number);
  if (said) fragment.querySelector(".result__words").append(` ${said}.`);
  for (const field of fragment.querySelectorAll("input[name=texte]")) field.value = fields.texte;
  return fragment;
}

async function answer({ entry, keep, tell }) {
  const { fields } = entry;
  if (fields.prenom) {
    fields.dit = "in";
    const number = Number(fields.nombre) || 1;
    countIn(number);
    keep(entry);
    tell(fragmentFor("walk_in", fields.prenom, number, fields));
    return;
  }
  if (!fields.texte) return;
  const found = await lookUp(fields.texte);
  const judged = found.outcome ? { outcome: found.outcome, number: 0 } : judge(found.line, fields);
  const name = found.name ?? found.line?.name ?? "";
  if (found.line) fields.texte = found.line.reference;
  if (judged.number) {
    fields.nombre = String(judged.number);
    countIn(judged.number, found.line.reference);
  }
  fields.dit = judged.outcome;
  entry.label = name || entry.label;
  keep(entry);
  tell(fragmentFor(judged.outcome, name, judged.number, fields));
}

let turn = Promise.resolve();

document.addEventListener("desk:alone", ({ detail }) => {
  turn = turn.then(() => answer(detail)).catch(() => undefined);
  detail.until(turn);
});
