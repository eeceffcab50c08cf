// A link of the message has chosen the face: the tap on it was the answer, so it is sent.
// Not from a page that nobody sees (loaded ahead): then it waits until it is seen.

const form = document.querySelector("[data-send]");

function send() {
  if (document.visibilityState !== "visible") return;
  document.removeEventListener("visibilitychange", send);
  form.requestSubmit();
}

document.addEventListener("visibilitychange", send);
send();
