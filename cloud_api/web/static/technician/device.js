// A device's page while somebody stands there: its gateway is asked to show frames, minute after minute for as long as
// the page is looked at; a picture is made smaller before it goes over a weak network.

const AGAIN_MS = 57_000;
const LONGEST_SIDE = 1600;
const QUALITY = 0.8;

listenForAsLongAsLookedAt(document.getElementById("listen"));
makePicturesSmall(document.getElementById("photo"));

function listenForAsLongAsLookedAt(form) {
  if (!form) return;
  const ask = async () => {
    if (document.hidden) return;
    try {
      const answer = await fetch(form.action, { method: "POST", signal: AbortSignal.timeout(10_000) });
      if (answer.redirected) history.replaceState(null, "", stillAsking(answer.url));
    } catch {
      // Without network there is nothing to listen to; the page says so already.
    }
  };
  form.hidden = true;
  ask();
  setInterval(ask, AGAIN_MS);
}

/** An address that names what was asked of the gateway before, too. */
function stillAsking(address) {
  const next = new URL(address);
  const asked = new URLSearchParams(location.search).get("asked");
  if (asked) next.searchParams.set("asked", asked);
  return next;
}

function makePicturesSmall(form) {
  const input = form.querySelector("input[type=file]");
  form.classList.add("quick");
  input.addEventListener("change", async () => {
    const [file] = input.files;
    if (!file) return;
    const small = await smaller(file).catch(() => file);
    const files = new DataTransfer();
    files.items.add(new File([small], "photo.jpg", { type: small.type }));
    input.files = files.files;
    form.requestSubmit();
  });
}

async function smaller(file) {
  const picture = await createImageBitmap(file);
  const scale = Math.min(1, LONGEST_SIDE / Math.max(picture.width, picture.height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.round(picture.width * scale);
  canvas.height = Math.round(picture.height * scale);
  canvas.getContext("2d").drawImage(picture, 0, 0, canvas.width, canvas.height);
  return new Promise((resolve, reject) => {
    canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error("no picture"))), "image/jpeg", QUALITY);
  });
}
