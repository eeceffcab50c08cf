// The sums of money at the desk, live. The same forms work without this file: the server
// adds up what is ticked, counted and handed over.

const euros = (cents) => {
  const sign = cents < 0 ? "-" : "";
  const rest = Math.abs(cents) % 100;
  const whole = Math.trunc(Math.abs(cents) / 100);
  const isFrench = document.documentElement.lang.startsWith("fr");
  const small = rest ? String(rest).padStart(2, "0") : "";
  if (isFrench) return `${sign}${whole}${small && `,${small}`}\u00a0€`;
  return `${sign}€${whole}${small && `.${small}`}`;
};

function centsOf(text) {
  const found = /^(\d{1,7})(?:[.,](\d{1,2}))?$/.exec(text.replace(/[\s€]/g, ""));
  return found ? Number(found[1]) * 100 + Number((found[2] ?? "").padEnd(2, "0")) : null;
}

const pay = document.querySelector("[data-pay]");

function showTotal() {
  let total = 0;
  for (const input of pay.querySelectorAll("[name^=plan_]:checked, [name=lines]:checked, [name=more]:checked")) {
    total += Number(input.value.split(":").pop() || 0);
  }
  pay.querySelector("[data-total]").value = euros(total);
  const isCash = pay.querySelector("[name=means]:checked")?.value === "cash";
  for (const name of ["given", "float"]) {
    const field = pay.elements[name]?.closest(".field");
    if (field) field.hidden = !isCash;
  }
  const given = centsOf(pay.elements.given.value);
  const change = pay.querySelector("[data-change]");
  change.hidden = given === null || !isCash || given === total;
  if (change.hidden) return;
  const words = change.querySelector("[data-give]");
  const isMissing = given < total;
  words.textContent = isMissing ? words.dataset.missing : words.dataset.give;
  change.classList.toggle("sum--wrong", isMissing);
  change.querySelector("output").value = euros(Math.abs(given - total));
}

if (pay?.querySelector("[data-total]")) {
  pay.addEventListener("input", showTotal);
  showTotal();
}

const count = document.querySelector("[data-count]");

function showCount() {
  let sum = 0;
  for (const input of count.querySelectorAll("[data-value]")) {
    const number = /^\d{1,4}$/.test(input.value.trim()) ? Number(input.value) : 0;
    sum += number * Number(input.dataset.value);
  }
  const line = count.querySelector("[data-sum]");
  line.hidden = false;
  line.querySelector("output").value = euros(sum);
}

if (count) {
  count.addEventListener("input", showCount);
  showCount();
}
