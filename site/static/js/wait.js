// Asks now and then whether the payment was confirmed, and shows the page that says so.
// Without it, the button on the page does the same.

const EVERY = 3000; // ms
const TIMES = 60;

let asked = 0;
const timer = setInterval(async () => {
  asked += 1;
  if (asked >= TIMES) clearInterval(timer);
  try {
    const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
    if (answer.ok && !(await answer.text()).includes("data-wait")) {
      clearInterval(timer);
      location.reload();
    }
  } catch {
    // Off line for a moment: the next turn asks again.
  }
}, EVERY);
