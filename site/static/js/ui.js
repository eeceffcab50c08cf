// Pages work without this file: it moves the focus to what went wrong, says that a
// form is on its way, and keeps an impatient second press from sending it twice.

const RELEASE_AFTER = 15000; // ms; a file sent in answer leaves the page as it was

function restore(form) {
  delete form.dataset.sent;
  for (const button of form.querySelectorAll("[aria-busy]")) {
    const label = button.querySelector("[data-busy-label]") || button;
    label.textContent = button.dataset.idle;
    button.removeAttribute("aria-busy");
    button.style.minInlineSize = "";
  }
}

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (event.defaultPrevented || form.method !== "post") return;
  if (form.dataset.sent) {
    event.preventDefault();
    return;
  }
  form.dataset.sent = "1";
  const button = event.submitter;
  if (button?.dataset.busy) {
    const label = button.querySelector("[data-busy-label]") || button;
    button.style.minInlineSize = `${button.offsetWidth}px`;
    button.dataset.idle = label.textContent;
    label.textContent = button.dataset.busy;
    button.setAttribute("aria-busy", "true");
  }
  setTimeout(restore, RELEASE_AFTER, form);
});

// The back button brings the page as it was left.
window.addEventListener("pageshow", (event) => {
  if (event.persisted) document.querySelectorAll("form[data-sent]").forEach(restore);
});

document.querySelector("[data-error-summary]")?.focus();

for (const button of document.querySelectorAll("[data-print-page]")) {
  button.hidden = false;
  button.addEventListener("click", () => window.print());
}
