// Receiving parcels with a scanner and a keyboard: Enter goes on to the next field, and at
// the shelf it receives. A digit chooses the size. Without this file Enter sends the form.

const form = document.querySelector("[data-parcel]");
const ORDER = ["code", "who", "person", "size", "shelf"];

function stop(name) {
  const found = form?.elements[name];
  if (!found) return null;
  return found instanceof RadioNodeList ? [...found].find((one) => one.checked) ?? found[0] : found;
}

function goOn(name) {
  const after = ORDER.slice(ORDER.indexOf(name) + 1).map(stop).find(Boolean);
  after?.focus();
  after?.select?.();
}

form?.addEventListener("keydown", (event) => {
  const { name, type, tagName } = event.target;
  if (!ORDER.includes(name) || tagName !== "INPUT") return;
  if (event.key === "Enter" && name !== "shelf") {
    event.preventDefault();
    goOn(name);
    return;
  }
  const digit = /^(?:Digit|Numpad)([1-8])$/.exec(event.code);
  const choices = type === "radio" && digit ? [...form.elements[name]] : [];
  if (choices[digit?.[1] - 1]) {
    event.preventDefault();
    choices[digit[1] - 1].checked = true;
    goOn(name);
  }
});

// Several people of one name: the list waits for a digit at once.
stop("person")?.focus();
