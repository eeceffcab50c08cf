// The camera reads codes where the browser can, and types them into the page's own field.

const CAMERA_EVERY = 300; // ms between two looks of the camera
const SAME_CODE_SEEN = 4000; // ms in which the camera still sees the same card

const button = document.querySelector("[data-camera]");
const video = document.querySelector("[data-camera-view]");
let looking = 0;

function stopLooking() {
  clearInterval(looking);
  looking = 0;
  for (const track of video.srcObject?.getTracks() ?? []) track.stop();
  video.srcObject = null;
  video.hidden = true;
}

async function startLooking() {
  const detector = new BarcodeDetector({ formats: ["qr_code", "code_128"] });
  try {
    const constraints = { video: { facingMode: "environment" } };
    video.srcObject = await navigator.mediaDevices.getUserMedia(constraints);
  } catch {
    document.querySelector("[data-camera-refused]").hidden = false;
    return;
  }
  video.hidden = false;
  await video.play();
  let seen = { text: "", at: 0 };
  looking = setInterval(async () => {
    const [code] = await detector.detect(video).catch(() => []);
    if (!code || (code.rawValue === seen.text && Date.now() - seen.at < SAME_CODE_SEEN)) return;
    seen = { text: code.rawValue, at: Date.now() };
    const field = document.querySelector("[data-camera-into]");
    field.value = code.rawValue;
    field.form.requestSubmit();
  }, CAMERA_EVERY);
}

if (button && "BarcodeDetector" in window && navigator.mediaDevices) {
  button.hidden = false;
  button.addEventListener("click", () => (looking ? stopLooking() : startLooking()));
}
