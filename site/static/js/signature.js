// A signature drawn with a finger, a pen or a mouse; what was drawn goes along as a picture.
// Without this file, or with a keyboard, "signé sur papier" is ticked and the receipt printed.

for (const box of document.querySelectorAll("[data-sign]")) {
  const form = box.closest("form");
  const field = form.querySelector("[data-signature]");
  const pad = box.querySelector("canvas");
  const said = box.querySelector("[data-sign-said]");
  const pen = pad.getContext("2d");
  let last = null;

  box.hidden = false;
  clear();

  // What was drawn before an error beside another field is drawn again.
  if (field.value) {
    const before = new Image();
    before.addEventListener("load", () => pen.drawImage(before, 0, 0, pad.width, pad.height));
    before.src = field.value;
  }

  function clear() {
    pen.fillStyle = "#fff";
    pen.fillRect(0, 0, pad.width, pad.height);
    pen.strokeStyle = "#2b2420";
    pen.lineWidth = 6;
    pen.lineCap = "round";
    pen.lineJoin = "round";
  }

  function point(event) {
    const frame = pad.getBoundingClientRect();
    return {
      x: ((event.clientX - frame.left) / frame.width) * pad.width,
      y: ((event.clientY - frame.top) / frame.height) * pad.height,
    };
  }

  function line(to) {
    pen.beginPath();
    pen.moveTo(last.x, last.y);
    pen.lineTo(to.x, to.y);
    pen.stroke();
    last = to;
  }

  pad.addEventListener("pointerdown", (event) => {
    event.preventDefault();
    pad.setPointerCapture(event.pointerId);
    last = point(event);
    line(last);
  });

  pad.addEventListener("pointermove", (event) => {
    if (last) line(point(event));
  });

  for (const end of ["pointerup", "pointercancel"]) {
    pad.addEventListener(end, () => {
      if (!last) return;
      last = null;
      field.value = pad.toDataURL("image/png");
      said.textContent = said.dataset.signed;
    });
  }

  box.querySelector("[data-sign-clear]").addEventListener("click", () => {
    clear();
    field.value = "";
    said.textContent = said.dataset.cleared;
  });
}
